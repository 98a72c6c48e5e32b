"""What the command line says of wrong input: one line, in words, with the exit code that is promised."""

import subprocess
import sys

import pytest

from camvet.assessment import activity_named
from camvet.cli import run
from camvet.context import ExitCode, UsageError


@pytest.fixture(autouse=True)
def _apart(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "garbage").write_bytes(b"\x9b\x00\xff not text")
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()


LOOPBACK = ["sweep", "127.9.9.1", "--i-am-authorised", "this machine", "--profile", "fast"]
PLAN = ["sweep", "--plan", "10.9.9.1", "--owner", "o", "--ticket", "t"]


@pytest.mark.parametrize(("words", "says"), [
    ([*PLAN, "--policy", "nobody"], "no policy 'nobody'"),
    ([*PLAN, "--as-of", "2026-13-01"], "--as-of '2026-13-01': expected YYYY-MM-DD"),
    ([*PLAN, "--activity", "jumping"], "--activity 'jumping': expected one of"),
    ([*PLAN, "--capture", "missing"], "capture missing: no such file"),
    ([*PLAN, "--capture", "folder"], "capture folder: not a file"),
    (["sweep", "--plan", "@missing"], "missing: No such file or directory"),
    (["sweep", "--plan", "@garbage"], "garbage: expected UTF-8 text, a target a line"),
    (["sweep", "--plan", "--scope", "missing"], "missing: No such file or directory"),
    (["sweep", "--plan", "--scope", "empty"], "empty: expected a scope in YAML, with targets"),
    (["--config", "missing", "devices"], "config missing: No such file or directory"),
    (["--config", "garbage", "devices"], "config garbage: expected UTF-8 text"),
    ([*PLAN, "--interface", "nope0"], "--interface nope0: no such interface; there are: "),
    ([*PLAN, "--neighbours", "missing"], "neighbours missing: no such file"),
    ([*PLAN, "--neighbours", "folder"], "neighbours folder: not a file"),
    ([*PLAN, "--neighbours", "garbage"], "neighbours garbage: expected an address and a MAC a line"),
    ([*LOOPBACK, "--interface", "nope0"], "--interface nope0: no such interface"),
    ([*LOOPBACK, "--neighbours", "garbage"], "neighbours garbage: expected an address and a MAC a line"),
    (["egress", "folder"], "capture folder: not a file"),
    (["egress"], "name exactly one of both: "),
    (["egress", "empty", "--interface", "lo"], "name exactly one of both: "),
    (["egress", "empty", "--check-mud", "folder"], "--check-mud folder: no MUD file in it"),
    (["egress", "empty", "--check-mud", "empty"], "--check-mud empty: no MUD file in it"),
    (["egress", "empty", "--check-mud", "missing"], "--check-mud missing: No such file or directory"),
    (["import"], "name exactly one of both: "),
    (["import", "garbage", "--interface", "lo"], "name exactly one of both: "),
    (["import", "--interface", "nope0"], "cannot listen on nope0: "),
    (["screen", "Dahua", "--certificate", "page.html"], "no signing key: camvet keys init makes one"),
    (["screen", "--xlsx", "garbage"], "--xlsx garbage: this is no XLSX workbook"),
    (["screen", "--xlsx", "missing"], "--xlsx missing: No such file or directory"),
    (["lists", "verify", "garbage"], "garbage: bundle.malformed: "),
    (["lists", "update", "garbage"], "garbage: bundle.malformed: "),
    (["lists", "verify", "https://127.0.0.1:9/b"], "https://127.0.0.1:9/b: Connection refused"),
    (["egress", "empty", "--geoip", "missing"], "--geoip missing: No such file or directory"),
    (["egress", "empty", "--geoip", "garbage"], "--geoip garbage: expected a MaxMind database (.mmdb)"),
    (["import", "garbage"], "garbage: nothing to import"),
    (["advisories", "import", "garbage"], "garbage: nothing to import: no JSON, or cut short"),
])
def test_a_wrong_input_is_one_line_of_words(words, says, capsys):
    assert run(words) == ExitCode.USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"camvet: {says}")
    assert len(said.err.splitlines()) == 1
    assert "Errno" not in said.err
    assert "codec" not in said.err


def test_an_activity_is_read_in_either_spelling_and_refused_before_anything_is_done():
    assert activity_named(None) is None
    assert activity_named(" Export-To ") == "export_to"
    with pytest.raises(UsageError, match="expected one of procure"):
        activity_named("")


