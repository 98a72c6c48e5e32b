"""Vendor certificates: what a screening found as a page to print and a signed statement; and the check of either."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from camvet.context import Context, UsageError
from camvet.screening import Screened, Screener
from camvet.shapes import list_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = ["MOST_BYTES", "MOST_ROWS", "Checked", "check", "verify", "write"]

MOST_ROWS = 40                      # more do not fit a page; an order file is for those
MOST_BYTES = 8 * 1024 * 1024
_PLACES = ("by", "screened_on", "as_of", "buyers", "lists", "rows")


@dataclass(frozen=True, slots=True)
class Checked:
    """A certificate whose signature held: its statement, who signed, and whether the page says what was signed.

    ``page_holds`` is ``None`` where only the statement was given.
    """

    document: dict[str, Any]
    signed_by: tuple[str, ...]
    page_holds: bool | None


def write(context: Context, path: Path, screener: Screener, done: Sequence[Screened], *, by: str,
          now: datetime) -> None:
    """Write the page to `path` and the envelope beside it (``.dsse.json``). Raises `UsageError`."""
    from camvet.decisions import key_store
    from reports.certificate import PAYLOAD_TYPE, digest_around, page, statement
    from rules.dsse import seal
    from scanner import clock

    if len(done) > MOST_ROWS:
        raise UsageError(f"--certificate: expected at most {MOST_ROWS} lines, found {len(done)}")
    document: dict[str, Any] = {
        "camvet": "certificate/1", "by": by, "screened_on": clock.stamp(now), "as_of": screener.as_of.isoformat(),
        "buyers": list(screener.buyers), "activity": screener.activity, "purpose": screener.purpose,
        "lists": [list_json(one, now.date()) | {"stale": one.stale(max(now.date(), screener.as_of))}
                  for one in screener.lists],
        "rows": [{"query": one.found.query, "action": str(one.found.action), "entity": one.found.entity,
                  "name": one.found.name, "relation": one.found.relation, "because": one.found.because,
                  "matched_by": one.found.matched_by, "overall": str(one.effects.overall) if one.effects else None,
                  "effects": {e.regime: str(e.effect) for e in one.effects.binding} if one.effects else {},
                  "unverified": [e.regime for e in one.effects.binding if e.unverified] if one.effects else []}
                 for one in done],
    }
    document["page_sha256"] = digest_around(page(document, None))
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


def verify(data: bytes, trusted: Mapping[str, Ed25519PublicKey]) -> Checked:
    """The certificate in a page or in the file beside it.

    Raises:
        rules.dsse.EnvelopeError: no certificate, an unknown key, or a statement that was changed.
    """
    from reports.certificate import PAYLOAD_TYPE, digest_around, envelope_in, names_signed
    from rules.dsse import EnvelopeError, open_envelope

    carried = envelope_in(data)
    opened = open_envelope(carried if carried is not None else data, PAYLOAD_TYPE, trusted)
    try:
        document = json.loads(opened.payload)
    except (ValueError, RecursionError) as error:
        raise EnvelopeError("envelope.malformed", "what was signed is no certificate") from error
    if not isinstance(document, dict) or document.get("camvet") != "certificate/1" or set(_PLACES) - set(document):
        raise EnvelopeError("envelope.malformed", "what was signed is no certificate of this form")
    holds = None
    if carried is not None:
        holds = (digest_around(data) == document.get("page_sha256")
                 and names_signed(data, opened.payload, opened.signed_by))
    return Checked(document, tuple(opened.signed_by), holds)
