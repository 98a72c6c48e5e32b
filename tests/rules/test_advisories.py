"""What advisories say of a device: states, sources, rebrands, findings, hostile input, and the speed of it all."""

import os
import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rules import advisories, makers
from rules.advisories import Book, State
from rules.advisory_findings import advise, severity_of, sold_by, wording
from rules.advisory_records import AdvisoryFile
from rules.vocabulary import Identity, Kind, Severity, Status

BOOK = advisories.load()
FILES = sorted(BOOK.files)


def one(maker, model, firmware, cve, build=None):
    return next(r for r in BOOK.results([maker], model, firmware, build) if r.cve == cve)


def identity(maker="hikvision", model="DS-2CD2143G0-I", firmware="V5.5.82", build="190909", **more):
    return Identity(device=more.pop("device", "10.0.0.5"), maker=maker, makers=(maker,) if maker else (), model=model,
                    firmware=firmware, firmware_build=build, kind=more.pop("kind", Kind.CAMERA), **more)


def test_every_record_of_the_facts_is_held():
    assert len(BOOK) == 303
    assert sum(r.kev is not None for f in BOOK.files.values() for r in f.records) == 22
    assert sum(r.unverified for f in BOOK.files.values() for r in f.records) == 75


@pytest.mark.parametrize("slug", FILES)
def test_every_record_says_where_it_comes_from_and_of_what_nature_it_is(slug):
    known = wording().natures
    for record in BOOK.files[slug].records:
        assert record.source, record.cve
        assert record.nature in known, record.cve
        assert all(entry.text or entry.every or entry.exact for entry in record.affected), record.cve


def test_the_old_hikvision_is_affected_and_its_patched_twin_is_not():
    assert one("Hikvision", "DS-2CD2143G0-I", "V5.5.82", "CVE-2021-36260", "190909").status is State.AFFECTED
    assert one("Hikvision", "DS-2CD2143G0-I", "V5.5.82", "CVE-2021-36260", "210628").status is State.NOT_AFFECTED
    assert one("Hikvision", "DS-2CD2143G0-I", "V5.5.82", "CVE-2021-36260").status is State.UNKNOWN


def test_the_old_dahua_is_affected_and_its_patched_twin_is_not():
    assert one("Dahua", "IPC-HFW3541E", "2.800.0000000.29.R.210629", "CVE-2021-33044").status is State.AFFECTED
    assert one("Dahua", "IPC-HFW3541E", "2.800.0000000.29.R.210630", "CVE-2021-33044").status is State.NOT_AFFECTED


def test_a_rebrand_brings_the_true_makers_advisories_along():
    result = one("Lorex", "W461ASC", "2.800.0000000.8.R.200101", "CVE-2021-33044")
    assert result.status is State.UNKNOWN
    assert result.concerns
    assert "has Dahua's form" in result.because
    assert "no published scope names W461ASC" in result.because
    nobody = BOOK.results(["Nobody"], "X1", "2.800.0000000.8.R.200101")
    assert {r.maker for r in nobody} == {"dahua"}


def test_bounds_without_a_scope_say_nothing_sure_of_a_rebrand():
    own = one("Dahua", "IPC-HDW4631C-A", "2.622.0000000.18.R.200101", "CVE-2019-9682")
    sold = one("Amcrest", "IP4M-1051", "2.622.0000000.18.R.200101", "CVE-2019-9682")
    assert own.status is State.NOT_AFFECTED
    assert sold.status is State.UNKNOWN
    assert "no published scope names IP4M-1051" in sold.because


def test_another_makers_telling_form_is_not_read_as_numbers():
    result = one("Reolink", "RLC-410W", "1.0.200 Build 230426 Rel.48373n", "CVE-2019-11001")
    assert result.status is State.UNKNOWN
    assert "form of tp-link" in result.because


def test_a_known_exploited_recorder_is_clear_from_its_fixed_version_on():
    states = [one("QNAP", "VS-2108 Pro+", text, "CVE-2023-47565").status for text in ("3.9", "4.1.4", "5.0.0")]
    assert states == [State.AFFECTED, State.AFFECTED, State.NOT_AFFECTED]


