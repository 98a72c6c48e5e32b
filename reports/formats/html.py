"""The report as one HTML file that needs nothing else: no network, no second file, no login, readable in twenty years.

Everything a device said passes two gates on its way out: `reports.text.clean` (control and direction characters made
visible, endless text cut) as jinja2's ``finalize``, then autoescaping. Nothing is marked safe but the charts, the style
and the script of this package. A content security policy allows exactly that style and that script, by hash, and no
request at all. No address, name or URL from a device ever becomes a link; anchors are counted, not named.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports import charts, counts, coverage, pictures, summary, traffic, words
from reports.counts import Counted
from reports.formats import Options, json, register
from reports.monitoring import AttachedCamera, AttachRefusal, CameraState, MonitoringEvent
from reports.report import OUTCOME_ORDER, DeviceReport, ObservationRef, Report
from reports.risks import risks
from reports.text import brief, clean, clip, sentence
from reports.traffic import Talk
from rules.policy import is_outside_scope
from rules.vocabulary import ActivityEffect, Effect, Evidence, Finding, ListVersion, Status
from scanner import clock
from scanner.observation import Attempt, AttemptStatus, Reason

__all__ = ["Gate", "LawNote", "Proof", "Seat", "Section", "Undone", "policy", "write"]

_TEMPLATES = Path(__file__).parents[1] / "templates"
_STRENGTH_ORDER = ("decisive", "strong", "medium", "weak", "note")
_BASIS_ORDER = ("cryptographic", "firmware", "hardware", "cloud", "label")     # what a seller controls comes last
_UNVERIFIED_IDS = "control ids not verified"    # the fact with which a finding names standards that nobody checked
_STEP = re.compile(r"(?:\S+ )?\d+\. ")      # "3. parts", "CVE-2021-33044 3. parts"
_LONGER = 1200                      # for what our own rules say at length; the texts of devices keep the usual cut
_MOST_ENTRIES = 200                 # events and refusals on the page; the other formats have them all
_MOST_UNSEEN = 50                   # devices of one source that the sweep did not see, likewise


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
    devices: dict[str, None]            # device keys likewise


@dataclass(frozen=True, slots=True)
class Proof:
    """Evidence that reads the same, told once: the strongest of it, and all claims, rules and observations."""

    evidence: Evidence
    claims: Sequence[tuple[str, str]]
    signals: Sequence[str]
    observations: Sequence[str]


@dataclass(frozen=True, slots=True)
class Seat:
    """One camera at the gate, as the monitoring section tells it.

    ``taken`` says that the sweep found another device under this camera's key, ``ended`` that its approval is over.
    """

    number: int
    camera: AttachedCamera
    taken: bool
    ended: bool


@dataclass(frozen=True, slots=True)
class Gate:
    """The monitoring section: events and refusals newest first, with how many are left out."""

    seats: Sequence[Seat]
    suspended: Sequence[Seat]
    counted: Sequence[tuple[int, Counted, Markup, str]]         # number, counts, chart, label of the camera
    limits: Sequence[str]
    events: Sequence[MonitoringEvent]
    events_left: int
    refusals: Sequence[AttachRefusal]
    refusals_left: int


@dataclass(frozen=True, slots=True)
class Section:
    """One device as its section tells it: the device report, sorted into what a reader looks for."""

    number: int
    device: DeviceReport
    match: summary.LabelMatch
    outside: bool                                   # no camera: there is nothing to admit
    seats: Sequence[Seat]
    evidence: Sequence[Proof]
    failed: Sequence[Finding]
    findings: Mapping[Status, Sequence[Finding]]
    effects: Sequence[tuple[int, Effect]]           # with the number of the law note
    no_effects: Sequence[str]                       # names of the regimes that say nothing
    undone: Sequence[Undone]
    tried_in_vain: int                              # attempts in `undone`
    observations: Sequence[ObservationRef]
    other_lists: Sequence[ListVersion]              # used for this verdict and not among the report's lists
    talks: Sequence[Talk]
    picture: Markup


@register("html", media_type="text/html; charset=utf-8", suffix="html")
def write(report: Report, _options: Options) -> bytes:
    """The whole report as one page."""
    gate = _gate(report)
    notes, sections = _sections(report, gate)
    numbers = {section.device.device: section.number for section in sections}
    owners, quiet, unwatched = traffic.owners(report)
    page = _environment().get_template("report.html").render(
        report=report, summary=summary, sections=sections, notes=notes, numbers=numbers, outcomes=OUTCOME_ORDER,
        tally=dict(summary.outcome_counts(report)), others=len(summary.not_cameras(report)), risks=risks(report),
        gate=gate, most_unseen=_MOST_UNSEEN, standards=coverage.coverage(report), owners=owners, quiet=quiet,
        unwatched=unwatched,
        owners_picture=pictures.owners(owners, quiet, unwatched),
        bar=charts.outcomes(summary.outcome_counts(report)), makers=charts.makers(summary.makers(report)),
        digest=hashlib.sha256(json.write(report, {})).hexdigest(),
        policy=policy(), style=_source("report.css"), script=_source("report.js"),
    )
    return page.encode("utf-8")


def policy() -> str:
    """The content security policy: nothing but the one style and the one script of this package, by their hashes."""
    return (f"default-src 'none'; style-src '{_hash('report.css')}'; script-src '{_hash('report.js')}'; "
            "base-uri 'none'; form-action 'none'")


def _gate(report: Report) -> Gate | None:
    """The monitoring section, or ``None`` where nothing was attached and nothing refused."""
    told = report.monitoring
    if told is None or not (told.cameras or told.refusals or told.events or told.series):
        return None
    swept = {device.device: device.inventory_id for device in report.devices}
    seats = [Seat(number, one, bool(one.inventory_id and swept.get(one.device, "") not in ("", one.inventory_id)),
                  one.until <= report.generated_at) for number, one in enumerate(told.cameras, 1)]
    labels = {one.device: f"{one.brand} {one.model}".strip() for one in reversed(told.cameras)}
    found = [(number, one, charts.flow(one, number), labels.get(one.device, ""))
             for number, one in enumerate(counts.counted(told), 1)]
    return Gate(
        seats=seats, suspended=[one for one in seats if one.camera.state is CameraState.SUSPENDED], counted=found,
        limits=list(dict.fromkeys(limit for _, one, _, _ in found for limit in one.quality.limits)),
        events=told.events[:-_MOST_ENTRIES - 1:-1], events_left=max(0, len(told.events) - _MOST_ENTRIES),
        refusals=told.refusals[:-_MOST_ENTRIES - 1:-1], refusals_left=max(0, len(told.refusals) - _MOST_ENTRIES))


def _sections(report: Report, gate: Gate | None) -> tuple[list[LawNote], list[Section]]:
    """Every device as a section, and the laws they cite: each effect once, numbered as the sections refer to it."""
    notes: dict[str, LawNote] = {}
    told_of: list[tuple[dict[str, Effect], set[str]]] = []
    for device in report.devices:
        told: dict[str, Effect] = {}
        silent = set()
        for effect in device.verdict.effects:
            if effect.effect is ActivityEffect.NONE and effect.listed == "false":
                silent.add(effect.name)
                continue
            # Of two credible makers a law may say the same: it is told once, whoever of them it names.
            key = repr(replace(effect, entity=""))
            note = notes.setdefault(key, LawNote(0, effect, {}, {}))
            note.makers[summary.maker_short(device.identity) or "a maker not known"] = None
            note.devices[device.device] = None
            told[key] = effect
        silent -= {effect.name for effect in told.values()}
        told_of.append((told, silent))
    ordered = sorted(notes.values(), key=lambda one: _heaviness(one.effect))
    for number, note in enumerate(ordered, 1):
        note.number = number
    sections = []
    for number, (device, (told, silent)) in enumerate(zip(report.devices, told_of, strict=True), 1):
        seats = [one for one in gate.seats if one.camera.device == device.device and not one.taken] if gate else []
        numbered = [(notes[key].number, effect) for key, effect in told.items()]
        sections.append(_section(report, number, device, numbered, sorted(silent), seats))
    return ordered, sections


def _heaviness(effect: Effect) -> int:
    """What forbids something comes first, what has no effect for this buyer last."""
    return 0 if effect.effect in words.PROHIBITING else 2 if effect.effect is ActivityEffect.NONE else 1


def _section(report: Report, number: int, device: DeviceReport, told: list[tuple[int, Effect]],
             silent: list[str], seats: Sequence[Seat]) -> Section:
    parties = traffic.talks(device, report.generated_at.date())
    findings: dict[Status, list[Finding]] = {status: [] for status in Status}
    for finding in device.verdict.findings:
        findings[finding.status].append(finding)
    groups: dict[tuple[AttemptStatus, Reason | None], list[Attempt]] = defaultdict(list)
    for attempt in summary.unfinished(device):
        groups[attempt.status, attempt.reason].append(attempt)
    cited = {one for evidence in device.identity.evidence for one in evidence.observations}
    cited |= {one for finding in device.verdict.findings for one in finding.evidence}
    cited |= {one for conflict in device.identity.conflicts for one in conflict.observations}
    return Section(
        number=number, device=device, match=summary.label_match(device.identity),
        outside=is_outside_scope(device.verdict), seats=seats, evidence=_proofs(device.identity.evidence),
        failed=summary.weaknesses(device), findings=findings,
        effects=sorted(told, key=lambda one: (one[1].buyer, one[0])),
        no_effects=silent,
        undone=[Undone(status, reason, found) for (status, reason), found in groups.items()],
        tried_in_vain=sum(len(found) for found in groups.values()),
        observations=[one for one in device.observations if one.id in cited],
        other_lists=[one for one in device.verdict.lists if one not in report.lists],
        talks=parties, picture=pictures.network(parties, number, device.device),
    )


def _proofs(evidence: Sequence[Evidence]) -> list[Proof]:
    """Evidence by strength, each thing said once.

    What makes the same claim in the same words is one line, as strong as its strongest piece; what supports several
    claims equally, by the same rules and observations, is one line too.
    """
    ordered = sorted(evidence, key=lambda one: (_STRENGTH_ORDER.index(one.strength), _BASIS_ORDER.index(one.basis),
                                                one.claim))
    same: dict[tuple[str, str, str, str, bool], list[Evidence]] = defaultdict(list)
    for one in ordered:
        same[one.claim, one.value, one.because, one.basis, one.unverified].append(one)
    lines: dict[tuple[object, ...], Proof] = {}
    for group in same.values():
        first = group[0]
        signals = tuple(dict.fromkeys(one.signal for one in group))
        observations = tuple(dict.fromkeys(seen for one in group for seen in one.observations))
        key = (first.because, first.basis, first.strength, first.unverified, signals, observations)
        claims = (*(lines[key].claims if key in lines else ()), (first.claim, first.value))
        lines[key] = Proof(lines[key].evidence if key in lines else first, claims, signals, observations)
    return list(lines.values())


def _is_step(name: str) -> bool:
    """Whether a fact of a finding is a step of how it was concluded."""
    return _STEP.match(name) is not None


class _Long(str):
    """A text that the page may show at more length than it allows a device."""

    __slots__ = ()


def _finalize(value: Any) -> Any:  # noqa: ANN401 - jinja2 hands over whatever an expression gave
    """The first gate: text is cleaned before it is escaped; what this package itself made passes."""
    if isinstance(value, Markup):
        return value
    if value is None:
        return ""
    if isinstance(value, _Long):
        return clean(str(value), _LONGER)
    return clean(str(value)) if isinstance(value, str) else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, finalize=_finalize,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False,
    )
    environment.globals.update(
        words=words, counts=counts, covered=coverage.COVERED, told_standard=coverage.told, plural=words.plural,
        roles=words.roles, Status=Status, UNVERIFIED_IDS=_UNVERIFIED_IDS)
    environment.tests["step"] = _is_step
    environment.filters.update(
        stamp=clock.stamp, minute=lambda at: at.strftime("%Y-%m-%d %H:%M UTC"), brief=brief, clip=clip, long=_Long,
        told=lambda text: _Long(sentence(clean(text))),
        sentence=sentence, number=counts.number, second=lambda at: at.strftime("%Y-%m-%d %H:%M:%S"),
        length_of=lambda span: counts.lasting(span.total_seconds()))
    return environment


@cache
def _source(name: str) -> Markup:
    """A style or script of this package: the only text besides the charts that is not escaped."""
    return Markup((_TEMPLATES / name).read_text(encoding="utf-8").strip())  # noqa: S704 - a file of this package


@cache
def _hash(name: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(_source(name).encode()).digest()).decode()
