"""Two codecs written apart, the lab's and the scanner's, understand each other over every discovery protocol."""

import uuid
from datetime import UTC, datetime

import pytest

from lab import datagrams
from lab.personas import PERSONAS
from scanner.observation import Endpoint, Refusal
from scanner.wire import bosch, dhip, gvcp, hanwha, mdns, mhed, sadp, wsdiscovery, xiongmai

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ID = uuid.UUID("0a6dc791-2be6-4991-9af1-454778a1917a")
CODECS = {
    "wsd": (wsdiscovery, 3702, wsdiscovery.requests((ID, ID, ID))),
    "sadp": (sadp, 37020, (sadp.request(ID),)),
    "dhip": (dhip, 37810, (dhip.request(),)),
    "mhed": (mhed, 23456, (mhed.request(),)),
    "xiongmai": (xiongmai, 34569, (xiongmai.request(),)),
    "gvcp": (gvcp, 3956, (gvcp.request(),)),
    "hanwha": (hanwha, 7701, (hanwha.request(),)),
    "bosch": (bosch, 1757, (bosch.request(1),)),
    "mdns": (mdns, 5353, (mdns.request(),)),
}
PAIRS = [(one, protocol) for one in PERSONAS for protocol in CODECS if protocol in one.protocols]


@pytest.mark.parametrize(("one", "protocol"), PAIRS, ids=[f"{one.name}-{protocol}" for one, protocol in PAIRS])
def test_the_scanner_reads_what_the_lab_answers_to_the_scanner(one, protocol) -> None:
    codec, port, requests = CODECS[protocol]
    replies = [reply for request in requests for reply in datagrams.answer(one, port, request, "10.0.0.5")]
    assert replies
    read = [codec.parse(reply, Endpoint("10.0.0.5", port), NOW) for reply in replies]
    assert not [each for each in read if isinstance(each, Refusal)]
    told = {key: value for each in read for key, value in each.items()}
    if protocol != "wsd":
        assert told["ipv4"] == "10.0.0.5"
        assert told.get("mac", one.mac) == one.mac
    assert told.get("serial", one.serial) == one.serial
    if protocol in ("sadp", "dhip", "mhed", "gvcp", "hanwha"):
        assert told["model"] == one.model
