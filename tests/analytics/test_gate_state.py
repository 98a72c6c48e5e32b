"""Random lives of one attached camera: whatever happens in whatever order, no frame comes without a right to it.

The machine keeps its own, naive account of what is valid; the gate is only ever asked through `Gate.open`, and the
source's guard is driven by hand: its thread sleeps, and `tick` makes the check it would make.
"""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from analytics import attestation, gate, source
from analytics.attestation import AttestationError, Waiver
from analytics.gate import Gate, Refused
from analytics.source import SourceLost
from rules.vocabulary import Outcome
from tests.analytics.gate_world import (
    ADDRESS,
    KEY,
    NOON,
    OTHER_KEY,
    TRAITS,
    FakeDecoder,
    FakeStream,
    FakeWorld,
    order,
    public,
    verdict,
)

DAY = timedelta(days=1)
DEVICES = {"the camera": TRAITS, "an imposter": replace(TRAITS, mac="66:66:66:66:66:66", serial="FAKE"),
           "upgraded": replace(TRAITS, firmware="12.0"), "silent": None,
           "shy": replace(TRAITS, tls_key=None)}
VERDICTS = {"approved": verdict(), "conditional": verdict(Outcome.CONDITIONAL, "law.flag"),
            "twice conditional": verdict(Outcome.CONDITIONAL, "law.flag", "cve.open"),
            "prohibited": verdict(Outcome.PROHIBITED, "ndaa-889"), "undetermined": verdict(Outcome.UNDETERMINED, "x")}


class CameraLife(RuleBasedStateMachine):
    """One camera, one gate; `truth` is the camera's traits at approval as this account knows them."""

    @initialize()
    def begin(self):
        self.world = FakeWorld(live=TRAITS)
        self.key = KEY
        self.present = "the camera"
        self.judged = "approved"
        self.waivers = []
        self.text = None                  # the envelope that is stored
        self.account = None               # what it may claim: traits, rules waived, end, key
        self.tampered = False
        self.source = self.frames = None
        self.checked = True               # nothing has changed since the last check or connection
        self.given = 0

    # -- what people do ------------------------------------------------------------------------------------------------

    @rule(days=st.integers(1, 20), by=st.sampled_from(["alice", "bob"]), of=st.sampled_from(["law.flag", "cve.open"]))
    def waive(self, days, by, of):
        self.waivers.append(Waiver(of, "pilot", by, self.world.at + days * DAY))

    @rule(days=st.integers(1, 40))
    def approve(self, days):
        self.world.at += timedelta(seconds=1)       # the same statement of one moment would be the same attestation
        judged, now, live = VERDICTS[self.judged], self.world.at, DEVICES[self.present]
        ends = {of: max((w.expires for w in self.waivers if w.rule == of and w.actor == "bob" and w.expires > now),
                        default=None) for of in judged.rules}
        right = live is not None and (judged.outcome is Outcome.APPROVED or (
            judged.outcome is Outcome.CONDITIONAL and None not in ends.values()))
        if live is None:
            return                        # there is nothing to approve
        judged = replace(judged, expires=(now + 30 * DAY).date())
        try:
            text = attestation.issue(device="cam-1", address=ADDRESS, fingerprint=live, verdict=judged, actor="alice",
                                     now=now, lasts=days * DAY, key=self.key, waivers=self.waivers)
        except AttestationError:
            assert not right
            return
        assert right
        waived = tuple(judged.rules) if judged.outcome is Outcome.CONDITIONAL else ()
        self.disconnect()
        self.text, self.tampered = text, False
        self.account = {"traits": live, "waived": set(waived), "key": self.key, "revoked": False,
                        "end": min([now + days * DAY, *(ends[of] for of in waived)])}

    @precondition(lambda self: self.text is not None)
    @rule()
    def revoke(self):
        self.world.gone.add(attestation.verify(self.text, trusted=public(KEY, OTHER_KEY), now=self.signed_at()).id
                            if not self.tampered else "0")
        if not self.tampered:
            self.account["revoked"] = True
            self.checked = False

    @rule()
    def rotate(self):
        self.key = OTHER_KEY if self.key is KEY else KEY
        self.world.keys = public(KEY, OTHER_KEY)

    @rule()
    def drop_the_old_key(self):
        self.world.keys = public(self.key)
        self.checked = False

    @precondition(lambda self: self.text is not None)
    @rule(place=st.integers(0, 10_000))
    def tamper(self, place):
        """Somebody edits the stored envelope; a session that began with the genuine one goes on with that one."""
        document = json.loads(self.text)
        payload = document["payload"]
        place %= len(payload) - 4
        document["payload"] = payload[:place] + ("A" if payload[place] != "A" else "B") + payload[place + 1:]
        self.text, self.tampered = json.dumps(document), True

    @rule(days=st.integers(1, 40), waived_for=st.integers(0, 20))
    def onboard(self, days, waived_for):
        """The whole way in, so that most of what follows happens to a camera that is being watched."""
        self.swap("the camera", cut=False)
        self.change_the_lists("conditional" if waived_for else "approved")
        if waived_for:
            self.waive(waived_for, "bob", "law.flag")
        self.rotate()
        self.approve(days)
        self.attach()
        self.watch()
        assert self.source is not None

    # -- what happens --------------------------------------------------------------------------------------------------

    @rule(who=st.sampled_from(sorted(DEVICES)), cut=st.booleans())
    def swap(self, who, cut):
        """Another device at the address, another firmware, or nobody; with or without a break of the session."""
        if who != self.present:
            self.present, self.world.live, self.checked = who, DEVICES[who], False
            if cut and self.source is not None:
                self.stream.lost = True

    @rule(word=st.sampled_from(sorted(VERDICTS)))
    def change_the_lists(self, word):
        self.judged, self.world.judged, self.checked = word, VERDICTS[word], False

    @rule(days=st.integers(0, 15))
    def time_passes(self, days):
        self.world.at += days * DAY
        self.checked = False

    @precondition(lambda self: self.account is not None)
    @rule()
    def outlive(self):
        """The very moment at which it ends, and somebody watches on."""
        self.world.at = max(self.world.at, self.account["end"])
        self.checked = False
        self.watch()

    @rule()
    def drop(self):
        if self.source is not None:
            self.stream.lost = True

    @rule()
    def restart(self):
        """Only what is stored survives."""
        self.disconnect()

    # -- watching ------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.text is not None)
    @rule()
    def attach(self):
        if self.source is not None:
            return
        opener, before = Gate(self.world), len(FakeStream.made)
        opened = None
        with suppress(Refused):
            opened = opener.open(order(), self.text, recheck_s=3600)
        if opened is None:
            assert not self.valid() or self.tampered
            assert len(FakeStream.made) == before
            return
        assert self.valid()
        assert not self.tampered
        self.source, self.stream = opened.__enter__(), FakeStream.made[-1]
        self.frames, self.checked = self.source.frames(), True

    @precondition(lambda self: self.source is not None)
    @rule()
    def tick(self):
        """The guard's check, as its thread makes it."""
        refused = self.source._recheck()
        if refused is not None:
            self.source._refused = refused
        assert (refused is None) is self.valid()
        self.checked = True

    @rule()
    def watch(self):
        if self.source is None:
            return
        frame = None
        with suppress(SourceLost):
            frame = next(self.frames)
        if frame is None:
            assert not self.valid() or self.stream.lost
            self.disconnect()
            return
        self.given += 1
        assert not self.stream.lost                             # a lost session gives nothing more
        assert self.world.at < self.account["end"]              # no check is waited for at the end
        assert self.valid() or not self.checked                 # after a check, nothing that it refused

    @invariant()
    def no_more_than_one_stream_is_open(self):
        assert sum(stream.open for stream in FakeStream.made) == (self.source is not None)

    # -- the account ---------------------------------------------------------------------------------------------------

    def valid(self):
        """Whether, by this account, the attestation in use, the device and the lists agree at this moment."""
        account, judged = self.account, VERDICTS[self.judged]
        if account is None or account["revoked"] or self.world.at >= account["end"]:
            return False
        if not any(account["key"] is one and key in self.world.keys for one, key in
                   ((KEY, next(iter(public(KEY)))), (OTHER_KEY, next(iter(public(OTHER_KEY)))))):
            return False
        live = DEVICES[self.present]
        if live is None or any(getattr(live, name) != getattr(account["traits"], name)
                               for name in account["traits"].readable):
            return False
        return judged.outcome is Outcome.APPROVED or (judged.outcome is Outcome.CONDITIONAL
                                                      and set(judged.rules) <= account["waived"])

    def signed_at(self):
        return self.account["end"] - timedelta(seconds=1)

    def disconnect(self):
        if self.source is not None:
            self.source.close()
        self.source = self.frames = None

    def teardown(self):
        self.disconnect()


