"""The lab's datagrams say what the protocol sheets say, at the byte, and stay silent where the firmware would."""

import asyncio
import json
import socket
import struct
import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab_requests import (
    BOSCH,
    DHIP,
    DHIP_JSON,
    GVCP,
    HANWHA,
    MHED,
    NVT,
    PROBE_ID,
    REQUESTS,
    SADP,
    TDS,
    XIONGMAI,
    probe,
)
from lxml import etree
from scapy.layers.dns import DNS, DNSQR

from lab import datagrams
from lab.datagrams import wsd
from lab.persona import Persona
from lab.personas import PERSONAS, persona
from lab.udp import serve_datagrams

ADDRESS = "10.20.30.40"


def ask(name: str | Persona, port: int, data: bytes) -> list[bytes]:
    return datagrams.answer(persona(name) if isinstance(name, str) else name, port, data, ADDRESS)


def one(name: str | Persona, port: int, data: bytes) -> bytes:
    (reply, *_rest) = ask(name, port, data)
    return reply


@pytest.mark.parametrize("who", PERSONAS, ids=lambda each: each.name)
def test_a_device_answers_exactly_the_protocols_it_speaks(who: Persona) -> None:
    answering = {datagrams.PORTS[port] for port, request in REQUESTS.items() if ask(who, port, request)}
    assert answering == who.protocols & set(datagrams.PORTS.values())


@given(port=st.sampled_from(sorted(datagrams.PORTS)), data=st.binary(max_size=400),
       who=st.sampled_from(PERSONAS))
def test_garbage_is_met_with_silence_and_never_raises(port: int, data: bytes, who: Persona) -> None:
    assert data in REQUESTS.values() or ask(who, port, data) == []


@pytest.mark.parametrize("port", sorted(REQUESTS))
def test_a_request_cut_anywhere_never_raises(port: int) -> None:
    everything = frozenset(datagrams.PORTS.values())
    for who in PERSONAS:
        for cut in range(0, len(REQUESTS[port]), 7):
            ask(replace(who, protocols=everything), port, REQUESTS[port][:cut])


# -- WS-Discovery ---------------------------------------------------------------------------------------------------

def read_match(reply: bytes) -> dict[str, str]:
    document = etree.fromstring(reply)
    return {etree.QName(node).localname: node.text or "" for node in document.iter() if not len(node)}


def test_wsd_reply_relates_to_the_probe_and_lists_types_scopes_and_addresses() -> None:
    fields = read_match(one("dahua-tpc", 3702, probe(NVT)))
    assert fields["RelatesTo"] == PROBE_ID
    assert fields["Types"] == "dn:NetworkVideoTransmitter tds:Device"
    assert fields["XAddrs"] == f"http://{ADDRESS}/onvif/device_service"
    assert "onvif://www.onvif.org/extension/unique_identifier/1" in fields["Scopes"].split()
    assert uuid.UUID(fields["Address"].removeprefix("urn:uuid:"))


@pytest.mark.parametrize(("name", "inner", "answers"), [
    ("axis", NVT, True), ("axis", TDS, True), ("axis", "", True),
    ("unknown", NVT, True), ("unknown", TDS, False),
    ("printer", "", True), ("printer", NVT, False), ("printer", TDS, False),
    ("printer", '<d:Types xmlns:p="http://schemas.xmlsoap.org/ws/2006/02/devprof">p:Device</d:Types>', True),
    ("axis", '<d:Types xmlns:dn="urn:wrong">dn:NetworkVideoTransmitter</d:Types>', False),
    ("axis", "<d:Scopes>onvif://www.onvif.org/Profile/Streaming</d:Scopes>", True),
    ("axis", "<d:Scopes>onvif://www.onvif.org/Profile/Stream</d:Scopes>", False),
    ("axis", "<d:Scopes></d:Scopes>", True),
])
def test_wsd_matches_types_and_scopes(name: str, inner: str, answers: bool) -> None:
    assert bool(ask(name, 3702, probe(inner))) is answers


@pytest.mark.parametrize(("old", "new"), [
    (b"2003/05/soap-envelope", b"2002/12/soap-envelope"), (b"ws/2004/08", b"ws/2005/08"),
    (b"2005/04/disc", b"2009/01/disc"),
    (b"discovery/Probe", b"discovery/Bye"), (b"<d:Probe></d:Probe>", b""), (b"MessageID", b"MessageNo"),
])
def test_wsd_of_another_year_or_kind_is_ignored(old: bytes, new: bytes) -> None:
    assert old in probe()
    assert ask("axis", 3702, probe().replace(old, new)) == []


