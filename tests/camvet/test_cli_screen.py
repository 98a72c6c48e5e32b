"""`camvet screen` and `camvet lists` from the command line: names, order files, imports, bundles, exit codes."""

import csv
import io
import json
from datetime import date

import pytest
from openpyxl import Workbook, load_workbook

from camvet import lists as store
from camvet.cli import main
from camvet.context import UsageError
from camvet.sheets import defused
from rules import bundle, regimes

LINES = ["DH-IPC-HFW2431S DAHUA BULLET CAM x12", "Axis P3245-LVE", "Amcrest 4MP turret"]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    bundle.use(None)


@pytest.fixture
def run(capsys):
    def ask(*words):
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return end.value.code, out, err

    return ask


def orders(path, rows, header=("Nr", "Item", "Qty")):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def test_one_json_line_a_name(run):
    code, out, _ = run("--json", "screen", *LINES, "--buyer", "us_federal_agency", "--as-of", "2020-04-30")
    found = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert [(one["action"], one["entity"], one["relation"]) for one in found] == [
        ("match", "dahua", "self"),
        ("no_match", "axis", "none"),
        ("review", "dahua", "oem_brand"),
    ]
    effects = {one["regime"]: one["effect"] for one in found[0]["effects"]}
    assert effects["US-889-A"] == "prohibited"
    assert found[0]["overall"] == "prohibited"
    assert [one["id"] for one in found[0]["lists"]] == ["regimes"]
    assert {"query", "action", "entity", "relation", "matched_by", "score", "because", "effects"} <= set(found[1])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((LINES[1],), 0),
        ((LINES[2],), 3),
        ((LINES[1], LINES[2]), 3),
        (LINES, 1),
        ((), 2),
        (("x", "--csv", "y.csv"), 2),
        (("x", "--buyer", "nobody"), 2),
        (("x", "--as-of", "yesterday"), 2),
        (("x", "--activity", "sing"), 2),
        (("x", "--out", "y"), 2),
    ],
)
def test_the_worst_line_ends_it(run, words, code):
    assert run("screen", *words)[0] == code


def test_it_explains(run):
    _, out, _ = run("screen", LINES[0], "--explain", "--buyer", "federal_contractor")
    for word in ("matched by", "law", "citation", "duty", "lists", "US-889-B"):
        assert word in out


def test_a_category_counts_for_a_buyer_who_asked(run):
    assert run("screen", "Reolink RLC-810A")[0] == 0
    assert run("screen", "Reolink RLC-810A", "--buyer", "uk_government_department")[0] == 3
    assert run("screen", "Axis P3245", "--buyer", "uk_government_department")[0] == 0


def test_an_order_file_comes_back_with_the_answers_beside(run, home):
    given = orders(
        home / "order.csv", [(nr, line, 2) for nr, line in enumerate(LINES, 1)] + [(4, "=cmd|' /C calc'!A0", 1)]
    )
    code, out, _ = run("screen", "--csv", given, "--column", "item", "--out", home / "done.csv")
    assert code == 1
    assert "4 rows, 1 match, 1 review, 2 no_match" in out
    rows = list(csv.DictReader(io.StringIO((home / "done.csv").read_text(encoding="utf-8-sig"))))
    assert [row["camvet_action"] for row in rows] == ["match", "no_match", "review", "no_match"]
    assert [row["Nr"] for row in rows] == ["1", "2", "3", "4"]
    assert rows[3]["Item"].startswith("'=")
    assert rows[0]["camvet_lists"].startswith("regimes ")


@pytest.mark.parametrize("option", ["--csv", "--bom"])
def test_what_stands_above_the_headings_and_what_was_read_is_said(run, home, option):
    (home / "order.csv").write_text("Order 7, of the site\n\nItem,Qty\nDahua camera,1\nAxis camera,2\n")
    code, _, err = run("screen", option, home / "order.csv", "--out", home / "done.csv")
    assert (code, "the headings are in row 3" in err) == (1, True)
    assert ("screened by the column 'Item'" in err) == (option == "--csv")
    title, _, head, first, second = csv.reader((home / "done.csv").read_text().splitlines())
    assert title == ["Order 7", " of the site"]
    assert [row[:3] for row in (head, first, second)] == [
        ["Item", "Qty", "camvet_action"], ["Dahua camera", "1", "match"], ["Axis camera", "2", "no_match"]]


