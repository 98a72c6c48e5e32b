"""Well-known documents that cameras hand out over HTTP, recognised by their content and read into a declared identity.

``document`` names which one it was; ``docs/observations.md`` lists the names. A recorder's list of channels is read by
`scanner.wire.channels`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from scanner.observation import Refusal
from scanner.wire import json, xml
from scanner.wire.fields import Fields, build, firmware_and_build, flag, ipv4, mac, number
from scanner.wire.text import clean, decode

__all__ = ["declared", "pairs"]

MAX_PAIRS = 4_096
MAX_BYTES = 1 << 20

_PAIR = re.compile(r"^\s{0,8}([A-Za-z_][\w.\[\]:@-]{0,200})\s{0,4}=\s{0,4}(.{0,1024})$")
_SUNAPI_ERROR = re.compile(rb"NG\s{1,4}Error Code:\s{0,4}\d")
_MODEL_TAIL = re.compile(r"^\d+$")


def declared(body: bytes, document: str = "") -> Fields:
    """The declared identity in a body and which document it is; empty where the body is none of the known ones.

    `document` is what was asked for; it settles only what content cannot tell apart (``key=value`` replies).
    """
    head = body[:MAX_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n\0")
    if head[:1] == b"<":
        return _xml(head)
    if head[:1] in (b"{", b"["):
        value = json.read(head)
        return {} if isinstance(value, Refusal) else _json(value)
    if _SUNAPI_ERROR.match(head):
        return build(document="sunapi-error")        # says no with status 200: it is not the document asked for
    lines = pairs(head)
    return _pairs(lines, document) if lines else {}


# ---- XML -------------------------------------------------------------------------------------------------------------

def _xml(body: bytes) -> Fields:
    found = xml.read(body)
    if isinstance(found, Refusal) or found.name.casefold() == "html":
        return {}
    root, namespaces = found.root, found.namespaces()
    space = " ".join(namespaces).casefold()
    out: Fields = {}
    if found.name == "root" or "schemas-upnp-org:device" in space:
        out = _upnp(root)
    elif found.name in _ISAPI or "hikvision.com" in space or "isapi.org" in space or "psialliance" in space:
        out = _isapi(root, found.name, psia="psialliance" in space)
    elif xml.find(root, "DevInfo") is not None or found.name == "DevInfo":
        out = _generic_xml(root)
    if out and found.recovered:
        out["recovered"] = True
    return out | build(namespaces=namespaces, xml_root=found.name)


def _upnp(root: xml.Element) -> Fields:
    """UPnP Device Architecture 1.1, section 2.3: the root device only, embedded devices may be somebody else's."""
    device = xml.find(root, "device")
    if device is None:
        return {}

    def own(name: str) -> str:
        return xml.own(device, name)

    model, model_number, serial = own("modelName"), own("modelNumber"), own("serialNumber")
    if len(model_number) > 2 and model.endswith(" " + model_number):
        model = model_number                    # "AXIS P3301", number P3301: the brand is no part of a model
    return build(
        document="upnp", manufacturer=own("manufacturer"), model=model or model_number, model_number=model_number,
        model_description=own("modelDescription"), serial=serial, mac=mac(serial), device_name=own("friendlyName"),
        device_type=own("deviceType"), udn=own("UDN"), manufacturer_url=own("manufacturerURL"),
    )


_ISAPI = {
    "DeviceInfo": "isapi-device-info", "ResponseStatus": "isapi-status", "userCheck": "isapi-status",
    "InputProxyChannelList": "isapi-channels", "InputProxyChannelStatusList": "isapi-channels",
    "EventNotificationAlert": "isapi",
}


def _isapi(root: xml.Element, name: str, *, psia: bool) -> Fields:
    """Hikvision ISAPI, and PSIA from which it grew: flat elements below the root."""
    document = _ISAPI.get(name, "isapi")
    if document == "isapi-channels":
        return build(document=document, listed=len(list(xml.children(root))))
    if document == "isapi-status":
        return build(document=document, status_code=number(xml.value(root, "statusCode", "statusValue")),
                     status_string=xml.value(root, "statusString"), sub_status=xml.value(root, "subStatusCode"))

    own = xml.Members(root).own
    firmware, released = own("firmwareVersion"), own("firmwareReleasedDate")
    version = firmware_and_build(f"{firmware} {released}" if released else firmware)
    identity = name == "DeviceInfo"
    return version | build(
        document="psia" if identity and psia else document,
        manufacturer=own("manufacturer"), model=own("model"), mac=mac(own("macAddress")),
        serial=own("serialNumber") or ("" if identity else xml.value(root, "serialNumber")),
        device_name=own("deviceName"), device_type=own("deviceType"), device_description=own("deviceDescription"),
        device_id=own("deviceID"), hardware=own("hardwareVersion"), system_contact=own("systemContact"),
        device_location=own("deviceLocation"), ipv4=ipv4(own("ipAddress")), oem_code=own("OEMCode"),
    )


