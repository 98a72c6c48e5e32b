"""What a report comes down to: counts, sentences for a manager, risks in the order of action, what to do next.

Pure functions of one `Report`. Every format that summarises uses these, so no two formats can disagree.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from reports.report import OUTCOME_ORDER, DeviceReport, Report
from reports.words import EFFECT, PROHIBITING, SEVERITY_ORDER, plural, roles
from rules.vocabulary import Assurance, Effect, Finding, Identity, Kind, ListVersion, Outcome, Severity, Status
from scanner.observation import Attempt, AttemptStatus

__all__ = [
    "LabelMatch", "MakerCount", "Risk", "RiskKind", "age_days", "binding", "headline", "label_match", "maker_short",
    "makers", "next_steps", "outcome_counts", "risks", "sentences", "stale", "status_counts", "unfinished",
    "weaknesses",
]


class LabelMatch(StrEnum):
    """Whether the label names who built the device."""

    SAME = "same"
    OTHER = "other"
    UNKNOWN = "unknown"         # the brand or the maker is not known


class RiskKind(StrEnum):
    """What sort of thing a risk is, in the order a person deals with it."""

    LAW = "law"
    WEAKNESS = "weakness"
    DISGUISE = "disguise"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Risk:
    """One thing to act on, with every device it concerns (device keys, in the report's order)."""

    kind: RiskKind
    title: str
    because: str
    action: str
    devices: tuple[str, ...]
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class MakerCount:
    """One maker's devices, divided by what their labels say; `labels` are the other names, most frequent first."""

    maker: str
    same: int
    other: int
    unknown: int
    labels: tuple[str, ...]

    @property
    def total(self) -> int:
        """All devices of this maker."""
        return self.same + self.other + self.unknown


def outcome_counts(report: Report) -> tuple[tuple[Outcome, int], ...]:
    """How many devices got which verdict, all four, in the order of action."""
    counted = Counter(device.verdict.outcome for device in report.devices)
    return tuple((outcome, counted[outcome]) for outcome in OUTCOME_ORDER)


def status_counts(report: Report) -> tuple[tuple[Status, int], ...]:
    """How many checks ended in which way, over all devices."""
    counted = Counter(finding.status for device in report.devices for finding in device.verdict.findings)
    return tuple((status, counted[status]) for status in Status)


def label_match(identity: Identity) -> LabelMatch:
    """Whether the brand is the maker's own name, compared by letters and digits only."""
    if not identity.brand or not identity.maker:
        return LabelMatch.UNKNOWN
    brand, maker, name = (_letters(text) for text in (identity.brand, identity.maker, identity.maker_name or ""))
    return LabelMatch.SAME if brand and (brand == maker or brand in name) else LabelMatch.OTHER


def makers(report: Report) -> tuple[MakerCount, ...]:
    """Every maker with its devices by label, most devices first; devices of no known maker come last."""
    tally: dict[str, Counter[LabelMatch]] = defaultdict(Counter)
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    names: dict[str, str] = {}
    for device in report.devices:
        identity = device.identity
        if identity.kind is Kind.OTHER:
            continue
        slug, match = identity.maker or "", label_match(identity)
        names.setdefault(slug, maker_short(identity) or "maker not known")
        tally[slug][match] += 1
        if identity.brand and match is not LabelMatch.SAME:
            labels[slug][identity.brand] += 1
    rows = [
        (slug, MakerCount(names[slug], count[LabelMatch.SAME], count[LabelMatch.OTHER], count[LabelMatch.UNKNOWN],
                          tuple(brand for brand, _ in labels[slug].most_common())))
        for slug, count in tally.items()
    ]
    rows.sort(key=lambda row: (row[0] == "", -row[1].total, row[1].maker))
    return tuple(row for _, row in rows)


def maker_short(identity: Identity) -> str:
    """The name people use for the maker: the word of the legal name that its slug is, spelt as there; else the slug."""
    slug = identity.maker or ""
    for word in (identity.maker_name or "").replace(",", " ").split():
        if _letters(word) == _letters(slug):
            return word
    return slug.replace("_", " ").title()


def binding(device: DeviceReport) -> tuple[Effect, ...]:
    """The effects that forbid this report's buyers something now, unless their condition is known not to be met."""
    return tuple(
        effect for effect in device.verdict.effects
        if effect.effect in PROHIBITING and effect.in_force and effect.binds_buyer and effect.condition_met != "false"
    )


def weaknesses(device: DeviceReport) -> tuple[Finding, ...]:
    """The failed checks of one device, worst first."""
    failed = [finding for finding in device.verdict.findings if finding.status is Status.FAIL]
    return tuple(sorted(failed, key=lambda one: (SEVERITY_ORDER.index(one.severity), one.rule)))


def unfinished(device: DeviceReport) -> tuple[Attempt, ...]:
    """What was tried and failed, or was not tried, on one device."""
    return tuple(attempt for attempt in device.attempts if attempt.status is not AttemptStatus.COMPLETED)


def risks(report: Report) -> tuple[Risk, ...]:
    """What to act on, in order: law first, then failed checks by severity, false labels, and what is unknown.

    Failed checks of severity `INFO` are no risk and are left to the device's own section.
    """
    return (*_law(report), *_failed(report), *_disguised(report), *_undetermined(report))


def headline(report: Report) -> str:
    """The report in one sentence."""
    counts, total = dict(outcome_counts(report)), len(report.devices)
    if not total:
        return "No device was found; that does not mean that there is none."
    if counts[Outcome.APPROVED] == total:
        return f"All {plural(total, 'device')} found may be used under this policy." if total > 1 else (
            "The one device found may be used under this policy.")
    fates = {
        Outcome.PROHIBITED: ("must stay out", "must stay out"),
        Outcome.UNDETERMINED: ("could not be judged and stays out", "could not be judged and stay out"),
        Outcome.CONDITIONAL: ("needs conditions met", "need conditions met"),
        Outcome.APPROVED: ("may come in", "may come in"),
    }
    parts = [plural(counts[outcome], one, many) for outcome, (one, many) in fates.items() if counts[outcome]]
    return f"Of {plural(total, 'device')} found, {_and(parts)}."


def sentences(report: Report) -> tuple[str, ...]:
    """A few sentences a manager understands, each a fact of this report; what does not hold is not said."""
    told = []
    cameras = [device for device in report.devices if device.identity.kind is not Kind.OTHER]
    disguised = sum(label_match(device.identity) is LabelMatch.OTHER for device in cameras)
    if disguised:
        told.append(f"{plural(disguised, 'device')} carr{'ies' if disguised == 1 else 'y'} a label that does not name "
                    "who built the device. Law and weaknesses follow the builder.")
    unproven = sum(device.identity.assurance in (Assurance.SELF_REPORTED, Assurance.NONE) for device in cameras)
    if unproven:
        told.append(f"For {plural(unproven, 'device')} the maker is unknown or rests on a claim alone; a claim is no "
                    "proof, so no approval can rest on it.")
    urgent = [finding for device in report.devices for finding in weaknesses(device)
              if finding.severity in (Severity.CRITICAL, Severity.HIGH)]
    if urgent:
        where = len({finding.device for finding in urgent})
        told.append(f"{plural(len(urgent), 'check')} failed at high or critical severity, on "
                    f"{plural(where, 'device')}.")
    open_checks = dict(status_counts(report))[Status.NOT_ASSESSED]
    if open_checks:
        told.append(f"{plural(open_checks, 'check')} could not be carried out. They are listed and count as open, "
                    "not as passed.")
    if report.silent:
        told.append(f"{plural(len(report.silent), 'address', 'addresses')} in scope gave no answer, which does not "
                    "prove that nothing is there.")
    old = [one for one in report.lists if stale(report, one)]
    if old:
        told.append(f"{plural(len(old), 'list')} used {'is' if len(old) == 1 else 'are'} older than "
                    f"{report.stale_after_days} days.")
    return tuple(told)


def next_steps(report: Report) -> tuple[str, ...]:
    """What to do now, in order; only what this report gives reason for."""
    counts, steps = dict(outcome_counts(report)), []
    if counts[Outcome.PROHIBITED]:
        steps.append(f"Keep {plural(counts[Outcome.PROHIBITED], 'prohibited device')} off the network and plan the "
                     "replacement; ask counsel where a condition was assumed.")
    exposed = {device.device for device in report.devices for finding in weaknesses(device)
               if finding.severity in (Severity.CRITICAL, Severity.HIGH)
               and device.verdict.outcome is not Outcome.PROHIBITED}
    if exposed:
        steps.append(f"Repair the high and critical weaknesses of {plural(len(exposed), 'other device')}, then sweep "
                     "again.")
    if counts[Outcome.UNDETERMINED]:
        steps.append(f"Settle {plural(counts[Outcome.UNDETERMINED], 'undetermined device')}: each section says what "
                     "was missing. Until then, treat them as not allowed.")
    if counts[Outcome.CONDITIONAL]:
        steps.append(f"Meet or waive, in writing, the conditions of {plural(counts[Outcome.CONDITIONAL], 'device')}.")
    if report.silent:
        steps.append(f"Check {plural(len(report.silent), 'silent address', 'silent addresses')} against the switch "
                     "tables and the order records.")
    if any(stale(report, one) for one in report.lists):
        steps.append("Bring the old lists up to date and judge again; no device needs to be touched for that.")
    expiries = [device.verdict.expires for device in report.devices
                if device.verdict.outcome in (Outcome.APPROVED, Outcome.CONDITIONAL)]
    if expiries:
        steps.append(f"Sweep again before {min(expiries).isoformat()}, when the first admitting verdict expires.")
    return tuple(steps)


def age_days(one: ListVersion, today: date) -> int:
    """Days from the day a list was collected to `today`; negative where the list is of a later day."""
    return (today - one.dated).days


def stale(report: Report, one: ListVersion) -> bool:
    """Whether a list was older than the report allows on the day the report was written."""
    return age_days(one, report.generated_at.date()) > report.stale_after_days


def _law(report: Report) -> Iterator[Risk]:
    """One risk a maker whose devices the policy prohibits, and one for those prohibited on other grounds."""
    groups: dict[str, list[DeviceReport]] = defaultdict(list)
    for device in report.devices:
        if device.verdict.outcome is Outcome.PROHIBITED:
            groups[device.identity.maker or "" if binding(device) else ""].append(device)
    for maker, devices in sorted(groups.items(), key=lambda item: (item[0] == "", -len(item[1]), item[0])):
        keys = tuple(device.device for device in devices)
        identity = devices[0].identity
        effects = binding(devices[0])
        if maker and effects:
            laws = _and(sorted({f"{effect.name} ({EFFECT[effect.effect]})" for effect in effects})[:3])
            buyers = _and(sorted({roles(effect.buyer) for effect in effects}))
            assumed = any(effect.condition_met == "unknown" for effect in effects)
            yield Risk(RiskKind.LAW, f"Prohibited equipment made by {maker_short(identity)}",
                       f"For {buyers}: {laws}." + (" Its condition is not known and was assumed." if assumed else ""),
                       "Keep out and replace.", keys)
        else:
            because = devices[0].verdict.reasons[0] if devices[0].verdict.reasons else "A clause of the policy decided."
            yield Risk(RiskKind.LAW, "Prohibited by the policy", because, "Keep out and replace.", keys)


def _failed(report: Report) -> Iterator[Risk]:
    """One risk a rule that failed somewhere, at the worst severity it failed with."""
    groups: dict[str, list[Finding]] = defaultdict(list)
    for device in report.devices:
        for finding in weaknesses(device):
            if finding.severity is not Severity.INFO:
                groups[finding.rule].append(finding)
    ranked = sorted(groups.values(), key=lambda found: (_worst(found), -len(found), found[0].rule))
    for found in ranked:
        first = min(found, key=lambda one: SEVERITY_ORDER.index(one.severity))
        yield Risk(RiskKind.WEAKNESS, first.title, first.reason, first.remedy,
                   tuple(dict.fromkeys(one.device for one in found)), first.severity)


def _disguised(report: Report) -> Iterator[Risk]:
    """One risk for every device whose label names somebody else than its maker."""
    found = tuple(device.device for device in report.devices
                  if device.identity.kind is not Kind.OTHER and label_match(device.identity) is LabelMatch.OTHER)
    if found:
        yield Risk(RiskKind.DISGUISE, "The label does not name the maker",
                   "Sold under another name than that of the company that built it. Often an ordinary private label, "
                   "sometimes a way around a list.",
                   "Correct the inventory and ask the supplier for the maker in writing.", found)


def _undetermined(report: Report) -> Iterator[Risk]:
    """One risk for every device that could not be judged."""
    found = tuple(device.device for device in report.devices if device.verdict.outcome is Outcome.UNDETERMINED)
    if found:
        yield Risk(RiskKind.UNKNOWN, "Could not be judged", "Something the policy requires could not be established.",
                   "Find out what is missing; keep out until then.", found)


def _worst(found: Sequence[Finding]) -> int:
    return min(SEVERITY_ORDER.index(finding.severity) for finding in found)


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
