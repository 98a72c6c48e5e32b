"""The records of a long pcap file are found by many guesses at once, and are the same as one by one, however wrong."""

import io
import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.egress import records
from scanner.egress.readers import CaptureReader

SECONDS = 1_700_000_000
HEADERS = {("<", 16): b"\xd4\xc3\xb2\xa1", (">", 16): b"\xa1\xb2\xc3\xd4", ("<", 24): b"\x34\xcd\xb2\xa1"}


def record(frame, order="<", header=16, at=SECONDS):
    return struct.pack(order + "IIII", at, 5, len(frame), len(frame)) + bytes(header - 16) + frame


def pcap(frames, order="<", header=16, step=0):
    return HEADERS[order, header] + struct.pack(order + "HHIIII", 2, 4, 0, 0, 262_144, 1) + b"".join(
        record(frame, order, header, SECONDS + number * step) for number, frame in enumerate(frames))


def read(data):
    reader = CaptureReader(io.BytesIO(data))
    frames, stamps = [], []
    for batch in reader:
        assert batch.heads is not None
        assert [head.tobytes()[-records.HEAD:][:4] for head in batch.heads[:50]] == [
            (batch.cut(at, at + 4)) for at in batch.at[:50].tolist()]
        frames += [batch.cut(at, at + size) for at, size in zip(batch.at.tolist(), batch.kept.tolist(), strict=True)]
        stamps += batch.stamps.tolist()
    return frames, stamps, reader.trouble


def sizes(seed, count, largest=1_500):
    draw = random.Random(seed)
    return [draw.randbytes(draw.choice([60, 60, 300, largest])) for _ in range(count)]


@pytest.fixture
def guesses(monkeypatch):
    """How many guesses were made and how many stretches of the chain they gave."""
    seen = []
    whole = records.Records._guesses

    def counted(self, octets, size):
        found = whole(self, octets, size)
        seen.append(len(found))
        return found
    monkeypatch.setattr(records.Records, "_guesses", counted)
    return seen


@pytest.mark.parametrize(("order", "header"), HEADERS)
def test_every_record_of_a_long_file_is_found_through_guesses(guesses, order, header):
    frames = sizes(1, 3_000)
    found, stamps, trouble = read(pcap(frames, order, header))
    assert found == frames
    assert set(stamps) == {SECONDS * 1_000_000_000 + 5_000}
    assert trouble == ""
    assert max(guesses) > 100


def test_records_that_only_look_like_some_are_stepped_over(guesses):
    # A frame full of headers, each of which leads to the next one.
    lure = record(b"") * 80
    frames = [frame for pair in zip(sizes(2, 700), [b"x" + lure] * 700, strict=True) for frame in pair]
    assert read(pcap(frames))[::2] == (frames, "")
    assert max(guesses) > 100


def test_frames_longer_than_a_stretch_are_walked_one_by_one(guesses):
    frames = sizes(3, 60, 60_000) + sizes(4, 400) + sizes(5, 30, 200_000)
    assert read(pcap(frames))[::2] == (frames, "")
    assert guesses


def test_a_capture_of_months_is_found_where_no_guess_holds(guesses):
    frames = sizes(6, 2_000)
    assert read(pcap(frames, step=86_400))[::2] == (frames, "")
    assert guesses


def test_frames_of_no_octets_at_all(guesses):
    frames = [b""] * 70_000
    assert read(pcap(frames))[::2] == (frames, "")
    assert guesses


@pytest.mark.parametrize(("tail", "trouble"), [
    (b"\0" * 8 + b"\xff" * 8, "damaged record: 4294967295 octets in one frame"),
    (b"\0" * 9, "cut short in a record header"),
    (record(b"abc")[:-1], "cut short in a frame"), (b"", "")])
def test_damage_behind_many_records_is_told(tail, trouble):
    frames = sizes(7, 2_000)
    assert read(pcap(frames) + tail)[::2] == (frames, trouble)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1 << 32), st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=6))
def test_changed_octets_are_read_as_one_by_one(seed, changes):
    data = bytearray(pcap(sizes(seed, 1_200)))
    for place, octet in changes:
        data[24 + place % (len(data) - 24)] = octet
    at, expected = 24, []
    while at + 16 <= len(data):
        (kept,) = struct.unpack_from("<I", data, at + 8)
        if kept > 262_144 or at + 16 + kept > len(data):
            break
        expected.append(bytes(data[at + 16:at + 16 + kept]))
        at += 16 + kept
    assert read(bytes(data))[0] == expected
