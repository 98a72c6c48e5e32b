"""A device that falls silent under the questions: it is left alone, its like are spared, and both are said."""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import pytest
from test_sweep_hostile import OK, outcome, serve, unused_ports

from rules import checks
from rules.vocabulary import Identity, Kind, Status
from scanner.dossier import BEARING, Dossier
from scanner.journal import Journal
from scanner.observation import AttemptStatus, Reason
from scanner.pace import PACES, Profile
from scanner.plan import nothing_more
from scanner.scope import Scope
from scanner.settings import BASE_PORTS, HYGIENE_PORTS, Quiet, Settings
from scanner.sweep import sweep
from scanner.transport.exchange import PortMap

PAGE = OK + b"Content-Length: 2\r\n\r\nok"


@dataclass(frozen=True, slots=True)
class Watchful(Settings):
    """Fast, but with a canary that is looked at again at once."""

    @property
    def pace(self):
        return replace(PACES[Profile.FAST], canary_recheck=0.2)


def dies_after(answers):
    """A web server that answers so many requests and then drops every one."""
    async def handler(reader, writer):
        while True:
            await reader.readuntil(b"\r\n\r\n")
            handler.heard += 1
            if handler.heard > answers:
                return
            writer.write(PAGE)
            await writer.drain()
    handler.heard = 0
    return handler


def swept(targets, prepare, settings=Watchful, folder=None):
    """The result of a sweep of `targets`, with the services that `prepare` starts: nominal port to actual."""
    async def scene():
        async with AsyncExitStack() as stack:
            given = await prepare(stack)
            closed = [port for port in (*BASE_PORTS, *HYGIENE_PORTS) if port not in given]
            ports = dict(zip(closed, await unused_ports(len(closed)), strict=True)) | given
            scope = Scope.of(targets, owner="tests", lab=True)
            made = settings(profile=Profile.FAST, port_map=PortMap(ports))
            journal = Journal.open(folder, scope, made) if folder else Journal.none()
            return await sweep(scope, made, nothing_more, journal, Quiet())
    return asyncio.run(scene())


def finding(result, device):
    check = next(one for one in checks.load() if one.id == "device.stopped_answering")
    identity = Identity(device, kind=Kind.CAMERA)
    return check.finding(checks.case_of(device, identity, result.observations, result.attempts))


def test_a_device_that_dies_in_mid_sweep_is_left_alone_and_that_is_a_finding():
    handler = dies_after(1)

    async def prepare(stack):
        return {80: await serve(stack, handler), 554: await serve(stack, handler)}

    result = swept(["127.0.0.1"], prepare)
    told = finding(result, "127.0.0.1")
    assert told.status is Status.FAIL
    assert "failed twice in a row" in told.reason
    assert "questions were not asked" in told.reason
    assert len(told.evidence) == 1
    assert any(name.startswith("no answer to ") for name, _ in told.facts)
    assert handler.heard <= 1 + 2 * 2                     # two questions more; a kept connection is tried anew once
    unasked = {one.probe for one in result.attempts
               if one.reason is Reason.CIRCUIT_OPEN and one.status is AttemptStatus.NOT_ATTEMPTED}
    assert {"rtsp.describe_random_path", "onvif.GetSystemDateAndTime", "http.favicon"} <= unasked


def test_a_device_that_bears_it_passes():
    async def prepare(stack):
        return {80: await serve(stack, dies_after(1000))}

    result = swept(["127.0.0.1"], prepare)
    assert finding(result, "127.0.0.1").status is Status.PASS


@pytest.fixture
def vanished(monkeypatch):
    """After its interview no port of the first device opens any more."""
    from scanner import sweep as conductor

    async def gone(_dossier, _settings, _rate):
        return False

    monkeypatch.setattr(conductor, "still_there", gone)


def test_the_first_of_its_model_falls_silent_afterwards_and_the_others_are_spared(vanished, tmp_path):
    async def prepare(stack):
        servers = [await asyncio.start_server(dies_after(1000), address, 0) for address in ("127.0.0.2",)]
        port = servers[0].sockets[0].getsockname()[1]
        servers.append(await asyncio.start_server(dies_after(1000), "127.0.0.3", port))
        for server in servers:
            stack.callback(server.close)
        return {80: port}

    result = swept(["127.0.0.2", "127.0.0.3"], prepare, folder=tmp_path)
    ends = {one.device: one for one in result.attempts if one.probe == BEARING}
    assert len([one for one in result.attempts if one.probe == BEARING]) == 2
    first = next(device for device, one in ends.items() if one.status is AttemptStatus.FAILED)
    other = next(device for device in ends if device != first)
    assert "no longer opened" in ends[first].detail
    assert finding(result, first).status is Status.FAIL
    assert (ends[other].status, ends[other].reason) == (AttemptStatus.NOT_ATTEMPTED, Reason.CIRCUIT_OPEN)
    assert finding(result, other).status is Status.NOT_ASSESSED
    unasked = {one.probe: one.reason for one in result.attempts if one.device == other
               and one.probe in ("http.root", "http.favicon", "onvif.GetSystemDateAndTime", "onvif.GetScopes")}
    assert set(unasked.values()) == {Reason.CIRCUIT_OPEN}
    assert "the first device like it" in finding(result, other).reason

    lines = [json.loads(line) for path in tmp_path.iterdir() for line in path.read_text().splitlines()]
    kept = [one for line in lines if line.get("device") == first for one in line["attempts"] if one["probe"] == BEARING]
    assert [one["status"] for one in kept] == ["completed", "failed"]          # the later entry counts on a resumption


def test_who_never_answered_is_not_said_to_have_stopped():
    dossier = Dossier("192.0.2.1", PACES[Profile.FAST])
    dossier.gate.failed(Reason.TIMEOUT)
    dossier.gate.failed(Reason.TIMEOUT)
    dossier.conclude()
    assert outcome(dossier, BEARING) == [(AttemptStatus.FAILED, Reason.NO_ANSWER)]
