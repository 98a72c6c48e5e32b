"""Replies of devices that do not exist, one or more for every parser; made here, byte by byte."""

import json
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from scanner.observation import Endpoint, Refusal
from scanner.wire import (
    banner,
    bosch,
    dahua_v1,
    dhcp,
    dhip,
    favicon,
    gvcp,
    hanwha,
    http,
    mdns,
    mhed,
    panasonic,
    rtsp,
    sadp,
    sdp,
    sip,
    snmp,
    soap,
    sony,
    ssdp,
    tls,
    tls_hello,
    tplink,
    vivotek,
    wsdiscovery,
    xiongmai,
)
from scanner.wire.fields import Fields

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SOURCE = Endpoint("10.1.2.3", 49152)
MAC = bytes.fromhex("0012345678ab")
MAC_TEXT = "00:12:34:56:78:AB"


def envelope(body: str, version: str = "http://www.w3.org/2003/05/soap-envelope") -> bytes:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{version}" '
        'xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema" '
        f'xmlns:ter="http://www.onvif.org/ver10/error"><s:Body>{body}</s:Body></s:Envelope>'
    ).encode()


INFORMATION = envelope(
    "<tds:GetDeviceInformationResponse><tds:Manufacturer>Acme</tds:Manufacturer><tds:Model>C-100</tds:Model>"
    "<tds:FirmwareVersion>2.800.0000000.29.R, Build Date 2021-06-30</tds:FirmwareVersion>"
    "<tds:SerialNumber>7E0A6B2PAG00001</tds:SerialNumber><tds:HardwareId>1.00</tds:HardwareId>"
    "</tds:GetDeviceInformationResponse>"
)

PROBE_MATCH = (
    b'<?xml version="1.0"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
    b'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    b'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
    b'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header>'
    b"<w:RelatesTo>uuid:0A000000-0000-4000-8000-0000000000FF</w:RelatesTo></e:Header><e:Body><d:ProbeMatches><d:ProbeMatch>"
    b"<w:EndpointReference><w:Address>urn:uuid:11111111-2222-3333-4444-555555555555</w:Address></w:EndpointReference>"
    b"<d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types><d:Scopes>onvif://www.onvif.org/name/Front%20Door+2 "
    b"onvif://www.onvif.org/hardware/C_100 onvif://www.onvif.org/MAC/00-12-34-56-78-ab onvif://www.onvif.org/Profile/T "
    b"onvif://www.onvif.org/location/city/north_yard onvif://www.onvif.org/extension/unique_identifier/1</d:Scopes>"
    b"<d:XAddrs>http://192.168.1.64/onvif/device_service http://[fe80::1]/onvif/device_service</d:XAddrs>"
    b"</d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>"
)

SADP_REPLY = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<ProbeMatch>\n<Uuid>0A000000-0000-4000-8000-0000000000FF</Uuid>\n'
    b"<Types>inquiry</Types>\n<DeviceType>139267</DeviceType>\n<DeviceDescription>DS-0000 A&B</DeviceDescription>\n"
    b"<DeviceSN>DS-000020240512AAWR000000001</DeviceSN>\n<CommandPort>8000</CommandPort>\n<HttpPort>80</HttpPort>\n"
    b"<MAC>00-12-34-56-78-ab</MAC>\n<IPv4Address>192.168.1.64</IPv4Address>\n<DHCP>true</DHCP>\n"
    b"<SoftwareVersion>V5.6.10build 230721</SoftwareVersion>\n<Activated>flase</Activated>\n<OEMInfo>N/A</OEMInfo>\n"
    b"</ProbeMatch>\n"
)

DEVICE_INFO = {
    "DeviceClass": "IPC",
    "DeviceType": "C-100",
    "HttpPort": 80,
    "Port": 37777,
    "SerialNo": "7E0A6B2PAG00001",
    "Vendor": "Acme",
    "Manufacturer": "Private",
    "Version": "2.800.0000000.3.R,build:2021-06-30",
    "Init": 1162,
    "IPv4Address": {"IPAddress": "10.1.2.3", "SubnetMask": "255.255.255.0"},
    "VideoInputChannels": 1,
    "RemoteVideoInputChannels": 0,
    "MachineName": "yard",
}
DHIP_REPLY = (
    dhip.frame(
        json.dumps(
            {"mac": "00:12:34:56:78:ab", "method": "client.notifyDevInfo", "params": {"deviceInfo": DEVICE_INFO}}
        ).encode()
    )
    + b"\n\0"
)

GVCP_REPLY = struct.pack(">HHHH", 0, 3, 248, 7) + bytearray(248)
_gvcp = bytearray(GVCP_REPLY)
_gvcp[8:12], _gvcp[0x12:0x18], _gvcp[0x2C:0x30] = b"\0\2\0\1", MAC, bytes((10, 1, 2, 3))
for _at, _text in (
    (0x50, b"Acme Thermal"),
    (0x70, b"T-400"),
    (0x90, b"3.42"),
    (0xB0, b"note"),
    (0xE0, b"8990"),
    (0xF0, b"gate"),
):
    _gvcp[_at : _at + len(_text)] = _text
