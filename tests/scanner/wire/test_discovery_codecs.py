"""Vendor discovery: requests byte for byte, replies field for field."""

import json
import struct
from uuid import UUID

import pytest
from wire_samples import (
    BOSCH_REPLY,
    BOSCH_SHEET,
    DAHUA_V1_REPLY,
    DEVICE_INFO,
    DHIP_REPLY,
    GVCP_REPLY,
    HANWHA_REPLY,
    MAC_TEXT,
    MDNS_REPLY,
    MHED_REPLY,
    NOW,
    PANASONIC_REPLY,
    SADP_REPLY,
    SONY_REPLY,
    SOURCE,
    SSDP_REPLY,
    TPLINK_REPLY,
    VIVOTEK_REPLY,
    XIONGMAI_REPLY,
    dns_name,
)

from scanner.observation import Endpoint, Refusal
from scanner.wire import (
    bosch,
    dahua_v1,
    dhip,
    gvcp,
    hanwha,
    mdns,
    mhed,
    panasonic,
    sadp,
    sony,
    ssdp,
    tplink,
    vivotek,
    xiongmai,
)

HERE = "10.1.2.3"


def fields_of(found):
    assert not isinstance(found, Refusal), found
    return found


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (
            sadp.request(UUID(int=255)),
            (b'<?xml version="1.0" encoding="utf-8"?><Probe><Uuid>00000000-0000-0000-0000-0000000000FF</Uuid>'
            b"<Types>inquiry</Types></Probe>"),
        ),
        (
            dhip.request(),
            b"\x20\0\0\0DHIP"
            + bytes(8)
            + struct.pack("<QQ", 59, 59)
            + b'{"method":"DHDiscover.search","params":{"mac":"","uni":1}}\n',
        ),
        (dahua_v1.request(), bytes.fromhex("a3010001") + bytes(12) + b"\x02" + bytes(15)),
        (mhed.request(), bytes.fromhex("4d4845440800010001000000") + bytes(128)),
        (xiongmai.request(), bytes.fromhex("ff00000000000000000000000000fa0500000000")),
        (gvcp.request(7), bytes.fromhex("4211000200000007")),
        (hanwha.request(), b"\x01" + bytes(261)),
        (bosch.request(0x01020304), bytes.fromhex("9939a42701020304ff0006de")),
        (vivotek.request(9), bytes.fromhex("094a5d8f1c")),
        (sony.request(), b"\x02ENQ:allinfo\xff\x03"),
        (
            panasonic.request(MAC_TEXT, HERE),
            bytes.fromhex("00010000000d0000000000000012345678ab0a010203000120111e11231f1e19130000020000")
            + bytes(8)
            + bytes.fromhex("0000ffff0000"),
        ),
        (tplink.request(), bytes.fromhex("020000010000000000000000463cb5d3")),
    ],
)
def test_requests_byte_for_byte(sent, expected):
    assert sent == expected


def test_request_sizes_and_limits():
    assert (len(mhed.request()), len(hanwha.request()), len(panasonic.request("", HERE))) == (140, 0x106, 52)
    with pytest.raises(ValueError, match="request ids"):
        gvcp.request(0)
    with pytest.raises(ValueError, match="label"):
        mdns.request(["a" * 64 + ".local"])
    assert b'"mac":"00:12:34:56:78:ab"' in dhip.request("00-12-34-56-78-AB")
    assert b'"mac":""' in dhip.request('","x":"')


COMMON = {"mac": MAC_TEXT, "ipv4": HERE}


