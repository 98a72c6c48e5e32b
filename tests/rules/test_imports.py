"""Lists of others: each format read, each fault told with row and column, removed parties found between editions."""

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import catalog
from rules.effects import effects_of
from rules.imported import Imported
from rules.imports import parse
from rules.screening import Action, screen
from rules.snapshots import SnapshotError, dump, lay_over, load
from rules.tables import TableError

DAY = date(2026, 11, 1)
CSL_HEADER = (
    "_id,source,entity_number,type,programs,name,title,addresses,federal_register_notice,start_date,end_date,"
    "standard_order,license_requirement,license_policy,call_sign,vessel_type,gross_tonnage,"
    "gross_registered_tonnage,vessel_flag,vessel_owner,remarks,source_list_url,alt_names,citizenships,"
    "dates_of_birth,nationalities,places_of_birth,source_information_url,ids"
)
EL = "Entity List (EL) - Bureau of Industry and Security"


def csl_row(name, start="2023-03-28", alt="", source=EL, number="1"):
    cells = [
        number,
        source,
        "",
        "",
        "",
        f'"{name}"',
        "",
        '"1 Road, Hangzhou, CN"',
        '"88 FR 1; 89 FR 2"',
        start,
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        f'"{alt}"',
        "",
        "",
        "",
        "",
        "",
        "",
    ]
    return ",".join(cells)


def csl(*rows, header=CSL_HEADER):
    return "\n".join((header, *rows)).encode()


def read(data, dated=DAY, **more):
    return parse(data, "list.csv", source="csl", dated=dated, **more)


def test_the_consolidated_list_as_csv():
    found = read(
        csl(
            csl_row("Quantum Lens Works Co. Ltd. and any successor, sub-unit, or subsidiary thereof", alt="QLW; Q Lens")
        )
    )
    (party,) = found.parties
    assert party.names == ("Quantum Lens Works Co. Ltd.", "QLW", "Q Lens")
    (programme,) = party.programmes
    assert (programme.regime, programme.listed_on, programme.citation) == (
        "US-BIS-EL",
        date(2023, 3, 28),
        "88 FR 1; 89 FR 2",
    )
    assert party.countries == ("CN",)


def test_the_older_layout_without_an_id_is_told_by_its_header():
    header = CSL_HEADER.removeprefix("_id,")
    (party,) = read(csl(csl_row("Old Layout Optics").partition(",")[2], header=header)).parties
    assert party.names == ("Old Layout Optics",)


def test_the_consolidated_list_as_json():
    one = {
        "id": "7",
        "source": EL,
        "name": "Quantum Lens",
        "alt_names": ["QL"],
        "addresses": [{"country": "CN"}],
        "start_date": "2023-03-28",
        "end_date": None,
        "federal_register_notice": "88 FR 1",
    }
    found = read(json.dumps({"results": [one]}).encode())
    assert (found.format, found.parties[0].names, found.parties[0].countries) == (
        "csl-json",
        ("Quantum Lens", "QL"),
        ("CN",),
    )


def test_opensanctions_as_simple_csv():
    data = (
        b"id,schema,name,aliases,birth_date,countries,addresses,identifiers,sanctions,phones,emails,program_ids,dataset,"
        b'first_seen,last_seen,last_change\nNK-1,Company,Quantum Lens,"QL;""Q; Lens""",,cn,,,,,,US-BIS-EL;US-NS-CMIC,x,'
        b"2023-03-28T10:00:00,,\nNK-2,Person,A B,,,,,,,,,,x,,,\n"
    )
    (party,) = read(data).parties
    assert party.names == ("Quantum Lens", "QL", "Q; Lens")
    assert [p.regime for p in party.programmes] == ["US-BIS-EL", "US-NS-CMIC"]


def test_opensanctions_as_follow_the_money():
    lines = [
        {
            "id": "c1",
            "caption": "Quantum Lens",
            "schema": "Company",
            "properties": {"name": ["Quantum Lens"], "alias": ["QL"], "country": ["cn"]},
            "datasets": ["x"],
            "target": True,
        },
        {
            "id": "s1",
            "caption": "s",
            "schema": "Sanction",
            "properties": {
                "entity": ["c1"],
                "programId": ["US-DOD-1260H"],
                "startDate": ["2022"],
                "endDate": ["2025-01-07"],
            },
        },
        {
            "id": "c2",
            "caption": "Not a target",
            "schema": "Company",
            "properties": {},
            "datasets": ["x"],
            "target": False,
        },
    ]
    (party,) = read("\n".join(map(json.dumps, lines)).encode()).parties
    (programme,) = party.programmes
    assert (party.id, programme.regime, programme.listed_on, programme.removed_on) == (
        "c1",
        "US-1260H",
        date(2022, 1, 1),
        date(2025, 1, 7),
    )


