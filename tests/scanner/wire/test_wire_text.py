"""Text of devices: decoded, printable, capped, and without credentials."""

import re
import sys
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scanner.wire import text as wire_text
from scanner.wire.text import clean, clean_block, decode, redact, redact_text


@pytest.mark.parametrize(
    ("data", "declared", "text", "faithful"),
    [
        (b"Yard", "", "Yard", True),
        ("Hof Süd".encode(), "iso-8859-1", "Hof Süd", True),  # UTF-8 first, whatever is declared
        ("Hof Süd".encode("latin-1"), "iso-8859-1", "Hof Süd", True),
        (b"\xce\xc4_A", "gb2312", "文_A", True),
        (b"\xce\xc4_A", "utf-8", "\ufffd\ufffd_A", False),
        ("Süd".encode("utf-16"), "", "Süd", True),
        (b"+ADw-script+AD4-", "utf-7", "+ADw-script+AD4-", True),  # UTF-7 is no encoding here
        (b"\xff\xfe\xff", "rot13", "\ufffd", False),
        (b"\x80abc", "no-such-codec", "\ufffdabc", False),
    ],
)
def test_decode_is_strict_then_declared_then_replaced(data, declared, text, faithful):
    assert decode(data, declared) == (text, faithful)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Da\u200bhua", "Dahua"),  # zero width
        ("Da\u00adhua", "Dahua"),  # soft hyphen
        ("Da\u034fhua", "Dahua"),  # combining grapheme joiner
        ("\uff24\uff41\uff48\uff55\uff41", "Dahua"),  # full width
        ("a\u202eb", "ab"),  # right-to-left override
        ("\x1b]8;;http://x\x07click\x1b[31m", "]8;;http://xclick[31m"),
        ("a\r\nb\tc  d", "a b c d"),
        ("\x00\x01", ""),
        ("\ud800x", "x"),
    ],
)
def test_clean_keeps_one_printable_line(sent, kept):
    assert clean(sent) == kept


def test_clean_caps_even_what_normalisation_expands():
    assert len(clean("\ufdfa" * 1000, 100)) <= 100
    assert len(clean_block("x" * 100_000, 500)) == 500


def test_a_block_keeps_its_lines():
    assert clean_block(b"a\r\nb\x1b[0m\n\tc\0") == "a\nb[0m\n\tc"


@given(st.text())
def test_clean_is_stable_and_printable(text):
    once = clean(text)
    assert once.isprintable()
    assert clean(once) == once


@pytest.mark.parametrize(
    "sent",
    [
        "rtsp://admin:SECRET@10.0.0.1/x",
        "rtsp://admin:SE/CR@ET@10.0.0.1/x",
        "http://SECRET@10.0.0.1/",
        "Authorization: Basic SECRET",
        'authorization:Digest username="a",\r\n response="SECRET"\r\nServer: x',
        "Proxy-Authorization: Bearer SECRET",
        "Set-Cookie: sid=SECRET; path=/",
        "Cookie: a=SECRET",
        "<Password>SECRET</Password>",
        '<wsse:Password Type="x#PasswordDigest">SECRET</wsse:Password>',
        "<adminPassword><![CDATA[SECRET]]></adminPassword>",
        "<password>SECRET",
        '<wsse:Nonce EncodingType="b">SECRET</wsse:Nonce>',
        '{"password": "SECRET"}',
        '{"userPwd":"SE\\"CRET"}',
        '{"passwd": SECRET}',
        '{"token": "SECRET"}',
        '{"stok":"SECRET"}',
        "root.Network.WPA.Password=SECRET",
        "a=b&pwd=SECRET&c=d",
        "password: SECRET",
        "pass='SECRET'",
        'secret = "SECRET"',
        'Digest username="a", response="5ec2e75ec2e75ec2e75ec2e75ec2e701"',
        "-----BEGIN EC PRIVATE KEY-----\nSECRET\n-----END EC PRIVATE KEY-----",
    ],
)
def test_credentials_are_starred_out(sent):
    assert "***" in redact_text(sent)
    for form in (
        redact_text(sent),
        redact(sent.encode()).decode(),
        redact(sent.encode("utf-16")).decode(),
        redact(sent.encode("utf-16-le")).decode(),
    ):
        assert not any(trace in form for trace in ("SECRET", "CRET", "ET@", "5ec2e7"))


