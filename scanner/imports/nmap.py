"""nmap's XML (``-oX``): addresses, MACs, ports, and what a few of its scripts read."""

from __future__ import annotations

import re
from datetime import datetime

from scanner.imports import Imported, address_of, seen
from scanner.observation import Refusal
from scanner.wire import oui, replies, xml
from scanner.wire.fields import Fields, build, number

__all__ = ["read"]

_MOST_HOSTS = 65_536
_SCRIPTS = {"http-title": ("http", "title"), "http-server-header": ("http", "server"), "banner": ("tcp", "banner"),
            "snmp-sysdescr": ("snmp", "sys_descr")}
_RAW = {"http-auth": "http-header", "http-headers": "http-header"}
_CHALLENGE = re.compile(r"^\s*((?:Digest|Basic)\b.{0,500})$", re.IGNORECASE | re.MULTILINE)
_HEADER = re.compile(r"^\s*([A-Za-z][A-Za-z0-9-]{0,63}: .{0,2000})$", re.MULTILINE)
_METHODS = re.compile(r"^\s*([A-Z_]{3,20}(?:, ?[A-Z_]{3,20})+)\s*$", re.MULTILINE)
_HOST = re.compile(rb"<host[\s>].*?</host>", re.DOTALL)


def read(data: bytes, now: datetime) -> Imported:
    """Hosts that are up, each host read on its own: one damaged host costs that host alone."""
    found = Imported("nmap")
    if b"<nmaprun" not in data[:4096]:
        found.refuse(0, "nmap XML: an <nmaprun> element (nmap -oX FILE)")
        return found
    for row, match in enumerate(_HOST.finditer(data), start=1):
        if row > _MOST_HOSTS:
            found.dropped += 1
            continue
        document = xml.read(match[0])
        if isinstance(document, Refusal):
            found.refuse(row, f"host {row}: a readable <host> element ({document.reason})")
            continue
        _host(document.root, row, found, now)
    if not found.observations and not found.refused:
        found.refuse(0, "at least one <host> that is up")
    return found


def _host(host: xml.Element, row: int, found: Imported, now: datetime) -> None:
    status = xml.find(host, "status")
    if status is not None and status.get("state") != "up":
        return
    named = {one.get("addrtype"): one.get("addr", "") for one in xml.children(host, "address")}
    address = address_of(named.get("ipv4") or named.get("ipv6") or "")
    if not address:
        found.refuse(row, f"host {row}: an address of type ipv4 or ipv6")
        return
    mac = oui.normalise(named.get("mac", ""))
    if mac:
        wire = f"{address} {mac}".encode()
        found.observations.append(seen(address, "link", {"mac": mac, "via": "import"}, wire, now))
    names = [one.get("name", "") for one in xml.find_all(host, "hostname")]
    if any(names):
        said = build(hostname=names[0])
        found.observations.append(seen(address, "import", said, names[0].encode(), now))
    for port in xml.find_all(host, "port"):
        if port.get("protocol") == "tcp":
            _port(port, address, found, now)
        elif port.get("protocol") == "udp":
            _told(port, number(port.get("portid", ""), 1, 65_535), address, found, now)


def _port(port: xml.Element, address: str, found: Imported, now: datetime) -> None:
    where = number(port.get("portid", ""), 1, 65_535)
    state, service = xml.find(port, "state"), xml.find(port, "service")
    word = (state.get("state", "") if state is not None else "").partition("|")[0]
    if where is None or word not in ("open", "closed", "filtered"):
        return
    told: Fields = build(state=word)
    if service is not None:
        told |= build(service=service.get("name"), product=" ".join(filter(None, (
            service.get("product"), service.get("version"), service.get("extrainfo")))))
    wire = repr(sorted(told.items())).encode()
    found.observations.append(seen(address, "tcp", told, wire, now, port=where, probe="tcp.connect"))
    _told(port, where, address, found, now)


def _told(port: xml.Element, where: int | None, address: str, found: Imported, now: datetime) -> None:
    """What scripts read from a port."""
    for script in xml.children(port, "script"):
        name, output = script.get("id", ""), script.get("output", "")
        if name in _SCRIPTS:
            transport, field = _SCRIPTS[name]
            fields = build(**{field: output.splitlines()[0] if output.strip() else ""})
        elif name == "ssl-cert":
            transport, fields = "tls", _certificate(output)
        elif name in _RAW:
            found.observations += replies.read(_RAW[name], where, _headers(name, output), device=address, now=now)
            continue
        elif name == "rtsp-methods":
            methods = _METHODS.search(output)
            transport, fields = "rtsp", build(public=tuple(methods[1].replace(" ", "").split(",")) if methods else ())
        else:
            continue
        if fields:
            found.observations.append(seen(address, transport, fields, output.encode(), now, port=where))


def _headers(name: str, output: str) -> bytes:
    """The header lines that a script shows; ``http-auth`` shows challenges without the name of their header."""
    if name == "http-auth":
        lines = [f"WWW-Authenticate: {one[1]}" for one in _CHALLENGE.finditer(output)]
    else:
        lines = [one[1] for one in _HEADER.finditer(output)]
    return "\r\n".join(lines[:64]).encode()


def _certificate(output: str) -> Fields:
    said = {key.strip().casefold(): value.strip() for key, _, value in
            (line.partition(":") for line in output.splitlines()[:40])}
    parts = dict(part.split("=", 1) for part in said.get("subject", "").split("/") if "=" in part)
    issuer = dict(part.split("=", 1) for part in said.get("issuer", "").split("/") if "=" in part)
    return build(subject=said.get("subject"), issuer=said.get("issuer"), subject_cn=parts.get("commonName"),
                 subject_o=parts.get("organizationName"), issuer_cn=issuer.get("commonName"),
                 issuer_o=issuer.get("organizationName"), not_after=said.get("not valid after"))
