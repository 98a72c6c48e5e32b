"""Figures of the version engine on labelled rows: ``python tests/rules/score_versions.py [FILE.csv]``.

Columns: maker, model, firmware, cve, expected, kind, and where the device tells it apart build. Prints right answers by
kind and by maker, and every row that came out wrong.
"""

import csv
import sys
from collections import Counter
from pathlib import Path

from rules import advisories

ROWS = Path(__file__).parent / "data" / "versions.csv"
UNSEEN = Path(__file__).parent / "data" / "versions_unseen.csv"
SPELLINGS = Path(__file__).parent / "data" / "versions_spellings.csv"
BLIND = Path(__file__).parent / "data" / "versions_blind.csv"
SURE = {"affected", "not_affected"}


def rows(path=ROWS):
    """The labelled rows of a file."""
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def answer(row):
    """What the engine says of one row: a state, or ``missing`` where the advisory is not held for the maker."""
    results = advisories.results_for(row["maker"], row["model"], row["firmware"], row.get("build") or None)
    return next((str(r.status) for r in results if r.cve == row["cve"]), "missing")


def score(labelled):
    """Right and all by kind, the rows that came out wrong, and sure answers where none was due."""
    right, total, wrong = Counter(), Counter(), []
    for row in labelled:
        said = answer(row)
        total[row["kind"]] += 1
        right[row["kind"]] += said == row["expected"]
        if said != row["expected"]:
            wrong.append((row, said))
    oversure = [(row, said) for row, said in wrong if said in SURE and row["expected"] not in SURE]
    return right, total, wrong, oversure


if __name__ == "__main__":
    labelled = rows(Path(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
    right, total, wrong, oversure = score(labelled)
    for kind in sorted(total):
        sys.stdout.write(f"{kind:<14} {right[kind]:>4} of {total[kind]:>4}  {right[kind] / total[kind]:.1%}\n")
    sys.stdout.write(f"all            {sum(right.values()):>4} of {sum(total.values()):>4}; "
                     f"sure where nothing is sure: {len(oversure)}\n")
    makers, missed = Counter(row["maker"] for row in labelled), Counter(row["maker"] for row, _ in wrong)
    sys.stdout.write("; ".join(f"{name} {count - missed[name]} of {count}" for name, count in makers.items()) + "\n")
    for row, said in wrong:
        sys.stdout.write(f"  {said} for {row}\n")
