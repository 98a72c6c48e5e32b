"""Model, firmware, serial number, addresses and kind of a device: the best source first, in the maker's own form.

A value that the device declares in a structured reply beats one read out of a banner; one that fits the maker's grammar
beats one that does not. Values that every firmware carries (``IP Camera``, ``31``) name nothing and are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rules.index import Claim, Index, index_of
from rules.labels import fold, generic
from rules.makers import Grammar, Maker, Makers, compiled
from rules.oui import normal_mac
from rules.signals import LABELLED, label_texts, scope_values
from rules.vocabulary import Basis, Evidence, Kind, Strength
from scanner.observation import Observation

__all__ = ["TELLING", "Candidate", "addresses", "firmware", "firmware_build", "form_claims", "kind", "model", "serial"]

# Which reply is trusted first for a declared value; a transport that is not here comes last.
_ORDER = ("onvif", "http", "sadp", "dhip", "mhed", "xiongmai", "gvcp", "bosch", "sony", "panasonic", "vivotek",
          "dahua_v1", "hanwha", "ssdp", "mdns", "tplink", "wsd")
MAX_WORDS = 64
_GROUP_NAME = re.compile(r"\(\?P<\w+>")
_FORMED = frozenset({"model", "title", "scopes", "device_description", "serial", "firmware"})
_WORDS = re.compile(r"[\s,;|()\[\]\"]+")
_MODEL_WORD = re.compile(r"^(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[\w.+/\-]{3,40}$")
_TITLE_MODEL = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z]{1,4}-[\w.+/\-]{4,40}$")
_LONGEST_TITLE = 120
_OF_PAGES = frozenset({"", "login", "log", "in", "web", "service", "client", "ip", "network", "camera", "ipc", "nvr",
                       "dvr", "live", "view", "liveview", "index", "home", "page", "admin", "welcome", "to", "viewer"})
"""Words beside a model in the title of a device's own page."""
_NO_MODEL = re.compile(r"(?i)^(?:\d{1,3}|true|false|yes|no|-+|\*+|x+|#.*#)$")
_NO_SERIAL = re.compile(r"(?i)^(?:0*|\*+|x+|#.*#|1234567890*|n/?a|none|unknown)$")
_NOT_SHOWN = re.compile(r"\*{3,}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value read somewhere: `rank` orders the places, lowest first."""

    value: str
    rank: int
    because: str
    seen: Observation | str             # or its id

    @property
    def observation(self) -> str:
        """The id of what it was read from; empty where that is not known."""
        return self.seen if isinstance(self.seen, str) else self.seen.id


_KIND_WORDS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    (Kind.OTHER, (
        r"print(?:er| ?server)", r"document server", r"cd(?:-rom)? server", r"\bswitch\b", r"router", r"access point",
        r"telepresence", r"video ?conferenc", r"meeting server", r"\bmcu\b", r"alarm panel", r"access control",
        r"\bplug\b", r"smart.*(?:bulb|plug)", r"\b(?:usb|switching|network) hub\b",
        r"gateway", r"speaker", r"network audio",
        r"audio (?:module|bridge|encoder)", r"room alert", r"tempager", r"environment", r"\bmixer\b", r"amplifier",
        r"media server", r"set-top", r"video decoder",
        # printers, televisions, routers, telephones, alarm panels and storage, by their names and the forms of models
        r"\bkx-(?:m[bc]|p|tg|ut|hdv|nt|ns|tda)", r"topaccess", r"\be-?studio ?\d", r"\b(?:dcp|mfc)-[a-z]?\d{3,4}",
        r"\bhl-l?\d{4}", r"\bepson\b", r"\b(?:laser|office|desk|design)jet\b", r"\bjetdirect\b", r"workcentre",
        r"\bimagerunner", r"\bir-?adv", r"\bi-?sensys", r"\bpixma\b", r"\bmf\d{3}c?[dwx]*\b", r"\bsyncthru\b",
        r"\bviera\b", r"\bbravia\b", r"\baquos\b", r"\bwebos\b", r"\bsmart ?tv\b", r"\btelevision\b",
        r"\bkd-\d{2}x", r"\bblu-?ray\b", r"\bchromecast\b",
        r"\btl-(?:wr|wdr|wa|mr|wpa|sg|sf|pa|er)\d", r"\barcher (?:a|ax|be|c|vr|mr)\d", r"\bnetgear [a-z]{1,4}\d{3,4}",
        r"\b(?:wnr|wndr|dgnd?|rax|rbr)\d{3,4}", r"\b(?:hg|eg|hs)8\d{3}[a-z]?\d?\b", r"\bzxhn\b", r"\bfritz!?box\b",
        r"\bgpon\b", r"\b[av]?dsl modem\b", r"\b(?:dir-\d{3}|dsl-\d{3,4}|d[eg]s-\d{4}|dap-\d{4})",
        r"\bedge ?(?:os|max|switch)", r"\brouteros\b", r"\bcisco ios\b", r"\bunifi os\b",
        r"\bip ?(?:desk ?)?phones?\b", r"\bcp-(?:6[89]|7[89]|8[89]|99)\d{2}[a-z]?\b", r"\bgxp\d{4}", r"\bgrp\d{4}",
        r"\bht8\d{2}\b", r"\bsip-t\d{2}", r"\byealink\b", r"\bsnom\b", r"\bsoundpoint\b", r"\bvvx ?\d{3}", r"\bpbx\b",
        r"\bb[345689]512g?\b", r"(?:intrusion|fire alarm|burglar) panel", r"\bthermostat\b", r"\bsimatic\b",
        r"\b(?:disk|rack)station\b", r"\bds\d{3,4}(?:\+|xs\+?|j|play|slim)?(?![\w-])", r"\bqnap t[sbv]s?-h?\d{3,4}",
        r"\bturbo nas\b", r"\bnas\b", r"\btruenas\b")),
    (Kind.HUB, (r"\bhub\b", r"\bsmart\.\w*hub\b", r"\bhome ?base\b", r"\bbase ?station\b")),
    (Kind.INTERCOM, (r"intercom", r"door ?(?:bell|phone|station)", r"\bvt[oh]\b")),
    (Kind.RECORDER, (
        r"\b(?:embedded )?(?:net(?:work)? )?(?:[dnx]|hc|hd|xm)vr(?:s|\b)", r"video recorder", r"\bdvr", r"\bnvr",
        r"recording (?:station|server)")),
    (Kind.ENCODER, (r"video (?:encoder|server)", r"encoder blade", r"\bdvs\b", r"\bencoder\b")),
    (Kind.THERMAL, (r"thermal", r"thermograph", r"infrared camera", r"\bbi-?spectrum\b")),
    (Kind.CAMERA, (
        r"network camera", r"ip ?cam(?:era)?\b", r"webcam", r"web cam", r"\bcamera\b", r"cctv", r"smart\.ipcamera",
        r"\bip ?dome\b", r"\bipc(?:amera)?\b",
        r"network(?: |_)?video(?: |_)?transmitter")),
)
_KINDS = tuple((kind, re.compile("|".join(patterns), re.IGNORECASE)) for kind, patterns in _KIND_WORDS)
_KIND_FIELDS: Mapping[str, Strength] = {
    **dict.fromkeys(("device_class", "device_type"), Strength.STRONG),
    **dict.fromkeys(("device_description", "model_description", "model", "title", "realm", "server", "banner",
                     "sys_descr", "vendor_class", "user_agent"), Strength.MEDIUM),
    **dict.fromkeys(("friendly_name", "types", "service_types"), Strength.WEAK),
}

