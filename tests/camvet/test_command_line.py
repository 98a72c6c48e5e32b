"""The frame of the command line: options on either side of the verb, one line for a mistake, honest exit codes."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from inventory_samples import sweep

from camvet.cli import _hoist, run
from camvet.context import ExitCode, worst
from camvet.inventory import Inventory


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


def test_egress_loads_neither_reports_nor_the_database_library(tmp_path):
    capture = tmp_path / "empty.pcap"
    capture.write_bytes(b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00" + bytes(8) + b"\xff\xff\x00\x00\x01\x00\x00\x00")
    done = subprocess.run([sys.executable, "-X", "importtime", "-m", "camvet", "--json", "egress", str(capture)],
                          capture_output=True, text=True, timeout=60, check=False, env={"XDG_DATA_HOME": str(tmp_path)})
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "camvet.traffic" in loaded
    assert loaded & {"sqlalchemy", "reports", "jinja2", "lxml", "zeroconf", "rich"} == set()


def test_an_empty_inventory_says_how_to_begin(tmp_path):
    done = camvet("devices", env={"XDG_DATA_HOME": str(tmp_path), "PATH": "/usr/bin", "CAMVET_PROFILE": "gentle"})
    assert done.returncode == ExitCode.CLEAN, done.stderr
    assert "yet, so no sweep and no device: run camvet sweep first" in done.stderr


@pytest.mark.parametrize(("words", "code"), [
    (["devices"], ExitCode.CLEAN), (["attached"], ExitCode.CLEAN), (["show", "10.0.0.1"], ExitCode.USAGE),
    (["explain", "10.0.0.1"], ExitCode.USAGE), (["report"], ExitCode.USAGE), (["diff"], ExitCode.USAGE),
    (["judge"], ExitCode.USAGE), (["monitor"], ExitCode.USAGE), (["watch"], ExitCode.USAGE),
    (["census", __file__], ExitCode.USAGE), (["audit", "verify"], ExitCode.USAGE), (["baseline", "list"], None),
    (["reject", "10.0.0.1", "--reason", "x"], ExitCode.USAGE), (["waive", "--list"], ExitCode.USAGE),
])
def test_a_question_leaves_no_folder_behind(words, code, tmp_path, capsys):
    db = tmp_path / "typed" / "wrong" / "camvet.sqlite"
    ended = run(["--db", str(db), *words])
    assert list(tmp_path.iterdir()) == []
    said = capsys.readouterr().err
    assert code is None or (ended, said.count("\n")) == (code, 1), said
    assert code is None or f"no inventory at {db} yet" in said


def test_an_empty_list_is_still_json(tmp_path, capsys):
    assert run(["--json", "--db", str(tmp_path / "none.sqlite"), "devices"]) == ExitCode.CLEAN
    assert capsys.readouterr().out.strip() == "[]"


@pytest.mark.parametrize("words", [["--json", "effects", "Dahua", "--buyer", "private_company"], ["devices"],
                                   ["report", "--format", "json"]])
def test_a_full_disk_is_one_line_and_no_riddle(words, tmp_path):
    db = f"sqlite:///{tmp_path / 'camvet.sqlite'}"
    record = sweep(1, ("10.0.0.1", "AA:00:00:00:00:01", "S1"), site="default")
    document = {"silent": {}, "foreign": [], "dropped": {}, "captures": [], "links": [], "scope": {
        "activity": None, "purpose": None, "owner": "", "ticket": "", "window": [None, None], "targets": [],
        "excludes": [], "profile": "fast", "credentials": False}}
    Inventory.open(db).record(replace(record, document=document), actor="x")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-m", "camvet", "--db", db, *words], stdout=full, text=True, timeout=60,
                              stderr=subprocess.PIPE, check=False,
                              env={"XDG_DATA_HOME": str(tmp_path), "PATH": "/usr/bin"})
    assert done.stderr.splitlines()[-1] == "camvet: cannot write the output: No space left on device"
    assert "Traceback" not in done.stderr
    assert done.returncode == ExitCode.INTERNAL


def test_ctrl_c_is_said_and_is_incomplete(monkeypatch, tmp_path, capsys):
    def pressed(*_arguments):
        raise KeyboardInterrupt

    Inventory.open(f"sqlite:///{tmp_path}/camvet.db")
    monkeypatch.setattr("camvet.inventory.Inventory.devices", pressed)
    assert run(["--db", f"sqlite:///{tmp_path}/camvet.db", "devices"]) == 3
    assert capsys.readouterr().err.strip().endswith("camvet: interrupted; what was done is kept")
