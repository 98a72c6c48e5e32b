"""Tables that people copy out of switches, routers and servers: MAC tables, ARP tables, leases, brief neighbour lists.

One grammar for all makers: a line that names one MAC is an entry; its address is the first that is no mask, its port
the word that looks like an interface or stands under a heading that says port. What is the switch's own is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scanner.imports import MOST_ROWS
from scanner.imports.known import Book, Known
from scanner.imports.words import (
    address_in,
    almost_mac,
    is_group,
    mac_at_end,
    mac_gone_wrong,
    mac_in,
    mac_of,
    moment_of,
    port_in,
)
from scanner.wire.text import clean

__all__ = ["form_of", "read"]

_LONGEST = 2000
_REACH = 6                     # characters a value may begin or end away from its heading
_FORMS: tuple[tuple[str, str], ...] = (
    (r"^\s*\d{9,10}\s+(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\s+\d+\.", "dnsmasq leases"),
    (r"IP address\s+Client-ID/", "DHCP bindings of a Cisco router"),
    (r"mac-address=.*\b(?:server|host-name|client-id)=|MAC-ADDRESS.*\bHOST-NAME\b|MAC-ADDRESS.*\bSERVER\b",
     "DHCP leases of RouterOS"),
    (r"\bidentity=\"?.*\bmac-address=|\bmac-address=.*\bidentity=", "neighbours of RouterOS"),
    (r"\bon-interface=|\bON-INTERFACE\b", "bridge hosts of RouterOS"),
    (r"Ethernet switching table|Ethernet-switching table", "MAC table of Junos"),
    (r"LLDP Remote Devices Information|LocalPort\s*\|\s*ChassisId", "LLDP neighbours of ProCurve"),
    (r"Local Interface\s+Parent Interface\s+Chassis", "LLDP neighbours of Junos"),
    (r"Device[ -]ID\s+Local", "LLDP or CDP neighbours"),
    (r"Port Address Table|^\s*MAC Address\s+Port\s+VLAN", "MAC table of ProCurve"),
    (r"MAC ADDR(?:ESS)?\s+VLAN(?: ID|/VSI\S*)?\s+(?:STATE|Learned-From|PEVLAN)|VLAN/VSI", "MAC table of Huawei or H3C"),
    (r"\blladdr\s", "neighbour table of Linux"),
    (r"^[0-9a-f:]{17}\s+dev\s", "forwarding table of Linux"),
    (r"is local\?", "forwarding table of Linux (brctl)"),
    (r"Starting arp-scan|^Interface:.*datalink type", "arp-scan"),
    (r"\sat\s+[0-9a-f:]+\s+(?:\[ether\]\s+)?on\s", "ARP table (arp -an)"),
    (r"Internet\s+\d+\.\d+\.\d+\.\d+\s.*\bARPA\b", "ARP table of a Cisco router"),
    (r"Mac Address Table|mac-address-table|\* - primary entry", "MAC table of a Cisco switch"),
)
_NEIGHBOURS = "neighbours"
_OWN = re.compile(
    r"^Interface: .*\bMAC:|^\s*Total\b|\bCPU\b|\bstatic\b.*\bRouter\s*$|\bsup-eth\d|-\s+Router\s*$"
    r"|\bstatic-drop\b|\bIncomplete\b|\bINCOMPLETE\b|\bFAILED\b"
    r"|\bdev\b.*\bpermanent\b|\sI -\s|^\s*\*?\s*\d+\s+[A-KM-Z]{0,4}L[A-Z]{0,3}\s|\byes\s+\d+\.\d+\s*$")
_PAIR = re.compile(r"(?<!\S)([a-z][a-z0-9-]{1,30})=(\"[^\"]{0,255}\"|\S{1,255})")
_DNSMASQ = re.compile(r"^\s*(\d{9,10})\s+\S+\s+\S+\s+(\S+)\s+\S+\s*$")
_PORT_HEADS = frozenset({"port", "ports", "interface", "intf", "localport", "local intf", "local intrfce", "iface",
                         "local interface", "on-interface", "destination port", "learned-from", "logical interface",
                         "ports/swid.ssid.lid", "portindex", "port index", "port no"})
_NAME_HEADS = frozenset({"host-name", "hostname", "host name", "device id", "device-id", "system name", "sysname",
                         "system-name", "device name"})


@dataclass(frozen=True, slots=True)
class _Heading:
    """Where on a line the columns are that matter."""

    port: tuple[int, int] | None = None
    name: tuple[int, int] | None = None


def read(text: str) -> Book:
    """The entries of a copied table, and what of it is none."""
    book = Book(form_of(text) or "lines with a MAC")
    book.take(_entries(text, book))
    return book


def form_of(text: str) -> str:
    """Whose table this is, by words that only such a table has; empty where nothing tells."""
    head = "\n".join(line[:_LONGEST] for line in text[:200_000].splitlines()[:400])
    for pattern, name in _FORMS:
        if re.search(pattern, head, re.IGNORECASE | re.MULTILINE):
            return name
    return ""


@dataclass(frozen=True, slots=True)
class _Shape:
    """How the entries of a table are laid out: so many words, the MAC beginning there."""

    words: int = 0
    mac: int = 0

    @classmethod
    def of(cls, line: str) -> _Shape:
        """The shape of an entry."""
        _, rest = mac_in(line)
        begins = next((at for at, (one, other) in enumerate(zip(line, rest, strict=True)) if one != other), 0)
        return cls(len(line.split()), begins)

    def fits(self, line: str) -> bool:
        """Whether a line without a MAC is laid out like an entry, with a MAC that went wrong in its place."""
        if not self.words or len(line.split()) != self.words:
            return False
        return any(abs(found.start() - self.mac) <= 1 and mac_gone_wrong(found[0])
                   for found in re.finditer(r"\S+", line))


def _entries(text: str, book: Book) -> Iterator[Known]:
    heading, shape = _Heading(), _Shape()
    brief = book.form.startswith("LLDP or CDP") or _NEIGHBOURS in book.form
    for row, whole in enumerate(text.splitlines(), start=1):
        line = whole[:_LONGEST].expandtabs()
        if row > MOST_ROWS:
            book.dropped += 1
            continue
        if not line.strip():
            continue
        pairs = {key: value.strip('"') for key, value in _PAIR.findall(line)}
        entry = _of_pairs(row, pairs) if "mac-address" in pairs else None
        if entry is None:
            entry = _of_line(row, line, heading)
        if entry is None:
            found = _heading(line)
            heading = found or heading
            if brief and not found and (named := _neighbour(row, line, heading)):
                yield named
            elif (almost_mac(line) or shape.fits(line)) and not (found or _OWN.search(line) or is_group(line)):
                book.refuse(row, f"line {row}, where the MAC stands: a whole MAC of one device")
            else:
                book.others += 1
        elif _OWN.search(line):
            book.others += 1
        else:
            shape = shape if shape.words else _Shape.of(line)
            yield entry


def _of_pairs(row: int, pairs: dict[str, str]) -> Known | None:
    """An entry as RouterOS prints it, ``key=value``; `None` where its MAC is no device's."""
    mac = mac_of(pairs["mac-address"])
    if not mac:
        return None
    address = address_in(pairs.get("address", "")) or address_in(pairs.get("active-address", ""))
    return Known(row, mac, address, name=clean(pairs.get("host-name") or pairs.get("identity", ""), 128),
                 model=clean(pairs.get("board", ""), 128), manufacturer=clean(pairs.get("platform", ""), 128),
                 where=clean(pairs.get("on-interface") or pairs.get("interface", ""), 64),
                 when=clean(pairs.get("last-seen", ""), 64))


