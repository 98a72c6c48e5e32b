"""Every way to be refused, each by its rule, and what a source is given once the gate opens."""

import time
from collections import deque
from dataclasses import replace
from datetime import timedelta
from itertools import takewhile

import pytest

from analytics.attestation import Waiver
from analytics.fingerprint import Fingerprint
from analytics.gate import AppOrder, Gate, Refused
from analytics.source import SourceLost
from rules.vocabulary import Outcome
from scanner.transport.stream import StreamError
from tests.analytics.gate_world import (
    ADDRESS,
    KEY,
    NOON,
    OTHER_KEY,
    TRAITS,
    FakeStream,
    FakeWorld,
    envelope,
    order,
    public,
    verdict,
)

DAY = timedelta(days=1)
WAIVED = envelope(verdict=verdict(Outcome.CONDITIONAL, "law.flag"),
                  waivers=[Waiver("law.flag", "pilot", "bob", NOON + 10 * DAY)])


def refused(world=None, wanted=None, text=None):
    with pytest.raises(Refused) as caught:
        Gate(world or FakeWorld()).admit(wanted or order(), text or envelope())
    assert caught.value.because
    return caught.value.rule


def test_a_vetted_device_is_admitted():
    admission = Gate(FakeWorld()).admit(order(), envelope())
    assert (admission.fingerprint, admission.at, admission.attestation.device) == (TRAITS, NOON, "cam-1")


@pytest.mark.parametrize(("changes", "rule"), [
    ({"purpose": "  "}, "gate.purpose"),
    ({"dpia": ""}, "gate.dpia"),
    ({"apps": ()}, "gate.apps"),
    ({"apps": (AppOrder("face_recognition", {}),)}, "gate.apps"),
    ({"apps": (AppOrder("people_count", {}),)}, "gate.apps"),
    ({"path": "rtsp://192.0.2.99/x"}, "gate.path"),
    ({"path": ""}, "gate.path"),
    ({"retention_days": -1}, "gate.retention"),
    ({"retention_days": 367}, "gate.retention"),
    ({"device": "cam-2"}, "gate.other_device"),
    ({"address": "192.0.2.11"}, "gate.other_address"),
])
def test_an_order_that_does_not_hold_is_refused_before_anybody_is_asked(changes, rule):
    world = FakeWorld()
    assert refused(world, order(**changes)) == rule
    assert world.asked == []


def test_the_ends_of_the_retention_are_allowed():
    for days in (0, 366):
        assert Gate(FakeWorld()).admit(order(retention_days=days), envelope())


@pytest.mark.parametrize(("world", "text", "rule"), [
    (FakeWorld(keys={}), None, "attestation.key"),
    (FakeWorld(keys=public(OTHER_KEY)), None, "attestation.key"),
    (FakeWorld(at=NOON + 90 * DAY), None, "attestation.expired"),
    (FakeWorld(at=NOON - DAY), None, "attestation.not_yet"),
    (FakeWorld(), "{}", "attestation.malformed"),
    (FakeWorld(), envelope(key=OTHER_KEY), "attestation.key"),
    (FakeWorld(judged=None), None, "gate.unknown_device"),
    (FakeWorld(judged=verdict(Outcome.PROHIBITED, "ndaa-889")), None, "ndaa-889"),
    (FakeWorld(judged=verdict(Outcome.PROHIBITED)), None, "gate.verdict"),
    (FakeWorld(judged=verdict(Outcome.UNDETERMINED, "identity.assurance")), None, "identity.assurance"),
    (FakeWorld(judged=verdict(Outcome.CONDITIONAL, "law.flag")), None, "law.flag"),
    (FakeWorld(judged=verdict(Outcome.CONDITIONAL, "law.flag", "cve.open")), WAIVED, "cve.open"),
    (FakeWorld(judged=verdict(Outcome.CONDITIONAL)), WAIVED, "gate.verdict"),
    (FakeWorld(judged=verdict(Outcome.CONDITIONAL, "law.flag"), at=NOON + 10 * DAY), WAIVED, "attestation.expired"),
    (FakeWorld(live=None), None, "gate.unreachable"),
    (FakeWorld(live=replace(TRAITS, serial="OTHER")), None, "gate.fingerprint"),
    (FakeWorld(live=replace(TRAITS, firmware="11.2.4")), None, "gate.fingerprint"),
    (FakeWorld(live=Fingerprint()), None, "gate.fingerprint"),
])
def test_each_refusal_names_its_rule(world, text, rule):
    assert refused(world, text=text) == rule


def test_a_revoked_attestation_is_refused():
    found = Gate(FakeWorld()).admit(order(), envelope()).attestation
    assert refused(FakeWorld(gone={found.id})) == "attestation.revoked"


