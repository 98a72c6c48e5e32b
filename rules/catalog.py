"""Every name, label and part number that screening knows, indexed once: parties and makers with their spellings.

`load` reads the rule data; `Catalog` holds nothing but look-up tables. What a find means is decided in
`rules.screening`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache
from typing import Literal

from rules import entities as entity_data
from rules import makers as maker_data
from rules import regimes as regime_data
from rules.documents import Document, read
from rules.entities import Entities, Party
from rules.labels import fold
from rules.listing import Listing, listing_of
from rules.longnames import LongName, LongNames, own_words
from rules.makers import Brand, Makers
from rules.names import FOLDER, simplified, squeeze
from rules.regimes import Regime, Relation, Words
from rules.screening_runs import Runs
from rules.screening_slips import Slips

__all__ = ["Catalog", "Known", "Label", "Line", "ModelRule", "Standing", "Statement", "WordClass", "load"]

WordClass = Literal["about", "camera", "device", "trade", "neutral", "legal", "place", "order", "person"]
_CLASSES: tuple[WordClass, ...] = ("about", "camera", "device", "trade", "neutral", "legal", "place", "order", "person")
_SCRIPT_OF = (("han", r"[\u3400-\u9fff]"), ("kana", r"[\u3041-\u30ff]"), ("hangul", r"[\uac00-\ud7a3]"),
              ("arabic", r"[\u0620-\u06ff]"), ("cyrillic", r"[\u0400-\u04ff]"))
_SHORT = {"han": 1, "kana": 2, "hangul": 2, "arabic": 3, "cyrillic": 3}
_WHOLE_RUNS = frozenset({"han", "arabic"})           # scripts whose runs are closed over the spaces between words
_MIXED_WORD = re.compile(r"[A-Za-z][\u0370-\ud7a3]|[\u0370-\ud7a3][A-Za-z]")
_HAN_LEGAL = re.compile("(?:集团)?(?:股份)?有限(?:责任)?公司$")
_LEGAL = frozenset({"co", "company", "corp", "corporation", "inc", "incorporated", "ltd", "limited", "llc", "plc",
                    "gmbh", "ag", "ab", "bv", "pvt", "group", "stock"})
_SHORTEST_FUZZY, _SHORTEST_HEAD, _LONGEST_HEAD = 5, 3, 11
_SHORT_LABEL = 4                # letters of a label that is on much else, too
_EVERYBODYS = frozenset({"the", "of", "and", "a", "de", "usa", "us", "uk", "inc", "europe", "india", "canada", "china"})


class _Words(Document):
    note: str
    about: Words
    camera: Words
    device: Words
    trade: Words
    neutral: Words
    legal: Words
    place: Words
    order: Words
    person: Words
    han_trade: Words
    han_neutral: Words
    for_words: Words
    for_maybe: Words
    accessory: Words
    paper: Words


class _Spellings(Document):
    source: str
    parties: Mapping[str, tuple[str, ...]]
    common: tuple[str, ...]
    others: Words
    exact_only: Words
    doubtful: Words
    others_han: Words
    before_han: Words
    after_han: Words
    tails_han: Words
    products: Mapping[str, Words]


class ModelRule(Document):
    """Part numbers of one party; ``decides`` says what they amount to alone, ``needs`` the words they ask for.

    ``beside`` are the words of which one has to be there, where the form says little (``PD605`` is a radio or a pump).
    """

    party: str
    decides: Literal["match", "review"]
    patterns: tuple[str, ...]
    brand: str = ""
    needs: Literal["", "camera", "device"] = ""
    beside: Words = ()
    component: bool = False


class _Models(Document):
    source: str
    models: tuple[ModelRule, ...]


class Line(Document):
    """A product line of a label, with who makes it, until when, and what that amounts to.

    With ``needs``, it counts where the words speak of cameras and no part number says which line it is.
    """

    brand: str
    names: tuple[str, ...]
    models: str
    parties: tuple[str, ...]
    until: date | None = None
    action: Literal["match", "review", "no_match"]
    source: str
    unverified: bool = False
    needs: Literal["", "camera"] = ""


class Statement(Document):
    """Models that their maker or seller officially states to be compliant: a claim with its source."""

    brand: str
    names: tuple[str, ...]
    models: str
    says: str
    source: str


class _Brands(Document):
    source: str
    ordinary: tuple[str, ...]
    lines: tuple[Line, ...]
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """A spelling of a party: whose, how it is written, and whether it has namesakes (``common``)."""

    party: str
    written: str
    common: bool
    kind: Literal["name", "brand", "maker"] = "name"


@dataclass(frozen=True, slots=True)
class Label:
    """A label that a listed maker's devices are sold under: evidence of the maker, with dates and confidence."""

    written: str
    party: str
    brand: Brand
    ordinary: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How a party stands to the lists on a day: ``listed``, ``unresolved`` or ``clear``; its owner where it has one."""

    word: Literal["listed", "unresolved", "clear"]
    relation: Literal["self", "subsidiary", "affiliate", "former_affiliate", "successor"]
    because: str
    owner: str | None = None


@dataclass(frozen=True)
class Catalog:
    """Look-up tables over all that is known; immutable, cheap to pass around.

    ``names`` is keyed by the squeezed Latin spelling, ``scripts`` has the spellings of every other script, longest
    first; ``fuzzy`` are the names that a spelling mistake may be measured against, ``swapped`` by their sorted letters
    those where letters that changed places are the only mistake that is believed, ``heads`` those of them that are
    written glued to other words or cut off, ``short`` the short ones, ``slips`` the names of which a single slip is
    worth a look, ``apart`` the words that no slip of a name gives: words of their own and names of others,
    ``runs`` knows what only looks like a name in another script. ``companions`` are the places and words of its trade
    that stand in a party's full names, and its product lines.
    """

    entities: Entities
    regimes: tuple[Regime, ...]
    names: Mapping[str, Known]
    scripts: Mapping[str, tuple[tuple[str, Known], ...]]
    fuzzy: tuple[str, ...]
    swapped: Mapping[str, str]
    labels: Mapping[str, tuple[Label, ...]]
    lines: tuple[tuple[Line, re.Pattern[str], re.Pattern[str]], ...]
    statements: tuple[tuple[Statement, re.Pattern[str], re.Pattern[str]], ...]
    models: tuple[tuple[ModelRule, re.Pattern[str]], ...]
    classes: Mapping[str, WordClass]
    han_trade: tuple[str, ...]
    han_neutral: tuple[str, ...]
    others: frozenset[str]
    doubtful: frozenset[str]
    class_words: tuple[str, ...]
    camera_marks: tuple[str, ...]
    trade_marks: tuple[str, ...]
    companions: Mapping[str, frozenset[str]]
    heads: tuple[str, ...]
    long: LongNames
    slips: Slips
    runs: Runs
    apart: frozenset[str]
    short: tuple[str, ...]
    for_words: frozenset[str]
    for_maybe: frozenset[str]
    accessories: frozenset[str]
    papers: frozenset[str]
    _standings: dict[tuple[str, date], Standing] = field(default_factory=dict, repr=False, compare=False)

    def standing(self, party_id: str, day: date) -> Standing:
        """How the party stands to every list that names parties, on that day."""
        key = (party_id, day)
        if key not in self._standings:
            self._standings[key] = _standing(self.entities.parties[party_id], self.entities, self.regimes, day)
        return self._standings[key]


def _standing(party: Party, entities: Entities, regimes: Iterable[Regime], day: date) -> Standing:
    naming = [regime for regime in regimes if regime.category is None]
    named = sorted({regime.regime for regime in naming for entry in regime.entries if entry.entity == party.id})
    relation, owner = _tie(party, entities, day)
    if named:
        return Standing("listed", "self" if relation in {"successor", "former_affiliate"} else relation,
                        f"named in {', '.join(named)}", owner)
    answers = [(regime.regime, listing_of(regime, party, entities, day)) for regime in naming]
    reached = [name for name, answer in answers if answer.counts or answer.word == "not_yet_effective"]
    if reached:
        return Standing("listed", relation, f"reached through its owner by {', '.join(reached)}", owner)
    doubtful = [(name, answer) for name, answer in answers if answer.word == "unresolved"]
    if doubtful:
        return Standing("unresolved", relation, _first(doubtful), owner)
    return Standing("clear", relation, "no list here names it", owner)


def _first(answers: list[tuple[str, Listing]]) -> str:
    name, answer = answers[0]
    return f"{name}: {answer.because}"


def _tie(party: Party, entities: Entities, day: date) -> tuple[
        Literal["self", "subsidiary", "affiliate", "former_affiliate", "successor"], str | None]:
    """The relation to the party above, in the words of `camvet screen`."""
    for link in party.links:
        if link.to not in entities.parties:
            continue
        if link.relation is Relation.SUCCESSOR:
            return "successor", link.to
        lasts = (link.since is None or link.since <= day) and (link.until is None or day < link.until)
        if link.relation is Relation.FORMER or not lasts:
            return "former_affiliate", link.to
        return ("subsidiary" if link.relation is Relation.SUBSIDIARY else "affiliate"), link.to
    return "self", None


@cache
def load() -> Catalog:
    """The catalog of the shipped rule data. Raises `DataError` where a file does not fit."""
    return build(entity_data.load(), maker_data.load(), regime_data.load())


def build(entities: Entities, makers: Makers, regimes: tuple[Regime, ...]) -> Catalog:
    """The catalog over these parties, makers and regimes."""
    words = read(FOLDER / "words.yaml", _Words)
    spellings = read(FOLDER / "spellings.yaml", _Spellings)
    brands = read(FOLDER / "brands.yaml", _Brands)
    common = {squeeze(name) for name in spellings.common} | set(spellings.common)
    named = {entry.entity for regime in regimes for entry in regime.entries}
    tied = _tied(entities, named)
    names: dict[str, Known] = {}
    scripts: dict[str, dict[str, Known]] = {}
    for party in sorted(entities.parties.values(), key=lambda p: p.id not in tied):
        if party.id.startswith("category:"):
            continue
        for written in (party.name, *party.names, *party.brands, *spellings.parties.get(party.id, ())):
            _claim(party.id, written, "name" if party.id in tied else "maker", common, names, scripts)
    labels = _labels(makers, entities, tied, names, {squeeze(name) for name in brands.ordinary}, common, scripts)
    for maker in makers:
        for written in (maker.name, *maker.names, *maker.declared):
            owner = entities.of_maker(maker.maker)
            if squeeze(written) not in labels:
                kind: Literal["name", "maker"] = "name" if owner is not None and owner.id in tied else "maker"
                _claim(owner.id if owner else "", written, kind, common, names, scripts)
    classes: dict[str, WordClass] = {}
    for name in reversed(_CLASSES):
        classes.update(dict.fromkeys(_folded(getattr(words, name)), name))
    for word in classes.keys() & names.keys():  # "Face++" squeezed is a word of its own
        if names[word].kind == "name" and not names[word].common:
            del names[word]
    fuzzy = tuple(key for key, known in names.items() if known.kind == "name" and len(key) >= _SHORTEST_FUZZY
                  and key not in spellings.exact_only)
    return Catalog(
        entities=entities, regimes=regimes, names=names, fuzzy=fuzzy,
        swapped={"".join(sorted(key)): key for key, known in names.items() if known.kind == "name"
                 and key in spellings.exact_only and len(key) > _SHORTEST_FUZZY}, labels=labels, classes=classes,
        scripts={script: tuple(sorted(found.items(), key=lambda one: -len(one[0])))
                 for script, found in scripts.items()},
        lines=tuple((line, _names(line.names), _model(line.models)) for line in brands.lines),
        statements=tuple((said, _names(said.names), _model(said.models)) for said in brands.statements),
        models=tuple((rule, _model("|".join(rule.patterns)))
                     for rule in read(FOLDER / "models.yaml", _Models).models if rule.party in entities.parties),
        han_trade=tuple(map(simplified, words.han_trade)),
        han_neutral=tuple(sorted(map(simplified, words.han_neutral), key=len, reverse=True)),
        others=frozenset(spellings.others), doubtful=frozenset(spellings.doubtful),
        class_words=tuple(word for word in classes if len(word) >= 6 and word.isascii()),
        camera_marks=tuple(dict.fromkeys(simplified(w) for w in (*words.camera, *words.device) if _eastern(w))),
        trade_marks=tuple(simplified(w) for w in words.trade if not w.isascii()),
        companions=_companions(entities, tied, classes, spellings.products),
        heads=tuple(sorted((key for key in fuzzy if len(key) <= _LONGEST_HEAD), key=len, reverse=True)),
        long=LongNames(_long_names(entities, names, classes, frozenset(spellings.exact_only)), _LEGAL),
        slips=Slips((key, known.written) for key, known in names.items()
                    if known.kind == "name" and known.written.isascii()),
        runs=Runs((written for written, known in scripts.get("han", {}).items() if known.kind == "name"),
                  (written for script in ("kana", "hangul") for written in scripts.get(script, ())),
                  before=spellings.before_han, after=spellings.after_han, others=spellings.others_han,
                  known=frozenset((*classes, *map(simplified, (
                      *spellings.tails_han, *words.han_neutral, *words.han_trade, *words.camera, *words.device,
                      *words.trade))))),
        apart=frozenset((*classes, *spellings.others, *(key for key, known in names.items() if known.kind == "maker"))),
        short=tuple(key for key, known in names.items() if known.kind == "name" and _SHORTEST_HEAD <= len(key)
                    < _SHORTEST_FUZZY and known.written.isascii() and key.isalpha()),
        for_words=frozenset(_folded(words.for_words)), for_maybe=frozenset(_folded(words.for_maybe)),
        accessories=frozenset(_folded(words.accessory)), papers=frozenset(_folded(words.paper)))


def _long_names(entities: Entities, names: Mapping[str, Known], classes: Mapping[str, WordClass],
                exact_only: frozenset[str]) -> Iterator[LongName]:
    """The full names of parties that a list names or reaches, with the words of them that are their own."""
    for party in entities.parties.values():
        for written in (party.name, *party.names):
            words = _bare(written)
            known = names.get("".join(words))
            if len(words) > 1 and known is not None and known.kind == "name" and written.isascii():
                own = own_words(words, classes)
                yield LongName("".join(words), own, exact=any(word in exact_only for word in own))


def _eastern(word: str) -> bool:
    """Whether a word is of a script other than Latin, so that it is looked for inside runs of that script."""
    return any(c >= "\u0370" for c in word)


def _folded(words: Iterable[str]) -> set[str]:
    """Words as written and as `rules.names` reads them, without their accents."""
    return {form for word in words for form in (word.casefold(), fold(word).casefold())}


def _companions(entities: Entities, tied: set[str], classes: Mapping[str, WordClass],
                products: Mapping[str, Words]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for key in tied:
        party = entities.parties[key]
        words = {word for written in (party.name, *party.names) for word in fold(written).casefold().replace(
            ",", " ").replace(".", " ").split()}
        found[key] = frozenset(word for word in words if classes.get(word) in {"neutral", "place"}
                               and word not in _EVERYBODYS) | frozenset(products.get(key, ()))
    return found


def _tied(entities: Entities, named: set[str]) -> set[str]:
    """The parties a list names, and all that are or were bound to one."""
    tied = named & set(entities.parties)
    for _ in range(4):
        tied |= {party.id for party in entities.parties.values() if any(link.to in tied for link in party.links)}
    return tied


def _claim(party: str, written: str, kind: Literal["name", "brand", "maker"], common: set[str], names: dict[str, Known],
           scripts: dict[str, dict[str, Known]]) -> None:
    script = next((name for name, pattern in _SCRIPT_OF if re.search(pattern, written)), None)
    if script is not None:
        if _MIXED_WORD.search(written):        # half of "TCL科技" says "technology", half of a disguise says nothing
            return
        from rules.names import read as comparable

        runs = comparable(written).scripts.get(script, ())
        for run in runs if script in _WHOLE_RUNS or not runs else ("".join(runs),):  # no word of a name alone is it
            if script == "han" and len(bare := _HAN_LEGAL.sub("", run)) > 3:  # a short name says too little
                scripts.setdefault(script, {}).setdefault(bare, Known(party, written, bare in common, kind))
            short = len(run) <= _SHORT[script]
            scripts.setdefault(script, {}).setdefault(run, Known(party, written, short or run in common, kind))
        return
    for key in _keys(written):
        short = len(key) <= 3  # HIK, UNV, ZTE: borne by others
        names.setdefault(key, Known(party, written, short or key in common, kind))


def _squeezed(written: str) -> list[str]:
    return [squeeze(word) for word in re.sub(r"\([^)]*\)", " ", written).replace(".", " ").split()]


def _bare(written: str) -> list[str]:
    """The words of a name without the legal form at its end."""
    words = _squeezed(written)
    while len(words) > 1 and (words[-1] in _LEGAL or not words[-1]):
        words.pop()
    return words


@lru_cache(maxsize=2048)
def _keys(written: str) -> tuple[str, ...]:
    both = ("".join(_squeezed(written)), "".join(_bare(written)))
    return tuple(dict.fromkeys(key for key in both if len(key) >= 2))  # XM is a name, X none


def _labels(makers: Makers, entities: Entities, tied: set[str], names: Mapping[str, Known], ordinary: set[str],
            common: set[str], scripts: dict[str, dict[str, Known]]) -> dict[str, tuple[Label, ...]]:
    """Labels of listed makers; one that is itself a maker's name is none, since only its lines can tell."""
    own_makers = {squeeze(name) for maker in makers for name in (maker.name, *maker.names, *maker.declared)}
    found: dict[str, list[Label]] = {}
    for brand, party in _listed_brands(makers, entities, tied):
        for written in (brand.name, *brand.aliases):
            key = squeeze(written)
            if brand.own:
                if isinstance(names, dict):
                    _claim(party.id, written, "brand", common, names, scripts)
            elif key not in own_makers and key not in names:
                common_word = key in ordinary or (brand.confidence == "low" and len(key) <= _SHORT_LABEL)
                found.setdefault(key, []).append(Label(written, party.id, brand, common_word))
    return {key: tuple(labels) for key, labels in found.items()}


def _listed_brands(makers: Makers, entities: Entities, tied: set[str]) -> Iterator[tuple[Brand, Party]]:
    for maker in makers:
        party = entities.of_maker(maker.maker)
        if party is not None and party.id in tied:
            for brand in maker.brands:
                yield brand, party


def _names(names: tuple[str, ...]) -> re.Pattern[str]:
    either = "|".join(r"[\s_.\-]*".join(map(re.escape, re.split(r"[\s\-]+", name))) for name in names)
    return re.compile(rf"(?i)(?<![^\W_])(?:{either})(?![^\W_])")


def _model(patterns: str) -> re.Pattern[str]:
    """Part numbers in free text: a hyphen outside brackets stands for any separator or none."""
    if not patterns:
        return re.compile("")
    loose = re.sub(r"\[[^\]]*\]|-\??", lambda f: f.group() if f.group().startswith("[") else r"[-\s_./]?", patterns)
    return re.compile(rf"(?i)(?<![^\W_])(?:{loose})")
