"""What is known of every maker: the shape of ``rules/data/makers/*.yaml`` and the index built over all of them.

A maker built the device; a brand is a name it is sold under. A signal says one thing of a device when one field of one
observation matches a pattern, with how much that weighs and who controls what is shown (`rules.vocabulary.Basis`).
Chipsets are a component risk and never a maker or a brand; they live in ``rules/data/chipsets``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from rules.documents import Document, read_all
from rules.oui import PREFIX
from rules.vocabulary import Basis, Kind, Strength

__all__ = [
    "Ask", "Asks", "Brand", "Chipset", "Cloud", "Example", "Grammar", "Maker", "Makers", "ModelGrammar", "OuiOwner",
    "See", "Signal", "compiled", "load",
]


def compiled(pattern: str, *, free_case: bool = False) -> re.Pattern[str]:
    """A pattern of the rule data, compiled once; the module `re` remembers only some hundred, and there are more."""
    return _compiled(pattern, re.IGNORECASE if free_case else 0)


_compiled = cache(re.compile)


def _compiles(pattern: str) -> str:
    try:
        compiled(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


def _words(value: object) -> object:
    """A list may be written as one text of words: address blocks read better that way and load faster."""
    return tuple(value.split()) if isinstance(value, str) else value


Pattern = Annotated[str, AfterValidator(_compiles)]
Oui = Annotated[str, Field(pattern=PREFIX)]
Ouis = Annotated[tuple[Oui, ...], BeforeValidator(_words)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]


class Example(Document):
    """One reply in the form `camvet identify` reads: its transport and either text or hexadecimal bytes."""

    transport: str
    data: str | None = None
    hex: str | None = None
    port: int | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Example:
        if (self.data is None) == (self.hex is None):
            raise ValueError("an example has either data or hex")
        return self

    def payload(self) -> bytes:
        """The reply's bytes."""
        return bytes.fromhex(self.hex) if self.hex is not None else (self.data or "").encode()


class See(Document):
    """A field of an observation and the pattern one of its values must contain.

    ``transport`` and ``field`` are those of ``docs/observations.md``; ``*`` is any transport, and as a field it means
    that the protocol was spoken at all. Named groups (``model firmware serial mac brand``) are read as claims.
    """

    transport: Words
    field: Words
    matches: Pattern


class Signal(Document):
    """One reason to believe one thing: where to look, what follows, how much it weighs, and its proof.

    ``says`` is the claim; its ``value`` may be left out for the maker itself. ``where`` are further fields of the same
    observation that must match too. ``yes`` must match, ``no`` must not: a test holds every signal to both.
    """

    see: See
    where: tuple[See, ...] = ()
    says: Literal["maker", "brand", "kind", "model", "firmware", "serial", "mac", "component"] = "maker"
    value: str = ""
    strength: Strength
    basis: Basis
    group: str
    because: str = ""
    kind: Kind | None = None
    source: str
    unverified: bool = False
    yes: tuple[Example, ...] = ()
    no: tuple[Example, ...] = ()


class Grammar(Document):
    """The form of a maker's serial numbers or firmware versions.

    ``telling`` says that the form is the maker's alone, so that a value of it is firmware-basis evidence of the maker.
    A group named ``value`` is what is kept; without one the matched text is.
    """

    pattern: Pattern
    example: str
    telling: Strength | None = None
    note: str = ""
    source: str
    unverified: bool = False


class ModelGrammar(Document):
    """Model names of one family: what kind of thing they are, and the label they belong to, if only one uses them.

    ``telling`` is how much the name says of the maker; it is the device's own word, so its basis is the label.
    """

    pattern: Pattern
    kind: Kind = Kind.UNKNOWN
    brand: str | None = None
    telling: Strength | None = None
    source: str = ""
    unverified: bool = False


class Brand(Document):
    """A name the maker's devices are sold under.

    ``own`` marks a brand of the maker's own house: its name and its address blocks point to the maker itself. Any other
    brand buys where it likes, so its name and its blocks say the brand and never who built the device. Dates are
    ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD`` and bound when the relation held.
    """

    name: str
    aliases: tuple[str, ...] = ()
    own: bool = False
    scope: str = ""
    oui: Ouis = ()
    models: tuple[Pattern, ...] = ()
    since: str | None = Field(default=None, alias="from")
    until: str | None = Field(default=None, alias="to")
    confidence: Literal["high", "medium", "low"] = "low"
    note: str = ""
    source: str
    unverified: bool = False


