"""Classic BPF: a few instructions that the kernel runs on each frame, so that a packet socket hears only its own.

Instructions are those of ``linux/filter.h``: code, jump if true, jump if false, value; see socket(7), SO_ATTACH_FILTER.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Sequence

__all__ = ["ARP_REPLIES", "Instruction", "attach_filter", "tcp_answers"]

Instruction = tuple[int, int, int, int]

_SO_ATTACH_FILTER = 26
_LOAD_HALF, _LOAD_BYTE, _LOAD_WORD, _RETURN = 0x28, 0x30, 0x20, 0x06
_LOAD_HALF_X, _HEADER_LENGTH = 0x48, 0xB1
_IF_EQUAL, _IF_BITS = 0x15, 0x45
_WHOLE = 0x40000

ARP_REPLIES: tuple[Instruction, ...] = (
    (_LOAD_HALF, 0, 0, 12), (_IF_EQUAL, 0, 3, 0x0806),          # Ethernet type: ARP
    (_LOAD_HALF, 0, 0, 20), (_IF_EQUAL, 0, 1, 2),               # operation: reply
    (_RETURN, 0, 0, _WHOLE), (_RETURN, 0, 0, 0),
)


def tcp_answers(address: str, port: int) -> tuple[Instruction, ...]:
    """Frames of IPv4 TCP to this address and port, no fragments."""
    own = int.from_bytes(socket.inet_aton(address), "big")
    return (
        (_LOAD_HALF, 0, 0, 12), (_IF_EQUAL, 0, 10, 0x0800),     # Ethernet type: IPv4
        (_LOAD_BYTE, 0, 0, 23), (_IF_EQUAL, 0, 8, 6),           # protocol: TCP
        (_LOAD_WORD, 0, 0, 30), (_IF_EQUAL, 0, 6, own),         # to this address
        (_LOAD_HALF, 0, 0, 20), (_IF_BITS, 4, 0, 0x1FFF),       # a fragment's tail has no port
        (_HEADER_LENGTH, 0, 0, 14), (_LOAD_HALF_X, 0, 0, 16), (_IF_EQUAL, 0, 1, port),
        (_RETURN, 0, 0, _WHOLE), (_RETURN, 0, 0, 0),
    )


def attach_filter(link: socket.socket, program: Sequence[Instruction]) -> None:
    """Let the kernel drop what `program` does not return. Raises `OSError`."""
    code = b"".join(struct.pack("=HBBI", *one) for one in program)
    held = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: a count, and a pointer aligned to its own size.
    link.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(program), ctypes.addressof(held)))
