"""The one hardened XML reader: no DTD, no entities, no network, capped in size, depth and number of elements.

A strict pass first, then a tolerant one, since real firmware sends unbound prefixes, unescaped ampersands, typographic
quotes in its declaration and GBK under a UTF-8 label. Elements are found by local name, because firmware disagrees
about namespaces; text is read across comments, because ``Da<!-- x -->hua`` is Dahua.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from scanner.observation import Refusal
from scanner.wire.text import SHORT, clean, decode

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_ELEMENTS", "Document", "Element", "children", "escape", "find", "find_all",
           "local", "own", "read", "text", "value", "values"]

Element = Any
"""An lxml element; lxml ships no types."""

MAX_BYTES = 1 << 20
MAX_DEPTH = 100
MAX_ELEMENTS = 50_000
MAX_ATTRIBUTES = 100_000

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
    recovered: bool = False

    @property
    def name(self) -> str:
        """Local name of the root element."""
        return local(self.root)

    def namespaces(self) -> tuple[str, ...]:
        """Every namespace URI declared near the top, in order; weak evidence, since clones copy them."""
        seen: dict[str, None] = {}
        for position, element in enumerate(self.root.iter("*")):
            if position >= 200 or len(seen) >= 40:
                break
            seen.update(dict.fromkeys(clean(uri) for uri in element.nsmap.values() if uri))
        return tuple(uri for uri in seen if uri)


def read(data: bytes) -> Document | Refusal:
    """Read one document of at most `MAX_BYTES`.

    Refused: too large or too deep, a document type or entity declaration in whatever encoding, UTF-7, and what holds no
    element even for the tolerant pass.
    """
    if len(data) > MAX_BYTES:
        return Refusal("too_large", f"{len(data)} bytes of XML")
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
    root = _parse(source, tolerant=False)
    recovered = root is None
    if root is None:
        repaired = _BARE_AMPERSAND.sub("&amp;", _ILLEGAL.sub("", source[source.index("<"):]))
        root = _parse(repaired, tolerant=True)
    if root is None:
        return Refusal("not_xml", "no element could be read")
    excess = _excess(root)
    return Refusal("too_deep", excess) if excess else Document(root, recovered or not faithful)


def _parse(source: str, *, tolerant: bool) -> Element | None:
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, dtd_validation=False,
                             huge_tree=False, remove_comments=True, remove_pis=True, collect_ids=False,
                             recover=tolerant)
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


def children(element: Element, *names: str) -> Iterator[Element]:
    """The direct children with one of these local names, in any case of letters; all children without a name."""
    wanted = {name.casefold() for name in names}
    for child in element:
        if isinstance(child.tag, str) and (not wanted or local(child).casefold() in wanted):
            yield child


def find_all(element: Element, *names: str, limit: int = 1024) -> list[Element]:
    """The element and its descendants with one of these local names, in document order, at most `limit`."""
    wanted = {name.casefold() for name in names}
    found = []
    for child in element.iter("*"):
        if local(child).casefold() in wanted:
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
    return clean("".join(element.itertext()), limit)


def own(element: Element, name: str) -> str:
    """The text of the direct children of this name; where there are several that differ, all of them: ``A / B``."""
    return " / ".join(dict.fromkeys(found for child in children(element, name) if (found := text(child))))


def value(element: Element, *names: str) -> str:
    """The text of the first direct child, or failing that descendant, that has one of these names and is not empty."""
    for child in children(element, *names):
        if text(child):
            return text(child)
    for child in find_all(element, *names, limit=16):
        if text(child):
            return text(child)
    return ""


def values(element: Element, *names: str, limit: int = 64) -> tuple[str, ...]:
    """The texts of all descendants with one of these names, without empty ones."""
    return tuple(found for found in (text(child) for child in find_all(element, *names, limit=limit)) if found)


def escape(plain: str) -> str:
    """`plain` as XML character data or attribute value; characters XML cannot hold are left out."""
    kept = _ILLEGAL.sub("", plain)
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&apos;")):
        kept = kept.replace(char, entity)
    return kept
