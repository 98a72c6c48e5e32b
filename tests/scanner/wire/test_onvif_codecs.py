"""ONVIF: WS-Discovery, scopes and SOAP, with the replies that break named clients."""

from uuid import UUID

import pytest
from lxml import etree
from wire_samples import FAULT, INFORMATION, NOW, PROBE_MATCH, SOURCE, envelope

from scanner.observation import Refusal
from scanner.wire import http, scopes, soap, wsdiscovery
from scanner.wire.auth import Credentials, username_token

ID = UUID("0a000000-0000-4000-8000-0000000000ff")


def fields_of(found):
    assert not isinstance(found, Refusal), found
    return found


def test_probes_are_three_single_lines_with_the_right_years():
    sent = wsdiscovery.requests([UUID(int=1), UUID(int=2), UUID(int=3)])
    assert len(set(sent)) == 3
    for probe in sent:
        assert b"\n" not in probe
        root = etree.fromstring(probe)
        assert root.tag == "{http://www.w3.org/2003/05/soap-envelope}Envelope"
        assert root.find(".//{http://schemas.xmlsoap.org/ws/2004/08/addressing}MessageID") is not None
        assert root.find(".//{http://schemas.xmlsoap.org/ws/2005/04/discovery}Probe") is not None
        assert b"Scopes" not in probe
    assert b"dn:NetworkVideoTransmitter" in sent[0]
    assert b"tds:Device" in sent[1]
    assert b"Types" not in sent[2]


def test_a_probe_match_is_read():
    fields = fields_of(wsdiscovery.parse(PROBE_MATCH, SOURCE, NOW))
    assert fields["action"] == "ProbeMatches"
    assert fields["relates_to"] == str(ID)
    assert fields["types"] == ("NetworkVideoTransmitter", "Device")
    assert fields["device_name"] == "Front Door 2"
    assert fields["hardware"] == "C_100"
    assert fields["mac"] == "00:12:34:56:78:AB"
    assert fields["profiles"] == ("T",)
    assert fields["location"] == ("city/north yard",)
    assert fields["extensions"] == ("unique_identifier/1",)
    assert fields["xaddrs"][0] == "http://192.168.1.64/onvif/device_service"
    assert fields["endpoint_reference"] == "urn:uuid:11111111-2222-3333-4444-555555555555"


def test_a_fault_proves_presence():
    data = (
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value>'
        b"<e:Subcode><e:Value>wsdd:X</e:Value></e:Subcode></e:Code>"
        b"<e:Reason><e:Text>the xml format error</e:Text></e:Reason>"
        b"</e:Fault></e:Body></e:Envelope>"
    )
    assert fields_of(wsdiscovery.parse(data, SOURCE, NOW)) == {
        "action": "Fault",
        "fault_code": "e:Sender wsdd:X",
        "fault_reason": "the xml format error",
    }


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<x/>",
        INFORMATION,
        b"<!DOCTYPE x><Envelope/>",
        PROBE_MATCH + b" " * 70_000,
        b"<Envelope><Body><Probe/></Body></Envelope>",
    ],
)
def test_what_is_no_discovery_reply_is_refused(data):
    assert isinstance(wsdiscovery.parse(data, SOURCE, NOW), Refusal)


def test_a_flood_of_matches_is_capped():
    match = (
        b"<ProbeMatch><Scopes>"
        + b" ".join(b"onvif://www.onvif.org/type/%d" % n for n in range(100))
        + b"</Scopes></ProbeMatch>"
    )
    data = b"<Envelope><Body><ProbeMatches>" + match * 20 + b"</ProbeMatches></Body></Envelope>"
    assert len(fields_of(wsdiscovery.parse(data, SOURCE, NOW))["scopes"]) == 64


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("onvif://www.onvif.org/manufacturer/Acme%20Inc.", {"manufacturer": "Acme Inc."}),
        ("onvif://www.onvif.org/Model/H264", {"model": "H264"}),
        ("onvif://other.example/name/X", {"device_name": "X"}),
        ("onvif://www.onvif.org/name/", {}),
        ("onvif://www.onvif.org/", {}),
        ("http://x/name/y", {}),
        ("", {}),
        ("%%%", {}),
        ("onvif://www.onvif.org/mac/nonsense", {}),
        ("onvif://www.onvif.org/name/%E7%BD%91", {"device_name": "网"}),
        ("onvif://www.onvif.org/name/%ff%fe", {"device_name": "\ufffd\ufffd"}),
        ("onvif://www.onvif.org/name/%1b%5b31m", {"device_name": "[31m"}),
    ],
)
def test_scopes(scope, expected):
    assert {k: v for k, v in scopes.parse([scope]).items() if k != "scopes"} == expected


