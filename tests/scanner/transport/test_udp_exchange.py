import asyncio
from contextlib import asynccontextmanager

import pytest

from scanner.observation import Reason
from scanner.transport.exchange import ExchangeError
from scanner.transport.sent import Tally, counting
from scanner.transport.udp import MOST_ANSWERS, Listener, ask


class Device(asyncio.DatagramProtocol):
    """Answers a datagram with what `replies` returns for it."""

    def __init__(self, replies):
        self.replies, self.heard = replies, []

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.heard.append(data)
        for reply in self.replies(data):
            self.transport.sendto(reply, addr)


@asynccontextmanager
async def device(replies, address="127.0.0.1"):
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Device(replies), local_addr=(address, 0))
    try:
        yield transport.get_extra_info("sockname")[1], protocol
    finally:
        transport.close()


def asked(replies, payloads, listen=0.3, gap=0.1):
    async def scene():
        async with device(replies) as (port, protocol):
            try:
                return await ask("127.0.0.1", port, payloads, listen=listen, gap=gap), protocol.heard
            except ExchangeError as failed:
                return failed, protocol.heard
    return asyncio.run(scene())


def test_the_first_answered_form_is_the_last_one_sent():
    found, heard = asked(lambda data: [b"yes"] if data == b"two" else [], [b"one", b"two", b"three"])
    assert [one.data for one in found] == [b"yes"]
    assert heard == [b"one", b"two"]


def test_several_answers_are_kept_and_a_flood_is_cut():
    found, _ = asked(lambda _data: [b"a", b"b"], [b"?"])
    assert [one.data for one in found] == [b"a", b"b"]
    found, _ = asked(lambda _data: [bytes([n]) for n in range(200)], [b"?"])
    assert len(found) == MOST_ANSWERS


def test_an_answer_from_another_port_counts_and_one_from_another_address_does_not():
    async def scene(other):
        second, _ = await asyncio.get_running_loop().create_datagram_endpoint(asyncio.DatagramProtocol,
                                                                              local_addr=(other, 0))

        class Crooked(Device):
            def datagram_received(self, data, addr):
                second.sendto(b"from elsewhere", addr)

        first, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: Crooked(lambda _data: []),
                                                                             local_addr=("127.0.0.1", 0))
        try:
            port = first.get_extra_info("sockname")[1]
            return await ask("127.0.0.1", port, [b"?"], listen=0.3, gap=0.1), port
        finally:
            first.close()
            second.close()

    found, port = asyncio.run(scene("127.0.0.1"))
    assert [one.data for one in found] == [b"from elsewhere"]
    assert found[0].source.port != port
    with pytest.raises(ExchangeError) as failed:
        asyncio.run(scene("127.0.0.2"))
    assert failed.value.reason is Reason.NO_ANSWER


def test_what_is_sent_is_counted_where_a_count_is_open():
    tally = Tally()
    with counting(tally):
        asked(lambda data: [b"yes"] if data == b"two" else [], [b"one", b"two", b"three"])
    asked(lambda _data: [b"yes"], [b"one"])
    assert tally.to_json() == {"arp": 0, "syn": 0, "datagram": 2, "connection": 0, "request": 0,
                               "membership": 0}
    tally.restore({"datagram": 5, "arp": 7, "smoke": 9})
    assert tally.to_json() == {"arp": 7, "syn": 0, "datagram": 5, "connection": 0, "request": 0,
                               "membership": 0}


def test_silence_and_refusal_are_told_apart():
    failed, heard = asked(lambda _data: [], [b"?"])
    assert failed.reason is Reason.NO_ANSWER
    assert heard == [b"?"]

    async def nobody():
        async with device(lambda _data: []) as (port, _):
            pass
        await ask("127.0.0.1", port, [b"?"], listen=2, gap=0.1)

    with pytest.raises(ExchangeError) as caught:
        asyncio.run(nobody())
    assert caught.value.reason is Reason.REFUSED


def test_a_datagram_from_somebody_else_is_no_answer():
    async def scene():
        async with device(lambda _data: []) as (port, quiet), device(lambda _data: [], "127.0.0.2") as (_, other):
            async def forge():
                while not quiet.heard:
                    await asyncio.sleep(0.01)
                peer = quiet.transport.get_extra_info("sockname")
                assert peer[1] == port
                other.transport.sendto(b"forged", ("127.0.0.1", port))

            forging = asyncio.create_task(forge())
            try:
                await ask("127.0.0.1", port, [b"?"], listen=0.4, gap=0.1)
            finally:
                await forging

    with pytest.raises(ExchangeError) as caught:
        asyncio.run(scene())
    assert caught.value.reason is Reason.NO_ANSWER


def test_a_listener_hears_everybody_and_says_who():
    async def scene():
        ear = await Listener.open()
        port = ear.transport.get_extra_info("sockname")[1]
        async with device(lambda _data: [b"pong"], "127.0.0.9") as (there, _):
            ear.send(b"ping", "127.0.0.9", there)
            await asyncio.sleep(0.2)
            found = ear.collect()
        assert ear.collect() == []
        ear.close()
        return port, found, there

    port, found, there = asyncio.run(scene())
    assert port > 0
    assert [(one.data, one.source.address, one.source.port) for one in found] == [(b"pong", "127.0.0.9", there)]


def test_a_taken_port_is_said():
    async def scene():
        async with device(lambda _data: []) as (port, _):
            await Listener.open(port)

    with pytest.raises(ExchangeError, match="in use"):
        asyncio.run(scene())
