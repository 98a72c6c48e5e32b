"""Lots of an order: each row judged for its own buyer, day and destination, and the units added up.

An order of 1,500 cameras of which 500 go to one country and some to a federal site is three rows. A row takes what its
columns ``buyer activity purpose as_of`` say, and the options of the command where a cell is empty or missing. Its
``destination`` adds the roles that `rules.delivery` knows of that place; a ``recipient`` is screened as whom it is sent
to. What the place leaves open is said, and is never clean.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from camvet.assessment import as_of_day
from camvet.context import UsageError
from camvet.screening import Screened, Screener
from camvet.sheets import Sheet

if TYPE_CHECKING:
    from rules.delivery import Delivery

__all__ = ["ANSWERS", "COLUMNS", "Lot", "Lots", "Share", "answers_of", "lot_json", "shares", "totals"]

COLUMNS = ("buyer", "activity", "purpose", "as_of", "destination", "recipient", "units")
ANSWERS = ("camvet_destination", "camvet_by_role", "camvet_destination_says")
_HELD = ("match", "review", "no_match")
_NOT_ASSESSED = "not_assessed"


@dataclass(frozen=True, slots=True)
class Share:
    """The units of one destination for one role, with what they amount to."""

    destination: str
    role: str
    result: str
    units: int


@dataclass(frozen=True, slots=True)
class Lot:
    """One row: the answer that counts, what it amounts to for each role, and where the goods go."""

    answer: Screened
    by_role: tuple[tuple[str, str], ...]
    delivery: Delivery | None
    recipient: Screened | None
    units: int

    @property
    def says(self) -> tuple[str, ...]:
        """What has to be said of the place, what was not assessed first."""
        if self.delivery is None:
            return ()
        return (*filter(None, (self.delivery.not_assessed,)), *self.delivery.says,
                *(f"{one.role} ({one.activity}): {one.because}" for one in self.delivery.judged))

    @property
    def not_assessed(self) -> bool:
        """Whether no law of a place that it goes to is modelled."""
        return self.delivery is not None and bool(self.delivery.not_assessed)


@dataclass(frozen=True, slots=True)
class Lots:
    """The columns that a sheet has of `COLUMNS`, by index, and the screener whose options are the defaults."""

    sheet: Sheet
    screener: Screener
    columns: dict[str, int]
    made: dict[tuple[str, ...], Screener]

    @classmethod
    def of(cls, sheet: Sheet, screener: Screener) -> Lots:
        """Lots of a sheet, every row of which was read. Raises `UsageError` where it has none of the columns.

        A buyer, an activity, a day or a number that does not exist is refused with its row and column, before any row
        is judged.
        """
        names = [name.strip().casefold().replace(" ", "_") for name in sheet.header]
        columns = {name: names.index(name) for name in COLUMNS if name in names}
        if not columns:
            raise UsageError(f"--lots: expected at least one column of {', '.join(COLUMNS)}")
        lots = cls(sheet, screener, columns, {})
        for number, row in sheet.rows:
            cell = lots._cells(row)
            lots._units(number, cell)
            lots._own(number, cell)
        return lots

    def _cells(self, row: Sequence[str]) -> dict[str, str]:
        return {name: row[index].strip() for name, index in self.columns.items()}

    def judge(self, number: int, row: Sequence[str]) -> Lot:
        """The answer for one lot."""
        from rules.delivery import delivery_to
        from rules.effects import together
        from rules.vocabulary import Overall

        cell = self._cells(row)
        line, units = row[self.sheet.column], self._units(number, cell)
        own = self._own(number, cell)
        whom = cell.get("recipient", "")
        delivery = delivery_to(cell["destination"], whom) if cell.get("destination") else None
        unsettled = delivery is not None and bool(delivery.not_assessed)
        parts = [own(line), *(self._for(own, one.role, str(one.activity))(line) for one in delivery.judged)] if (
            delivery) else [own(line)]
        recipient = self._for(own, "exporter", "export_to")(whom) if whom else None
        by_role = [pair for part in parts for pair in _by_role(part)]
        if recipient is not None and str(recipient.found.action) != "no_match":
            by_role += [(f"exporter to {whom}", result) for _, result in _by_role(recipient)]
        if unsettled:
            by_role.append(("the law there", _NOT_ASSESSED))
        worst = min(parts, key=lambda part: _HELD.index(str(part.found.action)))
        known = [part.effects for part in parts if part.effects is not None
                 and part.effects.party.id == worst.found.entity]
        effects = together(known) if known else None
        if effects is not None and unsettled and effects.overall is not Overall.PROHIBITED:
            effects = replace(effects, overall=Overall.REVIEW)      # what nobody assessed is never clean
        answer = replace(worst, effects=effects)
        return Lot(answer, tuple(dict.fromkeys(by_role)), delivery, recipient, units)

    def _own(self, number: int, cell: dict[str, str]) -> Screener:
        """The screener for the row's own buyer, activity, purpose and day."""
        from rules.regimes import Activity

        key = tuple(cell.get(name, "") for name in ("buyer", "activity", "purpose", "as_of"))
        if key not in self.made:
            buyers = [name for name in re.split(r"[,;\s]+", cell.get("buyer", "")) if name]
            activity = cell.get("activity", "").lower().replace("-", "_")
            if activity and activity not in set(Activity):
                raise UsageError(f"row {number}, column activity: expected one of {', '.join(Activity)}")
            try:
                day = as_of_day(cell["as_of"]) if cell.get("as_of") else self.screener.as_of
            except UsageError as error:
                raise UsageError(f"row {number}, column as_of: {str(error).removeprefix('--as-of ')}") from error
            screener = replace(
                self.screener, buyers=buyers or self.screener.buyers, activity=activity or self.screener.activity,
                purpose=cell.get("purpose") or self.screener.purpose, asked=bool(buyers) or self.screener.asked,
                as_of=day, _effects={})
            try:
                screener.check()
            except UsageError as error:
                raise UsageError(f"row {number}, column buyer: {error}") from error
            self.made[key] = screener
        return self.made[key]

    def _for(self, own: Screener, role: str, activity: str) -> Screener:
        """The same question for a role that the place adds, doing what it does there."""
        key = (role, activity, own.purpose or "", own.as_of.isoformat(), "there")
        if key not in self.made:
            self.made[key] = replace(own, buyers=[role], activity=activity, asked=True, _effects={})
        return self.made[key]

    def _units(self, number: int, cell: dict[str, str]) -> int:
        """How many units a lot has; one where no column says. Raises `UsageError` with the row for no number."""
        if "units" not in cell:
            return 1
        text = cell["units"].replace(",", "").removesuffix(".0")
        if not (text.isascii() and text.isdigit() and len(text) <= 9):
            raise UsageError(f"row {number}, column units: expected a whole number, found {text[:20]!r}")
        return int(text)


