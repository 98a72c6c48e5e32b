"""Checks what somebody says of a device against what was seen of it: proven, not proven, or contradicted.

A claim is proven only for what was observed: for as long as a capture watched and from where, or for the moment at
which a port or a page was asked. The answer says which. A vendor's word proves nothing, and neither does silence: a
device nobody saw is not shown to be offline. One observation is enough to contradict.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rules.destinations import Purpose, is_outside
from rules.predicates import Progress, progress_of
from rules.predicates_egress import CONFIDENCE, asks_outside_resolver
from scanner import clock
from scanner.observation import Attempt, AttemptStatus, Observation

__all__ = ["KINDS", "LONG_ENOUGH_S", "Answer", "Claim", "Ground", "Kind", "Proof", "Standing", "Watch", "check"]

LONG_ENOUGH_S = 24 * 3600.0
"""How long must be watched before absence is shown: devices update, synchronise and report once a day."""


class Standing(StrEnum):
    """How a claim stands."""

    PROVEN = "proven"
    NOT_PROVEN = "not_proven"
    CONTRADICTED = "contradicted"


class Claim(StrEnum):
    """What may be said of a device; the words are those of the command line."""

    NO_NETWORK = "no network connectivity"
    NO_OUTSIDE = "no outside connections"
    NO_CLOUD = "no cloud connection"
    NO_P2P = "no peer-to-peer access"
    LOCAL_DNS = "only local dns"
    NO_UPNP = "no upnp"
    NO_TELNET = "no telnet"
    RTSP_LOGIN = "rtsp requires login"
    HTTP_LOGIN = "http requires login"
    ENCRYPTED = "encrypted management only"
    NO_DATA = "no personal data stored"
    NO_FACES = "face recognition off"


@dataclass(frozen=True, slots=True)
class Watch:
    """What a capture covers: how long, from where, and whether it is whole."""

    seconds: float
    vantage: str
    complete: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """How one claim stands, why, what it rests on, and within which bounds it holds."""

    claim: Claim
    standing: Standing
    because: str
    evidence: tuple[str, ...] = ()
    watched_s: float = 0.0
    vantage: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """Everything a claim may rest on: what was seen, what was tried, and what a capture covers."""

    seen: Sequence[Observation]
    attempts: Sequence[Attempt]
    watch: Watch | None


@dataclass(frozen=True, slots=True)
class Proof:
    """Why a claim holds, within which bounds, and the ids of the observations that show it."""

    because: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """What contradicts a claim, and what proves it: a `Proof`, or the reason why it is not proven."""

    against: Callable[[Sequence[Observation]], list[Observation]]
    proof: Callable[[Ground], Proof | str]


# What contradicts -----------------------------------------------------------------------------------------------------

_ON_THE_WIRE = frozenset({"import", "channel", "label"})          # what others say of a device is no packet of its own
_UPNP_SIGNS = frozenset({"port-mapping", "gateway-search"})
_TELNET, _FTP, _WEB = (23, 2323), (21,), (80,)
_TLS_PORTS = frozenset({443, 4443, 8443})


def _any_packet(seen: Sequence[Observation]) -> list[Observation]:
    return [o for o in seen if o.transport not in _ON_THE_WIRE and o.text("state") not in {"closed", "filtered"}]


def _outside(seen: Sequence[Observation]) -> list[Observation]:
    """What it said to an address outside; that somebody knocks and gets no answer is not of its doing."""
    return [o for o in seen if o.transport == "egress" and is_outside(o.text("destination"))
            and (not o.fields.get("inbound") or o.fields.get("packets_out"))]


def _cloud(seen: Sequence[Observation]) -> list[Observation]:
    harmless = {Purpose.NTP, Purpose.DNS, Purpose.LOCAL}
    return [o for o in _outside(seen)
            if o.text("cloud_of") or (o.text("purpose") and o.text("purpose") not in harmless)]


def _p2p(seen: Sequence[Observation]) -> list[Observation]:
    return [o for o in _outside(seen) if o.text("purpose") in {Purpose.P2P, Purpose.RELAY}
            or set(o.values("signs")) & (CONFIDENCE.keys() | {"stun"})]


def _foreign_dns(seen: Sequence[Observation]) -> list[Observation]:
    return [o for o in _outside(seen) if asks_outside_resolver(o)]


def _upnp(seen: Sequence[Observation]) -> list[Observation]:
    return [o for o in seen if (o.transport == "ssdp" and not o.text("refusal"))
            or (o.transport == "http" and o.text("document") == "upnp")
            or (o.transport == "egress" and (o.port == 1900 or set(o.values("signs")) & _UPNP_SIGNS))]


def _open_port(seen: Sequence[Observation], ports: Sequence[int]) -> list[Observation]:
    return [o for o in seen if o.transport == "tcp" and o.port in ports and o.text("state") == "open"]


def _telnet(seen: Sequence[Observation]) -> list[Observation]:
    named = [o for o in seen if o.transport == "tcp" and o.text("state") == "open" and o.text("service") == "telnet"]
    return [*_open_port(seen, _TELNET), *(o for o in named if o.port not in _TELNET)]


def _status(observation: Observation) -> int:
    value = observation.fields.get("status", 0)
    return int(value) if isinstance(value, int | float) else 0


def _open_stream(seen: Sequence[Observation]) -> list[Observation]:
    """A stream that is described without a login, unless the device describes any path at all."""
    open_to_all = [o for o in seen if o.transport == "rtsp" and o.probe == "rtsp.describe" and _status(o) == 200]
    anything = any(o.probe == "rtsp.describe_random_path" and _status(o) == 200 for o in seen)
    return [] if anything else open_to_all


def _handed_out(seen: Sequence[Observation]) -> list[Observation]:
    """Documents of the device, not pages for a browser, that came without a login; so do media profiles."""
    documents = [o for o in seen if o.transport == "http" and o.probe.startswith("http.") and _status(o) == 200
                 and o.text("document") not in {"", "upnp"}]
    profiles = [o for o in seen if o.transport == "onvif" and o.probe == "onvif.GetProfiles" and o.values("profiles")]
    return [*documents, *profiles]


def _in_clear(seen: Sequence[Observation]) -> list[Observation]:
    """A page over plain HTTP that does not lead to HTTPS, telnet, or FTP."""
    secured = _TLS_PORTS | {o.port for o in seen if o.transport == "tls"}
    pages = [o for o in seen if o.transport == "http" and o.probe == "http.root" and o.port not in secured
             and (_status(o) in {200, 401, 403} or 300 <= _status(o) < 400)
             and not o.text("location").lower().startswith("https://")]
    return [*pages, *_telnet(seen), *_open_port(seen, _FTP)]


_RECOGNISES = r"face[-_ ]?(?:recogni|identif|match|compar|contrast|lib)|fdlib"
_CONFIGURED = rf"<(?:\w+:)?(?:AnalyticsModule|Rule)\b[^>]{{0,400}}\bType=\"[^\"]{{0,100}}(?:{_RECOGNISES})"
_MODULE = re.compile(_CONFIGURED.encode(), re.IGNORECASE)
_TOPIC = re.compile(rb"<(?:\w+:)?Recognition\b[^>]{0,200}>\s{0,40}<(?:\w+:)?Face\b|RuleEngine/Recognition/Face",
                    re.IGNORECASE)
_SWITCHED_ON = re.compile(r"<enabled>\s{0,10}true", re.IGNORECASE)
_ROOT = re.compile(_RECOGNISES, re.IGNORECASE)


def _faces(seen: Sequence[Observation]) -> list[Observation]:
    """A configured module or rule that recognises faces, an event topic of recognised ones, or the switch in ISAPI."""
    found = []
    for one in seen:
        configured = one.transport == "onvif" and (_MODULE.search(one.raw) or _TOPIC.search(one.raw))
        switched = (one.transport == "http" and _ROOT.search(one.text("xml_root"))
                    and _SWITCHED_ON.search(one.text("body")))
        if configured or switched:
            found.append(one)
    return found


# What proves ----------------------------------------------------------------------------------------------------------

def _never(why: str) -> Callable[[Ground], str]:
    return lambda _ground: why


def _watched(what: str) -> Callable[[Ground], Proof | str]:
    """A whole capture that saw the device long enough and none of `what`."""
    def proof(ground: Ground) -> Proof | str:
        short = _short(ground)
        if short or ground.watch is None:
            return short
        seen = tuple(o.id for o in ground.seen if o.transport == "egress")
        return Proof(f"{what} in {ground.watch.seconds / 3600:.1f} hours from {ground.watch.vantage}; beyond that "
                     "nothing is said", seen)
    return proof


def _nothing_outside(short_of: str) -> Callable[[Ground], Proof | str]:
    """Proven where nothing at all went outside; else there are destinations of which nobody knows what they are."""
    def proof(ground: Ground) -> Proof | str:
        return short_of if _outside(ground.seen) else _watched("nothing at all went outside")(ground)
    return proof


def _unreachable(ground: Ground) -> Proof | str:
    spoken = dict.fromkeys(sign for o in ground.seen for sign in o.values("signs") if sign in CONFIDENCE)
    if spoken:
        return f"it speaks {', '.join(CONFIDENCE[sign][0] for sign in spoken)} on the local network"
    return _nothing_outside("a peer-to-peer protocol whose form nobody published would not be recognised")(ground)


def _short(ground: Ground) -> str:
    """Why a capture is too little to show absence; empty where it is enough."""
    watch = ground.watch
    if watch is None:
        return "no capture was given"
    if not watch.complete:
        return "the capture is not whole"
    if not any(a.probe == "egress.capture" and a.status is AttemptStatus.COMPLETED for a in ground.attempts):
        return "the capture shows no packet of this device, so it was not where the device speaks"
    if watch.seconds < LONG_ENOUGH_S:
        return (f"watched for {watch.seconds / 3600:.1f} hours only; what a device does once a day needs "
                f"{LONG_ENOUGH_S / 3600:.0f}")
    return ""


def _closed(ground: Ground, ports: Iterable[int]) -> Proof | str:
    """Every port refused a connection when it was asked; a port nobody asked, or that is filtered, proves nothing."""
    evidence: list[str] = []
    asked = list(ports)
    for port in asked:
        refused = [o for o in ground.seen if o.transport == "tcp" and o.port == port and o.text("state") == "closed"]
        if not refused and progress_of(ground.attempts, "tcp.connect", port).progress is not Progress.CLOSED:
            return f"TCP {port} was not asked, or did not answer"
        evidence += [o.id for o in refused]
    when = max((a.at for a in ground.attempts if a.probe == "tcp.connect" and a.port in asked), default=None)
    when = when or max((o.at for o in ground.seen if o.transport == "tcp" and o.port in asked), default=None)
    at = f" on {clock.stamp(when)}" if when else ""
    listed = " and ".join(map(str, asked))
    return Proof(f"TCP {listed} refused a connection{at} from where the sweep asked; other ports and other times are "
                 "not covered", tuple(evidence))


def _no_telnet(ground: Ground) -> Proof | str:
    return _closed(ground, _TELNET[:1])


def _stream_refused(ground: Ground) -> Proof | str:
    refused = [o for o in ground.seen if o.transport == "rtsp" and o.probe == "rtsp.describe" and _status(o) == 401]
    if not refused:
        return "no stream was asked for that wanted a login; what was not asked is not known"
    paths = ", ".join(dict.fromkeys(o.text("path") or "/" for o in refused))
    return Proof(f"{paths} wanted a login on {clock.stamp(max(o.at for o in refused))}; other paths and other times "
                 "are not covered", tuple(o.id for o in refused))


def _page_refused(ground: Ground) -> Proof | str:
    pages = [o for o in ground.seen if o.transport == "http" and o.probe == "http.root"]
    refused = [o for o in pages if _status(o) == 401]
    if not pages:
        return "no page was seen"
    if len(refused) < len(pages):
        return "a page that answers may be a login form: what lies behind it was not tried"
    ports = ", ".join(str(o.port) for o in refused)
    return Proof(f"the first page of port {ports} wanted a login on {clock.stamp(max(o.at for o in refused))}; other "
                 "pages and other times are not covered", tuple(o.id for o in refused))


def _secured(ground: Ground) -> Proof | str:
    handshakes = [o for o in ground.seen if o.transport == "tls"]
    if not handshakes:
        return "no encrypted management was seen"
    led = [o for o in ground.seen if o.transport == "http" and o.probe == "http.root" and o.port in _WEB
           and o.text("location").lower().startswith("https://")]
    closed = _closed(ground, (*_FTP, *_TELNET[:1], *(() if led else _WEB)))
    if isinstance(closed, str):
        return closed
    return Proof(closed.because, (*(o.id for o in (*handshakes, *led)), *closed.evidence))


KINDS: Mapping[Claim, Kind] = {
    Claim.NO_NETWORK: Kind(_any_packet, _never("silence where somebody listened does not show that it cannot speak; "
                                               "open it, or keep it off every network")),
    Claim.NO_OUTSIDE: Kind(_outside, _watched("none was seen")),
    Claim.NO_CLOUD: Kind(_cloud, _nothing_outside("a destination whose owner is not known may be a cloud")),
    Claim.NO_P2P: Kind(_p2p, _unreachable),
    Claim.LOCAL_DNS: Kind(_foreign_dns, _watched("no name was asked outside")),
    Claim.NO_UPNP: Kind(_upnp, _watched("no UPnP was seen")),
    Claim.NO_TELNET: Kind(_telnet, _no_telnet),
    Claim.RTSP_LOGIN: Kind(_open_stream, _stream_refused),
    Claim.HTTP_LOGIN: Kind(_handed_out, _page_refused),
    Claim.ENCRYPTED: Kind(_in_clear, _secured),
    Claim.NO_DATA: Kind(_faces, _never("what a device stores cannot be seen from the network")),
    Claim.NO_FACES: Kind(_faces, _never("what a device computes cannot be seen from the network; that no module for it "
                                        "was seen does not show that there is none")),
}
"""What contradicts and what proves each claim; the last two and the first are beyond proof from outside."""


def check(claim: Claim, observations: Sequence[Observation], attempts: Sequence[Attempt],
          watch: Watch | None) -> Answer:
    """How a claim stands for one device.

    Args:
        claim: what is said.
        observations: everything seen of this device, the ``egress`` ones labelled by `rules.destinations.label`.
        attempts: what was tried on it; a capture counts only where it saw the device.
        watch: what the captures cover; None where there are none.
    """
    kind = KINDS[claim]
    seconds, vantage = (watch.seconds, watch.vantage) if watch else (0.0, "")
    against = kind.against(observations)
    if against:
        return Answer(claim, Standing.CONTRADICTED, f"{len(against)} observations say otherwise: {_shown(against)}",
                      tuple(o.id for o in against), seconds, vantage)
    found = kind.proof(Ground(observations, attempts, watch))
    if isinstance(found, str):
        return Answer(claim, Standing.NOT_PROVEN, found, (), seconds, vantage)
    return Answer(claim, Standing.PROVEN, found.because, found.evidence, seconds, vantage)


def _shown(against: Sequence[Observation]) -> str:
    texts = dict.fromkeys(
        f"{(o.values('names') or (o.text('destination'),))[0]}:{o.port or 0}/{o.text('protocol')}"
        if o.transport == "egress" else f"{o.transport} by {o.probe}" for o in against)
    return ", ".join(list(texts)[:5]) + (f" and {len(texts) - 5} more" if len(texts) > 5 else "")
