"""How well recorded replies of real devices are read; run with ``-s`` to see the table. Skips where there are none."""

import sys

import pytest
from score_replies import SAMPLES, score_all, share_named, table

from rules.makers import load

pytestmark = pytest.mark.skipif(
    not (SAMPLES / "MANIFEST.json").exists(), reason="no recorded replies beside the checkout"
)


def test_recorded_replies_name_the_right_maker_or_none() -> None:
    score = score_all(SAMPLES, load())
    sys.stdout.write("\n" + table(score) + "\n")
    total = sum(score.counts["maker"].values())
    assert score.of("maker", "wrong") == 0, score.rows
    assert score.of("maker", "invented") == 0, score.rows
    assert score.of("maker", "right") + score.of("maker", "as brand") >= 0.85 * total, score.rows
    assert share_named(score) >= 0.95, score.rows


@pytest.mark.parametrize("question", ["brand", "model", "firmware", "serial", "mac"])
def test_what_the_bytes_carry_is_read(question: str) -> None:
    score = score_all(SAMPLES, load())
    assert score.of(question, "wrong") == 0, score.rows
    assert score.of(question, "unknown") == 0, score.rows
