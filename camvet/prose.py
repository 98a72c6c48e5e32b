"""A judged device in the words of `show`, `explain` and `sweep`: what a person who has to act reads at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import date

from rules.advisory_findings import DISPUTED, urgency
from rules.vocabulary import ActivityEffect, Assurance, Effect, Finding, Identity, Outcome, Status, Verdict
from scanner.observation import Attempt, AttemptStatus, Observation

__all__ = ["OUTCOME_STYLE", "headline", "paragraphs", "summary", "table", "told_comparisons", "told_evidence",
           "told_logins"]

OUTCOME_STYLE = {Outcome.APPROVED: "green", Outcome.CONDITIONAL: "yellow", Outcome.PROHIBITED: "red",
                 Outcome.UNDETERMINED: "yellow"}
_ASSURED = {Assurance.CRYPTOGRAPHIC: "proven by its certificate", Assurance.CORROBORATED: "corroborated",
            Assurance.SELF_REPORTED: "by its own word only", Assurance.NONE: "maker unknown"}


def headline(identity: Identity, *, most: int = 2) -> str:
    """``10.20.0.14  Lorex W461ASC · made by Dahua, corroborated (why; why)``."""
    label = " ".join(part for part in (identity.brand or "no label", identity.model) if part)
    if identity.maker is None:
        return f"{identity.device}  {label}  ·  {_ASSURED[Assurance.NONE]} ({identity.kind})"
    why = "; ".join(_reasons(identity)[:most])
    made = f"made by {identity.maker_name or identity.maker}, {_ASSURED[identity.assurance]}"
    return f"{identity.device}  {label}  ·  {made}" + (f" ({why})" if why else "")


def _reasons(identity: Identity) -> list[str]:
    order = ("decisive", "strong", "medium", "weak", "note")
    mine = [e for e in identity.evidence if e.claim == "maker" and e.value == identity.maker]
    mine.sort(key=lambda e: (e.basis == "label", order.index(e.strength)))
    return list(dict.fromkeys(e.because for e in mine))


def paragraphs(identity: Identity, verdict: Verdict, attempts: Sequence[Attempt] = ()) -> Iterable[str]:
    """The lines under the headline, in full: verdict and reasons, law, failed checks, what was not assessed."""
    yield f"  {verdict.outcome} under policy {verdict.policy} on {verdict.as_of.isoformat()}, until {verdict.expires}"
    for reason in verdict.reasons:
        if not _is_finding(reason, verdict):
            yield f"    because {reason}"
    for effect in verdict.effects:
        if effect.effect is not ActivityEffect.NONE:
            yield "  " + _law(effect, verdict)
    for finding in _failed(verdict):
        yield f"  {finding.severity:<9} {_said(finding)}"
        if finding.remedy:
            yield f"            do: {finding.remedy}"
    for finding in _waived(verdict):
        yield f"  waived    {finding.severity}: {_said(finding)}"
        facts = dict(finding.facts)
        yield (f"            waiver {facts.get('waiver', '?')}: owner {facts.get('waiver owner', '?')}, asked for by "
               f"{facts.get('waiver requested by', '?')}, approved by {facts.get('waiver approved by', '?')}, expires "
               f"{facts.get('waived until', '?')}")
    for conflict in identity.conflicts:
        yield f"  conflict  {conflict.claim}: {' or '.join(conflict.values)} ({conflict.because})"
    for channel in identity.channels:
        yield f"  channel {channel.number} is judged on its own: {channel.device}"
    missing = _missing(verdict, attempts)
    if missing:
        yield "  not assessed:"
        yield from (f"    {one}" for one in missing)


def summary(identity: Identity, verdict: Verdict) -> Iterable[str]:
    """At most a handful of lines under the headline, for a sweep of many devices; `explain` has the rest."""
    reasons = [reason for reason in verdict.reasons if not _is_finding(reason, verdict)]
    if verdict.outcome is not Outcome.APPROVED:
        yield from (f"    {_cut(reason, 160)}" for reason in reasons[:2])
    for finding in _failed(verdict)[:3]:
        yield f"    {finding.severity}: {_cut(_said(finding), 150)}"
    open_checks = sum(f.status is Status.NOT_ASSESSED for f in verdict.findings)
    more = max(0, len(reasons) - 2) + max(0, len(_failed(verdict)) - 3)
    waived = len(_waived(verdict))
    rest = [f"{more} more reasons" if more else "", f"{waived} waived" if waived else "",
            f"{open_checks} checks not assessed" if open_checks else ""]
    if any(rest):
        yield f"    {', '.join(part for part in rest if part)}: camvet explain {identity.device}"


def _failed(verdict: Verdict) -> list[Finding]:
    return sorted((f for f in verdict.findings if f.status is Status.FAIL), key=urgency)


def _waived(verdict: Verdict) -> list[Finding]:
    return sorted((f for f in verdict.findings if f.status is Status.WAIVED), key=urgency)


def _said(finding: Finding) -> str:
    return f"{finding.title}: {finding.reason}"


def _is_finding(reason: str, verdict: Verdict) -> bool:
    """Whether a reason of the verdict only repeats a finding, which is told with the findings."""
    return any(reason in (_said(f), f"{f.rule} not assessed: {f.reason}", f"waived: {_said(f)}")
               for f in verdict.findings)


def _cut(text: str, most: int) -> str:
    """`text` up to `most` characters, ended at a word with an ellipsis."""
    return text if len(text) <= most else text[:most].rpartition(" ")[0] + " …"


def _law(effect: Effect, verdict: Verdict) -> str:
    since = f", in force since {effect.effective_on}" if effect.in_force and effect.effective_on else ""
    assumed = ""
    if effect.condition:
        word = {"true": "which holds", "false": "which does not hold"}.get(
            effect.condition_met or "", "purpose not given: assumed")
        assumed = f", {effect.condition} ({word})"
    listed = next((v for v in verdict.lists if v.id in (effect.regime, "regimes")), None)
    age = f" (list of {listed.dated}, {_days(listed.dated, verdict.as_of)})" if listed else ""
    mark = " [unverified]" if effect.unverified else ""
    return f"{str(effect.effect).replace('_', ' ')} for {effect.buyer}: {effect.name}{since}{assumed}{age}{mark}"


def _days(then: date, now: date) -> str:
    days = (now - then).days
    if days < 0:
        return "collected after that day"
    return "today's" if days == 0 else f"{days} day{'s' if days != 1 else ''} old"


def _missing(verdict: Verdict, attempts: Sequence[Attempt]) -> list[str]:
    missing = [f"{f.title.lower()} ({f.reason})" for f in verdict.findings if f.status is Status.NOT_ASSESSED]
    failed = [a for a in attempts if a.status is AttemptStatus.FAILED]
    if failed:
        missing.append(f"{len(failed)} attempts failed: " + ", ".join(sorted({a.probe for a in failed})))
    return missing


def told_logins(attempts: Sequence[Attempt]) -> Iterable[str]:
    """How each login ended, for `explain`: accepted, refused and in which of the four ways, or why it was not sent."""
    from reports.words import REASON

    made = [a for a in attempts if a.probe.startswith("auth.")]
    if not made:
        yield "  login     none was sent: no credentials were given"
    for attempt in made:
        ended = REASON[attempt.reason] if attempt.reason else "accepted"
        unsent = "not sent, " if attempt.status is AttemptStatus.NOT_ATTEMPTED else ""
        where = f" on port {attempt.port}" if attempt.port else ""
        yield (f"  login     {attempt.probe.removeprefix('auth.')}{where}: {unsent}{ended}"
               + (f" ({attempt.detail})" if attempt.detail else ""))


def told_comparisons(verdict: Verdict) -> Iterable[str]:
    """How the version was held against each advisory that affects the device, a step a line, for `explain`."""
    for finding in verdict.findings:
        for name, value in finding.facts if finding.rule == DISPUTED else ():
            cve, _, step = name.partition(" ")
            if step.partition(". ")[0].isdecimal():
                if step.startswith("1. "):
                    yield f"  comparison for {cve}, whose sources disagree"
                yield f"    {step}: {value}"
    for finding in (*_failed(verdict), *_waived(verdict)):
        steps = [(name, value) for name, value in finding.facts if name.partition(". ")[0].isdecimal()]
        if steps:
            yield f"  comparison for {dict(finding.facts).get('cve', finding.rule)}"
            yield from (f"    {name}: {value}" for name, value in steps)


def told_evidence(identity: Identity, observations: Sequence[Observation]) -> Iterable[str]:
    """Every piece of evidence with what it rests on, for `explain` and `show`."""
    seen = {o.id: o for o in observations}
    for evidence in identity.evidence:
        rests = ", ".join(f"{seen[i].probe}{f' port {seen[i].port}' if seen[i].port else ''} [{i}]"
                          for i in evidence.observations if i in seen)
        mark = " unverified" if evidence.unverified else ""
        yield (f"  {evidence.claim:<9} {evidence.value:<28} {evidence.strength}, {evidence.basis}{mark}: "
               f"{evidence.because}" + (f"  <- {rests}" if rests else ""))


def table(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> Iterable[str]:
    """Aligned columns with a heading; at a terminal long cells are cut so that a row stays a row, in a pipe none."""
    most = 42 if sys.stdout.isatty() else sys.maxsize
    cut = [[cell if len(cell) <= most else cell[:most - 1] + "…" for cell in row] for row in rows]
    widths = [max([len(head), *(len(row[i]) for row in cut)]) for i, head in enumerate(heads)]
    for row in (list(heads), ["-" * w for w in widths], *cut):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
