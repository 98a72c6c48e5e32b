"""Judges what a sweep saw, with the rule data of this installation: one call for `sweep`, `judge` and the demo."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from camvet.context import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from camvet.baselines import Known
    from camvet.waivers import Waive
    from rules.judgement import Judgement
    from rules.policy import Policy
    from rules.vocabulary import Finding, Identity
    from scanner.observation import Attempt, Observation

__all__ = ["activity_named", "as_of_day", "assess", "by_device", "drift_findings", "exit_code", "policy_named"]


def activity_named(text: str | None) -> str | None:
    """What is done with a device, as the laws call it (``export-to`` is ``export_to``). Raises `UsageError`."""
    from rules.regimes import Activity

    if text is None:
        return None
    wanted = text.strip().lower().replace("-", "_")
    if wanted not in set(Activity):
        raise UsageError(f"--activity {text!r}: expected one of {', '.join(Activity)}")
    return wanted


def as_of_day(text: str | None) -> date:
    """``YYYY-MM-DD`` as a date; today (UTC) where nothing is given. Raises `UsageError`."""
    from scanner import clock

    if text is None:
        return clock.now().date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--as-of {text!r}: expected YYYY-MM-DD") from error


def policy_named(name: str) -> Policy:
    """A policy by name. Raises `UsageError` with the names there are."""
    from rules import policy

    known = policy.load()
    if name not in known:
        raise UsageError(f"no policy {name!r}; there are: {', '.join(sorted(known))}")
    return known[name]


def by_device(observations: Iterable[Observation], attempts: Iterable[Attempt], devices: Iterable[str],
              ) -> dict[str, tuple[list[Observation], list[Attempt]]]:
    """Observations and attempts grouped by device key; keys that are no device (silent addresses) are left out."""
    grouped: dict[str, tuple[list[Observation], list[Attempt]]] = {device: ([], []) for device in devices}
    for observation in observations:
        grouped.setdefault(observation.device, ([], []))[0].append(observation)
    for attempt in attempts:
        if attempt.device in grouped:
            grouped[attempt.device][1].append(attempt)
    return grouped


def assess(devices: Mapping[str, tuple[Sequence[Observation], Sequence[Attempt]]], *, policy: Policy, as_of: date,
           activity: str | None = None, purpose: str | None = None, known: Known | None = None,
           watched_s: float = 0.0, waive: Waive | None = None) -> list[Judgement]:
    """A judgement on every device. Raises `UsageError` for a purpose that nobody knows.

    `known` are the approved baselines that traffic is held against, `watched_s` is how long it was captured,
    `waive` applies the waivers of the site (`camvet.waivers`).
    """
    from camvet import advisory_store, listings
    from rules import makers
    from rules.advisory_findings import advise as advise_of
    from rules.judgement import Law, judge, list_versions, nothing_waived

    drifts = drift_findings(devices, known, as_of, watched_s) if known is not None and known.by_id else {}

    book, listed = advisory_store.book(), listings.held()
    lists = [*list_versions(), *(listed.versions if listed else ()), *advisory_store.versions()]

    def advise(identity: Identity) -> Sequence[Finding]:
        return (*advise_of(identity, book), *drifts.get(identity.device, ()))

    try:
        return judge(devices, makers=makers.load(), law=Law.load(activity, purpose, listed), policy=policy,
                     as_of=as_of, advise=advise, waive=waive or nothing_waived, lists=lists)
    except LookupError as error:
        raise UsageError(str(error)) from error


def drift_findings(devices: Mapping[str, tuple[Sequence[Observation], Sequence[Attempt]]], known: Known, as_of: date,
                   watched_s: float) -> dict[str, list[Finding]]:
    """What is new since the approved baseline, for each device that has one, by device key."""
    from camvet.baselines import later_of
    from rules import baseline, destinations, makers

    clouds = destinations.with_makers(destinations.load(), makers.load())
    return {key: [baseline.judge(key, approved, later_of(destinations.label(devices[key][0], clouds), devices[key][1],
                                                         watched_s), as_of)]
            for key, approved in known.of_devices(devices).items()}


def exit_code(judgements: Iterable[Judgement], *, complete: bool = True) -> ExitCode:
    """1 where a device is prohibited, carries a red flag or fails a check; 3 where one is undetermined; else 0."""
    from rules.vocabulary import Outcome, Overall, Status

    codes = [ExitCode.CLEAN if complete else ExitCode.INCOMPLETE]
    for judgement in judgements:
        verdict = judgement.verdict
        flagged = verdict.overall in (Overall.PROHIBITED, Overall.LEGAL_RED_FLAG, Overall.RESTRICTED)
        if verdict.outcome in (Outcome.PROHIBITED, Outcome.CONDITIONAL) or flagged or any(
                finding.status is Status.FAIL for finding in verdict.findings):
            codes.append(ExitCode.FINDINGS)
        if verdict.outcome is Outcome.UNDETERMINED:
            codes.append(ExitCode.INCOMPLETE)
    return worst(*codes)