def _by_role(part: Screened) -> list[tuple[str, str]]:
    if str(part.found.action) == "no_match" or part.effects is None:
        roles = part.effects.buyers if part.effects is not None else part.buyers
        return [(role, str(part.found.action)) for role in roles]
    return [(role, f"{part.found.action}: {part.effects.overall_for(role)}") for role in part.effects.buyers]


def totals(lots: Sequence[Lot]) -> dict[str, int]:
    """Units by what they amount to: the overall of what matches or is for review, ``no_match`` for the rest."""
    counted: Counter[str] = Counter()
    for lot in lots:
        action, effects = str(lot.answer.found.action), lot.answer.effects
        told = action if action == "no_match" or effects is None else f"{action}: {effects.overall}"
        counted[f"{told}, {_NOT_ASSESSED} there" if lot.not_assessed else told] += lot.units
    return dict(sorted(counted.items()))


def shares(lots: Sequence[Lot]) -> list[Share]:
    """Units by destination, role and result. A lot counts once for each role that is judged for it."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for lot in lots:
        where = lot.delivery.text if lot.delivery is not None else ""
        for role, result in lot.by_role:
            counted[where, role, result] += lot.units
    return [Share(*key, units) for key, units in counted.items()]


def answers_of(lot: Lot) -> list[str]:
    """The cells that a row gets beside those of `camvet.screening`, as `ANSWERS` names them."""
    return [lot.delivery.name if lot.delivery else "", "; ".join(f"{role} {result}" for role, result in lot.by_role),
            "; ".join(lot.says)]


def lot_json(lot: Lot) -> dict[str, Any]:
    """What a row says beside the answer of `camvet.screening.screened_json`."""
    from camvet.screening import screened_json

    return {"units": lot.units, "by_role": [{"role": role, "result": result} for role, result in lot.by_role],
            "destination": {"text": lot.delivery.text, "name": lot.delivery.name,
                            "places": [place.place for place in lot.delivery.places],
                            "not_assessed": lot.delivery.not_assessed or None, "says": list(lot.says),
                            } if lot.delivery else None,
            "recipient": screened_json(lot.recipient) if lot.recipient else None}
