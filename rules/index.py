"""The makers' files turned around: from one field's text to the signals, names, forms and clouds it fits.

A site repeats itself: hundreds of devices send the same server line. So what one text means is worked out once and
remembered, apart from the observation it came from. Whatever is remembered follows from the text and the makers alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

from rules.labels import fold, mentions, name_pattern, unspaced
from rules.makers import Brand, Chipset, Cloud, Grammar, Maker, Makers, ModelGrammar, Signal, compiled
from rules.names import unleet
from rules.vocabulary import Basis, Evidence, Strength

__all__ = ["ANY_FIELD", "CLAIMS", "LABEL_ONLY", "Claim", "Hit", "Index", "Named", "index_of", "readings", "shown"]

CLAIMS = ("model", "firmware", "serial", "mac", "brand")
"""Named groups of a signal's pattern that are read as claims."""

ANY_FIELD = "*"
_SYSTEM = "sys_descr"
LABEL_ONLY = "label"
"""The transport of what is printed on a box or an order: whatever it says, whoever printed it said it."""
MAX_FIELD = 65536
_REMEMBERED = 16_384            # texts, of each kind
_LONG = 512                     # characters; a longer text is a page, and no page is sent twice by two devices
_SHORTEST_APART, _SHORTEST_LEET, _LONGEST_NAME, _MOST_WORDS, _FRAGMENTS = 4, 5, 40, 32, 3
_SHORTEST_DECLARED, _MOST_PIECES = 3, 4
_ONE_BY_ONE = re.compile(r"[^\W_](?:[\s_\-/*·•+~|,']{1,3}[^\W_]){2,39}")
_RUN_ON = r"(?:tm|sm|r|usa|uk|eu|inc|ltd|llc|ip|ipc|ipcam|cam|camera|nvr|dvr|xvr|cctv|oem|hd|iot)"
"""What is written onto a maker's name without a space, once or more, in whatever case."""
_APART = re.compile(r"(?<![^\W_])[^\W_](?:[\s._\-/*·•+~|,']{1,3}[^\W_]){3,39}(?![^\W_])")
_RUN = re.compile(r"[^\W_]+")

Value = str | int | float | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A piece of evidence without the observation it rests on."""

    claim: str
    value: str
    strength: Strength
    basis: Basis
    group: str
    because: str
    signal: str
    source: str = ""
    unverified: bool = False

    def of(self, observations: tuple[str, ...]) -> Evidence:
        """The evidence as it rests on observations, by their ids."""
        return Evidence(self.claim, self.value, self.strength, self.basis, self.group, self.because, self.signal,
                        observations, self.source, self.unverified)


@dataclass(frozen=True, slots=True)
class Hit:
    """A signal that fits one field: its place among all signals and among its own fields, and what follows."""

    order: int
    place: int
    signal: Signal
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a folded text names: makers, and brands with everybody whose file knows them."""

    makers: tuple[Maker, ...]
    brands: tuple[tuple[str, tuple[tuple[Maker, Brand], ...]], ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """A signal with its place among all, whose it is, and its number in their file."""

    order: int
    owner: str
    name: str
    number: int
    signal: Signal

    @property
    def folded(self) -> bool:
        """Whether it is a label, which is read as people read it."""
        return self.signal.basis is Basis.LABEL

    @property
    def search(self) -> Callable[[str], re.Match[str] | None]:
        """What tries its pattern on a text."""
        return compiled(self.signal.see.matches, free_case=self.folded).search


_Ready = tuple[_Row, Callable[[str], re.Match[str] | None], bool]
_ModelForms = tuple[Maker, list[tuple[int, ModelGrammar, re.Pattern[str]]], list[tuple[Brand, list[re.Pattern[str]]]]]
_Form = tuple[int, Maker, int, Grammar, re.Pattern[str]]


def shown(text: str) -> str:
    """A matched text short enough for a sentence."""
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:77] + "..."


def readings(value: str, *, folded: bool) -> Iterator[str]:
    """One value as sent and, for label text, as it reads."""
    text = value[:MAX_FIELD]
    yield text
    if folded:
        reading = fold(text)
        if reading != text:
            yield reading


def _texts(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),)


def _long(value: Value) -> bool:
    return (isinstance(value, str) and len(value) > _LONG) or (
        isinstance(value, tuple) and sum(map(len, value)) > _LONG)