def test_a_foreign_form_is_never_held_against_a_makers_bounds():
    result = one("Wyze", "Cam v3", "2.800.0000000.8.R.200101", "CVE-2023-6322")
    assert result.status is State.UNKNOWN
    assert "form of dahua" in result.because


def test_sources_that_disagree_are_named():
    result = one("Dahua", "IPC-HFW3541E", "2.800.0000000.29.R.200601", "CVE-2021-33045")
    assert result.status is State.DISPUTED
    assert "cna" in result.because
    assert "nvd" in result.because


def test_the_comparison_can_be_followed_step_by_step():
    steps = dict(one("Hikvision", "DS-2CD2143G0-I", "V5.5.82 build 190909", "CVE-2021-36260").steps)
    assert steps["version as given"] == "V5.5.82 build 190909"
    assert "build 20190909" in steps["parts"]
    assert "DS-2CD*" in steps["scope"]
    assert "build 210625" in steps["bound"]
    assert steps["cited"]


def test_a_component_is_only_found_by_its_own_name():
    assert one("GoAhead", "GoAhead", "3.6.4", "CVE-2017-17562").status is State.AFFECTED
    assert not any(r.maker == "goahead" for r in BOOK.results(["wificam"], "X", "3.6.4"))


@pytest.mark.parametrize(("maker", "model", "firmware", "cve", "status"), [
    # a file says of which model it is
    ("D-Link", "DCS-930L", "DCS-930L_REVB1_FW_v2.12.01.bin", "CVE-2016-11021", State.NOT_AFFECTED),
    ("D-Link", "D-Link DCS-930L", "DCS-930L_REVA_FIRMWARE_1.15.04", "CVE-2016-11021", State.AFFECTED),
    ("D-Link", "DCS-930L", "DCS-934L_REVA_FIRMWARE_1.05.04", "CVE-2016-11021", State.UNKNOWN),
    ("TP-Link", "Tapo C210", "Tapo_C310v1_en_1.3.0_Build_220328_Rel.64283n_u_1700000000000.bin", "CVE-2023-41184",
     State.UNKNOWN),
    # what a label says before the model
    ("Hikvision", "Network Camera DS-2CD2132F-I", "V5.4.0 build 160530", "CVE-2017-7921", State.AFFECTED),
    ("TVT", "DVR AV108T", "1.3.4.24513B190218.D00.U1(8A21S)", "CVE-2024-7339", State.AFFECTED),
    # DS-A72024/72R names two models
    ("Hikvision", "DS-A72024", "V2.3.8-8", "CVE-2023-28808", State.AFFECTED),
    # a brand with two builders
    ("Annke", "Crater 2", "5.4.1.221222153318", "CVE-2024-39091", State.AFFECTED),
    # a text on recorders says nothing of cameras
    ("LILIN", "DHD508A", "2.0b60_20200207", "CVE-2025-34130", State.NOT_AFFECTED),
    ("LILIN", "P2G1022X", "2.0b60_20200207", "CVE-2025-34130", State.UNKNOWN),
    # the day in the name of a package is no build day
    ("Hikvision", "DS-2CD2346G2-IU", "Firmware__V5.5.820_230105_S3000470001.zip", "CVE-2021-36260", State.UNKNOWN),
])
def test_names_of_files_models_and_brands_are_read_for_what_they_say(maker, model, firmware, cve, status):
    found = {r.cve: r.status for r in BOOK.results([maker], model, firmware)}
    assert found[cve] is status


@pytest.mark.parametrize(("name", "asked"), [
    ("Hikvision", "hikvision"), ("HIKMICRO", "hikvision"), ("Imou", "dahua"), ("lorex", "lorex"), ("Tapo", "tp-link"),
    ("Geutebrück", "geutebrueck"), ("Hangzhou Hikvision", "hikvision"),
])
def test_brands_lead_to_whoever_builds_for_them(name, asked):
    assert asked in BOOK.makers_named(sold_by(name, makers.load())[0])


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=40))
def test_nothing_raises_and_an_unreadable_version_is_never_sure(model, firmware, build):
    for maker in ("dahua", "hikvision", "uniview", "vivotek", "wyze"):
        for result in BOOK.results([maker], model, firmware, build):
            assert result.because


