"""What the simulated devices answer over TCP, asked by a raw client that knows nothing of the lab's code."""

import asyncio
import base64
import hashlib
import json
import os
import re
import secrets
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.personas import PERSONAS
from lab.services import families
from lab.services.message import MAX_BODY, Request, read_request
from lab.site import Site

BY_NAME = {one.name: one for one in PERSONAS}
ONVIF = [one.name for one in PERSONAS if "onvif" in one.protocols]
RTSP = [one.name for one in PERSONAS if "rtsp" in one.protocols]
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "replies"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    network = f"127.101.{os.getpid() % 250 + 1}.0/24"
    with Site.loopback(network, tmp_path_factory.mktemp("site")) as running:
        yield running


class Answer:
    """One reply as it came, split at the empty line."""

    def __init__(self, wire):
        head, _, self.body = wire.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def first(self, name):
        return next(iter(self.all(name)), "")

    @property
    def text(self):
        return self.body.decode()


def connect(site, name, port):
    return socket.create_connection((site.address(name), site.port(port)), timeout=10)


def read_all(connection):
    chunks = []
    while chunk := connection.recv(65536):
        chunks.append(chunk)
    return b"".join(chunks)


def talk(site, name, port, wire):
    """Send bytes, say no more, and read until the device hangs up."""
    with connect(site, name, port) as connection:
        connection.sendall(wire)
        connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def http(site, name, target, *, method="GET", port=80, headers=(), body=b""):
    lines = [f"{method} {target} HTTP/1.1", "Host: camera", "Connection: close", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return Answer(talk(site, name, port, "\r\n".join([*lines, "", ""]).encode() + body))


def rtsp(site, name, target, *, method="DESCRIBE", headers=()):
    lines = [f"{method} {target} RTSP/1.0", "CSeq: 7", *headers]
    return Answer(talk(site, name, 554, "\r\n".join([*lines, "", ""]).encode()))


def soap(site, name, operation, *, namespace=DEVICE, inner="", header="", headers=(), port=80):
    body = (f'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Header>{header}</e:Header>'
            f'<e:Body><{operation} xmlns="{namespace}">{inner}</{operation}></e:Body></e:Envelope>').encode()
    return http(site, name, "/onvif/device_service", method="POST", headers=headers, body=body, port=port)


def wsse(user, password, created, *, digest=True):
    nonce = secrets.token_bytes(16)
    proof = base64.b64encode(hashlib.sha1(nonce + created.encode() + password.encode()).digest()).decode()
    kind = "PasswordDigest" if digest else "PasswordText"
    return ('<w:Security xmlns:w="urn:x"><w:UsernameToken>'
            f'<w:Username>{user}</w:Username><w:Password Type="{kind}">{proof if digest else password}</w:Password>'
            f"<w:Nonce>{base64.b64encode(nonce).decode()}</w:Nonce><u:Created>{created}</u:Created>"
            "</w:UsernameToken></w:Security>")


def device_time(site, name):
    text = soap(site, name, "GetSystemDateAndTime").text.partition("UTCDateTime")[2]
    year, month, day, hour, minute, second = (
        int(re.search(rf"<tt:{part}>(\d+)<", text)[1])
        for part in ("Year", "Month", "Day", "Hour", "Minute", "Second"))
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def fields(challenge):
    return {key: quoted or bare for key, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', challenge)}


def answer_to(challenge, user, password, method, uri, **changed):
    """A Digest answer after RFC 7616, or RFC 2069 where no qop is offered."""
    given = fields(challenge) | changed
    algorithm = given.get("algorithm", "MD5")

    def h(text):
        return hashlib.new("sha256" if algorithm == "SHA-256" else "md5", text.encode()).hexdigest()

    secret, action = h(f"{user}:{given['realm']}:{password}"), h(f"{method}:{uri}")
    parts = [f'username="{user}"', f'realm="{given["realm"]}"', f'nonce="{given["nonce"]}"', f'uri="{uri}"']
    if "qop" in given:
        parts += ["qop=auth", "nc=00000001", 'cnonce="f00d"']
        response = h(f"{secret}:{given['nonce']}:00000001:f00d:auth:{action}")
    else:
        response = h(f"{secret}:{given['nonce']}:{action}")
    parts += [f'response="{response}"'] + ([f"algorithm={algorithm}"] if "algorithm" in given else [])
    return "Authorization: Digest " + ", ".join(parts)


def login(site, name, target, *, pick=0, password=None, headers=(), **changed):
    one = BY_NAME[name]
    challenge = http(site, name, target).all("WWW-Authenticate")[pick]
    line = answer_to(challenge, one.user, password or one.password, "GET", target, **changed)
    return http(site, name, target, headers=(line, *headers))


# --- the web ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("name", "server", "title"), [
    ("dahua-tpc", "", "WEB SERVICE"),
    ("lorex", "", "WEB SERVICE"),
    ("imposter", "Apache", "AXIS"),
    ("hikvision-dome", "App-webs/", ""),
    ("hikmicro", "App-webs/", ""),
    ("uniview", "", "Login"),
    ("tvt", "Cross Web Server", "DVC Web Client"),
    ("xiongmai", "uc-httpd 1.0.0", "NETSurveillance WEB"),
    ("axis", "Apache", "AXIS"),
    ("hanwha", "nginx", "Hanwha Techwin"),
    ("bosch", "VCS-VideoJet-Webserver", "FLEXIDOME IP 4000i IR"),
    ("flir", "nginx", "FLIR A400"),
    ("printer", "HP HTTP Server", "HP LaserJet Pro M404dn"),
    ("switch", "", "NETGEAR GS724Tv4"),
])
def test_front_page_names_what_the_firmware_names(site, name, server, title):
    page = http(site, name, "/")
    assert page.status == 200
    assert page.first("Server") == server
    assert re.search("<title>(.*?)</title>", page.text)[1] == title


