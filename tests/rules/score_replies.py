"""Scores the identity engine on a folder of recorded replies with right answers, and says where it was wrong.

    python -m tests.rules.score_replies ../shared/samples/replies [--verbose]

The folder holds ``MANIFEST.json`` with one row a reply: file, transport and what a correct reader must conclude. The
replies are other people's and stay where they are; nothing of them is kept here.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rules.identity import identify
from rules.labels import fold
from rules.makers import Makers, load
from rules.vocabulary import Identity, Kind, Strength
from scanner.wire import replies

AT = datetime(2026, 11, 22, tzinfo=UTC)
DEVICE = "sample"
SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "replies"

# How the corpus spells a maker that the maker files name otherwise.
_SAME = {
    "samsung": "hanwha",
    "hanwhatechwin": "hanwha",
    "hanwhavision": "hanwha",
    "2ntelekomunikace": "2n",
    "shenzhenreecamtechltd": "reecam",
    "ubnt": "ubiquiti",
    "tandberg": "cisco",
    "flir": "teledyneflir",
    "ipro": "panasonic",
    "steinsvik": "steinsvik",
    "avtechsoftware": "avtech",
    "meritlilin": "lilin",
    "lilin": "lilin",
}


def plain(name: str) -> str:
    """A name without case, spaces, brackets and their content, in the one spelling used for comparing."""
    text = re.sub(r"\(.*?\)|[?-]family\b", "", name)
    text = re.sub(r"[^a-z0-9]", "", fold(text).casefold())
    return _SAME.get(text, text)


@dataclass
class Score:
    """Counts per question, and the rows that were wrong or left open."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    rows: list[str] = field(default_factory=list)

    def add(self, question: str, outcome: str, row: str = "") -> None:
        """One answer: ``right``, ``wrong``, ``unknown`` (no answer) or ``invented`` (an answer where none was due)."""
        self.counts.setdefault(question, Counter())[outcome] += 1
        if row and outcome != "right":
            self.rows.append(f"{outcome:8} {question:9} {row}")

    def of(self, question: str, outcome: str) -> int:
        """How many answers of one kind."""
        return self.counts.get(question, Counter())[outcome]


def vendor_of(row: Mapping[str, Any]) -> str | None:
    """Who the corpus says it is; None where a correct reader names nobody."""
    expected = row["expected"]
    for key in ("vendor", "hw.vendor", "service.vendor", "os.vendor"):
        if expected.get(key):
            return str(expected[key])
    silent = "vendor" in expected or row["vendor"] == "Unknown" or "hw.device" in expected or "must" in expected
    return None if silent else str(row["vendor"])


def _judge(score: Score, question: str, expected: str, got: str | None, where: str, *, carried: bool) -> None:
    if not carried:
        score.add(question, "absent")
    elif got is None:
        score.add(question, "unknown", f"{where}: expected {expected}")
    else:
        alike = (
            plain(got) == plain(expected)
            or plain(got).startswith(plain(expected))
            or plain(expected).endswith(plain(got))
        )
        score.add(question, "right" if alike else "wrong", f"{where}: expected {expected}, got {got}")


def score_maker(
    score: Score, identity: Identity, vendor: str | None, where: str, text: str, makers: Makers
) -> None:
    """The maker; a brand that the corpus takes for the maker counts, since the corpus knows no difference.

    Beside it whether a reply that carries a signal of its maker was named. It carries one if it was named, if the
    maker's first word stands in its bytes, or if anything in it counts as evidence of any maker; what only shows a
    component and what nobody but the corpus tells (an icon's hash without a fact) carry none; of icons alone is counted
    apart whether they point to the right maker.
    """
    named = {plain(name) for name in (identity.maker_name, identity.maker) if name}
    if vendor is None:
        score.add("maker", "invented" if named else "right", f"{where}: nobody expected, got {identity.maker}")
    elif plain(vendor) in named or any(plain(vendor).startswith(name) for name in named if len(name) > 3):
        score.add("maker", "right")
    elif identity.brand and plain(identity.brand) == plain(vendor):
        score.add("maker", "as brand", f"{where}: {vendor}")
    else:
        score.add("maker", "wrong" if named else "unknown", f"{where}: expected {vendor}, got {identity.maker}")
    if vendor is not None:
        hints = any(item.claim == "maker" and item.strength is not Strength.NOTE for item in identity.evidence)
        pointed = {plain(makers.name(item.value)) for item in identity.evidence if item.group == "favicon"
                   and item.claim == "maker"}
        icon = bool(pointed) and {item.group for item in identity.evidence if item.claim == "maker"} == {"favicon"}
        if icon:
            right = any(plain(vendor).startswith(name) or name.startswith(plain(vendor)) for name in pointed)
            score.add("icon", "right" if right else "wrong", f"{where}: {vendor}, got {sorted(pointed)}")
        component = any(item.claim == "component" for item in identity.evidence)
        spelled = len(first_word(vendor)) > 2 and first_word(vendor) in text and not component
        carried = hints or spelled
        outcome = "right" if named or identity.brand else "unknown" if carried else "absent"
        score.add("signal", outcome, f"{where}: {vendor}")


