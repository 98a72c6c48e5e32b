"""What is wrong with the cameras behind a recorder, said on the recorder: often nothing else on the site can be asked.

A recorder's list names model and firmware of cameras that no sweep reaches. What advisories and checks found on them is
summed up in one finding, so that a site is not taken for sound because its weak cameras hide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rules.vocabulary import Finding, Identity, Severity, Status

__all__ = ["RULE", "weaknesses"]

RULE = "recorder.weak_channels"
_VERSION = "1"
_SHOWN = 20
_KNOWN = "advisory."
_MILD = frozenset({Severity.LOW, Severity.INFO})


def weaknesses(recorder: Identity, channels: Mapping[str, Sequence[Finding]]) -> Finding | None:
    """One finding over the findings of each listed camera, by device key; ``None`` for a device without any."""
    mine = {channel.device: channels.get(channel.device, ()) for channel in recorder.channels}
    if not mine:
        return None
    failed = [one for findings in mine.values() for one in findings
              if one.status is Status.FAIL and (one.rule.startswith(_KNOWN) or one.severity not in _MILD)]
    unclear = [one for findings in mine.values() for one in findings
               if one.status is Status.NOT_ASSESSED and one.rule.startswith(_KNOWN)]
    weak = list(dict.fromkeys(one.device for one in failed))
    facts = tuple((one.device, f"{one.rule}: {one.reason}") for one in sorted(failed, key=_rank)[:_SHOWN])
    if failed:
        worst = min(failed, key=_rank)
        status, severity = Status.FAIL, worst.severity
        reason = (f"of the cameras that it lists ({len(mine)}), {len(weak)} fail a check or are named by an advisory; "
                  f"worst: {worst.device}, {worst.title}")
    elif unclear:
        status, severity = Status.NOT_ASSESSED, Severity.HIGH
        reason = f"what it tells of its {len(mine)} cameras is too little to hold advisories against all of them"
    else:
        status, severity, reason = Status.PASS, Severity.HIGH, f"nothing is known against its {len(mine)} cameras"
    return Finding(
        device=recorder.device, rule=RULE, rule_version=_VERSION, status=status, severity=severity,
        title="A camera behind this recorder is weak", reason=reason, facts=facts,
        remedy="" if status is Status.PASS else "Update or replace those cameras.",
        evidence=tuple(dict.fromkeys(seen for one in failed for seen in one.evidence))[:_SHOWN],
        standards=tuple(dict.fromkeys(pair for one in failed for pair in one.standards)))


def _rank(finding: Finding) -> tuple[int, str]:
    return list(Severity).index(finding.severity), finding.rule
