"""`camvet census`: which devices other books know and the sweep did not see."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError

if TYPE_CHECKING:
    from camvet.census import Census, Unseen
    from scanner.imports.known import Book

_MOST_TOLD = 100


@verb(rank=17)
def census(
    ctx: typer.Context,
    files: list[Path] = typer.Argument(..., metavar="FILE…", help="Switch MAC tables, LLDP or CDP neighbours, DHCP "
                                       "leases, ARP tables, NetFlow or IPFIX, firewall or Zeek logs, asset or VMS "
                                       "exports and purchase orders (CSV, XLSX)."),
    sweep: str = typer.Option("latest", "--sweep", help="The sweep to hold them against."),
) -> None:
    """Hold what switches, leases, asset lists and orders know against a sweep: every device unseen, by source.

    A file's kind is found from its content. Exit 3 where a source knows a device that was not seen, or a row could
    not be read.
    """
    from camvet.census import compare, document
    from camvet.sweeping import actor
    from scanner import clock

    context = context_of(ctx)
    inventory = context.inventory()
    row = inventory.sweep(sweep, context.settings.site)
    if row is None:
        raise UsageError(f"no sweep {sweep!r} of site {context.settings.site} (see: camvet sweep --help)")
    books = [(path.name, _read(path)) for path in files]
    found = compare(books, inventory.devices_of(row.id), row.document)
    told = document(found, row.id)
    inventory.log(at=clock.now(), actor=actor(), kind="census", subject=row.id, document=told)
    if context.terminal.as_json:
        context.terminal.document(told)
    else:
        _tell(context, found)
    raise typer.Exit(ExitCode.INCOMPLETE if found.unseen or found.unread else ExitCode.CLEAN)


def _read(path: Path) -> Book:
    """One book. Raises `UsageError` for a file that cannot be opened, is too large, or is no book at all."""
    from scanner import clock
    from scanner.imports import MOST_BYTES, books

    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path}: more than {MOST_BYTES >> 20} MB; split the file")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    book = books.read(_unpacked(path, data), clock.now())
    if not book.known and any(one.row == 0 for one in book.refused):
        raise UsageError(f"{path}: expected {book.refused[0].expected}")
    return book


def _unpacked(path: Path, data: bytes) -> bytes:
    """The octets of a file, without gzip's wrapping. Raises `UsageError` for damage and for too much."""
    from scanner.imports import MOST_BYTES

    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        whole = gzip.GzipFile(fileobj=io.BytesIO(data)).read(MOST_BYTES + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UsageError(f"{path}: expected whole gzip data ({type(error).__name__})") from error
    if len(whole) > MOST_BYTES:
        raise UsageError(f"{path}: more than {MOST_BYTES >> 20} MB unpacked; split the file")
    return whole


def _tell(context: Context, found: Census) -> None:
    for source in found.sources:
        context.terminal.text(f"{source.name} ({source.book.form}): {source.seen} of {source.known} known devices "
                              "were seen")
        for one in source.unseen:
            context.terminal.text(f"  not seen  {_who(one)}  (row {one.known.row}: {one.because})")
        for refused in source.book.refused[:_MOST_TOLD]:
            context.terminal.note(f"{source.name}: expected {refused.expected}")
        unread = len(source.book.refused) + source.book.dropped
        if unread or source.book.others:
            context.terminal.text(f"  {unread} rows could not be read; {source.book.others} lines are headings, "
                                  "totals, or of no device of the site")
    context.terminal.text(f"{len(found.unlisted)} swept devices stand in none of these: "
                          + (", ".join(found.unlisted[:50]) or "none"))
    context.terminal.text("What none of these sources knows and no sweep saw is not counted here.")


def _who(one: Unseen) -> str:
    """A device as its source names it, with the name on file of whoever owns the address block of its MAC."""
    from rules import makers
    from scanner.wire import oui

    known = one.known
    owner = makers.load().oui.get(oui.prefix(known.mac)) if known.mac else None
    block = f"[address block of {owner.maker or owner.brand}]" if owner else ""
    amount = f"{one.missing} x" if one.missing > 1 else ""
    return "  ".join(filter(None, (amount, known.mac, block, known.address, known.serial, known.manufacturer,
                                   known.model, known.name, known.where, known.when)))
