"""The rules that a verb which runs for days judges by: those of the newest bundle that was installed, from then on.

A bundle is installed by another process, which removes the old laws before it puts the new ones in their place. So a
copy is judged by, and it is made anew where the file that names the installed bundle (`camvet.lists.Store.state`),
which is replaced last, names another one. Imported lists need no such care: each is one file, and their readers look
whether it changed (`camvet.listings`, `camvet.advisory_store`).
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from camvet.lists import Store

__all__ = ["Edition"]

_Mark = tuple[Any, ...]


class Edition:
    """What is installed under a folder of lists; one for all threads of a process.

    Args:
        folder: where the lists of the installation lie.
        tell: is given a sentence whenever other rules came into use.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self._store, self._tell = Store(folder), tell
        # Held while a verdict is made: rules that are replaced meanwhile would make one of two editions.
        self._judging = threading.Lock()
        self._copy: Path | None = None
        self._told_of: _Mark | None = None
        self._used = self._take()

    @contextmanager
    def newest(self) -> Iterator[None]:
        """Judge within: no other thread does, and the rules are those that are installed now."""
        with self._judging:
            if self._installed() != self._used and (taken := self._take()):
                self._used = taken
                self._tell(f"the rules of bundle {taken[0]} are judged by from now on")
            yield

    def _installed(self) -> _Mark:
        state = self._store.state()
        return state["number"], state.get("digest")

    def _take(self) -> _Mark | None:
        """Judge by a copy of what is installed; ``None`` where it is being replaced, so that what was used stays."""
        from rules import bundle

        before, law = self._installed(), self._store.folder / "law"
        if not before[0]:
            return before                                        # no bundle was ever installed: the shipped rules
        copy = Path(tempfile.mkdtemp(prefix="camvet-law-"))
        try:
            shutil.copytree(law, copy, dirs_exist_ok=True)
            whole = self._installed() == before
        except (OSError, shutil.Error):
            whole = False
        if not whole:
            shutil.rmtree(copy, ignore_errors=True)
            if self._told_of != before:                          # for an installation, the next verdict finds it done
                self._tell(f"bundle {before[0]} is named as installed and cannot be read whole: what was judged by so "
                           "far goes on")
            self._told_of = before
            return None
        atexit.register(shutil.rmtree, copy, ignore_errors=True)
        bundle.use(copy)
        if self._copy is not None:
            shutil.rmtree(self._copy, ignore_errors=True)
        self._copy = copy
        return before
