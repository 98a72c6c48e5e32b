"""What hostile devices send: bombs, endless nesting, names cut in two, credentials where nobody expects them.

Everything is made here from a few words, so that no bomb lies in the repository.
"""

from __future__ import annotations

import gzip
import random
import re
import struct
from enum import StrEnum
from functools import cache

__all__ = [
    "BODY_BYTES", "ECHOED_PASSWORD", "ECHOED_USER", "JSON", "XML", "Behaviour", "bomb", "device_information",
    "document", "echo", "garbage", "json_frame", "probe_match", "sadp_match",
]

BODY_BYTES = 100_000_000
DEPTH_XML, DEPTH_JSON, DIGITS = 60_000, 5_000, 20_000
ECHOED_USER, ECHOED_PASSWORD = "admin", "SuperSecret9"
MESSAGE_ID = re.compile(r"MessageID[^>]*>\s*([^<\s]{1,256})\s*<")


class Behaviour(StrEnum):
    """What a hostile device does to whoever talks to it."""

    GARBAGE = "garbage"                        # bytes that are no protocol at all
    DRIP = "drip"                              # a proper reply, one byte at a time
    FLOOD = "flood"                            # a body of 100 MB; over UDP the largest datagram there is
    REDIRECT = "redirect"                      # points at the trap: Location, XAddrs, stream addresses
    CLOSE_MID_REPLY = "close_mid_reply"        # announces more than it sends, then resets
    SILENT = "silent"                          # accepts and never says a word
    ENDLESS_HEADERS = "endless_headers"        # header lines without an end
    ENDLESS_LINE = "endless_line"              # one header line without an end
    GZIP_BOMB = "gzip_bomb"                    # 100 MB in less than 100 KB, unasked
    XML_BILLION_LAUGHS = "xml_billion_laughs"  # entities that grow to gigabytes
    XML_EXTERNAL_ENTITY = "xml_external_entity"    # an entity that lies in a file or at the trap
    XML_DEEP = "xml_deep"                      # 60,000 elements inside one another
    XML_SPLIT_VENDOR = "xml_split_vendor"      # a maker's name cut in two by a comment, a section, invisible letters
    RTSP_ECHO = "rtsp_echo"                    # gives credentials back in Content-Base, controls and headers
    JSON_DEEP = "json_deep"                    # DHIP with arrays 5,000 deep
    JSON_HUGE_NUMBER = "json_huge_number"      # DHIP with a number of 20,000 digits


XML = frozenset(each for each in Behaviour if each.startswith("xml_"))
JSON = frozenset(each for each in Behaviour if each.startswith("json_"))


def garbage(size: int) -> bytes:
    """Bytes of all values, the same every time."""
    return random.Random(size).randbytes(size)


@cache
def bomb() -> bytes:
    """100 MB of nothing, as gzip."""
    return gzip.compress(bytes(BODY_BYTES), mtime=0)


@cache
def json_frame(behaviour: Behaviour) -> bytes:
    """A DHIP answer, frame and all, whose JSON is too deep or holds a number without end."""
    inner = "[" * DEPTH_JSON + "]" * DEPTH_JSON if behaviour is Behaviour.JSON_DEEP else "9" * DIGITS
    body = f'{{"mac":"02:00:00:00:00:01","method":"client.notifyDevInfo","params":{{"deviceInfo":{inner}}}}}'.encode()
    return struct.pack("<I4sIIQQ", 32, b"DHIP", 0, 0, len(body), len(body)) + body


def document(behaviour: Behaviour, trap: str, inner: str) -> bytes:
    """`inner` as a document, behind the prologue and around the nesting of this behaviour."""
    match behaviour:
        case Behaviour.XML_BILLION_LAUGHS:
            levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
            prologue, inner = f'<!DOCTYPE x [<!ENTITY l0 "lol">{levels}]>', inner.replace("Odd", "&l9;")
        case Behaviour.XML_EXTERNAL_ENTITY:
            prologue = ('<!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/hostname">'
                        f'<!ENTITY web SYSTEM "http://{trap}/entity">]>')
            inner = inner.replace("Odd", "&file;&web;")
        case Behaviour.XML_DEEP:
            prologue, inner = "", inner.replace("Odd", "<a>" * DEPTH_XML + "Odd" + "</a>" * DEPTH_XML)
        case _:
            prologue = ""
    return f'<?xml version="1.0" encoding="UTF-8"?>{prologue}{inner}'.encode()


def device_information(behaviour: Behaviour) -> str:
    """An ONVIF GetDeviceInformationResponse."""
    split = behaviour is Behaviour.XML_SPLIT_VENDOR
    maker = "Da<!-- -->hua" if split else "Odd"
    model = "<![CDATA[IPC-]]>HDW2431T" if split else "M1"
    serial = "5C0471E\u200bPAG6F20B" if split else "1"
    return ('<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
            'xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><s:Body><tds:GetDeviceInformationResponse>'
            f"<tds:Manufacturer>{maker}</tds:Manufacturer><tds:Model>{model}</tds:Model>"
            f"<tds:FirmwareVersion>1.0</tds:FirmwareVersion><tds:SerialNumber>{serial}</tds:SerialNumber>"
            "<tds:HardwareId>1</tds:HardwareId></tds:GetDeviceInformationResponse></s:Body></s:Envelope>")


def probe_match(request: bytes, xaddrs: str, name: str) -> str:
    """A WS-Discovery ProbeMatches that relates to the request."""
    asked = MESSAGE_ID.search(request.decode("utf-8", "replace"))
    return ('<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
            'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
            'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
            'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><s:Header>'
            f"<a:RelatesTo>{asked[1] if asked else ''}</a:RelatesTo>"
            "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action></s:Header><s:Body>"
            "<d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:0</a:Address></a:EndpointReference>"
            f"<d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/name/{name}</d:Scopes>"
            f"<d:XAddrs>{xaddrs}</d:XAddrs></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>")


def sadp_match(name: str) -> str:
    """A SADP ProbeMatch."""
    return (f"<ProbeMatch><Types>inquiry</Types><DeviceDescription>{name}</DeviceDescription>"
            "<MAC>02-00-00-00-00-01</MAC></ProbeMatch>")


def echo(address: str, request: bytes, head: str) -> bytes:
    """A DESCRIBE reply with credentials where nobody expects them; the client's authorisation comes back as well."""
    base = f"rtsp://{ECHOED_USER}:{ECHOED_PASSWORD}@{address}/stream"
    sent = [line for line in request.decode("latin-1").split("\r\n") if line.lower().startswith("authorization:")]
    returned = "".join(f"X-Debug-{line}\r\n" for line in sent)
    sdp = (f"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=Session streamed by {ECHOED_USER}:{ECHOED_PASSWORD}\r\nt=0 0\r\n"
           f"a=control:{base}/\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:{base}/trackID=0\r\n")
    return (f"{head}{returned}Content-Base: {base}/\r\nContent-Type: application/sdp\r\n"
            f"Content-Length: {len(sdp)}\r\n\r\n{sdp}").encode()
