"""Whether the title of a page is that of a device, of somebody's trade that bears a maker's name, or prose.

A hotel may be called like a camera maker, and its guests' network has a page. The words of other trades are those that
screening knows; a word of video surveillance or a model beside them makes it a device's page again. Prose speaks of a
maker's devices, as a blog or a recorder's list of what it works with does: it names nobody for certain.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache, lru_cache

from pydantic import ConfigDict

from rules.documents import DATA, Document, read

__all__ = ["is_of_another_trade", "is_prose"]

_WORD = re.compile(r"[^\W_]+")
_MODEL = re.compile(r"(?=[^\W\d]*[a-z])[a-z]{1,5}[\w.]{0,3}-?\d[\w./-]{2,24}", re.IGNORECASE)
_PLACES = frozenset({
    "restaurant", "restaurants", "cafe", "café", "park", "wifi", "hotspot", "guest", "guests", "apartment",
    "apartments", "apartamentos", "residence", "residences", "villa", "villas", "suites", "library",
    "schule", "gymnasium", "escuela", "colegio", "école", "ecole", "lycée", "universität", "universidad", "université",
    "krankenhaus", "spital", "bäckerei", "shop", "shops", "store", "blog", "webmail", "weddings", "ferienwohnung",
    "ferienwohnungen", "pension", "campsite", "camping", "hospital", "clinic", "church", "parish",
    "gemeinde", "rathaus",
})
"""Places whose pages are no device's; where a device stands there, its title says what it is as well."""
_OF_DEVICES = frozenset({
    "cam", "cams", "ipcam", "webcam", "camera", "cameras", "netcam", "ipc", "nvr", "dvr", "xvr", "hvr", "cctv", "ptz",
    "dome", "videoserver", "netvideo", "nvs", "activex", "plugin", "liveview", "webclient",
})
_AMBIGUOUS = frozenset({"window", "windows", "machine", "machines", "balance", "instruments", "motor", "lenses",
                        "optics", "optical", "film", "stickers", "art", "news", "pr", "club", "roll", "flight", "bar"})
"""Words of trades that a device's page says too: of its software, its lens, its parts."""


_OF_PROSE = frozenset({
    "how", "howto", "why", "fix", "fixing", "compatible", "compatibility", "supported", "blog", "review", "reviews",
    "reviewed", "vs", "versus", "replacement", "replacements", "replacing", "alternative", "alternatives", "tutorial",
    "tutorials", "forum", "forums", "wiki", "faq", "best", "buy", "cheap", "deals", "shop", "store", "reseller",
    "distributor", "integration", "integrating", "works", "wikipedia", "youtube", "reddit", "github", "exploit",
    "vulnerability", "vulnerabilities", "hacked", "hacking", "frigate", "zoneminder", "shinobi", "motioneye",
    "scrypted", "homebridge", "ispyconnect", "kompatibel", "compatibles", "anleitung", "testbericht",
})
"""Words of texts about devices, and of programs that take in the streams of anybody's cameras."""
_ABOUT = r"\b(?:with|for|like|than|from|our|your|my|about|mit|für|pour|avec|para|con)\s+(?:(?:an?|the|any|all)\s+)?"


class _Words(Document):
    """The classes of ``screening/words.yaml`` that matter here; the file has more."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    camera: tuple[str, ...]
    trade: tuple[str, ...]


@cache
def _words() -> tuple[frozenset[str], frozenset[str]]:
    """The words of other trades, and those of devices."""
    known = read(DATA / "screening" / "words.yaml", _Words)
    devices = _OF_DEVICES | frozenset(word.casefold() for word in known.camera)
    return (_PLACES | frozenset(word.casefold() for word in known.trade)) - _AMBIGUOUS, devices


@lru_cache(maxsize=4096)
def is_of_another_trade(title: str) -> bool:
    """Whether a title (folded) speaks of another trade and of no device."""
    said = frozenset(word.casefold() for word in _WORD.findall(title[:512].replace("Wi-Fi", "WiFi")))
    trades, devices = _words()
    return bool(said & trades) and not (said & devices or _MODEL.search(title[:512]))


def is_prose(title: str, names: Collection[str]) -> bool:
    """Whether a title (folded) that has these names in it speaks about them, or about more than one maker's devices.

    Args:
        title: the title as it reads.
        names: the makers and brands named in it, as it spells them.
    """
    text = title[:512]
    if not _OF_PROSE.isdisjoint(word.casefold() for word in _WORD.findall(text)):
        return True
    return any(re.search(_ABOUT + re.escape(name), text, re.IGNORECASE) for name in names)
