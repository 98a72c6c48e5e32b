"""`camvet explain`: why a device is judged as it is, or why nothing was found at an address."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError

if TYPE_CHECKING:
    from camvet.inventory import StoredDevice, SweepRow
    from scanner.observation import Attempt

_Known = tuple[str, list[dict[str, Any]]]
_TOLD = ("mac", "address", "serial", "manufacturer", "model", "name", "where", "when")


@verb(rank=32)
def explain(
    ctx: typer.Context,
    device: str = typer.Argument(..., help="Inventory id, address, MAC or serial; or a silent address."),
) -> None:
    """Say why a device got its verdict, what found it, or why nothing was found at an address."""
    from camvet.baselines import told_baseline
    from camvet.cli.show import as_swept, one_device, rejection_of, told_of_waivers
    from camvet.prose import headline, paragraphs, told_comparisons, told_evidence, told_logins
    from camvet.shapes import identity_json, verdict_json

    context = context_of(ctx)
    if not context.inventory().find(device, context.settings.site) and _explain_absence(context, device):
        raise typer.Exit(ExitCode.CLEAN)
    row = one_device(context, device)
    stored = as_swept(context, row)
    rejected = rejection_of(context, row)
    found_by = sorted({o.probe for o in stored.observations})
    unasked = _never_asked(stored)
    usual = told_baseline(context.inventory(), row)
    if context.terminal.as_json:
        context.terminal.document({"id": row.id, "key": row.key, "found_by": found_by, "never_asked": unasked or None,
                                   "identity": identity_json(row.identity), "verdict": verdict_json(row.verdict),
                                   "rejected": rejected.to_json() if rejected else None, "baseline": usual,
                                   "logins": [a.to_json() for a in stored.attempts if a.probe.startswith("auth.")]})
    else:
        context.terminal.text(headline(row.identity))
        if rejected:
            context.terminal.text(f"  {rejected.told}")
        if unasked:
            context.terminal.text(f"  {unasked}")
        context.terminal.lines(paragraphs(row.identity, row.verdict, stored.attempts))
        if moved := told_of_waivers(context, stored):
            context.terminal.text(f"  {moved}")
        context.terminal.text(f"  baseline  {usual}")
        context.terminal.lines(told_logins(stored.attempts))
        context.terminal.lines(told_comparisons(row.verdict))
        context.terminal.text("  found by " + ", ".join(found_by))
        context.terminal.lines(told_evidence(row.identity, stored.observations))
    raise typer.Exit(ExitCode.CLEAN)


def _never_asked(stored: StoredDevice) -> str:
    """How a device is known to which camvet never sent a packet; empty for one that was asked."""
    from scanner import clock, passive

    how = {a.probe for a in stored.attempts if a.probe != "egress.capture"}
    if not stored.observations or not how or not how <= {passive.PROBE, "import"}:
        return ""
    if how == {passive.PROBE}:
        by = ", ".join(sorted({"arp" if o.transport == "link" else o.transport for o in stored.observations}))
        return (f"heard, never asked: it announced itself ({by}), first at "
                f"{clock.stamp(min(o.at for o in stored.observations))}; nothing was sent to it")
    if {o.transport for o in stored.observations} == {"label"}:
        return "known from a label, an order or a list alone: never seen on the wire, never asked"
    heard = " and from what it announced itself" if passive.PROBE in how else ""
    return f"known from what other programs wrote down{heard}: camvet sent nothing to it"


def _explain_absence(context: Context, wanted: str) -> bool:
    """Explain what no inventory holds: an address where nothing answered, or what only a census names."""
    known, address = _of_census(context, wanted), _address(wanted)
    swept = [row for row in context.inventory().sweeps(context.settings.site) if address in _silent(row)]
    if swept:
        _explain_silence(context, address, swept[0], known)
    elif known:
        _explain_census(context, wanted, known)
    elif address:
        if not _explain_foreign(context, address):
            raise UsageError(f"{address} was in the scope of no sweep of site {context.settings.site} and no census "
                             "names it, so nothing is known of it")
    else:
        return False
    return True


def _explain_census(context: Context, wanted: str, known: _Known) -> None:
    sweep, named = known
    if context.terminal.as_json:
        context.terminal.document({"wanted": wanted, "found": False, "sweep": sweep, "census": named})
        return
    context.terminal.text(f"{wanted}  known to a census alone: no sweep saw it, and it was never asked or judged")
    _tell_census(context, known)


def _tell_census(context: Context, known: _Known) -> None:
    sweep, named = known
    for one in named:
        who = "  ".join(one[key] for key in _TOLD if one[key])
        context.terminal.text(f"  {one['source']} row {one['row']}: {who}")
        context.terminal.text(f"    held against sweep {sweep}: {one['because']}")
    context.terminal.text("  What is known of it is what these sources wrote down; take it in with camvet intake.")


def _of_census(context: Context, wanted: str) -> _Known | None:
    """The newest census of this site that names `wanted` as unseen: its sweep, and what each source says."""
    from scanner.wire import oui

    plain = oui.normalise(wanted) or _address(wanted) or wanted.strip().casefold()
    sweeps = {row.id for row in context.inventory().sweeps(context.settings.site)}
    for event in reversed(context.inventory().events()):
        if event.kind != "census" or event.subject not in sweeps:
            continue
        named = [{"source": source["source"], **one} for source in event.document["sources"] for one in source["unseen"]
                 if plain in (one["mac"], _address(one["address"]), one["serial"].casefold(), one["name"].casefold())]
        if named:
            return event.subject, named
    return None


def _address(text: str) -> str:
    """An IP address in its one spelling; empty for anything else."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return ""


