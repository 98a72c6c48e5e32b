"""`camvet census`: which devices other books know and the sweep did not see."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer

from camvet.cli import context_of, verb
from camvet.context import ExitCode, UsageError


@verb(rank=17)
def census(
    ctx: typer.Context,
    files: list[Path] = typer.Argument(..., metavar="FILE…", help="Switch MAC tables, LLDP neighbours, DHCP leases, "
                                       "firewall or Zeek logs, asset or VMS exports (CSV), purchase orders (CSV)."),
    sweep: str = typer.Option("latest", "--sweep", help="The sweep to hold them against."),
) -> None:
    """Hold what switches, leases, asset lists and orders know against a sweep: every device unseen, by source.

    Exit 3 where a source knows a device that was not seen, or a row could not be read.
    """
    from camvet.census import compare
    from scanner.imports import MOST_BYTES
    from scanner.imports.known import read_known

    context = context_of(ctx)
    inventory = context.inventory()
    row = inventory.sweep(sweep, context.settings.site)
    if row is None:
        raise UsageError(f"no sweep {sweep!r} of site {context.settings.site} (see: camvet sweep --help)")
    books = []
    for path in files:
        try:
            if path.stat().st_size > MOST_BYTES:
                raise UsageError(f"{path}: more than {MOST_BYTES >> 20} MB; split the file")
            books.append((path.name, *read_known(path.read_bytes())))
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from error
    found = compare(books, inventory.devices_of(row.id))
    if context.terminal.as_json:
        context.terminal.document({
            "sweep": row.id, "sources": [
                {"source": source.name, "known": source.known, "seen": source.seen,
                 "unseen": [{**asdict(one.known), "missing": one.missing, "because": one.because}
                            for one in source.unseen],
                 "refused": [asdict(one) for one in source.refused]} for source in found.sources],
            "unlisted": list(found.unlisted)})
    else:
        for source in found.sources:
            context.terminal.text(f"{source.name}: {source.seen} of {source.known} known devices were seen")
            for one in source.unseen:
                known = one.known
                who = "  ".join(filter(None, (known.mac, known.address, known.serial, known.manufacturer, known.model,
                                              known.name, known.where)))
                context.terminal.text(f"  not seen  {who}  (row {known.row}: {one.because})")
            for refused in source.refused[:100]:
                context.terminal.note(f"{source.name}: expected {refused.expected}")
        context.terminal.text(f"{len(found.unlisted)} swept devices stand in none of these: "
                              + (", ".join(found.unlisted[:50]) or "none"))
        context.terminal.text("What none of these sources knows and no sweep saw is not counted here.")
    unread = any(source.refused for source in found.sources)
    raise typer.Exit(ExitCode.INCOMPLETE if found.unseen or unread else ExitCode.CLEAN)
