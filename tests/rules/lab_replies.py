"""What a device of the simulated site says, read without a socket: its servers are fed bytes, its answers are parsed.

So that many judgements can be made of the same replies in a test, where a sweep would take seconds.
"""

import asyncio
import uuid
from functools import cache

from specimens import NOW, seen

from lab import datagrams
from lab.personas import persona
from lab.services.families import firmware_of, look_of
from lab.services.family import Place
from lab.services.http import WebServer
from lab.services.message import Request, encode
from lab.services.rtsp import RtspServer
from scanner.wire import bosch, dhip, gvcp, hanwha, mdns, mhed, replies, sadp, wsdiscovery, xiongmai

ADDRESS = "10.20.9.9"
SEARCHES = {
    "wsd": (3702, wsdiscovery.requests((uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3)))),
    "sadp": (37020, (sadp.request(uuid.UUID(int=1)),)), "dhip": (37810, (dhip.request(),)),
    "mhed": (23456, (mhed.request(),)), "xiongmai": (34569, (xiongmai.request(),)), "gvcp": (3956, (gvcp.request(),)),
    "hanwha": (7701, (hanwha.request(),)), "bosch": (1757, (bosch.request(1),)), "mdns": (5353, (mdns.request(),)),
}
OPERATIONS = ("GetScopes", "GetDeviceInformation", "GetProfiles", "GetServices", "GetSystemDateAndTime")
SOAP = ('<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
        '<{} xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>')


class _Writer:
    """As much of a stream writer as the lab's servers use."""

    def __init__(self, port):
        self.port, self.sent = port, b""

    def get_extra_info(self, name):
        return (ADDRESS, self.port) if name in {"sockname", "peername"} else None

    def write(self, data):
        self.sent += data

    async def drain(self):
        pass

    def close(self):
        pass


def _told(server, port, request):
    async def run():
        reader, writer = asyncio.StreamReader(), _Writer(port)
        reader.feed_data(request)
        reader.feed_eof()
        await server.handle(reader, writer)
        return writer.sent
    return asyncio.run(run())


def _read(transport, port, data, probe):
    return replies.read(transport, port, data, device=ADDRESS, now=NOW, probe=probe)


def _discovered(one):
    for name, (port, requests) in SEARCHES.items():
        if name in one.protocols:
            answers = dict.fromkeys(reply for ask in requests for reply in datagrams.answer(one, port, ask, ADDRESS))
            for reply in answers:
                yield from _read("udp-payload", port, reply, f"{name}.search")


def _served(one):
    web = WebServer(one, Place(ADDRESS))
    yield from _read("http", 80, _told(web, 80, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"), "http.root")
    if "onvif" in one.protocols:
        for operation in OPERATIONS:
            body = SOAP.format(operation).encode()
            head = f"POST /onvif/device_service HTTP/1.1\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            yield from _read("http", 80, _told(web, 80, head.encode() + body), f"onvif.{operation}")
    documents = {**firmware_of(one).web.documents, **look_of(one).web.documents}
    for path, document in documents.items():                # as the pass with credentials reads them
        reply = encode("HTTP/1.1", document.render(one, Request("GET", path, "HTTP/1.1")))
        yield from _read("http", 80, reply, f"auth.{path}")


def _streamed(one):
    rtsp = RtspServer(one, Place(ADDRESS))
    for probe, ask in (("rtsp.options", "OPTIONS rtsp://x/"), ("rtsp.describe", "DESCRIBE rtsp://x/axis-media/media.amp"),
                       ("rtsp.describe_random_path", "DESCRIBE rtsp://x/c0ffee")):
        yield from _read("rtsp", 554, _told(rtsp, 554, f"{ask} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode()), probe)


@cache
def said_by(name):
    """Every reply of the lab's device of that name, as observations."""
    one = persona(name)
    calls = [seen(ADDRESS, "egress", "egress.capture", cloud.port, destination=cloud.address, protocol=cloud.protocol,
                  names=(cloud.host,), packets=9, bytes=900) for cloud in one.clouds if cloud.host]
    linked = seen(ADDRESS, "link", "link.arp", mac=one.mac, via="arp")
    found = [linked, *_discovered(one), *_served(one), *_streamed(one), *calls]
    return tuple({item.id: item for item in found}.values())