def test_ofac_with_the_dates_of_its_remarks():
    data = (
        b'9001,"QUANTUM LENS CO LTD",-0- ,"CMIC-EO13959",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,'
        b'"Listing Date (CMIC) 03 Jun '
        b"2021; Effective Date (CMIC) 02 Aug 2021; a.k.a. 'Q LENS'.\"\r\n"
        b'9002,"SOMEBODY","individual","X",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n\x1a'
    )
    (party,) = read(data).parties
    assert (party.id, party.names, party.programmes[0].listed_on) == (
        "OFAC:9001",
        ("QUANTUM LENS CO LTD", "Q LENS"),
        date(2021, 6, 3),
    )


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (
            csl(csl_row("A B C", start="28/03/2023")),
            "list.csv, row 2, column start_date: expected a date as YYYY-MM-DD, found '28/03/2023'",
        ),
        (csl(csl_row("", number="3")), "list.csv, row 2, column name: expected a name"),
        (csl(csl_row("Good Name"), "1,2,3"), "list.csv, row 3: expected 29 cells as in the first row, found 3"),
        (csl(), "list.csv: expected at least one party"),
        (b"name,colour\nx,y\n", "list.csv, row 1, column 'colour': expected columns of id, name, aliases"),
        (
            b"name,country\nx,China\n",
            "list.csv, row 2, column country: expected a two-letter country code, found 'China'",
        ),
        (b"what,ever\n1,2\n", "list.csv, row 1: expected one of the formats"),
        (b'{"results": 5}', 'list.csv: expected an object with a list called "results"'),
        (b'{"id": "x", "schema": "Company"', "list.csv, row 1: expected JSON"),
        (b'{"total": 500, "offset": 0, "results": [{"name": "X"}]}', "list.csv: expected all 500 results, found 1"),
        (b'{"total": 2, "offset": 1, "results": [{"name": "X"}, 1]}',
         "list.csv: expected all results, found those from number 2 on"),
    ],
)
def test_a_fault_is_told_with_its_place(data, told):
    with pytest.raises(TableError) as error:
        read(data)
    assert str(error.value).startswith(told)


def test_who_vanished_is_kept_as_removed():
    first, _ = lay_over(None, read(csl(csl_row("Quantum Lens", number="1"), csl_row("Other Optics", number="2"))))
    later = read(csl(csl_row("Other Optics", number="2"), csl_row("Third Thing", number="3")), dated=date(2026, 12, 1))
    second, changes = lay_over(first, later)
    assert (len(changes.added), len(changes.removed)) == (1, 1)
    gone = {kept.party.names[0]: kept.gone_on for kept in second.parties}
    assert gone == {"Other Optics": None, "Third Thing": None, "Quantum Lens": date(2026, 12, 1)}
    assert load(dump(second), "x") == second
    with pytest.raises(SnapshotError, match="older"):
        lay_over(second, read(csl(csl_row("Other Optics")), dated=DAY))


def test_a_column_of_ids_that_comes_or_goes_changes_nobody():
    rows = [csl_row("Quantum Lens", number="a1"), csl_row("Other Optics", number="b2", alt="OO"),
            csl_row("Other Optics", number="c3", alt="OO2"), csl_row("Other Optics", number="d4", source="SDN")]
    numbered = read(csl(*rows))
    bare = read(csl(*(row.partition(",")[2] for row in rows), header=CSL_HEADER.removeprefix("_id,")))
    for first, then in ((bare, numbered), (numbered, bare)):
        kept, changes = lay_over(lay_over(None, first)[0], then)
        assert (changes.added, changes.removed) == ((), ())
        assert [party.party.id for party in kept.parties] == [party.id for party in then.parties]
        assert all(party.gone_on is None for party in kept.parties)
    fewer = read(csl(csl_row("Other Optics", number="x9")), dated=date(2026, 12, 1))
    kept, changes = lay_over(lay_over(None, bare)[0], fewer)
    assert changes.added == ()
    assert set(changes.removed) == {f"{EL.partition(' - ')[0]}:Quantum Lens", "SDN:Other Optics"}


@pytest.mark.parametrize(
    "data", [b"", b"{}", b'{"camvet": "list-snapshot/9"}', b"[1]", b'{"camvet":"list-snapshot/1","parties":3}']
)
def test_what_is_no_snapshot_is_refused(data):
    with pytest.raises(SnapshotError):
        load(data, "x.json")