@pytest.mark.parametrize(
    "sent",
    [
        'WWW-Authenticate: Digest realm="Login to 7E0A", nonce="abc"',
        "<PasswordResetAbility>true</PasswordResetAbility>",
        "http://10.0.0.1:80/a@b",
        "Password: ",
        '<trt:Profiles token="Profile_1">',
        "user@example.com",
        'Basic realm="password"',
    ],
)
def test_what_is_no_credential_stays(sent):
    assert redact_text(sent) == sent


@given(st.binary(max_size=400))
def test_redaction_never_raises_and_never_grows_without_bound(data):
    assert len(redact(data)) <= 4 * len(data) + 64


# ---- what is looked for before the patterns run never changes what they do ------------------------------------------

PIECES = st.sampled_from([
    "pass", "password", "PassWord", "pa\u017fsword", "pas\u017fwd", "passphrase", "pwd", "p\u212aey", "psk", "secret",
    "wpakey", "wpa\u212aey", "privatekey", "sharedKey", "userpass", "Authorization", "authorizat\u0131on",
    "AUTHORIZAT\u0130ON", "proxy-", "set-cookie", "coo\u212aie", "D\u0130GEST", "Digest", "d\u0131gest", "response",
    "re\u017fponse", "nonce", "<wsse:Nonce>", "stok", "\u017fto\u212a", "token", "access_to\u212aen", "accesstoken",
    "-----BEGIN ", "EC PRIVATE KEY-----", "-----END ", "rtsp://", "http://", "user", "hunter2", "@", ":", "=", "<", ">",
    "</", '"', "'", " ", "\t", "\n", "\r\n", ",", ";", "/", "0123456789abcdef", "80", "<![CDATA[", "]]>", "*", "***",
    "\\", "\u00fc", "\u4e2d",
])


def patterns_alone(text):
    for rule in wire_text._RULES:
        text = rule.pattern.sub(rule.replacement, text)
    return text


@settings(max_examples=400)
@given(st.lists(PIECES | st.text(max_size=3), max_size=14).map("".join))
@example("Set-Cookie: sid=1")
@example("Authorization: Basic x")
@example('Digest response="0123456789abcdef"')
@example("rtsp://u:p@h/")
@example('"token": 1')
@example("-----BEGIN PRIVATE KEY-----x")
@example("wpa\u212aey=x")
@example('"\u017ftok":"x"')
def test_looking_for_traces_first_changes_nothing(text):
    assert redact_text(text) == patterns_alone(text)


def test_the_untraceable_characters_are_all_there_are():
    """Every character that a pattern without case takes for an ASCII letter, though lower case does not make it one."""
    letter = re.compile("[a-z]", re.IGNORECASE)
    odd = {chr(code) for code in range(0x80, sys.maxunicode + 1) if letter.fullmatch(chr(code))}
    assert odd == set(wire_text._UNTRACEABLE)


@given(st.lists(PIECES | st.text(max_size=4), max_size=10).map("".join), st.sampled_from([8, 64, 512]))
def test_plain_text_is_kept_as_the_long_way_would(text, limit):
    long_way = " ".join(wire_text._printable(unicodedata.normalize("NFKC", text[:limit * 4]), block=False).split())
    assert clean(text, limit) == patterns_alone(long_way)[:limit].rstrip()


@given(st.text(st.characters(max_codepoint=0x7F)), st.booleans())
def test_controls_of_ascii_go_as_those_of_other_text(text, block):
    assert wire_text._printable(text, block=block) == wire_text._printable(text + "\u00fc", block=block)[:-1]


@pytest.mark.parametrize(("said", "kept"), [
    ("s=Session streamed by admin:SuperSecret9", "s=Session streamed by admin:***"),
    ("login root:toor!1 ok", "login root:*** ok"),
    ("http://admin://x", "http://admin://x"),
    ("administrators: none", "administrators: none"),
    ("Camera admin: yes", "Camera admin: yes"),
])
def test_an_account_that_cameras_ship_with_is_not_kept_with_its_password(said, kept):
    assert redact_text(said) == kept
