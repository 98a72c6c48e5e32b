"""Files of other programs as a sweep of the inventory: read, judged and stored, without one packet sent.

What such a file cannot show was not asked: every check that needs an answer of the device says so.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from camvet.assessment import assess, by_device
from camvet.baselines import Known
from camvet.context import Context, UsageError
from camvet.inventory import SweepRecord
from camvet.sweeping import actor
from camvet.waivers import Waivers
from scanner import clock, egress, passive
from scanner.imports import MOST_BYTES, Imported, nmap, scans, shodan, switches, tables, workbooks, zeek
from scanner.observation import Attempt, AttemptStatus, Observation, Reason
from scanner.transport.exchange import ExchangeError

if TYPE_CHECKING:
    from rules.policy import Policy

__all__ = ["FORMATS", "Heard", "ImportOrder", "document_of", "hear", "perform", "read", "store"]

Reader = Callable[[bytes, datetime], Imported]

_CAPTURES = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a",
             b"\x34\xcd\xb2\xa1", b"\xa1\xb2\xcd\x34")
_MOST_NAMED = 1024              # observations of one device that its attempt names
_GZIP = b"\x1f\x8b"
_READERS: Mapping[str, Reader] = {
    "nmap": nmap.read, "arp": tables.read_lines, "csv": tables.read_csv, "zeek": zeek.read, "shodan": shodan.read,
    "masscan": scans.read_masscan, "zgrab": scans.read_zgrab,
}
FORMATS = (*_READERS, "replies", "capture")
"""The words of ``--format``."""


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What an import is asked to do."""

    files: Sequence[Path]
    policy: Policy
    as_of: date
    format: str = ""
    activity: str | None = None
    purpose: str | None = None


