"""HTTP/1.1 for cameras: requests that ask for nothing fancy, replies read whatever their status (RFC 9112).

No redirect is followed here or anywhere: ``location`` is evidence. Bodies are read whatever the status says, since
firmware sends errors as 200 and documents as 401.
"""

from __future__ import annotations

import html
import re
from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire import message
from scanner.wire.auth import challenge_fields
from scanner.wire.channels import read as channels
from scanner.wire.documents import declared
from scanner.wire.fields import MAX_VALUES, Fields, build
from scanner.wire.message import Response
from scanner.wire.text import clean, clean_block, decode

__all__ = ["Response", "channels", "fields_of", "header_fields", "parse", "parse_body", "parse_headers",
           "read", "request", "title"]

MAX_BODY_TEXT = 16_384
"""Characters of a body kept as a field: enough for any signal, and a sweep of a site stays small."""

_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{0,1024})", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s{0,4}=\s{0,4}[\"']?([\w.-]{1,40})", re.IGNORECASE)
_TEXTUAL = re.compile(r"text|html|xml|json|javascript|urlencoded|^$", re.IGNORECASE)


def request(method: str, path: str, host: str, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """One request. ``Accept-Encoding: identity``, since compressed bodies are bombs; ``Connection: close`` by default.

    Raises:
        ValueError: `path` does not start with a slash, or something holds a control character or space.
    """
    if not path.startswith("/") or " " in path or " " in host:
        raise ValueError("a request target starts with a slash and holds no space")
    lines = {"Host": host, "User-Agent": "camvet", "Accept": "*/*", "Accept-Encoding": "identity",
             "Connection": "close"}
    lines |= headers or {}
    if body or method == "POST":
        lines["Content-Length"] = str(len(body))
    return message.build(f"{method} {path} HTTP/1.1", lines, body)


def read(data: bytes) -> Response | Refusal:
    """One whole HTTP reply: chunks joined, one layer of gzip undone within the cap, header names in lower case."""
    return message.read(data, "HTTP", "ICY")


def parse(data: bytes, source: Endpoint, now: datetime, *, path: str = "/", document: str = "") -> Fields | Refusal:
    """The fields of one whole reply to a GET of `path`; `document` is the name it was asked under, if any."""
    response = read(data)
    if isinstance(response, Refusal):
        return response
    return fields_of(response, source, now, path=path, document=document)


def fields_of(response: Response, _source: Endpoint, _now: datetime, *, path: str = "/", document: str = "") -> Fields:
    """The fields of a reply that was read before."""
    out = build(status=response.status, path=path) | header_fields(response.headers)
    out |= challenge_fields(response.all("www-authenticate"))
    if not response.complete:
        out["truncated"] = True
    return out | _body(response.body, response.header("content-type"), document)


def parse_headers(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Header lines alone, with or without the status line before them."""
    text = data[:message.MAX_HEAD].decode("latin-1")
    pairs = message.read_headers(text)
    if not pairs:
        return Refusal("malformed", "no header line")
    return header_fields(pairs) | challenge_fields([value for name, value in pairs if name == "www-authenticate"])


def parse_body(data: bytes, _source: Endpoint, _now: datetime, *, document: str = "") -> Fields | Refusal:
    """A body without its headers: a page or a well-known document."""
    return _body(data, "", document) or Refusal("empty")


def title(body: bytes, charset: str = "") -> str:
    """The page title, entities resolved; empty where there is none in the first 64 KiB."""
    match = _TITLE.search(decode(body[:65_536], charset)[0])
    return clean(html.unescape(match[1])) if match else ""


def header_fields(pairs: tuple[tuple[str, str], ...]) -> Fields:
    """``server``, ``location``, ``content_type`` and all header lines, in UTF-8 where they are that, else Latin-1."""
    named = dict(reversed(pairs))
    kept = [f"{name}: {value}" for name, value in pairs]
    out = build(server=_latin(named.get("server", "")), location=named.get("location"),
                content_type=named.get("content-type"))
    return out | build(headers=tuple(_latin(line) for line in kept[:MAX_VALUES]))


def _latin(value: str) -> str:
    """A header value in UTF-8 where it is that, else in Latin-1 as it was read (RFC 9110 section 5.5); not cleaned."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode("utf-8")
    except (UnicodeDecodeError, UnicodeEncodeError):
        return value


def _body(body: bytes, content_type: str, document: str) -> Fields:
    if not body:
        return {}
    charset = _CHARSET.search(content_type[:256])
    out = declared(body, document)
    if b"\0" in body[:64] and not out:
        return build(body_bytes=len(body))
    if not _TEXTUAL.search(content_type[:100]) and not out:
        return build(body_bytes=len(body))
    label = charset[1] if charset else ""
    shown = clean_block(decode(body[:message.MAX_BODY], label)[0], MAX_BODY_TEXT)
    return out | build(title=title(body, label)) | ({"body": shown} if shown else {})
