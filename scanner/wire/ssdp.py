"""SSDP: M-SEARCH out, a reply or NOTIFY in (UPnP Device Architecture 1.1, section 1). ``location`` is evidence only."""

from __future__ import annotations

import re
from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire import message
from scanner.wire.fields import Fields, build, mac

__all__ = ["GROUP", "GROUP_V6", "PORT", "parse", "request"]

GROUP = "239.255.255.250"
GROUP_V6 = "ff02::c"
PORT = 1900

_MAC_TAIL = re.compile(r"(?i)-([0-9a-f]{12})(?=::|$)")


def request(target: str = "upnp:rootdevice", host: str = GROUP) -> bytes:
    """One search; replies are spread over two seconds. Raises `ValueError` for a control character."""
    where = f"[{host}]" if ":" in host else host
    return message.build("M-SEARCH * HTTP/1.1", {
        "HOST": f"{where}:{PORT}", "MAN": '"ssdp:discover"', "MX": "2", "ST": target})


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one search reply or announcement; the MAC is read where Axis puts it, at the end of the USN."""
    first, _, rest = data[:message.MAX_HEAD].decode("latin-1").partition("\n")
    if not re.match(r"HTTP/1\.\d 200|NOTIFY \* HTTP", first.strip()):
        return Refusal("not_ssdp")
    named = dict(reversed(message.read_headers(rest)))
    usn = named.get("usn", "")
    tail = _MAC_TAIL.search(usn[:256]) if "BasicDevice" in usn else None
    found = build(server=named.get("server"), usn=usn, st=named.get("st") or named.get("nt"),
                  location=named.get("location"), nts=named.get("nts"), mac=mac(tail[1]) if tail else None)
    return found or Refusal("empty")
