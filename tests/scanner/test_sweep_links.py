"""A sweep on real links: ARP, multicast and broadcast, in network namespaces made for the test."""

import json
import sys
import textwrap

import pytest

from lab.namespace_site import NamespaceSite
from lab.personas import persona

NAMES = ("dahua-tpc", "hikvision-dome", "tvt", "xiongmai", "hanwha", "axis", "flir")
SWEEP = """
    import json, sys
    from scanner.pace import Profile
    from scanner.preview import plan
    from scanner.scope import Scope
    from scanner.settings import Settings
    from scanner.sweep import run

    scope = Scope.of(json.loads(sys.argv[1]), owner="tests")
    settings = Settings(profile=Profile.FAST)
    result = run(scope, settings)
    print(json.dumps({
        "devices": list(result.devices), "silent": len(result.silent),
        "links": [[use.name, use.network, use.used, use.because] for use in result.links],
        "foreign": sorted({(one.device, one.transport) for one in result.foreign}),
        "arp": {one.device: one.text("mac") for one in result.observations if one.probe == "link.arp"},
        "spoken": sorted({(one.device, one.transport) for one in result.observations}),
        "asked": sorted({(one.device, one.probe) for one in result.attempts}),
        "planned": {step.name: step.at_most for step in plan(scope, settings).steps},
    }))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with NamespaceSite(tmp_path_factory.mktemp("links"), "10.83.0.0/27",
                       [persona(name) for name in NAMES]) as running:
        yield running


def swept(site, *targets):
    done = site.run([sys.executable, "-c", textwrap.dedent(SWEEP), json.dumps(targets)], seconds=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.component("namespaces")
def test_a_link_shows_macs_and_every_tongue(site):
    seen = swept(site, "10.83.0.0/27")
    where = {name: site.address(name) for name in NAMES}
    assert set(where.values()) <= set(seen["devices"])
    assert {name: seen["arp"][address] for name, address in where.items()} == {
        name: persona(name).mac for name in NAMES}
    spoken = {tuple(pair) for pair in seen["spoken"]}
    assert {(where["dahua-tpc"], "dhip"), (where["hikvision-dome"], "sadp"), (where["tvt"], "mhed"),
            (where["xiongmai"], "xiongmai"), (where["hanwha"], "hanwha"), (where["axis"], "mdns"),
            (where["flir"], "gvcp")} <= spoken
    assert [use[1:3] for use in seen["links"] if use[2]] == [["10.83.0.0/27", True]]
    assert seen["planned"]["link.arp"] == 2 * 29                # all but this machine's own, twice to who is silent


@pytest.mark.component("namespaces")
def test_who_answers_from_outside_the_scope_is_noted_and_left_alone(site):
    axis, dahua = site.address("axis"), site.address("dahua-tpc")
    seen = swept(site, axis)
    assert seen["devices"] == [axis]
    assert {device for device, _ in seen["foreign"]} >= {site.address("tvt"), site.address("hikvision-dome")}
    assert {device for device, _ in seen["asked"]} == {axis}
    assert not any(device == dahua for device, _ in seen["spoken"])
