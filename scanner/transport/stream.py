"""A video stream from one pinned address: RTSP over TCP with interleaved RTP (RFC 2326 sections 10 and 10.12).

The client speaks to the address it was given and to nothing else. Redirects, other hosts and other schemes end the
session with a named rule. A login is tried once: a second refusal would count towards a lock. Every exchange and every
picture has a deadline, so a stream that drips is a stream that stalled.
"""

from __future__ import annotations

import re
import secrets
import select
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from scanner.observation import Refusal
from scanner.transport.exchange import PortMap
from scanner.wire import auth, rtp, rtsp, tracks
from scanner.wire.auth import Challenge, Credentials
from scanner.wire.message import Response
from scanner.wire.rtp import AccessUnit, Codec, Depacketizer

__all__ = ["Stream", "StreamError", "StreamLimits"]

KEEPALIVE_SHARE = 0.4              # of the session's timeout
DEFAULT_TIMEOUT_S = 60             # RFC 2326 section 12.37
MOST_HEAD = 64 * 1024
RECEIVE = 64 * 1024
MOST_EARLY = 8 * 1024 * 1024       # bytes of video that may overtake the answer to PLAY
CLOSING_S = 0.2                    # for a goodbye
_NEVER = frozenset({501, 505, 551})  # "not implemented" and the like do not pass; other 5xx are a device that starts
_CHANNELS = re.compile(r"interleaved\s*=\s*(\d{1,3})", re.IGNORECASE)
_TIMEOUT = re.compile(r";\s*timeout\s*=\s*(\d{1,5})", re.IGNORECASE)


