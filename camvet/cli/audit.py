"""`camvet audit`: the event log, and whether it is whole."""

from __future__ import annotations

import typer

from camvet.cli import context_of, verb
from camvet.context import ExitCode

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The append-only event log: verify it, print it.")
verb("audit", rank=80)(app)


@app.command()
def verify(
    ctx: typer.Context,
    head: str | None = typer.Option(None, "--head", metavar="DIGEST",
                                    help="A digest noted earlier: it must still be in the log."),
) -> None:
    """Recompute the hash chain of all events; exit 1 where it does not hold."""
    context = context_of(ctx)
    inventory = context.inventory()
    count, digest, wrong = inventory.verify()
    if wrong is None and head is not None and not any(event.digest == head for event in inventory.events()):
        wrong = f"no event with digest {head}: the end of the log was cut off, or this is another log"
    if context.terminal.as_json:
        context.terminal.document({"events": count, "head": digest, "holds": wrong is None, "wrong": wrong})
    elif wrong is None:
        context.terminal.text(f"{count} events hold. Last digest: {digest}")
    else:
        context.terminal.text(f"BROKEN: {wrong}. {count} events before it hold.")
    raise typer.Exit(ExitCode.CLEAN if wrong is None else ExitCode.FINDINGS)


@app.command()
def export(ctx: typer.Context) -> None:
    """Print every event as a JSON line, oldest first."""
    context = context_of(ctx)
    for event in context.inventory().events():
        context.terminal.line({"number": event.number, "at": event.at, "actor": event.actor, "kind": event.kind,
                               "subject": event.subject, "document": event.document, "digest": event.digest})