DOCUMENTS = [
    ("dahua-tpc", "/cgi-bin/magicBox.cgi?action=getDeviceType", r"^Login to 5C0471EPAG6F20B$", "DH-TPC-BF5421-T"),
    ("lorex", "/cgi-bin/magicBox.cgi?action=getSystemInfo", r"^Login to [0-9A-Z]{7}PA[0-9A-Z]{6}$", "W461ASC"),
    ("intelbras", "/cgi-bin/magicBox.cgi?action=getSerialNo", r"^Login to [0-9a-f]{32}$", "G4NK2910457MB"),
    ("imposter", "/axis-cgi/basicdeviceinfo.cgi", r"^AXIS_ACCC8E[0-9A-F]{6}$", "ACCC8E4B1207"),
    ("imposter", "/cgi-bin/magicBox.cgi?action=getVendor", r"^AXIS_", "AXIS"),
    ("hikvision-dome", "/ISAPI/System/deviceInfo", r"^IP Camera\(D7128\)$", "<model>DS-2CD2143G0-I</model>"),
    ("hikmicro", "/ISAPI/System/deviceInfo", r"^IP Camera\(F4091\)$", "<manufacturer></manufacturer>"),
    ("uniview", "/LAPI/V1.0/System/DeviceInfo", r"^48ea639d0510$", "IPC2122LB-SF28-A"),
    ("axis", "/axis-cgi/basicdeviceinfo.cgi", r"^AXIS_[0-9A-F]{12}$", '"Version": "12.5.68"'),
    ("axis-box", "/axis-cgi/param.cgi?action=list&group=Brand", r"^AXIS_ACCC8EF30914$", "root.Brand.Brand=AXIS"),
    ("hanwha", "/stw-cgi/system.cgi?msubmenu=deviceinfo&action=view", r"^iPolis_00-09-18-", "Model=XNO-6080R"),
    ("bosch", "/rcp.xml", r"^BOSCH-", "7.87.0038"),
]


@pytest.mark.parametrize(("name", "target", "realm", "told"), DOCUMENTS)
def test_document_wants_a_login_and_opens_for_the_right_one(site, name, target, realm, told):
    refused = http(site, name, target)
    assert refused.status == 401
    assert re.search(realm, fields(refused.first("WWW-Authenticate"))["realm"])
    assert told not in refused.text
    opened = login(site, name, target)
    assert opened.status == 200
    assert told in opened.text


