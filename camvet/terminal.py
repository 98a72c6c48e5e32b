"""What reaches a terminal or a pipe: one place, so that a device's name can never steer either.

Data goes to stdout, everything said about the work to stderr. Control characters, bidirectional overrides and other
invisible formatting are replaced before printing, whoever wrote the text.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

from camvet.indented import write

__all__ = ["OutputError", "Terminal", "calm"]

_KEEP = {"\n", "\t"}
_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}      # controls, formatting (bidi, zero width), private, surrogates
_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34"}


class OutputError(Exception):
    """What was to be printed could not be written: why, in a word of the system."""


@contextmanager
def _writing() -> Iterator[None]:
    """A failure to write is said as one; a reader that went away is an end of its own kind."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(error.strerror or str(error)) from error


def calm(text: str) -> str:
    """`text` with every character that could move a cursor, colour a screen or reorder a line shown as ``·``."""
    if text.isprintable():                  # nothing of the kind is in most lines, and then this is all it takes
        return text
    return "".join(c if c in _KEEP or unicodedata.category(c) not in _HIDDEN else "·" for c in text)


class Terminal:
    """Writes results to stdout and remarks to stderr, honouring ``--json``, ``-q``, ``-v`` and ``NO_COLOR``."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False, verbose: bool = False) -> None:
        self.as_json, self.quiet, self.verbose = as_json, quiet, verbose

    def document(self, value: Mapping[str, Any] | list[Any]) -> None:
        """One JSON document on stdout, written piece by piece."""
        write(value, lambda piece: self._put(sys.stdout, piece))
        self._write(sys.stdout, "\n")

    def octets(self, data: bytes) -> None:
        """The result itself, as it is, on stdout."""
        with _writing():
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def line(self, value: Mapping[str, Any]) -> None:
        """One JSON line on stdout, where a stream is natural."""
        self._write(sys.stdout, json.dumps(value, ensure_ascii=False, default=str) + "\n")

    def text(self, text: str = "") -> None:
        """A line of the result for a person."""
        self._write(sys.stdout, calm(text) + "\n")

    def lines(self, texts: Iterable[str]) -> None:
        """Several lines of the result for a person."""
        for text in texts:
            self.text(text)

    def note(self, text: str) -> None:
        """A remark on the work, silenced by ``-q``."""
        if not self.quiet:
            self._write(sys.stderr, calm(text) + "\n")

    def detail(self, text: str) -> None:
        """A remark that only ``-v`` shows."""
        if self.verbose:
            self._write(sys.stderr, calm(text) + "\n")

    def error(self, text: str) -> None:
        """One line that says what went wrong; never silenced."""
        self._write(sys.stderr, "camvet: " + calm(text).replace("\n", " ") + "\n")

    def styled(self, text: str, style: str) -> str:
        """`text` in a colour where stdout is a terminal that wants one; meaning is never in the colour alone."""
        if self.as_json or "NO_COLOR" in os.environ or not sys.stdout.isatty():
            return calm(text)
        return f"\x1b[{_STYLES[style]}m{calm(text)}\x1b[0m"

    def styled_text(self, *parts: tuple[str, str] | str) -> None:
        """One line of parts, each plain or ``(text, style)``."""
        self._write(sys.stdout, "".join(calm(p) if isinstance(p, str) else self.styled(*p) for p in parts) + "\n")

    @classmethod
    def _write(cls, stream: TextIO, text: str) -> None:
        cls._put(stream, text)
        with _writing():
            stream.flush()

    @staticmethod
    def _put(stream: TextIO, text: str) -> None:
        encoding = stream.encoding or "utf-8"
        with _writing():
            stream.write(text.encode(encoding, "replace").decode(encoding))
