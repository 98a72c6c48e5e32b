"""How long a verb takes before it does anything: the processor's time to start, load the rules it needs, and end.

Each verb runs in a process of its own, with compiled modules at hand as after an installation; the least of several
runs counts, since a busy machine only ever adds. Run with ``make bench`` or
``CAMVET_BENCH=1 pytest -s tests/benchmarks/test_bench_start.py``.
"""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.environ.get("CAMVET_BENCH") != "1", reason="benchmarks run with CAMVET_BENCH=1")

RUNS = 7
EMPTY = b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00" + bytes(8) + b"\xff\xff\x00\x00\x01\x00\x00\x00"
REPLY = {"device": "d", "transport": "http-header", "data": "U2VydmVyOiBBcHAtd2Vicy8="}


@pytest.mark.parametrize(("words", "target_s"), [
    (["--help"], 0.3), (["devices"], 0.6), (["effects", "hikvision", "--buyer", "private_company"], 0.6),
    (["screen", "Hikvision"], 0.9), (["identify", "--replies", "replies.jsonl"], 0.9), (["egress", "empty.pcap"], 0.9),
], ids=lambda value: value[0].strip("-") if isinstance(value, list) else "")
def test_start(words, target_s, tmp_path, capsys):
    (tmp_path / "empty.pcap").write_bytes(EMPTY)
    (tmp_path / "replies.jsonl").write_text(json.dumps(REPLY), encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**inherited, "XDG_DATA_HOME": str(tmp_path), "PYTHONPYCACHEPREFIX": str(tmp_path / "compiled")}
    spent = []
    for _ in range(RUNS):
        before = os.times()
        done = subprocess.run([sys.executable, "-m", "camvet", "--json", *words], cwd=tmp_path, env=environment,
                              capture_output=True, text=True, timeout=120, check=False)
        after = os.times()
        assert done.returncode in {0, 1, 3}, done.stderr
        spent.append(after.children_user + after.children_system - before.children_user - before.children_system)
    with capsys.disabled():
        sys.stdout.write(f"\n{words[0]}: {min(spent):.2f} s of processor time ({spent[0]:.2f} s the first time, which "
                         "compiles)\n")
    assert min(spent) < 2 * target_s
