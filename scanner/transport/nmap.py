"""nmap as a second opinion on what a service is: opt-in, for chosen hosts, connects only, slowly.

``-sV`` sends probes that fragile devices were seen to reboot under, so it is asked for by the host's address and never
for a network. No OS detection, no scripts, no raw packets; the XML it writes is read by our own hardened reader.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence

from scanner.observation import Reason
from scanner.transport.exchange import ExchangeError

__all__ = ["MOST_HOSTS", "arguments", "look"]

MOST_HOSTS = 32
_SECONDS = 300.0
_MOST_BYTES = 64 << 20


def arguments(addresses: Sequence[str], ports: Sequence[int]) -> list[str]:
    """What nmap is told. Raises `ValueError` for no port, no host or too many hosts."""
    if not ports or not 0 < len(addresses) <= MOST_HOSTS:
        raise ValueError(f"from 1 to {MOST_HOSTS} hosts, and at least one port")
    six = ["-6"] if ":" in addresses[0] else []
    return [*six, "-n", "-Pn", "-sT", "-sV", "--version-light", "--max-retries", "1", "--max-parallelism", "1",
            "--scan-delay", "250ms", "--host-timeout", "120s", "-p", ",".join(map(str, sorted(set(ports)))), "-oX", "-",
            *addresses]


async def look(addresses: Sequence[str], ports: Sequence[int]) -> bytes:
    """The XML of one run.

    Raises:
        ExchangeError: nmap is not installed, failed, or took too long.
    """
    program = shutil.which("nmap")
    if program is None:
        raise ExchangeError(Reason.NOT_APPLICABLE, "nmap is not installed")
    process = await asyncio.create_subprocess_exec(
        program, *arguments(addresses, ports), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(_SECONDS):
            out, told = await process.communicate()
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise ExchangeError(Reason.TIMEOUT, f"nmap took more than {_SECONDS:g} s") from error
    if process.returncode or len(out) > _MOST_BYTES:
        raise ExchangeError(Reason.INTERNAL, f"nmap: {told.decode('utf-8', 'replace').strip()[:200] or 'failed'}")
    return out
