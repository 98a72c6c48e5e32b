"""Conditions that one field cannot say: each looks at one device's case and answers with a result and its reason.

A predicate is pure, named in a check's ``fails``, and registered by its decorator. It returns a failure only on what
was seen; where it cannot tell, it says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from rules.destinations import Purpose, is_outside
from rules.vocabulary import Identity, Kind, Status
from scanner.observation import Attempt, AttemptStatus, Observation, Reason
from scanner.wire.tls_hello import LEGACY_VERSIONS, is_weak_suite

__all__ = ["FIRMWARE_MONTHS", "PREDICATES", "Case", "Made", "Predicate", "Progress", "Result", "open_ports_result",
           "predicate", "progress_of"]


class Progress(StrEnum):
    """What became of a probe, as far as a rule cares."""

    ANSWERED = "answered"        # completed, or refused for want of a login: the device spoke
    CLOSED = "closed"            # the port is known to be closed, or the probe does not apply
    SILENT = "silent"            # a question was sent and nothing came back
    UNFINISHED = "unfinished"    # failed otherwise, or never tried


@dataclass(frozen=True, slots=True)
class Made:
    """The progress of one probe, and the reason in words."""

    progress: Progress
    reason: str


FIRMWARE_MONTHS = 24
"""Firmware built longer ago than this is called old, where no policy says otherwise."""
_CAPTURE = "egress.capture"
_ANSWERED = frozenset({Reason.AUTH_REQUIRED})
_CLOSED = frozenset({Reason.PORT_CLOSED, Reason.REFUSED, Reason.NOT_APPLICABLE})


def progress_of(attempts: Sequence[Attempt], probe: str, port: int | None = None) -> Made:
    """What became of `probe` over all attempts at it, the most telling first: answered, unfinished, silent, closed.

    One port that timed out keeps the probe unfinished though another was closed: nothing is concluded from a part.
    """
    made = [a for a in attempts if a.probe == probe and (port is None or a.port == port)]
    for attempt in made:
        if attempt.status is AttemptStatus.COMPLETED or attempt.reason in _ANSWERED:
            return Made(Progress.ANSWERED, "answered")
    if not made:
        return Made(Progress.UNFINISHED, "not attempted")
    open_ends = [a for a in made if a.reason not in _CLOSED and not _silent(a)]
    if open_ends:
        return Made(Progress.UNFINISHED, _words(open_ends[0]))
    silent = [a for a in made if _silent(a)]
    if silent:
        return Made(Progress.SILENT, _words(silent[0]))
    return Made(Progress.CLOSED, _words(made[0]))


def _silent(attempt: Attempt) -> bool:
    return attempt.status is AttemptStatus.FAILED and attempt.reason is Reason.NO_ANSWER


def _words(attempt: Attempt) -> str:
    status = "not attempted" if attempt.status is AttemptStatus.NOT_ATTEMPTED else "failed"
    reason = str(attempt.reason).replace("_", " ") if attempt.reason else "no reason given"
    return f"{status}, {reason}" + (f" ({attempt.detail})" if attempt.detail else "")


@dataclass(frozen=True, slots=True)
class Case:
    """One device before the checks: who it is, what was seen of it, what was tried on it, and how old it may be.

    ``firmware_months``: firmware built longer ago than so many months counts as old; the policy says it.
    """

    device: str
    identity: Identity
    observations: tuple[Observation, ...]
    attempts: tuple[Attempt, ...]
    firmware_months: int = FIRMWARE_MONTHS
    _outside: tuple[Observation, ...] | None = field(default=None, init=False, repr=False, compare=False)
    _watched: tuple[str, ...] | None = field(default=None, init=False, repr=False, compare=False)

    def seen(self, transport: str, probe: str | None = None) -> list[Observation]:
        """Observations of one transport, and of one probe where that is given."""
        found = [o for o in self.observations if o.transport == transport]
        return found if probe is None else [o for o in found if o.probe == probe]

    @property
    def outside(self) -> Sequence[Observation]:
        """Its conversations with addresses beyond the local network, whoever began them: where most checks begin."""
        if self._outside is None:
            found = tuple(o for o in self.observations if o.transport == "egress" and is_outside(o.text("destination")))
            # Hundreds of conversations and a dozen checks: they are told apart once, and follow from the observations.
            object.__setattr__(self, "_outside", found)
            return found
        return self._outside

    @property
    def watched(self) -> tuple[str, ...]:
        """The ids of all its conversations: what a check rests on that saw nothing wrong in them."""
        if self._watched is None:
            found = tuple(o.id for o in self.observations if o.transport == "egress")
            object.__setattr__(self, "_watched", found)
            return found
        return self._watched

    def progress(self, probe: str, port: int | None = None) -> Made:
        """What became of a probe; an observation it brought counts where no attempt was recorded.

        A capture that was cut or lost packets brought observations and answers nothing: what is missing may be what
        would have failed.
        """
        if probe == _CAPTURE and any(a.probe == probe for a in self.attempts):
            return progress_of(self.attempts, probe, port)
        if any(o.probe == probe and port in {None, o.port} for o in self.observations):
            return Made(Progress.ANSWERED, "answered")
        return progress_of(self.attempts, probe, port)


@dataclass(frozen=True, slots=True)
class Result:
    """How a condition ended, why, and which observations it rests on."""

    status: Status
    reason: str
    evidence: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()

    @classmethod
    def fail(cls, reason: str, seen: Sequence[Observation] = (), facts: Sequence[tuple[str, str]] = ()) -> Self:
        """The condition holds: the check fails."""
        return cls(Status.FAIL, reason, tuple(o.id for o in seen), tuple(facts))

    @classmethod
    def passed(cls, reason: str, seen: Sequence[Observation] = ()) -> Self:
        """The condition does not hold."""
        return cls(Status.PASS, reason, tuple(o.id for o in seen))

    @classmethod
    def unknown(cls, reason: str, seen: Sequence[Observation] = ()) -> Self:
        """It cannot be told."""
        return cls(Status.NOT_ASSESSED, reason, tuple(o.id for o in seen))


Predicate = Callable[[Case], Result]
PREDICATES: dict[str, Predicate] = {}


def predicate(function: Predicate) -> Predicate:
    """Register a condition under its function's name, by which a check's ``fails`` calls it."""
    PREDICATES[function.__name__] = function
    return function


def _number(observation: Observation, field: str) -> int:
    """A field as a number, 0 where it is none: a device may send anything."""
    text = observation.text(field)
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _answers(observation: Observation) -> bool:
    return 200 <= _number(observation, "status") < 300


# Streams and media profiles ----------------------------------------------------------------------------------------

_TOLD_PATH = "rtsp.describe_told_path"


@predicate
def rtsp_describe_open_and_random_path_refused(case: Case) -> Result:
    """A DESCRIBE without login brought a description, on a port that does not answer 200 to any path.

    Asked are paths that the maker's devices use and the one that the device tells strangers itself (GetStreamUri).
    """
    described = [*case.seen("rtsp", "rtsp.describe"), *case.seen("rtsp", _TOLD_PATH)]
    random = case.seen("rtsp", "rtsp.describe_random_path")
    opened = [o for o in described if _answers(o)]
    talkative = {o.port for o in random if _answers(o)}
    proven = [o for o in opened if o.port in {r.port for r in random} - talkative]
    if proven:
        return Result.fail(f"DESCRIBE {proven[0].text('path') or 'on the stream path'} was answered without a login",
                           proven)
    if any(o.port in talkative for o in opened):
        return Result.unknown("answers 200 to a path that cannot exist, so 200 proves nothing", [*random, *opened])
    if opened:
        return Result.unknown("the stream path answered, but no random path was tried to compare it with", opened)
    told = [o for o in case.seen("onvif", "onvif.GetStreamUri") if o.text("stream_uri")]
    untried = case.progress(_TOLD_PATH)
    if told and untried.progress is Progress.UNFINISHED:
        return Result.unknown(f"the path that it tells strangers was not asked: {untried.reason}", told)
    asked = [o for o in described if _number(o, "status") in {401, 403}]
    if asked:
        return Result.passed("asks for a login", asked)
    if case.progress("rtsp.describe").progress is Progress.ANSWERED and not described:
        return Result.passed("asks for a login")
    statuses = sorted({_number(o, "status") for o in described})
    return Result.unknown(f"no stream path is known (answers: {', '.join(map(str, statuses)) or 'none'})", described)


@predicate
def onvif_profiles_without_login(case: Case) -> Result:
    """GetProfiles, no pre-authentication call, was answered without credentials (ONVIF Core, access classes)."""
    replies = case.seen("onvif", "onvif.GetProfiles")
    refused = [o for o in replies
               if o.text("fault_code") or o.text("fault_reason") or _number(o, "status") in {401, 403}]
    opened = [o for o in replies if o not in refused and _answers(o)]
    if opened:
        count = len(opened[0].values("profiles"))
        streams = [o for o in case.seen("onvif", "onvif.GetStreamUri") if _answers(o) and o.text("stream_uri")]
        also = ", and GetStreamUri tells where the picture is" if streams else ""
        return Result.fail(f"GetProfiles was answered without a login ({count} media profiles){also}",
                           [*opened, *streams])
    if any("auth" in f"{o.text('fault_code')} {o.text('fault_reason')}".lower() or _number(o, "status") in {401, 403}
           for o in refused):
        return Result.passed("asks for a login", refused)
    if not replies and case.progress("onvif.GetProfiles").progress is Progress.ANSWERED:
        return Result.passed("asks for a login")
    return Result.unknown("the answer to GetProfiles tells neither way", replies)


# Ports and the management page ---------------------------------------------------------------------------------------

def _open_ports(case: Case, ports: Sequence[int]) -> tuple[list[Observation], list[int]]:
    """Those of `ports` that are open: observed so, or connected to by a completed attempt without another word."""
    states = {o.port: o for o in case.seen("tcp") if o.port in ports and o.text("state")}
    seen = [o for o in states.values() if o.text("state") == "open"]
    connected = {a.port for a in case.attempts if a.probe == "tcp.connect" and a.port in ports
                 and a.status is AttemptStatus.COMPLETED and a.port not in states}
    return seen, sorted({o.port or 0 for o in seen} | {port or 0 for port in connected})


def open_ports_result(case: Case, ports: Sequence[int], what: str) -> Result:
    """A failure where any of `ports` is open; unknown where one is filtered. Nothing was sent to any of them."""
    seen, opened = _open_ports(case, ports)
    if opened:
        facts = [("banner", o.text("banner")) for o in seen if o.text("banner")]
        return Result.fail(f"{what} on port {', '.join(map(str, opened))}", seen, facts)
    filtered = [o for o in case.seen("tcp") if o.port in ports and o.text("state") == "filtered"]
    if filtered:
        return Result.unknown("the port is filtered, so nothing can be concluded", filtered)
    return Result.passed(f"{what} is not offered")


@predicate
def telnet_answers(case: Case) -> Result:
    """TCP 23 or 2323 is open; nothing was sent to it."""
    return open_ports_result(case, (23, 2323), "telnet")


@predicate
def xiongmai_debug_shell_open(case: Case) -> Result:
    """TCP 9527 or 9530 is open; nothing was sent to it."""
    return open_ports_result(case, (9527, 9530), "a debug service")


_TLS_PORTS = frozenset({443, 4443, 8443})


def _plain_pages(case: Case) -> list[Observation]:
    secured = _TLS_PORTS | {o.port for o in case.seen("tls")}
    return [o for o in case.seen("http", "http.root") if o.port not in secured]


@predicate
def http_page_without_https(case: Case) -> Result:
    """A management page answers over plain HTTP, and the TLS ports are known to be closed."""
    pages = _plain_pages(case)
    moved = [o for o in pages if o.text("location").lower().startswith("https://")]
    served = [o for o in pages if o not in moved and (_answers(o) or _number(o, "status") in {301, 302, 307, 401, 403})]
    if case.seen("tls"):
        return Result.passed("HTTPS is offered", case.seen("tls"))
    if served and case.progress("tls.handshake").progress is Progress.CLOSED:
        return Result.fail(f"the page on port {served[0].port} is plain HTTP and no TLS port is open", served)
    if moved and not served:
        return Result.passed("plain HTTP points to HTTPS", moved)
    return Result.unknown("whether HTTPS is offered is not known" if served else "no management page was seen", served)


@predicate
def http_basic_login_in_clear(case: Case) -> Result:
    """A plain HTTP page asks for a Basic login and offers nothing better."""
    challenged = [o for o in _plain_pages(case) if o.values("scheme")]
    basic = [o for o in challenged if {s.lower() for s in o.values("scheme")} == {"basic"}]
    if basic:
        return Result.fail(f"port {basic[0].port} asks for a Basic login in clear text", basic)
    return Result.passed("no Basic login over plain HTTP", challenged)


@predicate
def tls_is_weak(case: Case) -> Result:
    """An old protocol, a broken suite, a short key or a broken signature on any TLS port.

    An old protocol is one that was spoken, or one that is accepted where nothing newer is offered.
    """
    handshakes, answers = case.seen("tls"), case.seen("tls_hello")
    faults = [(o, fault) for o in (*handshakes, *answers) for fault in _tls_faults(o)]
    if faults:
        facts = [(f"accepts on port {o.port}", f"{o.text('version')} {o.text('cipher')}".strip())
                 for o in answers if o.text("version")]
        return Result.fail("; ".join(dict.fromkeys(fault for _, fault in faults)),
                           list({o.id: o for o, _ in faults}.values()), facts)
    if not handshakes:
        return Result.unknown("no TLS handshake was seen")
    refused = [o for o in answers if o.text("refused")]
    if not refused:
        return Result.unknown("whether it accepts TLS 1.1 and older was not asked", handshakes)
    return Result.passed("protocol, key and signature are current, and older versions are refused "
                         f"({refused[0].text('refused')})", [*handshakes, *refused])


def _tls_faults(handshake: Observation) -> list[str]:
    faults = []
    if handshake.text("version") in LEGACY_VERSIONS:
        verb = "accepts" if handshake.transport == "tls_hello" else "speaks"
        faults.append(f"{verb} {handshake.text('version')}")
    if is_weak_suite(handshake.text("cipher")):
        faults.append(f"takes the broken suite {handshake.text('cipher')}")
    family, _, bits = handshake.text("key").partition("-")
    if family in {"RSA", "DSA"} and bits.isdecimal() and len(bits) < 6 and int(bits) < 2048:
        faults.append(f"has a {bits} bit {family} key")
    signature = handshake.text("signature").lower()
    if "md5" in signature or "sha1" in signature:
        faults.append(f"is signed with {signature}")
    return faults


# Where it talks to ---------------------------------------------------------------------------------------------------

_REACHABLE = frozenset({Purpose.P2P, Purpose.RELAY, Purpose.CLOUD, Purpose.DDNS})
_REPORTING = frozenset({Purpose.API, Purpose.TELEMETRY, Purpose.STORAGE, Purpose.PUSH, Purpose.FIRMWARE,
                        Purpose.VENDOR})


def _contacts(case: Case, purposes: frozenset[Purpose], what: str) -> Result:
    hits = [o for o in case.outside if o.text("purpose") in purposes]
    if not hits:
        return Result(Status.PASS, f"the capture shows no {what}", case.watched)
    names = dict.fromkeys(f"{(o.values('names') or (o.text('destination'),))[0]}:{o.port}/{o.text('protocol')}"
                          for o in hits)
    makers = dict.fromkeys(o.text("cloud_of") for o in hits if o.text("cloud_of"))
    facts = [("cloud of", maker) for maker in makers]
    whose = f" ({', '.join(makers)})" if makers else ""
    return Result.fail(f"talks to {', '.join(list(names)[:5])}{whose}", hits, facts)


@predicate
def contacts_remote_access_cloud(case: Case) -> Result:
    """A capture shows a destination through which the device can be reached from outside."""
    return _contacts(case, _REACHABLE, "remote-access cloud")


@predicate
def contacts_reporting_cloud(case: Case) -> Result:
    """A capture shows a maker's cloud of another purpose: telemetry, storage, updates, interfaces."""
    return _contacts(case, _REPORTING, "other maker's cloud")


