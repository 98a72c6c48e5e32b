"""What a word in somebody's table says: a MAC in any of its spellings, an address, a switch port.

The spellings are those of switches, routers, servers and sheets: ``3C:EF:8C:00:00:01``, ``3c-ef-8c-00-00-01``,
``3cef.8c00.0001`` (Cisco), ``3cef-8c00-0001`` (Huawei, H3C), ``3cef8c-000001`` (ProCurve), ``3c ef 8c 00 00 01``
(ProCurve's LLDP), ``3c:ef:8c:0:0:1`` (BSD), and behind a type octet as a DHCP client identifier (RFC 2132, 9.14).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from scanner import clock
from scanner.imports import address_of
from scanner.wire import oui

__all__ = ["address_in", "almost_mac", "is_group", "is_nothing", "mac_at_end", "mac_gone_wrong", "mac_in", "mac_of",
           "moment_of", "place_of", "port_in"]

_NOT_BEFORE, _NOT_AFTER = r"(?<![0-9A-Za-z:.-])", r"(?![0-9A-Za-z:-]|\.[0-9A-Fa-f])"
_PAIRS = r"[0-9A-Fa-f]{2}"
_MAC = re.compile(_NOT_BEFORE + "(?:" + "|".join((
    rf"{_PAIRS}(?:(?P<s>[:-]){_PAIRS}(?:(?P=s){_PAIRS}){{4}})",
    r"[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2}){5}",
    r"[0-9A-Fa-f]{4}(?P<d>[.-])[0-9A-Fa-f]{4}(?P=d)[0-9A-Fa-f]{4}",
    r"[0-9A-Fa-f]{6}-[0-9A-Fa-f]{6}",
)) + ")" + _NOT_AFTER)
_SPACED = re.compile(rf"(?<![0-9A-Za-z:.-]){_PAIRS}(?: {_PAIRS}){{5}}(?![0-9A-Za-z:.-])")
_CLIENT_ID = re.compile(_NOT_BEFORE + rf"0?1(?:(?P<dotted>{_PAIRS}\.[0-9A-Fa-f]{{4}}\.[0-9A-Fa-f]{{4}}\.{_PAIRS})|"
                        r"[:-](?P<octets>[0-9A-Fa-f]{1,2}(?:[:-][0-9A-Fa-f]{1,2}){5}))" + _NOT_AFTER)
_ALMOST = re.compile(r"(?<![0-9A-Za-z:.-])[0-9A-Za-z]{2}(?:([:-])[0-9A-Za-z]{2}(?:\1[0-9A-Za-z]{2}){3,5}|"
                     r"[0-9A-Za-z]{2}([.-])[0-9A-Za-z]{2,4}\2[0-9A-Za-z]{2,4})(?![0-9A-Za-z:.-])")
_TAIL = re.compile(r"(?:^|[-_ ])(?:SEP|AXIS|ATA)?-?([0-9A-Fa-f]{12})$", re.IGNORECASE)
_PORT = re.compile(
    r"(?<![\w./:-])(?:"
    r"[A-Za-z][A-Za-z-]{0,30}\d{1,4}(?:[/:]\d{1,4}){1,3}(?:\.\d{1,5})?"              # Gi1/0/7, ge-0/0/7.0, Eth1/7
    r"|\d{1,2}(?:/\d{1,3}){1,3}"                                                      # 1/1/7, 0/7
    r"|port\d{1,3}(?:\.\d{1,3}){2}"                                                   # port1.0.7
    r"|(?:gi|ge|te|tw|fa|eth|ether|ethernet|xe|et|ae|po|port|port-channel|trk|trunk|lag|bond|sfp|sfp-sfpplus|sfpplus|"
    r"qsfp|combo|swp|eno|ens|enp\w{1,12}|lan|wlan|veth\w{0,12}|eth-trunk|bridge-aggregation|bagg|wifi|ra|ath)-?"
    r"\d{1,4}(?:[./:]\d{1,5}){0,3}(?:-[\w-]{1,24})?"                                  # ether7, Trk1, sfp-sfpplus1, Po1
    r")(?![\w/:])", re.IGNORECASE)
_DEVICE = re.compile(r"\b(?:dev|on)\s+([\w.@-]{1,32})")


_GROUPS = ("ffffffffffff", "01005e", "3333", "0180c2", "01000ccc", "011b19")
_NOTHING = frozenset({"", "-", "--", "---", "\u2013", "\u2014", "?", "0", "n/a", "na", "n.a.", "none", "null", "nil",
                      "unknown", "tbd", "not available", "not known", "unbekannt", "keine", "aucune", "inconnu",
                      "desconocido"})
_EPOCH = re.compile(r"([1-9]\d{8,9})(?:\.\d{1,9})?")         # from 1973 to 2286


def is_nothing(cell: str) -> bool:
    """Whether a cell says that nothing is known, in one of the usual ways."""
    return cell.strip().strip("\"'").casefold() in _NOTHING


def mac_gone_wrong(word: str) -> bool:
    """Whether a word that stands where a MAC should is one that went wrong, and no remark such as ``incomplete``."""
    plain = sum(letter.isalnum() for letter in word)
    joints = sum(letter in ":.-" for letter in word.strip(":.-"))
    digits = any(letter.isdigit() for letter in word)
    return plain >= 4 and (joints >= 2 or (joints == 1 and digits) or (digits and plain >= 8))


def moment_of(text: str) -> str:
    """A time as a book writes it; seconds since 1970 become ISO 8601, UTC."""
    found = _EPOCH.fullmatch(text.strip())
    return clock.stamp(datetime.fromtimestamp(int(found[1]), UTC)) if found else text


def mac_of(text: str) -> str:
    """The MAC that a whole cell is, also as a DHCP client identifier or as the end of a name; empty otherwise."""
    text = text.strip().strip("\"'")[:64]
    plain = oui.normalise(text) or (oui.normalise(_digits(found[0])) if (found := _MAC.fullmatch(text)) else "")
    if plain:
        return _single(plain)
    found = _CLIENT_ID.fullmatch(text)
    if found:
        return _single(oui.normalise(_digits(found["dotted"] or _octets(found["octets"]))))
    return _single(oui.normalise(text[2:])) if re.fullmatch(r"01[0-9A-Fa-f]{12}", text) else ""


def mac_in(line: str) -> tuple[str, str]:
    """``(MAC, the line without it)`` of a line's first MAC of a single device; ``("", line)`` where there is none."""
    for pattern in (_MAC, _CLIENT_ID, _SPACED):
        for found in pattern.finditer(line):
            mac = mac_of(found[0]) if pattern is not _SPACED else _single(oui.normalise(_digits(found[0])))
            if mac:
                return mac, line[:found.start()] + " " * len(found[0]) + line[found.end():]
    return "", line


