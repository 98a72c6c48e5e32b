"""What the verbs that decide share: who acts, on which device, how a refusal is said and stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from camvet.context import Context, ExitCode, UsageError

if TYPE_CHECKING:
    from analytics.attestation import AttestationError
    from analytics.gate import Refused
    from camvet.inventory import DeviceRow
    from camvet.keys import KeyStore

__all__ = ["Deciding", "acting", "days", "key_store"]

MOST_ACTOR = 120


def key_store(context: Context) -> KeyStore:
    """The keys of this installation."""
    from camvet.keys import KeyStore

    return KeyStore(context.settings.state / "keys")


def acting(given: str | None) -> str:
    """Who the log names: the given name, else the operating system's user. Raises `UsageError` for an empty one."""
    from camvet.sweeping import actor

    name = actor() if given is None else given.strip()
    if not name or len(name) > MOST_ACTOR:
        raise UsageError(f"--actor: expected a name of at most {MOST_ACTOR} characters")
    return name


def days(text: str, option: str) -> int:
    """``30d`` or ``30`` as a number of days. Raises `UsageError`."""
    number = text.strip().lower().removesuffix("d")
    if not (number.isascii() and number.isdigit() and len(number) <= 5):
        raise UsageError(f"{option} {text!r}: expected a number of days, as in 30d")
    return int(number)


@dataclass(frozen=True, slots=True)
class Deciding:
    """One decision on one device while it is being made: `refuse` ends it with the rule's name and exit code 1."""

    context: Context
    row: DeviceRow
    wanted: str                  # approve, attach, waive
    actor: str

    def refuse(self, why: Refused | AttestationError) -> ExitCode:
        """Store and tell the refusal."""
        from scanner import clock

        self.context.inventory().gate.refuse(self.row.id, at=clock.now(), actor=self.actor, wanted=self.wanted,
                                             rule=why.rule, because=why.because)
        if self.context.terminal.as_json:
            self.context.terminal.document({"device": self.row.id, "address": self.row.key, "wanted": self.wanted,
                                            "refused": True, "rule": why.rule, "because": why.because})
        else:
            self.context.terminal.styled_text(("REFUSED", "red"), f"  {self.row.key}  {why.rule}: {why.because}")
        return ExitCode.FINDINGS
