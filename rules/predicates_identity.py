"""Predicates on who a device says it is: names written to escape a list, contradictions, and what it is built of."""

from __future__ import annotations

from dataclasses import replace

from rules.disguises import disguises
from rules.makers import load as load_makers
from rules.predicates import Case, Result, predicate
from rules.vocabulary import Conflict, Status
from scanner.observation import Observation

__all__: list[str] = []

_SHOWN = 6


@predicate
def names_are_disguised(case: Case) -> Result:
    """A name of a maker or a field of identity is written with look-alike, invisible or split letters."""
    told = [o for o in case.observations if o.fields]
    found = {(o.transport, one.field, one.written): (o, one) for o in told for one in disguises(o)}
    spelled = [one for one in case.identity.conflicts if one.claim == "spelling"]      # whole words of look-alikes
    if found or spelled:
        facts = [(f"{transport} {field}", f"{one.reading}: {', '.join(one.how)}")
                 for (transport, field, _), (_, one) in sorted(found.items())]
        facts += [("spelling", one.because) for one in spelled]
        names = sorted({one.reading for _, one in found.values()} | {one.values[-1] for one in spelled if one.values})
        ids = dict.fromkeys([*(o.id for o, _ in found.values()),
                             *(each for one in spelled for each in one.observations)])
        return Result(Status.FAIL, f"read by people and missed by programs: {', '.join(names[:_SHOWN])}", tuple(ids),
                      tuple(facts[:_SHOWN]))
    if not told:
        return Result.unknown("no text of it was seen")
    return Result.passed("its names are written in plain letters", told[:_SHOWN])


@predicate
def address_contradicts_the_link(case: Case) -> Result:
    """The device names another MAC than the link shows, or two machines answer for its address."""
    linked = [o for o in case.seen("link") if o.values("mac")]
    return _contradicted(case, "mac", linked, "its MAC was not seen on the link", "the link shows the MAC it names")


@predicate
def serial_numbers_differ(case: Case) -> Result:
    """The serial number in a login realm or banner is not the one the device declares."""
    told = [o for o in case.observations if o.values("serial")]
    return _contradicted(case, "serial", told, "no serial number was declared", "nothing gives another serial number")


@predicate
def identity_is_shared(case: Case) -> Result:
    """Another device of the sweep has the same MAC, serial number or endpoint UUID."""
    told = [o for o in case.observations if o.values("serial") or o.values("mac") or o.values("endpoint_reference")]
    return _contradicted(case, "duplicate", told, "it named nothing that could be compared",
                         "no other device names them")


def _contradicted(case: Case, claim: str, seen: list[Observation], untold: str, agreed: str) -> Result:
    conflicts: list[Conflict] = [one for one in case.identity.conflicts if one.claim == claim]
    if conflicts:
        ids = tuple(dict.fromkeys(each for one in conflicts for each in one.observations))
        result = Result.fail("; ".join(one.because for one in conflicts))
        return replace(result, evidence=ids)
    if not case.observations:
        return Result.unknown("nothing of it was seen")
    if not seen:
        return Result(Status.NOT_APPLICABLE, f"nothing to compare: {untold}")
    return Result.passed(agreed, seen[:_SHOWN])


@predicate
def component_is_of_a_listed_party(case: Case) -> Result:
    """A part of it is made by a party that laws on components name; who built the device is another question."""
    parts = [item for item in case.identity.evidence if item.claim == "component"]
    if parts:
        chips = load_makers().chipsets
        facts = [(chips[name].name, f"made by {chips[name].made_by}. {chips[name].note}")
                 for name in sorted({item.value for item in parts}) if name in chips]
        ids = tuple(dict.fromkeys(each for item in parts for each in item.observations))
        result = Result.fail("; ".join(dict.fromkeys(item.because for item in parts)), facts=facts)
        return replace(result, evidence=ids)
    if not case.observations:
        return Result.unknown("nothing of it was seen")
    return Result.passed("no reply shows a part of a party that laws on components name; most devices do not tell "
                         "theirs")

