"""Gives memory back to the system that was freed and is not needed again soon.

The allocator of the C library keeps what was freed, in pieces between what is still in use. After a capture was read,
that is tens of megabytes which nobody will ask for again.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache

__all__ = ["give_back"]


def give_back() -> None:
    """Return what is free, where the C library can (``malloc_trim`` of glibc)."""
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)       # other C libraries of Linux have none