@pytest.mark.parametrize("operation", sorted(soap.OPERATIONS))
@pytest.mark.parametrize("soap11", [False, True])
def test_every_operation_is_a_read_in_a_minimal_envelope(operation, soap11):
    sent = soap.request(operation, soap11=soap11)
    root = etree.fromstring(sent)
    assert b"addressing" not in sent
    assert b"\n" not in sent
    assert operation.startswith("Get")
    assert etree.QName(root[-1][0]).localname == operation
    headers = soap.http_headers(operation, soap11=soap11)
    assert ("SOAPAction" in headers) is soap11


def test_arguments_are_escaped_and_a_token_fits_the_header():
    token = username_token(Credentials("a<b", "secret-word"), NOW, bytes(16))
    sent = soap.request("GetStreamUri", header=token, arguments={"ProfileToken": "x</t:ProfileToken>&"})
    root = etree.fromstring(sent)
    assert root.find(".//{*}ProfileToken").text == "x</t:ProfileToken>&"
    assert root.find(".//{*}Username").text == "a<b"
    assert b"secret-word" not in sent
    with pytest.raises(KeyError):
        soap.request("SetSystemFactoryDefault")


def test_device_information():
    fields = fields_of(soap.parse(INFORMATION, SOURCE, NOW))
    assert fields["operation"] == "GetDeviceInformation"
    assert (fields["manufacturer"], fields["model"], fields["hardware"]) == ("Acme", "C-100", "1.00")
    assert (fields["firmware"], fields["firmware_build"]) == ("2.800.0000000.29.R", "2021-06-30")
    assert fields["serial"] == "7E0A6B2PAG00001"


@pytest.mark.parametrize(
    ("manufacturer", "shown"),
    [
        ("<tds:Manufacturer>Da<!-- x -->hua</tds:Manufacturer>", "Dahua"),
        ("<tds:Manufacturer>Axis</tds:Manufacturer><tds:Manufacturer>Dahua</tds:Manufacturer>", "Axis / Dahua"),
        ("<tds:Manufacturer>Da\u200bhua</tds:Manufacturer>", "Dahua"),
        ("<x:Manufacturer>Dahua</x:Manufacturer>", "Dahua"),
        ("<tds:Manufacturer><b>Dahua</b></tds:Manufacturer>", "Dahua"),
        ("<tds:Manufacturer/>", None),
    ],
)
def test_no_disguise_hides_a_maker(manufacturer, shown):
    data = envelope(f"<tds:GetDeviceInformationResponse>{manufacturer}</tds:GetDeviceInformationResponse>")
    assert fields_of(soap.parse(data, SOURCE, NOW)).get("manufacturer") == shown


def test_a_fault_shows_how_many_attempts_are_left():
    fields = fields_of(soap.parse(FAULT, SOURCE, NOW))
    assert fields["operation"] == "Fault"
    assert fields["fault_code"] == "s:Sender ter:NotAuthorized"
    assert fields["attempts_left"] == 29


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("You still have 4 attempt(s).", 4),
        ("3 login attempts remaining", 3),
        ("attempts left: 2", 2),
        ("Remaining attempts: 5", 5),
        ("Sender not Authorized", None),
        ("error 500", None),
    ],
)
def test_attempts_left_in_several_words(text, left):
    fault = envelope(f"<s:Fault><faultcode>x</faultcode><faultstring>{text}</faultstring></s:Fault>")
    assert fields_of(soap.parse(fault, SOURCE, NOW)).get("attempts_left") == left


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\r\n\0", "empty"),
        (b"<html><title>Login</title></html>", "html"),
        (b"<!DOCTYPE html><html><title>Login</title></html>", "html"),
        (b"<x/>", "not_soap"),
        (b"Not Found", "not_xml"),
        (envelope(""), "empty"),
        (b"<!DOCTYPE x><s/>", "dtd"),
    ],
)
def test_what_is_no_soap_says_why(data, reason):
    found = soap.parse(data, SOURCE, NOW)
    assert isinstance(found, Refusal)
    assert found.reason == reason


def clock(*, year="2026", month="11", hour="7"):
    return envelope(
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:TimeZone><tt:TZ>UTC0"
        f"</tt:TZ></tt:TimeZone><tt:UTCDateTime><tt:Time><tt:Hour>{hour}</tt:Hour><tt:Minute>5</tt:Minute><tt:Second>60</tt:Second>"
        f"</tt:Time><tt:Date><tt:Year>{year}</tt:Year><tt:Month>{month}</tt:Month><tt:Day>22</tt:Day></tt:Date></tt:UTCDateTime>"
        "<tt:LocalDateTime><tt:Time><tt:Hour>23</tt:Hour></tt:Time></tt:LocalDateTime>"
        "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
    )