def test_what_was_waived_stays_waived_and_what_became_approved_needs_no_waiver():
    for judged in (verdict(Outcome.CONDITIONAL, "law.flag"), verdict(Outcome.APPROVED)):
        assert Gate(FakeWorld(judged=judged)).admit(order(), WAIVED).attestation.waived == ("law.flag",)


def test_the_live_device_is_asked_last():
    world = FakeWorld(judged=verdict(Outcome.PROHIBITED, "x"))
    refused(world)
    assert world.asked == ["verdict"]


def test_a_refused_device_gets_no_stream(streams):
    with pytest.raises(Refused):
        Gate(FakeWorld(live=None)).open(order(), envelope())
    assert streams == []


def test_the_stream_goes_to_the_pinned_address_with_the_orders_path(streams):
    with Gate(FakeWorld(), allow_basic=True).open(order(), envelope()) as source:
        assert next(source.frames()).grey.shape == (90, 160)
    (stream,) = streams
    assert (stream.address, stream.path, stream.credentials.user) == (ADDRESS, "/stream", "viewer")
    assert stream.options["allow_basic"] is True
    assert not stream.open


def test_the_rate_thins_the_pictures_out_on_a_grid(streams):
    with Gate(FakeWorld()).open(order(), envelope(), rate=5) as source:
        frames = source.frames()
        assert [round(next(frames).at, 3) for _ in range(5)] == [0, 0.2, 0.4, 0.6, 0.8]
        source.rate = 10.0                                     # 25 do not divide into 10: on average they do
        first, *_, last = [next(frames).at for _ in range(21)]
        assert last - first == pytest.approx(2.0, abs=0.04)


def test_a_stream_that_does_not_open_is_a_lost_source(streams, monkeypatch):
    monkeypatch.setattr(FakeStream, "ends_with", StreamError("stream.redirected", "elsewhere"))
    with pytest.raises(SourceLost) as caught, Gate(FakeWorld()).open(order(), envelope()):
        pass
    assert (caught.value.rule, caught.value.because) == ("stream.redirected", "elsewhere")


def ended(world, change, *, recheck_s=0.01):
    """The rule under which a source ends after `change` of its world."""
    with Gate(world).open(order(), envelope(), recheck_s=recheck_s) as source:
        frames = source.frames()
        next(frames)
        change()
        give_up = time.monotonic() + 20
        with pytest.raises(SourceLost) as caught:
            deque(takewhile(lambda _: time.monotonic() < give_up, frames), maxlen=0)
    return caught.value.rule


@pytest.mark.parametrize(("change", "rule"), [
    ({"live": replace(TRAITS, mac="66:66:66:66:66:66")}, "gate.fingerprint"),
    ({"live": None}, "gate.unreachable"),
    ({"judged": verdict(Outcome.PROHIBITED, "ndaa-889")}, "ndaa-889"),
    ({"keys": {}}, "attestation.key"),
])
def test_a_change_of_the_world_ends_the_source_at_the_next_check(streams, change, rule):
    world = FakeWorld()
    assert ended(world, lambda: [setattr(world, name, value) for name, value in change.items()]) == rule
    assert not streams[0].open


def test_the_end_of_the_attestation_ends_the_source_without_waiting_for_a_check(streams):
    world = FakeWorld()
    assert ended(world, lambda: setattr(world, "at", NOON + 90 * DAY), recheck_s=3600) == "attestation.expired"


def test_a_lost_session_is_not_resumed(streams):
    world = FakeWorld()
    assert ended(world, lambda: setattr(streams[0], "lost", True), recheck_s=3600) == "stream.closed"
    assert len(streams) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_check_that_breaks_down_shuts_the_source(streams):
    class Broken(FakeWorld):
        """Its inventory fails after the first question."""

        def verdict(self, device, policy):
            if self.asked:
                raise OSError("database is locked")
            return super().verdict(device, policy)

    assert ended(Broken(), lambda: None) == "gate.recheck"


def test_a_check_that_hangs_shuts_the_source(streams, monkeypatch):
    from analytics.source import OVERDUE_S

    ticks = iter([0.0, *[1.0] * 3, *[31.0 + OVERDUE_S] * 100])
    with Gate(FakeWorld()).open(order(), envelope(), recheck_s=30) as source:
        monkeypatch.setattr(source, "_ticks", lambda: next(ticks))
        monkeypatch.setattr(source, "_checked", 0.0)
        with pytest.raises(SourceLost) as caught:
            for _ in source.frames():
                pass
    assert caught.value.rule == "gate.recheck"


def test_a_source_leaves_nothing_behind(streams):
    gate = Gate(FakeWorld())
    source = gate.open(order(), envelope(), recheck_s=0.01)
    with source:
        next(source.frames())
    source.close()
    assert not streams[0].open
    assert source._decoder.closed
    assert not source._guard.is_alive()


def test_the_key_that_signed_may_be_an_older_one():
    assert Gate(FakeWorld(keys=public(OTHER_KEY, KEY))).admit(order(), envelope())
