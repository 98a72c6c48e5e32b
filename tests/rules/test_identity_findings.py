"""What identity finds is judged: contradictions and components become findings, and policies know what follows."""

import pytest
import specimens
from specimens import seen
from test_never_approved import complete, judged

from rules import judgement, makers, policy
from rules.vocabulary import Outcome, Status

DEVICE = "10.20.0.17"


def findings_of(observations):
    found = judged({DEVICE: (observations, specimens.tried(DEVICE, observations))})[DEVICE]
    return {one.rule: one for one in found.findings}, found


@pytest.mark.parametrize(("rule", "extra"), [
    ("identity.address_contradiction", seen(DEVICE, "hanwha", "hanwha.search", 7701, mac="00:09:18:00:00:01")),
    ("identity.serial_contradiction", seen(DEVICE, "rtsp", "rtsp.options", 8554, realm=("Login to 7J0A1B2PAG00C11",))),
])
def test_a_contradiction_is_a_finding_with_its_evidence(rule, extra):
    honest, spoofed = specimens.axis(), [*specimens.axis(), extra]
    assert findings_of(honest)[0][rule].status in {Status.PASS, Status.NOT_APPLICABLE}
    found = findings_of(spoofed)[0][rule]
    assert found.status is Status.FAIL
    assert extra.id in found.evidence


def test_what_two_devices_share_is_a_finding_of_both():
    one, two = specimens.axis("10.20.0.17"), specimens.axis("10.20.0.27")
    found = judged({"10.20.0.17": (one, complete("10.20.0.17")), "10.20.0.27": (two, complete("10.20.0.27"))})
    for each in found.values():
        assert {f.rule: f.status for f in each.findings}["identity.shared"] is Status.FAIL


@pytest.mark.parametrize("sign", [
    seen(DEVICE, "http", "http.root", 8080, server="Cross Web Server", status=200),
    seen(DEVICE, "rtsp", "rtsp.options", 8554, server="Hipcam RealServer/V1.0", status=200),
    seen(DEVICE, "tcp", "tcp.connect", 23, state="open", banner="Hi3516EV200 login:"),
    seen(DEVICE, "http", "auth.system", 80, document="dahua-system", soc="Hi3519", status=200),
])
def test_a_component_is_judged_and_names_nobody(sign):
    plain, with_it = findings_of(specimens.axis())[1], findings_of([*specimens.axis(), sign])[1]
    assert plain.verdict.outcome is Outcome.APPROVED
    assert [item.value for item in with_it.identity.evidence if item.claim == "component"] == ["hisilicon"]
    assert (with_it.identity.maker, with_it.identity.brand) == (plain.identity.maker, plain.identity.brand)
    component = {one.rule: one for one in with_it.findings}["identity.component"]
    assert (component.status, component.evidence) == (Status.FAIL, (sign.id,))
    assert "Huawei" in dict(component.facts)["HiSilicon"]
    assert with_it.verdict.outcome in {Outcome.CONDITIONAL, Outcome.PROHIBITED}      # telnet is judged on its own
    assert "finding.medium" in with_it.verdict.rules


def test_a_private_buyer_is_told_of_the_component_and_nothing_follows():
    observations = [*specimens.axis(), seen(DEVICE, "http", "http.root", 8080, server="Cross Web Server", status=200)]
    found = {each.identity.device: each for each in judgement.judge(
        {DEVICE: (observations, complete(DEVICE))}, makers=makers.load(), law=judgement.Law.load(),
        policy=policy.load()["private"], as_of=specimens.NOW.date(), lists=())}[DEVICE]
    assert any("laws on components" in reason for reason in found.verdict.reasons)
    assert "finding.medium" not in found.verdict.rules
