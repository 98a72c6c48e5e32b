"""Holds the collector of reference cycles off while much is made that is kept.

Hundreds of thousands of small objects live as long as the tables they are in, and none of them refers back: looking
through them for cycles again and again costs up to a fifth of the time and finds nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["no_collection"]


@contextmanager
def no_collection() -> Iterator[None]:
    """Within it cycles are not looked for; afterwards they are again, if they were before."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
