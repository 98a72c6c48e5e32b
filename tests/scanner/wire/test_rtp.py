"""RTP in, whole pictures out: every way to pack them, every way to lose them, and no way to fall over."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.observation import Refusal
from scanner.wire import rtp
from scanner.wire.rtp import Codec, Depacketizer

IDR, SLICE, SPS, PPS = b"\x65" + b"i" * 50, b"\x41" + b"p" * 50, b"\x67sps", b"\x68pps"
IRAP = bytes([19 << 1, 1]) + b"I" * 50
TRAIL = bytes([1 << 1, 1]) + b"t" * 50


def packet(payload, sequence, timestamp=0, marker=False):
    return struct.pack(">BBHII", 0x80, 96 | 0x80 * marker, sequence & 0xFFFF, timestamp, 7) + payload


def stapa(*nals):
    return b"\x18" + b"".join(struct.pack(">H", len(n)) + n for n in nals)


def fua(nal, pieces):
    size = -(-len(nal[1:]) // pieces)
    parts = [nal[1 + i * size:1 + (i + 1) * size] for i in range(pieces)]
    return [bytes([nal[0] & 0xE0 | 28, nal[0] & 0x1F | 0x80 * (i == 0) | 0x40 * (i == pieces - 1)]) + part
            for i, part in enumerate(parts)]


def fu265(nal, pieces):
    size = -(-len(nal[2:]) // pieces)
    parts = [nal[2 + i * size:2 + (i + 1) * size] for i in range(pieces)]
    kind = nal[0] >> 1 & 0x3F
    return [bytes([nal[0] & 0x81 | 49 << 1, nal[1], kind | 0x80 * (i == 0) | 0x40 * (i == pieces - 1)]) + part
            for i, part in enumerate(parts)]


def run(codec, payloads, *, first=1, sets=(), skip=()):
    """Feed payloads ``(payload, timestamp, marker)`` and return the units and the depacketizer."""
    reader = Depacketizer(codec, sets)
    units = []
    for i, (payload, timestamp, marker) in enumerate(payloads):
        if i not in skip:
            units += reader.feed(packet(payload, first + i, timestamp, marker))
    return units, reader


def annexb(*nals):
    return b"".join(b"\0\0\0\1" + nal for nal in nals)


def test_single_aggregated_and_fragmented_h264_give_the_same_picture():
    for payloads in ([(SPS, 0, False), (PPS, 0, False), (IDR, 0, True)],
                     [(stapa(SPS, PPS, IDR), 0, True)],
                     [(stapa(SPS, PPS), 0, False), *[(p, 0, p[1] & 0x40 > 0) for p in fua(IDR, 4)]]):
        units, reader = run(Codec.H264, payloads)
        assert [u.data for u in units] == [annexb(SPS, PPS, IDR)]
        assert units[0].key
        assert (reader.counters.lost, reader.counters.malformed) == (0, 0)


def test_fragmented_h265_is_put_together_with_its_own_header():
    units, _ = run(Codec.H265, [(p, 0, p[2] & 0x40 > 0) for p in fu265(IRAP, 3)] + [(TRAIL, 90, True)])
    assert [(u.data, u.key) for u in units] == [(annexb(IRAP), True), (annexb(TRAIL), False)]


def test_a_missing_marker_ends_with_the_next_timestamp():
    units, _ = run(Codec.H264, [(IDR, 0, False), (SLICE, 90, True)])
    assert [u.timestamp for u in units] == [0, 90]


def test_parameter_sets_of_the_sdp_stand_before_the_first_key_picture_only():
    units, _ = run(Codec.H264, [(IDR, 0, True), (IDR, 90, True)], sets=(SPS, PPS))
    assert [u.data for u in units] == [annexb(SPS, PPS, IDR), annexb(IDR)]


def test_nothing_is_shown_before_a_key_picture_nor_after_a_loss_until_the_next():
    payloads = [(SLICE, 0, True), (IDR, 90, True), (SLICE, 180, True), (SLICE, 270, True), (SLICE, 360, True),
                (IDR, 450, True)]
    units, reader = run(Codec.H264, payloads, skip={3})
    assert [u.timestamp for u in units] == [90, 180, 450]
    assert reader.counters.lost == 1
    assert reader.counters.units_dropped == 2


def test_the_sequence_number_wraps_without_a_loss():
    units, reader = run(Codec.H264, [(IDR, 0, True), (SLICE, 90, True), (SLICE, 180, True)], first=0xFFFE)
    assert len(units) == 3
    assert reader.counters.lost == 0


def test_a_fragment_without_its_beginning_is_dropped():
    units, reader = run(Codec.H264, [(fua(IDR, 3)[1], 0, False), (fua(IDR, 3)[2], 0, True), (IDR, 90, True)])
    assert [u.timestamp for u in units] == [90]
    assert reader.counters.malformed >= 1


def test_an_endless_fragment_stops_at_the_cap():
    reader = Depacketizer(Codec.H264)
    piece = b"x" * 60_000
    for i in range(200):
        head = bytes([0x7C, 0x85 if i == 0 else 0x05])
        assert list(reader.feed(packet(head + piece, i))) == []
    assert reader.counters.oversized > 0
    assert reader._size <= rtp.MOST_UNIT_BYTES


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x00" * 12, packet(b"", 1)[:11], b"\xb0" + b"\xff" * 14,
                                  b"\xa0" + packet(b"", 1)[1:12], b"\x9f" + b"\0" * 20])
def test_a_header_that_does_not_fit_is_refused(data):
    assert isinstance(rtp.parse(data), Refusal)


def test_extension_and_padding_are_left_out():
    data = b"\xb0\x60" + packet(b"", 1)[2:12] + b"\xbe\xde\x00\x01abcd" + b"payload" + b"\0\0\x03"
    assert rtp.parse(data).payload == b"payload"


@given(st.sampled_from(Codec), st.lists(st.binary(max_size=80), max_size=20))
def test_garbage_never_raises_and_is_counted(codec, packets):
    reader = Depacketizer(codec)
    for data in packets:
        list(reader.feed(data))
    counters = reader.counters
    assert counters.packets + counters.malformed >= len([p for p in packets if p])


@given(st.sampled_from(Codec), st.binary(min_size=4, max_size=300), st.integers(1, 5), st.data())
def test_every_prefix_of_a_good_stream_is_safe(codec, body, pieces, data):
    nal = (b"\x65" if codec is Codec.H264 else bytes([19 << 1, 1])) + body
    split = fua if codec is Codec.H264 else fu265
    wire = [packet(p, i, 0, i == pieces - 1) for i, p in enumerate(split(nal, pieces))]
    cut = data.draw(st.integers(0, len(wire[-1])))
    reader = Depacketizer(codec)
    units = [u for w in [*wire[:-1], wire[-1][:cut]] for u in reader.feed(w)]
    assert all(u.data.startswith(b"\0\0\0\1") for u in units)
    if cut == len(wire[-1]):
        assert [u.data for u in units] == [annexb(nal)] or pieces > len(body)


@pytest.mark.parametrize(("fmtp", "sets"), [
    ("packetization-mode=1;sprop-parameter-sets=Z3Nwcw==,aHBwcw==", (b"gsps", b"hpps")),
    ("sprop-parameter-sets=Z3Nwcw,%%%", (b"gsps",)),
    ("sprop-vps=QAEM;sprop-sps=QgEB;sprop-pps=RAHA", (b"\x40\x01\x0c", b"\x42\x01\x01", b"\x44\x01\xc0")),
    ("", ()),
])
def test_parameter_sets_are_read_as_far_as_they_are_whole(fmtp, sets):
    assert rtp.parameter_sets(fmtp) == sets
