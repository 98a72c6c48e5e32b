"""Reading one piece ahead: nothing is lost, doubled or reordered, wherever a reader stops."""

import io
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.egress.ahead import pieces


def read_through(data, begin, size, leave, most=1 << 20):
    """What a reader sees that takes all but `leave(n)` octets of each piece of a stream that gives little at once."""
    stream = io.BytesIO(data)
    taken = b""
    for number, piece in enumerate(pieces(lambda room: stream.readinto(room[:most]), begin, size, 16)):
        whole = bytes(piece.octets(0, 0))
        assert len(piece.octets(0, 16)) == len(whole) + 16
        piece.left = 0 if piece.last else min(leave(number), size, len(whole))
        taken += whole[:len(whole) - piece.left]
    return taken


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=4000), st.binary(max_size=64), st.integers(64, 700),
       st.lists(st.integers(0, 700), min_size=1), st.integers(1, 900))
def test_every_octet_comes_once_and_in_order(data, begin, size, leaves, most):
    assert read_through(data, begin, size, lambda number: leaves[number % len(leaves)], most) == begin + data


def test_an_error_in_the_stream_is_raised_where_the_pieces_are_taken():
    def fill(room):
        if fill.calls:
            raise OSError("the disk is gone")
        fill.calls += 1
        room[:] = bytes(len(room))
        return len(room)
    fill.calls = 0
    found = pieces(fill, b"", 64, 16)
    assert len(next(found).octets(0, 0)) == 64
    with pytest.raises(OSError, match="the disk is gone"):
        next(found)


def test_who_stops_early_leaves_no_thread_behind():
    before = threading.active_count()
    found = pieces(len, b"", 64, 16)
    next(found)
    found.close()
    assert threading.active_count() == before
