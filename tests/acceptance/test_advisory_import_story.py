"""Fresh advisories from the command line: stored, cited, merged; and what is hostile or cut in half."""

import json
import zipfile
from datetime import timedelta

import pytest
from acceptance import recorded_site
from acceptance.shell import Here

from camvet.context import ExitCode
from scanner import clock

TODAY = clock.now().date()
AXIS = ["advisories", "--maker", "Axis", "--model", "P3245-V", "--firmware", "11.2.10"]


def kev(*cves, dated=TODAY):
    return {"title": "made up", "catalogVersion": "1", "dateReleased": f"{dated}T10:00:00Z", "vulnerabilities": [
        {"cveID": cve, "dateAdded": "2026-11-01", "dueDate": "2026-11-22"} for cve in cves]}


def cve(number="CVE-2026-0001", vendor="Axis Communications AB", product="AXIS OS", versions=None, state="PUBLISHED"):
    return {"dataType": "CVE_RECORD", "dataVersion": "5.1", "cveMetadata": {"cveId": number, "state": state},
            "containers": {"cna": {"affected": [{"vendor": vendor, "product": product, "versions": versions or [
                {"version": "11.0", "lessThan": "11.5", "status": "affected", "versionType": "custom"}]}]}}}


@pytest.fixture
def shell(tmp_path):
    return Here(tmp_path)


def write(path, document):
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def results(shell, *words):
    return {one["cve"]: one for one in json.loads(shell("--json", *words).out.splitlines()[0])["results"]}


def test_a_catalogue_flags_what_is_held_and_is_cited_with_its_age(shell, tmp_path):
    assert results(shell, *AXIS)["CVE-2024-0066"]["kev"] is False
    three_days = TODAY - timedelta(days=3)
    done = shell("--json", "advisories", "import", write(tmp_path / "kev.json", kev("CVE-2024-0066", "CVE-1999-0001",
                                                                                   dated=three_days)))
    assert (done.code, done.err) == (ExitCode.CLEAN, "")
    assert done.json["kev"] == {"entries": 2, "new": 2, "gone": 0, "newly_exploited": ["CVE-2024-0066"],
                                "date_changed": []}
    assert results(shell, *AXIS)["CVE-2024-0066"]["kev_added"] == "2026-11-01"
    listed = {one["id"]: one for one in shell("--json", "lists", "show").json["lists"]}["advisories:cisa-kev"]
    assert (listed["dated"], listed["age_days"], listed["kev"], listed["version"]) == (
        str(three_days), 3, 2, done.json["edition"])
    older = shell("advisories", "import", write(tmp_path / "old.json", kev("CVE-2024-0066", dated="2026-01-01")))
    assert (older.code, "is older" in older.err) == (ExitCode.USAGE, True)


def test_a_catalogue_cut_in_half_names_the_record_and_the_rest_goes_on(shell, tmp_path):
    whole = json.dumps(kev("CVE-2024-0066", "CVE-2021-36260", "CVE-2017-7921"))
    done = shell("advisories", "import", write(tmp_path / "kev.json", whole[:-20]))
    assert done.code == ExitCode.INCOMPLETE
    assert "kev.json: entry 3 (CVE-2017-7921) is cut short and was not read" in done.err
    assert results(shell, *AXIS)["CVE-2024-0066"]["kev"] is True


def test_records_are_merged_cited_in_verdicts_and_contradictions_disputed(shell, tmp_path):
    folder = tmp_path / "records"
    folder.mkdir()
    write(folder / "a.json", cve())
    write(folder / "b.json", cve("CVE-2024-0066", versions=[{"version": "10.0", "lessThan": "11.0", "status":
                                                             "affected"}]))
    write(folder / "c.json", cve("CVE-2026-0003", versions=[{"version": "all of this spring", "status": "affected"}]))
    write(folder / "d.json", cve("CVE-2026-0004", vendor="Some Printer Works"))
    write(folder / "e.json", '{"cveMetadata": {"cveId": "CVE-2026-0005"')
    write(folder / "f.json", cve("CVE-2026-0006", state="REJECTED"))
    done = shell("--json", "advisories", "import", folder, "--source", "fetched")
    assert done.code == ExitCode.INCOMPLETE
    assert "e.json" in done.err
    assert (done.json["beside_held"], done.json["as_words"], done.json["left_out"]) == (
        ["CVE-2024-0066"], 1, {"records": 1, "vendors": 1})
    found = results(shell, *AXIS)
    assert (found["CVE-2026-0001"]["status"], found["CVE-2026-0001"]["fixed_in"]) == ("affected", "11.5")
    assert found["CVE-2026-0001"]["source"] == [f"CVE record CVE-2026-0001 in fetched of {TODAY}"]
    assert (found["CVE-2024-0066"]["status"], found["CVE-2026-0003"]["status"]) == ("disputed", "unknown")
    replies = write(tmp_path / "replies.jsonl", recorded_site.replies())
    assert shell("import", replies, "--policy", "private").code == ExitCode.FINDINGS
    shown = shell("--json", "show", "10.20.30.10").json["verdict"]
    assert {"id": "advisories:fetched", "version": done.json["edition"]}.items() <= next(
        one for one in shown["lists"] if one["id"] == "advisories:fetched").items()


