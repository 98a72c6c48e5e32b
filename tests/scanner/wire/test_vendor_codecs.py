"""The smaller vendors' discovery: requests byte for byte, replies field for field, and what damage does to them."""

import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_hostile_replies import is_lawful
from wire_samples import MAC, MAC_TEXT, NOW, SOURCE

from lab import datagrams
from lab.persona import Persona
from scanner.observation import Endpoint, Refusal
from scanner.protocols import CAMERA_TRANSPORTS, PROTOCOLS
from scanner.wire import (
    advantech,
    cordex,
    datagram,
    foscam,
    nice,
    reolink,
    topsee,
    tplink_legacy,
    ubiquiti,
    vision360,
    vstarcam,
)
from scanner.wire.text import redact

HERE = "10.1.2.3"
HERE_BYTES = bytes((10, 1, 2, 3))


def field(kind, value):
    return struct.pack(">BH", kind, len(value)) + value


def ubiquiti_reply(*told):
    body = b"".join(field(kind, value) for kind, value in told)
    return struct.pack(">BBH", 2, 6, len(body)) + body


def foscam_reply(key=b""):
    body = (b"00626E4A0001\0" + b"yard".ljust(21, b"\0") + HERE_BYTES + bytes(12) + bytes(4)
            + bytes((11, 25, 2, 54)) + bytes((2, 4, 10, 4)) + struct.pack(">HB", 88, 0))
    if key:
        body = bytes(byte ^ key[at % 8] for at, byte in enumerate(body))
    return b"MO_I\1\0" + bytes([bool(key)]) + key.ljust(8, b"\0") + bytes(8) + body


def fixed(size, *parts):
    data = bytearray(size)
    for at, value in parts:
        data[at:at + len(value)] = value
    return bytes(data)


SYSINFO = {"system": {"get_sysinfo": {"model": "KC100(EU)", "sw_ver": "1.2.3", "hw_ver": "1.0", "alias": "yard",
                                      "mac": "00-12-34-56-78-AB", "latitude_i": 481111, "longitude_i": 115555}}}
TOPSEE = (b'<?xml version="1.0" encoding="GB2312" ?><XML_TOPSEE><MESSAGE_HEADER Msg_type="SYSTEM_SEARCHIPC_MESSAGE" '
          b'Msg_code="3" Msg_flag="0"/><MESSAGE_BODY><DEVICE_TYPE DeviceType="NVS-DM0" DeviceModule="IPC"/>'
          b'<IPC_SERIALNUMBER SerialNumber="06D8A" DevID="7"/><VERSION FileSystemVersion="V1.0.0.7"/>'
          b'<LANConfig MacAddress="00:12:34:56:78:ab" IPAddress="10.1.2.3"/><StreamAccess VideoPort="554" WEBPort="80" '
          b'PTZPort="8091"/><Account Username="admin" Password="hunter2" Status="Enable"/>'
          b'<Account Username="guest" Password="x" Status="Disable"/></MESSAGE_BODY></XML_TOPSEE>')