def mac_at_end(name: str) -> str:
    """The MAC in which a name ends, as Axis cameras and Cisco telephones call themselves; empty otherwise."""
    found = _TAIL.search(name.strip())
    return _single(oui.normalise(found[1])) if found else ""


def almost_mac(line: str) -> bool:
    """Whether something in the line has the shape of a MAC and is none: cut short, masked, of a group."""
    return any(re.search(r"\d|x|X|[a-f]{2}", found[0]) for found in _ALMOST.finditer(line))


def is_group(text: str) -> bool:
    """Whether a text names the MAC of a well-known group and of no single device: broadcast, IP multicast, bridges."""
    groups = [_digits(found[0]).lower().startswith(_GROUPS) for found in _MAC.finditer(text)]
    return bool(groups) and all(groups)


def address_in(line: str) -> str:
    """The first IP address of a line that is a host's: no mask, no network, no group."""
    for word in re.split(r"[\s,;|()\[\]\"'=<>]+", line):
        found = address_of(word)
        if found and not found.startswith(("255.", "127.")) and "/" not in word:
            return found
    return ""


def place_of(text: str) -> str:
    """The address in a cell that may be a URL or have a port: ``http://10.20.0.5:8080/``; empty otherwise."""
    text = text.strip()[:512]
    text = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]{0,15}://", "", text).partition("/")[0].rpartition("@")[2]
    bracketed = re.match(r"\[([^\]]{2,64})\]", text)
    if bracketed:
        return address_of(bracketed[1])
    return address_of(text) or (address_of(text.partition(":")[0]) if text.count(":") == 1 else "")


def port_in(line: str) -> str:
    """The first word of a line that is an interface of a switch or a machine; empty where none is."""
    named = _DEVICE.search(line)
    if named:
        return named[1]
    found = _PORT.search(line)
    return found[0] if found else ""


def _single(mac: str) -> str:
    """A MAC of one device: a group's is nobody's."""
    return "" if not mac or int(mac[:2], 16) & 1 else mac


def _digits(text: str) -> str:
    if text.count(":") == 5:
        return _octets(text)
    return re.sub(r"[^0-9A-Fa-f]", "", text)


def _octets(text: str) -> str:
    return "".join(part.zfill(2) for part in re.split("[:-]", text))
