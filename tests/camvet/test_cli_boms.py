"""Bills of materials in the shapes that tools write: CycloneDX 1.4 to 1.6, CSV; verdicts beside, or as a table."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camvet.boms import Part, parts_of
from camvet.cli import main
from camvet.context import UsageError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys):
    def ask(*words):
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return end.value.code, out, err

    return ask


# 1.4: supplier, author and publisher as texts; a device with its parts nested; a service with its provider
V14 = {
    "bomFormat": "CycloneDX", "specVersion": "1.4", "serialNumber": "urn:uuid:00000000-0000-4000-8000-000000000001",
    "version": 1,
    "metadata": {"timestamp": "2026-01-01T00:00:00Z", "tools": [{"vendor": "x", "name": "y"}],
                 "component": {"type": "device", "bom-ref": "kit", "name": "Gate kit",
                               "supplier": {"name": "Prime Inc."}}},
    "components": [
        {"type": "device", "bom-ref": "cam", "name": "IPC-HFW2431S", "supplier": {"name": "Zhejiang Dahua Technology"},
         "components": [{"type": "device", "name": "Hi3516DV300", "supplier": {"name": "HiSilicon"}},
                        {"type": "firmware", "name": "main", "version": "2.800", "hashes": []}]},
        {"type": "library", "name": "openssl", "version": "3.0.13", "purl": "pkg:generic/openssl@3.0.13"}],
    "services": [{"bom-ref": "cloud", "name": "relay", "provider": {"name": "Hikvision Europe B.V.", "url": ["https://e.example"]},
                  "services": [{"name": "push"}]}],
    "dependencies": [{"ref": "cam", "dependsOn": []}],
}
# 1.5: tools as an object; a firmware whose pedigree names where it came from
V15 = {
    "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
    "metadata": {"tools": {"components": [{"type": "application", "name": "scanner"}]}},
    "components": [{"type": "firmware", "name": "camera-os", "version": "1",
                    "pedigree": {"ancestors": [{"type": "firmware", "name": "DS-2CD2143G2-I",
                                                "publisher": "HIKVISION"}]}}],
}
# 1.6: manufacturer and authors; the maker only in the CPE, or only in the package URL
V16 = {
    "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
    "components": [
        {"type": "device", "name": "Dome", "manufacturer": {"name": "Uniview", "url": ["https://u.example"]},
         "authors": [{"name": "somebody", "email": "a@b.example"}]},
        {"type": "device", "name": "Turret", "cpe": "cpe:2.3:h:hikvision:ds-2cd2143g2-i:-:*:*:*:*:*:*:*"},
        {"type": "firmware", "name": "fw", "purl": "pkg:generic/dahua/ipc-hfw2431s@2.8?arch=arm#x"},
        {"type": "device", "name": "P3245-LVE", "manufacturer": {"name": "Axis Communications"}}],
}


def told(part):
    return {one["name"].removeprefix("camvet:"): one["value"] for one in part["properties"]
            if one["name"].startswith("camvet:")}


def judged(run, bill):
    Path("in.json").write_text(json.dumps(bill))
    code, out, _ = run("screen", "--bom", "in.json", "--out", "done.json", "--buyer", "us_federal_agency", "--json")
    return code, json.loads(out), json.loads(Path("done.json").read_text())


def test_the_product_its_parts_and_its_services(run):
    code, summary, done = judged(run, V14)
    assert (code, summary["rows"]) == (1, 7)
    cam = done["components"][0]
    found = {"kit": done["metadata"]["component"], "cam": cam, "chip": cam["components"][0], "fw": cam["components"][1],
             "lib": done["components"][1], "cloud": done["services"][0], "push": done["services"][0]["services"][0]}
    assert {name: told(part)["action"] for name, part in found.items()} == {
        "kit": "no_match", "cam": "match", "chip": "match", "fw": "no_match", "lib": "no_match", "cloud": "match",
        "push": "no_match"}
    assert told(cam)["overall"] == "prohibited"
    assert "US-889-A prohibited" in told(cam)["effects"]


def test_what_firmware_was_made_from_is_screened(run):
    code, _, done = judged(run, V15)
    assert code == 1
    assert told(done["components"][0]["pedigree"]["ancestors"][0])["entity"] == "hikvision"


def test_the_maker_may_stand_in_any_of_the_fields(run):
    _, _, done = judged(run, V16)
    assert [told(one).get("entity") for one in done["components"][:3]] == ["uniview", "hikvision", "dahua"]
    assert told(done["components"][3])["action"] == "no_match"


@pytest.mark.parametrize("bill", [V14, V15, V16], ids=["1.4", "1.5", "1.6"])
def test_nothing_else_is_touched_and_a_second_run_changes_nothing(run, bill):
    _, _, done = judged(run, bill)

    def without(value):
        if isinstance(value, dict):
            kept = {name: without(item) for name, item in value.items()}
            if "properties" in kept:
                kept["properties"] = [one for one in kept["properties"] if not one["name"].startswith("camvet:")]
            return {name: item for name, item in kept.items() if name != "properties" or item}
        return [without(item) for item in value] if isinstance(value, list) else value

    assert without(done) == bill
    assert judged(run, done)[2] == done


def test_a_bill_comes_out_as_a_table(run):
    Path("in.json").write_text(json.dumps(V14))
    assert run("screen", "--bom", "in.json", "--out", "done.csv", "--buyer", "us_federal_agency")[0] == 1
    rows = {row["place"]: row for row in csv.DictReader(io.StringIO(Path("done.csv").read_text(encoding="utf-8-sig")))}
    assert rows["components[0].components[0]"]["camvet_entity"] == "hisilicon"
    assert rows["services[0]"]["camvet_entity"].startswith("hikvision")
    assert rows["components[0]"]["bom_ref"] == "cam"
    assert len(rows) == 7


def test_a_table_of_parts_is_read_by_the_columns_that_name_them(run):
    Path("bom.csv").write_text("Line No;Manufacturer;MPN;Description;Qty;Ref Des\\n"
                               "1;Hikvision;DS-2CD2143G2-I;dome;4;U1\\n2;Axis;P3245;dome;2;U2\\n".replace("\\n", "\n"))
    code, _, err = run("screen", "--bom", "bom.csv", "--out", "done.csv")
    assert (code, "read together: Manufacturer, MPN, Description" in err) == (1, True)
    text = Path("done.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert [row["camvet_action"] for row in rows] == ["match", "no_match"]
    Path("none.csv").write_text("Qty,Price\n1,2\n")
    code, _, err = run("screen", "--bom", "none.csv")
    assert (code, "a column that names a maker or a part, found Qty, Price" in err) == (2, True)


def test_a_bill_of_services_alone_is_a_bill(run):
    bill = {"bomFormat": "CycloneDX", "specVersion": "1.5", "services": V14["services"]}
    assert judged(run, bill)[0] == 1


@pytest.mark.parametrize(("more", "where"), [
    ({"services": [{"provider": {}}]}, "services[0]: expected a service with a name"),
    ({"components": [{"name": "a", "pedigree": {"ancestors": {}}}]}, "components[0].pedigree.ancestors: expected"),
    ({"metadata": {"component": {"type": "device"}}}, "metadata.component: expected a component with a name"),
    ({"components": {}}, "components: expected a list"),
])
def test_a_part_that_does_not_fit_is_named_by_its_place(run, more, where):
    Path("bad.json").write_text(json.dumps({"bomFormat": "CycloneDX"} | more))
    code, _, err = run("screen", "--bom", "bad.json")
    assert (code, where in err) == (2, True)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["name", "components", "services", "component", "pedigree", "ancestors",
                                         "supplier", "authors", "purl", "cpe", "type", "properties", "contact", "url",
                                         "value", "description"]), inner, max_size=4))


@given(st.dictionaries(st.sampled_from(["components", "services", "metadata"]), JSON, max_size=3))
def test_any_document_is_read_or_refused(document):
    try:
        parts = parts_of(document, "x.json")
    except UsageError:
        return
    assert all(isinstance(part, Part) and isinstance(part.line, str) and all(
        isinstance(text, str) for _, text in part.asides) for part in parts)


ASIDES = [
    ({"description": "OEM of Hikvision"}, "hikvision", "description"),
    ({"properties": [{"name": "note", "value": "x"}, {"name": "acme:Manufacturer", "value": "Dahua"}]}, "dahua",
     "properties[1] acme:Manufacturer"),
    ({"properties": [{"name": "vendor", "value": "Hikvision"}]}, "hikvision", "properties[0] vendor"),
    ({"properties": [{"name": "brand", "value": "Hytera"}]}, "hytera", "properties[0] brand"),
    ({"supplier": {"name": "X", "contact": [{"name": "A. Person"}, {"name": "Dahua"}]}}, "dahua",
     "supplier.contact[1].name"),
    ({"supplier": {"name": "X", "contact": [{"email": "sales@hikvision.com"}]}}, "hikvision",
     "supplier.contact[0].email"),
    ({"supplier": {"name": "X", "url": ["https://x.example", "https://www.dahuasecurity.com/a"]}}, "dahua",
     "supplier.url[1]"),
    ({"manufacturer": {"name": "X", "url": "https://www.hikvision.com"}}, "hikvision", "manufacturer.url[0]"),
    ({"authors": [{"name": "A. Person", "email": "a@dahuasecurity.com"}]}, "dahua", "authors[0].email"),
    ({"publisher": "Hikvision"}, "hikvision", ""), ({"author": "Dahua"}, "dahua", ""),
    ({"manufacturer": {"name": "Hytera"}}, "hytera", ""),
]


def test_whoever_is_named_aside_counts_and_where_is_told(run):
    kinds = ("device", "library")
    bill = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
        {"type": kind, "name": "cam"} | more for kind in kinds for more, _, _ in ASIDES]}
    code, _, done = judged(run, bill)
    assert code == 1
    expected = [(kind, *aside) for kind in kinds for aside in ASIDES]
    for part, (kind, _, entity, field) in zip(done["components"], expected, strict=True):
        answer = told(part)
        assert (answer["action"], answer["entity"]) == ("match", entity)
        if (kind, field) == ("device", "description"):              # which is read with a device's name
            assert not answer["because"].startswith("in its")
        else:
            assert answer["because"].startswith(f"in its {field}: ") == bool(field)
    assert judged(run, done)[2] == done


def test_of_several_fields_the_worst_answer_counts(run):
    bill = {"bomFormat": "CycloneDX", "components": [
        {"type": "device", "name": "P3245", "manufacturer": {"name": "Axis"}, "description": "made by Dahua",
         "properties": [{"name": "camvet:entity", "value": "x"}, {"name": "vendor", "value": 7}]},
        {"type": "library", "name": "Hikvision SDK", "description": "for Axis cameras"}]}
    _, _, done = judged(run, bill)
    assert [told(one)["entity"] for one in done["components"]] == ["dahua", "hikvision"]
    assert "in its" not in told(done["components"][1])["because"]
