"""`camvet attached`: which cameras are let in, for what, by whom, until when; and which were suspended and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from camvet.cli import context_of, verb
from camvet.context import ExitCode

if TYPE_CHECKING:
    from camvet.inventory import AttachmentRow, AttestationRow


@verb(rank=56)
def attached(ctx: typer.Context) -> None:
    """List attachments with their state: attached, suspended (with the rule) or detached."""
    from camvet.prose import table

    context = context_of(ctx)
    if not context.settings.kept:
        raise typer.Exit(context.nothing_kept())
    gate = context.inventory().gate
    rows = [(row, gate.attestation(row.attestation)) for row in gate.attachments(context.settings.site)]
    if context.terminal.as_json:
        context.terminal.document([_json(*row) for row in rows])
    elif not rows:
        context.terminal.note(f"no camera of site {context.settings.site} was ever attached: see camvet attach --help")
    else:
        context.terminal.lines(table([_cells(*row) for row in rows], (
            "address", "state", "since", "purpose", "apps", "retention", "approved by", "until", "rule")))
        context.terminal.lines(f"{row.address}  {row.state}: {row.rule + ': ' if row.rule else ''}{row.because}"
                               for row, _ in rows if row.because)
    raise typer.Exit(ExitCode.CLEAN)


def _json(row: AttachmentRow, by: AttestationRow | None) -> dict[str, object]:
    return {"device": row.device, "address": row.address, "state": str(row.state), "since": row.since,
            "rule": row.rule or None, "because": row.because or None, "actor": row.actor, "order": dict(row.order),
            "attestation": row.attestation, "approved_by": by.actor if by else None,
            "expires": by.expires if by else None}


def _cells(row: AttachmentRow, by: AttestationRow | None) -> list[str]:
    return [row.address, str(row.state), row.since[:16], row.order["purpose"],
            ", ".join(one["name"] for one in row.order["apps"]), f"{row.order['retention_days']} d",
            by.actor if by else "?", by.expires[:10] if by else "?", row.rule or "-"]