@predicate
def contacts_another_makers_cloud(case: Case) -> Result:
    """A capture shows the cloud of one maker on a device that credibly names another: a rebrand's tell."""
    clouds = [o for o in case.outside if o.text("cloud_of")]
    credible = dict.fromkeys(m for m in (case.identity.maker, *case.identity.makers) if m)
    strange = [o for o in clouds if set(credible) - {o.text("cloud_of")}]
    if strange:
        makers = dict.fromkeys(o.text("cloud_of") for o in strange)
        others = ", ".join(m for m in credible if set(makers) - {m})
        return Result.fail(f"taken for {others}, but talks to the cloud of {', '.join(makers)}", strange,
                           [("cloud of", maker) for maker in makers])
    if clouds and not credible:
        return Result.unknown("no maker is known to compare the clouds with", clouds)
    return Result.passed("talks to no other maker's cloud", clouds)


@predicate
def contacts_unnamed_destination(case: Case) -> Result:
    """A capture shows an outside address that never had a name: a blocklist of names cannot stop it."""
    hits = [o for o in case.outside if not o.values("names") and o.text("protocol") != "icmp"
            and not o.fields.get("inbound")]                # who comes from outside is a check of its own
    if not hits:
        return Result(Status.PASS, "every outside destination had a name", case.watched)
    shown = dict.fromkeys(f"{o.text('destination')}:{o.port or 0}/{o.text('protocol')}" for o in hits)
    return Result.fail(f"talks to {', '.join(list(shown)[:5])} without ever asking for a name", hits)