class Index:
    """Everything that matching needs, of one `Makers` value. Build it with `index_of`.

    What only some transports or fields ask for is made when the first of them comes: a capture names no model, and an
    order line calls no cloud.
    """

    def __init__(self, makers: Makers) -> None:
        self.makers = makers
        self._signals: Mapping[str, Mapping[str, Sequence[_Row]]] = self._by_field(makers)
        self._anywhere = self._signals.get(ANY_FIELD, {})
        self._rows = lru_cache(_REMEMBERED)(self._ready)
        self._all_makers = list(makers)
        self._brands = list(makers.brands.items())
        self.made = frozenset(maker.name.casefold() for maker in makers)
        self.clouds: Callable[[str], tuple[tuple[int, Maker, Cloud], ...]] = lru_cache(_REMEMBERED)(self._clouds)
        self._exact, self._suffixes = self._by_target(makers)
        self._hits = lru_cache(_REMEMBERED, typed=True)(self._search)
        self.named = lru_cache(_REMEMBERED)(self._named)
        self.undisguised = lru_cache(_REMEMBERED)(self._undisguised)
        self.spelled = lru_cache(_REMEMBERED)(self._spelled)
        self.model_says = lru_cache(_REMEMBERED)(self._model_says)
        self.form_says = lru_cache(_REMEMBERED)(self._form_says)
        self.model_text = lru_cache(_REMEMBERED)(self._model_text)

    # -- signals -------------------------------------------------------------------------------------------------------

    @staticmethod
    def _by_field(makers: Makers) -> dict[str, dict[str, list[_Row]]]:
        """Transport, then field, then the signals that look there; a signal for any transport stands under each."""
        owners: list[tuple[str, str, Maker | Chipset]] = [(maker.maker, maker.name, maker) for maker in makers]
        owners += [(chipset.chipset, chipset.name, chipset) for chipset in makers.chipsets.values()]
        rows = [(owner, name, number, signal) for owner, name, one in owners
                for number, signal in enumerate(one.signals)]
        transports = {transport for *_, signal in rows for transport in signal.see.transport}
        table: dict[str, dict[str, list[_Row]]] = {transport: defaultdict(list) for transport in transports}
        for order, (owner, name, number, signal) in enumerate(rows):
            row = _Row(order, owner, name, number, signal)
            fields = (ANY_FIELD,) if ANY_FIELD in signal.see.field else dict.fromkeys(signal.see.field)
            wanted = transports if ANY_FIELD in signal.see.transport else set(signal.see.transport)
            for transport in wanted:
                for field in fields:
                    table[transport][field].append(row)
            # LLDP sends the very text that SNMP answers (IEEE 802.1AB-2016 section 8.5.7: sysDescr of RFC 3418).
            if "snmp" in wanted and "lldp" not in wanted and _SYSTEM in fields:
                table.setdefault("lldp", defaultdict(list))[_SYSTEM].append(row)
        return {transport: dict(fields) for transport, fields in table.items()}

    def fields(self, transport: str) -> frozenset[str]:
        """The fields of a transport that any signal looks at, first or further."""
        table = self._signals.get(transport, self._anywhere)
        further = {field for rows in table.values() for row in rows for see in row.signal.where for field in see.field}
        return frozenset({*table, *further})

    def hits(self, transport: str, fields: Mapping[str, Value]) -> list[Hit]:
        """Every signal whose first condition one of these fields meets, in the order of the makers' files."""
        table = self._signals.get(transport, self._anywhere)
        found: dict[int, Hit] = {}
        for field, value in fields.items():
            if field not in table:
                continue
            search = self._search if _long(value) else self._hits
            for hit in search(transport, field, value):
                held = found.get(hit.order)
                if held is None or hit.place < held.place:
                    found[hit.order] = hit
        # Bytes on the right port are no proof that the protocol was spoken: a parser must have read them.
        if ANY_FIELD in table and "refusal" not in fields:
            for hit in self._hits(transport, ANY_FIELD, ""):
                found.setdefault(hit.order, hit)
        return [found[order] for order in sorted(found)] if len(found) > 1 else list(found.values())

    def _ready(self, transport: str, field: str) -> tuple[_Ready, ...]:
        """The signals that look at one field of one transport, each bound to its pattern once."""
        rows = self._signals.get(transport, self._anywhere).get(field, ())
        return tuple((row, row.search, row.folded) for row in rows)

    def _search(self, transport: str, field: str, value: Value) -> tuple[Hit, ...]:
        plain = [value[:MAX_FIELD] for value in _texts(value)]
        labels = [text for value in plain for text in readings(value, folded=True)]
        found = []
        for row, search, folded in self._rows(transport, field):
            for text in labels if folded else plain:
                match = search(text)
                if match is not None:
                    place = row.signal.see.field.index(field)
                    found.append(Hit(row.order, place, row.signal, tuple(_claims(row, transport, match))))
                    break
        return tuple(found)

    # -- names ---------------------------------------------------------------------------------------------------------

    @cached_property
    def _maker_names(self) -> _NameTable:
        return _NameTable([maker.names for maker in self._all_makers],
                          [(*maker.names, *maker.declared) for maker in self._all_makers])

    @cached_property
    def _not_names(self) -> list[re.Pattern[str] | None]:
        return [re.compile("|".join(f"(?:{p})" for p in maker.not_names), re.IGNORECASE) if maker.not_names else None
                for maker in self._all_makers]

    @cached_property
    def _brand_names(self) -> _NameTable:
        telling = [any(brand.own or brand.confidence != "low" for _, brand in rows) for _, rows in self._brands]
        spelled = [(name, *(alias for _, brand in rows for alias in brand.aliases)) for name, rows in self._brands]
        return _NameTable([names if free else () for names, free in zip(spelled, telling, strict=True)], spelled)

    def _named(self, text: str, declared: bool) -> Named:
        makers = (self._all_makers[at] for at in self._maker_names.find(text, declared=declared)
                  if not ((excluded := self._not_names[at]) and excluded.search(text)))
        return Named(tuple(makers), tuple(self._brands[at] for at in self._brand_names.find(text, declared=declared)))

    @cached_property
    def _unmistakable(self) -> frozenset[str]:
        """Names of makers and of their own brands, as one run of letters, by which nothing else goes."""
        named = (name for maker in self._all_makers for name in (
            *maker.names, *maker.declared, *(brand.name for brand in maker.brands if brand.own)))
        runs = ("".join(_RUN.findall(fold(name).lower())) for name in named)
        return frozenset(run for run in runs if run.isascii() and run.isalpha() and len(run) >= _SHORTEST_APART)

    @cached_property
    def _declared(self) -> frozenset[str]:
        """Every name of a maker or brand as one run of letters and digits, as it may stand where a maker belongs."""
        named = (name for maker in self._all_makers for name in (
            *maker.names, *maker.declared,
            *(spelled for brand in maker.brands for spelled in (brand.name, *brand.aliases))))
        runs = ("".join(_RUN.findall(fold(name).lower())) for name in named)
        return frozenset(run for run in runs if run.isascii() and len(run) >= _SHORTEST_DECLARED)

    @cached_property
    def _run_on(self) -> re.Pattern[str]:
        """A name with more written onto it: ``HikvisionUSA``, ``Dahua1``, ``EZVIZIPCAM``.

        A capital or a digit may follow only a long name that is no ordinary word; known words may follow any.
        """
        free = (name for maker in self._all_makers for name in (
            *maker.names, *(brand.name for brand in maker.brands if brand.own)))
        runs = {"".join(_RUN.findall(fold(name).lower())) for name in free}
        long = sorted((run for run in runs if run.isascii() and run.isalpha() and len(run) >= _SHORTEST_LEET),
                      key=len, reverse=True)
        every = sorted((run for run in self._declared if run.isalpha()), key=len, reverse=True)
        return re.compile(rf"(?i:(?P<any>{'|'.join(every)})(?={_RUN_ON}+\d*$))|"
                          rf"(?P<long>(?i:{'|'.join(long)}))(?:(?=\d)|(?<=[a-z])(?=[A-Z]))")

    def _spelled(self, text: str) -> str:
        """What a folded text reads as where a manufacturer is expected; empty where that is no name.

        There a name may be in several words (``Uni view``, ``EZ-VIZ``) or have more run on to it (``DahuaUSA``).
        """
        words = _RUN.findall(text[:_LONG])[:_MOST_WORDS]
        for count in dict.fromkeys((len(words), *range(min(_MOST_PIECES, len(words)), 1, -1))):
            run = "".join(words[:count]).lower()
            if count > 1 and run in (self._declared if count == len(words) else self._unmistakable):
                return run
        parted = [self._run_on.sub(lambda found: found[0] + " ", word, count=1) if self._run_on.match(word) else word
                  for word in words]
        return " ".join(parted) if parted != words else ""

    def _undisguised(self, text: str) -> str:
        """What a folded text reads as once letters set apart are joined and digits are read as letters.

        Only a reading that is an unmistakable name counts; empty where there is none. Names of four letters are read
        only where they are set apart: ``AX15`` is a router's model.
        """
        single = _ONE_BY_ONE.fullmatch(text[:_LONG])
        if single and (run := "".join(_RUN.findall(single[0])).lower()) in self._declared and run.isalpha():
            return run
        apart = ["".join(_RUN.findall(found[0])).lower() for found in _APART.finditer(text[:_LONG])]
        for run in apart:
            if run in self._unmistakable:
                return run
        words = [word.lower() for word in _RUN.findall(text[:_LONG])[:_MOST_WORDS]]
        if len(words) >= _FRAGMENTS and "".join(words) in self._unmistakable:
            return "".join(words)
        for word in (*apart, *words, "".join(words)):
            if _SHORTEST_LEET <= len(word) <= _LONGEST_NAME and word not in self._unmistakable:
                reading = next((one for one in unleet(word) if one in self._unmistakable), "")
                if reading:
                    return reading
        return ""

    # -- forms of models, serial numbers and versions ------------------------------------------------------------------

    @cached_property
    def _models(self) -> list[_ModelForms]:
        """The model forms that tell of a maker, and those of brands, by maker."""
        return [(maker, [(number, grammar, compiled(grammar.pattern))
                         for number, grammar in enumerate(maker.models) if grammar.telling is not None],
                 [(brand, [compiled(pattern) for pattern in brand.models]) for brand in maker.brands if brand.models])
                for maker in self._all_makers]

    @cached_property
    def _forms(self) -> Mapping[str, list[_Form]]:
        """The forms of serial numbers and versions that tell of a maker, each with the place of that maker."""
        return {field: [(at, maker, number, grammar, compiled(grammar.pattern))
                        for at, maker in enumerate(self._all_makers) for number, grammar in enumerate(grammars(maker))
                        if grammar.telling is not None]
                for field, grammars in (("serial", _serials), ("firmware", _firmwares))}

    def _model_says(self, transport: str, texts: tuple[str, ...]) -> tuple[tuple[int, Claim], ...]:
        """What the form of models says; `texts` are folded and sorted, a place is that of the maker."""
        found: list[tuple[int, Claim]] = []
        for at, (maker, grammars, brands) in enumerate(self._models):
            for text in texts:
                because = f"{transport} model {text[:60]} has the form of"
                told = next(((number, one) for number, one, pattern in grammars if pattern.search(text)), None)
                if told is not None and told[1].telling is not None:
                    number, grammar = told
                    says = (Basis.LABEL, "model", f"{because} {maker.name}", f"{maker.maker}.model.{number}",
                            grammar.source, grammar.unverified)
                    found.append((at, Claim("maker", maker.maker, told[1].telling, *says)))
                    if grammar.brand:
                        found.append((at, Claim("brand", grammar.brand, Strength.MEDIUM, *says)))
                found += [(at, Claim("brand", brand.name, Strength.MEDIUM, Basis.LABEL, "model",
                                     f"{because} {brand.name}", f"{maker.maker}.brand-model", brand.source,
                                     brand.unverified))
                          for brand, patterns in brands if any(pattern.search(text) for pattern in patterns)]
        return tuple(found)

    def _form_says(self, transport: str, field: str, text: str) -> tuple[tuple[int, Claim], ...]:
        """What the form of one serial number or version says; of each maker the first form that fits."""
        found: dict[int, Claim] = {}
        reading = fold(text)
        for at, maker, number, grammar, pattern in self._forms[field]:
            if at not in found and grammar.telling is not None and pattern.search(reading):
                basis = Basis.LABEL if transport == LABEL_ONLY else Basis.FIRMWARE
                found[at] = Claim("maker", maker.maker, grammar.telling, basis, field,
                                  f"{transport} {field} {text[:60]} has the form of {maker.name}",
                                  f"{maker.maker}.{field}.{number}", grammar.source, grammar.unverified)
        return tuple(found.items())

    def _model_text(self, text: str, slug: str | None, brand: str | None) -> tuple[str, bool]:
        """A model as people write it, without the name in front, and whether the maker's grammar knows its form."""
        maker = self.makers.by_slug.get(slug) if slug else None
        for grammar in maker.models if maker else ():
            found = compiled(grammar.pattern).search(text)
            if found:
                return (found.groupdict().get("value") or self._without_name(text, slug, brand)).strip(), True
        return self._without_name(text, slug, brand), False

    def _without_name(self, text: str, slug: str | None, brand: str | None) -> str:
        maker = self.makers.by_slug[slug] if slug else None
        spelled = text.casefold()
        for name in (*(maker.names if maker else ()), *(maker.declared if maker else ()), *((brand,) if brand else ())):
            if spelled.startswith(name.casefold() + " ") and len(text) > len(name) + 1:
                return text[len(name) + 1:].strip()
        return text

    # -- clouds --------------------------------------------------------------------------------------------------------

    @staticmethod
    def _by_target(makers: Makers) -> tuple[dict[str, list[tuple[int, Maker, Cloud]]], ...]:
        exact: dict[str, list[tuple[int, Maker, Cloud]]] = defaultdict(list)
        below: dict[str, list[tuple[int, Maker, Cloud]]] = defaultdict(list)
        rows = [(maker, cloud) for maker in makers for cloud in maker.clouds]
        for order, (maker, cloud) in enumerate(rows):
            target = (cloud.host or cloud.suffix or cloud.address or "").casefold()
            exact[target].append((order, maker, cloud))
            if cloud.suffix:
                below[target].append((order, maker, cloud))
        return dict(exact), dict(below)

    def _clouds(self, name: str) -> tuple[tuple[int, Maker, Cloud], ...]:
        """The clouds that a host name belongs to, with their place among all."""
        found = [*self._exact.get(name, ())]
        rest = name
        while "." in rest:
            rest = rest.partition(".")[2]
            found += self._suffixes.get(rest, ())
        return tuple(found)


