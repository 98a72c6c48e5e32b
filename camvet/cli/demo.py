"""`camvet demo`: the whole story in one command, on the simulated site."""

from __future__ import annotations

from pathlib import Path

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError

POLICY = "federal"


@verb(rank=90)
def demo(
    ctx: typer.Context,
    out: Path = typer.Option(Path("demo-out"), "--out", metavar="DIR", help="Where the report and the inventory go."),
    network: str = typer.Option("127.77.0.0/24", "--network", help="A loopback network for the site."),
) -> None:
    """Bring up the simulated site, sweep it for a federal buyer, and write the report. Ends with 1: it finds things."""
    from camvet.assessment import as_of_day, exit_code, policy_named
    from camvet.cli.sweep import tell
    from camvet.credentials import resolve
    from camvet.progress import SweepProgress
    from camvet.reporting import report_of
    from camvet.settings import Settings
    from camvet.sweeping import SweepOrder, perform
    from lab.site import Site
    from reports import formats
    from scanner import clock
    from scanner.pace import Profile
    from scanner.scope import Scope
    from scanner.settings import Settings as SweepSettings
    from scanner.transport.exchange import PortMap

    given = context_of(ctx)
    out.mkdir(parents=True, exist_ok=True)
    context = Context(given.terminal, Settings(db=f"sqlite:///{(out / 'demo.sqlite').absolute()}", site="demo",
                                               policy=POLICY, profile="fast"))
    site_dir = out / "site"
    site = Site.loopback(network, out_dir=site_dir)
    try:
        site.start()
    except OSError as error:
        raise UsageError(f"the simulated site cannot stand on {network} ({error.strerror}): is another one up? "
                         "--network 127.78.0.0/24 takes another loopback network") from error
    try:
        context.terminal.note(f"the simulated site is up: {len(site.names)} devices on {network}")
        ports = PortMap({number: site.port(number) for number in (21, 23, 80, 443, 554)})
        # With logins: the recorder lists the cameras behind it, and most cameras their firmware, only after one.
        settings = SweepSettings(Profile.FAST, ports, site_dir / "neighbours.txt",
                                 resolve(f"file:{site_dir / 'logins.txt'}"), canary=False)
        scope = Scope.of([network], owner="camvet demo", ticket="DEMO", lab=True)
        order = SweepOrder(scope, settings, policy_named(POLICY), as_of_day(None), [site_dir / "phone-home.pcap"],
                           fresh=True)
        with SweepProgress(context.terminal) as progress:
            record = perform(context, order, progress)
    finally:
        site.stop()
    tell(context, record, order)
    inventory = context.inventory()
    row = inventory.sweep(record.id)
    if row is None:
        raise RuntimeError("the sweep was not stored")
    report = report_of(inventory, row, generated_at=clock.now())
    for kind in ("html", "json", "csv"):
        (out / f"report.{kind}").write_bytes(formats.render(report, kind))
    context.terminal.note("")
    context.terminal.note(f"report:    {(out / 'report.html').absolute()}")
    context.terminal.note(f"inventory: {out / 'demo.sqlite'}   (camvet --db {out / 'demo.sqlite'} --site demo devices)")
    raise typer.Exit(exit_code(record.judgements) or ExitCode.CLEAN)
