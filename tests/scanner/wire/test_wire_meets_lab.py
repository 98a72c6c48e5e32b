"""What this side asks, the simulated devices answer, and what they answer, this side reads: both written apart."""

from uuid import UUID

import pytest
from wire_samples import NOW

from lab import datagrams
from lab.personas import PERSONAS
from scanner.observation import Endpoint, Refusal
from scanner.wire import (
    bosch,
    datagram,
    dhip,
    gvcp,
    hanwha,
    mdns,
    mhed,
    oui,
    sadp,
    wsdiscovery,
    xiongmai,
)

ADDRESS = "10.20.30.40"
REQUESTS = {
    "wsd": wsdiscovery.request(wsdiscovery.Shape.TRANSMITTER, UUID(int=1)),
    "sadp": sadp.request(UUID(int=2)),
    "dhip": dhip.request(),
    "mhed": mhed.request(),
    "xiongmai": xiongmai.request(),
    "gvcp": gvcp.request(),
    "hanwha": hanwha.request(),
    "bosch": bosch.request(7),
    "mdns": mdns.request(),
}
SPOKEN = [
    (persona, port, name)
    for persona in PERSONAS
    for port, name in datagrams.PORTS.items()
    if name in persona.protocols and not (name == "wsd" and persona.family in ("printer", "switch"))
]


@pytest.mark.parametrize(("persona", "port", "name"), SPOKEN, ids=lambda value: getattr(value, "name", str(value)))
def test_every_simulated_device_is_understood(persona, port, name):
    answers = datagrams.answer(persona, port, REQUESTS[name], ADDRESS)
    assert answers
    for answer in answers:
        kind, fields = datagram.read(answer, Endpoint(ADDRESS, port), NOW)
        assert kind == name
        assert not isinstance(fields, Refusal)
        if name in ("sadp", "dhip", "mhed", "xiongmai", "gvcp", "hanwha", "bosch"):
            assert fields["mac"] == oui.normalise(persona.mac)
        if name in ("sadp", "dhip", "mhed", "gvcp", "hanwha"):
            assert fields["model"] == persona.model
        if name in ("dhip", "mhed", "gvcp", "xiongmai", "sadp"):
            build = f" build {fields['firmware_build']}" if "firmware_build" in fields else ""
            assert f"{fields['firmware']}{build}" == persona.firmware
