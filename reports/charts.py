"""The charts of a report as inline SVG: drawn from counts, with title and description, coloured by the page's CSS.

No colour stands alone: every segment carries a pattern of its own or a text. All text passes the escaping of
`markupsafe`, since makers and brands come from devices.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from reports.summary import MakerCount
from reports.text import clean
from reports.words import OUTCOME, plural
from rules.vocabulary import Outcome

__all__ = ["MOST_MAKERS", "makers", "outcomes"]

MOST_MAKERS = 10
"""Makers with a bar of their own; the others share one, which says how many they are."""

_PATTERNS = Markup(
    '<defs>'
    '<pattern id="p-undetermined" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="8" height="8" class="f-undetermined"/><rect width="3" height="8" class="f-paper"/></pattern>'
    '<pattern id="p-conditional" width="8" height="8" patternUnits="userSpaceOnUse">'
    '<rect width="8" height="8" class="f-conditional"/><circle cx="4" cy="4" r="1.8" class="f-paper"/></pattern>'
    '</defs>'
)
_SAME = Markup('class="f-same"')
_OTHER = Markup('fill="url(#p-other)" class="s-other"')
_UNKNOWN = Markup('class="f-none s-unknown"')
_FILLS = {Outcome.UNDETERMINED: "url(#p-undetermined)", Outcome.CONDITIONAL: "url(#p-conditional)"}


def outcomes(counts: Sequence[tuple[Outcome, int]]) -> Markup:
    """One bar divided by verdict, in the given order; empty where there is no device."""
    total = sum(count for _, count in counts)
    if not total:
        return Markup("")
    width, height, gap = 1000.0, 22, 3
    spans, x = [], 0.0
    for outcome, count in counts:
        if not count:
            continue
        span = width * count / total
        style = 'fill="{}"' if outcome in _FILLS else 'class="f-{}"'
        fill = Markup(style).format(_FILLS.get(outcome, outcome))  # noqa: S704 - one of the two literals above
        spans.append(Markup('<rect x="{:.1f}" y="0" width="{:.1f}" height="{}" {}><title>{}</title></rect>').format(
            x, max(span - gap, 1.0), height, fill, f"{OUTCOME[outcome]}: {count}"))
        x += span
    told = ", ".join(f"{OUTCOME[outcome].lower()} {count}" for outcome, count in counts)
    return Markup(
        '<svg class="bar" viewBox="0 0 1000 22" preserveAspectRatio="none" role="img" '
        'aria-labelledby="c1-title c1-desc"><title id="c1-title">Verdicts</title><desc id="c1-desc">{}</desc>{}{}</svg>'
    ).format(f"{plural(total, 'device')}: {told}.", _PATTERNS, Markup("").join(spans))


def makers(rows: Sequence[MakerCount]) -> Markup:
    """A bar a maker: solid where the label names the maker, hatched where it names another, outlined where unknown."""
    if not rows:
        return Markup("")
    shown = list(rows[:MOST_MAKERS])
    rest = rows[MOST_MAKERS:]
    if rest:
        shown.append(MakerCount(f"{len(rest)} other makers", sum(row.same for row in rest),
                                sum(row.other for row in rest), sum(row.unknown for row in rest), ()))
    most = max(row.total for row in shown)
    parts, y = [], 4
    for row in shown:
        parts.append(_maker(row, y, most))
        y += 40 if row.other and row.labels else 26
    told = "; ".join(_told(row) for row in shown)
    return Markup(
        '<svg class="makers" viewBox="0 0 440 {}" role="img" aria-labelledby="c2-title c2-desc">'
        '<title id="c2-title">Makers, and whether the label names them</title><desc id="c2-desc">{}.</desc>'
        '<defs><pattern id="p-other" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="7" height="7" class="f-other"/><rect width="2.5" height="7" class="f-paper"/></pattern></defs>'
        '{}</svg>'
    ).format(y + 2, told, Markup("").join(parts))


def _maker(row: MakerCount, y: int, most: int) -> Markup:
    left, full, bar = 132, 270, 16
    x = float(left)
    parts = [Markup('<text x="{}" y="{}" text-anchor="end" class="t">{}</text>').format(
        left - 8, y + 13, _short(row.maker, 17))]
    for count, style in ((row.same, _SAME), (row.other, _OTHER), (row.unknown, _UNKNOWN)):
        if count:
            span = full * count / most
            parts.append(Markup('<rect x="{:.1f}" y="{}" width="{:.1f}" height="{}" {}/>').format(
                x, y, max(span - 2, 1.0), bar, style))
            x += span
    parts.append(Markup('<text x="{:.1f}" y="{}" class="t n">{}</text>').format(x + 5, y + 13, row.total))
    if row.other and row.labels:
        labels = ", ".join(_short(label, 16) for label in row.labels[:4])
        more = f" and {len(row.labels) - 4} more" if len(row.labels) > 4 else ""
        parts.append(Markup('<text x="{}" y="{}" class="t s">{}</text>').format(
            left, y + 29, _short(f"sold as {labels}{more}", 48)))
    return Markup("").join(parts)


def _told(row: MakerCount) -> str:
    parts = [f"{count} {words}" for count, words in (
        (row.same, "under its own name"), (row.other, "under another name"), (row.unknown, "with no readable label"),
    ) if count]
    return f"{_short(row.maker, 60)}: {', '.join(parts)}"


def _short(text: str, longest: int) -> str:
    """Cut to a width that fits the drawing; the whole name stands in the sections of the devices."""
    text = clean(text, 200)
    return text if len(text) <= longest else text[: longest - 1] + "…"
