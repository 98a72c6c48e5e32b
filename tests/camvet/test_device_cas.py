"""The user's trust anchors: read from files and folders, each with the maker whose it is, or refused with a reason."""

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from camvet import device_cas
from camvet.context import UsageError
from scanner import clock

sys.path.insert(0, str(Path(__file__).parents[1] / "scanner" / "wire"))
from device_certificates import make


def authority(organisation, **how):
    return make("Device Root", clock.now(), organisation=organisation, **{"authority": True, **how})


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.pem").write_bytes(authority("Axis Communications AB").pem)
    (tmp_path / "b.der").write_bytes(authority("Robert Bosch GmbH").der)
    (tmp_path / "c.crt").write_bytes(authority("Our Own Site").pem)
    (tmp_path / "notes.txt").write_text("not looked at")
    return tmp_path


def read(*words):
    notes = []
    return device_cas.read([str(word) for word in words], notes.append), notes


def test_a_folder_gives_every_certificate_with_the_maker_that_its_name_names(folder):
    anchors, notes = read(folder)
    assert [one.maker for one in anchors] == ["axis", "bosch", ""]
    assert len(notes) == 1
    assert "Our Own Site" in notes[0]


def test_the_user_may_say_whose_it_is_and_nothing_counts_twice(folder):
    anchors, notes = read(f"axis={folder / 'c.crt'}", folder / "c.crt")
    assert [one.maker for one in anchors] == ["axis"]
    assert len(notes) == 1                                          # of the second time it was named


@pytest.mark.parametrize(("word", "told"), [
    ("absent.pem", "No such file"), ("nobody=a.pem", "no maker"), ("notes.txt", "no certificate"),
    ("leaf.pem", "no certificate authority"), ("empty", "in this folder"), ("old.pem", "not valid today"),
])
def test_what_cannot_be_an_anchor_is_refused(folder, word, told):
    (folder / "empty").mkdir()
    (folder / "leaf.pem").write_bytes(authority("Axis", authority=False).pem)
    (folder / "old.pem").write_bytes(authority("Axis", until=clock.now() - timedelta(days=1)).pem)
    maker, equals, name = word.rpartition("=")
    with pytest.raises(UsageError, match=told):
        read(f"{maker}{equals}{folder / name}")