@pytest.mark.parametrize(("name", "target"), [row[:2] for row in DOCUMENTS])
def test_wrong_answers_stay_outside(site, name, target):
    assert login(site, name, target, password="guess").status == 401
    assert login(site, name, target, nonce="0" * 32).status == 401
    assert login(site, name, target, realm="elsewhere").status == 401
    basic = base64.b64encode(f"{BY_NAME[name].user}:{BY_NAME[name].password}".encode()).decode()
    assert http(site, name, target, headers=(f"Authorization: Basic {basic}",)).status == 401


def test_an_answer_signed_for_another_address_is_refused(site):
    one, target = BY_NAME["axis"], "/axis-cgi/param.cgi"
    challenge = http(site, "axis", target).first("WWW-Authenticate")
    line = answer_to(challenge, one.user, one.password, "GET", "/axis-cgi/other.cgi")
    assert http(site, "axis", target, headers=(line,)).status == 401


def test_basic_login_where_a_family_offers_it(site):
    one = BY_NAME["unknown"]
    right = base64.b64encode(f"{one.user}:{one.password}".encode()).decode()
    assert http(site, "unknown", "/cgi-bin/x").first("WWW-Authenticate").startswith("Basic ")
    assert http(site, "unknown", "/cgi-bin/x", headers=(f"Authorization: Basic {right}",)).status == 404
    for wrong in (base64.b64encode(b"admin:admin").decode(), "%%%"):
        assert http(site, "unknown", "/cgi-bin/x", headers=(f"Authorization: Basic {wrong}",)).status == 401


@pytest.mark.parametrize(("pick", "algorithm"), [(0, "SHA-256"), (1, "MD5")])
def test_hanwha_offers_two_algorithms_and_takes_either(site, pick, algorithm):
    target = "/stw-cgi/system.cgi?msubmenu=deviceinfo&action=view"
    offered = http(site, "hanwha", target).all("WWW-Authenticate")
    assert [fields(line)["algorithm"] for line in offered] == ["SHA-256", "MD5"]
    assert len({fields(line)["nonce"] for line in offered}) == 1
    assert login(site, "hanwha", target, pick=pick).status == 200
    assert fields(offered[pick])["algorithm"] == algorithm


def test_sha256_is_not_taken_where_it_was_not_offered(site):
    assert login(site, "axis", "/axis-cgi/param.cgi", algorithm="SHA-256").status == 401


def test_recorder_lists_its_cameras_behind_the_login(site):
    target = "/stw-cgi/media.cgi?msubmenu=cameraregister&action=view"
    assert http(site, "recorder", target).status == 401
    lines = login(site, "recorder", target).text.splitlines()
    assert "Channel.2.Model=DS-2CD2043G0-I" in lines
    assert "Channel.2.Protocol=ONVIF" in lines
    rows = json.loads(login(site, "recorder", target, headers=("Accept: application/json",)).body)["RegisteredCameras"]
    assert [row["Channel"] for row in rows] == [0, 1, 2, 3]
    assert rows[2]["IPAddress"] == "192.168.50.13"
    assert "NG" in login(site, "hanwha", target).text


def test_unknown_paths(site):
    assert http(site, "axis", "/nothing").status == 404
    assert http(site, "uniview", "/nothing").status == 599
    assert http(site, "uniview", "/LAPI/V1.0/nothing").status == 401
    assert http(site, "axis", "/", method="DELETE").status == 405


def test_axis_describes_itself_over_upnp_without_a_login(site):
    text = http(site, "axis", "/rootdesc1.xml", port=49152).text
    assert "<manufacturer>AXIS</manufacturer>" in text
    assert "<serialNumber>B8A44F2C7013</serialNumber>" in text
    with pytest.raises(ConnectionRefusedError):
        connect(site, "hanwha", 49152)


def test_icons_follow_the_label_and_differ_between_families(site):
    icons = {name: http(site, name, "/favicon.ico").body for name in ("axis", "imposter", "dahua-tpc", "bosch")}
    assert icons["imposter"] == icons["axis"]
    assert len(set(icons.values())) == 3
    assert icons["bosch"].startswith(b"\0\0\1\0\1\0")


