"""The procurement sheet from the command line: what is vulnerable, what is fixed, what nobody can tell."""

import csv
import json

import pytest
from acceptance.story import Camvet

from camvet.context import ExitCode

SHEET = """\ufeffManufacturer;Model;Firmware version
Hikvision;DS-2CD2143G0-I;V5.5.82 build 190909
Lorex;W461ASC;2.800.0000000.8.R.200101
Embedthis GoAhead;GoAhead;6.0.1

Nobody;X1;1.0
=cmd();=X;=1
"""


@pytest.fixture
def camvet(tmp_path):
    return Camvet(tmp_path)


def ask(camvet, *words, code=None):
    done = camvet.run("--json", "advisories", *words)
    assert code is None or done.returncode == code, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def states(row):
    return {result["cve"]: result["status"] for result in row["results"]}


def test_one_version_is_one_line(camvet):
    rows = ask(camvet, "--maker", "Hikvision", "--model", "DS-2CD2143G0-I", "--firmware", "V5.5.82 build 190909",
               code=ExitCode.FINDINGS)
    assert len(rows) == 1
    first = rows[0]["results"][0]
    assert (first["cve"], first["status"], first["kev"], first["cvss"]) == ("CVE-2021-36260", "affected", True, 9.8)
    assert first["because"]
    assert {"cve", "status", "because", "kev", "cvss", "fixed_in"} <= set(first)


@pytest.mark.parametrize(("words", "code"), [
    (["--maker", "GoAhead", "--model", "GoAhead", "--firmware", "6.0.1"], ExitCode.CLEAN),
    (["--maker", "GoAhead", "--model", "GoAhead", "--firmware", "3.6.4"], ExitCode.FINDINGS),
    (["--maker", "GoAhead", "--model", "GoAhead", "--firmware", "new"], ExitCode.INCOMPLETE),
    (["--maker", "Dahua", "--model", "SD41", "--firmware", "2.812.0000007.0.R.210101"], ExitCode.INCOMPLETE),
    (["--maker", "Nobody", "--model", "X", "--firmware", "1"], ExitCode.INCOMPLETE),
])
def test_the_exit_code_says_what_was_found(camvet, words, code):
    assert camvet.run("advisories", *words).returncode == code


def test_a_sheet_is_one_line_a_row_in_its_order(camvet, tmp_path):
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(SHEET, encoding="utf-8")
    rows = ask(camvet, "--csv", str(sheet), code=ExitCode.FINDINGS)
    assert [row["maker"] for row in rows] == ["Hikvision", "Lorex", "Embedthis GoAhead", "Nobody", "=cmd()"]
    assert states(rows[1])["CVE-2024-52546"] == "affected"
    assert states(rows[1])["CVE-2021-33044"] == "unknown"
    assert set(states(rows[2]).values()) == {"not_affected"}
    assert rows[3]["results"] == []
    out = tmp_path / "out.csv"
    assert camvet.run("advisories", "--csv", str(sheet), "--out", str(out)).returncode == ExitCode.FINDINGS
    written = list(csv.DictReader(out.open(newline="")))
    assert written[0]["cve"] == "CVE-2021-36260"
    assert written[-1]["maker"] == "'=cmd()"
    assert not any(cell.startswith("=") for row in written for cell in row.values())


def test_hostile_cells_are_cut_and_the_rest_goes_on(camvet, tmp_path):
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(f"maker,model,firmware\ndahua,{'M' * 1_000_000},{'9' * 1_000_000}\nflir,AX8,1.46.16\n")
    rows = ask(camvet, "--csv", str(sheet), code=ExitCode.FINDINGS)
    assert len(rows) == 2
    assert len(rows[0]["model"]) < 300
    assert not set(states(rows[0]).values()) & {"affected", "not_affected"}
    assert states(rows[1])["CVE-2022-37061"] == "affected"


def test_a_newer_catalogue_and_records_are_taken_in_and_broken_ones_named(camvet, tmp_path):
    (tmp_path / "kev.json").write_text(
        '{"vulnerabilities": [{"cveID": "CVE-2024-7029", "dateAdded": "2026-01-02"}, {"cv')
    (tmp_path / "bad.json").write_text("{}")
    done = camvet.run("--json", "advisories", "--maker", "AVTECH", "--model", "AVM1203", "--firmware",
                      "FullImg-1023-1007-1011-1009", "--kev", str(tmp_path / "kev.json"),
                      "--cve", str(tmp_path / "bad.json"))
    result = next(r for r in json.loads(done.stdout)["results"] if r["cve"] == "CVE-2024-7029")
    assert result["kev_added"] == "2026-01-02"
    assert "kev.json: no JSON, or cut short" in done.stderr
    assert "bad.json: no CVE record" in done.stderr


@pytest.mark.parametrize(("words", "says"), [
    ([], "--maker"), (["--maker", "x", "--csv", "y"], "--maker"), (["--csv", "/not/there"], "/not/there"),
    (["--maker", "x", "--kev", "/not/there"], "/not/there"),
])
def test_a_mistake_is_one_line(camvet, words, says):
    done = camvet.run("advisories", *words)
    assert done.returncode == ExitCode.USAGE
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_sheet_without_a_maker_column_is_a_mistake(camvet, tmp_path):
    (tmp_path / "s.csv").write_text("colour,price\nred,1\n")
    done = camvet.run("advisories", "--csv", str(tmp_path / "s.csv"))
    assert done.returncode == ExitCode.USAGE
    assert "no column named maker" in done.stderr
