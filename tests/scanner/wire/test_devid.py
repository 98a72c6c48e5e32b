"""What the user's anchors say of a device's certificates."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from device_certificates import make
from hypothesis import given
from hypothesis import strategies as st

from scanner.observation import Endpoint
from scanner.wire import replies, tls
from scanner.wire.devid import Anchor, hardware_module, judge

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = timedelta(days=1)
MODULE = bytes.fromhex("300f06072b0601040181200404") + b"SN42"      # SEQUENCE { 1.3.6.1.4.1.160, "SN42" }

ROOT = make("Lab device ID root", NOW, organisation="Axis Communications AB", authority=True)
BETWEEN = make("Lab device ID batch 7", NOW, signed_by=ROOT, authority=True)
CAMERA = make("axis-b8a44f2c7013", NOW, signed_by=BETWEEN, serial="B8A44F2C7013")
OTHER_ROOT = make("Somebody", NOW, authority=True)
ANCHOR = Anchor(ROOT.certificate, "axis")


def said(*chain, anchors=(ANCHOR,), now=NOW, legacy=False):
    return judge([one.der for one in chain], anchors, now, legacy=legacy)


def test_a_chain_to_the_anchor_proves_the_maker_and_shows_the_serial_number():
    assert said(CAMERA, BETWEEN) == {
        "chain_verified": "axis", "chain_anchor": "CN=Lab device ID root,O=Axis Communications AB",
        "chain_anchor_sha256": ROOT.certificate.fingerprint(hashes.SHA256()).hex(),
        "device_serial": "B8A44F2C7013", "chain_until": "9999-12-31T23:59:59Z"}


def test_an_authority_of_the_users_own_names_no_maker():
    fields = said(CAMERA, BETWEEN, anchors=[Anchor(ROOT.certificate)])
    assert "chain_verified" not in fields
    assert fields["device_serial"] == "B8A44F2C7013"


def test_the_anchor_may_be_an_intermediate_and_the_root_may_come_along():
    assert said(CAMERA, anchors=[Anchor(BETWEEN.certificate, "axis")])["chain_verified"] == "axis"
    assert said(CAMERA, BETWEEN, ROOT)["chain_verified"] == "axis"


def test_without_anchors_nothing_is_said():
    assert said(CAMERA, BETWEEN, anchors=()) == {}


def own(**how):
    return make("camera", NOW, **{"serial": "S-1", "signed_by": BETWEEN, **how})


FORGED = make("forged", NOW, signed_by=CAMERA, serial="S-2")


@pytest.mark.parametrize(("chain", "why"), [
    ((CAMERA,), "unknown_issuer"),                                             # the batch's certificate was not sent
    ((own(signed_by=OTHER_ROOT), OTHER_ROOT), "unknown_issuer"),               # an anchor that the device brings itself
    ((own(signed_by=None),), "self_signed"),
    ((own(until=NOW - DAY), BETWEEN), "expired"),
    ((own(since=NOW + DAY), BETWEEN), "not_yet_valid"),
    ((own(serial=""), BETWEEN), "no_device_serial"),
    ((BETWEEN,), "authority_in_place_of_device"),
    ((FORGED, CAMERA, BETWEEN), "unknown_issuer"),                             # a camera is no authority
    ((), "malformed"),
])
def test_a_chain_that_does_not_hold_says_why(chain, why):
    assert said(*chain) == {"chain_refused": why}


def test_an_expired_batch_or_root_counts_too():
    old = make("old batch", NOW, signed_by=ROOT, authority=True, until=NOW - DAY)
    assert said(own(signed_by=old), old) == {"chain_refused": "expired"}
    gone = make("old root", NOW, authority=True, until=NOW - DAY)
    assert said(own(signed_by=gone), anchors=[Anchor(gone.certificate, "axis")]) == {"chain_refused": "expired"}


def test_the_day_decides():
    short = own(until=NOW + DAY)
    assert said(short, BETWEEN)["chain_until"] == "2026-11-23T00:00:00Z"
    assert said(short, BETWEEN, now=NOW + 2 * DAY) == {"chain_refused": "expired"}


def test_the_anchor_itself_is_no_device():
    pinned = make("camera", NOW, serial="S-1")
    assert said(pinned, anchors=[Anchor(pinned.certificate, "axis")]) == {"chain_refused": "self_signed"}


def test_a_legacy_handshake_proves_nothing():
    assert said(CAMERA, BETWEEN, legacy=True) == {"chain_refused": "legacy_handshake"}


def test_a_hardware_module_name_is_a_serial_number():
    assert said(own(serial="", module=MODULE), BETWEEN)["device_serial"] == "SN42"


@pytest.mark.parametrize(("der", "serial"), [
    (MODULE, "SN42"),
    (MODULE[:-4] + b"\x00\x01\x02\xff", "000102FF"),
    (MODULE[:-1], ""), (MODULE + b"\0", ""), (b"", ""), (b"\x30\x80" + MODULE[2:], ""),
    (MODULE.replace(b"\x06\x07", b"\x04\x07"), ""),
])
def test_hardware_module_names(der, serial):
    assert hardware_module(der) == serial


def test_a_hardware_module_name_is_no_host_name():
    fields = tls.parse_chain([own(serial="", module=MODULE).der], Endpoint("192.0.2.1"), NOW)
    assert "san" not in fields


@given(st.lists(st.one_of(st.binary(max_size=80), st.sampled_from([CAMERA.der, BETWEEN.der, CAMERA.der[:-1]])),
                max_size=12))
def test_any_bytes_are_judged_and_only_the_true_chain_verified(chain):
    fields = judge(chain, [ANCHOR], NOW)
    verified = bool(chain) and chain[0] == CAMERA.der and BETWEEN.der in chain[1:8]
    assert ("chain_verified" in fields) is verified
    assert ("chain_refused" in fields) is not verified


@given(st.binary(max_size=160))
def test_any_bytes_as_a_hardware_module_name(der):
    assert isinstance(hardware_module(der), str)


@given(st.integers(0, len(CAMERA.certificate.tbs_certificate_bytes) - 1), st.integers(1, 255))
def test_a_certificate_with_one_byte_changed_is_not_verified(at, change):
    der, signed = bytearray(CAMERA.der), CAMERA.der.index(CAMERA.certificate.tbs_certificate_bytes)
    der[signed + at] ^= change
    assert "chain_verified" not in judge([bytes(der), BETWEEN.der], [ANCHOR], NOW)


def test_a_recorded_reply_that_claims_a_verified_chain_loses_the_claim():
    claimed = {"transport": "tls", "fields": {"subject_cn": "x", "chain_verified": "axis", "device_serial": "S-1",
                                              "Chain Anchor": "CN=root", "shared_with": ["192.0.2.9"]}}
    (seen,) = replies.read("parsed-fields", 443, json.dumps(claimed).encode(), device="d", now=NOW)
    assert (seen.transport, dict(seen.fields)) == ("tls", {"subject_cn": "x"})
    (bare,) = replies.read("parsed-fields", 443, b'{"transport": "tls", "fields": {"chain_verified": "axis"}}',
                           device="d", now=NOW)
    assert bare.transport == "import"
    assert "refusal" in bare.fields
