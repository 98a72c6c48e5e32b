"""The gate's view of a site: whatever goes wrong while it is asked is a refusal, and a login is never tried twice."""

from dataclasses import replace
from datetime import timedelta

import pytest
from inventory_samples import NOW, observation, sweep
from sqlalchemy import text

from analytics import attestation
from analytics.fingerprint import Fingerprint
from analytics.gate import AppOrder, AttachOrder, Refused
from camvet import admission
from camvet.admission import SiteWorld, changed_since, contradictions, refuse_unfit
from camvet.inventory import Inventory
from camvet.keys import KeyStore
from rules.vocabulary import Outcome, Overall, Verdict
from scanner import clock
from scanner.observation import Attempt, AttemptStatus, Reason
from scanner.recognition import Recognition

ADDRESS, MAC = "10.0.0.1", "AA:00:00:00:00:01"
APPROVED = Fingerprint(mac=MAC, serial="S1", firmware="1.0", tls_key="ab" * 32)
DAY = NOW.date()


def shown(**traits):
    """Observations that show these traits of a fingerprint."""
    sources = {"mac": ("link", "mac"), "serial": ("onvif", "serial"), "firmware": ("onvif", "firmware"),
               "tls_key": ("tls", "spki_sha256"), "endpoint_reference": ("wsd", "endpoint_reference")}
    return [observation(ADDRESS, sources[name][0], {sources[name][1]: value}) for name, value in traits.items()]


def login(status, reason=None):
    return Attempt(ADDRESS, "auth.onvif.GetDeviceInformation", 80, status, NOW, reason)


ALL = {"mac": MAC, "serial": "S1", "firmware": "1.0", "tls_key": "ab" * 32}
GOOD = login(AttemptStatus.COMPLETED)


@pytest.fixture
def inventory(tmp_path):
    made = Inventory.open(f"sqlite:///{tmp_path / 'camvet.sqlite'}")
    made.record(sweep(1, (ADDRESS, MAC, "S1")), actor="x")
    return made


@pytest.fixture
def keys(tmp_path):
    store = KeyStore(tmp_path / "keys")
    store.init(clock.now())
    return store


@pytest.fixture
def order(inventory, monkeypatch):
    monkeypatch.setenv("CAMERA_LOGIN", "user:lab-only")
    (row,) = inventory.devices()
    return AttachOrder(row.id, ADDRESS, "count", [AppOrder("people_count")], 30, "D-1", "env:CAMERA_LOGIN")


@pytest.fixture
def world(inventory, keys, order):
    verdict = Verdict(ADDRESS, Outcome.APPROVED, "federal", "1", clock.now().date(),
                      clock.now().date() + timedelta(days=30), overall=Overall.LEGAL)
    envelope = attestation.issue(device=order.device, address=ADDRESS, fingerprint=APPROVED, verdict=verdict,
                                 actor="alice", now=clock.now(), lasts=timedelta(days=1), key=keys.signing())
    return lambda **options: SiteWorld(inventory, keys, envelope=envelope, **options)


@pytest.fixture
def live(monkeypatch):
    """What the device shows, in turn; the last one again and again. Each call's options are kept."""
    calls = []

    def show(*recognitions):
        left = list(recognitions)

        async def recognise(address, known, **options):
            calls.append({"address": address, "known": known, **options})
            return left.pop(0) if len(left) > 1 else left[0]

        monkeypatch.setattr(admission, "recognise", recognise)
        return calls
    return show


def test_the_device_is_asked_at_its_pinned_address_with_what_was_seen_of_it(world, order, live):
    calls = live(Recognition(shown(**ALL), [GOOD]))
    assert world().read_fingerprint(order) == APPROVED
    (call,) = calls
    assert (call["address"], call["credentials"].user) == (ADDRESS, "user")
    assert [seen.transport for seen in call["known"]] == ["link"]


def test_the_login_is_kept_from_a_device_that_visibly_differs(world, order, live):
    calls = live(Recognition(shown(**ALL), [GOOD]))
    world().read_fingerprint(order)
    trusting = calls[0]["trusting"]
    assert trusting(shown(mac=MAC))
    assert trusting([])
    assert not trusting(shown(mac="AA:00:00:00:00:09"))
    assert not trusting(shown(mac=MAC, tls_key="cd" * 32))


def test_another_device_is_shown_as_it_is_even_where_its_login_failed(world, order, live):
    live(Recognition(shown(mac="AA:00:00:00:00:09"), [login(AttemptStatus.FAILED, Reason.AUTH_REJECTED)]))
    assert world(patience=timedelta(hours=1)).read_fingerprint(order).mac == "AA:00:00:00:00:09"


def test_an_address_where_nobody_speaks_has_no_fingerprint(world, order, live):
    live(Recognition(shown(mac=MAC), []))
    assert world().read_fingerprint(order) is None


@pytest.mark.parametrize("reason", [Reason.AUTH_REJECTED, Reason.AUTH_NOT_UNDERSTOOD, Reason.CLOCK_SKEW])
def test_a_refused_login_refuses_by_its_own_rule(world, order, live, reason):
    live(Recognition(shown(mac=MAC, tls_key="ab" * 32), [login(AttemptStatus.FAILED, reason)]))
    with pytest.raises(Refused) as caught:
        world(patience=timedelta(hours=1)).read_fingerprint(order)
    assert caught.value.rule == "gate.login_rejected"


