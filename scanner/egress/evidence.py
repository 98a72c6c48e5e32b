"""Hands a capture over as observations and attempts of the devices a sweep knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from scanner.egress.capture import Capture, Conversation
from scanner.observation import Attempt, AttemptStatus, FieldValue, Observation, Reason

__all__ = ["attempts", "observations"]

PROBE = "egress.capture"


def observations(capture: Capture, devices: Mapping[str, str], now: datetime) -> list[Observation]:
    """One observation a conversation of a known device.

    `devices` maps a MAC (upper case, colons) to a device key; an address serves where a capture carries no MAC.
    Conversations of others are left out. An observation's time is when the conversation was last seen, never later
    than `now`.
    """
    found = []
    for conversation in capture.conversations:
        device = _device(conversation, devices)
        if device is not None:
            found.append(_observation(conversation, device, now))
    return found


def attempts(capture: Capture, devices: Mapping[str, str], now: datetime) -> list[Attempt]:
    """What the capture says of each known device: completed, or failed because it was cut short or never saw it."""
    seen = observations(capture, devices, now)
    present = {key for name, key in devices.items() if name in capture.addresses}
    made = []
    for device in dict.fromkeys(devices.values()):
        ids = tuple(o.id for o in seen if o.device == device)
        if not capture.complete:
            detail = capture.trouble or f"{capture.dropped} entries did not fit"
            made.append(Attempt(device, PROBE, None, AttemptStatus.FAILED, now, Reason.MALFORMED, detail,
                                observations=ids))
        elif ids or device in present:
            made.append(Attempt(device, PROBE, None, AttemptStatus.COMPLETED, now, observations=ids))
        else:
            made.append(Attempt(device, PROBE, None, AttemptStatus.FAILED, now, Reason.NO_ANSWER,
                                "no packet of this device in the capture"))
    return made


def _device(conversation: Conversation, devices: Mapping[str, str]) -> str | None:
    return devices.get(conversation.mac) or devices.get(conversation.source)


def _observation(conversation: Conversation, device: str, now: datetime) -> Observation:
    fields: dict[str, FieldValue] = {
        "destination": conversation.destination, "protocol": conversation.protocol,
        "packets": conversation.packets, "bytes": conversation.bytes,
    }
    if conversation.names:
        fields["names"] = conversation.names
    at = min(datetime.fromtimestamp(conversation.last_ns // 1_000_000_000, UTC), now)
    canonical = json.dumps({**fields, "port": conversation.port, "mac": conversation.mac}, sort_keys=True)
    return Observation.of(device=device, transport="egress", probe=PROBE, port=conversation.port or None, at=at,
                          fields=fields, wire=canonical.encode())
