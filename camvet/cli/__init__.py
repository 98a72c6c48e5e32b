"""The command line: a file a verb. A module of this package that declares a function with `verb` is a verb.

Verbs import what they need inside the function, so that ``camvet --help`` loads nothing heavy.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import pkgutil
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import typer
from typer.exceptions import TyperException

from camvet.context import Context, ExitCode, UsageError
from camvet.terminal import OutputError, Terminal

__all__ = ["context_of", "main", "run", "verb"]

Verb = TypeVar("Verb", bound=Callable[..., Any])
_VERBS: dict[str, tuple[int, Callable[..., Any]]] = {}

# Global options are accepted on either side of the verb, as people type them. `--config` means something else to
# `analyze`, so there it stays where it stands.
_FLAGS = {"--json", "-q", "--quiet", "-v", "--verbose"}
_VALUED = {"--db", "--site", "--config"}
_FRAMEWORK_INTERRUPTED = 130          # what the framework makes of a Ctrl-C
_OWN_CONFIG = {"analyze"}


def verb(name: str | None = None, *, rank: int = 50) -> Callable[[Verb], Verb]:
    """Declare a function to be a verb of camvet; `rank` orders the help as a day's work goes."""
    def declare(function: Verb) -> Verb:
        _VERBS[name or function.__name__] = (rank, function)
        return function
    return declare


def context_of(ctx: typer.Context) -> Context:
    """The `Context` that the global options made."""
    found = ctx.find_object(Context)
    if found is None:
        raise RuntimeError("a verb ran without the global options")
    return found


def _global_options(
    ctx: typer.Context,
    as_json: bool = typer.Option(False, "--json", help=(
        "Print the result as JSON on stdout: one document, or a line each where results come one by one. Notes, "
        "progress and errors go to stderr. Shapes: docs/json.md.")),
    quiet: bool = typer.Option(False, "-q", "--quiet", help="Say nothing but results and errors."),
    verbose: bool = typer.Option(False, "-v", "--verbose", help="Say more, and show a traceback on an internal error."),
    db: str | None = typer.Option(None, "--db", metavar="URL", help="Inventory (default: SQLite in the data folder)."),
    site: str | None = typer.Option(None, "--site", metavar="NAME", help="The site that is looked at."),
    config: Path | None = typer.Option(None, "--config", metavar="FILE", help="Settings in TOML."),
) -> None:
    """Border control for cameras: find them, name the true maker, judge, and let only vetted ones in.

    For authorised use on networks you are responsible for. What camvet says of laws is no legal advice.
    """
    from camvet import advisory_store, listings, settings

    ctx.obj = Context(Terminal(as_json=as_json, quiet=quiet, verbose=verbose),
                      settings.load(config, db=db, site=site))
    _use_installed_law(ctx.obj.settings.state / "lists" / "law")
    listings.use(ctx.obj.settings.state / "lists")
    advisory_store.use(ctx.obj.settings.state / "advisories")


def _use_installed_law(folder: Path) -> None:
    """Judge by the laws of the installed bundle, where there is one; nothing is loaded where there is none."""
    installed = folder if folder.is_dir() else None
    if installed is None and "rules.documents" not in sys.modules:
        return
    from rules.documents import law_from

    if law_from() != installed:
        from rules import bundle

        bundle.use(installed)


def _app() -> typer.Typer:
    """The application with every verb that lies in this folder."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    app = typer.Typer(name="camvet", no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False,
                      context_settings={"help_option_names": ["-h", "--help"]})
    app.callback()(_global_options)
    for name, (_, function) in sorted(_VERBS.items(), key=lambda item: (item[1][0], item[0])):
        if isinstance(function, typer.Typer):
            app.add_typer(function, name=name)
        else:
            app.command(name)(function)
    return app


def _hoist(words: Sequence[str]) -> list[str]:
    """`words` with the global options moved before the verb; nothing behind a bare ``--`` is touched."""
    front: list[str] = []
    rest: list[str] = []
    own_config = False
    pending = list(words)
    while pending:
        word = pending.pop(0)
        key = word.partition("=")[0]
        if word == "--":
            rest += [word, *pending]
            break
        if not rest and not word.startswith("-") and word in _OWN_CONFIG:
            own_config = True
        if word in _FLAGS:
            front.append(word)
        elif key in _VALUED and not (own_config and key == "--config"):
            front.append(word)
            if "=" not in word and pending:
                front.append(pending.pop(0))
        else:
            rest.append(word)
    return front + rest


def _interrupted(terminal: Terminal) -> ExitCode:
    terminal.error("interrupted; what was done is kept")
    return ExitCode.INCOMPLETE


def _give_up_stdout() -> None:
    """Let what is still to be written go nowhere: at its exit Python would try once more, and say so in its own way."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):            # a stdout that is no file has nothing left to write
        return
    os.close(nowhere)


def main(words: Sequence[str] | None = None) -> None:
    """Run camvet and exit with an `ExitCode`; the entry point of the ``camvet`` command."""
    atexit.register(gc.freeze)   # what is left goes with the process; looking through it for garbage takes up to 0.1 s
    sys.exit(int(run(sys.argv[1:] if words is None else words)))


def run(words: Sequence[str]) -> int:
    """Run one command line in this process and return its `ExitCode`; nothing is raised but on the way to the exit."""
    words = _hoist(words)
    terminal = Terminal(verbose="-v" in words or "--verbose" in words)
    try:
        ended = typer.main.get_command(_app()).main(list(words), prog_name="camvet", standalone_mode=False) or 0
        return _interrupted(terminal) if ended == _FRAMEWORK_INTERRUPTED else ended
    except UsageError as error:
        terminal.error(str(error))
        return ExitCode.USAGE
    except TyperException as error:
        if error.format_message().startswith("Usage:"):          # no verb given: the help is the answer
            sys.stderr.write(error.format_message() + "\n")
            return ExitCode.USAGE
        ctx = getattr(error, "ctx", None)
        hint = f" (see: {ctx.command_path} --help)" if ctx is not None else ""
        terminal.error(error.format_message() + hint)
        return ExitCode.USAGE
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted(terminal)
    except SystemExit as left:
        if isinstance(left.__context__, BrokenPipeError):        # the framework ends with 1, which says findings here
            return ExitCode.INCOMPLETE
        raise
    except BrokenPipeError:
        sys.stderr.close()           # the reader of our output went away: nobody is left to tell
        return ExitCode.INCOMPLETE
    except OutputError as error:
        with suppress(OutputError):          # stderr may be as full
            terminal.error(f"cannot write the output: {error}")
        _give_up_stdout()
        return ExitCode.INTERNAL
    except Exception as error:  # noqa: BLE001 - the one guarded place: every other fault ends here, said and coded 4
        if terminal.verbose:
            import traceback

            traceback.print_exc()
        terminal.error(f"internal error: {type(error).__name__}: {error} (run with -v for the traceback)")
        return ExitCode.INTERNAL