TELLING = frozenset({"model", "firmware", "firmware_build", "serial", "mac", "macs", "scopes", "device_description",
                     *_KIND_FIELDS, *LABELLED})
"""Every field that is looked at here or compared in `rules.crosschecks`; a reply without any of them says nothing."""


def _rank(transport: str) -> int:
    return _ORDER.index(transport) if transport in _ORDER else len(_ORDER)


def _declared(observations: Iterable[Observation], field: str) -> Iterator[Candidate]:
    for seen in observations:
        if field not in seen.fields:
            continue
        for value in seen.values(field):
            text = fold(value)
            if text and not _NOT_SHOWN.search(text):
                yield Candidate(text, _rank(seen.transport), f"{seen.transport} {field}", seen)


def _from_scopes(observations: Iterable[Observation], scope: str) -> Iterator[Candidate]:
    for seen in observations:
        for text in scope_values(seen, scope):
            yield Candidate(fold(text), len(_ORDER) + 1, f"{seen.transport} scope {scope}", seen)


def _from_signals(evidence: Iterable[Evidence], claim: str, owners: Sequence[str]) -> Iterator[Candidate]:
    """What signals of the credible makers read out of banners; of anyone's, where no maker is credible."""
    for item in evidence:
        owner = item.signal.partition(".")[0]
        if item.claim == claim and item.signal and (not owners or owner in owners or owner in {"brand", "oui"}):
            yield Candidate(item.value, len(_ORDER) + 2, item.because, next(iter(item.observations), ""))


