"""Sweeps of the simulated site: what is found, what is refused, what survives a kill."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections import Counter

import pytest

from lab.personas import persona
from lab.site import Site
from scanner.journal import Journal
from scanner.logins import Logins
from scanner.observation import AttemptStatus, Reason
from scanner.pace import Profile
from scanner.plan import Ask, Plan, nothing_more
from scanner.preview import plan
from scanner.scope import Scope
from scanner.settings import Settings
from scanner.sweep import run
from scanner.transport.exchange import PortMap
from scanner.wire.auth import Credentials

NAMES = ("dahua-tpc", "hikvision-dome", "xiongmai", "axis", "hanwha", "recorder", "printer")
NETWORK = "127.81.0.0/24"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with Site.loopback(network=NETWORK, out_dir=tmp_path_factory.mktemp("site"),
                       personas=[persona(name) for name in NAMES]) as running:
        yield running


@pytest.fixture(scope="module")
def described(site):
    return json.loads((site.out_dir / "site.json").read_text())


@pytest.fixture(scope="module")
def where(described):
    return {device["name"]: device["address"] for device in described["devices"]}


@pytest.fixture(scope="module")
def settings(site, described):
    ports = {int(nominal): actual for nominal, actual in described["port_map"]["tcp"].items()}
    return Settings(profile=Profile.FAST, port_map=PortMap(ports), neighbours=site.out_dir / described["neighbours"])


@pytest.fixture(scope="module")
def scope():
    return Scope.of([NETWORK], owner="tests", lab=True)


@pytest.fixture(scope="module")
def result(scope, settings):
    return run(scope, settings)


def probes(result, address, status=AttemptStatus.COMPLETED):
    return {one.probe for one in result.attempts if one.device == address and one.status is status}


def test_every_device_is_found_and_nothing_else(result, where):
    assert set(result.devices) == set(where.values())
    assert len(result.silent) == 254 - len(NAMES)
    assert {one.reason for one in result.silent.values()} == {"refused"}
    assert not result.interrupted
    assert not result.foreign


def test_every_address_of_the_scope_is_accounted_for(result, scope):
    assert {one.device for one in result.attempts} == set(scope.addresses())


def test_each_maker_answers_in_its_own_tongue(result, where):
    spoken = {name: {one.transport for one in result.observations if one.device == where[name]} for name in NAMES}
    assert {"dhip", "wsd", "link", "http", "rtsp", "onvif"} <= spoken["dahua-tpc"]
    assert {"sadp", "wsd"} <= spoken["hikvision-dome"]
    assert {"xiongmai", "tcp"} <= spoken["xiongmai"]
    assert {"mdns", "tls"} <= spoken["axis"]
    assert {"hanwha", "tls"} <= spoken["hanwha"]
    assert "dhip" not in spoken["axis"]


def test_a_camera_is_asked_everything_once(result, where):
    tried = Counter(one.probe for one in result.attempts if one.device == where["axis"])
    once = ("http.root", "tls.handshake", "rtsp.options", "rtsp.describe", "rtsp.describe_random_path",
            "onvif.GetSystemDateAndTime", "onvif.GetScopes", "onvif.GetServices", "onvif.GetDeviceInformation",
            "onvif.GetProfiles", "onvif.GetCapabilities", "http.favicon", "wsd.probe", "mdns.query", "link.neighbour")
    assert {probe: tried[probe] for probe in once} == dict.fromkeys(once, 1)


def test_a_printer_gets_a_light_look(result, where):
    left_out = {one.probe: one.reason for one in result.attempts
                if one.device == where["printer"] and one.status is AttemptStatus.NOT_ATTEMPTED}
    assert left_out["rtsp.describe"] is left_out["onvif.GetScopes"] is Reason.NOT_APPLICABLE
    assert "http.root" in probes(result, where["printer"])


def test_ports_are_stored_as_the_device_means_them(result, where):
    open_ports = {one.port for one in result.observations
                  if one.device == where["xiongmai"] and one.transport == "tcp" and one.fields["state"] == "open"}
    assert {23, 80, 554, 34567} <= open_ports
    assert all(one.port < 20_000 or one.port in (34567, 37777, 34569, 37020, 37810, 23456)
               for one in result.observations if one.port)


def test_closed_services_are_not_attempted_and_say_so(result, where):
    tls = [one for one in result.attempts if one.device == where["xiongmai"] and one.probe == "tls.handshake"]
    assert [(one.status, one.reason) for one in tls] == [(AttemptStatus.NOT_ATTEMPTED, Reason.PORT_CLOSED)]


def test_attempts_point_at_observations_that_exist(result):
    known = {one.id for one in result.observations}
    assert all(set(one.observations) <= known for one in result.attempts)
    assert len(known) == len(result.observations)


def wish(address, seen):
    if any(one.transport == "hanwha" for one in seen):
        return Plan(asks=(Ask("sunapi-channels", "/stw-cgi/media.cgi?msubmenu=cameraregister&action=view", True),))
    return nothing_more(address, seen)


def login(settings, where, password):
    scope = Scope.of([where["recorder"], where["hikvision-dome"], where["dahua-tpc"],
                      where["xiongmai"]], owner="tests", lab=True)
    given = Settings(profile=settings.profile, port_map=settings.port_map, neighbours=settings.neighbours,
                     credentials=Logins(default=Credentials("admin", password)))
    return run(scope, given, wish)


def test_a_login_opens_the_recorder_and_its_cameras(settings, where):
    seen = login(settings, where, "lab-only-1")
    channels = [one for one in seen.observations if one.transport == "channel"]
    assert len(channels) == 4
    assert {one.device.partition("#")[0] for one in channels} == {where["recorder"]}
    assert "DS-2CD" in " ".join(one.text("model") for one in channels)
    assert "auth.onvif.GetDeviceInformation" in probes(seen, where["hikvision-dome"])


def test_a_refused_login_is_the_only_one_and_leaves_no_trace_of_the_password(settings, where):
    seen = login(settings, where, "not-the-password")
    outcomes = {one.probe: one for one in seen.attempts if one.device == where["recorder"] and one.probe[:4] == "auth"}
    assert outcomes["auth.onvif.GetDeviceInformation"].reason is Reason.AUTH_REJECTED
    assert outcomes["auth.recorder.channels"].reason is Reason.BUDGET_SPENT
    ends = {one.device: one.reason for one in seen.attempts if one.probe == "auth.onvif.GetDeviceInformation"}
    assert ends[where["dahua-tpc"]] is Reason.AUTH_REJECTED              # over Digest, after a 401 without a body
    assert ends[where["xiongmai"]] is Reason.NOT_APPLICABLE              # it tells everybody
    stored = json.dumps([one.to_json() for one in (*seen.observations, *seen.attempts)])
    assert "not-the-password" not in stored
    assert "not-the-password" not in repr(Credentials("admin", "not-the-password"))


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from scanner.journal import Journal
    from scanner.pace import Profile
    from scanner.scope import Scope
    from scanner.settings import Quiet, Settings
    from scanner.sweep import run
    from scanner.transport.exchange import PortMap
    import json

    folder, network, ports, neighbours = sys.argv[1:]
    class Killer(Quiet):
        done = 0
        def device_finished(self, device, observations, attempts):
            self.done += 1
            if self.done == 3:
                os.kill(os.getpid(), signal.SIGKILL)
    scope = Scope.of([network], owner="tests", lab=True)
    settings = Settings(profile=Profile.FAST, port_map=PortMap({int(k): v for k, v in json.loads(ports).items()}),
                        neighbours=Path(neighbours))
    run(scope, settings, journal=Journal.open(Path(folder), scope, settings), observer=Killer())
"""


