"""`camvet keys verify`: a certificate holds, was changed, or rests on a key that nobody trusts."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from camvet.cli import main


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys):
    def ask(*words):
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return end.value.code, out, err

    return ask


@pytest.fixture
def made(run):
    run("keys", "init")
    assert run("screen", "Hikvision", "<b>Axis</b> & Söhne", "--buyer", "federal_contractor", "--certificate", "c.html",
               "--actor", "J. Doe", "--as-of", "2026-11-22")[0] == 1
    return Path("c.html")


@pytest.mark.parametrize(("file", "page"), [("c.html", True), ("c.dsse.json", None)])
def test_what_was_signed_holds_and_is_told(run, made, file, page):
    code, out, _ = run("--json", "keys", "verify", file)
    found = json.loads(out)
    assert (code, found["holds"], found["page"], found["own_key"]) == (0, True, page, True)
    assert [row["action"] for row in found["statement"]["rows"]] == ["match", "no_match"]
    assert found["statement"]["lists"][0].keys() >= {"dated", "version", "age_days", "age_days_now", "stale_now"}
    code, out, _ = run("keys", "verify", file)
    assert (code, "J. Doe screened on" in out, "facts of 2026-11-22" in out) == (0, True, True)


@pytest.mark.parametrize(("old", "new"), [(">match<", ">no_match<"), ("J. Doe", "J. Roe"),
                                          ("</body>", "<p>approved</p></body>"),
                                          ("federal_contractor", "private_company")])
def test_a_page_whose_words_were_changed_does_not_hold(run, made, old, new):
    text = made.read_text()
    assert old in text
    made.write_text(text.replace(old, new))
    code, out, _ = run("keys", "verify", made)
    assert (code, "DOES NOT HOLD" in out, "the page around it was changed" in out) == (1, True, True)
    assert "match     Hikvision" in out                      # what was signed is told all the same


def test_the_page_names_its_statement_and_prints_without_it(run, made):
    statement = base64.b64decode(json.loads(Path("c.dsse.json").read_text())["payload"])
    text = made.read_text()
    assert f"<code>{hashlib.sha256(statement).hexdigest()}</code>" in text
    folded = re.search(r"<details>.*?</details>", text, re.DOTALL)[0]
    assert folded.count("<code>{") == text.count("<code>{") == 1
    assert re.search(r"@media print \{.*details \{ display: none; \}", text, re.DOTALL)
    assert "@page { size: auto;" in text


@pytest.mark.parametrize("place", [0, 1], ids=["key", "statement"])
def test_another_name_of_key_or_statement_in_the_page_does_not_hold(run, made, place):
    text = made.read_text()
    name = re.findall(r"<code>([0-9a-f]{64})</code>", text)[place]
    made.write_text(text.replace(name, "0" * 64, 1))
    code, out, _ = run("keys", "verify", made)
    assert (code, "the page around it was changed" in out) == (1, True)


def printed(page, paper, tmp_path):
    """How many sheets a page takes on paper of a size, by Chromium."""
    source, target = tmp_path / f"{paper}.html", tmp_path / f"{paper}.pdf"
    source.write_text(page.read_text().replace("size: auto;", f"size: {paper};"))
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    done = subprocess.run([
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
        "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={target}", source.as_uri()],
        capture_output=True, check=False, timeout=120)
    assert target.exists(), done.stderr[-500:]
    return len(re.findall(rb"/Type\s*/Page\b", target.read_bytes()))


@pytest.mark.component("chromium")
def test_one_party_is_one_sheet_of_paper(run, home):
    run("keys", "init")
    run("screen", "Hikvision", "--certificate", "c.html", "--actor", "J. Doe", "--as-of", "2026-11-22", *(
        word for buyer in ("federal_contractor", "fcc_licensee", "us_investor") for word in ("--buyer", buyer)))
    page = Path("c.html")
    assert len(re.findall(r"<br>", page.read_text())) >= 6      # the laws, each on a line
    assert [printed(page, paper, home) for paper in ("A4", "Letter")] == [1, 1]


def test_a_second_envelope_beside_the_signed_one_does_not_hold(run, made):
    signed = re.search(r"<code>\{.*?</code>", made.read_text())[0]
    made.write_text(made.read_text().replace("<h2>Signature", f"<p>{signed}</p><h2>Signature"))
    assert run("keys", "verify", made)[0] == 1


def forged(text):
    """The envelope with another statement under the old signature."""
    import base64

    envelope = json.loads(text)
    statement = base64.b64decode(envelope["payload"]).replace(b'"action":"match"', b'"action":"clean"')
    return json.dumps({**envelope, "payload": base64.b64encode(statement).decode()})


def test_a_statement_that_was_changed_does_not_hold(run, made):
    file = Path("c.dsse.json")
    file.write_text(forged(file.read_text()))
    code, out, _ = run("--json", "keys", "verify", file)
    assert (code, json.loads(out)["rule"]) == (1, "envelope.signature")


def test_a_key_that_is_not_trusted_is_said_until_it_is(run, made, home, monkeypatch):
    public = next((home / "home").glob("**/keys/*.pub"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "elsewhere"))
    code, out, _ = run("keys", "verify", made)
    assert (code, "no key that is trusted here has signed it" in out) == (3, True)
    code, out, _ = run("--json", "keys", "verify", made, "--key", public)
    assert (code, json.loads(out)["own_key"]) == (0, False)


@pytest.mark.parametrize("data", [b"", b"{}", b"<html><code>{nonsense}</code></html>", b"\xff\xfe\x00", b"[1]",
                                  b'{"payloadType": "application/vnd.in-toto+json", "payload": "", "signatures": []}'])
def test_what_is_no_certificate_is_one_line(run, home, data):
    (home / "x").write_bytes(data)
    code, out, err = run("keys", "verify", "x")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "expected a screening certificate" in err
