"""`camvet attach`: let an approved camera in, for a stated purpose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError

if TYPE_CHECKING:
    from analytics.gate import Admission, AttachOrder
    from camvet.decisions import Deciding
    from camvet.inventory import DeviceRow


@verb(rank=54)
def attach(
    ctx: typer.Context,
    device: str = typer.Argument(..., help="Inventory id, address, MAC or serial."),
    purpose: str = typer.Option(..., "--purpose", help="What the camera is for."),
    app: list[str] = typer.Option([], "--app", metavar="NAME[=JSON|=@FILE]", help="An app to run. Repeatable."),
    apps: str = typer.Option("", "--apps", metavar="A,B", help="Apps that need no configuration."),
    retention: str = typer.Option(..., "--retention", metavar="DAYS", help="How long metrics are kept, as in 30d."),
    dpia: str = typer.Option(..., "--dpia", metavar="REF", help="Where the data protection assessment is."),
    credentials: str = typer.Option(..., "--credentials", metavar="REF", help="env:NAME or file:PATH."),
    path: str | None = typer.Option(None, "--path", metavar="/…", help="The stream's path (default: as swept)."),
    actor: str | None = typer.Option(None, "--actor", metavar="NAME", help="Who does it (default: the OS user)."),
    port_map: Path | None = typer.Option(None, "--port-map", metavar="FILE", help="As in sweep."),
    neighbours: Path | None = typer.Option(None, "--neighbours", metavar="FILE", help="As in sweep."),
) -> None:
    """Check everything anew and attach the camera: attestation, today's verdict, the live fingerprint.

    A refusal names its rule and exits with 1; nothing is attached then.
    """
    from analytics.gate import AttachOrder, Refused
    from camvet.cli.show import one_device
    from camvet.decisions import Deciding, acting, days
    from camvet.orders import app_orders

    context = context_of(ctx)
    row = one_device(context, device)
    deciding = Deciding(context, row, "attach", acting(actor))
    where, port = _where(context, row, path)
    order = AttachOrder(row.id, row.key, purpose.strip(), app_orders(app, apps), days(retention, "--retention"),
                        dpia.strip(), credentials, where, port)
    if "#" not in row.key:
        _check_reference(credentials, row.key)
    try:
        admission = _admit(deciding, order, port_map, neighbours)
    except Refused as why:
        raise typer.Exit(deciding.refuse(why)) from why
    _tell(deciding, order, admission)
    raise typer.Exit(ExitCode.CLEAN)


def _check_reference(credentials: str, address: str) -> None:
    from camvet.credentials import resolve_for

    resolve_for(credentials, address)          # a wrong reference is a wrong command line: said before anything is sent


def _where(context: Context, row: DeviceRow, given: str | None) -> tuple[str, int]:
    """Path and port of the stream: as given, else as the sweep saw them."""
    from camvet.orders import stream_path, stream_port
    from rules import makers

    if given is not None and not given.startswith("/"):
        raise UsageError(f"--path {given!r}: a path on the device, beginning with a slash")
    found = context.inventory().newest_seen(row.id)
    seen = found[1][0].observations if found else ()
    maker = makers.load().by_slug.get(row.identity.maker or "")
    usual = maker.ask.rtsp_paths if maker else ()
    return given or stream_path(seen, usual), stream_port(seen)


def _admit(deciding: Deciding, order: AttachOrder, port_map: Path | None, neighbours: Path | None) -> Admission:
    from analytics.gate import Gate
    from camvet.admission import SiteWorld, refuse_rejected
    from camvet.decisions import key_store
    from camvet.inventory import AttachmentRow, AttachmentState
    from camvet.orders import to_json
    from camvet.port_map import read_port_map
    from scanner import clock

    inventory = deciding.context.inventory()
    refuse_rejected(inventory, deciding.row.site, deciding.row.id)
    keys = key_store(deciding.context)
    envelope = _envelope(deciding)
    world = SiteWorld(inventory, keys, envelope=envelope, port_map=read_port_map(port_map), neighbour_table=neighbours)
    admission = Gate(world).admit(order, envelope)
    inventory.gate.attach(
        AttachmentRow(order.device, order.address, to_json(order, port_map, neighbours), admission.attestation.id,
                      AttachmentState.ATTACHED, "", "", clock.stamp(admission.at), deciding.actor), at=admission.at)
    return admission


def _envelope(deciding: Deciding) -> str:
    """The newest attestation that was not taken back, else the newest; without any, the verdict's rule refuses."""
    from analytics.gate import Refused
    from camvet.admission import SiteWorld, refuse_unfit
    from camvet.decisions import key_store
    from rules.vocabulary import Outcome

    inventory = deciding.context.inventory()
    given = inventory.gate.attestations(deciding.row.id)
    revoked = inventory.gate.revoked()
    if given:
        return next((one.envelope for one in given if one.id not in revoked), given[0].envelope)
    found = inventory.newest_seen(deciding.row.id)
    if found is not None:
        world = SiteWorld(inventory, key_store(deciding.context))
        verdict = refuse_unfit(world.verdict(deciding.row.id, found[1][0].judgement.verdict.policy))
        if verdict.outcome is Outcome.CONDITIONAL:
            raise Refused(verdict.rules[0], f"today's verdict is conditional: {verdict.reasons[0]}; and nobody has "
                          "approved it")
    raise Refused("attestation.none", "nobody has approved it (camvet approve)")


def _tell(deciding: Deciding, order: AttachOrder, admission: Admission) -> None:
    from scanner import clock

    terminal, by = deciding.context.terminal, admission.attestation
    if terminal.as_json:
        terminal.document({
            "device": order.device, "address": order.address, "state": "attached", "purpose": order.purpose,
            "apps": [one.name for one in order.apps], "retention_days": order.retention_days, "dpia": order.dpia,
            "credentials": order.credentials, "path": order.path, "attestation": by.id, "approved_by": by.actor,
            "expires": clock.stamp(by.expires), "fingerprint": admission.fingerprint.to_json()})
    else:
        terminal.styled_text(("ATTACHED", "green"), f"  {order.address}{order.path}  for {order.purpose}: "
                             f"{', '.join(one.name for one in order.apps)}; metrics kept {order.retention_days} days; "
                             f"approved by {by.actor} until {clock.stamp(by.expires)}")
