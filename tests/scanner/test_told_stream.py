"""The path that a device tells strangers for its picture is asked, on the pinned address and after a random one."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from scanner.dossier import Dossier, PortState
from scanner.interview import Interview
from scanner.observation import AttemptStatus, Reason
from scanner.onvif import ToldStream, told_stream
from scanner.pace import PACES, Profile, RateLimit
from scanner.plan import Plan
from scanner.settings import Settings
from scanner.transport.exchange import PortMap

sys.path.insert(0, str(Path(__file__).parent / "transport"))
from hostile_servers import tcp_server

HERE = "127.0.0.1"
TOLD, RANDOM = "rtsp.describe_told_path", "rtsp.describe_random_path"


def dossier(*uris, ports=(554,)):
    made = Dossier(HERE, PACES[Profile.FAST])
    made.ports.update(dict.fromkeys(ports, PortState.OPEN))
    for uri in uris:
        made.observe("onvif", "onvif.GetStreamUri", 80, {"status": 200, "stream_uri": uri}, uri.encode())
    return made


@pytest.mark.parametrize(("uri", "told"), [
    (f"rtsp://{HERE}/a/b?c=1&d=2", ToldStream("/a/b?c=1&d=2", 554, False)),
    (f"rtsp://{HERE}:8554/live", ToldStream("/live", 8554, False)),
    (f"rtsp://{HERE}:24554/live", ToldStream("/live", 554, False)),             # as a lab serves the port
    ("rtsp://192.0.2.66:8554/live", ToldStream("/live", None, False)),          # another host: its port is not ours
    ("rtsp://***@192.0.2.66/live", ToldStream("/live", None, False)),
    (f"rtsp://{HERE}", ToldStream("/", 554, False)),
    (f"rtsp://{HERE}/user=admin&password=***&channel=1", ToldStream("/user=admin&password=***&channel=1", 554, True)),
    (f"rtsp://{HERE}/live?pwd=1", ToldStream("/live?pwd=1", 554, True)),
    ("http://192.0.2.66/live", None), ("rtsp://[::1/live", None), ("rtsp://a:99999/live", None), ("", None),
    ("\x00", None),
])
def test_of_what_a_device_tells_the_path_is_taken_and_never_the_host(uri, told):
    settings = Settings(profile=Profile.FAST, port_map=PortMap({554: 24554}))
    assert told_stream(dossier(uri), settings) == told
    assert told_stream(dossier(uri, f"rtsp://{HERE}/second"), settings) == (
        told or ToldStream("/second", 554, False))


def test_nothing_told_is_nothing():
    assert told_stream(dossier(), Settings()) is None


def asked(made, opens=(), planned=("/planned",)):
    """The paths that the device was asked for by port, in order, after both parts of the RTSP questions."""
    heard = []

    async def scene():
        def serving(port):
            async def serve(reader, writer):
                while head := await reader.readuntil(b"\r\n\r\n"):
                    method, uri, _ = head.split(b"\r\n")[0].decode().split()
                    heard.append((port, method, "/" + uri.split("/", 3)[3]))
                    known = method == "OPTIONS" or heard[-1][2] in opens
                    sequence = re.search(rb"CSeq: (\d+)", head)[1]
                    status = b"200 OK" if known else b"404 Not Found"
                    writer.write(b"RTSP/1.0 %s\r\nCSeq: %s\r\n\r\n" % (status, sequence))
                    await writer.drain()
            return serve

        async with tcp_server(serving(554)) as first, tcp_server(serving(8554)) as second:
            settings = Settings(profile=Profile.FAST, port_map=PortMap({554: first, 8554: second}))
            made.gate.begin()
            interview = Interview(made, settings, lambda _device, _seen: Plan(rtsp_paths=planned), RateLimit(5000))
            await interview._rtsp()
            await interview._told_stream()

    asyncio.run(scene())
    return [one for one in heard if one[1] == "DESCRIBE"]


def attempt(made, probe):
    return [(one.status, one.reason) for one in made.attempts if one.probe == probe]


def test_the_told_path_is_asked_after_the_random_one_at_the_pinned_address():
    made = dossier("rtsp://192.0.2.66:8554/a/b?c=1")
    paths = asked(made, opens={"/a/b?c=1"})
    assert [(port, path) for port, _, path in paths[::2]] == [(554, "/planned"), (554, "/a/b?c=1")]
    assert re.fullmatch("/[0-9a-f]{16}", paths[1][2])
    assert attempt(made, TOLD) == [(AttemptStatus.COMPLETED, None)]
    assert [one.fields["status"] for one in made.seen if one.probe == TOLD] == [200]


def test_another_own_port_is_compared_with_a_random_path_of_its_own():
    made = dossier(f"rtsp://{HERE}:8554/a", ports=(554, 8554))
    # The lab's ports are mapped, so the told one is what this scanner knows as 8554.
    paths = asked(made)
    assert [port for port, _, _ in paths] == [554, 554, 8554, 8554]
    assert re.fullmatch("/[0-9a-f]{16}", paths[2][2])
    assert paths[3][2] == "/a"


@pytest.mark.parametrize(("made", "reason"), [
    (dossier(), Reason.NOT_APPLICABLE), (dossier(f"rtsp://{HERE}/planned"), Reason.NOT_APPLICABLE),
    (dossier(f"rtsp://{HERE}/x?password=1"), Reason.NO_CREDENTIALS),
    (dossier(f"rtsp://{HERE}/a", ports=()), Reason.PORT_CLOSED),
])
def test_what_is_not_asked_is_said(made, reason):
    paths = asked(made)
    assert attempt(made, TOLD) == [(AttemptStatus.NOT_ATTEMPTED, reason)]
    assert len(paths) in {0, 2}                            # the planned one and the random one, and no more


def test_it_is_a_request_like_any_other():
    made = dossier(f"rtsp://{HERE}/a")
    made.gate._left = 3
    assert len(asked(made)) == 2
    assert attempt(made, TOLD) == [(AttemptStatus.NOT_ATTEMPTED, Reason.BUDGET_SPENT)]