def test_head_tells_the_length_and_sends_no_body(site):
    whole, head = http(site, "axis", "/"), http(site, "axis", "/", method="HEAD")
    assert head.first("Content-Length") == str(len(whole.body))
    assert head.body == b""


@pytest.mark.parametrize(("name", "answers"), [("axis", 2), ("dahua-tpc", 1)])
def test_axis_keeps_a_connection_and_dahua_closes_it(site, name, answers):
    request = b"GET /favicon.ico HTTP/1.1\r\nHost: camera\r\n\r\n"
    assert talk(site, name, 80, request * 2).count(b"HTTP/1.1 200 OK") == answers


@pytest.mark.parametrize("wire", [
    b"GET /\r\n\r\n", b"\xff" * 400 + b"\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 50\r\n\r\nshort", b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n",
])
def test_what_is_no_request_ends_the_connection_and_harms_nothing(site, wire):
    with connect(site, "axis", 80) as connection:
        try:
            connection.sendall(wire)
            connection.shutdown(socket.SHUT_WR)
            reply = read_all(connection)
        except OSError:
            reply = b""                    # hung up with our bytes unread
    assert reply == b""
    assert http(site, "axis", "/").status == 200


def parsed(wire):
    async def feed():
        reader = asyncio.StreamReader()
        reader.feed_data(wire)
        reader.feed_eof()
        return await read_request(reader)

    return asyncio.run(feed())


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=80).map(lambda tail: b"GET /a HTTP/1.1\r\nA: " + tail)))
def test_reading_a_request_never_raises(wire):
    request = parsed(wire)
    assert request is None or (request.method and request.path and len(request.body) <= MAX_BODY)


@pytest.mark.parametrize(("target", "path", "query"), [
    ("/a%20b?x=1?y", "/a b", "x=1?y"), ("rtsp://10.0.0.1:554/cam/one?c=1", "/cam/one", "c=1"), ("rtsp://h", "/", ""),
    ("*", "*", ""), ("rtsp://[::1/x", "/x", ""),
])
def test_a_target_is_split_into_path_and_query(target, path, query):
    request = Request("GET", target, "HTTP/1.1")
    assert (request.path, request.query) == (path, query)


# --- ONVIF -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ONVIF)
@pytest.mark.parametrize("operation", ["GetSystemDateAndTime", "GetServices", "GetCapabilities"])
def test_pre_authentication_calls_are_open_everywhere(site, name, operation):
    reply = soap(site, name, operation)
    assert reply.status == 200
    assert f"<tds:{operation}Response>" in reply.text


NATURE = {  # GetScopes open, GetDeviceInformation open, status and challenge of a refusal
    "dahua-tpc": (True, False, 401, "Digest"), "imposter": (True, False, 401, "Digest"),
    "hikvision-dome": (False, False, 401, "Digest"), "uniview": (True, False, 400, ""),
    "tvt": (True, True, 400, ""), "xiongmai": (True, True, 400, ""), "axis": (False, False, 401, "Digest"),
    "hanwha": (False, False, 400, ""), "bosch": (False, False, 401, "Digest"), "unknown": (True, True, 401, "Basic"),
}


@pytest.mark.parametrize("name", NATURE)
def test_refusals_have_the_familys_form(site, name):
    scopes_open, information_open, status, scheme = NATURE[name]
    assert (soap(site, name, "GetScopes").status == 200) is scopes_open
    assert (soap(site, name, "GetDeviceInformation").status == 200) is information_open
    refused = soap(site, name, "GetUsers")
    assert refused.status == status
    assert refused.first("WWW-Authenticate").partition(" ")[0] == scheme
    assert ("ter:NotAuthorized" in refused.text) is (name not in ("dahua-tpc", "imposter"))