def _from_labels(observations: Iterable[Observation], maker: Maker | None) -> Iterator[Candidate]:
    """Words of banners and titles that have the form of a model: ``Sony Network Camera SNC-EP520``."""
    patterns = tuple(grammar.pattern for grammar in maker.models) if maker else ()
    for seen in observations if patterns else ():
        for text in label_texts(seen):
            for word in _model_words(patterns, text):
                yield Candidate(word, len(_ORDER) + 3, f"{seen.transport} {text[:60]}", seen)


@lru_cache(maxsize=4096)
def _model_words(patterns: tuple[str, ...], text: str) -> tuple[str, ...]:
    """The words of a text that begin like a model of one of these forms."""
    return tuple(word for word in _WORDS.split(text)[:MAX_WORDS]
                 if _MODEL_WORD.match(word) and _any_of(patterns).match(word))


@lru_cache(maxsize=1024)
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """One pattern that fits where any of these does: a maker's forms are tried in one step instead of thirty.

    The names of groups are dropped, since a name may stand only once, and a leading ``(?i)`` is kept to its own form.
    """
    whole = (_GROUP_NAME.sub("(?:", pattern) for pattern in patterns)
    return re.compile("|".join(f"(?i:{one[4:]})" if one.startswith("(?i)") else f"(?:{one})" for one in whole))


def _read(grammars: Sequence[Grammar], text: str) -> str | None:
    """What is kept of a text that fits one of the grammars; None where it fits none."""
    for grammar in grammars:
        found = compiled(grammar.pattern).search(text)
        if found:
            return found.groupdict().get("value") or found.group(0)
    return None


def firmware_build(observations: Sequence[Observation]) -> str | None:
    """The build that belongs to the version, from the reply that is trusted first."""
    chosen = _best(_declared(observations, "firmware_build"))
    return chosen.value if chosen else None


def _best(candidates: Iterable[Candidate], fits: Sequence[bool] | None = None) -> Candidate | None:
    ordered = list(candidates)
    if not ordered:
        return None
    keys = fits if fits is not None else [True] * len(ordered)
    return min(zip(keys, ordered, strict=True), key=lambda pair: (not pair[0], pair[1].rank))[1]


def _decided(claim: str, value: str, chosen: Candidate) -> Evidence:
    return Evidence(claim, value, Strength.MEDIUM, Basis.LABEL, claim, f"{chosen.because}: {chosen.value}",
                    f"attribute.{claim}", (chosen.observation,) if chosen.observation else ())


def model(observations: Sequence[Observation], evidence: Sequence[Evidence], maker: Maker | None,
          owners: Sequence[str], brand: str | None, index: Index) -> Evidence | None:
    """The model: declared, from the hardware scope, or read out of a banner by a signal of a credible maker."""
    candidates = [c for c in (*_declared(observations, "model"), *_from_scopes(observations, "hardware"),
                              *_from_scopes(observations, "model"), *_from_signals(evidence, "model", owners),
                              *_from_labels(observations, maker),
                              *_declared(observations, "device_description"))
                  if not generic(c.value)]
    slug = maker.maker if maker else None
    texts = [index.model_text(c.value, slug, brand) for c in candidates]
    usable = [(c, text, fits) for c, (text, fits) in zip(candidates, texts, strict=True)
              if fits or not (_NO_MODEL.match(text) or c.because.endswith("device_description"))]
    chosen = _best([c for c, _, _ in usable], [fits for _, _, fits in usable])
    if chosen is None:
        return None
    return _decided("model", next(text for c, text, _ in usable if c is chosen), chosen)


def firmware(observations: Sequence[Observation], evidence: Sequence[Evidence], maker: Maker | None,
             owners: Sequence[str]) -> Evidence | None:
    """The firmware version; a text that fits the maker's grammar wins, any other is kept as sent."""
    grammars = maker.firmware if maker else ()
    candidates = [*_declared(observations, "firmware"), *_from_signals(evidence, "firmware", owners)]
    fits = [_read(grammars, c.value) is not None for c in candidates]
    chosen = _best(candidates, fits)
    if chosen is None:
        return None
    return _decided("firmware", _read(grammars, chosen.value) or chosen.value, chosen)


def serial(observations: Sequence[Observation], evidence: Sequence[Evidence], maker: Maker | None,
           owners: Sequence[str]) -> Evidence | None:
    """The serial number; zeros, stars and other placeholders are none."""
    grammars = maker.serial if maker else ()
    candidates = [c for c in (*_declared(observations, "serial"), *_from_signals(evidence, "serial", owners))
                  if not _NO_SERIAL.match(c.value)]
    chosen = _best(candidates, [_read(grammars, c.value) is not None for c in candidates])
    return _decided("serial", _read(grammars, chosen.value) or chosen.value, chosen) if chosen else None


