"""Bills of materials in CycloneDX JSON: every component screened, the verdict beside it, everything else as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from camvet.context import UsageError
from camvet.screening import Screened

__all__ = ["components_of", "line_of", "mark", "read_bom"]

MOST_BYTES = 128 * 1024 * 1024
MOST_COMPONENTS = 200_000
MOST_DEPTH = 32
_OURS = "camvet:"


def read_bom(path: Path) -> dict[str, Any]:
    """The document. Raises `UsageError` with what was expected for anything but CycloneDX JSON with components."""
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
    if not isinstance(document.get("components"), list):
        raise UsageError(f"{path.name}: expected a list of components")
    return document


def components_of(document: dict[str, Any], file: str) -> list[dict[str, Any]]:
    """Every component, nested ones too. Raises `UsageError` for one that has no name."""
    found = list(_walk(document["components"], file, "components", 0))
    if len(found) > MOST_COMPONENTS:
        raise UsageError(f"{file}: expected at most {MOST_COMPONENTS} components")
    return found


def _walk(components: object, file: str, place: str, depth: int) -> Iterator[dict[str, Any]]:
    if not isinstance(components, list) or depth > MOST_DEPTH:
        raise UsageError(f"{file}: {place}: expected a list of components, at most {MOST_DEPTH} deep")
    for number, component in enumerate(components):
        here = f"{place}[{number}]"
        if not isinstance(component, dict) or not isinstance(component.get("name"), str):
            raise UsageError(f"{file}: {here}: expected a component with a name")
        yield component
        if "components" in component:
            yield from _walk(component["components"], file, f"{here}.components", depth + 1)


def line_of(component: dict[str, Any]) -> str:
    """What is screened: manufacturer, supplier, publisher and group before the name, each once."""
    said: list[str] = []
    for key in ("manufacturer", "supplier"):
        holder = component.get(key)
        if isinstance(holder, dict) and isinstance(holder.get("name"), str):
            said.append(holder["name"])
    said += [component[key] for key in ("publisher", "author", "group", "name") if isinstance(component.get(key), str)]
    return " ".join(dict.fromkeys(said))


def mark(component: dict[str, Any], screened: Screened) -> None:
    """Put the verdict beside a component, as properties of our own; a second run replaces them."""
    found, effects = screened.found, screened.effects
    kept = [one for one in component.get("properties") or ()
            if not (isinstance(one, dict) and str(one.get("name", "")).startswith(_OURS))]
    told = {"action": str(found.action), "entity": found.entity or "", "relation": found.relation,
            "matched_by": found.matched_by or "", "because": found.because, "as_of": screened.as_of.isoformat(),
            "overall": str(effects.overall) if effects else "",
            "lists": "; ".join(f"{one.id} {one.dated} {one.version}" for one in screened.lists)}
    component["properties"] = kept + [{"name": _OURS + name, "value": value} for name, value in told.items() if value]
