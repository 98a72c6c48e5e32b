"""The formats as a person last looked at them; ``CAMVET_ACCEPT=1`` writes them anew, for the diff to be read."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import html
from sample_report import sample

from reports.formats import render

GOLDEN = Path(__file__).parent / "golden"


def told_by_the_page() -> str:
    """What a reader sees, a line for every block, without style and script."""
    tree = html.document_fromstring(render(sample(), "html").decode())
    for element in tree.xpath("//script | //style"):
        element.drop_tree()
    blocks = tree.xpath("//body//*[self::p or self::li or self::tr or self::dt or self::dd or self::h1 or self::h2 or "
                        "self::h3 or self::h4 or self::caption or self::summary][not(descendant::li or descendant::p)]")
    return "".join(f"{' '.join(' '.join(one.itertext()).split())}\n" for one in blocks)


def one_device() -> bytes:
    whole = sample()
    return render(replace(whole, devices=whole.devices[1:2], monitoring=None), "json")


@pytest.mark.parametrize(("name", "make"), [
    ("sample.txt", lambda: told_by_the_page().encode()),
    ("one-device.json", one_device),
    ("sample.csv", lambda: render(sample(), "csv")),
    *((f"sample-{of}.csv", lambda of=of: render(sample(), "csv", of=of))
      for of in ("findings", "monitoring", "attached", "events", "refusals", "standards", "census")),
])
def test_the_format_is_as_it_was(name, make):
    path = GOLDEN / name
    if os.environ.get("CAMVET_ACCEPT") == "1":
        GOLDEN.mkdir(exist_ok=True)
        path.write_bytes(make())
    assert make().decode() == path.read_bytes().decode()
