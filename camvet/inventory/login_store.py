"""Which devices had their one factory-login try of the day: kept in the event log, so no restart forgets it.

The try is an event before its first byte is sent. A process that dies in between has used it up: better one too few.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Engine, select

from camvet.inventory import chain, tables
from scanner import clock

__all__ = ["BETWEEN_TRIES", "CLAIMED", "ENDED", "LoginStore"]

CLAIMED = "login.factory_claimed"
ENDED = "login.factory_ended"
BETWEEN_TRIES = timedelta(days=1)


class LoginStore:
    """The log's part on factory logins; every method is one transaction. No password ever reaches it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(self, names: Collection[str], *, at: datetime, actor: str, address: str, pair: str, ticket: str,
              owner: str) -> str | None:
        """Note a try now; where a device of any of these `names` had one within a day, when that was, and note nothing.

        `names` are what the device is known by: its address, MACs and serial. Two sweeps at once get one try between
        them, since the look and the note are one transaction.
        """
        wanted = set(names)
        with self._engine.execution_options(writes=True).begin() as connection:
            rows = connection.execute(
                select(tables.events.c.at, tables.events.c.document)
                .where(tables.events.c.kind == CLAIMED, tables.events.c.at > clock.stamp(at - BETWEEN_TRIES))
                .order_by(tables.events.c.number.desc()))
            for row in rows:
                if wanted & set(json.loads(row.document)["names"]):
                    return str(row.at)
            chain.append(connection, at=at, actor=actor, kind=CLAIMED, subject=address, document={
                "names": sorted(wanted), "pair": pair, "owner": owner, "ticket": ticket})
        return None

    def ended(self, *, at: datetime, actor: str, address: str, pair: str, outcome: str, detail: str) -> None:
        """Note what came of a try."""
        with self._engine.execution_options(writes=True).begin() as connection:
            chain.append(connection, at=at, actor=actor, kind=ENDED, subject=address, document={
                "pair": pair, "outcome": outcome, "detail": detail})
