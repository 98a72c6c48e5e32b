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

    def inventory(self) -> Inventory:
        """The inventory of the settings' database, opened (and brought to the newest schema) on first use."""
        from camvet.inventory import Inventory

        return Inventory.open(self.settings.db)
