"""Made-up observations of real makers' devices, in the vocabulary of ``docs/observations.md``.

Each specimen says what one kind of device would say, with values of the project's own making in the maker's form.
"""

from datetime import UTC, datetime

from scanner.observation import Attempt, AttemptStatus, Observation, Reason

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def seen(device, transport, probe, port=None, **fields):
    wire = repr((transport, probe, port, sorted(fields.items()))).encode()
    return Observation.of(device=device, transport=transport, probe=probe, port=port, at=NOW, fields=fields, wire=wire)


def answered(observations):
    """An attempt for every probe that brought one of these, naming what it brought."""
    by_probe = {}
    for item in observations:
        if item.probe != "passive" and item.transport != "channel":
            by_probe.setdefault((item.device, item.probe, item.port), []).append(item.id)
    return [Attempt(device, probe, port, AttemptStatus.COMPLETED, NOW, observations=tuple(ids))
            for (device, probe, port), ids in by_probe.items()]


def silent(device, *probes):
    return [Attempt(device, probe, None, AttemptStatus.FAILED, NOW, Reason.NO_ANSWER) for probe in probes]


def _guarded(device):
    """What a well-behaved camera says to the checks: a login wanted everywhere, no telnet or FTP, the right time."""
    return [
        seen(device, "rtsp", "rtsp.describe_random_path", 554, status=401),
        seen(device, "rtsp", "rtsp.describe", 554, status=401),
        seen(device, "onvif", "onvif.GetProfiles", 80, operation="GetProfiles", status=401),
        seen(device, "onvif", "onvif.GetDeviceInformation", 80, operation="GetDeviceInformation", status=401),
        seen(device, "tcp", "tcp.connect", 23, state="closed"),
        seen(device, "tcp", "tcp.connect", 21, state="closed"),
        seen(device, "tls_hello", "tls.legacy_hello", 443, refused="protocol_version"),
        seen(device, "onvif", "onvif.GetSystemDateAndTime", 80, operation="GetSystemDateAndTime", status=200,
             device_time=NOW.isoformat()),
    ]


def dahua(device="10.20.0.11", vendor="Dahua", model="IPC-HFW5241E", mac="9C:14:63:00:00:11", manufacturer="Dahua"):
    serial = "7J0A1B2PAG00C11"
    realm = f"Login to {serial}"
    return [
        *_guarded(device),
        seen(device, "link", "link.arp", mac=mac, via="arp"),
        seen(device, "dhip", "dhip.search", 37810, method="client.notifyDevInfo", vendor=vendor, device_class="IPC",
             manufacturer=manufacturer, model=model, serial=serial, mac=mac, firmware="2.820.0000000.18.R,2021-06-30"),
        seen(device, "http", "http.root", 80, status=200, title="WEB SERVICE", path="/"),
        seen(device, "rtsp", "rtsp.options", 554, status=401, realm=(realm,), scheme=("digest",),
             server="Rtsp Server/3.0"),
        seen(device, "onvif", "onvif.GetScopes", 80, operation="GetScopes", status=200, manufacturer=manufacturer,
             model=model, scopes=(f"onvif://www.onvif.org/name/{manufacturer}", f"onvif://www.onvif.org/hardware/{model}",
                                  "onvif://www.onvif.org/extension/unique_identifier/1")),
        seen(device, "tls", "tls.handshake", 443, spki_sha256=f"key of {device}",
             version="TLSv1.2", self_signed=False, subject_cn=device),
        seen(device, "egress", "egress.capture", 8800, destination="203.0.113.8", names=("www.easy4ipcloud.com",),
             protocol="udp", packets=9, bytes=900),
    ]


def lorex(device="10.20.0.12"):
    return dahua(device, "Lorex", "LNB9242", "00:1F:54:00:00:12", "Lorex")


def intelbras(device="10.20.0.13"):
    return dahua(device, "Intelbras", "VIP-3230-B-SL", "B4:4C:3B:00:00:13", "Intelbras")


def imposter(device="10.20.0.14"):
    """Dahua hardware whose every label says Axis."""
    return dahua(device, "AXIS", "P3245-V", "9C:14:63:00:00:14", "AXIS")


