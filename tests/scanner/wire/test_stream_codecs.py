"""RTSP and SDP: what may be sent, and replies with every known defect."""

import pytest
from wire_samples import NOW, RTSP_REPLY, SDP_REPLY, SOURCE

from scanner.observation import Refusal
from scanner.wire import rtsp, sdp


def fields_of(found):
    assert not isinstance(found, Refusal), found
    return found


def test_describe_asks_for_sdp_and_keeps_the_case_of_its_path():
    sent = rtsp.request("DESCRIBE", "rtsp://10.0.0.1:554/Streaming/Channels/101", 3)
    assert sent.startswith(b"DESCRIBE rtsp://10.0.0.1:554/Streaming/Channels/101 RTSP/1.0\r\nCSeq: 3\r\n")
    assert b"Accept: application/sdp\r\n" in sent


@pytest.mark.parametrize(
    ("method", "uri"),
    [
        ("RECORD", "rtsp://h/"),
        ("ANNOUNCE", "rtsp://h/"),
        ("SET_PARAMETER", "rtsp://h/"),
        ("OPTIONS", "rtsp://a:b@h/"),
        ("OPTIONS", "rtsp://h/a b"),
        ("OPTIONS", "rtsp://h/\r\nX: y"),
    ],
)
def test_what_is_never_sent(method, uri):
    with pytest.raises(ValueError, match=r"RTSP|request"):
        rtsp.request(method, uri, 1)


def test_a_description_is_read_and_its_echoed_password_is_not():
    fields = fields_of(rtsp.parse(RTSP_REPLY, SOURCE, NOW, path="/x"))
    assert fields["content_base"] == "rtsp://***@10.1.2.3/"
    assert fields["server"] == "Acme Rtsp"
    assert fields["sdp_media"] == ("video H264", "audio PCMA")
    assert fields["sdp_control"] == ("rtsp://10.9.9.9/track1", "track2")
    assert fields["sdp_tool"] == "Acme 1.0"
    assert "hunter2" not in str(fields)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"RTSP/1.0 453 Not Enough Bandwidth\r\nCSeq: 4\r\n\r\n", 453),
        (b"RTSP/1.0 401\r\n\r\n", 401),
        (b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: OPTIONS, DESCRIBE\r\nPublic: PLAY\r\n\r\n", 200),
    ],
)
def test_replies_without_a_body(raw, status):
    assert fields_of(rtsp.parse(raw, SOURCE, NOW))["status"] == status


def test_public_methods_are_listed():
    fields = fields_of(rtsp.parse(b"RTSP/1.0 200 OK\r\nPublic: OPTIONS, DESCRIBE\r\nPublic: PLAY\r\n\r\n", SOURCE, NOW))
    assert fields["public"] == ("OPTIONS", "DESCRIBE", "PLAY")


def test_another_protocol_is_refused():
    assert isinstance(rtsp.parse(b"HTTP/1.1 200 OK\r\n\r\n", SOURCE, NOW), Refusal)


@pytest.mark.parametrize(
    ("data", "media"),
    [
        (b"v=0\ns=x\nm=video 0 RTP/AVP 96\na=rtpmap:96 H265/90000", ("video H265",)),
        (b"v=0\rs=x\rm=video 0 RTP/AVP 26\r", ("video JPEG",)),
        (b"s=x\nm=video 0 RTP/AVP\nc=IN\nm=application/X 0 RTP/AVP smart/1/90000\n", ("video -", "application/X -")),
        (b"s=x\nm=\nm=audio 0 RTP/AVP 97\na=rtpmap:x y\n", ("-", "audio -")),
        (b"s=x\ns=second\n", None),
    ],
)
def test_defective_descriptions(data, media):
    fields = fields_of(sdp.parse(data, SOURCE, NOW))
    assert fields["sdp_session"] == "x"
    assert fields.get("sdp_media") == media


def test_a_declared_charset_is_used_where_utf8_fails():
    data = "v=0\r\ns=カメラ\r\na=charset:Shift_JIS\r\n".encode("shift_jis")
    assert fields_of(sdp.parse(data, SOURCE, NOW))["sdp_session"] == "カメラ"


def test_tracks_are_capped_and_words_are_refused():
    assert len(fields_of(sdp.parse(b"m=video 0 RTP/AVP 26\n" * 5_000, SOURCE, NOW))["sdp_media"]) == 1
    assert isinstance(sdp.parse(b"no description", SOURCE, NOW), Refusal)
    assert fields_of(sdp.parse(SDP_REPLY, SOURCE, NOW))["sdp"] is True
