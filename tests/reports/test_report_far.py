"""The FAR report: what is filled, what is asked for, when the clock starts and when it ends."""

import json
import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from lxml import html
from sample_report import hostile, sample

from camvet.cli.report import _far as cli_far
from camvet.context import UsageError
from reports.far import build
from reports.formats import far, render
from rules.contracts import Register, load
from rules.documents import DataError
from rules.vocabulary import Kind, ListVersion

SITE = sample()
NOW = datetime(2026, 11, 22, 16, tzinfo=UTC)
DAHUA = next(one for one in SITE.devices if one.identity.maker == "dahua")
CONTRACT = {"number": "47QTCA20D0001", "clause": "52.204-25", "agency": "GSA", "contracting_officer": "A. Officer"}
KNOWN = {
    "contractor": {"name": "Prime Inc.", "uei": "ABCDEFGHJKL1", "cage": "1ABC2"},
    "contracts": [CONTRACT],
    "suppliers": [{"name": "Resale Ltd", "cage": "9XYZ9", "devices": [DAHUA.device]}],
    "identifications": [
        {
            "device": DAHUA.device,
            "identified_at": "2026-11-20",
            "by": "J. Doe",
            "item_description": "fixed camera",
            "mitigation": "isolated",
        }
    ],
}


def register(**more):
    return Register.model_validate(KNOWN | more)


def found(report=SITE, known=None):
    return {one.device: one for one in build(report, known).candidates}


def blanks(candidate):
    return {blank.name: blank for blank in (*candidate.first_report, *candidate.second_report)}


def test_a_sweep_alone_gives_candidates_without_a_clock():
    candidates = found()
    assert candidates[DAHUA.device].status == "candidate"
    assert all((one.first_due, one.second_due, one.identified_at) == (None, None, None) for one in candidates.values())
    named = {one.device for one in SITE.devices if one.identity.maker in {"dahua", "hikvision"}}
    assert named <= set(candidates)
    assert not {one.device for one in SITE.devices if one.identity.maker in {"axis", "uniview", "bosch"}} & set(
        candidates
    )


def test_what_is_not_known_is_asked_for_and_nothing_is_invented():
    fields = blanks(found()[DAHUA.device])
    for name in (
        "contract number",
        "order numbers",
        "supplier name",
        "mitigation undertaken or recommended, as readily available",
    ):
        assert (fields[name].value, bool(fields[name].ask)) == ("", True)
    assert fields["brand"].value == DAHUA.identity.brand
    assert fields["model number (of the maker, part number or wholesaler's)"].value == DAHUA.identity.model


def test_a_confirmation_starts_the_clock_in_business_days():
    one = found(known=register())[DAHUA.device]
    assert (one.status, one.identified_at) == ("identified", date(2026, 11, 20))
    assert one.first_due == date(2026, 11, 23)  # a Friday, so Monday
    assert one.second_due == date(2026, 12, 8)  # ten business days on, Thanksgiving between
    assert not one.overdue
    fields = blanks(one)
    assert fields["contract number"].value == "47QTCA20D0001"
    assert fields["supplier name"].value == "Resale Ltd"
    assert fields["item description"].value == "fixed camera"
    assert fields["order numbers"].if_known  # no indefinite-delivery contract: none to name
    assert one.report_to == "the contracting officer (A. Officer)"


def test_an_unsent_report_is_overdue_and_a_sent_one_moves_the_second():
    later = replace(SITE, generated_at=datetime(2026, 11, 24, 8, tzinfo=UTC))
    assert found(later, register())[DAHUA.device].overdue
    sent = register(identifications=[KNOWN["identifications"][0] | {"reported_on": "2026-11-25"}])
    one = found(later, sent)[DAHUA.device]
    assert (one.overdue, one.second_due) == (False, date(2026, 12, 10))


@pytest.mark.parametrize(
    ("contract", "told"),
    [
        ({"dod": True}, "DIBNet"),
        ({"dod": True, "indefinite_delivery": True, "orders": [{"number": "F0001"}]}, "F0001"),
        ({"indefinite_delivery": True, "orders": [{"number": "F2", "contracting_officer": "B"}]}, "F2: B"),
        ({"reporting_procedure": "portal X"}, "portal X"),
    ],
)
def test_whom_to_report_to(contract, told):
    assert told in found(known=register(contracts=[CONTRACT | contract]))[DAHUA.device].report_to


