"""`camvet lab`: the simulated site, for a look around or for tests by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The simulated site.")
verb("lab", rank=91)(app)


@app.command()
def up(
    ctx: typer.Context,
    out: Path = typer.Option(Path("lab-site"), "--out", metavar="DIR", help="Where site.json and the tables go."),
    network: str | None = typer.Option(None, "--network", help="A loopback network, or a private one in namespaces."),
    namespaces: bool = typer.Option(False, "--namespaces", help="Real MACs, ARP and multicast; needs iproute2."),
) -> None:
    """Run the simulated site until Ctrl-C (or `camvet lab down`): on loopback without root, or in namespaces."""
    import signal

    from lab.namespaces import NamespaceError

    context = context_of(ctx)
    signal.signal(signal.SIGTERM, signal.default_int_handler)      # `lab down` ends it as Ctrl-C does
    out.mkdir(parents=True, exist_ok=True)
    try:
        if namespaces:
            _up_in_namespaces(context, out, network or "10.77.0.0/24")
        else:
            _up_on_loopback(context, out, network or "127.77.0.0/24")
    except (OSError, ValueError, NamespaceError) as error:
        raise UsageError(f"lab: {error}") from error
    raise typer.Exit(ExitCode.CLEAN)


def _up_on_loopback(context: Context, out: Path, network: str) -> None:
    from lab.site import Site

    with Site.loopback(network, out_dir=out) as site:
        context.terminal.text(f"{len(site.names)} devices on {network}; tables in {out}")
        context.terminal.text(f"camvet sweep {network} --port-map {out / 'site.json'} --neighbours "
                              f"{out / 'neighbours.txt'} --capture {out / 'phone-home.pcap'} "
                              f"--credentials file:{out / 'logins.txt'} --profile fast --policy federal")
        _stay(context, out, site.wait)


def _up_in_namespaces(context: Context, out: Path, network: str) -> None:
    import json
    import threading

    from lab.namespace_site import NamespaceSite

    with NamespaceSite(out, network):
        document = json.loads((out / "site.json").read_text(encoding="utf-8"))
        context.terminal.text(f"{len(document['devices'])} devices on {network}, each in a namespace of its own")
        context.terminal.text("run camvet where the scanner stands:")
        context.terminal.text(f"nsenter --net=/proc/{document['scanner']['pid']}/ns/net camvet sweep {network} "
                              "--profile fast --policy federal")
        _stay(context, out, threading.Event().wait)


def _stay(context: Context, out: Path, wait: Callable[[], object]) -> None:
    """Wait until Ctrl-C or `lab down`; the mark file says whom `lab down` may end."""
    _pid_file(out).write_text(_own_mark(), encoding="ascii")
    try:
        wait()
    except KeyboardInterrupt:
        context.terminal.note("the site goes down")
    finally:
        _pid_file(out).unlink(missing_ok=True)


@app.command()
def down(ctx: typer.Context,
         out: Path = typer.Option(Path("lab-site"), "--out", metavar="DIR", help="As given to up.")) -> None:
    """End the site that `lab up` started with the same --out."""
    import os
    import signal

    mark = _pid_file(out)
    if not mark.is_file():
        raise UsageError(f"no site runs from {out}")
    pid, _, started = mark.read_text(encoding="ascii").partition(" ")
    if not pid.isdigit() or _start_of(int(pid)) != started:        # a number used again by another process is not ours
        mark.unlink()
        raise UsageError(f"the site of {out} is not running any more")
    os.kill(int(pid), signal.SIGTERM)
    context_of(ctx).terminal.note(f"told the site of {out} to end")
    raise typer.Exit(ExitCode.CLEAN)


@app.command(name="list")
def list_devices(ctx: typer.Context) -> None:
    """List the simulated devices with what they are and their (public) credentials."""
    from camvet.prose import table
    from lab.personas import PERSONAS

    context = context_of(ctx)
    if context.terminal.as_json:
        context.terminal.document([{"name": p.name, "host": p.host, "family": p.family, "brand": p.brand,
                                    "model": p.model, "mac": p.mac, "user": p.user, "password": p.password}
                                   for p in PERSONAS])
    else:
        context.terminal.lines(table([[p.name, f".{p.host}", p.family, p.brand, p.model, f"{p.user}:{p.password}"]
                                      for p in PERSONAS],
                                     ("name", "host", "made by", "label", "model", "login")))
    raise typer.Exit(ExitCode.CLEAN)


def _pid_file(out: Path) -> Path:
    return out / "site.pid"


def _own_mark() -> str:
    import os

    return f"{os.getpid()} {_start_of(os.getpid())}"


def _start_of(pid: int) -> str:
    """When a process started, in kernel ticks: tells it from a later one of the same number. Empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[19]
    except OSError:
        return ""