def test_a_workbook_comes_back_with_texts_only(run, home):
    book = Workbook()
    for row in [("Item", "Qty"), *((line, 3) for line in LINES), ("+1+cmd", 1)]:
        book.active.append(row)
    book.save(home / "order.xlsx")
    assert run("screen", "--xlsx", home / "order.xlsx", "--column", "1", "--out", home / "done.xlsx")[0] == 1
    sheet = load_workbook(home / "done.xlsx").active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:3] == ("Item", "Qty", "camvet_action")
    assert [row[2] for row in rows[1:]] == ["match", "no_match", "review", "no_match"]
    assert all(cell.data_type in {"s", "inlineStr", "n"} for row in sheet.iter_rows() for cell in row)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a,b\n1,2\n3\n", "row 3: expected 2 cells as in the first row, found 1"),
        (b"a,b\n1,2\n", "column 'Item': expected one of a, b"),
        (b"", "expected a header row"),
        (b"a\n\xff\xfe\n", "expected UTF-8 text"),
    ],
)
def test_a_malformed_file_is_one_clear_line(run, home, data, told):
    (home / "bad.csv").write_bytes(data)
    code, out, err = run("screen", "--csv", home / "bad.csv", "--column", "Item", "--out", home / "done.csv")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert told in err
    assert not (home / "done.csv").exists()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"not a workbook"])
def test_what_is_no_workbook_is_said(run, home, data):
    (home / "bad.xlsx").write_bytes(data)
    code, _, err = run("screen", "--xlsx", home / "bad.xlsx")
    assert (code, "no XLSX workbook" in err) == (2, True)


@pytest.mark.parametrize(
    ("cell", "safe"), [("=1", "'=1"), (" =1", "' =1"), ("@a", "'@a"), ("-5", "'-5"), ("DS-2", "DS-2")]
)
def test_formulas_are_defused(cell, safe):
    assert defused(cell) == safe


def own(path, *names, dated="2026-11-01"):
    path.write_text("name,programme,listed_on\n" + "".join(f"{name},Entity List (EL),2024-01-01\n" for name in names))
    return ("lists", "import", path, "--source", "el", "--dated", dated)


def test_an_imported_list_is_screened_against_and_its_edition_told(run, home):
    assert run("screen", "Quantum Lens Works")[0] == 0
    assert run(*own(home / "el.csv", "Quantum Lens Works", "Other Optics"))[0] == 0
    code, out, _ = run("--json", "screen", "Quantum Lens Works", "--as-of", "2026-11-02")
    found = json.loads(out)
    assert (code, found["action"], found["entity"]) == (1, "match", "import:el:Quantum Lens Works")
    assert [one["id"] for one in found["lists"]] == ["regimes", "import:el"]
    assert {e["regime"] for e in found["effects"] if e["effect"] == "red_flag"} == {"US-BIS-EL"}
    code, out, _ = run("--json", *own(home / "el.csv", "Other Optics", dated="2026-11-20"))
    assert json.loads(out)["removed"] == 1
    assert run("screen", "Quantum Lens Works", "--as-of", "2026-11-21")[0] == 3


def test_a_list_with_a_fault_leaves_what_is_kept_as_it_is(run, home):
    run(*own(home / "el.csv", "Quantum Lens Works"))
    (home / "bad.csv").write_text("name,programme,listed_on\nGood One,EL,2024-01-01\nBad One,EL,soon\n")
    code, _, err = run("lists", "import", home / "bad.csv", "--source", "el", "--dated", "2026-11-02")
    assert (code, "row 3, column listed_on: expected a date" in err) == (2, True)
    assert run("screen", "Good One")[0] == 0
    assert run("screen", "Quantum Lens Works")[0] == 1
    assert run(*own(home / "el.csv", "X Y Z", dated="2026-10-01"))[0] == 2  # an older edition


def test_age_is_shown_and_stale_lists_say_so(run, home):
    run(*own(home / "el.csv", "Quantum Lens Works", dated="2025-01-01"))
    code, out, _ = run("--json", "lists", "show")
    shown = {one["id"]: one for one in json.loads(out)["lists"]}
    assert (code, shown["import:el"]["stale"], shown["import:el"]["parties"]) == (3, True, 1)
    _, _, err = run("screen", "Axis", "--as-of", "2026-11-22")
    assert "stale" in err


