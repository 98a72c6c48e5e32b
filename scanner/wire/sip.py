"""SIP intercoms and speakers: what ``User-Agent`` or ``Server`` says (RFC 3261 sections 20.35, 20.41)."""

from __future__ import annotations

from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire import message
from scanner.wire.fields import Fields, build
from scanner.wire.text import decode

__all__ = ["parse"]


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """A whole message, header lines, or the one value by itself, which is then taken for the user agent."""
    text = decode(data[:message.MAX_HEAD])[0]
    named = dict(reversed(message.read_headers(text)))
    if {"user-agent", "server"} & named.keys():
        return build(user_agent=named.get("user-agent"), server=named.get("server")) or Refusal("empty")
    first = next(iter(text.strip().splitlines()), "")
    return build(user_agent=first) or Refusal("empty")
