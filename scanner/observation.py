"""What was seen, verbatim, and what was tried.

An `Observation` is one reply of one device, parsed into the fields that ``docs/observations.md`` lists per transport,
with the SHA-256 of the raw bytes it came from. An `Attempt` is one thing that was tried, whether or not it brought an
observation: silence is recorded as a failed attempt with its reason, so it can never read as success.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from scanner import clock

__all__ = ["Attempt", "AttemptStatus", "Endpoint", "FieldValue", "Observation", "Reason", "Refusal", "device_key"]

FieldValue = str | int | float | bool | tuple[str, ...]


def device_key(address: str, channel: int | None = None) -> str:
    """The key observations are grouped by: an address, or ``address#channel`` for a camera behind a recorder."""
    return address if channel is None else f"{address}#{channel}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where bytes came from: an IP address as text and, where the transport has one, a port."""

    address: str
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A parser's typed answer to bytes it will not read: why, in a word or two, and never an exception."""

    reason: str
    detail: str = ""


class AttemptStatus(StrEnum):
    """What became of a thing tried."""

    COMPLETED = "completed"
    FAILED = "failed"
    NOT_ATTEMPTED = "not_attempted"


class Reason(StrEnum):
    """Why an attempt failed or was not made."""

    TIMEOUT = "timeout"                    # the deadline of the exchange passed
    NO_ANSWER = "no_answer"                # a datagram was sent and nothing came back
    REFUSED = "refused"                    # the port answered with a reset or an ICMP error
    RESET = "reset"                        # the connection broke in mid-exchange
    UNREACHABLE = "unreachable"
    TOO_LARGE = "too_large"                # the byte cap was reached
    MALFORMED = "malformed"                # bytes came that no parser accepts
    LOST = "lost"                          # packets passed that were not kept: the record has holes
    REDIRECTED = "redirected"              # pointed elsewhere; the address was not followed
    TLS_FAILED = "tls_failed"
    BUSY = "busy"                          # 453, 503 or a connection limit
    AUTH_REQUIRED = "auth_required"        # the device wants a login that was not given
    AUTH_REJECTED = "auth_rejected"        # an understood challenge was answered and refused
    AUTH_NOT_UNDERSTOOD = "auth_not_understood"
    CLOCK_SKEW = "clock_skew"
    PORT_CLOSED = "port_closed"            # known to be closed, so there is nothing to ask
    PORT_UNKNOWN = "port_unknown"          # filtered or never tried: nothing can be concluded
    NOT_APPLICABLE = "not_applicable"
    NO_CREDENTIALS = "no_credentials"
    BUDGET_SPENT = "budget_spent"          # the device's request or login budget is used up
    CIRCUIT_OPEN = "circuit_open"          # the device stopped answering and is left alone
    OUT_OF_SCOPE = "out_of_scope"
    UNPRIVILEGED = "unprivileged"
    INTERRUPTED = "interrupted"
    INTERNAL = "internal"                  # camvet's own fault, said rather than hidden


@dataclass(frozen=True, slots=True)
class Observation:
    """One reply as it was seen.

    Attributes:
        device: the key of the device it belongs to, see `device_key`.
        transport: the protocol in the vocabulary of ``docs/observations.md`` (``http``, ``dhip``, ``onvif``, …).
        probe: the attempt that brought it (``onvif.GetScopes``), or ``passive`` or ``import``.
        port: the device's port, where the transport has one.
        at: when it was seen, UTC.
        fields: what the parser read, JSON-shaped: text, numbers, booleans, tuples of text.
        digest: SHA-256 (hex) of the raw bytes as they arrived.
        raw: the bytes themselves with credentials redacted, capped; empty where only fields exist.
    """

    device: str
    transport: str
    probe: str
    port: int | None
    at: datetime
    fields: Mapping[str, FieldValue]
    digest: str
    raw: bytes = field(default=b"", repr=False)
    _id: str = field(default="", init=False, repr=False, compare=False)

    @property
    def id(self) -> str:
        """Sixteen hex digits that are the same for the same reply to the same probe."""
        if not self._id:
            seed = f"{self.device}|{self.transport}|{self.probe}|{self.port}|{self.digest}"
            # Every check that rests on it asks for it: it is made once, and follows from the other fields alone.
            object.__setattr__(self, "_id", hashlib.sha256(seed.encode()).hexdigest()[:16])
        return self._id

    def text(self, name: str) -> str:
        """A field as text; several values are joined by a space; an absent field is empty."""
        value = self.fields.get(name, "")
        return " ".join(value) if isinstance(value, tuple) else str(value)

    def values(self, name: str) -> tuple[str, ...]:
        """A field as a tuple of texts: one for a scalar, none where it is absent."""
        value = self.fields.get(name)
        if value is None:
            return ()
        return value if isinstance(value, tuple) else (str(value),)

    def to_json(self) -> dict[str, Any]:
        """A JSON-able mapping that `from_json` reads back; the raw bytes are kept as Latin-1 text."""
        return {
            "id": self.id, "device": self.device, "transport": self.transport, "probe": self.probe, "port": self.port,
            "at": clock.stamp(self.at), "digest": self.digest, "raw": self.raw.decode("latin-1"),
            "fields": {k: list(v) if isinstance(v, tuple) else v for k, v in self.fields.items()},
        }

    @classmethod
    def from_json(cls, doc: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(
            device=doc["device"], transport=doc["transport"], probe=doc["probe"], port=doc["port"],
            at=datetime.fromisoformat(doc["at"]), digest=doc["digest"], raw=doc.get("raw", "").encode("latin-1"),
            fields={k: tuple(v) if isinstance(v, list) else v for k, v in doc["fields"].items()},
        )

    @classmethod
    def of(cls, *, device: str, transport: str, probe: str, port: int | None, at: datetime,
           fields: Mapping[str, FieldValue], wire: bytes, raw: bytes = b"") -> Self:
        """An observation whose digest is taken of `wire`, the bytes as they arrived; `raw` is what may be stored."""
        return cls(device, transport, probe, port, at, dict(fields), hashlib.sha256(wire).hexdigest(), raw)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing tried on one device: what, when, how it ended, and which observations it brought.

    ``reason`` is empty for a completed attempt and otherwise says why not; ``detail`` is for a person.
    """

    device: str
    probe: str
    port: int | None
    status: AttemptStatus
    at: datetime
    reason: Reason | None = None
    detail: str = ""
    elapsed_ms: int = 0
    observations: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """A JSON-able mapping that `from_json` reads back."""
        return {
            "device": self.device, "probe": self.probe, "port": self.port, "status": str(self.status),
            "at": clock.stamp(self.at), "reason": str(self.reason) if self.reason else None, "detail": self.detail,
            "elapsed_ms": self.elapsed_ms, "observations": list(self.observations),
        }

    @classmethod
    def from_json(cls, doc: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(
            device=doc["device"], probe=doc["probe"], port=doc["port"], status=AttemptStatus(doc["status"]),
            at=datetime.fromisoformat(doc["at"]), reason=Reason(doc["reason"]) if doc["reason"] else None,
            detail=doc["detail"], elapsed_ms=doc["elapsed_ms"], observations=tuple(doc["observations"]),
        )
