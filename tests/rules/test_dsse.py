"""An envelope opens only whole, only with a trusted key, and only as what it was sealed as."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from rules import dsse

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(reversed(range(32))))
TRUSTED = {dsse.key_id(KEY.public_key()): KEY.public_key()}


def test_the_encoding_is_the_one_of_the_specification():
    # The example of the DSSE v1 protocol document: type and body with their lengths in decimal.
    assert dsse.encode("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world")


@given(st.binary(max_size=300))
def test_what_is_sealed_opens(payload):
    envelope = json.dumps(dsse.seal(payload, dsse.IN_TOTO, KEY))
    opened = dsse.open_envelope(envelope, dsse.IN_TOTO, TRUSTED)
    assert opened.payload == payload
    assert opened.signed_by == tuple(TRUSTED)


def broken(rule, **changes):
    envelope = dsse.seal(b'{"a":1}', dsse.IN_TOTO, KEY) | changes
    with pytest.raises(dsse.EnvelopeError) as caught:
        dsse.open_envelope(json.dumps(envelope), dsse.IN_TOTO, TRUSTED)
    assert caught.value.rule == rule


def test_a_changed_payload_is_refused():
    broken("envelope.signature", payload=base64.b64encode(b'{"a":2}').decode())


def test_another_type_is_refused_even_when_signed():
    broken("envelope.type", payloadType="text/plain")


def test_a_signature_under_a_borrowed_key_id_is_refused():
    forged = dsse.seal(b'{"a":1}', dsse.IN_TOTO, OTHER)["signatures"]
    broken("envelope.signature", signatures=[{"keyid": next(iter(TRUSTED)), "sig": forged[0]["sig"]}])


def test_an_unknown_key_counts_for_nothing():
    broken("envelope.unknown_key", signatures=dsse.seal(b'{"a":1}', dsse.IN_TOTO, OTHER)["signatures"])
    broken("envelope.unknown_key", signatures=[])


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"null", b'{"payloadType":1}', b"[" * 100_000, b"\xff",
                                  b'{"payloadType":"x","payload":"%%%","signatures":[]}', b" " * (1024 * 1024 + 1)])
def test_garbage_is_refused_by_name(text):
    with pytest.raises(dsse.EnvelopeError) as caught:
        dsse.open_envelope(text, dsse.IN_TOTO, TRUSTED)
    assert caught.value.rule == "envelope.malformed"


@given(st.data())
def test_no_single_changed_byte_of_the_payload_or_signature_opens(data):
    envelope = dsse.seal(b'{"device":"a"}', dsse.IN_TOTO, KEY)
    raw = bytearray(base64.b64decode(envelope["payload"]))
    sig = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
    target = data.draw(st.sampled_from([raw, sig]))
    target[data.draw(st.integers(0, len(target) - 1))] ^= data.draw(st.integers(1, 255))
    envelope["payload"] = base64.b64encode(raw).decode()
    envelope["signatures"][0]["sig"] = base64.b64encode(sig).decode()
    with pytest.raises(dsse.EnvelopeError):
        dsse.open_envelope(json.dumps(envelope), dsse.IN_TOTO, TRUSTED)
