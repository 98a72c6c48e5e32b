"""Hands a capture over as observations and attempts of the devices a sweep knows."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256

from scanner.egress.beacons import FEWEST, beats
from scanner.egress.capture import Capture, Conversation
from scanner.egress.signs import Sign
from scanner.egress.tables import MAX_BURSTS
from scanner.observation import Attempt, AttemptStatus, FieldValue, Observation, Reason

__all__ = ["attempts", "observations", "observations_of"]

PROBE = "egress.capture"
_SEARCHING = 16
_PPPP = frozenset({Sign.PPPP, Sign.PPPP_SCRAMBLED})

_EVEN_BY_NATURE = frozenset({53, 67, 68, 123, 546, 547})
"""DNS, DHCP and NTP: how evenly they are asked says nothing but how they were configured."""

MOST = 500
"""Conversations of one device that become observations; what goes outside comes first, then by octets."""


def observations(capture: Capture, devices: Mapping[str, str], now: datetime) -> list[Observation]:
    """One observation a conversation of a known device, at most `MOST` of each.

    `devices` maps a MAC (upper case, colons) to a device key; an address serves where a capture carries no MAC.
    Conversations of others are left out. An observation's time is when the conversation was last seen, never later
    than `now`.
    """
    by_device: dict[str, list[Conversation]] = {}
    for conversation in capture.conversations:
        device, own = _device(conversation, devices), conversation
        if device is None and conversation.destination in devices and not _local(conversation.source):
            device, own = devices[conversation.destination], conversation.turned("")     # it was called from outside
        if device is not None:
            by_device.setdefault(device, []).append(own)
    return [o for device, conversations in by_device.items()
            for o in observations_of(capture, conversations, device, now)]


def observations_of(capture: Capture, conversations: Sequence[Conversation], device: str,
                    now: datetime) -> list[Observation]:
    """What `observations` makes of one device, for whoever already knows which conversations are its own."""
    telling = conversations
    if len(conversations) > MOST:
        first = sorted(conversations, key=lambda c: (_local(c.destination), -c.bytes))[:MOST]
        kept = {id(conversation) for conversation in first}
        telling = [c for c in conversations if id(c) in kept]
    watched = (capture.first_ns, capture.last_ns) if capture.last_ns > capture.first_ns else None
    return [*(_observation(c, device, now, watched) for c in telling), *_searching(capture, conversations, device, now)]


@lru_cache(maxsize=16_384)
def _local(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return parsed.is_private or parsed.is_multicast or parsed.is_link_local


def _searching(capture: Capture, conversations: Iterable[Conversation], device: str,
               now: datetime) -> list[Observation]:
    """How many addresses a device looked for with ARP, where that is more than it needs."""
    sought = max((capture.asked.get(c.mac, 0) for c in conversations if c.mac), default=0)
    if sought < _SEARCHING:
        return []
    fields: dict[str, FieldValue] = {"destination": "255.255.255.255", "protocol": "arp", "packets": sought, "bytes": 0,
                                     "sought": sought}
    return [Observation.of(device=device, transport="egress", probe=PROBE, port=None, at=now, fields=fields,
                           wire=json.dumps(fields, sort_keys=True).encode())]


def attempts(capture: Capture, devices: Mapping[str, str], now: datetime,
             seen: Iterable[Observation] | None = None) -> list[Attempt]:
    """What the capture says of each known device: completed, or failed because it was cut short or never saw it.

    `seen` are the `observations` of the same devices, where they are at hand.
    """
    ids_of: dict[str, list[str]] = {}
    for observation in observations(capture, devices, now) if seen is None else seen:
        ids_of.setdefault(observation.device, []).append(observation.id)
    present = {key for name, key in devices.items() if name in capture.addresses}
    made = []
    for device in dict.fromkeys(devices.values()):
        ids = tuple(ids_of.get(device, ()))
        if not capture.complete:
            detail = capture.trouble or (
                f"{capture.lost} frames were lost while capturing" if capture.lost
                else f"{capture.dropped} entries did not fit" if capture.dropped
                else f"{capture.unread} frames could not be read and may have carried its calls")
            holes = not capture.trouble and (capture.lost or capture.dropped)
            made.append(Attempt(device, PROBE, None, AttemptStatus.FAILED, now,
                                Reason.LOST if holes else Reason.MALFORMED, detail,
                                observations=ids))
        elif ids or device in present:
            made.append(Attempt(device, PROBE, None, AttemptStatus.COMPLETED, now, observations=ids))
        else:
            made.append(Attempt(device, PROBE, None, AttemptStatus.FAILED, now, Reason.NO_ANSWER,
                                "no packet of this device in the capture"))
    return made


def _device(conversation: Conversation, devices: Mapping[str, str]) -> str | None:
    return devices.get(conversation.mac) or devices.get(conversation.source)


def _observation(conversation: Conversation, device: str, now: datetime,
                 watched_ns: tuple[int, int] | None) -> Observation:
    fields: dict[str, FieldValue] = {
        "destination": conversation.destination, "protocol": conversation.protocol,
        "packets": conversation.packets, "bytes": conversation.bytes, "packets_out": conversation.packets_out,
        "bytes_out": conversation.bytes_out, "seconds": round(conversation.last_ns / 1e9 - conversation.first_ns / 1e9,
                                                              1),
    }
    if names := conversation.names:
        fields["names"] = names
    if conversation.denied:
        fields["denied"] = conversation.denied
    if conversation.estimated:
        fields["estimated"] = True
    if conversation.inbound:
        fields["inbound"] = True
    if conversation.signs:
        forms = tuple(sign for sign in conversation.signs if sign != Sign.NOT_PPPP)
        if forms:
            fields["signs"] = forms
        if len(forms) < len(conversation.signs) and not _PPPP.intersection(forms):
            fields["unlike"] = (str(Sign.PPPP),)
    beat = None
    if len(conversation.bursts) > FEWEST and conversation.port not in _EVEN_BY_NATURE:
        whole = len(conversation.bursts) < MAX_BURSTS              # else there were more calls than were kept
        beat = beats(conversation.bursts, watched_ns, conversation.packets if whole else 0)
    if beat is not None and beat.regular:
        fields["period_s"], fields["beats"] = round(beat.period_s, 1), beat.events
    # There is no single datagram to take the digest of: it is that of everything told, in this order.
    told = repr((conversation.mac, conversation.port, *fields.items())).encode()
    return Observation(device, "egress", PROBE, conversation.port or None, min(_second(conversation.last_ns), now),
                       fields, sha256(told).hexdigest())


@lru_cache(maxsize=4_096)
def _at(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _second(moment_ns: int) -> datetime:
    """The second of a moment; conversations by the thousand end in the same few."""
    return _at(moment_ns // 1_000_000_000)
