"""The hello that offers old versions alone, and what is read of the answer to it."""

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_samples import NOW, SERVER_HELLO, SOURCE

from scanner.observation import Refusal
from scanner.wire import tls_hello

HELLO = tls_hello.request(bytes(range(32)))


def record(kind, body, version=b"\x03\x01"):
    return bytes([kind]) + version + len(body).to_bytes(2, "big") + body


def server_hello(version, suite, session=b"", rest=b""):
    body = version.to_bytes(2, "big") + bytes(32) + bytes([len(session)]) + session + suite.to_bytes(2, "big") + b"\0"
    return b"\x02" + len(body + rest).to_bytes(3, "big") + body + rest


def read(data):
    return tls_hello.parse(data, SOURCE, NOW)


def why(data):
    found = read(data)
    assert isinstance(found, Refusal)
    return found.reason


def test_the_hello_is_one_record_whose_lengths_fit_and_short_enough_for_old_servers():
    assert len(HELLO) < 256
    assert HELLO[:3] == b"\x16\x03\x01"
    assert int.from_bytes(HELLO[3:5]) == len(HELLO) - 5
    assert int.from_bytes(HELLO[6:9]) == len(HELLO) - 9
    assert HELLO[9:11] == b"\x03\x02"
    assert HELLO[11:43] == bytes(range(32))
    suites = HELLO[46:46 + int.from_bytes(HELLO[44:46])]
    codes = [int.from_bytes(suites[at:at + 2]) for at in range(0, len(suites), 2)]
    assert len(set(codes)) == len(codes)
    assert {0x0004, 0x0005, 0x000A, 0x002F, 0xC014, 0x0002, 0x0018} <= set(codes)
    assert 0x5600 not in codes                               # the fallback signal would bring a refusal
    assert not any(0x1300 <= code <= 0x13FF or 0xC02B <= code <= 0xC032 or code in {0x9C, 0x9E} for code in codes)
    assert b"\x00\x2b\x00" not in HELLO[46 + len(suites):]       # no supported_versions


@pytest.mark.parametrize("size", [0, 31, 33])
def test_other_than_32_random_bytes_make_no_hello(size):
    with pytest.raises(ValueError, match="32"):
        tls_hello.request(bytes(size))


@pytest.mark.parametrize(("oldest", "newest", "expected"), [
    (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_3, "TLSv1.1"), (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1, "TLSv1.0"),
    (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3, None),
])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_openssl_understands_it_and_answers_what_is_read(oldest, newest, expected, tmp_path):
    """An implementation that is not ours, without a socket: what it answers to the hello, byte by byte."""
    from device_certificates import make

    made = make("camera", NOW, serial="S-1")
    path = tmp_path / "own.pem"
    path.write_bytes(made.key_pem + made.pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.set_ciphers("DEFAULT:@SECLEVEL=0")
    server.load_cert_chain(path)
    server.minimum_version, server.maximum_version = oldest, newest
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    coming.write(HELLO)
    talk = server.wrap_bio(coming, going, server_side=True)
    with pytest.raises(ssl.SSLError):
        talk.do_handshake()
    answer = going.read()
    assert tls_hello.answered(answer)
    found = read(answer)
    if expected is None:
        assert found == {"refused": "protocol_version"}
    else:
        assert found["version"] == expected
        assert found["cipher"].startswith("TLS_ECDHE_ECDSA_WITH_AES")


def test_an_answer_is_read_as_soon_as_it_is_there_and_not_before():
    assert read(SERVER_HELLO) == {"version": "TLSv1.0", "cipher": "TLS_RSA_WITH_RC4_128_SHA"}
    enough = 5 + 4 + 2 + 32 + 1 + 4 + 2
    for length in range(len(SERVER_HELLO) + 1):
        assert tls_hello.answered(SERVER_HELLO[:length]) is (length >= enough), length
        assert isinstance(read(SERVER_HELLO[:length]), Refusal) is (length < enough), length


@pytest.mark.parametrize(("data", "expected"), [
    (record(22, server_hello(0x0300, 0x0004), b"\x03\x00"),
     {"version": "SSLv3", "cipher": "TLS_RSA_WITH_RC4_128_MD5"}),
    (record(22, server_hello(0x0302, 0xABCD)), {"version": "TLSv1.1", "cipher": "0xABCD"}),
    (record(22, server_hello(0x0302, 0x002F, bytes(32), bytes(300))[:20])
     + record(22, server_hello(0x0302, 0x002F, bytes(32), bytes(300))[20:]),
     {"version": "TLSv1.1", "cipher": "TLS_RSA_WITH_AES_128_CBC_SHA"}),          # in two records, more behind it
    (record(21, b"\x01\x70") + record(22, server_hello(0x0301, 0x0035)),
     {"version": "TLSv1.0", "cipher": "TLS_RSA_WITH_AES_256_CBC_SHA"}),          # a warning in front of it
    (record(21, b"\x02\x46"), {"refused": "protocol_version"}),
    (record(21, b"\x02\x28"), {"refused": "handshake_failure"}),
    (record(21, b"\x02\xc8"), {"refused": "alert 200"}), (record(21, b"\x01\x00"), {"refused": "close_notify"}),
])
def test_what_a_server_may_answer(data, expected):
    assert read(data) == expected


@pytest.mark.parametrize(("data", "reason"), [
    (b"", "empty"), (b"HTTP/1.1 400 Bad Request\r\n\r\n", "malformed"), (b"\x80\x2e\x01\x03\x01", "malformed"),
    (record(22, server_hello(0x0303, 0x002F)), "malformed"),             # a version that nobody offered
    (record(22, b"\x0b\x00\x00\x00"), "malformed"), (record(23, b"x"), "malformed"), (b"\x16\x02", "malformed"),
    (record(22, b"") * 3300, "too_large"), (b"\x16\x03\x01", "incomplete"),
])
def test_what_is_no_answer(data, reason):
    assert why(data) == reason


@given(st.binary(max_size=200), st.integers(0, 60))
def test_whatever_comes_is_read_or_refused_and_more_of_it_never_unreads_an_answer(noise, cut):
    for data in (noise, SERVER_HELLO[:cut] + noise):
        found = read(data)
        assert isinstance(found, Refusal) or set(found) in ({"version", "cipher"}, {"refused"})
        if tls_hello.answered(data) and not isinstance(found, Refusal):
            assert read(data + b"more") == found


WEAK = ("TLS_RSA_WITH_NULL_SHA", "TLS_RSA_WITH_RC4_128_MD5", "RC4-SHA", "DES-CBC3-SHA", "EXP-RC4-MD5", "ADH-AES128-SHA",
        "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA", "TLS_DH_anon_WITH_AES_128_CBC_SHA", "ECDHE-RSA-DES-CBC3-SHA",
        "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", "AECDH-AES256-SHA")
SOUND = ("TLS_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-SHA", "DHE-DSS-AES256-SHA", "", "0xABCD",
         "TLS_DHE_DSS_WITH_AES_128_CBC_SHA", "ECDHE-RSA-CHACHA20-POLY1305", "ECDH-RSA-AES128-SHA")


@pytest.mark.parametrize("name", [*WEAK, *SOUND])
def test_which_suites_are_broken(name):
    assert tls_hello.is_weak_suite(name) is (name in WEAK)
