"""`camvet egress`: where devices talk to, from captures, flow records and logs, or live from a link."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError, worst
from scanner.collection import no_collection

if TYPE_CHECKING:
    from camvet.baselines import Known
    from camvet.mud_checks import Against
    from camvet.placing import Placed
    from camvet.traffic import Geography, Told
    from rules.vocabulary import Finding
    from scanner.egress import Capture, Source

_MOST_LINES = 40
_MOST_UNPLACED = 3


@verb(rank=21)
def egress(
    ctx: typer.Context,
    files: list[Path] = typer.Argument(None, help="Captures (pcap, pcapng), NetFlow or IPFIX, nfdump or "
                                      "SiLK text, firewall, proxy, cloud, DNS, Zeek, Suricata logs; gzipped or not."),
    devices: str | None = typer.Option(None, "--devices", metavar="FILE|inventory",
                                       help="Only these: a neighbour table, or the devices of the inventory."),
    geoip: list[Path] = typer.Option([], "--geoip", metavar="MMDB", help="Your database of countries or owners."),
    interface: str | None = typer.Option(None, "--interface", metavar="IF", help="Listen on a link instead."),
    seconds: float = typer.Option(1800.0, "--for", metavar="SECONDS", min=0.1, help="How long to listen."),
    all_hosts: bool = typer.Option(False, "--all-hosts", help="Listen to every host, not to cameras alone."),
    reason: str | None = typer.Option(None, "--reason", help="Why; needed for --all-hosts, and kept in the log."),
    check_mud: Path | None = typer.Option(None, "--check-mud", metavar="FILE|DIR",
                                          help="Say what in the traffic this RFC 8520 file does not allow; of a "
                                               "folder, each device's own file."),
) -> None:
    """Say where devices talk to: destinations, names, whose they are, what for, and what is wrong with it."""
    context = context_of(ctx)
    if bool(files) == bool(interface):
        raise UsageError("name exactly one of both: capture files, flow records or logs, or a link with --interface")
    if check_mud:
        _check_mud_there(check_mud)
    with no_collection() if files else nullcontext():
        from camvet.traffic import Geography, known_devices

        place = Geography(geoip) if geoip else None
        known = known_devices(context, devices) if devices else None
        capture = (_listen(context, interface, seconds, known, all_hosts=all_hosts, reason=reason) if interface
                   else _read(files))
        code = _tell(context, capture, known, place, check_mud)
    raise typer.Exit(code)


def _tell(context: Context, capture: Capture, known: dict[str, str] | None, place: Geography | None,
          check_mud: Path | None) -> ExitCode:
    """Judge what was seen, and tell it."""
    from camvet.placing import place as place_of
    from camvet.traffic import document, tell
    from scanner import clock

    placed = place_of(capture, known)
    told = tell(capture, clock.now(), known=known, geography=place, baselines=_baselines(context), placed=placed)
    against = _held_against(check_mud, told) if check_mud else None
    if context.terminal.as_json:
        shown = document(told, capture, placed)
        context.terminal.document(shown | (against.json() if against is not None else {}))
    else:
        context.terminal.lines(_lines(told, capture, placed))
        context.terminal.lines(against.lines() if against is not None else ())
    return worst(_code(told, capture, placed), against.code() if against is not None else ExitCode.CLEAN)


def _baselines(context: Context) -> Known:
    from camvet.baselines import Known, none_approved

    settings = context.settings
    if not settings.kept or none_approved(settings.db):
        return Known({}, {}, {}, {})
    return Known.of(context.inventory(), settings.site)


def _check_mud_there(mud: Path) -> None:
    """Raise `UsageError` for a file or folder without a MUD file in it, before anything is read or listened to."""
    try:
        empty = not any(mud.glob("*.json")) if mud.is_dir() else not mud.stat().st_size
    except OSError as error:
        raise UsageError(f"--check-mud {mud}: {error.strerror}") from error
    if empty:
        raise UsageError(f"--check-mud {mud}: no MUD file in it (RFC 8520; camvet report --format mud writes them)")


def _held_against(mud: Path, told: list[Told]) -> Against:
    from camvet.mud_checks import held_against

    return held_against(mud, told)


def _code(told: list[Told], capture: Capture, placed: Placed) -> ExitCode:
    from rules.vocabulary import Status

    failed = any(finding.status is Status.FAIL for one in told for finding in one.findings)
    read = capture.packets or any(source.rows for source in capture.sources)
    whole = capture.complete and read and not placed.unplaced and not any(source.unread for source in _logs(capture))
    return worst(ExitCode.FINDINGS if failed else ExitCode.CLEAN,
                 ExitCode.CLEAN if whole else ExitCode.INCOMPLETE)


def _logs(capture: Capture) -> list[Source]:
    """The files that were no captures; what a capture holds beyond IP is no loss."""
    return [source for source in capture.sources if source.form != "packets"]


def _read(files: list[Path]) -> Capture:
    from scanner import clock
    from scanner.imports import flow_logs

    for path in files:
        if not path.is_file():
            raise UsageError(f"capture {path}: {'not a file' if path.exists() else 'no such file'}")
    try:
        return flow_logs.read(*files, now=clock.now())
    except OSError as error:
        raise UsageError(f"capture {error.filename}: {error.strerror}") from error


def _listen(context: Context, interface: str, seconds: float, known: dict[str, str] | None, *, all_hosts: bool,
            reason: str | None) -> Capture:
    """Listen to the cameras alone unless somebody says why all hosts; that is kept in the event log."""
    from camvet.sweeping import actor
    from camvet.traffic import known_devices
    from scanner import clock
    from scanner.egress.live import LiveError, listen

    macs: list[str] = []
    if all_hosts:
        if not (reason or "").strip():
            raise UsageError("--all-hosts reads other people's traffic too: say why with --reason")
        context.inventory(new=True).log(at=clock.now(), actor=actor(), kind="egress.all_hosts",
                                        subject=context.settings.site,
                                        document={"interface": interface, "seconds": seconds, "reason": reason})
    else:
        kept = known_devices(context, "inventory") if not known and context.settings.kept else {}
        macs = sorted(key for key in (known or kept) if key.count(":") == 5 and len(key)
                      == 17)
        if not macs:
            raise UsageError("no camera's MAC is known: name them with --devices FILE, or sweep first, "
                             "or give --all-hosts with a --reason")
    said = (f"listening on {interface} for {seconds:g} s to "
            + ("all hosts" if all_hosts else f"{len(macs)} devices") + "; end early with Ctrl-C")
    try:
        capture = listen(interface, seconds, macs, ready=lambda: context.terminal.note(said))
    except LiveError as error:
        raise UsageError(str(error)) from error
    if capture.lost:
        context.terminal.note(f"{capture.lost} frames were lost, since more came than this machine could read: what is "
                              "missing here may have been among them; listen to fewer devices, or record to a file")
    return capture


def _lines(told: list[Told], capture: Capture, placed: Placed) -> Iterator[str]:
    from rules.vocabulary import Status

    for one in told:
        yield f"{one.mac or one.key}  {', '.join(one.addresses[:4])}"
        for talk, known, (country, owner) in one.conversations[:_MOST_LINES]:
            owned = (known.owner, known.purpose) if known else (owner,)
            refused = f"refused by a firewall {talk.denied} times" if talk.denied else ""
            way = "it came to the device, whose port this is" if talk.inbound else ""
            whose = ", ".join(part for part in (*owned, country, *talk.signs, refused, way) if part)
            likely = f"(probably {talk.likely[0]}, by its time)" if talk.likely else "(no name)"
            name = talk.names[0] if talk.names else likely
            port = f":{talk.port}" if talk.port else ""
            place = f"from {talk.destination} to {port}" if talk.inbound else f"{talk.destination}{port}"
            about = "about " if talk.estimated else ""
            yield (f"  {place}/{talk.protocol}  {name}  {about}{talk.packets} packets, "
                   f"{_size(talk.bytes)}"
                   + (f"  [{whose}]" if whose else ""))
        if len(one.conversations) > _MOST_LINES:
            yield f"  and {len(one.conversations) - _MOST_LINES} more (--json shows all)"
        for asked, times, cloud in one.asked:
            yield f"  asked {times} times for {asked}  [{cloud.owner}, {cloud.purpose}]; no call there was seen"
        for finding in one.findings:
            if finding.status is Status.FAIL:
                yield f"  {finding.severity}: {finding.title}: {finding.reason}"
        yield from _unassessed([f for f in one.findings if f.status is Status.NOT_ASSESSED], capture.trouble)
    if placed.unplaced:
        named = ", ".join(f"{one.source} with {one.destination}" for one in placed.some[:_MOST_UNPLACED])
        yield (f"{placed.unplaced} conversations between public addresses ({named}): which end stands on the site "
               "cannot be told; name the devices with --devices")
    undecoded = ", ".join(f"{count} {reason}" for reason, count in capture.undecoded.items())
    yield (f"{capture.packets} packets in {capture.seconds:.0f} s, {sum(capture.undecoded.values())} not decoded"
           + (f" ({undecoded})" if undecoded else "") + f", {capture.dropped} dropped, {capture.lost} lost")
    if _logs(capture):
        for source in capture.sources:
            yield from _source(source)
    if not capture.complete and capture.unread:
        yield f"{capture.unread} frames could not be read and may have carried calls: what is missing here may be there"
    if capture.trouble:
        yield f"read only in part: {capture.trouble}"


def _unassessed(findings: list[Finding], trouble: str) -> Iterator[str]:
    """What could not be judged of a device; what is the sources' fault alike for all stands once, in the last line."""
    partly = [one.rule for one in findings if trouble and trouble in one.reason]
    if partly:
        yield f"  not assessed, since the sources were read only in part: {', '.join(partly)}"
    yield from (f"  not assessed: {one.title} ({one.reason})" for one in findings if one.rule not in partly)


def _source(source: Source) -> Iterator[str]:
    yield f"{source.name}: {source.form}, {source.rows} rows read, {source.unread} not read"
    yield from (f"  {line}" for line in source.first_unread)
    yield from (f"  {line}" for line in source.notes)
    if source.cannot_show:
        yield f"  never shows {'; '.join(source.cannot_show)}"


def _size(octets: int) -> str:
    if octets < 10_000:
        return f"{octets} B"
    return f"{octets / 1e3:.0f} kB" if octets < 10_000_000 else f"{octets / 1e6:.0f} MB"
