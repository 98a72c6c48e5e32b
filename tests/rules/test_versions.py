"""Every maker's form of version, how two of them compare, which models a scope names, and the labelled rows."""

import pytest
import score_versions
from hypothesis import given
from hypothesis import strategies as st

from rules import advisories
from rules.advisories import State
from rules.advisory_text import read_bounds
from rules.grammars import GRAMMARS, MAX_TEXT, canonical, form_of, grammar_named
from rules.versions import (
    MAX_MODEL,
    Incomparable,
    Span,
    Word,
    compare,
    model_heads,
    names_model,
    scope_head,
    vote,
)


def test_the_labelled_rows_come_out_right():
    labelled = score_versions.rows()
    right, total, wrong, oversure = score_versions.score(labelled)
    assert len(labelled) >= 300
    assert oversure == []
    assert right["range"] / total["range"] >= 0.98, wrong
    assert wrong == []


def test_the_rows_written_unseen_come_out_right():
    labelled = score_versions.rows(score_versions.UNSEEN)
    _, _, wrong, oversure = score_versions.score(labelled)
    assert len(labelled) >= 600
    assert oversure == []
    assert wrong == []


def test_versions_spelled_as_file_names_labels_and_pages_do_come_out_right():
    labelled = score_versions.rows(score_versions.SPELLINGS)
    right, total, wrong, oversure = score_versions.score(labelled)
    assert len(labelled) >= 800
    assert oversure == []
    assert [row for row, said in wrong if said in score_versions.SURE] == []
    assert right["range"] / total["range"] >= 0.98, wrong


def test_the_rows_of_the_blind_proof_come_out_right():
    labelled = score_versions.rows(score_versions.BLIND)
    _, _, wrong, oversure = score_versions.score(labelled)
    assert len(labelled) >= 850
    assert oversure == []
    assert wrong == []


SPELLINGS = [
    ("hikvision", "DS-2CD2032F-I", "V5.4.0 build 160530", [
        "V5.4.0build160530", "5.4.0_160530", "v5.4.0 160530", "V5.4.0,build 160530", "V5.4.0 (build 160530)",
        "V5.4.0_build160530", "V5.4.0 Build:20160530", "  V5.4.0   build 160530 ", "Firmware: V5.4.0 build 160530",
        "V5.4.0-160530", "V5.4.0 (160530)", "V5.4.0-build160530", "V5.4.0 Build 2016-05-30", "V5.4.0 BuildDate=160530",
        '"V5.4.0 build 160530"',
        "SoftwareVersion V5.4.0build 160530", "IPC_R0_EN_STD_5.4.0_160530.zip", "IPCR_K9_ML_NEU_V5.4.0_build160530.dav",
        "NVR-K41-BL-EN_5.4.0_160530"]),
    ("dahua", "IPC-HFW3441E", "2.800.0000000.29.R.210629", [
        "V2.800.0000000.29.R.20210629", "2.800.0000000.29.R,build:2021-06-29",
        "2.800.0000000.29.R, Build Date: 2021-06-29", "2.800.0000000.29.R, Build 2021-06-29",
        "version=2.800.0000000.29.R build:2021-06-29", "version=2.800.0000000.29.R\r\nBuildDate=2021-06-29",
        "2.800.0000000.29.R_210629", "2.800.0000000.29.R (2021-06-29)", "2.800.0000000.29.R - built on 2021/06/29",
        "System Version 2.800.0000000.29.R, Build Date : 2021-06-29", "2.800.0000000.29.R;Build Date:2021/6/29",
        "TEMP_DH_IPC-HX3XXX-Molec_MultiLang_PN_V2.800.0000000.29.R.210629.bin",
        "NVR4XXX_Eng_V2.800.0000000.29.R.210629",
        "DH_IPC-HX3XXX-Leo_MultiLang_PN_Stream3_V2.800.0000000.29.R.210629.bin"]),
    ("tp-link", "C210", "1.3.6 Build 230425 Rel.48373n", [
        "1.3.6 Build 20230425 rel.48373", "V1.3.6 Build 230425 Rel. 48373N", "1.3.6 build 230425 Rel.48373n(4555)",
        "Tapo_C210v2_en_1.3.6_Build_230425_Rel.48373n_u_1700000000000.bin",
        "Tapo_C210v1_en_1.3.6_Build_230425_Rel.48373n_up_boot-signed_1700000000000.bin"]),
    ("vivotek", "CC8160", "CC8160-VVTK-0100d", [
        "VVTK-0100d", "0100d", "cc8160-vvtk-0100D", "CC8160-VVTK-0100d.flash.zip", "CC8160-VVTK-0100d.flash.pkg"]),
    ("uniview", "NVR301-04S2-P4", "NVR-B3801.20.17.240506", ["B3801.20.17.240506", "nvr-b3801.20.17.240506"]),
    ("mobotix", "S15", "MX-V4.0.2.33.r2", ["V4.0.2.33-r2", "mx-v4.0.2.33.R2"]),
    ("d-link", "DCS-2530L", "1.06.01 Hotfix", ["v1.06.01_Hotfix", "1.06.01-hotfix"]),
    ("d-link", "DCS-932L", "2.16.08", [
        "DCS-932L_REVB_FIRMWARE_v2.16.08", "DCS-932L_REVB_FIRMWARE_2.16.08.zip", "DCS-932LB1_FW_v2.16.08.bin",
        "DCS-932L_Bx_FW_V2.16.08.ZIP"]),
    ("axis", "P3245-LV", "11.3.57", ["root.Properties.Firmware.Version=11.3.57", "AXIS OS 11.3.57"]),
    ("bosch", "CPP7.3", "7.80 B127", ["7.80.0127", "7.80.0127 CPP7.3"]),
    ("avtech", "AVM1203", "FullImg-1023-1007-1011-1009", [
        "1023-1007-1011-1009", "firmware_FullImg-1023-1007-1011-1009"]),
]


