"""The page in a real browser: it renders on a phone, filters, asks nobody for anything, and logs no error."""

import base64
import json
import re
import shutil
import subprocess

import pytest
from sample_report import hostile, large, sample

from reports.formats import render

pytestmark = pytest.mark.component("chromium")

WRAPPER = """<!DOCTYPE html><meta charset="utf-8"><body><pre id="out"></pre><script>
const bytes = Uint8Array.from(atob("@PAGE@"), (char) => char.charCodeAt(0));
const frame = document.createElement("iframe");
frame.style.cssText = "width:@WIDTH@px;height:900px;border:0";
frame.addEventListener("load", () => setTimeout(() => {
  const page = frame.contentDocument, root = page.documentElement, view = frame.contentWindow;
  const shown = () => Array.from(page.querySelectorAll("tr[data-outcome]")).filter((row) => row.offsetParent).length;
  const sections = () => Array.from(page.querySelectorAll("article")).filter((one) => one.offsetParent).length;
  const wide = Array.from(page.body.querySelectorAll("*")).filter((one) => !one.closest("svg, .quiet, .skip")
    && one.getBoundingClientRect().right > root.clientWidth + 1).map((one) => one.tagName + "." + one.className);
  const text = Array.from(page.querySelectorAll("svg.flow")).flatMap((svg) => Array.from(svg.querySelectorAll("text"))
    .filter((one) => one.getBBox().x < -0.5 || one.getBBox().x + one.getBBox().width > svg.viewBox.baseVal.width + 0.5)
    .map((one) => one.textContent));
  const result = {text, scroll: root.scrollWidth, client: root.clientWidth, wide, rows: shown(), articles: sections(),
    resources: view.performance.getEntriesByType("resource").map((entry) => entry.name)};
  const form = page.getElementById("filter");
  if (form) {
    result.form = form.offsetParent !== null;
    form.elements.text.value = "lorex";
    form.dispatchEvent(new Event("input"));
    result.filtered = [shown(), sections(), page.getElementById("filter-status").textContent];
    form.elements.text.value = "";
    form.elements.outcome.value = "approved";
    form.dispatchEvent(new Event("input"));
    result.approved = [shown(), sections()];
    form.elements.outcome.value = "outside";
    form.dispatchEvent(new Event("input"));
    result.outside = [shown(), sections()];
    form.elements.outcome.value = "";
    form.dispatchEvent(new Event("input"));
  }
  result.colours = [view.getComputedStyle(page.body).backgroundColor];
  result.heights = Array.from(page.querySelectorAll("nav a, #filter button, #filter input, #filter select"),
    (one) => one.getBoundingClientRect().height);
  document.getElementById("out").textContent = "RESULT" + JSON.stringify(result) + "END";
}, 50));
frame.srcdoc = new TextDecoder().decode(bytes);
document.body.append(frame);
</script>"""


def look(tmp_path, page: bytes, width: int, *flags: str) -> tuple[dict, str]:
    """What the page measures `width` pixels wide, and what the browser logged; no name resolves, no host is reached."""
    wrapper = tmp_path / "look.html"
    wrapper.write_text(WRAPPER.replace("@PAGE@", base64.b64encode(page).decode()).replace("@WIDTH@", str(width)))
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
         "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--window-size=1400,1000", *flags,
         f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000", "--dump-dom", wrapper.as_uri()],
        capture_output=True, timeout=120, check=True, text=True, errors="replace")
    found = re.search(r"RESULT(\{.*?\})END</pre>", done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    return json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")), done.stderr


@pytest.mark.parametrize("width", [1280, 768, 390, 320])
def test_the_sample_fits_filters_and_asks_nobody(tmp_path, width):
    seen, log = look(tmp_path, render(sample(), "html"), width)
    assert seen["scroll"] <= seen["client"]
    assert seen["wide"] == []
    assert seen["resources"] == []
    assert "CONSOLE" not in log
    assert (seen["rows"], seen["articles"], seen["form"]) == (17, 17, True)
    assert seen["filtered"] == [1, 1, "1 of 17 devices shown"]
    assert seen["approved"] == [3, 3]
    assert seen["outside"] == [1, 1]
    assert seen["text"] == []
    assert min(seen["heights"]) >= 24


@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_devices_neither_run_nor_widen_the_page(tmp_path, width):
    seen, log = look(tmp_path, render(hostile(), "html"), width)
    assert seen["scroll"] <= seen["client"]
    assert seen["resources"] == []
    assert "CONSOLE" not in log
    assert seen["rows"] == seen["articles"] == len(hostile().devices)


def test_an_empty_report_has_no_filter_and_logs_nothing(tmp_path):
    seen, log = look(tmp_path, render(large(0), "html"), 390)
    assert "form" not in seen
    assert "CONSOLE" not in log


def test_the_browser_would_have_logged_what_the_policy_forbids(tmp_path):
    page = render(sample(), "html").replace(b"</main>", b'<img src="http://127.0.0.1:9/x.png"><script>1</script></main>')
    _, log = look(tmp_path, page, 390)
    assert "CONSOLE" in log
    assert "Content Security Policy" in log


def test_dark_is_dark(tmp_path):
    light, _ = look(tmp_path, render(sample(), "html"), 390)
    dark, _ = look(tmp_path, render(sample(), "html"), 390, "--blink-settings=preferredColorScheme=0")
    assert light["colours"] == ["rgb(255, 255, 255)"]
    assert dark["colours"] == ["rgb(21, 24, 28)"]
