"""Who is this supplier, label or part number? What each find in a line means, and one answer.

``match``: it names a party that a list names or reaches. ``review``: somebody has to look. ``no_match``: nothing in it
names one; that is no clearance. `screen` is pure; what the laws say of the party is `rules.effects`. A name that a list
bears is turned away only by words that show another trade; in doubt it stays a ``review``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from rapidfuzz.distance import OSA

from rules.catalog import Catalog, Known
from rules.finding import Find, How, finds_in
from rules.names import Name, latin_of, read
from rules.wording import MEASURE, Context, context_of, is_meant_for

__all__ = ["Action", "Screening", "screen"]

_SHORT_NAME = 5                     # a name this short is near too many others for a mistake in it to be believed alone
_BESIDE_A_COMPANY = {"legal", "place", "neutral", "order"}
_CYRILLIC = re.compile(r"[\u0400-\u04ff]+")
_CASES = re.compile("a|ya|u|yu|e|y|i|oy|oi|oj|om|em|ov|am|ah|akh|ami|(?:ov)?sk..")    # what Russian adds to a name
_LONG_SOUNDS = 8                    # letters of a name that two mistakes are believed in
_MIXED_TRADE = "{} is named beside another trade"
_NUMBER = re.compile(r"(?<![\w/.-])(?=[\w/.-]*\d)(?=[\w/.-]*[a-z])[a-z0-9][\w/.-]{5,}")
_MATERIALS = frozenset({"lifepo4", "limno2", "nimh"})          # formulas that have the form of a part number
_FOREIGN_TRADE = "the other words name another trade, and nothing speaks of cameras or devices"


class Action(StrEnum):
    """What to do with a line; `camvet screen` exits 1 for a match, 3 for a review."""

    MATCH = "match"
    REVIEW = "review"
    NO_MATCH = "no_match"


_ORDER = {Action.MATCH: 0, Action.REVIEW: 1, Action.NO_MATCH: 2}


@dataclass(frozen=True, slots=True)
class Screening:
    """The answer for one line.

    ``entity`` is the id of the party, ``relation`` how it stands to the one listed (`camvet screen` documents the
    words), ``matched_by`` what in the line was taken for which spelling, ``score`` from 0 to 1 how closely. ``also``
    are further finds. ``unverified`` marks facts nobody could check.
    """

    query: str
    action: Action
    entity: str | None
    name: str | None
    relation: str
    matched_by: str | None
    score: float
    because: str
    also: tuple[str, ...] = ()
    tricks: tuple[str, ...] = ()
    unverified: bool = False
    lists: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class _Answer:
    find: Find
    action: Action
    because: str
    entity: str | None = None
    relation: str = "none"


def screen(query: str, catalog: Catalog, day: date) -> Screening:
    """The answer for one line on one day; never raises, whatever the line holds.

    Args:
        query: a company, label, part number or a whole purchase-order line, in any script.
        catalog: what is known.
        day: the day in question; it decides who belongs to whom.
    """
    name = read(query)
    finds = finds_in(catalog.runs.apart(name) if name.scripts else name, catalog)
    context = context_of(name, finds, catalog)
    answers = [_answer(find, finds, context, catalog, day) for find in finds if find.known.kind != "maker"]
    answers += _from_lines(name, finds, context, catalog, day)
    if all(answer.action is Action.NO_MATCH or (answer.action is Action.REVIEW and answer.find.how is How.TYPO)
           for answer in answers):
        answers += _from_slips(name, answers, catalog, day)
    if not answers:
        return _nothing(query, name, finds, context, catalog)
    best = min(answers, key=lambda a: (_ORDER[a.action], a.find.how is How.MODEL, -a.find.score, -len(a.find.found)))
    if best.action is Action.REVIEW and any(a.action is Action.NO_MATCH and a.find.how is How.LABEL for a in answers):
        stated = next(a for a in answers if a.action is Action.NO_MATCH and a.find.how is How.LABEL)
        best = stated if best.find.label is not None or best.find.how is How.TYPO else best
    party = catalog.entities.parties.get(best.entity or "")
    others = tuple(dict.fromkeys(_told(a.find) for a in answers if a is not best))
    tricks = tuple(dict.fromkeys((*name.tricks, *((str(best.find.how),) if best.find.how in _TRICKS else ()))))
    score = best.find.score if best.action is not Action.NO_MATCH else 0.0
    return Screening(
        query, best.action, best.entity, party.name if party else None, best.relation, _told(best.find),
        round(score, 3), best.because + _more(best, answers), others, tricks, bool(party and party.unverified))


_TRICKS = {How.SPACING, How.LEET, How.TYPO}


def _told(find: Find) -> str:
    return f"{find.kind}: {find.found!r} is {find.known.written!r} ({find.how})"


def _more(best: _Answer, answers: Sequence[_Answer]) -> str:
    others = {a.entity for a in answers if a.entity != best.entity and a.action is not Action.NO_MATCH and a.entity}
    return f"; it also names {', '.join(sorted(others))}" if others else ""


def _answer(find: Find, finds: Sequence[Find], context: Context, catalog: Catalog, day: date) -> _Answer:
    """What one find means: who it is on that day, then what the words around make of it."""
    if find.label is not None:
        return _of_label(find, finds, context, catalog, day)
    other = [word for word in find.found.split() if word.isalpha() and word in catalog.apart]
    if find.how is How.LEET and any(word not in find.known.written.casefold() for word in other):
        return _Answer(find, Action.NO_MATCH, f"{find.found!r} is no {find.known.written!r}, but a word of its own")
    standing = catalog.standing(find.known.party, day)
    party = catalog.entities.parties[find.known.party]
    relation = standing.relation
    if standing.word == "clear":
        tie = f" on {day} ({relation} of {standing.owner})" if standing.owner else ""
        return _Answer(find, Action.NO_MATCH, f"{party.name}: {standing.because}{tie}", party.id, relation)
    action, because = _weighed(find, finds, context)
    if action is Action.NO_MATCH:
        return _Answer(find, action, f"{find.known.written}: {because}")
    if standing.word == "unresolved" and action is Action.MATCH:
        action, because = Action.REVIEW, standing.because
    if party.component and action is Action.MATCH and (context.camera or context.device):
        action, because = Action.REVIEW, f"{party.name} makes parts: a chip does not settle who built the device"
    said = because or f"it names {party.name}, {standing.because}"
    return _Answer(find, action, said, party.id, relation)


def _weighed(find: Find, finds: Sequence[Find], context: Context) -> tuple[Action, str]:
    """The action that a find of a listed party's name or part number amounts to beside the other words."""
    if find.how is How.MODEL:
        return _of_model(find, finds, context)
    if context.about or find.about:
        return Action.REVIEW, f"{find.known.written} is named, but the words around say it may not be what is offered"
    if find.how is How.TYPO:
        return _of_typo(find, finds, context)
    fits = context.camera or context.device or context.models or _is_named_twice(find, finds)
    if not find.sure:                                   # a name inside a longer word, or cut off after a few letters
        return _of_part(find, context)
    if find.known.common or (find.how is How.SPACING and context.trade):
        return _of_common(find, context, fits=fits)
    if find.found in context.loose and not (fits or context.order):
        return Action.REVIEW, f"{find.found!r} may be the beginning of a longer word"
    beside_trade = context.next_trade or (context.trade and find.how is How.SCRIPT)
    if beside_trade and not (fits or context.order or context.neutral or context.company):
        return Action.REVIEW, _MIXED_TRADE.format(find.known.written)
    if context.beside and not (fits or context.order or context.neutral or context.company):
        return Action.REVIEW, f"{find.known.written} stands beside the name of a person"
    if find.how is How.CUT and not fits:
        return Action.REVIEW, f"{find.found!r} is how {find.known.written} begins"
    return Action.MATCH, ""