class StreamError(Exception):
    """A session that ended or never began: the named rule (``stream.…``) and why in a sentence."""

    def __init__(self, rule: str, because: str) -> None:
        super().__init__(f"{rule}: {because}")
        self.rule, self.because = rule, because


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Deadlines in seconds: to connect, for one RTSP exchange in total, and between two whole pictures."""

    connect_s: float = 5.0
    exchange_s: float = 8.0
    stall_s: float = 4.0


class Stream:
    """One playing session. A context manager; `units` gives pictures until the session ends with a `StreamError`.

    Args:
        address: the pinned IP address.
        path: of the stream, beginning with a slash.
        credentials: the login; ``None`` for a stream that asks for none.
        port: the device's nominal RTSP port, mapped by `ports` in a lab.
        allow_basic: whether the password may be sent in clear text where nothing better is offered.
    """

    def __init__(self, address: str, path: str, credentials: Credentials | None = None, *, port: int = 554,
                 ports: PortMap | None = None, limits: StreamLimits | None = None, allow_basic: bool = False) -> None:
        self._address, self._path, self._credentials = address, path, credentials
        self._port, self._ports = port, ports or PortMap()
        self._limits, self._allow_basic = limits or StreamLimits(), allow_basic
        self._socket: socket.socket | None = None
        self._buffer = bytearray()
        self._early: deque[tuple[int, bytes]] = deque()
        self._early_bytes = 0
        self._channel = 0
        self._sequence = 0
        self._challenge: Challenge | None = None
        self._accepted = False                          # whether the login was accepted with this challenge's nonce
        self._uses = 0
        self._session = ""
        self._keepalive_s = DEFAULT_TIMEOUT_S * KEEPALIVE_SHARE
        self._base = path
        self._methods: frozenset[str] = frozenset()
        self._reader: Depacketizer | None = None
        self.codec = Codec.H264

    @property
    def counters(self) -> rtp.Counters:
        """What came and what was dropped so far."""
        return self._reader.counters if self._reader else rtp.Counters()

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    # -- opening -------------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        self._connect()
        options = self._request("OPTIONS", self._path)
        self._methods = frozenset(m.strip().upper() for v in options.all("public") for m in v.split(","))
        described = self._answered("DESCRIBE", self._path)
        session, found = tracks.read(described.body)
        chosen = tracks.video(found)
        if chosen is None:
            raise StreamError("stream.no_video", "the session offers no H.264 or H.265 video")
        track, self.codec = chosen
        self._base = self._resolve(described.header("content-base") or described.header("content-location"), self._path)
        aggregate = self._resolve(session, self._base)
        setup = self._answered("SETUP", self._resolve(track.control, self._base),
                               {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"})
        self._session, self._keepalive_s = _session(setup.header("session"))
        channels = _CHANNELS.search(setup.header("transport"))
        if channels is None:
            raise StreamError("stream.transport", "the device does not send video over the connection")
        self._channel = int(channels[1])                # it may choose others than it was offered
        self._reader = Depacketizer(self.codec, rtp.parameter_sets(track.fmtp))
        self._base = aggregate
        self._answered("PLAY", aggregate, {"Range": "npt=0.000-"})

    def _connect(self) -> None:
        port = self._ports.tcp.get(self._port, self._port)
        try:
            self._socket = socket.create_connection((self._address, port), self._limits.connect_s)
        except TimeoutError:
            raise StreamError("stream.unreachable", "no connection within the deadline") from None
        except OSError as error:
            raise StreamError("stream.unreachable", error.strerror or "no connection") from None
        self._socket.setblocking(False)

    def _resolve(self, control: str, base: str) -> str:
        path = tracks.path_of(control, base, self._address)
        if isinstance(path, Refusal):
            raise StreamError(f"stream.{path.reason}", f"the session description points elsewhere ({path.detail})")
        return path

    # -- requests ------------------------------------------------------------------------------------------------------

    def _answered(self, method: str, path: str, headers: dict[str, str] | None = None) -> Response:
        """A request that must succeed. Raises `StreamError` naming why it did not."""
        response = self._request(method, path, headers)
        if 200 <= response.status < 300:
            return response
        if 300 <= response.status < 400:
            raise StreamError("stream.redirected", f"{method} was answered with {response.status} to another address")
        if response.status == 453 or (response.status >= 500 and response.status not in _NEVER):
            raise StreamError("stream.busy", f"the device has no stream to spare ({response.status})")
        raise StreamError("stream.refused", f"{method} was answered with {response.status}")

    def _request(self, method: str, path: str, headers: dict[str, str] | None = None) -> Response:
        """One exchange; a challenge is answered once, and never again after a refusal."""
        response = self._exchange(method, path, headers or {})
        if response.status != 401:
            self._accepted = self._challenge is not None
            return response
        self._take_challenge(response)
        response = self._exchange(method, path, headers or {})
        if response.status == 401:
            raise StreamError("stream.auth_rejected", "the device refused the login; it is not tried again")
        self._accepted = True
        return response

    def _take_challenge(self, response: Response) -> None:
        """Answer this 401 from now on. Raises `StreamError` where it may not be answered, or is itself an answer."""
        offered = auth.challenges(response.all("www-authenticate"))
        if self._challenge is not None and not self._is_stale(offered):
            raise StreamError("stream.auth_rejected", "the device refused the login; it is not tried again")
        if self._credentials is None:
            raise StreamError("stream.auth_required", "the stream asks for a login and none was given")
        chosen = auth.strongest(offered, allow_basic=self._allow_basic)
        if chosen is None:
            kinds = ", ".join(sorted({c.scheme for c in offered})) or "an unreadable challenge"
            raise StreamError("stream.auth_not_understood", f"the device offers {kinds}, none of which may be answered")
        self._challenge, self._uses, self._accepted = chosen, 0, False

    def _is_stale(self, offered: Sequence[Challenge]) -> bool:
        """Whether a 401 only says that the nonce is too old (RFC 7616 section 3.3): the password was right.

        Firmware forgets to say so; a new nonce after the old one was accepted means the same.
        """
        used = self._challenge.parameters.get("nonce") if self._challenge is not None else None
        nonces = {challenge.parameters.get("nonce") for challenge in offered if challenge.scheme == "digest"}
        return any(challenge.parameters.get("stale", "").lower() == "true" for challenge in offered) or (
            self._accepted and bool(nonces) and used not in nonces)

    def _exchange(self, method: str, path: str, headers: dict[str, str]) -> Response:
        deadline = time.monotonic() + self._limits.exchange_s
        self._send(method, path, headers, deadline)
        while True:
            response = self._take_response()
            if response is not None:
                if response.status >= 200:              # an interim reply (RFC 2326 section 11) is no answer
                    return response
                continue
            packet = self._take_packet()
            if packet is not None:
                self._early.append(packet)              # video may overtake the answer to PLAY
                self._early_bytes += len(packet[1])
                if self._early_bytes > MOST_EARLY:
                    raise StreamError("stream.malformed", f"more video than can be held before the answer to {method}")
            elif not self._receive(deadline):
                raise StreamError("stream.timeout", f"{method} was not answered within the deadline")

    def _send(self, method: str, path: str, headers: dict[str, str], deadline: float) -> None:
        self._sequence += 1
        host = f"[{self._address}]" if ":" in self._address else self._address
        uri = f"rtsp://{host}:{self._port}{path}"
        lines = dict(headers) | ({"Session": self._session} if self._session else {})
        if self._challenge is not None and self._credentials is not None:
            self._uses += 1
            try:
                proof = auth.authorization(self._challenge, self._credentials, method, uri,
                                           cnonce=secrets.token_hex(8), count=self._uses)
            except UnicodeEncodeError:                  # its text would show a part of the password
                raise StreamError("stream.credentials", "the login holds bytes that are no text") from None
            if isinstance(proof, Refusal):
                raise StreamError("stream.auth_not_understood", f"{proof.reason} {proof.detail}")
            lines["Authorization"] = proof
        try:
            data = memoryview(rtsp.request(method, uri, self._sequence, lines))
        except ValueError as error:
            raise StreamError("stream.malformed", str(error)) from None
        while data:
            if not self._ready(select.POLLOUT, deadline):
                raise StreamError("stream.timeout", f"{method} could not be sent within the deadline")
            try:
                data = data[self._open_socket().send(data):]
            except BlockingIOError:
                continue
            except OSError as error:
                raise StreamError("stream.closed", error.strerror or "the connection broke") from None

    # -- bytes ---------------------------------------------------------------------------------------------------------

    def _open_socket(self) -> socket.socket:
        if self._socket is None:
            raise StreamError("stream.closed", "the session is over")
        return self._socket

    def _ready(self, event: int, deadline: float) -> bool:
        """Wait for the socket; false once the deadline has passed. `poll`, since `select` ends at descriptor 1023."""
        waiting = select.poll()
        waiting.register(self._open_socket(), event)
        left = deadline - time.monotonic()
        return left > 0 and bool(waiting.poll(left * 1000))

    def _receive(self, deadline: float) -> bool:
        """Wait for more bytes; false once the deadline has passed."""
        if not self._ready(select.POLLIN, deadline):
            return False
        try:
            piece = self._open_socket().recv(RECEIVE)
        except BlockingIOError:
            return True
        except OSError as error:
            raise StreamError("stream.closed", error.strerror or "the connection broke") from None
        if not piece:
            raise StreamError("stream.closed", "the device closed the connection")
        self._buffer += piece
        return True

    def _take_packet(self) -> tuple[int, bytes] | None:
        """One interleaved packet (channel, payload) from the buffer's front; ``None`` where there is none whole."""
        if len(self._buffer) < 4 or self._buffer[0] != 0x24:
            return None
        size = int.from_bytes(self._buffer[2:4])
        if len(self._buffer) < 4 + size:
            return None
        channel, payload = self._buffer[1], bytes(self._buffer[4:4 + size])
        del self._buffer[:4 + size]
        return channel, payload

    def _take_response(self) -> Response | None:
        """One RTSP reply from the front of the buffer; ``None`` where none has come whole."""
        while self._buffer.startswith((b"\r", b"\n")):  # firmware ends a reply with a line too many
            del self._buffer[:1]
        if not self._buffer or self._buffer[0] == 0x24:
            return None
        if self._buffer.startswith(b"REDIRECT "):
            raise StreamError("stream.redirected", "the device asked to go on elsewhere")
        if not any(start.startswith(self._buffer[:len(start)]) for start in (b"RTSP/", b"REDIRECT ")):
            raise StreamError("stream.malformed", "bytes that are neither RTP nor RTSP")
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            if len(self._buffer) > MOST_HEAD:
                raise StreamError("stream.malformed", "a reply without an end")
            return None
        head = rtsp.read(bytes(self._buffer[:head_end + 4]))
        if isinstance(head, Refusal):
            raise StreamError("stream.malformed", f"a reply that cannot be read ({head.reason})")
        length = head.header("content-length")
        size = int(length) if length.isascii() and length.isdigit() and len(length) < 7 else 0
        if size > MOST_HEAD:
            raise StreamError("stream.malformed", "a session description that is too large")
        if len(self._buffer) < head_end + 4 + size:
            return None
        whole = bytes(self._buffer[:head_end + 4 + size])
        del self._buffer[:head_end + 4 + size]
        response = rtsp.read(whole)
        if isinstance(response, Refusal):
            raise StreamError("stream.malformed", f"a reply that cannot be read ({response.reason})")
        return response

    # -- playing -------------------------------------------------------------------------------------------------------

    def units(self) -> Iterator[AccessUnit]:
        """Whole pictures as they come. Ends only by `StreamError` or by `close`.

        A picture must be whole within `StreamLimits.stall_s` of the last one, however many bytes drip in between.
        """
        if self._reader is None:
            raise StreamError("stream.closed", "the session was not opened")
        stalled = time.monotonic() + self._limits.stall_s
        alive = time.monotonic() + self._keepalive_s
        renewed = False                                 # whether the last keepalive was a repetition
        while True:
            while (packet := self._early.popleft() if self._early else self._take_packet()) is not None:
                if packet[0] != self._channel:          # RTCP and what nobody asked for
                    continue
                for unit in self._reader.feed(packet[1]):
                    yield unit
                    # From here on, not from before: the time that a picture takes us is not the device's.
                    stalled = time.monotonic() + self._limits.stall_s
            response = self._take_response()
            if response is not None and response.status != 401:
                self._accepted = self._challenge is not None
            elif response is not None:
                if renewed:
                    raise StreamError("stream.auth_rejected", "the device calls every nonce too old")
                self._take_challenge(response)
                self._keep_alive()
                renewed = True
            if time.monotonic() >= alive:
                alive = time.monotonic() + self._keepalive_s
                self._keep_alive()
                renewed = False
            if response is None and not self._receive(min(stalled, alive)) and time.monotonic() >= stalled:
                raise StreamError("stream.stalled", f"no whole picture within {self._limits.stall_s:g} s")

    def _keep_alive(self) -> None:
        """Tell the device that somebody is still watching (RFC 2326 section 10.8)."""
        method = "GET_PARAMETER" if "GET_PARAMETER" in self._methods else "OPTIONS"
        self._send(method, self._base, {}, time.monotonic() + self._limits.exchange_s)

    def close(self) -> None:
        """Say goodbye (TEARDOWN, without waiting for an answer) and close. Safe to repeat."""
        if self._socket is None:
            return
        try:
            if self._session:
                self._send("TEARDOWN", self._base, {}, time.monotonic() + CLOSING_S)
        except StreamError:
            pass                                        # a broken connection needs no goodbye
        finally:
            self._socket.close()
            self._socket = None
            self._session = ""


def _session(value: str) -> tuple[str, float]:
    """The session's id, and after how many seconds to say that somebody is still watching."""
    told = _TIMEOUT.search(value)
    timeout = int(told[1]) if told else DEFAULT_TIMEOUT_S
    return value.partition(";")[0].strip(), max(1.0, timeout * KEEPALIVE_SHARE)