@pytest.mark.parametrize(("dated", "stale"), [("2026-08-24", False), ("2026-08-23", True), ("2026-06-30", True)])
def test_a_stale_list_is_told_wherever_an_answer_rests_on_it(run, home, dated, stale):
    run(*own(home / "el.csv", "Quantum Lens Works", dated=dated))
    run("keys", "init")
    asked = ("--as-of", "2026-11-22")
    age = (date(2026, 11, 22) - date.fromisoformat(dated)).days
    for verb in (("screen", "Axis"), ("effects", "dahua", "--buyer", "us_federal_agency")):
        _, out, _ = run("-q", "--json", *verb, *asked)
        lists = {one["id"]: one for one in json.loads(out)["lists"]}
        assert (lists["import:el"]["age_days"], lists["import:el"]["stale"]) == (age, stale)
        assert not lists["regimes"]["stale"]
    _, _, err = run("-q", "screen", "Axis", *asked)
    assert ("stale" in err) == stale
    _, out, _ = run("-q", "screen", "Axis", "--explain", *asked)
    assert ("(stale)" in out) == stale
    run("-q", "screen", "--csv", orders(home / "order.csv", [("1", "Axis", "2")]), "--column", "Item", "--out",
        home / "done.csv", *asked)
    row = next(csv.DictReader(io.StringIO((home / "done.csv").read_text(encoding="utf-8-sig"))))
    assert (f"import:el {dated} (stale) " in row["camvet_lists"]) == stale
    (home / "bom.json").write_text(json.dumps({"bomFormat": "CycloneDX", "components": [{"name": "x"}]}))
    run("-q", "screen", "--bom", home / "bom.json", "--out", home / "done.json", *asked)
    assert (f"import:el {dated} (stale) " in (home / "done.json").read_text()) == stale
    run("screen", "Axis", "--certificate", home / "c.html", *asked)
    now_stale = "stale, so that no answer" in (home / "c.html").read_text()
    assert now_stale or not stale


def test_bundles_travel_signed_and_only_forward(run, home, monkeypatch):
    run("keys", "init")
    run(*own(home / "el.csv", "Quantum Lens Works"))
    assert run("lists", "sign", "--out", home / "one.bundle")[0] == 0
    assert run("lists", "sign", "--out", home / "two.bundle")[0] == 0
    public = next((home / "home" / "camvet" / "keys").glob("*.pub"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "elsewhere"))
    assert run("lists", "verify", home / "one.bundle")[0] == 2  # whose key is not trusted there
    code, out, _ = run("--json", "lists", "verify", home / "one.bundle", "--key", public)
    assert (code, json.loads(out)["number"]) == (0, 1)
    assert run("screen", "Quantum Lens Works")[0] == 0
    assert run("lists", "update", home / "two.bundle", "--key", public)[0] == 0
    assert run("screen", "Quantum Lens Works")[0] == 1
    code, _, err = run("lists", "update", home / "one.bundle", "--key", public)
    assert (code, "bundle.older" in err) == (2, True)
    data = bytearray((home / "two.bundle").read_bytes())
    data[len(data) // 2] ^= 1
    (home / "bad.bundle").write_bytes(data)
    assert run("lists", "update", home / "bad.bundle", "--key", public)[0] == 2
    assert json.loads(run("--json", "lists", "show")[1])["bundle"]["number"] == 2


def test_screening_by_a_bundle_pins_its_edition(run, home):
    run("keys", "init")
    run(*own(home / "el.csv", "Quantum Lens Works"))
    run("lists", "sign", "--out", home / "one.bundle")
    run(*own(home / "el.csv", "Other Optics", dated="2026-11-20"))
    words = ("--json", "screen", "Quantum Lens Works", "--as-of", "2026-11-21")
    assert json.loads(run(*words)[1])["action"] == "review"
    found = json.loads(run(*words, "--lists", home / "one.bundle")[1])
    assert found["action"] == "match"
    assert found["lists"][0]["version"] == regimes.list_version().version


@pytest.mark.parametrize("where", ["http://127.0.0.1/x", "ftp://127.0.0.1/x", "file:///etc/passwd"])
def test_nothing_but_https_is_fetched(where):
    with pytest.raises(UsageError, match="https"):
        store.fetch(where)


def test_age_has_words():
    version = regimes.list_version()
    assert store.aged([version], version.dated) == []
    assert "days before" in store.aged([version], date(2026, 12, 1))[0]
    assert "stale" in store.aged([version], date(2027, 12, 1))[0]


def test_the_laws_of_an_installed_bundle_are_used_by_every_verb_until_it_is_gone(run, home):
    run("keys", "init")
    files = bundle.law_files()
    name = "law/regimes/us-889-a.yaml"
    files[name] = files[name].replace(b"entity: hikvision", b"entity: axis")
    from camvet.keys import KeyStore

    key = KeyStore(home / "home" / "camvet" / "keys").signing()
    (home / "new.bundle").write_bytes(bundle.make(files, number=7, made="2026-11-22T00:00:00Z", key=key))
    asked = (
        "--json",
        "effects",
        "axis",
        "--buyer",
        "us_federal_agency",
        "--as-of",
        "2020-04-30",
        "--regime",
        "US-889-A",
    )
    assert json.loads(run(*asked)[1])["overall"] == "legal"
    assert run("lists", "update", home / "new.bundle")[0] == 0
    assert json.loads(run(*asked)[1])["overall"] == "prohibited"
