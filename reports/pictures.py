"""Pictures of where devices talk to, as inline SVG: one a device, one of the whole site.

The weight of a line is how much was exchanged, its form whether the party may be used: a solid line is allowed, a
dashed one is not, a dotted one leads to somebody unknown. No colour stands alone, every picture has a title and a
description, and the table beside it says the same in words. All text is cleaned, shortened and escaped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from reports.text import clean
from reports.traffic import OwnerCount, Talk, verdict_on
from reports.words import plural

__all__ = ["MOST_OWNERS", "MOST_PARTIES", "network", "owners"]

MOST_PARTIES = 8
"""Parties with a line of their own on either side of the site's border; the others share one."""
MOST_OWNERS = 10

_WIDTH, _LEFT, _BOX, _ROW, _HEAD = 440, 170, 116, 42, 26
_LONGEST_NAME, _LONGEST_LINE, _LONGEST_OWNER, _LONGEST_PLACE = 30, 40, 16, 8
_THINNEST, _THICKEST = 1.5, 7.0


def network(parties: Sequence[Talk], number: int, device: str) -> Markup:
    """Whom one device talks to: inside the site above its border, outside below; `number` makes its ids its own."""
    if not parties:
        return Markup("")
    inside, outside = ([one for one in parties if one.outside is side] for side in (False, True))
    above = _HEAD + max(_rows(inside), 1) * _ROW + 8
    height = above + _HEAD + max(_rows(outside), 1) * _ROW + 4
    middle = _HEAD + (above - _HEAD) / 2
    zone = Markup('<rect x="0.5" y="0.5" width="{}" height="{}" rx="6" class="p-zone"/>')
    body = [zone.format(_WIDTH - 1, above - 1),
            _text(12, 18, "Inside the site", "t s"), _text(12, above + 18, "Outside", "t s")]
    body += [_party(one, y, middle) for one, y in _placed(inside, _HEAD)]
    body += [_party(one, y, middle) for one, y in _placed(outside, above + _HEAD)]
    body += [_left_over(many, y) for many, y in ((inside, _HEAD), (outside, above + _HEAD))]
    body.append(Markup('<path d="M0 {}H{}" class="p-border"/>').format(above, _WIDTH))
    body.append(_camera(middle, device))
    return Markup(
        '<svg class="talks" viewBox="0 0 {} {}" role="img" aria-labelledby="n{}-title n{}-desc">'
        '<title id="n{}-title">{}</title><desc id="n{}-desc">{}</desc>{}</svg>'
    ).format(_WIDTH, height, number, number, number, f"Whom {_short(device, 60)} talks to", number,
             _told(inside, outside), Markup("").join(body))


def _rows(parties: Sequence[Talk]) -> int:
    return min(len(parties), MOST_PARTIES) + (len(parties) > MOST_PARTIES)


def _placed(parties: Sequence[Talk], top: float) -> list[tuple[Talk, float]]:
    return [(one, top + place * _ROW + 14) for place, one in enumerate(parties[:MOST_PARTIES])]


def _party(one: Talk, y: float, middle: float) -> Markup:
    kind = "p-allowed" if one.allowed or not one.outside else "p-unknown" if one.unknown else "p-cut"
    # By powers of ten, alike in every picture: a kilobyte or less is thinnest, a gigabyte or more thickest.
    share = min(max((math.log10(max(one.bytes, 1)) - 3) / 6, 0.0), 1.0)
    weight = _THINNEST + (_THICKEST - _THINNEST) * share
    bend = (_BOX + _LEFT) / 2
    line = Markup('<path d="M{} {:.0f}C{:.0f} {:.0f} {:.0f} {:.0f} {} {:.0f}" class="p-line {}" stroke-width="{:.1f}">'
                  '<title>{}</title></path>').format(
        _BOX, middle, bend, middle, bend, y, _LEFT - 8, y, kind, weight, f"{_short(one.label, 80)}: {_size(one.bytes)}")
    place = _short(one.country or one.jurisdiction.partition(" ")[0].rstrip(";,"), _LONGEST_PLACE)
    below = " · ".join(part for part in (one.told.short, place, verdict_on(one)) if part)
    return Markup("").join((
        line, Markup('<circle cx="{}" cy="{:.0f}" r="4.5" class="p-dot {}"/>').format(_LEFT - 6, y, kind),
        _text(_LEFT + 4, y + 1, _short(one.label, _LONGEST_NAME), "t"),
        _text(_LEFT + 4, y + 17, _short(below, _LONGEST_LINE), "t s")))


