"""The frame of the command line: options on either side of the verb, one line for a mistake, honest exit codes."""

import subprocess
import sys

import pytest

from camvet.cli import _hoist, run
from camvet.context import ExitCode, worst


def camvet(*words, **options):
    return subprocess.run([sys.executable, "-m", "camvet", *words], capture_output=True, text=True, timeout=60,
                          check=False, **options)


@pytest.mark.parametrize(("typed", "read"), [
    (["sweep", "10.0.0.0/24", "--json"], ["--json", "sweep", "10.0.0.0/24"]),
    (["show", "x", "--db", "u", "-q"], ["--db", "u", "-q", "show", "x"]),
    (["show", "--db=u", "x"], ["--db=u", "show", "x"]),
    (["analyze", "f", "--config", "c", "--json"], ["--json", "analyze", "f", "--config", "c"]),
    (["show", "--", "--json"], ["show", "--", "--json"]),
])
def test_global_options_may_stand_behind_the_verb(typed, read):
    assert _hoist(typed) == read


@pytest.mark.parametrize(("codes", "counts"), [
    ((0, 1, 3), 1), ((0, 3), 3), ((1, 2), 2), ((1, 2, 3, 4), 4), ((), 0),
])
def test_the_worst_exit_code_counts(codes, counts):
    assert worst(*map(ExitCode, codes)) == counts


@pytest.mark.parametrize("words", [
    ["nonsense"], ["audit", "verify", "--nope"], ["--config", "/does/not/exist", "devices"], ["show"],
])
def test_a_wrong_word_is_one_line_on_stderr_and_exit_2(words, tmp_path):
    done = camvet(*words, env={"XDG_DATA_HOME": str(tmp_path), "PATH": "/usr/bin"})
    assert done.returncode == ExitCode.USAGE
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_help_loads_nothing_heavy():
    done = subprocess.run([sys.executable, "-X", "importtime", "-m", "camvet", "--help"], capture_output=True,
                          text=True, timeout=60, check=True)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    heavy = {"scapy", "sqlalchemy", "alembic", "cv2", "numpy", "lxml", "rich", "pydantic", "jinja2", "zeroconf",
             "ruamel", "cryptography"}
    assert loaded & heavy == set()


def test_an_empty_inventory_says_how_to_begin(tmp_path):
    done = camvet("devices", env={"XDG_DATA_HOME": str(tmp_path), "PATH": "/usr/bin", "CAMVET_PROFILE": "gentle"})
    assert done.returncode == ExitCode.CLEAN, done.stderr
    assert "no devices of site default yet" in done.stderr


def test_ctrl_c_is_said_and_is_incomplete(monkeypatch, tmp_path, capsys):
    def pressed(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("camvet.inventory.Inventory.devices", pressed)
    assert run(["--db", f"sqlite:///{tmp_path}/camvet.db", "devices"]) == 3
    assert capsys.readouterr().err.strip().endswith("camvet: interrupted; what was done is kept")
