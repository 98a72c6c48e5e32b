"""`camvet devices`: the inventory as a list."""

from __future__ import annotations

import typer

from camvet.cli import context_of, verb
from camvet.context import ExitCode


@verb(rank=30)
def devices(ctx: typer.Context,
            all_sites: bool = typer.Option(False, "--all-sites", help="Every site, not only --site.")) -> None:
    """List every device of the site with maker, brand and its newest verdict."""
    from camvet.prose import table
    from camvet.rejections import Rejections
    from camvet.shapes import identity_json
    from scanner import clock

    context = context_of(ctx)
    if not context.settings.kept:
        raise typer.Exit(context.nothing_kept())
    inventory, today = context.inventory(), clock.now().date()
    rows = inventory.devices(None if all_sites else context.settings.site)
    rejections = {site: Rejections.of(inventory, site) for site in {row.site for row in rows}}
    rejected = {row.id: one for row in rows if (one := rejections[row.site].holding(row.id, today))}
    if context.terminal.as_json:
        context.terminal.document([{
            "id": row.id, "site": row.site, "key": row.key, "first_seen": row.first_seen, "last_seen": row.last_seen,
            "outcome": str(row.verdict.outcome), "policy": row.verdict.policy, "as_of": row.verdict.as_of.isoformat(),
            "rejected": rejected[row.id].to_json() if row.id in rejected else None,
            "aliases": [{"kind": kind, "value": value} for kind, value in row.aliases],
            "identity": identity_json(row.identity)} for row in rows])
    elif not rows:
        context.terminal.note(f"no devices of site {context.settings.site} yet: run camvet sweep")
    else:
        context.terminal.lines(table(
            [[row.id, row.key, row.identity.brand or "-", row.identity.maker_name or "?", row.identity.model or "-",
              str(row.identity.kind), str(row.identity.assurance),
              "rejected" if row.id in rejected else str(row.verdict.outcome), row.last_seen[:16]] for row in rows],
            ("id", "address", "brand", "made by", "model", "kind", "assurance", "verdict", "last seen")))
    raise typer.Exit(ExitCode.CLEAN)
