"""A viewer written for the tests from RFC 2326, 3550, 6184 and 7798: one socket, and it shares no code with the lab."""

import base64
import contextlib
import hashlib
import re
import socket
import struct
from dataclasses import dataclass, field

import av

__all__ = ["PATHS", "Picture", "Viewer", "decode", "gather", "sets_of", "watch"]

PATHS = {
    "axis": "/axis-media/media.amp", "axis-box": "/axis-media/media.amp", "hanwha": "/profile2/media.smp",
    "bosch": "/rtsp_tunnel", "flir": "/avc", "dahua-tpc": "/cam/realmonitor?channel=1&subtype=0",
}
START = b"\x00\x00\x00\x01"


@dataclass
class Answer:
    status: int
    headers: dict
    body: str


@dataclass
class Picture:
    timestamp: int
    nals: list = field(default_factory=list)


class Viewer:
    """Speaks RTSP to one device; what arrives interleaved in the meantime is kept in `packets` and `reports`."""

    def __init__(self, site, name, *, source="127.0.0.1", password=None):
        persona = site.persona(name)
        self.user, self.password = persona.user, password or persona.password
        self.uri = f"rtsp://{site.address(name)}:{site.port(554)}{PATHS.get(name, '/x')}"
        self.socket = socket.create_connection((site.address(name), site.port(554)), 15, source_address=(source, 0))
        self.buffer, self.packets, self.reports = b"", [], []
        self.challenge, self.session, self.sequence, self.expected = "", "", 0, None

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.socket.close()

    def ask(self, method, target=None, *headers, login=True):
        """One exchange, with a second try where a login is asked for and `login` allows it."""
        answer = self._exchange(method, target or self.uri, headers, login)
        if answer.status == 401 and login:
            self.challenge = answer.headers["www-authenticate"]
            answer = self._exchange(method, target or self.uri, headers, login)
        return answer

    def _exchange(self, method, target, headers, login):
        self.sequence += 1
        lines = [f"{method} {target} RTSP/1.0", f"CSeq: {self.sequence}", *headers]
        if self.session:
            lines.append(f"Session: {self.session}")
        if self.challenge and login:
            lines.append(self._authorization(method, target))
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = self._answer()
        assert answer.headers["cseq"] == str(self.sequence)
        return answer

    def _authorization(self, method, target):
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', self.challenge.partition(" ")[2]))

        def h(*parts):
            return hashlib.md5(":".join(parts).encode()).hexdigest()

        one, two = h(self.user, given["realm"], self.password), h(method, target)
        proof, extra = h(one, given["nonce"], two), ""
        if "qop" in given:
            proof = h(one, given["nonce"], "00000001", "c0ffee", "auth", two)
            extra = ', qop=auth, nc=00000001, cnonce="c0ffee"'
        return (f'Authorization: Digest username="{self.user}", realm="{given["realm"]}", nonce="{given["nonce"]}", '
                f'uri="{target}", response="{proof}"{extra}')

    def _more(self):
        chunk = self.socket.recv(65536)
        if not chunk:
            raise EOFError
        self.buffer += chunk

    def _frame(self):
        """Take one interleaved packet off the buffer."""
        while len(self.buffer) < 4 or len(self.buffer) < 4 + int.from_bytes(self.buffer[2:4], "big"):
            self._more()
        channel, size = self.buffer[1], int.from_bytes(self.buffer[2:4], "big")
        (self.packets if channel % 2 == 0 else self.reports).append(self.buffer[4:4 + size])
        self.buffer = self.buffer[4 + size:]

    def _answer(self):
        while True:
            while not self.buffer:
                self._more()
            if self.buffer[:1] == b"$":
                self._frame()
                continue
            while b"\r\n\r\n" not in self.buffer:
                self._more()
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            first, *lines = head.decode().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            size = int(headers.get("content-length", "0"))
            while len(self.buffer) < size:
                self._more()
            body, self.buffer = self.buffer[:size], self.buffer[size:]
            return Answer(int(first.split()[1]), headers, body.decode())

    def describe(self):
        return self.ask("DESCRIBE", None, "Accept: application/sdp")

    def track(self, description):
        """The track's address: its control, joined to the base where it is relative."""
        control = re.findall(r"^a=control:(\S+)", description.body, re.MULTILINE)[-1]
        return control if "://" in control else description.headers["content-base"] + control

    def set_up(self, target, transport="RTP/AVP/TCP;unicast;interleaved=0-1"):
        answer = self.ask("SETUP", target, f"Transport: {transport}")
        if answer.status == 200:
            self.session = answer.headers["session"].partition(";")[0]
        return answer

    def play(self):
        """DESCRIBE, SETUP and PLAY; the answers to the first and the last."""
        description = self.describe()
        assert self.set_up(self.track(description)).status == 200
        return description, self.ask("PLAY", description.headers["content-base"], "Range: npt=0.000-")

    def payloads(self, count):
        """The next `count` RTP packets: marker, sequence, timestamp, payload."""
        while len(self.packets) < count:
            self._frame()
        taken, self.packets = self.packets[:count], self.packets[count:]
        found = []
        for data in taken:
            first, second, sequence, timestamp, _source = struct.unpack_from(">BBHII", data)
            assert (first, second & 0x7F) == (0x80, 96)
            found.append((bool(second & 0x80), sequence, timestamp, data[12:]))
        return found

    def pictures(self, count, *, hevc=False):
        """The next `count` whole pictures; sequence numbers must have no hole."""
        found, open_nals = [], []
        while len(found) < count:
            (marker, sequence, timestamp, payload), = self.payloads(1)
            assert self.expected in (None, sequence)
            self.expected = (sequence + 1) & 0xFFFF
            gather(open_nals, payload, hevc)
            if marker:
                found.append(Picture(timestamp, open_nals))
                open_nals = []
        return found

    def until_closed(self):
        """Read on to the end of the connection; how many bytes still came. A reset counts as an end."""
        size = len(self.buffer)
        with contextlib.suppress(ConnectionResetError):
            while chunk := self.socket.recv(65536):
                size += len(chunk)
        return size


