"""What the whole test suite shares: tests that need a system component say so and are skipped where it is absent.

``@pytest.mark.component("nmap")`` marks such a test. With ``CAMVET_REQUIRE_ALL=1`` it fails instead of being skipped,
so that a machine that is meant to have everything cannot pass by having nothing.
"""

import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from lab import namespaces

settings.register_profile("required", derandomize=True)
if os.environ.get("CAMVET_REQUIRE_ALL") == "1":        # the same examples every time; at a desk new ones are drawn
    settings.load_profile("required")


def _programs(advice: str, *names: str) -> Callable[[], str | None]:
    def absent() -> str | None:
        return None if any(shutil.which(name) for name in names) else advice

    return absent


def _no_postgresql() -> str | None:
    servers = [*Path("/usr/lib/postgresql").glob("*/bin/postgres"), shutil.which("postgres")]
    if any(servers) or os.environ.get("CAMVET_TEST_POSTGRESQL"):
        return None
    return "install PostgreSQL (Debian: apt-get install postgresql) or set CAMVET_TEST_POSTGRESQL to a database URL"


COMPONENTS: dict[str, Callable[[], str | None]] = {
    "nmap": _programs("install nmap (Debian: apt-get install nmap)", "nmap"),
    "tshark": _programs("install tshark (Debian: apt-get install tshark)", "tshark"),
    "chromium": _programs("install Chromium (Debian: apt-get install chromium)", "chromium", "chromium-browser",
                          "google-chrome"),
    "dnsmasq": _programs("install dnsmasq (Debian: apt-get install dnsmasq-base)", "dnsmasq"),
    "freeradius": _programs("install FreeRADIUS (Debian: apt-get install freeradius freeradius-utils)", "freeradius",
                            "radiusd"),
    "namespaces": namespaces.missing,
    "postgresql": _no_postgresql,
    "mqtt-broker": _programs("install an MQTT broker (Debian: apt-get install mosquitto)", "mosquitto"),
}
"""Each component a test may ask for, and a function that says how to get it where it is missing."""


@cache
def _how_to_get(component: str) -> str | None:
    return COMPONENTS[component]()


SWEEPING = ("acceptance/test_main_job", "acceptance/test_bad_input", "acceptance/test_gate_story",
            "acceptance/test_namespace_story", "acceptance/test_hostile_streams", "acceptance/test_bytes_sent",
            "acceptance/test_twins_story", "acceptance/test_frames_sent", "acceptance/test_device_identity_story",
            "tests/scanner/test_sweep_", "tests/scanner/test_recognition", "tests/scanner/wire/test_wire_meets")
"""Tests that sweep a simulated site, marked ``sweeps``. Some discovery replies come to a fixed local port, which only
one sweep at a time can hold, so `make test` runs these one after another."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that sweep."""
    for item in items:
        if any(part in item.nodeid for part in SWEEPING):
            item.add_marker(pytest.mark.sweeps)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or fail where everything is required, a test whose component is missing; before any fixture is made."""
    for marker in item.iter_markers("component"):
        (component,) = marker.args
        if component not in COMPONENTS:
            pytest.fail(f"no component {component!r}; there are {', '.join(COMPONENTS)}", pytrace=False)
        advice = _how_to_get(component)
        if advice is not None:
            end = pytest.fail if os.environ.get("CAMVET_REQUIRE_ALL") == "1" else pytest.skip
            end(f"needs {component}: {advice}")