def _serials(maker: Maker) -> Sequence[Grammar]:
    return maker.serial


def _firmwares(maker: Maker) -> Sequence[Grammar]:
    return maker.firmware


def _claims(row: _Row, transport: str, found: re.Match[str]) -> Iterator[Claim]:
    signal, name = row.signal, row.name
    value = signal.value or (row.owner if signal.says in {"maker", "component"} else name)
    because = signal.because or (f"{transport} {'/'.join(signal.see.field)} has the form of {name}: "
                                 f"{shown(found.group(0))}")

    def claim(what: str, value: str, strength: Strength) -> Claim:
        return Claim(what, value, strength, signal.basis, signal.group, because,
                     f"{row.owner}.{signal.group}.{row.number}", signal.source, signal.unverified)

    yield claim(signal.says, value, signal.strength)
    if signal.says == "maker" and signal.basis is Basis.LABEL and signal.strength is Strength.STRONG:
        yield claim("brand", name, signal.strength)         # what a label says of the maker, it says of the brand
    if signal.kind is not None:
        yield claim("kind", signal.kind, Strength.STRONG)
    for what in CLAIMS:
        text = found.groupdict().get(what)
        if text:
            yield claim(what, text.strip(), Strength.STRONG)


class _NameTable:
    """Many name patterns, of which only those are tried whose first word stands in the text."""

    def __init__(self, free: Sequence[Sequence[str]], declared: Sequence[Sequence[str]]) -> None:
        self._names = {False: free, True: declared}
        self._pattern = cache(self._compile)
        self._first: dict[bool, dict[str, list[int]]] = {}
        self._always: dict[bool, list[int]] = {}
        self._unspaced: dict[bool, list[int]] = {}
        for kind, rows in self._names.items():
            self._first[kind], self._always[kind], self._unspaced[kind] = defaultdict(list), [], []
            for at, names in enumerate(rows):
                runs = {run for name in names for run in _first_runs(name)}
                if any(not unspaced(name) and not _first_runs(name) for name in names):
                    self._always[kind].append(at)
                elif any(unspaced(name) for name in names):
                    self._unspaced[kind].append(at)
                for run in runs:
                    self._first[kind][run].append(at)

    def find(self, text: str, *, declared: bool) -> list[int]:
        """The places of the patterns that `text` (folded) mentions, ascending."""
        first = self._first[declared]
        candidates = set(self._always[declared])
        if not text.isascii():                  # names of scripts that are written without spaces
            candidates.update(self._unspaced[declared])
        for run in _RUN.findall(text.lower()):
            if run in first:
                candidates.update(first[run])
        return [at for at in sorted(candidates) if mentions(text, self._pattern(declared, at))]

    def _compile(self, declared: bool, at: int) -> re.Pattern[str] | None:
        return name_pattern(self._names[declared][at])


@cache
def _first_runs(name: str) -> frozenset[str]:
    """What the first unbroken run of letters and digits can be where `name` is written, whatever its separators."""
    found: set[str] = set()
    run = ""
    for word in fold(name).lower().split():
        head = _RUN.match(word)
        if head is None:
            inner = _RUN.search(word)
            return frozenset(found | ({inner[0]} if inner and not run else {run} if run else set()))
        run += head[0]
        found.add(run)
        if head[0] != word:
            break
    return frozenset(found)


@lru_cache(maxsize=4)
def index_of(makers: Makers) -> Index:
    """The index over these makers; built once."""
    return Index(makers)