NEWER = [CONTRACT | {"clause": "52.240-91"}]


def identified(at, **more):
    one = KNOWN["identifications"][0] | {"identified_at": at}
    return found(known=register(identifications=[one], **more))[DAHUA.device]


@pytest.mark.parametrize(("at", "due"), [
    ("2026-11-18", date(2026, 11, 19)),
    ("2026-11-25", date(2026, 11, 27)),                         # over Thanksgiving
    ("2026-07-02", date(2026, 7, 6)),                           # the Fourth, a Saturday, is kept on Friday the third
    ("2023-01-01", date(2023, 1, 3)),                           # New Year's Day, a Sunday, is kept on Monday
    ("2021-01-19", date(2021, 1, 20)),                          # Inauguration Day is off around Washington alone
    ("2026-11-20T23:59:00-05:00", date(2026, 11, 23)),          # the 21st in UTC
    ("2026-11-20T23:59:00+09:00", date(2026, 11, 23)),
    ("2026-11-23T00:00:00-05:00", date(2026, 11, 24)),
])
def test_the_day_of_an_identification_is_the_one_where_it_was_made(at, due):
    one = identified(at)
    assert (one.first_due, one.identified_at.isoformat()) == (due, at[:10])
    assert (one.identified_time is None) == (len(at) == 10)
    assert "the calendar day where it was identified" in one.deadline


@pytest.mark.parametrize(("at", "due"), [
    ("2026-11-18", date(2026, 11, 19)),                         # the business day is the earlier one
    ("2026-11-20", date(2026, 11, 22)),                         # a Friday: over with the Sunday
    ("2026-11-20T16:00:00-05:00", date(2026, 11, 23)),          # with a time they end on the Monday
    ("2026-11-25T10:00:00-05:00", date(2026, 11, 27)),
    ("2026-07-02T09:00:00-05:00", date(2026, 7, 5)),            # before a long weekend the 72 hours are the earlier
])
def test_under_the_newer_clause_the_earlier_of_two_counts_is_given(at, due):
    one = identified(at, contracts=NEWER)
    assert (one.first_due, one.clause) == (due, "52.240-91")
    assert "72 hours" in one.deadline
    assert "unverified" in one.deadline
    assert {blank.clause for blank in (*one.first_report, *one.second_report)} == {"52.240-91(h), unverified"}


def test_where_it_is_not_known_which_contract_is_meant_the_stricter_clause_sets_the_day():
    both = [CONTRACT, CONTRACT | {"number": "OTHER", "clause": "52.240-91"}]
    one = identified("2026-11-20", contracts=both)
    assert (one.first_due, one.clause) == (date(2026, 11, 22), "")


def test_every_field_of_the_clause_is_there():
    """FAR 52.204-25(d)(2)(i) and (ii), counted in the clause."""
    one = found(known=register())[DAHUA.device]
    assert len(one.first_report) == 9
    assert len(one.second_report) == 3
    assert {blank.clause for blank in one.first_report} == {"(d)(2)(i)"}
    assert {blank.clause for blank in one.second_report} == {"(d)(2)(ii)"}


def test_a_label_that_nobody_read_is_asked_for_and_not_taken_from_the_maker():
    nameless = replace(DAHUA, identity=replace(DAHUA.identity, brand=None, model=None, kind=Kind.UNKNOWN))
    fields = blanks(found(replace(SITE, devices=(nameless,)))[DAHUA.device])
    for name in ("brand", "model number (of the maker, part number or wholesaler's)", "item description"):
        assert (fields[name].value, fields[name].open) == ("", True)


def test_the_newer_clause_is_served_and_marked_unverified():
    made = build(SITE, register(contracts=NEWER))
    assert any("52.240-91 could not be verified" in limit for limit in made.limits)
    assert not any("52.240-91 could not" in limit for limit in build(SITE, register()).limits)


