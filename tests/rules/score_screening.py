"""Measures screening on the development set by category: ``python tests/rules/score_screening.py [-v] [FILE]``.

A row is a positive where ``match`` is expected. Precision is over everything that was called a match, recall over
all rows that should be; a listed party called ``no_match`` and an innocent row called ``review`` are counted apart.
"""

import csv
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rules import catalog
from rules.screening import Action, Screening, screen

DEVELOPMENT = Path(__file__).parent / "data" / "screening.csv"
DAY = date(2026, 11, 22)


@dataclass(frozen=True)
class Row:
    category: str
    query: str
    expect: str
    entity: str


def rows(path: Path = DEVELOPMENT) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return [Row(**row) for row in csv.DictReader(file)]


@dataclass
class Score:
    rows: int = 0
    true: int = 0
    false: int = 0           # called a match and none, or the wrong party
    missed: int = 0          # should be a match: called a review or no_match
    lost: int = 0            # a listed party called no_match
    innocent: int = 0
    needless: int = 0        # an innocent row called review
    asked: int = 0           # should be a review
    asked_right: int = 0

    def add(self, row: Row, found: Screening) -> None:
        self.rows += 1
        right_party = not row.entity or found.entity == row.entity
        positive, called = row.expect == Action.MATCH, found.action is Action.MATCH
        self.true += positive and called and right_party
        self.false += called and not (positive and right_party)
        self.missed += positive and not (called and right_party)
        self.lost += row.expect != Action.NO_MATCH and found.action is Action.NO_MATCH
        self.innocent += row.expect == Action.NO_MATCH
        self.needless += row.expect == Action.NO_MATCH and found.action is Action.REVIEW
        self.asked += row.expect == Action.REVIEW
        self.asked_right += row.expect == Action.REVIEW and found.action is Action.REVIEW

    @property
    def precision(self) -> float | None:
        return self.true / (self.true + self.false) if self.true + self.false else None

    @property
    def recall(self) -> float | None:
        return self.true / (self.true + self.missed) if self.true + self.missed else None


def measure(found_rows: list[Row]) -> tuple[dict[str, Score], list[str]]:
    known = catalog.load()
    scores: dict[str, Score] = defaultdict(Score)
    wrong = []
    for row in found_rows:
        found = screen(row.query, known, DAY)
        for name in (row.category, "all"):
            scores[name].add(row, found)
        if found.action != row.expect or (row.entity and found.entity != row.entity):
            wrong.append(f"{row.category}: {row.query!r}: {found.action} {found.entity}, expected {row.expect} "
                         f"{row.entity}: {found.because}")
    return dict(scores), wrong


def main() -> None:
    verbose = "-v" in sys.argv
    paths = [Path(word) for word in sys.argv[1:] if not word.startswith("-")]
    scores, wrong = measure(rows(*paths))
    shown = [*sorted(name for name in scores if name != "all"), "all"]
    sys.stdout.write(f"{'category':<16} rows  precision  recall  lost  needless review  review asked, given\n")
    for name in shown:
        s = scores[name]
        figures = [f"{value:.3f}" if value is not None else "-" for value in (s.precision, s.recall)]
        sys.stdout.write(f"{name:<16} {s.rows:>4}  {figures[0]:>9}  {figures[1]:>6}  {s.lost:>4}  "
                         f"{f'{s.needless} of {s.innocent}':>15}  {s.asked}, {s.asked_right}\n")
    if verbose:
        sys.stdout.write("\n".join(wrong) + "\n")


if __name__ == "__main__":
    main()
