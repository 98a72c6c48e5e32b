"""The RTSP session against a device that is polite, odd or hostile; nothing here leaves loopback."""

import base64
import itertools
import os
import threading
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.transport.exchange import PortMap
from scanner.transport.stream import Stream, StreamError, StreamLimits
from scanner.wire.auth import Credentials
from tests.scanner.transport.rtsp_device import IDR, Device, Request, answer, interleaved, pictures, rtp

LOGIN = Credentials("admin", "a:b\"c\\d é,=%")
QUICK = StreamLimits(connect_s=2, exchange_s=0.6, stall_s=0.4)
REALM, NONCE = 'Login to 1, "2"', "n0nce=="


@contextmanager
def playing(device, credentials=None, path="/live", limits=QUICK, **options):
    with device, Stream("127.0.0.1", path, credentials, ports=PortMap(tcp={554: device.port}), limits=limits,
                        **options) as stream:
        yield stream


def refused(device, *args, take=0, **options):
    """The rule under which a session on this device ends, after at least `take` pictures."""
    taken = []

    def play():
        with playing(device, *args, **options) as stream:
            taken.extend(stream.units())

    with pytest.raises(StreamError) as caught:
        play()
    assert len(taken) >= take
    return caught.value.rule


def sends(*parts, gap=0.0, then_wait=True):
    """A `played` that sends these bytes and keeps the connection (or ends it)."""
    def played(connection, device):
        for part in parts:
            connection.sendall(part)
            device.over.wait(gap)
        if not then_wait:
            connection.close()
    return played


def test_a_session_goes_from_options_to_teardown_and_gives_the_pictures():
    device = Device(played=sends(pictures(3)))
    with playing(device) as stream:
        units = list(itertools.islice(stream.units(), 3))
    assert device.methods() == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
    assert [unit.timestamp for unit in units] == [0, 3600, 7200]
    assert [unit.key for unit in units] == [True, False, False]
    assert device.requests[-1].headers["session"] == "4711"
    assert device.requests[2].headers["transport"] == "RTP/AVP/TCP;unicast;interleaved=0-1"


def test_the_uri_names_the_pinned_address_and_no_credentials():
    device = Device(base="rtsp://127.0.0.1:554/live/", played=sends(pictures(1)))
    with playing(device):
        pass
    assert [request.uri for request in device.requests] == [
        "rtsp://127.0.0.1:554/live", "rtsp://127.0.0.1:554/live", "rtsp://127.0.0.1:554/live/track1",
        "rtsp://127.0.0.1:554/live/", "rtsp://127.0.0.1:554/live/"]


@pytest.mark.parametrize(("base", "control", "track"), [
    ("", "track1", "/live/track1"),
    ("/other/", "track1", "/other/track1"),
    ("rtsp://127.0.0.1/base", "track1", "/base/track1"),
    ("rtsp://0.0.0.0:8554/base", "*", "/base"),
    ("", "rtsp://127.0.0.1/abs/track?x=1", "/abs/track?x=1"),
    ("", "/abs", "/abs"),
])
def test_content_base_and_control_are_taken_as_paths(base, control, track):
    device = Device(base=base, control=control)
    with playing(device):
        pass
    assert device.requests[2].path == track


@pytest.mark.parametrize(("options", "rule"), [
    ({"control": "rtsp://192.0.2.7/track1"}, "stream.foreign_host"),
    ({"control": "rtsp://127.0.0.1@192.0.2.7/track1"}, "stream.foreign_host"),
    ({"control": "file:///etc/passwd"}, "stream.foreign_scheme"),
    ({"control": "http://127.0.0.1/x"}, "stream.foreign_scheme"),
    ({"base": "rtsp://192.0.2.7/live/"}, "stream.foreign_host"),
    ({"base": "file:///etc/"}, "stream.foreign_scheme"),
    ({"control": "a b"}, "stream.malformed"),
    ({"transport": "RTP/AVP;unicast;client_port=1-2"}, "stream.transport"),
])
def test_a_description_that_points_elsewhere_ends_the_session_before_play(options, rule):
    device = Device(**options)
    assert refused(device) == rule
    assert "PLAY" not in device.methods()
    assert device.connections == 1


