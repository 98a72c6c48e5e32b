"""Recorded replies of every transport word become observations in the documented vocabulary."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from test_documents import INPUTS, ISAPI, REOLINK, SUNAPI_CHANNELS, UPNP
from wire_samples import (
    CERTIFICATE,
    DHIP_REPLY,
    FAULT,
    GVCP_REPLY,
    HTTP_REPLY,
    INFORMATION,
    MDNS_REPLY,
    NOW,
    PARSERS,
    PROBE_MATCH,
    RTSP_REPLY,
    SADP_REPLY,
    SDP_REPLY,
)

from scanner.wire import replies

VOCABULARY = set(re.findall(r"`([^`]+)`", (Path(__file__).parents[3] / "docs" / "observations.md").read_text()))
NAMES = {word for entry in VOCABULARY for word in entry.split()}


def read(transport, data, port=None):
    return replies.read(transport, port, data, device="cam-1", now=NOW)


@pytest.mark.parametrize(
    ("transport", "data", "kind", "expected"),
    [
        ("http", HTTP_REPLY, "http", {"status": 401, "title": "Yard & Gate"}),
        ("http", b"HTTP/1.1 200 OK\r\n\r\n" + REOLINK, "http", {"document": "reolink", "model": "RLC-1"}),
        ("http-header", b"uc-httpd 1.0.0", "http", {"server": "uc-httpd 1.0.0"}),
        (
            "http-header",
            b'Digest realm="Login to X", nonce="1"',
            "http",
            {"realm": ("Login to X",), "scheme": ("digest",)},
        ),
        (
            "http-header",
            b'WWW-Authenticate: Basic realm="DVR"\r\nServer: x',
            "http",
            {"realm": ("DVR",), "server": "x"},
        ),
        ("http-header", b"Linux/4.9, UPnP/1.0", "http", {"server": "Linux/4.9, UPnP/1.0"}),
        ("http-body", ISAPI, "http", {"document": "isapi-device-info"}),
        ("http-body", UPNP, "http", {"document": "upnp"}),
        ("http-body", INFORMATION, "onvif", {"model": "C-100"}),
        ("html-title", b"NETSurveillance &amp; WEB", "http", {"title": "NETSurveillance & WEB"}),
        ("html-title", b"<head><title>x</title>", "http", {"title": "x"}),
        (
            "favicon-md5",
            b"BD1B5FEF10A0846B2DB322B90A57B746\n",
            "http",
            {"favicon_md5": "bd1b5fef10a0846b2db322b90a57b746"},
        ),
        ("favicon-mmh3", b"-1616143106", "http", {"favicon_mmh3": "-1616143106"}),
        ("favicon-mmh3", b"2678824190", "http", {"favicon_mmh3": "-1616143106"}),
        ("soap", INFORMATION, "onvif", {"operation": "GetDeviceInformation"}),
        ("soap", FAULT, "onvif", {"attempts_left": 29}),
        ("soap", b"HTTP/1.1 500 x\r\n\r\n" + FAULT, "onvif", {"status": 500, "attempts_left": 29}),
        ("soap", PROBE_MATCH, "wsd", {"hardware": "C_100"}),
        ("rtsp", RTSP_REPLY, "rtsp", {"status": 200, "sdp": True}),
        ("rtsp-header", b"Hipcam RealServer/V1.0", "rtsp", {"server": "Hipcam RealServer/V1.0"}),
        ("sdp", SDP_REPLY, "rtsp", {"sdp_session": "Media Presentation"}),
        ("tls-cert", CERTIFICATE, "tls", {"self_signed": True}),
        ("tls-cert", b"CN=a,O=HIKVISION", "tls", {"subject_o": "HIKVISION"}),
        ("tcp-banner", b"login:", "tcp", {"banner": "login:"}),
        ("udp-payload", DHIP_REPLY, "dhip", {"model": "C-100"}),
        ("udp-payload", SADP_REPLY, "sadp", {"activated": False}),
        ("udp-payload", PROBE_MATCH, "wsd", {"hardware": "C_100"}),
        ("udp-payload", GVCP_REPLY, "gvcp", {"model": "T-400"}),
        ("mdns", MDNS_REPLY, "mdns", {"model": "C-100"}),
        (
            "mdns",
            b"CAM - 0012345678AB._axis-video._tcp.local\nmacaddress=0012345678AB",
            "mdns",
            {
                "mac": "00:12:34:56:78:AB",
                "service_types": ("_axis-video._tcp.local",),
                "instances": ("CAM - 0012345678AB",),
            },
        ),
        ("dhcp", b"AXIS,Network Camera,M1,8.40", "dhcp", {"model": "M1"}),
        ("snmp", b"x", "snmp", {"sys_descr": "x"}),
        ("sip", b"x", "sip", {"user_agent": "x"}),
        ("mac", b"00-12-34-56-78-ab", "link", {"mac": "00:12:34:56:78:AB"}),
        (
            "onvif-scopes",
            b"onvif://www.onvif.org/name/A onvif://www.onvif.org/hardware/B",
            "onvif",
            {"device_name": "A", "hardware": "B"},
        ),
        ("onvif-scopes", b'["onvif://www.onvif.org/name/A%20B"]', "onvif", {"device_name": "A B"}),
        ("xml", SADP_REPLY, "sadp", {"command_port": 8000}),
        ("xml", INFORMATION, "onvif", {"model": "C-100"}),
        ("xml", PROBE_MATCH, "wsd", {"hardware": "C_100"}),
        ("xml", ISAPI, "http", {"model": "DS-0"}),
        (
            "parsed-fields",
            b"Manufacturer: Acme\nModel: C\nFirmwareVersion: 2.8.R, Build Date 2021-07-08\n",
            "onvif",
            {"manufacturer": "Acme", "firmware": "2.8.R", "firmware_build": "2021-07-08"},
        ),
        (
            "parsed-fields",
            b'{"transport": "dhip", "fields": {"vendor": "Acme", "mac": "001234567 8ab", "ok": true, "l": ["a"]}}',
            "dhip",
            {"vendor": "Acme", "ok": True, "l": ("a",), "mac": None},
        ),
        ("parsed-fields", b'{"model": "X"}', "import", {"model": "X"}),
    ],
)
def test_every_transport_word(transport, data, kind, expected):
    first = read(transport, data)[0]
    assert first.transport == kind
    assert "refusal" not in first.fields
    assert {name: first.fields.get(name) for name in expected} == expected
    assert first.device == "cam-1"
    assert first.probe == "import"
    assert first.digest == hashlib.sha256(data).hexdigest()


DATAGRAMS = [
    "wsd",
    "sadp",
    "dhip",
    "gvcp",
    "mhed",
    "xiongmai",
    "hanwha",
    "bosch",
    "vivotek",
    "sony",
    "dahua_v1",
    "tplink",
    "ssdp",
    "mdns",
]


@pytest.mark.parametrize("name", DATAGRAMS)
def test_a_datagram_is_known_by_its_content_without_a_port(name):
    (seen,) = read("udp-payload", PARSERS[name][1])
    assert seen.transport == name
    assert "refusal" not in seen.fields


@pytest.mark.parametrize("port", [37020, 37810, 3702, 5353, 10000, 23456, 1])
def test_content_is_believed_before_the_port(port):
    (seen,) = read("udp-payload", GVCP_REPLY, port)
    assert seen.transport == "gvcp"


def test_the_port_decides_where_content_cannot():
    (seen,) = read("udp-payload", PARSERS["panasonic"][1], 10669)
    assert (seen.transport, seen.fields["model"]) == ("panasonic", "WV-X")
    (opaque,) = read("udp-payload", b"\x01\x02opaque", 37020)
    assert (opaque.transport, opaque.fields["opaque"]) == ("sadp", True)


def test_a_soap_reply_without_a_body_keeps_its_challenge():
    (seen,) = read("soap", b'HTTP/1.1 401 x\r\nWWW-Authenticate: Digest realm="r"\r\n\r\n')
    assert (seen.fields["status"], seen.fields["realm"], seen.fields["refusal"]) == (401, ("r",), "empty")


@pytest.mark.parametrize(
    ("transport", "data", "reason"),
    [
        ("http", b"garbage here", "malformed"),
        ("udp-payload", b"hello", "unrecognised"),
        ("soap", b"<html>x</html>", "html"),
        ("tls-cert", b"-----BEGIN CERTIFICATE-----\nxx", "malformed"),
        ("mac", b"no mac", "malformed"),
        ("rtsp", b"", "malformed"),
        ("no-such-word", b"text", "unknown_transport"),
        ("tcp-banner", b"", "empty"),
        ("parsed-fields", b"nothing", "malformed"),
        ("udp-payload", b"<!DOCTYPE x><ProbeMatch/>", "dtd"),
    ],
)
def test_what_no_parser_accepts_is_kept_with_its_reason(transport, data, reason):
    (seen,) = read(transport, data)
    assert seen.fields["refusal"] == reason
    assert seen.fields["length"] == len(data)
    if data.isascii() and data:
        assert seen.fields["text"]


@pytest.mark.parametrize(
    ("transport", "data"), [("http-body", INPUTS), ("http", b"HTTP/1.1 200 OK\r\n\r\n" + INPUTS), ("xml", INPUTS)]
)
def test_cameras_behind_a_recorder_become_observations_of_their_own(transport, data):
    recorder, first, second = read(transport, data)
    assert recorder.fields["document"] == "isapi-channels"
    assert (first.device, first.transport, first.fields["model"], first.fields["recorder"]) == (
        "cam-1#1",
        "channel",
        "DS-1",
        "cam-1",
    )
    assert second.device == "cam-1#2"
    assert len({each.id for each in (recorder, first, second)}) == 3


def test_channels_in_key_value_form_too():
    assert [each.device for each in read("http-body", SUNAPI_CHANNELS)] == ["cam-1", "cam-1#0", "cam-1#2"]


def test_raw_bytes_rest_without_credentials_and_capped():
    (seen,) = read("rtsp", RTSP_REPLY)
    assert b"hunter2" not in seen.raw
    assert b"rtsp://***@" in seen.raw
    assert "hunter2" not in json.dumps(seen.to_json())
    assert len(read("http-body", b"x" * 100_000)[0].raw) == replies.MAX_RAW


def test_an_oversized_reply_is_cut_and_says_so():
    (seen,) = read("http-body", b"<html>" + b"x" * replies.MAX_DATA)
    assert seen.fields["truncated"] is True


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_no_field_is_outside_the_documented_vocabulary(name):
    words = {
        "onvif": "soap",
        "fault": "soap",
        "bosch-sheet": "udp-payload",
        "tls": "tls-cert",
        "banner": "tcp-banner",
        "favicon": "favicon-md5",
    }
    transport = words.get(name) or (name if name in replies.TRANSPORTS else "udp-payload")
    for seen in read(transport, PARSERS[name][1]):
        assert set(seen.fields) - NAMES == set()


@pytest.mark.parametrize("body", [ISAPI, INPUTS, UPNP, REOLINK, SUNAPI_CHANNELS, b"vendor=Dahua\n"])
def test_no_document_field_is_outside_the_documented_vocabulary(body):
    for seen in read("http-body", body):
        assert set(seen.fields) - NAMES == set()
