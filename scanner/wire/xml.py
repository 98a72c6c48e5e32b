"""The one hardened XML reader: no DTD, no entities, no network, capped in size, depth and number of elements.

A strict pass first, then a tolerant one, since real firmware sends unbound prefixes, unescaped ampersands, typographic
quotes in its declaration and GBK under a UTF-8 label. Elements are found by local name, because firmware disagrees
about namespaces; text is read across comments, because ``Da<!-- x -->hua`` is Dahua.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any

from lxml import etree

from scanner.observation import Refusal
from scanner.wire.text import SHORT, clean, decode

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_ELEMENTS", "Document", "Element", "Members", "Outline", "children", "escape",
           "find", "find_all", "local", "own", "read", "text", "value", "values"]

Element = Any
"""An lxml element; lxml ships no types."""

MAX_BYTES = 1 << 20
MAX_DEPTH = 100
MAX_ELEMENTS = 50_000
MAX_ATTRIBUTES = 100_000
MAX_KEPT_NAME = 256
"""Characters of a name or namespace worth remembering: they repeat over a site, and the memory stays small."""
MAX_KEPT = 65_536
"""Bytes of a document that is kept until the next one is read."""
MAX_NAMESPACES = 64
MAX_NAMED = 200
"""Elements whose namespace declarations are looked at."""

_DECLARATION = re.compile(r"^\s{0,64}<\?xml\b([^>]{0,256}?)\?>")
_ENCODING = re.compile(rb"""^.{0,16}<\?xml[^>]{0,200}?encoding\s{0,4}=\s{0,4}["']?([A-Za-z0-9._-]{1,40})""", re.DOTALL)
_MARKUP_DECLARATION = re.compile(r"<!\s{0,16}(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
_BARE_AMPERSAND = re.compile(r"&(?!(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos);)")
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFUSED_ENCODINGS = frozenset({"utf7", "utf-7", "unicode-1-1-utf-7", "u7", "cp65000"})


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was read; ``recovered``: only the tolerant pass, or replacing bytes, could read it."""

    root: Element = field(repr=False)
    recovered: bool
    source: str = field(repr=False)
    """The text that was parsed: whatever an element or attribute is named stands in it, letter by letter."""

    @property
    def name(self) -> str:
        """Local name of the root element."""
        return local(self.root)

    def namespaces(self) -> tuple[str, ...]:
        """The first namespace URIs declared, cleaned and in order; weak evidence, since clones copy them."""
        found = dict.fromkeys(uri for uri in self.root.nsmap.values() if uri)
        if self.source.count("xmlns") > len(self.root.nsmap):           # some are declared below the root
            elements = 0
            for event, declared in etree.iterwalk(self.root, events=("start", "start-ns")):
                elements += event == "start"
                if elements >= MAX_NAMED or len(found) >= MAX_NAMESPACES:
                    break
                if event == "start-ns" and declared[1]:
                    found[declared[1]] = None
        kept = islice(found, MAX_NAMESPACES)
        cleaned = (_clean_uri(raw) if len(raw) <= MAX_KEPT_NAME else clean(raw) for raw in kept)
        return tuple(dict.fromkeys(uri for uri in cleaned if uri))

    def mentions(self, name: str) -> bool:
        """False where no element of this local name, in any case of letters, can be in the document."""
        return name.casefold() in self.source.casefold()


def read(data: bytes) -> Document | Refusal:
    """Read one document of at most `MAX_BYTES`.

    Refused: too large or too deep, a document type or entity declaration in whatever encoding, UTF-7, and what holds no
    element even for the tolerant pass.
    """
    if len(data) > MAX_BYTES:
        return Refusal("too_large", f"{len(data)} bytes of XML")
    return _last(data) if len(data) <= MAX_KEPT else _read(data)


def _read(data: bytes) -> Document | Refusal:
    declared = _ENCODING.match(data[:300])
    label = declared[1].decode("ascii").casefold() if declared else ""
    if label in _REFUSED_ENCODINGS:
        return Refusal("encoding", label)
    source, faithful = decode(data, label)
    if _MARKUP_DECLARATION.search(source):
        return Refusal("dtd", "document type and entity declarations are not read")
    if source.count("<") > 2 * MAX_ELEMENTS or source.count("=") > MAX_ATTRIBUTES:
        return Refusal("too_large", "too many elements or attributes")
    source = _DECLARATION.sub("", source, count=1).strip()
    if "<" not in source:
        return Refusal("not_xml", "no element")
    root = _parse(source, _STRICT)
    recovered = root is None
    if root is None:
        source = _BARE_AMPERSAND.sub("&amp;", _ILLEGAL.sub("", source[source.index("<"):]))
        root = _parse(source, _TOLERANT)
    if root is None:
        return Refusal("not_xml", "no element could be read")
    # Every element has a start tag, so a document of few start tags is neither deep nor large.
    excess = _excess(root) if source.count("<") - source.count("</") > MAX_DEPTH else ""
    return Refusal("too_deep", excess) if excess else Document(root, recovered or not faithful, source)


_last = lru_cache(maxsize=1)(_read)
"""Several protocols share a port, so one reply is offered to several readers, one right after the other."""


def _parser(*, tolerant: bool) -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, dtd_validation=False,
                           huge_tree=False, remove_comments=True, remove_pis=True, collect_ids=False, recover=tolerant)


_STRICT, _TOLERANT = _parser(tolerant=False), _parser(tolerant=True)


def _parse(source: str, parser: etree.XMLParser) -> Element | None:
    try:
        return etree.fromstring(source.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _excess(root: Element) -> str:
    """What is too much about this tree, or nothing."""
    depth = elements = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        elements += event == "start"
        if depth > MAX_DEPTH:
            return f"more than {MAX_DEPTH} levels"
        if elements > MAX_ELEMENTS:
            return f"more than {MAX_ELEMENTS} elements"
    return ""


def local(element: Element) -> str:
    """Local name of an element, also where a prefix was never bound and so became part of the name."""
    tag = element.tag
    return tag.rpartition("}")[2].rpartition(":")[2] if isinstance(tag, str) else ""


def _name(element: Element) -> str:
    """The local name of an element as it is compared: case is ignored."""
    tag = element.tag
    return _folded(tag) if len(tag) <= MAX_KEPT_NAME else _fold(tag)


def _fold(tag: str) -> str:
    return tag.rpartition("}")[2].rpartition(":")[2].casefold()


_folded = lru_cache(maxsize=2048)(_fold)
_clean_uri = lru_cache(maxsize=512)(clean)


class Outline:
    """An element and its descendants by local name, in document order: one pass for readers that ask for many names."""

    __slots__ = ("_element", "_named")

    def __init__(self, element: Element) -> None:
        self._element = element
        self._named: dict[str, list[Element]] = {}
        for child in element.iter("*"):
            self._named.setdefault(_name(child), []).append(child)

    def all(self, name: str, limit: int = 64) -> list[Element]:
        """Like `find_all` of one name."""
        return self._named.get(name.casefold(), [])[:limit]

    def values(self, name: str, limit: int = 64) -> tuple[str, ...]:
        """Like `values` of one name."""
        return tuple(found for child in self.all(name, limit) if (found := text(child)))

    def value(self, name: str) -> str:
        """Like `value` of one name."""
        every = self._named.get(name.casefold(), [])
        direct = (child for child in every if child.getparent() is self._element)
        return next((found for child in (*direct, *every[:16]) if (found := text(child))), "")


class Members:
    """The direct children of an element by local name: one pass for readers that ask for many names."""

    __slots__ = ("_named",)

    def __init__(self, element: Element) -> None:
        self._named: dict[str, list[Element]] = {}
        for child in children(element):
            self._named.setdefault(_name(child), []).append(child)

    def own(self, name: str) -> str:
        """Like `own` of one name."""
        return " / ".join(dict.fromkeys(found for child in self._named.get(name.casefold(), ())
                                        if (found := text(child))))


def children(element: Element, *names: str) -> Iterator[Element]:
    """The direct children with one of these local names, in any case of letters; all children without a name."""
    wanted = {name.casefold() for name in names}
    for child in element:
        if isinstance(child.tag, str) and (not wanted or _name(child) in wanted):
            yield child


def find_all(element: Element, *names: str, limit: int = 1024) -> list[Element]:
    """The element and its descendants with one of these local names, in document order, at most `limit`."""
    wanted = {name.casefold() for name in names}
    found = []
    for child in element.iter("*"):
        if _name(child) in wanted:
            found.append(child)
            if len(found) == limit:
                break
    return found


def find(element: Element, *names: str) -> Element | None:
    """The first of `find_all`, or None."""
    found = find_all(element, *names, limit=1)
    return found[0] if found else None


def text(element: Element | None, limit: int = SHORT) -> str:
    """All text inside an element, joined and cleaned; empty for None."""
    if element is None:
        return ""
    return clean("".join(element.itertext()) if len(element) else element.text or "", limit)


def own(element: Element, name: str) -> str:
    """The text of the direct children of this name; where there are several that differ, all of them: ``A / B``."""
    return " / ".join(dict.fromkeys(found for child in children(element, name) if (found := text(child))))


def value(element: Element, *names: str) -> str:
    """The text of the first direct child, or failing that descendant, that has one of these names and is not empty."""
    for child in children(element, *names):
        if found := text(child):
            return found
    return next((found for child in find_all(element, *names, limit=16) if (found := text(child))), "")


def values(element: Element, *names: str, limit: int = 64) -> tuple[str, ...]:
    """The texts of all descendants with one of these names, without empty ones."""
    return tuple(found for found in (text(child) for child in find_all(element, *names, limit=limit)) if found)


def escape(plain: str) -> str:
    """`plain` as XML character data or attribute value; characters XML cannot hold are left out."""
    kept = _ILLEGAL.sub("", plain)
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&apos;")):
        kept = kept.replace(char, entity)
    return kept