def _explain_silence(context: Context, address: str, row: SweepRow, known: _Known | None) -> None:
    """Say how an address of the scope kept silent, or that it answers without a service; and who else names it."""
    from scanner.observation import Reason

    attempts = [a for a in context.inventory().undevised(row.id)[1] if a.device == address]
    answers = any(a.probe == "tcp.connect" and a.reason is Reason.REFUSED for a in attempts)
    if context.terminal.as_json:
        context.terminal.document({
            "address": address, "found": False, "answers": answers, "sweep": row.id, "why": _silent(row)[address],
            "attempts": [a.to_json() for a in attempts], "census": known[1] if known else None})
        return
    if answers:
        context.terminal.text(f"{address}  answers, with every port that was asked closed, in sweep {row.id} "
                              f"({row.finished}): somebody is there, and nothing more is known")
    else:
        context.terminal.text(f"{address}  nothing was found in sweep {row.id} ({row.finished}): "
                              f"{_silent(row)[address]}")
    for line in _grouped(attempts):
        context.terminal.text(f"  {line}")
    if answers:
        context.terminal.text("  A reset may be the device's own or a firewall's in front of it; a camera may listen "
                              "on ports that were not asked.")
    else:
        context.terminal.text("  A silent address is not an empty one: a device may be off, filtered, or elsewhere.")
    if known:
        context.terminal.text("  A census names it:")
        _tell_census(context, known)


def _explain_foreign(context: Context, address: str) -> bool:
    """Say what an address outside every scope answered to a question that went to a whole link, if it did."""
    for row in context.inventory().sweeps(context.settings.site):
        answers = [one for one in row.document.get("foreign", ()) if one["device"] == address]
        if not answers:
            continue
        if context.terminal.as_json:
            context.terminal.document({"address": address, "found": False, "sweep": row.id, "foreign": answers,
                                       "why": "answered from outside the scope; it was not contacted"})
            return True
        spoke = ", ".join(sorted({one["transport"] for one in answers}))
        context.terminal.text(f"{address}  lies outside the scope of sweep {row.id} ({row.finished}) and was not "
                              f"contacted; it answered what was asked of the whole link ({spoke})")
        context.terminal.text("  To know more of it, name it in a scope of its own.")
        return True
    return False


def _silent(row: SweepRow) -> dict[str, Any]:
    return dict(row.document.get("silent", {}))


def _grouped(attempts: list[Attempt]) -> list[str]:
    """Attempts that ended alike on one line, in the order they were made."""
    groups: dict[tuple[str, str], list[int]] = {}
    for attempt in attempts:
        groups.setdefault((attempt.probe, str(attempt.reason or attempt.status)), []).append(attempt.port or 0)
    return [f"{probe}{' port ' + ', '.join(str(p) for p in sorted(set(ports)) if p) if any(ports) else ''}: {ended}"
            for (probe, ended), ports in groups.items()]
