"""Signs what a screening found into a vendor certificate: a page to print, and the statement in it to check."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from camvet.context import Context, UsageError
from camvet.screening import Screened, Screener
from camvet.shapes import list_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = ["MOST_ROWS", "check", "write"]

MOST_ROWS = 40                      # more do not fit a page; an order file is for those


def write(context: Context, path: Path, screener: Screener, done: Sequence[Screened], *, by: str,
          now: datetime) -> None:
    """Write the page to `path` and the envelope beside it (``.dsse.json``). Raises `UsageError`."""
    from camvet.decisions import key_store
    from reports.certificate import PAYLOAD_TYPE, page, statement
    from rules.dsse import seal
    from scanner import clock

    if len(done) > MOST_ROWS:
        raise UsageError(f"--certificate: expected at most {MOST_ROWS} lines, found {len(done)}")
    document: dict[str, Any] = {
        "camvet": "certificate/1", "by": by, "screened_on": clock.stamp(now), "as_of": screener.as_of.isoformat(),
        "buyers": list(screener.buyers), "activity": screener.activity, "purpose": screener.purpose,
        "lists": [list_json(one) | {"age_days": (now.date() - one.dated).days} for one in screener.lists],
        "rows": [{"query": one.found.query, "action": str(one.found.action), "entity": one.found.entity,
                  "name": one.found.name, "relation": one.found.relation, "because": one.found.because,
                  "matched_by": one.found.matched_by, "overall": str(one.effects.overall) if one.effects else None,
                  "effects": {e.regime: str(e.effect) for e in one.effects.binding} if one.effects else {}}
                 for one in done],
    }
    envelope = seal(statement(document), PAYLOAD_TYPE, key_store(context).signing())
    try:
        path.write_bytes(page(document, envelope))
        path.with_suffix(".dsse.json").write_text(json.dumps(envelope), encoding="ascii")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def check(data: bytes, trusted: Mapping[str, Ed25519PublicKey]) -> dict[str, Any]:
    """The statement of an envelope that a trusted key signed. Raises `rules.dsse.EnvelopeError`."""
    from reports.certificate import PAYLOAD_TYPE
    from rules.dsse import open_envelope

    document: dict[str, Any] = json.loads(open_envelope(data, PAYLOAD_TYPE, trusted).payload)
    return document
