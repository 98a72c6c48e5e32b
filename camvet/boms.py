"""Bills of materials: every part screened, the verdict beside it, everything else as it was.

CycloneDX JSON (1.2 to 1.7): the product itself, components nested and in pedigrees, services; of each what names it,
read together, and then each further field that may name a maker. CSV and workbooks: the columns that name a maker or a
part, read together. XML is not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from camvet.context import UsageError
from camvet.headings import MAKERS, NOT, PARTS, names_parts
from camvet.screening import Screened, lists_of
from camvet.sheets import Sheet, read_sheet

__all__ = ["HEADER", "Part", "is_table", "judge", "line_of_row", "mark", "parts_of", "read_bom", "read_table", "row_of"]

MOST_BYTES = 128 * 1024 * 1024
MOST_COMPONENTS = 200_000
MOST_DEPTH = 32
MOST_TEXT = 500
MOST_NAME = 60
HEADER = ("place", "type", "name", "version", "bom_ref", "screened")
_OURS = "camvet:"
_TABLES = {".csv", ".tsv", ".txt", ".xlsx", ".xlsm"}
_HARDWARE = {"device", "firmware", "device-driver", "platform", "machine-learning-model"}
_ACTIONS = ("no_match", "review", "match")
_OVERALL = ("legal", "legal_red_flag", "restricted", "review", "prohibited")
_PEDIGREE = ("ancestors", "descendants", "variants")


@dataclass(frozen=True, slots=True)
class Part:
    """One thing of a bill that is screened: where it stands, and the JSON object that the verdict is put into."""

    place: str
    kind: str
    item: dict[str, Any]

    @property
    def line(self) -> str:
        """What is screened: whoever makes, supplies, publishes or provides it before its name, each word once."""
        return " ".join(dict.fromkeys(text[:MOST_TEXT] for text in self._said() if text.strip()))

    @property
    def asides(self) -> Iterator[tuple[str, str]]:
        """What else may name its maker, each to be screened by itself: the field and its text."""
        yield "description", _text(self.item.get("description"))
        for key in ("manufacturer", "supplier", "provider"):
            yield from _reached(key, self.item.get(key))
        for number, author in enumerate(_listed(self.item.get("authors"))):
            if isinstance(author, dict):
                yield f"authors[{number}].email", _text(author.get("email"))
        for number, one in enumerate(_listed(self.item.get("properties"))):
            name = _text(one.get("name")) if isinstance(one, dict) else ""
            if MAKERS.search(name) and not name.startswith(_OURS):
                yield f"properties[{number}] {name[:MOST_NAME]}", _text(one.get("value"))

    def _said(self) -> Iterator[str]:
        for key in ("manufacturer", "supplier", "provider"):
            yield _name(self.item.get(key))
        for author in _listed(self.item.get("authors")):
            yield _name(author)
        for key in ("publisher", "author", "group", "name"):
            yield _text(self.item.get(key))
        yield from _purl(_text(self.item.get("purl")))
        yield from _cpe(_text(self.item.get("cpe")))
        if self.kind in _HARDWARE:
            yield _text(self.item.get("description"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _name(holder: object) -> str:
    return _text(holder.get("name")) if isinstance(holder, dict) else ""


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _reached(key: str, holder: object) -> Iterator[tuple[str, str]]:
    """Where and by whom an organisation is reached: its addresses on the web (1.3 knew one text), its contacts."""
    if not isinstance(holder, dict):
        return
    urls = holder.get("url")
    for number, url in enumerate(_listed(urls) or [urls]):
        yield f"{key}.url[{number}]", _text(url)
    for number, contact in enumerate(_listed(holder.get("contact"))):
        if isinstance(contact, dict):
            yield f"{key}.contact[{number}].name", _text(contact.get("name"))
            yield f"{key}.contact[{number}].email", _text(contact.get("email"))


def judge(part: Part, screener: Callable[[str], Screened]) -> Screened:
    """The worst answer for a part, with the field it comes from where that is not one of those that name the part."""
    from rules.vocabulary import Overall

    def badness(one: Screened) -> tuple[int, int]:
        overall = one.effects.overall if one.effects else Overall.LEGAL
        return _ACTIONS.index(str(one.found.action)), _OVERALL.index(str(overall))

    worst, read = screener(part.line), {part.line}
    for field, whole in part.asides:
        text = whole[:MOST_TEXT].strip()
        if not text or text in read:
            continue
        read.add(text)
        found = screener(text)
        if badness(found) > badness(worst):
            worst = replace(found, found=replace(found.found, because=f"in its {field}: {found.found.because}"))
    return worst


def _purl(purl: str) -> Iterator[str]:
    """Namespace and name of a package URL (``pkg:type/namespace/name@version?qualifiers#subpath``)."""
    if purl.startswith("pkg:"):
        for part in re.split(r"[@?#]", purl.removeprefix("pkg:").lstrip("/").replace("%40", ""))[0].split("/")[1:]:
            yield unquote(part)


def _cpe(cpe: str) -> Iterator[str]:
    """Vendor and product of a CPE, 2.3 or 2.2."""
    cells = re.split(r"(?<!\\):", cpe.replace("cpe:/", "cpe:2.2:"))
    if cells[0] == "cpe" and len(cells) > 4:
        yield from (unquote(cell.replace("\\", "")).replace("_", " ") for cell in cells[3:5] if cell not in {"*", "-"})


def is_table(path: Path) -> bool:
    """Whether a bill is a CSV or a workbook."""
    return path.suffix.lower() in _TABLES


def read_bom(path: Path) -> dict[str, Any]:
    """The document. Raises `UsageError` with what was expected for anything but CycloneDX JSON with parts."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path}: expected at most {MOST_BYTES // 1024 // 1024} MB")
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        place = f", row {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise UsageError(f"{path.name}{place}: expected CycloneDX JSON") from error
    if not isinstance(document, dict) or document.get("bomFormat") != "CycloneDX":
        raise UsageError(f"{path.name}: expected bomFormat CycloneDX")
    return document


def parts_of(document: dict[str, Any], file: str) -> list[Part]:
    """The product, every component and every service, nested ones too. Raises `UsageError` for one without a name."""
    metadata = document.get("metadata")
    product = metadata.get("component") if isinstance(metadata, dict) else None
    found: list[Part] = []
    if product is not None:
        found += _walk([product], file, "metadata.component", "components", 0)
    for key in ("components", "services"):
        if key in document:
            found += _walk(document[key], file, key, key, 0)
    if not found and "components" not in document:
        raise UsageError(f"{file}: expected a list of components, or of services")
    if len(found) > MOST_COMPONENTS:
        raise UsageError(f"{file}: expected at most {MOST_COMPONENTS} components")
    return found


def _walk(items: object, file: str, place: str, key: str, depth: int) -> Iterator[Part]:
    what = key.removesuffix("s")
    if not isinstance(items, list) or depth > MOST_DEPTH:
        raise UsageError(f"{file}: {place}: expected a list of {key}, at most {MOST_DEPTH} deep")
    for number, item in enumerate(items):
        here = place if place == "metadata.component" else f"{place}[{number}]"
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise UsageError(f"{file}: {here}: expected a {what} with a name")
        yield Part(here, _text(item.get("type")) or what, item)
        if key in item:
            yield from _walk(item[key], file, f"{here}.{key}", key, depth + 1)
        pedigree = item.get("pedigree")
        if isinstance(pedigree, dict) and key == "components":
            for kin in _PEDIGREE:
                if kin in pedigree:
                    yield from _walk(pedigree[kin], file, f"{here}.pedigree.{kin}", key, depth + 1)


def mark(part: Part, screened: Screened) -> None:
    """Put the verdict beside a part, as properties of our own; a second run replaces them."""
    found, effects = screened.found, screened.effects
    properties = part.item.get("properties")
    kept = [one for one in (properties if isinstance(properties, list) else ())
            if not (isinstance(one, dict) and str(one.get("name", "")).startswith(_OURS))]
    told = {"action": str(found.action), "entity": found.entity or "", "relation": found.relation,
            "matched_by": found.matched_by or "", "because": found.because, "as_of": screened.as_of.isoformat(),
            "overall": str(effects.overall) if effects else "",
            "effects": "; ".join(f"{one.regime} {one.effect}" + (" (unverified)" if one.unverified else "")
                                 for one in effects.binding) if effects else "",
            "lists": lists_of(screened)}
    part.item["properties"] = kept + [{"name": _OURS + name, "value": value} for name, value in told.items() if value]


def row_of(part: Part) -> tuple[str, ...]:
    """A part as a row of a table, as `HEADER` names the cells."""
    return (part.place, part.kind, _text(part.item.get("name")), _text(part.item.get("version")),
            _text(part.item.get("bom-ref")), part.line)


def read_table(path: Path, encoding: str | None = None) -> tuple[Sheet, tuple[int, ...]]:
    """A bill as CSV or workbook, and the columns that are read together: whoever makes it, then what it is.

    Raises:
        UsageError: a file that is none, or one in which no column names a maker or a part.
    """
    sheet = read_sheet(path, "1", encoding, is_heading=names_parts)
    usable = [at for at, name in enumerate(sheet.header) if not NOT.search(name)]
    makers = [at for at in usable if MAKERS.search(sheet.header[at])]
    parts = [at for at in usable if at not in makers and PARTS.search(sheet.header[at])]
    if not makers and not parts:
        raise UsageError(f"{path.name}: expected a column that names a maker or a part, found "
                         f"{', '.join(sheet.header[:20])}")
    return sheet, (*makers, *parts)


def line_of_row(row: Sequence[str], columns: Sequence[int]) -> str:
    """What is screened of one row of a table."""
    return " ".join(dict.fromkeys(row[at].strip()[:MOST_TEXT] for at in columns if row[at].strip()))
