"""Challenges of every dialect, and answers against the vectors of the specifications."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.observation import Refusal
from scanner.wire.auth import (
    Challenge,
    Credentials,
    authorization,
    challenge_fields,
    challenges,
    strongest,
    username_token,
)

MUFASA = Credentials("Mufasa", "Circle of Life")
RFC7616 = {
    "realm": "http-auth@example.org",
    "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    "qop": "auth, auth-int",
    "opaque": "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
}
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def response_of(header):
    assert isinstance(header, str)
    found = re.search(r'response="([0-9a-f]+)"', header)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_digest_of_rfc_7616_section_3_9_1(algorithm, response):
    header = authorization(
        Challenge("digest", RFC7616 | {"algorithm": algorithm}), MUFASA, "GET", "/dir/index.html", cnonce=CNONCE
    )
    assert response_of(header) == response
    assert "qop=auth, nc=00000001" in header
    assert f"algorithm={algorithm}" in header


def test_digest_of_rfc_2617_section_3_5():
    offered = challenges(
        [
            ('Digest realm="testrealm@host.com", qop="auth,auth-int", '
            'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"')
        ]
    )
    header = authorization(
        offered[0], Credentials("Mufasa", "Circle Of Life"), "GET", "/dir/index.html", cnonce="0a4f113b"
    )
    assert response_of(header) == "6629fae49393a05397450978507c4ef1"


def test_digest_without_qop_is_rfc_2069_with_its_erratum_749():
    offered = challenges(['Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'])
    header = authorization(offered[0], Credentials("Mufasa", "CircleOfLife"), "GET", "/dir/index.html", cnonce="unused")
    assert response_of(header) == "1949323746fe6a43ef61f9606e7febea"
    assert "cnonce" not in header


def test_session_algorithms_and_auth_int_differ_from_the_plain_form():
    plain = Challenge("digest", RFC7616 | {"algorithm": "MD5"})
    session = Challenge("digest", RFC7616 | {"algorithm": "MD5-sess"})
    whole = Challenge("digest", RFC7616 | {"algorithm": "MD5", "qop": "auth-int"})
    answers = {
        response_of(authorization(c, MUFASA, "POST", "/", cnonce="x", body=b"b")) for c in (plain, session, whole)
    }
    assert len(answers) == 3


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (['Digest realm="Login to ND0",qop="auth",nonce="1"'], [("digest", "Login to ND0")]),
        (['Digest realm="a, b", nonce="x", Basic realm="y"'], [("digest", "a, b"), ("basic", "y")]),
        (['Digest realm="x", nonce="1"', 'Basic realm="y"'], [("digest", "x"), ("basic", "y")]),
        (["Basic realm=IP Camera"], [("basic", "IP Camera")]),
        (['Digest realm=foo nonce="x" qop="auth"'], [("digest", "foo")]),
        (["Digest"], [("digest", "")]),
        (['NTLM, Negotiate, Basic realm="x"'], [("ntlm", ""), ("negotiate", ""), ("basic", "x")]),
        (['Digest realm="never closed'], [("digest", "never closed")]),
        (['Digest realm="say \\"hi\\"", nonce="1"'], [("digest", 'say "hi"')]),
        (['realm="no scheme", nonce="1"'], [("digest", "no scheme")]),
        ([""], []),
        ([",,,"], []),
        (['"'], []),
    ],
)
def test_challenges_of_every_dialect(values, expected):
    assert [(c.scheme, c.realm) for c in challenges(values)] == expected


def test_stale_may_stand_without_quotes():
    (challenge,) = challenges(['Digest realm="x", nonce="y", stale=FALSE'])
    assert challenge.parameters["stale"] == "FALSE"


@pytest.mark.parametrize(
    ("values", "allow_basic", "best"),
    [
        (
            ['Digest realm="x", nonce="1", algorithm=MD5', 'Digest realm="x", nonce="1", algorithm="SHA-256"'],
            False,
            "SHA-256",
        ),
        (['Basic realm="x"', 'Digest realm="x", nonce="1"'], True, "MD5"),
        (['Digest realm="x", nonce="1", algorithm=SHA-512-256', 'Digest realm="x", nonce="1"'], False, "MD5"),
        (['Basic realm="x"'], True, "MD5"),
    ],
)
def test_the_strongest_supported_challenge_wins(values, allow_basic, best):
    chosen = strongest(challenges(values), allow_basic=allow_basic)
    assert chosen is not None
    assert chosen.algorithm == best


def test_basic_is_never_chosen_unless_allowed_and_nothing_is_chosen_from_the_unknown():
    assert strongest(challenges(['Basic realm="x"'])) is None
    assert strongest(challenges(["NTLM", 'Digest realm="x"'])) is None


def test_what_cannot_be_answered_is_refused_rather_than_guessed():
    unknown = Challenge("digest", {"realm": "x", "nonce": "1", "algorithm": "SHA-512-256"})
    strange = Challenge("digest", {"realm": "x", "nonce": "1", "qop": "token"})
    for challenge in (unknown, strange, Challenge("ntlm", {})):
        assert isinstance(authorization(challenge, MUFASA, "GET", "/", cnonce="c"), Refusal)


def test_basic_is_rfc_7617():
    header = authorization(
        Challenge("basic", {"realm": "x"}), Credentials("Aladdin", "open sesame"), "GET", "/", cnonce=""
    )
    assert header == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


def test_a_hostile_realm_cannot_break_out_of_the_header():
    offered = Challenge("digest", {"realm": 'a"\r\nX: y', "nonce": "1"})
    header = authorization(offered, MUFASA, "GET", "/", cnonce="c")
    assert isinstance(header, str)
    assert "\r" not in header
    assert "\n" not in header
    assert 'realm="a\\"X: y"' in header


def test_username_token_is_the_digest_of_the_onvif_programmers_guide():
    import base64

    token = username_token(
        Credentials("user", "userpassword"),
        datetime(2010, 9, 16, 7, 50, 45, tzinfo=UTC),
        base64.b64decode("LKqI6G/AikKCQrN0zqZFlg=="),
    )
    assert "tuOSpGlFlIXsozq4HFNeeGeFLEI=" in token
    assert "<wsu:Created>2010-09-16T07:50:45Z</wsu:Created>" in token
    assert "userpassword" not in token


def test_no_secret_in_a_repr():
    assert "Circle" not in repr(MUFASA)
    assert "Circle" not in str(MUFASA)


def test_fields_show_realms_schemes_and_nonces_that_decode_to_text():
    fields = challenge_fields(
        ['Digest realm="x", algorithm=MD5, nonce="b252aWYtZGlnZXN0OjEyMzQ1Njc4"', 'Basic realm="y"']
    )
    assert fields["realm"] == ("x", "y")
    assert fields["scheme"] == ("digest", "basic")
    assert fields["nonce_text"] == ("onvif-digest:12345678",)
    assert "nonce_text" not in challenge_fields(['Digest realm="x", nonce="0a4f113b0a4f113b0a4f113b0a4f113b"'])


@given(st.lists(st.text(max_size=200), max_size=4))
def test_challenges_never_raise(values):
    for challenge in challenges(values):
        assert challenge.scheme
