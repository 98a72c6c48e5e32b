"""Times as logs write them, turned into nanoseconds since the epoch.

A time without a zone is read as UTC and a time without a year as the newest that is not in the future; both are noted,
because a log that was written in local time is off by its zone.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

__all__ = ["Stamps"]

_SECOND = 1_000_000_000
_MONTHS = {name: number for number, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1)}
_ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T _](\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?\d{0,12}"
                  r" ?(Z|[+-]\d{2}:?\d{2})?(?![\d:])")
_SYSLOG = re.compile(r"([A-Z][a-z]{2}) {1,2}(\d{1,2})(?: (\d{4}))? (\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?")
_ROUTER = re.compile(r"([A-Za-z]{3})/(\d{1,2})(?:/(\d{4}))? (\d{2}):(\d{2}):(\d{2})")         # RouterOS: nov/22/2026
_NAMED = re.compile(r"(\d{1,2})-?([A-Za-z]{3})-?(\d{4})[ ,;]{1,2}(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?")
_NUMBERED = re.compile(r"(\d{1,2})([/.])(\d{1,2})\2(\d{4}) (\d{1,2}):(\d{2}):(\d{2})(?: ?([AaPp])\.?[Mm]\.?)?")
_EPOCH = re.compile(r"(\d{9,10})(?:\.(\d{1,9}))?(?!\d)")
_MILLIS = re.compile(r"(\d{13})(?!\d)|(\d{19})(?!\d)")
_REST = re.compile(r"(?:[.,](\d{1,9}))?")
_FAR = timedelta(days=1)
_KEPT = 1_024


class Stamps:
    """Reads times; `assumed` says what had to be assumed, each once."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.assumed: dict[str, None] = {}
        self._last = ("", 0)
        self._seconds: dict[str, int] = {}

    def read(self, text: str) -> int | None:
        """Nanoseconds of the time that `text` begins with, or None where it begins with none this can read."""
        text = text[:48]
        if text == self._last[0]:
            return self._last[1]
        # Rows come in the order of time: most begin with a second that was just read, and differ in its fraction.
        begun = self._seconds.get(text[:19])
        if begun is not None and (rest := _REST.fullmatch(text, 19)):
            return begun + _fraction(rest[1])
        found = self._read(text)
        if found is not None:
            self._last = (text, found)
            if (rest := _REST.fullmatch(text, 19)) and _ISO.match(text):
                if len(self._seconds) >= _KEPT:
                    self._seconds.clear()
                self._seconds[text[:19]] = found - _fraction(rest[1])
        return found

    def _read(self, text: str) -> int | None:
        try:
            if match := _ISO.match(text):
                year, month, day, hour, minute, second, part, zone = match.groups()
                return self._of((int(year), int(month), int(day)), (hour, minute, second), part, zone)
            if match := _SYSLOG.match(text):
                name, day, year, hour, minute, second, part = match.groups()
                return self._named(name, day, year, (hour, minute, second), part)
            if match := _EPOCH.match(text):
                return int(match[1]) * _SECOND + _fraction(match[2])
            if match := _MILLIS.match(text):
                return int(match[1]) * 1_000_000 if match[1] else int(match[2])
            if match := _NAMED.match(text):
                day, name, year, hour, minute, second, part = match.groups()
                return self._named(name, day, year, (hour, minute, second), part)
            if match := _ROUTER.match(text):
                name, day, year, hour, minute, second = match.groups()
                return self._named(name, day, year, (hour, minute, second), None)
            if match := _NUMBERED.match(text):
                return self._numbered(*match.groups())
        except (ValueError, OverflowError):
            return None
        return None

    def _of(self, day: tuple[int, int, int], clock: tuple[str, ...], part: str | None, zone: str | None) -> int:
        hour, minute, second = map(int, clock)
        whole = datetime(*day, hour, minute, min(second, 59), tzinfo=UTC)
        if zone is None:
            self.assumed["times without a zone are read as UTC"] = None
        elif zone != "Z":
            ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
            whole = whole - ahead if zone[0] == "+" else whole + ahead
        since = whole - datetime(1970, 1, 1, tzinfo=UTC)
        return max(0, (since.days * 86_400 + since.seconds) * _SECOND + _fraction(part))

    def _named(self, name: str, day: str, year: str | None, clock: tuple[str, ...], part: str | None) -> int | None:
        month = _MONTHS.get(name.lower())
        if month is None:
            return None
        if year:
            return self._of((int(year), month, int(day)), clock, part, None)
        self.assumed["times without a year are read as the newest that is not in the future"] = None
        latest = (self.now + _FAR).date()
        for guess in range(self.now.year + 1, self.now.year - 5, -1):      # 29 February needs up to four tries
            try:
                if datetime(guess, month, int(day), tzinfo=UTC).date() <= latest:
                    return self._of((guess, month, int(day)), clock, part, None)
            except ValueError:
                continue
        return None

    def _numbered(self, one: str, separator: str, two: str, year: str, hour: str, minute: str, second: str,
                  half: str | None) -> int:
        first, other = int(one), int(two)
        if separator == "." or first > 12:
            day, month = first, other
        else:
            day, month = other, first
            self.assumed["dates with slashes are read as month/day/year"] = None
        if half:
            hour = str(int(hour) % 12 + (12 if half in "Pp" else 0))
        return self._of((int(year), month, day), (hour, minute, second), None, None)


def _fraction(digits: str | None) -> int:
    return int(digits.ljust(9, "0")) if digits else 0
