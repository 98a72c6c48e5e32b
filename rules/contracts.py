"""A small register of federal contracts: what a report under FAR 52.204-25(d) asks for and no scanner can see.

A YAML file that the contractor keeps. Nothing in it is needed to begin: what is missing is asked for in the report.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal, get_origin

from pydantic import AwareDatetime, Field, ValidationInfo, field_validator, model_validator

from rules.documents import DataError, Document, read

__all__ = ["Contract", "Contractor", "Identification", "Order", "Register", "Supplier", "load"]

Clause = Literal["52.204-25", "52.240-91"]
_DAY = len("YYYY-MM-DD")
_SHOWN = 60                          # characters of what was found that a message repeats
Uei = Field(default="", pattern=r"^(?:[A-HJ-NP-Z1-9][A-HJ-NP-Z0-9]{11})?$")
Cage = Field(default="", pattern=r"^(?:[A-Z0-9]{5})?$")


class Entry(Document):
    """Base of what stands in the register: what has the wrong shape is told as what was expected in its place."""

    @model_validator(mode="before")
    @classmethod
    def _has_fields(cls, value: object) -> object:
        if isinstance(value, (Mapping, cls)):
            return value
        names = list(cls.model_fields)
        shown = _shown(value)
        example = f"{{{names[0]}: {shown}}}" if isinstance(value, (str, int)) else f"{{{names[0]}: …}}"
        raise ValueError(f"expected the fields {', '.join(names)}, as in {example}, found {shown}")

    @field_validator("*", mode="before")
    @classmethod
    def _is_list(cls, value: object, info: ValidationInfo) -> object:
        field = cls.model_fields[info.field_name or ""]
        if get_origin(field.annotation) is tuple and not isinstance(value, (list, tuple)):
            raise ValueError(f"expected a list, as in [{_shown(value)}]" if isinstance(value, (str, int)) else
                             f"expected a list, found {_shown(value)}")
        return value


def _shown(value: object) -> str:
    return "nothing" if value is None else "a list" if isinstance(value, list) else (
        "fields" if isinstance(value, Mapping) else str(value)[:_SHOWN])


class Contractor(Entry):
    """Who reports."""

    name: str = ""
    uei: str = Uei
    cage: str = Cage


class Order(Entry):
    """An order under an indefinite-delivery contract, and who administers it."""

    number: str
    contracting_officer: str = ""


class Contract(Entry):
    """One contract: the clause that is in force in it, whose it is, and its orders."""

    number: str
    clause: Clause
    agency: str = ""
    dod: bool = False
    indefinite_delivery: bool = False
    contracting_officer: str = ""
    reporting_procedure: str = ""        # where the contract establishes one of its own
    orders: tuple[Order, ...] = ()


class Supplier(Entry):
    """Who supplied devices: named by device keys, inventory ids, addresses, MACs or serial numbers."""

    name: str
    uei: str = Uei
    cage: str = Cage
    devices: tuple[str, ...] = ()


class Identification(Entry):
    """A person's confirmation that a device is covered equipment: it starts the clock.

    ``identified_at`` is when it was identified, or when a subcontractor or another source gave notice: a day, or a time
    with its offset from UTC (``2026-11-20T23:59:00-05:00``). The day that counts is the one that stands there: the
    calendar day at the place of whoever identified it. A time without an offset could be two days and is refused.
    """

    device: str
    identified_at: date | AwareDatetime
    by: str
    notified_by: str = ""
    contract: str = ""
    orders: tuple[str, ...] = ()
    item_description: str = ""
    model_number: str = ""
    mitigation: str = ""
    reported_on: date | None = None
    prevention_efforts: str = ""
    additional_efforts: str = ""

    @field_validator("identified_at", mode="before")
    @classmethod
    def _day_or_moment(cls, value: object) -> object:
        """A text is a day or a time with an offset; a time at midnight is never taken for a mere day."""
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value) if len(value) == _DAY else datetime.fromisoformat(value)
            except ValueError as error:
                raise ValueError("expected YYYY-MM-DD, or a time with its offset: 2026-11-20T23:59:00-05:00") from error
        if isinstance(value, datetime) and value.utcoffset() is None:
            raise ValueError("a time needs its offset from UTC, as in 2026-11-20T23:59:00-05:00")
        return value

    @property
    def day(self) -> date:
        """The calendar day of the identification, where it was made."""
        return self.identified_at.date() if isinstance(self.identified_at, datetime) else self.identified_at

    @property
    def moment(self) -> datetime | None:
        """The very time, where it was told."""
        return self.identified_at if isinstance(self.identified_at, datetime) else None

    def not_yet(self, now: datetime) -> str:
        """Which of its days lies after `now`, for a person; empty where none does. A mere day is one of UTC."""
        today = now.astimezone(UTC).date()
        if self.day > today if self.moment is None else self.moment > now:
            ahead = f"identified_at {self.identified_at.isoformat()}"
        elif self.reported_on is not None and self.reported_on > today:
            ahead = f"reported_on {self.reported_on}"
        else:
            return ""
        return (f"{ahead} lies in the future; today is {today} (UTC)"
                + ("" if self.moment else ": where that day has begun already, write the time with its offset"))

    @model_validator(mode="after")
    def _in_order(self) -> Identification:
        if self.reported_on is not None and self.reported_on < self.day:
            raise ValueError("reported_on lies before identified_at")
        return self


class Register(Entry):
    """The register as a whole."""

    contractor: Contractor = Contractor()
    contracts: tuple[Contract, ...] = ()
    suppliers: tuple[Supplier, ...] = ()
    identifications: tuple[Identification, ...] = ()

    @model_validator(mode="after")
    def _hangs_together(self) -> Register:
        known = {contract.number for contract in self.contracts}
        if len(known) != len(self.contracts):
            raise ValueError("two contracts with one number")
        if unknown := {one.contract for one in self.identifications if one.contract} - known:
            raise ValueError(f"contracts not in the register: {', '.join(sorted(unknown))}")
        return self


def load(path: Path, now: datetime) -> Register:
    """The register of a file, as it can be true at `now`.

    Raises:
        rules.documents.DataError: with the path and the field that does not fit, or the device and the day of what
            nobody can have identified or reported yet.
    """
    register = read(path, Register)
    for place, one in enumerate(register.identifications):
        if ahead := one.not_yet(now):
            raise DataError(f"{path}: identifications.{place}: device {one.device}: {ahead}")
    return register