@pytest.mark.parametrize(("maker", "model", "plain", "spellings"), SPELLINGS, ids=[one[0] for one in SPELLINGS])
def test_however_a_device_spells_it_the_answer_is_the_same(maker, model, plain, spellings):
    def answers(text):
        return {(r.maker, r.cve): r.status for r in advisories.results_for(maker, model, text)}
    expected = answers(plain)
    assert {State.AFFECTED, State.NOT_AFFECTED} & set(expected.values())
    for text in spellings:
        assert answers(text) == expected, text


@given(st.sampled_from(SPELLINGS), st.from_regex(r"[-_ ]?[a-z]{1,8}", fullmatch=True))
def test_an_unread_suffix_never_turns_an_answer_round(spelling, suffix):
    maker, model, plain, _ = spelling
    before = {r.cve: r.status for r in advisories.results_for(maker, model, plain)}
    for result in advisories.results_for(maker, model, plain + suffix):
        both = {before.get(result.cve, State.UNKNOWN), result.status}
        assert both != {State.AFFECTED, State.NOT_AFFECTED}


@pytest.mark.parametrize(("grammar", "text", "build"), [
    ("hikvision", "V5.5.82 build 190909 V5.7.3 build 220112", None),       # two versions
    ("hikvision", "V5.5.82 build 190909, build 220112", None),
    ("hikvision", "V5.5.82 build 190909", "220112"),                       # text and build apart disagree
    ("hikvision", "V5.7.0 build 210231", None),                            # no day of the calendar
    ("dahua", "2.800.0000000.1.R.200101", "2021-06-30"),
    ("dotted", "1.0.x", None), ("dotted", "2.x", None), ("dotted", "1.*", None),
    ("dotted", "1.2.3 / 1.2.5", None), ("axis", "11.5 / 10.12", None), ("axis", "11.5 and 10.12", None),
    ("dahua", "2.800.0000000.1.R, Build Date: 08/06/2021", None),          # of June or of August
    ("dahua", "2.800.0000000.1.R 30/9/2016", None),
    ("dahua", "2.800.0000000.1.R.210630; DROP TABLE", None), ("dotted", "1.0.2<script>alert(1)</script>", None),
    ("hikvision", "V5.4.0 build 160530' OR '1'='1", None), ("bosch", "7.80.0128 $(id)", None),
    ("dotted", "1.46.16 (not sure)", None), ("dotted", "4.36.ll.5859", None),
    ("d-link", "2.6OB15", None), ("bosch", "7.80.0l27", None), ("hikvision", "V5.4.0 build 160530 unofficial", None),
    ("uniview", "NVR-B3801.20.17.240506 / NVR-B3802.20.27.240506", None),
    ("uniview", "not NVR-B3801.20.17.240506", None),
    ("axis", "11.1O.3", None), ("hikvision", "V5.4.O build 160530", None), ("dotted", "1.46.l6", None),
    ("hikvision", "V5.4.5 build 16O530", None), ("hikvision", "V5.2.5 build 14120x", None),  # no day, so no build
    ("hanwha", "1.41.02_2022060x", None), ("hikvision", "V2.3.8-x", None),
    ("hanwha", "SRN4000_v2.14_160805 / SRN4000_v2.16_170401", None),
    ("d-link", "DCS-930L_FW_v2.12.01.bin / DCS-930L_FW_v2.14.04.bin", None),
    ("dahua", "version=2.420.AC00.15.R BuildDate=2016-09-08 / version=2.420.AC00.18.R", None),
    ("uniview", "approx DIPC-B1213.6.5.230215", None), ("uniview", "IMCP or DIPC-B1213.6.5.230215", None),
    ("dotted", "holiday_firmware_v1.0.bin", None),                         # a file that names no model
    ("hikvision", "V5.4.0 or later", None), ("dotted", "2.0+", None), ("bosch", "7.50 and below", None),
])
def test_what_names_two_versions_or_none_is_not_read(grammar, text, build):
    assert grammar_named(grammar).parse(text, build) is None