def test_the_worksheet_never_answers_for_the_offeror():
    questions = build(SITE, register()).worksheet
    assert {one.provision for one in questions} >= {
        "52.204-24(d)(1)",
        "52.204-24(d)(2)",
        "52.204-26(c)(1)",
        "52.204-26(c)(2)",
    }
    assert not any(one.answer for one in questions)
    assert "speaks for 'does'" in next(one for one in questions if one.provision == "52.204-24(d)(2)").inventory_says
    assert "does not allow 'does not'" in build(SITE, None).worksheet[1].inventory_says
    empty = replace(SITE, devices=())
    assert "nothing in this inventory" in build(empty, None).worksheet[1].inventory_says


def test_json_and_html_tell_the_same_devices():
    document = json.loads(far.render(SITE, register(), "json"))
    page = far.render(SITE, register(), "html").decode()
    assert document["format"] == "camvet-far"
    for one in document["candidates"]:
        assert one["device"] in page
    assert {
        "device": DAHUA.device,
        "field": "efforts undertaken to prevent use or submission",
        "ask": "compliance",
    } in document["open"]
    assert "2026-12-08" in page
    assert "Resale Ltd" in page
    assert render(SITE, "far").startswith(b"<!doctype html>")
    assert json.loads(render(SITE, "far", **{"as": "json"}))["contracts"] == []


SCHEMA = json.loads((Path(__file__).parents[2] / "docs/far.schema.json").read_text())


@pytest.mark.parametrize("known", [None, register(), register(contracts=NEWER),
                                   register(identifications=[KNOWN["identifications"][0] | {
                                       "identified_at": "2026-11-20T23:59:00-05:00"}])], ids=range(4))
@pytest.mark.parametrize("site", [SITE, hostile(), replace(SITE, devices=())], ids=["sample", "hostile", "empty"])
def test_the_document_fits_its_schema(site, known):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    document = json.loads(far.render(site, known, "json"))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "novel": 1}, SCHEMA)


@pytest.mark.parametrize(("name", "made"), [
    ("far.json", lambda: far.render(SITE, register(), "json").decode()),
    ("far.txt", lambda: told_by(far.render(SITE, register(contracts=NEWER), "html"))),
])
def test_the_report_is_as_it_was(name, made):
    path = Path(__file__).parent / "golden" / name
    if os.environ.get("CAMVET_ACCEPT") == "1":
        path.write_text(made())
    assert made() == path.read_text()


@pytest.mark.parametrize("site", [SITE, hostile()], ids=["sample", "hostile"])
def test_every_field_is_a_row_of_the_page(site):
    page = far.render(site, register(), "html").decode()
    assert "&lt;t" not in page.replace("&lt;title", "")
    made = build(site, register())
    fields = [*made.contractor, *(one for device in made.candidates for one in (
        *device.first_report, *device.second_report))]
    rows = html.document_fromstring(page).xpath("//tr[th[@scope='row']]")
    assert len(rows) == len(fields)
    assert sum(row.get("class") == "ask" for row in rows) == sum(field.open for field in fields)


def told_by(page):
    """What a reader sees, a line for every block."""
    tree = html.document_fromstring(page.decode())
    for element in tree.xpath("//style"):
        element.drop_tree()
    return "".join(f"{' '.join(' '.join(one.itertext()).split())}\n"
                   for one in tree.xpath("//h1 | //h2 | //h3 | //p | //li | //tr"))


