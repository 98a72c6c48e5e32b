"""`camvet diff`: what changed between two sweeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from camvet.cli import context_of, verb
from camvet.context import ExitCode, UsageError

if TYPE_CHECKING:
    from camvet.inventory import Inventory, StoredDevice


@verb(rank=33)
def diff(
    ctx: typer.Context,
    before: str = typer.Argument("previous", help="A sweep id, its beginning, or previous."),
    after: str = typer.Argument("latest", help="A sweep id, its beginning, or latest."),
) -> None:
    """Compare two sweeps of the site: new, gone and changed devices. Exit 1 where anything differs."""
    context = context_of(ctx)
    inventory = context.inventory()
    if before == "previous" and after == "latest" and len(inventory.sweeps(context.settings.site)) == 1:
        raise UsageError(f"site {context.settings.site} has one sweep so far, and it takes two to compare: sweep again "
                         "(camvet sweep), then camvet diff")
    rows = []
    for wanted in (before, after):
        row = inventory.sweep(wanted, context.settings.site)
        if row is None:
            raise UsageError(_unknown(inventory, context.settings.site, wanted))
        rows.append(row)
    old, new = ({d.id: d for d in inventory.devices_of(row.id)} for row in rows)
    changed = {i: _changes(old[i], new[i]) for i in old.keys() & new.keys()}
    document: dict[str, Any] = {
        "before": rows[0].id, "after": rows[1].id,
        "new": [_named(new[i]) for i in sorted(new.keys() - old.keys())],
        "gone": [_named(old[i]) for i in sorted(old.keys() - new.keys())],
        "changed": [_named(new[i]) | {"changes": changed[i]} for i in sorted(changed) if changed[i]],
        "same": sum(not changes for changes in changed.values()),
    }
    if context.terminal.as_json:
        context.terminal.document(document)
    else:
        for word in ("new", "gone", "changed"):
            for device in document[word]:
                context.terminal.text(f"{word:<8} {device['key']}  {device['maker'] or 'unknown maker'} "
                                      f"{device['model'] or ''}  {device['outcome']}")
                for change in device.get("changes", []):
                    context.terminal.text(f"           {change['what']}: {change['before']} -> {change['after']}")
        context.terminal.text(f"{document['same']} devices are the same")
    differs = any(document[word] for word in ("new", "gone", "changed"))
    raise typer.Exit(ExitCode.FINDINGS if differs else ExitCode.CLEAN)


def _unknown(inventory: Inventory, site: str, wanted: str) -> str:
    """What to do where a sweep is not there: sweep, or name one of those there are."""
    there = [row.id for row in inventory.sweeps(site)]
    if not there:
        return f"no sweep of site {site} yet: camvet sweep makes one, and a later one can be compared with it"
    several = sum(one.startswith(wanted) for one in there) > 1
    return (f"{'more than one sweep begins with' if several else 'no sweep'} {wanted!r}: site {site} has "
            f"{', '.join(there[:5])}{' and others' if len(there) > 5 else ''}")


def _named(device: StoredDevice) -> dict[str, Any]:
    identity = device.judgement.identity
    return {"id": device.id, "key": device.key, "maker": identity.maker, "brand": identity.brand,
            "model": identity.model, "outcome": str(device.judgement.verdict.outcome)}


def _changes(old: StoredDevice, new: StoredDevice) -> list[dict[str, Any]]:
    """What a reader would call a change: identity, address, verdict, and how each check ended."""
    pairs: dict[str, tuple[object, object]] = {"address": (old.key, new.key)}
    a, b = old.judgement, new.judgement
    for name in ("maker", "brand", "model", "firmware", "serial", "assurance"):
        pairs[name] = (getattr(a.identity, name), getattr(b.identity, name))
    pairs["verdict"] = (a.verdict.outcome, b.verdict.outcome)
    before, after = ({f.rule: f.status for f in verdict.findings} for verdict in (a.verdict, b.verdict))
    for rule in sorted(before.keys() | after.keys()):
        pairs[rule] = (before.get(rule, "absent"), after.get(rule, "absent"))
    return [{"what": what, "before": _said(x), "after": _said(y)} for what, (x, y) in pairs.items() if x != y]


def _said(value: object) -> str:
    return "nothing" if value is None else str(value)
