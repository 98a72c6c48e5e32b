"""SNMP's one question and a router's list of opened ports: both ways, cut, damaged, and nothing that writes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.snmp import SNMP, SNMPresponse
from wire_samples import NOW, SOURCE

from lab.datagrams import snmp as lab_snmp
from lab.personas import persona
from scanner.observation import Refusal
from scanner.wire import igd, snmp

ROUTER = "urn:schemas-upnp-org:service:WANIPConnection:1"


def entry(**values):
    parts = {"NewExternalPort": "8554", "NewProtocol": "TCP", "NewInternalPort": "554", "NewEnabled": "1",
             "NewInternalClient": "192.168.1.7", "NewPortMappingDescription": "cam", **values}
    return ("<s:Envelope xmlns:s='x'><s:Body><u:GetGenericPortMappingEntryResponse xmlns:u='y'>"
            + "".join(f"<{name}>{value}</{name}>" for name, value in parts.items())
            + "</u:GetGenericPortMappingEntryResponse></s:Body></s:Envelope>").encode()


@pytest.mark.parametrize(("version", "named"), [(snmp.V1, "v1"), (snmp.V2C, "v2c")])
@given(number=st.integers(0, 2**31 - 1))
def test_another_reader_of_snmp_sees_one_get_request(version, named, number):
    read = SNMP(snmp.request(number, version))
    assert read.version.val == version
    assert read.community.val == b"public"
    assert type(read.PDU).__name__ == "SNMPget"
    assert read.PDU.id.val == number
    assert [one.oid.val for one in read.PDU.varbindlist] == [snmp.SYS_DESCR, snmp.SYS_OBJECT_ID]


@given(number=st.integers(0, 2**31 - 1))
def test_the_lab_answers_and_the_codec_reads_it(number):
    (reply,) = lab_snmp.answer(persona("axis"), snmp.request(number), "10.0.0.1")
    assert snmp.parse_response(reply, SOURCE, NOW) == {"version": "v2c", "sys_descr": "AXIS P3245-LV 12.5.68"}


@pytest.mark.parametrize(("number", "version"), [(-1, 1), (1 << 31, 1), (1, 3)])
def test_only_the_two_versions_are_asked_in(number, version):
    with pytest.raises(ValueError, match="version"):
        snmp.request(number, version)


def test_a_reply_cut_anywhere_is_refused_or_poorer():
    (reply,) = lab_snmp.answer(persona("axis"), snmp.request(7), "10.0.0.1")
    for length in range(len(reply)):
        found = snmp.parse_response(reply[:length], SOURCE, NOW)
        assert isinstance(found, Refusal) or "sys_descr" not in found


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x30\x80", snmp.request(1), bytes(5000)])
def test_what_is_no_response_is_refused(data):
    assert isinstance(snmp.parse_response(data, SOURCE, NOW), Refusal)


def test_an_error_status_is_told():
    reply = SNMP(version=1, community="public", PDU=SNMPresponse(id=7, error=16, varbindlist=[]))
    assert snmp.parse_response(bytes(reply), SOURCE, NOW) == {"version": "v2c", "error": 16}


def test_an_entry_is_read():
    assert igd.parse_mapping(entry(), SOURCE, NOW) == {
        "external_port": 8554, "protocol": "tcp", "internal_client": "192.168.1.7", "internal_port": 554,
        "enabled": True, "description": "cam"}


@pytest.mark.parametrize(("word", "enabled"), [("0", False), ("false", False), ("1", True), ("yes", True)])
def test_whether_it_is_on_is_read_in_every_spelling(word, enabled):
    assert igd.parse_mapping(entry(NewEnabled=word), SOURCE, NOW)["enabled"] is enabled


def test_the_end_of_the_list_is_an_error_and_no_entry():
    fault = b"<e><UPnPError><errorCode>713</errorCode><errorDescription>no</errorDescription></UPnPError></e>"
    found = igd.parse_mapping(fault, SOURCE, NOW)
    assert found == {"error_code": 713, "error": "no"}
    assert found["error_code"] in igd.END_OF_LIST


@pytest.mark.parametrize("kind", ["WANIPConnection:1", "WANPPPConnection:1", "WANIPConnection:2"])
def test_only_the_question_is_ever_written(kind):
    service = f"urn:schemas-upnp-org:service:{kind}"
    body = igd.request(service, 3)
    assert body.count(b"GetGenericPortMappingEntry") == 2
    assert b"<NewPortMappingIndex>3</NewPortMappingIndex>" in body
    assert igd.http_headers(service)["SOAPAction"] == f'"{service}#GetGenericPortMappingEntry"'


@pytest.mark.parametrize(("service", "index"), [
    ("urn:schemas-upnp-org:service:WANIPConnection:1'><evil", 0), ("urn:x:service:Switch:1", 0), (ROUTER, -1),
    (ROUTER, 65_536),
])
def test_no_other_service_is_asked(service, index):
    with pytest.raises(ValueError, match="WAN connection"):
        igd.request(service, index)


@pytest.mark.parametrize(("control", "path"), [
    ("/ctl", "/ctl"), ("ctl", "/ctl"), ("http://198.51.100.1:81/ctl?a=b", "/ctl?a=b"), ("//198.51.100.1/x", "/x"),
])
def test_of_a_control_address_only_the_path_is_kept(control, path):
    text = f"<root><service><serviceType>{ROUTER}</serviceType><controlURL>{control}</controlURL></service></root>"
    found = igd.parse_description(text.encode(), SOURCE, NOW)
    assert found["control_paths"] == (path,)


def test_a_device_without_such_a_list_is_no_gateway():
    assert igd.parse_description(b"<root><device/></root>", SOURCE, NOW) == Refusal("no_gateway")
