"""Who is there: link tables, ARP, and the datagrams that cameras answer to before any login.

Quietest first: a table that somebody already has costs nothing, ARP little, a datagram a little more. Multicast goes
out on every link whose network meets the scope; three protocols are also asked by unicast of every address, since
multicast crosses no router and some thermal cameras hear nothing else; the others only of hosts that showed themselves.
"""

from __future__ import annotations

import asyncio
import ipaddress
import resource
import time
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import AsyncExitStack

from scanner import clock
from scanner.dossier import Dossier
from scanner.observation import Endpoint, Observation, Reason, Refusal
from scanner.pace import Profile, RateLimit
from scanner.ports import note_syn
from scanner.protocols import PROTOCOLS, Protocol
from scanner.scope import Scope
from scanner.settings import LinkUse, Observer, Settings
from scanner.transport import neighbours, packets, syn, udp
from scanner.transport.addresses import Interface, interfaces, interfaces6, neighbours6
from scanner.transport.exchange import ExchangeError
from scanner.wire.fields import Fields
from scanner.wire.text import redact

__all__ = ["PROTOCOLS", "Discovery", "Protocol", "links_for"]

_MOST_SOCKETS = 1024           # unicast probes in the air at once
_OTHER_FILES = 256             # descriptors that everything else needs: listeners, connections, the journal
_MOST_FOREIGN = 1024
_ARP_LISTEN = 1.0              # seconds; sleepy cameras answer ARP after 0.9
_LEAST_REST = 0.05             # seconds between two protocols asked of one device; its profile may say more


def links_for(scope: Scope, settings: Settings,
              have: Iterable[Interface] | None = None) -> list[tuple[Interface, LinkUse]]:
    """Every link of this machine, used or skipped with the reason."""
    found = []
    for link in interfaces() if have is None else have:
        because = ""
        if link.loopback:
            because = "loopback carries no multicast"
        elif settings.interfaces and link.name not in settings.interfaces:
            because = "not among the interfaces asked for"
        elif not scope.meets(link.network):
            because = "no target lies on it"
        found.append((link, LinkUse(link.name, link.network, not because, because)))
    return found


