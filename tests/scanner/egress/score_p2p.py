"""Scores how well peer-to-peer is told from all else: ``python -m tests.scanner.egress.score_p2p [EACH] [SEED]``.

Conversations of `p2p_traffic` and `p2p_wire` are written into captures and read like any other; one is found where it
shows a sign of a rendezvous protocol. Only the wire form counts here: ports and names, by which more is known, are left
out.
"""

from __future__ import annotations

import io
import struct
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from rules.predicates_egress import CONFIDENCE
from scanner import egress
from tests.scanner.egress import p2p_traffic, p2p_wire
from tests.scanner.egress.p2p_traffic import Made, conversations

CAMERA, GATEWAY = bytes.fromhex("020000000010"), bytes.fromhex("020000000001")
_BATCH = 200


@dataclass
class Score:
    """Conversations made and found, by kind."""

    made: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        return sum(self.found.values()) / max(1, sum(self.made.values()))


def frame(payload: bytes, port: int, server: int, outward: bool) -> bytes:
    here, there = 0x0A00000A, 0xCB007100 + server          # 10.0.0.10 and an address of 203.0.113.0/24
    ends = (here, there, 20_000 + server, port) if outward else (there, here, port, 20_000 + server)
    udp = struct.pack(">HHHH", ends[2], ends[3], 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, ends[0], ends[1])
    return (GATEWAY + CAMERA if outward else CAMERA + GATEWAY) + b"\x08\0" + ip + udp


def signs_of(made: list[Made]) -> list[set[str]]:
    """The signs that each of up to 200 conversations shows."""
    out = [struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)]
    for server, one in enumerate(made):
        for number, (payload, outward) in enumerate(one.datagrams):
            octets = frame(payload, one.port, server, outward)
            out.append(struct.pack("<IIII", 1_790_000_000 + number, server, len(octets), len(octets)) + octets)
    capture = egress.read(io.BytesIO(b"".join(out)))
    shown: list[set[str]] = [set() for _ in made]
    for talk in capture.conversations:
        place = next(a for a in (talk.destination, talk.source) if a.startswith("203."))
        shown[int(place.rpartition(".")[2])] |= set(talk.signs)
    return shown


def score(conversations_made: Iterable[Made]) -> Score:
    """How many show a sign of a rendezvous protocol."""
    total, waiting = Score(), list(conversations_made)
    for at in range(0, len(waiting), _BATCH):
        part = waiting[at:at + _BATCH]
        for one, signs in zip(part, signs_of(part), strict=True):
            total.made[one.kind] += 1
            total.found[one.kind] += bool(signs & CONFIDENCE.keys())
    return total


def main(arguments: list[str]) -> int:
    """Print recall and false positives; 0 where 95 % are found and at most 1 % of the others."""
    each, seed, *_ = [*map(int, arguments), *(200, 1)[len(arguments):]]
    found, wrong = (score(conversations(seed, each, makers)) for makers in (
        p2p_traffic.POSITIVES + p2p_wire.POSITIVES, p2p_traffic.INNOCENTS + p2p_wire.INNOCENTS))
    for name, one in (("found", found), ("falsely found", wrong)):
        for kind, count in one.made.items():
            sys.stdout.write(f"{name:<14} {kind:<16} {one.found[kind]:>5} of {count}\n")
    sys.stdout.write(f"recall {found.share:.2%}, false positives {wrong.share:.3%}\n")
    return 0 if found.share >= 0.95 and wrong.share <= 0.01 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
