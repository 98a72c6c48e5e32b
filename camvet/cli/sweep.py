"""`camvet sweep`: find every camera in a scope, ask it politely, name its maker, judge it, store it all."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError

if TYPE_CHECKING:
    from camvet.inventory import SweepRecord
    from camvet.rejections import Rejection
    from camvet.sweeping import SweepOrder
    from scanner.scope import Scope
    from scanner.settings import Settings
    from scanner.transport.exchange import PortMap


@verb(rank=10)
def sweep(
    ctx: typer.Context,
    targets: list[str] = typer.Argument(None, metavar="TARGET…", help="Networks, ranges, addresses, names or @file."),
    scope_file: Path | None = typer.Option(None, "--scope", metavar="FILE", help="A signed-off scope in YAML."),
    exclude: list[str] = typer.Option([], "--exclude", metavar="TARGET", help="Never touched. Repeatable."),
    owner: str = typer.Option("", "--owner", help="Who authorised the sweep."),
    ticket: str = typer.Option("", "--ticket", help="Where that is written down."),
    authorised: str = typer.Option("", "--i-am-authorised", metavar="REASON",
                                   help="The written reason that opens public, loopback or wide ranges."),
    profile: str | None = typer.Option(None, "--profile", metavar="gentle|normal|fast", help="How fast to ask."),
    plan: bool = typer.Option(False, "--plan", help="Print what would be sent, to whom, at what pace; send nothing."),
    credentials: str | None = typer.Option(None, "--credentials", metavar="REF",
                                           help="env:NAME or file:PATH with user:password, for a second pass."),
    device_ca: list[str] = typer.Option([], "--device-ca", metavar="[MAKER=]PATH",
                                        help="Your trust anchors for device certificates: PEM or DER, a file or a "
                                             "folder. Repeatable."),
    nmap: list[str] = typer.Option([], "--nmap", metavar="ADDRESS",
                                   help="Let nmap name the services of this device (-sV, slowly). Repeatable."),
    check_default_credentials: bool = typer.Option(
        False, "--check-default-credentials", help="Try the one login that the maker documents for the state of "
        "delivery: once a device a day, on identified models only, never where anything speaks of a lock. Needs "
        "--owner, --ticket and --yes-i-am-authorised."),
    yes_i_am_authorised: bool = typer.Option(False, "--yes-i-am-authorised",
                                             help="The owner of these devices agrees to --check-default-credentials."),
    check_snmp_public: bool = typer.Option(False, "--check-snmp-public",
                                           help="One SNMP read with the community public."),
    check_port_mappings: bool = typer.Option(False, "--check-port-mappings",
                                             help="Read, never change, which ports the scope's routers open."),
    fresh: bool = typer.Option(False, "--fresh", help="Begin anew instead of resuming an unfinished sweep."),
    neighbours: Path | None = typer.Option(None, "--neighbours", metavar="FILE",
                                           help="A router's or switch's neighbour table (ip neigh form)."),
    interface: list[str] = typer.Option([], "--interface", metavar="IF", help="Only these interfaces. Repeatable."),
    port_map: Path | None = typer.Option(None, "--port-map", metavar="FILE",
                                         help="Where a lab serves the well-known ports (JSON, or a lab's site.json)."),
    capture: list[Path] = typer.Option([], "--capture", metavar="FILE", help="A pcap of the devices' traffic."),
    policy: str | None = typer.Option(None, "--policy", help="Whose rules decide (default: private)."),
    firmware_months: int | None = typer.Option(
        None, "--firmware-months", min=1, max=240, help="Firmware built longer ago is old (default: as the policy "
        "says, 24). Every verdict keeps it in the name of its policy."),
    as_of: str | None = typer.Option(None, "--as-of", metavar="YYYY-MM-DD", help="The day to judge for."),
    activity: str | None = typer.Option(None, "--activity", help="What is done with the devices, for the law."),
    purpose: str | None = typer.Option(None, "--purpose", help="What they are for, where a law asks."),
) -> None:
    """Sweep a scope you are authorised for: discover, ask, identify, judge, store.

    The same scope resumes an unfinished sweep. Exit 1 with findings, 3 where something is undetermined.
    """
    from dataclasses import replace

    from camvet.assessment import activity_named, as_of_day, exit_code, policy_named
    from camvet.port_map import read_port_map
    from camvet.progress import SweepProgress
    from camvet.sweeping import SweepOrder, perform
    from rules.policy import with_firmware_months
    from scanner.journal import JournalError
    from scanner.scope import ScopeError

    context = context_of(ctx)
    ports = read_port_map(port_map)
    try:
        scope = _scope(targets or [], scope_file, exclude, owner, ticket, authorised, lab=bool(ports))
        settings = _settings(profile or context.settings.profile, ports, neighbours, credentials, interface)
        if device_ca:
            settings = _with_anchors(context, settings, device_ca)
        settings = replace(settings, snmp_public=check_snmp_public, port_mappings=check_port_mappings)
        if check_default_credentials:
            _demand_consent(scope, agreed=yes_i_am_authorised)
        rules = policy_named(policy or context.settings.policy)
        if firmware_months is not None:
            rules = policy_named(with_firmware_months(rules.policy, firmware_months))
        order = SweepOrder(scope, settings, rules, as_of_day(as_of),
                           capture, activity_named(activity), purpose, fresh, nmap, check_default_credentials)
        for path in capture:
            if not path.is_file():
                raise UsageError(f"capture {path}: {'not a file' if path.exists() else 'no such file'}")
        if plan:
            _print_plan(context, scope, settings, nmap, factory_logins=check_default_credentials)
            raise typer.Exit(ExitCode.CLEAN)
        if scope.unattributed:
            context.terminal.note(f"{scope.unattributed} (--owner, --ticket)")
        with SweepProgress(context.terminal) as progress:
            record = perform(context, order, progress)
    except (ScopeError, JournalError) as error:
        raise UsageError(str(error)) from error
    tell(context, record, order)
    raise typer.Exit(exit_code(record.judgements, complete=record.complete))


def _scope(targets: list[str], scope_file: Path | None, exclude: list[str], owner: str, ticket: str, authorised: str,
           *, lab: bool) -> Scope:
    from scanner.scope import Scope

    if scope_file is not None:
        if targets or exclude or owner or ticket or authorised:
            raise UsageError("--scope says it all: targets, excludes, owner, ticket and reason belong into that file")
        return Scope.from_file(scope_file, lab=lab)
    if not targets:
        raise UsageError("nothing to sweep: name a target or a --scope FILE (see: camvet sweep --help)")
    return Scope.of(targets, exclude=exclude, owner=owner, ticket=ticket, authorised=authorised, lab=lab)


def _demand_consent(scope: Scope, *, agreed: bool) -> None:
    """A wrong login leaves a trace on a device and may count towards a lock: somebody answers for that by name."""
    if not agreed:
        raise UsageError("--check-default-credentials tries one login on each identified device, which its log will "
                         "show: say that its owner agrees with --yes-i-am-authorised")
    if not scope.owner or not scope.ticket:
        raise UsageError("--check-default-credentials: name who authorised it and where that is written down "
                         "(--owner and --ticket, or in the scope file)")


def _settings(profile: str, ports: PortMap, neighbours: Path | None, credentials: str | None,
              interfaces: list[str]) -> Settings:
    from camvet.credentials import resolve
    from scanner.pace import Profile
    from scanner.settings import Settings

    if profile not in set(Profile):
        raise UsageError(f"--profile {profile!r}: expected {', '.join(Profile)}")
    if neighbours is not None:
        _check_neighbours(neighbours)
    _check_interfaces(interfaces)
    return Settings(Profile(profile), ports, neighbours, resolve(credentials) if credentials else None,
                    tuple(interfaces))


def _check_neighbours(path: Path) -> None:
    """Raise `UsageError` for a file that is no neighbour table; an empty one is one."""
    from scanner.transport.neighbours import is_table

    if not path.is_file():
        raise UsageError(f"neighbours {path}: {'not a file' if path.exists() else 'no such file'}")
    try:
        if not is_table(path):
            raise UsageError(f"neighbours {path}: expected an address and a MAC a line, as ip neigh prints them")
    except OSError as error:
        raise UsageError(f"neighbours {path}: {error.strerror}") from error


def _check_interfaces(names: list[str]) -> None:
    """Raise `UsageError` for a name that no link of this machine has."""
    import socket

    there = [name for _, name in socket.if_nameindex()]
    for name in names:
        if name not in there:
            raise UsageError(f"--interface {name}: no such interface; there are: {', '.join(there)}")


def _with_anchors(context: Context, settings: Settings, device_ca: list[str]) -> Settings:
    from dataclasses import replace

    from camvet import device_cas

    return replace(settings, device_anchors=device_cas.read(device_ca, context.terminal.note))


def _print_plan(context: Context, scope: Scope, settings: Settings, nmap: list[str], *,
                factory_logins: bool) -> None:
    from camvet.prose import table
    from rules import makers, planning
    from scanner.preview import plan

    for address in nmap:
        if not scope.contains(address):
            raise UsageError(f"--nmap {address}: not an address of the scope")
    asked = sorted((len(set(maker.ask.tcp_ports)) for maker in makers.load()), reverse=True)
    preview = plan(scope, settings, nmap=nmap, maker_ports=sum(asked[:planning.MAX_SUSPECTS]),
                   factory_logins=factory_logins)
    if context.terminal.as_json:
        context.terminal.document(preview.to_json())
        return
    context.terminal.text(f"{preview.addresses} addresses in {', '.join(preview.targets)}; profile {preview.profile}; "
                          f"owner {preview.owner or 'not stated'}, ticket {preview.ticket or 'not stated'}")
    context.terminal.lines(table(
        [[step.name, str(step.at_most), f"{step.per_second:g}" if step.per_second else "-", f"{step.seconds:.0f}",
          step.to] for step in preview.steps], ("step", "at most", "a second", "seconds", "to whom")))
    for step in preview.steps:
        context.terminal.text(f"{step.name}: {step.what}")
        for part in step.parts if step.name.startswith("multicast") else ():
            context.terminal.text(f"  {part.at_most} x {part.protocol} to {part.to} port {part.port}")
    context.terminal.text(f"about {preview.seconds:.0f} s at most in all: where every address is a device that uses up "
                          "its time")
    for link in preview.links:
        used = "used" if link.used else f"skipped: {link.because}"
        context.terminal.text(f"interface {link.name} {link.network}: {used}")
    context.terminal.text("Nothing was sent.")


def tell(context: Context, record: SweepRecord, order: SweepOrder) -> None:
    """Print a finished sweep: one JSON document, or a paragraph a device, worst first."""
    from camvet.prose import OUTCOME_STYLE, headline, summary
    from camvet.shapes import list_json
    from reports.report import OUTCOME_ORDER
    from rules.vocabulary import Outcome

    rejected = _rejected(context, record)
    if context.terminal.as_json:
        lists = record.judgements[0].verdict.lists if record.judgements else ()
        context.terminal.document({
            "sweep": record.id, "complete": record.complete, "scope": record.document["scope"],
            "policy": record.policy, "as_of": record.as_of, "devices": [_device_json(record, j.identity.device)
                                                                        for j in record.judgements],
            "not_seen": record.document["silent"], "foreign": len(record.document["foreign"]),
            "dropped": record.document["dropped"], "sent": _sent_json(record),
            "joined": record.document["joined"], "notes": record.document["notes"],
            "rejected": {key: one.to_json() for key, one in rejected.items()},
            "lists": [list_json(version, date.fromisoformat(record.as_of)) for version in lists]})
        return
    for judgement in sorted(record.judgements, key=lambda j: OUTCOME_ORDER.index(j.verdict.outcome)):
        outcome = judgement.verdict.outcome
        context.terminal.styled_text((f"{outcome.upper():<13}", OUTCOME_STYLE[outcome]), headline(judgement.identity))
        context.terminal.lines(summary(judgement.identity, judgement.verdict))
    counts = {outcome: sum(j.verdict.outcome is outcome for j in record.judgements) for outcome in Outcome}
    context.terminal.text(
        f"{len(record.judgements)} devices: " + ", ".join(f"{n} {o}" for o, n in counts.items() if n)
        + f"; {len(record.document['silent'])} addresses in scope were silent; policy {order.policy.policy}, "
        f"as of {record.as_of}; sweep {record.id}" + ("" if record.complete else " INTERRUPTED: run it again to go on"))
    for one in record.document["joined"]:
        context.terminal.text(f"{one['device']} and {', '.join(one['also_at'])} are one device: {one['because']}")
    context.terminal.lines(f"{key} stays out, whatever its verdict says: {one.told}" for key, one in rejected.items())
    context.terminal.lines(record.document["notes"])
    context.terminal.text(_sent_text(record))
    context.terminal.note("Not legal advice. Facts marked unverified could not be checked against a primary source.")


def _rejected(context: Context, record: SweepRecord) -> dict[str, Rejection]:
    """The devices of a sweep that a person keeps out, by key; what was swept is looked up only where there are any."""
    from camvet.rejections import Rejections
    from scanner import clock

    inventory, today = context.inventory(new=True), clock.now().date()
    rejections = Rejections.of(inventory, record.site)
    if not any(one.holds(today) for one in rejections.made.values()):
        return {}
    found = {one.key: rejections.holding(one.id, today) for one in inventory.devices_of(record.id)}
    return {key: one for key, one in found.items() if one is not None}


def _sent_json(record: SweepRecord) -> dict[str, Any]:
    """What was sent by kind and in all, and how many devices that brought for each thing sent."""
    sent: dict[str, int] = record.document["sent"]
    total = sum(sent.values())
    found = sum("#" not in one.identity.device for one in record.judgements)
    return {**sent, "total": total, "devices_per_packet": round(found / total, 6) if total else None}


def _sent_text(record: SweepRecord) -> str:
    told = _sent_json(record)
    line = (f"sent {told['total']} in all: {told['arp']} ARP, {told['syn']} SYN, {told['datagram']} datagrams, "
            f"{told['connection']} TCP connections, {told['request']} requests on them, "
            f"{told.get('membership', 0)} multicast groups joined")
    if told["devices_per_packet"] is None:
        return line
    return f"{line}; {1000 * told['devices_per_packet']:.1f} devices found for each 1000 sent"


def _device_json(record: SweepRecord, key: str) -> dict[str, Any]:
    from camvet.shapes import identity_json, verdict_json

    judgement = next(j for j in record.judgements if j.identity.device == key)
    mac = next((o.text("mac") for o in record.observations if o.device == key and o.transport == "link"), None)
    also_at = sorted({o.text("also_at") for o in record.observations if o.device == key and o.text("also_at")})
    return {"key": key, "ip": key.partition("#")[0], "also_at": also_at, "mac": mac,
            "identity": identity_json(judgement.identity), "verdict": verdict_json(judgement.verdict),
            "attempts": [a.to_json() for a in record.attempts if a.device == key]}
