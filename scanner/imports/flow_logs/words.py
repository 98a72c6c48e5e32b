"""Words and numbers as logs spell them: ports by number or name, counts with a unit, flags as letters, actions."""

from __future__ import annotations

import re

__all__ = ["count_of", "flags_of", "is_denied", "port_of"]

_PORTS = {"ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "domainudp": 53, "domaintcp": 53, "dns": 53,
          "bootps": 67, "bootpc": 68, "tftp": 69, "http": 80, "www": 80, "ntp": 123, "netbiosns": 137,
          "netbiosdgm": 138, "netbiosssn": 139, "imap": 143, "snmp": 161, "https": 443, "microsoftds": 445,
          "syslog": 514, "rtsp": 554,
          "ntptcp": 123, "ntpudp": 123, "mqtt": 1883, "ssdp": 1900, "stun": 3478, "httpproxy": 8080}
_DENIED = re.compile(r"(?i)\b(?:den(?:y|ied)|drop(?:ped)?"
                     r"|block(?:ed)?|reject(?:ed)?|discard(?:ed)?|refused?"
                     r"|prevent(?:ed)?|reset-(?:both|client|server)|ip-conn-blocked|violation)\b")
_COUNT = re.compile(r"(\d{1,16})(?:\.(\d{1,6}))?(?: ?([KMGT]))?$")
_UNITS = {None: 1, "K": 1_000, "M": 1_000_000, "G": 1_000_000_000, "T": 1_000_000_000_000}
_FLAGS = {"F": 0x01, "S": 0x02, "R": 0x04, "P": 0x08, "A": 0x10, "U": 0x20, "E": 0x40, "C": 0x80}
_UNSET = frozenset({"", "-", "N/A"})


def count_of(text: str) -> int:
    """A count, with a unit of thousands or without; 0 for what is none."""
    match = _COUNT.match(text.strip())
    if match is None:
        return 0
    whole = int(match[1]) * _UNITS[match[3]]
    return whole + int(float(f"0.{match[2]}") * _UNITS[match[3]]) if match[2] else whole


def port_of(text: str) -> int | None:
    """A port by number or by the name that firewalls print; 0 where there is none, None for anything else."""
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return int(text) if len(text) <= 5 and int(text) <= 65_535 else None
    if text in _UNSET:
        return 0
    match = re.match(r"(?:tcp|udp)[_/ -](\d{1,5})$", text, re.IGNORECASE)
    if match and int(match[1]) <= 65_535:
        return int(match[1])
    return _PORTS.get(re.sub(r"[^a-z]", "", text.lower()))


def flags_of(text: str) -> int:
    """TCP flags as letters (``.AP.SF``, ``SYN ACK``) or as a number, or-ed."""
    text = text.strip()
    if text.isdecimal() and text.isascii():
        return int(text[:3]) & 0xFF
    if text[:2] in {"0x", "0X"}:
        return int(text[2:4], 16) if re.fullmatch(r"[0-9a-fA-F]{1,2}", text[2:4]) else 0
    if len(text) > 16:
        return 0
    found = 0
    for word in text.upper().split():
        if word in {"SYN", "ACK", "FIN", "RST", "PSH", "URG"}:
            found |= _FLAGS[word[0]]
        else:
            for letter in word:
                found |= _FLAGS.get(letter, 0)
    return found


def is_denied(text: str) -> bool:
    """Whether a firewall's word for what it did means that it let nothing through."""
    return bool(_DENIED.search(text[:128].replace("_", "-")))
