import asyncio

import pytest

from scanner.canary import Canaries
from scanner.dossier import Dossier
from scanner.observation import Reason
from scanner.pace import PACES, DevicePace, Pace, Profile, RateLimit, Stopped


def pace(**changes):
    base = PACES[Profile.FAST]
    fields = {name: getattr(base, name) for name in Pace.__slots__}
    return Pace(**{**fields, **changes})


def test_the_profiles_are_those_of_the_contract():
    gentle, normal, fast = (PACES[one] for one in (Profile.GENTLE, Profile.NORMAL, Profile.FAST))
    told = [(one.arp_rate, one.gap, one.requests, one.devices, one.canary_recheck) for one in (gentle, normal)]
    assert told == [(10, 0.25, 10, 16, 30), (200, 0.05, 20, 64, 5)]
    assert (fast.gap, fast.canary_recheck) == (0, None)
    assert gentle.connect_rate <= 50
    assert gentle.exchange_deadline == 8


class Clockwork:
    """A loop whose time moves only when somebody sleeps: rates are counted, not felt."""

    @staticmethod
    def run(coroutine):
        loop = asyncio.new_event_loop()
        moment = [0.0]
        loop.time = lambda: moment[0]
        select = loop._selector.select

        def jump(timeout=None):
            if timeout:
                moment[0] += timeout
            return select(0)

        loop._selector.select = jump
        try:
            return loop.run_until_complete(coroutine), moment[0]
        finally:
            loop.close()


def test_a_rate_is_kept_over_all_callers():
    async def scene():
        limit = RateLimit(10)
        await asyncio.gather(*(limit.wait() for _ in range(31)))

    _, took = Clockwork.run(scene())
    assert took == pytest.approx(3.0, abs=0.01)


def test_one_exchange_at_a_time_with_a_gap_between():
    log = []

    async def scene():
        gate = DevicePace(pace(gap=0.25))
        loop = asyncio.get_running_loop()

        async def ask(number):
            async with gate.turn():
                log.append(("begin", number, round(loop.time(), 2)))
                await asyncio.sleep(1)
                log.append(("end", number, round(loop.time(), 2)))

        await asyncio.gather(*(ask(n) for n in range(3)))

    Clockwork.run(scene())
    assert log == [("begin", 0, 0), ("end", 0, 1), ("begin", 1, 1.25), ("end", 1, 2.25),
                   ("begin", 2, 2.5), ("end", 2, 3.5)]


def outcome(gate, *, request=True):
    async def scene():
        try:
            async with gate.turn(request=request):
                return None
        except Stopped as stop:
            return stop.reason
    return asyncio.run(scene())


def test_the_request_budget_counts_requests_only():
    gate = DevicePace(pace(requests=2))
    assert [outcome(gate) for _ in range(3)] == [None, None, Reason.BUDGET_SPENT]
    assert outcome(gate, request=False) is None
    assert gate.left == 0


def test_a_device_has_its_time_from_the_interview_on():
    async def scene():
        gate = DevicePace(pace(device_deadline=60))
        await asyncio.sleep(1000)
        async with gate.turn():
            gate.begin()
        await asyncio.sleep(61)
        with pytest.raises(Stopped) as caught:
            async with gate.turn():
                pass
        return caught.value.reason

    assert Clockwork.run(scene())[0] is Reason.BUDGET_SPENT


@pytest.mark.parametrize(("story", "open_after"), [
    ("A R R", True), ("A T R", True), ("R R R R", False), ("A R A R", False), ("A M M M", False), ("A R M R", True),
])
def test_the_circuit_opens_when_a_device_that_answered_fails_twice_in_a_row(story, open_after):
    gate = DevicePace(pace())
    reasons = {"R": Reason.REFUSED, "T": Reason.TIMEOUT, "M": Reason.MALFORMED}
    for letter in story.split():
        if letter == "A":
            gate.answered()
        else:
            gate.failed(reasons[letter])
    assert bool(gate.tripped) is open_after
    assert (outcome(gate) is Reason.CIRCUIT_OPEN) is open_after


@pytest.mark.parametrize(("alive", "said"), [(True, 0), (False, 1)])
def test_the_others_wait_for_the_canary(alive, said):
    notes, log = [], []

    async def scene():
        async def still_alive(_dossier):
            return alive

        canaries = Canaries(30, still_alive, notes.append)
        loop = asyncio.get_running_loop()

        async def lead():
            assert canaries.first("m")
            await asyncio.sleep(2)
            await canaries.look_again("m", Dossier("10.0.0.1", pace()))

        async def follow():
            await asyncio.sleep(0.1)
            assert not canaries.first("m")
            log.append((await canaries.wait("m"), loop.time()))

        await asyncio.gather(lead(), follow(), follow())

    Clockwork.run(scene())
    assert len(notes) == said
    assert all(bool(why) is not alive and at >= 32 for why, at in log)
    assert len(log) == 2