def _generic_xml(root: xml.Element) -> Fields:
    return build(manufacturer=xml.value(root, "manufacturer", "vendor"), model=xml.value(root, "model"),
                 firmware=xml.value(root, "firmwareVersion", "softwareVersion", "version"),
                 serial=xml.value(root, "serialNumber", "sn"), mac=mac(xml.value(root, "mac", "macAddress")))


# ---- JSON ------------------------------------------------------------------------------------------------------------

def _json(value: json.Json) -> Fields:
    for recognise in (_reolink, _tplink, _lapi, _vapix_basic, _sunapi_json):
        found = recognise(value)
        if found:
            return found
    return {}


def _reolink(value: json.Json) -> Fields:
    info = json.find(value, "DevInfo")
    if not isinstance(info, dict) or not ({"firmVer", "hardVer"} & info.keys()):
        return {}
    return build(document="reolink", model=_one(info, "model"), firmware=_one(info, "firmVer"),
                 hardware=_one(info, "hardVer"), serial=_one(info, "serial"), device_name=_one(info, "name"),
                 device_type=_one(info, "exactType") or _one(info, "type"), channels=number(_one(info, "channelNum")))


def _tplink(value: json.Json) -> Fields:
    for node in json.walk(value):
        kind = _one(node, "device_type")
        known = kind.startswith("SMART.") or {"sw_version", "mgt_encrypt_schm"} & node.keys()
        if known and _one(node, "device_model"):
            return build(
                document="tplink", model=_one(node, "device_model"), device_type=kind,
                device_name=_one(node, "device_name"), firmware=_one(node, "sw_version", "firmware_version"),
                mac=mac(_one(node, "mac")), hardware=_one(node, "hw_version", "hardware_version"),
                ipv4=ipv4(_one(node, "ip")),
                factory_default=flag(node["factory_default"]) if "factory_default" in node else None)
    return {}


def _lapi(value: json.Json) -> Fields:
    """Uniview: ``{"Response": {"ResponseURL": "/LAPI/…", "Data": {…}}}``."""
    response = value.get("Response") if isinstance(value, dict) else None
    if not isinstance(response, dict):
        return {}
    data = response.get("Data")
    if isinstance(data, dict) and isinstance(data.get("DetailInfos"), list):
        return build(document="lapi-channels", listed=len(data["DetailInfos"]))
    node = data if isinstance(data, dict) else {}
    return build(
        document="lapi", manufacturer=_one(node, "Manufacturer"), model=_one(node, "DeviceModel", "Model"),
        serial=_one(node, "SerialNumber", "DeviceSN"), firmware=_one(node, "FirmwareVersion", "SoftwareVersion"),
        hardware=_one(node, "HardwareVersion", "HardewareID"), mac=mac(_one(node, "MAC", "MacAddress")),
        device_name=_one(node, "DeviceName"), device_type=_one(node, "DeviceType"),
        response_url=_one(response, "ResponseURL"), status_string=_one(response, "StatusString", "ResponseString"))


def _vapix_basic(value: json.Json) -> Fields:
    """Axis basicdeviceinfo.cgi, ``getAllProperties``."""
    listed = json.find(value, "propertyList")
    if not isinstance(listed, dict):
        return {}
    serial = _one(listed, "SerialNumber")
    return build(
        document="vapix-basic", manufacturer=_one(listed, "Brand"), model=_one(listed, "ProdNbr", "ProdShortName"),
        firmware=_one(listed, "Version"), serial=serial, mac=mac(serial), hardware=_one(listed, "HardwareID"),
        device_type=_one(listed, "ProdType"), device_name=_one(listed, "ProdFullName"), soc=_one(listed, "Soc"))


def _sunapi_json(value: json.Json) -> Fields:
    if not isinstance(value, dict):
        return {}
    if isinstance(value.get("RegisteredCameras"), list):
        return build(document="sunapi-channels", listed=len(value["RegisteredCameras"]))
    if "Model" in value and ("FirmwareVersion" in value or "ConnectedMACAddress" in value):
        return _sunapi({key: _one(value, key) for key in value})
    return {}


def _one(node: dict[str, json.Json], *keys: str) -> str:
    """The texts under the first of these keys that is there; a repeated key's values are shown side by side."""
    for key in keys:
        found = json.texts(node, key)
        if found:
            return " / ".join(dict.fromkeys(found))
    return ""


# ---- key=value -------------------------------------------------------------------------------------------------------

