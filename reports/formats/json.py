"""The report as one JSON document: the same value, field by field, under the names of the vocabulary.

``docs/report.schema.json`` describes it. The document is ASCII: control characters and direction marks of a hostile
device leave as escapes, so the text is safe in a terminal. ``summary`` repeats what can be derived.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any

from reports import coverage, summary
from reports.formats import Options, register
from reports.report import Report
from reports.risks import risks
from scanner import clock

__all__ = ["VERSION", "document", "write"]

VERSION = 1
"""Rises when a field changes its meaning or goes; a new field alone does not raise it."""

_PAIRS = {"standards": ("standard", "control"), "facts": ("name", "value"), "reasons": ("reason", "count"),
          "quality": ("name", "value")}


@register("json", media_type="application/json", suffix="json")
def write(report: Report, _options: Options) -> bytes:
    """The whole report, indented by one space: readable, and little larger than one line."""
    text = json.dumps(document(report), ensure_ascii=True, indent=1, allow_nan=False)
    return (text.replace("\x7f", "\\u007f") + "\n").encode("ascii")


def document(report: Report) -> dict[str, Any]:
    """The report as JSON-able values."""
    return {
        "format": "camvet-report",
        "version": VERSION,
        "summary": {
            "headline": summary.headline(report),
            "sentences": list(summary.sentences(report)),
            "outcomes": {str(outcome): count for outcome, count in summary.outcome_counts(report)},
            "not_cameras": list(summary.not_cameras(report)),
            "monitoring": summary.monitored(report),
            "sent": _plain(summary.recall(report)),
            "census": summary.held(report),
            "checks": {str(status): count for status, count in summary.status_counts(report)},
            "makers": [_plain(row) for row in summary.makers(report)],
            "act_first": [{"device": one.device, "line": line} for one in report.devices
                          if (line := summary.one_line(one))],
            "risks": [_plain(risk) for risk in risks(report)],
            "standards": [_plain(one) for one in coverage.coverage(report)],
            "next_steps": list(summary.next_steps(report)),
            "stale_lists": [one.id for one in report.lists if summary.stale(report, one)],
        },
        **_plain(report),
    }


def _plain(value: Any, name: str = "") -> Any:  # noqa: ANN401 - JSON is of any shape
    """A domain value as JSON: dataclasses by field, dates in ISO 8601, pairs under names."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name), each.name) for each in fields(value)}
    if isinstance(value, datetime):
        return clock.stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):          # StrEnums too
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        if name in _PAIRS and all(isinstance(item, tuple) for item in value):
            return [dict(zip(_PAIRS[name], map(_plain, item), strict=True)) for item in value]
        return [_plain(item) for item in value]
    return value
