"""Advisories as findings: one for each that affects the device, one for all unknown ones, one for all disputed ones.

What is urgent comes first: known exploited, then by score. What could not be compared is one line with the list in its
facts, so that hundreds of records never bury the one that matters, and nothing is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache

from rules import advisories
from rules.advisories import AdvisoryResult, Book, State
from rules.documents import DATA, Document, read
from rules.makers import Makers
from rules.vocabulary import Finding, Identity, Kind, Severity, Status

__all__ = ["AFFECTED", "DISPUTED", "EXPLOITED", "UNKNOWN", "Wording", "advise", "exploited_within_reach",
           "severity_of", "sold_by", "urgency", "wording"]

AFFECTED = "advisory."
UNKNOWN = "advisory.unknown"
DISPUTED = "advisory.disputed"
EXPLOITED = "known exploited"
"""The fact that names the exploited ones among unknown or disputed advisories."""


KEV_CONTROL = ("cisa-kev", "KEV")
"""What BOD 22-01 asks: that nothing of the catalogue is left unrepaired."""


class Wording(Document):
    """The words and control ids of advisory findings, as ``rules/data/findings/advisories.yaml`` states them.

    ``cwes`` gives imported records their nature; ``platforms`` are products that stand for every device of a maker.
    """

    version: int
    dated: date
    fix: str
    no_fix: str
    exploited: str
    look: str
    standards: Mapping[str, tuple[str, ...]]
    unverified: tuple[str, ...] = ()
    natures: Mapping[str, str]
    cwes: Mapping[str, str] = {}
    platforms: Mapping[str, tuple[str, ...]] = {}

    def controls(self, *, exploited: bool = False) -> tuple[tuple[str, str], ...]:
        """Every (standard, control id) that an advisory finding serves; CISA's catalogue is a control of its own."""
        catalogue = (KEV_CONTROL,) if exploited else ()
        return (*((standard, control) for standard, ids in self.standards.items() for control in ids), *catalogue)


@cache
def wording() -> Wording:
    """The built-in words. Raises `rules.documents.DataError`."""
    return read(DATA / "findings" / "advisories.yaml", Wording)


def sold_by(name: str, makers: Makers, book: Book | None = None) -> list[str]:
    """The names to ask advisories by for a maker or brand: its own, and the makers that sell under it.

    A brand that several makers build for stands for itself alone: which of them it was nobody has said.
    """
    held = advisories.load() if book is None else book
    wanted = name.casefold().strip()
    found = [name] if held.makers_named(name) else []
    for maker in makers:
        if wanted in {text.casefold() for text in (maker.maker, maker.name, maker.legal_name, *maker.names)}:
            return list(dict.fromkeys([*found, maker.maker]))
    builders = {maker.maker for brand, pairs in makers.brands.items() for maker, known in pairs
                if wanted in {text.casefold() for text in (brand, *known.aliases)}}
    return [*found, *sorted(builders)] if len(builders) == 1 else found or [name]


def advise(identity: Identity, book: Book | None = None) -> list[Finding]:
    """Findings from every advisory that may concern a device; none for what is no camera."""
    if identity.kind is Kind.OTHER:
        return []
    held = advisories.load() if book is None else book
    asked = [name for name in (identity.brand, *identity.makers, identity.maker) if name and held.makers_named(name)]
    results = held.results(list(dict.fromkeys(asked)), identity.model, identity.firmware, identity.firmware_build)
    affected = [_affected(identity, result) for result in results if result.status is State.AFFECTED]
    summed = [_summed(identity, state, [r for r in results if r.status is state], held=bool(asked))
              for state in (State.DISPUTED, State.UNKNOWN)]
    return [*affected, *(finding for finding in summed if finding is not None)]


def severity_of(result: AdvisoryResult, *, reachable: bool = True) -> Severity:
    """Known exploited and reachable is critical; else by CVSS, and a missing score is never mild."""
    if result.kev is not None and reachable:
        return Severity.CRITICAL
    if result.cvss is None:
        return Severity.HIGH
    by_score = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM))
    score = next((severity for least, severity in by_score if result.cvss >= least), Severity.LOW)
    return Severity.HIGH if result.kev is not None and score not in {Severity.CRITICAL, Severity.HIGH} else score


_MOST_STEPPED = 5
"""Disputed advisories whose comparison is told step by step; the others are named with their reason."""

SINCE = "known exploited since"
"""The fact that marks a finding on a known exploited weakness."""


def exploited_within_reach(finding: Finding) -> bool:
    """Whether somebody exploits this weakness elsewhere and can reach the device: it is not behind a recorder."""
    return "#" not in finding.device and any(name == SINCE for name, _ in finding.facts)


