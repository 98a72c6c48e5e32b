"""Nothing that a sweep sends changes or unlocks a device: every byte that the lab heard, held against a list.

The list of questions is written out here and made by nobody's code: what is not on it fails, however harmless.
"""

import re
from collections import Counter
from dataclasses import dataclass

import pytest
from acceptance.conftest import PRIVATE_PORTS
from lxml import etree

from lab.hearing import Heard
from rules import makers
from scanner.settings import BASE_PORTS, HYGIENE_PORTS

HTTP_HEADERS = {"host", "user-agent", "accept", "accept-encoding", "connection", "authorization", "content-type",
                "content-length", "soapaction"}
PATHS_READ = {
    "/", "/favicon.ico", "/rootDesc.xml", "/rootdesc1.xml",
    "/ISAPI/System/deviceInfo", "/ISAPI/ContentMgmt/InputProxy/channels",
    "/LAPI/V1.0/System/DeviceInfo", "/axis-cgi/basicdeviceinfo.cgi", "/axis-cgi/param.cgi?action=list&group=root.Brand",
    "/cgi-bin/magicBox.cgi?action=getSystemInfo", "/cgi-bin/magicBox.cgi?action=getSoftwareVersion",
    "/stw-cgi/system.cgi?msubmenu=deviceinfo&action=view", "/stw-cgi/media.cgi?msubmenu=cameraregister&action=view",
}
ONVIF_DEVICE, ONVIF_MEDIA = "http://www.onvif.org/ver10/device/wsdl", "http://www.onvif.org/ver10/media/wsdl"
ONVIF = {                                        # operation: its namespace, and every element that may stand below it
    "GetSystemDateAndTime": (ONVIF_DEVICE, set()), "GetScopes": (ONVIF_DEVICE, set()),
    "GetDeviceInformation": (ONVIF_DEVICE, set()), "GetServices": (ONVIF_DEVICE, {"IncludeCapability"}),
    "GetCapabilities": (ONVIF_DEVICE, {"Category"}), "GetProfiles": (ONVIF_MEDIA, set()),
    "GetStreamUri": (ONVIF_MEDIA, {"StreamSetup", "Stream", "Transport", "Protocol", "ProfileToken"}),
}
ONVIF_HEADER = {"Security", "UsernameToken", "Username", "Password", "Nonce", "Created"}
GATEWAY = "urn:schemas-upnp-org:service:WANIPConnection:1"
RTSP_HEADERS = {"cseq", "user-agent", "accept"}
RTSP_PATHS = {"/", "/Streaming/Channels/101", "/axis-media/media.amp", "/cam/realmonitor?channel=1&subtype=0",
              "/unicast/c1/s0/live", "/media/video1", "/profile2/media.smp", "/rtsp_tunnel", "/avc",
              "/hall/7d/picture.264", "/profile1"}      # the last two are told by the devices themselves
NO_SUCH_PATH = re.compile(r"/[0-9a-f]{16}")

LEGACY_SUITES = bytes.fromhex(                   # from those without encryption to AES; last, RFC 5746's signal
    "00010002c010001700190018001b0034003ac018c019000300060008001400090015000400 05c011c007000a00130016c012c0080007"
    "002f00350032003800330039004100840096c013c014c009c00a00ff".replace(" ", ""))
LEGACY_HELLO = re.compile(                       # version TLS 1.1, no session, no compression, curves and points
    rb"\x16\x03\x01\x00\x91\x01\x00\x00\x8d\x03\x02.{32}\x00\x00\x52" + re.escape(LEGACY_SUITES)
    + rb"\x01\x00\x00\x12\x00\x0a\x00\x08\x00\x06\x00\x17\x00\x18\x00\x19\x00\x0b\x00\x02\x01\x00", re.DOTALL)
CURRENT_HELLO = re.compile(rb"\x16\x03\x01..\x01\x00..\x03\x03.{32}", re.DOTALL)

