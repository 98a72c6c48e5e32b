"""Names that read one way to people and another to programs: the trick itself, with the field and the code points.

Parsers resolve such spellings before a rule sees a field (`scanner.wire.text`), so that they cannot hide anybody. What
was done is looked for here in the bytes as they came: letters of another alphabet inside a Latin word, full-width,
circled and other compatibility letters, invisible characters in a name or beside it, a run shown from right to left,
and comments, CDATA borders, processing instructions or empty elements between two letters of one word. Accents, signs
of trade and whole words of another script are no trick.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from rules.labels import INVISIBLE, LOOK_ALIKES, fold, stands_for
from scanner.observation import Observation

__all__ = ["Disguise", "disguises"]

MAX_RAW = 65_536
MAX_FOUND = 16
_MOST_SHOWN = 8

# Where a device says who it is; elsewhere (prose of a page, a channel's title) odd letters are nobody's disguise.
_FIELDS = frozenset({
    "manufacturer", "model", "modelname", "modelnumber", "modeldescription", "devicename", "devicedescription",
    "devicetype", "friendlyname", "name", "title", "server", "realm", "www-authenticate", "vendor", "brand", "scopes",
    "scopeitem", "oeminfo", "detailoemcode", "serialnumber", "firmwareversion", "systemcontact", "user-agent",
    "machinename", "deviceclass", "subject", "issuer", "banner", "s", "i", "tool", "hostname", "manufacturerurl",
})
_SPLIT = (r"<!--.{0,200}?-->|<!\[CDATA\[|\]\]>|<\?.{0,200}?\?>|<[\w:.-]{1,40}\s*/>|"
          r"<(?P<mark>[\w:.-]{1,40})>|</[\w:.-]{1,40}>")
_BORDER = re.compile(_SPLIT, re.DOTALL)
_BETWEEN = re.compile(rf"(?<=\w)(?:{_SPLIT})+(?=\w)", re.DOTALL)
_ELEMENT = re.compile(r"<(?:[\w.-]{1,40}:)?(?P<field>[\w.-]{1,40})(?:\s[^<>]{0,512})?>"
                      r"(?P<text>(?:[^<]|<!--.{0,200}?-->|<!\[CDATA\[.{0,512}?\]\]>|<\?.{0,200}?\?>|"
                      r"<[\w:.-]{1,40}\s*/>){1,2048}?)</", re.DOTALL)
_NESTED = re.compile(r"\w{1,40}<(?P<field>[\w:.-]{1,40})>\w{0,40}</(?P=field)>\w{1,40}")
_ENVELOPES = frozenset({"onvif", "wsd", "sadp"})
_PAIR = re.compile(r'"(?P<field>[\w.-]{1,40})"\s{0,8}:\s{0,8}"(?P<text>(?:[^"\\]|\\.){1,512})"')
_LINE = re.compile(r"(?m)^(?P<field>[\w-]{1,40})\s{0,4}[:=](?P<text>[^\r\n]{1,1024})\r?$")
_TURNED = re.compile("\u202e[^\u202a-\u202e\n]{0,512}?[A-Za-z]")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_WORD = re.compile(r"[^\W_]+")
_SIGNS = (b"<!--", b"<![", b"<?", b"&#", b"\\u", b"%", b"/>", b"></",
          b"&shy;", b"&zwnj;", b"&zwj;", b"&lrm;", b"&rlm;")
"""What ASCII bytes of a reply hold where a character that is none, or markup inside a word, may be in them."""


@dataclass(frozen=True, slots=True)
class Disguise:
    """One disguised text: its field, as it was written, as it reads, and what was done in words."""

    field: str
    written: str
    reading: str
    how: tuple[str, ...]


def disguises(observation: Observation) -> list[Disguise]:
    """The disguised names in one reply; in its bytes where they were kept, else in its fields."""
    found: dict[tuple[str, str], Disguise] = {}
    for field, text in _texts(observation):
        if len(found) >= MAX_FOUND:
            break
        how = _tricks(text)
        if how:
            written = text.strip()[:200]
            found.setdefault((field, written), Disguise(field, written, _reading(text)[:120], how))
    return list(found.values())


def _texts(observation: Observation) -> Iterator[tuple[str, str]]:
    for field, value in observation.fields.items():
        if field.replace("_", "") in _FIELDS and not str(value).isascii():
            yield from ((field, text) for text in observation.values(field))
    raw = observation.raw[:MAX_RAW]
    if raw.isascii() and not any(sign in raw for sign in _SIGNS):
        return
    text = raw.decode("utf-8", "replace")
    if observation.transport in _ENVELOPES:            # a page may set a letter in bold; a name in an envelope may not
        yield from (("envelope", match[0]) for match in _NESTED.finditer(text))
    for pattern in (_ELEMENT, _PAIR, _LINE):
        for match in pattern.finditer(text):
            if match["field"].casefold() in _FIELDS:
                yield match["field"], _unescaped(match["text"], json=pattern is _PAIR)


def _unescaped(text: str, *, json: bool) -> str:
    """Character references, percent signs of a scope and JSON escapes resolved; markup stays."""
    if json:
        text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    if "%" in text:
        text = unquote(text)
    return html.unescape(text) if "&" in text else text


def _reading(text: str) -> str:
    return fold(_BORDER.sub("", text))


def _tricks(text: str) -> tuple[str, ...]:
    """What was done to a text so that it reads as it does, each thing once; nothing for a plain one."""
    done: dict[str, None] = {}
    for found in _BETWEEN.finditer(text):
        kind = next((name for sign, name in _BORDERS if found[0].startswith(sign)), "markup")
        done[f"{kind} inside a word"] = None
    plain = _BORDER.sub("", text)
    if not plain.isascii():
        turned = _TURNED.search(plain) is not None
        if turned:
            done[f"letters shown from right to left by {_named(chr(0x202E))}"] = None
        for at, char in enumerate(plain):
            if INVISIBLE.match(char) and not (turned and char in _OVERRIDE) and _idle(plain, at):
                done[f"invisible {_named(char)}"] = None
        for word in _words(INVISIBLE.sub("", plain)):
            done.update(dict.fromkeys(_of_word(word)))
    return tuple(done)[:_MOST_SHOWN]


_OVERRIDE = "\u202c\u202e"
_BORDERS = (("<!--", "a comment"), ("<![", "a CDATA border"), ("]]>", "a CDATA border"),
            ("<?", "a processing instruction"))


def _idle(text: str, at: int) -> bool:
    """Whether an invisible character changes nothing that is seen: Latin letters or nothing stand beside it.

    Other scripts need joiners and marks of direction, and symbols take variation selectors.
    """
    before = INVISIBLE.sub("", text[:at]).rstrip()[-1:]
    after = INVISIBLE.sub("", text[at:]).lstrip()[:1]
    beside = [char for char in (before, after) if char]
    return any(map(_latin, beside)) and all(char.isascii() or _latin(char) for char in beside)


def _words(text: str) -> Iterator[str]:
    """The words of a text; a circled or otherwise enclosed letter is part of the word it stands in."""
    if not any(unicodedata.category(char) == "So" and stands_for(char) for char in text):
        yield from _WORD.findall(text)
        return
    word = ""
    for char in text + " ":
        if char.isalnum() or (unicodedata.category(char) == "So" and stands_for(char)):
            word += char
            continue
        if len(word) > 1:                                  # one alone is a bullet or a sign, as of parking
            yield word
        word = ""


def _of_word(word: str) -> Iterator[str]:
    """The tricks of one word: compatibility letters that are ASCII in disguise, look-alikes among Latin letters."""
    if len(word) == 1 and not word.isalpha():              # a bullet, a numeral
        return
    mixed = any(char.isascii() and char.isalpha() for char in word)
    for char in word:
        if char.isascii():
            continue
        normal = unicodedata.normalize("NFKC", char)
        if not (char.isalnum() and normal != char and normal.isascii() and normal.isalnum()):
            normal = stands_for(char)
        if normal:
            yield f"compatibility letter {_named(char)} for {normal}"
        elif mixed and char in LOOK_ALIKES:
            yield f"look-alike {_named(char)} for {LOOK_ALIKES[char]}"


def _latin(char: str) -> bool:
    """Whether a character is a letter of, or reads as one of, the Latin alphabet."""
    return bool(char) and (char in LOOK_ALIKES or unicodedata.normalize("NFKC", char)[:1].isascii()) and char.isalnum()


def _named(char: str) -> str:
    return f"U+{ord(char):04X} {unicodedata.name(char, 'without a name')}"
