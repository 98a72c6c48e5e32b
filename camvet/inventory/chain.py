"""The event log: append-only, each event carrying the hash of the one before it.

The digest of event *n* is SHA-256 over the digest of *n-1* and the canonical JSON of the event's own fields.
Changing, removing or inserting an event breaks every digest after it; cutting off the end is seen by whoever noted
the last digest (`camvet audit verify` prints it).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from camvet.inventory import tables
from scanner import clock

__all__ = ["GENESIS", "Event", "append", "read", "verify"]

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: who did what to what, when."""

    number: int
    at: str
    actor: str
    kind: str
    subject: str
    document: Mapping[str, Any]
    digest: str


def _digest(previous: str, number: int, at: str, actor: str, kind: str, subject: str, document: str) -> str:
    body = json.dumps([previous, number, at, actor, kind, subject, document], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(body.encode()).hexdigest()


def append(connection: Connection, *, at: datetime, actor: str, kind: str, subject: str,
           document: Mapping[str, Any]) -> None:
    """Add one event behind the last, within the caller's transaction."""
    last = connection.execute(
        select(tables.events.c.number, tables.events.c.digest).order_by(tables.events.c.number.desc()).limit(1)).first()
    number, previous = (last.number + 1, last.digest) if last else (1, GENESIS)
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    when = clock.stamp(at)
    connection.execute(insert(tables.events).values(
        number=number, at=when, actor=actor, kind=kind, subject=subject, document=text, previous=previous,
        digest=_digest(previous, number, when, actor, kind, subject, text)))


def read(connection: Connection, kinds: Collection[str] = ()) -> Iterator[Event]:
    """All events in order, or those of some kinds."""
    query = select(tables.events).order_by(tables.events.c.number)
    if kinds:
        query = query.where(tables.events.c.kind.in_(kinds))
    for row in connection.execute(query):
        yield Event(row.number, row.at, row.actor, row.kind, row.subject, json.loads(row.document), row.digest)


def verify(connection: Connection) -> tuple[int, str, str | None]:
    """Recompute the chain: how many events hold, the last digest that holds, and what is wrong first (or None)."""
    previous, count = GENESIS, 0
    for row in connection.execute(select(tables.events).order_by(tables.events.c.number)):
        if row.number != count + 1:
            return count, previous, f"event {count + 1} is missing"
        if row.previous != previous:
            return count, previous, f"event {row.number} does not follow the one before it"
        if row.digest != _digest(previous, row.number, row.at, row.actor, row.kind, row.subject, row.document):
            return count, previous, f"event {row.number} was changed"
        previous, count = row.digest, count + 1
    return count, previous, None
