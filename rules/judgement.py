"""The whole judgement as one pure function: observations → identity → findings and effects → verdict.

A sweep, a later re-judgement and a report all call `judge` and nothing else, so the same observations under the same
rules, policy and day always give the same verdicts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from rules import advisories, destinations, regimes
from rules import checks as check_data
from rules import entities as entity_data
from rules import policy as policy_data
from rules.behind import weaknesses
from rules.checks import Check, assess
from rules.crosschecks import duplicates
from rules.destinations import Clouds
from rules.documents import digest_of
from rules.effects import Effects, effects_of
from rules.entities import Entities, Party, UnknownEntityError
from rules.exposure import label_shared_keys
from rules.identity import identify
from rules.makers import Maker, Makers
from rules.policy import Policy, decide
from rules.regimes import Regime
from rules.vocabulary import Effect, Finding, Identity, ListVersion, Overall, Verdict
from scanner.observation import Attempt, AttemptStatus, Observation, Reason

if TYPE_CHECKING:
    from rules.listings import Listings

__all__ = ["Advise", "Judgement", "Law", "Seen", "advisory_version", "judge", "list_versions", "nothing_known",
           "nothing_waived"]

Seen = tuple[Sequence[Observation], Sequence[Attempt]]
Advise = Callable[[Identity], Sequence[Finding]]
Waive = Callable[[Identity, Sequence[Finding]], Sequence[Finding]]

FACTS_OF = date(2026, 11, 22)
"""The day the facts in the makers' files were collected; the other folders carry their own."""