def first_word(vendor: str) -> str:
    """The telling word of a maker's name, as `plain` writes text."""
    return next(iter(re.findall(r"[a-z0-9]+", fold(vendor).casefold())), "")


def score_row(score: Score, row: Mapping[str, Any], data: bytes, makers: Makers) -> Identity:
    """One reply against its right answers; attributes count only where the bytes carry them."""
    port = {"SADP": 37020, "DHIP": 37810, "WS-D": 3702}.get(str(row["kind"])[:4])
    seen = replies.read(row["transport"], port, data, device=DEVICE, now=AT)
    identity = identify(DEVICE, seen, makers)
    expected, where = row["expected"], f"{row['id']} {row['transport']} {row['kind'][:30]}"
    text = plain(data.decode("latin-1")) + plain(data.replace(b"\0", b"").decode("latin-1"))
    score_maker(score, identity, vendor_of(row), where, text, makers)
    if expected.get("sold_as"):
        _judge(score, "brand", expected["sold_as"], identity.brand, where, carried=True)
    wanted = {
        "model": ("model", "hw.model"),
        "firmware": ("firmware",),
        "serial": ("serial", "hw.serial_number"),
        "mac": ("mac", "host.mac"),
    }
    got = {
        "model": identity.model,
        "firmware": identity.firmware,
        "serial": identity.serial,
        "mac": next(iter(identity.macs), None),
    }
    for question, keys in wanted.items():
        answer = next((str(expected[key]) for key in keys if expected.get(key)), None)
        if answer:
            _judge(score, question, answer, got[question], where, carried=plain(answer) in text)
    if "is_camera" in expected:
        camera = identity.kind not in {Kind.OTHER, Kind.HUB, Kind.UNKNOWN}
        outcome = (
            "unknown" if identity.kind is Kind.UNKNOWN else "right" if camera == expected["is_camera"] else "wrong"
        )
        score.add("camera", outcome, f"{where}: expected {expected['is_camera']}, got {identity.kind}")
    return identity


def score_all(folder: Path, makers: Makers) -> Score:
    """Every row of the folder's manifest."""
    score = Score()
    for row in json.loads((folder / "MANIFEST.json").read_text("utf-8"))["rows"]:
        score_row(score, row, (folder / row["file"]).read_bytes(), makers)
    return score


def table(score: Score) -> str:
    """The counts as aligned text."""
    columns = ("right", "as brand", "unknown", "wrong", "invented", "absent")
    lines = [f"{'':10}" + "".join(f"{column:>10}" for column in columns)]
    lines += [
        f"{question:10}" + "".join(f"{counts[column]:>10}" for column in columns)
        for question, counts in score.counts.items()
    ]
    named, missed = score.of("signal", "right"), score.of("signal", "unknown")
    lines.append(f"rows with a maker signal named: {named} of {named + missed} ({share_named(score):.1%})")
    return "\n".join(lines)


def share_named(score: Score) -> float:
    """Of the rows whose bytes carry a signal of their maker, the share whose maker was named."""
    named, missed = score.of("signal", "right"), score.of("signal", "unknown")
    return named / (named + missed) if named + missed else 1.0


def main(arguments: Sequence[str]) -> int:
    """Prints the table and, with ``--verbose``, every row that is not right."""
    folder = Path(next((a for a in arguments if not a.startswith("-")), str(SAMPLES)))
    score = score_all(folder, load())
    sys.stdout.write(table(score) + "\n")
    if "--verbose" in arguments:
        sys.stdout.write("\n".join(score.rows) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
