"""SSDP on UDP 1900 (UPnP Device Architecture 1.1, section 1.3): a root device answers a search for root devices.

Options: ``ssdp_path``, where its description is, and ``web_port``, on which port (80).
"""

from __future__ import annotations

import re

from lab.persona import Persona

__all__ = ["GROUP", "PORT", "answer"]

PORT = 1900
GROUP = "239.255.255.250"
SEARCH = re.compile(rb"M-SEARCH \* HTTP/1\.1\r\n(?:.*\r\n)*?ST: ?(upnp:rootdevice|ssdp:all)\r\n", re.IGNORECASE)


def answer(persona: Persona, data: bytes, address: str) -> list[bytes]:
    """One search response; silence for a search for anything else."""
    if SEARCH.match(data) is None:
        return []
    uuid = f"00000000-0000-1000-8000-{persona.mac.replace(':', '').lower()}"
    port = persona.options.get("web_port", "80")
    lines = ("HTTP/1.1 200 OK", "CACHE-CONTROL: max-age=1800", "EXT:",
             f"LOCATION: http://{address}:{port}{persona.options.get('ssdp_path', '/rootDesc.xml')}",
             f"SERVER: Linux/4.4 UPnP/1.1 {persona.brand}/1.0", "ST: upnp:rootdevice",
             f"USN: uuid:{uuid}::upnp:rootdevice")
    return ["\r\n".join((*lines, "", "")).encode()]
