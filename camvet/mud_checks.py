"""Traffic held against MUD files (RFC 8520): what a file does not allow, and what a source cannot decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from camvet.context import ExitCode, UsageError
from reports.formats.mud import file_of

if TYPE_CHECKING:
    from camvet.traffic import Told
    from rules.fence import Allowed

__all__ = ["Against", "held_against"]


@dataclass(frozen=True, slots=True)
class Against:
    """How traffic stands to MUD files, each line with the device it is of.

    Attributes:
        violations: conversations that no rule allows.
        undecided: those of which the source shows no name, and that a rule for a name may allow.
        without: devices for which there is no file.
        checked: how many devices were held against one.
    """

    violations: tuple[tuple[str, str], ...]
    undecided: tuple[tuple[str, str], ...]
    without: tuple[str, ...]
    checked: int

    def json(self) -> dict[str, Any]:
        """The part of the JSON of `camvet egress` that tells it."""
        return {"mud": [line for _, line in self.violations],
                "mud_undecided": [line for _, line in self.undecided],
                "mud_by_device": [{"device": device, "not_allowed": line} for device, line in self.violations],
                "mud_no_file": list(self.without), "mud_devices": self.checked}

    def lines(self) -> Iterator[str]:
        """What a person reads."""
        for device, line in self.violations:
            yield f"  {device}: not allowed by the MUD file: {line}"
        for device, line in self.undecided:
            yield f"  {device}: {line} may be a name that the MUD file allows; this source shows no names"
        for device in self.without:
            yield f"  {device}: there is no MUD file for it, so nothing was checked"
        if not self.violations:
            yield f"  no traffic of {self.checked} devices was seen that a MUD file does not allow"

    def code(self) -> ExitCode:
        """1 where something is not allowed, 3 where something could not be checked."""
        if self.violations:
            return ExitCode.FINDINGS
        return ExitCode.INCOMPLETE if self.undecided or self.without or not self.checked else ExitCode.CLEAN


def held_against(path: Path, told: Sequence[Told]) -> Against:
    """One file for every device, or a folder with a file for each. Raises `UsageError` for one that cannot be used."""
    from rules.fence import allows, may_be, violations

    found: list[tuple[str, str]] = []
    open_: list[tuple[str, str]] = []
    without = []
    whole = None if path.is_dir() else _allowed(path)
    for one in told:
        allowed = whole if whole is not None else _own(path, one)
        if allowed is None:
            without.append(one.key)
            continue
        for talk, _, _ in one.conversations:
            lines = violations(allowed, talk.destination, talk.names, talk.protocol, talk.port, inbound=talk.inbound)
            named = talk.names or any(allows(each, talk.destination, (), talk.protocol, talk.port,
                                             inbound=talk.inbound) for each in allowed)
            maybe = not (named or talk.inbound) and talk.told_by and any(
                may_be(each, talk.protocol, talk.port) for each in allowed)
            (open_ if maybe else found).extend((one.key, line) for line in lines)
    return Against(tuple(dict.fromkeys(found)), tuple(dict.fromkeys(open_)), tuple(without), len(told) - len(without))


def _own(folder: Path, one: Told) -> list[Allowed] | None:
    """The file of a device in a folder, by its key, its MAC or one of its addresses."""
    for name in (one.key, one.mac, *one.addresses):
        if name and (path := folder / file_of(name)).is_file():
            return _allowed(path)
    return None


def _allowed(path: Path) -> list[Allowed]:
    from rules.fence import MudError, read_mud

    try:
        return read_mud(path.read_bytes())
    except OSError as error:
        raise UsageError(f"--check-mud {path}: {error.strerror}") from error
    except MudError as error:
        raise UsageError(f"--check-mud {path}: {error}") from error