UUID = rb"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
SEARCHES = {                                     # UDP port: the whole datagram
    37020: rb'<\?xml version="1\.0" encoding="utf-8"\?><Probe><Uuid>' + UUID +
           rb"</Uuid><Types>inquiry</Types></Probe>",
    37810: rb'.{32}\{"method":"DHDiscover\.search","params":\{"mac":"","uni":1\}\}\n',
    23456: rb"MHED\x08\x00\x01\x00\x01\x00\x00\x00\x00{128}",
    34569: rb"\xff\x00{13}\xfa\x05\x00{4}",
    3956: rb"\x42\x11\x00\x02\x00\x00.{2}",
    7701: rb"\x01\x00{261}",
    1757: rb"\x99\x39\xa4\x27.{4}\xff\x00\x06\xde",
    1900: rb'M-SEARCH \* HTTP/1\.1\r\nHOST: 239\.255\.255\.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 2\r\nST: '
          rb"(?:upnp:rootdevice|urn:axis-com:service:BasicService:1)\r\n\r\n",
    10001: rb"\x01\x00\x00\x00",
    2000: rb"\xaa\xaa\x00\x00",
    20002: rb"\x02\x00\x00\x01\x00{8}.{4}",
    # SNMP: v1 or v2c, community public, GetRequest (a0), sysDescr.0 and sysObjectID.0 with no value.
    161: rb"\x30.\x02\x01[\x00\x01]\x04\x06public\xa0.\x02[\x01-\x04].{1,4}\x02\x01\x00\x02\x01\x00\x30\x1c"
         rb"\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x01\x00\x05\x00\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x02\x00\x05\x00",
}
DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
SPEAKS_HTTP, SPEAKS_RTSP = {80, 443, 5000, 8080, 8000, 8443, 8899}, {554, 8554}


@dataclass(frozen=True)
class Message:
    """One request of a connection."""

    method: str
    target: str
    version: str
    headers: dict[str, str]
    body: bytes


def messages(data):
    """The requests that a connection brought, or an error where anything of it is none."""
    found = []
    while data:
        head, end, rest = data.partition(b"\r\n\r\n")
        assert end, f"no request: {data[:80]!r}"
        first, *lines = head.decode("ascii").split("\r\n")
        method, target, version = first.split(" ")
        pairs = [line.split(": ", 1) for line in lines]
        headers = {name.lower(): value for name, value in pairs}
        assert len(headers) == len(pairs), "a header was sent twice"
        length = int(headers.get("content-length", "0"))
        assert len(rest) >= length, "a body that breaks off"
        found.append(Message(method, target, version, headers, rest[:length]))
        data = rest[length:]
    return found


def names(element):
    return [etree.QName(child).localname for child in element.iterdescendants()]


def check_onvif(message):
    root = etree.fromstring(message.body)
    parts = {etree.QName(child).localname: child for child in root}
    assert set(parts) <= {"Header", "Body"}
    assert set(names(parts["Header"]) if "Header" in parts else ()) <= ONVIF_HEADER
    (call,) = parts["Body"]
    operation = etree.QName(call)
    namespace, below = ONVIF[operation.localname]
    assert operation.namespace == namespace
    assert set(names(call)) <= below
    assert call.attrib == {}
    return f"onvif {operation.localname}"


def check_gateway(message):
    (call,) = etree.fromstring(message.body)[0]
    assert etree.QName(call).localname == "GetGenericPortMappingEntry"
    assert etree.QName(call).namespace == GATEWAY
    assert names(call) == ["NewPortMappingIndex"]
    assert message.headers["soapaction"] == f'"{GATEWAY}#GetGenericPortMappingEntry"'
    return "igd GetGenericPortMappingEntry"


