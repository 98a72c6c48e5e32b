"""Stores sweeps and answers questions about devices.

A sweep is written in one transaction, keyed by an id that the sweep's journal chose: recording it twice changes
nothing, recording half of it cannot happen. A device is recognised by what is hardest to change: its MAC on the link
layer, then its serial with its maker, then its address; an address alone never joins two devices whose MACs or serials
differ, and no serial joins two devices of one sweep.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Connection, Engine, Table, and_, func, insert, select, update

from camvet.inventory import chain, tables
from camvet.inventory.gate_store import GateStore
from camvet.inventory.history import History
from camvet.inventory.login_store import LoginStore
from rules.judgement import Judgement
from rules.vocabulary import Identity, Verdict
from scanner import clock
from scanner.observation import Attempt, Observation

__all__ = ["DeviceRow", "Inventory", "StoredDevice", "SweepRecord", "SweepRow"]

_ROWS = 2000                   # written at once
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """Everything one sweep brought, ready to be stored.

    `document` holds what is JSON already: scope, interfaces, silent addresses, foreign answers, drop counters.
    """

    id: str
    site: str
    started: datetime
    finished: datetime
    complete: bool
    observations: Sequence[Observation]
    attempts: Sequence[Attempt]
    judgements: Sequence[Judgement]
    policy: str
    as_of: str
    document: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SweepRow:
    """A stored sweep without its observations."""

    id: str
    site: str
    started: str
    finished: str
    complete: bool
    policy: str
    as_of: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredDevice:
    """One device of one sweep: its inventory id, what was seen and tried, and how it was judged then."""

    id: str
    key: str
    observations: Sequence[Observation]
    attempts: Sequence[Attempt]
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device of the inventory with its newest judgement and all its aliases."""

    id: str
    site: str
    key: str
    first_seen: str
    last_seen: str
    identity: Identity
    verdict: Verdict
    aliases: Sequence[tuple[str, str]]
    sweep: str


@cache
def _identities() -> TypeAdapter[Identity]:
    return TypeAdapter(Identity)


@cache
def _verdicts() -> TypeAdapter[Verdict]:
    return TypeAdapter(Verdict)


def _judgement(identity: Any, verdict: Any) -> Judgement:  # noqa: ANN401 - JSON as the database gives it
    read = _verdicts().validate_python(verdict)
    return Judgement(_identities().validate_python(identity), tuple(read.findings), tuple(read.effects), read)


