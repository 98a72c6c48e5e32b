"""What to act on, in the order a person deals with it: each thing once, with every device it concerns.

Pure functions of one `Report`, like `reports.summary`; every format that tells risks takes them from here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reports.monitoring import AttachedCamera, CameraState
from reports.report import DeviceReport, Report
from reports.summary import LabelMatch, binding, in_state, label_match, maker_short, weaknesses
from reports.text import brief, sentence
from reports.words import EFFECT, SEVERITY_ORDER, joined, roles
from rules.advisory_findings import exploited_within_reach, urgency
from rules.policy import is_outside_scope
from rules.vocabulary import Finding, Kind, Outcome, Severity

__all__ = ["Risk", "RiskKind", "risks"]


class RiskKind(StrEnum):
    """What sort of thing a risk is, in the order a person deals with it."""

    SUSPENDED = "suspended"     # a camera that had been let in is not what it was
    EXPLOITED = "exploited"     # a weakness that is being exploited elsewhere, on a device that can be reached
    LAW = "law"
    WEAKNESS = "weakness"
    DISGUISE = "disguise"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Risk:
    """One thing to act on, with every device it concerns (device keys, in the report's order).

    `fixed_in` is the version that ends it, where one is known.
    """

    kind: RiskKind
    title: str
    because: str
    action: str
    devices: tuple[str, ...]
    severity: Severity | None = None
    fixed_in: str = ""


def risks(report: Report) -> tuple[Risk, ...]:
    """What to act on: suspended, exploited and reachable, law, failed checks by severity, false labels, unknown.

    Failed checks of severity `INFO` are no risk and are left to the device's own section.
    """
    failed = list(_failed(report))
    return (*_suspended(report), *(risk for risk in failed if risk.kind is RiskKind.EXPLOITED), *_law(report),
            *(risk for risk in failed if risk.kind is RiskKind.WEAKNESS), *_disguised(report), *_undetermined(report))


def _suspended(report: Report) -> Iterator[Risk]:
    """One risk a rule that suspended a camera."""
    groups: dict[str, list[AttachedCamera]] = defaultdict(list)
    for camera in in_state(report, CameraState.SUSPENDED):
        groups[camera.rule].append(camera)
    for rule, cameras in sorted(groups.items()):
        yield Risk(RiskKind.SUSPENDED, "A camera that had been let in is suspended" if len(cameras) == 1
                   else "Cameras that had been let in are suspended",
                   f"{sentence(f'Rule {rule}')} {_because([(one.device, one.because) for one in cameras])}".strip(),
                   "Go and look at it; approve it again only when it is known what happened.",
                   tuple(dict.fromkeys(one.device for one in cameras)))


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
            named = sorted({f"{effect.name} ({EFFECT[effect.effect]})" for effect in effects})
            laws = joined([*named[:3], *([f"{len(named) - 3} more"] if len(named) > 3 else [])])
            buyers = joined(sorted({roles(effect.buyer) for effect in effects}))
            assumed = any(effect.condition_met == "unknown" for effect in effects)
            yield Risk(RiskKind.LAW, f"Prohibited equipment made by {maker_short(identity)}",
                       f"For {buyers}: {laws}." + (" Its condition is not known and was assumed." if assumed else ""),
                       "Keep out and replace.", keys)
        else:
            reasons = [(device.device, next(iter(device.verdict.reasons), "")) for device in devices]
            yield Risk(RiskKind.LAW, "Prohibited by the policy",
                       _because(reasons) or "A clause of the policy decided.", "Keep out and replace.", keys)


def _failed(report: Report) -> Iterator[Risk]:
    """One risk a rule that failed somewhere, at the worst severity; exploited if one device of it is within reach."""
    groups: dict[str, list[Finding]] = defaultdict(list)
    for device in report.devices:
        for finding in weaknesses(device):
            if finding.severity is not Severity.INFO:
                groups[finding.rule].append(finding)
    ranked = sorted(groups.values(), key=lambda found: (_worst(found), -len(found), -_score(found), found[0].rule))
    for found in ranked:
        first = min(found, key=lambda one: urgency(one)[:2])
        reasons = [(first.device, first.reason), *((one.device, one.reason) for one in found if one is not first)]
        yield Risk(RiskKind.EXPLOITED if exploited_within_reach(first) else RiskKind.WEAKNESS, first.title,
                   _because(reasons), sentence(first.remedy), tuple(dict.fromkeys(one.device for one in found)),
                   first.severity, dict(first.facts).get("fixed in", ""))


def _because(reasons: Sequence[tuple[str, str]]) -> str:
    """The reason of several devices as a sentence, in whole clauses; where it is not the same of all, whose it is."""
    told = [(device, brief(reason)) for device, reason in reasons if reason.strip()]
    if not told:
        return ""
    device, reason = told[0]
    if all(other == reason for _, other in told):
        return sentence(reason)
    return sentence(f"For example {device}: {reason}")


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
    found = tuple(device.device for device in report.devices
                  if device.verdict.outcome is Outcome.UNDETERMINED and not is_outside_scope(device.verdict))
    if found:
        yield Risk(RiskKind.UNKNOWN, "Could not be judged", "Something the policy requires could not be established.",
                   "Find out what is missing; keep out until then.", found)


def _worst(found: Sequence[Finding]) -> int:
    return min(SEVERITY_ORDER.index(finding.severity) for finding in found)


def _score(found: Sequence[Finding]) -> float:
    return max(-urgency(finding)[2] for finding in found)
