"""What procurement takes away: certificates, lots, bills of materials, and a site under another buyer."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from camvet.certificates import check
from camvet.cli import main
from camvet.keys import KeyStore
from rules.dsse import EnvelopeError
from rules.vocabulary import ActivityEffect


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


def test_a_certificate_is_signed_and_says_everything(run, home):
    run("keys", "init")
    code, _, _ = run(
        "screen",
        "Hikvision",
        "<b>Axis</b>",
        "--buyer",
        "federal_contractor",
        "--certificate",
        "c.html",
        "--actor",
        "J. Doe",
        "--as-of",
        "2026-11-22",
    )
    assert code == 1
    page = Path("c.html").read_text()
    envelope = Path("c.dsse.json").read_bytes()
    trusted = KeyStore(home / "home" / "camvet" / "keys").trusted()
    found = check(envelope, trusted)
    assert [(row["query"], row["action"]) for row in found["rows"]] == [
        ("Hikvision", "match"),
        ("<b>Axis</b>", "no_match"),
    ]
    assert (found["by"], found["as_of"], found["buyers"]) == ("J. Doe", "2026-11-22", ["federal_contractor"])
    assert found["rows"][0]["effects"]["US-889-A"] == "prohibited_to_provide"
    for word in ("J. Doe", "Hikvision", "prohibited", found["lists"][0]["version"], *trusted):
        assert word in page
    assert "<b>Axis" not in page
    assert json.loads(envelope)["payload"] in page  # whole, so that it can be checked from the page
    with pytest.raises(EnvelopeError):
        check(envelope.replace(b'"sig": "', b'"sig": "AA'), trusted)


def test_without_a_key_there_is_no_certificate(run):
    code, _, err = run("screen", "Hikvision", "--certificate", "c.html")
    assert (code, "keys init" in err, Path("c.html").exists()) == (2, True, False)


def sheet(path, *rows):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("item", "units", "destination", "buyer", "purpose"), *rows])
    path.write_text(text.getvalue())
    return path


def test_lots_are_judged_each_for_its_own_buyer(run, home):
    item = "HIKVISION DS-2CD2143G2-I dome"
    given = sheet(
        home / "lots.csv",
        (item, 900, "US", "private_company", "warehouse"),
        (item, 500, "GB", "uk_government_department", ""),
        (item, 100, "US", "us_federal_agency", "critical infrastructure"),
        ("Axis P3245", 20, "US", "", ""),
    )
    code, out, _ = run(
        "screen", "--csv", given, "--column", "item", "--lots", "--as-of", "2026-11-22", "--out", "o.csv", "--json"
    )
    found = json.loads(out)
    assert code == 1
    assert found["units"] == {"match: legal_red_flag": 900, "match: prohibited": 600, "no_match": 20}
    rows = list(csv.DictReader(io.StringIO(Path("o.csv").read_text(encoding="utf-8-sig"))))
    assert [row["camvet_overall"] for row in rows] == ["legal_red_flag", "prohibited", "prohibited", ""]
    assert "UK-WMS-2022 prohibited_on_sensitive_sites" in rows[1]["camvet_effects"]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (("x", "many", "", "", ""), "row 2, column units: expected a whole number"),
        (("x", 1, "", "nobody", ""), "row 2, column buyer: no buyer is called"),
        (("Dahua", 1, "", "private_company nobody", ""), "row 2, column buyer: no buyer is called 'nobody'"),
    ],
)
def test_a_lot_that_does_not_fit_is_told_by_its_row(run, home, row, told):
    code, _, err = run("screen", "--csv", sheet(home / "lots.csv", row), "--column", "item", "--lots")
    assert (code, told in err) == (2, True)


@pytest.mark.parametrize(("last", "told"), [
    ("Dahua,us_fed_agency,procure,2026-11-22", "row 4, column buyer: no buyer"),
    ("Dahua,us_federal_agency,acquire,2026-11-22", "row 4, column activity: expected"),
    ("Dahua,us_federal_agency,procure,2026-13-22", "row 4, column as_of: '2026-13-22'"),
])
def test_no_lot_is_judged_before_all_of_them_are_read(run, home, last, told):
    given = home / "lots.csv"
    given.write_text(f"item,buyer,activity,as_of\nDahua,us_federal_agency,,\nAxis,,,\n{last}\n", encoding="utf-8")
    code, out, err = run("screen", "--csv", given, "--column", "item", "--lots", "--json")
    assert (code, out) == (2, "")
    assert told in err


CAMERA = "HIKVISION DS-2CD2143G2-I dome"
ORDER = [("item", "units", "destination"), (CAMERA, 850, "US"), (CAMERA, 500, "Canada"), (CAMERA, 100, "federal site"),
         (CAMERA, 50, "school/E-Rate")]


def order(path, *rows, head=ORDER):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([*head, *rows])
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


@pytest.mark.parametrize(("day", "overall", "canada"), [
    ("2020-04-30", ["legal_red_flag", "legal_red_flag", "prohibited", "legal_red_flag"], "match: legal"),
    ("2026-11-22", ["legal_red_flag", "legal_red_flag", "prohibited", "restricted"], "match: legal_red_flag"),
])
def test_an_order_of_1500_is_judged_by_destination_and_role(run, home, day, overall, canada):
    given = order(home / "order.csv")
    words = ("screen", "--csv", given, "--column", "item", "--lots", "--buyer", "private_company", "--as-of", day)
    code, out, _ = run(*words, "--out", "o.csv", "--json")
    found = json.loads(out)
    assert code == 1
    assert sum(found["units"].values()) == 1500
    rows = list(csv.DictReader(io.StringIO(Path("o.csv").read_text(encoding="utf-8-sig"))))
    assert [row["camvet_overall"] for row in rows] == overall
    shares = {(one["destination"], one["role"]): (one["result"], one["units"]) for one in found["by_destination"]}
    assert shares["Canada", "private_company"] == ("match: legal_red_flag", 500)
    assert shares["Canada", "private_company_ca"] == (canada, 500)
    assert shares["federal site", "federal_contractor"] == ("match: prohibited", 100)
    assert shares["federal site", "us_federal_agency"] == ("match: prohibited", 100)
    assert "FAR 52.204-25(b)(1)" in rows[2]["camvet_destination_says"]
    assert "federal departments and the public bodies of Quebec" in rows[1]["camvet_destination_says"]
    _, out, _ = run(*words)
    assert "  100  federal site   us_federal_agency " in out


def test_a_place_without_a_law_is_never_clean(run, home):
    given = order(home / "o.csv", ("Axis P3245", 40, "Frankreich"), ("Axis P3245", 2, "US"), head=ORDER[:1])
    code, out, _ = run("screen", "--csv", given, "--column", "item", "--lots", "--buyer", "private_company", "--json")
    there, here = map(json.loads, out.splitlines())
    assert code == 3
    assert (there["action"], there["overall"], here["overall"]) == ("no_match", "review", "legal")
    assert there["destination"]["not_assessed"] == "not assessed: no law of 'Frankreich' is modelled"
    assert {"role": "the law there", "result": "not_assessed"} in there["by_role"]
    assert run("screen", "--csv", order(home / "p.csv", ("Axis P3245", 2, "US"), head=ORDER[:1]), "--column", "item",
               "--lots")[0] == 0


def test_a_listed_recipient_makes_it_an_export(run, home):
    head = [("item", "destination", "recipient")]
    given = order(home / "o.csv", ("Axis P3245", "China", "Hangzhou Hikvision Digital Technology"),
                  ("Axis P3245", "Canada", "Maple Stores Ltd"), head=head)
    code, out, _ = run("screen", "--csv", given, "--column", "item", "--lots", "--buyer", "private_company", "--json")
    listed, other = map(json.loads, out.splitlines())
    assert code == 1
    assert listed["recipient"]["entity"] == "hikvision"
    assert {"role": "exporter to Hangzhou Hikvision Digital Technology",
            "result": "match: restricted"} in listed["by_role"]
    assert other["recipient"]["action"] == "no_match"
    assert not [one for one in other["by_role"] if one["role"].startswith("exporter")]


def test_a_hostile_destination_is_text(run, home):
    given = order(home / "o.csv", ("Axis P3245", 1, "=cmd()|\x1b[2J"), head=ORDER[:1])
    code, out, _ = run("screen", "--csv", given, "--column", "item", "--lots", "--out", "done.csv")
    assert (code, "\x1b" in out) == (3, False)
    rows = list(csv.reader(io.StringIO(Path("done.csv").read_text(encoding="utf-8-sig"))))
    assert not [cell for cell in rows[1] if cell.lstrip(" ").startswith("=")]


def test_lots_need_columns_of_their_own(run, home):
    (home / "plain.csv").write_text("item\nx\n")
    assert "expected at least one column of buyer" in run("screen", "--csv", "plain.csv", "--lots")[2]


BOM = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "components": [
        {
            "type": "device",
            "name": "IPC-HFW2431S",
            "manufacturer": {"name": "Dahua"},
            "properties": [{"name": "own", "value": "1"}],
            "components": [{"type": "device", "name": "Hi3516 SoC", "supplier": {"name": "HiSilicon"}}],
        },
        {"type": "library", "name": "openssl", "version": "3"},
    ],
}


def test_a_bill_of_materials_comes_back_with_verdicts(run, home):
    Path("bom.json").write_text(json.dumps(BOM))
    assert run("screen", "--bom", "bom.json", "--out", "done.json")[0] == 1
    done = json.loads(Path("done.json").read_text())
    told = [
        {one["name"]: one["value"] for one in part["properties"]}
        for part in (done["components"][0], done["components"][0]["components"][0], done["components"][1])
    ]
    assert [one["camvet:action"] for one in told] == ["match", "review", "no_match"]
    assert told[0]["own"] == "1"
    run("screen", "--bom", "done.json", "--out", "again.json")
    assert json.loads(Path("again.json").read_text()) == done


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "row 1: expected CycloneDX JSON"),
        ("[]", "expected bomFormat CycloneDX"),
        ('{"bomFormat": "CycloneDX"}', "a list of components"),
        (
            '{"bomFormat": "CycloneDX", "components": [{"name": "a", "components": [{}]}]}',
            "components[0].components[0]: expected",
        ),
    ],
)
def test_what_is_no_bill_is_refused(run, text, told):
    Path("bad.json").write_text(text)
    code, _, err = run("screen", "--bom", "bad.json")
    assert (code, told in err) == (2, True)


def test_a_site_without_a_sweep_has_no_what_if(run):
    code, _, err = run("what-if", "--buyer", "federal_contractor")
    assert (code, "run camvet sweep first" in err) == (2, True)


def test_a_site_under_another_buyer_is_a_table_of_laws_by_device(run, home):
    from inventory_samples import sweep

    from camvet.inventory import Inventory

    url = f"sqlite:///{home / 'x.sqlite'}"
    Inventory.open(url).record(sweep(1, ("10.0.0.1", "AA:00:00:00:00:01", "S1")), actor="auditor")
    front = ("--db", url, "--site", "hq")
    code, out, _ = run(*front, "--json", "what-if", "--buyer", "federal_contractor", "--as-of", "2026-11-22")
    found = json.loads(out)
    assert (code, found["devices"][0]["maker"], found["devices"][0]["overall"], found["regimes"]) == (
        0,
        "axis",
        "legal",
        [],
    )
    assert run(*front, "what-if", "--buyer", "nobody")[0] == 2


MANY = "us_federal_agency,us_importer,dod_contractor,uk_government_department,uk_contracting_authority"


def test_the_table_fits_eighty_columns_and_explains_its_letters(run, home, monkeypatch):
    from inventory_samples import judgement, sweep

    from camvet.inventory import Inventory

    makers = ("axis", "dahua", "hikvision", "uniview", None)
    record = sweep(1, *((f"10.120.230.{n}", f"AA:00:00:00:00:0{n}", f"S{n}") for n in range(len(makers))))
    known = [judgement(f"10.120.230.{n}", maker=maker or "axis") for n, maker in enumerate(makers)]
    known[-1] = replace(known[-1], identity=replace(known[-1].identity, maker=None, makers=()))
    url = f"sqlite:///{home / 'x.sqlite'}"
    Inventory.open(url).record(replace(record, judgements=known), actor="auditor")
    front = ("--db", url, "--site", "hq")
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run(*front, "what-if", "--buyer", MANY, "--as-of", "2026-11-22")
    assert code == 1
    assert max(map(len, out.splitlines())) <= 80
    for told in ("4 US-889-A", "P prohibited", "S prohibited_on_sensitive_sites", "* whether its condition",
                 "? some fact", "unknown is never clean"):
        assert told in out
    monkeypatch.setenv("COLUMNS", "250")
    assert "supply_side_prohibited*?" in run(*front, "what-if", "--buyer", MANY, "--as-of", "2026-11-22")[1]
    found = json.loads(run(*front, "--json", "what-if", "--buyer", MANY, "--as-of", "2026-11-22")[1])
    dahua, nobody = found["devices"][1], found["devices"][4]
    assert ("US-889-A" in dahua["assumed"], "US-FCC-COVERED" in dahua["unverified"]) == (True, True)
    assert (nobody["overall"], nobody["effects"]) == ("review", {})


def test_every_effect_has_a_letter_of_its_own():
    from camvet.cli.what_if import _LETTERS

    assert set(_LETTERS) == set(ActivityEffect)
    assert len(set(_LETTERS.values())) == len(_LETTERS)
