"""Where devices talk to, read from captured packets; nothing is ever sent.

``readers`` turns a file into batches of frames, ``links`` and ``headers`` take a whole batch apart, ``flows`` adds
it up, ``naming`` reads the few packets that carry a name, ``conversations`` keeps the result, and ``evidence`` hands it
over as observations and attempts. ``live`` reads a link instead of a file.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import BinaryIO

from scanner.collection import no_collection
from scanner.egress.capture import Capture, Conversation, Names, Source
from scanner.egress.conversations import Recorder
from scanner.egress.evidence import attempts, observations, observations_of
from scanner.egress.readers import CaptureReader
from scanner.egress.signs import Sign

__all__ = ["Capture", "Conversation", "Names", "Recorder", "Sign", "Source", "attempts", "observations",
           "observations_of", "read"]


def read(*sources: str | PathLike[str] | BinaryIO) -> Capture:
    """Capture files, by path or as open binary streams, added up to conversations as if they were one.

    A damaged or truncated file gives what came before the damage, with `Capture.trouble` set. Raises `OSError` where
    a file itself cannot be opened or read.
    """
    recorder, troubles, lost = Recorder(), list[str](), 0
    for source in sources:
        if isinstance(source, str | PathLike):
            with Path(source).open("rb") as stream:
                trouble, missed = _read(stream, recorder)
            trouble = f"{Path(source).name}: {trouble}" if trouble and len(sources) > 1 else trouble
        else:
            trouble, missed = _read(source, recorder)
        troubles += [trouble] if trouble else []
        lost += missed
    return recorder.finish("; ".join(troubles), lost)


def _read(stream: BinaryIO, recorder: Recorder) -> tuple[str, int]:
    reader = CaptureReader(stream)
    with no_collection():
        for batch in reader:
            recorder.add(batch)
    return reader.trouble, reader.lost
