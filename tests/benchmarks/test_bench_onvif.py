"""How fast the ONVIF reads of a sweep are, against one onvif-zeep camera object a device.

254 loopback devices in a process of their own, four calls each. The library is used with its default arguments, a fresh
object a device: ``ONVIFCamera(host, port, user, password)``, ``create_devicemgmt_service()``, the calls. The object
makes itself such a service too, so WSDL files are parsed twice; its own service alone is measured as well. The library
is measured on a few devices and scaled, since all would take minutes. Imports count for neither side. Run with
``make bench``.
"""

import asyncio
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(os.environ.get("CAMVET_BENCH") != "1", reason="benchmarks run with CAMVET_BENCH=1")

DEVICES, SAMPLE, RUNS, PORT = 254, 6, 5, 20_080
CALLS = ("GetSystemDateAndTime", "GetDeviceInformation", "GetScopes", "GetCapabilities")
TARGET, FLOOR = 100, 15           # times faster: what is aimed at, and what a busy machine must still show
MOST_MEGABYTES = 60

TERSE = {
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


def flags(*names):
    """Elements that say true."""
    return "".join(f"<s:{name}>true</s:{name}>" for name in names)


# What cameras of today send: an envelope that declares every namespace their code generator knows, and full lists. No
# event service is named, since the library would parse a third WSDL file for it.
WORDY = TERSE | {
    "GetScopes": "".join(
        f"<d:Scopes><s:ScopeDef>Fixed</s:ScopeDef><s:ScopeItem>onvif://www.onvif.org/{scope}</s:ScopeItem></d:Scopes>"
        for scope in ("type/video_encoder", "type/audio_encoder", "type/Network_Video_Transmitter", "Profile/Streaming",
                      "Profile/G", "Profile/T", "name/Lab%20B-1", "hardware/B-1", "location/country/lab",
                      "location/city/lab")),
    "GetCapabilities":
        "<d:Capabilities><s:Device><s:XAddr>http://{host}/onvif/device_service</s:XAddr><s:Network>"
        + flags("IPFilter", "ZeroConfiguration", "IPVersion6", "DynDNS") + "</s:Network><s:System>"
        + flags("DiscoveryResolve", "DiscoveryBye", "RemoteDiscovery", "SystemBackup", "SystemLogging",
                "FirmwareUpgrade")
        + "<s:SupportedVersions><s:Major>19</s:Major><s:Minor>12</s:Minor></s:SupportedVersions></s:System><s:IO>"
          "<s:InputConnectors>1</s:InputConnectors><s:RelayOutputs>1</s:RelayOutputs></s:IO><s:Security>"
        + flags("TLS1.1", "TLS1.2", "OnboardKeyGeneration", "AccessPolicyConfig", "X.509Token", "SAMLToken",
                "KerberosToken", "RELToken")
        + "</s:Security></s:Device><s:Media><s:XAddr>http://{host}/onvif/media_service</s:XAddr>"
          "<s:StreamingCapabilities>" + flags("RTPMulticast", "RTP_TCP", "RTP_RTSP_TCP")
        + "</s:StreamingCapabilities></s:Media></d:Capabilities>",
}
NAMESPACES = "".join(f' xmlns:n{part}="http://www.onvif.org/ver10/generated/part{part}/wsdl"' for part in range(30))
SITES = {"terse": (TERSE, ""), "wordy": (WORDY, NAMESPACES)}


class Device(asyncio.Protocol):
    """One connection to one device; answers a request as soon as it is whole."""

    def __init__(self, bodies, namespaces):
        self.bodies, self.namespaces, self.buffer = bodies, namespaces, b""

    def connection_made(self, transport):
        self.transport = transport
        self.host = f"{transport.get_extra_info('sockname')[0]}:{PORT}"

    def data_received(self, data):
        self.buffer += data
        head, end, rest = self.buffer.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0) if end else 0
        if end and len(rest) >= length:
            self.buffer = rest[length:]
            name = next(name for name in self.bodies if name.encode() in rest)
            self.transport.write(self.reply(name))

    def reply(self, name):
        body = ('<?xml version="1.0" encoding="UTF-8"?>\n<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
                'xmlns:d="http://www.onvif.org/ver10/device/wsdl" xmlns:s="http://www.onvif.org/ver10/schema"'
                f"{self.namespaces}><e:Body><d:{name}Response>{self.bodies[name].format(host=self.host)}"
                f"</d:{name}Response></e:Body></e:Envelope>").encode()
        return (b"HTTP/1.1 200 OK\r\nServer: lab/1.0\r\nContent-Type: application/soap+xml; charset=utf-8\r\n"
                b"Content-Length: %d\r\n\r\n" % len(body)) + body


def serve(addresses, site, ready):
    """Every device of the site, each bound to its own loopback address."""
    async def main():
        server = await asyncio.get_running_loop().create_server(lambda: Device(*SITES[site]), addresses, PORT)
        async with server:
            ready.set()
            await server.serve_forever()

    asyncio.run(main())


@pytest.fixture(params=list(SITES))
def site(request):
    addresses = [f"127.82.{list(SITES).index(request.param)}.{host}" for host in range(1, DEVICES + 1)]
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    process = spawn.Process(target=serve, args=(addresses, request.param, ready), daemon=True)
    process.start()
    assert ready.wait(20)
    yield request.param, addresses
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

    def read(address, create):
        camera = ONVIFCamera(address, {PORT}, "user", "password")
        device = camera.create_devicemgmt_service() if create else camera.devicemgmt
        device.GetSystemDateAndTime()
        device.GetDeviceInformation()
        device.GetScopes()
        device.GetCapabilities({{"Category": "All"}})

    took = []
    for create in (True, False):
        begun = time.perf_counter()
        for address in json.loads(sys.argv[1]):
            read(address, create)
        took.append(time.perf_counter() - begun)
    print(json.dumps(took))
"""


def measured(script, addresses):
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script), json.dumps(addresses)], check=True,
                          capture_output=True, text=True, timeout=300)
    return json.loads(done.stdout.splitlines()[-1])


def test_the_onvif_reads_of_a_site(site):
    replies, addresses = site
    runs = [measured(OURS, addresses) for _ in range(RUNS)]
    seconds = sorted(took for _, took, _ in runs)
    ours, megabytes = statistics.median(seconds), max(resident for *_, resident in runs)
    created, own = (took / SAMPLE * DEVICES for took in measured(THEIRS, addresses[:SAMPLE]))
    sys.stdout.write(
        f"\n{replies} replies, {DEVICES} devices x {len(CALLS)} calls: camvet {ours:.2f} s (median of {RUNS}, "
        f"{seconds[0]:.2f} to {seconds[-1]:.2f}), {megabytes:.0f} MB; onvif-zeep, scaled from {SAMPLE} devices: "
        f"{created:.0f} s with create_devicemgmt_service(), {created / ours:.0f} times ours (aim {TARGET}); "
        f"{own:.0f} s with the service of the object, {own / ours:.0f} times ours\n")
    assert {calls for calls, *_ in runs} == {DEVICES * len(CALLS)}
    assert megabytes < MOST_MEGABYTES
    assert created / ours >= FLOOR