@pytest.mark.parametrize(("text", "bounds"), [
    ("Versions below V3.7.80", {"before": "V3.7.80"}),
    ("Versions below V5.7.13_230822 (including V5.7.13_230822)", {"until": "V5.7.13_230822"}),
    ("Build date before 250807", {"before": "build 250807"}),
    ("Versions which Build time before December,2019", {"before": "build 20191201"}),
    ("build time before April 16, 2025", {"before": "build 20250416"}),
    ("1.12.0.27 and below", {"until": "1.12.0.27"}),
    ("AXIS OS 11.5 or earlier", {"until": "11.5"}),
    ("from V5.00.000, before V5.02.006", {"since": "V5.00.000", "before": "V5.02.006"}),
    ("5.2.0 build 140721 to 5.4.0 Build 160530", {"since": "5.2.0 build 140721", "until": "5.4.0 Build 160530"}),
    ("certain models, build time before May 2020", None),
    ("see description", None), ("prior to 1.0 and after 2.0", None), ("1.0, 1.1 and 1.2", None), ("x" * 500, None),
])
def test_bounds_are_read_out_of_words_of_a_known_form_only(text, bounds):
    assert read_bounds(text) == bounds


@given(st.text(max_size=500))
def test_no_words_raise(text):
    bounds = read_bounds(text)
    assert bounds is None or bounds


