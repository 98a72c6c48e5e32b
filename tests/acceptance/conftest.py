"""One sweep with every option on, of every device the lab has, heard byte by byte: made once for those who judge it."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from acceptance.story import Camvet

from camvet.context import ExitCode
from lab.hearing import Heard, Hearing
from lab.persona import Persona
from lab.personas import PERSONAS
from lab.site import Site
from lab.twins import TWINS
from scanner.protocols import PROTOCOLS

NETWORK = f"127.{180 + os.getpid() % 50}.3.0/24"
OFFSET = 24_000
PRIVATE_PORTS = (2323, 3001, 4567, 6036, 9008, 9527, 9530, 34567, 35000, 37777)
"""Ports at which a maker's own protocol may be, or a shell: a sponge holds them all open and keeps what comes."""

SPONGE = Persona(
    name="sponge", family="generic", brand="IPCAM", manufacturer="IPCAM", model="H264", firmware="V1.0.4.17",
    serial="000000000000", mac="02:5A:9C:41:7E:64", host=100, protocols=frozenset({"http", "rtsp", "telnet"}),
    options={"open_ports": " ".join(map(str, PRIVATE_PORTS)), "udp_161": str(OFFSET + 161),
             "open_udp": " ".join(str(port) for port in sorted({161, *(one.port for one in PROTOCOLS)}))})
WITHOUT_OWN_LOGIN = ("login-delivered", "login-own", "login-none-yet", "sponge")


@dataclass(frozen=True)
class Everything:
    """The site, what camvet printed about it, what the devices heard; `again` is a second sweep of two of them.

    For the second sweep, ``dahua-new`` was given older firmware, and ``login-own`` had its one try in the first.
    """

    camvet: Camvet
    site: Site
    document: dict
    again: dict
    heard: list[Heard]
    words: list[str]

    def device(self, name: str) -> dict:
        """A device of the sweep by its name in the lab; a camera behind a recorder as ``name#number``."""
        name, _, channel = name.partition("#")
        key = self.site.address(name) + (f"#{channel}" if channel else "")
        return next(one for one in self.document["devices"] if one["key"] == key)

    def finding(self, name: str, rule: str) -> dict | None:
        """One finding on a device, if there is such a one."""
        found = [one for one in self.device(name)["verdict"]["findings"] if one["rule"] == rule]
        return found[0] if found else None


def every_option(site: Site, logins: Path) -> list[str]:
    """The words of a sweep that may do all that a sweep can be told to do."""
    out, first = site.out_dir, site.network
    return ["sweep", f"{first[2]}-{first[110]}", "--port-map", str(out / "site.json"), "--profile", "fast",
            "--neighbours", str(out / "neighbours.txt"), "--owner", "tests", "--ticket", "T-1", "--policy", "private",
            "--credentials", f"file:{logins}", "--check-default-credentials", "--yes-i-am-authorised",
            "--check-snmp-public", "--check-port-mappings"]


@pytest.fixture(scope="session")
def everything(tmp_path_factory):
    hearing = Hearing()
    folder = tmp_path_factory.mktemp("twins")
    with Site.loopback(NETWORK, out_dir=folder / "site", personas=(*PERSONAS, *TWINS, SPONGE), port_offset=OFFSET,
                       hearing=hearing) as site:
        logins = folder / "some-logins.txt"
        logins.touch(mode=0o600)
        spared = tuple(f"{site.address(name)} " for name in WITHOUT_OWN_LOGIN)
        lines = (site.out_dir / "logins.txt").read_text().splitlines(keepends=True)
        logins.write_text("".join(line for line in lines if not line.startswith(spared)))
        camvet = Camvet(folder, site)
        words = every_option(site, logins)
        first = camvet.json(*words, code=ExitCode.FINDINGS)
        heard = list(hearing.heard)
        site.upgrade("dahua-new", "2.800.0000000.29.R.210630")
        second = camvet.json(words[0], site.address("dahua-new"), site.address("login-own"), *words[2:])
        yield Everything(camvet, site, first, second, heard, words)
