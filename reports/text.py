"""Makes hostile text safe to look at: control and direction characters become visible, endless text is cut.

Escaping for HTML or CSV is the business of the format. This is what every format for human eyes does first: an escape
sequence must not reach a terminal, and a right-to-left override must not turn a name around.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["LONGEST", "brief", "clean", "clip", "sentence", "slug", "visible"]

LONGEST = 400
"""Characters of one text that a format for human eyes shows; the JSON form has them all."""

_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_CLAUSE = re.compile(r"[;:](?= )|\.(?= [A-Z])|(?= \[)")        # "Co., Ltd. is" goes on; "It does. The" does not
_WORD = re.compile(r"[a-z]+(?:'s)?[,:;.?!]?")                   # no name of a product such as ``iOS`` or ``ipc-01``
_SHOUTED = frozenset({"http", "https", "onvif", "rtsp", "snmp", "ssh", "tcp", "tls", "udp", "upnp", "wsd"})
_MARKS = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u20d0-\u20f0]"
_STACKED = re.compile(f"({_MARKS}{{3}}){_MARKS}+")     # three marks on one letter are a language; more are an attack


def visible(text: str) -> str:
    """`text` with every character that hides or acts shown instead: ESC as ``⟨U+001B⟩``."""
    shown = _HIDDEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)
    return _STACKED.sub(r"\1", shown)


def clip(text: str, longest: int = LONGEST) -> str:
    """At most `longest` characters of `text`; what was cut off is counted."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}… [{len(text) - longest} more characters]"


def brief(text: str, longest: int = 200) -> str:
    """`text` where it is short, else as many whole clauses of it as fit; never a cut inside brackets or a name.

    Only where not even the first clause fits is it cut at a word, with an ellipsis.
    """
    if len(text) <= longest:
        return text
    ends = [match.start() for match in _CLAUSE.finditer(text[:longest + 1])]
    whole = [end for end in ends if text.count("(", 0, end) == text.count(")", 0, end) and text[:end].strip()]
    return text[:whole[-1]].rstrip() if whole else f"{text[:longest].rpartition(' ')[0] or text[:longest]}…"


def sentence(text: str) -> str:
    """`text` with a capital at the beginning and a stop at its end: ``tls is off`` gives ``TLS is off.``."""
    text = text.strip()
    if not text:
        return ""
    first, space, rest = text.partition(" ")
    if first in _SHOUTED:
        text = f"{first.upper()}{space}{rest}"
    elif _WORD.fullmatch(first):
        text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?…" else f"{text}."


def clean(text: str, longest: int = LONGEST) -> str:
    """What a format for human eyes prints for `text`: cut first, so that endless text costs nothing, then visible."""
    return visible(clip(text, longest))


def slug(text: str, longest: int = 60) -> str:
    """A piece of a file name: lower-case ASCII letters, digits, single hyphens; ``unnamed`` where nothing is left."""
    plain = unicodedata.normalize("NFKD", text[: longest * 4]).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:longest].strip("-") or "unnamed"
