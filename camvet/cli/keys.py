"""`camvet keys`: the keys that attestations are signed with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode

if TYPE_CHECKING:
    from camvet.keys import Key

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Signing keys: make the first, look, rotate.")
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


def _made(context: Context, key: Key) -> None:
    from camvet.decisions import acting
    from scanner import clock

    context.inventory().log(at=clock.now(), actor=acting(None), kind="key.made", subject=key.id, document={})
    if context.terminal.as_json:
        context.terminal.document(_json(key))
    else:
        context.terminal.text(f"{key.id}  signs from now on")
    raise typer.Exit(ExitCode.CLEAN)


def _json(key: Key) -> dict[str, object]:
    return {"id": key.id, "made": key.made, "signs": key.signs}
