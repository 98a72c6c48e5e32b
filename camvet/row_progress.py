"""A bar on stderr while rows are worked through, where it is a terminal; nothing where it is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

from camvet.terminal import Terminal

__all__ = ["counted"]

Row = TypeVar("Row")
_EVERY = 50


def counted(rows: Sequence[Row], said: str, terminal: Terminal) -> Iterator[Row]:
    """`rows` one by one, with a bar named `said` on a terminal that wants one."""
    if terminal.quiet or not sys.stderr.isatty():
        yield from rows
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
                  TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(said, total=len(rows))
        for number, row in enumerate(rows, 1):
            yield row
            if number % _EVERY == 0 or number == len(rows):
                bar.update(task, completed=number)
