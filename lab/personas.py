"""The simulated site: one table of devices, as a mixed office, warehouse and yard would hold them.

Makers, models and grammars are the real ones; serials, MACs below the OUI and addresses are invented. Destinations
outside the site lie in the documentation ranges 198.51.100.0/24 and 203.0.113.0/24 (RFC 5737). `INSIDE` as the address
of a cloud means the site's own infrastructure host, which stands at octet `INSIDE_HOST` of whatever network is used.

Options of an encoder stand at the head of its file under `lab.datagrams`. Those that `lab.services` reads:

``skin``             a family whose pages, realms, certificate and labels the device wears over its own firmware
``claimed_mac`` ``claimed_serial`` ``claimed_firmware``  what it declares in pages and ONVIF, where that is untrue
``isapi_manufacturer``  the manufacturer in Hikvision's deviceInfo; some models leave it empty
``kind``             ``recorder`` for a device that has channels of its own
``product``          Axis: the full product name
``realm``            Dahua: what the login realm names in place of the serial
``dhip_port``        Dahua: the port of the private protocol, where it is not 37777
``onvif_port``       one more TCP port that answers ONVIF
``open_ports`` ``open_udp``  further ports that take everything and say nothing, separated by spaces
``rtsp_any_path``    ``yes``: any RTSP path is a stream
``replays``          ``yes``: a UsernameToken is taken as often as it is shown
``fleet_certificate``  one certificate and key for all devices that name the same fleet
``clock_skew_s``     seconds by which the device's clock is ahead (negative: behind)
``rtsp_path``        where its streams stand, in place of its family's paths
``legacy_tls``       ``yes``: TLS 1.0 and 1.1 beside current versions
``session_timeout``  seconds without a word after which an RTSP connection ends, where they are not 60

What a camera shows stands in `lab.scenes` (``scene…``), how its stream begins in `lab.streams` (``stream_…``).
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Final

from lab.persona import ChannelCamera, Cloud, Persona

__all__ = ["INSIDE", "INSIDE_HOST", "PERSONAS", "address_of", "copies", "persona"]

INSIDE: Final = "inside"
INSIDE_HOST: Final = 2
_DIGITS: Final = 4             # of the number that ends a copy's name

_DAHUA_CLOUD = Cloud(host="www.easy4ipcloud.com", address="203.0.113.10", port=8800)
_TIME_INSIDE = Cloud(host="", address=INSIDE, port=123, every_s=64.0)

PERSONAS: Final[tuple[Persona, ...]] = (
    Persona(
        name="dahua-tpc", family="dahua", brand="Dahua", manufacturer="Dahua", model="DH-TPC-BF5421-T",
        firmware="2.630.0000000.8.R.200527", serial="5C0471EPAG6F20B", mac="3C:EF:8C:5A:10:0A", host=10,
        hardware="1.00", protocols=frozenset({"wsd", "onvif", "http", "rtsp", "dhip"}),
        clouds=(_DAHUA_CLOUD,),
        options={"dhip_vendor": "Dahua", "dhip_unicast_only": "yes", "scene": "thermal", "scene_seed": "10",
                 "scene_size": "640x512"},
    ),
    Persona(
        name="lorex", family="dahua", brand="Lorex", manufacturer="Lorex", model="W461ASC",
        firmware="2.800.0000000.8.R.200101", serial="6A03F12PAL1C884", mac="00:1F:54:7B:22:0B", host=11,
        hardware="1.00", protocols=frozenset({"wsd", "onvif", "http", "rtsp", "dhip"}),
        clouds=(_DAHUA_CLOUD,),
        options={"dhip_vendor": "Lorex", "dhip_port": "35000"},
    ),
    Persona(
        name="intelbras", family="dahua", brand="Intelbras", manufacturer="Intelbras", model="VIP-3230-D-SL-G2",
        firmware="2.820.00IB007.0.R.211129", serial="G4NK2910457MB", mac="B4:4C:3B:31:80:0C", host=12,
        hardware="1.00", protocols=frozenset({"wsd", "onvif", "http", "rtsp", "dhip"}),
        clouds=(_TIME_INSIDE,),
        options={"dhip_vendor": "Intelbras", "realm": "7d1e5c0b92a84f36b1c7de0548f3a6e2"},
    ),
    Persona(
        name="imposter", family="dahua", brand="AXIS", manufacturer="AXIS", model="P3245-LV",
        firmware="2.800.0000000.25.R.201102", serial="7J0A29CPAG31D4F", mac="3C:EF:8C:6D:41:0D", host=13,
        hardware="1.00", user="root", protocols=frozenset({"wsd", "onvif", "http", "https", "rtsp", "dhip"}),
        clouds=(_DAHUA_CLOUD,),
        options={"skin": "axis", "claimed_mac": "AC:CC:8E:4B:12:07", "claimed_serial": "ACCC8E4B1207",
                 "claimed_firmware": "10.12.206", "scope_name": "AXIS P3245-LV", "dhip_vendor": "General",
                 "scene": "people", "scene_seed": "13"},
    ),
    Persona(
        name="hikvision-dome", family="hikvision", brand="HIKVISION", manufacturer="HIKVISION",
        model="DS-2CD2143G0-I", firmware="V5.5.82 build 190909", serial="DS-2CD2143G0-I20191104AAWRD71284605W",
        mac="C0:56:E3:44:19:0E", host=14, hardware="88",
        protocols=frozenset({"wsd", "onvif", "http", "rtsp", "sadp"}),
        clouds=(Cloud(host="dev.hik-connect.com", address="203.0.113.20", port=443, protocol="tcp", every_s=60.0),),
        options={"oem_code": "1", "oem_info": "N/A"},
    ),
    Persona(
        name="hikmicro", family="hikvision", brand="HIKMICRO", manufacturer="HIKMICRO", model="HM-TD2628T-7/QA",
        firmware="V5.5.42 build 210318", serial="HM-TD2628T-7/QA20210412AAWRF40917263", mac="A4:4C:62:20:73:0F",
        host=15, hardware="88", protocols=frozenset({"wsd", "onvif", "http", "rtsp", "sadp"}),
        clouds=(_TIME_INSIDE,),
        options={"oem_code": "1", "oem_info": "HIKMICRO", "isapi_manufacturer": ""},
    ),
    Persona(
        name="uniview", family="uniview", brand="Uniview", manufacturer="UNIVIEW", model="IPC2122LB-SF28-A",
        firmware="DIPC-B1213.6.5.230215", serial="210235C3H2F215000137", mac="48:EA:63:9D:05:10", host=16,
        hardware="A", protocols=frozenset({"wsd", "onvif", "http", "rtsp"}),
        clouds=(_TIME_INSIDE,),
    ),
    Persona(
        name="tvt", family="tvt", brand="DVC", manufacturer="DVC", model="DCN-BM8127AIN",
        firmware="5.1.4.31892", serial="N2C05E71A9B4", mac="58:5B:69:C1:3E:11", host=17, hardware="1.3",
        protocols=frozenset({"wsd", "onvif", "http", "rtsp", "mhed"}),
        clouds=(_TIME_INSIDE,), anonymous_onvif=True,
        options={"mhed_manufacturer": "DVC", "mhed_build": "20220817"},
    ),
    Persona(
        name="xiongmai", family="xiongmai", brand="Besder", manufacturer="H264", model="6024PB-XMA501",
        firmware="4.03.R11.7601160B.12001.142300.0000004", serial="a3f1c09e5b7d2684", mac="00:3E:0B:17:62:12",
        host=18, hardware="XMA501", anonymous_rtsp=True,
        protocols=frozenset({"wsd", "onvif", "http", "rtsp", "xiongmai", "telnet"}),
        clouds=(Cloud(host="pub-cfg.secu100.net", address="203.0.113.30", port=8086, protocol="tcp", every_s=45.0),),
        options={"onvif_port": "8899"},
    ),
    Persona(
        name="axis", family="axis", brand="AXIS", manufacturer="AXIS", model="AXIS P3245-LV", firmware="12.5.68",
        serial="B8A44F2C7013", mac="B8:A4:4F:2C:70:13", host=19, hardware="778.1", user="root",
        protocols=frozenset({"wsd", "onvif", "http", "https", "rtsp", "mdns"}), clouds=(_TIME_INSIDE,),
        options={"product": "AXIS P3245-LV Dome Camera", "scene": "people", "scene_seed": "19"},
    ),
    Persona(
        name="axis-box", family="axis", brand="AXIS", manufacturer="AXIS", model="AXIS Q1615-LE Mk III",
        firmware="12.5.68", serial="ACCC8EF30914", mac="AC:CC:8E:F3:09:14", host=20, hardware="7C4.1", user="root",
        protocols=frozenset({"wsd", "onvif", "http", "https", "rtsp", "mdns"}), clouds=(_TIME_INSIDE,),
        options={"product": "AXIS Q1615-LE Mk III Network Camera", "scene": "people", "scene_seed": "20"},
    ),
    Persona(
        name="hanwha", family="hanwha", brand="Hanwha Vision", manufacturer="Hanwha Techwin", model="XNO-6080R",
        firmware="1.41.16_20231019_R421", serial="ZNCX70GM900417K", mac="00:09:18:6E:3A:15", host=21,
        protocols=frozenset({"wsd", "onvif", "http", "https", "rtsp", "hanwha"}),
        options={"scene": "people", "scene_seed": "21", "scene_codec": "h265"},
        clouds=(_TIME_INSIDE,),
    ),
    Persona(
        name="bosch", family="bosch", brand="Bosch", manufacturer="Bosch", model="FLEXIDOME IP 4000i IR",
        firmware="7.87.0038", serial="044518720061420023", mac="00:07:5F:A2:4C:16", host=22, hardware="F000B543",
        user="service", protocols=frozenset({"wsd", "onvif", "http", "https", "rtsp", "bosch"}),
        options={"scene": "people", "scene_seed": "22", "scene_fps": "25"},
        clouds=(_TIME_INSIDE,),
    ),
    Persona(
        name="flir", family="flir", brand="FLIR", manufacturer="FLIR Systems AB", model="A400",
        firmware="3.42.0", serial="89900217", mac="00:40:7F:8B:01:17", host=23, hardware="A400",
        protocols=frozenset({"http", "https", "rtsp", "gvcp", "mdns"}),
        options={"scene": "thermal", "scene_seed": "23", "scene_size": "640x480"},
        clouds=(_TIME_INSIDE,),
    ),
    Persona(
        name="recorder", family="hanwha", brand="Hanwha Vision", manufacturer="Hanwha Techwin", model="XRN-820S",
        firmware="v5.08.02_240508093412", serial="ZRVX70GN500062H", mac="E4:30:22:50:9F:18", host=24,
        protocols=frozenset({"wsd", "onvif", "http", "https", "rtsp", "hanwha"}),
        clouds=(_TIME_INSIDE,),
        channels=(
            ChannelCamera(1, "Hanwha Techwin", "XNV-6080R", "192.168.50.11", "00:09:18:6E:51:01", protocol="Samsung"),
            ChannelCamera(2, "Hanwha Techwin", "XNO-6080R", "192.168.50.12", "00:09:18:6E:51:02", protocol="Samsung"),
            ChannelCamera(3, "HIKVISION", "DS-2CD2043G0-I", "192.168.50.13", mac="C0:56:E3:44:51:03",
                          serial="DS-2CD2043G0-I20190612AAWRD30518842", firmware="V5.5.82 build 190909"),
            ChannelCamera(4, "Hanwha Techwin", "QNV-7080R", "192.168.50.14", "00:09:18:6E:51:04", protocol="Samsung"),
        ),
        options={"kind": "recorder"},
    ),
    Persona(
        name="unknown", family="generic", brand="IPCAM", manufacturer="IPCAM", model="H264", firmware="V1.0.4.17",
        serial="000000000000", mac="02:5A:9C:41:7E:19", host=25, hardware="1.0",
        protocols=frozenset({"wsd", "onvif", "http", "rtsp"}),
        clouds=(Cloud(host="", address="198.51.100.77", port=32100, every_s=20.0),),
        options={"clock_skew_s": "-5400"},
    ),
    Persona(
        name="printer", family="printer", brand="HP", manufacturer="HP", model="LaserJet Pro M404dn",
        firmware="2409A_002_2308A", serial="PHBLR41027", mac="3C:D9:2B:71:E6:1A", host=26,
        protocols=frozenset({"wsd", "http"}),
    ),
    Persona(
        name="switch", family="switch", brand="NETGEAR", manufacturer="NETGEAR", model="GS724Tv4",
        firmware="6.3.1.41", serial="3VN41C55A0B2F", mac="28:C6:8E:04:D1:1B", host=27,
        protocols=frozenset({"http"}),
    ),
)


def persona(name: str) -> Persona:
    """The persona of that name, or the copy (``axis-0007``, see `copies`). Raises `KeyError` with the names."""
    kind, _, number = name.rpartition("-")
    for one in PERSONAS:
        if one.name == name:
            return one
        if one.name == kind and len(number) == _DIGITS and number.isdecimal() and int(number):
            return _copy(one, int(number))
    raise KeyError(f"no persona {name!r}; there are {', '.join(each.name for each in PERSONAS)}")


def copies(original: Persona, count: int, *, first_host: int = 1) -> tuple[Persona, ...]:
    """`count` devices of one kind, each with a name, host, MAC and serial of its own: a site of one model.

    MACs keep the OUI and count upwards in the last two bytes; serials count in their last four characters, and where
    the serial is the MAC it stays so. Raises `ValueError` where the hosts do not fit four digits.
    """
    if first_host < 1 or first_host + count > 10 ** _DIGITS:
        raise ValueError(f"{count} hosts from {first_host} do not fit")
    return tuple(_copy(original, number) for number in range(first_host, first_host + count))


def _copy(original: Persona, number: int) -> Persona:
    mac = f"{original.mac[:11]}:{number >> 8:02X}:{number & 255:02X}"
    is_mac = original.serial == original.mac.replace(":", "")
    serial = mac.replace(":", "") if is_mac else f"{original.serial[:-4]}{number:04d}"
    return replace(original, name=f"{original.name}-{number:0{_DIGITS}d}", host=number, mac=mac, serial=serial)


def address_of(one: Persona, network: ipaddress.IPv4Network) -> ipaddress.IPv4Address:
    """Where the persona stands on `network`. Raises `ValueError` where its host number does not fit."""
    if one.host >= network.num_addresses:
        raise ValueError(f"host {one.host} of {one.name} is outside {network}")
    return network[one.host]
