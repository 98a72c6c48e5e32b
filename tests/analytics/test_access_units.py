"""What reaches a decoder: whole pictures with the parameter sets they rest on, and times that only go forward."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.wire.rtp import CLOCK_HZ, Codec, Depacketizer, MediaClock

IDR, SLICE, SPS, PPS = b"\x65" + b"i" * 50, b"\x41" + b"p" * 50, b"\x67sps", b"\x68pps"
NEW_SPS = b"\x67new"


def run(*packets, codec=Codec.H264, sets=()):
    """Feed ``(payload, timestamp, marker)`` packets, ``None`` for a lost one; the units' NAL units, and the reader."""
    reader, units = Depacketizer(codec, sets), []
    for sequence, packet in enumerate(packets):
        if packet is not None:
            payload, timestamp, marker = packet
            head = struct.pack(">BBHII", 0x80, 96 | 0x80 * marker, sequence, timestamp, 7)
            units += [unit.data.split(b"\0\0\0\1")[1:] for unit in reader.feed(head + payload)]
    return units, reader


def test_parameter_sets_with_a_marker_of_their_own_are_kept_for_the_key_picture():
    units, reader = run((SPS, 0, True), (PPS, 0, True), (IDR, 0, True), (SLICE, 90, True))
    assert units == [[SPS, PPS, IDR], [SLICE]]
    assert reader.counters.units_dropped == 0


def test_newer_parameter_sets_stand_after_those_of_the_description():
    units, _ = run((NEW_SPS, 0, True), (IDR, 0, True), sets=(SPS, PPS))
    assert units == [[SPS, PPS, NEW_SPS, IDR]]


def test_parameter_sets_of_the_description_do_not_come_back_after_a_loss():
    """The stream may have changed its own since."""
    units, _ = run((IDR, 0, True), (NEW_SPS, 90, False), (IDR, 90, True), None, (SLICE, 180, True), (IDR, 270, True),
                   sets=(SPS,))
    assert units == [[SPS, IDR], [NEW_SPS, IDR], [IDR]]


def test_parameter_sets_of_a_broken_picture_are_kept():
    units, _ = run((IDR, 0, True), (NEW_SPS, 90, False), None, (IDR, 90, True), (IDR, 180, True))
    assert units == [[IDR], [NEW_SPS, IDR]]


def test_a_loss_between_two_pictures_may_have_hit_both():
    units, reader = run((IDR, 0, True), (SLICE, 90, False), None, (IDR, 180, True), (IDR, 270, True))
    assert units == [[IDR], [IDR]]
    assert reader.counters.units_dropped == 2


@pytest.mark.parametrize("second", [b"\x7c\x85" + b"b" * 9, SLICE])
def test_a_fragment_that_never_ends_is_a_hole(second):
    first = b"\x7c\x85" + b"a" * 9                                   # FU-A, start of an IDR
    units, reader = run((IDR, 0, True), (first, 90, False), (second, 90, False), (b"\x7c\x45" + b"b" * 9, 90, True),
                        (IDR, 180, True))
    assert units == [[IDR], [IDR]]
    assert reader.counters.malformed >= 1


def test_parameter_sets_that_never_end_are_bounded():
    _, reader = run(*[(b"\x67" + struct.pack(">I", i), i * 90, True) for i in range(1000)])
    assert len(reader._kept) <= 64


@pytest.mark.parametrize(("stamps", "seconds"), [
    ([7, 7 + 90_000], [0, 1]),
    ([0xFFFFFFFF, 44_999], [0, 0.5]),                                 # across the wrap
    ([0, 180_000, 90_000, 270_000], [0, 2, 2, 3]),                    # a reordered picture has the newest's time
    ([0, 0, 0], [0, 0, 0]),
])
def test_media_time(stamps, seconds):
    clock = MediaClock()
    assert [clock.seconds(stamp) for stamp in stamps] == seconds


@given(st.lists(st.integers(0, 0xFFFFFFFF), max_size=30))
def test_media_time_never_runs_backwards(stamps):
    clock = MediaClock()
    seconds = [clock.seconds(stamp) for stamp in stamps]
    assert seconds == sorted(seconds)
    assert all(later - before <= 0x80000000 / CLOCK_HZ for before, later in pairwise(seconds))
