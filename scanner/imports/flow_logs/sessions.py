"""Sessions of which a log tells more than once: when they open, while they last, and when they close."""

from __future__ import annotations

from collections.abc import Hashable

__all__ = ["Sessions"]

_MOST = 100_000
_Totals = tuple[int, int, int, int]


class Sessions:
    """Remembers what was already counted of each session, so that the last line adds only what is new.

    At most 100,000 are remembered; then the older half is forgotten, and their closing lines count in full.
    """

    def __init__(self) -> None:
        self._counted: dict[Hashable, _Totals] = {}

    def opens(self, key: Hashable, totals: _Totals = (1, 0, 0, 0)) -> _Totals:
        """What a line adds that tells of an opening: all it says, or one packet; the same ends may open again."""
        self._counted.pop(key, None)
        return self.adds(key, totals, goes_on=True)

    def adds(self, key: Hashable, totals: _Totals, *, goes_on: bool) -> _Totals:
        """What `totals` (packets and octets sent, packets and octets received) add to what was counted before."""
        before = self._counted.pop(key, None)
        if goes_on:
            if len(self._counted) >= _MOST:
                for old in list(self._counted)[:_MOST // 2]:
                    del self._counted[old]
            self._counted[key] = totals
        if before is None:
            return totals
        sent, octets, back, back_octets = (max(now - then, 0) for now, then in zip(totals, before, strict=True))
        return sent, octets, back, back_octets