def _of_line(row: int, line: str, heading: _Heading) -> Known | None:
    mac, rest = mac_in(line)
    if not mac:
        return None
    lease = _DNSMASQ.match(line)
    if lease:
        name = "" if lease[2] == "*" else clean(lease[2], 128)
        return Known(row, mac, address_in(rest), name=name, when=moment_of(lease[1]))
    port = _under(rest, heading.port, reach=1) or port_in(rest) or _under(rest, heading.port)
    return Known(row, mac, address_in(rest), name=clean(_under(rest, heading.name), 128), where=clean(port, 64))


def _neighbour(row: int, line: str, heading: _Heading) -> Known | None:
    """A brief list's line without a MAC: who is there by name, on which port."""
    name, port = _under(line, heading.name), port_in(line) or _under(line, heading.port)
    if not name or not port or name == port or _OWN.search(line):
        return None
    return Known(row, mac_at_end(name), name=clean(name, 128), where=clean(port, 64))


def _heading(line: str) -> _Heading | None:
    """The columns of a heading line; `None` for any other line."""
    plain = line.replace("|", " ")
    spans = [(found.start(), found.end(), found[0].casefold()) for found in re.finditer(r"\S+(?: \S+)*", plain)]
    if len(spans) > 1:                  # columns stand apart, and a narrow one may be a single space from the next
        spans += [(found.start(), found.end(), found[0].casefold()) for found in re.finditer(r"\S+", plain)]
    port = next(((start, end) for start, end, word in spans if word in _PORT_HEADS), None)
    name = next(((start, end) for start, end, word in spans if word in _NAME_HEADS), None)
    return _Heading(port, name) if (port or name) and len(spans) > 1 else None


def _under(line: str, column: tuple[int, int] | None, *, reach: int = _REACH) -> str:
    """The word of a line that stands under a heading: begins or ends where the heading does, or nearly."""
    if column is None:
        return ""
    best, nearest = "", reach + 1
    for found in re.finditer(r"[^\s|]+", line):
        off = min(abs(found.start() - column[0]), abs(found.end() - column[1]))
        if off < nearest:
            best, nearest = found[0], off
    return best if any(letter.isalnum() for letter in best) else ""
