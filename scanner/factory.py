"""The opt-in look for a factory login: one documented pair, one try, and none where anything speaks of a lock.

Which pair is documented for which device, and whether the device had its one try of the day already, is somebody else's
knowledge (`FactoryLogins`); it is handed in, and it notes the try before the first byte of it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from scanner.observation import Attempt, AttemptStatus, Observation, Reason
from scanner.wire.auth import Credentials

__all__ = ["EXCHANGE", "PROBE", "FactoryLogins", "Outcome", "Permit", "Withheld", "outcome_of", "standing_in_the_way"]

PROBE = "auth.factory_login"
EXCHANGE = "auth.factory_login.exchange"


class Outcome(StrEnum):
    """What came of the one try."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNCLEAR = "unclear"            # a lock, a limit, a clock, a broken connection, a challenge nobody could answer


@dataclass(frozen=True, slots=True)
class Permit:
    """One documented pair for one device: its name in the data, and the login itself, which shows in no repr."""

    pair: str
    credentials: Credentials


@dataclass(frozen=True, slots=True)
class Withheld:
    """Why a device is not tried."""

    reason: Reason
    because: str


class FactoryLogins(Protocol):
    """Knows the documented pairs and keeps count of the tries."""

    def documented(self, device: str, seen: Sequence[Observation]) -> Permit | Withheld:
        """The one pair that the maker documents for this device, or why there is none. Notes nothing."""

    def claim(self, device: str, seen: Sequence[Observation], permit: Permit) -> Withheld | None:
        """Note that the try of the day is made now; with a reason in place of that where it was made already."""

    def tell(self, device: str, permit: Permit, outcome: Outcome, detail: str) -> None:
        """Note what came of it."""


_LOCK_FIELDS = ("attempts_left",)


def standing_in_the_way(seen: Sequence[Observation], attempts: Sequence[Attempt], locked_words: str) -> Withheld | None:
    """Why a device must not be tried now, whatever is documented.

    `locked_words` is where a reply spoke of a lock, as the caller read it; empty where none did.
    """
    if locked_words:
        return Withheld(Reason.BUSY, f"it speaks of a lock: {locked_words[:80]}")
    if any(one.fields.get("activated") is False for one in seen if one.transport == "sadp"):
        return Withheld(Reason.NOT_APPLICABLE, "it still waits for its first password")
    counted = [one for one in seen if any(name in one.fields for name in _LOCK_FIELDS)]
    if counted:
        return Withheld(Reason.BUSY, f"it counts the attempts that are left ({counted[0].text('attempts_left')})")
    login = [one for one in attempts if one.probe.startswith("auth.") and one.status is AttemptStatus.FAILED]
    if login:
        return Withheld(Reason.BUDGET_SPENT, f"the login attempt of {login[0].probe} did not succeed")
    return None


def outcome_of(attempt: Attempt) -> Outcome:
    """What the exchange says of the pair: accepted, refused as wrong, or neither."""
    if attempt.status is AttemptStatus.COMPLETED:
        return Outcome.ACCEPTED
    return Outcome.REFUSED if attempt.reason is Reason.AUTH_REJECTED else Outcome.UNCLEAR