def _of_common(find: Find, context: Context, *, fits: bool) -> tuple[Action, str]:
    """A name with namesakes: turned away beside another trade or as a person's, for review beside unknown words."""
    if context.trade and (context.next_trade or not (context.camera or context.models)):
        mixed = fits or context.order or find.backed
        return (Action.REVIEW, _MIXED_TRADE.format(find.known.written)) if mixed else (
            Action.NO_MATCH, _FOREIGN_TRADE)
    if context.person and not (fits or context.order) and (context.beside or not context.other):
        return Action.NO_MATCH, "it reads as the name of a person"
    if context.other and not (fits or context.order or find.backed or (
            _transliterated(find) and find.found not in context.loose)):
        return Action.REVIEW, f"{find.known.written} has namesakes, and {', '.join(context.other[:4])} says nothing"
    return Action.MATCH, ""


def _is_named_twice(find: Find, finds: Sequence[Find]) -> bool:
    """Whether another name of the same party stands in the line: ``Kasa KC410S TP-Link``."""
    return any(other.known.party == find.known.party and other.kind == "name" and other.how in {How.EXACT, How.SCRIPT}
               and other.known.written != find.known.written for other in finds)


def _transliterated(find: Find) -> bool:
    """Whether a name is spelled by its sound in kana, Hangul or Cyrillic: unlike Chinese, that means nothing else."""
    chinese = any("\u3400" <= c <= "\u9fff" for c in find.found)
    return find.how is How.SCRIPT and not find.found.isascii() and not chinese


