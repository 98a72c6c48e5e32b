"""Hears what a link announces of itself, and sends nothing: ARP, LLDP, and discovery datagrams to everybody.

A filter in the kernel lets in ARP and LLDP frames, and UDP to a group or to all whose port is one of discovery or DHCP:
what stations say to each other is never copied to this process. The link is set to take every group's frames; no group
is joined, since that would be a packet sent, so a switch that prunes groups (IGMP snooping) may keep some from it. What
the kernel had to drop is reported. See packet(7) and the instructions of `scanner.transport.filters`.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Iterator, Sequence

from scanner.observation import Reason
from scanner.transport.exchange import ExchangeError, reason_of
from scanner.transport.filters import Instruction
from scanner.transport.packets import packet_socket

__all__ = ["MOST_PORTS", "Ear", "announcements"]

MOST_PORTS = 56
"""Ports the filter can hold: its jumps reach 255 instructions."""

_SOL_PACKET, _ADD_MEMBERSHIP, _STATISTICS, _EVERY_GROUP = 263, 1, 6, 2
_ALL_TYPES, _OUTGOING, _ETHERNET = 3, 4, 1
_ARP, _LLDP, _IPV4, _IPV6, _UDP = 0x0806, 0x88CC, 0x0800, 0x86DD, 17
_LONGEST = 65_536
_LOAD_HALF, _LOAD_BYTE, _LOAD_HALF_X, _HEADER_LENGTH = 0x28, 0x30, 0x48, 0xB1
_IF_EQUAL, _IF_BITS, _GO, _RETURN = 0x15, 0x45, 0x05, 0x06
_WHOLE = 0x40000
_NEEDS = "listening on a link needs CAP_NET_RAW: run as root, or import a capture file"


def announcements(ports: Sequence[int]) -> tuple[Instruction, ...]:
    """The filter: ARP, LLDP, and UDP from or to these ports whose Ethernet destination is a group or everybody.

    Raises `ValueError` for too many ports.
    """
    if len(ports) > MOST_PORTS:
        raise ValueError(f"at most {MOST_PORTS} ports")
    either = tuple((_IF_EQUAL, 0, port) for port in ports)
    six = [(_LOAD_BYTE, 20), (_LOAD_HALF, 54), *either, (_LOAD_HALF, 56), *either]
    four = [(_LOAD_BYTE, 23), (_LOAD_HALF, 20), (_HEADER_LENGTH, 14), (_LOAD_HALF_X, 14), *either, (_LOAD_HALF_X, 16),
            *either]
    # Each part ends with its own "no" and "yes", so that no jump is longer than the part itself.
    return (
        (_LOAD_HALF, 0, 0, 12), (_IF_EQUAL, 5, 0, _ARP), (_IF_EQUAL, 4, 0, _LLDP),
        (_LOAD_BYTE, 0, 0, 0), (_IF_BITS, 1, 0, 1), (_RETURN, 0, 0, 0), (_GO, 0, 0, 1), (_RETURN, 0, 0, _WHOLE),
        (_LOAD_HALF, 0, 0, 12), (_IF_EQUAL, 1, 0, _IPV4), (_GO, 0, 0, len(_part(four))), *_part(four),
        (_IF_EQUAL, 1, 0, _IPV6), (_RETURN, 0, 0, 0), *_part(six),
    )


def _part(steps: Sequence[tuple[int, ...]]) -> tuple[Instruction, ...]:
    """One IP version: UDP, no tail of a fragment, one of the ports; a "no" and a "yes" at its end."""
    size = len(steps) + sum(step[:1] == (_LOAD_BYTE,) or step == (_LOAD_HALF, 20) for step in steps)
    program: list[Instruction] = []
    for step in steps:
        if step[0] == _IF_EQUAL:
            program.append((_IF_EQUAL, size - len(program), 0, step[2]))
            continue
        program.append((step[0], 0, 0, step[1]))
        if step[0] == _LOAD_BYTE:
            program.append((_IF_EQUAL, 0, size - len(program) - 1, _UDP))
        elif step == (_LOAD_HALF, 20):
            program.append((_IF_BITS, size - len(program) - 1, 0, 0x1FFF))
    return (*program, (_RETURN, 0, 0, 0), (_RETURN, 0, 0, _WHOLE))


class Ear:
    """An open ear on one link; a context manager.

    Raises:
        ExchangeError: unprivileged, no such link, or no Ethernet.
    """

    def __init__(self, interface: str, ports: Sequence[int]) -> None:
        self._link = packet_socket(0, announcements(ports), _NEEDS)
        try:
            self._link.bind((interface, _ALL_TYPES))
            member = struct.pack("=iHH8s", socket.if_nametoindex(interface), _EVERY_GROUP, 0, b"")
            self._link.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, member)
        except OSError as error:
            self._link.close()
            raise ExchangeError(reason_of(error), f"cannot listen on {interface}: {error.strerror}") from error
        if self._link.getsockname()[3] != _ETHERNET:
            self._link.close()
            raise ExchangeError(Reason.NOT_APPLICABLE, f"{interface} is no Ethernet link")

    def __enter__(self) -> Ear:
        return self

    def __exit__(self, *_error: object) -> None:
        self._link.close()

    def frames(self, seconds: float) -> Iterator[bytes]:
        """Frames of others as they come, for a time. Raises `ExchangeError` where the link goes away."""
        until = time.monotonic() + seconds
        ready = select.poll()
        ready.register(self._link.fileno(), select.POLLIN)
        while (left := until - time.monotonic()) > 0:
            if ready.poll(left * 1000):
                yield from self._waiting()

    def dropped(self) -> int:
        """Frames that the kernel could not keep since this was last asked."""
        return int(struct.unpack("=II", self._link.getsockopt(_SOL_PACKET, _STATISTICS, 8))[1])

    def _waiting(self) -> Iterator[bytes]:
        """One frame, unless it is this machine's own."""
        try:
            frame, sender = self._link.recvfrom(_LONGEST)
        except BlockingIOError:
            return
        except OSError as error:
            raise ExchangeError(reason_of(error), f"listening ended: {error.strerror}") from error
        if sender[2] != _OUTGOING:
            yield frame
