"""What a report comes down to: counts, sentences for a manager, what to do next; `reports.risks` has the risks.

Pure functions of one `Report`. Every format that summarises uses these, so no two formats can disagree.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from reports import counts
from reports.monitoring import AttachedCamera, CameraState
from reports.report import OUTCOME_ORDER, DeviceReport, Report
from reports.text import clip
from reports.words import APP_DOES, PROHIBITING, joined, plural
from rules.advisory_findings import exploited_within_reach, urgency
from rules.policy import is_outside_scope
from rules.vocabulary import Assurance, Effect, Finding, Identity, Kind, ListVersion, Outcome, Severity, Status
from rules.waivers import NO_LONGER
from scanner.observation import Attempt, AttemptStatus

__all__ = [
    "LabelMatch", "MakerCount", "Recall", "binding", "headline", "held", "in_state", "label_match", "maker_short",
    "makers", "monitored", "next_steps", "no_longer_waived", "not_cameras", "one_line", "outcome_counts", "recall",
    "sentences", "stale", "status_counts", "unfinished", "waived", "weaknesses",
]


class LabelMatch(StrEnum):
    """Whether the label names who built the device."""

    SAME = "same"
    OTHER = "other"
    UNKNOWN = "unknown"         # the brand or the maker is not known


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


@dataclass(frozen=True, slots=True)
class Recall:
    """What a sweep brought for what it sent: `devices` are those reached directly, not the ones behind a recorder."""

    total: int
    devices: int
    devices_per_packet: float | None


def recall(report: Report) -> Recall | None:
    """How many devices were found for each thing sent; ``None`` where it was not counted what was sent."""
    if report.scope.sent is None:
        return None
    total, devices = sum(report.scope.sent.values()), sum("#" not in one.device for one in report.devices)
    return Recall(total, devices, round(devices / total, 6) if total else None)


def held(report: Report) -> str:
    """One sentence on what other books know beyond the sweep; no number of sources ever proves that none is missing."""
    found = report.census
    if found is None:
        return ("Nothing was held against this sweep: no switch table, lease, asset list or order was asked whether "
                "devices are missing from it.")
    named = sum(one.known for one in found.sources)
    who = f"{plural(len(found.sources), 'source')} {'names' if len(found.sources) == 1 else 'name'}"
    if found.not_seen == named > 1:
        told = f"None of the {named:,} devices that {who} was seen by this sweep"
    elif found.not_seen:
        told = (f"{plural(found.not_seen, 'device')} of the {named:,} that {who} "
                f"{'was' if found.not_seen == 1 else 'were'} not seen by this sweep")
    elif named:
        told = f"Of the {plural(named, 'device')} that {who}, this sweep saw every one"
    else:
        told = f"{who} no device at all, so nothing was held against this sweep"
    unread = f"; {plural(found.unread, 'row')} could not be read" if found.unread else ""
    return f"{told}{unread}. What no source knows and no sweep saw is not counted."


def not_cameras(report: Report) -> tuple[str, ...]:
    """The devices that are no cameras, by key: nothing is wrong with them and nothing is to be admitted."""
    return tuple(device.device for device in report.devices if is_outside_scope(device.verdict))


def outcome_counts(report: Report) -> tuple[tuple[Outcome, int], ...]:
    """How many devices got which verdict, all four, in the order of action; what is no camera is not counted."""
    counted = Counter(device.verdict.outcome for device in report.devices if not is_outside_scope(device.verdict))
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
    """The failed checks of one device: known exploited and reachable first, then by severity."""
    failed = [finding for finding in device.verdict.findings if finding.status is Status.FAIL]
    return tuple(sorted(failed, key=urgency))


def one_line(device: DeviceReport) -> str:
    """What to do first about a device's failed checks, in one line; empty where none failed."""
    failed = weaknesses(device)
    if not failed:
        return ""
    first = failed[0]
    fixed = dict(first.facts).get("fixed in", "")
    told = [f"known exploited: {first.title}" if exploited_within_reach(first) else first.title,
            f"fixed in {fixed}" if fixed else ""]
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return "; ".join(part for part in told if part) + more


def waived(report: Report) -> tuple[Finding, ...]:
    """The findings that somebody accepted, of all devices."""
    return tuple(finding for device in report.devices for finding in device.verdict.findings
                 if finding.status is Status.WAIVED)


def no_longer_waived(report: Report) -> tuple[Finding, ...]:
    """The findings that fail again although a waiver names them: it expired, was withdrawn, or was never approved."""
    return tuple(finding for device in report.devices for finding in weaknesses(device)
                 if any(name == NO_LONGER for name, _ in finding.facts))


