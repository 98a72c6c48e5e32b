"use strict";
(() => {
  const form = document.getElementById("filter");
  const status = document.getElementById("filter-status");
  if (!form) { return; }
  const text = form.elements.text;
  const outcome = form.elements.outcome;
  const rows = Array.from(document.querySelectorAll("tr[data-outcome]"), (row) => ({
    row, section: document.getElementById(row.dataset.section), outcome: row.dataset.outcome,
    words: row.textContent.toLowerCase(),
  }));
  const apply = () => {
    const wanted = text.value.trim().toLowerCase();
    let shown = 0;
    for (const each of rows) {
      const fits = (!outcome.value || each.outcome === outcome.value) && each.words.includes(wanted);
      each.row.classList.toggle("off", !fits);
      each.section.classList.toggle("off", !fits);
      shown += fits ? 1 : 0;
    }
    status.textContent = `${shown} of ${rows.length} devices shown`;
  };
  const reveal = () => {
    const target = location.hash.startsWith("#device-") && document.getElementById(location.hash.slice(1));
    if (target && target.classList.contains("off")) {
      form.reset();
      apply();
      target.scrollIntoView();
    }
  };
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  addEventListener("hashchange", reveal);
  apply();
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = Array.from(document.querySelectorAll("details:not([open])"));
    closed.forEach((each) => { each.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((each) => { each.open = false; }));
})();
