"""Measures whose cloud a name is told to be: ``python -m tests.rules.score_clouds [FILE]``.

A row is a name, the maker whose service it is (empty for nobody's), and why it is there: ``own`` names, look-alikes
(``alike``), platforms of many tenants (``shared``) and ``innocent`` ones. Precision is over names that a maker was told
of, recall over names that have one. Own names that no entry covers stay in: they are what recall is short of.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from rules import destinations, makers

DEVELOPMENT = Path(__file__).parent / "data" / "cloud_names.csv"


@dataclass
class Score:
    """Names told rightly, wrongly and not at all."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + len(self.wrong))

    @property
    def recall(self) -> float:
        return self.right / max(1, self.rows["own"])


def score(path: Path = DEVELOPMENT) -> Score:
    """Every row of a development set."""
    clouds, total = destinations.with_makers(destinations.load(), makers.load()), Score()
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            known = clouds.by_name(row["name"])
            told = known.maker if known else None
            total.rows[row["kind"]] += 1
            if told is not None and told == row["maker"]:
                total.right += 1
            elif told is not None:
                total.wrong.append(f"{row['name']}: {told}, not {row['maker'] or 'anybody'}")
            elif row["maker"]:
                total.missed.append(row["name"])
    return total


def main(arguments: list[str]) -> int:
    """Print the figures; 0 where precision is 95 % or more."""
    found = score(Path(arguments[0]) if arguments else DEVELOPMENT)
    for line in (*(f"wrong  {text}" for text in found.wrong), *(f"missed {name}" for name in found.missed)):
        sys.stdout.write(line + "\n")
    sys.stdout.write(f"{sum(found.rows.values())} names ({dict(found.rows)}): precision {found.precision:.1%}, "
                     f"recall {found.recall:.1%}\n")
    return 0 if found.precision >= 0.95 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
