"""`camvet identify`: name makers offline, from replies that somebody recorded."""

from __future__ import annotations

import base64
import binascii
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from camvet.cli import context_of, verb
from camvet.context import ExitCode, UsageError
from scanner.collection import no_collection

if TYPE_CHECKING:
    from camvet.terminal import Terminal
    from rules.makers import Makers
    from rules.vocabulary import Identity
    from scanner.observation import Observation

MOST_LINE = 2 * 1024 * 1024          # a reply is at most some tens of kilobytes; Base64 and JSON add a third
MOST_DEVICES = 200_000
MOST_HINTED = 3
MOST_NAMED = 20                      # unreadable lines that are told one by one; the rest are counted


@verb(rank=20)
def identify(
    ctx: typer.Context,
    replies: Path = typer.Option(..., "--replies", metavar="FILE.jsonl", help="Recorded replies; - reads stdin."),
) -> None:
    """Name makers from recorded replies, one JSON object a line: device, transport, port, data (Base64).

    Lines of one device together make its identity. Prints one line a device.
    """
    from camvet.shapes import identity_json
    from rules import identity, makers

    context = context_of(ctx)
    with no_collection():
        devices, refused = _read(replies, context.terminal)
        known = makers.load()
        undetermined = 0
        for device, observations in devices.items():
            found = identity.identify(device, observations, known)
            undetermined += found.maker is None
            if context.terminal.as_json:
                context.terminal.line(identity_json(found))
            else:
                from camvet.prose import headline

                context.terminal.text(headline(found) + _hint(found, known))
    if refused:
        above = f"the first {MOST_NAMED} are named above" if refused > MOST_NAMED else "see above"
        context.terminal.note(f"{refused} lines could not be read and count for nothing ({above})")
    elif not devices:
        context.terminal.note(f"{replies}: no replies in it, so nothing is known")
    raise typer.Exit(ExitCode.INCOMPLETE if undetermined or refused or not devices else ExitCode.CLEAN)


def _hint(identity: Identity, known: Makers) -> str:
    """Whom the evidence points to where it is too little to name anybody: an icon, a title that is prose."""
    if identity.maker is not None:
        return ""
    hinted = {item.value: known.name(item.value) for item in identity.evidence
              if item.claim == "maker" and item.strength != "note"}
    return f"  ·  perhaps {', '.join(sorted(hinted.values())[:MOST_HINTED])}" if hinted else ""


def _read(path: Path, terminal: Terminal) -> tuple[dict[str, list[Observation]], int]:
    """Observations by device, and how many lines had to be refused; each refusal is said with its line number."""
    from scanner import clock
    from scanner.wire import replies

    now = clock.now()
    devices: dict[str, list[Observation]] = {}
    refused = 0
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            device, transport, port, data = reply(line)
        except ValueError as error:
            refused += 1
            if refused <= MOST_NAMED:
                terminal.note(f"{path}:{number}: {error}")
            continue
        if device not in devices and len(devices) >= MOST_DEVICES:
            raise UsageError(f"{path}: more than {MOST_DEVICES} devices; split the file")
        devices.setdefault(device, [])
        for observation in replies.read(transport, port, data, device=device, now=now):
            devices.setdefault(observation.device, []).append(observation)     # a recorder's channels are their own
    return devices, refused


def _lines(path: Path) -> Iterable[bytes]:
    try:
        with (sys.stdin.buffer if str(path) == "-" else path.open("rb")) as source:
            while line := source.readline(MOST_LINE):
                yield line
    except OSError as error:
        raise UsageError(f"replies {path}: {error.strerror}") from error


def reply(line: bytes) -> tuple[str, str, int | None, bytes]:
    """One input line. Raises ValueError with what was expected and not found."""
    from scanner.wire.replies import TRANSPORTS

    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not a JSON object of at most {MOST_LINE} bytes") from error
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    device, transport, port = document.get("device"), document.get("transport"), document.get("port")
    if not isinstance(device, str | int) or isinstance(device, bool) or not str(device):
        raise ValueError("device: expected a text")
    if not isinstance(transport, str):
        raise ValueError("transport: expected a text")
    if transport not in TRANSPORTS:
        raise ValueError(f"transport: {transport[:40]!r} is none of {', '.join(sorted(TRANSPORTS))}")
    if port is not None and not (isinstance(port, int) and 0 <= port <= 65535):
        raise ValueError("port: expected a number from 0 to 65535")
    try:
        data = base64.b64decode(document.get("data") or "", validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ValueError("data: expected Base64") from error
    return str(device), transport, port, data
