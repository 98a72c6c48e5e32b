"""An attestation holds for one device, one verdict, one term; whatever is changed in it, it holds no more."""

import base64
import json
from datetime import date, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analytics import attestation
from analytics.attestation import AttestationError, Waiver
from analytics.fingerprint import Fingerprint
from rules import dsse
from rules.vocabulary import Outcome
from tests.analytics.gate_world import ADDRESS, KEY, NOON, OTHER_KEY, TRAITS, envelope, public, verdict

DAY = timedelta(days=1)
CONDITIONAL = verdict(Outcome.CONDITIONAL, "law.flag", "cve.open")


def waiver(rule="law.flag", actor="bob", expires=NOON + 30 * DAY):
    return Waiver(rule, "accepted for the pilot", actor, expires)


def verify(text, now=NOON, **options):
    return attestation.verify(text, **{"trusted": public(KEY), "now": now} | options)


def not_issued(**changes):
    with pytest.raises(AttestationError) as caught:
        envelope(**changes)
    return caught.value.rule


def not_accepted(text, now=NOON, **options):
    with pytest.raises(AttestationError) as caught:
        verify(text, now, **options)
    return caught.value.rule


def test_what_was_approved_is_what_is_read():
    found = verify(envelope())
    assert (found.device, found.address, found.fingerprint) == ("cam-1", ADDRESS, TRAITS)
    assert (found.outcome, found.policy, found.actor, found.waived) == (Outcome.APPROVED, "default", "alice", ())
    assert (found.issued, found.expires) == (NOON, NOON + 90 * DAY)
    assert found.lists == {"ndaa-889": "abc of 2026-11-20"}


def test_the_statement_has_the_form_of_in_toto_and_says_what_could_not_be_read():
    partial = Fingerprint(mac=TRAITS.mac, serial=TRAITS.serial)
    outer = json.loads(envelope(fingerprint=partial))
    inner = json.loads(base64.b64decode(outer["payload"]))
    assert outer["payloadType"] == "application/vnd.in-toto+json"
    assert inner["_type"] == "https://in-toto.io/Statement/v1"
    assert inner["subject"] == [{"name": "cam-1", "digest": {"sha256": partial.digest}}]
    assert inner["predicate"]["read"] == ["mac", "serial"]
    assert inner["predicate"]["unread"] == ["firmware", "tls_key", "endpoint_reference"]


@pytest.mark.parametrize("outcome", [Outcome.PROHIBITED, Outcome.UNDETERMINED])
def test_only_an_approved_or_waived_verdict_is_signed(outcome):
    waivers = [waiver(rule) for rule in CONDITIONAL.rules]
    assert not_issued(verdict=verdict(outcome, "law.flag"), waivers=waivers) == "attestation.verdict"


def test_a_conditional_verdict_that_names_no_condition_cannot_be_waived():
    assert not_issued(verdict=verdict(Outcome.CONDITIONAL)) == "attestation.verdict"


@pytest.mark.parametrize(("waivers", "rule"), [
    ([], "attestation.waiver"),
    ([waiver("law.flag")], "attestation.waiver"),
    ([waiver("law.flag"), waiver("other")], "attestation.waiver"),
    ([waiver("law.flag"), waiver("cve.open", expires=NOON)], "attestation.waiver"),
    ([waiver("law.flag"), waiver("cve.open", actor="alice")], "attestation.same_actor"),
    ([waiver("law.flag"), waiver("cve.open", actor="\u0410lice")], "attestation.same_actor"),      # Cyrillic
    ([waiver("law.flag"), waiver("cve.open", actor=" ALICE")], "attestation.same_actor"),
])
def test_every_deciding_rule_needs_a_waiver_by_somebody_else(waivers, rule):
    assert not_issued(verdict=CONDITIONAL, waivers=waivers) == rule


@pytest.mark.parametrize(("ends", "days"), [
    ([("law.flag", "bob", 30), ("cve.open", "bob", 10)], 10),        # the first rule that is uncovered ends it
    ([("law.flag", "bob", 30), ("cve.open", "bob", 10), ("cve.open", "carol", 40)], 30),
    ([("law.flag", "bob", -1), ("law.flag", "bob", 20), ("cve.open", "bob", 40)], 20),     # an old one bounds nothing
    ([("law.flag", "alice", 5), ("law.flag", "bob", 20), ("cve.open", "bob", 40)], 20),    # nor does her own
    ([("law.flag", "alice", 80), ("law.flag", "bob", 20), ("cve.open", "bob", 40)], 20),   # nor does it prolong
    ([("law.flag", "bob", 400), ("cve.open", "bob", 400)], 90),
    ([("law.flag", "bob", 30), ("cve.open", "bob", 40), ("other", "bob", 1)], 30),
])
def test_it_ends_with_its_waivers(ends, days):
    waivers = [waiver(rule, actor, NOON + days * DAY) for rule, actor, days in ends]
    found = verify(envelope(verdict=CONDITIONAL, waivers=waivers))
    assert found.expires == NOON + days * DAY
    assert found.waived == ("law.flag", "cve.open")


@given(st.lists(st.tuples(st.sampled_from(CONDITIONAL.rules), st.sampled_from(["alice", "bob"]),
                          st.integers(-3, 60)), max_size=6), st.integers(1, 500))
