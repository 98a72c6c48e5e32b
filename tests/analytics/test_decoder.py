"""The decoding child: real H.264 and H.265 in, small grey pictures out; whatever goes wrong ends with the child."""

import errno
import os
import signal
import subprocess
import sys
from collections import deque
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from analytics import decoder as decoders
from analytics import decoder_child
from analytics.decoder import Decoder, DecoderError
from scanner.wire.rtp import AccessUnit, Codec

ENCODERS = {Codec.H264: "libx264", Codec.H265: "libx265"}


def encoded(codec, pictures, *, width=320, height=180):
    """Each picture (a grey level a picture, or an array) as one access unit."""
    encoder = av.CodecContext.create(ENCODERS[codec], "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.thread_count = width, height, "yuv420p", 1
    encoder.framerate, encoder.time_base = Fraction(25), Fraction(1, 25)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "x265-params": "log-level=none:pools=none"}
    packets = []
    for number, picture in enumerate(pictures):
        grey = np.full((height, width), picture, np.uint8)
        frame = av.VideoFrame.from_ndarray(np.vstack([grey, np.full((height // 2, width), 128, np.uint8)]), "yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [AccessUnit(bytes(packet), number * 3600, key=number == 0) for number, packet in enumerate(packets)]


def running(pid):
    """Whether a process of that number is there, be it a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def ends(decoder, *units):
    """The rule under which the decoder ends; its child must be gone."""
    with pytest.raises(DecoderError) as caught:
        deque((decoder.decode(unit) for unit in units), maxlen=0)
    assert not running(decoder.pid)
    assert caught.value.because
    return caught.value.rule


@pytest.mark.parametrize("codec", Codec)
def test_pictures_come_out_small_and_grey_in_order(codec):
    levels = [40, 90, 140, 190, 230]
    with Decoder(codec, width=160) as decoder:
        frames = [decoder.decode(unit) for unit in encoded(codec, levels)]
    assert [frame.grey.shape for frame in frames] == [(90, 160)] * 5
    assert [(frame.width, frame.height) for frame in frames] == [(320, 180)] * 5
    assert [round(frame.at, 3) for frame in frames] == [0, 0.04, 0.08, 0.12, 0.16]
    means = [float(frame.grey.mean()) for frame in frames]
    assert means == sorted(means)
    assert means[-1] - means[0] > 150
    assert not running(decoder.pid)


def test_what_is_left_stays_left():
    picture = np.full((180, 320), 200, np.uint8)
    picture[:, :160] = 20
    with Decoder(Codec.H264, width=160) as decoder:
        grey = decoder.decode(encoded(Codec.H264, [picture])[0]).grey
    assert grey[:, :70].mean() < 60
    assert grey[:, 90:].mean() > 180


@pytest.mark.parametrize(("size", "shape"), [((320, 180), (180, 320)), ((98, 178), (178, 98)),
                                             ((482, 270), (268, 480))])
def test_a_picture_is_never_enlarged_and_odd_row_lengths_are_read(size, shape):
    width, height = size
    ramp = np.tile(np.linspace(20, 230, width).astype(np.uint8), (height, 1))
    with Decoder(Codec.H264) as decoder:
        grey = decoder.decode(encoded(Codec.H264, [ramp], width=width, height=height)[0]).grey
    assert grey.shape == shape
    columns = grey.mean(axis=0)
    assert (np.diff(columns) > -3).all()
    assert columns[-1] - columns[0] > 180


def test_pictures_that_nobody_wants_are_decoded_and_not_sent():
    units = encoded(Codec.H264, [40, 90, 140])
    with Decoder(Codec.H264) as decoder:
        assert [decoder.decode(unit, wanted=unit is units[-1]) is not None for unit in units] == [False, False, True]


def test_the_clock_wraps_and_never_runs_backwards():
    units = encoded(Codec.H264, [40, 90, 140, 190])
    stamps = [0xFFFFFFFF - 44_999, 0, 90_000, 45_000]
    with Decoder(Codec.H264) as decoder:
        found = [decoder.decode(AccessUnit(u.data, t, u.key)).at for u, t in zip(units, stamps, strict=True)]
    assert found == [0.0, 0.5, 1.5, 1.5]


def test_garbage_is_counted_and_what_follows_is_decoded():
    garbage = AccessUnit(b"\0\0\0\1\x65" + os.urandom(500), 0, key=True)
    with Decoder(Codec.H264) as decoder:
        assert decoder.decode(garbage) is None
        frames = [decoder.decode(unit) for unit in encoded(Codec.H264, [40, 90])]
        assert decoder.corrupt >= 1
    assert frames[-1] is not None


@pytest.mark.parametrize("data", [b"\0\0\0\1\x65" + b"\xa5" * 300, b"\0\0\0\1\x06\x05\x04abcd\x80",
                                  b"\0\0\0\1\x67", b"x"])
def test_a_stream_without_a_picture_is_given_up(data):
    """Undecodable or merely empty: it must not look like a scene in which nothing happens."""
    with Decoder(Codec.H264, most_corrupt=5) as decoder:
        assert ends(decoder, *[AccessUnit(data, i * 3600, key=True) for i in range(10)]) == "decoder.nonsense"


@pytest.mark.parametrize(("most", "rule"), [(320 * 180, None), (320 * 180 - 1, "decoder.too_large"),
                                            (100, "decoder.nonsense")])
def test_a_picture_that_is_too_large_ends_the_child(most, rule):
    units = encoded(Codec.H264, [40] * 4)
    with Decoder(Codec.H264, max_pixels=most, most_corrupt=2) as decoder:
        if rule is None:
            assert decoder.decode(units[0]) is not None
        else:
            assert ends(decoder, *units) == rule


def test_a_hundred_megapixels_are_refused():
    (unit,) = encoded(Codec.H264, [40], width=11_008, height=9_104)        # 100.2 million
    with Decoder(Codec.H264, seconds=60) as decoder:
        assert ends(decoder, unit) == "decoder.too_large"


def test_a_killed_child_ends_the_session_and_leaves_no_zombie():
    unit = encoded(Codec.H264, [40])[0]
    with Decoder(Codec.H264) as decoder:
        decoder.decode(unit)
        os.kill(decoder.pid, signal.SIGKILL)
        assert ends(decoder, unit, unit) == "decoder.died"
        assert ends(decoder, unit) == "decoder.died"                       # and stays ended


def test_a_child_that_hangs_is_killed():
    unit = encoded(Codec.H264, [40])[0]
    with Decoder(Codec.H264, seconds=0.2) as decoder:
        decoder.decode(unit)
        os.kill(decoder.pid, signal.SIGSTOP)
        assert ends(decoder, unit) == "decoder.timeout"


def child(monkeypatch, code):
    """A decoder whose child runs this code instead."""
    monkeypatch.setattr(decoders, "_START", "import os, sys, struct, time; {}\n".replace("{}", "paths = {!r}\n") + code)
    return Decoder(Codec.H264, seconds=0.3)


READY = "sys.stdout.buffer.write(struct.pack('!BIHHHH', 5, 0, 0, 0, 0, 0)); sys.stdout.flush()\n"


def says(width, high):
    """The code of a child that answers with a picture of this size before it is asked."""
    return (READY + f"sys.stdout.buffer.write(struct.pack('!BIHHHH', 2, 0, 9, 9, {width}, {high}))\n"
            "sys.stdout.flush(); time.sleep(60)")


@pytest.mark.parametrize(("code", "rule"), [
    (READY + "time.sleep(60)", "decoder.timeout"),
    (READY + "os.close(0); time.sleep(60)", "decoder.died"),
    ("sys.exit(3)", "decoder.died"),
    ("raise SystemError", "decoder.died"),
    (READY + "sys.stdout.buffer.write(b'x'); sys.stdout.flush(); time.sleep(60)", "decoder.timeout"),
])
def test_a_child_that_was_taken_over_is_ended(monkeypatch, code, rule):
    """Silent, dead, or answering out of form; a large unit fills the pipe of one that does not read."""
    with child(monkeypatch, code) as decoder:
        assert ends(decoder, AccessUnit(b"x" * 300_000, 0, key=True)) == rule


@pytest.mark.parametrize(("width", "high", "rule"), [(65535, 65535, "decoder.nonsense"), (0, 0, "decoder.nonsense"),
                                                     (481, 1, "decoder.nonsense"), (9, 9, "decoder.timeout")])
def test_a_picture_out_of_form_is_not_read(monkeypatch, width, high, rule):
    with child(monkeypatch, says(width, high)) as decoder:
        assert ends(decoder, AccessUnit(b"x", 0, key=True)) == rule


def test_the_child_is_confined():
    with Decoder(Codec.H264) as decoder:
        decoder.decode(encoded(Codec.H264, [40])[0])
        proc = Path(f"/proc/{decoder.pid}")
        limits = {line[:26].strip(): line[26:].split()[:2] for line in (proc / "limits").read_text().splitlines()}
        descriptors = {entry.name: str(entry.readlink()) for entry in (proc / "fd").iterdir()}
        environment = (proc / "environ").read_bytes()
        words = (proc / "cmdline").read_bytes()
    assert limits["Max open files"] == ["0", "0"]
    assert limits["Max file size"] == ["0", "0"]
    assert limits["Max core file size"] == ["0", "0"]
    assert limits["Max address space"] == [str(decoder_child.MEMORY)] * 2
    assert set(descriptors) == {"0", "1", "2"}
    assert descriptors["2"] == "/dev/null"
    assert all(descriptors[n].startswith("pipe:") for n in "01")
    assert environment == b"LC_ALL=C.UTF-8\0"
    assert b"://" not in words


def test_the_child_cannot_open_a_file_or_a_socket_once_it_decodes(tmp_path):
    """The same limit, asked of the kernel: in a process of our own, since the real child offers no way to try."""
    code = ("import resource, socket; resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))\n"
            "for attempt in (lambda: open('/etc/passwd'), lambda: socket.socket()):\n"
            "    try: attempt()\n"
            "    except OSError as error: print(error.errno)\n")
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout.split() == [str(errno.EMFILE)] * 2


def test_closing_is_safe_to_repeat_and_without_use():
    decoder = Decoder(Codec.H265)
    decoder.close()
    decoder.close()
    assert not running(decoder.pid)
    with pytest.raises(DecoderError):
        decoder.decode(AccessUnit(b"x", 0, key=True))


def test_no_process_is_no_decoder(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(DecoderError) as caught:
        Decoder(Codec.H264)
    assert caught.value.rule == "decoder.died"


def test_the_child_ends_with_its_parents_pipe():
    decoder = Decoder(Codec.H264)
    decoder.decode(encoded(Codec.H264, [40])[0])
    decoder._process.stdin.close()
    assert decoder._process.wait(timeout=30) == 0
    decoder.close()


