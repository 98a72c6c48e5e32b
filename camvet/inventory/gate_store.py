"""What the gate decided, and what came of it: attestations, waivers, attachments, metrics, camera events.

Every decision is stored together with its event in the hash-chained log, in one transaction: there is no state that the
log does not tell of. Metrics and what happens to a stream by itself are kept beside it, since they end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from camvet.inventory import chain, tables
from camvet.inventory.tables import InventoryError
from scanner import clock

__all__ = ["AttachmentRow", "AttachmentState", "AttestationRow", "CameraEvent", "GateStore", "MetricRow", "WaiverRow"]


class AttachmentState(StrEnum):
    """Where an attached camera stands. Only `camvet attach` leads from ``suspended`` back to ``attached``."""

    ATTACHED = "attached"
    SUSPENDED = "suspended"
    DETACHED = "detached"


@dataclass(frozen=True, slots=True)
class AttestationRow:
    """A stored attestation. The envelope is what counts; the other columns are for lists and reports."""

    id: str
    device: str
    envelope: str
    issued: str
    expires: str
    actor: str
    revoked_at: str | None = None
    revoked_by: str | None = None
    revoked_reason: str | None = None


@dataclass(frozen=True, slots=True)
class WaiverRow:
    """Somebody's acceptance of one rule's finding on one device, until it ends."""

    device: str
    rule: str
    reason: str
    actor: str
    made: str
    expires: str


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """A camera that was let in: for what, under which attestation, and where it stands since when.

    `order` is JSON: ``purpose apps retention_days dpia credentials path port``, and ``port_map neighbours`` where the
    command named such files. `rule` and `because` say why it is suspended or detached.
    """

    device: str
    address: str
    order: Mapping[str, Any]
    attestation: str
    state: AttachmentState
    rule: str
    because: str
    since: str
    actor: str


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One number about an interval of one camera."""

    device: str
    app: str
    name: str
    value: float
    unit: str
    start: str
    end: str
    quality: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CameraEvent:
    """Something that happened to an attached camera, or to an attempt to attach it."""

    device: str
    at: str
    kind: str
    rule: str
    because: str


