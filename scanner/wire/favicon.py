"""A web server's icon by the two hashes that public lists use: MD5, and Murmur3 of its MIME Base64 as Shodan has it."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime

import mmh3

from scanner.observation import Endpoint, Refusal
from scanner.wire.fields import Fields

__all__ = ["MAX_BYTES", "parse"]

MAX_BYTES = 1 << 20
_NO_ICON = (b"<!doctype", b"<html", b"<?xml", b"{")


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """``favicon_md5`` (hex) and ``favicon_mmh3`` (signed decimal, as text) of an icon's bytes.

    A login page or error text in place of an icon is refused: its hash would identify nothing.
    """
    if not data or len(data) > MAX_BYTES:
        return Refusal("empty" if not data else "too_large")
    if data[:64].lstrip().lower().startswith(_NO_ICON) and b"<svg" not in data[:1024].lower():
        return Refusal("not_an_icon")
    return {
        "favicon_md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        # Shodan hashes the 76-column MIME form with its line feeds, as Python's base64.encodebytes writes it.
        "favicon_mmh3": str(mmh3.hash(base64.encodebytes(data))),
    }
