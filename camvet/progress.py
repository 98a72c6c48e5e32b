"""Shows a sweep's progress on stderr: a bar where it is a terminal, a line a phase where it is not, nothing with -q."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from camvet.terminal import Terminal, calm

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["SweepProgress"]

_PHASES = {
    "link": "reading neighbour tables, asking the link",
    "datagrams": "asking with discovery datagrams",
    "connect": "connecting to quiet addresses",
    "present": "asking devices that are there",
    "interview": "interviewing devices",
}


class SweepProgress:
    """An observer of `scanner.sweep` for people; a context manager, so that a bar never outlives its sweep."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty() and not self._terminal.quiet:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            self._bar = Progress(TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
                                 TimeElapsedColumn(), console=Console(stderr=True), transient=True)
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def phase(self, name: str, total: int) -> None:
        """A phase begins."""
        said = _PHASES.get(name, name)
        if self._bar is None:
            self._terminal.note(f"{said} ({total})")
            return
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(said, total=total or None)

    def device_started(self, device: str) -> None:
        """The interview of `device` begins."""
        self._terminal.detail(f"{device}: interview")

    def device_finished(self, device: str, observations: int, attempts: int) -> None:
        """The interview of `device` is over."""
        self._terminal.detail(f"{device}: {observations} observations, {attempts} attempts")
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task)

    def note(self, text: str) -> None:
        """Something a person should know."""
        if self._bar is None:
            self._terminal.note(text)
        elif not self._terminal.quiet:
            console: Any = self._bar.console
            console.print(calm(text), markup=False, highlight=False)
