"""Recorded replies in, observations out: the input of ``camvet identify --replies``.

Each transport word of the command line contract is one way a recorder kept a reply: whole, or only a header line, a
title, a hash. Whatever no parser accepts still becomes an observation, with ``refusal`` for the reason and the readable
text, so that nothing a device said disappears unseen.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from scanner.observation import Endpoint, Observation, Refusal, device_key
from scanner.wire import (
    banner,
    channels,
    datagram,
    dhcp,
    favicon,
    http,
    json,
    oui,
    rtsp,
    scopes,
    sdp,
    sip,
    snmp,
    soap,
    tls,
    wsdiscovery,
    xml,
)
from scanner.wire.fields import Fields, build, firmware_and_build
from scanner.wire.text import clean, clean_block, decode, redact

__all__ = ["TRANSPORTS", "read"]

MAX_RAW = 16_384
MAX_DATA = 4 << 20
MAX_PAGE = 16_384                       # longer pages are not remembered

Read = tuple[str, Fields | Refusal]
"""The transport of ``docs/observations.md`` and what its parser says."""

Reader = Callable[[bytes, Endpoint, datetime], Read]

_HEADER_LINE = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,40}:(?:[ \t]|$)")
_CHALLENGE = re.compile(r"(?i)(?:basic|digest|ntlm|negotiate|bearer)\b")
_HEX_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_STATUS = re.compile(rb"(HTTP|RTSP|SIP)/\d|SIP/2")


def read(transport: str, port: int | None, data: bytes, *, device: str, now: datetime,
         probe: str = "import") -> list[Observation]:
    """The observations in one recorded reply; at least one, and one more for every channel of a recorder's list.

    Args:
        transport: a word of `TRANSPORTS`; an unknown one is kept as an observation with ``refusal``.
        port: the device's port, where the recorder kept it.
        data: the bytes as recorded.
        device: the key the observations are grouped by.
        now: when it was seen.
        probe: what the observations name as their probe.
    """
    source = Endpoint(device, port)
    kept = data[:MAX_DATA]
    kind, found, raw = _page(kept) if transport == "http" and len(kept) <= MAX_PAGE else \
        _reply(transport, kept, source, now)
    fields = found if not isinstance(found, Refusal) else _readable(kept, found)
    if len(data) > MAX_DATA:
        fields = fields | {"truncated": True}
    observed = [Observation.of(device=device, transport=kind, probe=probe, port=port, at=now, fields=fields, wire=data,
                               raw=raw)]
    if kind == "http" and str(fields.get("document", "")).endswith("channels"):
        observed += _behind(kept, device, port, now, probe)
    return observed


def _reply(transport: str, kept: bytes, source: Endpoint, now: datetime) -> tuple[str, Fields | Refusal, bytes]:
    """The transport, what its parser says, and the bytes that may be stored."""
    reader = _READERS.get(transport)
    kind, found = reader(kept, source, now) if reader else (transport[:40] or "unknown", Refusal("unknown_transport"))
    return kind, found, redact(kept, MAX_RAW)


@lru_cache(maxsize=512)
def _page(kept: bytes) -> tuple[str, Fields | Refusal, bytes]:
    """A page, which a site's cameras serve word for word alike, is read once: nobody's and of no day, as it must be."""
    return _reply("http", kept, Endpoint(""), datetime.min.replace(tzinfo=UTC))


def _behind(kept: bytes, device: str, port: int | None, now: datetime, probe: str) -> list[Observation]:
    """One observation a channel, under a key of its own: who is behind a recorder is judged like any device."""
    response = http.read(kept) if _STATUS.match(kept) else Refusal("no head")
    body = kept if isinstance(response, Refusal) else response.body
    observed = []
    for fields in channels.read(body):
        number = fields["channel"]
        if isinstance(number, int):
            observed.append(Observation.of(
                device=device_key(device, number), transport="channel", probe=probe, port=port, at=now,
                fields=fields | {"recorder": device}, wire=body))
    return observed


def _readable(data: bytes, refusal: Refusal) -> Fields:
    """What a person could still read in bytes that no parser accepted."""
    text = clean_block(decode(data[:8_192])[0], 2_048)
    shown = text if text and text.count("\ufffd") * 4 < len(text) else ""
    return build(refusal=refusal.reason, length=len(data)) | ({"text": shown} if shown else {})


# ---- one reader a transport word -------------------------------------------------------------------------------------

def _http(data: bytes, source: Endpoint, now: datetime) -> Read:
    return "http", http.parse(data, source, now, path="")


def _http_header(data: bytes, source: Endpoint, now: datetime) -> Read:
    return "http", http.parse_headers(_as_lines(data), source, now)


def _rtsp_header(data: bytes, source: Endpoint, now: datetime) -> Read:
    return "rtsp", rtsp.parse_headers(_as_lines(data), source, now)


def _as_lines(data: bytes) -> bytes:
    """Header lines as they are; a single value gets the name it was recorded under, by its form."""
    text = data.decode("latin-1").strip()
    if _HEADER_LINE.match(text) or _STATUS.match(data.lstrip()):
        return data
    return (b"WWW-Authenticate: " if _CHALLENGE.match(text) else b"Server: ") + text.encode("latin-1")


def _http_body(data: bytes, source: Endpoint, now: datetime) -> Read:
    if b"Envelope" in data[:2048]:
        return _soap(data, source, now)
    return "http", http.parse_body(data, source, now)


def _html_title(data: bytes, _source: Endpoint, _now: datetime) -> Read:
    import html

    text = decode(data[:4_096])[0]
    title = http.title(data) if "<title" in text.lower() else clean(html.unescape(text))
    return "http", build(title=title) or Refusal("empty")


def _favicon_md5(data: bytes, source: Endpoint, now: datetime) -> Read:
    text = clean(data[:64])
    return "http", {"favicon_md5": text.lower()} if _HEX_MD5.fullmatch(text) else favicon.parse(data, source, now)


def _favicon_mmh3(data: bytes, source: Endpoint, now: datetime) -> Read:
    text = clean(data[:64])
    if re.fullmatch(r"-?\d{1,10}", text):
        value = int(text)
        return "http", {"favicon_mmh3": str(value - (1 << 32) if value >= 1 << 31 else value)}
    return "http", favicon.parse(data, source, now)


def _soap(data: bytes, source: Endpoint, now: datetime) -> Read:
    if _STATUS.match(data):
        response = http.read(data)
        if isinstance(response, Refusal):
            return "onvif", response
        return "onvif", soap.parse_response(response, "", source, now)
    found = wsdiscovery.parse(data, source, now)
    if not isinstance(found, Refusal) and found.get("action") != "Fault":
        return "wsd", found
    return "onvif", soap.parse(data, source, now)


def _scopes(data: bytes, source: Endpoint, now: datetime) -> Read:
    if data.lstrip().startswith(b"<"):
        return _soap(data, source, now)
    text = decode(data[:65_536])[0]
    words = json.read(data) if data.lstrip().startswith(b"[") else None
    listed = [json.scalar(word) for word in words] if isinstance(words, list) else re.split(r"[\s,\"']+", text)
    found = scopes.parse(word for word in listed if word)
    return "onvif", found | {"operation": "GetScopes"} if found else Refusal("empty")


def _rtsp(data: bytes, source: Endpoint, now: datetime) -> Read:
    return "rtsp", rtsp.parse(data, source, now)


def _mac(data: bytes, _source: Endpoint, _now: datetime) -> Read:
    mac = oui.normalise(clean(data[:64]))
    if not mac and len(data) == 6 and not data.isascii():
        mac = oui.normalise(data.hex())
    return "link", {"mac": mac, "via": "import"} if mac else Refusal("malformed", "no MAC")


def _xml(data: bytes, source: Endpoint, now: datetime) -> Read:
    document = xml.read(data)
    if isinstance(document, Refusal):
        return "http", document
    if document.name == "Envelope":
        return _soap(data, source, now)
    kind, found = datagram.read(data, source, now)
    return (kind, found) if kind != "udp" else _http_body(data, source, now)


def _parsed_fields(data: bytes, _source: Endpoint, _now: datetime) -> Read:
    """Fields that another program parsed: JSON, or ``Name: value`` lines as GetDeviceInformation is often printed."""
    value = json.read(data)
    said: dict[str, json.Json] = {}
    if isinstance(value, dict):
        inner = value.get("fields")
        said = inner if isinstance(inner, dict) else value
    else:
        lines = (line.partition(":") for line in decode(data[:65_536])[0].splitlines()[:256])
        said = {key.strip(): text.strip() for key, colon, text in lines if colon and key.strip()}
    fields = _renamed(said)
    named = value.get("transport") if isinstance(value, dict) else None
    for judged in _JUDGED:
        fields.pop(judged, None)
    if not fields:
        return "import", Refusal("malformed", "no field")
    if isinstance(named, str) and named in _KINDS:
        return named, fields
    if {"Manufacturer", "Model"} <= said.keys():
        return "onvif", fields | {"operation": "GetDeviceInformation"}
    return "import", fields


def _renamed(said: dict[str, json.Json]) -> Fields:
    """Scalars and lists of scalars under this project's names; a firmware's build date gets its own field."""
    out: Fields = {}
    for key, value in list(said.items())[:128]:
        plain = re.sub(r"[^a-z0-9]+", "_", key.casefold()).strip("_")[:40]
        name = _SYNONYMS.get(plain.replace("_", ""), plain)
        if isinstance(value, list):
            out |= build(**{name: tuple(json.scalar(item) for item in value[:64])})
        elif isinstance(value, bool):
            out[name] = value
        elif name == "mac":
            out |= build(mac=oui.normalise(json.scalar(value)))
        elif name == "firmware":
            out |= firmware_and_build(json.scalar(value))
        elif name:
            out |= build(**{name: json.scalar(value)})
    return out


_SYNONYMS = {
    "manufacturer": "manufacturer", "model": "model", "firmwareversion": "firmware", "firmware": "firmware",
    "serialnumber": "serial", "serial": "serial", "hardwareid": "hardware", "mac": "mac", "macaddress": "mac",
}

_JUDGED = frozenset({"chain_verified", "chain_anchor", "chain_anchor_sha256", "chain_refused", "chain_until",
                     "device_serial", "shared_with"})
"""What only camvet itself concludes, of a handshake of its own: recorded by somebody else, it is a claim like any."""

_KINDS = frozenset({
    "link", "tcp", "http", "rtsp", "onvif", "wsd", "sadp", "dhip", "dahua_v1", "mhed", "xiongmai", "gvcp", "hanwha",
    "bosch", "vivotek", "sony", "panasonic", "tplink", "mdns", "ssdp", "tls", "snmp", "sip", "dhcp", "ubiquiti",
    "foscam", "vstarcam", "vision360", "nice", "advantech", "cordex", "reolink", "topsee", "tplink_legacy",
})


def _as(kind: str, parse: datagram.Parser) -> Reader:
    """A reader for a transport that needs no more than its codec."""
    return lambda data, source, now: (kind, parse(data, source, now))


_READERS: dict[str, Reader] = {
    "http": _http, "http-header": _http_header, "http-body": _http_body, "html-title": _html_title,
    "favicon-md5": _favicon_md5, "favicon-mmh3": _favicon_mmh3, "soap": _soap, "rtsp": _rtsp,
    "rtsp-header": _rtsp_header, "sdp": _as("rtsp", sdp.parse), "tls-cert": _as("tls", tls.parse),
    "tcp-banner": _as("tcp", banner.parse), "udp-payload": datagram.read, "mdns": datagram.read_mdns,
    "dhcp": _as("dhcp", dhcp.parse), "snmp": _as("snmp", snmp.parse), "sip": _as("sip", sip.parse), "mac": _mac,
    "onvif-scopes": _scopes, "xml": _xml, "parsed-fields": _parsed_fields,
}

TRANSPORTS = frozenset(_READERS)
"""The transport words of ``camvet identify --replies``."""