@pytest.mark.parametrize(
    ("codec", "reply", "expected"),
    [
        (
            sadp,
            SADP_REPLY,
            {
                "model": "DS-0000 A&B",
                "mac": MAC_TEXT,
                "ipv4": "192.168.1.64",
                "firmware": "V5.6.10",
                "firmware_build": "230721",
                "activated": False,
                "dhcp": True,
                "command_port": 8000,
                "recovered": True,
                "serial": "DS-000020240512AAWR000000001",
                "oem_info": "N/A",
            },
        ),
        (
            dhip,
            DHIP_REPLY,
            {
                **COMMON,
                "model": "C-100",
                "vendor": "Acme",
                "manufacturer": "Private",
                "firmware": "2.800.0000000.3.R",
                "firmware_build": "2021-06-30",
                "serial": "7E0A6B2PAG00001",
                "init": 1162,
                "channels": 1,
                "port": 37777,
            },
        ),
        (
            dahua_v1,
            DAHUA_V1_REPLY,
            {**COMMON, "model": "IPC-LONG", "device_type": "IPC", "serial": "7E0A", "device_name": "yard"},
        ),
        (
            mhed,
            MHED_REPLY,
            {
                **COMMON,
                "model": "C-100",
                "manufacturer": "Acme",
                "firmware": "5.1.4.3",
                "build": "20220817",
                "port": 9008,
                "rtsp_port": 554,
                "device_type": "IPC",
                "serial": "N2C0",
                "channels": 1,
            },
        ),
        (mhed, MHED_REPLY[:100], {**COMMON, "firmware": "5.1.4.0", "model": None, "device_type": "IPC"}),
        (
            xiongmai,
            XIONGMAI_REPLY,
            {**COMMON, "serial": "a3f1", "port": 34567, "ssl_port": 8443, "firmware": "4.03", "channels": 1},
        ),
        (
            gvcp,
            GVCP_REPLY,
            {
                **COMMON,
                "manufacturer": "Acme Thermal",
                "model": "T-400",
                "firmware": "3.42",
                "serial": "8990",
                "version": "2.1",
                "info": "note",
                "user_name": "gate",
            },
        ),
        (hanwha, HANWHA_REPLY, {**COMMON, "model": "C-100", "url": "http://10.1.2.3"}),
        (bosch, BOSCH_REPLY, {**COMMON, "transaction": 7}),
        (
            bosch,
            BOSCH_SHEET,
            {"mac": MAC_TEXT, "friendly_name": "DINION", "serial": "0445", "rcp_port": 1756, "device_guid": "42-a7"},
        ),
        (vivotek, VIVOTEK_REPLY, {**COMMON, "model": "IB9389", "device_name": "Yard"}),
        (sony, SONY_REPLY, {**COMMON, "model": "SNC-X", "serial": "1000", "firmware": "1.79", "http_port": 80}),
        (panasonic, PANASONIC_REPLY, {**COMMON, "model": "WV-X", "firmware": "1.80", "device_name": "Network Camera"}),
        (
            tplink,
            TPLINK_REPLY,
            {**COMMON, "model": "C100", "firmware": "1.3.14 Build 240513 Rel.43631n(5553)", "factory_default": False},
        ),
        (
            ssdp,
            SSDP_REPLY,
            {"mac": MAC_TEXT, "st": "upnp:rootdevice", "location": "http://10.9.9.9:49152/rootdesc1.xml"},
        ),
        (
            mdns,
            MDNS_REPLY,
            {
                **COMMON,
                "model": "C-100",
                "service_types": ("_axis-video._tcp.local",),
                "hostname": "cam.local",
                "instances": ("CAM C-100 - 0012345678AB",),
                "txt": ("macaddress=0012345678AB", "model=C-100"),
            },
        ),
    ],
)
def test_replies_field_for_field(codec, reply, expected):
    fields = fields_of(codec.parse(reply, SOURCE, NOW))
    assert {name: fields.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    "codec", [sadp, dhip, dahua_v1, mhed, xiongmai, gvcp, hanwha, bosch, vivotek, sony, panasonic, tplink, ssdp, mdns]
)
def test_a_request_is_never_taken_for_a_reply(codec):
    sent = {sadp: sadp.request(UUID(int=1)), panasonic: panasonic.request("", HERE), bosch: bosch.request(1)}
    request = sent.get(codec) or codec.request()
    assert isinstance(codec.parse(request, SOURCE, NOW), Refusal)