CameraLife.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None,
                                        suppress_health_check=[HealthCheck.too_slow])


class TestCameraLife(CameraLife.TestCase):
    """Run by pytest; streams and decoders are fakes, all else is the product."""

    @pytest.fixture(autouse=True)
    def fakes(self, monkeypatch):
        monkeypatch.setattr(gate, "Stream", FakeStream)
        monkeypatch.setattr(source, "Decoder", FakeDecoder)
        monkeypatch.setattr(FakeStream, "made", [])


def test_the_machine_reaches_frames_and_refusals(monkeypatch):
    """A life by hand, so that the account above is known to be one in which frames are given at all."""
    monkeypatch.setattr(gate, "Stream", FakeStream)
    monkeypatch.setattr(source, "Decoder", FakeDecoder)
    monkeypatch.setattr(FakeStream, "made", [])
    life = CameraLife()
    life.begin()
    life.change_the_lists("conditional")
    life.waive(5, "bob", "law.flag")
    life.approve(30)
    life.attach()
    life.watch()
    life.watch()
    life.swap("upgraded", cut=False)
    life.watch()
    assert life.given == 3                # between two checks the change cannot be known
    life.tick()
    life.watch()
    assert (life.given, life.source) == (3, None)
    life.attach()
    assert life.source is None
    life.swap("the camera", cut=False)
    life.attach()
    life.watch()
    life.time_passes(5)
    life.watch()
    assert (life.given, life.source) == (4, None)
    assert life.world.at > NOON
    life.teardown()
