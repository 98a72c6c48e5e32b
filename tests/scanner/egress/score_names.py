"""Scores the names read from captures against tshark and nDPI: ``python -m tests.scanner.egress.score_names FOLDER``.

For every capture below FOLDER each distinct name that tshark (DNS questions and aliases, TLS, DTLS and QUIC server
names, HTTP hosts) or nDPI (requested server name, through nfstream where that is installed) shows is looked for in what
camvet tells. What camvet tells beyond them is printed: a name that neither confirms may be an invented one. Owners and
targets of DNS records (name servers, services, additional addresses) are nobody's destination; they are counted apart.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from scanner import egress
from scanner.egress.names import is_host

FIELDS = ("dns.qry.name", "dns.cname", "tls.handshake.extensions_server_name", "dtls.handshake.extensions_server_name",
          "http.host", "dns.resp.name", "dns.ns", "dns.soa.mname", "dns.ptr.domain_name", "dns.srv.target",
          "dns.mx.mail_exchange", "dns.svcb.targetname")
_OWNERS = {f"tshark {field}" for field in FIELDS[5:]}
_SUFFIXES = {".pcap", ".pcapng", ".cap", ".gz"}


@dataclass(frozen=True)
class Score:
    """One capture: names wanted by whoever found them, and what camvet found, missed and told beyond them."""

    file: str
    wanted: dict[str, str]
    found: frozenset[str]

    @property
    def missed(self) -> dict[str, str]:
        return {name: by for name, by in self.wanted.items() if name not in self.found}

    @property
    def asked(self) -> dict[str, str]:
        return {name: by for name, by in self.wanted.items() if by not in _OWNERS}

    @property
    def beyond(self) -> frozenset[str]:
        return self.found - self.wanted.keys()


def plain(text: str) -> str:
    """A host name as it is compared: lower case, without port and final dot; empty where it is no host name."""
    name = text.strip().lower().rstrip(".")
    if re.fullmatch(r"[^:]+:\d{1,5}", name):
        name = name.rsplit(":", 1)[0].rstrip(".")
    return name if is_host(name) else ""


def by_tshark(path: Path) -> dict[str, str]:
    """Names by tshark, each with the field it came from."""
    tool = shutil.which("tshark")
    if tool is None:
        return {}
    fields = [part for field in FIELDS for part in ("-e", field)]
    done = subprocess.run([tool, "-r", str(path), "-T", "fields", "-E", "separator=|", "-E", "aggregator=;", *fields],
                          capture_output=True, text=True, errors="replace", timeout=600, check=False)
    found = {}
    for line in done.stdout.splitlines():
        for field, values in zip(FIELDS, line.split("|"), strict=False):
            for value in values.split(";"):
                if plain(value):
                    found.setdefault(plain(value), f"tshark {field}")
    return found


def by_ndpi(path: Path) -> dict[str, str]:
    """Names by nDPI, each with the protocol nDPI saw them in; empty where nfstream is not installed."""
    if find_spec("nfstream") is None:
        return {}
    from nfstream import NFStreamer
    flows = NFStreamer(source=str(path), n_meters=1, idle_timeout=10**7, active_timeout=10**7)
    return {plain(f.requested_server_name): f"nDPI {f.application_name}" for f in flows
            if plain(f.requested_server_name)}


def by_camvet(path: Path) -> set[str]:
    """Every name that camvet tells of a capture, be it asked for, learned or announced."""
    capture = egress.read(path)
    names = {name for one in capture.names.values() for kind in (one.dns, one.sni, one.http, one.stun) for name in kind}
    names |= {name for talk in capture.conversations for name in talk.names}
    names |= {text.partition(":")[2] for one in capture.names.values() for text in one.told}
    return {plain(name) for name in names} - {""}


def score(path: Path) -> Score:
    """One capture against both."""
    return Score(path.name, by_ndpi(path) | by_tshark(path), frozenset(by_camvet(path)))


def captures(folder: Path) -> list[Path]:
    """Every capture file below a folder."""
    return sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES)


def main(arguments: list[str]) -> int:
    """Print the score of a folder; 0 where at least 98 % of the names are found."""
    total = found = owners = owned = shown = seen = 0
    for path in captures(Path(arguments[0])):
        one = score(path)
        total += len(one.asked)
        found += len(one.asked) - len(one.asked.keys() & one.missed.keys())
        shown += sum(by.startswith("tshark") for by in one.wanted.values())
        seen += sum(by.startswith("tshark") for name, by in one.wanted.items() if name in one.found)
        owners += len(one.wanted) - len(one.asked)
        owned += len(one.wanted.keys() - one.asked.keys() - one.missed.keys())
        for name, by in sorted(one.missed.items()):
            sys.stdout.write(f"{path.name}: missed {name} ({by})\n")
        for name in sorted(one.beyond):
            sys.stdout.write(f"{path.name}: beyond {name}\n")
    sys.stdout.write(f"{found} of {total} names ({found / max(1, total):.2%}); "
                     f"of owners and targets of other records {owned} of {owners}; of tshark's {seen} of {shown}\n")
    return 0 if total and found >= 0.98 * total else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
