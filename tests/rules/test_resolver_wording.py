"""Names asked outside in clear text and those asked under encryption are told apart, whatever mix of them was seen."""

import pytest
from specimens import seen

from rules import checks, destinations
from rules.identity import identify
from rules.makers import load
from rules.vocabulary import Status

HERE = "10.0.0.5"
CLEAR = ("114.114.114.114", 53, "udp", ())
TLS = ("1.1.1.1", 853, "tcp", ())
HTTPS = ("203.0.113.7", 443, "tcp", ("mozilla.cloudflare-dns.com",))


def reason(*asked):
    observations = [seen(HERE, "egress", "egress.capture", port, destination=address, protocol=protocol, packets=4,
                         bytes=400, names=names) for address, port, protocol, names in asked]
    clouds = destinations.with_makers(destinations.load(), load())
    found = checks.assess(HERE, identify(HERE, observations, load()), observations, [], checks.load(), clouds)
    one = next(finding for finding in found if finding.rule == "egress.foreign_dns")
    assert one.status is Status.FAIL
    return one.reason


@pytest.mark.parametrize(("asked", "says", "never"), [
    ([CLEAR], "asks 114.114.114.114:53/udp for names in clear text, past", "encryption"),
    ([TLS], "asks 1.1.1.1:853/tcp for names under encryption, past", "clear"),
    ([HTTPS], "asks mozilla.cloudflare-dns.com:443/tcp for names under encryption, past", "clear"),
    ([CLEAR, TLS, HTTPS], ("114.114.114.114:53/udp for names in clear text and 1.1.1.1:853/tcp, "
                            "mozilla.cloudflare-dns.com:443/tcp for names under encryption"),
     "853/tcp for names in clear"),
])
def test_clear_and_hidden_questions_are_told_apart(asked, says, never):
    told = reason(*asked)
    assert says in told
    assert never not in told
