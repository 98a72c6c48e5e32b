"""`camvet keys`: the keys that attestations are signed with, and the check of what a key has signed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError

if TYPE_CHECKING:
    from camvet.certificates import Checked
    from camvet.keys import Key

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Signing keys: make, look, rotate, verify.")
verb("keys", rank=50)(app)


@app.command()
def init(ctx: typer.Context) -> None:
    """Make the first signing key of this installation."""
    from camvet.decisions import key_store
    from scanner import clock

    context = context_of(ctx)
    _made(context, key_store(context).init(clock.now()))


@app.command()
def rotate(ctx: typer.Context) -> None:
    """Make a new signing key; what the old ones signed goes on being valid."""
    from camvet.decisions import key_store
    from scanner import clock

    context = context_of(ctx)
    _made(context, key_store(context).rotate(clock.now()))


@app.command()
def show(ctx: typer.Context) -> None:
    """List the keys by their id; a private key is never shown."""
    from camvet.decisions import key_store

    context = context_of(ctx)
    keys = key_store(context).list()
    if context.terminal.as_json:
        context.terminal.document([_json(key) for key in keys])
    elif not keys:
        context.terminal.note("no signing key yet: camvet keys init")
    else:
        context.terminal.lines(f"{key.id}  made {key.made}  {'signs' if key.signs else 'verifies'}" for key in keys)
    raise typer.Exit(ExitCode.CLEAN)


@app.command()
def verify(
    ctx: typer.Context,
    file: Path = typer.Argument(..., help="What camvet screen --certificate wrote: the page, or the .dsse.json "
                                          "beside it."),
    key: list[Path] | None = typer.Option(None, "--key", metavar="PUB", help=(
        "The signer's public key (PEM), where another installation signed it. Repeatable.")),
) -> None:
    """Check a screening certificate that somebody hands you: who signed it, and whether it was changed since.

    Trusted are the keys of this installation (camvet keys show), those in its lists/trusted folder, and --key.
    Exit 0: it holds. 1: it, or the page around it, was changed. 3: no key that is trusted here has signed it. 2: this
    is no such certificate. With --json one document: holds, signature, page, signed_by, own_key and the statement.
    """
    from camvet.certificates import MOST_BYTES, verify
    from camvet.decisions import key_store
    from camvet.lists import trusted_keys
    from rules.dsse import EnvelopeError

    context = context_of(ctx)
    trusted = trusted_keys(context, key or ())
    try:
        with file.open("rb") as source:
            data = source.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise UsageError(f"{file}: expected at most {MOST_BYTES // 1024 // 1024} MB")
    try:
        found = verify(data, trusted)
    except EnvelopeError as error:
        if error.rule in {"envelope.malformed", "envelope.type"}:
            raise UsageError(f"{file}: expected a screening certificate of camvet ({error})") from error
        _told(context, {"file": str(file), "holds": False, "rule": error.rule, "because": error.because},
              [f"DOES NOT HOLD  {file}: {error}"])
        raise typer.Exit(ExitCode.INCOMPLETE if error.rule == "envelope.unknown_key" else ExitCode.FINDINGS) from error
    holds = found.page_holds is not False
    _told(context, _certificate_json(file, found, key_store(context).trusted()), _certificate_lines(file, found))
    raise typer.Exit(ExitCode.CLEAN if holds else ExitCode.FINDINGS)


def _certificate_json(file: Path, found: Checked, own: Mapping[str, object]) -> dict[str, Any]:
    from rules.vocabulary import STALE_AFTER_DAYS

    lists = [one | {"age_days_now": age, "stale_now": age > STALE_AFTER_DAYS} for one, age in _aged(found)]
    return {"file": str(file), "holds": found.page_holds is not False, "signature": True, "page": found.page_holds,
            "signed_by": list(found.signed_by), "own_key": any(name in own for name in found.signed_by),
            "statement": {name: value for name, value in found.document.items() if name != "lists"} | {"lists": lists}}


def _certificate_lines(file: Path, found: Checked) -> Iterator[str]:
    """Whether it holds, by whom and for when, how old its lists were and are, and every line of it."""
    from rules.vocabulary import STALE_AFTER_DAYS

    it = found.document
    if found.page_holds is False:
        yield (f"DOES NOT HOLD  {file}: the signature holds, but the page around it was changed; believe the lines "
               "below, not the page")
    else:
        yield f"holds  {file}: " + ("the page says what was signed" if found.page_holds else
                                    "the statement is as it was signed; a page was not given")
    yield f"signed by {', '.join(found.signed_by)}, a key trusted here"
    yield f"{it['by']} screened on {it['screened_on']} for {', '.join(map(str, it['buyers']))}, as of {it['as_of']}"
    for one, age in _aged(found):
        stale = ", stale by now" if age > STALE_AFTER_DAYS else ""
        yield (f"list  {one['name']}, facts of {one['dated']}, edition {one['version']}: {one['age_days']} days old "
               f"then, {age} now{stale}")
    for row in it["rows"]:
        who = f"  {row['name']} ({row['relation']})" if row["name"] else ""
        overall = f"  [{row['overall']}]" if row["overall"] else ""
        yield f"{row['action']:<9} {row['query']}{who}{overall}"
    yield "no_match is no clearance; what is listed since then is not in it"


def _aged(found: Checked) -> list[tuple[dict[str, Any], int]]:
    from datetime import date

    from scanner import clock

    today = clock.now().date()
    return [(one, (today - date.fromisoformat(one["dated"])).days) for one in found.document["lists"]]


def _told(context: Context, document: dict[str, Any], lines: Iterable[str]) -> None:
    if context.terminal.as_json:
        context.terminal.document(document)
    else:
        context.terminal.lines(lines)


def _made(context: Context, key: Key) -> None:
    from camvet.decisions import acting
    from scanner import clock

    context.inventory(new=True).log(at=clock.now(), actor=acting(None), kind="key.made", subject=key.id, document={})
    if context.terminal.as_json:
        context.terminal.document(_json(key))
    else:
        context.terminal.text(f"{key.id}  signs from now on")
    raise typer.Exit(ExitCode.CLEAN)


def _json(key: Key) -> dict[str, object]:
    return {"id": key.id, "made": key.made, "signs": key.signs}