class Inventory:
    """The stored sites, sweeps and devices. Open it once per command; every public method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> Inventory:
        """Open (or create) the inventory at `url`. Raises `InventoryError` where that cannot be done."""
        return cls(tables.open_engine(url))

    @property
    def gate(self) -> GateStore:
        """The gate's part: attestations, waivers, attachments, metrics."""
        return GateStore(self._engine)

    @property
    def history(self) -> History:
        """Questions about earlier sweeps."""
        return History(self._engine)

    @property
    def logins(self) -> LoginStore:
        """The log's part on factory logins."""
        return LoginStore(self._engine)

    def _writing(self) -> Engine:
        return self._engine.execution_options(writes=True)

    # -- writing ------------------------------------------------------------------------------------------------------

    def record(self, sweep: SweepRecord, *, actor: str) -> Mapping[str, str]:
        """Store one sweep, unless it is stored already, and return the inventory id of every device key in it."""
        with self._writing().begin() as connection:
            known = connection.execute(select(tables.sweep.c.id).where(tables.sweep.c.id == sweep.id)).first()
            if known is None:
                self._store(connection, sweep, actor)
            rows = connection.execute(select(tables.judgement.c.key, tables.judgement.c.device)
                                      .where(tables.judgement.c.sweep == sweep.id))
            return {row.key: row.device for row in rows}

    def _store(self, connection: Connection, sweep: SweepRecord, actor: str) -> None:
        seen = clock.stamp(sweep.finished)
        connection.execute(insert(tables.sweep).values(
            id=sweep.id, site=sweep.site, started=clock.stamp(sweep.started), finished=seen, complete=sweep.complete,
            policy=sweep.policy, as_of=sweep.as_of, document=dict(sweep.document)))
        ids: dict[str, str] = {}
        for judgement in sweep.judgements:
            mac = _link_mac(sweep.observations, judgement)
            ids[judgement.identity.device] = _recognise(connection, sweep.site, judgement.identity, mac, seen,
                                                        taken=set(ids.values()),
                                                        others=[*_other_places(sweep.observations, judgement),
                                                                *_by_word(sweep.observations, judgement, mac)])
        # In lots: as rows, the attempts of a /16 take ten times the memory that they take as values.
        for seen_lot in _lots({o.id: o for o in sweep.observations}.values(), _ROWS):
            connection.execute(insert(tables.observation), [
                {"sweep": sweep.id, "id": o.id, "device": ids.get(o.device), "key": o.device, "document": o.to_json()}
                for o in seen_lot])
        for tried_lot in _lots(enumerate(sweep.attempts), _ROWS):
            connection.execute(insert(tables.attempt), [
                {"sweep": sweep.id, "number": n, "device": ids.get(a.device), "key": a.device, "document": a.to_json()}
                for n, a in tried_lot])
        for judgement in sweep.judgements:
            self._judge(connection, sweep.id, ids[judgement.identity.device], judgement, seen, actor, sweep.finished)
        chain.append(connection, at=sweep.finished, actor=actor, kind="sweep.recorded", subject=sweep.id, document={
            "site": sweep.site, "complete": sweep.complete, "policy": sweep.policy, "as_of": sweep.as_of,
            "devices": len(sweep.judgements), "observations": len(sweep.observations),
            "attempts": len(sweep.attempts)})

    @staticmethod
    def _judge(connection: Connection, sweep: str, device: str, judgement: Judgement, made: str, actor: str,
               at: datetime) -> None:
        verdict = judgement.verdict
        before = connection.execute(
            select(tables.judgement.c.outcome).where(tables.judgement.c.device == device,
                                                     tables.judgement.c.policy == verdict.policy)
            .order_by(tables.judgement.c.number.desc()).limit(1)).scalar()
        connection.execute(insert(tables.judgement).values(
            sweep=sweep, device=device, key=judgement.identity.device, policy=verdict.policy,
            as_of=verdict.as_of.isoformat(), made=made, outcome=str(verdict.outcome),
            identity=_identities().dump_python(judgement.identity, mode="json"),
            verdict=_verdicts().dump_python(verdict, mode="json")))
        chain.append(connection, at=at, actor=actor, kind="device.judged", subject=device, document={
            "key": judgement.identity.device, "maker": judgement.identity.maker, "policy": verdict.policy,
            "as_of": verdict.as_of.isoformat(), "outcome": str(verdict.outcome), "before": before,
            "rules": list(verdict.rules), "sweep": sweep})

    def rejudge(self, sweep: str, judgements: Iterable[Judgement], *, at: datetime, actor: str) -> None:
        """Add judgements of an old sweep's devices under another date, policy or list; nothing older is changed."""
        with self._writing().begin() as connection:
            ids = {row.key: row.device for row in connection.execute(
                select(tables.judgement.c.key, tables.judgement.c.device).where(tables.judgement.c.sweep == sweep))}
            for judgement in judgements:
                self._judge(connection, sweep, ids[judgement.identity.device], judgement, clock.stamp(at), actor, at)

    def log(self, *, at: datetime, actor: str, kind: str, subject: str, document: Mapping[str, Any]) -> None:
        """Add one event to the log."""
        with self._writing().begin() as connection:
            chain.append(connection, at=at, actor=actor, kind=kind, subject=subject, document=document)

    # -- asking -------------------------------------------------------------------------------------------------------

    def sweeps(self, site: str | None = None) -> list[SweepRow]:
        """The stored sweeps, newest first."""
        query = select(tables.sweep).order_by(tables.sweep.c.started.desc(), tables.sweep.c.id)
        if site is not None:
            query = query.where(tables.sweep.c.site == site)
        with self._engine.connect() as connection:
            return [SweepRow(**row._mapping) for row in connection.execute(query)]

    def sweep(self, wanted: str, site: str | None = None) -> SweepRow | None:
        """One sweep by its id, an unambiguous beginning of it, or ``latest`` and ``previous``."""
        rows = self.sweeps(site)
        if wanted in ("latest", "previous"):
            place = ("latest", "previous").index(wanted)
            return rows[place] if len(rows) > place else None
        found = [row for row in rows if row.id.startswith(wanted)]
        return found[0] if len(found) == 1 else None

    def devices_of(self, sweep: str, *, key: str | None = None) -> list[StoredDevice]:
        """What one sweep saw, device by device, with the newest judgement that was made of it.

        With `key`, only that device and the cameras behind it.
        """
        def wanted(table: Table) -> ColumnElement[bool]:
            of_sweep: ColumnElement[bool] = table.c.sweep == sweep
            if key is None:
                return of_sweep
            return of_sweep & ((table.c.key == key) | table.c.key.startswith(f"{key}#", autoescape=True))

        newest = (select(func.max(tables.judgement.c.number)).where(wanted(tables.judgement))
                  .group_by(tables.judgement.c.device, tables.judgement.c.key))
        with self._engine.connect() as connection:
            seen: dict[str, list[Observation]] = {}
            for row in connection.execute(select(tables.observation).where(wanted(tables.observation))):
                seen.setdefault(row.key, []).append(Observation.from_json(row.document))
            tried: dict[str, list[Attempt]] = {}
            for row in connection.execute(select(tables.attempt).where(wanted(tables.attempt))
                                          .order_by(tables.attempt.c.number)):
                tried.setdefault(row.key, []).append(Attempt.from_json(row.document))
            judged = connection.execute(select(tables.judgement).where(tables.judgement.c.number.in_(newest))
                                        .order_by(tables.judgement.c.number)).all()
        for observations in seen.values():
            observations.sort(key=lambda o: (o.at, o.id))
        return [StoredDevice(row.device, row.key, seen.get(row.key, []), tried.get(row.key, []),
                             _judgement(row.identity, row.verdict)) for row in judged]

    def newest_seen(self, device: str) -> tuple[SweepRow, list[StoredDevice]] | None:
        """The device as the newest sweep that found it saw it, first, and the cameras behind it, if it is a recorder.

        Newest is by when the sweep was made: judging an old one again does not make what it saw any newer.
        """
        query = (select(tables.sweep, tables.judgement.c.key)
                 .join(tables.judgement, tables.judgement.c.sweep == tables.sweep.c.id)
                 .where(tables.judgement.c.device == device)
                 .order_by(tables.sweep.c.started.desc(), tables.judgement.c.number.desc()).limit(1))
        with self._engine.connect() as connection:
            found = connection.execute(query).first()
        if found is None:
            return None
        columns = dict(found._mapping)
        key = columns.pop("key")
        devices = self.devices_of(columns["id"], key=key)
        return SweepRow(**columns), sorted(devices, key=lambda one: one.key != key)

    def undevised(self, sweep: str) -> tuple[list[Observation], list[Attempt]]:
        """Observations and attempts of a sweep that belong to no device: silent addresses, foreign answers."""
        with self._engine.connect() as connection:
            observations = [Observation.from_json(row.document) for row in connection.execute(
                select(tables.observation).where(tables.observation.c.sweep == sweep,
                                                 tables.observation.c.device.is_(None)))]
            attempts = [Attempt.from_json(row.document) for row in connection.execute(
                select(tables.attempt).where(tables.attempt.c.sweep == sweep, tables.attempt.c.device.is_(None))
                .order_by(tables.attempt.c.number))]
        return observations, attempts

    def devices(self, site: str | None = None) -> list[DeviceRow]:
        """Every device of the inventory (or of one site) with its newest judgement."""
        newest = select(func.max(tables.judgement.c.number)).group_by(tables.judgement.c.device)
        query = (select(tables.device, tables.judgement.c.key, tables.judgement.c.identity,
                        tables.judgement.c.verdict, tables.judgement.c.sweep)
                 .join(tables.judgement, tables.judgement.c.device == tables.device.c.id)
                 .where(tables.judgement.c.number.in_(newest)).order_by(tables.judgement.c.number))
        if site is not None:
            query = query.where(tables.device.c.site == site)
        with self._engine.connect() as connection:
            aliases: dict[str, list[tuple[str, str]]] = {}
            for row in connection.execute(select(tables.alias).order_by(tables.alias.c.kind, tables.alias.c.value)):
                aliases.setdefault(row.device, []).append((row.kind, row.value))
            return [DeviceRow(row.id, row.site, row.key, row.first_seen, row.last_seen,
                              _identities().validate_python(row.identity), _verdicts().validate_python(row.verdict),
                              aliases.get(row.id, []), row.sweep) for row in connection.execute(query)]

    def find(self, wanted: str, site: str | None = None) -> list[DeviceRow]:
        """Devices by inventory id (or its beginning), address, MAC, serial or key, newest address first."""
        folded = wanted.casefold().replace("-", ":")
        rows = self.devices(site)
        exact = [row for row in rows if wanted == row.key or row.id == wanted]
        return exact or [row for row in rows if (len(wanted) >= 4 and row.id.startswith(wanted)) or any(
            value.casefold().replace("-", ":") == folded for _, value in row.aliases)]

    def events(self, *kinds: str) -> list[chain.Event]:
        """The whole event log, oldest first; of some `kinds` alone, where they are named."""
        with self._engine.connect() as connection:
            return list(chain.read(connection, kinds))

    def verify(self) -> tuple[int, str, str | None]:
        """See `chain.verify`."""
        with self._engine.connect() as connection:
            return chain.verify(connection)


