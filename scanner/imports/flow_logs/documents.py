"""The objects of a JSON document that is no list of lines: an array, an object of records, objects of several lines."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

from scanner.imports.flow_logs.lines import CHUNK, MOST_LINES

__all__ = ["LONGEST_OBJECT", "ObjectsOf", "depth_of", "objects_of"]

LONGEST_OBJECT = 1 << 20
"""Characters of one object; what is longer is cut there and so is no JSON any more."""
_ARRAY = re.compile(r"\s*\[\s*\{")
_RECORDS = re.compile(r'\s*\{\s*"[A-Za-z]{1,32}"\s*:\s*\[\s*\{')
_SPREAD = re.compile(r"\s*\{\s*\n")
_TOKEN = re.compile(r'["{}\[\]]')
_STRING_END = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def depth_of(head: str) -> int | None:
    """Within how many brackets the objects of such a document stand; None for anything that is read by lines."""
    if _ARRAY.match(head):
        return 1
    if _RECORDS.match(head):
        return 2
    return 0 if _SPREAD.match(head) else None


class ObjectsOf:
    """Cuts text that comes in pieces into the objects that stand `depth` brackets deep."""

    def __init__(self, depth: int) -> None:
        self._wanted = depth
        self._depth = 0
        self._inside = False                             # of a string
        self._escaped = False                            # the piece before ended in a string's backslash
        self._open: list[str] | None = None
        self._kept = 0

    def feed(self, text: str) -> Iterator[str]:
        """The objects that end in this piece, in order."""
        at = begun = 0
        while at < len(text):
            if self._inside:
                at = self._string(text, at)
                continue
            token = _TOKEN.search(text, at)
            if token is None:
                break
            at, mark = token.end(), token[0]
            if mark == '"':
                self._inside = True
            elif mark in "{[":
                if self._depth == self._wanted and mark == "{" and self._open is None:
                    self._open, self._kept, begun = [], 0, at - 1
                self._depth += 1
            else:
                self._depth = max(self._depth - 1, 0)
                if self._open is not None and self._depth <= self._wanted:
                    self._keep(text[begun:at])
                    yield "".join(self._open)
                    self._open = None
        if self._open is not None:
            self._keep(text[begun:])

    def rest(self) -> str:
        """The beginning of an object that never ended; empty where there is none."""
        return "".join(self._open or ())

    def _string(self, text: str, at: int) -> int:
        """Where the string that `at` lies in ends, or the end of the piece."""
        if self._escaped:
            self._escaped = False
            at += 1
        end = _STRING_END.match(text, at)
        if end is not None:
            self._inside = False
            return end.end()
        rest = text[at:]
        self._escaped = (len(rest) - len(rest.rstrip("\\"))) % 2 == 1
        return len(text)

    def _keep(self, piece: str) -> None:
        if self._open is not None and self._kept < LONGEST_OBJECT:
            self._open.append(piece[:LONGEST_OBJECT - self._kept])
            self._kept += len(piece)


def objects_of(stream: BinaryIO, encoding: str, depth: int) -> Iterator[list[str]]:
    """Lists of such objects, up to `MOST_LINES` in all. Raises what reading `stream` raises."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    cutter, count = ObjectsOf(depth), 0
    while count < MOST_LINES:
        data = stream.read(CHUNK)
        found = list(cutter.feed(decoder.decode(data, final=not data)))
        if not data and cutter.rest():
            found.append(cutter.rest())
        count += len(found)
        if found:
            yield found
        if not data:
            return
