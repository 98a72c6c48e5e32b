"""SNMP's sysDescr (RFC 3418, 1.3.6.1.2.1.1.1) as text; the request is made elsewhere, if ever."""

from __future__ import annotations

from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.fields import Fields, build
from scanner.wire.text import decode

__all__ = ["parse"]


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """``sys_descr``, and ``sys_object_id`` where the text is an object identifier."""
    text = decode(data[:4_096])[0].strip()
    if text and set(text) <= set("0123456789.") and text.count(".") > 4:
        return build(sys_object_id=text.lstrip("."))
    return build(sys_descr=text) or Refusal("empty")
