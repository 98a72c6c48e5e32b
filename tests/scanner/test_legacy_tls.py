"""Asking a device whether it accepts TLS 1.1 or older: when it is asked, and how every way to answer is noted."""

import asyncio
import socket
import struct
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from scanner.dossier import Dossier, PortState
from scanner.legacy_tls import HELLO, ask_legacy
from scanner.observation import AttemptStatus, Reason
from scanner.pace import PACES, Profile, RateLimit
from scanner.settings import Settings
from scanner.transport.exchange import PortMap

sys.path.insert(0, str(Path(__file__).parent / "transport"))
from hostile_servers import tcp_server

HERE = "127.0.0.1"
ALERT = b"\x15\x03\x01\x00\x02\x02\x46"
ACCEPTS = bytes.fromhex("160301002a020000260301") + bytes(32) + bytes.fromhex("00000500")


def dossier(version="TLSv1.3", failed=None):
    """One device whose port 443 is open, with how the handshake before ended."""
    made = Dossier(HERE, PACES[Profile.FAST])
    made.ports[443] = PortState.OPEN
    if failed:
        made.failed("tls.handshake", 443, failed)
    elif version:
        made.completed("tls.handshake", 443, [made.observe("tls", "tls.handshake", 443, {"version": version}, b"x")])
    return made


def ask(made, handler, *, open_port=True):
    heard = []

    async def scene():
        async def serve(reader, writer):
            heard.append(await reader.read(4096))
            await handler(reader, writer)

        async with tcp_server(serve) as port:
            settings = Settings(profile=Profile.FAST, port_map=PortMap({443: port if open_port else 1}))
            await ask_legacy(made, settings, RateLimit(5000), (443, 8443))

    asyncio.run(scene())
    (attempt,) = [one for one in made.attempts if one.probe == HELLO]
    seen = [one for one in made.seen if one.probe == HELLO]
    assert tuple(one.id for one in seen) == tuple(attempt.observations)
    return attempt, dict(seen[0].fields) if seen else None, heard


def says(data):
    async def handler(_reader, writer):
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(5)
    return handler


async def closes(_reader, writer):
    writer.close()


async def resets(_reader, writer):
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.mark.parametrize(("handler", "fields"), [
    (says(ACCEPTS), {"version": "TLSv1.0", "cipher": "TLS_RSA_WITH_RC4_128_SHA"}),
    (says(ALERT), {"refused": "protocol_version"}), (closes, {"refused": "closed"}),
    (resets, {"refused": "reset"}),
])
def test_every_answer_is_kept_and_completes_the_attempt(handler, fields):
    attempt, kept, heard = ask(dossier(), handler)
    assert attempt.status is AttemptStatus.COMPLETED
    assert attempt.detail == ("accepted" if "version" in fields else "refused")
    assert kept == fields
    assert len(heard) == 1                                                # one hello, whatever came


def test_of_the_answer_only_what_is_read_is_stored():
    made = dossier()
    ask(made, says(ACCEPTS))
    assert [one.raw for one in made.seen if one.probe == HELLO] == [b""]


@pytest.mark.parametrize(("handler", "reason"), [
    (says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Reason.MALFORMED), (says(ALERT[:4]), Reason.TIMEOUT),
    (says(b""), Reason.TIMEOUT),
])
def test_what_is_no_answer_is_no_refusal(handler, reason, monkeypatch):
    monkeypatch.setitem(PACES, Profile.FAST, replace(PACES[Profile.FAST], exchange_deadline=0.3))
    attempt, kept, _ = ask(dossier(), handler)
    assert (attempt.status, attempt.reason, kept) == (AttemptStatus.FAILED, reason, None)


def test_a_port_that_never_finished_a_handshake_refuses_nothing_by_closing():
    attempt, kept, _ = ask(dossier(failed=Reason.TLS_FAILED), closes)
    assert (attempt.status, attempt.reason, kept) == (AttemptStatus.FAILED, Reason.MALFORMED, None)
    attempt, kept, _ = ask(dossier(failed=Reason.TLS_FAILED), resets)
    assert (attempt.status, attempt.reason, kept) == (AttemptStatus.FAILED, Reason.RESET, None)
    attempt, kept, _ = ask(dossier(failed=Reason.TLS_FAILED), says(ACCEPTS))       # one that speaks SSL 3.0 alone does
    assert kept["version"] == "TLSv1.0"


@pytest.mark.parametrize(("made", "reason"), [
    (dossier("TLSv1"), Reason.NOT_APPLICABLE), (dossier("", Reason.TIMEOUT), Reason.TIMEOUT),
    (dossier(""), Reason.PORT_UNKNOWN), (dossier("", Reason.REFUSED), Reason.REFUSED),
])
def test_where_there_is_nothing_to_learn_nothing_is_sent(made, reason):
    attempt, _, heard = ask(made, closes)
    assert (attempt.status, attempt.reason, heard) == (AttemptStatus.NOT_ATTEMPTED, reason, [])


def test_without_an_open_port_and_behind_an_open_circuit_nothing_is_sent():
    closed = dossier()
    closed.ports[443] = PortState.CLOSED
    assert ask(closed, closes)[0].reason is Reason.PORT_CLOSED
    tripped = dossier()
    tripped.gate.trip("it fell silent")
    attempt, _, heard = ask(tripped, closes)
    assert (attempt.status, attempt.reason, heard) == (AttemptStatus.NOT_ATTEMPTED, Reason.CIRCUIT_OPEN, [])


def test_it_costs_none_of_the_requests():
    made = dossier()
    before = made.gate.left
    ask(made, says(ALERT))
    assert made.gate.left == before