@pytest.mark.parametrize(("grammar", "text", "build", "numbers", "built", "family"), [
    ("hikvision", "V5.4.0 build 160530", None, (5, 4, 0), (20160530,), ""),
    ("hikvision", "V4.30.096build221220", None, (4, 30, 96), (20221220,), ""),
    ("hikvision", "V3.2.30_build221223", None, (3, 2, 30), (20221223,), ""),
    ("hikvision", "V5.6.2", "190701", (5, 6, 2), (20190701,), ""),
    ("hikvision", "V5.6.2", "build 190701", (5, 6, 2), (20190701,), ""),
    ("hikvision", "V4.1.0 b130111", None, (4, 1, 0), (20130111,), ""),
    ("hikvision", "Firmware__V5.5.820_230105_S3000470001.zip", None, (5, 5, 820), (), ""),  # the package's day
    ("hikvision", "IPC_R6_EN_STD_5.5.82_190909.zip", None, (5, 5, 82), (20190909,), ""),
    ("hikvision", "V2.3.8-8", None, (2, 3, 8, 8), (), ""),
    ("hikvision", "build time 210625", None, (), (20210625,), ""),
    ("dahua", "2.800.0000000.29.R.210630", None, (29,), (20210630,), "2.800.0000000"),
    ("dahua", "2.800.0000000.29.R, Build Date: 2021-06-30", None, (29,), (20210630,), "2.800.0000000"),
    ("dahua", "2.420.AC00.18.R.20200217", None, (18,), (20200217,), "2.420.AC00"),
    ("dahua", "1.000.0041.20180530", None, (), (20180530,), "1.000.0041"),
    ("dahua", "V2.420.AC00.16.R 9/9/2016", None, (16,), (20160909,), "2.420.AC00"),
    ("dahua", "2.608.0000.0", None, (0,), (), "2.608.0000"),
    ("uniview", "DIPC-B1213.6.5.230215", None, (6, 5), (20230215,), "B1213"),
    ("uniview", "NVR-B3801.20.17.240507", None, (20, 17), (20240507,), "B3801"),
    ("uniview", "DIPC-B1232.9.3.C00010.251208", None, (9, 3), (20251208,), "B1232"),
    ("uniview", "QIPC-B2202.10.17.C06222.L61.NB.250307", None, (10, 17), (20250307,), "B2202"),
    ("uniview", "IPC_G6103 B6103.16.10.B25.201218", None, (16, 10), (20201218,), "B6103"),
    ("axis", "AXIS OS 11.5.64", None, (11, 5, 64), (), ""),
    ("bosch", "7.80 B128", None, (7, 80), (128,), ""),
    ("bosch", "7.80.0128", None, (7, 80), (128,), ""),
    ("dotted", "2.00-19", None, (2, 0), (19,), ""),
    ("dotted", "v3.0.0.136_20121102", None, (3, 0, 0, 136), (20121102,), ""),
    ("tp-link", "1.3.6 Build 230426 Rel.48373n", None, (1, 3, 6), (20230426, 48373), ""),
    ("hanwha", "1.41.16_20231019_R421", None, (1, 41, 16), (20231019,), ""),
    ("hanwha", "SRN4000_v2.16_170401", None, (2, 16), (20170401,), "SRN4000"),
    ("hanwha", "v5.08.02_240508093412", None, (5, 8, 2), (20240508,), ""),
    ("avtech", "FullImg-1023-1007-1011-1009", None, (1023, 1007, 1011, 1009), (), ""),
    ("lilin", "2.0b60_20200207", None, (2, 0, 60), (20200207,), ""),
    ("illustra", "Illustra.SS016.05.09.04.0006", None, (5, 9, 4, 6), (), "SS016"),
    ("geovision", "V1.00_2017_12_15", None, (1, 0), (20171215,), ""),
    ("mobotix", "MX-V5.2.0.61", None, (5, 2, 0, 61), (), ""),
    ("d-link", "2.60B15", None, (2, 60), (15,), ""),
    ("d-link", "DCS-942L_FIRMWARE_1.11B1.ZIP", None, (1, 11), (1,), "DCS-942L"),
    ("tp-link", "Tapo_C110v2_en_1.3.3_Build_230228_Rel.41512n_u_1680000000000.bin", None, (1, 3, 3),
     (20230228, 41512), "C110"),
    ("tvt", "1.3.4.22966B181219.D00.U1(4A21S)", None, (1, 3, 4, 22966), (20181219,), ""),
])
def test_a_version_is_read_in_its_makers_form(grammar, text, build, numbers, built, family):
    version = grammar_named(grammar).parse(text, build)
    assert (version.numbers, version.build, version.family) == (numbers, built, family)
    assert version.raw == text
    assert dict(version.parts())["form"] == grammar


