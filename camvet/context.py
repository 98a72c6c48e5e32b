"""What every verb is given: the global options, the settings behind them, and the ways to end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from camvet.terminal import Terminal

if TYPE_CHECKING:
    from camvet.inventory import Inventory
    from camvet.settings import Settings

__all__ = ["Context", "ExitCode", "UsageError", "worst"]


class ExitCode(IntEnum):
    """How a verb ended; `worst` says which one counts where several hold."""

    CLEAN = 0
    FINDINGS = 1          # prohibited, red flag, vulnerable, match
    USAGE = 2
    INCOMPLETE = 3        # unfinished or undetermined
    INTERNAL = 4


_ORDER = (ExitCode.INTERNAL, ExitCode.USAGE, ExitCode.FINDINGS, ExitCode.INCOMPLETE, ExitCode.CLEAN)


def worst(*codes: ExitCode) -> ExitCode:
    """The exit code that counts: 4 before 2 before 1 before 3 before 0."""
    return min(codes, key=_ORDER.index, default=ExitCode.CLEAN)


class UsageError(Exception):
    """A wrong target, file or option: one clear line on stderr and exit code 2."""


@dataclass(frozen=True, slots=True)
class Context:
    """The global options as a verb sees them."""

    terminal: Terminal
    settings: Settings

    def inventory(self, *, new: bool = False) -> Inventory:
        """The inventory of the settings' database, brought to the newest schema.

        Only what writes into it asks for a `new` one where there is none; a question leaves no folder behind. Raises
        `UsageError` where there is none to ask.
        """
        from camvet.inventory import Inventory

        if not new and not self.settings.kept:
            raise UsageError(self._no_inventory())
        return Inventory.open(self.settings.db)

    def nothing_kept(self) -> ExitCode:
        """The answer of a list where there is no inventory yet: an empty one, with a note that says so."""
        self.terminal.note(self._no_inventory())
        if self.terminal.as_json:
            self.terminal.document([])
        return ExitCode.CLEAN

    def _no_inventory(self) -> str:
        path = self.settings.db.removeprefix("sqlite:///")
        return f"no inventory at {path} yet, so no sweep and no device: run camvet sweep first (or camvet import)"
