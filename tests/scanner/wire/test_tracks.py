"""What a session description may decide: a path on the pinned address, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.observation import Refusal
from scanner.wire import tracks
from scanner.wire.rtp import Codec

ADDRESS = "10.1.2.3"


@pytest.mark.parametrize(("control", "base", "path"), [
    ("*", "/live", "/live"),
    ("", "/live", "/live"),
    ("trackID=1", "/live", "/live/trackID=1"),
    ("trackID=1", "/live/", "/live/trackID=1"),
    ("/other/track1", "/live", "/other/track1"),
    ("rtsp://10.1.2.3/a/stream=0?video=1", "/x", "/a/stream=0?video=1"),
    ("rtsp://10.1.2.3:554/a", "/x", "/a"),
    ("rtsp://0.0.0.0/a", "/x", "/a"),
    ("rtsp://127.0.0.1/a", "/x", "/a"),
    ("rtsp://user:secret@10.1.2.3/a", "/x", "/a"),
    ("rtsp://10.1.2.3", "/x", "/"),
    ("RTSP://10.1.2.3/A/b", "/x", "/A/b"),
])
def test_a_control_becomes_a_path(control, base, path):
    assert tracks.path_of(control, base, ADDRESS) == path


@pytest.mark.parametrize(("control", "reason"), [
    ("rtsp://10.1.2.4/a", "foreign_host"),
    ("rtsp://evil.example/a", "foreign_host"),
    ("rtsp://10.1.2.3@evil.example/a", "foreign_host"),
    ("//evil.example/a", "foreign_scheme"),
    ("http://10.1.2.3/a", "foreign_scheme"),
    ("file:///etc/passwd", "foreign_scheme"),
    ("file:/etc/passwd", "foreign_scheme"),
    ("concat://x", "foreign_scheme"),
    ("rtsp://[::1/a", "malformed"),
    ("a b", "malformed"),
    ("a\r\nSETUP x", "malformed"),
    ("x" * 2000, "malformed"),
])
def test_what_points_elsewhere_is_refused_by_name(control, reason):
    refused = tracks.path_of(control, "/live", ADDRESS)
    assert isinstance(refused, Refusal)
    assert refused.reason == reason


def test_tracks_are_read_with_their_own_attributes():
    session, found = tracks.read(
        b"v=0\r\na=control:*\r\nm=audio 0 RTP/AVP 0\r\na=control:audio\r\nm=video 0 RTP/AVP 96\r\n"
        b"a=rtpmap:97 H265/90000\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\n"
        b"a=control:trackID=1\r\n")
    assert session == "*"
    assert [t.kind for t in found] == ["audio", "video"]
    track, codec = tracks.video(found)
    assert (track.control, track.fmtp, track.clock, codec) == ("trackID=1", "packetization-mode=1", 90000, Codec.H264)


def test_a_codec_that_is_not_read_is_no_video():
    _, found = tracks.read(b"m=video 0 RTP/AVP 26\r\na=control:1\r\n")
    assert tracks.video(found) is None


@given(st.binary(max_size=400))
def test_garbage_never_raises(data):
    tracks.video(tracks.read(data)[1])


@given(st.text(max_size=80))
def test_a_path_always_begins_with_a_slash_and_has_no_line_break(control):
    path = tracks.path_of(control, "/live", ADDRESS)
    assert isinstance(path, Refusal) or (path.startswith("/") and "\r" not in path and "\n" not in path)