def check_http(message):
    assert message.version == "HTTP/1.1"
    assert set(message.headers) <= HTTP_HEADERS
    assert message.headers.get("authorization", "Digest ").startswith("Digest ")
    if message.method == "GET":
        assert message.target in PATHS_READ
        assert message.body == b""
        assert "content-type" not in message.headers
        return "http GET"
    assert message.method == "POST"
    if message.target == "/ctl/IPConn":
        return check_gateway(message)
    assert re.fullmatch(r"/onvif/[A-Za-z_]{5,20}", message.target)
    return check_onvif(message)


def check_rtsp(message):
    assert message.version == "RTSP/1.0"
    assert message.method in {"OPTIONS", "DESCRIBE"}
    assert set(message.headers) <= RTSP_HEADERS
    assert message.body == b""
    path = "/" + message.target.removeprefix("rtsp://").partition("/")[2]
    assert path in RTSP_PATHS or NO_SUCH_PATH.fullmatch(path)
    return f"rtsp {message.method}"


def check_datagram(port, data):
    if port == 3702:
        root = etree.fromstring(data)
        action = next(root.iter("{*}Action")).text
        assert action == f"{DISCOVERY}/Probe"
        (call,) = root.find("{*}Body")
        assert etree.QName(call) == etree.QName(DISCOVERY, "Probe")
        assert set(names(call)) <= {"Types", "Scopes"}
        return "wsd Probe"
    if port == 5353:
        questions, *records = (int.from_bytes(data[at:at + 2]) for at in (4, 6, 8, 10))
        assert data[2:4] == b"\0\0"              # a standard query
        assert questions
        assert records == [0, 0, 0]
        return "mdns query"
    assert re.fullmatch(SEARCHES[port], data, re.DOTALL), (port, data)
    return f"udp {port}"


def check_hello(data):
    """A connection that says nothing, a hello of the TLS library, or the one that offers old versions alone."""
    if not data:
        return "connect"
    if LEGACY_HELLO.fullmatch(data):
        return "tls legacy hello"
    assert CURRENT_HELLO.match(data), data[:80].hex()
    return "tls hello"


def judge(one):
    """What one thing heard was, by name; an assertion where it is on no list."""
    data = bytes(one.data)
    if one.transport == "hello":
        return [check_hello(data)]
    if one.transport == "udp":
        return [check_datagram(one.port, data)]
    if one.port in SPEAKS_HTTP:
        return [check_http(message) for message in messages(data)]
    if one.port in SPEAKS_RTSP:
        return [check_rtsp(message) for message in messages(data)]
    assert data == b"", f"{len(data)} bytes to port {one.port}"
    return ["connect"]


@pytest.fixture(scope="module")
def asked(everything):
    """Everything that was heard, by name and device; made by `judge`, so it exists only where all is on the list."""
    return [(one.device, name) for one in everything.heard for name in judge(one)]


def test_every_byte_is_on_the_list(asked):
    assert len(asked) > 500


@pytest.mark.parametrize("kind", [
    *(f"onvif {name}" for name in ONVIF), "http GET", "rtsp OPTIONS", "rtsp DESCRIBE", "igd GetGenericPortMappingEntry",
    "tls hello", "tls legacy hello",
    "wsd Probe", "mdns query", "udp 161", "udp 37020", "udp 37810", "udp 1900", "udp 23456", "udp 34569", "udp 3956",
    "udp 7701", "udp 1757", "udp 10001", "udp 2000", "udp 20002", "connect",
])
def test_the_list_is_no_wish_list(asked, kind):
    """What is on the list was really sent, so that the test above looks at every kind of message."""
    assert kind in {name for _, name in asked}


def posted(path, body):
    """A POST with its right length, so that it is caught for what it asks and not for how it is framed."""
    return b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (path, len(body), body)


def called(operation, namespace=ONVIF_DEVICE):
    body = b'<e:Envelope xmlns:e="e"><e:Body><t:%b xmlns:t="%b"/></e:Body></e:Envelope>'
    return body % (operation, namespace.encode())