def _of_part(find: Find, context: Context) -> tuple[Action, str]:
    said = f"{find.found!r} has {find.known.written} in it" if find.how is How.GLUED else (
        f"{find.found!r} is how {find.known.written} begins")
    if context.camera or context.models or (context.device and not context.trade):
        return Action.REVIEW, said
    if context.trade or find.how is How.CUT or find.known.common:
        return Action.NO_MATCH, said + ", but nothing else speaks for it"
    return Action.REVIEW, said


def _of_model(find: Find, finds: Sequence[Find], context: Context) -> tuple[Action, str]:
    rule = find.model
    elsewhere = [f for f in finds if f.known.kind == "maker"]
    named = any(f.known.kind == "name" and f.how is not How.MODEL for f in finds)
    if rule is None or (rule.decides == "review" and elsewhere):
        return Action.NO_MATCH, "a part number of a common form, and another maker is named"
    backed = named or not (rule.needs or rule.beside) or bool(context.words & set(rule.beside)) or (
        context.camera if rule.needs == "camera" else rule.needs == "device" and (context.camera or context.device))
    if not backed and not (elsewhere or context.other or context.trade or context.device):
        return Action.REVIEW, f"{find.found} stands alone and has a form that {rule.party} uses, among others"
    if not backed:
        return Action.NO_MATCH, "a part number of a common form, and nothing else speaks for it"
    if rule.decides == "review":
        return Action.REVIEW, f"{find.found} has the form of part numbers of {rule.party}, but others use it too"
    if context.about or elsewhere or any(f.about for f in finds):
        who = f"; {elsewhere[0].known.written} is named too" if elsewhere else ""
        return Action.REVIEW, f"{find.found} is a part number of {rule.party}, but it may not be what is offered{who}"
    return Action.MATCH, f"{find.found} is a part number of {rule.party}"


def _of_typo(find: Find, finds: Sequence[Find], context: Context) -> tuple[Action, str]:
    close = f"{find.found!r} reads like {find.known.written!r} misspelt"
    if _CYRILLIC.fullmatch(find.found) and find.found.startswith(find.known.written.casefold()) and not (
            context.camera or context.device or _CASES.fullmatch(latin_of(find.found[len(find.known.written):]))):
        return Action.REVIEW, close
    if not find.found.isascii() and len(find.known.written) < _LONG_SOUNDS and not context.camera and OSA.distance(
            find.found, find.known.written.casefold()) > 1:
        return Action.NO_MATCH, close + ", but two letters of a short name are another word"
    if any(f.known.kind == "maker" for f in finds):
        return Action.NO_MATCH, close + ", but another maker is named"
    fits = context.camera or context.models or find.backed
    long = len(find.known.written) > _SHORT_NAME
    if find.other:                                     # a word of its own needs more than a camera beside it
        speaks = context.camera or context.models or context.device or (
            find.backed and not find.first and not context.trade)
        return (Action.REVIEW, close) if speaks else (Action.NO_MATCH, close + ", but it is a word of its own")
    if find.sure and not context.trade and (fits or not find.known.common or not context.other):
        return (Action.REVIEW if context.person and not fits else Action.MATCH), close
    if find.sure and not find.known.common:            # nothing else explains the word, whatever stands beside it
        return (Action.MATCH if fits or context.device else Action.REVIEW), close
    if fits or (context.device and (find.sure or (find.alike and long))):
        return (Action.MATCH if find.sure or (find.alike and not context.trade) else Action.REVIEW), close
    if context.trade or (context.other and (find.known.common or find.first)):
        return Action.NO_MATCH, close + ", but nothing else speaks for it"
    return Action.REVIEW, close


def _of_label(find: Find, finds: Sequence[Find], context: Context, catalog: Catalog, day: date) -> _Answer:
    """A label that a listed maker's devices are sold under: for review, unless words show it means something else."""
    label = find.label
    if label is None:
        raise ValueError("a find without a label")
    party = catalog.entities.parties[label.party]
    brand = label.brand
    fits = context.camera or context.models
    if any(f.known.kind == "name" and f.how not in {How.TYPO, How.MODEL} for f in finds):
        because = f"{label.written} is sold with devices of {party.name}"
        return _Answer(find, Action.REVIEW, because, party.id, "oem_brand")
    if label.ordinary and not fits and (context.other or context.trade or context.device or context.person
                                        or context.article):
        return _Answer(find, Action.NO_MATCH, f"{label.written} means many things, and nothing speaks of cameras")
    when = f" from {brand.since}" if brand.since else ""
    when += f" until {brand.until}" if brand.until else ""
    scope = f" ({brand.scope}{when})" if brand.scope or when else ""
    mark = ", unverified" if brand.unverified else ""
    over = brand.until is not None and str(day) > brand.until
    tail = "; that time is over, but such devices are still about" if over else ""
    because = (f"devices of {party.name} are sold as {label.written}{scope}, {brand.confidence} confidence{mark}{tail}"
               "; which maker built this one has to be asked")
    return _Answer(find, Action.REVIEW, because, party.id, "oem_brand")