class Asked:
    def __init__(self):
        self.devices, self.phases, self.notes = [], [], []

    def phase(self, name, total):
        self.phases.append((name, total))

    def device_started(self, device):
        self.devices.append(device)

    def device_finished(self, device, observations, attempts):
        pass

    def note(self, text):
        self.notes.append(text)


def test_a_killed_sweep_goes_on_where_it_was(result, scope, settings, described, where, tmp_path):
    folder = tmp_path / "journal"
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(folder), NETWORK,
         json.dumps(described["port_map"]["tcp"]), str(settings.neighbours)], check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    path = next(folder.iterdir())
    with path.open("ab") as file:
        file.write(b'{"kind":"device","device":"127.81')
        os.fsync(file.fileno())

    asked = Asked()
    journal = Journal.open(folder, scope, settings)
    finished = {batch.device for batch in journal.restored if batch.kind == "device"}
    assert 3 <= len(finished) < len(NAMES) + 1
    second = run(scope, settings, journal=journal, observer=asked)

    assert second.resumed
    assert not set(asked.devices) & finished
    assert set(asked.devices) | finished == set(where.values())
    assert set(second.devices) == set(result.devices)
    assert set(second.silent) == set(result.silent)

    def told(one):
        return Counter((each.device, each.probe, each.port) for each in one.attempts)

    assert told(second) == told(result)
    ids = [each.id for each in second.observations]
    assert len(ids) == len(set(ids))
    assert [path.name.endswith(".done.jsonl") for path in folder.iterdir()] == [False]
    journal.finish()                                          # which is the caller's, once the result is stored
    assert [path.name.endswith(".done.jsonl") for path in folder.iterdir()] == [True]


def test_the_plan_names_everything_and_sends_nothing(scope, settings):
    drawn = plan(scope, settings)
    steps = {step.name: step for step in drawn.steps}
    assert drawn.addresses == 254
    assert steps["tcp.connect"].at_most == 254 * 8
    assert steps["link.arp"].at_most == 0                      # loopback has no ARP
    assert "login" not in steps
    assert json.loads(json.dumps(drawn.to_json()))["profile"] == "fast"