@pytest.mark.parametrize(
    ("serial", "description", "model"),
    [
        ("DS-2CD2385G1-I20200414AAWRE00000000", "", "DS-2CD2385G1-I"),
        ("DS-1-20191231-20200414AAWR0", "", "DS-1-20191231-"),
        ("DS-1", "", None),
        ("DS-120200414A", "DS-9", "DS-9"),
        ("X20209999", "", None),
    ],
)
def test_a_sadp_model_may_have_to_come_from_the_serial(serial, description, model):
    inner = f"<DeviceSN>{serial}</DeviceSN><DeviceDescription>{description}</DeviceDescription>"
    data = f"<Probematch>{inner}</Probematch>".encode()
    assert fields_of(sadp.parse(data, SOURCE, NOW)).get("model") == model


def dhip_with(**changes):
    return json.dumps({"params": {"deviceInfo": DEVICE_INFO | changes}}).encode()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (dhip_with(), {"model": "C-100"}),  # no header at all
        (b"\x20\0\0\0PIHD" + bytes(24) + dhip_with(), {"model": "C-100"}),  # swapped magic
        (dhip.frame(dhip_with(IPv4Address={"IPAddress": "0.0.0.0"})), {"ipv4": None}),
        (
            dhip.frame(dhip_with(IPv4Address="x", Port=99999, SerialNo=None)),
            {"ipv4": None, "port": None, "serial": None},
        ),
        (
            dhip.frame(dhip_with()).replace(b'"Vendor": "Acme"', b'"Vendor": "Acme", "Vendor": "Dahua"'),
            {"vendor": "Acme / Dahua"},
        ),
        (dhip.frame(dhip_with(Vendor="\x1b[31mDa\u200bhua")), {"vendor": "[31mDahua"}),
    ],
)
def test_dhip_dialects(data, expected):
    fields = fields_of(dhip.parse(data, SOURCE, NOW))
    assert {name: fields.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    "payload",
    [
        b'{"a":' * 5_000,
        b'{"params":{"deviceInfo":NaN}}',
        b'{"params":{"deviceInfo":[]}}',
        b"[]",
        b'{"deviceInfo":{"Port":' + b"9" * 20_000 + b"}}",
    ],
)
def test_hostile_dhip_is_refused(payload):
    assert isinstance(dhip.parse(dhip.frame(payload), SOURCE, NOW), Refusal)


def test_never_sent_commands_are_no_replies():
    assert isinstance(mhed.parse(MHED_REPLY[:8] + struct.pack("<I", 3) + MHED_REPLY[12:], SOURCE, NOW), Refusal)
    assert isinstance(gvcp.parse(struct.pack(">HHHH", 0, 0x81, 248, 1) + bytes(248), SOURCE, NOW), Refusal)


def test_one_mdns_query_wants_unicast_replies():
    sent = mdns.request(["_axis-video._tcp.local"], 5)
    assert sent == struct.pack(">6H", 5, 0, 1, 0, 0, 0) + dns_name("_axis-video._tcp.local") + struct.pack(
        ">HH", 12, 0x8001
    )
    assert struct.unpack_from(">H", mdns.request(), 4)[0] == len(mdns.SERVICE_TYPES)
    assert len(mdns.request()) < 512


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">6H", 0, 0x8400, 0, 1, 0, 0)
        + b"\xc0\x0c"
        + struct.pack(">HHIH", 12, 1, 1, 2)
        + b"\xc0\x0c",  # points at itself
        struct.pack(">6H", 0, 0x8400, 0, 65535, 65535, 65535),
        struct.pack(">6H", 0, 0x8400, 0, 1, 0, 0),
        b"\0" * 12,
        bytes(20_000),
    ],
)
def test_hostile_dns_is_refused(data):
    assert isinstance(mdns.parse(data, Endpoint("fe80::1", 5353), NOW), Refusal)


def test_an_ssdp_search_names_its_target():
    assert ssdp.request("upnp:rootdevice", ssdp.GROUP_V6).startswith(b"M-SEARCH * HTTP/1.1\r\nHOST: [ff02::c]:1900\r\n")
    with pytest.raises(ValueError, match="request"):
        ssdp.request("x\r\nY: z")
