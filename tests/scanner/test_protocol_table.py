"""The table of datagram protocols, held against what is publicly known of each: where to ask, where to listen."""

import asyncio

import pytest

from scanner.discovery import Discovery
from scanner.pace import Profile
from scanner.protocols import PROTOCOLS
from scanner.scope import Scope
from scanner.settings import Quiet, Settings
from scanner.transport.addresses import Interface
from scanner.wire import datagram, sadp, wsdiscovery

WS_GROUP = "239.255.255.250"
# transport: port, groups asked (v4, v6), broadcast asked, local ports, groups heard, unicast, unicast to everybody
KNOWN = {
    "wsd": (3702, (WS_GROUP, "ff02::c"), False, (0,), (), True, True),
    "sadp": (37020, (WS_GROUP, ""), False, (37020,), (WS_GROUP,), True, True),
    "dhip": (37810, ("239.255.255.251", ""), True, (0,), (), True, True),
    "dahua_v1": (5050, ("", ""), True, (5050,), (), False, False),
    "mhed": (23456, ("234.55.55.55", ""), False, (23456,), ("234.55.55.56", "234.55.55.55"), True, False),
    "xiongmai": (34569, ("", ""), True, (34569,), (), True, False),
    "hanwha": (7701, ("", ""), True, (7711,), (), True, False),
    "bosch": (1757, ("", ""), True, (1758,), (), True, False),
    "vivotek": (10000, ("", ""), True, (0,), (), False, False),
    "sony": (2380, ("", ""), True, (0,), (), False, False),
    "panasonic": (10670, ("", ""), True, (10669, 10670), (), False, False),
    "mdns": (5353, ("224.0.0.251", "ff02::fb"), False, (0,), (), True, False),
    "ssdp": (1900, (WS_GROUP, "ff02::c"), False, (0,), (), True, False),
    "ubiquiti": (10001, ("233.89.188.1", ""), True, (10001,), ("233.89.188.1",), True, False),
    "gvcp": (3956, ("", ""), True, (0,), (), True, False),
    "foscam": (10000, ("", ""), True, (10000,), (), False, False),
    "vstarcam": (8600, ("", ""), True, (8600,), (), False, False),
    "reolink": (2000, ("", ""), True, (3000,), (), True, False),
    "tplink": (20002, ("", ""), True, (0,), (), True, False),
    "tplink_legacy": (9999, ("", ""), True, (0,), (), False, False),
    "vision360": (3600, ("", ""), True, (3600,), (), False, False),
    "nice": (2007, ("", ""), True, (2007,), (), False, False),
    "advantech": (5048, ("", ""), True, (0,), (), False, False),
    "cordex": (46000, ("", ""), True, (0,), (), False, False),
}
ANSWER_BY_BROADCAST = {"sony", "cordex", "gvcp"}      # to the port of the asker, so it must not be bound to one address


def test_every_protocol_is_asked_and_heard_where_it_is_known_to_be():
    told = {one.transport: (one.port, (one.group, one.group6), one.broadcast or not one.group, one.reply_ports,
                            one.reply_groups, one.unicast, one.everywhere) for one in PROTOCOLS}
    assert told == KNOWN
    assert {one.transport for one in PROTOCOLS if one.answers_to_all} == ANSWER_BY_BROADCAST


def test_whatever_a_sweep_asks_for_a_lone_datagram_is_known_by_as_well():
    """The two lists are kept by hand: which codec asks and which form is looked for first is not the codecs' trade."""
    known = {kind: parse for _, kind, parse in datagram._BY_CONTENT} | dict(datagram._BY_PORT.values())
    known |= {"sadp": sadp.parse, "wsd": wsdiscovery.parse}                # markup, told apart by its readers
    assert {one.transport: one.parse for one in PROTOCOLS}.items() <= known.items()


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda one: one.transport)
def test_a_question_is_one_small_datagram_and_who_hears_only_broadcast_is_asked_twice(protocol):
    for questions in (protocol.questions(), protocol.questions("02:00:00:00:00:FE", "10.0.0.9")):
        assert all(0 < len(question) <= 1200 for question in questions)
        assert len(questions) == (2 if not protocol.unicast else {"wsd": 3, "ssdp": 2}.get(protocol.transport, 1))


def test_three_shapes_of_probe_each_one_line_with_an_id_of_its_own():
    (wsd,) = (one for one in PROTOCOLS if one.transport == "wsd")
    probes = [*wsd.payloads(), *wsd.payloads()]
    assert not any(b"\n" in probe or b"Scopes" in probe for probe in probes)
    assert len({probe.partition(b"MessageID>")[2][:45] for probe in probes}) == 6
    assert [b"NetworkVideoTransmitter" in probe for probe in probes[:3]] == [True, False, False]
    assert [b"tds:Device" in probe for probe in probes[:3]] == [False, True, False]


class Ear:
    """Takes what is sent and hears nothing."""

    def __init__(self, link, log):
        self.interface, self.log = link, log
        self.dropped = 0

    def send(self, data, address, port):
        self.log.append((address, port, data))

    def collect(self):
        return []


def test_second_questions_go_out_when_all_first_ones_have():
    log = []
    discovery = Discovery(Scope.of(["10.0.0.0/28"], owner="tests"), Settings(profile=Profile.FAST), {}, Quiet())
    ear = Ear(Interface("eth0", 2, "10.0.0.9", "10.0.0.0/28", "10.0.0.15", "02:00:00:00:00:FE"), log)
    discovery._ears = {one.probe: [ear] for one in PROTOCOLS if one.transport in ("wsd", "dhip", "sony")}
    asyncio.run(discovery._multicast())
    assert [port for _, port, _ in log] == [3702, 37810, 37810, 2380, 3702, 2380, 3702]
    assert {address for address, port, _ in log if port == 37810} == {"239.255.255.251", "10.0.0.15"}
