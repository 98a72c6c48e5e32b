"""Sweeps of a few invented devices, small enough to be written down in a line."""

from datetime import UTC, date, datetime, timedelta

from camvet.inventory import SweepRecord
from rules.judgement import Judgement
from rules.vocabulary import Assurance, Identity, Kind, Outcome, Overall, Verdict
from scanner.observation import Attempt, AttemptStatus, Observation

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def observation(address, transport, fields, *, at=NOW, port=None):
    return Observation.of(device=address, transport=transport, probe=f"{transport}.test", port=port, at=at,
                          fields=fields, wire=repr(fields).encode())


def judgement(address, *, serial=None, maker="axis", outcome=Outcome.APPROVED, policy="federal", day=date(2026, 11, 22),
              rules=()):
    identity = Identity(address, maker=maker, maker_name=maker.title(), serial=serial, kind=Kind.CAMERA,
                        assurance=Assurance.CORROBORATED, makers=(maker,))
    verdict = Verdict(address, outcome, policy, "1", day, day + timedelta(days=30), rules=rules, overall=Overall.LEGAL)
    return Judgement(identity, (), (), verdict)


def sweep(number, *devices, site="hq", at=None):
    """A sweep of devices ``(address, mac, serial)``; the later the number, the later the sweep."""
    when = at or NOW + timedelta(hours=number)
    observations = [observation(address, "link", {"mac": mac, "via": "arp"}, at=when)
                    for address, mac, _ in devices if mac]
    attempts = [Attempt(address, "link.arp", None, AttemptStatus.COMPLETED, when) for address, _, _ in devices]
    return SweepRecord(
        id=f"sweep-{number:03d}", site=site, started=when, finished=when + timedelta(minutes=1), complete=True,
        observations=observations, attempts=attempts, policy="federal", as_of="2026-11-22",
        judgements=[judgement(address, serial=serial) for address, _, serial in devices],
        document={"scope": {"activity": None, "purpose": None}})