def _lots(rows: Iterable[_Row], size: int) -> Iterator[list[_Row]]:
    """`rows` in lists of at most `size`; none where there are no rows."""
    left = iter(rows)
    while lot := list(islice(left, size)):
        yield lot


def _link_mac(observations: Iterable[Observation], judgement: Judgement) -> str | None:
    device = judgement.identity.device
    return next((o.text("mac") for o in observations if o.device == device and o.transport == "link"), None)


def _other_places(observations: Iterable[Observation], judgement: Judgement) -> list[tuple[str, str]]:
    """Aliases of a device that stands at several addresses: where else it was seen, and its MACs there."""
    found: dict[tuple[str, str], None] = {}
    for seen in observations:
        if seen.device == judgement.identity.device and (place := seen.text("also_at")):
            found["channel" if "#" in place else "address", place] = None
            if seen.transport == "alias" and seen.text("mac"):
                found["mac", seen.text("mac")] = None
    return list(found)


def _by_word(observations: Iterable[Observation], judgement: Judgement, link_mac: str | None) -> list[tuple[str, str]]:
    """Names by which a device is found and never recognised, since they are only its word or a person's.

    ``declared`` is a MAC that a person wrote down, ``told`` one that the device tells of itself and the address under
    which it says it is managed (LLDP).
    """
    device, declared, told = judgement.identity.device, set[str](), dict[str, None]()
    for seen in observations:
        if seen.device == device and seen.transport == "label":
            declared.update(value.upper().replace("-", ":") for value in seen.values("mac"))
        elif seen.device == device and seen.transport == "lldp" and seen.text("ipv4"):
            told[seen.text("ipv4")] = None
    macs = [("declared" if mac in declared else "told", mac) for mac in judgement.identity.macs
            if mac != (link_mac or "").upper()]
    return [*macs, *(("told", address) for address in told if address != device)]


