"""Discovery datagrams of the simulated devices: one pure function, a file a protocol.

Each file knows the request its maker's firmware accepts and how that firmware answers; what it does not accept is met
with silence, as in the field. Ports are the protocols' own.
"""

from __future__ import annotations

from collections.abc import Callable

from lab.datagrams import (
    bosch,
    dhip,
    foscam,
    gvcp,
    hanwha,
    mdns,
    mhed,
    sadp,
    snmp,
    ssdp,
    ubiquiti,
    vstarcam,
    wsd,
    xiongmai,
)
from lab.persona import Persona

__all__ = ["GROUPS", "PORTS", "REPLY_GROUPS", "answer", "reply_port"]

_ANSWERS: dict[str, Callable[[Persona, bytes, str], list[bytes]]] = {
    "wsd": wsd.answer, "sadp": sadp.answer, "dhip": dhip.answer, "mhed": mhed.answer, "xiongmai": xiongmai.answer,
    "gvcp": gvcp.answer, "hanwha": hanwha.answer, "bosch": bosch.answer, "mdns": mdns.answer,
    "foscam": foscam.answer, "ubiquiti": ubiquiti.answer, "vstarcam": vstarcam.answer,
    "snmp": snmp.answer, "ssdp": ssdp.answer,
}

PORTS: dict[int, str] = {
    wsd.PORT: "wsd", sadp.PORT: "sadp", dhip.PORT: "dhip", mhed.PORT: "mhed", xiongmai.PORT: "xiongmai",
    gvcp.PORT: "gvcp", hanwha.PORT: "hanwha", bosch.PORT: "bosch", mdns.PORT: "mdns",
    foscam.PORT: "foscam", ubiquiti.PORT: "ubiquiti", vstarcam.PORT: "vstarcam", snmp.PORT: "snmp", ssdp.PORT: "ssdp",
}
"""UDP port to the protocol's name, the same word as in `Persona.protocols`."""

GROUPS: dict[int, tuple[str, ...]] = {
    wsd.PORT: (wsd.GROUP,), sadp.PORT: ("239.255.255.250",), dhip.PORT: ("239.255.255.251",),
    mhed.PORT: ("234.55.55.55",), mdns.PORT: (mdns.GROUP,),
    ubiquiti.PORT: (ubiquiti.GROUP,), ssdp.PORT: (ssdp.GROUP,),
}
"""Multicast groups a device listens to, by port; the other protocols are broadcast."""

REPLY_GROUPS: dict[int, str] = {mhed.PORT: "234.55.55.56", mdns.PORT: mdns.GROUP}
"""Where a device on a real network also sends its answer: MHED announces and mDNS responses are for everybody."""

_REPLY_PORTS: dict[int, int] = {
    hanwha.PORT: hanwha.REPLY_PORT, bosch.PORT: bosch.REPLY_PORT, xiongmai.PORT: xiongmai.PORT,
}


def reply_port(port: int) -> int | None:
    """The fixed port a protocol answers to, or None where the answer goes back to the asker's port."""
    return _REPLY_PORTS.get(port)


def answer(persona: Persona, port: int, data: bytes, address: str) -> list[bytes]:
    """What the device at `address` answers to one datagram on `port`; an empty list is silence."""
    protocol = PORTS.get(port)
    if protocol is None or protocol not in persona.protocols:
        return []
    return _ANSWERS[protocol](persona, data, address)
