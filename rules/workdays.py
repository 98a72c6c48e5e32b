"""US federal business days: Monday to Friday without the legal public holidays of 5 U.S.C. 6103(a).

A holiday on a Saturday is kept on the Friday before, one on a Sunday on the Monday after. Days off that only some have
(Inauguration Day in Washington, closures by order of the President) are not known here, so a real deadline can only lie
later than the one computed.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

__all__ = ["after", "holidays", "is_business_day"]

_MONDAY, _THURSDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 3, 4, 5, 6
_JUNETEENTH_SINCE = 2021           # Pub. L. 117-17, signed on 2021-06-17 and kept from that year


@lru_cache(maxsize=64)
def holidays(year: int) -> dict[date, str]:
    """The days on which the federal holidays of that year are kept, with their names.

    New Year's Day of the year after is among them where it is kept on 31 December.
    """
    fixed = {date(year, 1, 1): "New Year's Day", date(year, 7, 4): "Independence Day",
             date(year, 11, 11): "Veterans Day", date(year, 12, 25): "Christmas Day",
             date(year + 1, 1, 1): "New Year's Day"}
    if year >= _JUNETEENTH_SINCE:
        fixed[date(year, 6, 19)] = "Juneteenth National Independence Day"
    kept = {_kept(day): name for day, name in fixed.items()}
    kept |= {
        _weekday(year, 1, _MONDAY, 3): "Birthday of Martin Luther King, Jr.",
        _weekday(year, 2, _MONDAY, 3): "Washington's Birthday",
        _last_monday(year, 5): "Memorial Day",
        _weekday(year, 9, _MONDAY, 1): "Labor Day",
        _weekday(year, 10, _MONDAY, 2): "Columbus Day",
        _weekday(year, 11, _THURSDAY, 4): "Thanksgiving Day",
    }
    return {day: name for day, name in sorted(kept.items()) if day.year == year}


def is_business_day(day: date) -> bool:
    """Whether that day is neither a weekend day nor a federal holiday."""
    return day.weekday() <= _FRIDAY and day not in holidays(day.year)


def after(day: date, count: int) -> date:
    """The business day that is `count` business days after `day`; `day` itself is not counted (count from 1)."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_business_day(day)
    return day


def _kept(day: date) -> date:
    if day.weekday() == _SATURDAY:
        return day - timedelta(days=1)
    return day + timedelta(days=1) if day.weekday() == _SUNDAY else day


def _weekday(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _last_monday(year: int, month: int) -> date:
    last = date(year, month + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - _MONDAY) % 7)
