"""Text that devices sent: decoded, made printable, capped, and rid of credentials before anything keeps it.

Everything a device says is hostile: terminal escapes, bidirectional overrides, zero-width letters inside a maker's
name, and passwords echoed in URLs (Samsung returns ``rtsp://user:pass@…`` in Content-Base) all end here.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["LONG", "SHORT", "as_displayed", "clean", "clean_block", "decode", "redact", "redact_text"]

SHORT = 512
"""Characters kept of an ordinary field."""

LONG = 65_536
"""Characters kept of a body."""

_HIDDEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | frozenset(
    chr(code) for code in (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10)))
"""Default-ignorable code points of Unicode that are not of category Cf (Unicode 15, DerivedCoreProperties)."""

_DECLARABLE = frozenset({
    "ascii", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "iso8859-1", "iso8859-2", "iso8859-5", "iso8859-15", "cp1250",
    "cp1251", "cp1252", "cp949", "gb2312", "gbk", "gb18030", "big5", "shift_jis", "cp932", "euc_jp", "euc_kr", "koi8-r",
})
"""Encodings a device may declare. UTF-7 is absent: it turns plain ASCII into markup that no filter saw."""


def decode(data: bytes, declared: str = "") -> tuple[str, bool]:
    """Strict UTF-8, then the declared encoding, then UTF-8 with replacement; the flag says nothing was replaced."""
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        text = data.decode("utf-16", "replace")
        return text, "\ufffd" not in text
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8"), True
    except UnicodeDecodeError:
        pass
    name = _codec(declared)
    if name:
        try:
            return data.decode(name), True
        except UnicodeDecodeError:
            pass
    return data.decode("utf-8", "replace"), False


def _codec(declared: str) -> str:
    try:
        name = codecs.lookup(declared.strip().strip("\"'")[:40]).name
    except (LookupError, ValueError):
        return ""
    return name if name in _DECLARABLE else ""


_CONTROLS = {code: " " if chr(code).isspace() else None for code in (*range(0x20), 0x7F)}
_CONTROLS_OF_BLOCKS = {code: shown for code, shown in _CONTROLS.items() if chr(code) not in "\n\t"}


_OVERRIDDEN = re.compile("\u202e([^\u202a-\u202e\u2066-\u2069\n]*)\u202c?")


def as_displayed(text: str) -> str:
    """`text` in the order in which people see it: what stands under a right-to-left override is turned round.

    The override of Unicode's bidirectional algorithm (UAX 9, U+202E) ends with U+202C, another such sign or the line.
    """
    return _OVERRIDDEN.sub(lambda found: found[1][::-1], text) if "\u202e" in text else text


def _printable(text: str, *, block: bool) -> str:
    """`text` without control, format and hidden characters; line feeds and tabs stay in a block, else become spaces."""
    if text.isascii():
        return text.translate(_CONTROLS_OF_BLOCKS if block else _CONTROLS)
    out: list[str] = []
    for char in as_displayed(text):
        if char.isprintable() or (block and char in "\n\t"):
            if char not in _HIDDEN:
                out.append(char)
        elif char.isspace():
            out.append(" ")
    return "".join(out)


_PLAIN = re.compile(r"[!-,./0-9;>?A-Z\[-~]++(?:[ -][!-,./0-9;>?A-Z\[-~]++)*+")
"""Words with one space or hyphen between them and none of `_MARKS`: most models and serials are clean as sent."""


def clean(value: str | bytes, limit: int = SHORT) -> str:
    r"""One line of printable text in NFKC, without credentials, at most `limit` characters.

    >>> clean("Da\u200bhua \x1b[31mIPC\r\n")
    'Dahua [31mIPC'
    """
    text = decode(value)[0] if isinstance(value, bytes) else value
    return _remembered(text, limit) if len(text) <= _SHORT_TEXT else _clean(text, limit)


def _clean(text: str, limit: int) -> str:
    if len(text) <= limit and _PLAIN.fullmatch(text):
        return text
    text = text[:limit * 4]
    if not text.isascii():
        text = _printable(unicodedata.normalize("NFKC", text), block=False)      # ASCII is its own normal form
    elif not text.isprintable():
        text = _printable(text, block=False)
    return redact_text(" ".join(text.split()))[:limit].rstrip()


_SHORT_TEXT = 128
_remembered = lru_cache(maxsize=8192)(_clean)
"""Header lines, models and titles repeat from device to device of a site; this takes a few megabytes at most."""


def clean_block(value: str | bytes, limit: int = LONG) -> str:
    """Several lines of printable text in NFKC: line feeds and tabs stay, credentials go, at most `limit` characters."""
    text = (decode(value)[0] if isinstance(value, bytes) else value)[:limit].replace("\r\n", "\n")
    normal = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return redact_text(_printable(normal, block=True))[:limit].strip()


# ---- redaction -------------------------------------------------------------------------------------------------------

_STARS = r"***"
_WORDS = r"(?:pass(?:word|wd|phrase|code)?|pwd|psk|secret|wpakey|privatekey|sharedkey|userpass)"
_WORD_TRACES = ("pass", "pwd", "psk", "secret", "wpakey", "privatekey", "sharedkey")


@dataclass(frozen=True, slots=True)
class _Rule:
    """What to star out. What `pattern` matches holds one of `traces`, in whatever case of letters, and `also`."""

    traces: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: str
    also: str = ""

    def may_match(self, lower: str) -> bool:
        """False where `pattern` cannot match the text that `lower` is in lower case."""
        for trace in self.traces:                          # a loop: a generator takes twice as long as the search
            if trace in lower:
                break
        else:
            return False
        return self.also in lower


_RULES: tuple[_Rule, ...] = (
    # rtsp://user:pass@host; a colon followed by a port and a slash is no password (http://host:80/a@b)
    _Rule(("@",), re.compile(r"(?i)(\b[a-z][a-z0-9+.-]{1,15}://)(?:[^\s\"'<>/?#@]{0,256}+@){1,8}"), rf"\g<1>{_STARS}@"),
    _Rule(("@",), re.compile(r"(?i)(\b[a-z][a-z0-9+.-]{1,15}://)[^\s\"'<>/?#@:]{1,128}:(?!\d{1,5}/)[^\s\"'<>]{0,256}@"),
          rf"\g<1>{_STARS}@"),
    _Rule(("authorization",),
          re.compile(r"(?im)^([ \t]*(?:proxy-)?authorization[ \t]*:)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*"),
          rf"\g<1> {_STARS}"),
    _Rule(("cookie",), re.compile(r"(?im)^([ \t]*(?:set-)?cookie[ \t]*:[ \t]*[^=;\r\n]{0,64}=)[^;\r\n]*"),
          rf"\g<1>{_STARS}"),
    _Rule(("response",), re.compile(r"(?i)(\bdigest\b[^\r\n]{0,512}\bresponse[ \t]*=[ \t]*\"?)[0-9a-f]{16,128}"),
          rf"\g<1>{_STARS}", also="digest"),
    # <Password>…</Password>, <wsse:Password Type="…">, <adminPassword>, and <Nonce>; the closing tag may be missing
    _Rule(_WORD_TRACES, re.compile(rf"(?i)(<(?:[\w.-]{{1,40}}:)?[\w.-]{{0,40}}{_WORDS}(?:\s[^<>]{{0,512}})?>)"
                                   r"(?:<!\[CDATA\[[^\]]*(?:\]\]>)?|[^<])+"), rf"\g<1>{_STARS}", also="<"),
    _Rule(("nonce",), re.compile(r"(?i)(<(?:[\w.-]{1,40}:)?Nonce(?:\s[^<>]{0,512})?>)[^<]+"), rf"\g<1>{_STARS}",
          also="<"),
    # "password": "…" and 'password': '…' in JSON, with escaped quotes; numbers and booleans too
    _Rule((*_WORD_TRACES, 'stok"', 'token"'),
          re.compile(rf"(?i)(\"[\w.-]{{0,40}}(?:{_WORDS}|(?<=\")stok|(?<=\")(?:access_?)?token)\"\s{{0,8}}:\s{{0,8}})"
                     r"(?:\"(?:[^\"\\]|\\.)*+\"?|[^\s,}\]]+)"), rf'\g<1>"{_STARS}"'),
    # root.Network.WPA.Password=…, &pwd=…, password: …; the name must end there, so PasswordReset=… stays
    _Rule(_WORD_TRACES, re.compile(rf"(?i)({_WORDS}[ \t]{{0,4}}[=:][ \t]{{0,4}})"
                                   r"(?:\"[^\"\r\n]+\"?|'[^'\r\n]+'?|[^\s&;,\"'<>]+)"), rf"\g<1>{_STARS}"),
    # "streamed by admin:secret": the account names that cameras ship with, and what follows the colon
    _Rule(("admin:", "root:", "administrator:", "888888:", "666666:", "supervisor:"),
          re.compile(r"(?i)\b(admin|root|administrator|888888|666666|supervisor):(?!//)[^\s\"'<>&;,]{3,128}"),
          rf"\g<1>:{_STARS}"),
    _Rule(("private key",),
          re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?"),
          "-----PRIVATE KEY *** -----"),
)
_MARKS = (":", "=", "<", "@", "-----")
"""One of these is in whatever any of the patterns matches."""
_UNTRACEABLE = "\u0130\u0131\u017f\u212a"
"""Outside ASCII, yet taken for i, s or k where a pattern ignores case; lower case does not make them that."""
_TRACES = tuple(dict.fromkeys((trace, rule.also) for rule in _RULES for trace in rule.traces))


def redact_text(text: str) -> str:
    """`text` with passwords, Authorization headers, cookies, digest responses and private keys starred out.

    Nearly no text of a device holds a credential, and ten patterns cost more than all else that a reply needs; so what
    every match must contain is looked for first.
    """
    for mark in _MARKS:
        if mark in text:
            break
    else:
        return text
    if not text.isascii() and any(char in text for char in _UNTRACEABLE):
        for rule in _RULES:
            text = rule.pattern.sub(rule.replacement, text)
        return text
    lower = text.lower()
    for trace, also in _TRACES:
        if trace in lower and also in lower:
            break
    else:
        return text
    for rule in _RULES:
        # What is put in holds no trace of a later rule, so those of the text as it came are all there are.
        if rule.may_match(lower):
            text = rule.pattern.sub(rule.replacement, text)
    return text


def redact(data: bytes, limit: int = LONG) -> bytes:
    """The bytes that may rest in a database: the first `limit`, with credentials starred out.

    UTF-16 and other wide encodings hide from byte patterns, so such data is decoded before it is searched.
    """
    head = data[:limit]
    wide = _wide(head)
    if wide:
        return redact_text(head.decode(wide, "replace")).encode("utf-8")
    text = head.decode("latin-1")
    kept = redact_text(text)
    return head if kept is text else kept.encode("latin-1")


def _wide(head: bytes) -> str:
    """The two-byte encoding of `head`, if it looks like one."""
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if len(head) >= 8 and not any(head[1:8:2]) and all(head[0:8:2]):
        return "utf-16-le"
    return "utf-16-be" if len(head) >= 8 and not any(head[0:8:2]) and all(head[1:8:2]) else ""
