"""What each kind of source can show and what it never says; a kind of source is what volumes are added up within."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["FORMS", "Shows", "cannot_show", "shown_by"]


class Shows(StrEnum):
    """What a kind of source can show of a device."""

    WIRE_FORMS = "the octets inside packets, and with them peer-to-peer protocols on any port"
    CALLS = "whom a device calls"
    VOLUMES = "how much was sent"
    NAMES = "under which names a destination was asked for"
    INSIDE = "traffic that stays on the device's own network"


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of source: what it shows, and what a reader should know beside that."""

    shows: frozenset[Shows]
    caveat: str = ""


_CALLS_AND_VOLUMES = frozenset({Shows.CALLS, Shows.VOLUMES})

FORMS: dict[str, Form] = {
    "packets": Form(frozenset(Shows)),
    "flows": Form(_CALLS_AND_VOLUMES, "single calls that fall into one record; traffic that its exporter does not "
                                      "forward"),
    "firewall": Form(frozenset({Shows.CALLS}), "what no logging rule matches; traffic that does not pass the firewall"),
    "sessions": Form(_CALLS_AND_VOLUMES, "what no logging rule matches; traffic that does not pass the firewall"),
    "proxy": Form(frozenset({Shows.CALLS, Shows.NAMES}), "what was sent; traffic that does not pass the proxy"),
    "resolver": Form(frozenset({Shows.NAMES}), "whether a name that was asked for was then called; addresses that are "
                                               "called without a name; resolvers other than this one"),
    "zeek conn": Form(frozenset({Shows.CALLS, Shows.VOLUMES, Shows.INSIDE})),
    "zeek names": Form(frozenset({Shows.CALLS, Shows.NAMES, Shows.INSIDE}), "traffic without TLS, HTTP, NTP or DNS"),
    "suricata flow": Form(frozenset({Shows.CALLS, Shows.VOLUMES, Shows.INSIDE})),
    "suricata names": Form(frozenset({Shows.CALLS, Shows.NAMES, Shows.INSIDE}), "traffic without TLS, HTTP or DNS"),
    "leases": Form(frozenset(), "where a device talks to"),
}
"""By kind. A kind that is not here shows nothing."""


def shown_by(kinds: Iterable[str]) -> frozenset[Shows]:
    """What sources of these kinds show together; no kind at all means packets."""
    kinds = tuple(kinds) or ("packets",)
    return frozenset().union(*(FORMS[kind].shows for kind in kinds if kind in FORMS))


def cannot_show(kind: str) -> tuple[str, ...]:
    """What no source of this kind ever says, for a person."""
    form = FORMS[kind]
    return (*(str(one) for one in Shows if one not in form.shows), *([form.caveat] if form.caveat else []))