def test_device_time_is_the_utc_clock():
    fields = fields_of(soap.parse(clock(), SOURCE, NOW))
    assert fields["device_time"] == "2026-11-22T07:05:59Z"
    assert fields["time_source"] == "NTP"


@pytest.mark.parametrize(
    "wrong", [{"year": "0"}, {"year": "99999"}, {"month": "13"}, {"hour": "-1"}, {"hour": "x"}, {"month": ""}]
)
def test_an_impossible_clock_is_absent(wrong):
    fields = fields_of(soap.parse(clock(**wrong), SOURCE, NOW))
    assert "device_time" not in fields
    assert fields["operation"] == "GetSystemDateAndTime"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            ("<tds:GetServicesResponse><tds:Service><tds:Namespace>urn:a</tds:Namespace><tds:XAddr>http://10.0.0.1/a</tds:XAddr></tds:Service>"
            "</tds:GetServicesResponse>"),
            {"services": ("urn:a",), "xaddrs": ("http://10.0.0.1/a",)},
        ),
        (
            ("<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Media><tt:XAddr>http://10.0.0.1/m</tt:XAddr></tt:Media></tds:Capabilities>"
            "</tds:GetCapabilitiesResponse>"),
            {"services": ("Media",), "xaddrs": ("http://10.0.0.1/m",)},
        ),
        (
            "<tds:GetScopesResponse><tds:Scopes><tt:ScopeItem>onvif://www.onvif.org/name/A</tt:ScopeItem></tds:Scopes></tds:GetScopesResponse>",
            {"device_name": "A"},
        ),
        (
            ("<tds:GetNetworkInterfacesResponse><tt:Info><tt:HwAddress>00-12-34-56-78-ab</tt:HwAddress></tt:Info><tt:Address>10.0.0.1</tt:Address>"
            "</tds:GetNetworkInterfacesResponse>"),
            {"mac": "00:12:34:56:78:AB", "ipv4": "10.0.0.1"},
        ),
        (
            '<trt:GetProfilesResponse><trt:Profiles token="P1"/><trt:Profiles token="P2"/></trt:GetProfilesResponse>',
            {"profiles": ("P1", "P2")},
        ),
        (
            "<GetStreamUriResponse><MediaUri><Uri>rtsp://u:p@10.0.0.1/x</Uri></MediaUri></GetStreamUriResponse>",
            {"stream_uri": "rtsp://***@10.0.0.1/x"},
        ),
        (
            "<GetSnapshotUriResponse><MediaUri><Uri>http://u:p@10.0.0.1/x?a=1</Uri></MediaUri></GetSnapshotUriResponse>",
            {"operation": "GetSnapshotUri", "snapshot_uri": "http://***@10.0.0.1/x?a=1"},
        ),
        ("<tds:GetSnapshotUriResponse/>", {"operation": "GetSnapshotUri", "snapshot_uri": None}),
        ("<tds:GetUsersResponse/>", {"operation": "GetUsers"}),
    ],
)
def test_replies_of_other_operations(payload, expected):
    fields = fields_of(soap.parse(envelope(payload), SOURCE, NOW))
    assert {name: fields.get(name) for name in expected} == expected


def response(body, status=b"200 OK", extra=b""):
    found = http.read(b"HTTP/1.1 " + status + b"\r\n" + extra + b"\r\n" + body)
    assert not isinstance(found, Refusal)
    return found


def test_a_challenge_without_a_body_still_tells():
    fields = soap.parse_response(
        response(b"", b"401 x", b'WWW-Authenticate: Digest realm="Login to X", nonce="n"\r\n'), "GetScopes", SOURCE, NOW
    )
    assert (fields["status"], fields["realm"], fields["refusal"]) == (401, ("Login to X",), "empty")
    assert "operation" not in fields                                      # the question is no answer to it


def test_a_fault_with_status_200_is_a_fault_and_a_login_page_is_no_answer():
    fields = soap.parse_response(response(FAULT), "GetScopes", SOURCE, NOW)
    assert (fields["operation"], fields["status"], fields["attempts_left"]) == ("Fault", 200, 29)
    page = soap.parse_response(response(b"<html><title>Login</title>"), "GetScopes", SOURCE, NOW)
    assert page["refusal"] == "html"
    assert "operation" not in page