def unfinished(device: DeviceReport) -> tuple[Attempt, ...]:
    """What was tried and failed, or was not tried, on one device."""
    return tuple(attempt for attempt in device.attempts if attempt.status is not AttemptStatus.COMPLETED)


def headline(report: Report) -> str:
    """The report in one sentence."""
    counted, total, others = dict(outcome_counts(report)), len(report.devices), len(not_cameras(report))
    if not total:
        return "No device was found; that does not mean that there is none."
    if others == total:
        return (f"No camera was found; that does not mean that there is none. {plural(others, 'device')} found "
                f"{'is' if others == 1 else 'are'} something else.")
    if counted[Outcome.APPROVED] == total:
        return f"All {plural(total, 'device')} found may be used under this policy." if total > 1 else (
            "The one device found may be used under this policy.")
    fates = {
        Outcome.PROHIBITED: ("must stay out", "must stay out"),
        Outcome.UNDETERMINED: ("could not be judged and stays out", "could not be judged and stay out"),
        Outcome.CONDITIONAL: ("needs conditions met", "need conditions met"),
        Outcome.APPROVED: ("may come in", "may come in"),
    }
    parts = [plural(counted[outcome], one, many) for outcome, (one, many) in fates.items() if counted[outcome]]
    parts += [plural(others, "is not a camera", "are not cameras")] if others else []
    return f"Of {plural(total, 'device')} found, {joined(parts)}."


def in_state(report: Report, state: CameraState) -> tuple[AttachedCamera, ...]:
    """The cameras at the gate in one state; none where nothing was attached."""
    return tuple(one for one in report.monitoring.cameras if one.state is state) if report.monitoring else ()


def monitored(report: Report) -> str:
    """One sentence for a manager: how many cameras are attached, what is done with them, and what is not."""
    attached = in_state(report, CameraState.ATTACHED)
    if report.monitoring is None or not (report.monitoring.cameras or report.monitoring.refusals):
        return "No camera was attached: no picture of any camera was opened for analysis."
    if not attached:
        return "No camera is attached now: no picture of any camera is being analysed."
    apps = dict.fromkeys(app for camera in attached for app in camera.apps)
    known, others = ([app for app in apps if (app in APP_DOES) is known] for known in (True, False))
    done = joined([*(APP_DOES[app] for app in known), *(f"the app {clip(app, 40)} runs" for app in others[:3]),
                   *([plural(len(others) - 3, "other app runs", "other apps run")] if len(others) > 3 else [])]
                  or ["no app runs"])
    return (f"{plural(len(attached), 'camera is', 'cameras are')} attached: {done}; nobody is recognised, and no "
            "picture is stored.")


def sentences(report: Report) -> tuple[str, ...]:
    """A few sentences a manager understands, each a fact of this report; what does not hold is not said."""
    told = [*_told_of_the_gate(report)]
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
    told += _told_of_waivers(report)
    open_checks = dict(status_counts(report))[Status.NOT_ASSESSED]
    if open_checks:
        told.append(f"{plural(open_checks, 'check')} could not be carried out. They are listed and count as open, "
                    "not as passed.")
    others = len(not_cameras(report))
    if others:
        told.append(f"{plural(others, 'device is not a camera', 'devices are not cameras')}: there is nothing to "
                    f"admit, so {'it is' if others == 1 else 'they are'} in no count of verdicts.")
    if report.silent:
        told.append(f"{plural(len(report.silent), 'address', 'addresses')} in scope gave no answer, which does not "
                    "prove that nothing is there.")
    if report.census is not None and (report.census.not_seen or report.census.unread):
        told.append(held(report))
    old = [one for one in report.lists if stale(report, one)]
    if old:
        told.append(f"{plural(len(old), 'list')} used {'is' if len(old) == 1 else 'are'} older than "
                    f"{report.stale_after_days} days.")
    return tuple(told)


def _told_of_waivers(report: Report) -> Iterator[str]:
    accepted, over = waived(report), no_longer_waived(report)
    if accepted:
        ends = [day for one in accepted if (day := dict(one.facts).get("waived until"))]
        first = f"; the first of these waivers ends on {min(ends)}" if ends else ""
        yield (f"{plural(len(accepted), 'failed check was', 'failed checks were')} accepted by somebody and "
               f"{'is' if len(accepted) == 1 else 'are'} told as waived, not as passed{first}.")
    if over:
        told = joined([value for one in over for name, value in one.facts if name == NO_LONGER][:3])
        more = f", and {len(over) - 3} more" if len(over) > 3 else ""
        yield f"{plural(len(over), 'check')} failed although a waiver names it: {told}{more}."