REPLIES = {
    "ubiquiti": (ubiquiti, ubiquiti_reply((1, MAC), (2, MAC + HERE_BYTES), (3, b"UVC.v4.30"), (11, b"yard"),
                                          (12, b"UVC G3")), 10001),
    "foscam": (foscam, foscam_reply(), 10000),
    "foscam-scrambled": (foscam, foscam_reply(b"\x11\x22\x33\x44\x55\x66\x77\x88"), 10000),
    "vstarcam": (vstarcam, fixed(0x210, (0, b"\x44\x48\x01\x08"), (4, HERE.encode()), (0x54, MAC),
                                 (0x5A, struct.pack("<H", 81)), (0x5C, b"VSTA0001"), (0x7C, b"yard"),
                                 (0xCC, b"48.2.64")), 8600),
    "vision360": (vision360, b"TYPE=IPDOME KEY='00:12:34:56:78:ab' ID=\"7\"\nrest", 3600),
    "nice": (nice, fixed(0x5A, (0, b"NICE\0\1\1\x08\0\0"), (10, MAC), (16, HERE_BYTES),
                         (0x1E, struct.pack(">4H", 2, 0, 5, 1)), (0x4A, b"NVE1000")), 2007),
    "advantech": (advantech, fixed(0x72, (0, b"MADA"), (13, MAC), (0x34, b"\x80\x20"), (0x6A, b"ADAM-1")), 5048),
    "cordex": (cordex, b"MonitIR 00204A", 46000),
    "reolink": (reolink, fixed(388, (50, b"\1"), (80, MAC), (104, reolink.ECHO), (108, HERE.encode()), (132, b"yard"),
                               (164, MAC_TEXT.encode()), (228, b"95270001ABCDEFGH")), 2000),
    "topsee": (topsee, TOPSEE, 3001),
    "tplink_legacy": (tplink_legacy, tplink_legacy.scramble(json.dumps(SYSINFO).encode()), 9999),
}
COMMON = {"mac": MAC_TEXT, "ipv4": HERE}


def parse(name, data):
    codec, _, port = REPLIES[name]
    return codec.parse(data, Endpoint(HERE, port), NOW)


@pytest.mark.parametrize(("sent", "expected"), [
    (ubiquiti.request(), "01000000"),
    (foscam.request(), "4d4f5f490000000000000000000000040000000400000000000001"),
    (vstarcam.request(), "44480101"),
    (vision360.request(), b"DISCOVER\n".hex()),
    (nice.request(0x1234, 2007), "4e494345123401080000000007d7"),
    (advantech.request(), "4d4144410000008301005000" + "00" * 41 + "20" + "00" * 6),
    (cordex.request(), b"MonitIR?".hex()),
    (reolink.request(), "aaaa0000"),
    (tplink_legacy.request()[:5], "d0f281f88b"),
])
def test_what_is_sent(sent, expected):
    assert sent.hex() == expected


@pytest.mark.parametrize(("name", "expected"), [
    ("ubiquiti", {**COMMON, "model": "UVC G3", "firmware": "UVC.v4.30", "device_name": "yard"}),
    ("foscam", {"ipv4": HERE, "serial": "00626E4A0001", "device_name": "yard", "firmware": "11.25.2.54",
                "web_firmware": "2.4.10.4", "http_port": 88}),
    ("foscam-scrambled", {"ipv4": HERE, "serial": "00626E4A0001", "firmware": "11.25.2.54", "http_port": 88}),
    ("vstarcam", {**COMMON, "serial": "VSTA0001", "device_name": "yard", "firmware": "48.2.64", "http_port": 81}),
    ("vision360", {"mac": MAC_TEXT, "device_type": "IPDOME", "serial": "00:12:34:56:78:ab", "device_id": "7"}),
    ("nice", {**COMMON, "device_name": "NVE1000", "firmware": "2.0.5.1"}),
    ("advantech", {"mac": MAC_TEXT, "model": "ADAM-1"}),
    ("cordex", {"opaque": True, "length": 14}),
    ("reolink", {**COMMON, "device_name": "yard", "device_id": "95270001ABCDEFGH", "device_type": "IPC"}),
    ("topsee", {**COMMON, "model": "NVS-DM0", "serial": "06D8A", "firmware": "V1.0.0.7", "rtsp_port": 554,
                "http_port": 80, "accounts_disclosed": 2}),
    ("tplink_legacy", {"mac": MAC_TEXT, "model": "KC100(EU)", "firmware": "1.2.3", "device_name": "yard"}),
])
def test_what_is_read(name, expected):
    fields = parse(name, REPLIES[name][1])
    assert not isinstance(fields, Refusal), fields
    assert {key: fields.get(key) for key in expected} == expected
    kind, read = datagram.read(REPLIES[name][1], Endpoint(HERE, REPLIES[name][2]), NOW)
    assert (kind, read) == (name.partition("-")[0], fields)


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda one: one.probe)
def test_no_question_is_taken_for_an_answer(protocol):
    for payload in protocol.questions("00:12:34:56:78:AB", HERE):
        assert isinstance(protocol.parse(payload, Endpoint(HERE, protocol.port), NOW), Refusal)


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_cut_anywhere(name):
    reply = REPLIES[name][1]
    for length in range(len(reply)):
        assert is_lawful(parse(name, reply[:length])), length


