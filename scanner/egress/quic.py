"""The server name in a QUIC Initial packet, whose keys anybody on the path can derive (RFC 9001 section 5.2).

Version 1 (RFC 9000), version 2 (RFC 9369) and its first draft, the drafts 22 to 34 and Facebook's spelling of some,
Google's Q050, T050 and T051, and the unencrypted hello of Google's QUIC before those. The ClientHello may lie in
several Initial packets and in any order; nothing but it is decrypted.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from scanner.egress.names import is_host
from scanner.egress.tls import MAX_HELLO, NOTHING, Reading, hello_name

__all__ = ["VERSIONS", "Initials"]

V1, V2 = 0x00000001, 0x6B3343CF
_SALT_1 = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
_SALT_2 = bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9")
_SALT_29 = bytes.fromhex("afbfec289993d24c9e9786f19c6111e04390a899")      # drafts 29 to 32
_SALT_23 = bytes.fromhex("c3eef712c72ebb5a11a7d2432bb46365bef9f502")      # drafts 23 to 28
_SALT_22 = bytes.fromhex("7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a")
_SALT_2_00 = bytes.fromhex("a707c203a59b47184a1d62ca570406ea7ae3e5d3")    # the first draft of version 2
_DRAFT = 0xFF000000
_Q050 = int.from_bytes(b"Q050", "big")
_OTHERS = {
    0x709A50C4: _SALT_2_00, 0xFF020000: _SALT_2_00, 0xFACEB001: _SALT_22, 0xFACEB002: _SALT_23, 0xFACEB003: _SALT_29,
    _Q050: bytes.fromhex("504574efd066fe2f9d945cfcdbd3a7f0d3b56b45"),
    int.from_bytes(b"T050", "big"): bytes.fromhex("7ff579e5acd072915580304c43a2367c60488310"),
    int.from_bytes(b"T051", "big"): bytes.fromhex("7a4edef4e7ccee5fa4506c19124fc8ccda6e033d"),
}
_SALTS = {V1: _SALT_1, V2: _SALT_2, _DRAFT | 33: _SALT_1, _DRAFT | 34: _SALT_1,
          **{_DRAFT | draft: _SALT_29 for draft in range(29, 33)},
          **{_DRAFT | draft: _SALT_23 for draft in range(23, 29)}, _DRAFT | 22: _SALT_22, **_OTHERS}
VERSIONS = frozenset(_SALTS)
"""Versions whose Initial packets can be read."""

_MAX_CONNECTIONS = 512
_MAX_ID = 20
_MAX_FRAMES = 256


@dataclass(frozen=True, slots=True)
class _Keys:
    key: bytes
    iv: bytes
    mask: bytes


@dataclass(slots=True)
class _Connection:
    keys: _Keys
    pieces: dict[int, bytes] = field(default_factory=dict)
    octets: int = 0
    tries: int = 0


class Initials:
    """Collects the ClientHello of connections; the oldest unfinished one makes room and counts as `evicted`."""

    def __init__(self) -> None:
        self._connections: dict[int, _Connection | None] = {}
        self.evicted = 0

    def read(self, flow: int, datagram: bytes) -> str | None:
        """The name that the datagram of the flow with this key completes, or None."""
        if google := _google_hello(datagram):
            return google
        at = 0
        while at + 7 <= len(datagram) and datagram[at] & 0xC0 == 0xC0:     # several packets may share a datagram
            packet = _long_header(datagram, at)
            if packet is None:
                return None
            if packet.initial:
                name = self._initial(flow, packet, datagram)
                if name is not None:
                    return name
            at = packet.end
        return None

    def _initial(self, flow: int, packet: _Packet, datagram: bytes) -> str | None:
        known = flow in self._connections
        connection = self._connections.get(flow)
        if known and connection is None:
            return None                                                    # its name was read
        fresh = _Connection(_keys(packet.version, packet.destination))
        for candidate in ((connection, fresh) if connection else (fresh,)):   # after a retry the keys change
            payload = _decrypt(packet, datagram, candidate.keys)
            if payload is not None and packet.version == _Q050:
                return _google_hello(payload)
            if payload is not None:
                return self._crypto(flow, candidate, payload)
        return None

    def _crypto(self, flow: int, connection: _Connection, payload: bytes) -> str | None:
        for offset, data in _crypto_frames(payload):
            if connection.octets + len(data) <= MAX_HELLO and len(connection.pieces) < _MAX_FRAMES:
                connection.pieces.setdefault(offset, data)
                connection.octets += len(data)
        connection.tries += 1
        reading = _assembled(connection.pieces)
        if flow not in self._connections and len(self._connections) >= _MAX_CONNECTIONS:
            oldest = next(iter(self._connections))
            self.evicted += self._connections.pop(oldest) is not None
        wanted = reading.name is None and reading.more and connection.tries < 16
        self._connections[flow] = connection if wanted else None
        return reading.name


@dataclass(frozen=True, slots=True)
class _Packet:
    start: int
    version: int
    initial: bool
    destination: bytes
    number_at: int
    end: int


def _long_header(data: bytes, at: int) -> _Packet | None:
    """A long header packet (RFC 9000 section 17.2); None where it makes no sense or its version is unknown."""
    first, version = data[at], int.from_bytes(data[at + 1:at + 5], "big")
    if version not in _SALTS:
        return None
    kind = first >> 4 & 3
    offset, ids = at + 5, list[bytes]()
    for _ in range(2):
        if offset >= len(data):
            return None
        size = data[offset]
        if size > _MAX_ID or offset + 1 + size > len(data):
            return None
        ids.append(data[offset + 1:offset + 1 + size])
        offset += 1 + size
    initial = kind == (1 if version == V2 else 0)
    if kind == (0 if version == V2 else 3):                                # a retry has no length; nothing follows it
        return None
    if initial:
        token = _varint(data, offset)
        if token is None:
            return None
        offset = token[1] + token[0]
    length = _varint(data, offset)
    if length is None or length[1] + length[0] > len(data):
        return None
    return _Packet(at, version, initial, ids[0], length[1], length[1] + length[0])


def _varint(data: bytes, at: int) -> tuple[int, int] | None:
    """A variable-length integer (RFC 9000 section 16) and the offset behind it."""
    if at >= len(data):
        return None
    size = 1 << (data[at] >> 6)
    if at + size > len(data):
        return None
    return int.from_bytes(data[at:at + size], "big") & (1 << (size * 8 - 2)) - 1, at + size


def _keys(version: int, destination: bytes) -> _Keys:
    """The client's Initial keys from its first destination connection id (RFC 9001 and RFC 9369, section 5.2, 3.3)."""
    secret = _mac(_SALTS[version], destination)
    secret = _expand(secret, "client in", 32)
    label = "quicv2" if version == V2 else "quic"
    return _Keys(_expand(secret, f"{label} key", 16), _expand(secret, f"{label} iv", 12),
                 _expand(secret, f"{label} hp", 16))


