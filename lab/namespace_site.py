"""The simulated site on links of its own: every device in a namespace with its real MAC, on its own ports.

What a loopback site cannot show works here: multicast and broadcast discovery, ARP, MACs, a mirror port. Nothing is
written but ``site.json``, logs and certificates: the neighbour table and the capture are taken on the link.
"""

from __future__ import annotations

import ipaddress
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from lab import datagrams
from lab.host import tcp_ports
from lab.namespaces import DEFAULT_BRIDGE, SCANNER, Host, NamespaceError, Namespaces
from lab.persona import Persona
from lab.personas import INSIDE, INSIDE_HOST, PERSONAS, address_of, persona
from lab.phonehome import INSIDE_MAC

__all__ = ["NamespaceSite"]

BEYOND = "beyond"                # the bridge behind the router


class NamespaceSite:
    """Simulated devices in namespaces; a context manager, or `start` and `stop` by hand.

    `bridges` puts devices by name on another bridge than the scanner's (another VLAN); `arp_delays` makes devices
    answer ARP late, in seconds; `beyond` puts devices on a network of their own behind a router, which stands at the
    third last host of the scanner's; `second_cards` gives devices a second network card, at this host number, where
    they answer unicast.
    """

    def __init__(self, out_dir: Path, network: str = "10.77.0.0/24", personas: Iterable[Persona] = PERSONAS, *,
                 bridges: Mapping[str, str] | None = None, arp_delays: Mapping[str, float] | None = None,
                 beyond: tuple[str, Sequence[str]] = ("", ()),
                 second_cards: Mapping[str, int] | None = None) -> None:
        self.out_dir = out_dir
        self.network = ipaddress.IPv4Network(network)
        self.namespaces = Namespaces(network)
        self._personas = {one.name: one for one in personas}
        unlisted = sorted(name for name, one in self._personas.items() if not _listed(one))
        if unlisted:
            raise ValueError(f"a device runs by the name of its persona, and the table has no {', '.join(unlisted)}")
        self._bridges, self._arp_delays = dict(bridges or {}), dict(arp_delays or {})
        self._second_cards = dict(second_cards or {})
        self._beyond = ipaddress.IPv4Network(beyond[0]) if beyond[0] else None
        self._bridges.update(dict.fromkeys(beyond[1], BEYOND))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start the network and every device, and wait until all listen.

        Raises `NamespaceError` where one does not come up; all is undone then.
        """
        self.namespaces.start()
        try:
            if self._beyond is not None:
                self.namespaces.add_router(str(self.network[-3]), str(self._beyond), BEYOND)
            self.namespaces.add(Host(INSIDE, str(self.network[INSIDE_HOST]), INSIDE_MAC.hex(":")))
            for one in self._personas.values():
                self._start_device(one)
            for one in self._personas.values():
                self.namespaces.wait_for(one.name, _sockets(one), seconds=60.0)
            self._write_site()
        except (NamespaceError, OSError, ValueError):
            self.stop()
            raise

    def stop(self) -> None:
        """End every device and the network; harmless where nothing runs."""
        self.namespaces.stop()

    def address(self, name: str) -> str:
        """The address of a device. Raises `KeyError`."""
        beyond = self._beyond if self._bridges.get(name) == BEYOND else None
        return str(address_of(self._personas[name], beyond or self.network))

    def second_address(self, name: str) -> str:
        """The address of a device's second network card. Raises `KeyError`."""
        return str(self.network[self._second_cards[name]])

    def run(self, command: Sequence[str], *, seconds: float = 60.0,
            environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command where the scanner is, see `Namespaces.run`."""
        return self.namespaces.run(command, seconds=seconds, environment=environment)

    def play_phone_home(self, *, seconds: float = 1800.0, speed: float = 1.0, seed: int = 1) -> None:
        """Start sending the site's outward traffic on the link, `speed` times as fast as it is dated."""
        self.namespaces.spawn(INSIDE, [
            sys.executable, "-m", "lab.phonehome", "eth0", str(self.network),
            "--seconds", str(seconds), "--speed", str(speed), "--seed", str(seed)])

    def _start_device(self, one: Persona) -> None:
        address = self.address(one.name)
        self.namespaces.add(Host(one.name, address, one.mac, bridge=self._bridges.get(one.name, DEFAULT_BRIDGE),
                                 arp_delay_s=self._arp_delays.get(one.name, 0.0)))
        logs = self.out_dir / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        keeps = ["--certificates", str((self.out_dir / "certificates" / one.name).resolve())]
        with (logs / f"{one.name}.log").open("wb") as log:
            self.namespaces.spawn(one.name, [
                sys.executable, "-m", "lab.host", one.name, address, "--interface", "eth0", *keeps], log)
            if one.name in self._second_cards:
                second = self.second_address(one.name)
                self.namespaces.add_card(one.name, second, f"{one.mac[:-2]}{int(one.mac[-2:], 16) ^ 1:02X}")
                self.namespaces.spawn(one.name, [sys.executable, "-m", "lab.host", one.name, second, *keeps], log)

    def _write_site(self) -> None:
        document: dict[str, object] = {
            "name": "lab",
            "mode": "namespaces",
            "network": str(self.network),
            "port_map": {"tcp": {}},
            "neighbours": None,
            "capture": None,
            "scanner": {"address": self.namespaces.scanner_address, "interface": "eth0",
                        "pid": self.namespaces.pid(SCANNER)},
            "devices": [{"name": one.name, "address": self.address(one.name), "mac": one.mac, "brand": one.brand,
                         "model": one.model} for one in self._personas.values()],
            "credentials": {one.name: {"user": one.user, "password": one.password} for one in self._personas.values()},
        }
        (self.out_dir / "site.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _listed(one: Persona) -> bool:
    """Whether the table has this persona, or the one it is a copy of: a device's process knows it by its name alone."""
    try:
        return persona(one.name) == one
    except KeyError:
        return False


def _sockets(one: Persona) -> frozenset[tuple[str, int]]:
    """Everything the device must listen on before it counts as up."""
    udp = {("udp", port) for port, protocol in datagrams.PORTS.items() if protocol in one.protocols}
    return frozenset(udp | {("tcp", port) for port in tcp_ports(one)})