@dataclass(frozen=True, slots=True)
class Law:
    """The laws and parties to judge by, and what the buyer does and for what purpose, where that is known.

    `listings` are imported lists; what they say of a maker counts beside the laws.
    """

    regimes: tuple[Regime, ...]
    entities: Entities
    activity: str | None = None
    purpose: str | None = None
    listings: Listings | None = None

    @classmethod
    def load(cls, activity: str | None = None, purpose: str | None = None, listings: Listings | None = None) -> Law:
        """The built-in laws and parties, with imported lists beside. Raises `rules.documents.DataError`."""
        return cls(regimes.load(), entity_data.load(), activity, purpose, listings)

    def effects_on(self, maker: Maker, buyers: Sequence[str], as_of: date) -> Effects:
        """What everything known says of a maker for these buyers on a day.

        Raises `rules.buyers.UnknownBuyerError`, or `ValueError` for a purpose that nobody knows.
        """
        party, known, regimes = _party(maker, self.entities), self.entities, self.regimes
        if party is None:
            party = Party(maker.maker, maker.name, maker.country or None, makers=(maker.maker,),
                          source="the maker's own file")
            known = Entities.of([*known.parties.values(), party])
        if self.listings is not None:
            known, regimes = self.listings.law_of(party, maker, known, regimes)
        return effects_of(party.id, buyers, as_of, self.activity, self.purpose, regimes, known)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything concluded about one device."""

    identity: Identity
    findings: tuple[Finding, ...]
    effects: tuple[Effect, ...]
    verdict: Verdict


@dataclass(slots=True)
class _Pool:
    """All that was seen and tried in a sweep, by device."""

    observations: dict[str, list[Observation]] = field(default_factory=lambda: defaultdict(list))
    attempts: dict[str, list[Attempt]] = field(default_factory=lambda: defaultdict(list))
    channels: dict[str, list[Observation]] = field(default_factory=lambda: defaultdict(list))   # by recorder

    def of(self, device: str) -> list[Observation]:
        """What was seen of one device, and what it said of the cameras behind it."""
        return [*self.observations.get(device, ()), *self.channels.get(device, ())]


def nothing_known(_identity: Identity) -> Sequence[Finding]:
    """The advisory source of a judgement without advisories."""
    return ()


def nothing_waived(_identity: Identity, findings: Sequence[Finding]) -> Sequence[Finding]:
    """The waivers of a judgement without waivers."""
    return findings


def judge(devices: Mapping[str, Seen], *, makers: Makers, law: Law, policy: Policy, as_of: date,
          clouds: Clouds | None = None, checks: Sequence[Check] | None = None,
          advise: Advise = nothing_known, waive: Waive = nothing_waived,
          lists: Sequence[ListVersion] | None = None) -> list[Judgement]:
    """A judgement on every device of a sweep, ordered by device key.

    Args:
        devices: what was seen of each device and what was tried on it, by device key. Cameras behind a recorder
            (``address#number``) are judged too, under their own key or found among the recorder's observations.
        makers: everything known of makers.
        law: what the law says, and for what activity and purpose it is asked.
        policy: whose buyer's rules decide.
        as_of: the day the lists are read for.
        clouds: known destinations; the built-in ones and the makers' own by default.
        checks: the built-in ones by default.
        advise: further findings from an identity, such as advisories.
        waive: turns failed findings that somebody accepted into waived ones, see `rules.waivers`.
        lists: editions to cite in the verdicts; `list_versions` by default.
    """
    known = destinations.with_makers(destinations.load(), makers) if clouds is None else clouds
    asked = check_data.load() if checks is None else tuple(checks)
    cited = tuple(list_versions() if lists is None else lists)
    pool = _pool(devices, known)
    shared = duplicates(pool.observations)
    verdicts: dict[str, Verdict] = {}
    judged: dict[str, Judgement] = {}
    for device in sorted(pool.observations.keys() | pool.attempts.keys() | devices.keys(),
                         key=lambda key: (key in pool.channels, key)):      # a recorder is judged by what is behind it
        seen, tried = pool.of(device), pool.attempts.get(device, [])
        identity = identify(device, seen, makers)
        if device in shared:
            identity = replace(identity, conflicts=(*identity.conflicts, *shared[device]))
        found = assess(device, identity, seen, tried, asked, known, policy.firmware_max_age_months)
        findings = tuple(waive(identity, (*found, *advise(identity))))
        listed = weaknesses(identity, {key: one.findings for key, one in judged.items()})
        findings = (*findings, listed) if listed else findings
        effects, at_best = _law_of(identity, makers, law, policy, as_of)
        behind = [verdicts[c.device] for c in identity.channels if c.device in verdicts]
        verdict = decide(identity, findings, effects, tried, policy, as_of, cited, at_best=at_best, channels=behind)
        verdicts[device] = verdict
        judged[device] = Judgement(identity, findings, effects, verdict)
    return [judged[device] for device in sorted(judged)]


def _pool(devices: Mapping[str, Seen], clouds: Clouds) -> _Pool:
    pool = _Pool()
    everything = [o for observations, _ in devices.values() for o in observations]
    for observation in label_shared_keys(destinations.label(everything, clouds)):
        pool.observations[observation.device].append(observation)
        recorder = observation.text("recorder") if observation.transport == "channel" else ""
        if recorder and recorder != observation.device:
            pool.channels[recorder].append(observation)
    ids = {o.id for o in everything}
    for _, attempts in devices.values():
        for attempt in attempts:
            pool.attempts[attempt.device].append(_backed(attempt, ids))
    return pool


def _backed(attempt: Attempt, ids: set[str]) -> Attempt:
    """An attempt whose observations are gone proves nothing any more: evidence that was removed must not look clean."""
    if attempt.status is AttemptStatus.COMPLETED and not ids.issuperset(attempt.observations):
        return replace(attempt, status=AttemptStatus.FAILED, reason=Reason.INTERNAL,
                       detail="what it brought is no longer there")
    return attempt


def _law_of(identity: Identity, makers: Makers, law: Law, policy: Policy,
            as_of: date) -> tuple[tuple[Effect, ...], Overall]:
    """The effects on the policy's buyers of every credible maker, and the mildest that may be concluded from them."""
    effects: list[Effect] = []
    at_best = Overall.LEGAL
    for slug in identity.makers:
        answer = law.effects_on(makers[slug], policy.buyers, as_of)
        effects += answer.effects
        if not answer.party.country:       # a law that goes by country of control cannot be applied to it
            at_best = Overall.REVIEW
    return tuple(effects), at_best


def _party(maker: Maker, entities: Entities) -> Party | None:
    owner = entities.of_maker(maker.maker)
    if owner is not None:
        return owner
    for name in (maker.maker, maker.legal_name, maker.name):
        try:
            return entities.resolve(name)
        except UnknownEntityError:
            continue
    return None


def list_versions() -> list[ListVersion]:
    """The edition of every rule set a judgement uses: its digest, and the day its oldest facts were collected."""
    return [
        regimes.list_version(),
        ListVersion("makers", "Makers, brands and their signals", digest_of("makers", "chipsets"), FACTS_OF),
        _edition("checks", "Checks", (c.dated for c in check_data.load())),
        _edition("endpoints", "Known destinations", (e.dated for e in destinations.collections())),
        advisory_version(),
        _edition("policies", "Policies", (p.dated for p in policy_data.load().values())),
    ]


def advisory_version() -> ListVersion:
    """The edition of the shipped advisories."""
    return _edition("advisories", "Known vulnerabilities", (f.dated for f in advisories.load().files.values()))


def _edition(folder: str, name: str, dates: Iterable[date]) -> ListVersion:
    return ListVersion(folder, name, digest_of(folder), min(dates))
