"""The short way for the usual layout and the long way for all others say the same."""

import struct
from dataclasses import fields

import numpy as np
import pytest
import wirecraft as craft
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.egress.batches import batch_of
from scanner.egress.headers import Rows, joined, read_headers
from scanner.egress.links import read_links
from scanner.egress.plain import read_plain

UDP = craft.packet(b"x" * 30, "10.0.0.10", "203.0.113.8", 40000, 8800)
TCP = craft.packet(b"hello", "10.0.0.10", "203.0.113.8", 40000, 443, "tcp", sequence=77)
VLAN = craft.ethernet(UDP[14:], vlans=[(0x8100, 20)])
QINQ = craft.ethernet(UDP[14:], vlans=[(0x88A8, 5), (0x8100, 20)])
TWICE = craft.ethernet(UDP[14:], vlans=[(0x8100, 5), (0x8100, 20)])
SIX = craft.packet(b"x", "fd00::10", "fd00::1", 40000, 53)
OPTIONS = craft.ethernet(b"\x46" + UDP[15:34] + bytes(4) + UDP[34:])
FRAGMENT = craft.ethernet(craft.ipv4(bytes(24), "10.0.0.10", "203.0.113.5", 17, 0x2000, 9))
TUNNEL = craft.ethernet(craft.ipv4(UDP[14:], "10.0.0.10", "203.0.113.9", 4))
PADDED = UDP[:16] + struct.pack(">H", 28) + UDP[18:]
OFFLOADED = TCP[:16] + b"\0\0" + TCP[18:]
ARP = craft.ethernet(bytes(28), kind=0x0806)
USUAL = [UDP, TCP, VLAN, PADDED, OFFLOADED]
OTHERS = [QINQ, TWICE, SIX, OPTIONS, FRAGMENT, TUNNEL, ARP, UDP[:30], b""]


def batch(frames):
    return batch_of(frames, [1_000 + n for n in range(len(frames))], [len(frame) + 7 for frame in frames], 1)


def same(one, other):
    for field in fields(Rows):
        assert np.array_equal(getattr(one, field.name), getattr(other, field.name)), field.name
        assert getattr(one, field.name).dtype == getattr(other, field.name).dtype, field.name


def both_ways(frames):
    """Rows read the long way alone, and the short way first; and which frames the short way left over."""
    whole = batch(frames)
    long = read_headers(whole, read_links(whole))
    short, rest = read_plain(whole)
    others = read_headers(whole, read_links(whole, rest))
    rows = others.rows if short is None else joined([short, others.rows])
    assert len(long.fragments) == len(others.fragments)
    assert long.undecoded == others.undecoded
    return long.rows, rows, rest.tolist()


def test_the_usual_frames_go_the_short_way_and_all_others_the_long_one():
    frames = [frame for pair in zip(USUAL, OTHERS, strict=False) for frame in pair] + OTHERS[len(USUAL):]
    long, both, rest = both_ways(frames)
    same(long, both)
    assert rest == [1, 3, 5, 7, *range(9, len(frames))]


@pytest.mark.parametrize("frames", [[UDP], OTHERS, USUAL])
def test_one_kind_alone(frames):
    long, both, _ = both_ways(frames)
    same(long, both)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([*USUAL, *OTHERS]), st.integers(0, 80), st.integers(0, 255), st.booleans()),
                min_size=1, max_size=12))
def test_damaged_frames_are_read_alike_both_ways(drawn):
    frames = []
    for frame, place, octet, cut in drawn:
        changed = bytearray(frame)
        if place < len(changed):
            changed[place] = octet
        frames.append(bytes(changed[:place]) if cut else bytes(changed))
    long, both, _ = both_ways(frames)
    same(long, both)


def test_links_without_ethernet_are_left_to_the_long_way():
    whole = batch_of([UDP[14:]], [1], [40], 101)
    rows, rest = read_plain(whole)
    assert rows is None
    assert rest.tolist() == [0]
