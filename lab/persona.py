"""Who a simulated device is: one value that every server and datagram encoder of the lab reads.

A persona holds what the real device would say, not how: the encoders turn it into bytes. Nothing here is secret: the
credentials are the lab's own and are printed by `camvet lab list`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["ChannelCamera", "Cloud", "Persona"]


@dataclass(frozen=True, slots=True)
class ChannelCamera:
    """A camera behind a recorder, as the recorder's channel list describes it."""

    number: int
    manufacturer: str
    model: str
    address: str
    mac: str = ""
    serial: str = ""
    firmware: str = ""
    protocol: str = "ONVIF"


@dataclass(frozen=True, slots=True)
class Cloud:
    """One destination the device phones home to: a name (or none, for a hard-coded address), port and transport."""

    host: str
    address: str
    port: int
    protocol: str = "udp"         # udp or tcp
    every_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Persona:
    """One device of the simulated site.

    Attributes:
        name: short name, unique in the site (``dahua-tpc``).
        family: whose firmware answers (``dahua hikvision uniview tvt xiongmai axis hanwha bosch flir generic printer
            switch``).
        brand: the name on the label, as the device's own pages print it.
        manufacturer, model, firmware, serial, hardware: what the device declares of itself.
        mac: on the link layer; colons, upper case.
        host: last octet(s) on the site's network, ``10`` meaning x.y.z.10.
        user, password: the lab's known credentials.
        options: what only this family's encoders understand (``realm``, ``dhip_vendor``, ``oem_info``, …).
        protocols: which servers answer (``wsd onvif http https rtsp sadp dhip mhed xiongmai gvcp hanwha bosch mdns
            telnet``).
        anonymous_rtsp, anonymous_onvif: whether the device hands out its stream or its media profiles without a login.
    """

    name: str
    family: str
    brand: str
    manufacturer: str
    model: str
    firmware: str
    serial: str
    mac: str
    host: int
    hardware: str = ""
    user: str = "admin"
    password: str = "lab-only-1"
    protocols: frozenset[str] = frozenset()
    anonymous_rtsp: bool = False
    anonymous_onvif: bool = False
    channels: Sequence[ChannelCamera] = ()
    clouds: Sequence[Cloud] = ()
    options: Mapping[str, str] = field(default_factory=dict)
