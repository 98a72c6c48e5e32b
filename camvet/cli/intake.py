"""`camvet intake`: devices known only from labels, orders or lists, judged as far as a label goes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import typer

from camvet.cli import context_of, verb
from camvet.context import ExitCode, UsageError, worst


@verb(rank=16)
def intake(
    ctx: typer.Context,
    csv: Path = typer.Option(..., "--csv", metavar="FILE", help="Columns brand, model, serial, mac, quantity; any of "
                             "them, in any order."),
    policy: str | None = typer.Option(None, "--policy", help="Whose rules decide (default: private)."),
    as_of: str | None = typer.Option(None, "--as-of", metavar="YYYY-MM-DD", help="The day to judge for."),
    activity: str | None = typer.Option(None, "--activity", help="What is done with the devices, for the law."),
    purpose: str | None = typer.Option(None, "--purpose", help="What they are for, where a law asks."),
) -> None:
    """Judge devices that were never seen on the wire, by what their label or order says.

    A label is a claim: such a device can be prohibited by it, and never approved. Exit 1 with findings, 3 else.
    """
    from camvet.assessment import activity_named, as_of_day, exit_code, policy_named
    from camvet.importing import ImportOrder, document_of, store
    from camvet.prose import headline
    from camvet.shapes import identity_json, verdict_json
    from scanner import clock
    from scanner.imports import MOST_BYTES, labels

    context = context_of(ctx)
    try:
        data = csv.read_bytes()
    except OSError as error:
        raise UsageError(f"{csv}: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise UsageError(f"{csv}: more than {MOST_BYTES >> 20} MB; split the file")
    started = clock.now()
    found = labels.read(data, started)
    if not found.observations:
        raise UsageError(f"{csv}: expected {found.refused[0].expected if found.refused else 'at least one row'}")
    digest = hashlib.sha256(data).hexdigest()
    order = ImportOrder([csv], policy_named(policy or context.settings.policy), as_of_day(as_of), "",
                        activity_named(activity), purpose)
    record = store(context, order, found.observations, started=started, name=f"intake-{digest[:8]}",
                   document=document_of(order, f"labels and orders in {csv.name}", digest,
                                        {"rows": len(found.refused) + found.dropped}))
    for refused in found.refused[:100]:
        context.terminal.note(f"{csv}: expected {refused.expected}")
    quantity = {one.device: one.fields.get("quantity", 1) for one in found.observations}
    if context.terminal.as_json:
        context.terminal.document({
            "sweep": record.id, "refused": [{"row": one.row, "expected": one.expected} for one in found.refused],
            "policy": record.policy, "as_of": record.as_of,
            "devices": [{"key": one.identity.device, "quantity": quantity.get(one.identity.device, 1),
                         "identity": identity_json(one.identity), "verdict": verdict_json(one.verdict)}
                        for one in record.judgements]})
    else:
        for judged in record.judgements:
            count = quantity.get(judged.identity.device, 1)
            context.terminal.text(f"{judged.verdict.outcome.upper():<13} {count} x {headline(judged.identity)}")
        context.terminal.text(f"{len(record.judgements)} rows judged by their labels alone, {len(found.refused)} "
                              f"refused; sweep {record.id}")
    raise typer.Exit(worst(exit_code(record.judgements), ExitCode.INCOMPLETE if found.refused else ExitCode.CLEAN))
