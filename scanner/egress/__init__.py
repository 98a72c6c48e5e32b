"""Where devices talk to, read from captured packets; nothing is ever sent.

``readers`` turns a file into frames, ``dissect`` a frame into a packet, ``names`` finds names in payloads,
``conversations`` adds it all up, and ``evidence`` hands the result over as observations and attempts.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import BinaryIO

from scanner.egress.conversations import Capture, Conversation, Names, Recorder
from scanner.egress.evidence import attempts, observations
from scanner.egress.readers import PcapReader

__all__ = ["Capture", "Conversation", "Names", "attempts", "observations", "read"]


def read(source: str | PathLike[str] | BinaryIO) -> Capture:
    """A capture file, by path or as an open binary stream, added up to conversations.

    A damaged or truncated file gives what came before the damage, with `Capture.trouble` set. Raises `OSError` where
    the file itself cannot be opened or read.
    """
    if isinstance(source, str | PathLike):
        with Path(source).open("rb") as stream:
            return _read(stream)
    return _read(source)


def _read(stream: BinaryIO) -> Capture:
    reader, recorder = PcapReader(stream), Recorder()
    for frame in reader:
        recorder.add(frame)
    return recorder.finish(reader.trouble)
