"""The report as one HTML file that needs nothing else: no network, no second file, no login, readable in twenty years.

Everything a device said passes two gates on its way out: `reports.text.clean` (control and direction characters made
visible, endless text cut) as jinja2's ``finalize``, then autoescaping. Nothing is marked safe but the charts, the style
and the script of this package. A content security policy allows exactly that style and that script, by hash, and no
request at all. No address, name or URL from a device ever becomes a link; anchors are counted, not named.
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports import charts, summary, words
from reports.formats import Options, json, register
from reports.report import OUTCOME_ORDER, Destination, DeviceReport, ObservationRef, Report
from reports.text import clean
from rules.vocabulary import ActivityEffect, Effect, Evidence, Finding, ListVersion, Status
from scanner import clock
from scanner.observation import Attempt, AttemptStatus, Reason

__all__ = ["LawNote", "Section", "Undone", "policy", "write"]

_TEMPLATES = Path(__file__).parents[1] / "templates"
_STRENGTH_ORDER = ("decisive", "strong", "medium", "weak", "note")


@dataclass(frozen=True, slots=True)
class Undone:
    """Attempts on one device that ended in the same way."""

    status: AttemptStatus
    reason: Reason | None
    attempts: Sequence[Attempt]


@dataclass(slots=True)
class LawNote:
    """What one law says in one case, told once, with the makers and devices it is said of."""

    number: int
    effect: Effect
    makers: dict[str, None]             # names in the order met
    devices: list[str]


@dataclass(frozen=True, slots=True)
class Section:
    """One device as its section tells it: the device report, sorted into what a reader looks for."""

    number: int
    device: DeviceReport
    match: summary.LabelMatch
    evidence: Sequence[Evidence]
    failed: Sequence[Finding]
    findings: Mapping[Status, Sequence[Finding]]
    effects: Sequence[tuple[int, Effect]]           # with the number of the law note
    no_effects: Sequence[str]                       # names of the regimes that say nothing
    undone: Sequence[Undone]
    observations: Sequence[ObservationRef]
    other_lists: Sequence[ListVersion]              # used for this verdict and not among the report's lists
    destinations: Sequence[Destination]


@register("html", media_type="text/html; charset=utf-8", suffix="html")
def write(report: Report, _options: Options) -> bytes:
    """The whole report as one page."""
    notes, sections = _sections(report)
    numbers = {section.device.device: section.number for section in sections}
    page = _environment().get_template("report.html").render(
        report=report, summary=summary, sections=sections, notes=notes, numbers=numbers, outcomes=OUTCOME_ORDER,
        counts=dict(summary.outcome_counts(report)), risks=summary.risks(report),
        bar=charts.outcomes(summary.outcome_counts(report)), makers=charts.makers(summary.makers(report)),
        digest=hashlib.sha256(json.write(report, {})).hexdigest(),
        policy=policy(), style=_source("report.css"), script=_source("report.js"),
    )
    return page.encode("utf-8")


def policy() -> str:
    """The content security policy: nothing but the one style and the one script of this package, by their hashes."""
    return (f"default-src 'none'; style-src '{_hash('report.css')}'; script-src '{_hash('report.js')}'; "
            "base-uri 'none'; form-action 'none'")


def _sections(report: Report) -> tuple[list[LawNote], list[Section]]:
    """Every device as a section, and the laws they cite: each effect once, numbered as the sections refer to it."""
    notes: dict[str, LawNote] = {}
    sections = []
    for number, device in enumerate(report.devices, 1):
        told, silent = [], []
        for effect in device.verdict.effects:
            if effect.effect is ActivityEffect.NONE and effect.listed == "false":
                silent.append(effect.name)
                continue
            note = notes.setdefault(repr(effect), LawNote(len(notes) + 1, effect, {}, []))
            note.makers[summary.maker_short(device.identity) or "a maker not known"] = None
            note.devices.append(device.device)
            told.append((note.number, effect))
        sections.append(_section(report, number, device, told, sorted(set(silent))))
    return list(notes.values()), sections


def _section(report: Report, number: int, device: DeviceReport, told: list[tuple[int, Effect]],
             silent: list[str]) -> Section:
    findings: dict[Status, list[Finding]] = {status: [] for status in Status}
    for finding in device.verdict.findings:
        findings[finding.status].append(finding)
    groups: dict[tuple[AttemptStatus, Reason | None], list[Attempt]] = defaultdict(list)
    for attempt in summary.unfinished(device):
        groups[attempt.status, attempt.reason].append(attempt)
    cited = {one for evidence in device.identity.evidence for one in evidence.observations}
    cited |= {one for finding in device.verdict.findings for one in finding.evidence}
    return Section(
        number=number, device=device, match=summary.label_match(device.identity),
        evidence=sorted(device.identity.evidence, key=lambda one: (_STRENGTH_ORDER.index(one.strength), one.claim)),
        failed=summary.weaknesses(device), findings=findings,
        effects=sorted(told, key=lambda one: (one[1].buyer, one[1].effect not in words.PROHIBITING, one[0])),
        no_effects=silent,
        undone=[Undone(status, reason, found) for (status, reason), found in groups.items()],
        observations=[one for one in device.observations if one.id in cited],
        other_lists=[one for one in device.verdict.lists if one not in report.lists],
        destinations=sorted(device.destinations, key=lambda one: -one.bytes),
    )


def _finalize(value: Any) -> Any:  # noqa: ANN401 - jinja2 hands over whatever an expression gave
    """The first gate: text is cleaned before it is escaped; what this package itself made passes."""
    if isinstance(value, Markup):
        return value
    if value is None:
        return ""
    return clean(str(value)) if isinstance(value, str) else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, finalize=_finalize,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False,
    )
    environment.globals.update(words=words, plural=words.plural, roles=words.roles, Status=Status)
    environment.filters.update(stamp=clock.stamp, minute=lambda at: at.strftime("%Y-%m-%d %H:%M UTC"))
    return environment


@cache
def _source(name: str) -> Markup:
    """A style or script of this package: the only text besides the charts that is not escaped."""
    return Markup((_TEMPLATES / name).read_text(encoding="utf-8").strip())  # noqa: S704 - a file of this package


@cache
def _hash(name: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(_source(name).encode()).digest()).decode()
