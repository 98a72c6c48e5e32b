"""Adds rows of logs up in the same tables as packets, so that one answer comes of both.

A conversation belongs to the side that opened it. Where a row does not say which that is, the ports tell: the end whose
port is a service's was called. Where both or neither are, the two directions of a flow are waited for, and the one that
began first opened it. What a kind of source counts is kept apart from what another counts, see `summing`.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_left
from collections import Counter

from scanner.egress.conversations import serves
from scanner.egress.names import is_name
from scanner.egress.tables import MAX_CONVERSATIONS, MAX_NAMES, Tables, Talk, address_text
from scanner.imports.flow_logs.rows import Flow, Lease, Question, Row, is_inside

__all__ = ["MAX_PENDING", "Ledger"]

MAX_PENDING = 50_000
"""Flows whose direction is not told by their ports, waiting for their other half."""
MAX_OPENERS = 100_000
MAX_ANSWERED = 100_000
MAX_UNANSWERED = 100_000
_MAX_INDEX = 200_000
_TCP, _UDP, _SCTP = 6, 17, 132
_SYN, _ACK = 0x02, 0x10
_SECOND = 1_000_000_000
_SOON = 5 * _SECOND
"""How soon after a question without a logged answer a first call is taken to have followed from it."""
_LATE = 2 * _SECOND
"""How much the clocks of two logs may differ before an answer counts as given after the last packet."""
_DNS = 53
_Key = tuple[str, int, str, int, int]
_Place = tuple[str, str, str, int, int, str]


class Ledger:
    """Adds rows up in `tables`; `finish` once, before the tables are summed up.

    Attributes:
        packets: packets that flow rows tell of. `guessed`: flows whose opener nothing told, counted to their sender.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._talks: dict[_Place, Talk] = {}
        self._number = 0
        self._numbers: dict[str, int] = {}
        self._macs: dict[str, int] = {"": 0}
        self._learned: set[tuple[str, str]] = set()
        self._pending: dict[_Key, Flow] = {}
        self._pending_kind: dict[_Key, str] = {}
        self._openers: dict[_Key, bool] = {}
        self._answers: dict[tuple[int, int], dict[str, int]] = {}
        self._unanswered: dict[int, list[tuple[int, str]]] = {}
        self._unanswered_count = 0
        self.packets = self.guessed = 0
        self.first = self.last = 0

    def add(self, row: Row, kind: str) -> None:
        """One row of a source of this kind (`forms.FORMS`)."""
        if isinstance(row, Flow):
            self._flow(row, kind)
        elif isinstance(row, Question):
            self._question(row)
        elif isinstance(row, Lease):
            self._lease(row)

    def finish(self) -> None:
        """Decide what waited, and give destinations the names that were answered before their last packet."""
        self._flush()
        self._name()

    # ---- flows -------------------------------------------------------------------------------------------------------

    def _flow(self, row: Flow, kind: str) -> None:
        self.packets += row.packets + row.back_packets
        if row.opened or (row.protocol == _TCP and row.flags & (_SYN | _ACK) == _SYN):
            self._keep(row, kind, outward=True)
            return
        far, near = serves(row.destination_port), serves(row.source_port)
        if far != near:
            self._keep(row, kind, outward=far)
            return
        self._pair(row, kind)

    def _pair(self, row: Flow, kind: str) -> None:
        """Join the two directions of a flow that its ports say nothing of; the earlier one opened it."""
        there = (row.source, row.source_port, row.destination, row.destination_port, row.protocol)
        back = (row.destination, row.destination_port, row.source, row.source_port, row.protocol)
        if (known := self._openers.get(there)) is not None:
            self._keep(row, kind, outward=known)
            return
        if (known := self._openers.get(back)) is not None:
            self._keep(row, kind, outward=not known)
            return
        other = self._pending.pop(back, None)
        if other is not None:
            # With equal times the higher port is the caller's, which the system picked for it.
            first = (row.start_ns, -row.source_port) < (other.start_ns, -other.source_port)
            self._decide(there, opened=first)
            self._keep(other, self._pending_kind.pop(back), outward=not first)
            self._keep(row, kind, outward=first)
            return
        same = self._pending.pop(there, None)
        if same is not None:                              # it went on without an answer being seen
            self.guessed += 1
            self._decide(there, opened=True)
            self._keep(same, self._pending_kind.pop(there), outward=True)
            self._keep(row, kind, outward=True)
            return
        if len(self._pending) >= MAX_PENDING:
            self._flush()
        self._pending[there], self._pending_kind[there] = row, kind

    def _decide(self, key: _Key, *, opened: bool) -> None:
        if len(self._openers) >= MAX_OPENERS:
            for old in list(self._openers)[:MAX_OPENERS // 2]:
                del self._openers[old]
        self._openers[key] = opened

    def _flush(self) -> None:
        """What was sent and never answered: its sender opened it."""
        waiting, self._pending = self._pending, {}
        kinds, self._pending_kind = self._pending_kind, {}
        self.guessed += len(waiting)
        for key, row in waiting.items():
            self._keep(row, kinds[key], outward=True)

    def _keep(self, row: Flow, kind: str, *, outward: bool) -> None:
        """Add a row to its conversation; `outward`: its source is the device."""
        if outward:
            device, other, port = row.source, row.destination, row.destination_port
            mac, sent, octets = row.source_mac, row.packets, row.octets
        else:
            device, other, port = row.destination, row.source, row.source_port
            mac, sent, octets = row.destination_mac, row.back_packets, row.back_octets
        if row.source_mac:
            self._learn(row.source_mac, row.source)
        if row.destination_mac:
            self._learn(row.destination_mac, row.destination)
        if row.protocol not in {_TCP, _UDP, _SCTP}:
            port = 0
        talk = self._talk((mac, device, other, row.protocol, port, kind), row)
        talk.packets += row.packets + row.back_packets
        talk.octets += row.octets + row.back_octets
        talk.packets_out += sent
        talk.octets_out += octets
        talk.first_ns, talk.last_ns = min(talk.first_ns, row.start_ns), max(talk.last_ns, row.end_ns)
        self.first = min(self.first or row.start_ns, row.start_ns)
        self.last = max(self.last, row.end_ns)
        talk.denied += row.denied
        talk.estimated |= row.scale > 1
        if sent or octets:
            self._call(talk, row)
        if row.sni or row.http:
            self._spoken(talk, row)

    def _talk(self, place: _Place, row: Flow) -> Talk:
        talk = self._talks.get(place)
        table = self._tables.talks
        if talk is not None and talk.key in table.talks:
            return talk
        table.make_room()
        mac, device, other, protocol, port, kind = place
        self._number -= 1                                # below zero no packet's key is
        talk = Talk(self._number, self._mac(mac), self._address(device), self._address(other), protocol, port,
                    row.start_ns, row.end_ns, told_by=kind)
        if len(self._talks) >= 2 * MAX_CONVERSATIONS:
            self._talks = {known: one for known, one in self._talks.items() if one.key in table.talks}
        table.talks[talk.key] = self._talks[place] = talk
        return talk

    def _call(self, talk: Talk, row: Flow) -> None:
        """Note when the device began to send; a record that goes on where another ended is no new call."""
        later = row.start_ns - talk.last_out_ns >= _SECOND
        earlier = bool(talk.bursts) and talk.bursts is not None and talk.bursts[-1] - row.end_ns >= _SECOND
        if later or earlier:
            self._tables.talks.burst(talk, [row.start_ns])
        talk.last_out_ns = max(talk.last_out_ns, row.end_ns)

    def _spoken(self, talk: Talk, row: Flow) -> None:
        asked = self._tables.asks(talk.mac, talk.source)
        if row.sni:
            self._tables.count(asked.sni, row.sni)
            talk.sni = _with(talk.sni, row.sni)
        if row.http:
            self._tables.count(asked.http, row.http)
            talk.http = _with(talk.http, row.http)

    def _learn(self, mac: str, address: str) -> None:
        """Whose an address is; a MAC in front of an address outside is a router's and says nothing of it."""
        if mac and (mac, address) not in self._learned and is_inside(address):
            if len(self._learned) >= _MAX_INDEX:
                self._learned.clear()
            self._learned.add((mac, address))
            self._tables.addresses.learn(self._mac(mac), self._address(address))

    def _address(self, text: str) -> int:
        found = self._numbers.get(text)
        if found is None:
            value = ipaddress.ip_address(text)
            found = int(value) + (0xFFFF_0000_0000 if value.version == 4 else 0)
            if len(self._numbers) >= _MAX_INDEX:
                self._numbers.clear()
            self._numbers[text] = found
        return found

    def _mac(self, text: str) -> int:
        found = self._macs.get(text)
        if found is None:
            if len(self._macs) >= _MAX_INDEX:
                self._macs = {"": 0}
            found = self._macs[text] = int(text.replace(":", ""), 16)
        return found

    # ---- names and leases --------------------------------------------------------------------------------------------

    def _question(self, row: Question) -> None:
        client = self._address(row.client)
        if row.asked:
            self._tables.count(self._tables.asks(0, client).dns, row.name)
            self.first = min(self.first or row.at_ns, row.at_ns)
            self.last = max(self.last, row.at_ns)
            if row.resolver:
                self._keep(Flow(row.at_ns, row.at_ns, row.client, row.resolver, _UDP, 0, _DNS, opened=True),
                           "resolver", outward=True)
        names = [name for name in (row.name, *row.aliases) if is_name(name)]
        for answer in row.answers:
            self._answer(client, self._address(answer), names, row.at_ns)
        if not row.answered and names and row.asked:
            if self._unanswered_count >= MAX_UNANSWERED:
                self._tables.drops["names"] += 1
                return
            self._unanswered.setdefault(client, []).append((row.at_ns, names[0]))
            self._unanswered_count += 1

    def _answer(self, client: int, address: int, names: list[str], at_ns: int) -> None:
        known = self._answers.get((client, address))
        if known is None:
            if len(self._answers) >= MAX_ANSWERED:
                self._tables.answers.dropped += 1
                return
            known = self._answers[client, address] = {}
        for name in names:
            if name in known:
                known[name] = min(known[name], at_ns)
            elif len(known) < MAX_NAMES:
                known[name] = at_ns

    def _lease(self, row: Lease) -> None:
        mac = self._mac(row.mac)
        if row.address:
            self._tables.addresses.learn(mac, self._address(row.address))
        if row.name:
            self._tables.asks(mac, self._address(row.address) if row.address else 0).told[f"dhcp:{row.name}"] = None

    def _name(self) -> None:
        """Names that were answered before the last packet to their address; what was answered later led nowhere."""
        last: dict[tuple[int, int], int] = {}
        for talk in self._tables.talks.talks.values():
            key = (self._owner(talk.source), talk.destination)
            last[key] = max(last.get(key, 0), talk.last_ns)
        for (client, address), names in self._answers.items():
            until = last.get((self._owner(client), address))
            if until is not None:
                in_time = [(at, name) for name, at in names.items() if at <= until + _LATE]
                in_time.sort(key=lambda pair: pair[0])
                self._tables.answers.learn(client, address, [name for _, name in in_time])
        self._answers.clear()
        self._guess_names()

    def _owner(self, address: int) -> int:
        """One number for all addresses of a device: its MAC, out of the range of addresses, or the address."""
        mac = self._tables.addresses.owner.get(address)
        return address if mac is None else -mac

    def _guess_names(self) -> None:
        """For questions without a logged answer: the one name asked for just before a first call outside."""
        if not self._unanswered:
            return
        asked: dict[int, list[tuple[int, str]]] = {}
        for client, questions in self._unanswered.items():
            asked.setdefault(self._owner(client), []).extend(questions)
        for questions in asked.values():
            questions.sort()
        begun: dict[tuple[int, int], list[Talk]] = {}
        for talk in self._tables.talks.talks.values():
            if not is_inside(address_text(talk.destination)):
                begun.setdefault((self._owner(talk.source), talk.destination), []).append(talk)
        first_calls: Counter[tuple[int, str]] = Counter()
        guesses = []
        for (device, _), talks in begun.items():
            first = min(talk.first_ns for talk in talks)
            questions = asked.get(device, [])
            since = bisect_left(questions, (first - _SOON, ""))
            names = {name for at, name in questions[since:since + 64] if at <= first + _SECOND // 2}
            if len(names) == 1:
                name = names.pop()
                first_calls[device, name] += 1
                guesses.append((device, name, talks))
        for device, name, talks in guesses:
            if first_calls[device, name] == 1:           # with two first calls after one question nobody can tell
                for talk in talks:
                    talk.likely = _with(talk.likely, name)


def _with(names: dict[str, None] | None, name: str) -> dict[str, None]:
    names = names or {}
    if len(names) < MAX_NAMES:
        names[name] = None
    return names
