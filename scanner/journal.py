"""The resume journal: what a sweep has finished, a JSON line a batch, so that a killed sweep loses and doubles nothing.

A batch is one line and is written whole or not at all: a torn last line is cut off when the journal is opened again.
Only finished devices are in it, so a device that was being asked when the process died is asked once more, from the
start. Passwords never reach it, since observations hold none.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Self

from scanner import clock
from scanner.observation import Attempt, Observation
from scanner.scope import Scope
from scanner.settings import Settings

__all__ = ["Batch", "Journal", "JournalError"]

_VERSION = 1


class JournalError(RuntimeError):
    """The journal cannot be used: another sweep of the same scope holds it, or the folder cannot be written."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What was finished in one go: ``discovery`` of all addresses, one ``device``, or one ``silent`` address."""

    kind: str
    device: str = ""
    observations: Sequence[Observation] = ()
    attempts: Sequence[Attempt] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)

    def to_line(self) -> bytes:
        """One JSON line."""
        return json.dumps({
            "kind": self.kind, "device": self.device, "notes": dict(self.notes),
            "observations": [one.to_json() for one in self.observations],
            "attempts": [one.to_json() for one in self.attempts],
        }, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_doc(cls, doc: Mapping[str, Any]) -> Self:
        """The inverse of `to_line`."""
        return cls(doc["kind"], doc["device"], tuple(Observation.from_json(one) for one in doc["observations"]),
                   tuple(Attempt.from_json(one) for one in doc["attempts"]), doc["notes"])


class Journal:
    """The journal of one scope and profile. Without a folder it remembers nothing: a sweep that cannot be resumed."""

    def __init__(self, path: Path | None, file: BinaryIO | None, started: datetime, restored: Sequence[Batch]) -> None:
        self._path = path
        self._file = file
        self.started = started
        self.restored = restored

    @classmethod
    def none(cls) -> Self:
        """A journal that keeps nothing."""
        return cls(None, None, clock.now(), ())

    @classmethod
    def open(cls, folder: Path, scope: Scope, settings: Settings, *, fresh: bool = False) -> Self:
        """Open or begin the journal of this scope and profile; with `fresh`, what an unfinished one holds is dropped.

        Raises:
            JournalError: when another sweep holds it, or it cannot be written.
        """
        asked = {"login": settings.credentials, "devid": settings.device_anchors, "snmp": settings.snmp_public,
                 "igd": settings.port_mappings, "factory": settings.factory_logins}
        extra = "".join(f"-{word}" for word, wanted in asked.items() if wanted)
        path = folder / f"{scope.digest[:16]}-{settings.profile}{extra}.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b")
        except OSError as error:
            raise JournalError(f"{path}: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise JournalError(f"{path}: another sweep of this scope is running") from error
        header = {"version": _VERSION, "scope": scope.digest, "profile": str(settings.profile)}
        started, restored, end = (None, [], 0) if fresh else _restore(file, header)
        if started is None:
            started, end = clock.now(), 0
        file.truncate(end)
        file.seek(end)
        journal = cls(path, file, started, restored)
        if end == 0:
            journal._append(json.dumps({**header, "started": clock.stamp(started)}).encode() + b"\n", durable=True)
        return journal

    @property
    def resumed(self) -> bool:
        """Whether it holds the beginning of this sweep."""
        return bool(self.restored)

    def write(self, batch: Batch, *, durable: bool = True) -> None:
        """Append one batch. A durable one survives the loss of power, any other the death of the process."""
        self._append(batch.to_line(), durable=durable)

    def finish(self) -> None:
        """Mark the sweep as done: the file is renamed after its start, so that the next sweep begins anew."""
        self.close()
        if self._path:
            done = self._path.with_name(f"{self._path.stem}-{self.started:%Y%m%dT%H%M%S%f}Z.done.jsonl")
            self._path.rename(done)

    def close(self) -> None:
        """Give the file and its lock back; an unfinished journal stays for the next run."""
        if self._file and not self._file.closed:
            self._file.close()

    def _append(self, line: bytes, *, durable: bool) -> None:
        if not self._file:
            return
        try:
            self._file.write(line)
            self._file.flush()
            if durable:
                os.fsync(self._file.fileno())
        except OSError as error:
            raise JournalError(f"{self._path}: {error.strerror}") from error


def _restore(file: BinaryIO, header: Mapping[str, Any]) -> tuple[datetime | None, list[Batch], int]:
    """Start time, whole batches and the offset after the last whole one; no start where the file is none of ours."""
    file.seek(0)
    started: datetime | None = None
    batches: list[Batch] = []
    end = 0
    for line in file:
        try:
            if not line.endswith(b"\n"):
                break
            doc = json.loads(line)
            if started is None:
                if any(doc.get(key) != value for key, value in header.items()):
                    break
                started = datetime.fromisoformat(doc["started"])
            else:
                batches.append(Batch.from_doc(doc))
        except (ValueError, KeyError, TypeError, AttributeError):     # torn or damaged: everything after it is redone
            break
        end += len(line)
    return started, batches, end