def test_no_replies_at_all_are_not_clean(capsys):
    assert run(["identify", "--replies", "empty"]) == ExitCode.INCOMPLETE
    assert "no replies in it" in capsys.readouterr().err


def test_an_order_is_not_written_over(tmp_path, capsys):
    order = tmp_path / "order.csv"
    order.write_text("supplier\nAxis\n")
    assert run(["screen", "--csv", "order.csv", "--column", "supplier", "--out", "./order.csv"]) == ExitCode.USAGE
    assert "the order itself" in capsys.readouterr().err
    assert order.read_text() == "supplier\nAxis\n"


def test_the_help_names_every_table_of_the_csv(capsys):
    from reports.formats.csv import COLUMNS

    assert run(["report", "--help"]) == ExitCode.CLEAN
    told = " ".join(capsys.readouterr().out.split())
    assert {name for name in COLUMNS if name not in told} == set()


def test_a_reader_that_goes_away_is_no_finding():
    """The framework would end with 1, which says findings."""
    script = f"{sys.executable} -m camvet effects Hikvision --buyer exporter --json | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert int(done.stdout) == ExitCode.INCOMPLETE
    assert done.stderr == ""


def test_a_workbook_is_one_by_what_it_holds_and_not_by_its_name(capsys):
    from openpyxl import Workbook

    book = Workbook()
    for row in (("what",), ("Dahua IPC-HFW2431S",)):
        book.active.append(row)
    book.save("order.bin")
    for option in ("--xlsx", "--csv"):
        assert run(["screen", option, "order.bin", "--buyer", "private_company"]) == ExitCode.FINDINGS
        assert "Dahua IPC-HFW2431S" in capsys.readouterr().out


def test_an_empty_neighbour_table_is_one(tmp_path, capsys):
    for text in ("", "IP address       HW type     Flags       HW address            Mask     Device\n",
                 "10.9.9.1 dev eth0 FAILED\n10.9.9.2 dev eth0 INCOMPLETE\n",
                 "10.9.9.1 dev eth0 lladdr 00:40:8c:00:00:01 STALE\nanything\nelse\n"):
        (tmp_path / "table").write_text(text, encoding="utf-8")
        assert run([*PLAN, "--neighbours", "table"]) == ExitCode.CLEAN, text
    (tmp_path / "table").write_text("a letter\nto somebody\n", encoding="utf-8")
    assert run([*PLAN, "--neighbours", "table"]) == ExitCode.USAGE
    capsys.readouterr()


def test_a_plan_asks_nobody_who_authorised_it(capsys):
    assert run(["sweep", "--plan", "10.9.9.1"]) == ExitCode.CLEAN
    assert "on record" not in capsys.readouterr().err


def test_into_a_pipe_a_plan_is_told_whole(capsys, monkeypatch):
    assert run(["sweep", "--plan", "10.9.9.1"]) == ExitCode.CLEAN
    told = capsys.readouterr().out
    assert "…" not in told
    assert "not those that answer no ARP on a link" in told
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert run(["sweep", "--plan", "10.9.9.1"]) == ExitCode.CLEAN
    assert "…" in capsys.readouterr().out


def test_one_sweep_alone_says_what_to_do(tmp_path, capsys):
    from inventory_samples import sweep

    from camvet.inventory import Inventory

    db = f"sqlite:///{tmp_path / 'camvet.sqlite'}"
    inventory = Inventory.open(db)
    front = ["--db", db, "--site", "hq", "diff"]
    for words, says in (([], "no sweep of site hq yet"), (["a", "b"], "no sweep of site hq yet")):
        assert run([*front, *words]) == ExitCode.USAGE
        assert says in capsys.readouterr().err
    inventory.record(sweep(1, ("10.0.0.1", "AA:00:00:00:00:01", "S1")), actor="x")
    for words, says in (([], "has one sweep so far, and it takes two"), (["x", "latest"], "no sweep 'x': site hq has")):
        assert run([*front, *words]) == ExitCode.USAGE
        assert says in capsys.readouterr().err
    inventory.record(sweep(2, ("10.0.0.1", "AA:00:00:00:00:01", "S1")), actor="x")
    assert run(front) == ExitCode.CLEAN
    assert run([*front, "sweep-", "latest"]) == ExitCode.USAGE
    assert "more than one sweep begins with 'sweep-'" in capsys.readouterr().err
