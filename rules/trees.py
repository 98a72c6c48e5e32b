"""YAML 1.2 into plain Python values: mappings, lists, texts, numbers, booleans, dates and None.

libyaml splits the text and ruamel.yaml says what an unquoted word means, once a word. What lies between is short, since
rule data needs no tags and no merged mappings: a document that has anything of the kind, or is wrong in any way, is
left to ruamel.yaml as a whole, and so are the words for what is wrong with it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined]  # it is there, however libyaml was built
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)
from ruamel.yaml.nodes import ScalarNode

__all__ = ["TreeError", "tree"]

TreeError = YAMLError
"""A text that is no YAML, or holds one key twice."""

_MEANT = frozenset({"null", "bool", "int", "float", "timestamp", "str"})
_TAGS = "tag:yaml.org,2002:"


class _UnusualError(Exception):
    """A document that is not read here."""


def tree(data: bytes) -> object:
    """The value of the one document in `data`, None for an empty one. Raises `TreeError`."""
    try:
        return _Reading(data).document()
    except (_UnusualError, YAMLError):
        return YAML(typ="safe").load(data)


@cache
def _words() -> YAML:
    return YAML(typ="safe", pure=True)


@cache
def _meaning(word: str) -> object:
    """What an unquoted word stands for; the same few come up in every file."""
    tag = str(_words().resolver.resolve(ScalarNode, word, (True, False)))
    if tag.removeprefix(_TAGS) not in _MEANT:
        raise _UnusualError(tag)
    return _words().constructor.construct_non_recursive_object(ScalarNode(tag, word))


class _Reading:
    """One pass over the events of a text."""

    def __init__(self, data: bytes) -> None:
        self._next = CParser(data).get_event
        self._named: dict[str, object] = {}

    def document(self) -> object:
        """The value of a text that is a single document."""
        self._next()                                            # the stream opens
        opening = self._next()
        if type(opening) is StreamEndEvent:
            return None
        if type(opening) is not DocumentStartEvent or opening.version is not None or opening.tags:
            raise _UnusualError("directives")
        value = self._value(self._next())
        self._next()                                            # the document closes
        if type(self._next()) is not StreamEndEvent:
            raise _UnusualError("several documents")
        return value

    def _value(self, event: Any) -> object:  # noqa: ANN401 - libyaml's events have no common type but object
        kind = type(event)
        if kind is AliasEvent:
            return self._known(event.anchor)
        if kind is ScalarEvent:
            plain, quoted = event.implicit
            if not (plain or quoted):
                raise _UnusualError("tag")
            value = _meaning(event.value) if plain else event.value
        elif not event.implicit:
            raise _UnusualError("tag")
        else:
            value = self._mapping() if kind is MappingStartEvent else self._list()
        if event.anchor is not None:
            if event.anchor in self._named:
                raise _UnusualError("anchor")
            self._named[event.anchor] = value
        return value

    def _known(self, anchor: str) -> object:
        if anchor not in self._named:
            raise _UnusualError("alias")
        return self._named[anchor]

    def _list(self) -> list[object]:
        found = []
        while type(event := self._next()) is not SequenceEndEvent:
            found.append(self._value(event))
        return found

    def _mapping(self) -> dict[object, object]:
        found: dict[object, object] = {}
        while type(event := self._next()) is not MappingEndEvent:
            key = self._value(event) if type(event) is ScalarEvent else None
            if key is None or key in found:
                raise _UnusualError("key")
            found[key] = self._value(self._next())
        return found
