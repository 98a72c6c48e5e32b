"""The datagram protocols of a sweep: one entry each, with where to ask, where answers go, and what must not be done.

Ports, groups and traps are those of the codecs' specifications. Only verbs that read are here. Everything goes to
private addresses only, whatever the scope allows: 3702, 37020 and 37810 amplify.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
    tplink,
    tplink_legacy,
    ubiquiti,
    vision360,
    vivotek,
    vstarcam,
    wsdiscovery,
    xiongmai,
)
from scanner.wire.fields import Fields

__all__ = ["CAMERA_TRANSPORTS", "PROTOCOLS", "Protocol"]

Parse = Callable[[bytes, Endpoint, datetime], Fields | Refusal]


@dataclass(frozen=True, slots=True)
class Protocol:
    """One datagram protocol as the sweep asks it.

    Attributes:
        probe, transport: its names in attempts and observations.
        port: where devices listen.
        payloads: fresh requests, sent in turn until one is answered; to a group or broadcast address all of them, with
            a pause between two.
        parse: its reader.
        group, group6: where multicast goes; without a group the link's broadcast address is asked.
        payloads6: what is sent to `group6`, where it differs.
        broadcast: the broadcast address is asked beside the group.
        reply_port: the local port that answers come to; 0: to the sender.
        second_port: one more local port that answers may come to.
        reply_groups: groups that answers are sent to.
        answers_to_all: devices answer by broadcast, to the sender's port.
        everywhere: asked by unicast of every address of the scope, not only of hosts that showed themselves.
        unicast: asked by unicast at all; some firmware hears nothing but a broadcast, and one datagram more is one
            too many.
        addressed: requests that name the asking interface, from its MAC and IPv4 address; `payloads` is the same for
            an unknown one.
        keep_raw: false where the raw reply holds what must not be stored.
        camera: answering it is a sign of a camera.
    """

    probe: str
    transport: str
    port: int
    payloads: Callable[[], Sequence[bytes]]
    parse: Parse
    group: str = ""
    group6: str = ""
    payloads6: Callable[[], Sequence[bytes]] | None = None
    broadcast: bool = False
    reply_port: int = 0
    second_port: int = 0
    reply_groups: tuple[str, ...] = ()
    answers_to_all: bool = False
    everywhere: bool = False
    unicast: bool = True
    addressed: Callable[[str, str], Sequence[bytes]] | None = None
    keep_raw: bool = True
    camera: bool = True

    @property
    def reply_ports(self) -> tuple[int, ...]:
        """The local ports to listen on; 0 is any."""
        return (self.reply_port, self.second_port) if self.second_port else (self.reply_port,)

    def questions(self, mac: str = "", address: str = "") -> Sequence[bytes]:
        """The requests to send from the interface with this MAC and address, where they are known."""
        if ":" in address:
            return self.payloads6() if self.payloads6 else self.payloads()
        return self.addressed(mac, address) if self.addressed and address else self.payloads()


def _mdns_question() -> Sequence[bytes]:
    return (mdns.request((*mdns.SERVICE_TYPES, "_hap._udp.local", "_arlo-video._tcp.local")),)


def _wsd_probes() -> Sequence[bytes]:
    return wsdiscovery.requests((uuid.uuid4(), uuid.uuid4(), uuid.uuid4()))


def _ssdp_questions(host: str = ssdp.GROUP) -> Sequence[bytes]:
    # `ssdp:all` would have every device answer once for each of its services.
    return ssdp.request(host=host), ssdp.request("urn:axis-com:service:BasicService:1", host)


def _twice(request: Callable[[], bytes]) -> Callable[[], Sequence[bytes]]:
    """For what is asked by broadcast alone: a datagram that is lost has no second way to the device."""
    return lambda: (request(), request())


PROTOCOLS: tuple[Protocol, ...] = (
    Protocol("wsd.probe", "wsd", wsdiscovery.PORT, _wsd_probes, wsdiscovery.parse, group=wsdiscovery.GROUP,
             group6="ff02::c", everywhere=True, camera=False),
    Protocol("sadp.inquiry", "sadp", sadp.PORT, lambda: (sadp.request(uuid.uuid4()),), sadp.parse, group=sadp.GROUP,
             reply_port=sadp.PORT, reply_groups=(sadp.GROUP,), everywhere=True),
    Protocol("dhip.search", "dhip", dhip.PORT, lambda: (dhip.request(),), dhip.parse, group=dhip.GROUP,
             broadcast=True, everywhere=True),
    Protocol("mhed.search", "mhed", mhed.PORT, lambda: (mhed.request(),), mhed.parse, group=mhed.GROUP,
             reply_port=mhed.REPLY_PORT, reply_groups=(mhed.REPLY_GROUP, mhed.GROUP)),
    Protocol("xiongmai.search", "xiongmai", xiongmai.PORT, lambda: (xiongmai.request(),), xiongmai.parse,
             reply_port=xiongmai.PORT),
    Protocol("gvcp.discovery", "gvcp", gvcp.PORT, lambda: (gvcp.request(1),), gvcp.parse,
             answers_to_all=True),                         # from another subnet it acknowledges by broadcast
    Protocol("hanwha.search", "hanwha", hanwha.PORT, lambda: (hanwha.request(),), hanwha.parse,
             reply_port=hanwha.REPLY_PORT),
    Protocol("bosch.search", "bosch", bosch.PORT, lambda: (bosch.request(1),), bosch.parse,
             reply_port=bosch.REPLY_PORT),
    Protocol("mdns.query", "mdns", mdns.PORT, _mdns_question, mdns.parse, group=mdns.GROUP, group6="ff02::fb",
             camera=False),
    Protocol("ssdp.search", "ssdp", ssdp.PORT, _ssdp_questions, ssdp.parse, group=ssdp.GROUP,
             group6=ssdp.GROUP_V6, payloads6=lambda: _ssdp_questions(ssdp.GROUP_V6), camera=False),
    Protocol("ubiquiti.search", "ubiquiti", ubiquiti.PORT, lambda: (ubiquiti.request(),), ubiquiti.parse,
             group=ubiquiti.GROUP, broadcast=True, reply_port=ubiquiti.PORT, reply_groups=(ubiquiti.GROUP,),
             camera=False),
    Protocol("reolink.search", "reolink", reolink.PORT, lambda: (reolink.request(),), reolink.parse,
             reply_port=reolink.REPLY_PORT),
    Protocol("tplink.search", "tplink", tplink.PORT, lambda: (tplink.request(),), tplink.parse, camera=False),
    # Nobody documents that the following answer a unicast question, so they are asked by broadcast alone.
    Protocol("dahua_v1.search", "dahua_v1", dahua_v1.PORT, _twice(dahua_v1.request), dahua_v1.parse,
             reply_port=dahua_v1.PORT, unicast=False),
    Protocol("vivotek.search", "vivotek", vivotek.PORT, _twice(vivotek.request), vivotek.parse, unicast=False),
    Protocol("foscam.search", "foscam", foscam.PORT, _twice(foscam.request), foscam.parse,
             reply_port=foscam.PORT, unicast=False),
    Protocol("sony.search", "sony", sony.PORT, _twice(sony.request), sony.parse, answers_to_all=True,
             unicast=False),
    Protocol("panasonic.search", "panasonic", panasonic.PORT, _twice(lambda: panasonic.request("", "0.0.0.0")),  # noqa: S104 - a field of the message, bound to nothing
             panasonic.parse, reply_port=panasonic.REPLY_PORT, second_port=panasonic.PORT, unicast=False,
             addressed=lambda mac, address: (panasonic.request(mac, address),) * 2),
    Protocol("vstarcam.search", "vstarcam", vstarcam.PORT, _twice(vstarcam.request), vstarcam.parse,
             reply_port=vstarcam.PORT, unicast=False),
    Protocol("vision360.search", "vision360", vision360.PORT, _twice(vision360.request), vision360.parse,
             reply_port=vision360.PORT, unicast=False),
    Protocol("nice.search", "nice", nice.PORT, _twice(lambda: nice.request(1, nice.PORT)), nice.parse,
             reply_port=nice.PORT, unicast=False),
    Protocol("cordex.search", "cordex", cordex.PORT, _twice(cordex.request), cordex.parse, answers_to_all=True,
             unicast=False),
    Protocol("advantech.search", "advantech", advantech.PORT, _twice(advantech.request), advantech.parse,
             unicast=False, camera=False),
    Protocol("tplink.legacy", "tplink_legacy", tplink_legacy.PORT, _twice(tplink_legacy.request),
             tplink_legacy.parse, unicast=False, keep_raw=False, camera=False),
)

CAMERA_TRANSPORTS = frozenset(one.transport for one in PROTOCOLS if one.camera)
"""Transports that only cameras and recorders speak."""
