"""The reader against real replies that lie outside the repository; skipped where they are not there."""

import json
from pathlib import Path

import pytest
from wire_samples import NOW

from scanner.wire import replies

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "samples" / "replies"
MANIFEST = FOLDER / "MANIFEST.json"
ROWS = json.loads(MANIFEST.read_text())["rows"] if MANIFEST.exists() else []

pytestmark = pytest.mark.skipif(not ROWS, reason="no recorded replies beside the repository")


def observations(row):
    data = (FOLDER / row["file"]).read_bytes()
    return replies.read(row["transport"], row.get("port"), data, device=row["id"], now=NOW), data


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_every_row_gives_fields_and_a_complete_one_is_not_refused(row):
    seen, _ = observations(row)
    assert seen
    assert all(each.fields for each in seen)
    if row["complete"]:
        assert "refusal" not in seen[0].fields


def carried(row, name, data):
    """The expected value, if these bytes carry it and a parser rather than a maker's rule has to find it."""
    value = row["expected"].get(name)
    declares = row["transport"] in ("udp-payload", "http-body", "soap", "parsed-fields", "dhcp")
    return value if declares and isinstance(value, str) and value.lower() in data.decode("latin-1").lower() else None


@pytest.mark.parametrize("name", ["model", "firmware", "serial", "mac"])
def test_what_the_bytes_declare_is_found(name):
    missed, found = [], 0
    for row in ROWS:
        seen, data = observations(row)
        value = carried(row, name, data)
        if value is None:
            continue
        got = seen[0].text(name)
        if name == "mac":
            value = value.replace("-", ":").upper()
            value = value if ":" in value else ":".join(value[i : i + 2] for i in range(0, 12, 2))
        if got == value:
            found += 1
        else:
            missed.append((row["id"], value, got))
    assert not missed
    assert found