IMPORTED = Imported(
    [
        lay_over(
            None,
            read(
                csl(
                    csl_row(
                        "Quantum Lens Works Co., Ltd.",
                        alt="QLW Optronics; \u91cf\u5b50\u900f\u955c\u79d1\u6280\u6709\u9650\u516c\u53f8",
                    ),
                    csl_row("Zhejiang Dahua Technology", number="2"),
                    csl_row("Pantherblick GmbH", number="3", source="Unverified List (UVL)"),
                )
            ),
        )[0]
    ],
    catalog.load(),
)


def ask(query, day=DAY, lists=IMPORTED):
    return lists.screen(query, day, screen(query, catalog.load(), day))


@pytest.mark.parametrize(
    ("query", "action"),
    [
        ("Quantum Lens Works", "match"),
        ("QUANTUM LENS WORKS CO LTD", "match"),
        ("Works Quantum Lens", "match"),
        ("12 x Quantum Lens Works bullet camera", "match"),
        ("Quantun Lens Works Ltd", "match"),
        ("Quantm Lenz Works", "review"),
        ("\u91cf\u5b50\u900f\u955c\u79d1\u6280", "match"),
        ("pantherblick", "match"),
        ("Pantherblick lens adapter", "match"),  # nothing but words of the trade beside it
        ("Pantherblick garden gnome", "review"),
        ("Pantherblick and Quorvex lens", "review"),
        ("bracket for Pantherblick camera", "review"),
        ("Lens cleaning works", "no_match"),
        ("Quantum physics book", "no_match"),
        ("Panther sports shoes", "no_match"),
    ],
)
def test_an_imported_name_is_found(query, action):
    assert str(ask(query).action) == action


OWN = ("name,id,aliases,country,programme,listed_on\n"
       "Mirundel Optics Co Ltd,1,Mirundel;Mrd;米伦德尔科技有限公司;米伦德;미런델;Мирундел,CN,Entity List,2024-01-01\n"
       "Falcon,2,,CN,Entity List,2024-01-01\nSecurity Systems,3,,CN,Entity List,2024-01-01\n"
       "Camera,4,,CN,Entity List,2024-01-01\nТарвелл Оптик,5,,RU,Entity List,2024-01-01\n"
       "Later Loomworks,6,,CN,Entity List,2027-01-01\n")
BESIDE = Imported([lay_over(None, parse(OWN.encode(), "own.csv", source="own", dated=DAY))[0]], catalog.load())


@pytest.mark.parametrize(
    ("query", "action"),
    [
        ("Mirundel camera", "match"),  # a whole name beside words that say nothing of who made it
        ("12x Mirundel SA 4mp dome, Shenzhen", "match"),
        ("Supplier: Mirundel", "match"),
        ("Mirundel Optics turret", "match"),  # the other word is of its name
        ("Mirundel MX-2231-Q turret", "match"),
        ("Mrd camera", "match"),
        ("Mrd-2231 camera", "review"),  # the beginning of a part number that nobody knows
        ("Mrd gallery", "no_match"),
        ("Mirundel gallery", "review"),
        ("not compatible with Mirundel", "review"),
        ("米伦德尔科技有限公司 摄像机", "match"),
        ("米伦德尔科技摄像机", "match"),
        ("深圳市米伦德尔科技有限公司", "match"),
        ("米伦德 摄像机", "match"),
        ("米伦德拉园艺", "no_match"),
        ("米伦德尔科技园艺", "review"),
        ("미런델 카메라", "match"),
        ("미런델카메라", "match"),
        ("Мирундел камера", "match"),
        ("Тарвелл Оптик камера", "match"),
        ("Falcon", "match"),
        ("Falcon camera", "review"),  # an ordinary word
        ("Falcon sports shoes", "no_match"),
        ("Peregrine Falcon poster", "no_match"),
        ("video security systems 4mp", "review"),
        ("IP camera", "no_match"),
        ("Later Loomworks", "review"),  # not listed yet
    ],
)
def test_a_listed_name_beside_other_words(query, action):
    assert str(ask(query, lists=BESIDE).action) == action


def test_who_is_not_listed_yet_is_told_so():
    assert ask("Later Loomworks camera", date(2027, 1, 1), BESIDE).action is Action.MATCH
    before = ask("Later Loomworks camera", date(2026, 12, 31), BESIDE)
    assert before.action is Action.REVIEW
    assert "since 2027-01-01, and is not listed there yet on 2026-12-31" in before.because


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["camera", "4mp", "x12", "Shenzhen", "Ltd.", "2x", "IP", "dome", "摄像机", "카메라",
                                 "DS-2CD2143G2-I", "-", "order", "supplier:"]), max_size=6), st.data())
def test_a_whole_listed_name_is_never_lost_among_words_of_the_trade(words, data):
    at = data.draw(st.integers(0, len(words)))
    query = " ".join([*words[:at], "Mirundel", *words[at:]])
    assert ask(query, lists=BESIDE).action is not Action.NO_MATCH


