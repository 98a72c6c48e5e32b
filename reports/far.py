"""The report that FAR 52.204-25(d) asks of a contractor, filled from the inventory and a register of contracts.

A sweep finds candidates; only a person identifies covered equipment, and only that starts the clock of the clause. What
nobody told is asked for, never invented. The newer clause 52.240-91 is served by the same fields. Its own paragraph was
not seen; what others say of it (one report within 72 hours, paragraph (h)) is used where it is the stricter, and marked
unverified. Own words; no legal advice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from reports.report import DeviceReport, Report
from reports.summary import stale
from rules.contracts import Contract, Identification, Register, Supplier
from rules.vocabulary import Effect, ListVersion
from rules.workdays import after

__all__ = ["Blank", "Candidate", "FarReport", "Question", "UsedList", "build"]

_REGIMES = ("US-889-A", "US-889-B")
_COUNTS, _OPEN = {"true", "by_affiliation"}, {"unresolved"}
_SECOND_REPORT_DAYS = 10                # FAR 52.204-25(d)(2)(ii)
_HOURS_OF_91 = timedelta(hours=72)      # 52.240-91(h) as others read it: unverified
_NEWER = "52.240-91"


@dataclass(frozen=True, slots=True)
class Blank:
    """One field of the clause: its value and where that is from, or who has to be asked for it."""

    name: str
    clause: str
    value: str
    source: str
    ask: str = ""
    if_known: bool = False

    @property
    def open(self) -> bool:
        """Whether it still has to be asked for."""
        return not self.value and not self.if_known


@dataclass(frozen=True, slots=True)
class Candidate:
    """One device that may have to be reported.

    ``status``: ``identified`` (a person confirmed it), ``candidate`` (the sweep says its maker is covered), ``open``
    (whether it is covered could not be settled). Deadlines exist for an identification alone.
    """

    device: str
    status: Literal["identified", "candidate", "open"]
    maker: str
    assurance: str
    why: Sequence[str]
    report_to: str
    first_report: Sequence[Blank]
    second_report: Sequence[Blank]
    clause: str = ""
    identified_at: date | None = None
    identified_time: datetime | None = None
    first_due: date | None = None
    second_due: date | None = None
    deadline: str = ""                  # how the days were counted
    overdue: bool = False
    unverified: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """One line of the representation worksheet: what is represented, and what the inventory has to say to it."""

    provision: str
    asks: str
    inventory_says: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class UsedList:
    """A list that was used, its age on the day of the report and whether it was too old by then to rely on."""

    id: str
    name: str
    version: str
    dated: date
    age_days: int
    stale: bool


@dataclass(frozen=True, slots=True)
class FarReport:
    """The whole: who reports, under which clause, the devices, the representations, and what nobody could tell."""

    site: str
    sweep: str
    as_of: date
    contractor: Sequence[Blank]
    contracts: Sequence[Contract]
    candidates: Sequence[Candidate]
    worksheet: Sequence[Question]
    not_identified: Sequence[str]
    limits: Sequence[str]
    lists: Sequence[UsedList]


def build(report: Report, register: Register | None) -> FarReport:
    """The report under the clause. Pure; `register` may be missing or incomplete."""
    known = register or Register()
    candidates = tuple(found for device in report.devices if (found := _candidate(device, report, known)) is not None)
    unknown = tuple(device.device for device in report.devices
                    if device.identity.maker is None and str(device.identity.kind) != "other")
    contractor = (
        _blank("contractor name", "", known.contractor.name, "register", "who holds the contract"),
        _blank("contractor unique entity identifier", "", known.contractor.uei, "register", "SAM registration"),
        _blank("contractor CAGE code", "", known.contractor.cage, "register", "SAM registration"))
    return FarReport(report.site, report.sweep, report.as_of, contractor, known.contracts, candidates,
                     tuple(_worksheet(candidates, unknown)), unknown, _limits(report, known, candidates),
                     tuple(_used(one, report) for one in report.lists))


def _used(one: ListVersion, report: Report) -> UsedList:
    return UsedList(one.id, one.name, one.version, one.dated, one.age_days(report.generated_at.date()),
                    stale(report, one))


def _candidate(device: DeviceReport, report: Report, register: Register) -> Candidate | None:
    effects = [effect for effect in device.verdict.effects if effect.regime in _REGIMES]
    clock = _clock(_merged([one for one in register.identifications if one.device in _names(device)]), register)
    confirmed = clock.counts if clock else None
    listed = [effect for effect in effects if effect.listed in _COUNTS and effect.in_force]
    unsettled = [effect for effect in effects if effect.listed in _OPEN and effect.in_force]
    if confirmed is None and not listed and not unsettled:
        return None
    contract = _contract(confirmed, register)
    clause = contract.clause if contract is not None else ""
    second_due = after(clock.counts.reported_on or clock.due, _SECOND_REPORT_DAYS) if clock else None
    status: Literal["identified", "candidate", "open"] = (
        "identified" if confirmed else "candidate" if listed else "open")
    return Candidate(
        device=device.device, status=status, maker=device.identity.maker_name or device.identity.maker or "not known",
        assurance=str(device.identity.assurance), why=_why(listed, unsettled, clock),
        report_to=_report_to(contract), first_report=_first(device, confirmed, contract, register),
        second_report=_second(confirmed, clause), clause=clause,
        identified_at=confirmed.day if confirmed else None,
        identified_time=confirmed.moment if confirmed else None,
        first_due=clock.due if clock else None, second_due=second_due, deadline=clock.deadline if clock else "",
        overdue=clock is not None and any(due < report.generated_at.date() for due in clock.unsent),
        unverified=(clock is not None and clock.unverified) or any(
            effect.unverified for effect in listed or unsettled))


@dataclass(frozen=True, slots=True)
class _Clock:
    """When a device has to be reported, by all who identified it; `counts` is the one with the earliest deadline."""

    counts: Identification
    others: Sequence[Identification]
    due: date
    deadline: str
    unverified: bool                    # the deadline rests on a rule whose text was not seen
    unsent: Sequence[date]              # the deadlines of what was not reported yet


def _merged(found: Sequence[Identification]) -> list[Identification]:
    """Each identification, with what its own person left open taken from another one for the same contract."""
    left_open = ("contract", "orders", "item_description", "model_number", "mitigation", "reported_on",
                 "prevention_efforts", "additional_efforts")
    merged = []
    for one in found:
        said: dict[str, Any] = {}
        for other in found:
            mine = one.contract or said.get("contract", "")
            if not mine or not other.contract or mine == other.contract:
                said |= {name: value for name in left_open
                         if not getattr(one, name) and name not in said and (value := getattr(other, name))}
        merged.append(one.model_copy(update=said))
    return merged


def _clock(found: Sequence[Identification], register: Register) -> _Clock | None:
    """The clock that the earliest of them started; whoever confirms again later does not start it anew."""
    if not found:
        return None
    newer = any(one.clause == _NEWER for one in register.contracts)
    counted = []
    for one in found:
        contract = _contract(one, register)
        counted.append((one, *_first_due(one, contract.clause if contract is not None else _NEWER if newer else "")))
    counts, due, deadline, unverified = min(counted, key=lambda each: (
        each[1], each[0].day, each[0].moment or datetime.combine(each[0].day, time(), UTC)))
    told = {(one.by, one.identified_at) for one in found} - {(counts.by, counts.identified_at)}
    others = {(one.by, one.identified_at): one for one in found if (one.by, one.identified_at) in told}
    return _Clock(counts, list(others.values()), due, deadline, unverified,
                  [each[1] for each in counted if each[0].reported_on is None])


def _first_due(confirmed: Identification, clause: str) -> tuple[date, str, bool]:
    """The day the first report is due, how it was counted, and whether an unverified rule had a part in that.

    Under the newer clause the earlier of two counts.
    """
    due = after(confirmed.day, 1)
    told = f"one business day after {confirmed.day}, the calendar day where it was identified"
    if clause != _NEWER:
        return due, told, False
    begun = confirmed.moment or datetime.combine(confirmed.day, time())
    ended = begun + _HOURS_OF_91
    last = ended.date() if ended.time() > time() else ended.date() - timedelta(days=1)
    counted = "" if confirmed.moment else ", counted from the beginning of that day since no time was told"
    if last < due:
        return last, f"72 hours after the identification (52.240-91(h), unverified){counted}: earlier than {told}", True
    return due, f"{told}: no later than the 72 hours of 52.240-91(h) (unverified)", True


def _place(clause: str, paragraph: str) -> str:
    return "52.240-91(h), unverified" if clause == _NEWER else paragraph


def _names(device: DeviceReport) -> set[str]:
    identity = device.identity
    return {name for name in (device.device, device.inventory_id, device.address, device.mac, identity.serial or "",
                              *identity.macs) if name}


def _why(listed: Sequence[Effect], unsettled: Sequence[Effect], clock: _Clock | None) -> tuple[str, ...]:
    said = []
    if clock is not None:
        said.append(f"identified by {_identified(clock.counts)}")
        said += [f"also identified by {_identified(other)}; the earliest deadline counts" for other in clock.others]
        if not listed:
            said.append("the facts of this device's verdict name no covered party"
                        + (" for certain" if unsettled else "")
                        + "; the clock runs all the same, since a person confirmed it: see that the device is the one "
                          "meant")
    return (*said, *(f"{effect.regime}: {effect.because}" for effect in listed or unsettled))


def _identified(one: Identification) -> str:
    source = f", notified by {one.notified_by}" if one.notified_by else ""
    contract = f", for contract {one.contract}" if one.contract else ""
    return f"{one.by} on {one.identified_at.isoformat()}{source}{contract}"


def _contract(confirmed: Identification | None, register: Register) -> Contract | None:
    if confirmed is not None and confirmed.contract:
        return next(one for one in register.contracts if one.number == confirmed.contract)
    return register.contracts[0] if len(register.contracts) == 1 else None


def _report_to(contract: Contract | None) -> str:
    if contract is None:
        return "not known: name the contract in the register"
    if contract.reporting_procedure:
        return f"as the contract establishes: {contract.reporting_procedure}"
    orders = ", ".join(order.number for order in contract.orders)
    if contract.dod:
        both = f", naming the indefinite-delivery contract and the affected orders ({orders or 'to be named'})"
        return "the DIBNet portal of the Department of Defense" + (both if contract.indefinite_delivery else "")
    officer = contract.contracting_officer or "not named in the register"
    if contract.indefinite_delivery:
        each = "; ".join(f"{order.number}: {order.contracting_officer or 'not named'}" for order in contract.orders)
        return (f"the contracting officer of the contract ({officer}) and of each affected order "
                f"({each or 'to be named'})")
    return f"the contracting officer ({officer})"


def _first(device: DeviceReport, confirmed: Identification | None, contract: Contract | None,
           register: Register) -> tuple[Blank, ...]:
    """The fields of paragraph (d)(2)(i), within one business day."""
    place = _place(contract.clause if contract is not None else "", "(d)(2)(i)")
    supplier = next((one for one in register.suppliers if set(one.devices) & _names(device)), None)
    orders = confirmed.orders if confirmed else ()
    if contract is not None and not orders:
        orders = tuple(order.number for order in contract.orders) if len(contract.orders) == 1 else ()
    needs_order = contract is None or contract.indefinite_delivery
    identity = device.identity
    model = confirmed.model_number if confirmed and confirmed.model_number else identity.model or ""
    described = confirmed.item_description if confirmed else ""
    return (
        _blank("contract number", place, contract.number if contract else "", "register", "contract file"),
        _blank("order numbers", place, ", ".join(orders), "register", "contract file, where applicable",
               if_known=not needs_order),
        *_of_supplier(supplier, place),
        _blank("brand", place, identity.brand or "", "the sweep", "label of the device"),
        _blank("model number (of the maker, part number or wholesaler's)", place, model, "the sweep",
               "label of the device, or the order"),
        _blank("item description", place, described or _description(device), "register" if described else "the sweep",
               "a person who knows the item"),
        _blank("mitigation undertaken or recommended, as readily available", place,
               confirmed.mitigation if confirmed else "", "register", "whoever runs the site"))


def _of_supplier(supplier: Supplier | None, place: str) -> tuple[Blank, ...]:
    return (
        _blank("supplier name", place, supplier.name if supplier else "", "register", "order or invoice"),
        _blank("supplier unique entity identifier", place, supplier.uei if supplier else "", "register",
               "the supplier", if_known=True),
        _blank("supplier CAGE code", place, supplier.cage if supplier else "", "register", "the supplier",
               if_known=True))


def _second(confirmed: Identification | None, clause: str) -> tuple[Blank, ...]:
    """The fields of paragraph (d)(2)(ii), within ten business days of the first report."""
    place = _place(clause, "(d)(2)(ii)")
    return (
        _blank("further information on mitigation", place, confirmed.mitigation if confirmed else "", "register",
               "whoever runs the site"),
        _blank("efforts undertaken to prevent use or submission", place,
               confirmed.prevention_efforts if confirmed else "", "register", "compliance"),
        _blank("efforts to be added to prevent it in future", place,
               confirmed.additional_efforts if confirmed else "", "register", "compliance"))


def _description(device: DeviceReport) -> str:
    kind = str(device.identity.kind)
    return "" if kind == "unknown" else f"network {kind}" + (f", serial {device.identity.serial}"
                                                              if device.identity.serial else "")


def _blank(name: str, clause: str, value: str, source: str, ask: str, *, if_known: bool = False) -> Blank:
    return Blank(name, clause, value, source if value else "", "" if value else ask, if_known)


def _worksheet(candidates: Sequence[Candidate], unknown: Sequence[str]) -> list[Question]:
    identified = sum(one.status == "identified" for one in candidates)
    found = (f"{identified} devices identified as covered, {len(candidates) - identified} more to be looked into, "
             f"{len(unknown)} whose maker is not known")
    use = ("the inventory speaks for 'does'" if identified else
           "the inventory does not allow 'does not' until the candidates and unknown devices are settled"
           if candidates or unknown else
           "nothing in this inventory speaks against 'does not'; it saw one site on one day")
    provide = ("the inventory shows what is used at one site; it says nothing of what will be offered: screen the "
               "offer")
    return [
        Question("52.204-24(d)(1)",
                 "Will covered equipment or services be provided to the Government in performance?", provide),
        Question("52.204-24(d)(2)", "After a reasonable inquiry: is covered equipment or are covered services used?",
                 f"{use} ({found})"),
        Question("52.204-26(c)(1)", "Yearly, in SAM: are they provided to the Government?", provide),
        Question("52.204-26(c)(2)", "Yearly, in SAM, after a reasonable inquiry: are they used?", f"{use} ({found})"),
        Question("52.204-24(e)",
                 "Where the answer is will or does: the producer with UEI and CAGE code, and whether maker or "
                 "distributor, if known; brand, model number and description of all of it; for services their "
                 "description or Product Service Code; the proposed use and what bears on whether it is permissible "
                 "(wording unverified)",
                 "see the devices above; the explanation of the use has to be written"),
        Question("52.240-90", "The representation of the newer clause family, where the contract has 52.240-91 "
                 "(wording unverified)", f"{use} ({found})"),
    ]


def _limits(report: Report, register: Register, candidates: Sequence[Candidate]) -> tuple[str, ...]:
    limits = [
        ("A candidate is what a sweep found; it is no identification. The clock starts when a person confirms it "
         "(identified_at), or when a subcontractor or another source gives notice."),
        ("Whether the equipment is a substantial or essential component, or critical technology, and whether an "
         "exception or waiver applies, cannot be seen from the network."),
        "A reasonable inquiry (FAR 4.2101) looks into what is in the entity's possession; a sweep is part of it.",
        ("Deadlines are in business days: weekends and the holidays of 5 U.S.C. 6103(a) do not count, a holiday on a "
         "Saturday is kept on the Friday before and one on a Sunday on the Monday after. Days off that only some have "
         "(Inauguration Day around Washington, closures by order) count as business days, so a real deadline can only "
         "lie later."),
        ("The clause names no time zone. The day of an identification is the calendar day where it was made, as its "
         "offset tells; whether a report is late is judged by the day in UTC, so for the Americas up to a day early."),
    ]
    if any(contract.clause == "52.240-91" for contract in register.contracts):
        limits.append("The reporting paragraph of 52.240-91 could not be verified: its text was not seen. Others read "
                      "it as one report within 72 hours, paragraph (h), in the place of those of 52.204-25(d); the "
                      "fields here are those of 52.204-25(d), and the earlier of both deadlines is given. Whether it "
                      "asks for a second report is not known. Read the clause of the contract before sending.")
    names = {name for device in report.devices for name in _names(device)}
    limits += [f"{one.device}, identified by {_identified(one)}, is no device of this sweep: its clock runs and stands "
               "nowhere here." for one in register.identifications if one.device not in names]
    if any(candidate.unverified for candidate in candidates):
        limits.append("Facts behind these devices, or the rule of a deadline, are marked unverified.")
    return tuple(limits)
