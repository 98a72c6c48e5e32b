"""The shape in which one maker's firmware is described: web, ONVIF, RTSP, certificate.

A family is data and a few small functions of the persona. A persona may wear the skin of another family: then pages,
realms, server labels and certificate are the skin's, while documents, ONVIF manner, paths, SDP and nonces stay those
of the firmware, as with a device that was relabelled.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from operator import attrgetter

from lab.persona import Persona
from lab.services.login import Login
from lab.services.message import Reply, Request
from lab.streams import Record

__all__ = [
    "Document", "Family", "Onvif", "Page", "Place", "Refusal", "Rtsp", "Subject", "Web", "at_own_path",
    "declared_firmware", "declared_mac", "declared_serial", "favicon", "html",
]

Page = Callable[[Persona], Reply]
Subject = tuple[tuple[str, str], ...]


def declared_mac(persona: Persona) -> str:
    """The MAC the device writes on its own pages."""
    return persona.options.get("claimed_mac", persona.mac)


def declared_serial(persona: Persona) -> str:
    """The serial the device writes on its own pages."""
    return persona.options.get("claimed_serial", persona.serial)


def declared_firmware(persona: Persona) -> str:
    """The firmware the device writes on its own pages."""
    return persona.options.get("claimed_firmware", persona.firmware)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device stands: its address, and the port each service is bound to where that is not its own.

    `record` is what outlives a restart there: how its stream is to behave, and who came.
    """

    address: str
    ports: Mapping[int, int] = field(default_factory=dict)
    record: Record = field(default_factory=Record)

    def port(self, number: int) -> int:
        """The bound port of the service whose own port is `number`."""
        return self.ports.get(number, number)


@dataclass(frozen=True, slots=True)
class Document:
    """One path of a web server: what it renders, and whether it wants a login first."""

    render: Callable[[Persona, Request], Reply]
    login: bool = True


@dataclass(frozen=True, slots=True)
class Web:
    """A family's web server: its ``Server`` header, pages and login.

    ``documents`` are found by path; ``protected`` are path prefixes under which everything wants a login; ``missing``
    is the status of what is not there. ``refused`` is the body that goes with a 401. ``ports`` are served beside 80.
    """

    login: Login
    root: Page
    server: str = ""
    documents: Mapping[str, Document] = field(default_factory=dict)
    protected: tuple[str, ...] = ()
    missing: int = 404
    refused: Reply = field(default_factory=lambda: Reply(401))
    keep_alive: bool = True
    ports: tuple[int, ...] = ()


class Refusal(StrEnum):
    """How a device says no to an ONVIF call without a login."""

    CHALLENGE = "challenge"        # 401 with a challenge and no body
    FAULT = "fault"                # a SOAP fault, no challenge
    BOTH = "both"                  # 401 with a challenge and the SOAP fault as its body


@dataclass(frozen=True, slots=True)
class Onvif:
    """A family's ONVIF stack.

    ``prefix`` is the namespace prefix of its envelopes, ``open_operations`` what it answers without a login beyond the
    pre-authentication class of the ONVIF Core Specification, ``reason`` the fault text of a refusal (``{left}`` counts
    the attempts left), ``fault_status`` the HTTP status of a refusal by fault. ``model`` and ``firmware`` are what
    GetDeviceInformation declares.
    """

    login: Login
    refusal: Refusal
    prefix: str = "s"
    open_operations: frozenset[str] = frozenset()
    reason: str = "Sender not authorized"
    fault_status: int = 400
    media_path: str = "/onvif/media_service"
    profiles: tuple[str, ...] = ("Profile_1", "Profile_2")
    model: Callable[[Persona], str] = attrgetter("model")
    firmware: Callable[[Persona], str] = declared_firmware


@dataclass(frozen=True, slots=True)
class Rtsp:
    """A family's RTSP server: labels, login, and the streams it knows by path.

    ``paths`` are main stream first; a path matches with or without a track behind it and whatever its query; ``query``
    is what GetStreamUri adds, ``{number}`` standing for the profile's place in the list. ``session`` to ``lines`` go
    into the SDP; in ``control`` (the session's) and ``track`` (a medium's) ``{uri}`` stands for the request's own
    address and ``{number}`` for the medium. Some leave ``Server`` out of a refusal: ``names_itself_refusing`` is false.
    """

    login: Login
    paths: tuple[str, ...]
    query: str = ""
    server: str = ""
    public: str = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"
    session: str = "Media"
    origin: str = "-"
    control: str = "*"
    track: str = "trackID={number}"
    lines: tuple[str, ...] = ()
    names_itself_refusing: bool = True


def at_own_path(persona: Persona, rtsp: Rtsp) -> Rtsp:
    """The family's RTSP server with its streams where the option ``rtsp_path`` puts them, if the persona has it."""
    own = persona.options.get("rtsp_path")
    return replace(rtsp, paths=(own,), query="") if own else rtsp


@dataclass(frozen=True, slots=True)
class Family:
    """One maker's firmware. Parts a kind of device does not have are None."""

    name: str
    web: Web
    onvif: Onvif | None = None
    rtsp: Rtsp | None = None
    subject: Callable[[Persona], Subject] = lambda persona: (("CN", persona.model),)
    telnet: bytes = b""


def html(title: str, body: str, head: str = "") -> Reply:
    """A small page of the lab's own."""
    text = (f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{title}</title>{head}</head>'
            f"<body>{body}</body></html>\n")
    return Reply(200, text.encode(), "text/html")


def favicon(seed: str) -> bytes:
    """A one-colour 16 by 16 icon (ICO with a 32-bit bitmap), its colour taken from `seed`: no maker's picture."""
    blue, green, red = hashlib.sha256(seed.encode()).digest()[:3]
    pixels = bytes((blue, green, red, 255)) * 256
    bitmap = struct.pack("<IiiHHIIiiII", 40, 16, 32, 1, 32, 0, len(pixels), 0, 0, 0, 0) + pixels + bytes(64)
    return struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(bitmap), 22) + bitmap
