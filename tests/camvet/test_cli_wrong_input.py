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
    (["egress", "folder"], "capture folder: not a file"),
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
