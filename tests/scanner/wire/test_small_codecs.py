"""Certificates, banners, one-line texts and MACs."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from wire_samples import CERTIFICATE, NOW, SOURCE

from scanner.observation import Refusal
from scanner.wire import banner, dhcp, oui, sip, snmp, tls
from scanner.wire.fields import firmware_and_build, flag, ipv4, number


def fields_of(found):
    assert not isinstance(found, Refusal), found
    return found


@pytest.mark.parametrize("form", ["der", "pem"])
def test_a_certificate(form):
    pem = x509.load_der_x509_certificate(CERTIFICATE).public_bytes(Encoding.PEM)
    fields = fields_of(tls.parse(CERTIFICATE if form == "der" else b"noise\n" + pem, SOURCE, NOW))
    assert fields["subject_cn"] == "00-12-34-56-78-ab"
    assert fields["subject_o"] == "Acme, Inc."
    assert fields["mac"] == "00:12:34:56:78:AB"
    assert fields["serial"] == "0445"
    assert fields["serial_number"] == "ff"
    assert fields["self_signed"] is True
    assert fields["key"] == "EC-secp256r1"
    assert fields["signature"] == "sha256"
    assert fields["san"] == ("cam.example",)
    assert fields["not_after"] == "2026-11-23T08:00:00Z"
    assert len(str(fields["spki_sha256"])) == 64


def test_a_handshake_without_a_certificate_still_tells_its_version():
    assert fields_of(tls.parse_chain([], SOURCE, NOW, version="TLSv1.2", cipher="X")) == {
        "version": "TLSv1.2",
        "cipher": "X",
        "chain": 0,
    }
    assert isinstance(tls.parse_chain([], SOURCE, NOW), Refusal)
    assert isinstance(tls.parse_chain([b"\x30\x82"], SOURCE, NOW, version="TLSv1.2"), Refusal)


@pytest.mark.parametrize(
    ("text", "cn", "o"),
    [
        ("CN=www.example.com,OU=X,O=ACME,C=CN", "www.example.com", "ACME"),
        ("/C=CN/O=ACME/CN=cam", "cam", "ACME"),
        ("O=Acme\\, Inc.,CN=a", "a", "Acme, Inc."),
        ("O=Acme, Inc., CN=a", "a", "Acme, Inc."),
        ("C = CN, O = ACME, CN = a", "a", "ACME"),
    ],
)
def test_names_in_text(text, cn, o):
    fields = fields_of(tls.parse_name(text))
    assert (fields["subject_cn"], fields["subject_o"], fields["issuer_o"]) == (cn, o, o)


def test_a_labelled_name_fills_only_its_role():
    assert set(fields_of(tls.parse_name("issuer=CN=a,O=b"))) == {"issuer", "issuer_cn", "issuer_o"}
    assert "issuer" not in fields_of(tls.parse_name("Subject: CN=a"))
    assert isinstance(tls.parse_name("no name"), Refusal)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"220 Acme FTP\r\n", "220 Acme FTP"),
        (b"\xff\xfb\x01\xff\xfd\x18\xff\xfa\x18\x01\xff\xf0login: ", "login:"),
        (b"a\xff\xfd\x01b\xff\xffc", "ab\ufffdc"),
        (b"\x1b[2Jhi\x07", "[2Jhi"),
        (b"\xff\xfa never ends", None),
        (b"", None),
        (b"\0\0", None),
    ],
)
def test_banners(data, text):
    found = banner.parse(data, SOURCE, NOW)
    assert (None if isinstance(found, Refusal) else found["banner"]) == text


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            b"AXIS,Network Camera,M1065-LW,8.40",
            {"manufacturer": "AXIS", "device_type": "Network Camera", "model": "M1065-LW", "firmware": "8.40"},
        ),
        (b"udhcp 1.24.2", {}),
        (b"a,b,c,d", {}),
        (b"a,b,c", {}),
        (b"MSFT 5.0\0", {}),
    ],
)
def test_dhcp_vendor_classes(data, expected):
    fields = fields_of(dhcp.parse(data, SOURCE, NOW))
    assert {name: value for name, value in fields.items() if name != "vendor_class"} == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"Acme Camera V1", {"sys_descr": "Acme Camera V1"}),
        (b".1.3.6.1.4.1.368.1", {"sys_object_id": "1.3.6.1.4.1.368.1"}),
    ],
)
def test_snmp(data, expected):
    assert snmp.parse(data, SOURCE, NOW) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"Acme C1", {"user_agent": "Acme C1"}),
        (b"SIP/2.0 200 OK\r\nServer: Acme\r\n\r\n", {"server": "Acme"}),
        (b"OPTIONS sip:a SIP/2.0\r\nUser-Agent: X/1\r\n", {"user_agent": "X/1"}),
    ],
)
def test_sip(data, expected):
    assert sip.parse(data, SOURCE, NOW) == expected


@pytest.mark.parametrize("codec", [snmp, sip, dhcp, banner])
def test_nothing_said_is_refused(codec):
    assert isinstance(codec.parse(b" \0\r\n", SOURCE, NOW), Refusal)


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        ("58-50-ed-1f-e3-85", "58:50:ED:1F:E3:85"),
        ("58:50:ED:1f:e3:85", "58:50:ED:1F:E3:85"),
        ("5850.ed1f.e385", "58:50:ED:1F:E3:85"),
        ("5850ed1fe385", "58:50:ED:1F:E3:85"),
        ("0:1:2:3:4:5", "00:01:02:03:04:05"),
        (" 5850ed1fe385 ", "58:50:ED:1F:E3:85"),
        ("000000000000", ""),
        ("ff:ff:ff:ff:ff:ff", ""),
        ("58:50-ed:1f:e3:85", ""),
        ("5850ed1fe3", ""),
        ("", ""),
        ("gggggggggggg", ""),
        ("٠٠:11:22:33:44:55", ""),
    ],
)
def test_macs_in_one_form(text, mac):
    assert oui.normalise(text) == mac
    assert oui.prefix(text) == mac.replace(":", "")[:6]


@given(st.binary(min_size=6, max_size=6))
def test_normalising_is_stable(raw):
    once = oui.normalise(raw.hex("-"))
    assert oui.normalise(once) == once


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("V5.6.2build 190701", ("V5.6.2", "190701")),
        ("V5.4.4 build 161115", ("V5.4.4", "161115")),
        ("2.800.0000000.29.R,build:2021-06-30", ("2.800.0000000.29.R", "2021-06-30")),
        ("2.800.0000000.34.R, Build Date 2021-07-08", ("2.800.0000000.34.R", "2021-07-08")),
        ("1.2.2 Build 240914 Rel.55174n", ("1.2.2 Build 240914 Rel.55174n", None)),
        ("9.80.1", ("9.80.1", None)),
        ("", (None, None)),
        ("build 240606", ("build 240606", None)),
    ],
)
def test_a_build_date_gets_its_own_field(text, expected):
    found = firmware_and_build(text)
    assert (found.get("firmware"), found.get("firmware_build")) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("80", 80),
        (" 7 ", 7),
        ("-1", None),
        ("70000", None),
        ("1e3", None),
        ("٣", None),
        (True, None),
        (None, None),
        (5.5, None),
        ("9" * 40, None),
    ],
)
def test_numbers_within_bounds(value, expected):
    assert number(value, high=65_535) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [("flase", False), ("TRUE", True), (1, True), ("0", False), ("", None), ("maybe", None)]
)
def test_flags_as_firmware_spells_them(value, expected):
    assert flag(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"), [("10.0.0.1", "10.0.0.1"), ("0.0.0.0", ""), ("010.0.0.1", ""), ("x", ""), (None, "")]
)
def test_addresses_that_say_something(value, expected):
    assert ipv4(value) == expected
