"""How each maker writes its firmware versions: one `Grammar` a form, from a device's text to a `Version` with parts.

Makers do not write versions as libraries expect: a Dahua version is ordered by its build date and only inside a model
family, a Uniview version only inside its platform, a Xiongmai version not at all. A grammar reads the parts and nothing
else; `rules.versions` compares them. A text that does not have the form gives None, and nothing is concluded from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

__all__ = ["GRAMMARS", "MAX_TEXT", "Grammar", "Order", "Version", "canonical", "form_of", "grammar_named"]

MAX_TEXT = 128
"""A longer version text is hostile or broken and is not read."""

_PREFIX = r"(?:(?:system|software|firmware|fw|sw|version|ver|v)[.:=_\s]*){0,4}"
_NUMBERS = r"(?P<numbers>\d{1,9}(?:\.\d{1,9}){0,7})"
_TAIL = r"(?P<tail>[\s,;._()\[+-].*|[a-z].*|)"
_BUILD_WORD = r"build(?:[\s_-]?(?:date|time))?"
_FILE = r"(?:\.(?:bin|zip|dav|pak|rar))?"
# A file name, DCS-932L_REVB_FIRMWARE_v2.16.08, begins with the model it is made for and says where the version begins
_FILE_OF = r"(?:(?P<family>[a-z]{2,5}-?\d{2,5}[a-z0-9]{0,4})(?:_[a-z0-9-]{1,24}){0,6}_(?=(?:fw|firmware)_))?"
_DATE = r"(?P<build>\d{8}|\d{6}|\d{4}[-_/.]\d{1,2}[-_/.]\d{1,2}|\d{1,2}/\d{1,2}/\d{4})"


class Order(StrEnum):
    """What decides between two versions of one form."""

    NUMBERS = "numbers"            # the dotted numbers, then the build
    BUILD = "build"                # the build date alone; the numbers name a branch
    EACH = "each"                  # every number for itself: older only where none is newer
    NONE = "none"                  # nothing: such versions can be equal and no more


@dataclass(frozen=True, slots=True)
class Version:
    """A version text in its parts.

    Attributes:
        raw: the text as the device or the advisory gives it.
        form: the grammar that read it.
        numbers: the dotted numbers; empty where only a build is stated.
        build: build date (yyyymmdd) or number, with whatever orders builds of one day; empty where none is stated.
        family: the platform, branch or product inside which versions of this form compare; empty where any.
        patch: what a maker appends for a later fix of the same version (``-r2``, ``Hotfix``).
        tail: what no rule reads; two versions that differ only here do not compare.
    """

    raw: str
    form: str
    numbers: tuple[int, ...] = ()
    build: tuple[int, ...] = ()
    family: str = ""
    patch: int = 0
    tail: str = ""

    def parts(self) -> list[tuple[str, str]]:
        """The parts that were read, named, for whoever wants to follow the comparison."""
        shown = [("form", self.form), ("family", self.family), ("numbers", ".".join(map(str, self.numbers))),
                 ("build", "-".join(map(str, self.build))), ("patch", str(self.patch or "")), ("not read", self.tail)]
        return [(name, value) for name, value in shown if value]


@dataclass(frozen=True, slots=True)
class Grammar:
    """One form of version and how such versions are ordered.

    Attributes:
        patterns: tried in turn against the whole text; named groups ``numbers build family patch tail`` and ``more``
            (further numbers).
        telling: no other maker writes versions of this form, so it says who built the device.
        dated: the build is a day.
        covers: a bound with fewer numbers speaks of every version that begins with them (``11.5`` of ``11.5.64``).
        tracks: beginnings of long-term tracks, which get fixes of their own beside the newest version.
        strips: beginnings of model names that say nothing of the model.
        model_files: the family is the model that a file is named after, so it says nothing of another model.
    """

    name: str
    patterns: tuple[re.Pattern[str], ...]
    order: Order = Order.NUMBERS
    telling: bool = False
    dated: bool = False
    covers: bool = False
    tracks: tuple[tuple[int, ...], ...] = ()
    strips: tuple[str, ...] = ()
    model_files: bool = False

    def parse(self, text: str, build: str | None = None) -> Version | None:
        """The version in `text`, with `build` where the device tells it apart; None where the form does not fit."""
        if len(text) > MAX_TEXT or not text.isascii():
            return None
        words = " ".join(text.split())
        if len(words) > 2 and words[0] in "\"'" and words[-1] == words[0]:
            words = words[1:-1].strip()
        for pattern in self.patterns:
            found = pattern.fullmatch(words)
            if found is not None:
                damaged = self.dated and _DAMAGED_DAY.search(found.groupdict().get("tail") or "")
                return None if damaged or _says_more(found) else self._version(text, found, build)
        return None

    def _version(self, text: str, found: re.Match[str], build: str | None) -> Version | None:
        got: dict[str, str | None] = found.groupdict()
        if self.dated and not got.get("build"):
            behind = _DAY_BEHIND.fullmatch(got.get("tail") or "")
            if behind is not None:
                got |= {"build": behind["build"], "tail": ""}
        numbers = tuple(int(n) for part in (got.get("numbers"), got.get("more")) if part
                        for n in re.findall(r"\d+", part))
        stamps = [stamp for stamp in (got.get("build"), _digits_of(build)) if stamp]
        read = [_day(stamp) for stamp in stamps] if self.dated else [int(re.sub(r"\D", "", one)) for one in stamps[:1]]
        if None in read or len(set(read)) > 1:  # no day of the calendar, or the text and the build told apart disagree
            return None
        built: tuple[int, ...] = tuple(day for day in read[:1] if day is not None)
        if built and got.get("release"):
            built = (*built, int(got["release"] or 0))
        return Version(text, self.name, numbers, built, (got.get("family") or "").upper(), _patch(got.get("patch")),
                       (got.get("tail") or "").strip(" .,;_").casefold())


_SECOND = re.compile(r"(?<![\w.])v?\d{1,4}(?:\.\d{1,9}){2}|(?:[/|;&,]|\b(?:and|or|to)\b)\s*v?\d{1,4}\.\d"
                     r"|\b(?:later|newer|higher|above|earlier|older|lower|below|prior)\b|\+\s*$"
                     r"|\b(?:not|maybe|perhaps|unsure|unknown|probably|approx|about|circa|guess(?:ed)?|assumed|tb[cd])\b"
                     r"|\b(?:patched|unofficial|hacked)\b|[-_ ][a-z]\d{4}(?:\.\d{1,4}){2}"
                     r"|[/|;&]\s*[a-z][^/|;&]*\d\.\w",
                     re.IGNORECASE | re.ASCII)
# build 16O530 and build 16053x: a letter where a digit of the day should be
_DAMAGED_DAY = re.compile(r"(?:\bbuild[\s:=_]*|_)(?=[a-z0-9]{6,8}(?![a-z0-9]))\d*[a-z]\d*(?![a-z0-9])", re.IGNORECASE)
_SECOND_BUILD = re.compile(r"\bbuild\W{0,3}\d{6}", re.IGNORECASE | re.ASCII)
# A build day that stands alone behind a version, however it is set off: (2020-01-01), _200101, - built on 2020/01/01
_DAY_BEHIND = re.compile(r"[\W_]*(?:(?:build|built|date|time|day|from|of|on|b)[\W_]*){0,3}" + _DATE + r"[\W_]*",
                         re.IGNORECASE | re.ASCII)
_NEVER_WRITTEN = re.compile(r"[^\w\s.,:/()\[\]+#@=-]", re.ASCII)
# 1.0.x leaves a number open; 11.1O.3 and 2.6OB15 have a letter where a digit should be
_LEFT_OPEN = re.compile(r"[.-]?[xoil*]{1,3}(?![a-z0-9]).*|\.?[oil]{1,3}b?\d.*", re.IGNORECASE | re.ASCII)


def _says_more(found: re.Match[str]) -> bool:
    """Whether a text says more than one version.

    It names a second one or a range (``5.0 or later``), leaves a number open (``1.0.x``), doubts itself (``not sure``)
    or goes on in characters that no maker writes behind a version (``; DROP TABLE``, ``<script>``).
    """
    got = found.groupdict()
    rest = got.get("tail") or ""
    return bool(_SECOND.search(rest) or _NEVER_WRITTEN.search(rest) or _LEFT_OPEN.fullmatch(rest)
                or (got.get("build") and _SECOND_BUILD.search(rest)))


def _digits_of(build: str | None) -> str:
    found = re.search(r"\d{4}[-_/.]\d{1,2}[-_/.]\d{1,2}|\d{6,8}", build or "", re.ASCII)
    return found.group(0) if found else ""


def _patch(text: str | None) -> int:
    if not text:
        return 0
    if text.isdecimal():
        return int(text)
    return 1 if text.casefold() == "hotfix" else _letters(text)


def _letters(text: str) -> int:
    """Trailing letters as a number: none before a, z before aa."""
    total = 0
    for letter in text.casefold():
        total = total * 27 + ord(letter) - ord("a") + 1
    return total


def _day(text: str) -> int | None:
    """A build day as yyyymmdd, None for no day and for one that could be two.

    Six digits are yymmdd, longer runs of digits begin with the day.
    """
    apart = [int(part) for part in re.findall(r"\d+", text)]
    if len(apart) == 3:
        year, month, day = apart if apart[0] > 31 else (apart[2], apart[0], apart[1])
        if apart[0] <= 12 and day <= 12 and month != day:  # 08/06/2021 is a day of June or of August
            return None
    else:
        digits = text[:8] if len(text) == 8 else "20" + text[:6]
        year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    try:
        date(year, month, day)
    except ValueError:
        return None
    if not 1990 <= year <= 2099:
        return None
    return year * 10_000 + month * 100 + day


def _grammar(name: str, *patterns: str, **options: object) -> Grammar:
    compiled = tuple(re.compile(pattern, re.IGNORECASE | re.ASCII) for pattern in patterns)
    return Grammar(name, compiled, **options)  # type: ignore[arg-type]  # each option is a field of Grammar by name


GRAMMARS: Mapping[str, Grammar] = {one.name: one for one in (
    # Sony, Synology, Reolink, Wyze, NUUO, FLIR, Panasonic, …: dotted numbers, then -build or _build
    _grammar("dotted", _FILE_OF + _PREFIX + _NUMBERS + r"(?:[-_](?P<build>\d{1,12}))?" + _FILE + _TAIL,
             model_files=True),
    _grammar("axis", r"(?:axis os |(?:root\.)?properties\.firmware\.)?" + _PREFIX + _NUMBERS + _TAIL, covers=True,
             strips=("AXIS",), tracks=((6, 50), (8, 40), (9, 80), (10, 12), (11, 11))),
    # A file name, IPC_E7_EN_STD_5.7.1_210628.zip, stands for the version and build day at its end
    _grammar("hikvision",
             # Firmware__V5.7.0_260327_S3000711576.zip: the day is that of the package, the build may be years older
             r"firmware__v?(?P<numbers>\d{1,3}(?:\.\d{1,4}){1,3})_\d{6}_s\d{6,12}(?P<tail>)" + _FILE,
             _PREFIX + r"(?P<numbers>\d{1,3}(?:\.\d{1,4}){1,3})(?:-(?P<more>\d{1,4}))?"
             r"(?:[\s,;_/(-]*(?:(?:" + _BUILD_WORD + r"|b|/)[\s:=_]*|(?<=[\s_(-]))"
             r"(?P<build>\d{8}|\d{6}|\d{4}-\d{2}-\d{2})(?!\d))?" + _TAIL,
             _BUILD_WORD + r"[\s:=]*(?P<build>\d{8}|\d{6})",
             r"[a-z]{2,6}(?:[_-][a-z0-9]{1,8}){1,8}_v?(?P<numbers>\d{1,3}(?:\.\d{1,4}){1,3})"
             r"_(?:build)?(?P<build>\d{6})(?P<tail>)" + _FILE, dated=True, strips=("HIKVISION", "EZVIZ", "ANNKE")),
    # 2.800.0000000.29.R.210630; the third group is a customer or branch, never a minor version. A file name,
    # DH_IPC-HX3XXX-…_V2.820.0000000.5.R.211015.bin, stands for the version at its end
    _grammar("dahua",
             r"(?:[a-z][\w.-]{1,90}_(?=v\d))?" + _PREFIX +
             r"(?P<family>\d{1,2}\.\d{3}\.[0-9a-z]{1,9})(?:\.(?P<more>\d{1,4})(?!\d))?(?:\.[a-z]{1,3})?"
             r"(?:[.,;\s]*(?:" + _BUILD_WORD + r"[:=\s]*)?" + _DATE + r")?" + _TAIL,
             _BUILD_WORD + r"[:=\s]*" + _DATE,
             order=Order.BUILD, dated=True, strips=("DAHUA", "DHI-", "DH-", "LOREX", "AMCREST", "HONEYWELL")),
    _grammar("cp-plus-nvr", r"(?P<family>b\d{4})p(?P<numbers>\d{2})c(?P<more>\d{5})"),
    # GIPC-B6202.8.6.210630: B6202 is a platform
    _grammar("uniview",
             r"(?!(?:[a-z]+ )*(?:not|no|or|to|before|below|until|from|after|since|older|newer|approx|about|circa|maybe|"
             r"perhaps|probably|likely|unknown|guess) )"
             r"(?:[a-z0-9]{2,8}[-_ ])*(?P<family>[a-z]\d{4})\.(?P<numbers>\d{1,4}(?:\.\d{1,4}){0,3})"
             r"(?:\.[a-z]{1,2}\d{0,6}){0,3}\.(?P<build>\d{6})" + _TAIL,
             telling=True, dated=True, strips=("UNIVIEW", "UNV")),
    _grammar("xiongmai", r"v?\d\.\d{2}\.r\d{2}\.(?P<tail>[0-9a-z].*)", order=Order.NONE, telling=True),
    _grammar("tvt", _PREFIX + r"(?P<numbers>\d{1,3}(?:\.\d{1,3}){1,2})"
             r"(?:\.(?P<more>\d{4,6})(?:b(?P<build>\d{6}))?)?" + _TAIL, dated=True),
    _grammar("vivotek", r"(?:v\.)?(?:(?P<family>[a-z0-9]+(?:-[a-z0-9]+)?)-)?vvtk-(?P<numbers>\d{4})"
                        r"(?P<patch>[a-z]{0,2})(?:\.flash)?(?:\.(?:zip|pkg))?(?P<tail>)",
             r"(?P<numbers>\d{4})(?P<patch>[a-z]{1,2})(?P<tail>)", strips=("VIVOTEK",)),
    _grammar("hanwha", _PREFIX + r"(?:(?P<family>[a-z]{2,4}-?\d{3,5}[a-z]*)_)?v?(?P<numbers>\d{1,2}(?:\.\d{1,3}){1,3})"
                       r"(?:_(?P<build>\d{12}|\d{8}|\d{6}))?(?:_r\d{1,4})?" + _TAIL, dated=True,
             strips=("HANWHA", "SAMSUNG", "WISENET")),
    # 7.80 B128 in an advisory is 7.80.0128 on the device
    _grammar("bosch", _PREFIX + r"(?P<numbers>\d{1,2}\.\d{1,2})(?:(?:\.|\s*b\s*)(?P<build>\d{1,4}))?" + _TAIL,
             strips=("BOSCH",)),
    _grammar("d-link", _FILE_OF + _PREFIX + _NUMBERS + r"(?:\s*b(?P<build>\d{1,4}))?(?:[\s_-]*(?P<patch>hotfix))?"
             + _FILE + _TAIL, model_files=True, strips=("D-LINK", "DLINK")),
    # A file name, Tapo_C210v1_en_1.3.0_Build_220830_Rel.69909n_u_1663826839743.bin, stands for the version inside it
    _grammar("tp-link", _PREFIX + _NUMBERS + r"(?:[\s_]*build[\s_]*(?P<build>\d{8}|\d{6})(?:[\s_]*rel\.?[\s_]*"
                        r"(?P<release>\d{1,6})[a-z]?(?![a-z0-9]))?)?" + _TAIL,
             r"(?:tapo_)?(?P<family>[a-z]{1,3}\d{2,4}[a-z0-9]{0,4}?)(?:v\d{1,2})?(?:_[a-z0-9-]{1,24}){0,5}?"
             r"_(?P<numbers>\d{1,3}(?:\.\d{1,4}){1,3})_build_"
             r"(?P<build>\d{8}|\d{6})_rel\.?(?P<release>\d{1,6})[a-z]?(?:_[a-z-]{0,24}){0,4}(?:_\d{10,13})?(?P<tail>)"
             + _FILE, dated=True, model_files=True, strips=("TP-LINK", "TAPO")),
    _grammar("mobotix", r"(?:mx-?)?v?" + _NUMBERS + r"(?:[.-]r(?P<patch>\d{1,3}))?" + _TAIL, strips=("MOBOTIX",)),
    _grammar("avtech", r"(?:(?:firmware[_: ]*)?fullimg-)?(?P<numbers>\d{1,6}(?:-\d{1,6}){1,5})", order=Order.EACH,
             strips=("AVTECH",)),
    _grammar("lilin", _PREFIX + r"(?P<numbers>\d{1,3}\.\d{1,3})b(?P<more>\d{1,4})(?:_(?P<build>\d{8}))?" + _TAIL,
             dated=True, strips=("LILIN",)),
    _grammar("illustra", r"(?:illustra\.)?(?P<family>ss\d{3})\.(?P<numbers>\d{1,4}(?:\.\d{1,4}){1,5})",
             strips=("ILLUSTRA",)),
    _grammar("geovision", _PREFIX + _NUMBERS + r"(?:[\s_](?P<build>\d{4}_\d{2}_\d{2}|\d{6,8}))?" + _TAIL, dated=True),
)}

# Forms that only one maker's software writes: found on a device of another label, the maker's advisories apply to it.
_TELLING: tuple[tuple[str, re.Pattern[str]], ...] = tuple((maker, re.compile(pattern, re.IGNORECASE | re.ASCII)) for
                                                          maker, pattern in (
    ("dahua", r"v?\d\.\d{3}\.[0-9a-z]{4,9}\.\d{1,4}\.[a-z]{1,2}(?:[.,\s].*)?"),
    ("dahua", r"v?\d\.\d{3}\.[0-9a-z]{4,9}\.\d{1,4}\.(?:20)?\d{6}"),
    ("hikvision", r"v\d{1,2}\.\d{1,3}\.\d{1,3}[\s,_]*build[\s:_]*\d{6}"),
    ("uniview", r"(?:[a-z]{2,6}-)[a-z]\d{4}(?:\.\d{1,4}){1,4}(?:\.[a-z]{1,2}\d{0,6}){0,3}\.\d{6}(?:\..*)?"),
    ("xiongmai", r"v?[45]\.0\d\.r\d{2}\.[0-9a-z]{6,10}\..*"),
    ("tvt", r"\d\.\d\.\d\.\d{4,6}b\d{6}(?:\..*)?"),
    ("tp-link", r"v?\d{1,2}\.\d{1,3}\.\d{1,3} build (?:20)?\d{6} rel\.? ?\d{1,6}[a-z]?(?:\(\d{1,5}\))?"),
    ("vivotek", r"[a-z]{2}\d{4}[a-z0-9]{0,4}-vvtk-\d{4}[a-z]{0,2}"),
    ("mobotix", r"mx-v\d(?:\.\d{1,3}){2,3}(?:[.-]r\d{1,2})?"),
))


def form_of(text: str) -> str | None:
    """The maker whose software alone writes versions of this form, as a slug; None where the form tells nobody."""
    if len(text) > MAX_TEXT:
        return None
    words = " ".join(text.split())
    return next((maker for maker, pattern in _TELLING if pattern.fullmatch(words)), None)


def grammar_named(name: str) -> Grammar:
    """A grammar by name. Raises `ValueError` with the names there are."""
    if name not in GRAMMARS:
        raise ValueError(f"no version grammar {name!r}; there are: {', '.join(sorted(GRAMMARS))}")
    return GRAMMARS[name]


def canonical(text: str) -> str:
    """A version text as it is compared letter by letter: one case, no spaces, no leading v."""
    plain = "".join(text[:MAX_TEXT].casefold().split())
    return re.sub(r"^(?:firmware|version|ver|v)[.:_]*(?=\d)", "", plain)
