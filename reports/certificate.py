"""A vendor certificate on one page: who screened what, on which day, against which lists, with which result and why.

The signed statement is the DSSE envelope; the page shows what stands in it and carries it, so that the page can be
printed and the statement checked. The statement has the digest of the page around it: a page whose words were changed
does not pass for what was signed.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports.report import LEGAL_NOTE
from reports.text import clean

__all__ = ["PAYLOAD_TYPE", "digest_around", "envelope_in", "names_signed", "page", "statement"]

PAYLOAD_TYPE = "application/vnd.camvet.certificate+json"
_TEMPLATES = Path(__file__).parent / "templates"
_LONGEST = 1_000_000                # the envelope has to be whole, or nobody can check it
_ENVELOPE = re.compile(rb"<code>(\{[^<>]{2,4000000})</code>")
_NAME = re.compile(rb"<code>([0-9a-f]{64})</code>")


def statement(document: Mapping[str, Any]) -> bytes:
    """The bytes that are signed: the document as JSON with sorted keys."""
    return json.dumps(document, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode("ascii")


def page(document: Mapping[str, Any], envelope: Mapping[str, Any] | None) -> bytes:
    """The certificate as HTML; without an envelope, the page around one."""
    text: str = _template().render(it=document, note=LEGAL_NOTE,
                                   envelope=json.dumps(envelope, ensure_ascii=True) if envelope else "",
                                   key=envelope["signatures"][0]["keyid"] if envelope else "",
                                   digest=hashlib.sha256(statement(document)).hexdigest() if envelope else "")
    return text.encode()


def names_signed(data: bytes, payload: bytes, keys: Collection[str]) -> bool:
    """Whether the key and the SHA-256 that a page tells are of a key that signed and of the statement it signed.

    A page of an earlier edition tells the key alone.
    """
    match [found.decode("ascii") for found in _NAME.findall(data)]:
        case [key]:
            return key in keys
        case [key, digest]:
            return key in keys and digest == hashlib.sha256(payload).hexdigest()
        case _:
            return False


def envelope_in(data: bytes) -> str | None:
    """The envelope that a page carries, as JSON; ``None`` where there is none."""
    found = _ENVELOPE.search(data)
    return html.unescape(found[1].decode("utf-8", "replace")) if found else None


def digest_around(data: bytes) -> str:
    """SHA-256 (hex) of a page without its envelope and the names of the key and of the statement."""
    return hashlib.sha256(_NAME.sub(b"<code></code>", _ENVELOPE.sub(b"<code></code>", data))).hexdigest()


@cache
def _template() -> Any:  # noqa: ANN401 - a template of jinja2
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True,
                              finalize=lambda value: clean(value, _LONGEST) if isinstance(value, str) else value)
    return environment.get_template("certificate.html")
