"""How fast names are screened, on one core: the shipped lists, and beside them 100,000 imported names.

Run with ``make bench``; the imported names are made up from syllables, so that many of them share words.
"""

import os
import random
import resource
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from rules import catalog, names
from rules.imported import Imported
from rules.imports import parse
from rules.screening import screen
from rules.snapshots import dump, lay_over, load

pytestmark = pytest.mark.skipif(os.environ.get("CAMVET_BENCH") != "1", reason="benchmarks run with CAMVET_BENCH=1")

DAY = date(2026, 11, 22)
DEVELOPMENT = Path(__file__).parents[1] / "rules" / "data" / "screening.csv"
IMPORTED = 100_000
SYLLABLES = [first + vowel for first in "kmtzhlvpdgrbnsqwcjfx" for vowel in ("a", "en", "i", "or", "u")]
TRADES = ["Technology", "Electronics", "Trading", "International", "Industrial", "Machinery", "Systems", "Optical"]


def lines():
    rows = DEVELOPMENT.read_text(encoding="utf-8").splitlines()[1:]
    return [row.split(",")[1] for row in rows]


def made_up():
    rng = random.Random(4)
    rows = ["id,name,aliases,country,programme,listed_on"]
    for number in range(IMPORTED):
        word = "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(2, 4))).title()
        second = "".join(rng.choice(SYLLABLES) for _ in range(2)).title()
        rows.append(
            f"{number},{word} {second} {rng.choice(TRADES)} Co. Ltd.,{word}{second},CN,Entity List (EL),2024-01-01"
        )
    return "\n".join(rows).encode()


def rate(ask, queries, seconds=2.0):
    done, begun = 0, time.process_time()  # of one core, whatever else the machine does
    while time.process_time() - begun < seconds:
        names.read.cache_clear()  # every line as if it were the first time
        for query in queries:
            ask(query)
        done += len(queries)
    return done / (time.process_time() - begun)


def test_screenings_a_second_against_the_shipped_lists(capsys):
    known = catalog.load()
    found = rate(lambda query: screen(query, known, DAY), lines())
    with capsys.disabled():
        sys.stdout.write(f"\nscreenings/s, shipped lists: {found:.0f}\n")
    assert found >= 2000


def test_import_and_screenings_a_second_against_100_000_names(capsys):
    known = catalog.load()
    data = made_up()
    begun = time.perf_counter()
    snapshot, _ = lay_over(None, parse(data, "made.csv", source="made", dated=DAY))
    stored = dump(snapshot)
    imported_s = time.perf_counter() - begun
    begun = time.perf_counter()
    index = Imported([load(stored, "made.json")], known)
    loaded_s = time.perf_counter() - begun
    queries = lines() + [row.split(",")[1] for row in data.decode().splitlines()[1:20000:40]]
    found = rate(lambda query: index.screen(query, DAY, screen(query, known, DAY)), queries)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with capsys.disabled():
        sys.stdout.write(
            f"\n100,000 names: import {imported_s:.1f} s, load {loaded_s:.1f} s, {found:.0f} screenings/s, "
            f"{megabytes:.0f} MB\n"
        )
    assert imported_s < 30
    assert megabytes < 500
    assert found >= 500