def hikvision(device="10.20.0.15", description="DS-2CD2143G0-I", mac="BC:AD:28:00:00:15", brand="HIKVISION", oem=""):
    extra = {"oem_info": oem} if oem else {}
    return [
        *_guarded(device),
        seen(device, "link", "link.arp", mac=mac, via="arp"),
        seen(device, "sadp", "sadp.inquiry", 37020, device_description=description, model=description, mac=mac,
             serial=f"{description}20210101AAWRF00000015", firmware="V5.6.3build 190923", activated=True,
             command_port=8000, **extra),
        seen(device, "http", "http.root", 80, status=401, server="App-webs/", realm=("IP Camera(F0015)",),
             scheme=("digest",)),
        seen(device, "onvif", "onvif.GetScopes", 80, operation="GetScopes", status=200, manufacturer=brand,
             model=description, scopes=(f"onvif://www.onvif.org/name/{brand}%20{description}",
                                        f"onvif://www.onvif.org/hardware/{description}")),
        seen(device, "tls", "tls.handshake", 443, spki_sha256=f"key of {device}",
             version="TLSv1.2", self_signed=False, subject_o="HIKVISION",
             subject="CN=www.hikvision.com,OU=DVRNVR,O=HIKVISION,L=HangZhou,ST=ZheJiang,C=CN"),
        seen(device, "egress", "egress.capture", 443, destination="203.0.113.9", names=("litedev.hik-connect.com",),
             protocol="tcp", packets=9, bytes=900),
    ]


def hikmicro(device="10.20.0.16"):
    return hikvision(device, "HM-TD2628T-3/QA", "1C:F0:15:00:00:16", "HIKMICRO", "HIKMICRO")


def _axis_core(device, mac, model):
    name = f"AXIS_{mac.replace(':', '')}"
    return [
        *_guarded(device),
        seen(device, "link", "link.arp", mac=mac, via="arp"),
        seen(device, "http", "http.root", 80, status=401, realm=(name,), scheme=("digest",)),
        seen(device, "rtsp", "rtsp.options", 554, status=401, realm=(name,), scheme=("digest",),
             nonce=("0000c0deY0271828182845904523536028747135266249ab0c1",)),
        seen(device, "onvif", "onvif.GetScopes", 80, operation="GetScopes", status=200, manufacturer="AXIS",
             model=model, scopes=(f"onvif://www.onvif.org/name/AXIS%20{model}", f"onvif://www.onvif.org/hardware/{model}")),
        seen(device, "tls", "tls.handshake", 443, spki_sha256=f"key of {device}",
             version="TLSv1.3", self_signed=False,
             issuer_o="Axis Communications AB", issuer_cn="Axis device ID Intermediate CA ECC 2"),
        seen(device, "egress", "egress.capture", 123, destination="203.0.113.10", names=("pool.ntp.org",),
             protocol="udp", packets=2, bytes=180),
    ]


def axis(device="10.20.0.17"):
    """The counter-example: nobody's list names its maker, and it can be approved."""
    return [*_axis_core(device, "AC:CC:8E:00:00:17", "P3245-V"),
            seen(device, "onvif", "auth.onvif.GetDeviceInformation", 80, operation="GetDeviceInformation", status=200,
                 manufacturer="AXIS", model="P3245-V", firmware="10.12.220", serial="ACCC8E000017")]


def recorder(device="10.20.0.18", hidden=True):
    """An Axis recorder with two cameras behind it, one of them Hikvision's where `hidden`."""
    cameras = [("AXIS", "P3245-V", 1), ("HIKVISION", "DS-2CD2143G0-I", 2) if hidden else ("AXIS", "M3065-V", 2)]
    return [
        *_axis_core(device, "AC:CC:8E:00:00:18", "S3008"),
        seen(device, "http", "auth.recorder.channels", 80, status=200, document="isapi-channels"),
        *(seen(f"{device}#{number}", "channel", "auth.recorder.channels", 80, channel=number, recorder=device,
               manufacturer=manufacturer, model=model, protocol="ONVIF", online=True)
          for manufacturer, model, number in cameras),
    ]


LISTED = {"dahua": dahua, "lorex": lorex, "intelbras": intelbras, "imposter": imposter, "hikvision": hikvision,
          "hikmicro": hikmicro}


FRIENDS = {   # makers that no list names: name, model, a MAC of their own, a serial and a firmware in their form
    "axis": ("Axis Communications AB", "P3245-V", "AC:CC:8E:0A:0B:0C", "ACCC8E0A0B0C", "10.12.220"),
    "hanwha": ("Hanwha Techwin", "XND-6080", "00:09:18:0A:0B:0C", "ZXXX70GM900001K", "1.41.00_20220101_R104"),
    "bosch": ("Bosch", "FLEXIDOME IP 5000i", "00:07:5F:0A:0B:0C", "044518720061420999", "7.87.0038"),
    "flir": ("FLIR Systems", "PT-Series HD", "00:40:7F:0A:0B:0C", "89900999", "3.42.0"),
    "panasonic": ("i-PRO", "WV-S2136L", "08:00:23:0A:0B:0C", "XYZ00001", "2.30"),
}


