"""Whose protocol a lone datagram speaks: by its content first, and only then by the port it came from."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire import (
    advantech,
    bosch,
    cordex,
    dahua_v1,
    dhip,
    foscam,
    gvcp,
    hanwha,
    mdns,
    mhed,
    nice,
    panasonic,
    reolink,
    sadp,
    sony,
    ssdp,
    topsee,
    tplink,
    tplink_legacy,
    ubiquiti,
    vision360,
    vivotek,
    vstarcam,
    wsdiscovery,
    xiongmai,
)
from scanner.wire.fields import Fields, build
from scanner.wire.text import clean

__all__ = ["read", "read_mdns"]

Parser = Callable[[bytes, Endpoint, datetime], Fields | Refusal]
Read = tuple[str, Fields | Refusal]

_BY_PORT: dict[int, tuple[str, Parser]] = {
    wsdiscovery.PORT: ("wsd", wsdiscovery.parse), sadp.PORT: ("sadp", sadp.parse), dhip.PORT: ("dhip", dhip.parse),
    dahua_v1.PORT: ("dahua_v1", dahua_v1.parse), mhed.PORT: ("mhed", mhed.parse),
    xiongmai.PORT: ("xiongmai", xiongmai.parse), gvcp.PORT: ("gvcp", gvcp.parse),
    hanwha.PORT: ("hanwha", hanwha.parse), hanwha.REPLY_PORT: ("hanwha", hanwha.parse),
    bosch.PORT: ("bosch", bosch.parse), bosch.REPLY_PORT: ("bosch", bosch.parse),
    vivotek.PORT: ("vivotek", vivotek.parse), sony.PORT: ("sony", sony.parse),
    panasonic.PORT: ("panasonic", panasonic.parse), panasonic.REPLY_PORT: ("panasonic", panasonic.parse),
    tplink.PORT: ("tplink", tplink.parse), ssdp.PORT: ("ssdp", ssdp.parse),
    mdns.PORT: ("mdns", mdns.parse), ubiquiti.PORT: ("ubiquiti", ubiquiti.parse),
    vstarcam.PORT: ("vstarcam", vstarcam.parse), vision360.PORT: ("vision360", vision360.parse),
    nice.PORT: ("nice", nice.parse), advantech.PORT: ("advantech", advantech.parse),
    cordex.PORT: ("cordex", cordex.parse), reolink.PORT: ("reolink", reolink.parse),
    reolink.REPLY_PORT: ("reolink", reolink.parse), topsee.PORT: ("topsee", topsee.parse),
    tplink_legacy.PORT: ("tplink_legacy", tplink_legacy.parse),
}

_BY_CONTENT: tuple[tuple[re.Pattern[bytes], str, Parser], ...] = (
    (re.compile(rb".{0,4}(?:DHIP|PIHD)", re.DOTALL), "dhip", dhip.parse),
    (re.compile(re.escape(mhed.MAGIC)), "mhed", mhed.parse),
    (re.compile(rb"\xff.{13}\xfb\x05", re.DOTALL), "xiongmai", xiongmai.parse),
    (re.compile(rb"\xb3.\x00?.{17}", re.DOTALL), "dahua_v1", dahua_v1.parse),
    (re.compile(rb"..\x00\x03\x00\xf8..", re.DOTALL), "gvcp", gvcp.parse),
    (re.compile(re.escape(bosch.MAGIC)), "bosch", bosch.parse),
    (re.compile(rb"." + re.escape(vivotek.MAGIC), re.DOTALL), "vivotek", vivotek.parse),
    (re.compile(rb"\x02[A-Z]{2,12}:"), "sony", sony.parse),
    (re.compile(re.escape(foscam.MAGIC)), "foscam", foscam.parse),
    (re.compile(re.escape(vstarcam.ANSWER)), "vstarcam", vstarcam.parse),
    (re.compile(rb"\x02\x06..[\x01\x02]\x00", re.DOTALL), "ubiquiti", ubiquiti.parse),
    (re.compile(re.escape(nice.MAGIC) + rb".{86}", re.DOTALL), "nice", nice.parse),
    (re.compile(re.escape(advantech.MAGIC)), "advantech", advantech.parse),
    (re.compile(rb".{104}" + re.escape(reolink.ECHO), re.DOTALL), "reolink", reolink.parse),
    (re.compile(rb"\x0b.{18}[0-9A-Fa-f]{2}[:-]", re.DOTALL), "hanwha", hanwha.parse),
    (re.compile(rb"HTTP/1\.\d 200|NOTIFY \*"), "ssdp", ssdp.parse),
    (re.compile(rb".{0,32}\{", re.DOTALL), "tplink", tplink.parse),
    (re.compile(rb".{0,32}\{", re.DOTALL), "dhip", dhip.parse),
    (re.compile(rb"..[\x80-\x87].(?:\x00[\x00-\x0f]){2}", re.DOTALL), "mdns", mdns.parse),
)


def read(data: bytes, source: Endpoint, now: datetime) -> Read:
    """Transport and fields of one datagram; transport ``udp`` with a refusal where nobody recognises it."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n\0").startswith(b"<"):
        return _markup(data, source, now)
    for pattern, kind, parse in _BY_CONTENT:
        if pattern.match(data):
            found = parse(data, source, now)
            if not isinstance(found, Refusal):
                return kind, found
    if source.port in _BY_PORT:
        kind, parse = _BY_PORT[source.port]
        return kind, parse(data, source, now)
    return "udp", Refusal("unrecognised", f"begins {data[:8].hex()}")


def _markup(data: bytes, source: Endpoint, now: datetime) -> Read:
    """XML: SADP, WS-Discovery, Bosch or Topsee, by what its parser accepts."""
    first: Read | None = None
    for kind, parse in (("sadp", sadp.parse), ("wsd", wsdiscovery.parse), ("bosch", bosch.parse),
                        ("topsee", topsee.parse)):
        found = parse(data, source, now)
        if not isinstance(found, Refusal):
            return kind, found
        first = first or (_BY_PORT[source.port][0] if source.port in _BY_PORT else "udp", found)
    return first or ("udp", Refusal("unrecognised"))


def read_mdns(data: bytes, source: Endpoint, now: datetime) -> Read:
    """An mDNS reply in DNS form, or as recorders keep it: service names and ``key=value`` texts, a line each."""
    found = mdns.parse(data, source, now)
    if not isinstance(found, Refusal):
        return "mdns", found
    if b"\0" in data[:64]:
        return "mdns", found
    lines = [line.strip() for line in data[:8_192].decode("utf-8", "replace").splitlines()[:128] if line.strip()]
    texts = [line for line in lines if re.match(r"[\w.-]{1,40}=", line)]
    names = [line for line in lines if line not in texts]
    types = [match[0] for line in names if (match := re.search(r"_[\w-]{1,40}\._(?:tcp|udp)(?:\.local)?", line))]
    instances = [re.split(r"\._[\w-]{1,40}\._(?:tcp|udp)", line)[0] for line in names if not line.startswith("_")]
    fields = mdns.declared(texts) | build(service_types=tuple(types), instances=tuple(instances), txt=tuple(texts))
    return "mdns", fields or Refusal(found.reason, clean(found.detail))
