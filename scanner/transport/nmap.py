"""nmap as a second opinion on what a service is: opt-in, for chosen hosts, connects only, slowly.

``-sV`` sends probes that fragile devices were seen to reboot under, so it is asked for by the host's address and never
for a network. No OS detection, no scripts, no raw packets. python-nmap runs the program; what services said of
themselves is read from the XML by our own hardened reader and not by python-nmap's.
"""

from __future__ import annotations

import asyncio
import ipaddress
import shutil
from collections.abc import Sequence

from scanner.observation import Reason
from scanner.transport.exchange import ExchangeError

__all__ = ["MOST_HOSTS", "OPTIONS", "SECONDS_A_HOST", "SECONDS_BETWEEN", "look", "targets"]

MOST_HOSTS = 32
SECONDS_BETWEEN = 0.25
"""Seconds between two probes to one host."""
SECONDS_A_HOST = 120
"""Seconds after which nmap gives a host up."""
OPTIONS = ("-n", "-Pn", "-sT", "-sV", "--version-light", "--max-retries", "1", "--max-parallelism", "1",
           "--scan-delay", f"{SECONDS_BETWEEN * 1000:g}ms", "--host-timeout", f"{SECONDS_A_HOST}s")
"""What nmap is told beside hosts and ports; only these, so that no script and no raw packet can be asked for."""

_MOST_SECONDS = 300
_MOST_BYTES = 64 << 20


def targets(addresses: Sequence[str], ports: Sequence[int]) -> tuple[str, str, str]:
    """``(hosts, ports, options)`` as nmap takes them: addresses of one IP version, each checked to be one host's.

    Raises `ValueError` for no port, no host, too many hosts, and for anything that is not an address.
    """
    if not 0 < len(addresses) <= MOST_HOSTS or not ports:
        raise ValueError(f"from 1 to {MOST_HOSTS} hosts, and at least one port")
    hosts = [ipaddress.ip_address(one) for one in addresses]
    if any(getattr(one, "scope_id", None) for one in hosts) or len({one.version for one in hosts}) > 1:
        raise ValueError("hosts of one IP version, without a zone")
    numbers = sorted({int(port) for port in ports})
    if not 0 < numbers[0] <= numbers[-1] < 65_536:
        raise ValueError("ports from 1 to 65535")
    six = ["-6"] if hosts[0].version == 6 else []
    return " ".join(map(str, hosts)), ",".join(map(str, numbers)), " ".join((*six, *OPTIONS))


async def look(addresses: Sequence[str], ports: Sequence[int]) -> bytes:
    """The XML of one run.

    Raises:
        ExchangeError: nmap is not installed, failed, or took too long.
    """
    hosts, numbers, options = targets(addresses, ports)
    return await asyncio.to_thread(_run, hosts, numbers, options)


def _run(hosts: str, ports: str, options: str) -> bytes:
    import nmap

    program = shutil.which("nmap")
    if program is None:
        raise ExchangeError(Reason.NOT_APPLICABLE, "nmap is not installed (Debian: apt-get install nmap)")
    try:
        runner = nmap.PortScanner(nmap_search_path=(program,))
        runner.scan(hosts=hosts, ports=ports, arguments=options, timeout=_MOST_SECONDS)
    except nmap.PortScannerTimeout as error:
        raise ExchangeError(Reason.TIMEOUT, f"nmap took more than {_MOST_SECONDS} s") from error
    except nmap.PortScannerError as error:
        raise ExchangeError(Reason.INTERNAL, f"nmap: {_first_line(error)}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:     # its reading of an XML that ends too early
        raise ExchangeError(Reason.INTERNAL, f"nmap wrote what cannot be read ({type(error).__name__})") from error
    told = runner.get_nmap_last_output()
    wire = told if isinstance(told, bytes) else str(told).encode("utf-8", "replace")
    if len(wire) > _MOST_BYTES:
        raise ExchangeError(Reason.TOO_LARGE, f"nmap wrote more than {_MOST_BYTES >> 20} MB")
    return wire


def _first_line(error: Exception) -> str:
    """What nmap complained of, without the quotes that python-nmap puts around it."""
    text = str(error).strip("'\"b ").replace("\\n", "\n").strip()
    return next((line.strip()[:200] for line in text.splitlines() if line.strip()), "failed")