class Cloud(Document):
    """A destination of the maker's devices: a name with everything below it, one exact name, or an address."""

    suffix: str | None = None
    host: str | None = None
    address: str | None = None
    purpose: str
    ports: tuple[str, ...] = ()
    jurisdiction: str = ""
    source: str
    unverified: bool = False

    @model_validator(mode="after")
    def _one_target(self) -> Cloud:
        if sum(target is not None for target in (self.suffix, self.host, self.address)) != 1:
            raise ValueError("a cloud names exactly one of suffix, host and address")
        return self


class Ask(Document):
    """A document worth reading on a device of this maker; ``login`` keeps it to the pass with credentials."""

    document: str
    path: str
    login: bool = False
    port: int = 80
    source: str = ""


class Asks(Document):
    """What to try once this maker is suspected."""

    tcp_ports: tuple[int, ...] = ()
    documents: tuple[Ask, ...] = ()
    rtsp_paths: tuple[str, ...] = ()       # where its firmware plays; never one with a password in it

    @model_validator(mode="after")
    def _no_login_in_a_path(self) -> Asks:
        if any("password" in path.lower() or "@" in path or not path.startswith("/") for path in self.rtsp_paths):
            raise ValueError("an RTSP path begins with a slash and carries no login")
        return self


class Maker(Document):
    """Everything known of one maker.

    ``names`` are unmistakable and are looked for wherever a device names itself; ``declared`` are words with another
    meaning (Axis, Ring) that count only where a manufacturer is expected; ``not_names`` are look-alikes.
    """

    maker: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    name: str
    legal_name: str
    country: str = ""
    names: tuple[str, ...] = ()
    declared: tuple[str, ...] = ()
    not_names: tuple[Pattern, ...] = ()
    oui: Ouis = ()
    oui_source: str = ""
    signals: tuple[Signal, ...] = ()
    models: tuple[ModelGrammar, ...] = ()
    serial: tuple[Grammar, ...] = ()
    firmware: tuple[Grammar, ...] = ()
    brands: tuple[Brand, ...] = ()
    clouds: tuple[Cloud, ...] = ()
    ask: Asks = Asks()
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _proven(self) -> Maker:
        if not any(signal.yes for signal in self.signals) or not any(signal.no for signal in self.signals):
            raise ValueError("a maker needs one positive reply and one near miss")
        if self.oui and not self.oui_source:
            raise ValueError("address blocks need their oui_source")
        return self


class Chipset(Document):
    """A component that many makers build in: a note for the reader, never a maker and never a brand."""

    chipset: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    name: str
    made_by: str
    note: str = ""
    signals: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class OuiOwner:
    """Who an address block was assigned to: the maker, or a brand that says nothing of who built the device."""

    maker: str | None
    brand: str | None
    source: str


class Makers:
    """All makers and chipsets with the indexes that matching needs; built once, never changed."""

    def __init__(self, makers: Mapping[str, Maker], chipsets: Mapping[str, Chipset] | None = None) -> None:
        self.by_slug: Mapping[str, Maker] = dict(makers)
        self.chipsets: Mapping[str, Chipset] = dict(chipsets or {})
        self.oui: Mapping[str, OuiOwner] = self._ouis()
        self.brands: Mapping[str, tuple[tuple[Maker, Brand], ...]] = self._brand_index()

    def __getitem__(self, slug: str) -> Maker:
        """The maker of that slug; KeyError where there is none."""
        return self.by_slug[slug]

    def __iter__(self) -> Iterator[Maker]:
        """Every maker, by slug."""
        return iter(self.by_slug.values())

    def __len__(self) -> int:
        return len(self.by_slug)

    def name(self, slug: str) -> str:
        """The maker's name as people write it."""
        return self.by_slug[slug].name

    def _ouis(self) -> dict[str, OuiOwner]:
        table: dict[str, OuiOwner] = {}
        for maker in self:
            for brand in maker.brands:
                for prefix in brand.oui:
                    table[prefix] = OuiOwner(maker.maker if brand.own else None, brand.name, brand.source)
        for maker in self:                      # a maker's own block wins over a brand's claim to the same block
            for prefix in maker.oui:
                table.setdefault(prefix, OuiOwner(maker.maker, None, maker.oui_source))
        return table

    def _brand_index(self) -> dict[str, tuple[tuple[Maker, Brand], ...]]:
        index: dict[str, tuple[tuple[Maker, Brand], ...]] = {}
        for maker in self:
            for brand in maker.brands:
                index[brand.name] = (*index.get(brand.name, ()), (maker, brand))
        return index


@cache
def load() -> Makers:
    """Every maker and chipset under ``rules/data``. Raises `rules.documents.DataError` for a file that does not fit."""
    makers = {maker.maker: maker for _, maker in read_all("makers", Maker)}
    chipsets = {chipset.chipset: chipset for _, chipset in read_all("chipsets", Chipset)}
    return Makers(makers, chipsets)
