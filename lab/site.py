"""The simulated site on loopback: every device at an address of its own in 127/8, all in one event loop and thread.

On start it writes into its folder what a switch, a router and a mirror port would give an auditor: ``site.json`` (who
stands where), ``neighbours.txt`` (the neighbour table, in the form of ``ip neigh show``) and ``phone-home.pcap``.

Ports below 1024 are shifted by `PORT_OFFSET`, for root as well, so that a run is the same for everybody; ``port_map``
in ``site.json`` tells how. Loopback has no multicast: here devices hear unicast only.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import resource
import threading
from collections.abc import Coroutine, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from lab import datagrams, phonehome
from lab.clips import Studio
from lab.hearing import Hearing
from lab.host import PRIVILEGED, Device, serve, shifted_ports, tcp_ports
from lab.persona import Persona
from lab.personas import PERSONAS, address_of
from lab.scenes import scene_of
from lab.streams import ELSEWHERE, Record, StreamMode, Viewing, orders_of
from lab.walkers import Schedule

__all__ = ["NETWORK", "PORT_OFFSET", "Site"]

NETWORK: Final = "127.77.0.0/24"
PORT_OFFSET: Final = 20_000
NAMED_PORTS: Final = (23, 80, 443, 554)
SNMP_PORT: Final = 161
SPARE_FILES: Final = 512                # open files left to the rest of the process
PATIENCE_SECONDS: Final = 60.0
LINK: Final = "lab0"

T = TypeVar("T")


class Site:
    """Simulated devices on one loopback network; a context manager, or `start` and `stop` by hand.

    All methods may be called from any thread but the site's own.
    """

    def __init__(self, network: str, out_dir: Path, personas: Iterable[Persona], *, port_offset: int = PORT_OFFSET,
                 seed: int = 1, hearing: Hearing | None = None) -> None:
        self.network = ipaddress.IPv4Network(network)
        self.out_dir = out_dir
        self._personas = {one.name: one for one in personas}
        self._addresses = {one.name: str(address_of(one, self.network)) for one in self._personas.values()}
        if len(set(self._addresses.values())) != len(self._addresses):
            raise ValueError("two personas stand at one address")
        if not self.network.is_loopback:
            raise ValueError(f"{self.network} is not in 127.0.0.0/8")
        self._port_offset, self._seed, self._hearing = port_offset, seed, hearing
        self._devices: dict[str, Device] = {}
        self._returning: dict[str, asyncio.Task[None]] = {}
        self._studio = Studio(out_dir / "films")
        self._records = {one.name: Record(orders_of(one)) for one in self._personas.values()}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @classmethod
    def loopback(cls, network: str = NETWORK, out_dir: Path = Path("lab-site"),
                 personas: Iterable[Persona] = PERSONAS, *, port_offset: int = PORT_OFFSET, seed: int = 1,
                 hearing: Hearing | None = None) -> Self:
        """A site on `network` (inside 127.0.0.0/8) that writes its files into `out_dir`; `hearing` is told all of it.

        Raises `ValueError` where two personas share an address, one does not fit, or the network is not loopback.
        """
        return cls(network, out_dir, personas, port_offset=port_offset, seed=seed, hearing=hearing)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start every device and write the site's files. Raises `OSError` where a port is taken; all is undone then."""
        if self._loop is not None:
            raise RuntimeError("the site runs already")
        self._make_room()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lab-site", daemon=True)
        self._thread.start()
        try:
            self._call(self._start_all())
            self._write_files()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every device; harmless where the site does not run."""
        if self._loop is None or self._thread is None:
            return
        self._call(self._close_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()
        self._loop = self._thread = None

    def wait(self) -> None:
        """Block until the site is stopped from elsewhere, or `KeyboardInterrupt`."""
        thread = self._thread
        while thread is not None and thread.is_alive():
            thread.join(1.0)               # in short turns, so that an interrupt is heard

    def kill(self, name: str) -> None:
        """Pull one device's plug: its ports close and its connections break. Harmless where it is down already."""
        self._address_of(name)
        self._call(self._close_one(name))

    def revive(self, name: str) -> None:
        """Start a killed device again, or a rebooting one at once. Raises `RuntimeError` where it still runs."""
        if name in self._devices:
            raise RuntimeError(f"{name} runs")
        self._call(self._start_again(self._personas[name]))

    def reboot(self, name: str, down_s: float) -> None:
        """Break a device's connections now and have it come back by itself after `down_s`; returns while it is down.

        `kill`, `revive` and `replace` in the meantime take the place of its coming back.
        """
        self._address_of(name)
        self._call(self._reboot(self._personas[name], down_s))

    def upgrade(self, name: str, firmware: str) -> None:
        """Give a device another firmware version; it restarts, so its connections break. Its stream keeps its mode."""
        orders = self._records[name].orders
        self.replace(name, replace(self.persona(name), firmware=firmware))
        self._records[name].orders = orders

    def replace(self, name: str, persona: Persona) -> None:
        """Put another device, or the same one changed, at the address of `name`; the site's files follow.

        The newcomer takes over the host number, and is known by its own name from then on.
        """
        address = self._address_of(name)
        if persona.name != name and persona.name in self._personas:
            raise ValueError(f"{persona.name} stands elsewhere on this site")
        self.kill(name)
        del self._personas[name], self._addresses[name]
        self._personas[persona.name], self._addresses[persona.name] = persona, address
        self._records.setdefault(persona.name, Record()).orders = orders_of(persona)
        self._call(self._start_one(persona))
        self._write_files()

    def stream_mode(self, name: str, mode: StreamMode | str, *, after: int = 25, target: str = ELSEWHERE) -> None:
        """Have a device's stream behave like that, sessions that play included, until told otherwise.

        Args:
            name: a device of the site.
            mode: see `StreamMode`.
            after: pictures until `DROP_AFTER_N` or `RESOLUTION_CHANGE`, a session.
            target: ``host`` or ``host:port`` that `REDIRECT` and `FOREIGN_CONTROL` lead to.

        Raises:
            KeyError: no such device.
            ValueError: no such mode.
        """
        record = self._record_of(name)
        record.orders = replace(record.orders, mode=StreamMode(mode), after=after, target=target)

    def slow(self, name: str, *, fps: float | None = None, bytes_per_second: float | None = None) -> None:
        """Send a device's stream at another pace: so many pictures, or so many bytes, a second; None as it should be.

        Pictures keep the RTP times of the scene, so a slow stream lags ever more, and one in a hurry shows in seconds
        what takes minutes. Where the scene stands, it goes on.
        """
        record = self._record_of(name)
        record.orders = replace(record.orders, fps=fps, bytes_per_second=bytes_per_second)

    def sessions(self, name: str) -> tuple[Viewing, ...]:
        """Every time that somebody played the device's stream since the site was made, restarts included."""
        return self._record_of(name).seen()

    def failed_logins(self, name: str) -> int:
        """How many logins with a wrong user or password the device saw: web, ONVIF and RTSP."""
        return self._record_of(name).failed_logins

    def truth(self, name: str) -> Schedule:
        """Who walks through the device's picture, from the first picture of a session on.

        Raises `KeyError` for a device that streams nothing.
        """
        scene = scene_of(self._personas[name])
        if scene is None:
            raise KeyError(f"{name} streams nothing")
        return scene.schedule()

    @property
    def names(self) -> tuple[str, ...]:
        """The devices of the site, running or not."""
        return tuple(self._personas)

    def persona(self, name: str) -> Persona:
        """Who stands under that name. Raises `KeyError`."""
        return self._personas[name]

    def address(self, name: str) -> str:
        """The address of a device. Raises `KeyError`."""
        return self._address_of(name)

    def port(self, number: int) -> int:
        """The TCP port to connect to for the service whose own port is `number`."""
        return number + self._port_offset if number < PRIVILEGED else number

    def _address_of(self, name: str) -> str:
        try:
            return self._addresses[name]
        except KeyError:
            raise KeyError(f"no device {name!r} on this site; there are {', '.join(self._addresses)}") from None

    def _record_of(self, name: str) -> Record:
        """Also of a device that was replaced."""
        try:
            return self._records[name]
        except KeyError:
            raise KeyError(f"there was never a device {name!r} on this site") from None

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the site's thread and wait for it."""
        if self._loop is None:
            coroutine.close()
            raise RuntimeError("the site does not run")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE_SECONDS)

    async def _start_all(self) -> None:
        for one in self._personas.values():
            await self._start_one(one)

    async def _start_one(self, one: Persona) -> None:
        ports = shifted_ports(one, self._port_offset)
        if "snmp" in one.protocols:
            one = replace(one, options={**one.options, f"udp_{SNMP_PORT}": str(self.port(SNMP_PORT))})
        self._devices[one.name] = await serve(one, self._addresses[one.name], ports,
                                              ear=self._hearing.of(one.name) if self._hearing else None,
                                              certificates=self.out_dir / "certificates",
                                              studio=self._studio, record=self._records[one.name])

    async def _start_again(self, one: Persona) -> None:
        self._stay_down(one.name)
        await self._start_one(one)

    async def _reboot(self, one: Persona, down_s: float) -> None:
        await self._close_one(one.name)
        self._returning[one.name] = asyncio.create_task(self._return(one, down_s))

    async def _return(self, one: Persona, down_s: float) -> None:
        await asyncio.sleep(down_s)
        del self._returning[one.name]
        await self._start_one(one)

    def _stay_down(self, name: str) -> None:
        """Cancel a reboot's second half."""
        returning = self._returning.pop(name, None)
        if returning is not None:
            returning.cancel()

    async def _close_one(self, name: str) -> None:
        self._stay_down(name)
        device = self._devices.pop(name, None)
        if device is not None:
            await device.close()

    async def _close_all(self) -> None:
        for name in (*self._returning, *self._devices):
            await self._close_one(name)
        pending = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        await asyncio.get_running_loop().shutdown_default_executor()

    def _make_room(self) -> None:
        """Raise this process's soft limit of open files where the listening sockets alone would meet it."""
        protocols = datagrams.PORTS.values()
        wanted = SPARE_FILES + sum(len(tcp_ports(one)) + sum(name in one.protocols for name in protocols)
                                   for one in self._personas.values())
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard) if hard >= 0 else wanted, hard))

    def _write_files(self) -> None:
        self.out_dir.mkdir(parents=True, exist_ok=True)
        standing = list(self._personas.values())
        neighbours = "".join(f"{self._addresses[one.name]} dev {LINK} lladdr {one.mac.lower()} REACHABLE\n"
                             for one in standing)
        (self.out_dir / "neighbours.txt").write_text(neighbours, encoding="ascii")
        phonehome.write_pcap(self.out_dir / "phone-home.pcap", standing, str(self.network), self._seed)
        logins = self.out_dir / "logins.txt"
        logins.touch(mode=0o600)              # the lab's logins are public, but whoever reads such a file insists on it
        logins.write_text("".join(f"{self._addresses[one.name]} {one.user}:{one.password}\n" for one in standing),
                          encoding="utf-8")
        document = {
            "name": "lab",
            "mode": "loopback",
            "network": str(self.network),
            "port_map": {"tcp": {str(number): self.port(number) for number in NAMED_PORTS},
                         **({"udp": {str(SNMP_PORT): self.port(SNMP_PORT)}}
                            if any("snmp" in one.protocols for one in standing) else {})},
            "neighbours": "neighbours.txt",
            "capture": "phone-home.pcap", "logins": "logins.txt",
            "devices": [{"name": one.name, "address": self._addresses[one.name], "mac": one.mac, "brand": one.brand,
                         "model": one.model} for one in standing],
            "credentials": {one.name: {"user": one.user, "password": one.password} for one in standing},
        }
        # Last of the three: whoever finds site.json finds what it names.
        (self.out_dir / "site.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