def test_an_archive_and_json_lines(shell, tmp_path):
    with zipfile.ZipFile(tmp_path / "cves.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cves/2026/CVE-2026-0001.json", json.dumps(cve()))
        archive.writestr("readme.txt", "not read")
    assert shell("advisories", "import", tmp_path / "cves.zip").code == ExitCode.CLEAN
    lines = "\n".join(json.dumps(cve(f"CVE-2026-{n}")) for n in range(1000, 1003))
    assert shell("--json", "advisories", "import", write(tmp_path / "x.ndjson", lines)).json["added"] == 3
    assert {"CVE-2026-0001", "CVE-2026-1002"} <= set(results(shell, *AXIS))


@pytest.mark.parametrize(("name", "text", "says"), [
    ("a.json", "[]", "nothing to import"), ("a.json", "no json", "no JSON"), ("a.zip", "PK\x03\x04", "nothing to"),
    ("gone/a.json", None, "No such file"),
])
def test_what_holds_nothing_is_said_and_nothing_is_stored(shell, tmp_path, name, text, says):
    path = tmp_path / name if text is None else write(tmp_path / name, text)
    done = shell("advisories", "import", path)
    assert (done.code, says in done.err) == (ExitCode.USAGE, True)
    assert not (tmp_path / "advisories").exists()


def test_a_list_that_was_changed_by_hand_is_refused_by_whoever_needs_it(shell, tmp_path):
    shell("advisories", "import", write(tmp_path / "kev.json", kev("CVE-2024-0066")))
    (stored,) = (tmp_path / "advisories").glob("*.json")
    stored.write_text(stored.read_text().replace("2026-11-01", "2019-11-01"))
    done = shell(*AXIS)
    assert (done.code, "was changed by hand" in done.err) == (ExitCode.USAGE, True)


def test_hostile_strings_never_frighten_the_command_line(shell, tmp_path):
    rows = ["maker,model,firmware", f"Hikvision,{'M' * 1_000_000},V5.5.0", f"Dahua,IPC-HFW1431S,{'9.' * 500_000}",
            'Axis,"P3245-V\x1b[2J\u202e","=cmd|x"', "Uniview,(((((((((a+)+)+)+)+,%n%n%n%s",
            "\u0661\u0662,x,\u0661.\u0662",
            f"Axis,{'P' * 96},{'1' * 128}"]
    out = tmp_path / "out.csv"
    done = shell("advisories", "--csv", write(tmp_path / "in.csv", "\n".join(rows)), "--out", out)
    assert done.code in {ExitCode.FINDINGS, ExitCode.INCOMPLETE}
    table = out.read_text(encoding="utf-8")
    assert max(map(len, table.splitlines())) < 3000
    assert "1000000 characters" in table
    assert not any(cell.startswith(("=", '"=')) for line in table.splitlines() for cell in line.split(","))
    assert "\x1b" not in shell("advisories", "--csv", tmp_path / "in.csv").out
    circular = cve("CVE-2026-0009", versions=[{"version": "12.4", "lessThan": "12.0", "status": "affected"}])
    taken = shell("advisories", "import", write(tmp_path / "circular.json", circular))
    assert (taken.code, "CVE-2026-0009: circular range" in taken.err) == (ExitCode.INCOMPLETE, True)
    assert results(shell, *AXIS)["CVE-2026-0009"]["status"] == "unknown"
