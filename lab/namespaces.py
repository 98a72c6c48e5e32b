"""A network of its own for the lab: Linux network namespaces joined by bridges, with real ARP and multicast.

One namespace is the switch, one belongs to each device and one to the scanner. None has a default route or a leg in
the machine's own network, so no frame can leave. The namespaces have no names and no files: each lives as long as the
process that holds it, and that process ends when its standard input closes, which it does when this one ends, however
it ends. What runs inside a device is in the holder's process namespace and goes with it.

Needs iproute2 and util-linux, and either root or unprivileged user namespaces; `missing` says which is not there.
Learning is off on every bridge port, so that the scanner's link also carries what a mirror port would show it.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

__all__ = ["DEFAULT_BRIDGE", "SCANNER", "Host", "NamespaceError", "Namespaces", "listening", "missing"]

SCANNER_MAC = "02:00:00:00:00:FE"
SWITCH = "@switch"
SCANNER = "@scanner"                # no persona is called so
DEFAULT_BRIDGE = "br0"
HOLD = ("sh", "-c", "echo held; exec cat >/dev/null")
END_SECONDS = 5.0
START_SECONDS = 20.0
ETH_P_ARP = " 0806 "                # as /proc/net/packet writes a socket that listens for ARP


class NamespaceError(RuntimeError):
    """A namespace or link could not be made: the command and what it said."""


@dataclass(frozen=True, slots=True)
class Host:
    """One machine on a bridge.

    Attributes:
        name: unique among the hosts.
        address: IPv4 address on the lab's network.
        mac: link-layer address.
        bridge: which bridge it is plugged into; another bridge is another VLAN.
        arp_delay_s: above 0, the kernel keeps quiet and a process answers ARP that much later, like a sleepy device.
    """

    name: str
    address: str
    mac: str
    bridge: str = DEFAULT_BRIDGE
    arp_delay_s: float = 0.0


def missing() -> str | None:
    """Why namespaces cannot be made on this machine, or None where they can: a throwaway bridge is tried."""
    for tool in ("ip", "unshare", "nsenter"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed (iproute2, util-linux)"
    trial = ["unshare", *_user_flags(), "--net", "ip", "link", "add", "br0", "type", "bridge"]
    tried = subprocess.run(trial, capture_output=True, text=True, check=False)  # noqa: S603 - fixed command, no shell
    if tried.returncode:
        return f"neither root nor user namespaces: {tried.stderr.strip() or tried.returncode}"
    return None


def _user_flags() -> tuple[str, ...]:
    return () if os.geteuid() == 0 else ("--user", "--map-root-user")


def listening(pid: int) -> frozenset[tuple[str, int]]:
    """The sockets of a process's network namespace that wait for something: ``("tcp", 80)``, ``("udp", 3702)``."""
    found = set()
    for protocol, waiting in (("tcp", "0A"), ("udp", "07")):
        for line in Path(f"/proc/{pid}/net/{protocol}").read_text().splitlines()[1:]:
            _slot, local, _remote, state, *_ = line.split()
            if state == waiting:
                found.add((protocol, int(local.rpartition(":")[2], 16)))
    return frozenset(found)


class _Namespace:
    """One network namespace and the process that holds it."""

    def __init__(self, command: Sequence[str]) -> None:
        self.holder: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - fixed command, no shell
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        stdout = self.holder.stdout
        if stdout is None or stdout.readline() != b"held\n":
            self.holder.kill()
            _, error = self.holder.communicate()
            raise NamespaceError(f"{' '.join(command)}: {error.decode(errors='replace').strip()}")

    @property
    def pid(self) -> int:
        return self.holder.pid

    def release(self) -> None:
        """Ask the holder to end; the namespace and every process in it go with it."""
        if self.holder.stdin is not None:
            self.holder.stdin.close()

    def wait(self) -> None:
        try:
            self.holder.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.holder.kill()
            self.holder.wait()
        for stream in (self.holder.stdout, self.holder.stderr):
            if stream is not None:
                stream.close()


