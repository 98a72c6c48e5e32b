"""`camvet explain`: why a device is judged as it is, or why nothing was found at an address."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError

if TYPE_CHECKING:
    from camvet.inventory import SweepRow
    from scanner.observation import Attempt


@verb(rank=32)
def explain(
    ctx: typer.Context,
    device: str = typer.Argument(..., help="Inventory id, address, MAC or serial; or a silent address."),
) -> None:
    """Say why a device got its verdict, what found it, or why nothing was found at an address."""
    from camvet.cli.show import as_swept, one_device
    from camvet.prose import headline, paragraphs, told_comparisons, told_evidence
    from camvet.shapes import identity_json, verdict_json

    context = context_of(ctx)
    if not context.inventory().find(device, context.settings.site) and _is_address(device):
        _explain_silence(context, device)
        raise typer.Exit(ExitCode.CLEAN)
    row = one_device(context, device)
    stored = as_swept(context, row)
    found_by = sorted({o.probe for o in stored.observations})
    if context.terminal.as_json:
        context.terminal.document({"id": row.id, "key": row.key, "found_by": found_by,
                                   "identity": identity_json(row.identity), "verdict": verdict_json(row.verdict)})
    else:
        context.terminal.text(headline(row.identity))
        context.terminal.lines(paragraphs(row.identity, row.verdict, stored.attempts))
        context.terminal.lines(told_comparisons(row.verdict))
        context.terminal.text("  found by " + ", ".join(found_by))
        context.terminal.lines(told_evidence(row.identity, stored.observations))
    raise typer.Exit(ExitCode.CLEAN)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _explain_silence(context: Context, address: str) -> None:
    inventory, site = context.inventory(), context.settings.site
    swept = [(row, [a for a in inventory.undevised(row.id)[1] if a.device == address])
             for row in inventory.sweeps(site) if address in _silent(row)]
    if not swept:
        raise UsageError(f"{address} was in the scope of no sweep of site {site}, so nothing is known of it")
    row, attempts = swept[0]
    if context.terminal.as_json:
        context.terminal.document({"address": address, "found": False, "sweep": row.id, "why": _silent(row)[address],
                                   "attempts": [a.to_json() for a in attempts]})
        return
    context.terminal.text(f"{address}  nothing was found in sweep {row.id} ({row.finished}): {_silent(row)[address]}")
    for line in _grouped(attempts):
        context.terminal.text(f"  {line}")
    context.terminal.text("  A silent address is not an empty one: a device may be off, filtered, or elsewhere.")


def _silent(row: SweepRow) -> dict[str, Any]:
    return dict(row.document.get("silent", {}))


def _grouped(attempts: list[Attempt]) -> list[str]:
    """Attempts that ended alike on one line, in the order they were made."""
    groups: dict[tuple[str, str], list[int]] = {}
    for attempt in attempts:
        groups.setdefault((attempt.probe, str(attempt.reason or attempt.status)), []).append(attempt.port or 0)
    return [f"{probe}{' port ' + ', '.join(str(p) for p in sorted(set(ports)) if p) if any(ports) else ''}: {ended}"
            for (probe, ended), ports in groups.items()]
