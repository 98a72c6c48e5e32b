"""Lots of an order: each row judged for its own buyer, activity, purpose and day, and the units added up.

An order of 1,500 cameras of which 500 go to one country and some to a federal site is three rows. A row takes what
its columns ``buyer activity purpose as_of`` say, and the options of the command where a cell is empty or missing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from camvet.assessment import as_of_day
from camvet.context import UsageError
from camvet.screening import Screened, Screener
from camvet.sheets import Sheet

__all__ = ["COLUMNS", "Lots", "totals"]

COLUMNS = ("buyer", "activity", "purpose", "as_of", "destination", "units")


@dataclass(frozen=True, slots=True)
class Lots:
    """The columns that a sheet has of `COLUMNS`, by index, and the screener whose options are the defaults."""

    sheet: Sheet
    screener: Screener
    columns: dict[str, int]
    made: dict[tuple[str, ...], Screener]

    @classmethod
    def of(cls, sheet: Sheet, screener: Screener) -> Lots:
        """Lots of a sheet. Raises `UsageError` where it has none of the columns."""
        names = [name.strip().casefold().replace(" ", "_") for name in sheet.header]
        columns = {name: names.index(name) for name in COLUMNS if name in names}
        if not columns:
            raise UsageError(f"--lots: expected at least one column of {', '.join(COLUMNS)}")
        return cls(sheet, screener, columns, {})

    def screen(self, number: int, row: Sequence[str]) -> Screened:
        """The answer for one lot. Raises `UsageError` with the row for a buyer, activity or day that does not exist."""
        from rules.regimes import Activity

        cell = {name: row[index].strip() for name, index in self.columns.items()}
        key = tuple(cell.get(name, "") for name in ("buyer", "activity", "purpose", "as_of"))
        if key not in self.made:
            buyers = [name for name in re.split(r"[,;\s]+", cell.get("buyer", "")) if name]
            activity = cell.get("activity", "").lower().replace("-", "_")
            if activity and activity not in set(Activity):
                raise UsageError(f"row {number}, column activity: expected one of {', '.join(Activity)}")
            try:
                screener = replace(
                    self.screener, buyers=buyers or self.screener.buyers,
                    activity=activity or self.screener.activity,
                    purpose=cell.get("purpose") or self.screener.purpose, asked=bool(buyers) or self.screener.asked,
                    as_of=as_of_day(cell["as_of"]) if cell.get("as_of") else self.screener.as_of, _effects={})
                screener.check()
            except UsageError as error:
                raise UsageError(f"row {number}: {error}") from error
            self.made[key] = screener
        return self.made[key](row[self.sheet.column])

    def units(self, number: int, row: Sequence[str]) -> int:
        """How many units a lot has; one where no column says. Raises `UsageError` with the row for no number."""
        if "units" not in self.columns:
            return 1
        text = row[self.columns["units"]].strip().replace(",", "").removesuffix(".0")
        if not (text.isascii() and text.isdigit() and len(text) <= 9):
            raise UsageError(f"row {number}, column units: expected a whole number, found {text[:20]!r}")
        return int(text)


def totals(lots: Lots, done: Sequence[Screened]) -> dict[str, int]:
    """Units by what they amount to: the overall of what matches or is for review, ``no_match`` for the rest."""
    counted: Counter[str] = Counter()
    for (number, row), found in zip(lots.sheet.rows, done, strict=True):
        if str(found.found.action) == "no_match" or found.effects is None:
            counted[str(found.found.action)] += lots.units(number, row)
        else:
            counted[f"{found.found.action}: {found.effects.overall}"] += lots.units(number, row)
    return dict(sorted(counted.items()))