GVCP_REPLY = bytes(_gvcp)

_mhed = bytearray(240)
_mhed[:12] = b"MHED" + struct.pack("<II", 0x00010008, 2)
_mhed[12:16], _mhed[32:38], _mhed[38:40], _mhed[40:44] = b"gate", MAC, struct.pack("<H", 9008), bytes((10, 1, 2, 3))
_mhed[52:68] = struct.pack("<IIHHI", 0x05010400, 20220817, 80, 554, 2)
_mhed[140:144], _mhed[156:163], _mhed[196:201], _mhed[212:216] = b"N2C0", b"5.1.4.3", b"C-100", b"Acme"
_mhed[228:232] = struct.pack("<I", 1)
MHED_REPLY = bytes(_mhed)

XIONGMAI_REPLY = (
    struct.pack("<BBHIIHHI", 0xFF, 1, 0, 0, 0, 0, 1531, 0)
    + json.dumps(
        {
            "NetWork.NetCommon": {
                "HostIP": "0x0302010A",
                "MAC": "00:12:34:56:78:ab",
                "SN": "a3f1",
                "HostName": "yard",
                "HttpPort": 80,
                "TCPPort": 34567,
                "SSLPort": 8443,
                "ChannelNum": 1,
                "DeviceType": 1,
                "Version": "4.03",
            },
            "Ret": 100,
        }
    ).encode()
    + b"\n\0"
)

_hanwha = bytearray(hanwha.SIZE)
_hanwha[0], _hanwha[0x13:0x24], _hanwha[0x25:0x2D] = 0x0B, MAC_TEXT.encode(), b"10.1.2.3"
_hanwha[0x6D:0x72], _hanwha[0x85:0x94] = b"C-100", b"http://10.1.2.3"
HANWHA_REPLY = bytes(_hanwha)

BOSCH_REPLY = bosch.MAGIC + struct.pack(">I", 7) + MAC + b"\0\0" + bytes((10, 1, 2, 3)) + bytes(12)
BOSCH_SHEET = (
    b'<device xmlns="OEMExt00:device-1-0"><friendlyName>DINION</friendlyName><deviceGUID>42-a7</deviceGUID>'
    b"<serialNumber>0445</serialNumber><physAddress>00-12-34-56-78-ab</physAddress><RCPPort>1756</RCPPort></device>"
)

VIVOTEK_REPLY = (
    b"\1" + vivotek.MAGIC + b"\4\1" + b"\1\5Yard " + b"\2\6" + MAC + b"\3\4" + bytes((10, 1, 2, 3)) + b"\x09\6IB9389"
)
SONY_REPLY = (
    b"\x02MAC:00-12-34-56-78-ab\xffMODEL:SNC-X\xffSERIAL:1000\xffSOFTVERSION:1.79\xffIPADR:10.1.2.3"
    b"\xffWEBPORT:80\xff\x03"
)
PANASONIC_REPLY = (
    bytes(6)
    + MAC
    + bytes(41)
    + b"".join(
        struct.pack(">HH", kind, len(value)) + value
        for kind, value in ((0x20, bytes((10, 1, 2, 3))), (0xA7, b"Network Camera"), (0xA8, b"WV-X"), (0xA9, b"1.80"))
    )
)

_v1_second = b"00:12:34:56:78:abIPC-LONG"
_v1_third = b"Name:yard\r\nDevice:IPC\r\nSerialNo:7E0A\r\n"
_v1 = bytearray(0x78)
_v1[0], _v1[2], _v1[0x14:0x16] = 0xB3, len(_v1_second), struct.pack("<H", len(_v1_third))
_v1[0x28:0x2B], _v1[0x38:0x3C] = b"IPC", bytes((10, 1, 2, 3))
DAHUA_V1_REPLY = bytes(_v1) + _v1_second + _v1_third

TPLINK_REPLY = (
    bytes(16)
    + json.dumps(
        {
            "error_code": 0,
            "result": {
                "device_type": "SMART.IPCAMERA",
                "device_model": "C100",
                "mac": "00-12-34-56-78-AB",
                "ip": "10.1.2.3",
                "firmware_version": "1.3.14 Build 240513 Rel.43631n(5553)",
                "hardware_version": "4.0",
                "factory_default": False,
            },
        }
    ).encode()
)

SSDP_REPLY = (
    b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:Upnp-BasicDevice-1_0-0012345678AB::upnp:rootdevice\r\n"
    b"LOCATION: http://10.9.9.9:49152/rootdesc1.xml\r\nSERVER: Linux/4.9, UPnP/1.0, libupnp/1.6\r\n\r\n"
)


def dns_name(text: str) -> bytes:
    return b"".join(bytes([len(part)]) + part for part in (p.encode() for p in text.split("."))) + b"\0"


def dns_record(name: str, kind: int, data: bytes) -> bytes:
    return dns_name(name) + struct.pack(">HHIH", kind, 1, 120, len(data)) + data


