"""One well-formed request for each discovery protocol of the lab, written from the protocol sheets."""

import struct

from scapy.layers.dns import DNS, DNSQR

__all__ = ["BOSCH", "DHIP", "DHIP_JSON", "GVCP", "HANWHA", "MHED", "NVT", "PROBE_ID", "REQUESTS", "SADP", "TDS",
           "XIONGMAI", "probe"]

PROBE_ID = "urn:uuid:0a6dc791-2be6-4991-9af1-454778a1917a"
HEAD = ('<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/'
        'addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header><a:MessageID>{id}</a:MessageID>'
        "<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>"
        "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action></s:Header><s:Body>")
NVT = '<d:Types xmlns:dn="http://www.onvif.org/ver10/network/wsdl">dn:NetworkVideoTransmitter</d:Types>'
TDS = '<d:Types xmlns:x="http://www.onvif.org/ver10/device/wsdl">x:Device</d:Types>'


def probe(inner: str = "", identifier: str = PROBE_ID) -> bytes:
    return f"{HEAD.format(id=identifier)}<d:Probe>{inner}</d:Probe></s:Body></s:Envelope>".encode()


SADP = (b'<?xml version="1.0" encoding="utf-8"?><Probe><Uuid>6F1C36A2-0A6F-4F7B-8C55-0B6B4F2E9A11</Uuid>'
        b"<Types>inquiry</Types></Probe>")
DHIP_JSON = b'{ "method" : "DHDiscover.search", "params" : { "mac" : "", "uni" : 1 } }\n'
DHIP = struct.pack("<I4sIIQQ", 32, b"DHIP", 0, 0, len(DHIP_JSON), len(DHIP_JSON)) + DHIP_JSON
MHED = b"MHED" + bytes.fromhex("08000100") + bytes.fromhex("01000000") + bytes(128)
XIONGMAI = bytes.fromhex("ff000000000000000000000000 00fa0500000000".replace(" ", ""))
GVCP = bytes.fromhex("4211000200000007")
HANWHA = b"\x01" + bytes(0x105)
BOSCH = bytes.fromhex("9939a42700c0ffeeff0006de")
REQUESTS = {37020: SADP, 37810: DHIP, 23456: MHED, 34569: XIONGMAI, 3956: GVCP, 7701: HANWHA, 1757: BOSCH,
            3702: probe(), 5353: bytes(DNS(id=0, qd=DNSQR(qname="_services._dns-sd._udp.local", qtype="PTR")))}
