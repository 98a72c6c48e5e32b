"""Devices in pairs: one with a weakness, its twin without, and nothing else between them.

Whoever finds the weakness by anything but what makes it one finds it on the twin as well. They stand on a site of their
own (`TWINS`), beside the mixed one of `lab.personas`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from lab.persona import ChannelCamera, Persona

__all__ = ["TWINS"]

_HIKVISION = Persona(
    name="hikvision-old", family="hikvision", brand="HIKVISION", manufacturer="HIKVISION", model="DS-2CD2143G0-I",
    firmware="V5.5.82 build 190909", serial="DS-2CD2143G0-I20191104AAWRD71284640W", mac="C0:56:E3:44:1A:28", host=40,
    hardware="88", protocols=frozenset({"wsd", "onvif", "http", "rtsp", "sadp"}))
_MAGIC = Persona(
    name="hikvision-2016", family="hikvision", brand="HIKVISION", manufacturer="HIKVISION", model="DS-2CD2142FWD-I",
    firmware="V5.4.0 build 160414", serial="DS-2CD2142FWD-I20160604AAWR598284642W", mac="C0:56:E3:44:1A:2A", host=42,
    hardware="88", protocols=frozenset({"wsd", "onvif", "http", "rtsp", "sadp"}))
_DELIVERED = replace(
    _MAGIC, name="login-delivered", host=61, firmware="V5.2.5 build 141201", mac="C0:56:E3:44:1A:3D",
    serial="DS-2CD2142FWD-I20150104AAWR498284661W")
_DAHUA = Persona(
    name="dahua-old", family="dahua", brand="Dahua", manufacturer="Dahua", model="IPC-HFW3441T-ZAS",
    firmware="2.800.0000000.25.R.201102", serial="6C0471EPAG6F244", mac="3C:EF:8C:5A:20:2C", host=44, hardware="1.00",
    protocols=frozenset({"wsd", "onvif", "http", "rtsp", "dhip"}), options={"dhip_vendor": "Dahua"})
_XIONGMAI = Persona(
    name="xiongmai-open", family="xiongmai", brand="Besder", manufacturer="H264", model="6024PB-XMA501",
    firmware="4.03.R11.7601160B.12001.142300.0000004", serial="a3f1c09e5b7d2746", mac="00:3E:0B:17:62:2E", host=46,
    hardware="XMA501", protocols=frozenset({"wsd", "onvif", "http", "rtsp", "xiongmai", "telnet"}),
    options={"onvif_port": "8899", "open_ports": "9530"})
_FLEET = Persona(
    name="fleet-1", family="axis", brand="AXIS", manufacturer="AXIS", model="AXIS P3245-LV", firmware="12.5.68",
    serial="B8A44F2C7030", mac="B8:A4:4F:2C:70:30", host=48, hardware="778.1", user="root",
    protocols=frozenset({"wsd", "onvif", "http", "https", "rtsp", "mdns"}),
    options={"product": "AXIS P3245-LV Dome Camera", "fleet_certificate": "fleet"})
_STREAM = Persona(
    name="rtsp-open", family="axis", brand="AXIS", manufacturer="AXIS", model="AXIS P3245-LV", firmware="12.5.68",
    serial="B8A44F2C7034", mac="B8:A4:4F:2C:70:34", host=52, hardware="778.1", user="root",
    protocols=frozenset({"wsd", "onvif", "http", "https", "rtsp", "mdns"}), anonymous_rtsp=True,
    options={"product": "AXIS P3245-LV Dome Camera"})
_UNIVIEW = Persona(
    name="token-twice", family="uniview", brand="Uniview", manufacturer="UNIVIEW", model="IPC2122LB-SF28-A",
    firmware="DIPC-B1213.6.5.230215", serial="210235C3H2F215000237", mac="48:EA:63:9D:05:37", host=55, hardware="A",
    protocols=frozenset({"wsd", "onvif", "http", "rtsp"}), options={"replays": "yes"})
_TVT = Persona(
    name="onvif-open", family="tvt", brand="DVC", manufacturer="DVC", model="DCN-BM8127AIN", firmware="5.1.4.31892",
    serial="N2C05E71A939", mac="58:5B:69:C1:3E:39", host=57, hardware="1.3", anonymous_onvif=True,
    protocols=frozenset({"wsd", "onvif", "http", "rtsp", "mhed"}),
    options={"mhed_manufacturer": "DVC", "mhed_build": "20220817"})
_ELSEWHERE = replace(
    _TVT, name="path-open", host=68, serial="N2C05E71A944", mac="58:5B:69:C1:3E:44", anonymous_rtsp=True,
    options={**_TVT.options, "rtsp_path": "/hall/7d/picture.264"})
_RECORDER = Persona(
    name="recorder-old", family="hikvision", brand="HIKVISION", manufacturer="HIKVISION", model="DS-7608NI-I2",
    firmware="V4.61.025 build 220905", serial="DS-7608NI-I20820221004CCRRL15846065WCVU", mac="C0:56:E3:44:1A:41",
    host=65, hardware="88", protocols=frozenset({"wsd", "onvif", "http", "rtsp", "sadp"}),
    options={"kind": "recorder"},
    channels=(ChannelCamera(1, "HIKVISION", "DS-2CD2043G0-I", "192.168.50.13", protocol="HIKVISION",
                            serial="DS-2CD2043G0-I20190612AAWRD30518842", firmware="V5.5.82 build 190909"),))

TWINS: Final[tuple[Persona, ...]] = (
    # Old firmware of a model that has a fix, and the same model with it.
    _HIKVISION,
    replace(_HIKVISION, name="hikvision-new", host=41, firmware="V5.5.800 build 210628", mac="C0:56:E3:44:1A:29",
            serial="DS-2CD2143G0-I20191104AAWRD71284641W"),
    _MAGIC,
    replace(_MAGIC, name="hikvision-2021", host=43, firmware="V5.5.53 build 210702", mac="C0:56:E3:44:1A:2B",
            serial="DS-2CD2142FWD-I20160604AAWR598284643W"),
    _DAHUA,
    replace(_DAHUA, name="dahua-new", host=45, firmware="2.840.0000000.7.R.240115", mac="3C:EF:8C:5A:20:2D",
            serial="6C0471EPAG6F245"),
    # The port on which the firmware opens its telnet for whoever knows how.
    _XIONGMAI,
    replace(_XIONGMAI, name="xiongmai-closed", host=47, mac="00:3E:0B:17:62:2F", serial="a3f1c09e5b7d2747",
            options={"onvif_port": "8899"}, protocols=_XIONGMAI.protocols - {"telnet"}),
    # Three devices with one key, and a fourth with a key of its own.
    _FLEET,
    replace(_FLEET, name="fleet-2", host=49, serial="B8A44F2C7031", mac="B8:A4:4F:2C:70:31"),
    replace(_FLEET, name="fleet-3", host=50, serial="B8A44F2C7032", mac="B8:A4:4F:2C:70:32"),
    replace(_FLEET, name="own-key", host=51, serial="B8A44F2C7033", mac="B8:A4:4F:2C:70:33",
            options={"product": "AXIS P3245-LV Dome Camera"}),
    # A stream for anybody; one behind a login; one that says yes to any path, so that a yes proves nothing.
    _STREAM,
    replace(_STREAM, name="rtsp-closed", host=53, serial="B8A44F2C7035", mac="B8:A4:4F:2C:70:35", anonymous_rtsp=False),
    replace(_STREAM, name="rtsp-anything", host=54, serial="B8A44F2C7036", mac="B8:A4:4F:2C:70:36",
            options={"product": "AXIS P3245-LV Dome Camera", "rtsp_any_path": "yes"}),
    # A login that can be shown twice, and one that cannot.
    _UNIVIEW,
    replace(_UNIVIEW, name="token-once", host=56, serial="210235C3H2F215000238", mac="48:EA:63:9D:05:38", options={}),
    # Media profiles for strangers, or not.
    _TVT,
    replace(_TVT, name="onvif-closed", host=58, serial="N2C05E71A93A", mac="58:5B:69:C1:3E:3A", anonymous_onvif=False),
    # SNMP that answers to `public`, and one with a community of its own.
    replace(_STREAM, name="snmp-public", host=59, serial="B8A44F2C703B", mac="B8:A4:4F:2C:70:3B", anonymous_rtsp=False,
            protocols=_STREAM.protocols | {"snmp"}),
    replace(_STREAM, name="snmp-own", host=60, serial="B8A44F2C703C", mac="B8:A4:4F:2C:70:3C", anonymous_rtsp=False,
            protocols=_STREAM.protocols | {"snmp"},
            options={"product": "AXIS P3245-LV Dome Camera", "snmp_community": "lab-only-2"}),
    # The login that the manual prints, one of its own, and one that must not be tried, since it has no login yet.
    replace(_DELIVERED, name="login-delivered", password="12345"),
    replace(_DELIVERED, name="login-own", host=62, mac="C0:56:E3:44:1A:3E",
            serial="DS-2CD2142FWD-I20150104AAWR498284662W"),
    replace(_DELIVERED, name="login-none-yet", host=63, mac="C0:56:E3:44:1A:3F", password="12345",
            serial="DS-2CD2142FWD-I20150104AAWR498284663W", options={"activated": "false"}),
    # A router that lets the outside in to the first of the streams, and to nothing else.
    Persona(name="router", family="router", brand="Lab", manufacturer="Lab", model="Edge 4", firmware="1.0",
            serial="R-1", mac="02:11:32:40:00:01", host=64, protocols=frozenset({"http", "ssdp"}),
            options={"web_port": "5000", "opens": "8554/tcp:52:554 4500/udp:64:4500"}),
    # A recorder with an old camera behind it that nothing but the recorder tells of, and one with a current camera.
    _RECORDER,
    replace(_RECORDER, name="recorder-new", host=66, mac="C0:56:E3:44:1A:42",
            serial="DS-7608NI-I20820221004CCRRL15846066WCVU",
            channels=(replace(_RECORDER.channels[0], firmware="V5.5.800 build 210628",
                              serial="DS-2CD2043G0-I20190612AAWRD30518843"),)),
    # TLS 1.0 beside current versions; the sound twin is ``rtsp-closed``.
    replace(_STREAM, name="tls-both", host=67, serial="B8A44F2C7043", mac="B8:A4:4F:2C:70:43", anonymous_rtsp=False,
            options={"product": "AXIS P3245-LV Dome Camera", "legacy_tls": "yes"}),
    # A stream at a path that nobody guesses and the device tells everybody: open, and behind a login.
    _ELSEWHERE,
    replace(_ELSEWHERE, name="path-closed", host=69, serial="N2C05E71A945", mac="58:5B:69:C1:3E:45",
            anonymous_rtsp=False),
)
"""Every pair; addresses and serials collide with nothing in `lab.personas`."""
