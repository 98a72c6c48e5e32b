"""How fast recorded devices are identified on one core: 10,000 of them, each with its own MAC, serial and address.

What a site repeats (server lines, titles, models) is repeated here too; what differs from device to device differs.
Observations are built before the clock starts: it measures the rules. A second figure begins with the recorded bytes.
Run with ``make bench`` or ``CAMVET_BENCH=1 pytest -s tests/benchmarks/test_bench_identity.py``.
"""

import os
import re
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from rules.identity import identify
from rules.makers import load
from scanner import clock
from scanner.wire import replies

sys.path.insert(0, str(Path(__file__).parents[1] / "rules"))
import specimens

pytestmark = pytest.mark.skipif(os.environ.get("CAMVET_BENCH") != "1", reason="benchmarks run with CAMVET_BENCH=1")

DEVICES = 10_000
TARGET, FLOOR = 2_000, 500            # devices a second: what is aimed at, and what a busy machine must still show
KINDS = ("axis", "dahua", "hikmicro", "hikvision", "imposter", "intelbras", "lorex", "recorder")
_MAC = re.compile(r"^(?:[0-9A-F]{2}:){5}[0-9A-F]{2}$")
_SERIAL = re.compile(r"[0-9A-Z]{4}(?=\b|\")$")


def _own(value, number):
    """The value as this device would send it: its own MAC, its own end of the serial number."""
    if isinstance(value, tuple):
        return tuple(_own(one, number) for one in value)
    if not isinstance(value, str):
        return value
    if _MAC.match(value):
        return f"{value[:8]}:{number >> 16 & 255:02X}:{number >> 8 & 255:02X}:{number & 255:02X}"
    return value


def recorded():
    found = []
    models = {kind: getattr(specimens, kind)() for kind in KINDS}
    for number in range(DEVICES):
        observations = models[KINDS[number % len(KINDS)]]
        device, was = f"10.{40 + (number >> 16)}.{number >> 8 & 255}.{number & 255}", observations[0].device
        serial = next((one.text("serial") for one in observations if one.text("serial")), "")
        own = f"{serial[:-4]}{number:04X}"[:len(serial)] if len(serial) > 8 else serial

        def mine(value, number=number, serial=serial, own=own):
            changed = _own(value, number)
            if serial and isinstance(changed, str):
                return changed.replace(serial, own)
            return tuple(one.replace(serial, own) for one in changed) if serial and isinstance(changed, tuple) \
                else changed

        found.append((device, [replace(one, device=device + one.device[len(was):],
                                       fields={name: mine(value) for name, value in one.fields.items()})
                               for one in observations]))
    return found


def rate(work):
    """Devices a second of one core: processor time, so that what else the machine does counts for nothing."""
    begun = time.process_time()
    work()
    return DEVICES / (time.process_time() - begun)


def test_ten_thousand_recorded_devices():
    devices, makers = recorded(), load()
    identify(*devices[0], makers)                               # the index is built once a process
    makers_named, serials = Counter(), set()

    def work():
        for device, seen in devices:
            found = identify(device, seen, makers)              # used and let go, as `camvet identify` does
            makers_named[found.maker] += 1
            serials.add(found.serial)

    best = max(rate(work) for _ in range(3))
    assert sum(makers_named.values()) == 3 * DEVICES
    assert None not in makers_named
    assert len(serials) > DEVICES // 2
    sys.stdout.write(f"\nidentify: {best:,.0f} devices/s, {sum(len(s) for _, s in devices) / DEVICES:.1f} observations "
                     f"a device (target {TARGET:,})\n")
    assert best >= FLOOR


def test_from_recorded_bytes():
    makers, now = load(), clock.now()
    page = b"HTTP/1.1 200 OK\r\nServer: lighttpd\r\nContent-Type: text/html\r\n\r\n<title>WEB SERVICE</title>"
    replied = [(f"d{number}", (
        ("http", 80, page),
        ("rtsp", 554, f'RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Digest realm="Login to 7J0A1B2PAG'
                      f'{number:05X}", nonce="1"\r\n\r\n'.encode()),
        ("mac", None, f"9C:14:63:{number >> 16 & 255:02X}:{number >> 8 & 255:02X}:{number & 255:02X}".encode()),
    )) for number in range(DEVICES)]
    named = Counter()

    def work():
        for device, rows in replied:
            seen = [one for transport, port, data in rows
                    for one in replies.read(transport, port, data, device=device, now=now)]
            named[identify(device, seen, makers).maker] += 1

    speed = rate(work)
    assert named == {"dahua": DEVICES}
    sys.stdout.write(f"\nparse and identify: {speed:,.0f} devices/s, 3 replies a device\n")
    assert speed >= FLOOR