@pytest.mark.parametrize("firmware", ["", " ", "9" * 1_000_000, "\0", "²", "unknown"])
def test_a_hostile_version_makes_nothing_clean(firmware):
    for result in BOOK.results(["hikvision"], "DS-2CD2143G0-I", firmware):
        assert result.status is not State.NOT_AFFECTED
        assert len(result.because) < 400


def test_a_megabyte_of_model_names_nothing():
    results = BOOK.results(["dahua"], "IPC-HFW3541" * 100_000, "2.420.0000.0.R")
    assert all(r.status is not State.AFFECTED for r in results)


def file_of(**entry):
    return {"maker": "m", "dated": "2026-11-22", "records": [
        {"cve": "CVE-2020-1234", "nature": "other", "source": ["s"], "affected": [{"by": "cna", **entry}]}]}


@pytest.mark.parametrize(("entry", "complaint"), [
    ({"since": "2.0", "until": "1.0"}, "CVE-2020-1234: circular range"),
    ({"since": "2.0", "before": "1.9"}, "CVE-2020-1234: circular range"),
    ({"until": "no version"}, "CVE-2020-1234: the bound 'no version'"),
    ({"until": "1.0", "grammar": "martian"}, "no version grammar 'martian'"),
])
def test_a_record_that_makes_no_sense_is_refused_by_its_name(entry, complaint):
    with pytest.raises(ValidationError, match=complaint):
        AdvisoryFile.model_validate(file_of(**entry))


def test_a_series_text_counts_only_where_no_entry_names_the_model():
    assert one("Hanwha", "PNM-9084QZ", "2.22.01", "CVE-2023-5037").status is State.AFFECTED
    assert one("Hanwha", "QNV-7080R", "1.41.15", "CVE-2023-5037").status is State.AFFECTED
    assert one("Hanwha", "QNV-7080R", "1.50.00", "CVE-2023-5037").status is State.UNKNOWN


def test_findings_come_most_urgent_first_with_reason_and_fix():
    found = advise(identity())
    assert found[0].rule == "advisory.cve-2021-36260"
    assert found[0].status is Status.FAIL
    assert found[0].severity is Severity.CRITICAL
    assert "known exploited, in CISA's catalogue since 2022-01-10" in found[0].reason
    assert "HSRC-202109-01" in found[0].remedy
    assert dict(found[0].facts)["1. version as given"] == "V5.5.82"
    assert [f.rule for f in found].count("advisory.unknown") == 1


def test_unknown_is_one_finding_with_the_list_in_its_facts():
    rebrand = identity(maker="dahua", model="IPC-HFW1", firmware="2.800.0000000.8.R.200101", build=None, brand="Lorex")
    found = [f for f in advise(rebrand) if f.rule == "advisory.unknown"]
    assert len(found) == 1
    assert found[0].status is Status.NOT_ASSESSED
    facts = dict(found[0].facts)
    assert "CVE-2021-33044" in facts["known exploited"]
    assert "CVE-2025-31700" in facts["advisories"]


def test_without_a_version_there_is_one_finding():
    found = advise(identity(firmware=None, build=None))
    assert [f.rule for f in found] == ["advisory.unknown"]
    assert found[0].status is Status.NOT_ASSESSED
    assert "firmware version is not known" in found[0].reason


def test_a_maker_without_advisories_is_not_clean():
    found = advise(identity(maker="arlo", model="X", firmware="1.2.3", build=None))
    assert [(f.rule, f.status) for f in found] == [("advisory.unknown", Status.NOT_ASSESSED)]
    assert "no advisories are held" in found[0].reason
    nobody = advise(identity(maker=None))
    assert [f.status for f in nobody if f.rule == "advisory.unknown"] == [Status.NOT_ASSESSED]


def test_a_version_that_all_advisories_were_held_against_passes():
    found = advise(identity(maker="flir", model="A400", firmware="3.42.0", build=None))
    assert [(f.rule, f.status) for f in found] == [("advisory.unknown", Status.PASS)]
    assert "CVE-2022-37061" in dict(found[0].facts)["names other models only"]


def test_a_printer_has_no_advisory_findings():
    assert advise(identity(kind=Kind.OTHER)) == []


