"""Keeps what is told of a capture within bounds where spoofed senders pose as devices without number.

A device costs far more to judge than its packets cost to count. Of too many those that said least are left out, and
counted, so that such a capture never passes for a whole one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from heapq import nlargest

from scanner.egress.capture import Capture, Conversation, Names
from scanner.egress.inbound import is_site

__all__ = ["MAX_DEVICES", "within_bounds"]

MAX_DEVICES = 6_000
"""Devices of one capture; what they need, from conversations to findings, is about 12 KiB each."""


def within_bounds(capture: Capture) -> Capture:
    """The capture with at most `MAX_DEVICES` devices: those with the most packets and questions.

    Addresses outside that stand on no site by themselves are no devices, however many there are.
    """
    heard = {talk.mac or talk.source for talk in capture.conversations}
    if len(heard) <= MAX_DEVICES and len(heard.union(capture.names)) <= MAX_DEVICES:
        return capture                                     # as nearly all are
    said: Counter[str] = Counter()
    for talk in capture.conversations:
        if talk.mac or is_site(talk.source):
            said[talk.device] += talk.packets
    for device, names in capture.names.items():
        said[device] += sum(map(sum, (names.dns.values(), names.sni.values(), names.http.values())))
    if len(said) <= MAX_DEVICES:
        return capture
    kept = set(nlargest(MAX_DEVICES, said, key=said.__getitem__))
    leaving = said.keys() - kept
    conversations = _without(capture.conversations, leaving)
    drops = Counter(capture.drops)
    drops["devices"] += len(leaving)
    drops["conversations"] += len(capture.conversations) - len(conversations)
    return replace(capture, conversations=conversations, names=_those(capture.names, leaving),
                   drops=dict(sorted((+drops).items())), dropped=drops.total())


def _without(conversations: Sequence[Conversation], leaving: set[str]) -> tuple[Conversation, ...]:
    return tuple(talk for talk in conversations if talk.device not in leaving)


def _those(names: Mapping[str, Names], leaving: set[str]) -> dict[str, Names]:
    return {device: one for device, one in names.items() if device not in leaving}