@given(st.text("米伦德尔科技 有限公司摄像机미런델Мирundel카x-1", max_size=40))
def test_any_line_has_an_answer(query):
    assert ask(query, lists=BESIDE).action in set(Action)


def test_an_imported_party_has_effects_of_the_regime_it_is_on():
    found = ask("Quantum Lens Works")
    assert found.entity == "import:csl:Entity List (EL):1"
    assert found.unverified
    known = catalog.load()
    entities, regimes = IMPORTED.law_of(found.entity, known.entities, known.regimes)
    effects = {
        e.regime: e
        for e in effects_of(found.entity, ["private_company"], DAY, regimes=regimes, entities=entities).effects
    }
    assert effects["US-BIS-EL"].effect == "red_flag"
    assert effects["US-BIS-EL"].listed_on == date(2023, 3, 28)
    assert effects["US-889-A"].effect == "none"
    before = effects_of(found.entity, ["private_company"], date(2023, 3, 27), regimes=regimes, entities=entities)
    assert {e.regime: e for e in before.effects}["US-BIS-EL"].effect == "none"


@pytest.mark.parametrize("day", [DAY, date(2024, 1, 2)])
def test_a_listing_that_no_law_here_speaks_of_is_for_review_and_never_clean(day):
    found = ask("Pantherblick GmbH", day)
    assert found.action is Action.MATCH
    assert "csl (Unverified List (UVL))" in found.because
    known = catalog.load()
    entities, regimes = IMPORTED.law_of(found.entity, known.entities, known.regimes)
    told = effects_of(found.entity, ["private_company"], day, regimes=regimes, entities=entities)
    assert told.overall == "review"
    (effect,) = told.binding
    assert (effect.regime, effect.effect, effect.unverified) == ("IMPORT-CSL-UNVERIFIED-LIST-UVL", "review", True)
    assert "the programme Unverified List (UVL) of the imported list csl" in effect.because


PRIM = b'''36,"QUANTUM LENS","-0- ","CMIC-EO13959","-0- ","-0- ","-0- ","-0- ","-0- ","-0- ","-0- ","-0- "\r\n\x1a'''


def test_ofac_aliases_stand_in_a_file_beside():
    alt = (b'36,7,"aka","QLW OPTRONICS","-0- "\r\n36,8,"fka","PRISMWERK KOMMANDO","-0- "\r\n'
           b'99,9,"aka","A PERSON","-0- "\r\n\x1a')
    found = parse(PRIM, "cons_prim.csv", source="ofac", dated=DAY, aliases=alt, aliases_file="cons_alt.csv")
    assert [party.names for party in found.parties] == [("QUANTUM LENS", "QLW OPTRONICS", "PRISMWERK KOMMANDO")]
    assert found.digest != parse(PRIM, "cons_prim.csv", source="ofac", dated=DAY).digest
    lists = Imported([lay_over(None, found)[0]], catalog.load())
    assert ask("Prismwerk Kommando Ltd", DAY, lists).action is Action.MATCH


@pytest.mark.parametrize(
    ("alt", "told"),
    [
        (b"36,7,aka,NAME\r\n", "cons_alt.csv, row 1: expected 5 cells, found 4"),
        (b"x,7,aka,NAME,-0-\r\n", "cons_alt.csv, row 1, column 1 (ent_num): expected a number"),
    ],
)
def test_a_file_of_aliases_that_does_not_fit_is_refused(alt, told):
    with pytest.raises(TableError) as error:
        parse(PRIM, "cons_prim.csv", source="ofac", dated=DAY, aliases=alt, aliases_file="cons_alt.csv")
    assert str(error.value).startswith(told)


def test_aliases_beside_another_format_are_refused():
    with pytest.raises(TableError, match="a list of OFAC"):
        parse(csl(csl_row("X Y Z")), "c.csv", source="csl", dated=DAY, aliases=b"1,2,3,4,5", aliases_file="a.csv")


def test_a_removed_party_is_for_review_from_that_day_on():
    first, _ = lay_over(None, read(csl(csl_row("Quantum Lens Works"), csl_row("Other Optics", number="2"))))
    second, _ = lay_over(first, read(csl(csl_row("Other Optics", number="2")), dated=date(2026, 12, 1)))
    lists = Imported([second], catalog.load())
    assert ask("Quantum Lens Works", date(2026, 11, 30), lists).action is Action.MATCH
    assert ask("Quantum Lens Works", date(2026, 12, 1), lists).action is Action.REVIEW


def test_a_shipped_party_keeps_its_own_id_and_entries():
    assert ask("Zhejiang Dahua Technology").entity == "dahua"
    known = catalog.load()
    _, regimes = IMPORTED.law_of("dahua", known.entities, known.regimes)
    assert regimes == known.regimes
