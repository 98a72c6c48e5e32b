"""The tables, in SQLAlchemy Core, and how a database is opened and brought to the newest schema.

SQLite (WAL) is the default; nothing here is SQLite's own but the pragmas and the triggers that keep the log
append-only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from camvet.context import UsageError

__all__ = ["HEAD", "InventoryError", "alias", "attachment", "attempt", "attestation", "camera_event", "device",
           "events", "judgement", "metadata", "metric", "observation", "open_engine", "sweep", "waiver"]

HEAD = "0002"          # the newest migration; a test holds it against the scripts


class InventoryError(UsageError):
    """A database that cannot be used, said in one line."""


metadata = MetaData(naming_convention={
    "pk": "pk_%(table_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s", "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_name)s",
})

device = Table(
    "device", metadata,
    Column("id", String(16), primary_key=True),              # opaque, never reused
    Column("site", String(120), nullable=False, index=True),
    Column("first_seen", String(30), nullable=False),
    Column("last_seen", String(30), nullable=False),
)

alias = Table(
    "alias", metadata,
    Column("device", ForeignKey("device.id"), primary_key=True),
    Column("kind", String(20), primary_key=True),            # mac, serial, uuid, address
    Column("value", String(200), primary_key=True),
    Column("first_seen", String(30), nullable=False),
    Column("last_seen", String(30), nullable=False),
    Index("ix_alias_kind_value", "kind", "value"),
)

sweep = Table(
    "sweep", metadata,
    Column("id", String(40), primary_key=True),
    Column("site", String(120), nullable=False, index=True),
    Column("started", String(30), nullable=False),
    Column("finished", String(30), nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("policy", String(60), nullable=False),
    Column("as_of", String(10), nullable=False),
    Column("document", JSON, nullable=False),                # scope, interfaces, silent, foreign, dropped, lists
)

observation = Table(
    "observation", metadata,
    Column("sweep", ForeignKey("sweep.id"), primary_key=True),
    Column("id", String(16), primary_key=True),
    Column("device", ForeignKey("device.id"), nullable=True, index=True),
    Column("key", String(80), nullable=False),
    Column("document", JSON, nullable=False),
)

attempt = Table(
    "attempt", metadata,
    Column("sweep", ForeignKey("sweep.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("device", ForeignKey("device.id"), nullable=True, index=True),
    Column("key", String(80), nullable=False),
    Column("document", JSON, nullable=False),
)

judgement = Table(
    "judgement", metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("sweep", ForeignKey("sweep.id"), nullable=False, index=True),
    Column("device", ForeignKey("device.id"), nullable=False, index=True),
    Column("key", String(80), nullable=False),
    Column("policy", String(60), nullable=False),
    Column("as_of", String(10), nullable=False),
    Column("made", String(30), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("identity", JSON, nullable=False),
    Column("verdict", JSON, nullable=False),
    UniqueConstraint("sweep", "device", "key", "policy", "as_of", "made"),
)

events = Table(
    "event", metadata,
    Column("number", Integer, primary_key=True),             # 1, 2, 3 … without a gap
    Column("at", String(30), nullable=False),
    Column("actor", String(120), nullable=False),
    Column("kind", String(60), nullable=False, index=True),
    Column("subject", String(120), nullable=False, index=True),
    Column("document", Text, nullable=False),                # canonical JSON, exactly as hashed
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
)

attestation = Table(
    "attestation", metadata,
    Column("id", String(64), primary_key=True),              # SHA-256 of the signed statement
    Column("device", ForeignKey("device.id"), nullable=False, index=True),
    Column("envelope", Text, nullable=False),                # what counts; the columns below only spare opening it
    Column("issued", String(30), nullable=False),
    Column("expires", String(30), nullable=False),
    Column("actor", String(120), nullable=False),
    Column("revoked_at", String(30), nullable=True),
    Column("revoked_by", String(120), nullable=True),
    Column("revoked_reason", Text, nullable=True),
)

waiver = Table(
    "waiver", metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("device", ForeignKey("device.id"), nullable=False, index=True),
    Column("rule", String(80), nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", String(120), nullable=False),
    Column("made", String(30), nullable=False),
    Column("expires", String(30), nullable=False),
)

attachment = Table(
    "attachment", metadata,
    Column("device", ForeignKey("device.id"), primary_key=True),
    Column("address", String(80), nullable=False),
    Column("order", JSON, nullable=False),                   # purpose, apps, retention, dpia, references: no secret
    Column("attestation", ForeignKey("attestation.id"), nullable=False),
    Column("state", String(20), nullable=False),             # attached, suspended, detached
    Column("rule", String(80), nullable=False),
    Column("because", Text, nullable=False),
    Column("since", String(30), nullable=False),
    Column("actor", String(120), nullable=False),
)

metric = Table(                                              # numbers about intervals; there is no column for a picture
    "metric", metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("device", ForeignKey("device.id"), nullable=False),
    Column("app", String(60), nullable=False),
    Column("name", String(60), nullable=False),
    Column("value", Float, nullable=False),
    Column("unit", String(30), nullable=False),
    Column("start", String(30), nullable=False),
    Column("end", String(30), nullable=False),
    Column("quality", JSON, nullable=False),
    Index("ix_metric_device_end", "device", "end"),
)

camera_event = Table(
    "camera_event", metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("device", ForeignKey("device.id"), nullable=False),
    Column("at", String(30), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("rule", String(80), nullable=False),
    Column("because", Text, nullable=False),
    Index("ix_camera_event_device_at", "device", "at"),
)


def open_engine(url: str) -> Engine:
    """An engine on `url`, its schema at `HEAD`. Raises `InventoryError` where the database cannot be used."""
    try:
        if url.startswith("sqlite:///"):
            Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = create_engine(url)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _sqlite_pragmas)
            event.listen(engine, "begin", _sqlite_begin)
        _migrate(engine)
    except (ArgumentError, DBAPIError, SQLAlchemyError, OSError, ImportError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise InventoryError(f"database {url.rsplit('@', maxsplit=1)[-1]}: {reason}") from error
    return engine


def _sqlite_pragmas(connection: Any, _record: Any) -> None:  # noqa: ANN401 - the driver's own connection
    connection.isolation_level = None        # SQLAlchemy's BEGIN below, not the driver's guess, opens transactions
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: Any) -> None:  # noqa: ANN401
    # Two writers must queue before they read the end of the hash chain, or it would fork; readers need no such lock.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection:
        if inspect(connection).has_table("alembic_version"):
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if found == HEAD:
                return                       # the usual case: alembic, slow to import, is not needed
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["engine"] = engine
    try:
        command.upgrade(config, "head")
    except CommandError as error:            # a revision that is not among the scripts
        raise InventoryError("the database was written by a newer camvet: update this one") from error
