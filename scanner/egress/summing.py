"""Turns the tables of a capture into what is told of it: text for numbers, MACs for addresses, names for both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from scanner.egress.capture import Capture, Conversation, Names
from scanner.egress.signs import Sign
from scanner.egress.tables import Asked, Tables, Talk, address_text, mac_text, protocol_name

__all__ = ["summed_up"]

_BURST_NS = 1_000_000_000


def summed_up(tables: Tables, capture: Capture, bits: Mapping[Sign, int]) -> Capture:
    """`capture` with conversations, names and addresses out of `tables`."""
    return _Summary(tables, bits).of(capture)


class _Summary:
    def __init__(self, tables: Tables, bits: Mapping[Sign, int]) -> None:
        self._tables, self._bits = tables, bits
        self._routers = tables.addresses.routers()
        self._told: dict[str, list[dict[int, dict[str, None]]]] = {}

    def of(self, capture: Capture) -> Capture:
        merged: dict[tuple[str, int, int, int, bool], list[Talk]] = {}
        for talk in self._tables.talks.talks.values():
            key = (self._device(talk.mac, talk.source), talk.destination, talk.protocol, talk.port, talk.tunnel)
            merged.setdefault(key, []).append(talk)
        conversations = [self._conversation(key[0], talks) for key, talks in merged.items()]
        conversations.sort(key=lambda c: (c.device, c.destination, c.protocol, c.port, c.tunnel))
        return replace(
            capture, conversations=tuple(conversations), names=self._names(conversations), addresses=self._addresses(),
            asked={mac_text(mac): len(sought) for mac, sought in sorted(self._tables.looked_for.items())},
            routers=tuple(mac_text(mac) for mac in sorted(self._routers)))

    def _device(self, mac: int, address: int) -> str:
        """A device's key: its MAC, that of the address where the packet had none, or the address."""
        if mac == 0:
            mac = self._tables.addresses.owner.get(address, 0)
        return address_text(address) if mac == 0 or mac in self._routers else mac_text(mac)

    def _addresses(self) -> dict[str, tuple[str, ...]]:
        known = self._tables.addresses
        found = {mac_text(mac): tuple(map(address_text, seen)) for mac, seen in known.of_mac.items()
                 if mac not in self._routers}
        for address, mac in known.owner.items():
            if mac in self._routers:
                found[address_text(address)] = (address_text(address),)
        return dict(sorted(found.items()))

    def _conversation(self, device: str, talks: list[Talk]) -> Conversation:
        talks.sort(key=lambda talk: talk.last_ns)
        last = talks[-1]
        destination = address_text(last.destination)
        learned = dict.fromkeys(name for answers in self._answers(device, talks)
                                for name in answers.get(last.destination, ()))
        signs = 0
        for talk in talks:
            signs |= talk.signs
        return Conversation(
            mac=device if device.count(":") == 5 and len(device) == 17 else "", source=address_text(last.source),
            destination=destination, protocol=protocol_name(last.protocol), port=last.port,
            packets=sum(t.packets for t in talks), bytes=sum(t.octets for t in talks),
            packets_out=sum(t.packets_out for t in talks), bytes_out=sum(t.octets_out for t in talks),
            first_ns=min(t.first_ns for t in talks), last_ns=last.last_ns, dns=tuple(learned),
            sni=tuple(dict.fromkeys(name for t in talks for name in t.sni or ())),
            http=tuple(dict.fromkeys(name for t in talks for name in t.http or ())),
            signs=tuple(str(sign) for sign, bit in self._bits.items() if signs & bit),
            bursts=_spaced(talks), tunnel=last.tunnel)

    def _answers(self, device: str, talks: list[Talk]) -> list[dict[int, dict[str, None]]]:
        """What DNS told any address of the device."""
        if device in self._told:
            return self._told[device]
        known = self._tables.addresses
        clients = {talk.source for talk in talks}
        mac = talks[0].mac or known.owner.get(talks[0].source, 0)
        if mac and mac not in self._routers:
            clients |= set(known.of_mac.get(mac, ()))
            clients |= {address for address in self._tables.answers.names if known.owner.get(address) == mac}
        answers = self._tables.answers.names
        told = [answers[client] for client in sorted(clients) if client in answers]
        self._told[device] = told
        return told

    def _names(self, conversations: Iterable[Conversation]) -> dict[str, Names]:
        asked: dict[str, list[Asked]] = {}
        for (mac, address), one in self._tables.asked.items():
            if mac or address:
                asked.setdefault(self._device(mac, address), []).append(one)
        ntp: dict[str, Counter[str]] = {}
        for conversation in conversations:
            if (conversation.protocol, conversation.port) == ("udp", 123) and conversation.packets_out:
                ntp.setdefault(conversation.device, Counter())[conversation.destination] += conversation.packets_out
        stun: dict[str, Counter[str]] = {}
        for talk in self._tables.talks.talks.values():
            if talk.asked_stun:
                device = self._device(talk.mac, talk.source)
                stun.setdefault(device, Counter())[address_text(talk.destination)] += talk.asked_stun
        return {device: Names(
            dns=_total(one.dns for one in asked.get(device, ())), sni=_total(one.sni for one in asked.get(device, ())),
            http=_total(one.http for one in asked.get(device, ())), ntp=dict(ntp.get(device, {})),
            stun=dict(stun.get(device, {})) | _total(one.realms for one in asked.get(device, ())),
            told=tuple(dict.fromkeys(text for one in asked.get(device, ()) for text in one.told)))
            for device in sorted({*asked, *ntp, *stun})}


def _total(counters: Iterable[Counter[str]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return dict(total)


def _spaced(talks: list[Talk]) -> tuple[int, ...]:
    """Burst times of several flows in order, without those that follow another within a second."""
    stamps = sorted(stamp for talk in talks for stamp in talk.bursts or ())
    kept = stamps[:1]
    for stamp in stamps[1:]:
        if stamp - kept[-1] >= _BURST_NS:
            kept.append(stamp)
    return tuple(kept)
