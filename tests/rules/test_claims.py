"""When a claim is proven, not proven or contradicted."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.claims import LONG_ENOUGH_S, Claim, Standing, Watch, check
from scanner.observation import Attempt, AttemptStatus, Observation, Reason

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = Watch(LONG_ENOUGH_S, "the mirror of switch 3", complete=True)
SEEN = Attempt("cam", "egress.capture", None, AttemptStatus.COMPLETED, NOW)
UNSEEN = Attempt("cam", "egress.capture", None, AttemptStatus.FAILED, NOW, Reason.NO_ANSWER)


def talk(destination="203.0.113.8", port=443, **fields):
    fields = {"destination": destination, "protocol": "tcp", "packets": 4, "bytes": 400, **fields}
    return Observation.of(device="cam", transport="egress", probe="egress.capture", port=port, at=NOW, fields=fields,
                          wire=repr(sorted(fields.items())).encode())


def heard(transport, **fields):
    return Observation.of(device="cam", transport=transport, probe="passive", port=None, at=NOW, fields=fields,
                          wire=b"x")


def port(number, state, **fields):
    return Observation.of(device="cam", transport="tcp", probe="tcp.connect", port=number, at=NOW,
                          fields={"state": state, **fields}, wire=f"{number}{state}".encode())


def reply(probe, transport, status, **fields):
    return Observation.of(device="cam", transport=transport, probe=probe, port=80, at=NOW,
                          fields={"status": status, **fields}, wire=f"{probe}{status}".encode())


def tried(probe, number, reason):
    return Attempt("cam", probe, number, AttemptStatus.FAILED, NOW, reason)


def configured(raw):
    return Observation.of(device="cam", transport="onvif", probe="onvif.GetProfiles", port=80, at=NOW, fields={},
                          wire=raw, raw=raw)


INSIDE = talk("10.0.0.1", 123)


@pytest.mark.parametrize(("claim", "seen", "attempts", "watch", "standing"), [
    (Claim.NO_NETWORK, [heard("link", mac="02:00:00:00:00:01")], [], None, Standing.CONTRADICTED),
    (Claim.NO_NETWORK, [INSIDE], [SEEN], DAY, Standing.CONTRADICTED),
    (Claim.NO_NETWORK, [heard("tcp", state="closed")], [UNSEEN], DAY, Standing.NOT_PROVEN),
    (Claim.NO_NETWORK, [heard("import", serial="1")], [], DAY, Standing.NOT_PROVEN),
    (Claim.NO_NETWORK, [], [UNSEEN], DAY, Standing.NOT_PROVEN),
    (Claim.NO_OUTSIDE, [INSIDE], [SEEN], DAY, Standing.PROVEN),
    (Claim.NO_OUTSIDE, [INSIDE, talk()], [SEEN], DAY, Standing.CONTRADICTED),
    (Claim.NO_OUTSIDE, [talk()], [UNSEEN], None, Standing.CONTRADICTED),
    (Claim.NO_OUTSIDE, [INSIDE], [SEEN], None, Standing.NOT_PROVEN),
    (Claim.NO_OUTSIDE, [INSIDE], [UNSEEN], DAY, Standing.NOT_PROVEN),
    (Claim.NO_OUTSIDE, [INSIDE], [SEEN], Watch(LONG_ENOUGH_S - 1, "x", complete=True), Standing.NOT_PROVEN),
    (Claim.NO_OUTSIDE, [INSIDE], [SEEN], Watch(LONG_ENOUGH_S * 9, "x", complete=False), Standing.NOT_PROVEN),
    (Claim.NO_CLOUD, [talk(purpose="p2p")], [SEEN], DAY, Standing.CONTRADICTED),
    (Claim.NO_CLOUD, [talk(cloud_of="dahua")], [SEEN], DAY, Standing.CONTRADICTED),
    (Claim.NO_CLOUD, [talk(port=53, purpose="dns")], [SEEN], DAY, Standing.NOT_PROVEN),
    (Claim.NO_P2P, [talk(signs=("pppp",))], [SEEN], DAY, Standing.CONTRADICTED),
    (Claim.NO_P2P, [talk("10.0.0.9", signs=("pppp",))], [SEEN], DAY, Standing.NOT_PROVEN),
    (Claim.NO_CLOUD, [INSIDE], [SEEN], DAY, Standing.PROVEN),
    (Claim.NO_P2P, [INSIDE], [SEEN], DAY, Standing.PROVEN),
    (Claim.NO_P2P, [INSIDE, talk(port=443)], [SEEN], DAY, Standing.NOT_PROVEN),
    (Claim.NO_P2P, [talk(signs=("stun",))], [SEEN], DAY, Standing.CONTRADICTED),
    (Claim.LOCAL_DNS, [INSIDE, talk("10.0.0.1", 53)], [SEEN], DAY, Standing.PROVEN),
    (Claim.LOCAL_DNS, [INSIDE], [SEEN], None, Standing.NOT_PROVEN),
    (Claim.LOCAL_DNS, [talk(port=53)], [SEEN], DAY, Standing.CONTRADICTED),
    (Claim.LOCAL_DNS, [talk(port=443, purpose="dns")], [SEEN], DAY, Standing.CONTRADICTED),
    (Claim.NO_UPNP, [INSIDE], [SEEN], DAY, Standing.PROVEN),
    (Claim.NO_UPNP, [INSIDE], [SEEN], Watch(1800, "x", complete=True), Standing.NOT_PROVEN),
    (Claim.NO_UPNP, [heard("ssdp", server="cam UPnP/1.0")], [], None, Standing.CONTRADICTED),
    (Claim.NO_UPNP, [talk("239.255.255.250", 1900)], [SEEN], DAY, Standing.CONTRADICTED),
    (Claim.NO_UPNP, [talk("10.0.0.1", 5000, signs=("port-mapping",))], [SEEN], DAY, Standing.CONTRADICTED),
    (Claim.NO_TELNET, [port(23, "closed")], [], None, Standing.PROVEN),
    (Claim.NO_TELNET, [], [tried("tcp.connect", 23, Reason.REFUSED)], None, Standing.PROVEN),
    (Claim.NO_TELNET, [], [tried("tcp.connect", 23, Reason.TIMEOUT)], None, Standing.NOT_PROVEN),
    (Claim.NO_TELNET, [port(23, "filtered")], [], None, Standing.NOT_PROVEN),
    (Claim.NO_TELNET, [INSIDE], [SEEN], DAY, Standing.NOT_PROVEN),
    (Claim.NO_TELNET, [port(23, "open")], [], None, Standing.CONTRADICTED),
    (Claim.NO_TELNET, [port(23, "closed"), port(9023, "open", service="telnet")], [], None, Standing.CONTRADICTED),
    (Claim.RTSP_LOGIN, [reply("rtsp.describe", "rtsp", 401)], [], None, Standing.PROVEN),
    (Claim.RTSP_LOGIN, [reply("rtsp.describe", "rtsp", 401), reply("rtsp.describe", "rtsp", 200)], [], None,
     Standing.CONTRADICTED),
    (Claim.RTSP_LOGIN, [reply("rtsp.describe", "rtsp", 200), reply("rtsp.describe_random_path", "rtsp", 200)], [], None,
     Standing.NOT_PROVEN),
    (Claim.RTSP_LOGIN, [reply("rtsp.options", "rtsp", 200)], [], None, Standing.NOT_PROVEN),
    (Claim.HTTP_LOGIN, [reply("http.root", "http", 401)], [], None, Standing.PROVEN),
    (Claim.HTTP_LOGIN, [reply("http.root", "http", 200)], [], None, Standing.NOT_PROVEN),
    (Claim.HTTP_LOGIN, [reply("http.root", "http", 401), reply("http.isapi", "http", 200, document="isapi")], [], None,
     Standing.CONTRADICTED),
    (Claim.HTTP_LOGIN, [reply("auth.isapi.device_info", "http", 200, document="isapi-device-info"),
                        reply("http.root", "http", 401)], [], None, Standing.PROVEN),
    (Claim.HTTP_LOGIN, [reply("onvif.GetProfiles", "onvif", 200, profiles=("main",))], [], None,
     Standing.CONTRADICTED),
    (Claim.ENCRYPTED, [heard("tls"), port(80, "closed"), port(23, "closed"), port(21, "closed")], [], None,
     Standing.PROVEN),
    (Claim.ENCRYPTED, [heard("tls"), reply("http.root", "http", 301, location="https://cam/"), port(23, "closed"),
                       port(21, "closed")], [], None, Standing.PROVEN),
    (Claim.ENCRYPTED, [heard("tls"), port(80, "closed"), port(23, "closed")], [], None, Standing.NOT_PROVEN),
    (Claim.ENCRYPTED, [port(80, "closed"), port(23, "closed"), port(21, "closed")], [], None, Standing.NOT_PROVEN),
    (Claim.ENCRYPTED, [heard("tls"), reply("http.root", "http", 200)], [], None, Standing.CONTRADICTED),
    (Claim.ENCRYPTED, [heard("tls"), port(23, "open")], [], None, Standing.CONTRADICTED),
    (Claim.NO_DATA, [], [SEEN], DAY, Standing.NOT_PROVEN),
    (Claim.NO_FACES, [], [SEEN], DAY, Standing.NOT_PROVEN),
    (Claim.NO_FACES, [configured(b'<tt:AnalyticsModule Name="m" Type="tt:CellMotionEngine">')], [], None,
     Standing.NOT_PROVEN),
    (Claim.NO_FACES, [configured(b'<tt:AnalyticsModule Name="m" Type="tt:FaceDetector">')], [], None,
     Standing.NOT_PROVEN),
    (Claim.NO_FACES, [configured(b'<tt:AnalyticsModule Name="m" Type="x:FaceRecognition">')], [], None,
     Standing.CONTRADICTED),
    (Claim.NO_DATA, [configured(b'<tt:Rule Name="r" Type="x:FaceLibCompare">')], [], None, Standing.CONTRADICTED),
    (Claim.NO_FACES, [configured(b'<tns1:RuleEngine><Recognition><Face wstop:topic="true"/>')], [], None,
     Standing.CONTRADICTED),
    (Claim.NO_FACES, [heard("http", xml_root="FaceContrast", body="<enabled>true</enabled>")], [], None,
     Standing.CONTRADICTED),
    (Claim.NO_FACES, [heard("http", xml_root="FaceContrast", body="<enabled>false</enabled>")], [], None,
     Standing.NOT_PROVEN),
    (Claim.NO_FACES, [heard("http", title="Face recognition camera", body="faceRecognition")], [], None,
     Standing.NOT_PROVEN),
])
def test_how_a_claim_stands(claim, seen, attempts, watch, standing):
    answer = check(claim, seen, attempts, watch)
    assert answer.standing is standing
    assert answer.because
    assert standing is not Standing.NOT_PROVEN or not answer.evidence
    assert standing is not Standing.CONTRADICTED or answer.evidence


def test_a_proof_says_how_long_and_from_where():
    answer = check(Claim.NO_OUTSIDE, [INSIDE], [SEEN], DAY)
    assert (answer.watched_s, answer.vantage) == (LONG_ENOUGH_S, "the mirror of switch 3")
    assert "24.0 hours from the mirror of switch 3" in answer.because


def test_a_proof_by_a_port_says_when_and_no_more():
    answer = check(Claim.NO_TELNET, [port(23, "closed")], [], None)
    assert answer.because == ("TCP 23 refused a connection on 2026-11-22T00:00:00.000Z from where the sweep asked; "
                              "other ports and other times are not covered")
    assert len(answer.evidence) == 1


@pytest.mark.parametrize("claim", [Claim.NO_NETWORK, Claim.NO_DATA, Claim.NO_FACES])
def test_some_claims_are_beyond_proof(claim):
    closed = [port(number, "closed") for number in (21, 23, 80)]
    month = Watch(LONG_ENOUGH_S * 30, "x", complete=True)
    assert check(claim, closed, [SEEN], month).standing is Standing.NOT_PROVEN


def test_words_of_a_label_are_no_packet():
    assert check(Claim.NO_NETWORK, [heard("label", model="X")], [], None).standing is Standing.NOT_PROVEN


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_hostile_octets_are_only_searched(raw):
    check(Claim.NO_FACES, [configured(raw), configured(b"<tt:AnalyticsModule " + raw)], [], None)


@pytest.mark.parametrize("claim", Claim)
def test_nothing_seen_proves_nothing(claim):
    assert check(claim, [], [], None).standing is Standing.NOT_PROVEN
    assert check(claim, [], [], DAY).standing is Standing.NOT_PROVEN
