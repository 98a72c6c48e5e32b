"""The one clock. Everything below the command line takes ``now`` as an argument; this is where it comes from."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["now", "stamp"]


def now() -> datetime:
    """The current time, timezone-aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the one place the ban points to


def stamp(moment: datetime) -> str:
    """ISO 8601 in UTC with a ``Z``, to the millisecond: the form of every time that camvet stores or prints."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