_TEXTS = b"".join(bytes([len(t)]) + t for t in (b"macaddress=0012345678AB", b"model=C-100"))
MDNS_REPLY = struct.pack(">6H", 0, 0x8400, 0, 4, 0, 0) + b"".join(
    (
        dns_record("_axis-video._tcp.local", 12, dns_name("CAM C-100 - 0012345678AB._axis-video._tcp.local")),
        dns_record(
            "CAM C-100 - 0012345678AB._axis-video._tcp.local", 33, struct.pack(">HHH", 0, 0, 80) + dns_name("cam.local")
        ),
        dns_record("CAM C-100 - 0012345678AB._axis-video._tcp.local", 16, _TEXTS),
        dns_record("cam.local", 1, bytes((10, 1, 2, 3))),
    )
)

HTTP_REPLY = (
    b'HTTP/1.1 401 Unauthorized\r\nServer: nginx\r\nWWW-Authenticate: Digest realm="Login to 7E0A", qop="auth", '
    b'nonce="abc"\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Type: text/html\r\nContent-Length: 34\r\n\r\n'
    b"<html><title>Yard &amp; Gate</title>"
)
SDP_REPLY = (
    b"v=0\r\no=- 1 1 IN IP4 10.1.2.3\r\ns=Media Presentation\r\na=tool:Acme 1.0\r\nm=video 0 RTP/AVP 96\r\n"
    b"a=rtpmap:96 H264/90000\r\na=control:rtsp://10.9.9.9/track1\r\nm=audio 0 RTP/AVP 8\r\na=control:track2\r\n"
)
RTSP_REPLY = (
    b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Base: rtsp://admin:hunter2@10.1.2.3/\r\nContent-Type: application/sdp\r\n"
    b"Server: Acme\r\n Rtsp\r\nContent-Length: %d\r\n\r\n" % len(SDP_REPLY)
) + SDP_REPLY

FAULT = envelope(
    "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode>"
    "</s:Code><s:Reason><s:Text>Invalid password! You still have 29 attempt(s).</s:Text></s:Reason></s:Fault>"
)


def certificate(common_name: str = "00-12-34-56-78-ab", organisation: str = "Acme, Inc.") -> bytes:
    """A self-signed certificate in DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.SERIAL_NUMBER, "0445"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
        ]
    )
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(255)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("cam.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.DER)


CERTIFICATE = certificate()

Parse = Callable[[bytes, Endpoint, datetime], Fields | Refusal]

# TLS 1.0, a session id of four bytes, TLS_RSA_WITH_RC4_128_SHA.
SERVER_HELLO = bytes.fromhex("160301002e0200002a0301") + bytes(32) + bytes.fromhex("04a1b2c3d4000500")

PARSERS: dict[str, tuple[Parse, bytes]] = {
    "wsd": (wsdiscovery.parse, PROBE_MATCH),
    "onvif": (soap.parse, INFORMATION),
    "fault": (soap.parse, FAULT),
    "sadp": (sadp.parse, SADP_REPLY),
    "dhip": (dhip.parse, DHIP_REPLY),
    "gvcp": (gvcp.parse, GVCP_REPLY),
    "mhed": (mhed.parse, MHED_REPLY),
    "xiongmai": (xiongmai.parse, XIONGMAI_REPLY),
    "hanwha": (hanwha.parse, HANWHA_REPLY),
    "bosch": (bosch.parse, BOSCH_REPLY),
    "bosch-sheet": (bosch.parse, BOSCH_SHEET),
    "vivotek": (vivotek.parse, VIVOTEK_REPLY),
    "sony": (sony.parse, SONY_REPLY),
    "panasonic": (panasonic.parse, PANASONIC_REPLY),
    "dahua_v1": (dahua_v1.parse, DAHUA_V1_REPLY),
    "tplink": (tplink.parse, TPLINK_REPLY),
    "ssdp": (ssdp.parse, SSDP_REPLY),
    "mdns": (mdns.parse, MDNS_REPLY),
    "http": (http.parse, HTTP_REPLY),
    "http-body": (http.parse_body, b"<html><title>x</title>"),
    "http-header": (http.parse_headers, b"Server: x\r\n"),
    "rtsp": (rtsp.parse, RTSP_REPLY),
    "rtsp-header": (rtsp.parse_headers, b"Server: x\r\n"),
    "sdp": (sdp.parse, SDP_REPLY),
    "tls": (tls.parse, CERTIFICATE),
    "tls_hello": (tls_hello.parse, SERVER_HELLO),
    "banner": (banner.parse, b"\xff\xfb\x01\xff\xfd\x03Welcome\r\nlogin: "),
    "snmp": (snmp.parse, b"Acme Camera"),
    "sip": (sip.parse, b"User-Agent: Acme Intercom/1"),
    "dhcp": (dhcp.parse, b"AXIS,Network Camera,M1065-LW,8.40"),
    "favicon": (favicon.parse, b"\0\0\1\0icon"),
}
