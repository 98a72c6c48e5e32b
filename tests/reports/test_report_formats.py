"""The registry of formats: presence is registration, and nothing from outside replaces what is here."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from sample_report import hostile, sample

from reports import formats
from reports.formats import FormatError, file_name, find, names, register, render


def test_every_module_of_the_folder_registers_the_format_of_its_name():
    folder = Path(formats.__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    assert modules >= {"html", "json", "csv"}
    assert modules <= set(names())
    for name in modules:
        assert find(name).name == name


@pytest.mark.parametrize(("name", "options", "told"), [
    ("docx", {}, "no format 'docx'; there are: .*csv.*html.*json"),
    ("html", {"of": "devices"}, "html has no option 'of'"),
    ("csv", {"of": "everything"}, "of='everything' is not one of devices, findings, monitoring, attached, .*"),
    ("__init__", {}, "no format"), ("../report", {}, "no format"),
])
def test_what_does_not_exist_is_refused_by_name(name, options, told):
    with pytest.raises(FormatError, match=told):
        render(sample(), name, **options)


def test_two_writers_under_one_name_are_refused():
    find("json")
    with pytest.raises(FormatError, match="two writers"):
        register("json", media_type="x", suffix="x")(lambda _report, _options: b"")


def test_a_third_partys_entry_point_is_found_and_cannot_replace_ours(monkeypatch, tmp_path):
    (tmp_path / "elsewhere_format.py").write_text(
        "from reports.formats import register\n"
        "@register('shout', media_type='text/plain', suffix='txt')\n"
        "def write(report, options):\n    return report.site.upper().encode()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    points = [EntryPoint(name, "elsewhere_format:write", formats.GROUP) for name in ("shout", "html")]
    monkeypatch.setattr(formats, "entry_points", lambda *, group, name=None: [
        point for point in points if group == formats.GROUP and name in (None, point.name)])
    monkeypatch.setattr(formats, "_registered", dict(formats._registered))
    assert "shout" in names()
    assert render(sample(), "shout") == b"HARBOUR ROAD DEPOT"
    assert find("html").media_type.startswith("text/html")


@pytest.mark.parametrize(("name", "options", "expected"), [
    ("html", {}, "camvet-harbour-road-depot-s-20261122-7f3a-2026-11-22.html"),
    ("csv", {}, "camvet-harbour-road-depot-s-20261122-7f3a-2026-11-22.csv"),
    ("csv", {"of": "devices"}, "camvet-harbour-road-depot-s-20261122-7f3a-2026-11-22.csv"),
    ("csv", {"of": "monitoring"}, "camvet-harbour-road-depot-s-20261122-7f3a-2026-11-22-monitoring.csv"),
    ("csv", {"of": "findings"}, "camvet-harbour-road-depot-s-20261122-7f3a-2026-11-22-findings.csv"),
])
def test_file_names_of_formats(name, options, expected):
    assert file_name(sample(), name, **options) == expected


def test_a_hostile_site_makes_a_harmless_file_name():
    name = file_name(hostile(), "html")
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert len(name) < 120


@pytest.mark.parametrize("name", ["html", "json", "csv"])
def test_the_same_report_gives_the_same_bytes(name):
    assert render(sample(), name) == render(sample(), name)