@pytest.mark.parametrize("name", ONVIF)
def test_the_right_token_opens_and_a_wrong_one_does_not(site, name):
    one, now = BY_NAME[name], stamp(device_time(site, name))
    told = soap(site, name, "GetDeviceInformation", header=wsse(one.user, one.password, now))
    assert told.status == 200
    assert f"<tds:Manufacturer>{one.manufacturer}</tds:Manufacturer>" in told.text
    for wrong in (wsse(one.user, "guess", now), wsse("other", one.password, now),
                  wsse(one.user, one.password, now, digest=False), wsse(one.user, one.password, "yesterday"),
                  wsse(one.user, one.password, stamp(device_time(site, name) - timedelta(minutes=6)))):
        refused = soap(site, name, "GetUsers", header=wrong)
        assert refused.status in (400, 401)
        assert "ter:NotAuthorized" in refused.text


def test_http_digest_opens_onvif_too(site):
    one, target = BY_NAME["axis"], "/onvif/device_service"
    challenge = soap(site, "axis", "GetUsers").first("WWW-Authenticate")
    line = answer_to(challenge, one.user, one.password, "POST", target)
    assert soap(site, "axis", "GetUsers", headers=(line,)).status == 200


def test_dahua_counts_the_attempts_left(site):
    def left():
        text = soap(site, "lorex", "GetUsers", header=wsse("admin", "guess", stamp(device_time(site, "lorex")))).text
        return int(re.search(r"(\d+) attempt", text)[1])

    first = left()
    assert left() == first - 1


@pytest.mark.parametrize("name", ["dahua-tpc", "lorex", "intelbras", "imposter"])
def test_dahua_inside_shows_in_the_nonce_whatever_the_label(site, name):
    challenge = fields(soap(site, name, "GetDeviceInformation").first("WWW-Authenticate"))
    assert re.fullmatch(rb"onvif-digest:\d+", base64.b64decode(challenge["nonce"]))
    assert challenge["realm"].startswith("AXIS_" if name == "imposter" else "Login to ")


def test_a_token_made_with_the_hosts_clock_fails_on_a_device_that_is_behind(site):
    host_time = device_time(site, "axis")
    assert host_time - device_time(site, "unknown") > timedelta(minutes=80)
    assert soap(site, "unknown", "GetUsers", header=wsse("admin", "lab-only-1", stamp(host_time))).status == 400


def test_media_is_given_away_by_the_anonymous_device_only(site):
    answers = {name: soap(site, name, "GetProfiles", namespace=MEDIA).status for name in ONVIF}
    assert [name for name, status in answers.items() if status == 200] == ["tvt"]
    uri = soap(site, "tvt", "GetStreamUri", namespace=MEDIA, inner="<ProfileToken>profile_token_0</ProfileToken>")
    assert f"<tt:Uri>rtsp://{site.address('tvt')}:20554/profile1</tt:Uri>" in uri.text
    assert "ter:NoProfile" in soap(site, "tvt", "GetStreamUri", namespace=MEDIA).text


def test_calls_that_no_device_has(site):
    now = stamp(device_time(site, "axis"))
    unknown = soap(site, "axis", "FormatEverything", header=wsse("root", "lab-only-1", now))
    assert (unknown.status, "ter:ActionNotSupported" in unknown.text) == (500, True)
    broken = http(site, "axis", "/onvif/device_service", method="POST", body=b"<not-soap/>")
    assert (broken.status, "ter:WellFormed" in broken.text) == (400, True)
    assert http(site, "axis", "/onvif/device_service").status == 405
    assert http(site, "flir", "/onvif/device_service", method="POST", body=b"<x/>").status == 404


def test_xiongmai_speaks_onvif_on_its_own_port(site):
    reply = soap(site, "xiongmai", "GetServices", port=8899)
    assert f"http://{site.address('xiongmai')}:8899/onvif/device_service" in reply.text


@pytest.mark.parametrize("name", ["hikvision-dome", "uniview"])
def test_the_library_of_the_field_can_read_a_device(site, name):
    onvif = pytest.importorskip("onvif")
    one = BY_NAME[name]
    camera = onvif.ONVIFCamera(site.address(name), site.port(80), one.user, one.password, no_cache=True)
    told = camera.devicemgmt.GetDeviceInformation()
    assert (told.Manufacturer, told.Model, told.FirmwareVersion) == (one.manufacturer, one.model, one.firmware)
    assert camera.devicemgmt.GetSystemDateAndTime().UTCDateTime.Date.Year == device_time(site, name).year
    assert any("hardware" in scope.ScopeItem for scope in camera.devicemgmt.GetScopes())
    assert site.address(name) in camera.devicemgmt.GetCapabilities({"Category": "All"}).Media.XAddr
    assert len(camera.create_media_service().GetProfiles()) == 2


