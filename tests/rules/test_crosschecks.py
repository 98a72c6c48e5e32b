"""Devices that contradict themselves or each other: said, and nothing merged."""

import pytest
import specimens
from specimens import seen

from rules.identity import identify
from rules.judgement import Law, judge
from rules.makers import load
from rules.policy import load as policies
from rules.vocabulary import Assurance

HERE, THERE = "10.0.0.5", "10.0.0.6"
LINK, OTHER = "3C:EF:8C:00:00:01", "AC:CC:8E:00:00:02"


def conflicts(*observations, claim):
    identity = identify(HERE, observations, load())
    return [one for one in identity.conflicts if one.claim == claim]


def link(mac=LINK, device=HERE):
    return seen(device, "link", "link.arp", mac=mac, via="arp")


@pytest.mark.parametrize(("observations", "expected"), [
    ((link(), seen(HERE, "dhip", "dhip.search", 37810, mac=OTHER)), [(LINK, OTHER)]),
    ((link(), seen(HERE, "dhip", "dhip.search", 37810, mac=LINK)), []),
    ((link(), seen(HERE, "onvif", "o", 80, scopes=(f"onvif://www.onvif.org/MAC/{OTHER}",))), [(LINK, OTHER)]),
    ((link(), seen(HERE, "dhip", "d", 1, mac=OTHER), seen(HERE, "sadp", "s", 2, mac=LINK)), []),   # two interfaces
    ((seen(HERE, "dhip", "dhip.search", 37810, mac=OTHER),), []),                                  # link not known
    ((link(), link(OTHER)), [(LINK, OTHER)]),                                                      # two answer ARP
    ((link(), seen(HERE, "mdns", "m", 5353, mac=OTHER)), []),                                      # a neighbour's?
])
def test_the_mac_of_a_reply_against_the_link(observations, expected):
    assert [one.values for one in conflicts(*observations, claim="mac")] == expected


@pytest.mark.parametrize(("declared", "count"), [
    ("7J0A1B2PAG00C11", 0), ("7j0a1b2pag00c11", 0), ("IPC-7J0A1B2PAG00C11", 0), ("9Z9Z9Z9PAL00001", 1), ("0000000", 0),
    ("x", 0), ("", 0),
])
def test_the_serial_number_of_a_realm_against_the_declared_one(declared, count):
    realm = seen(HERE, "rtsp", "rtsp.options", 554, realm=("Login to 7J0A1B2PAG00C11",), status=401)
    told = seen(HERE, "onvif", "onvif.GetDeviceInformation", 80, serial=declared)
    assert len(conflicts(realm, told, claim="serial")) == count


@pytest.mark.parametrize(("text", "count"), [("D\u0430hua", 1), ("\uff24ahua", 1), ("Dahua", 0), ("\u0410cme", 0)])
def test_a_name_in_foreign_letters_is_said_and_still_counts(text, count):
    told = seen(HERE, "onvif", "onvif.GetDeviceInformation", 80, manufacturer=text)
    assert len(conflicts(told, claim="spelling")) == count
    if count:
        assert identify(HERE, [told], load()).maker == "dahua"


@pytest.mark.parametrize(("fields", "what"), [
    ({"transport": "link", "mac": LINK}, "MAC"), ({"transport": "onvif", "serial": "AB12345"}, "serial number"),
    ({"transport": "wsd", "endpoint_reference": "11111111-2222-3333-4444-555555555555"}, "endpoint UUID"),
])
def test_what_two_devices_share_is_said_of_both_and_they_stay_two(fields, what):
    transport = fields.pop("transport")
    devices = {device: ([seen(device, transport, "p", 80, **fields)], []) for device in (HERE, THERE)}
    found = judge(devices, makers=load(), law=Law.load(), policy=policies()["private"], as_of=specimens.NOW.date())
    assert [one.identity.device for one in found] == [HERE, THERE]
    for one in found:
        (conflict,) = [each for each in one.identity.conflicts if each.claim == "duplicate"]
        assert conflict.values == (HERE, THERE)
        assert what in conflict.because


def test_placeholders_are_no_duplicates():
    devices = {device: ([seen(device, "onvif", "p", 80, serial="00000000000000")], []) for device in (HERE, THERE)}
    found = judge(devices, makers=load(), law=Law.load(), policy=policies()["private"], as_of=specimens.NOW.date())
    assert not any(one.identity.conflicts for one in found)


def test_a_label_proves_nothing_however_well_it_knows_the_grammar():
    label = seen("label:2", "label", "import", manufacturer="Dahua", model="IPC-HFW5241E", serial="7J0A1B2PAG00C11",
                 firmware="2.800.0000000.29.R.210630", mac="9C:14:63:00:00:11", quantity=4)
    found = identify("label:2", [label], load())
    assert (found.maker, found.assurance) == ("dahua", Assurance.SELF_REPORTED)
    assert {str(item.basis) for item in found.evidence if item.claim == "maker"} == {"label"}