# Who it is -----------------------------------------------------------------------------------------------------------

@predicate
def firmware_is_unknown(case: Case) -> Result:
    """No firmware version was read, so no advisory can be ruled out; the check itself never fails."""
    if case.identity.firmware:
        return Result.passed(f"firmware {case.identity.firmware}")
    return Result.unknown("the device told no firmware version, so no advisory can be ruled out")


@predicate
def makers_contradict(case: Case) -> Result:
    """What the label says and what the device betrays name different makers."""
    disputes = [c for c in case.identity.conflicts if c.claim in {"maker", "brand"}]
    if disputes:
        return Result.fail("; ".join(f"{' or '.join(c.values)}: {c.because}" for c in disputes))
    if case.identity.maker is None:
        return Result.unknown("no maker is known to compare the label with")
    return Result.passed("nothing seen names another maker")


@predicate
def channels_are_unseen(case: Case) -> Result:
    """A recorder whose list of cameras is not known; the check itself never fails.

    A device that answered a question for its channel list is a recorder, whatever it calls itself. An empty list is no
    reassurance: its cameras may be analogue, or the list in a form nobody reads yet.
    """
    listed = case.seen("channel")
    if listed:
        return Result.passed(f"the recorder lists {len({o.text('channel') for o in listed})} channels", listed)
    documents = [o for o in case.seen("http") if o.text("document").endswith("-channels") and _answers(o)]
    lost = any(a.probe == "auth.recorder.channels" and a.reason is Reason.INTERNAL for a in case.attempts)
    if documents:
        return Result.unknown("its channel list names no camera that could be read", documents)
    if case.identity.kind is not Kind.RECORDER and not lost:
        return Result(Status.NOT_APPLICABLE, f"a device of kind {case.identity.kind} that showed no channel list")
    return Result.unknown("the cameras behind this recorder were not read")
