"""What earlier sweeps of a site read of the same devices: asked before a judgement, so that going back is seen."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, select

from camvet.inventory import tables

__all__ = ["EarlierFirmware", "History"]

_ASKED_AT_ONCE = 400           # SQLite takes 999 values in one question


@dataclass(frozen=True, slots=True)
class EarlierFirmware:
    """One firmware that a device had in an earlier sweep; `alias` is how it was recognised."""

    alias: tuple[str, str]
    model: str
    firmware: str
    build: str
    at: datetime
    sweep: str


class History:
    """Questions about earlier sweeps; nothing is written."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def firmware(self, site: str, aliases: Collection[tuple[str, str]]) -> Iterator[EarlierFirmware]:
        """Every firmware that earlier judgements name for devices with one of these aliases, such as a MAC."""
        wanted = sorted(set(aliases))
        identity, alias = tables.judgement.c.identity, tables.alias.c
        columns = (alias.kind, alias.value, identity["model"].as_string(), identity["firmware"].as_string(),
                   identity["firmware_build"].as_string())
        with self._engine.connect() as connection:
            for start in range(0, len(wanted), _ASKED_AT_ONCE):
                some = wanted[start:start + _ASKED_AT_ONCE]
                query = (select(*columns, func.max(tables.judgement.c.made), func.max(tables.judgement.c.sweep))
                         .join(tables.device, tables.device.c.id == alias.device)
                         .join(tables.judgement, tables.judgement.c.device == alias.device)
                         .where(tables.device.c.site == site, alias.kind.in_({kind for kind, _ in some}),
                                alias.value.in_([value for _, value in some]))
                         .group_by(*columns))
                for kind, value, model, firmware, build, made, sweep in connection.execute(query):
                    if firmware and (kind, value) in some:
                        yield EarlierFirmware((kind, value), model or "", firmware, build or "",
                                              datetime.fromisoformat(made), sweep)
