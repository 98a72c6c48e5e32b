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
    from camvet.shapes import identity_json

    context = context_of(ctx)
    rows = context.inventory().devices(None if all_sites else context.settings.site)
    if context.terminal.as_json:
        context.terminal.document([{
            "id": row.id, "site": row.site, "key": row.key, "first_seen": row.first_seen, "last_seen": row.last_seen,
            "outcome": str(row.verdict.outcome), "policy": row.verdict.policy, "as_of": row.verdict.as_of.isoformat(),
            "aliases": [{"kind": kind, "value": value} for kind, value in row.aliases],
            "identity": identity_json(row.identity)} for row in rows])
    elif not rows:
        context.terminal.note(f"no devices of site {context.settings.site} yet: run camvet sweep")
    else:
        context.terminal.lines(table(
            [[row.id, row.key, row.identity.brand or "-", row.identity.maker_name or "?", row.identity.model or "-",
              str(row.identity.kind), str(row.identity.assurance), str(row.verdict.outcome), row.last_seen[:16]]
             for row in rows],
            ("id", "address", "brand", "made by", "model", "kind", "assurance", "verdict", "last seen")))
    raise typer.Exit(ExitCode.CLEAN)