def labels_of(device, friend):
    """All that whoever sells a device can write on it to look like a maker's, its address block among it."""
    maker, model, mac, serial, firmware = FRIENDS[friend]
    name, plain = maker.replace(" ", "%20"), mac.replace(":", "")
    yield seen(device, "link", "link.arp", mac=mac, via="arp")
    yield seen(device, "onvif", "auth.onvif.GetDeviceInformation", 80, operation="GetDeviceInformation", status=200,
               manufacturer=maker, model=model, firmware=firmware, serial=serial, hardware="7A0")
    yield seen(device, "onvif", "onvif.GetScopes", 80, operation="GetScopes", status=200, manufacturer=maker,
               model=model, scopes=(f"onvif://www.onvif.org/name/{name}", f"onvif://www.onvif.org/hardware/{model}",
                                    f"onvif://www.onvif.org/MAC/{plain}",
                                    "onvif://www.onvif.org/type/Network_Video_Transmitter"))
    yield seen(device, "wsd", "wsd.probe", 3702, action="ProbeMatches", model=model, manufacturer=maker,
               scopes=(f"onvif://www.onvif.org/name/{name}", f"onvif://www.onvif.org/hardware/{model}"))
    yield seen(device, "http", "http.root", 80, status=200, title=f"{maker} {model} Network Camera", server=maker,
               path="/", body=f"<a href='/axis-cgi/'>{maker}</a> /stw-cgi/ VCS-VideoJet", serial=serial)
    yield seen(device, "http", "http.root", 8080, status=401, realm=(f"{maker} {model}",), scheme=("digest",),
               server={"bosch": "VCS-VideoJet-Webserver"}.get(friend, "Linux/4.14.98-axis8, UPnP/1.0"))
    yield seen(device, "http", "http.favicon", 80, status=200, favicon_mmh3="-1616143106",
               favicon_md5="bd1b5fef10a0846b2db322b90a57b746")
    yield seen(device, "rtsp", "rtsp.options", 554, status=200, server=f"{maker} RTSP", realm=(maker,))
    realms = {"axis": f"AXIS_{plain}", "hanwha": f"iPolis_{mac.lower().replace(':', '-')}"}
    yield seen(device, "rtsp", "rtsp.options", 8554, status=401, realm=(realms.get(friend, f"{maker}-{serial}"),))
    yield seen(device, "tls", "tls.handshake", 443, spki_sha256=f"key of {device}", version="TLSv1.3",
               self_signed=False, subject=f"CN={friend}-{plain.lower()},O={maker}", subject_o=maker,
               subject_cn=f"{friend}-{plain.lower()}", issuer=f"CN={maker} CA,O={maker}", issuer_o=maker,
               issuer_cn=f"{maker} device ID CA", mac=mac, serial=serial)
    yield seen(device, "mdns", "mdns.query", 5353, instances=(f"{maker} {model} - {plain}",), mac=mac, serial=serial,
               hostname=f"{friend}-{plain.lower()}.local", txt=(f"macaddress={plain}",),
               service_types=("_axis-video._tcp.local", "_rtsp._tcp.local", "_flir-ircam._tcp.local"))
    yield seen(device, "ssdp", "passive", 1900, server=f"Linux/4.14.98-axis8 UPnP/1.0 {maker}/1.0",
               usn=f"uuid:Upnp-BasicDevice-1_0-{plain}::upnp:rootdevice")
    yield seen(device, "dhcp", "passive", None, vendor_class=f"{maker},Network Camera,{model},{firmware}",
               hostname=f"{friend}-{plain.lower()}")
    yield seen(device, "snmp", "passive", 161, sys_descr=f"{maker} {model} Network Camera; {firmware}")
    yield seen(device, "tcp", "tcp.connect", 21, state="open", banner=f"220 {maker} {model} Network Camera {firmware}")


def friendly(device):
    """Labels of makers that no list names: all that whoever sells a device can write on it."""
    for friend in FRIENDS:
        yield from labels_of(device, friend)
    yield seen(device, "snmp", "passive", 161, sys_descr="AXIS P3245-V Network Camera; 10.12.220")
    yield seen(device, "snmp", "passive", 161, sys_descr="HP LaserJet 400 printer")


def tried(device, observations, extra=()):
    """The attempts of a full sweep that brought `observations`: what answered is completed, the rest was silent."""
    made = answered(observations)
    done = {a.probe for a in made if a.device == device}
    quiet = [p for p in ("sadp.inquiry", "dhip.search", "wsd.probe") if p not in done]
    borne = Attempt(device, "interview.bearing", None, AttemptStatus.COMPLETED, NOW)
    return [*made, *silent(device, *quiet), borne, *extra]