# --- RTSP ------------------------------------------------------------------------------------------------------------

STREAMS = [
    ("dahua-tpc", "/cam/realmonitor?channel=1&subtype=0", "s=Media Server", ["Digest"]),
    ("imposter", "/cam/realmonitor?channel=1&subtype=0", "s=Media Server", ["Digest"]),
    ("hikvision-dome", "/Streaming/Channels/101", "s=Media Presentation", ["Digest", "Basic"]),
    ("uniview", "/media/video1", "s=Realtime stream", ["Digest"]),
    ("tvt", "/profile1", "s=streaming", ["Digest"]),
    ("axis", "/axis-media/media.amp", "a=tool:GStreamer", ["Digest"]),
    ("hanwha", "/profile2/media.smp", "s=RTSP Session", ["Digest"]),
    ("bosch", "/rtsp_tunnel", "s=LIVE VIEW", ["Digest"]),
    ("flir", "/avc", "s=IR stream", ["Digest"]),
    ("unknown", "/live/ch0", "a=tool:LIVE555", ["Digest"]),
]


@pytest.mark.parametrize("name", RTSP)
def test_options_is_open_and_lists_methods(site, name):
    reply = rtsp(site, name, "*", method="OPTIONS")
    assert reply.status == 200
    assert {"OPTIONS", "DESCRIBE"} <= {word.strip() for word in reply.first("Public").split(",")}
    assert reply.first("CSeq") == "7"


@pytest.mark.parametrize(("name", "path", "line", "schemes"), STREAMS)
def test_a_stream_is_described_to_the_right_login_only(site, name, path, line, schemes):
    one, uri = BY_NAME[name], f"rtsp://{site.address(name)}:554{path}"
    refused = rtsp(site, name, uri)
    assert refused.status == 401
    assert [value.partition(" ")[0] for value in refused.all("WWW-Authenticate")] == schemes

    def ask(target, password):
        challenge = rtsp(site, name, target).first("WWW-Authenticate")
        return rtsp(site, name, target, headers=(answer_to(challenge, one.user, password, "DESCRIBE", target),))

    described = ask(uri, one.password)
    assert described.status == 200
    assert described.first("Content-Type") == "application/sdp"
    assert line in described.text
    assert described.text.startswith("v=0\r\no=")
    assert "m=video 0 RTP/AVP 96" in described.text
    assert ask(uri, "guess").status == 401
    assert ask(f"rtsp://{site.address(name)}:554/camvet-{secrets.token_hex(4)}", one.password).status == 404


def test_the_anonymous_stream_is_one_path_and_not_any(site):
    path = "/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp?real_stream"
    assert rtsp(site, "xiongmai", f"rtsp://h{path}").status == 200
    assert rtsp(site, "xiongmai", "rtsp://h/camvet-random").status == 404
    assert rtsp(site, "xiongmai", f"rtsp://h{path}", method="SETUP").status == 461
    assert rtsp(site, "xiongmai", f"rtsp://h{path}", method="RECORD").status == 501


def test_paths_are_told_apart_by_case(site):
    one, uri = BY_NAME["hikvision-dome"], "rtsp://h/streaming/channels/101"
    challenge = rtsp(site, one.name, uri).first("WWW-Authenticate")
    line = answer_to(challenge, one.user, one.password, "DESCRIBE", uri)
    assert rtsp(site, one.name, uri, headers=(line,)).status == 404


def test_axis_has_a_nonce_of_its_own_form_and_the_imposter_cannot_make_it(site):
    real, false = (rtsp(site, name, "rtsp://h/x").first("WWW-Authenticate") for name in ("axis", "imposter"))
    assert re.fullmatch(r"[0-9a-f]{8}Y\d{10}[0-9a-f]{32}", fields(real)["nonce"])
    assert re.fullmatch(r"[0-9a-f]{32}", fields(false)["nonce"])
    assert fields(false)["realm"] == "AXIS_ACCC8E4B1207"


