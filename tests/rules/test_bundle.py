"""Signed bundles: what holds is opened, everything else is refused with the rule it broke."""

import io
import zipfile
from datetime import date

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rules import bundle, effects, regimes
from rules.dsse import key_id

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
TRUSTED = {key_id(KEY.public_key()): KEY.public_key()}
FILES = {"law/regimes/x.yaml": b"a: 1\n", "lists/csl.json": b"{}"}


def made(number=3, key=KEY, files=FILES):
    return bundle.make(files, number=number, made="2026-11-22T00:00:00Z", key=key)


def repacked(data, change):
    files = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_what_was_signed_is_opened():
    found = bundle.open_bundle(made(), TRUSTED)
    assert (found.number, dict(found.files), found.lists) == (3, FILES, {"csl.json": b"{}"})
    assert made() == made()  # the same content makes the same bytes


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (made(key=OTHER), "bundle.signature"),
        (repacked(made(), lambda f: f.pop("manifest.json")), "bundle.signature"),
        (repacked(made(), lambda f: f.update({"manifest.json": b"{}"})), "bundle.signature"),
        (repacked(made(), lambda f: f.update({"lists/csl.json": b"[]"})), "bundle.altered"),
        (repacked(made(), lambda f: f.pop("lists/csl.json")), "bundle.altered"),
        (repacked(made(), lambda f: f.update({"lists/more.json": b"{}"})), "bundle.altered"),
        (repacked(made(), lambda f: f.update({"../evil.yaml": b"{}"})), "bundle.malformed"),
        (repacked(made(), lambda f: f.update({"law/regimes/../../evil.yaml": b"{}"})), "bundle.malformed"),
        (b"", "bundle.malformed"),
        (b"PK\x03\x04nonsense", "bundle.malformed"),
        (made()[:-30], "bundle.malformed"),
    ],
)
def test_everything_else_is_refused(data, rule):
    with pytest.raises(bundle.BundleError) as error:
        bundle.open_bundle(data, TRUSTED)
    assert error.value.rule == rule


def test_a_manifest_of_another_bundle_does_not_fit():
    other = {}
    repacked(made(number=9, files={"lists/csl.json": b"[9]"}), other.update)
    mixed = repacked(made(), lambda f: f.update({"manifest.json": other["manifest.json"]}))
    with pytest.raises(bundle.BundleError, match=r"bundle\.altered"):
        bundle.open_bundle(mixed, TRUSTED)


@pytest.mark.parametrize("installed", [3, 4])
def test_the_number_only_grows(installed):
    found = bundle.open_bundle(made(), TRUSTED)
    bundle.newer(found, 2)
    with pytest.raises(bundle.BundleError, match=r"bundle\.older"):
        bundle.newer(found, installed)


@pytest.mark.parametrize("name", ["x.yaml", "law/checks/x.yaml", "/etc/passwd", "lists/../x.json", "lists/A.json"])
def test_a_file_without_a_place_is_not_signed(name):
    with pytest.raises(bundle.BundleError, match=r"bundle\.file"):
        made(files={name: b""})


def test_laws_of_a_bundle_are_judged_by_and_left_again(tmp_path):
    """A later law changes the answer; the bundle of the old one gives the old answer for good."""
    shipped = regimes.list_version().version
    files = bundle.law_files()
    name = "law/regimes/us-889-a.yaml"
    assert b"entity: hikvision" in files[name]
    kept = bundle.make(files, number=1, made="x", key=KEY)
    changed = {**files, name: files[name].replace(b"entity: hikvision", b"entity: axis")}
    bundle.unpack_law(bundle.open_bundle(kept, TRUSTED), tmp_path / "old")
    bundle.unpack_law(bundle.open_bundle(bundle.make(changed, number=2, made="y", key=KEY), TRUSTED), tmp_path / "new")

    def answer():
        found = effects.effects_of("hikvision", ["us_federal_agency"], date(2020, 4, 30))
        return {e.regime: str(e.effect) for e in found.effects}["US-889-A"]

    try:
        bundle.use(tmp_path / "old")
        assert (answer(), regimes.list_version().version) == ("prohibited", shipped)
        bundle.use(tmp_path / "new")
        assert answer() == "none"
        assert regimes.list_version().version != shipped
    finally:
        bundle.use(None)
    assert (answer(), regimes.list_version().version) == ("prohibited", shipped)


def test_a_bundle_without_laws_is_none_to_judge_by(tmp_path):
    with pytest.raises(bundle.BundleError, match=r"bundle\.law"):
        bundle.unpack_law(bundle.open_bundle(made(), TRUSTED), tmp_path)
