"""A tiny RTSP device on loopback, in a thread: it asks for logins, streams packets and misbehaves as it is told."""

import hashlib
import re
import socket
import struct
import threading

SDP = ("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=x\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
       "a=fmtp:96 packetization-mode=1\r\na=control:{control}\r\n")
IDR, SLICE = b"\x65" + b"i" * 40, b"\x41" + b"p" * 40


def rtp(payload, sequence, timestamp, marker=True):
    """One RTP packet of payload type 96."""
    return struct.pack(">BBHII", 0x80, 96 | 0x80 * marker, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, 7) + payload


def interleaved(packet, channel=0):
    """A packet as it travels within the RTSP connection (RFC 2326 section 10.12)."""
    return struct.pack(">BBH", 0x24, channel, len(packet)) + packet


def pictures(count, first=0, channel=0):
    """`count` pictures of one packet each, the first a key picture, 3600 ticks apart."""
    return b"".join(interleaved(rtp(SLICE if i else IDR, i, i * 3600), channel) for i in range(first, first + count))


class Request:
    """What came: method, URI, headers in lower case."""

    def __init__(self, text):
        start, *lines = text.split("\r\n")
        self.method, self.uri, _ = start.split(" ", 2)
        self.headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines) if v}

    @property
    def path(self):
        """The path of the URI."""
        return re.sub(r"^rtsp://[^/]*", "", self.uri)

    def proves(self, realm, nonce, user, password, algorithm="md5", qop=True):
        """Whether its Digest answer is the right one for this login (RFC 7616, RFC 2069), by our own sums."""
        sent = self.headers.get("authorization", "")

        def field(name):
            found = re.search(rf'[ ,]{name}="?([^",]*)', sent)
            return found[1] if found else ""

        def digest(text):
            return hashlib.new(algorithm, text.encode()).hexdigest()

        secret, target = digest(f"{user}:{realm}:{password}"), digest(f"{self.method}:{self.uri}")
        middle = f":{field('nc')}:{field('cnonce')}:auth" if qop else ""
        return field("nonce") == nonce and field("response") == digest(f"{secret}:{nonce}{middle}:{target}")


class Device:
    """Serves every connection of a context. `requests` are what came; `played` runs after PLAY with the socket.

    Args:
        answers: functions by method, ``(request, device) -> bytes``; the others are answered as a good device would.
        challenges: for a request that `login` does not accept: ``WWW-Authenticate`` values.
        login: ``request -> bool``.
        control: the track's ``a=control``.
        base: the ``Content-Base``.
        played: ``(socket, device)``, after PLAY was answered.
        early: bytes to send between PLAY and its answer.
    """

    def __init__(self, *, answers=None, challenges=(), login=None, control="track1", base="", played=None, early=b"",
                 public="OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN", session="4711;timeout=60",
                 transport="RTP/AVP/TCP;unicast;interleaved=0-1"):
        self.answers, self.challenges, self.login = answers or {}, challenges, login
        self.control, self.base, self.played, self.early = control, base, played, early
        self.public, self.session, self.transport = public, session, transport
        self.requests, self.connections = [], 0
        self.over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = []

    @property
    def port(self):
        """Where it listens."""
        return self._listener.getsockname()[1]

    def methods(self):
        """The methods that came, in order."""
        return [request.method for request in self.requests]

    def __enter__(self):
        self._start(self._accept)
        return self

    def __exit__(self, *_):
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def _start(self, target, *args):
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while not self.over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, connection)

    def _serve(self, connection):
        with connection:
            connection.settimeout(0.05)
            data = b""
            while True:                              # to the client's end, so that its goodbye is heard
                head, end, rest = data.partition(b"\r\n\r\n")
                if end:
                    data = rest
                    if not self._answer(connection, Request(head.decode())):
                        return
                    continue
                try:
                    piece = connection.recv(65536)
                except TimeoutError:
                    if self.over.is_set():
                        return
                    continue
                except OSError:
                    return
                if not piece:
                    return
                data += piece

    def _answer(self, connection, request):
        self.requests.append(request)
        try:
            if request.method == "PLAY":
                connection.sendall(self.early)
            connection.sendall(self.reply(request))
            if request.method == "PLAY" and self.played is not None:
                self.played(connection, self)
        except OSError:
            return False
        return request.method != "TEARDOWN"

    def reply(self, request):
        """The answer to one request."""
        if self.login is not None and not self.login(request):
            return answer(request, 401, {"WWW-Authenticate": list(self.challenges)})
        if request.method in self.answers:
            return self.answers[request.method](request, self)
        if request.method == "OPTIONS":
            return answer(request, 200, {"Public": [self.public]})
        if request.method == "DESCRIBE":
            base = {"Content-Base": [self.base]} if self.base else {}
            return answer(request, 200, base, SDP.format(control=self.control))
        if request.method == "SETUP":
            return answer(request, 200, {"Transport": [self.transport], "Session": [self.session]})
        return answer(request, 200, {})


def answer(request, status, headers=None, body=""):
    """A reply with its CSeq; header values are lists."""
    lines = [f"RTSP/1.0 {status} x", f"CSeq: {request.headers.get('cseq', '0')}"]
    lines += [f"{name}: {value}" for name, values in (headers or {}).items() for value in values]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