@pytest.mark.parametrize(("grammar", "older", "newer"), [
    ("hikvision", "V5.4.0 build 160530", "V5.4.0 build 160531"),
    ("hikvision", "V5.4.0 build 190101", "V5.4.1 build 160530"),           # dotted first
    ("dahua", "2.820.0000000.30.R.210629", "2.800.0000000.1.R.20210630"),  # the day alone
    ("uniview", "DIPC-B1213.6.5.230215", "DIPC-B1213.6.6.230101"),
    ("vivotek", "FD8166A-VVTK-0204j", "FD8166A-VVTK-0204k"),
    ("vivotek", "FD8166A-VVTK-0204", "FD8166A-VVTK-0204a"),
    ("vivotek", "FD8166A-VVTK-0204z", "FD8166A-VVTK-0205"),
    ("mobotix", "MX-V4.0.2.33", "MX-V4.0.2.33.r2"),
    ("d-link", "1.06.01", "1.06.01 Hotfix"),
    ("d-link", "2.60B15", "2.60B16"),
    ("dotted", "1.9.9", "1.10"),
    ("dotted", "1.0.7-0297", "1.0.7-0298"),
    ("avtech", "FullImg-1023-1007-1011-1009", "FullImg-1023-1008-1011-1009"),
    ("tp-link", "1.3.6 Build 230426 Rel.48372n", "1.3.6 Build 230426 Rel.48373n"),
    ("lilin", "2.0b59_20200301", "2.0b60_20200207"),
])
def test_older_and_newer(grammar, older, newer):
    form = grammar_named(grammar)
    one, other = form.parse(older), form.parse(newer)
    assert compare(one, other, form) == -1
    assert compare(other, one, form) == 1
    assert compare(one, one, form) == 0


@pytest.mark.parametrize(("grammar", "one", "bound", "because"), [
    ("hikvision", "V5.4.0", "V5.4.0 build 160530", "names none"),
    ("hikvision", "V5.4.0", "build 210625", "names none"),
    ("dahua", "2.800.0000000.29.R", "2.800.0000000.29.R.210630", "names none"),
    ("dahua", "2.800.0000000.28.R.210630", "2.800.0000000.29.R.210630", "earlier revision"),
    ("dahua", "2.800.0000000.29.R.210630-beta", "2.800.0000000.29.R.210630", "behind it"),
    ("uniview", "DIPC-B1213.6.5.230215", "DIPC-B1216.5.7.230109", "platforms"),
    ("illustra", "SS016.05.09.04.0006", "SS010.05.09.04.0022", "platforms"),
    ("xiongmai", "4.03.R11.4912720B.11201.142300.0000004", "4.02.R11.A8531149.10001.131900.00000", "no order"),
    ("avtech", "FullImg-1024-1006-1011-1009", "FullImg-1023-1007-1011-1009", "some"),
    ("avtech", "FullImg-1024-1006", "FullImg-1023-1007-1011-1009", "different count"),
    ("dotted", "20240412", "3.11", "single number"),
    ("dotted", "1.2.3beta", "1.2.3rc", "no order"),
    ("dotted", "6.3.40-rc1", "6.3.40", "no order"),
    ("dotted", "1.46.16b", "1.46.16", "no order"),
    ("bosch", "7.80", "7.80 B128", "names none"),
    ("tp-link", "1.3.6 Build 230426 Rel.4837xn", "1.3.6 Build 230426 Rel.48373n", "no release"),
])
def test_what_has_no_order_says_why(grammar, one, bound, because):
    form = grammar_named(grammar)
    order = compare(form.parse(one), form.parse(bound), form)
    assert isinstance(order, Incomparable)
    assert because in order.because