def test_only_hikvision_ignores_a_probe_of_several_lines() -> None:
    pretty = probe().replace(b"><", b">\n<")
    assert ask("hikvision-dome", 3702, pretty) == [] != ask("hikvision-dome", 3702, probe())
    assert ask("axis", 3702, pretty)


def test_hanwha_drops_urn_from_relates_to() -> None:
    assert read_match(one("hanwha", 3702, probe()))["RelatesTo"] == PROBE_ID.removeprefix("urn:")


@pytest.mark.parametrize(("name", "scope"), [
    ("hikvision-dome", "onvif://www.onvif.org/MAC/c0:56:e3:44:19:0e"),
    ("hikvision-dome", "onvif://www.onvif.org/name/HIKVISION%20DS-2CD2143G0-I"),
    ("imposter", "onvif://www.onvif.org/name/AXIS%20P3245-LV"), ("imposter", "onvif://www.onvif.org/extension/unique_identifier/1"),
    ("axis", "onvif://www.onvif.org/name/AXIS%20P3245-LV"), ("uniview", "onvif://www.onvif.org/name/UNV"),
    ("unknown", "onvif://www.onvif.org/Name/IPCAM"), ("bosch", "onvif://www.onvif.org/name/BOSCH-044518720061420023"),
])
def test_scopes_carry_what_the_maker_writes(name: str, scope: str) -> None:
    assert scope in wsd.scopes(persona(name))


def test_a_persona_may_override_scopes_and_addresses() -> None:
    odd = replace(persona("lorex"), options={"scopes": "onvif://a onvif://b", "xaddrs": "http://10.0.0.9/x?a=1&b=2"})
    fields = read_match(one(odd, 3702, probe()))
    assert (fields["Scopes"], fields["XAddrs"]) == ("onvif://a onvif://b", "http://10.0.0.9/x?a=1&b=2")


def test_addresses_a_device_hands_out_point_elsewhere_as_in_the_field() -> None:
    assert read_match(one("unknown", 3702, probe()))["XAddrs"] == "http://192.168.1.88:80/onvif/device_service"
    assert "http://169.254." in read_match(one("axis", 3702, probe()))["XAddrs"]
    assert read_match(one("xiongmai", 3702, probe()))["XAddrs"] == f"http://{ADDRESS}:8899/onvif/device_service"


# -- makers' own protocols ------------------------------------------------------------------------------------------

def test_sadp_reply_has_the_firmwares_spelling() -> None:
    reply = one("hikvision-dome", 37020, SADP).decode()
    fields = {etree.QName(node).localname: node.text for node in etree.fromstring(reply.encode())}
    assert fields["Uuid"] == "6F1C36A2-0A6F-4F7B-8C55-0B6B4F2E9A11"
    assert fields["DeviceDescription"] == "DS-2CD2143G0-I"
    assert fields["DeviceSN"] == "DS-2CD2143G0-I20191104AAWRD71284605W"
    assert fields["SoftwareVersion"] == "V5.5.82build 190909"
    assert (fields["MAC"], fields["CommandPort"]) == ("c0-56-e3-44-19-0e", "8000")
    assert (fields["DHCP"], fields["Activated"]) == ("flase", "true")


def test_sadp_writes_an_oem_text_raw_and_in_gbk() -> None:
    def with_text(text: str) -> bytes:
        return one(replace(persona("hikvision-dome"), options={"oem_info": text}), 37020, SADP)

    assert b"<OEMInfo>Smith & Sons</OEMInfo>" in with_text("Smith & Sons")
    assert "<OEMInfo>海康</OEMInfo>".encode("gbk") in with_text("海康")


@pytest.mark.parametrize("verb", ["update", "activate", "reset", "Inquiry", ""])
def test_sadp_answers_no_other_verb(verb: str) -> None:
    assert ask("hikvision-dome", 37020, SADP.replace(b"inquiry", verb.encode())) == []


def test_dhip_reply_is_framed_and_names_vendor_and_model() -> None:
    reply = one("imposter", 37810, DHIP)
    assert struct.unpack_from("<I4sII", reply) == (32, b"DHIP", 0, 0)
    assert struct.unpack_from("<QQ", reply, 16) == (len(reply) - 32, len(reply) - 32)
    document = json.loads(reply[32:])
    device, who = document["params"]["deviceInfo"], persona("imposter")
    assert (document["method"], document["mac"]) == ("client.notifyDevInfo", "3c:ef:8c:6d:41:0d")
    assert (device["Vendor"], device["DeviceType"]) == ("General", who.model)
    assert (device["SerialNo"], device["Port"]) == (who.serial, 37777)
    assert json.loads(one("lorex", 37810, DHIP)[32:])["params"]["deviceInfo"]["Port"] == 35000


