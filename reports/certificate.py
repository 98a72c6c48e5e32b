"""A vendor certificate on one page: who screened what, on which day, against which lists, with which result and why.

The signed statement is the DSSE envelope; the page shows what stands in it and carries it, so that the page can be
printed and the statement checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports.report import LEGAL_NOTE
from reports.text import clean

__all__ = ["PAYLOAD_TYPE", "page", "statement"]

PAYLOAD_TYPE = "application/vnd.camvet.certificate+json"
_TEMPLATES = Path(__file__).parent / "templates"
_LONGEST = 1_000_000                # the envelope has to be whole, or nobody can check it


def statement(document: Mapping[str, Any]) -> bytes:
    """The bytes that are signed: the document as JSON with sorted keys."""
    return json.dumps(document, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode("ascii")


def page(document: Mapping[str, Any], envelope: Mapping[str, Any]) -> bytes:
    """The certificate as HTML."""
    text: str = _template().render(it=document, envelope=json.dumps(envelope, ensure_ascii=True), note=LEGAL_NOTE,
                                   key=envelope["signatures"][0]["keyid"])
    return text.encode()


@cache
def _template() -> Any:  # noqa: ANN401 - a template of jinja2
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True,
                              finalize=lambda value: clean(value, _LONGEST) if isinstance(value, str) else value)
    return environment.get_template("certificate.html")
