"""The FAR report as HTML for a person and JSON for a machine; `reports.far` says what stands in it.

Without a register of contracts every field that only it could fill is asked for. The command line passes one in with
`render`.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pydantic import BaseModel

from reports.far import build
from reports.formats import Options, register
from reports.report import LEGAL_NOTE, Report
from reports.text import clean
from rules.contracts import Register

__all__ = ["document", "render", "write"]

_TEMPLATES = Path(__file__).parents[1] / "templates"
_LONGEST = 1200                     # what laws say at length; the texts of devices are far shorter


@register("far", media_type="text/html", suffix="far.html", options={"as": ("html", "json")})
def write(report: Report, options: Options) -> bytes:
    """The report without a register: every blank that one would fill is asked for."""
    return render(report, None, options["as"])


def render(report: Report, contracts: Register | None, form: str) -> bytes:
    """The report as ``html`` or ``json``."""
    if form == "json":
        return (json.dumps(document(report, contracts), ensure_ascii=True, indent=1) + "\n").encode("ascii")
    text: str = _page().render(far=build(report, contracts), report=report, note=LEGAL_NOTE)
    return text.encode()


def document(report: Report, contracts: Register | None) -> dict[str, Any]:
    """The report as JSON-able values; ``open`` lists what still has to be asked for, device by device."""
    found = build(report, contracts)
    blanks = [(one.device, blank) for one in found.candidates for blank in (*one.first_report, *one.second_report)]
    plain: dict[str, Any] = _plain(found)
    return {"format": "camvet-far", "version": 1, "producer": report.producer,
            "generated_at": report.generated_at.isoformat(), "legal_note": LEGAL_NOTE,
            "open": [{"device": device, "field": blank.name, "ask": blank.ask}
                     for device, blank in blanks if blank.open],
            **plain}


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON is of any shape
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


@cache
def _page() -> Any:  # noqa: ANN401 - a template of jinja2
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True, finalize=_finalize)
    return environment.get_template("far.html")


def _finalize(value: Any) -> Any:  # noqa: ANN401 - jinja2 hands over whatever an expression gave
    """Texts are cleaned before they are escaped; what a macro made is markup of our own, its texts cleaned already."""
    return clean(value, _LONGEST) if isinstance(value, str) and not isinstance(value, Markup) else value