def test_a_hostile_site_writes_no_markup():
    page = far.render(hostile(), None, "html").decode().lower()
    assert "<script" not in page
    assert "onerror=" not in page.replace("onerror=&", "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("contracts: [{number: A, clause: '52.212-4'}]", "contracts.0.clause"),
        ("contractor: {uei: SHORT}", "contractor.uei"),
        ("identifications: [{device: x, identified_at: 2026-11-20, by: me, contract: NONE}]", "not in the register"),
        ("identifications: [{device: x, identified_at: 2026-11-20, by: me, reported_on: 2026-11-19}]", "lies before"),
        ("contracts: [{number: A, clause: 52.204-25}, {number: A, clause: 52.204-25}]", "two contracts"),
        ("colour: blue", "colour"),
        ("contracts: [{number: A, clause: 52.204-25, orders: [47QTCA20F0009]}]",
         r"contracts.0.orders.0: expected the fields number, contracting_officer, as in \{number: 47QTCA20F0009\}"),
        ("contracts: [{number: A, clause: 52.204-25, orders: 47QTCA20F0009}]",
         r"contracts.0.orders: expected a list, as in \[47QTCA20F0009\]"),
        ("contracts: [{number: A, clause: 52.204-25, orders: [[a], null]}]",
         r"orders.0: expected the fields number, contracting_officer, as in \{number: …\}, found a list"),
        ("contractor: Acme", "contractor: expected the fields name, uei, cage, as in {name: Acme}, found Acme"),
        ("suppliers: [{name: X, devices: {a: 1}}]", "suppliers.0.devices: expected a list, found fields"),
        ("identifications: [{device: x, identified_at: '2026-11-20T23:59', by: me}]", "offset from UTC"),
        ("identifications: [{device: x, identified_at: 20.11.2026, by: me}]", "expected YYYY-MM-DD"),
    ],
)
def test_a_register_that_does_not_fit_is_refused(tmp_path, text, told):
    path = tmp_path / "register.yaml"
    path.write_text(text)
    with pytest.raises(DataError, match=told):
        load(path, NOW)


def first_of(register_text, tmp_path):
    path = tmp_path / "register.yaml"
    path.write_text(register_text)
    return load(path, NOW)


@pytest.mark.parametrize("said", [
    "identified_at: 2026-11-23", "identified_at: 2026-11-25", "identified_at: 2027-01-01",
    "identified_at: '2026-11-22T16:00:01+00:00'", "identified_at: '2026-11-22T23:00:00-05:00'",
    "identified_at: 2026-11-20, reported_on: 2026-11-23",
])
def test_what_nobody_can_have_identified_or_reported_yet_is_refused(tmp_path, said):
    with pytest.raises(DataError) as refused:
        first_of(f"identifications: [{{device: 10.0.0.9, by: me, {said}}}]", tmp_path)
    day = said.rpartition(": ")[2].strip("'")
    assert "device 10.0.0.9" in str(refused.value)
    assert f"{day} lies in the future; today is 2026-11-22" in str(refused.value)


@pytest.mark.parametrize("said", [
    "identified_at: 2026-11-22", "identified_at: '2026-11-22T16:00:00+00:00'",
    "identified_at: '2026-11-23T05:00:00+13:00'",               # that day has begun where it was identified
    "identified_at: 2026-11-22, reported_on: 2026-11-22",
])
def test_what_may_be_so_by_now_is_taken(tmp_path, said):
    assert first_of(f"identifications: [{{device: x, by: me, {said}}}]", tmp_path).identifications


def test_a_day_in_the_future_ends_the_command_with_the_device_and_the_day(tmp_path):
    path = tmp_path / "register.yaml"
    path.write_text("identifications: [{device: 10.0.0.9, by: me, identified_at: 9999-01-01}]")
    with pytest.raises(UsageError, match=r"device 10\.0\.0\.9: identified_at 9999-01-01 lies in the future"):
        cli_far(SITE, path, None)


@pytest.mark.parametrize(("at", "contracts", "unverified"), [
    ("2026-11-20", NEWER, True),                                # 72 hours are the earlier
    ("2026-11-18", NEWER, True),                                # the business day is, as far as the two can be compared
    ("2026-11-20", [CONTRACT], False),
])
def test_a_deadline_that_an_unverified_rule_sets_is_marked(at, contracts, unverified):
    settled = replace(DAHUA, verdict=replace(DAHUA.verdict, effects=tuple(
        replace(effect, unverified=False) for effect in DAHUA.verdict.effects)))
    known = register(identifications=[{"device": DAHUA.device, "by": "me", "identified_at": at}], contracts=contracts)
    site = replace(SITE, devices=(settled,))
    (one,) = json.loads(far.render(site, known, "json"))["candidates"]
    assert (one["unverified"], "unverified" in one["deadline"]) == (unverified, unverified)
    assert any("rule of a deadline" in limit for limit in build(site, known).limits) is unverified