@pytest.mark.parametrize("request_bytes", [
    DHIP_JSON, DHIP.replace(b"DHIP", b"PIHD"), b"\xff", DHIP[:31], DHIP + b"x", DHIP.replace(b"search", b"config"),
    DHIP[:16] + struct.pack("<QQ", 5, 5) + DHIP[32:],
    struct.pack("<I4sIIQQ", 32, b"DHIP", 0, 0, 100_000, 100_000) + b"[" * 100_000,
], ids=["bare", "reversed", "one-byte", "short", "trailing", "other-method", "wrong-length", "deep"])
def test_dhip_wants_its_frame(request_bytes: bytes) -> None:
    assert ask("dahua-tpc", 37810, request_bytes) == []


def test_mhed_announce_has_240_bytes_with_fields_in_place() -> None:
    reply = one("tvt", 23456, MHED)
    assert len(reply) == 240
    assert struct.unpack_from("<4sII", reply) == (b"MHED", 0x00010009, 2)
    assert reply[32:38] == bytes.fromhex("585b69c13e11")
    assert socket.inet_ntoa(reply[40:44]) == ADDRESS
    assert struct.unpack_from("<I", reply, 56) == (20220817,)
    assert struct.unpack_from("<HHI", reply, 60) == (80, 554, 2)
    assert reply[196:212].rstrip(b"\0") == b"DCN-BM8127AIN"
    assert reply[212:228].rstrip(b"\0") == b"DVC"


@pytest.mark.parametrize("command", [2, 3, 4, 0x10])
def test_mhed_ignores_commands_that_are_no_search(command: int) -> None:
    assert ask("tvt", 23456, MHED[:8] + struct.pack("<I", command) + MHED[12:]) == []


def test_xiongmai_reply_gives_addresses_as_little_endian_words() -> None:
    reply = one("xiongmai", 34569, XIONGMAI)
    assert (reply[:2], struct.unpack_from("<HI", reply, 14)) == (b"\xff\x01", (1531, len(reply) - 20))
    assert reply.endswith(b"\n\0")
    common = json.loads(reply[20:].rstrip(b"\n\0"))["NetWork.NetCommon"]
    assert (common["HostIP"], common["MAC"]) == ("0x281E140A", "00:3e:0b:17:62:12")
    assert (common["TCPPort"], common["SN"]) == (34567, "a3f1c09e5b7d2684")


@pytest.mark.parametrize("message", [1532, 1533, 1000])
def test_xiongmai_ignores_messages_that_write(message: int) -> None:
    assert ask("xiongmai", 34569, XIONGMAI[:14] + struct.pack("<HI", message, 0)) == []


def test_gvcp_ack_carries_the_bootstrap_block() -> None:
    reply = one("flir", 3956, GVCP)
    assert (len(reply), struct.unpack_from(">HHHH", reply)) == (256, (0, 3, 0xF8, 7))
    assert reply[0x12:0x18] == bytes.fromhex("00407f8b0117")
    assert socket.inet_ntoa(reply[0x2C:0x30]) == ADDRESS
    assert reply[0x50:0x70].rstrip(b"\0") == b"FLIR Systems AB"
    assert reply[0x70:0x90].rstrip(b"\0") == persona("flir").model.encode()
    assert reply[0xE0:0xF0].rstrip(b"\0") == b"89900217"


@pytest.mark.parametrize("data", ["4211000200000000", "4210000200000007", "4211008200000007", "421100020001000700"])
def test_gvcp_answers_only_a_discovery_that_wants_an_ack(data: str) -> None:
    assert ask("flir", 3956, bytes.fromhex(data)) == []


def test_hanwha_reply_has_texts_in_place() -> None:
    reply = one("hanwha", 7701, HANWHA)
    assert (len(reply), reply[0]) == (0x106, 0x0B)
    assert reply[0x13:0x25] == b"00:09:18:6E:3A:15\0"
    assert reply[0x25:0x35].rstrip(b"\0") == ADDRESS.encode()
    assert reply[0x6D:0x77].rstrip(b"\0") == b"XNO-6080R"
    assert reply[0x85:].startswith(b"http://")


def test_bosch_sends_the_block_and_then_the_sheet() -> None:
    block, sheet = ask("bosch", 1757, BOSCH)
    assert (len(block), block[:8]) == (32, bytes.fromhex("9939a42700c0ffee"))
    assert block[8:14] == bytes.fromhex("00075fa24c16")
    assert socket.inet_ntoa(block[0x10:0x14]) == ADDRESS
    fields = {etree.QName(node).localname: node.text for node in etree.fromstring(sheet)}
    assert (fields["serialNumber"], fields["RCPPort"]) == ("044518720061420023", "1756")
    assert len(ask(replace(persona("bosch"), options={"bosch_xml": "no"}), 1757, BOSCH)) == 1