@pytest.mark.parametrize(("status", "rule"), [
    (301, "stream.redirected"), (302, "stream.redirected"), (305, "stream.redirected"), (404, "stream.refused"),
    (453, "stream.busy"), (500, "stream.busy"), (503, "stream.busy"), (501, "stream.refused"),
])
@pytest.mark.parametrize("method", ["DESCRIBE", "SETUP", "PLAY"])
def test_a_refusal_is_named_and_a_redirect_is_not_followed(method, status, rule):
    elsewhere = Device()
    with elsewhere:
        target = f"rtsp://127.0.0.1:{elsewhere.port}/live"
        device = Device(answers={method: lambda r, _: answer(r, status, {"Location": [target]})})
        assert refused(device) == rule
    assert elsewhere.connections == 0


def test_a_redirect_request_of_the_device_ends_the_session():
    device = Device(played=sends(pictures(2), b"REDIRECT rtsp://192.0.2.7/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"))
    assert refused(device, take=1) == "stream.redirected"


def test_no_video_in_a_codec_that_is_read():
    jpeg = "m=video 0 RTP/AVP 26\r\na=control:1\r\n"
    assert refused(Device(answers={"DESCRIBE": lambda r, _: answer(r, 200, {}, jpeg)})) == "stream.no_video"


# -- logins ------------------------------------------------------------------------------------------------------------

def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def challenge(algorithm=None, qop=True, nonce=NONCE, extra=""):
    return (f"Digest realm={quoted(REALM)}, nonce=\"{nonce}\"" + (f", algorithm={algorithm}" if algorithm else "")
            + (', qop="auth"' if qop else "") + extra)


@pytest.mark.parametrize(("challenges", "algorithm", "qop"), [
    ([challenge()], "md5", True),
    ([challenge("MD5")], "md5", True),
    ([challenge("SHA-256")], "sha256", True),
    ([challenge("MD5", qop=False)], "md5", False),
    ([challenge("SHA-256", qop=False)], "sha256", False),
    ([challenge("MD5"), challenge("SHA-256")], "sha256", True),
    ([challenge("SHA-256"), challenge("MD5"), 'Basic realm="x"'], "sha256", True),
    (['Basic realm="x", ' + challenge("MD5")], "md5", True),
])
def test_the_strongest_challenge_is_answered(challenges, algorithm, qop):
    device = Device(challenges=challenges, played=sends(pictures(1)), login=lambda r: "authorization" in r.headers
                    and r.proves(REALM, NONCE, LOGIN.user, LOGIN.password, algorithm, qop))
    with playing(device, LOGIN) as stream:
        next(stream.units())
    assert device.methods() == ["OPTIONS", "OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
    counts = [request.headers["authorization"].partition("nc=")[2][:8] for request in device.requests[1:]]
    assert not qop or counts == [f"{i:08x}" for i in range(1, 6)]


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=12))
def test_a_password_may_hold_any_character(password):
    device = Device(challenges=[challenge("SHA-256")], login=lambda r: "authorization" in r.headers
                    and r.proves(REALM, NONCE, "u", password, "sha256"))
    with playing(device, Credentials("u", password)):
        pass
    assert "PLAY" in device.methods()
    assert not any(password and password in request.uri for request in device.requests if len(password) > 4)


def test_a_password_of_broken_bytes_is_refused_without_showing_it():
    broken = os.fsdecode(b"se\xffcret")
    with pytest.raises(StreamError) as caught, playing(Device(challenges=[challenge()], login=lambda _: False),
                                                       Credentials("u", broken)):
        pass
    assert caught.value.rule == "stream.credentials"
    assert "cret" not in str(caught.value)
    assert "xff" not in str(caught.value)


@pytest.mark.parametrize("challenges", [[challenge()], [challenge("SHA-256"), challenge("MD5")]])
@pytest.mark.parametrize("first", ["OPTIONS", "DESCRIBE", "SETUP"])
def test_a_wrong_password_is_sent_once_and_never_again(challenges, first):
    asked = Device(challenges=challenges, login=lambda r: r.method != first)
    assert refused(asked, LOGIN) == "stream.auth_rejected"
    assert [r.method for r in asked.requests if "authorization" in r.headers] == [first]
    assert asked.methods().count(first) == 2
    assert asked.connections == 1


def test_a_login_is_needed_but_was_not_given():
    device = Device(challenges=[challenge()], login=lambda _: False)
    assert refused(device) == "stream.auth_required"
    assert len(device.requests) == 1