# --- beside real replies ---------------------------------------------------------------------------------------------

def shape(challenge):
    """A challenge with the values that differ from device to device taken out."""
    return re.sub(r'((?:realm|nonce)="?)[^",]*', r"\1", re.sub(r'(opaque=")[0-9a-f]+', r"\1", challenge))


@pytest.mark.parametrize(("sample", "ask"), [
    ("dahua/http-401_md5-qop-nospace.txt", lambda site: http(site, "lorex", "/cgi-bin/magicBox.cgi")),
    ("dahua/onvif-401_DH-P40A2-WT.txt", lambda site: soap(site, "dahua-tpc", "GetUsers")),
    ("dahua/rtsp-401_4M05CC9FAC28B0B.txt", lambda site: rtsp(site, "dahua-tpc", "rtsp://h/x")),
    ("hanwha/http-401-dual-digest.txt", lambda site: http(site, "hanwha", "/stw-cgi/system.cgi")),
    ("hanwha/rtsp-401_XNV-C8083R.txt", lambda site: rtsp(site, "hanwha", "rtsp://h/x")),
    ("axis/rtsp-401.txt", lambda site: rtsp(site, "axis", "rtsp://h/x")),
])
def test_challenges_have_the_shape_of_real_ones(site, sample, ask):
    path = SAMPLES / sample
    if not path.exists():
        pytest.skip("no real replies beside the checkout")
    real = Answer(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    ours = ask(site)
    assert [shape(line) for line in ours.all("WWW-Authenticate")] == [shape(li) for li in real.all("WWW-Authenticate")]
    assert ours.status == real.status
    assert ours.first("Server") == real.first("Server")


# --- TLS, telnet, silent ports ---------------------------------------------------------------------------------------

def certificate(site, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with connect(site, name, 443) as plain, context.wrap_socket(plain) as secured:
        secured.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert Answer(read_all(secured)).status == 200
        return x509.load_der_x509_certificate(secured.getpeercert(binary_form=True))


@pytest.mark.parametrize(("name", "part"), [
    ("axis", "O=Axis Communications AB"), ("axis", "CN=axis-b8a44f2c7013"), ("imposter", "O=Axis Communications AB"),
    ("imposter", "CN=axis-accc8e4b1207"), ("hanwha", "O=Hanwha Vision"), ("recorder", "O=Hanwha Vision"),
    ("bosch", "O=Bosch Sicherheitssysteme GmbH"), ("flir", "O=FLIR Systems AB"),
])
def test_certificates_carry_the_familys_subject(site, name, part):
    shown = certificate(site, name)
    assert part in shown.subject.rfc4514_string().split(",")
    assert shown.issuer == shown.subject
    assert isinstance(shown.public_key(), ec.EllipticCurvePublicKey)


def test_only_those_with_https_have_it(site):
    for one in PERSONAS:
        if "https" not in one.protocols:
            with pytest.raises(ConnectionRefusedError):
                connect(site, one.name, 443)


def test_telnet_prompts_on_one_device_only(site):
    assert b"login: " in talk(site, "xiongmai", 23, b"")
    for name in ("axis", "dahua-tpc", "switch"):
        with pytest.raises(ConnectionRefusedError):
            connect(site, name, 23)


@pytest.mark.parametrize(("name", "port"), [
    ("dahua-tpc", 37777), ("lorex", 35000), ("imposter", 37777), ("hikvision-dome", 8000), ("hikmicro", 8000),
    ("tvt", 9008), ("xiongmai", 34567), ("bosch", 1756),
])
def test_private_ports_are_open_and_say_nothing(site, name, port):
    assert talk(site, name, port, b"anything at all") == b""


def test_lorex_keeps_the_private_protocol_elsewhere(site):
    with pytest.raises(ConnectionRefusedError):
        connect(site, "lorex", 37777)


# --- the tables ------------------------------------------------------------------------------------------------------

def test_every_family_file_is_registered_and_every_persona_has_one():
    written = {path.stem for path in Path(families.__file__).parent.glob("*.py")} - {"__init__"}
    assert set(families.FAMILIES) == written
    assert {one.family for one in PERSONAS} <= written
