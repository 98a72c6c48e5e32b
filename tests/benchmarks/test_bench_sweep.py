"""How long the whole command takes: 40 cameras of a dozen kinds on one link, vetted in the profile `normal`.

Every camera is a process of its own in a namespace of its own, with its own MAC, services and firmware quirks; the
command starts, reads its rules, discovers, asks, judges and stores. Found means that its address is among the devices,
identified that the maker is the one who built it. Run with ``CAMVET_BENCH=1 pytest -s`` as root.
"""

import json
import os
import sys
import time

import pytest

from lab.namespace_site import NamespaceSite
from lab.personas import copies, persona

pytestmark = [pytest.mark.skipif(os.environ.get("CAMVET_BENCH") != "1", reason="benchmarks run with CAMVET_BENCH=1"),
              pytest.mark.component("namespaces")]

NETWORK = "10.88.0.0/24"
KINDS = {"dahua-tpc": "dahua", "lorex": "dahua", "hikvision-dome": "hikvision", "hikmicro": "hikvision",
         "uniview": "uniview", "tvt": "tvt", "xiongmai": "xiongmai", "axis": "axis", "hanwha": "hanwha",
         "bosch": "bosch"}
EACH = 4
# The command, and then how much memory its process held at most.
COMMAND = """
import resource, sys
from camvet.cli import main
sys.argv = ["camvet", *sys.argv[1:]]
try:
    main()
finally:
    sys.stderr.write(f"\\nRSS {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}\\n")
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    cameras = [one for place, kind in enumerate(KINDS)
               for one in copies(persona(kind), EACH, first_host=10 + place * EACH)]
    with NamespaceSite(tmp_path_factory.mktemp("site"), NETWORK, cameras) as running:
        yield running, cameras


@pytest.mark.parametrize("profile", ["normal", "fast"])
def test_a_24_with_40_cameras(site, tmp_path, profile):
    running, cameras = site
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    begun = time.perf_counter()
    done = running.run([sys.executable, "-c", COMMAND, "--json", "--db", f"sqlite:///{tmp_path}/camvet.sqlite", "sweep",
                        NETWORK, "--owner", "bench", "--profile", profile], seconds=600, environment=environment)
    took = time.perf_counter() - begun
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    found = {device["ip"]: device["identity"]["maker"] for device in told["devices"]}
    there = {running.address(one.name): KINDS[one.name.rpartition("-")[0]] for one in cameras}
    right = sum(found.get(address) == maker for address, maker in there.items())
    sys.stdout.write(f"\ncamvet sweep /24, {len(there)} cameras, {profile}: {took:.1f} s, "
                     f"{len(there.keys() & found.keys())} found, {right} identified, "
                     f"{done.stderr.split()[-1]} MB; sent {json.dumps(told['sent'])}\n")
    assert there.keys() <= found.keys()
    assert right == len(there)