def test_it_never_outlives_what_it_rests_on(given_waivers, lasts):
    waivers = [waiver(rule, actor, NOON + days * DAY) for rule, actor, days in given_waivers]
    covered = {rule: [d for r, actor, d in given_waivers if r == rule and actor != "alice" and d > 0]
               for rule in CONDITIONAL.rules}
    if all(covered.values()):
        found = verify(envelope(verdict=CONDITIONAL, waivers=waivers, lasts=lasts * DAY))
        assert found.expires == NOON + min(lasts, 366, *map(max, covered.values())) * DAY
    else:
        assert not_issued(verdict=CONDITIONAL, waivers=waivers) in ("attestation.waiver", "attestation.same_actor")


def test_a_device_that_shows_too_little_is_not_approved():
    assert not_issued(fingerprint=Fingerprint(mac=TRAITS.mac)) == "attestation.fingerprint"
    two = Fingerprint(mac=TRAITS.mac, serial="1")
    assert verify(envelope(fingerprint=two)).fingerprint == two


def test_an_old_verdict_and_an_empty_term_are_not_signed():
    assert not_issued(verdict=verdict(expires=date(2026, 11, 21))) == "attestation.verdict_expired"
    assert envelope(verdict=verdict(expires=NOON.date()))
    assert not_issued(lasts=timedelta(0)) == "attestation.term"


@pytest.mark.parametrize(("moment", "rule"), [
    (NOON - timedelta(minutes=6), "attestation.not_yet"),
    (NOON - timedelta(minutes=4), None),
    (NOON + 90 * DAY - timedelta(seconds=1), None),
    (NOON + 90 * DAY, "attestation.expired"),
    (NOON + 400 * DAY, "attestation.expired"),
])
def test_it_holds_from_its_beginning_to_before_its_end(moment, rule):
    if rule is None:
        assert verify(envelope(), moment).device == "cam-1"
    else:
        assert not_accepted(envelope(), moment) == rule


def test_keys_and_revocation():
    found = verify(envelope())
    assert not_accepted(envelope(), trusted={}) == "attestation.key"
    assert not_accepted(envelope(), trusted=public(OTHER_KEY)) == "attestation.key"
    assert not_accepted(envelope(key=OTHER_KEY)) == "attestation.key"
    assert not_accepted(envelope(), revoked={found.id}) == "attestation.revoked"
    assert verify(envelope(), revoked={"0" * 64}) == found
    assert verify(envelope(key=OTHER_KEY), trusted=public(KEY, OTHER_KEY)).device == "cam-1"


@pytest.mark.parametrize("payload", [
    b"null", b"[]", b"{}", b'"x"', b"{", b"[" * 5000, b'{"_type":"x"}',
    b'{"_type":"https://in-toto.io/Statement/v1","predicateType":"urn:other"}',
])
def test_what_is_signed_but_is_no_attestation_is_malformed(payload):
    assert not_accepted(json.dumps(dsse.seal(payload, dsse.IN_TOTO, KEY))) == "attestation.malformed"


def resealed(change):
    inner = json.loads(base64.b64decode(json.loads(envelope())["payload"]))
    change(inner)
    return json.dumps(dsse.seal(json.dumps(inner).encode(), dsse.IN_TOTO, KEY))


@pytest.mark.parametrize("change", [
    lambda s: s["predicate"]["fingerprint"].update(serial="other"),     # the subject is another fingerprint
    lambda s: s["predicate"].update(fingerprint=[]),
    lambda s: s["predicate"].update(expires="2027-01-01T00:00:00"),     # no zone
    lambda s: s["predicate"].update(expires=5),
    lambda s: s["predicate"].update(verdict={"outcome": "splendid", "policy": "x"}),
    lambda s: s["predicate"].pop("actor"),
    lambda s: s.update(subject=[]),
    lambda s: s.update(subject="x"),
])
def test_a_signed_statement_that_contradicts_itself_is_malformed(change):
    assert verify(resealed(lambda s: None)).device == "cam-1"
    assert not_accepted(resealed(change)) == "attestation.malformed"


ENVELOPE = envelope().encode()
GENUINE = verify(ENVELOPE)


@settings(max_examples=400)
@given(st.integers(0, len(ENVELOPE) - 1), st.integers(0, 255))
def test_no_changed_byte_changes_what_is_attested(place, value):
    assume(ENVELOPE[place] != value)
    changed = ENVELOPE[:place] + bytes([value]) + ENVELOPE[place + 1:]
    # White space between JSON tokens and the unused bits of Base64 mean nothing: there, it stays the same attestation.
    try:
        found = verify(changed)
    except AttestationError as error:
        found, rule = None, error.rule
    if found is None:
        assert rule in ("attestation.signature", "attestation.malformed", "attestation.key")
    else:
        assert found == GENUINE
        assert ENVELOPE[place:place + 1] in b" " or chr(value).isspace() or b"=" in ENVELOPE[place + 1:place + 3]


def test_every_changed_bit_of_the_payload_and_of_the_signature_is_refused():
    outer = json.loads(ENVELOPE)
    payload, signature = base64.b64decode(outer["payload"]), base64.b64decode(outer["signatures"][0]["sig"])
    for place in range(len(payload)):
        changed = payload[:place] + bytes([payload[place] ^ 1]) + payload[place + 1:]
        forged = json.dumps(outer | {"payload": base64.b64encode(changed).decode()})
        assert not_accepted(forged) == "attestation.signature"
    for place in range(len(signature)):
        changed = signature[:place] + bytes([signature[place] ^ 1]) + signature[place + 1:]
        forged = [outer["signatures"][0] | {"sig": base64.b64encode(changed).decode()}]
        assert not_accepted(json.dumps(outer | {"signatures": forged})) == "attestation.signature"
