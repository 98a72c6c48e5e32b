"""Streams that mean harm, from the command line: each refused or let go by its rule, and nothing of it counted."""

import os

import pytest
from acceptance.shell import Shell
from acceptance.story import Camvet

from camvet.context import ExitCode
from lab.personas import persona
from lab.site import Site
from lab.streams import StreamMode

NETWORK = f"127.{60 + os.getpid() % 15}.3.0/24"
LINE = 'people_count={"line": [[0.5, 1], [0.5, 0]]}'
CASES = {                       # what each camera's stream does once it is attached, and the rules that may answer it
    "axis": (StreamMode.REDIRECT, {"stream.redirected"}),
    "axis-box": (StreamMode.FOREIGN_CONTROL, {"stream.foreign_host"}),
    "hanwha": (StreamMode.FILE_CONTROL, {"stream.foreign_scheme"}),
    "bosch": (StreamMode.HUGE, {"decoder.too_large", "decoder.nonsense"}),
    "flir": (StreamMode.DRIP, {"stream.stalled", "stream.timeout"}),
}


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """Five cameras attached while they were well, watched when they are not."""
    with Site.loopback(NETWORK, tmp_path_factory.mktemp("site"), [persona(name) for name in CASES],
                       port_offset=27_000) as site:
        camvet = Camvet(tmp_path_factory.mktemp("home"), site)
        camvet.run(*camvet.sweep_words())
        tables = ["--port-map", site.out_dir / "site.json", "--neighbours", site.out_dir / "neighbours.txt"]
        logins = ["--credentials", f"file:{site.out_dir / 'logins.txt'}"]
        with Shell(camvet) as shell:
            assert shell("keys", "init").code == ExitCode.CLEAN
            for name in CASES:
                given = shell("approve", site.address(name), *tables, *logins)
                assert given.code == ExitCode.CLEAN, given
                attached = shell("attach", site.address(name), "--purpose", "count", "--app", LINE, "--retention",
                                 "1d", "--dpia", "D-1", *tables, *logins)
                assert attached.code == ExitCode.CLEAN, attached
            for name, (mode, _) in CASES.items():
                site.stream_mode(name, mode)
            shell("monitor", "--for", "14", "--interval", "2", *tables)
            rows = {row["address"]: row for row in shell("--json", "attached").json}
        yield site, rows, camvet.json("report", "--format", "json")


@pytest.mark.parametrize("name", [name for name in CASES if name != "flir"])
def test_a_stream_that_points_elsewhere_or_is_too_large_is_suspended_by_name(watched, name):
    site, rows, _ = watched
    row = rows[site.address(name)]
    assert row["state"] == "suspended"
    assert row["rule"] in CASES[name][1]


def test_a_dripping_stream_is_lost_and_tried_again_through_the_gate(watched):
    site, _, report = watched
    events = [e for e in report["monitoring"]["events"] if e["device"] == site.address("flir")]
    assert any(e["kind"] == "lost" and e["rule"] in CASES["flir"][1] for e in events), events


def test_nothing_was_counted(watched):
    _, _, report = watched
    points = [p for series in report["monitoring"]["series"] for p in series["points"]]
    assert all(point["value"] == 0 for point in points)


def test_only_the_cameras_themselves_were_asked(watched):
    site, _, _ = watched
    assert {name: site.failed_logins(name) for name in CASES} == dict.fromkeys(CASES, 0)