def _from_lines(name: Name, finds: Sequence[Find], context: Context, catalog: Catalog, day: date) -> list[_Answer]:
    """What product lines of a label, and what makers state of their models, make of the line."""
    found: list[_Answer] = []
    for line, names, models in catalog.lines:
        label = names.search(name.text)
        model = models.search(name.text, 0) if line.models else label
        if label is None or model is None or not line.parties:
            continue
        if line.needs and (_numbered(name) or not context.camera):
            continue
        party = line.parties[0]
        known = Known(party, line.brand, common=False, kind="brand")
        over = line.until is not None and day > line.until
        action = Action.REVIEW if over else Action(line.action)
        find = Find(known, f"{label.group()} {model.group()}".strip(), 0, 0, How.LABEL, 0.9, kind="line")
        when = f", until {line.until}" if line.until else ""
        mark = " (unverified)" if line.unverified else ""
        tail = "; that time is over, but such devices are still about" if over else ""
        found.append(_Answer(find, action, f"{line.brand} devices of this line were made by {' or '.join(line.parties)}"
                             f"{when}{mark}: {line.source}{tail}", party, "oem_brand"))
    if any(f.how is How.MODEL for f in finds):
        return found
    for said, names, models in catalog.statements:
        if (label := names.search(name.text)) and (model := models.search(name.text)):
            find = Find(Known("", said.brand, common=False, kind="brand"), f"{label.group()} {model.group()}", 0, 0,
                        How.LABEL, 0.9, kind="statement")
            found.append(_Answer(find, Action.NO_MATCH, f"{said.says} ({said.source}): a claim, no proof"))
    return found


def _from_slips(name: Name, answers: Sequence[_Answer], catalog: Catalog, day: date) -> list[_Answer]:
    """A name one slip away where nothing else was found and no other trade is named.

    For review, but where the company is all that the line names and the slip is one of the hand.
    """
    slip = catalog.slips.nearest(name, catalog.apart)
    if slip is None or any(answer.find.how is How.EXACT and answer.find.kind == "name"
                           and answer.find.start < slip.end and slip.start < answer.find.end for answer in answers):
        return []
    outside = [word.text for at, word in enumerate(name.words) if not slip.start <= at < slip.end]
    if any(catalog.classes.get(word) == "trade" for word in outside):
        return []
    known = catalog.names[slip.key]
    standing = catalog.standing(known.party, day)
    if standing.word == "clear":
        return []
    text = name.text[name.words[slip.start].start:name.words[slip.end - 1].end]
    find = Find(known, text, slip.start, slip.end, How.TYPO, slip.score, sure=slip.sure)
    alone = all(catalog.classes.get(word) in _BESIDE_A_COMPANY for word in outside)
    sure = slip.sure and alone and standing.word == "listed" and not is_meant_for(name, slip.start, catalog)
    return [_Answer(find, Action.MATCH if sure else Action.REVIEW, f"{text!r} reads like {known.written!r} misspelt",
                    known.party, standing.relation)]


def _nothing(query: str, name: Name, finds: Sequence[Find], context: Context, catalog: Catalog) -> Screening:
    makers = [find for find in finds if find.known.kind == "maker"]
    if makers:
        first = makers[0]
        party = catalog.entities.parties.get(first.known.party)
        who = party.name if party else first.known.written
        because = f"it names {who}, which no list here names"
        result = Screening(query, Action.NO_MATCH, party.id if party else None, party.name if party else None,
                           "none", _told(first), 0.0, because, tricks=name.tricks)
    else:
        result = Screening(query, Action.NO_MATCH, None, None, "none", None, 0.0,
                           "nothing in it resembles a name, label or part number known here; that is no clearance",
                           tricks=name.tricks)
    if not query.strip():
        return replace(result, action=Action.REVIEW, because="there is nothing to screen")
    if not makers and _is_bare_number(name, context):
        return replace(result, action=Action.REVIEW, because="it holds a part number of a form nobody here knows, and "
                       "nothing that says whose: look up who makes it")
    if name.cut:
        return replace(result, action=Action.REVIEW, because="the line is too long to be read to its end")
    if name.unread and not makers:
        return replace(result, action=Action.REVIEW, because="words of it are in a script that is not read here")
    return result


def _is_bare_number(name: Name, context: Context) -> bool:
    """Whether a line is a part number and words of any order or device: what it is of, only its maker's list tells."""
    if context.other or context.trade or context.person:
        return False
    return _numbered(name)


def _numbered(name: Name) -> bool:
    """Whether a part number stands in the line."""
    return any(not MEASURE.fullmatch(found.group()) and found.group() not in _MATERIALS
               for found in _NUMBER.finditer(name.text))