@pytest.mark.parametrize("name", REPLIES)
@given(data=st.binary(max_size=600))
@settings(max_examples=40, deadline=None)
def test_garbage(name, data):
    assert is_lawful(parse(name, data))


@pytest.mark.parametrize("name", REPLIES)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_damaged_reply(name, data):
    damaged = bytearray(REPLIES[name][1])
    for at in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=8)):
        damaged[at] = data.draw(st.integers(0, 255))
    assert is_lawful(parse(name, bytes(damaged)))


@given(plain=st.binary(max_size=200))
def test_the_legacy_scramble_can_be_undone(plain):
    assert tplink_legacy.unscramble(tplink_legacy.scramble(plain)) == plain


def test_what_must_not_rest_does_not():
    place = tplink_legacy.parse(REPLIES["tplink_legacy"][1], SOURCE, NOW)
    assert not any(word in str(place) for word in ("481111", "115555", "latitude"))
    shown = topsee.parse(TOPSEE, SOURCE, NOW)
    assert "hunter2" not in str(shown)
    assert "admin" not in str(shown)
    assert b"hunter2" not in redact(TOPSEE)
    assert not next(one for one in PROTOCOLS if one.probe == "tplink.legacy").keep_raw
    assert not any(one.transport == "topsee" for one in PROTOCOLS)          # asking would make it shout its passwords


def test_two_macs_in_one_reolink_reply_are_both_kept():
    other = fixed(388, (80, MAC), (104, reolink.ECHO), (164, b"EC:71:DB:00:00:01"))
    fields = reolink.parse(other, SOURCE, NOW)
    assert fields["macs"] == (MAC_TEXT, "EC:71:DB:00:00:01")


def test_no_two_entries_share_a_probe_and_each_reads_its_own_port():
    assert len({one.probe for one in PROTOCOLS}) == len(PROTOCOLS)
    assert {"wsd", "mdns", "ssdp", "advantech", "tplink_legacy", "ubiquiti", "tplink"}.isdisjoint(CAMERA_TRANSPORTS)
    assert {"foscam", "sadp", "reolink", "cordex"} <= CAMERA_TRANSPORTS


@pytest.mark.parametrize(("protocol", "codec", "port", "expected"), [
    ("ubiquiti", ubiquiti, 10001, {"mac": "02:00:00:00:00:31", "model": "UVC G3", "firmware": "4.30.0"}),
    ("foscam", foscam, 10000, {"serial": "00626E4A0001", "firmware": "4.30.0.0", "http_port": 88}),
    ("vstarcam", vstarcam, 8600, {"mac": "02:00:00:00:00:31", "serial": "00626E4A0001", "firmware": "4.30.0"}),
])
@pytest.mark.parametrize("key", ["", "0102030405060708"])
def test_the_lab_speaks_it_too(protocol, codec, port, expected, key):
    persona = Persona(name="yard", family="generic", brand="x", manufacturer="x", model="UVC G3", firmware="4.30.0",
                      serial="00626E4A0001", mac="02:00:00:00:00:31", host=31, protocols=frozenset({protocol}),
                      options={"foscam_key": key})
    (answer,) = datagrams.answer(persona, port, codec.request(), HERE)
    fields = codec.parse(answer, Endpoint(HERE, port), NOW)
    assert {name: fields.get(name) for name in expected} == expected
    assert datagrams.answer(persona, port, codec.request() + b"x", HERE) == []
