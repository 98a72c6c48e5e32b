"""The documented login of a device: one pair at most, and none where anything about the device is unsure."""

import pytest

from rules import logins, makers
from rules.logins import FactoryLogin, NoLogin, documented
from rules.vocabulary import Assurance, Conflict, Identity, Kind

MAKERS = makers.load()
OLD = {"maker": "hikvision", "makers": ("hikvision",), "brand": "HIKVISION", "model": "DS-2CD2142FWD-I",
       "firmware": "V5.2.5", "firmware_build": "141201", "assurance": Assurance.CORROBORATED, "kind": Kind.CAMERA}


def of(**changes):
    return documented(Identity(device="10.0.0.7", **{**OLD, **changes}), MAKERS)


def test_an_identified_old_device_has_one_pair():
    assert of().id == "hikvision-before-activation"


@pytest.mark.parametrize(("changes", "because"), [
    ({"assurance": Assurance.SELF_REPORTED}, "own word"), ({"maker": None, "makers": ()}, "maker is not known"),
    ({"model": None}, "model is not known"), ({"kind": Kind.OTHER}, "no camera"),
    ({"makers": ("hikvision", "dahua")}, "contradicted"),
    ({"conflicts": (Conflict("brand", ("a", "b"), "x"),)}, "contradicted"),
    ({"brand": "Lorex"}, "label is Lorex"), ({"model": "DS-7608NI-I2"}, "no login is documented"),
    ({"firmware": "V5.3.0", "firmware_build": "150513"}, "ships without"), ({"firmware": None}, "version is not known"),
    ({"firmware": "garbage"}, "version is not known"),
    ({"maker": "xiongmai", "makers": ("xiongmai",), "brand": None}, "no login is documented"),
])
def test_anything_unsure_has_none(changes, because):
    found = of(**changes)
    assert isinstance(found, NoLogin)
    assert because in found.because


def test_two_pairs_for_one_model_are_none():
    one = logins.load()[1]
    book = [one, one.model_copy(update={"id": "another"})]
    found = documented(Identity(device="10.0.0.7", **OLD), MAKERS, book)
    assert found == NoLogin("more than one login is documented")


def test_every_pair_is_of_a_known_maker_and_says_where_it_is_documented():
    for one in logins.load():
        assert one.maker in MAKERS.by_slug
        assert one.source
        assert one.unverified or "http" in one.source


def test_no_pair_for_families_whose_accounts_are_seen_by_other_means():
    assert not {"xiongmai", "goahead", "wificam", "mvpower"} & {one.maker for one in logins.load()}


def test_a_password_shows_in_no_repr():
    one = FactoryLogin(id="x", maker="axis", models=(".",), user="root", password="lab-only-9", source="s")
    assert "lab-only-9" not in repr(one)
