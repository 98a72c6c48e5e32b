"""Predicates on what a device exposes: family interfaces, private ports, shared keys, its clock and its age.

They look at open ports, banners and replies that the safe probes brought anyway. Nothing is sent to a port that was
found open, and no predicate asks for a probe of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from rules.grammars import GRAMMARS, form_of
from rules.predicates import Case, Result, open_ports_result, predicate
from rules.vocabulary import Status
from scanner.observation import Observation

__all__ = ["CLOCK_SECONDS", "label_shared_keys"]

CLOCK_SECONDS = 5
"""A clock that is further off breaks ONVIF logins and the times in recordings."""


# Families with an interface that lets anyone in -----------------------------------------------------------------------

def _family(case: Case, what: str, fields: Sequence[str], words: Sequence[str]) -> Result:
    pages = case.seen("http")
    hits = [o for o in pages if any(word in o.text(field).casefold() for field in fields for word in words)]
    if hits:
        return Result.fail(f"its page says {words[0]}: {what}", hits)
    if not pages:
        return Result.unknown("no page was seen that would name its software")
    return Result.passed("its pages do not name that software", pages)


@predicate
def software_with_a_web_shell(case: Case) -> Result:
    """The web server names itself JAWS, a recorder software whose web shell needs no login; it is never asked."""
    return _family(case, "recorders with this server run commands of anyone", ("server",), ("jaws/1.0", "jaws"))


@predicate
def software_with_open_settings(case: Case) -> Result:
    """The login realm or page names WIFICAM, white-label cameras that hand out their settings; never asked for."""
    return _family(case, "cameras with this software hand out their settings and open telnet", ("realm", "title"),
                   ("wificam", "wirelesscam"))


@predicate
def family_with_hidden_account(case: Case) -> Result:
    """It runs the recorder software that ships an account named default; no login is tried."""
    spoke = [o for o in case.seen("xiongmai") if not o.text("refusal")]
    pages = [o for o in case.seen("http") if "uc-httpd" in o.text("server").casefold()
             or "netsurveillance" in o.text("title").casefold()]
    ports = [o for o in case.seen("tcp") if o.port == 34567 and o.text("state") == "open"]
    if spoke or pages or ports:
        return Result.fail("this software is known to ship an account that no page shows", [*spoke, *pages, *ports])
    if case.seen("http"):
        return Result.passed("nothing of that software was seen", case.seen("http"))
    return Result.unknown("no page was seen that would name its software")


@predicate
def ftp_answers(case: Case) -> Result:
    """TCP 21 is open; nothing was sent to it."""
    return open_ports_result(case, (21,), "FTP")


@predicate
def dahua_private_port_open(case: Case) -> Result:
    """TCP 37777 is open; nothing was sent to it."""
    return open_ports_result(case, (37777,), "the maker's private protocol")


@predicate
def tvt_control_port_open(case: Case) -> Result:
    """TCP 6036 or 4567 is open; nothing was sent to it."""
    return open_ports_result(case, (6036, 4567), "the maker's control protocol")


@predicate
def tiandy_settings_port_open(case: Case) -> Result:
    """TCP 3001 is open; nothing was sent to it."""
    return open_ports_result(case, (3001,), "the maker's settings protocol")


@predicate
def discovery_discloses_the_device(case: Case) -> Result:
    """One discovery datagram brought model, serial number or firmware from a device nobody logged in to."""
    told = [o for o in case.seen("dhip") if not o.text("refusal")]
    shown = [name for name in ("serial", "model", "firmware", "mac") if any(o.values(name) for o in told)]
    if shown:
        return Result.fail(f"UDP 37810 tells {', '.join(shown)} to anyone who asks", told)
    return Result.passed("the discovery service told nothing", told)


@predicate
def digest_is_weak(case: Case) -> Result:
    """A login page offers Digest with MD5 and nothing newer."""
    asked = [o for o in case.seen("http") if "digest" in {s.casefold() for s in o.values("scheme")}]
    weak = [o for o in asked if not any("sha" in a.casefold() for a in o.values("algorithm"))]
    if weak and len(weak) == len(asked):
        return Result.fail(f"port {weak[0].port} offers Digest with MD5 only", weak)
    return Result.passed("no Digest login with MD5 alone was seen", asked)


# Keys that more than one device holds ---------------------------------------------------------------------------------

def label_shared_keys(observations: Iterable[Observation]) -> list[Observation]:
    """The observations with ``shared_with`` in every ``tls`` one whose key another device showed too.

    Two addresses with one MAC are one device. What a device claims in that field itself is overwritten.
    """
    everything = list(observations)
    macs: dict[str, set[str]] = {}
    holders: dict[str, set[str]] = {}
    for seen in everything:
        if seen.transport == "link" and seen.text("mac"):
            macs.setdefault(seen.device, set()).add(seen.text("mac").upper())
        if seen.transport == "tls" and seen.text("spki_sha256"):
            holders.setdefault(seen.text("spki_sha256"), set()).add(seen.device)
    return [_labelled(seen, holders, macs) for seen in everything]


def _labelled(seen: Observation, holders: Mapping[str, set[str]], macs: Mapping[str, set[str]]) -> Observation:
    if seen.transport != "tls":
        return seen
    own = macs.get(seen.device, set())
    others = sorted(device for device in holders.get(seen.text("spki_sha256"), ())
                    if device != seen.device and not own & macs.get(device, set()))
    fields = {name: value for name, value in seen.fields.items() if name != "shared_with"}
    if others:
        fields["shared_with"] = tuple(others)
    return seen if fields == seen.fields else replace(seen, fields=fields)


@predicate
def tls_key_is_shared(case: Case) -> Result:
    """Another device of the sweep, with another hardware address, showed the same public key."""
    handshakes = [o for o in case.seen("tls") if o.text("spki_sha256")]
    shared = [o for o in handshakes if o.values("shared_with")]
    if shared:
        others = list(dict.fromkeys(device for o in shared for device in o.values("shared_with")))
        shown = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
        return Result.fail(f"its key is also that of {shown}", shared, [("key", shared[0].text("spki_sha256"))])
    if not handshakes:
        return Result.unknown("no TLS key was seen")
    return Result.passed("no other device of this sweep shows its key", handshakes)


# Clock and age --------------------------------------------------------------------------------------------------------

@predicate
def clock_is_off(case: Case) -> Result:
    """The device's own time differs from ours by more than `CLOCK_SECONDS`."""
    told = [(o, at) for o in case.seen("onvif") if (at := _time(o.text("device_time"))) is not None]
    if not told:
        return Result.unknown("the device told no time")
    skews = [(o, (at - o.at).total_seconds()) for o, at in told]
    seen, worst = max(skews, key=lambda pair: abs(pair[1]))
    if abs(worst) > CLOCK_SECONDS:
        return Result.fail(f"its clock is {abs(worst):.0f} s {'ahead' if worst > 0 else 'behind'}", [seen],
                           [("skew in seconds", f"{worst:.0f}")])
    return Result.passed(f"its clock is right to {CLOCK_SECONDS} s", [seen])


