"""`camvet demo`: the whole story in one command, on the simulated site, told in the commands a user would type."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from camvet.cli import context_of, run, verb
from camvet.context import ExitCode, UsageError
from camvet.terminal import Terminal

if TYPE_CHECKING:
    from lab.site import Site

LET_IN = ("axis", "hanwha", "bosch", "flir")
REFUSED = ("imposter", "dahua-tpc", "hikvision-dome", "unknown")
LINE = 'people_count={"line": [[0.5, 1], [0.5, 0]]}'
OURS = ("demo.sqlite", "demo.sqlite-wal", "demo.sqlite-shm", "keys", "journals", "report.html", "report.json",
        "report.csv")


@verb(rank=90)
def demo(
    ctx: typer.Context,
    out: Path = typer.Option(Path("demo-out"), "--out", metavar="DIR", help="Where the report and the inventory go."),
    network: str = typer.Option("127.77.0.0/24", "--network", help="A loopback network for the site."),
    seconds: int = typer.Option(12, "--monitor-for", metavar="SECONDS", help="How long the cameras are watched."),
) -> None:
    """Bring up the simulated site, sweep it for a federal buyer, let in what passed, count, and report.

    Ends with 1: it finds things.
    """
    from lab.site import Site

    given = context_of(ctx)
    out.mkdir(parents=True, exist_ok=True)
    _clear(out)
    site = Site.loopback(network, out_dir=out / "site")
    try:
        site.start()
    except (OSError, ValueError) as error:
        raise UsageError(f"the simulated site cannot stand on {network} ({error}): is another one up? "
                         "--network 127.78.0.0/24 takes another loopback network") from error
    try:
        code = _tell(Teller(given.terminal, out), site, seconds)
    finally:
        site.stop()
    given.terminal.note(f"\nThe report is here:  {(out / 'report.html').absolute()}")
    given.terminal.note(f"Look around:         camvet --db {out / 'demo.sqlite'} --site demo devices")
    raise typer.Exit(code)


def _clear(out: Path) -> None:
    """Remove what an earlier demo left; only by the names it gave."""
    for name in OURS:
        path = out / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Teller:
    """Runs commands as a user would, showing each before its output."""

    terminal: Terminal
    out: Path

    def __call__(self, words: Sequence[str], *, expect: Sequence[ExitCode], quietly: bool = False) -> ExitCode:
        """Run one command line. Raises `RuntimeError` where it ends in a way the story does not know."""
        shown = [word if len(word) < 60 else word[:57] + "…" for word in words]
        self.terminal.note(f"\n$ camvet {shlex.join(shown)}")
        options = ["--db", str(self.out / "demo.sqlite"), "--site", "demo", *(["-q"] if quietly else [])]
        code = ExitCode(run([*options, *words]))
        if code not in expect:
            raise RuntimeError(f"camvet {words[0]} ended with {int(code)}")
        return code


def _tell(camvet: Teller, site: Site, seconds: int) -> ExitCode:
    files = site.out_dir
    lab = ["--port-map", str(files / "site.json"), "--neighbours", str(files / "neighbours.txt")]
    login = ["--credentials", f"file:{files / 'logins.txt'}"]
    clean, findings = ExitCode.CLEAN, ExitCode.FINDINGS
    code = camvet(["sweep", str(site.network), "--owner", "camvet demo", "--ticket", "DEMO", "--profile", "fast",
                   "--policy", "federal", *lab, *login, "--capture", str(files / "phone-home.pcap")], expect=[findings])
    camvet(["keys", "init"], expect=[clean])
    order = ["--purpose", "count visitors", "--retention", "30d", "--dpia", "DPIA-DEMO-1", *login, *lab]
    for name in LET_IN:
        camvet(["approve", site.address(name), *login, *lab], expect=[clean])
        camvet(["attach", site.address(name), "--app", LINE, *order], expect=[clean])
    for name in REFUSED:
        camvet(["attach", site.address(name), "--app", LINE, *order], expect=[findings])
    camvet(["monitor", "--for", str(seconds), "--interval", "5", *lab], expect=[clean])
    for kind in ("html", "json", "csv"):
        camvet(["report", "--format", kind, "--out", str(camvet.out / f"report.{kind}")], expect=[clean], quietly=True)
    camvet(["audit", "verify"], expect=[clean])
    return code
