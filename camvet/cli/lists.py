"""`camvet lists`: how old the laws and lists are, imports of other lists, signed bundles in and out."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError

if TYPE_CHECKING:
    from rules.bundle import Bundle
    from rules.snapshots import Snapshot
    from rules.vocabulary import ListVersion

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None,
                  help="Laws and lists: their age, imports, signed bundles.")
verb("lists", rank=24)(app)


@app.command()
def show(ctx: typer.Context) -> None:
    """Show every law edition and imported list with its date and age; 3 where one is stale."""
    from camvet.lists import Store
    from camvet.shapes import list_json
    from rules.regimes import list_version
    from rules.snapshots import version_of
    from rules.vocabulary import STALE_AFTER_DAYS
    from scanner import clock

    context = context_of(ctx)
    store = Store.of(context)
    today, state = clock.now().date(), store.state()
    snapshots = store.snapshots()
    rows: list[dict[str, Any]] = []
    known: list[tuple[ListVersion, Snapshot | None]] = [(list_version(), None)]
    for version, snapshot in [*known, *((version_of(one), one) for one in snapshots)]:
        gone = sum(kept.gone_on is not None for kept in snapshot.parties) if snapshot else None
        rows.append(list_json(version, today) | {
            "removed": gone, "parties": len(snapshot.parties) - (gone or 0) if snapshot else None})
    rows += _advisory_rows(today)
    if context.terminal.as_json:
        context.terminal.document({"lists": rows, "bundle": state if state["number"] else None,
                                   "stale_after_days": STALE_AFTER_DAYS})
    else:
        for row in rows:
            stale = "  STALE" if row["stale"] else ""
            parties = f"  {row['parties']} parties, {row['removed']} removed" if row.get("parties") is not None else ""
            parties += f"  {row['records']} records, {row['kev']} KEV entries" if "records" in row else ""
            old = f"{row['age_days']} days old"
            context.terminal.text(f"{row['id']:<28} {row['dated']}  {old}  edition {row['version']}{parties}{stale}")
        context.terminal.text(f"bundle {state['number']} of {state['made']}" if state["number"] else
                              "no bundle installed: the shipped laws are in use")
    raise typer.Exit(ExitCode.INCOMPLETE if any(row["stale"] for row in rows) else ExitCode.CLEAN)


def _advisory_rows(today: date) -> list[dict[str, Any]]:
    """The shipped advisories and every imported list of them, with date and age."""
    from camvet import advisory_store
    from camvet.shapes import list_json
    from rules import advisories
    from rules.advisory_lists import version_of
    from rules.judgement import advisory_version

    shipped = advisories.load()
    known = [record for file in shipped.files.values() for record in file.records]
    told = [(advisory_version(), len(known), sum(record.kev is not None for record in known), 0)]
    told += [(version_of(one), len(one.records), len(one.kev), len(one.set_aside)) for one in advisory_store.held()]
    return [list_json(version, today) | {"parties": None, "removed": None, "records": records, "kev": kev,
                                         "set_aside": aside}
            for version, records, kev, aside in told]


@app.command("import")
def import_(
    ctx: typer.Context,
    file: Path = typer.Argument(..., help="CSL (CSV, JSON), OpenSanctions (simple CSV, FtM), OFAC cons_prim, own CSV."),
    source: str | None = typer.Option(None, "--source", metavar="NAME", help="What to call it (default: the file)."),
    dated: str | None = typer.Option(None, "--dated", metavar="YYYY-MM-DD", help="The day of its facts (today)."),
    kind: str | None = typer.Option(None, "--kind", metavar="K", help="Its format, where the file does not tell."),
    aliases: Path | None = typer.Option(None, "--aliases", metavar="FILE", help=(
        "OFAC's aliases (default: cons_alt.csv or alt.csv beside the list).")),
) -> None:
    """Import a list of others, whole or not at all; who is gone since the last edition is kept as removed."""
    from camvet.assessment import as_of_day
    from camvet.decisions import acting
    from camvet.lists import Store
    from rules.imports import parse
    from rules.tables import TableError
    from scanner import clock

    context = context_of(ctx)
    name = source or file.stem
    day: date = as_of_day(dated)
    beside = aliases or _aliases_beside(file)
    try:
        new = parse(file.read_bytes(), file.name, source=name, dated=day, kind=kind,
                    aliases=beside.read_bytes() if beside else None, aliases_file=beside.name if beside else "")
    except OSError as error:
        raise UsageError(f"{error.filename or file}: {error.strerror}") from error
    except TableError as error:
        raise UsageError(str(error)) from error
    changes = Store.of(context).keep(new)
    document = {"source": name, "format": new.format, "dated": day.isoformat(), "digest": new.digest,
                "parties": len(new.parties), "names": sum(len(party.names) for party in new.parties),
                "aliases_file": beside.name if beside else None, "added": len(changes.added),
                "removed": len(changes.removed),
                "changed": len(changes.changed), "removed_ids": list(changes.removed[:1000])}
    context.inventory(new=True).log(at=clock.now(), actor=acting(None), kind="lists.imported", subject=name,
                                    document=document)
    if context.terminal.as_json:
        context.terminal.document(document)
    else:
        context.terminal.text(f"{name}: {len(new.parties)} parties, {document['names']} names, of {day} "
                              f"({new.format}{f', aliases of {beside.name}' if beside else ''}); "
                              f"{len(changes.added)} added, {len(changes.removed)} removed, "
                              f"{len(changes.changed)} changed")
        if new.format == "ofac-cons" and beside is None:
            context.terminal.note("no file of aliases beside it: parties are known by their main names alone")
    raise typer.Exit(ExitCode.CLEAN)


def _aliases_beside(file: Path) -> Path | None:
    """The file of aliases that OFAC publishes beside this one, where it lies in the same folder."""
    from rules.imports.ofac import ALIAS_FILES

    name = ALIAS_FILES.get(file.name.casefold())
    beside = file.parent / name if name else None
    return beside if beside is not None and beside.is_file() else None


@app.command()
def sign(
    ctx: typer.Context,
    out: Path = typer.Option(..., "--out", "-o", metavar="FILE", help="Where to write the bundle."),
    number: int | None = typer.Option(None, "--number", metavar="N", help="Its number (default: one above the last)."),
) -> None:
    """Sign the laws in use and every imported list into one bundle that others can check."""
    from camvet.decisions import acting, key_store
    from camvet.lists import Store
    from rules.bundle import BundleError, make
    from scanner import clock

    context = context_of(ctx)
    store = Store.of(context)
    state = store.state()
    last = max(state["number"], state["signed"])
    chosen = number if number is not None else last + 1
    if chosen <= last:
        raise UsageError(f"--number {chosen}: expected more than {last}, the last one signed or installed")
    try:
        data = make(store.files(), number=chosen, made=clock.stamp(clock.now()), key=key_store(context).signing())
        out.write_bytes(data)
    except BundleError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror}") from error
    store.remember(signed=chosen)
    context.inventory(new=True).log(at=clock.now(), actor=acting(None), kind="lists.signed", subject=str(chosen),
                                    document={})
    _tell(context, {"file": str(out), "number": chosen, "bytes": len(data)},
          f"{out}: bundle {chosen}, {len(data)} bytes")


@app.command()
def verify(
    ctx: typer.Context,
    where: str = typer.Argument(..., metavar="FILE|URL", help="A bundle, or its https:// address."),
    key: list[Path] | None = typer.Option(None, "--key", metavar="PUB", help="A public key (PEM) to trust."),
) -> None:
    """Check a bundle: signed by a trusted key, unaltered. Nothing is installed."""
    context = context_of(ctx)
    bundle = _opened(context, where, key or [])
    keys = ", ".join(name[:16] for name in bundle.signed_by)
    _tell(context, _json(bundle), f"bundle {bundle.number} of {bundle.made}: the signature holds, {len(bundle.files)} "
                                  f"files unaltered, signed by {keys}")


@app.command()
def update(
    ctx: typer.Context,
    where: str = typer.Argument(..., metavar="FILE|URL", help="A bundle, or its https:// address."),
    key: list[Path] | None = typer.Option(None, "--key", metavar="PUB", help="A public key (PEM) to trust."),
) -> None:
    """Install a bundle that is signed, unaltered and newer than the one in use; anything else is refused."""
    from camvet.decisions import acting
    from camvet.lists import Store
    from rules.bundle import BundleError, newer
    from scanner import clock

    context = context_of(ctx)
    store = Store.of(context)
    bundle = _opened(context, where, key or [])
    try:
        newer(bundle, store.state()["number"])
    except BundleError as error:
        raise UsageError(str(error)) from error
    store.install(bundle)
    context.inventory(new=True).log(at=clock.now(), actor=acting(None), kind="lists.updated",
                                    subject=str(bundle.number), document=_json(bundle))
    _tell(context, _json(bundle), f"bundle {bundle.number} of {bundle.made} is in use")


def _opened(context: Context, where: str, keys: list[Path]) -> Bundle:
    from camvet.lists import trusted_keys
    from rules.bundle import BundleError, open_bundle

    trusted = trusted_keys(context, keys)
    try:
        return open_bundle(_fetched(where) if "://" in where else Path(where).read_bytes(), trusted)
    except OSError as error:
        raise UsageError(f"{where}: {error.strerror}") from error
    except BundleError as error:
        raise UsageError(f"{where}: {error}") from error


def _fetched(url: str) -> bytes:
    """The bytes behind an address. Raises `UsageError`, without the numbers that the system gives its errors."""
    from camvet.lists import fetch

    try:
        return fetch(url)
    except UsageError as error:
        cause = error.__cause__
        reason = getattr(cause, "reason", cause)
        told = reason.strerror if isinstance(reason, OSError) and reason.strerror else None
        raise UsageError(f"{url}: {told}") if told else error from error


def _json(bundle: Bundle) -> dict[str, Any]:
    return {"number": bundle.number, "made": bundle.made, "digest": bundle.digest, "signed_by": list(bundle.signed_by),
            "files": len(bundle.files), "lists": sorted(bundle.lists)}


def _tell(context: Context, document: dict[str, Any], text: str) -> None:
    if context.terminal.as_json:
        context.terminal.document(document)
    else:
        context.terminal.text(text)
    raise typer.Exit(ExitCode.CLEAN)
