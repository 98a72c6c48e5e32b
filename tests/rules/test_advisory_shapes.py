"""The shapes in which CNAs, CISA's ADP and CSAF publishers write what is affected; every record here is made up."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.advisories import Book, State
from rules.advisory_imports import merged, read_any, read_csaf, read_cve
from rules.advisory_lists import AdvisoryListError, dump, lay_over, load, version_of, with_lists
from rules.advisory_records import AdvisoryFile
from rules.advisory_shapes import MAX_BYTES, scopes_of
from rules.advisory_vendors import maker_named

DAY = date(2026, 11, 22)
CVE = "CVE-2026-0001"
EMPTY = Book([AdvisoryFile(maker="acme", grammar="dotted", dated=DAY, records=())])


def record(*blocks, adp=(), cve=CVE, **cna):
    return {"dataType": "CVE_RECORD", "dataVersion": "5.2", "cveMetadata": {"cveId": cve, "state": "PUBLISHED"},
            "containers": {"cna": {"affected": list(blocks), **cna}, "adp": list(adp)}}


def block(*versions, default=None, vendor="Acme", product="C100"):
    made = {"vendor": vendor, "product": product, "versions": list(versions)}
    return made | ({"defaultStatus": default} if default else {})


def version(start, status="affected", **more):
    return {"version": start, "status": status, **more}


def asked(document, firmware, model="C100", reader=read_cve):
    book, _ = merged(EMPTY, reader(json.dumps(document).encode(), "a.json"), DAY, named="test")
    return next(iter(book.results(["acme"], model, firmware)), None)


@pytest.mark.parametrize(("made", "answers"), [
    (block(version("1.0", lessThan="2.0", versionType="custom")), {"0.9": "not", "1.5": "aff", "2.0": "not"}),
    (block(version("0", lessThanOrEqual="2.0", versionType="semver")), {"0.1": "aff", "2.0": "aff", "2.1": "not"}),
    (block(version("1.0", lessThan="*")), {"0.9": "not", "9.9": "aff"}),
    (block(version("unspecified", lessThan="2.0")), {"1.9": "aff", "2.0": "not"}),
    (block(version("1.0", lessThan="unspecified")), {"1.5": "unknown"}),
    (block(version("n/a")), {"1.5": "unknown"}),
    (block(version("< 2.0")), {"1.9": "aff", "2.0": "not"}),
    (block(version(">= 1.0, < 2.0")), {"0.9": "not", "1.5": "aff", "2.0": "not"}),
    (block(version("1.5")), {"1.5": "aff", "1.6": "unknown"}),
    (block(version("the spring release and older")), {"1.5": "unknown"}),
    (block(version("1a2b3c", lessThan="4d5e6f", versionType="git")), {"1.5": "unknown"}),
    (block(version("1.0", lessThan="9.0", changes=[{"at": "2.0", "status": "unaffected"},
                                                   {"at": "3.0", "status": "affected"}])),
     {"1.5": "aff", "2.5": "not", "3.5": "aff", "9.0": "not"}),
    (block(version("1.0", "unaffected"), version("1.1", "unaffected"), default="affected"), {"0.9": "aff"}),
    (block(version("2.0", "unaffected", lessThan="*"), default="affected"), {"1.9": "aff", "2.0": "not"}),
    (block(version("2.0", "unaffected", lessThan="3.0"), default="affected"), {"1.9": "aff", "3.0": "aff"}),
    (block(default="affected"), {"1.0": "unknown"}),
    (block(version("1.0", lessThan="2.0"), default="unknown"), {"1.5": "aff", "2.0": "unknown"}),
    (block(version("1.0", lessThan="2.0"), default="unaffected"), {"1.5": "aff", "2.0": "not"}),
    (block(version("1.0", "unknown", lessThan="2.0")), {"1.5": "unknown"}),
    (block(version("2.0", lessThan="1.0")), {"1.5": "unknown"}),
    (block(version("2.0", lessThan="2.0")), {"1.5": "unknown", "2.0": "unknown", "2.1": "unknown"}),
    (block(version("1.0", lessThan="2.0"), version("1.5", "unaffected")), {"1.4": "aff", "1.5": "not", "1.6": "aff"}),
    (block(version("1.0", lessThan="2.0"), version("2.0", "unaffected")), {"1.9": "aff", "2.0": "not", "2.1": "not"}),
    (block(version("1.0", lessThanOrEqual="2.0"), version("2.0", "unaffected")), {"1.9": "aff", "2.0": "disputed"}),
    (block(version("1.5"), version("1.5", "unaffected")), {"1.5": "disputed", "1.6": "unknown"}),
    (block(version("0", lessThan="2.0"), version("0", "unaffected", lessThan="2.0")), {"1.9": "disputed"}),
    (block(version("1.0", lessThan="2.0"), product="n/a"), {"1.5": "unknown"}),
], ids=lambda value: "" if isinstance(value, dict) else json.dumps(value)[:60])
def test_a_cna_block_is_read_as_it_is_meant(made, answers):
    expected = {"aff": State.AFFECTED, "not": State.NOT_AFFECTED, "unknown": State.UNKNOWN, "disputed": State.DISPUTED}
    assert {firmware: asked(record(made), firmware).status for firmware in answers} == {
        firmware: expected[word] for firmware, word in answers.items()}


@pytest.mark.parametrize(("made", "told"), [
    (block(version("1.5"), version("1.5", "unaffected")), "1.5 is said to be affected and not affected"),
    (block(version(["x"], lessThan={"a": 1}, versionType=5)), "has not the shape of one"),
    (block("1.0"), "has not the shape of one"),
])
def test_a_record_that_contradicts_itself_or_is_misshapen_is_named(made, told):
    problems = read_cve(json.dumps(record(made)).encode(), "a.json").problems
    assert all(CVE in problem for problem in problems)
    assert any(told in problem for problem in problems)


@pytest.mark.parametrize("opposite", ["known_not_affected", "fixed", "first_fixed"])
def test_a_csaf_product_under_statuses_of_both_kinds_is_disputed_and_named(opposite):
    document = csaf({"known_affected": ["V"], opposite: ["V"]})
    problem, = read_csaf(json.dumps(document).encode(), "a.json").problems
    assert "'V' is said to be affected and not affected" in problem
    assert CVE in problem
    assert asked(document, "1.9", reader=read_csaf).status is State.DISPUTED


def test_what_two_containers_say_differently_is_disputed():
    adp = {"providerMetadata": {"shortName": "CISA-ADP"}, "affected": [block(version("0", lessThan="3.0"))]}
    found = asked(record(block(version("0", lessThan="2.0")), adp=[adp]), "2.5")
    assert found.status is State.DISPUTED
    assert "cna, test: " in found.because
    assert "adp cisa-adp, test: " in found.because


def test_cisas_adp_brings_exploitation_and_scores():
    adp = {"providerMetadata": {"shortName": "CISA-ADP"}, "metrics": [
        {"other": {"type": "kev", "content": {"dateAdded": "2026-10-01", "reference": "made up"}}},
        {"other": {"type": "ssvc", "content": {"options": [{"Exploitation": "active"}, {"Automatable": "yes"}]}}},
        {"cvssV3_1": {"baseScore": 9.8}}]}
    read = read_cve(json.dumps(record(block(version("1.0")), adp=[adp], title="A hole", problemTypes=[
        {"descriptions": [{"cweId": "CWE-78"}]}])).encode(), "a.json")
    assert read.kev[CVE].added == date(2026, 10, 1)
    (_, found), = read.records
    assert (found.cvss, found.cvss_source, found.cwe) == (9.8, "cisa-adp v3.1", "CWE-78")
    assert found.note == "A hole; CISA SSVC, exploitation: active"
    book, _ = merged(EMPTY, read, DAY)
    assert book.files["acme"].records[0].nature == "command-injection"


def test_a_vendor_that_only_a_cpe_names():
    named = {**block(version("1.0", lessThan="2.0"), vendor="n/a"), "cpes": ["cpe:2.3:o:acme:c100_firmware:*:*:*"]}
    assert asked(record(named), "1.5").status is State.AFFECTED


def csaf(status, *, version_name="<2.0", relationships=(), category="product_version_range", **more):
    firmware = {"category": category, "name": version_name, "product": {"product_id": "V", "name": "x"}}
    return {"document": {"csaf_version": "2.0", "tracking": {"id": "ACME-1"}}, "product_tree": {"branches": [
        {"category": "vendor", "name": "Acme", "branches": [
            {"category": "product_name", "name": "C100", "product": {"product_id": "M", "name": "C100"},
             "branches": [firmware]},
            {"category": "product_name", "name": "C200", "product": {"product_id": "H", "name": "C200"}}]}],
        "relationships": list(relationships)}, "vulnerabilities": [{"cve": CVE, "product_status": status, **more}]}


@pytest.mark.parametrize(("name", "answers"), [
    ("vers:intdot/<2.0", {"1.9": "affected", "2.0": "not_affected"}),
    ("vers:intdot/>=1.0|<2.0", {"0.9": "not_affected", "1.9": "affected", "2.0": "not_affected"}),
    ("vers:all/*", {"9.9": "affected"}), ("<=2.0", {"2.0": "affected", "2.1": "not_affected"}),
    ("All versions < 2.0", {"1.9": "affected", "2.0": "not_affected"}),
    ("vers:generic/>=1.0|<2.0|!=1.5", {"1.4": "unknown"}), ("as delivered", {"1.9": "unknown"}),
])
def test_a_range_of_a_csaf_branch(name, answers):
    assert {firmware: str(asked(csaf({"known_affected": ["V"]}, version_name=name), firmware, reader=read_csaf).status)
            for firmware in answers} == answers


def test_a_relationship_installs_firmware_on_a_model():
    document = csaf({"known_affected": ["V@H"]}, relationships=[
        {"category": "installed_on", "product_reference": "V", "relates_to_product_reference": "H",
         "full_product_name": {"product_id": "V@H", "name": "both"}}])
    assert asked(document, "1.9", "C200", read_csaf).status is State.AFFECTED
    assert asked(document, "1.9", "C100", read_csaf).status is State.UNKNOWN


def test_investigated_fixed_and_not_affected_products():
    assert asked(csaf({"under_investigation": ["V"]}), "1.9", reader=read_csaf).status is State.UNKNOWN
    document = csaf({"known_affected": ["V"], "known_not_affected": ["H"], "fixed": ["F"]})
    document["product_tree"]["branches"][0]["branches"].append(
        {"category": "product_version", "name": "2.0", "product": {"product_id": "F"}})
    assert asked(document, "1.9", "C200", read_csaf).status is State.NOT_AFFECTED
    assert asked(document, "1.9", reader=read_csaf).fixed_in == "2.0"
    told = csaf({"known_affected": ["V"]}, remediations=[{"category": "vendor_fix", "details": "Update to V2.0"}])
    assert asked(told, "1.9", reader=read_csaf).fixed_in == "Update to V2.0"


def test_a_tree_too_deep_ends():
    branch = {"category": "product_name", "name": "C100", "product": {"product_id": "D"}}
    for _ in range(60):
        branch = {"category": "vendor", "name": "Acme", "branches": [branch]}
    document = {**csaf({"known_affected": ["D"]}), "product_tree": {"branches": [branch]}}
    read = read_csaf(json.dumps(document).encode(), "c")
    assert "names no product" in read.problems[0]


@pytest.mark.parametrize(("product", "scopes"), [
    ("DS-2CD2xx2F-I Series", ("DS-2CD2??2F-I*",)), ("DS-2CVxxxx,DS-2CD1xxx", ("DS-2CV????", "DS-2CD1???")),
    ("IPC-HX3XXX", ("IPC-H@3???*",)), ("ds-2cd2042wd_firmware", ("ds-2cd2042wd",)), ("n/a", ()), ("", ()), ("*", ()),
    ("C100 and C200", ("C100", "C200")), ("DS-7604NI-K1/4P(B)", ("DS-7604NI-K1/4P(B)",)), ("A" * 500, ()),
    ("Axis camera", ("Axis",)), ("XNV-8080R", ("XNV-8080R",)),
])
def test_products_become_scopes(product, scopes):
    assert scopes_of(product) == scopes


@pytest.mark.parametrize(("vendor", "maker"), [
    ("Hangzhou Hikvision Digital Technology Co., Ltd.", "hikvision"), ("HIKVISION", "hikvision"),
    ("Axis Communications AB", "axis"), ("tp-link", "tp-link"), ("Nobody Inc.", None), ("", None), ("\u202e", None),
])
def test_vendors_are_makers(vendor, maker):
    assert maker_named(vendor) == maker


def test_one_a_line_a_list_and_a_broken_line():
    good, other = record(block(version("1.0"))), record(block(version("1.0")), cve="CVE-2026-0002")
    lines = [json.dumps(good), json.dumps(other)[:-9], json.dumps(csaf({"known_affected": ["V"]}))]
    read = read_any("\n".join(lines).encode(), "all.ndjson")
    assert [found.cve for _, found in read.records] == [CVE, CVE]
    assert "all.ndjson, line 2: " in read.problems[0]
    assert "it names CVE-2026-0002" in read.problems[0]
    assert len(read_any(json.dumps([good, other, 7]).encode(), "l.json").records) == 2
    assert read_any(b'{"vulnerabilities": [], "format": "NVD_CVE"}', "n").problems == [
        "n: neither a KEV catalogue nor a CVE record 5.x nor a CSAF 2.0 advisory"]
    assert "not read" in read_any(b" " * (MAX_BYTES + 1), "big").problems[0]


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
                        ["cveMetadata", "cveId", "containers", "cna", "adp", "affected", "versions", "version",
                         "status", "document", "vulnerabilities", "product_tree", "branches", "cve", "cveID",
                         "product_status", "known_affected", "metrics", "other", "content", "changes", "at"]),
                        inner, max_size=5),
                    max_leaves=20)


@given(JSON)
def test_no_shape_of_json_raises(document):
    assert isinstance(read_any(json.dumps(document).encode(), "x").problems, list)


@given(st.binary(max_size=200))
def test_no_bytes_raise(data):
    assert isinstance(read_any(data, "x").problems, list)


# -- lists as they are kept --------------------------------------------------------------------------------------------

def kept(*documents, old=None, dated=DAY):
    read = read_any(json.dumps(list(documents)).encode(), "l.json")
    return lay_over(old, read, source="psirt", dated=dated, today=DAY)


def test_a_list_comes_back_as_it_was_kept():
    made, changes = kept(record(block(version("1.0", lessThan="2.0"))))
    again = load(dump(made), "psirt.json")
    assert again == made
    assert (changes.added, changes.changed) == (1, 0)
    assert version_of(again).id == "advisories:psirt"
    book = with_lists(EMPTY, [again])
    assert book.results(["acme"], "C100", "1.5")[0].source == ("CVE record CVE-2026-0001 in psirt of 2026-11-22",)


def test_an_edition_is_laid_over_the_last():
    first, _ = kept(record(block(version("1.0"))), record(block(version("1.0")), cve="CVE-2026-0002"))
    second, changes = kept(record(block(version("1.1"))), old=first)
    assert (changes.added, changes.changed, len(second.records)) == (0, 1, 2)
    assert second.digest != first.digest
    with pytest.raises(AdvisoryListError, match="an edition of 2026-11-01 is older"):
        kept(record(block(version("1.1"))), old=second, dated=date(2026, 11, 1))
    gone = {"cveMetadata": {"cveId": CVE, "state": "REJECTED"}}
    third, _ = kept(gone, old=second)
    assert [cve for _, cve in third.records] == ["CVE-2026-0002"]
    assert list(third.set_aside) == [CVE]


def test_a_whole_kev_catalogue_takes_the_place_of_the_last_and_a_cut_one_does_not():
    def catalogue(*cves):
        return json.dumps({"catalogVersion": "1", "vulnerabilities": [
            {"cveID": cve, "dateAdded": "2026-01-01"} for cve in cves]}).encode()

    first, _ = lay_over(None, read_any(catalogue(CVE, "CVE-2026-0002"), "k"), source="kev", dated=DAY, today=DAY)
    cut, changes = lay_over(first, read_any(catalogue("CVE-2026-0003", CVE)[:-20], "k"), source="kev", dated=DAY,
                            today=DAY)
    assert (len(cut.kev), changes.kev_gone) == (3, ())
    whole, changes = lay_over(first, read_any(catalogue(CVE), "k"), source="kev", dated=DAY, today=DAY)
    assert (list(whole.kev), changes.kev_gone) == ([CVE], ("CVE-2026-0002",))


@pytest.mark.parametrize("spoil", [
    lambda text: text.replace("1.0", "1.1"), lambda text: text[:-5], lambda text: "[]", lambda text: "{}",
    lambda text: text.replace("advisory-list/1", "list-snapshot/1"), lambda text: text.replace("CVE-2026", "XXX-2026"),
])
def test_a_kept_list_that_was_changed_is_refused(spoil):
    made, _ = kept(record(block(version("1.0"))))
    with pytest.raises(AdvisoryListError, match=r"psirt\.json"):
        load(spoil(dump(made).decode()).encode(), "psirt.json")


def test_a_cna_that_names_nothing_speaks_of_its_own_products_and_adds_nothing_to_what_is_held():
    bare = record(block(version("n/a"), vendor="n/a", product="n/a"))
    bare["cveMetadata"]["assignerShortName"] = "Acme"
    assert asked(bare, "1.5").status is State.UNKNOWN
    good = merged(EMPTY, read_cve(json.dumps(record(block(version("1.0", lessThan="2.0")))).encode(), "a"), DAY)[0]
    again, _ = merged(good, read_cve(json.dumps(bare).encode(), "b"), DAY, named="later")
    assert len(again.files["acme"].records[0].affected) == 1
    assert again.files["acme"].records[0].source == ("CVE record CVE-2026-0001", "CVE record CVE-2026-0001 in later")


def test_a_platform_of_a_maker_means_every_device_of_it():
    empty = Book([AdvisoryFile(maker="axis", grammar="axis", dated=DAY, records=())])
    made = record(block(version("AXIS OS 11.0 - 11.9"), vendor="Axis Communications AB", product="AXIS OS"), adp=[
        {"affected": [block(version("11.0", lessThanOrEqual="11.9"), vendor="axis", product="axis_os"),
                      block(version("0", lessThan="9.80.69"), vendor="axis", product="axis_os_2020")]}])
    book, _ = merged(empty, read_cve(json.dumps(made).encode(), "a"), DAY, resolve=maker_named)
    states = {firmware: book.results(["axis"], "P3245-V", firmware)[0].status for firmware in ("11.5.64", "12.0.1")}
    assert states == {"11.5.64": State.AFFECTED, "12.0.1": State.NOT_AFFECTED}
