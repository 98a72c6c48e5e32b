"""`camvet claims`: write down what somebody says of a device, and check it against what was seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError, worst

if TYPE_CHECKING:
    from camvet.inventory import DeviceRow
    from rules.claims import Answer, Claim, Watch
    from scanner.egress import Capture
    from scanner.observation import Attempt, Observation

_DECLARED, _CHECKED = "claim.declared", "claim.checked"
_MOST_TEXT = 400

claims = typer.Typer(help="Write down what is claimed of a device, and check it.", no_args_is_help=True)
verb("claims", rank=53)(claims)


@claims.command("declare")
def declare(
    ctx: typer.Context,
    device: str = typer.Argument(..., help="Inventory id, address, MAC or serial."),
    texts: list[str] = typer.Argument(..., help='What is said, as "no network connectivity".'),
    by: str = typer.Option(..., "--by", metavar="WHO", help="Who says so: the supplier, a data sheet, a contract."),
    actor: str | None = typer.Option(None, "--actor", metavar="NAME", help="Who notes it (default: the OS user)."),
) -> None:
    """Note claims. They prove nothing by themselves."""
    from camvet.cli.show import one_device
    from camvet.decisions import acting
    from scanner import clock

    context = context_of(ctx)
    row = one_device(context, device)
    if not by.strip() or len(by) > _MOST_TEXT:
        raise UsageError(f"--by: expected a source of at most {_MOST_TEXT} characters")
    said = [_claim(text) for text in texts]
    for claim in said:
        context.inventory().log(at=clock.now(), actor=acting(actor), kind=_DECLARED, subject=row.id,
                                document={"claim": str(claim), "by": by.strip()})
    if context.terminal.as_json:
        context.terminal.document({"device": row.id, "address": row.key, "claims": [str(c) for c in said], "by": by})
    else:
        context.terminal.lines(f"{row.key}  {by} says: {claim}" for claim in said)
    raise typer.Exit(ExitCode.CLEAN)


@claims.command("check")
def check(
    ctx: typer.Context,
    device: str | None = typer.Argument(None, help="One device; all that claims were noted of by default."),
    capture: list[Path] = typer.Option([], "--capture", metavar="FILE", help="Traffic to check against."),
    vantage: str = typer.Option("", "--from", metavar="PLACE", help="Where it was captured, as 'mirror of switch 3'."),
    actor: str | None = typer.Option(None, "--actor", metavar="NAME", help="Who checks (default: the OS user)."),
) -> None:
    """Say of each noted claim whether it is proven, not proven or contradicted, and why."""
    from camvet.cli.show import one_device
    from camvet.decisions import acting
    from scanner import clock

    context = context_of(ctx)
    inventory = context.inventory()
    wanted = one_device(context, device).id if device else None
    noted: dict[str, dict[str, str]] = {}
    for event in inventory.events():
        if event.kind == _DECLARED and wanted in {None, event.subject}:
            noted.setdefault(event.subject, {})[str(event.document["claim"])] = str(event.document["by"])
    if not noted:
        raise UsageError("no claim was noted" + (f" of {device}" if device else "") + ": see camvet claims declare")
    told = []
    for row in inventory.devices(context.settings.site):
        for text, by in noted.get(row.id, {}).items():
            answer = _answer(context, row, _claim(text), capture, vantage)
            shown = _json(row, answer, by)
            inventory.log(at=clock.now(), actor=acting(actor), kind=_CHECKED, subject=row.id, document=shown)
            told.append((shown, answer))
    if context.terminal.as_json:
        context.terminal.document({"claims": [shown for shown, _ in told]})
    else:
        for shown, answer in told:
            context.terminal.text(f"{shown['address']}  {answer.claim} (says {shown['by']}): {answer.standing}")
            context.terminal.text(f"  {answer.because}")
    raise typer.Exit(_code([answer for _, answer in told]))


def _code(answers: list[Answer]) -> ExitCode:
    from rules.claims import Standing

    ends = {Standing.CONTRADICTED: ExitCode.FINDINGS, Standing.NOT_PROVEN: ExitCode.INCOMPLETE,
            Standing.PROVEN: ExitCode.CLEAN}
    return worst(*(ends[answer.standing] for answer in answers))


def _claim(text: str) -> Claim:
    from rules.claims import Claim

    try:
        return Claim(" ".join(text.lower().split()))
    except ValueError as error:
        raise UsageError(f"no claim {text!r}; there are: {', '.join(Claim)}") from error


def _answer(context: Context, row: DeviceRow, claim: Claim, captures: list[Path], vantage: str) -> Answer:
    from rules import claims as judging
    from rules import destinations, makers

    stored = context.inventory().newest_seen(row.id)
    seen: list[Observation] = [o for d in (stored[1] if stored else ()) for o in d.observations]
    tried: list[Attempt] = [a for d in (stored[1] if stored else ()) for a in d.attempts]
    watch = None
    if captures:
        more, attempts, watch = _captured(row, captures, vantage)
        seen, tried = [*seen, *more], [*tried, *attempts]
    clouds = destinations.with_makers(destinations.load(), makers.load())
    return judging.check(claim, destinations.label(seen, clouds), tried, watch)


def _captured(row: DeviceRow, paths: list[Path], vantage: str) -> tuple[list[Observation], list[Attempt], Watch]:
    from rules.claims import Watch
    from scanner import clock, egress
    from scanner.imports import flow_logs

    try:
        capture = flow_logs.read(*paths, now=clock.now())
    except OSError as error:
        raise UsageError(f"capture {error.filename}: {error.strerror}") from error
    known = {row.key.partition("#")[0]: row.key,
             **{value.upper().replace("-", ":"): row.key for kind, value in row.aliases if kind == "mac"}}
    now = clock.now()
    return (egress.observations(capture, known, now), egress.attempts(capture, known, now),
            Watch(capture.seconds, vantage or "an unnamed place", capture.complete and _only_packets(capture)))


def _only_packets(capture: Capture) -> bool:
    """Whether all of it was packets: what a router or a firewall did not write down proves nothing."""
    return all(source.form.endswith("packets") for source in capture.sources)


def _json(row: DeviceRow, answer: Answer, by: str) -> dict[str, Any]:
    return {"device": row.id, "address": row.key, "claim": str(answer.claim), "by": by,
            "standing": str(answer.standing),
            "because": answer.because, "evidence": list(answer.evidence), "watched_s": round(answer.watched_s, 1),
            "from": answer.vantage}
