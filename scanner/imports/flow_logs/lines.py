"""The lines of a text file, gzipped or not, in lists of a few thousand: bounded in length, number and memory."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

__all__ = ["LONGEST", "MOST_LINES", "encoding_of", "lines_of"]

CHUNK = 1 << 20
LONGEST = 65_536
"""Characters of one line; a longer one is no row of any log and is cut there."""
MOST_LINES = 20_000_000
"""Lines read of one file."""


def encoding_of(head: bytes) -> str:
    """UTF-16 where the file says so with its first two octets, else UTF-8; what is neither is replaced."""
    return "utf-16" if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def lines_of(stream: BinaryIO, encoding: str) -> Iterator[list[str]]:
    """Lists of lines without their ends, in order, up to `MOST_LINES` in all. Raises what reading `stream` raises."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    rest, count = "", 0
    while count < MOST_LINES:
        data = stream.read(CHUNK)
        text = rest + decoder.decode(data, final=not data)
        if not data:
            if text:
                yield [line[:LONGEST] for line in text.split("\n")]
            return
        found = text.split("\n")
        rest = found.pop()[:LONGEST]
        if found:
            count += len(found)
            yield [line[:LONGEST] if len(line) > LONGEST else line for line in found]