@pytest.mark.parametrize("grammar", sorted(GRAMMARS))
@pytest.mark.parametrize("text", ["", " ", "no version", "9" * 5000, "1." * 400, "１.２.３", "\0\0", "V", "-1",
                                  "../../x", "2.800.0000000.29.R.219999", "V5.4.0 build 991399"])
def test_hostile_text_is_no_sure_version(grammar, text):
    form = grammar_named(grammar)
    version = form.parse(text)
    assert version is None or len(version.raw) <= MAX_TEXT
    if text == "2.800.0000000.29.R.219999" and grammar == "dahua":
        assert version is None


@given(st.sampled_from(sorted(GRAMMARS)), st.text(max_size=200), st.text(max_size=200))
def test_no_text_raises_and_order_is_never_both_ways(grammar, first, second):
    form = grammar_named(grammar)
    one, other = form.parse(first), form.parse(second)
    if one is None or other is None:
        return
    there, back = compare(one, other, form), compare(other, one, form)
    if not isinstance(there, Incomparable) and not isinstance(back, Incomparable):
        assert not (there > 0 and back > 0)
        assert not (there < 0 and back < 0)


@given(st.lists(st.integers(0, 999), min_size=2, max_size=4), st.lists(st.integers(0, 999), min_size=2, max_size=4))
def test_dotted_numbers_order_as_numbers(first, second):
    form = grammar_named("dotted")
    padded = [part + [0] * (4 - len(part)) for part in (first, second)]
    order = compare(form.parse(".".join(map(str, first))), form.parse(".".join(map(str, second))), form)
    assert order == (padded[0] > padded[1]) - (padded[0] < padded[1])


@pytest.mark.parametrize(("scope", "model", "named"), [
    ("IPC-H@3???*", "IPC-HFW3541E-AS", True), ("IPC-H@3???*", "IPC-HX3XXX", True),
    ("IPC-H@3???*", "ipc_hdbw3441r", True), ("IPC-H@3???*", "IPC-HFW5541E", False),
    ("IPC-H@3???*", "IPC-HFW354", False), ("IPC-HUM7???*", "IPC-HFW7442", False),
    ("DS-2CD2??2F-I*", "DS-2CD2032F-I", True), ("DS-2CD2??2F-I*", "DS-2CD2xx2F-I", True),
    ("DS-2CD2??2F-I*", "DS-2CD2142FWD-I", False), ("DS-7604NI-K1/4P(B)", "DS-7604NI-K1 / 4P(B)", True),
    ("DS-7604NI-K1/4P(B)", "DS-7604NI-K1", False), ("AX8", "AX8", True), ("AX8", "AX80", False),
    ("AX8", "AX8-E", True), ("DCS-930L", "DCS_930L", True), ("DCS-930L", "DCS-930LB1", False),
    ("HBL2GR1", "HBL2GR1V", False), ("Cam v3", "Cam v3 Pro", False), ("NVRmini", "NVRmini 2", False),
    ("solo-7-wifi-camera", "Solo 7 WiFi", True), ("solo-7-wifi-camera", "Solo 7 WiFi Camera", True),
    ("solo-7-wifi-camera", "Solo 7 WiFi Pro", False), ("solo-7-wifi-camera", "Solo 7", False),
    ("network-camera", "network", False), ("C210", "C210P2", False), ("C210", "C210(EU)", True),
    ("SD9364", "SD9364-EHL", True),
])
def test_scopes_name_models(scope, model, named):
    assert (names_model((scope,), model) == scope) is named


def test_a_makers_name_before_the_model_does_not_matter():
    assert names_model(("P3245-LV",), "AXIS P3245-LV", ("AXIS",)) == "P3245-LV"
    assert names_model(("C200",), "Tapo C200_firmware", ("TAPO",)) == "C200"
    assert names_model(("AX8",), "") is None
    assert names_model(("A*",), "A" * (MAX_MODEL + 1)) is None