def test_severity_goes_by_exploitation_and_score():
    exploited = one("Reolink", "RLC-410W", "1.0.227", "CVE-2019-11001")
    assert severity_of(exploited) is Severity.CRITICAL
    assert severity_of(exploited, reachable=False) is Severity.HIGH
    mild = one("Hikvision", "DS-7604NI-K1/4P(B)", "V4.30.096 build 221220", "CVE-2024-29947")
    assert severity_of(mild) is Severity.LOW
    assert severity_of(one("TVT", "NVMS-9000", "1.3.3", "CVE-2024-14007")) is Severity.HIGH      # no score at all


def test_a_camera_behind_a_recorder_is_judged_alike():
    found = advise(identity(device="10.0.0.5#3"))
    assert found[0].severity is Severity.CRITICAL       # CVSS 9.8, although it was not reached itself


def test_a_book_of_nothing_knows_nobody():
    assert Book([]).results(["dahua"], "X", "1.0") == []


@pytest.mark.skipif(os.environ.get("CAMVET_BENCH") != "1", reason="a benchmark: set CAMVET_BENCH=1")
def test_ten_thousand_devices_take_less_than_ten_seconds():
    kinds = (("hikvision", "DS-2CD2{:03}G0-I", "V5.5.82 build 19{:02}{:02}"),
             ("dahua", "IPC-HFW{:03}1", "2.800.0000000.29.R.21{:02}{:02}"), ("axis", "P{:03}-LV", "11.{}.{}"),
             ("honeywell", "HBL{:03}", "1.000.HW00.21.2019{:02}{:02}"))
    devices = [(maker, model.format(n % 997), firmware.format(n % 12 + 1, n % 28 + 1))
               for n in range(10_000) for maker, model, firmware in (kinds[n % 4],)]
    begin = time.process_time()
    count = sum(len(BOOK.results([maker], model, firmware)) for maker, model, firmware in devices)
    assert count > 100_000
    assert time.process_time() - begin < 10


@pytest.mark.skipif(os.environ.get("CAMVET_BENCH") != "1", reason="a benchmark: set CAMVET_BENCH=1")
def test_ten_thousand_devices_of_unclear_making_take_less_than_ten_seconds():
    kinds = (("hikvision", "DS-2CD2{:03}G0-I", "V5.5.82 build 19{:02}{:02}"),
             ("dahua", "IPC-HFW{:03}1", "2.800.0000000.29.R.21{:02}{:02}"), ("axis", "P{:03}-LV", "11.{}.{}"),
             ("hanwha", "XNV-{:03}R", "1.41.{}_2022{:02}09"), ("tvt", "TD-{:04}TS", "1.3.4.{}{:05}B181219"))
    others = ("lorex", "amcrest", "annke", "honeywell", "xiongmai", "uniview")
    devices = []
    for n in range(10_000):
        maker, model, firmware = kinds[n % 5]
        asked = [] if n % 10 < 2 else [others[n % 6], maker] if n % 10 < 5 else [maker]
        devices.append((asked, model.format(n % 997), firmware.format(n % 12 + 1, n % 28 + 1)))
    begin = time.process_time()
    count = sum(len(BOOK.results(asked, model, firmware)) for asked, model, firmware in devices)
    assert count > 100_000
    assert time.process_time() - begin < 10


def test_the_day_of_the_data_is_known():
    assert all(f.dated == date(2026, 11, 22) for f in BOOK.files.values())


@pytest.mark.parametrize(("model", "firmware", "cve", "fixed"), [
    ("TPC-SD2221", "2.630.0000000.5.R.200101", "CVE-2021-33044", "build time June/July 2021 or later"),  # "up to" alone
    ("IPC-HFW5442E", "2.800.0000000.10.R.200101", "CVE-2021-33044",
     "2.820.0000000.18.R.210705 (build time June/July 2021 or later)"),    # its own
    ("IPC-HFW5442E", "2.800.0000000.10.R.200101", "CVE-2021-33045",
     "for every model: build of 2021-08 or later"),    # two sources
])
def test_what_ends_it_is_the_models_own_version_and_what_is_said_of_all(model, firmware, cve, fixed):
    result = one("Dahua", model, firmware, cve)
    assert (result.status, result.fixed_in) == (State.AFFECTED, fixed)