def test_a_login_that_got_lost_is_tried_once_more_and_no_third_time(world, order, live):
    lost = Recognition(shown(mac=MAC), [login(AttemptStatus.FAILED, Reason.TIMEOUT)])
    lost = replace(lost, observations=[*lost.observations, *shown(tls_key="ab" * 32)])
    live(lost)
    asked = world(patience=timedelta(hours=1))
    rules = []
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            asked.read_fingerprint(order)
        rules.append(caught.value.rule)
    assert rules == ["gate.unreachable", "gate.login_lost"]


def test_a_login_that_succeeded_in_between_makes_it_good(world, order, live):
    part = [*shown(mac=MAC), *shown(tls_key="ab" * 32)]
    live(Recognition(part, [login(AttemptStatus.FAILED, Reason.TIMEOUT)]), Recognition(shown(**ALL), [GOOD]),
         Recognition(part, [login(AttemptStatus.FAILED, Reason.RESET)]))
    asked = world(patience=timedelta(hours=1))
    with pytest.raises(Refused, match=r"gate\.unreachable"):
        asked.read_fingerprint(order)
    assert asked.read_fingerprint(order) == APPROVED
    with pytest.raises(Refused, match=r"gate\.unreachable"):
        asked.read_fingerprint(order)


def test_a_device_in_part_is_borne_with_for_a_while_and_then_is_what_it_shows(world, order, live, monkeypatch):
    live(Recognition(shown(mac=MAC, tls_key="ab" * 32), []))
    asked = world(patience=timedelta(seconds=60))
    start = clock.now()
    for seconds in (0, 59):
        monkeypatch.setattr(admission.clock, "now", lambda later=seconds: start + timedelta(seconds=later))
        with pytest.raises(Refused, match=r"gate\.unreachable") as caught:
            asked.read_fingerprint(order)
        assert "serial, firmware" in caught.value.because
    monkeypatch.setattr(admission.clock, "now", lambda: start + timedelta(seconds=61))
    assert asked.read_fingerprint(order) == Fingerprint(mac=MAC, tls_key="ab" * 32)


def test_without_patience_what_is_missing_is_missing_at_once(world, order, live):
    live(Recognition(shown(mac=MAC, tls_key="ab" * 32), []))
    assert world().read_fingerprint(order) == Fingerprint(mac=MAC, tls_key="ab" * 32)


@pytest.mark.parametrize(("question", "rule"), [
    (lambda world, _order: world.revoked(), "gate.inventory"),
    (lambda world, order: world.verdict(order.device, "federal"), "gate.verdict"),
    (lambda world, order: world.read_fingerprint(order), "gate.inventory"),
])
def test_a_broken_inventory_refuses(world, order, inventory, live, question, rule):
    live(Recognition(shown(**ALL), [GOOD]))
    asked = world()
    with inventory._writing().begin() as connection:
        connection.execute(text("DROP TABLE attestation"))
        connection.execute(text("ALTER TABLE judgement RENAME TO gone"))
    with pytest.raises(Refused) as caught:
        question(asked, order)
    assert caught.value.rule == rule
    assert "\n" not in caught.value.because


def test_keys_that_others_could_have_placed_refuse(world, order, tmp_path, live):
    live(Recognition(shown(**ALL), [GOOD]))
    asked = world()
    (tmp_path / "keys").chmod(0o777)
    for question in (asked.trusted_keys, lambda: asked.read_fingerprint(order)):
        with pytest.raises(Refused, match=r"attestation\.key"):
            question()


def test_credentials_that_went_away_refuse(world, order, live, monkeypatch):
    live(Recognition(shown(**ALL), [GOOD]))
    monkeypatch.delenv("CAMERA_LOGIN")
    with pytest.raises(Refused, match=r"gate\.credentials"):
        world().login(order)


def test_a_policy_that_is_gone_refuses_and_an_unknown_device_has_no_verdict(world, order):
    with pytest.raises(Refused, match=r"gate\.verdict"):
        world().verdict(order.device, "no-such-policy")
    assert world().verdict("nobody", "federal") is None


def test_a_verdict_is_made_of_the_newest_sweep_today(world, order):
    verdict = world().verdict(order.device, "federal")
    assert verdict.as_of == clock.now().date()
    assert verdict.outcome is Outcome.UNDETERMINED, "a device of which only a MAC is stored cannot be approved"
    with pytest.raises(Refused) as caught:
        refuse_unfit(verdict)
    assert caught.value.rule == verdict.rules[0]


@pytest.mark.parametrize(("before", "now", "differ"), [
    (ALL, ALL, []),
    (ALL, {"mac": MAC}, ["tls_key"]),                                       # steady traits must show again
    (ALL, {**ALL, "mac": "AA:00:00:00:00:09"}, ["mac"]),
    (ALL, {**ALL, "firmware": "2.0"}, ["firmware"]),
    (ALL, {"mac": MAC, "tls_key": "ab" * 32}, []),                         # a login shows more than none
    ({"mac": MAC}, ALL, []),
])
def test_what_was_swept_and_what_answers_now(before, now, differ):
    found = changed_since(shown(**before), shown(**now))
    assert [line.partition(":")[0] for line in found] == differ


def test_two_protocols_may_spell_a_serial_number_in_their_own_way():
    swept = [observation(ADDRESS, "sadp", {"serial": "DS-2CD-S1W"})]
    live = [*swept, observation(ADDRESS, "onvif", {"serial": "S1"})]
    assert changed_since(swept, live) == []


def test_only_what_was_read_both_times_contradicts():
    assert contradictions(APPROVED, Fingerprint()) == []
    assert contradictions(Fingerprint(), APPROVED) == []
    assert contradictions(APPROVED, replace(APPROVED, serial="S2")) == ["serial: S1 -> S2"]
