"""Turns the tables of a capture into what is told of it: text for numbers, MACs for addresses, names for both."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import chain, pairwise
from operator import or_
from typing import TypeVar

import numpy as np

from scanner.egress.capture import Capture, Conversation, Names
from scanner.egress.crowds import within_bounds
from scanner.egress.flows import BURST_NS
from scanner.egress.inbound import turned
from scanner.egress.signs import Sign
from scanner.egress.tables import Asked, Tables, Talk, address_text, mac_text, protocol_name

__all__ = ["PACKETS", "summed_up"]

PACKETS = "packets"
"""What `Conversation.told_by` says of a capture file, where logs tell of the same conversation."""


_Value = TypeVar("_Value", int, str)


def summed_up(tables: Tables, capture: Capture, bits: Mapping[Sign, int]) -> Capture:
    """`capture` with conversations, names and addresses out of `tables`."""
    return _Summary(tables, bits).of(capture)


class _Summary:
    def __init__(self, tables: Tables, bits: Mapping[Sign, int]) -> None:
        self._tables, self._bits = tables, bits
        self._routers = tables.addresses.routers()
        self._told: dict[str, list[dict[int, tuple[str, ...]]]] = {}
        self._sign_texts: dict[int, tuple[str, ...]] = {}

    def of(self, capture: Capture) -> Capture:
        conversations = [self._conversation(device, talks) for device, talks in self._placed()]
        addresses = self._addresses()
        names = self._names(conversations)
        return within_bounds(replace(
            capture, conversations=tuple(turned(conversations, addresses)), names=names, addresses=addresses,
            asked={mac_text(mac): len(sought) for mac, sought in sorted(self._tables.looked_for.items())},
            routers=tuple(mac_text(mac) for mac in sorted(self._routers))))

    def _placed(self) -> Iterator[tuple[str, list[Talk]]]:
        """The talks that make one conversation each, with the key of their device, in order.

        Ordered are numbers that stand for the texts, since there may be tens of thousands.
        """
        talks = list(self._tables.talks.talks.values())
        if not talks:
            return
        devices = [self._device(talk.mac, talk.source) for talk in talks]
        device = _ranks(devices, str)
        destination = _ranks([talk.destination for talk in talks], address_text)
        protocols = [talk.protocol for talk in talks]
        columns = np.array([protocols, [talk.tunnel for talk in talks], [talk.port for talk in talks],
                            _ranks(protocols, protocol_name), destination, device])
        order = np.lexsort(columns)
        placed = columns[:, order]
        begins = np.flatnonzero(np.append(True, (placed[:, 1:] != placed[:, :-1]).any(axis=0)))
        numbers = order.tolist()
        for begin, end in pairwise([*begins.tolist(), len(talks)]):
            yield devices[numbers[begin]], [talks[number] for number in numbers[begin:end]]

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
        told = self._told.get(device)
        if told is None:
            told = self._told[device] = self._answers(talks)
        if len(talks) == 1:                        # as nearly all are, and of those there may be tens of thousands
            last = talks[0]
            volumes = last.packets, last.octets, last.packets_out, last.octets_out
            signs, denied, estimated, first_ns = last.signs, last.denied, last.estimated, last.first_ns
            sni, http, likely = tuple(last.sni or ()), tuple(last.http or ()), tuple(last.likely or ())
        else:
            talks.sort(key=lambda talk: talk.last_ns)
            last = talks[-1]
            volumes = _volumes(talks)
            signs, denied, estimated, first_ns = (
                reduce(or_, [talk.signs for talk in talks]), sum(talk.denied for talk in talks),
                any(talk.estimated for talk in talks), min(talk.first_ns for talk in talks))
            sni, http, likely = (_each([getattr(talk, kind) for talk in talks]) for kind in ("sni", "http", "likely"))
        destination = last.destination
        return Conversation(
            device if len(device) == 17 and device.count(":") == 5 else "", address_text(last.source),
            address_text(destination), protocol_name(last.protocol), last.port, *volumes, first_ns, last.last_ns,
            _each([answers.get(destination) for answers in told]) if told else (), sni, http,
            self._sign_names(signs), _spaced(talks), last.tunnel, denied, estimated, likely,
            _sources(talks))

    def _sign_names(self, signs: int) -> tuple[str, ...]:
        names = self._sign_texts.get(signs)
        if names is None:
            names = self._sign_texts[signs] = tuple([str(sign) for sign, bit in self._bits.items() if signs & bit])
        return names

    def _answers(self, talks: list[Talk]) -> list[dict[int, tuple[str, ...]]]:
        """What DNS told any address of the device that these are conversations of."""
        known = self._tables.addresses
        clients = {talk.source for talk in talks}
        mac = talks[0].mac or known.owner.get(talks[0].source, 0)
        if mac and mac not in self._routers:
            clients |= set(known.of_mac.get(mac, ()))
            clients |= {address for address in self._tables.answers.names if known.owner.get(address) == mac}
        answers = self._tables.answers.names
        return [answers[client] for client in sorted(clients) if client in answers]

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


def _volumes(talks: list[Talk]) -> tuple[int, int, int, int]:
    """Packets and octets in all, and those sent: added up within a kind of source.

    Two kinds that tell of the same hours tell of the same traffic: there the larger figure counts, not the sum.
    """
    kinds: dict[str, list[Talk]] = {}
    for talk in talks:
        kinds.setdefault(talk.told_by, []).append(talk)
    told = sorted((min(t.first_ns for t in one), max(t.last_ns for t in one), (
        sum(t.packets for t in one), sum(t.octets for t in one), sum(t.packets_out for t in one),
        sum(t.octets_out for t in one))) for one in kinds.values())
    total, group, until = (0, 0, 0, 0), (0, 0, 0, 0), -1
    for begins, ends, volume in told:
        if begins > until:
            total, group = _added(total, group), volume
        else:
            group = max(group[0], volume[0]), max(group[1], volume[1]), max(group[2], volume[2]), max(group[3],
                                                                                                      volume[3])
        until = max(until, ends)
    return _added(total, group)


def _sources(talks: list[Talk]) -> tuple[str, ...]:
    """The kinds of sources, where there are others than packets."""
    kinds = {talk.told_by for talk in talks}
    return tuple(sorted(kind or PACKETS for kind in kinds)) if kinds != {""} else ()


def _each(parts: Sequence[Iterable[str] | None]) -> tuple[str, ...]:
    """Every name of several tables once, in order."""
    if len(parts) == 1:
        return tuple(parts[0]) if parts[0] else ()
    filled = [part for part in parts if part]
    if len(filled) <= 1:
        return tuple(filled[0]) if filled else ()
    return tuple(dict.fromkeys([name for part in filled for name in part]))


def _ranks(values: Sequence[_Value], text: Callable[[_Value], str]) -> list[int]:
    """For each value the place of its text among all texts in order."""
    texts = {value: text(value) for value in set(values)}
    places = {told: place for place, told in enumerate(sorted(set(texts.values())))}
    ranks = {value: places[told] for value, told in texts.items()}
    return [ranks[value] for value in values]


def _added(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3]


def _total(counters: Iterable[Counter[str]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return dict(total)


def _spaced(talks: list[Talk]) -> Sequence[int]:
    """Burst times of several flows in order, without those that follow another within a second."""
    if len(talks) == 1 and (alone := talks[0].bursts) and len(alone) == 1:
        return alone[:]
    filled = [talk.bursts for talk in talks if talk.bursts]
    if not filled:
        return ()
    stamps = sorted(chain.from_iterable(filled))
    kept = array("q", stamps[:1])
    last = stamps[0]
    for stamp in stamps:
        if stamp - last >= BURST_NS:
            kept.append(stamp)
            last = stamp
    return kept
