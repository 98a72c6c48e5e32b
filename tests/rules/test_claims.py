"""When a claim is proven, not proven or contradicted."""

from datetime import UTC, datetime

import pytest

from rules.claims import LONG_ENOUGH_S, Claim, Standing, Watch, check
from scanner.observation import Attempt, AttemptStatus, Observation, Reason

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = Watch(LONG_ENOUGH_S, "the mirror of switch 3", complete=True)
SEEN = Attempt("cam", "egress.capture", None, AttemptStatus.COMPLETED, NOW)
UNSEEN = Attempt("cam", "egress.capture", None, AttemptStatus.FAILED, NOW, Reason.NO_ANSWER)


def talk(destination="203.0.113.8", port=443, **fields):
    fields = {"destination": destination, "protocol": "tcp", "packets": 4, "bytes": 400, **fields}
    return Observation.of(device="cam", transport="egress", probe="egress.capture", port=port, at=NOW, fields=fields,
                          wire=repr(sorted(fields.items())).encode())


def heard(transport, **fields):
    return Observation.of(device="cam", transport=transport, probe="passive", port=None, at=NOW, fields=fields,
                          wire=b"x")


INSIDE = talk("10.0.0.1", 123)


@pytest.mark.parametrize(("claim", "seen", "attempts", "watch", "standing"), [
    (Claim.NO_NETWORK, [heard("link", mac="02:00:00:00:00:01")], [], None, Standing.CONTRADICTED),
    (Claim.NO_NETWORK, [INSIDE], [SEEN], DAY, Standing.CONTRADICTED),
    (Claim.NO_NETWORK, [heard("tcp", state="closed")], [UNSEEN], DAY, Standing.NOT_PROVEN),
    (Claim.NO_NETWORK, [heard("import", serial="1")], [], DAY, Standing.NOT_PROVEN),
    (Claim.NO_NETWORK, [], [UNSEEN], DAY, Standing.NOT_PROVEN),
    (Claim.NO_OUTSIDE, [INSIDE], [SEEN], DAY, Standing.PROVEN),
    (Claim.NO_OUTSIDE, [INSIDE, talk()], [SEEN], DAY, Standing.CONTRADICTED),
    (Claim.NO_OUTSIDE, [talk()], [UNSEEN], None, Standing.CONTRADICTED),
    (Claim.NO_OUTSIDE, [INSIDE], [SEEN], None, Standing.NOT_PROVEN),
    (Claim.NO_OUTSIDE, [INSIDE], [UNSEEN], DAY, Standing.NOT_PROVEN),
    (Claim.NO_OUTSIDE, [INSIDE], [SEEN], Watch(LONG_ENOUGH_S - 1, "x", complete=True), Standing.NOT_PROVEN),
    (Claim.NO_OUTSIDE, [INSIDE], [SEEN], Watch(LONG_ENOUGH_S * 9, "x", complete=False), Standing.NOT_PROVEN),
    (Claim.NO_CLOUD, [talk(purpose="p2p")], [SEEN], DAY, Standing.CONTRADICTED),
    (Claim.NO_CLOUD, [talk(cloud_of="dahua")], [SEEN], DAY, Standing.CONTRADICTED),
    (Claim.NO_CLOUD, [talk(port=53, purpose="dns")], [SEEN], DAY, Standing.NOT_PROVEN),
    (Claim.NO_P2P, [talk(signs=("pppp",))], [SEEN], DAY, Standing.CONTRADICTED),
    (Claim.NO_P2P, [talk("10.0.0.9", signs=("pppp",))], [SEEN], DAY, Standing.NOT_PROVEN),
    (Claim.NO_DATA, [], [SEEN], DAY, Standing.NOT_PROVEN),
    (Claim.NO_FACES, [], [SEEN], DAY, Standing.NOT_PROVEN),
])
def test_how_a_claim_stands(claim, seen, attempts, watch, standing):
    answer = check(claim, seen, attempts, watch)
    assert answer.standing is standing
    assert answer.because
    assert bool(answer.evidence) is (standing is not Standing.NOT_PROVEN)


def test_a_proof_says_how_long_and_from_where():
    answer = check(Claim.NO_OUTSIDE, [INSIDE], [SEEN], DAY)
    assert (answer.watched_s, answer.vantage) == (LONG_ENOUGH_S, "the mirror of switch 3")
    assert "24.0 hours from the mirror of switch 3" in answer.because


@pytest.mark.parametrize("claim", Claim)
def test_nothing_seen_proves_nothing(claim):
    assert check(claim, [], [], None).standing is Standing.NOT_PROVEN
    assert check(claim, [], [], DAY).standing is Standing.NOT_PROVEN