# -- mDNS -----------------------------------------------------------------------------------------------------------

def query(name: str, kind: str = "PTR", identifier: int = 0) -> bytes:
    return bytes(DNS(id=identifier, rd=0, qd=DNSQR(qname=name, qtype=kind)))


def test_axis_names_itself_and_its_mac() -> None:
    reply = DNS(one("axis", 5353, query("_axis-video._tcp.local")))
    (pointer,) = reply.an
    assert (reply.id, reply.qr, reply.aa) == (0, 1, 1)
    assert pointer.rdata == b"AXIS P3245-LV - B8A44F2C7013._axis-video._tcp.local."
    texts = [text for record in reply.ar if record.type == 16 for text in record.rdata]
    assert b"macaddress=B8A44F2C7013" in texts
    assert ADDRESS in [record.rdata for record in reply.ar if record.type == 1]


def test_flir_is_found_under_its_own_service() -> None:
    reply = DNS(one("flir", 5353, query("_flir-ircam._tcp.local")))
    assert reply.an[0].rdata == b"FLIR A400._flir-ircam._tcp.local."


def test_an_instance_with_a_dot_in_its_name_stays_one_label() -> None:
    dotted = replace(persona("flir"), options={"mdns_instance": "A400 v1.2"})
    reply = one(dotted, 5353, query("_flir-ircam._tcp.local"))
    assert b"\x09A400 v1.2\x0b_flir-ircam" in reply
    assert ask(dotted, 5353, b"\0\0\0\0\0\x01\0\0\0\0\0\0\x09A400 v1.2\x0b_flir-ircam\x04_tcp\x05local\0\0\x21\0\x01")


def test_a_legacy_query_gets_its_id_and_question_back() -> None:
    reply = DNS(one("axis", 5353, query("_axis-video._tcp.local", identifier=77)))
    assert (reply.id, reply.qdcount, reply.qd[0].qname) == (77, 1, b"_axis-video._tcp.local.")
    assert {record.ttl for record in reply.an} == {10}


@pytest.mark.parametrize("data", [
    query("_dahua._tcp.local"), query("_axis-video._tcp.local", "A"), query("_axis-video._tcp.local")[:14],
    b"\0\0\x84\0" + query("_axis-video._tcp.local")[4:], b"\0\0\0\0\0\x01\0\0\0\0\0\0\xc0\x0c\0\x0c\0\x01",
], ids=["other", "wrong-type", "cut", "response", "pointer-loop"])
def test_mdns_is_silent_otherwise(data: bytes) -> None:
    assert ask("axis", 5353, data) == []


# -- sockets --------------------------------------------------------------------------------------------------------

def exchange(who: Persona, address: str, port: int, request: bytes, listen: tuple[str, int]) -> bytes | None:
    """One request over loopback from a socket bound to `listen`; None for silence."""

    async def run() -> bytes | None:
        device = await serve_datagrams(who, address)
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setblocking(False)
            sock.bind(listen)
            await loop.sock_sendto(sock, request, (address, port))
            try:
                return await asyncio.wait_for(loop.sock_recv(sock, 65535), 1.0)
            except TimeoutError:
                return None
            finally:
                device.close()

    return asyncio.run(run())


@pytest.mark.parametrize(("name", "port", "listen"), [
    ("dahua-tpc", 37810, ("127.78.1.1", 0)), ("hikvision-dome", 37020, ("127.78.1.1", 37020)),
    ("hanwha", 7701, ("127.78.1.1", 7711)), ("bosch", 1757, ("127.78.1.1", 1758)),
    ("xiongmai", 34569, ("127.78.1.1", 34569)), ("tvt", 23456, ("127.78.1.1", 0)),
])
def test_a_served_device_answers_to_the_port_its_protocol_fixes(name: str, port: int, listen: tuple[str, int]) -> None:
    assert exchange(persona(name), "127.78.1.2", port, REQUESTS[port], listen) == \
        datagrams.answer(persona(name), port, REQUESTS[port], "127.78.1.2")[0]


def test_a_served_device_is_silent_to_garbage() -> None:
    assert exchange(persona("dahua-tpc"), "127.78.1.3", 37810, DHIP_JSON, ("127.78.1.1", 0)) is None


def test_a_served_device_opens_only_its_own_ports_and_closes_them() -> None:
    async def run() -> tuple[tuple[int, ...], tuple[int, ...]]:
        device = await serve_datagrams(persona("flir"), "127.78.1.4")
        before = device.ports
        device.close()
        device.close()
        return before, device.ports

    assert asyncio.run(run()) == ((3956, 5353), ())