class GateStore:
    """The gate's part of the inventory; every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._engine.execution_options(writes=True).begin() as connection:
            yield connection

    # -- decisions ----------------------------------------------------------------------------------------------------

    def add_attestation(self, row: AttestationRow, *, at: datetime, document: Mapping[str, Any]) -> None:
        """Store an attestation; `document` says in the log what it says: verdict, fingerprint, lists."""
        with self._writing() as connection:
            connection.execute(insert(tables.attestation).values(
                id=row.id, device=row.device, envelope=row.envelope, issued=row.issued, expires=row.expires,
                actor=row.actor))
            chain.append(connection, at=at, actor=row.actor, kind="device.approved", subject=row.device,
                         document={**document, "attestation": row.id, "expires": row.expires})

    def add_waiver(self, row: WaiverRow, *, at: datetime) -> None:
        """Store a waiver."""
        with self._writing() as connection:
            connection.execute(insert(tables.waiver).values(
                device=row.device, rule=row.rule, reason=row.reason, actor=row.actor, made=row.made,
                expires=row.expires))
            chain.append(connection, at=at, actor=row.actor, kind="rule.waived", subject=row.device,
                         document={"rule": row.rule, "reason": row.reason, "expires": row.expires})

    def revoke(self, attestations: Collection[str], *, at: datetime, actor: str, reason: str) -> Sequence[str]:
        """Take attestations back, and suspend what is attached by them; returns the devices that were suspended."""
        with self._writing() as connection:
            return self._take_back(connection, attestations, at=at, actor=actor, rule="attestation.revoked",
                                   reason=reason)

    def reject(self, device: str, *, at: datetime, actor: str, rule: str, reason: str,
               document: Mapping[str, Any]) -> tuple[list[str], bool]:
        """Keep a device out: the attestations that were revoked by it, and whether an attached camera was suspended.

        `document` says in the log what was decided; `rule` is what a suspension names.
        """
        with self._writing() as connection:
            self._happened(connection, CameraEvent(device, clock.stamp(at), "rejected", rule, reason))
            chain.append(connection, at=at, actor=actor, kind="device.rejected", subject=device, document=document)
            given = list(connection.execute(select(tables.attestation.c.id).where(
                tables.attestation.c.device == device, tables.attestation.c.revoked_at.is_(None))).scalars())
            suspended = self._take_back(connection, given, at=at, actor=actor, rule=rule, reason=reason)
        return sorted(given), bool(suspended)

    def _take_back(self, connection: Connection, attestations: Collection[str], *, at: datetime, actor: str, rule: str,
                   reason: str) -> list[str]:
        """Revoke attestations and suspend what is attached by them; the devices that were suspended."""
        suspended = []
        for one in sorted(attestations):
            connection.execute(update(tables.attestation).where(
                tables.attestation.c.id == one, tables.attestation.c.revoked_at.is_(None)).values(
                    revoked_at=clock.stamp(at), revoked_by=actor, revoked_reason=reason))
            chain.append(connection, at=at, actor=actor, kind="attestation.revoked", subject=one,
                         document={"reason": reason})
            for device in list(connection.execute(select(tables.attachment.c.device).where(
                    tables.attachment.c.attestation == one,
                    tables.attachment.c.state == AttachmentState.ATTACHED)).scalars()):
                self._set(connection, device, AttachmentState.SUSPENDED, at=at, actor=actor, rule=rule, because=reason)
                suspended.append(device)
        return suspended

    def attach(self, row: AttachmentRow, *, at: datetime) -> None:
        """Store an attachment in the place of the device's last one, whatever became of that."""
        values = {"address": row.address, "order": dict(row.order), "attestation": row.attestation,
                  "state": str(row.state), "rule": row.rule, "because": row.because, "since": row.since,
                  "actor": row.actor}
        with self._writing() as connection:
            there = update(tables.attachment).where(tables.attachment.c.device == row.device).values(values)
            if connection.execute(there).rowcount == 0:
                connection.execute(insert(tables.attachment).values(device=row.device, **values))
            self._happened(connection, CameraEvent(row.device, clock.stamp(at), "attached", "", ""))
            chain.append(connection, at=at, actor=row.actor, kind="camera.attached", subject=row.device,
                         document={"address": row.address, "attestation": row.attestation, **row.order})

    def refuse(self, device: str, *, at: datetime, actor: str, wanted: str, rule: str, because: str) -> None:
        """Note that `wanted` (``approve attach``) was refused, by which rule."""
        with self._writing() as connection:
            self._happened(connection, CameraEvent(device, clock.stamp(at), "refused", rule, because))
            chain.append(connection, at=at, actor=actor, kind=f"{wanted}.refused", subject=device,
                         document={"rule": rule, "because": because})

    def suspend(self, device: str, *, at: datetime, actor: str, rule: str, because: str) -> bool:
        """Suspend an attached camera; false where it is not attached any more, and then nothing is changed."""
        return self._leave(device, AttachmentState.SUSPENDED, at=at, actor=actor, rule=rule, because=because)

    def detach(self, device: str, *, at: datetime, actor: str, because: str = "") -> bool:
        """Detach a camera, attached or suspended; false where it is neither."""
        return self._leave(device, AttachmentState.DETACHED, at=at, actor=actor, rule="", because=because)

    def _leave(self, device: str, state: AttachmentState, *, at: datetime, actor: str, rule: str,
               because: str) -> bool:
        before = [AttachmentState.ATTACHED]
        if state is AttachmentState.DETACHED:
            before.append(AttachmentState.SUSPENDED)
        with self._writing() as connection:
            found = connection.execute(select(tables.attachment.c.state).where(
                tables.attachment.c.device == device, tables.attachment.c.state.in_(before))).first()
            if found is None:
                return False
            self._set(connection, device, state, at=at, actor=actor, rule=rule, because=because)
        return True

    def _set(self, connection: Connection, device: str, state: AttachmentState, *, at: datetime, actor: str,
             rule: str, because: str) -> None:
        connection.execute(update(tables.attachment).where(tables.attachment.c.device == device).values(
            state=str(state), rule=rule, because=because, since=clock.stamp(at), actor=actor))
        self._happened(connection, CameraEvent(device, clock.stamp(at), str(state), rule, because))
        chain.append(connection, at=at, actor=actor, kind=f"camera.{state}", subject=device,
                     document={"rule": rule, "because": because})

    # -- what comes of them -------------------------------------------------------------------------------------------

    def add_metric(self, row: MetricRow) -> None:
        """Store one number."""
        with self._writing() as connection:
            connection.execute(insert(tables.metric).values(
                device=row.device, app=row.app, name=row.name, value=row.value, unit=row.unit, start=row.start,
                end=row.end, quality=dict(row.quality)))

    def add_event(self, event: CameraEvent) -> None:
        """Store what happened to a stream by itself; decisions are stored by the methods above."""
        with self._writing() as connection:
            self._happened(connection, event)

    @staticmethod
    def _happened(connection: Connection, event: CameraEvent) -> None:
        connection.execute(insert(tables.camera_event).values(
            device=event.device, at=event.at, kind=event.kind, rule=event.rule, because=event.because))

    def purge_metrics(self, now: datetime) -> Mapping[str, int]:
        """Delete metrics that are older than their camera's retention; how many of each device, where there were any.

        The count is logged, the numbers are not. An interval counts by its end.
        """
        deleted: dict[str, int] = {}
        with self._writing() as connection:
            for row in connection.execute(select(tables.attachment.c.device, tables.attachment.c.order)).all():
                oldest = clock.stamp(now - timedelta(days=row.order["retention_days"]))
                gone = connection.execute(delete(tables.metric).where(
                    tables.metric.c.device == row.device, tables.metric.c.end < oldest)).rowcount
                if gone:
                    deleted[row.device] = gone
                    chain.append(connection, at=now, actor="retention", kind="metrics.purged", subject=row.device,
                                 document={"deleted": gone, "older_than": oldest})
        return deleted

    # -- asking -------------------------------------------------------------------------------------------------------

    def attestations(self, device: str) -> list[AttestationRow]:
        """The device's attestations, newest first, revoked and expired ones included."""
        query = select(tables.attestation).where(tables.attestation.c.device == device).order_by(
            tables.attestation.c.issued.desc(), tables.attestation.c.id)
        with self._engine.connect() as connection:
            return [AttestationRow(**row._mapping) for row in connection.execute(query)]

    def attestation(self, wanted: str) -> AttestationRow | None:
        """One attestation by its id or at least eight digits of its beginning; `InventoryError` where it is unclear."""
        if len(wanted) < 8 or not all(char in "0123456789abcdef" for char in wanted):
            return None
        query = select(tables.attestation).where(tables.attestation.c.id.startswith(wanted)).limit(2)
        with self._engine.connect() as connection:
            found = [AttestationRow(**row._mapping) for row in connection.execute(query)]
        if len(found) > 1:
            raise InventoryError(f"more than one attestation begins with {wanted}")
        return found[0] if found else None

    def revoked(self) -> frozenset[str]:
        """The ids of all revoked attestations; the log counts even where somebody edited the table."""
        with self._engine.connect() as connection:
            marked = connection.execute(select(tables.attestation.c.id).where(
                tables.attestation.c.revoked_at.is_not(None))).scalars()
            logged = connection.execute(select(tables.events.c.subject).where(
                tables.events.c.kind == "attestation.revoked")).scalars()
            return frozenset([*marked, *logged])

    def waivers(self, device: str) -> list[WaiverRow]:
        """The device's waivers, oldest first, expired ones included."""
        query = select(tables.waiver).where(tables.waiver.c.device == device).order_by(tables.waiver.c.number)
        with self._engine.connect() as connection:
            return [WaiverRow(row.device, row.rule, row.reason, row.actor, row.made, row.expires)
                    for row in connection.execute(query)]

    def attachments(self, site: str | None = None) -> list[AttachmentRow]:
        """Every camera that was ever attached, by address, with where it stands now."""
        query = select(tables.attachment).join(
            tables.device, tables.device.c.id == tables.attachment.c.device).order_by(
                tables.attachment.c.address, tables.attachment.c.device)
        if site is not None:
            query = query.where(tables.device.c.site == site)
        with self._engine.connect() as connection:
            return [_attachment(row) for row in connection.execute(query)]

    def attachment(self, device: str) -> AttachmentRow | None:
        """The device's attachment, where it was ever attached."""
        with self._engine.connect() as connection:
            row = connection.execute(select(tables.attachment).where(tables.attachment.c.device == device)).first()
            return None if row is None else _attachment(row)

    def metrics(self, device: str, *, since: str = "") -> list[MetricRow]:
        """The device's metrics whose interval ended at `since` (a stamp) or later, oldest first."""
        query = select(tables.metric).where(tables.metric.c.device == device, tables.metric.c.end >= since).order_by(
            tables.metric.c.number)
        with self._engine.connect() as connection:
            return [MetricRow(row.device, row.app, row.name, row.value, row.unit, row.start, row.end, row.quality)
                    for row in connection.execute(query)]

    def camera_events(self, device: str | None = None, *, since: str = "") -> list[CameraEvent]:
        """What happened to one device, or to all, oldest first."""
        query = select(tables.camera_event).where(tables.camera_event.c.at >= since).order_by(
            tables.camera_event.c.number)
        if device is not None:
            query = query.where(tables.camera_event.c.device == device)
        with self._engine.connect() as connection:
            return [CameraEvent(row.device, row.at, row.kind, row.rule, row.because)
                    for row in connection.execute(query)]


def _attachment(row: Row[Any]) -> AttachmentRow:
    return AttachmentRow(row.device, row.address, row.order, row.attestation, AttachmentState(row.state), row.rule,
                         row.because, row.since, row.actor)
