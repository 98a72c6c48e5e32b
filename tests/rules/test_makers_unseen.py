"""What replies in real devices' forms are read as: the maker, never another one, and nobody where nobody is shown.

The replies are those of `unseen_replies`.
"""

from datetime import UTC, datetime

import pytest
from unseen_replies import CAMERAS, INNOCENT, Row

from rules.identity import identify
from rules.makers import load
from rules.vocabulary import Identity, Kind

AT = datetime(2026, 11, 22, tzinfo=UTC)
MAKERS = load()
CAMERA_LIKE = frozenset({Kind.CAMERA, Kind.THERMAL, Kind.RECORDER, Kind.ENCODER, Kind.INTERCOM, Kind.HUB})
RECORDING_SOFTWARE = frozenset({"blue iris", "milestone", "surveillance station"})


def read(row: Row) -> Identity:
    return identify("d", row.seen("d", AT), MAKERS)


def test_the_rows_are_many_and_each_has_its_name() -> None:
    names = [row.name for row in (*CAMERAS, *INNOCENT)]
    assert len(CAMERAS) >= 200
    assert len(INNOCENT) >= 60
    assert [name for name in set(names) if names.count(name) > 2] == []


@pytest.mark.parametrize("row", CAMERAS, ids=lambda row: row.name)
def test_a_reply_names_its_maker_and_no_other(row: Row) -> None:
    identity = read(row)
    assert identity.makers == ((row.maker,) if row.maker else ()), identity.evidence


@pytest.mark.parametrize(
    "row", [row for row in CAMERAS if row.brand or row.model or row.firmware or row.kind], ids=lambda row: row.name
)
def test_what_a_reply_carries_is_read(row: Row) -> None:
    identity = read(row)
    for wanted, got in (
        (row.brand, identity.brand),
        (row.model, identity.model),
        (row.firmware, identity.firmware),
        (row.kind, identity.kind),
    ):
        assert wanted is None or wanted == got


@pytest.mark.parametrize("row", INNOCENT, ids=lambda row: row.name)
def test_what_is_no_camera_names_no_maker_of_cameras(row: Row) -> None:
    identity = read(row)
    assert set(identity.makers) <= ({row.house} if row.house else set()), identity.evidence
    if row.house and row.name not in RECORDING_SOFTWARE:
        assert identity.kind not in CAMERA_LIKE, identity.evidence