def test_basic_goes_in_clear_text_only_where_it_is_allowed():
    basic = "Basic " + base64.b64encode(f"{LOGIN.user}:{LOGIN.password}".encode()).decode()
    device = Device(challenges=['Basic realm="x"'], login=lambda r: r.headers.get("authorization") == basic)
    assert refused(device, LOGIN) == "stream.auth_not_understood"
    assert all("authorization" not in request.headers for request in device.requests)
    allowed = Device(challenges=['Basic realm="x"'], login=lambda r: r.headers.get("authorization") == basic)
    with playing(allowed, LOGIN, allow_basic=True):
        pass
    assert "PLAY" in allowed.methods()


@pytest.mark.parametrize("offer", ['Digest realm="x", nonce="n", algorithm=SHA3-512', "Negotiate", "",
                                   'Digest realm="x"'])
def test_a_challenge_that_cannot_be_answered_is_not_called_a_wrong_password(offer):
    device = Device(challenges=[offer] if offer else [], login=lambda _: False)
    assert refused(device, LOGIN) == "stream.auth_not_understood"
    assert len(device.requests) == 1


@pytest.mark.parametrize("extra", [", stale=true", ""])
def test_a_new_nonce_after_an_accepted_one_is_answered_once(extra):
    """Each nonce serves for two requests; whether the device says ``stale`` or forgets to."""
    uses = itertools.count()

    def login(request):
        nonce = f"n{next(uses) // 3}"
        device.challenges = [challenge("MD5", nonce=nonce, extra=extra)]
        return "authorization" in request.headers and request.proves(REALM, nonce, LOGIN.user, LOGIN.password)

    device = Device(login=login)
    with playing(device, LOGIN):
        pass
    assert device.methods()[:6] == ["OPTIONS", "OPTIONS", "DESCRIBE", "SETUP", "SETUP", "PLAY"]


def test_a_device_that_calls_every_nonce_stale_gets_one_more_request_and_no_loop():
    fresh = itertools.count()

    def login(_):
        device.challenges = [challenge("MD5", nonce=f"n{next(fresh)}", extra=", stale=true")]
        return False

    device = Device(login=login)
    assert refused(device, LOGIN) == "stream.auth_rejected"
    assert len(device.requests) == 2


# -- playing -----------------------------------------------------------------------------------------------------------

def test_video_may_overtake_the_answer_to_play():
    device = Device(early=pictures(2), played=sends(pictures(1, first=2)))
    with playing(device) as stream:
        assert [u.timestamp for u in itertools.islice(stream.units(), 3)] == [0, 3600, 7200]


def test_a_flood_before_the_answer_to_play_ends_the_session():
    flood = interleaved(rtp(b"\x41" + b"x" * 60_000, 0, 0)) * 160
    assert refused(Device(early=flood)) == "stream.malformed"


def test_rtcp_and_other_channels_are_ignored():
    noise = interleaved(b"\x80\xc8\x00\x06" + b"\0" * 24, 1) + interleaved(rtp(IDR, 9, 9), 2)
    device = Device(played=sends(noise + pictures(1) + noise + pictures(1, first=1)))
    with playing(device) as stream:
        assert [u.timestamp for u in itertools.islice(stream.units(), 2)] == [0, 3600]
        assert stream.counters.packets == 2


def test_the_device_may_choose_other_channels():
    device = Device(transport="RTP/AVP/TCP;unicast;interleaved=4-5;ssrc=1", played=sends(pictures(2, channel=4)))
    with playing(device) as stream:
        assert len(list(itertools.islice(stream.units(), 2))) == 2


def test_an_interim_reply_and_a_line_too_many_are_read_over():
    device = Device(answers={"OPTIONS": lambda r, d: b"\r\nRTSP/1.0 100 Continue\r\n\r\n" + answer(r, 200) + b"\r\n"})
    with playing(device):
        pass
    assert "PLAY" in device.methods()


@pytest.mark.parametrize("garbage", [b"garbage", b"\x00\x01\x02", b"HTTP/1.1 200 OK\r\n\r\n", b"RTSP/x y\r\n\r\n",
                                     b"RTSP/1.0 200 OK\r\nX: " + b"x" * 70_000,
                                     b"RTSP/1.0 200 OK\r\nContent-Length: 99999\r\n\r\n"])