def _recognise(connection: Connection, site: str, identity: Identity, link_mac: str | None, seen: str,
               taken: Set[str], others: Sequence[tuple[str, str]] = ()) -> str:
    """The inventory id of this device: an old one where it was seen before, else a new one; aliases are refreshed."""
    found = _known(connection, site, identity, link_mac, taken)
    if found is None:
        found = secrets.token_hex(8)
        connection.execute(insert(tables.device).values(id=found, site=site, first_seen=seen, last_seen=seen))
    else:
        connection.execute(update(tables.device).where(tables.device.c.id == found).values(last_seen=seen))
    for kind, value in (*_aliases(identity, link_mac), *((kind, value[:200]) for kind, value in others)):
        here = and_(tables.alias.c.device == found, tables.alias.c.kind == kind, tables.alias.c.value == value)
        if connection.execute(update(tables.alias).where(here).values(last_seen=seen)).rowcount == 0:
            connection.execute(insert(tables.alias).values(device=found, kind=kind, value=value, first_seen=seen,
                                                           last_seen=seen))
    return found


def _aliases(identity: Identity, link_mac: str | None) -> list[tuple[str, str]]:
    pairs = [("address", identity.device)]
    if link_mac:
        pairs.append(("mac", link_mac))
    if identity.serial:
        pairs.append(("serial", _serial(identity)))
    return [(kind, value[:200]) for kind, value in pairs]


def _serial(identity: Identity) -> str:
    return f"{identity.maker or 'unknown'}:{identity.serial}"


def _known(connection: Connection, site: str, identity: Identity, link_mac: str | None, taken: Set[str]) -> str | None:
    def holders(kind: str, value: str) -> list[str]:
        return list(connection.execute(
            select(tables.alias.c.device).join(tables.device, tables.device.c.id == tables.alias.c.device)
            .where(tables.device.c.site == site, tables.alias.c.kind == kind, tables.alias.c.value == value[:200])
            .order_by(tables.alias.c.last_seen.desc())).scalars())

    def contradicts(device: str, kind: str, value: str | None) -> bool:
        known = set(connection.execute(select(tables.alias.c.value).where(
            tables.alias.c.device == device, tables.alias.c.kind == kind)).scalars())
        return value is not None and bool(known) and value[:200] not in known

    serial = _serial(identity) if identity.serial else None
    if link_mac and "#" not in identity.device:
        for device in holders("mac", link_mac):
            # One device may have two addresses; a router that answers for others has many, and theirs are not one.
            if device not in taken or not contradicts(device, "serial", serial):
                return device
    if serial:
        for device in holders("serial", serial):
            if device not in taken and not contradicts(device, "mac", link_mac):
                return device
    for device in holders("address", identity.device):
        if device not in taken and not (contradicts(device, "mac", link_mac)
                                        or contradicts(device, "serial", serial)):
            return device
    return None