def addresses(observations: Sequence[Observation], evidence: Sequence[Evidence],
              owners: Sequence[str]) -> tuple[str, ...]:
    """All MAC addresses: the one seen on the link layer first, then declared ones, then those in realms and names."""
    linked = [c for seen in observations if seen.transport == "link" for c in _declared((seen,), "mac")]
    others = [seen for seen in observations if seen.transport != "link"]
    candidates = (*linked, *_declared(others, "mac"), *_from_scopes(others, "MAC"),
                  *_from_signals(evidence, "mac", owners))
    found = (normal_mac(c.value) for c in candidates)
    return tuple(dict.fromkeys(mac for mac in found if mac))


@lru_cache(maxsize=4096)
def _title_model(title: str) -> str:
    """The model that is the whole title of a page, or that stands in it between words of a device's own page."""
    words = [word for word in _WORDS.split(fold(title)[:_LONGEST_TITLE]) if word]
    models = [word for word in words if _TITLE_MODEL.match(word)]
    rest = {word.casefold().strip("-:") for word in words} - {word.casefold().strip("-:") for word in models}
    return models[0] if len(models) == 1 and rest <= _OF_PAGES else ""


def form_claims(seen: Observation, makers: Makers) -> tuple[Claim, ...]:
    """What the form of a declared model, serial number or firmware version says of the maker.

    A model is the device's own word (label); a serial number or a version with a form of its own comes with the maker's
    factory or firmware.
    """
    if _FORMED.isdisjoint(seen.fields):
        return ()
    index = index_of(makers)
    found: list[tuple[int, int, Claim]] = []
    texts = (*seen.values("model"), *scope_values(seen, "hardware"), *seen.values("device_description"))
    if texts:
        spelled = tuple(sorted({fold(text) for text in texts}))
        found += [(at, 0, claim) for at, claim in index.model_says(seen.transport, spelled)]
    elif "title" in seen.fields and (model := _title_model(seen.text("title"))):
        found += [(at, 0, claim) for at, claim in index.model_says(seen.transport, (model,))
                  if claim.claim == "maker" and claim.strength is Strength.STRONG]
    for place, field in enumerate(("serial", "firmware"), start=1):
        for text in seen.values(field):
            found += [(at, place, claim) for at, claim in index.form_says(seen.transport, field, text)]
    found.sort(key=lambda row: row[:2])                     # by maker, as its file is written; within it as found
    return tuple(claim for _, _, claim in found)


@lru_cache(maxsize=4096)
def _kind_of(text: str) -> Kind | None:
    reading = fold(text)
    return next((kind for kind, pattern in _KINDS if pattern.search(reading)), None)


def _kind_words(observations: Iterable[Observation]) -> Iterator[Evidence]:
    for seen in observations:
        for field, strength in _KIND_FIELDS.items():
            if field not in seen.fields:
                continue
            for value in seen.values(field):
                kind_of = _kind_of(value)
                if kind_of is not None:
                    yield Evidence("kind", kind_of, strength, Basis.LABEL, f"kind-{field}",
                                   f"{seen.transport} {field} says {fold(value)[:60]}", "attribute.kind", (seen.id,))


def kind(observations: Sequence[Observation], evidence: Sequence[Evidence], maker: Maker | None,
         owners: Sequence[str], model_name: str | None, *, has_channels: bool) -> Evidence | None:
    """What it is: the maker's model grammar first, then signals and device classes, then words on labels."""
    for grammar in maker.models if maker and model_name else ():
        if grammar.kind is not Kind.UNKNOWN and compiled(grammar.pattern).search(model_name or ""):
            return Evidence("kind", grammar.kind, Strength.STRONG, Basis.LABEL, "model",
                            f"model {model_name} has the form of a {grammar.kind}", "attribute.kind")
    order = list(Strength)
    found = [item for item in evidence if item.claim == "kind"
             and (not owners or item.signal.partition(".")[0] in owners or item.strength is Strength.DECISIVE)]
    found += _kind_words(observations)
    if has_channels:
        found.append(Evidence("kind", Kind.RECORDER, Strength.STRONG, Basis.FIRMWARE, "channels",
                              "it lists cameras behind it", "attribute.kind"))
    return min(found, key=lambda item: order.index(item.strength), default=None)
