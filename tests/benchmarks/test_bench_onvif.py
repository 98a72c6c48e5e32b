"""How fast the ONVIF reads of a sweep are, against one onvif-zeep camera object a device.

254 loopback devices, four calls each. The library builds its client from WSDL files for every device; it is measured
on a few devices and scaled, since all of them would take minutes. Run with ``make bench``.
"""

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(os.environ.get("CAMVET_BENCH") != "1", reason="benchmarks run with CAMVET_BENCH=1")

DEVICES, SAMPLE, PORT = 254, 6, 20_080
CALLS = ("GetSystemDateAndTime", "GetDeviceInformation", "GetScopes", "GetCapabilities")
TARGET, FLOOR = 100, 15           # times faster: what is aimed at, and what a busy machine must still show
MOST_MEGABYTES = 60

BODIES = {
    "GetSystemDateAndTime": "<d:SystemDateAndTime><s:DateTimeType>NTP</s:DateTimeType><s:DaylightSavings>false"
                            "</s:DaylightSavings><s:UTCDateTime><s:Time><s:Hour>1</s:Hour><s:Minute>2</s:Minute>"
                            "<s:Second>3</s:Second></s:Time><s:Date><s:Year>2026</s:Year><s:Month>1</s:Month><s:Day>2"
                            "</s:Day></s:Date></s:UTCDateTime></d:SystemDateAndTime>",
    "GetDeviceInformation": "<d:Manufacturer>Lab</d:Manufacturer><d:Model>B-1</d:Model><d:FirmwareVersion>1.0"
                            "</d:FirmwareVersion><d:SerialNumber>7</d:SerialNumber><d:HardwareId>h</d:HardwareId>",
    "GetScopes": "<d:Scopes><s:ScopeDef>Fixed</s:ScopeDef><s:ScopeItem>onvif://www.onvif.org/name/Lab</s:ScopeItem>"
                 "</d:Scopes>",
    "GetCapabilities": "<d:Capabilities><s:Device><s:XAddr>http://{host}/onvif/device_service</s:XAddr></s:Device>"
                       "</d:Capabilities>",
}


def serve(ready):
    """Every address of 127.82.0.0/24 at once: a socket bound to all addresses answers for each."""
    async def answer(reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                               if line.startswith(b"content-length")), 0)
                asked = (head + await reader.readexactly(length)).decode()
                name = next(name for name in BODIES if name in asked)
                host = f"{writer.get_extra_info('sockname')[0]}:{PORT}"
                body = ('<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
                        'xmlns:d="http://www.onvif.org/ver10/device/wsdl" xmlns:s="http://www.onvif.org/ver10/schema">'
                        f"<e:Body><d:{name}Response>{BODIES[name].format(host=host)}</d:{name}Response></e:Body>"
                        "</e:Envelope>").encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: %d\r\n\r\n"
                             % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main():
        async with await asyncio.start_server(answer, "0.0.0.0", PORT, backlog=1024) as server:
            ready.set()
            await server.serve_forever()

    asyncio.run(main())


@pytest.fixture(scope="module")
def devices():
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    process = spawn.Process(target=serve, args=(ready,), daemon=True)
    process.start()
    assert ready.wait(20)
    yield [f"127.82.0.{host}" for host in range(1, DEVICES + 1)]
    process.terminate()
    process.join()


OURS = f"""
    import asyncio, json, resource, sys, time
    from scanner.dossier import Dossier
    from scanner.onvif import DEVICE_PATH, call
    from scanner.pace import PACES, Profile
    from scanner.question import Door
    from scanner.transport.exchange import PortMap
    from scanner.transport.http import HttpClient

    pace, slots = PACES[Profile.FAST], asyncio.Semaphore(PACES[Profile.FAST].devices)

    async def read(address):
        async with slots:
            dossier = Dossier(address, pace)
            client = HttpClient(address, PortMap({{80: {PORT}}}), pace.exchange_deadline)
            found = [await call(dossier, client, Door(80, DEVICE_PATH), name) for name in {CALLS!r}]
            await client.close()
            return sum(one is not None and one.fields.get("operation") == name for one, name in zip(found, {CALLS!r}))

    async def main():
        return sum(await asyncio.gather(*(read(address) for address in json.loads(sys.argv[1]))))

    begun = time.perf_counter()
    done = asyncio.run(main())
    took = time.perf_counter() - begun
    print(json.dumps([done, took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""

THEIRS = f"""
    import json, sys, time
    from onvif import ONVIFCamera

    begun = time.perf_counter()
    for address in json.loads(sys.argv[1]):
        device = ONVIFCamera(address, {PORT}, "user", "password").devicemgmt
        device.GetSystemDateAndTime()
        device.GetDeviceInformation()
        device.GetScopes()
        device.GetCapabilities({{"Category": "All"}})
    print(json.dumps(time.perf_counter() - begun))
"""


def measured(script, addresses):
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script), json.dumps(addresses)], check=True,
                          capture_output=True, text=True, timeout=300)
    return json.loads(done.stdout.splitlines()[-1])


def test_the_onvif_reads_of_a_site(devices):
    calls, ours, megabytes = measured(OURS, devices)
    theirs = measured(THEIRS, devices[:SAMPLE]) / SAMPLE * DEVICES
    sys.stdout.write(f"\n{DEVICES} devices x {len(CALLS)} calls: camvet {ours:.2f} s, {megabytes:.0f} MB; onvif-zeep "
                     f"{theirs:.0f} s (scaled from {SAMPLE}); {theirs / ours:.0f} times faster, aim {TARGET}\n")
    assert calls == DEVICES * len(CALLS)
    assert megabytes < MOST_MEGABYTES
    assert theirs / ours >= FLOOR
