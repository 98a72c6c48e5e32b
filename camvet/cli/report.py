"""`camvet report`: write a stored sweep down, in any of the formats that lie in `reports.formats`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError

if TYPE_CHECKING:
    from reports.report import Report

_PAGES = {"html", "far"}            # written to a file of their own; the others go to stdout


@verb(rank=40)
def report(
    ctx: typer.Context,
    sweep: str = typer.Argument("latest", help="A sweep id, its beginning, latest or previous."),
    kind: str = typer.Option("html", "--format", "-f",
                             help="html, json, csv, far, mud, nftables, freeradius, dnsmasq."),
    of: str | None = typer.Option(None, "--of", help="For csv: devices, findings, monitoring, attached, events, "
                                                    "refusals, standards, census."),
    contracts: Path | None = typer.Option(None, "--contracts", metavar="FILE", help="far: the register of contracts."),
    form: str | None = typer.Option(None, "--as", metavar="FORM", help="far: html or json."),
    device: str | None = typer.Option(None, "--device", metavar="DEVICE", help="mud: the file of one device alone."),
    geoip: list[Path] = typer.Option([], "--geoip", metavar="MMDB", help="Your database of countries or owners."),
    mac: str | None = typer.Option(None, "--mac", metavar="FORM",
                                   help="freeradius: how the switch writes a MAC, as aa-bb-cc-dd-ee-ff."),
    vlans: str | None = typer.Option(None, "--vlans", metavar="APPROVED,QUARANTINE",
                                     help="freeradius: the two VLANs, by number or name."),
    as_of: str | None = typer.Option(None, "--as-of", metavar="YYYY-MM-DD", help=(
        "Judge again for this day first; waivers, lists and laws count as they did then.")),
    out: Path | None = typer.Option(None, "--out", "-o", metavar="FILE",
                                    help="Where to write it; - is stdout. mud: a folder."),
) -> None:
    """Write the report of a sweep. The same findings stand in every format; fences are written and never applied."""
    from camvet.assessment import as_of_day
    from camvet.reporting import report_of
    from camvet.traffic import Geography
    from reports import formats
    from scanner import clock

    if device is not None and kind != "mud":
        raise UsageError("--device belongs to --format mud")
    if kind != "freeradius" and (mac is not None or vlans is not None):
        raise UsageError("--mac and --vlans belong to --format freeradius")
    if kind != "far" and (contracts is not None or form is not None):
        raise UsageError("--contracts and --as belong to --format far")
    context = context_of(ctx)
    inventory = context.inventory()
    row = inventory.sweep(sweep, context.settings.site)
    if row is None:
        raise UsageError(f"no sweep {sweep!r} of site {context.settings.site}: run camvet sweep first")
    if kind not in formats.names():
        raise UsageError(f"--format {kind!r}: there are {', '.join(formats.names())}")
    try:
        made = report_of(inventory, row, generated_at=clock.now(), geography=Geography(geoip) if geoip else None,
                         as_of=as_of_day(as_of) if as_of else None)
        if device is None and str(out) != "-" and formats.find(kind).files is not None:
            raise typer.Exit(_files(context, made, kind, row.id, out))
        data = _data(made, kind, of=of, contracts=contracts, form=form, device=device, mac=mac, vlans=vlans)
    except formats.FormatError as error:
        raise UsageError(f"--format {kind}: {error}") from error
    if str(out) == "-" or (out is None and kind not in _PAGES):
        context.terminal.octets(data)
        raise typer.Exit(ExitCode.CLEAN)
    path = out or Path(f"camvet-{row.id}.{formats.find(kind).suffix}")
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    if context.terminal.as_json:
        context.terminal.document({"file": str(path), "format": kind, "sweep": row.id, "bytes": len(data)})
    else:
        context.terminal.text(str(path))
    raise typer.Exit(ExitCode.CLEAN)


def _data(made: Report, kind: str, *, of: str | None, contracts: Path | None, form: str | None, device: str | None,
          mac: str | None, vlans: str | None) -> bytes:
    """The bytes of one format, with the options that it alone has."""
    from reports import formats

    if kind == "far" and of is None:
        return _far(made, contracts, form)
    if kind == "mud" and device is not None:
        return _one_mud(made, device)
    if kind == "freeradius":
        from reports.formats import freeradius

        approved, comma, quarantine = (vlans or "camvet-approved,camvet-quarantine").partition(",")
        if not comma:
            raise UsageError("--vlans: expected two, as 120,666")
        return freeradius.render(made, mac=mac or freeradius.MAC_FORMS[0], approved=approved.strip(),
                                 quarantine=quarantine.strip())
    return formats.render(made, kind, **({"of": of} if of else {}))


def _files(context: Context, made: Report, kind: str, sweep: str, out: Path | None) -> ExitCode:
    """A file a device into a folder; nothing is written where nothing is known of any device."""
    from reports import formats

    format_ = formats.find(kind)
    found = format_.files(made) if format_.files is not None else {}
    if not found:
        raise UsageError(f"--format {kind}: no device's traffic was captured, so nothing is known of what they need")
    folder = out or Path(f"camvet-{sweep}-{kind}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in found.items():
            (folder / name).write_bytes(data)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}") from error
    if context.terminal.as_json:
        context.terminal.document({"folder": str(folder), "format": kind, "sweep": sweep, "files": sorted(found),
                                   "devices_without": len(made.devices) - len(found)})
    else:
        context.terminal.text(f"{folder}: {len(found)} files; {len(made.devices) - len(found)} devices have none, as "
                              "their traffic was not captured or they are no cameras")
    return ExitCode.CLEAN


def _one_mud(made: Report, wanted: str) -> bytes:
    """The MUD file of one device by its key, address, MAC or inventory id."""
    import json

    from reports.formats.mud import device_file

    folded = wanted.casefold().replace("-", ":")
    found = [one for one in made.devices if wanted in (one.device, one.inventory_id) or one.mac.casefold() == folded]
    if len(found) != 1:
        raise UsageError(f"--device {wanted!r}: no such device in this sweep")
    if not found[0].egress_assessed and found[0].baseline is None:
        raise UsageError(f"--device {wanted}: its traffic was not captured, so nothing is known of what it needs")
    return (json.dumps(device_file(made, found[0]), indent=2, ensure_ascii=False) + "\n").encode()


def _far(made: Report, contracts: Path | None, form: str | None) -> bytes:
    """The FAR report, filled from the register where one is given; JSON where `form` or the file's name says so."""
    from reports.formats import far
    from rules.contracts import load
    from rules.documents import DataError
    from scanner import clock

    if form not in {None, "html", "json"}:
        raise UsageError(f"--as {form!r}: expected html or json")
    try:
        if contracts is not None:
            contracts.open("rb").close()
    except OSError as error:
        raise UsageError(f"--contracts {contracts}: {error.strerror}") from error
    try:
        register = load(contracts, clock.now()) if contracts is not None else None
    except DataError as error:
        raise UsageError(str(error)) from error
    return far.render(made, register, form or "html")