def read(path: Path, now: datetime, format_: str = "") -> Imported:
    """One file, in the named format or in the one it begins like. Raises `UsageError` where it cannot be opened."""
    try:
        with path.open("rb") as source:
            head = source.read(65_536)
            source.seek(0)
            packed = head.startswith(_GZIP)
            kind = format_ or _format_of(_unpacked(head) if packed else head)
            if kind == "capture":
                return passive.read(source)
            data = gzip.GzipFile(fileobj=source).read(MOST_BYTES + 1) if packed else source.read(MOST_BYTES + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UsageError(f"{path}: expected whole gzip data ({type(error).__name__})") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise UsageError(f"{path}: more than {MOST_BYTES >> 20} MB; split the file")
    return _replies(data, now) if kind == "replies" else _READERS[kind](data, now)


def _unpacked(head: bytes) -> bytes:
    """What a gzipped file begins with."""
    try:
        return zlib.decompressobj(wbits=31).decompress(head, 65_536)
    except zlib.error:
        return b""


def _format_of(head: bytes) -> str:
    """What a file is, by what it holds; its name says nothing."""
    if head.startswith(_CAPTURES):
        return "capture"
    if b"<nmaprun" in head[:4096]:
        return "nmap"
    for name, module in (("shodan", shodan), ("zeek", zeek)):
        if module.looks_like(head):
            return name
    if (scan := scans.form_of(head)):
        return scan
    if head.lstrip().startswith(b"{") and b'"transport"' in head and b'"data"' in head:
        return "replies"
    if workbooks.looks_like(head):
        return "csv"
    text = tables.text_of(head)
    return "csv" if not switches.form_of(text) and tables.headed(text) else "arp"


def _replies(data: bytes, now: datetime) -> Imported:
    """Recorded replies, as `camvet identify` reads them."""
    from camvet.cli.identify import reply
    from scanner.wire import replies

    found = Imported("replies")
    for row, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            device, transport, port, payload = reply(line)
        except ValueError as error:
            found.refuse(row, f"line {row}: {error}")
            continue
        found.observations += replies.read(transport, port, payload, device=device, now=now)
    return found


def perform(context: Context, order: ImportOrder) -> tuple[SweepRecord, list[Imported]]:
    """Read, judge and store. Raises `UsageError` for a file that cannot be opened or holds nothing."""
    started = clock.now()
    found = [read(path, started, order.format) for path in order.files]
    if not any(one.observations for one in found):
        raise UsageError(f"{', '.join(map(str, order.files[:3]))}: nothing to import; {_nothing_of(found)}")
    captures = {path.name: egress.read(path) for path, one in zip(order.files, found, strict=True)
                if one.format == "capture"}
    digest = hashlib.sha256(b"".join(path.read_bytes()[:MOST_BYTES] for path in order.files)).hexdigest()
    observations = list({one.id: one for each in found for one in each.observations}.values())
    record = store(context, order, observations, started=started, name=f"import-{digest[:8]}", document=document_of(
        order, f"imported from {', '.join(path.name for path in order.files)}", digest,
        {"rows": sum(len(one.refused) + one.dropped for one in found)}), captures=captures)
    return record, found


def _nothing_of(found: Sequence[Imported]) -> str:
    """Why files that could be opened brought no device."""
    refused = next((refused.expected for one in found for refused in one.refused), "")
    packets = sum(one.packets for one in found)
    if refused or not packets:
        return f"expected {refused or 'a file of a known format'}"
    return (f"nobody announced itself in {packets} packet{'s' if packets != 1 else ''}; a silent device is not an "
            "absent one, and camvet egress tells who talked there")


@dataclass(frozen=True, slots=True)
class Heard:
    """What a link told by itself: for how long, and how many frames the kernel had to drop."""

    found: Imported
    seconds: float
    lost: int


def hear(context: Context, order: ImportOrder, interface: str, seconds: float,
         ready: Callable[[], None]) -> tuple[SweepRecord | None, Heard]:
    """Listen on a link and send nothing; judge and store who announced itself. `None` where nobody did.

    `ready` is called once the link is heard. Raises `UsageError` where this process may not listen there.
    """
    started = clock.now()
    try:
        found, lost = passive.listen(interface, seconds, ready)
    except ExchangeError as error:
        raise UsageError(error.detail) from error
    heard = Heard(found, round((clock.now() - started).total_seconds(), 1), lost)
    if not found.observations:
        return None, heard
    what = f"heard on {interface} within {heard.seconds:g} s; nothing was sent"
    digest = hashlib.sha256(f"{interface} {started.isoformat()}".encode()).hexdigest()
    told = document_of(order, what, digest, {"frames on the link": lost, "told on the link": found.dropped})
    told["scope"]["profile"] = "listen"
    record = store(context, order, found.observations, started=started, name=f"heard-{digest[:8]}", document=told)
    return record, heard


def store(context: Context, order: ImportOrder, observations: Sequence[Observation], *, started: datetime, name: str,
          document: Mapping[str, Any], captures: Mapping[str, egress.Capture] | None = None) -> SweepRecord:
    """Judge observations that were not asked for by camvet itself, and store them like a sweep.

    As in a sweep, what shows one serial number or UUID at several addresses is one device, and conversations (a Zeek
    log's, or those of `captures` by file) are held against the baseline of their device: what is new is found, what is
    missing was not looked for. Of a capture only the devices are judged that announced themselves or that another file
    names.
    """
    from rules.multihomed import join

    devices = list(dict.fromkeys(one.device for one in observations))
    brought: dict[tuple[str, str], list[str]] = {}
    for one in observations:
        how = passive.PROBE if one.probe == passive.PROBE else "import"
        brought.setdefault((one.device, how), []).append(one.id)
    attempts = [Attempt(device, how, None, AttemptStatus.COMPLETED, started, observations=tuple(ids[:_MOST_NAMED]))
                for (device, how), ids in brought.items()]
    observations, attempts = _with_captures(observations, attempts, devices, captures or {}, started)
    joined = join(observations, attempts, devices)
    observations, attempts = joined.observations, joined.attempts
    seen = by_device(observations, attempts, joined.devices)
    inventory = context.inventory(new=True)
    judgements = assess(seen, policy=order.policy, as_of=order.as_of, activity=order.activity, purpose=order.purpose,
                        known=Known.of(inventory, context.settings.site, order.as_of),
                        watched_s=sum(capture.seconds for capture in (captures or {}).values()),
                        waive=Waivers.of(inventory, context.settings.site).hook(seen, order.as_of))
    record = SweepRecord(
        id=f"{started:%Y%m%dT%H%M%S}-{name}", site=context.settings.site, started=started, finished=clock.now(),
        complete=True, observations=observations, attempts=attempts, judgements=judgements, policy=order.policy.policy,
        as_of=order.as_of.isoformat(), document={**document, "captures": [
            {"file": file, "packets": capture.packets, "undecoded": sum(capture.undecoded.values()),
             "trouble": capture.trouble, "seconds": round(capture.seconds, 1)}
            for file, capture in (captures or {}).items()], "joined": [
            {"device": one.device, "also_at": list(one.others), "because": one.because} for one in joined.joins]})
    inventory.record(record, actor=actor())
    return record


def _with_captures(observations: Sequence[Observation], attempts: Sequence[Attempt], devices: Sequence[str],
                   captures: Mapping[str, egress.Capture], now: datetime) -> tuple[list[Observation], list[Attempt]]:
    """These observations and attempts, and what the captures show of the devices: whom they talk to."""
    if not captures:
        return list(observations), [*attempts, *(
            Attempt(device, "egress.capture", None, AttemptStatus.NOT_ATTEMPTED, now, Reason.NOT_APPLICABLE,
                    "imported; nothing was asked") for device in devices)]
    macs = {one.text("mac").upper(): one.device for one in observations if one.transport == "link"}
    known = {**{device: device for device in devices}, **macs}
    told = [(capture, egress.observations(capture, known, now)) for capture in captures.values()]
    return ([*observations, *(one for _, each in told for one in each)],
            [*attempts, *(one for capture, each in told for one in egress.attempts(capture, known, now, each))])


def document_of(order: ImportOrder, what: str, digest: str, dropped: Mapping[str, int]) -> dict[str, Any]:
    """The document of an import, in the shape of a sweep's: no scope, no link, nothing asked."""
    return {
        "scope": {"digest": digest, "targets": [what], "excludes": [], "owner": "", "ticket": "",
                  "window": [None, None], "authorised": "", "profile": "import", "credentials": False,
                  "activity": order.activity, "purpose": order.purpose, "opted_in": []},
        "links": [], "silent": {}, "foreign": [], "dropped": {key: value for key, value in dropped.items() if value},
        "sent": {}, "captures": [], "resumed": False,
    }