@pytest.mark.parametrize(("transport", "port", "data"), [
    ("tcp", 80, b"PUT / HTTP/1.1\r\nHost: a\r\n\r\n"), ("tcp", 80, b"GET /any/other/page HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("tcp", 80, b"GET /?user=a HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("tcp", 80, b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YTpi\r\n\r\n"),
    ("tls", 443, posted(b"/onvif/device_service", called(b"SystemReboot"))),
    ("tcp", 80, posted(b"/onvif/device_service", called(b"GetUsers"))),
    ("tcp", 80, posted(b"/onvif/device_service", called(b"GetScopes", "another"))),
    ("tcp", 5000, posted(b"/ctl/IPConn", called(b"AddPortMapping", GATEWAY))),
    ("tcp", 554, b"SETUP rtsp://a:554/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"), ("tcp", 9530, b"any word"),
    ("tcp", 554, b"DESCRIBE rtsp://a:554/another RTSP/1.0\r\nCSeq: 1\r\n\r\n"), ("tcp", 23, b"root\r\n"),
    ("hello", 443, b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"),
    ("hello", 443, b"\x18\x03\x02\x00\x03\x01\x40\x00"),                # a heartbeat that asks for more than it says
    ("tcp", 37777, bytes(32)), ("udp", 37020, b"<Probe><Types>reset</Types></Probe>"), ("udp", 7788, b"x"),
    ("udp", 161, bytes.fromhex("302702010104067075626c6963a31a02040000000102010002010030")),
])
def test_what_changes_or_unlocks_would_be_caught(transport, port, data):
    with pytest.raises((AssertionError, KeyError)):
        judge(Heard("any", transport, port, bytearray(data)))


def test_the_same_frames_with_a_question_in_them_are_let_through():
    """So what is caught above is caught for its operation."""
    for operation in (b"GetScopes", b"GetDeviceInformation"):
        data = posted(b"/onvif/device_service", called(operation))
        assert judge(Heard("any", "tcp", 80, bytearray(data))) == [f"onvif {operation.decode()}"]


def test_no_password_crosses_the_wire(everything):
    passwords = {everything.site.persona(name).password.encode() for name in everything.site.names}
    assert not [one.device for one in everything.heard if any(word in bytes(one.data) for word in passwords)]


def test_a_device_sees_at_most_one_wrong_login(everything):
    wrong = {name: count for name in everything.site.names if (count := everything.site.failed_logins(name))}
    assert wrong == {"login-own": 1}                  # the one documented pair, where it was not what opens the device


def test_a_device_hears_at_most_one_hello_of_old_versions(everything):
    hellos = Counter(one.device for one in everything.heard if one.transport == "hello" and LEGACY_HELLO.fullmatch(
        bytes(one.data)))
    assert hellos
    assert set(hellos.values()) == {1}


def test_ports_tried_are_the_base_ports_and_then_the_suspected_makers_own(everything):
    book, beyond = makers.load(), {}
    for device in everything.document["devices"]:
        if "#" in device["key"]:
            continue
        own = {port for slug in device["identity"]["makers"] or () for port in book[slug].ask.tcp_ports}
        tried = {one["port"] for one in device["attempts"] if one["probe"] == "tcp.connect" and one["port"]}
        assert set(BASE_PORTS) | set(HYGIENE_PORTS) <= tried, device["key"]
        if extra := tried - {*BASE_PORTS, *HYGIENE_PORTS, *own}:
            beyond[device["key"]] = extra
    # The printer names one more port itself, in WS-Discovery.
    assert beyond == {everything.site.address("printer"): {3911}}


def test_an_open_door_that_nobody_asked_about_stays_shut(everything):
    """The sponge holds every private port open: those that are no base port are not even connected to."""
    connected = Counter(one.port for one in everything.heard if one.device == "sponge" and one.transport != "udp")
    assert set(connected) & set(PRIVATE_PORTS) <= set(BASE_PORTS)