class Discovery:
    """The discovery phases of one sweep. `dossiers` holds one per address of the scope."""

    def __init__(self, scope: Scope, settings: Settings, dossiers: dict[str, Dossier], observer: Observer) -> None:
        self._scope = scope
        self._settings = settings
        self._pace = settings.pace
        self._dossiers = dossiers
        self._observer = observer
        self._datagrams = RateLimit(self._pace.datagram_rate)
        self._sockets = asyncio.Semaphore(_sockets_at_once())
        self._links = links_for(scope, settings)
        self._ears: dict[str, list[udp.Listener]] = {}
        self._deaf: dict[str, str] = {}
        self.foreign: dict[str, Observation] = {}
        self.dropped: dict[str, int] = {}

    @property
    def links(self) -> list[LinkUse]:
        """The links of this machine, used or skipped."""
        return [use for _, use in self._links]

    # -- link layer ----------------------------------------------------------------------------------------------

    def read_tables(self, *, last: bool = False) -> None:
        """Take MACs from the kernel's table and the imported one; the `last` time, note what the link did not tell."""
        sources = [(neighbours.KERNEL_TABLE, "neighbours")]
        if self._settings.neighbours:
            sources.append((self._settings.neighbours, "import"))
        for path, via in sources:
            try:
                entries = neighbours.read_table(path)
            except OSError as error:
                self._observer.note(f"neighbour table {path}: {error.strerror}")
                continue
            for entry in entries:
                dossier = self._dossiers.get(entry.address)
                if dossier:
                    fields: Fields = {"mac": entry.mac, "via": via}
                    self._link_seen(dossier, "link.neighbour", fields, f"{entry.address} {entry.mac}".encode())
        for address, mac in neighbours6() if any(":" in address for address in self._dossiers) else ():
            known = self._dossiers.get(address)
            if known:
                self._link_seen(known, "link.neighbour", {"mac": mac, "via": "neighbours"}, f"{address} {mac}".encode())
        if last:
            self._note_links()

    def _note_links(self) -> None:
        """What the link did not tell of a device that is there."""
        for dossier in self._dossiers.values():
            if not dossier.showed_itself:
                continue
            if not dossier.tried("link.neighbour"):
                dossier.failed("link.neighbour", None, Reason.NO_ANSWER, "in no neighbour table")
            if not dossier.tried("link.arp"):
                why = "a neighbour table had it" if self._near(dossier.address) else "on no link of this machine in use"
                dossier.skipped("link.arp", None, Reason.NOT_APPLICABLE, why)

    @property
    def absent(self) -> Set[str]:
        """Addresses on a link of this machine where nobody answered ARP, asked twice: no packet can reach them."""
        return {one.address for one in self._dossiers.values() if not one.showed_itself
                and any(tried.probe == "link.arp" and tried.reason is Reason.NO_ANSWER for tried in one.attempts)}

    def _link_seen(self, dossier: Dossier, probe: str, fields: Fields, wire: bytes) -> None:
        count = len(dossier.observations)
        seen = dossier.observe("link", probe, None, fields, wire)
        if len(dossier.observations) > count:
            dossier.completed(probe, None, [seen])

    async def ask_links(self) -> None:
        """ARP for every address of the scope on a link of this machine that no table had; unprivileged: not at all."""
        for link, use in self._links:
            if not use.used:
                continue
            wanted = [one for one in self._dossiers.values()
                      if ":" not in one.address and link.holds(one.address) and one.address != link.address
                      and not one.tried("link.neighbour")]
            try:
                heard = await packets.ask(link, [one.address for one in wanted], self._pace.arp_rate,
                                          listen=min(max(self._pace.listen, _ARP_LISTEN), 2))
            except ExchangeError as error:
                self._observer.note(f"ARP on {link.name}: {error.detail}")
                for dossier in wanted:
                    dossier.skipped("link.arp", None, error.reason, error.detail)
                continue
            for reply in heard.values():
                fields: Fields = {"mac": reply.mac, "via": "arp"}
                self._link_seen(self._dossiers[reply.address], "link.arp", fields, reply.frame)
            silence = f"nobody answers ARP on {link.name}, asked twice"
            for dossier in wanted:
                if dossier.address not in heard:
                    dossier.failed("link.arp", None, Reason.NO_ANSWER, silence)

    async def ask_ports(self, ports: Sequence[int]) -> None:
        """A SYN to hosts that showed their MAC on a link of this machine: what is closed or silent need not be tried.

        What is open is left to a connect, which confirms it. Unprivileged, and beyond a router, a connect is all there
        is. The gentle profile does without.
        """
        if self._settings.profile is Profile.GENTLE:
            return
        actual = {port: self._settings.port_map.tcp.get(port, port) for port in ports}
        for link, use in self._links:
            hosts = {one.address: mac for one in self._dossiers.values() if use.used and ":" not in one.address
                     and link.holds(one.address) and (mac := _linked_mac(one)) and not one.ports}
            if not hosts:
                continue
            try:
                found = await syn.probe(link, hosts, list(actual.values()), self._pace.connect_rate, gap=self._pace.gap,
                                        listen=self._pace.connect_timeout)
            except ExchangeError as error:
                self._observer.note(f"SYN on {link.name}: {error.detail}")
                continue
            for address in hosts:
                for port, where in actual.items():
                    note_syn(self._dossiers[address], port, found.get((address, where)))

    # -- datagrams -----------------------------------------------------------------------------------------------

    async def ask_datagrams(self) -> None:
        """Multicast on every link in use, and unicast of the three protocols that are asked everywhere."""
        async with AsyncExitStack() as stack:
            await self._open_ears(stack)
            await self._multicast()
            absent = self.absent
            everyone = [one for one in self._dossiers.values() if one.address not in absent]
            await asyncio.gather(*(self._ask(one, protocol) for one in everyone for protocol in PROTOCOLS
                                   if protocol.everywhere))
            self._hear()

    async def ask_present(self, present: Sequence[Dossier]) -> None:
        """The other datagram protocols, by unicast, of hosts that showed themselves."""
        async with AsyncExitStack() as stack:
            await self._open_ears(stack)
            await asyncio.gather(*(self._ask_in_turn(one) for one in present))
            self._hear()
            for dossier in present:
                self._note_broadcast(dossier)

    async def _ask_in_turn(self, dossier: Dossier) -> None:
        """One protocol after the other, but without waiting for the silence of each to end."""
        # All at once would be ten datagrams in a burst, to a device that answers each with work.
        rest = max(self._pace.gap, _LEAST_REST)
        async with asyncio.TaskGroup() as group:
            for number, protocol in enumerate(one for one in PROTOCOLS if one.unicast and not one.everywhere):
                group.create_task(self._ask_later(dossier, protocol, number * rest))

    async def _ask_later(self, dossier: Dossier, protocol: Protocol, wait: float) -> None:
        await asyncio.sleep(wait)
        await self._ask(dossier, protocol, patience=min(1.0, self._pace.listen))

    def _note_broadcast(self, dossier: Dossier) -> None:
        """What is asked by broadcast alone: heard of in vain, or never sent where the device could hear it."""
        for protocol in PROTOCOLS:
            if protocol.unicast or dossier.tried(protocol.probe):
                continue
            if self._near(dossier.address):
                deaf = self._deaf.get(protocol.probe, "asked by broadcast")
                dossier.failed(protocol.probe, protocol.port, Reason.NO_ANSWER, deaf)
            else:
                dossier.skipped(protocol.probe, protocol.port, Reason.NOT_APPLICABLE,
                                "asked by broadcast alone, and the device is on no link in use")

    def _near(self, address: str) -> bool:
        return any(use.used and ":" not in address and link.holds(address) for link, use in self._links)

    async def _open_ears(self, stack: AsyncExitStack) -> None:
        """Listeners for every link and protocol on the ports that answers come to; unicast answers need them too."""
        self._ears, self._deaf = {}, {}
        used = [link for link, use in self._links if use.used]
        for protocol in PROTOCOLS:
            # Without a link in use no group can be heard; a fixed port that unicast answers come to still can.
            fixed = protocol.unicast and protocol.reply_port and not protocol.reply_groups
            wanted: list[Interface | None] = [*used] or ([None] if fixed else [])
            for link, port in ((link, port) for link in wanted for port in protocol.reply_ports):
                try:
                    ear = await udp.Listener.open(port, interface=link, hears_all=protocol.answers_to_all,
                                                  groups=protocol.reply_groups if link else ())
                except ExchangeError as error:
                    self._deaf[protocol.probe] = error.detail
                    self._observer.note(f"{protocol.probe}: {error.detail}; answers to that port are not heard")
                    continue
                stack.callback(ear.close)
                self._ears.setdefault(protocol.probe, []).append(ear)
        await self._open_ears6(stack, {link.index for link in used})

    async def _open_ears6(self, stack: AsyncExitStack, used: set[int]) -> None:
        """The same links over IPv6: devices with no IPv4 address of the scope answer there, or nowhere."""
        for link in interfaces6():
            if link.index not in used:
                continue
            for protocol in PROTOCOLS:
                if not protocol.group6:
                    continue
                try:
                    ear = await udp.Listener.open6(link)
                except ExchangeError as error:
                    self._observer.note(f"{protocol.probe}: {error.detail}")
                    break
                stack.callback(ear.close)
                self._ears.setdefault(protocol.probe, []).append(ear)

    async def _multicast(self) -> None:
        """Every question to every group and broadcast address: the first of each, then the second, then the third."""
        questions = list(self._questions())
        rounds = max((len(payloads) for *_, payloads in questions), default=0)
        failed: set[tuple[str, str]] = set()
        begun = time.monotonic()
        for number in range(rounds):
            if number:
                await asyncio.sleep(self._pace.repeat_gap)
            for ear, protocol, to, payloads in questions:
                if number >= len(payloads) or (protocol.probe, to) in failed:
                    continue
                await self._datagrams.wait()
                try:
                    ear.send(payloads[number], to, self._settings.port_map.udp.get(protocol.port, protocol.port))
                except ExchangeError as error:
                    self._observer.note(f"{protocol.probe}: {error.detail}")
                    failed.add((protocol.probe, to))
        if questions:
            # The later rounds are for what was lost or shy; whoever heard the first has been answering since.
            await asyncio.sleep(max(self._pace.listen / 2, begun + self._pace.listen - time.monotonic()))
            self._hear()

    def _questions(self) -> Iterator[tuple[udp.Listener, Protocol, str, Sequence[bytes]]]:
        """From which ear each protocol asks which destination what."""
        for protocol in PROTOCOLS:
            asked: set[str] = set()                            # with two ports to hear on, one is enough to ask from
            for ear in self._ears.get(protocol.probe, ()):
                link = ear.interface
                if link is None or link.address in asked:
                    continue
                asked.add(link.address)
                for to in _destinations(protocol, link):
                    yield ear, protocol, to, protocol.questions(link.mac, link.address)

    async def _ask(self, dossier: Dossier, protocol: Protocol, patience: float | None = None) -> None:
        if dossier.answered(protocol.probe):
            return                                                  # multicast answered: it need not say it twice
        if not Scope.private(dossier.address):
            dossier.skipped(protocol.probe, protocol.port, Reason.OUT_OF_SCOPE, "UDP goes to private addresses only")
            return
        async with self._sockets:
            await self._datagrams.wait()
            begun = time.monotonic()
            try:
                heard = await udp.ask(dossier.address, self._settings.port_map.udp.get(protocol.port, protocol.port),
                                      protocol.payloads(), listen=patience or self._pace.listen,
                                      gap=self._pace.repeat_gap)
            except ExchangeError as error:
                self._hear()
                if not dossier.answered(protocol.probe):
                    deaf = self._deaf.get(protocol.probe, "") if error.reason is Reason.NO_ANSWER else ""
                    dossier.failed(protocol.probe, protocol.port, error.reason, deaf or error.detail,
                                   elapsed_ms=_since(begun))
                return
        self._take(dossier, protocol, [one.data for one in heard], elapsed_ms=_since(begun))

    def _hear(self) -> None:
        """Take what came on the listeners: from the scope into a dossier, from elsewhere as foreign."""
        by_probe = {protocol.probe: protocol for protocol in PROTOCOLS}
        came: list[tuple[Protocol, udp.Datagram]] = []
        for probe, ears in self._ears.items():
            for ear in ears:
                if ear.dropped:
                    self.dropped["datagrams"] = self.dropped.get("datagrams", 0) + ear.dropped
                    ear.inbox.dropped = 0
                came += [(by_probe[probe], datagram) for datagram in ear.collect()]
        if not came:
            return                             # the usual case, once a question: the whole scope is not gone through
        own = {link.address for link, _ in self._links} | {link.address for link in interfaces6()}
        known6 = self._addresses6() if any(":" in datagram.source.address for _, datagram in came) else {}
        for protocol, datagram in came:
            if datagram.source.address in own:
                continue                                            # our own question, come back by broadcast
            dossier = self._dossiers.get(datagram.source.address) or known6.get(datagram.source.address)
            if dossier:
                self._take(dossier, protocol, [datagram.data], source=datagram.source.address)
            else:
                self._foreign(protocol, datagram)

    def _addresses6(self) -> dict[str, Dossier]:
        """Devices of the scope by their IPv6 addresses, which the kernel's table ties to the MAC that ARP showed."""
        by_mac = {one.text("mac"): dossier for dossier in self._dossiers.values() for one in dossier.seen
                  if one.transport == "link"}
        return {address: by_mac[mac] for address, mac in neighbours6() if mac in by_mac} if by_mac else {}

    def _take(self, dossier: Dossier, protocol: Protocol, replies: Iterable[bytes], *, elapsed_ms: int = 0,
              source: str = "") -> None:
        kept, why = [], ""
        for data in replies:
            read = protocol.parse(data, Endpoint(dossier.address, protocol.port), clock.now())
            if isinstance(read, Refusal):
                why = why or f"{read.reason} {read.detail}".strip()
                continue
            if source not in ("", dossier.address):
                read = {**read, "ipv6": source}
            seen = dossier.observe(protocol.transport, protocol.probe, protocol.port, read, data,
                                   raw=None if protocol.keep_raw else b"")
            if seen:
                kept.append(seen)
        known = {each for attempt in dossier.attempts for each in attempt.observations}
        new = [one for one in kept if one.id not in known]
        if new:
            dossier.completed(protocol.probe, protocol.port, new, elapsed_ms=elapsed_ms)
        elif not kept:
            dossier.failed(protocol.probe, protocol.port, Reason.MALFORMED, why, elapsed_ms=elapsed_ms)

    def _foreign(self, protocol: Protocol, datagram: udp.Datagram) -> None:
        address = datagram.source.address
        if address in (link.address for link, _ in self._links) or ipaddress.ip_address(address).is_unspecified:
            return
        read = protocol.parse(datagram.data, datagram.source, clock.now())
        if isinstance(read, Refusal) or len(self.foreign) >= _MOST_FOREIGN:
            self.dropped["foreign"] = self.dropped.get("foreign", 0) + 1
            return
        seen = Observation.of(device=address, transport=protocol.transport, probe=protocol.probe, port=protocol.port,
                              at=clock.now(), fields=read, wire=datagram.data,
                              raw=redact(datagram.data) if protocol.keep_raw else b"")
        self.foreign.setdefault(seen.id, seen)


def _sockets_at_once() -> int:
    """How many unicast probes may be open at once: what this process is allowed, less what else it needs."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(32, min(_MOST_SOCKETS, allowed - _OTHER_FILES))


def _linked_mac(dossier: Dossier) -> str:
    return next((one.text("mac") for one in dossier.seen if one.transport == "link"), "")


def _destinations(protocol: Protocol, link: Interface) -> Iterable[str]:
    """Where a protocol is asked on a link: its group, the broadcast address, or both."""
    if ":" in link.address:
        return (protocol.group6,)
    both = (protocol.group, link.broadcast if protocol.broadcast or not protocol.group else "")
    return filter(None, both)


def _since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)