def pairs(body: bytes) -> dict[str, str]:
    """``key=value`` lines (quotes around a value go); empty unless nearly every line is one.

    A key that is given twice, differently, has both values: ``A / B``.
    """
    lines = [line for line in decode(body)[0].splitlines()[:MAX_PAIRS] if line.strip()]
    out: dict[str, dict[str, None]] = {}
    misses = 0
    for line in lines:
        match = _PAIR.match(line)
        if match is None:
            misses += 1
        else:
            out.setdefault(match[1], {})[match[2].strip().strip("'\"")] = None
    return {key: _side_by_side(found) for key, found in out.items()} if misses <= len(lines) // 10 else {}


def _side_by_side(found: Iterable[str]) -> str:
    """Every value that is not empty, once: neither may hide the other."""
    return " / ".join(value for value in dict.fromkeys(found) if value)


def _pairs(lines: dict[str, str], document: str) -> Fields:
    """Which maker's ``key=value`` reply this is: by its keys, and where those say nothing by what was asked for."""
    keys = {key.removeprefix("root.") for key in lines}
    if any(key.startswith(("Brand.", "Properties.")) for key in keys):
        return _vapix(lines)
    if any(key.startswith(("system_info_", "system_hostname")) for key in keys):
        return _vivotek(lines)
    if any("NETCAMERA_INFO" in key or key.startswith("table.RemoteDevice") for key in keys):
        return build(document="dahua-channels")
    if any(re.match(r"Channel\.\d+\.", key) for key in keys):
        return build(document="sunapi-channels")
    if "Model" in keys and keys & {"FirmwareVersion", "ConnectedMACAddress", "SerialNumber", "BuildDate"}:
        return _sunapi(lines)
    known = keys & _DAHUA.keys() or any(key.startswith(("table.", "status.")) for key in keys)
    reader: dict[str, Callable[[dict[str, str]], Fields]] = {
        "vapix-params": _vapix, "vivotek-params": _vivotek, "sunapi-device": _sunapi, "dahua-system": _dahua}
    if document in reader:
        return reader[document](lines)
    return _dahua(lines) if known else {}


def _vapix(lines: dict[str, str]) -> Fields:
    """Axis param.cgi: ``root.Brand.*`` and ``root.Properties.*``."""
    flat = {key: _side_by_side((lines.get(key, ""), lines.get(f"root.{key}", "")))
            for key in (name.removeprefix("root.") for name in lines)}
    serial = flat.get("Properties.System.SerialNumber", "")
    return build(
        document="vapix-params", manufacturer=flat.get("Brand.Brand"),
        model=flat.get("Brand.ProdNbr") or flat.get("Brand.ProdShortName"), device_type=flat.get("Brand.ProdType"),
        device_name=flat.get("Brand.ProdFullName"), firmware=flat.get("Properties.Firmware.Version"),
        firmware_date=flat.get("Properties.Firmware.BuildDate"), serial=serial, mac=mac(serial),
        hardware=flat.get("Properties.System.HardwareID"), soc=flat.get("Properties.System.Soc"))


def _vivotek(lines: dict[str, str]) -> Fields:
    serial = lines.get("system_info_serialnumber", "")
    return build(document="vivotek-params", model=lines.get("system_info_modelname"), serial=serial, mac=mac(serial),
                 firmware=lines.get("system_info_firmwareversion"), device_name=lines.get("system_hostname"),
                 model_number=lines.get("system_info_extendedmodelname"))


def _sunapi(lines: dict[str, str]) -> Fields:
    """Hanwha system.cgi, ``deviceinfo``; the same names in its text and JSON forms."""
    return build(document="sunapi-device", model=lines.get("Model"), firmware=lines.get("FirmwareVersion"),
                 serial=lines.get("SerialNumber"), mac=mac(lines.get("ConnectedMACAddress", "")),
                 firmware_date=lines.get("BuildDate"), device_name=lines.get("DeviceName"),
                 device_type=lines.get("DeviceType"))


_DAHUA = {
    "deviceType": "model", "updateSerial": "model", "type": "model", "serialNumber": "serial", "sn": "serial",
    "version": "firmware", "hardwareVersion": "hardware", "name": "device_name", "vendor": "manufacturer",
    "class": "device_type", "processor": "soc", "table.General.MachineName": "device_name",
}


def _dahua(lines: dict[str, str]) -> Fields:
    """Dahua magicBox and configManager replies: one or a few lines each, the same names in all of them.

    ``deviceType`` is a bare number on some recorders, whose model then stands in ``updateSerial``.
    """
    found: dict[str, str] = {}
    for key, name in _DAHUA.items():
        value = clean(lines.get(key, ""))
        if value and not (name == "model" and _MODEL_TAIL.match(value)):
            found.setdefault(name, value)
    version = firmware_and_build(found.pop("firmware", ""))
    return build(document="dahua-system", keys=tuple(sorted(lines))[:32], **found) | version