def urgency(finding: Finding) -> tuple[bool, int, float, str]:
    """Sorts findings as a person should act on them: known exploited and reachable, then by severity, then by score."""
    score = next((value for name, value in finding.facts if name == "cvss"), "")
    number = float(score) if score.replace(".", "", 1).isdigit() else 0.0
    return not exploited_within_reach(finding), -_heaviness(finding.severity), -number, finding.rule


def _affected(identity: Identity, result: AdvisoryResult) -> Finding:
    words = wording()
    reason = result.because
    if result.kev is not None:
        reason += f"; known exploited, in CISA's catalogue since {result.kev.isoformat()}"
    if result.unverified:
        reason += " [unverified]"
    remedy = words.fix.format(fixed=result.fixed_in) if result.fixed_in else words.no_fix
    facts = [("cve", result.cve), ("nature", result.nature), *_facts(result),
             *((f"{number}. {name}", value) for number, (name, value) in enumerate(result.steps, start=1)),
             ("control ids not verified", ", ".join(words.unverified))]
    return Finding(
        device=identity.device, rule=f"{AFFECTED}{result.cve.lower()}", rule_version=str(words.version),
        title=f"{words.natures.get(result.nature, words.natures['other'])} ({result.cve})", status=Status.FAIL,
        severity=severity_of(result, reachable="#" not in identity.device), reason=reason,
        remedy=f"{words.exploited} {remedy}" if result.kev is not None else remedy,
        evidence=_read_from(identity), standards=words.controls(exploited=result.kev is not None), facts=tuple(facts))


def _facts(result: AdvisoryResult) -> list[tuple[str, str]]:
    shown = [(SINCE, result.kev.isoformat() if result.kev else ""),
             ("cvss", "" if result.cvss is None else str(result.cvss)), ("fixed in", result.fixed_in or ""),
             ("maker", result.maker), ("source", "; ".join(result.source)),
             ("unverified", "yes" if result.unverified else "")]
    return [(name, value) for name, value in shown if value]


def _read_from(identity: Identity) -> tuple[str, ...]:
    return tuple(dict.fromkeys(observation for item in identity.evidence if item.claim in {"firmware", "model"}
                               for observation in item.observations))


def _summed(identity: Identity, state: State, results: Sequence[AdvisoryResult], *, held: bool) -> Finding | None:
    """One finding for all advisories of one state; a passing one where every unknown advisory names other models."""
    close = [result for result in results if result.concerns]
    if state is State.DISPUTED and not results:
        return None
    words = wording()
    title = "Advisories whose sources disagree" if state is State.DISPUTED else "Advisories that could not be compared"
    facts = [("advisories", ", ".join(result.cve for result in close)),
             (EXPLOITED, ", ".join(result.cve for result in close if result.kev is not None)),
             ("names other models only", ", ".join(r.cve for r in results if not r.concerns)),
             ("why", "; ".join(f"{result.cve}: {result.because}" for result in close[:20])),
             *((f"{r.cve} {number}. {name}", value) for r in close[:_MOST_STEPPED]
               for number, (name, value) in enumerate(r.steps, start=1)),
             ("control ids not verified", ", ".join(words.unverified))]
    reason, status = _told(identity, state, close, held=held), Status.NOT_ASSESSED if close or not held else Status.PASS
    return Finding(
        device=identity.device, rule=DISPUTED if state is State.DISPUTED else UNKNOWN, rule_version=str(words.version),
        title=title, status=status,
        severity=max((severity_of(r) for r in close), key=_heaviness, default=Severity.INFO), reason=reason,
        remedy=words.look if status is Status.NOT_ASSESSED else "", evidence=_read_from(identity),
        standards=words.controls(exploited=status is Status.PASS or any(r.kev is not None for r in close)),
        facts=tuple((name, value) for name, value in facts if value))


def _told(identity: Identity, state: State, close: Sequence[AdvisoryResult], *, held: bool) -> str:
    if not held:
        who = identity.maker_name or identity.maker
        return f"no advisories are held for {who}" if who else "no maker is known to ask advisories of"
    if not close:
        return "every advisory held either was compared or names other models only"
    exploited = sum(result.kev is not None for result in close)
    among = f", {exploited} of them known exploited" if exploited else ""
    if state is State.DISPUTED:
        return f"sources disagree on {_counted(close)}{among}: {close[0].cve}, {close[0].because}"
    why = "the firmware version is not known"
    if identity.firmware:
        why = f"for example {close[0].cve}, {close[0].because}"
    return f"{_counted(close)} may concern it{among}; {why}"


def _counted(results: Sequence[AdvisoryResult]) -> str:
    return f"{len(results)} advisories" if len(results) != 1 else "one advisory"


def _heaviness(severity: Severity) -> int:
    return -list(Severity).index(severity)