def _left_over(parties: Sequence[Talk], top: float) -> Markup:
    if not parties:
        return _text(_LEFT + 4, top + 15, "nobody was seen", "t s")
    rest = parties[MOST_PARTIES:]
    if not rest:
        return Markup("")
    return _text(_LEFT + 4, top + MOST_PARTIES * _ROW + 15,
                 f"and {plural(len(rest), 'other')}, {_size(sum(one.bytes for one in rest))}: see the table", "t s")


def _camera(middle: float, device: str) -> Markup:
    return Markup(
        '<rect x="10" y="{:.0f}" width="{}" height="44" rx="5" class="p-camera"/>{}{}'
    ).format(middle - 22, _BOX - 10, _text(63, middle - 3, "this device", "t s", "middle"),
             _text(63, middle + 13, _short(device, 16), "t", "middle"))


def _text(x: float, y: float, text: str, style: str, anchor: str = "start") -> Markup:
    return Markup('<text x="{:g}" y="{:.0f}" text-anchor="{}" class="{}">{}</text>').format(x, y, anchor, style, text)


def _told(inside: Sequence[Talk], outside: Sequence[Talk]) -> str:
    def side(where: str, parties: Sequence[Talk]) -> str:
        if not parties:
            return f"{where}: nobody was seen."
        named = "; ".join(f"{_short(one.label, 60)}, {'purpose unknown' if one.unknown else one.told.name}, "
                          f"{_size(one.bytes)}, {verdict_on(one)}" for one in parties[:MOST_PARTIES])
        more = f"; and {len(parties) - MOST_PARTIES} more" if len(parties) > MOST_PARTIES else ""
        return f"{where}: {named}{more}."
    return f"{side('Inside the site', inside)} {side('Outside', outside)} The same stands in the table."


def owners(rows: Sequence[OwnerCount], quiet: int, unseen: int) -> Markup:
    """A bar for each owner of outside destinations: how many cameras talk to it, hatched where nobody approved it."""
    if not rows and not quiet:
        return Markup("")
    shown, rest = list(rows[:MOST_OWNERS]), rows[MOST_OWNERS:]
    most = max([row.cameras for row in shown] + [quiet, 1])
    parts, y = [], 4
    for row in shown:
        parts.append(_owner(row, y, most))
        y += 42
    if rest:
        parts.append(_text(0, y + 13, f"and {plural(len(rest), 'other owner')}", "t s"))
        y += 24
    if quiet:
        parts.append(_bar(y, "nobody outside", quiet, most, Markup('class="f-same"')))
        y += 28
    told = [f"{_short(row.owner, 60)}: {plural(row.cameras, 'camera')}, of {row.unneeded} nobody approved it"
            for row in shown]
    told += [f"{plural(len(rest), 'other owner')}"] if rest else []
    told += [f"nobody outside: {plural(quiet, 'camera')}"] if quiet else []
    told += [f"not watched: {plural(unseen, 'camera')}"] if unseen else []
    return Markup(
        '<svg class="talks" viewBox="0 0 {} {}" role="img" aria-labelledby="c3-title c3-desc">'
        '<title id="c3-title">Whom the cameras talk to outside</title><desc id="c3-desc">{}.</desc>'
        '<defs><pattern id="p-unneeded" width="7" height="7" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="7" height="7" class="f-other"/>'
        '<rect width="2.5" height="7" class="f-paper"/></pattern></defs>{}</svg>'
    ).format(_WIDTH, y + 2, "; ".join(told), Markup("").join(parts))


def _owner(row: OwnerCount, y: int, most: int) -> Markup:
    fill = Markup('fill="url(#p-unneeded)" class="s-other"') if row.unneeded else Markup('class="f-same"')
    purposes = _short(", ".join(row.purposes), _LONGEST_LINE)
    return _bar(y, row.owner, row.cameras, most, fill) + _text(152, y + 29, purposes, "t s")


def _bar(y: int, label: str, count: int, most: int, fill: Markup) -> Markup:
    span = 245 * count / most
    return Markup("").join((
        _text(144, y + 13, _short(label, _LONGEST_OWNER), "t", "end"),
        Markup('<rect x="152" y="{}" width="{:.1f}" height="16" {}/>').format(y, max(span, 2.0), fill),
        _text(152 + span + 6, y + 13, str(count), "t n")))


def _size(octets: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if octets >= size:
            return f"{octets / size:.3g} {unit}"
    return plural(octets, "byte")


def _short(text: str, longest: int) -> str:
    """Cut to a width that fits the drawing; the whole name stands in the table. A name keeps its end, which owns it."""
    text = clean(text, 200)
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[: longest - 1 - half]}…{text[-half:]}"