def _told_of_the_gate(report: Report) -> Iterator[str]:
    if report.monitoring is None:
        return
    if report.monitoring.cameras:
        yield monitored(report)
    suspended = in_state(report, CameraState.SUSPENDED)
    if suspended:
        which = joined([f"{one.device} ({one.rule or 'no rule given'})" for one in suspended[:3]])
        more = f" and {len(suspended) - 3} more" if len(suspended) > 3 else ""
        yield (f"{plural(len(suspended), 'camera that had been let in is', 'cameras that had been let in are')} "
               f"suspended: {which}{more}. Nothing of {'it' if len(suspended) == 1 else 'them'} is analysed until a "
               "person has looked.")
    slowed = [one for one in counts.counted(report.monitoring) if one.quality.overloaded]
    if slowed:
        yield (f"On {plural(len(slowed), 'camera')} fewer pictures were analysed for a time, because the machine could "
               "not keep up; the counts of that time may be too low.")
    refused = report.monitoring.refusals
    if refused:
        where = len({one.device for one in refused})
        yield (f"{plural(len(refused), 'request')} to attach a device {'was' if len(refused) == 1 else 'were'} refused "
               f"at the gate ({plural(where, 'device')}), each by a named rule.")


def next_steps(report: Report) -> tuple[str, ...]:
    """What to do now, in order; only what this report gives reason for."""
    counted, steps = dict(outcome_counts(report)), []
    suspended = in_state(report, CameraState.SUSPENDED)
    if suspended:
        which = (f"suspended camera {suspended[0].device}" if len(suspended) == 1
                 else f"{len(suspended)} suspended cameras")
        steps.append(f"Go and look at the {which}; approve again only when it is known what happened.")
    if counted[Outcome.PROHIBITED]:
        steps.append(f"Keep {plural(counted[Outcome.PROHIBITED], 'prohibited device')} off the network and plan the "
                     "replacement; ask counsel where a condition was assumed.")
    exposed = {device.device for device in report.devices for finding in weaknesses(device)
               if finding.severity in (Severity.CRITICAL, Severity.HIGH)
               and device.verdict.outcome is not Outcome.PROHIBITED}
    if exposed:
        steps.append(f"Repair the high and critical weaknesses of {plural(len(exposed), 'other device')}, then sweep "
                     "again.")
    if counted[Outcome.UNDETERMINED]:
        steps.append(f"Settle {plural(counted[Outcome.UNDETERMINED], 'undetermined device')}: each section says what "
                     "was missing. Until then, treat them as not allowed.")
    if counted[Outcome.CONDITIONAL]:
        steps.append(f"Meet or waive, in writing, the conditions of {plural(counted[Outcome.CONDITIONAL], 'device')}.")
    if no_longer_waived(report):
        steps.append("Repair what a waiver no longer covers, or ask for a new one before it is relied on.")
    if report.census is not None and report.census.not_seen:
        steps.append(f"Look for the {plural(report.census.not_seen, 'device')} that other books know and the sweep did "
                     "not see.")
    if report.silent and report.census is None:
        steps.append(f"Check {plural(len(report.silent), 'silent address', 'silent addresses')} against the switch "
                     "tables and the order records.")
    if any(stale(report, one) for one in report.lists):
        steps.append("Bring the old lists up to date and judge again; no device needs to be touched for that.")
    return (*steps, *_expiries(report))


def _expiries(report: Report) -> Iterator[str]:
    verdicts = [device.verdict.expires for device in report.devices
                if device.verdict.outcome in (Outcome.APPROVED, Outcome.CONDITIONAL)]
    if verdicts:
        yield f"Sweep again before {min(verdicts).isoformat()}, when the first admitting verdict expires."
    approvals = [camera.until for camera in in_state(report, CameraState.ATTACHED)]
    if approvals:
        first = min(approvals)
        yield (f"Approve again before {first.date().isoformat()}, when the first approval of an attached camera ends."
               if first > report.generated_at else
               f"Approve again or detach: the approval of an attached camera ended on {first.date().isoformat()}.")


def stale(report: Report, one: ListVersion) -> bool:
    """Whether a list was older than the report allows on the day the report was written."""
    return one.age_days(report.generated_at.date()) > report.stale_after_days


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