def test_garbage_between_packets_ends_the_session(garbage):
    assert refused(Device(played=sends(pictures(2) + garbage)), take=2) == "stream.malformed"


@pytest.mark.parametrize("drip", [
    b"$", interleaved(b"\x80\xc8\x00\x06" + b"\0" * 24, 1), interleaved(b"nonsense"),
    b"RTSP/1.0 200 OK\r\nCSeq: 9\r\n\r\n", interleaved(rtp(b"\x7c\x05x", 2, 7200, marker=False)),
])
def test_bytes_that_drip_without_a_picture_are_a_stall(drip):
    def played(connection, device):
        connection.sendall(pictures(2))
        while not device.over.wait(0.05):
            connection.sendall(drip)
    assert refused(Device(played=played), take=2) == "stream.stalled"


def test_the_time_a_picture_takes_its_reader_is_not_the_devices_stall():
    device = Device(played=sends(pictures(30)))
    with playing(device, limits=StreamLimits(2, 1, 0.15)) as stream:
        units = stream.units()
        next(units)
        threading.Event().wait(0.3)                        # longer than a stall, while the device has long sent more
        assert len(list(itertools.islice(units, 29))) == 29


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
def test_silence_ends_the_session_by_its_deadline(method):
    assert refused(Device(answers={method: lambda _r, _d: b""})) == "stream.timeout"


def test_a_reply_that_drips_is_late():
    def drip(_request, device):
        threading.Event().wait(0.1)
        return b"RTSP/1.0 200 OK\r\nX-Drip: "
    assert refused(Device(answers={"OPTIONS": drip})) == "stream.timeout"


def test_a_closed_connection_and_a_closed_port_are_named():
    assert refused(Device(played=sends(pictures(1), then_wait=False))) == "stream.closed"
    device = Device()
    with device:
        port = device.port
    with pytest.raises(StreamError) as caught, Stream("127.0.0.1", "/", ports=PortMap(tcp={554: port}), limits=QUICK):
        pass
    assert caught.value.rule == "stream.unreachable"


@pytest.mark.parametrize(("public", "method"), [("OPTIONS, GET_PARAMETER", "GET_PARAMETER"), ("OPTIONS", "OPTIONS")])
def test_the_session_is_kept_alive(public, method):
    def played(connection, device):
        connection.sendall(pictures(1))
        for i in range(1, 60):
            device.over.wait(0.05)
            connection.sendall(pictures(1, first=i))
            if len(device.requests) > 4:
                return

    class Threaded(Device):
        """Answers while it streams."""

        def _answer(self, connection, request):
            self.requests.append(request)
            connection.sendall(self.reply(request))
            if request.method == "PLAY":
                self._start(played, connection, self)
            return request.method != "TEARDOWN"

    device = Threaded(public=public, session="9 ; timeout = 1;x=y")
    with playing(device) as stream:
        for _ in stream.units():
            if len(device.requests) > 4:
                break
    assert device.methods()[4] == method
    assert device.requests[4].headers["session"] == "9"


def test_a_withdrawn_login_during_play_ends_the_session():
    device = Device(played=sends(pictures(1) + answer(Request("OPTIONS rtsp://x RTSP/1.0"), 401,
                                                      {"WWW-Authenticate": [challenge()]})))
    assert refused(device, take=1) == "stream.auth_required"


def test_a_path_cannot_split_a_request():
    assert refused(Device(), path="/live\r\nX: y") == "stream.malformed"
    assert refused(Device(), path="/a b") == "stream.malformed"


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_of_a_device_raise_anything_but_a_named_end(data):
    device = Device(answers={"DESCRIBE": lambda _r, _d: data}, played=sends(data))
    with pytest.raises(StreamError), playing(device, limits=StreamLimits(1, 0.05, 0.05)) as stream:
        for _ in stream.units():
            pass


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_after_play_raise_anything_but_a_named_end(data):
    with pytest.raises(StreamError), playing(Device(played=sends(data)), limits=StreamLimits(1, 0.5, 0.05)) as stream:
        for _ in stream.units():
            pass


def test_closing_twice_and_reading_afterwards():
    with playing(Device()) as stream:
        stream.close()
        stream.close()
        with pytest.raises(StreamError) as caught:
            next(stream.units())
    assert caught.value.rule == "stream.closed"
