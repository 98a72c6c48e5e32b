"""The charts of a report as inline SVG: drawn from counts, with title and description, coloured by the page's CSS.

No colour stands alone: every segment carries a pattern of its own or a text. All text passes the escaping of
`markupsafe`, since makers and brands come from devices.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from reports import counts
from reports.counts import Counted, Row
from reports.summary import MakerCount
from reports.text import clean
from reports.words import OUTCOME, plural
from rules.vocabulary import Outcome

__all__ = ["MOST_MAKERS", "flow", "makers", "outcomes"]

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


_WIDTH, _GUTTER, _HEIGHT, _LABEL = 360, 30, 92, 14      # of a flow chart; `_HEIGHT` is shared by both directions


def flow(one: Counted, number: int) -> Markup:
    """The counts of one app over time: one metric upwards from a line, and people who left, if counted, downwards.

    Every bar is one row of `one`; a row in which nothing was analysed is a dashed outline, never a zero. `number` makes
    the ids of this chart its own.
    """
    up, down = (0, 1) if one.metrics[:2] == ("in", "out") else (0, None)
    above, below = (max((row.values[at] or 0.0 for row in one.rows), default=0.0) if at is not None else 0.0
                    for at in (up, down))
    scale = _HEIGHT / (above + below) if above + below > 0 else 0.0
    left, line = _GUTTER if down is not None else 0, round(_LABEL + max(above * scale, 16))
    foot = round(line + max(below * scale, 16) + _LABEL) if down is not None else line + 2
    step = (_WIDTH - left) / len(one.rows)
    parts = [_bars(row, up, down, left + step * at, step, line, scale, number) for at, row in enumerate(one.rows)]
    parts.append(Markup('<rect x="{}" y="{}" width="{}" height="1" class="f-line"/>').format(left, line, _WIDTH - left))
    if down is not None:
        parts += [Markup('<text x="{}" y="{}" text-anchor="end" class="t s">{}</text>').format(_GUTTER - 6, y, text)
                  for y, text in ((line - 4, "in"), (line + 13, "out"))]
    same_day = one.start.date() == one.end.date()
    parts += [Markup('<text x="{}" y="{}" text-anchor="{}" class="t s">{}</text>').format(
        x, foot + 15, anchor, at.strftime("%H:%M" if same_day else "%m-%d %H:%M"))
        for x, anchor, at in ((left, "start", one.start), (_WIDTH, "end", one.end))]
    period = f"{one.start:%Y-%m-%d %H:%M} to {one.end:%Y-%m-%d %H:%M} UTC"
    return Markup(
        '<svg class="flow" viewBox="0 0 {} {}" role="img" aria-labelledby="f{}-title f{}-desc">'
        '<title id="f{}-title">{}</title><desc id="f{}-desc">{}</desc>'
        '<defs><pattern id="p-out-{}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="6" height="6" class="f-same"/><rect width="2.5" height="6" class="f-paper"/></pattern></defs>'
        '{}</svg>'
    ).format(_WIDTH, foot + 20, number, number, number, f"{_short(one.app, 40)} over time", number,
             f"{period}: {_short(counts.told(one), 160)}; highest bar {counts.number(max(above, below))}; "
             f"{plural(one.gaps, 'gap')} without analysis. The same numbers stand in the table below.",
             number, Markup("").join(parts))


def _bars(row: Row, up: int, down: int | None, x: float, step: float, line: int, scale: float, number: int) -> Markup:
    """The bars of one row in a slot `step` wide, with their values where there is room for a figure."""
    width = max(step - 2, 1.0)
    if row.blank:
        return Markup('<rect x="{:.1f}" y="{}" width="{:.1f}" height="14" class="f-none s-unknown">'
                      '<title>{}</title></rect>').format(x + 1, line - 7, width, _said(row, "nothing was analysed"))
    parts = []
    for at, fill, below in ((up, _SAME, False), (down, Markup('fill="url(#p-out-{})" class="s-same"').format(number),
                                                 True)):
        value = row.values[at] if at is not None else None
        if not value or value < 0:
            continue
        height = max(value * scale, 1.0)
        parts.append(Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" {}><title>{}</title></rect>'
                            ).format(x + 1, line + 1 if below else line - height, width, height, fill,
                                     _said(row, f"{'out' if below else 'in' if down is not None else ''} "
                                                f"{counts.number(value)}")))
        if step >= 16 and len(counts.number(value)) * 7 <= step:
            parts.append(Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="middle" class="t v">{}</text>').format(
                x + step / 2, line + height + 11 if below else line - height - 3, counts.number(value)))
    return Markup("").join(parts)


def _said(row: Row, what: str) -> str:
    return f"{row.start:%H:%M:%S} to {row.end:%H:%M:%S}: {what.strip()}"


def _short(text: str, longest: int) -> str:
    """Cut to a width that fits the drawing; the whole name stands in the sections of the devices."""
    text = clean(text, 200)
    return text if len(text) <= longest else text[: longest - 1] + "…"