def _time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


@predicate
def firmware_is_old(case: Case) -> Result:
    """The build date in the firmware version lies more months back, on the day it was seen, than the policy allows.

    `firmware_max_age_months` of the policy, 24 where it says nothing; the finding's facts keep which number was used.
    """
    firmware, seen, months = case.identity.firmware, case.observations, case.firmware_months
    if not firmware:
        return Result.unknown("the device told no firmware version")
    built = _built(firmware, case.identity.firmware_build, case.identity.makers)
    if built is None or not seen:
        return Result(Status.NOT_APPLICABLE, "this form of version carries no build date")
    day = max(o.at for o in seen).date()
    facts = (("months allowed", str(months)),)
    if (day.year * 12 + day.month, day.day) > (built.year * 12 + built.month + months, built.day):
        return Result.fail(f"firmware {firmware} was built on {built}, more than {months} months ago "
                           f"({_months(built, day)})", facts=facts)
    return Result(Status.PASS, f"firmware {firmware} was built on {built}, at most {months} months ago", facts=facts)


def _months(built: date, day: date) -> int:
    """Whole calendar months from `built` to `day`."""
    return (day.year - built.year) * 12 + day.month - built.month - (day.day < built.day)


def _built(firmware: str, build: str | None, makers: Sequence[str]) -> date | None:
    names = dict.fromkeys(name for name in (form_of(firmware), *makers) if name is not None and name in GRAMMARS)
    for name in names:
        version = GRAMMARS[name].parse(firmware, build)
        if version is not None and version.build and GRAMMARS[name].dated:
            number = version.build[0]
            try:
                return date(number // 10_000, number // 100 % 100, number % 100)
            except ValueError:
                return None
    return None