@pytest.mark.parametrize(("text", "maker"), [
    ("2.800.0000000.8.R.200101", "dahua"), ("2.820.00IB007.0.R.211129", "dahua"), ("2.420.AC00.18.R", "dahua"),
    ("V5.5.82 build 190909", "hikvision"), ("DIPC-B1213.6.5.230215", "uniview"),
    ("4.03.R11.7601160B.12001.142300.0000004", "xiongmai"), ("1.3.4.22966B181219.D00.U1(4A21S)", "tvt"),
    ("12.5.68", None), ("1.41.16_20231019_R421", None), ("1.3.6 Build 230426 Rel.48373n", "tp-link"), ("", None),
    ("CC8160-VVTK-0100d", "vivotek"), ("MX-V4.0.2.33.r2", "mobotix"), ("1.3.6 Build 230426", None),
    ("2.800" * 1000, None),
])
def test_a_form_points_at_the_true_maker(text, maker):
    assert form_of(text) == maker


def test_the_end_of_a_span_is_in_and_the_fixed_version_out():
    form = grammar_named("hikvision")
    span = Span(since=form.parse("V5.2.0 build 140721"), until=form.parse("V5.4.0 build 160530"))
    words = [vote(form.parse(text), "", span, form).word for text in (
        "V5.2.0 build 140720", "V5.2.0 build 140721", "V5.4.0 build 160530", "V5.4.0 build 160531", "V5.4.0")]
    assert words == [Word.CLEAR, Word.AFFECTED, Word.AFFECTED, Word.CLEAR, Word.UNSURE]
    fixed = Span(before=form.parse("V5.4.0 build 160530"))
    assert vote(form.parse("V5.4.0 build 160530"), "", fixed, form).word is Word.CLEAR


def test_a_long_term_track_is_silent_unless_it_is_named():
    form = grammar_named("axis")
    span = Span(since=form.parse("10.5"), until=form.parse("11.5"))
    assert vote(form.parse("10.12.206"), "", span, form).word is Word.SILENT
    assert vote(form.parse("10.9.3"), "", span, form).word is Word.AFFECTED
    assert vote(form.parse("11.5.64"), "", span, form).word is Word.AFFECTED
    assert vote(form.parse("11.6.2"), "", span, form).word is Word.CLEAR
    track = Span(before=form.parse("10.12.236"), family="10.12")
    assert vote(form.parse("10.12.206"), "", track, form).word is Word.AFFECTED
    assert vote(form.parse("9.80.1"), "", track, form).word is Word.SILENT


def test_canonical_text_drops_case_spaces_and_a_leading_v():
    assert canonical(" V5.4.0  Build 160530 ") == canonical("5.4.0 build160530")
    assert canonical("firmware: 1.2") == "1.2"


def test_an_unknown_grammar_is_named():
    with pytest.raises(ValueError, match="no version grammar 'x'"):
        grammar_named("x")


SCOPES = sorted({scope for file in advisories.load().files.values() for record in file.records
                 for entry in record.affected for scope in entry.models})


@given(st.sampled_from(SCOPES), st.sampled_from("ABX07"), st.sampled_from(["", "-", " ", "_"]),
       st.sampled_from(["", "DAHUA "]))
def test_no_scope_that_names_a_model_is_passed_over(scope, letter, separator, before):
    strips = ("DAHUA",)
    model = before + scope.replace("?", letter).replace("@", "FW").rstrip("*").replace("-", separator)
    if names_model((scope,), model, strips) is not None:
        assert scope_head(scope) in model_heads(model, strips)


def test_a_model_is_held_against_the_scopes_that_begin_like_it_alone():
    assert scope_head("IPC-H@3???*") == scope_head("ipc_hx") == "IPC"
    assert scope_head("?X") == ""
    assert model_heads("ds-2cd2032F") == {"", "D", "DS", "DS2"}
    assert model_heads("x" * (MAX_MODEL + 1)) == model_heads(" ") == frozenset()
