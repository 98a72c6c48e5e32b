"""What every reader of published advisories shares: the value it answers with, and how foreign JSON is touched.

JSON of another program has any shape. It is reached through `of`, which gives an empty value where the shape is not the
expected one, so that no reader can fall over a record.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from rules.advisory_records import Advisory, Affected, Kev
from rules.advisory_text import read_bounds

__all__ = ["CVE", "MAX_BYTES", "MAX_RECORDS", "NO_VERSION", "Imported", "affected_by", "document_of", "keep",
           "of", "scopes_of"]

MAX_BYTES = 64 * 1024 * 1024
MAX_RECORDS = 100_000
MAX_SCOPES = 64
CVE = re.compile(r"CVE-\d{4}-\d{4,7}", re.ASCII)
NO_VERSION = {"", "-", "*", "n/a", "unspecified", "unknown", "none", "not applicable"}


@dataclass(slots=True)
class Imported:
    """What was read: records by the vendor's name, KEV entries by CVE, what was set aside, and what was wrong.

    Attributes:
        records: an advisory with the name of the vendor as the source writes it.
        kev: entries of CISA's catalogue.
        set_aside: CVEs that the source withdrew or rejected, with the reason.
        problems: one sentence a record that could not be used, or not in full, naming it.
        formats: what was read: ``kev``, ``cve``, ``csaf``.
        released: the day the catalogue or advisory says it is of, where it does; the newest of several.
        catalogue: whether a whole KEV catalogue was read, so that what it lacks is known to have been taken off.
    """

    records: list[tuple[str, Advisory]] = field(default_factory=list)
    kev: dict[str, Kev] = field(default_factory=dict)
    set_aside: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    formats: set[str] = field(default_factory=set)
    released: str = ""
    catalogue: bool = False

    def add(self, other: Imported) -> None:
        """Take in what another file brought."""
        self.records += other.records
        self.kev |= other.kev
        self.set_aside |= other.set_aside
        self.problems += other.problems
        self.formats |= other.formats
        self.released = max(self.released, other.released)
        self.catalogue = self.catalogue or other.catalogue


def of(value: object, key: str, kind: type[Any]) -> Any:  # noqa: ANN401 - JSON of another program has any shape
    """`value[key]` where both have the shape expected; an empty value of `kind` otherwise."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, kind) else kind()


def document_of(data: bytes, source: str) -> tuple[Mapping[str, Any] | None, Imported]:
    """The JSON object of a file, or None and the problem."""
    out = Imported()
    if len(data) > MAX_BYTES:
        out.problems.append(f"{source}: larger than {MAX_BYTES} bytes, not read")
        return None, out
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        out.problems.append(f"{source}: no JSON, or cut short{where}")
        return None, out
    if not isinstance(document, dict):
        out.problems.append(f"{source}: expected an object, found {type(document).__name__}")
        return None, out
    return document, out


def keep(out: Imported, file: str, vendor: str, said: Sequence[Affected], fields: Mapping[str, object]) -> None:
    """Add one record of `file`, or the problem that stopped it. `fields` are those of `Advisory` but ``affected``."""
    try:
        out.records.append((vendor[:200], Advisory.model_validate(
            {**fields, "nature": "other", "affected": tuple(said), "closed": all(map(_plain, said))})))
    except ValidationError as error:
        out.problems.append(f"{file}: {fields.get('cve')}: {error.errors()[0]['msg']}")


def _plain(said: Affected) -> bool:
    """Whether an entry names models as a label does, so that a model it does not name is not meant."""
    return bool(said.models) and all(any(char.isdigit() for char in one) and " " not in one for one in said.models)


_SPLIT = re.compile(r"\s*[,;|\u3001\uff0c]\s*|\s+(?:and|&)\s+")
_TAIL = re.compile(r"[ _](?:firmware|devices?|cameras?)$", re.IGNORECASE)
_SERIES = re.compile(r"[ _](?:series|family)$", re.IGNORECASE)


def scopes_of(product: str) -> tuple[str, ...]:
    """The models a source's product name stands for, as scopes of `rules.versions.model_pattern`.

    ``DS-2CD2xx2F-I Series, DS-2CD6xx`` becomes two scopes with ``?`` for each x. Nothing is guessed beyond that: a name
    that is no model names none, and the advisory answers ``unknown``.
    """
    scopes = []
    for part in _SPLIT.split(" ".join(product.split())[:4000])[:MAX_SCOPES]:
        name = _TAIL.sub("", part.strip(" .\"'"))
        series = _SERIES.search(name) is not None
        name = _SERIES.sub("", name)
        if name.casefold() in NO_VERSION or len(name) > 96:
            continue
        scopes.append(_wild(name) + ("*" if series and not name.endswith("*") else ""))
    return tuple(dict.fromkeys(scopes))


def _wild(name: str) -> str:
    """A model name with ``?`` for each x that stands for any character; a letter X inside a name stays."""
    if not any(char.isdigit() for char in name):
        return name
    name = re.sub(r"(?<=-H)X(?=\d[xX]{2})", "@", name)          # the form factor in IPC-HX3XXX
    name = re.sub(r"[xX]{2,}", lambda found: "?" * len(found.group()), name)
    lower = {char for char in name if char.islower()}
    open_end = "*" if "@" in name and name.endswith("?") else ""
    return (name.replace("x", "?") if lower == {"x"} else name).replace("#", "?") + open_end


_PAIR = re.compile(r", *(?=[<>])")
_VERS = re.compile(r"(?i)vers:[a-z0-9.+-]+/")


def affected_by(by: str, models: tuple[str, ...], text: str, *, named: bool = True, bounds: Mapping[str, Any]
                | None = None, contradicted: bool = False) -> Affected:
    """One entry from a source's words; what cannot be read as a bound stays as text, and so does an unnamed product."""
    told = " ".join(text.split())[:400]
    if not named:
        return Affected(by=by, text=f"product not stated: {told}"[:400], fallback=True)
    read = dict(bounds) if bounds is not None else read_bounds(_plain_range(told))
    return Affected(by=by, models=models, text=told, contradicted=contradicted, **(read or {}))


def _plain_range(text: str) -> str:
    """``vers:generic/>=1.0|<2.0`` and ``>= 1.0, < 2.0`` as `read_bounds` knows them; other words are left alone."""
    found = _VERS.match(text)
    if found is None:
        return re.sub(r"(?i)^all versions (?=[<>])", "", _PAIR.sub(" ", text))
    rest = text[found.end():].replace("%20", " ")
    parts = [part.strip() for part in rest.split("|") if part.strip()]
    if parts == ["*"]:
        return "vers:all/*"
    if not any(part[0] in "<>!=" for part in parts):
        return "; ".join(parts)
    return " ".join(parts) if len(parts) <= 2 and not any(part[0] in "!=" for part in parts) else text

