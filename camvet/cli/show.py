"""`camvet show`: one device with everything that is stored of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError

if TYPE_CHECKING:
    from camvet.inventory import DeviceRow, StoredDevice
    from camvet.rejections import Rejection


def one_device(context: Context, wanted: str) -> DeviceRow:
    """The device that `wanted` means; `UsageError` where there is none or more than one."""
    found = context.inventory().find(wanted, context.settings.site)
    if not found:
        raise UsageError(f"no device {wanted!r} in site {context.settings.site}: see camvet devices")
    if len(found) > 1:
        raise UsageError(f"{wanted!r} means {len(found)} devices: " + ", ".join(f"{r.id} ({r.key})" for r in found))
    return found[0]


def as_swept(context: Context, row: DeviceRow) -> StoredDevice:
    """The device as its newest sweep saw it."""
    return next(d for d in context.inventory().devices_of(row.sweep) if d.id == row.id and d.key == row.key)


def told_of_waivers(context: Context, stored: StoredDevice) -> str:
    """What to do where the stored verdict no longer says of waivers what is so today; empty where it does."""
    from camvet.waivers import Waivers
    from scanner import clock

    waivers = Waivers.of(context.inventory(), context.settings.site)
    if not waivers.moved([stored], clock.now().date()):
        return ""
    return ("a waiver was approved, ended or was withdrawn since this verdict: camvet waive --list says which, camvet "
            "judge --keep judges anew")


def rejection_of(context: Context, row: DeviceRow) -> Rejection | None:
    """The person's decision that keeps the device out today, where there is one."""
    from camvet.rejections import Rejections
    from scanner import clock

    return Rejections.of(context.inventory(), row.site).holding(row.id, clock.now().date())


@verb(rank=31)
def show(ctx: typer.Context, device: str = typer.Argument(..., help="Inventory id, address, MAC or serial.")) -> None:
    """Show one device: identity with all evidence, findings, law, attempts, observations."""
    from camvet.prose import headline, paragraphs, told_evidence
    from camvet.shapes import identity_json, verdict_json

    context = context_of(ctx)
    row = one_device(context, device)
    stored, rejected = as_swept(context, row), rejection_of(context, row)
    if context.terminal.as_json:
        context.terminal.document({
            "id": row.id, "key": row.key, "site": row.site, "first_seen": row.first_seen, "last_seen": row.last_seen,
            "aliases": [{"kind": kind, "value": value} for kind, value in row.aliases],
            "identity": identity_json(row.identity), "verdict": verdict_json(row.verdict),
            "rejected": rejected.to_json() if rejected else None,
            "attempts": [a.to_json() for a in stored.attempts],
            "observations": [{k: v for k, v in o.to_json().items() if k != "raw"} for o in stored.observations]})
    else:
        context.terminal.text(headline(row.identity))
        if rejected:
            context.terminal.text(f"  {rejected.told}")
        context.terminal.lines(paragraphs(row.identity, row.verdict, stored.attempts))
        if moved := told_of_waivers(context, stored):
            context.terminal.text(f"  {moved}")
        context.terminal.text("evidence")
        context.terminal.lines(told_evidence(row.identity, stored.observations))
        context.terminal.text("attempts")
        for attempt in stored.attempts:
            why = f" ({attempt.reason}{': ' + attempt.detail if attempt.detail else ''})" if attempt.reason else ""
            port = f" port {attempt.port}" if attempt.port else ""
            context.terminal.text(f"  {attempt.probe}{port}: {attempt.status}{why}, {attempt.elapsed_ms} ms")
        context.terminal.text(f"inventory id {row.id}; " + ", ".join(f"{k} {v}" for k, v in row.aliases))
    raise typer.Exit(ExitCode.CLEAN)