def gather(nals, payload, hevc):
    """Append the NAL units, or the piece of one, that a payload holds."""
    kind, head = (payload[0] >> 1 & 63, 2) if hevc else (payload[0] & 31, 1)
    together, fragment = (48, 49) if hevc else (24, 28)
    if kind == together:
        rest = payload[head:]
        while rest:
            size = int.from_bytes(rest[:2], "big")
            nals.append(rest[2:2 + size])
            rest = rest[2 + size:]
    elif kind == fragment:
        flags, body = payload[head], payload[head + 1:]
        if flags & 0x80:
            first = (payload[0] & 0x81 | (flags & 63) << 1, payload[1]) if hevc else (payload[0] & 0xE0 | flags & 31,)
            nals.append(bytes(first) + body)
        else:
            nals[-1] += body
    else:
        nals.append(payload)


def decode(pictures, *, hevc=False):
    """The decoded frames (PyAV); what cannot be decoded is left out."""
    decoder = av.CodecContext.create("hevc" if hevc else "h264", "r")
    decoder.thread_count = 1
    frames = []
    for picture in pictures:
        try:
            frames += decoder.decode(av.Packet(b"".join(START + nal for nal in picture.nals)))
        except av.error.FFmpegError:
            continue
    return frames + decoder.decode(None)


def watch(site, name, count, *, hevc=False):
    """Play a device's stream from its beginning and decode `count` pictures."""
    with Viewer(site, name) as viewer:
        assert viewer.play()[1].status == 200
        return decode(viewer.pictures(count, hevc=hevc), hevc=hevc)


def sets_of(description):
    """The parameter sets that a description names."""
    texts = re.findall(r"sprop-[a-z-]+=([^;\s]+)", description.body)
    return [base64.b64decode(text) for group in texts for text in group.split(",")]