class Namespaces:
    """A switch, a scanner and any number of hosts, each in a network namespace of its own.

    Use it as a context manager, or call `start` and `stop`; `stop` may be called twice and ends nothing that this
    object did not start.
    """

    def __init__(self, network: str = "10.77.0.0/24", *, scanner_address: str | None = None,
                 scanner_bridges: Sequence[str] = (DEFAULT_BRIDGE,)) -> None:
        self.network = ipaddress.IPv4Network(network)
        self.scanner_address = scanner_address or str(self.network[-2])
        self._scanner_bridges = tuple(scanner_bridges)
        self._beyond: dict[str, tuple[ipaddress.IPv4Network, str]] = {}    # bridge: its network, its router's address
        self._spaces: dict[str, _Namespace] = {}
        self._bridges: set[str] = set()
        self._ports = 0
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Make the switch and the scanner. Raises `NamespaceError`, with nothing left behind."""
        try:
            self._open(SWITCH)
            self._open(SCANNER)
            for number, bridge in enumerate(self._scanner_bridges):
                mac = f"{SCANNER_MAC[:-5]}{number:02X}:FE"
                self._plug(SCANNER, f"eth{number}", mac, self.scanner_address if number == 0 else None, bridge)
        except (NamespaceError, OSError):
            self.stop()
            raise

    def stop(self) -> None:
        """End every namespace with what runs in it."""
        for space in self._spaces.values():
            space.release()
        for space in self._spaces.values():
            space.wait()
        for process in self._processes:
            process.wait()
        self._spaces.clear()
        self._bridges.clear()
        self._beyond.clear()
        self._processes.clear()

    def add(self, host: Host) -> None:
        """Plug a host into its bridge. Raises `NamespaceError` where the name or address does not fit."""
        if host.name in self._spaces:
            raise NamespaceError(f"there is already a host {host.name!r}")
        network, router = self._beyond.get(host.bridge, (self.network, ""))
        if ipaddress.IPv4Address(host.address) not in network:
            raise NamespaceError(f"{host.address} is outside {network}")
        self._open(host.name)
        self._plug(host.name, "eth0", host.mac, host.address, host.bridge, network)
        if router:
            self._ip(host.name, [f"route add {self.network} via {router}"])
        if host.arp_delay_s > 0:
            self._call(host.name, "sh", "-c", "echo 8 > /proc/sys/net/ipv4/conf/eth0/arp_ignore")
            self.spawn(host.name, [sys.executable, "-m", "lab.arp", "eth0", host.address, str(host.arp_delay_s)])
            table = Path(f"/proc/{self.pid(host.name)}/net/packet")
            _poll(lambda: ETH_P_ARP in table.read_text(), START_SECONDS, f"{host.name} does not listen for ARP")

    def add_card(self, name: str, address: str, mac: str) -> None:
        """Give a host a second network card (``eth1``) on the default bridge. Raises `NamespaceError`."""
        self._plug(name, "eth1", mac, address, DEFAULT_BRIDGE, groups=False)
        # Linux would answer for every address on every card, and two MACs would claim each.
        self._call(name, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore; "
                                     "echo 2 > /proc/sys/net/ipv4/conf/all/arp_announce")

    def add_router(self, address: str, network: str, bridge: str) -> None:
        """Join a second network on a bridge of its own by a router at `address`, which is also the last host there.

        Unicast passes in both directions; ARP, multicast and broadcast do not. Raises `NamespaceError`.
        """
        beyond = ipaddress.IPv4Network(network)
        name, own = f"@router-{bridge}", str(beyond[-2])
        if bridge in self._bridges:
            raise NamespaceError(f"there is already a bridge {bridge!r}")
        number = len(self._beyond)
        self._open(name)
        self._plug(name, "eth0", f"{SCANNER_MAC[:-5]}{number:02X}:FD", address, DEFAULT_BRIDGE)
        self._plug(name, "eth1", f"{SCANNER_MAC[:-5]}{number:02X}:FC", own, bridge, beyond, groups=False)
        self._call(name, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        self._ip(SCANNER, [f"route add {beyond} via {address}"])
        self._beyond[bridge] = beyond, own

    def pid(self, name: str) -> int:
        """The holder of a namespace: ``nsenter --net=/proc/PID/ns/net`` lets a person look inside."""
        return self._spaces[name].pid

    def command(self, name: str, command: Sequence[str], *, own_processes: bool = False) -> list[str]:
        """The command line that runs `command` in a namespace; with `own_processes`, it also ends with it."""
        pid = self._spaces[name].pid
        flags = [f"--net=/proc/{pid}/ns/net"]
        if _user_flags():
            flags += [f"--user=/proc/{pid}/ns/user", "--preserve-credentials"]
        if own_processes:
            flags.append(f"--pid=/proc/{pid}/ns/pid_for_children")
        return ["nsenter", *flags, "--", *command]

    def run(self, command: Sequence[str], *, host: str = SCANNER, seconds: float = 60.0,
            environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run one command to its end, by default where the scanner is; what it printed is in the result.

        Raises `subprocess.TimeoutExpired` after `seconds`.
        """
        return subprocess.run(  # noqa: S603 - the lab's owner says what to run, and no shell reads it
            self.command(host, command), capture_output=True, text=True, check=False, timeout=seconds,
            env=_environment(environment))

    def spawn(self, host: str, command: Sequence[str], log: IO[bytes] | int = subprocess.DEVNULL) -> int:
        """Start a command that stays until `stop`; its process id. Output goes to `log`."""
        process = subprocess.Popen(  # noqa: S603 - the lab's owner says what to run, and no shell reads it
            self.command(host, command, own_processes=True), stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT, env=_environment(None))
        self._processes.append(process)
        return process.pid

    def wait_for(self, host: str, sockets: frozenset[tuple[str, int]], seconds: float = 20.0) -> None:
        """Wait until a host has these sockets open, see `listening`. Raises `NamespaceError` when time is up."""
        _poll(lambda: sockets <= listening(self.pid(host)), seconds,
              f"{host} does not listen on {sorted(sockets - listening(self.pid(host)))}")

    # -- links ------------------------------------------------------------------------------------------------------

    def _open(self, name: str) -> None:
        command = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--", *HOLD]
        if not self._spaces:
            command[1:1] = _user_flags()
        elif _user_flags():                # all namespaces belong to the switch's user namespace, or no link can join
            command = ["nsenter", f"--user=/proc/{self._spaces[SWITCH].pid}/ns/user", "--preserve-credentials", "--",
                       *command]
        self._spaces[name] = _Namespace(command)

    def _plug(self, name: str, link: str, mac: str, address: str | None, bridge: str,
              network: ipaddress.IPv4Network | None = None, *, groups: bool = True) -> None:
        """A cable between `name` and a bridge, which is made when it is first used; `groups`: multicast leaves here."""
        port, self._ports = f"p{self._ports}", self._ports + 1
        lines = []
        if bridge not in self._bridges:
            lines += [f"link add {bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
                      f"link set {bridge} addrgenmode none", f"link set {bridge} up"]
        lines += [f"link add {port} type veth peer name {link} netns {self._spaces[name].pid} address {mac}",
                  f"link set {port} addrgenmode none", f"link set {port} master {bridge}",
                  f"link set {port} type bridge_slave learning off", f"link set {port} up"]
        self._ip(SWITCH, lines)
        self._bridges.add(bridge)
        lines = ["link set lo up", f"link set {link} addrgenmode none", f"link set {link} up"]
        if address is not None:
            lines += [f"address add {address}/{(network or self.network).prefixlen} broadcast + dev {link}"]
        if address is not None and groups:
            lines += [f"route add 224.0.0.0/4 dev {link}", f"route add 255.255.255.255/32 dev {link}"]
        self._ip(name, lines)

    def _ip(self, name: str, lines: Sequence[str]) -> None:
        self._call(name, "ip", "-batch", "-", text="\n".join(lines) + "\n")

    def _call(self, name: str, *command: str, text: str | None = None) -> None:
        done = subprocess.run(  # noqa: S603 - fixed command, no shell
            self.command(name, command), input=text, text=True, capture_output=True, check=False)
        if done.returncode:
            raise NamespaceError(f"{name}: {' '.join(command)}: {done.stderr.strip() or done.returncode}")


def _environment(chosen: Mapping[str, str] | None) -> dict[str, str]:
    """The environment in which ``python -m lab.…`` finds this very lab, wherever it is started."""
    environment = dict(os.environ if chosen is None else chosen)
    here = str(Path(__file__).resolve().parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (here, environment.get("PYTHONPATH"))))
    return environment


def _poll(ready: Callable[[], bool], seconds: float, otherwise: str) -> None:
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise NamespaceError(otherwise)
        time.sleep(0.05)
