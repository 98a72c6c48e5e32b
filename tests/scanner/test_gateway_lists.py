"""Reading a router's list: on its own address only, to its end or to the cap, and what becomes of each entry."""

import asyncio
import os
from dataclasses import replace

import pytest

from lab.hearing import Hearing
from lab.site import Site
from lab.twins import TWINS
from scanner.dossier import Dossier
from scanner.gateway import MAPPINGS, MOST_MAPPINGS, read_mappings
from scanner.observation import AttemptStatus, Reason
from scanner.pace import Profile
from scanner.settings import Settings
from scanner.transport.exchange import PortMap

NETWORK = f"127.{230 + os.getpid() % 20}.7.0/24"
ROUTER = next(one for one in TWINS if one.name == "router")


def looked(tmp_path, opens, location="http://{router}:5000/rootDesc.xml"):
    """The camera's dossier and what the router heard, after one look at a router that opens these ports."""
    hearing = Hearing()
    persona = replace(ROUTER, host=1, options={**ROUTER.options, "opens": opens})
    with Site.loopback(NETWORK, out_dir=tmp_path, personas=[persona], port_offset=28_000, hearing=hearing) as site:
        settings = Settings(Profile.FAST, PortMap(tcp={80: site.port(80)}))
        address = site.address("router")
        camera = str(site.network[9])
        dossiers = {one: Dossier(one, settings.pace) for one in (address, camera)}
        dossiers[address].observe("ssdp", "ssdp.search", 1900, {"location": location.format(router=address)}, b"s")
        dossiers[camera].observe("link", "link.neighbour", None, {"mac": "00:00:00:00:00:01"}, b"l")
        asyncio.run(read_mappings(dossiers, settings))
    return dossiers[camera], [bytes(one.data) for one in hearing.heard]


def outcome(dossier):
    return next(one for one in dossier.attempts if one.probe == MAPPINGS)


def test_an_entry_is_kept_with_the_device_it_leads_to(tmp_path):
    camera, _ = looked(tmp_path, "8080/tcp:9:80 8081/udp:77:80")
    held = [one for one in camera.seen if one.transport == "igd"]
    assert [(one.fields["external_port"], one.fields["internal_port"]) for one in held] == [(8080, 80)]
    assert outcome(camera).status is AttemptStatus.COMPLETED


def test_an_empty_list_is_a_result(tmp_path):
    camera, _ = looked(tmp_path, "")
    assert outcome(camera).status is AttemptStatus.COMPLETED
    assert not outcome(camera).observations


def test_a_list_without_end_is_cut_and_said_to_be(tmp_path):
    camera, heard = looked(tmp_path, " ".join(f"{port}/tcp:8:80" for port in range(1, MOST_MAPPINGS + 50)))
    assert outcome(camera).reason is Reason.TOO_LARGE
    assert sum(data.count(b"POST ") for data in heard) == MOST_MAPPINGS


@pytest.mark.parametrize("location", ["http://127.0.0.1:5000/rootDesc.xml", "https://{router}:5000/rootDesc.xml",
                                      "http://[bad", "file:///etc/passwd", "http://{router}:99999/"])
def test_a_description_elsewhere_is_never_fetched(tmp_path, location):
    camera, heard = looked(tmp_path, "8080/tcp:9:80", location)
    assert heard == []
    assert outcome(camera).reason is Reason.NO_ANSWER