def _mac(key: bytes, data: bytes) -> bytes:
    mac = HMAC(key, SHA256())
    mac.update(data)
    return mac.finalize()


def _expand(secret: bytes, label: str, size: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446 section 7.1) for at most one block of output."""
    full = b"tls13 " + label.encode()
    return _mac(secret, struct.pack(">HB", size, len(full)) + full + b"\0\x01")[:size]


def _decrypt(packet: _Packet, datagram: bytes, keys: _Keys) -> bytes | None:
    """The payload with header protection and encryption off (RFC 9001 section 5.3 and 5.4); None under other keys."""
    sample = datagram[packet.number_at + 4:packet.number_at + 20]
    if len(sample) < 16 or packet.end - packet.number_at < 20:
        return None
    # Header protection is one AES block of the sample: the mode is the specification's, and hides no message.
    block = Cipher(algorithms.AES(keys.mask), modes.ECB()).encryptor().update(sample)  # noqa: S305
    first = datagram[packet.start] ^ (block[0] & 0x0F)
    size = (first & 3) + 1
    number = bytes(a ^ b for a, b in zip(datagram[packet.number_at:packet.number_at + size], block[1:], strict=False))
    header = bytes([first]) + datagram[packet.start + 1:packet.number_at] + number
    nonce = (int.from_bytes(keys.iv, "big") ^ int.from_bytes(number, "big")).to_bytes(12, "big")
    try:
        return AESGCM(keys.key).decrypt(nonce, datagram[packet.number_at + size:packet.end], header)
    except InvalidTag:
        return None


def _crypto_frames(payload: bytes) -> list[tuple[int, bytes]]:
    """Offset and data of the CRYPTO frames; padding, ping and acknowledgements are stepped over (section 12.4)."""
    found: list[tuple[int, bytes]] = []
    at, steps = 0, 0
    while at < len(payload) and steps < 4096:
        steps += 1
        kind = payload[at]
        if kind in {0x00, 0x01}:
            at += 1
        elif kind in {0x02, 0x03}:
            after = _behind_acknowledgement(payload, at)
            if after is None:
                break
            at = after
        elif kind == 0x06:
            offset = _varint(payload, at + 1)
            length = _varint(payload, offset[1]) if offset else None
            if offset is None or length is None or length[1] + length[0] > len(payload):
                break
            found.append((offset[0], payload[length[1]:length[1] + length[0]]))
            at = length[1] + length[0]
        else:
            break
    return found


def _behind_acknowledgement(payload: bytes, at: int) -> int | None:
    numbers, offset = list[int](), at + 1
    for _ in range(4):                             # largest, delay, count of ranges, first range
        number = _varint(payload, offset)
        if number is None:
            return None
        numbers.append(number[0])
        offset = number[1]
    rest = min(numbers[2], 256) * 2 + (3 if payload[at] == 0x03 else 0)
    for _ in range(rest):
        number = _varint(payload, offset)
        if number is None:
            return None
        offset = number[1]
    return offset


def _assembled(pieces: dict[int, bytes]) -> Reading:
    message = b""
    for offset in sorted(pieces):
        if offset > len(message):
            break
        message += pieces[offset][len(message) - offset:]
    return hello_name(message) if message else Reading(more=bool(pieces)) if pieces else NOTHING


def _google_hello(datagram: bytes) -> str | None:
    """The SNI tag of an unencrypted CHLO (Google QUIC crypto, versions Q024 to Q043): a table of tags and ends."""
    at = datagram.find(b"CHLO", 0, 64)
    if at < 0 or at + 8 > len(datagram):
        return None
    count = int.from_bytes(datagram[at + 4:at + 6], "little")
    values = at + 8 + count * 8
    if count > 64 or values > len(datagram):
        return None
    start = 0
    for number in range(count):
        entry = at + 8 + number * 8
        end = int.from_bytes(datagram[entry + 4:entry + 8], "little")
        if end < start or values + end > len(datagram):
            return None
        if datagram[entry:entry + 4] == b"SNI\0":
            name = datagram[values + start:values + end].decode("ascii", "replace").lower().rstrip(".")
            return name if is_host(name) else None
        start = end
    return None