def twice(*said, contracts=(CONTRACT,)):
    known = register(identifications=[{"device": DAHUA.device, **one} for one in said], contracts=list(contracts))
    return found(replace(SITE, generated_at=datetime(2026, 11, 24, 8, tzinfo=UTC)), known)[DAHUA.device]


FIRST, LATER = {"by": "A. Roe", "identified_at": "2026-11-18"}, {"by": "B. Poe", "identified_at": "2026-11-23"}


@pytest.mark.parametrize("said", [(FIRST, LATER), (LATER, FIRST)], ids=["in order", "turned around"])
def test_of_two_identifications_the_earlier_counts_and_both_are_shown(said):
    one = twice(*said)
    assert (one.identified_at, one.first_due, one.overdue) == (date(2026, 11, 18), date(2026, 11, 19), True)
    assert "identified by A. Roe on 2026-11-18" in one.why
    assert "also identified by B. Poe on 2026-11-23; the earliest deadline counts" in one.why


def test_two_names_of_one_device_are_one_device():
    by_mac = replace(DAHUA, mac="02:00:5e:00:00:01")
    known = register(identifications=[{"device": by_mac.mac, **LATER}, {"device": DAHUA.device, **FIRST}])
    (one,) = build(replace(SITE, devices=(by_mac,)), known).candidates
    assert (one.identified_at, len(one.why) > 1, "B. Poe" in one.why[1]) == (date(2026, 11, 18), True, True)


def test_the_same_identification_told_twice_is_told_once():
    assert not any("also identified" in reason for reason in twice(FIRST, FIRST).why)


def test_what_the_later_person_wrote_fills_what_the_earlier_left_open():
    one = twice(FIRST, LATER | {"mitigation": "unplugged", "reported_on": "2026-11-23"})
    assert (one.identified_at, one.overdue) == (date(2026, 11, 18), False)
    assert blanks(one)["mitigation undertaken or recommended, as readily available"].value == "unplugged"


def test_a_report_under_one_contract_is_none_under_another():
    other = CONTRACT | {"number": "OTHER"}
    one = twice(FIRST | {"contract": CONTRACT["number"], "reported_on": "2026-11-19"},
                LATER | {"contract": "OTHER", "identified_at": "2026-11-20"}, contracts=(CONTRACT, other))
    assert one.overdue                                          # the other contract's was due on the 23rd
    assert any("for contract OTHER" in reason for reason in one.why)


def test_a_person_who_identifies_what_no_list_names_starts_the_clock_and_is_told():
    axis = next(one for one in SITE.devices if one.identity.maker == "axis")
    one = found(known=register(identifications=[{"device": axis.device, **FIRST}]))[axis.device]
    assert (one.status, one.first_due) == ("identified", date(2026, 11, 19))
    assert any("name no covered party; the clock runs all the same" in reason for reason in one.why)
    assert one.why[1] in far.render(SITE, register(identifications=[{"device": axis.device, **FIRST}]),
                                    "html").decode().replace("&#39;", "'")
    assert not any("covered party" in reason for reason in twice(FIRST).why)


def test_an_identification_of_what_the_sweep_has_not_is_said():
    limits = build(SITE, register(identifications=[{"device": "10.99.99.99", **FIRST}])).limits
    assert any("10.99.99.99, identified by A. Roe on 2026-11-18, is no device of this sweep" in one for one in limits)


@pytest.mark.parametrize(("days", "stale"), [(90, False), (91, True), (-1, False)])
def test_a_stale_list_is_told_with_its_age(days, stale):
    day = SITE.generated_at.date()
    site = replace(SITE, lists=(ListVersion("import:el", "el", "abc", day - timedelta(days=days)),))
    used = json.loads(far.render(site, None, "json"))["lists"]
    assert [(one["id"], one["age_days"], one["stale"]) for one in used] == [("import:el", days, stale)]
    page = far.render(site, None, "html").decode()
    assert ("stale, so that no answer" in page) == stale
    assert ("dated after this report" if days < 0 else f"{days} days old") in page
