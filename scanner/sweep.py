"""The conductor of a sweep: who is there, which ports, one interview a device, everything into the journal.

What is sent, to whom and how fast is decided by the scope, the pace and the files beside this one; here is only the
order. A sweep that is stopped keeps what it finished, and the same scope goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from scanner import clock
from scanner.canary import Canaries, model_of
from scanner.discovery import Discovery
from scanner.dossier import Dossier, PortState
from scanner.factory_pass import try_factory_login
from scanner.gateway import read_mappings
from scanner.interview import Interview
from scanner.journal import Batch, Journal
from scanner.login import LoginPass
from scanner.observation import Attempt, AttemptStatus, Observation, Reason
from scanner.pace import RateLimit
from scanner.plan import Planner, nothing_more
from scanner.ports import connect_all, still_there
from scanner.preview import plan
from scanner.scope import Scope, ScopeError
from scanner.settings import BASE_PORTS, HYGIENE_PORTS, LinkUse, Observer, Quiet, Settings, Silent, SweepResult
from scanner.transport.sent import Tally, counting

__all__ = ["plan", "run", "sweep"]


def run(scope: Scope, settings: Settings, planner: Planner = nothing_more, journal: Journal | None = None,
        observer: Observer | None = None) -> SweepResult:
    """`sweep`, for callers without an event loop. Ctrl-C ends it with what was finished, marked as interrupted."""
    return asyncio.run(sweep(scope, settings, planner, journal or Journal.none(), observer or Quiet()))


async def sweep(scope: Scope, settings: Settings, planner: Planner, journal: Journal,
                observer: Observer) -> SweepResult:
    """Find, connect, ask; returns everything that was seen, tried and left out.

    The journal stays open: the caller calls `Journal.finish` once the result is stored, so that a process that dies in
    between loses nothing.

    Cancelling the task ends the sweep early: the result is marked as interrupted and the journal can be resumed.

    Raises:
        ScopeError: the time window of the scope is not open.
        JournalError: the journal cannot be written.
    """
    if not scope.open_at(clock.now()):
        raise ScopeError("the time window of this scope is not open")
    return await _Sweep(scope, settings, planner, journal, observer).run()


class _Sweep:
    def __init__(self, scope: Scope, settings: Settings, planner: Planner, journal: Journal,
                 observer: Observer) -> None:
        self._scope = scope
        self._settings = settings
        self._planner = planner
        self._journal = journal
        self._observer = observer
        logins = settings.credentials
        self._dossiers = {address: Dossier(address, settings.pace, logins.of(address) if logins else None)
                          for address in scope.addresses()}
        self._discovery = Discovery(scope, settings, self._dossiers, observer)
        self._rate = RateLimit(settings.pace.connect_rate)
        self._slots = asyncio.Semaphore(settings.pace.devices)
        self._canaries = Canaries(settings.pace.canary_recheck if settings.canary else None, self._alive, observer.note)
        self._finished: set[str] = set()
        self._silent: dict[str, Silent] = {}
        self._links: Sequence[LinkUse] = self._discovery.links
        self._foreign: dict[str, Observation] = {}
        self._dropped: dict[str, int] = {}
        self._interrupted = False
        self._sent = Tally()

    async def run(self) -> SweepResult:
        with counting(self._sent):
            return await self._run()

    async def _run(self) -> SweepResult:
        discovered = self._restore()
        try:
            if not discovered:
                await self._discover()
            await self._find_unannounced()
            await self._interview_all()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task:
                task.uncancel()        # the caller gets what was finished, with the mark of an interrupted sweep
            self._interrupted = True
        if self._interrupted:
            self._journal.close()
        return self._result()

    # -- phases --------------------------------------------------------------------------------------------------------

    async def _discover(self) -> None:
        self._observer.phase("link", len(self._dossiers))
        self._discovery.read_tables()
        await self._discovery.ask_links()
        self._observer.phase("datagrams", len(self._dossiers))
        await self._discovery.ask_datagrams()
        self._foreign.update(self._discovery.foreign)
        notes = {"links": [[use.name, use.network, use.used, use.because] for use in self._links],
                 "foreign": [one.to_json() for one in self._foreign.values()], "dropped": self._discovery.dropped,
                 "sent": self._sent.to_json()}
        self._dropped.update(self._discovery.dropped)
        absent = self._discovery.absent                      # of a /16 nearly all: one batch each, not 60 MB at once
        self._journal.write(Batch("discovery", "", [one for each in self._dossiers.values() for one in each.seen],
                                  [one for each in self._dossiers.values() if each.address not in absent
                                   for one in each.attempts], notes))
        for address in absent:
            self._close_absent(self._dossiers[address])

    async def _find_unannounced(self) -> None:
        """Connect to the base ports of every address that said nothing so far: a quiet camera still has a port open."""
        quiet = [one for one in self._waiting() if not one.showed_itself]
        self._observer.phase("connect", len(quiet))
        await self._each(quiet, self._connect)
        self._discovery.read_tables(last=True)         # connecting made the kernel learn who is on the link
        for dossier in quiet:
            if dossier.tried("tcp.connect") and not dossier.showed_itself:
                self._close_silent(dossier)
        present = [one for one in self._waiting() if one.showed_itself] if self._window_open() else []
        self._observer.phase("present", len(present))
        await self._discovery.ask_present(present)
        if present:
            await self._discovery.ask_ports((*BASE_PORTS, *HYGIENE_PORTS))
        if self._settings.port_mappings and self._window_open():
            self._observer.phase("routers", 0)
            await read_mappings(self._dossiers, self._settings)

    async def _connect(self, dossier: Dossier) -> None:
        async with self._slots:
            if self._window_open():
                await connect_all(dossier, BASE_PORTS, self._settings, self._rate)

    async def _interview_all(self) -> None:
        waiting = self._waiting()
        self._observer.phase("interview", len(waiting))
        await self._each(waiting, self._interview)

    async def _interview(self, dossier: Dossier) -> None:
        model = model_of(dossier)
        leads = self._canaries.first(model)
        if not leads and (why := await self._canaries.wait(model)):
            dossier.gate.trip(why)
        async with self._slots:
            if not self._window_open():
                return
            self._observer.device_started(dossier.address)
            dossier.gate.begin()
            begun = len(dossier.attempts)
            interview = Interview(dossier, self._settings, self._planner, self._rate)
            await interview.run()
            login = self._settings.credentials.of(dossier.address) if self._settings.credentials else None
            if login:
                await LoginPass(interview, self._settings, login).run()
            if self._settings.factory_logins:
                await try_factory_login(interview, self._settings, self._settings.factory_logins, login)
            dossier.conclude()
            self._keep(dossier)
            self._observer.device_finished(dossier.address, len(dossier.observations), len(dossier.attempts) - begun)
            if dossier.gate.tripped:
                self._observer.note(f"{dossier.address}: left alone, {dossier.gate.tripped}")
        if leads and not await self._canaries.look_again(model, dossier):
            self._keep(dossier)                            # with how it ended; of two entries the later one counts

    async def _each(self, dossiers: Sequence[Dossier], work: Callable[[Dossier], Awaitable[None]]) -> None:
        async def one(dossier: Dossier) -> None:
            await work(dossier)

        async with asyncio.TaskGroup() as group:
            for dossier in dossiers:
                group.create_task(one(dossier))

    async def _alive(self, dossier: Dossier) -> bool:
        return await still_there(dossier, self._settings, self._rate)

    def _window_open(self) -> bool:
        if self._scope.open_at(clock.now()):
            return True
        if not self._interrupted:
            self._observer.note("the time window of the scope has closed: the rest is not asked")
        self._interrupted = True
        return False

    # -- the record ----------------------------------------------------------------------------------------------------

    def _waiting(self) -> list[Dossier]:
        return [one for one in self._dossiers.values()
                if one.address not in self._finished and one.address not in self._silent]

    def _keep(self, dossier: Dossier) -> None:
        self._finished.add(dossier.address)
        self._journal.write(Batch("device", dossier.address, dossier.seen, dossier.attempts,
                                  {"dropped": dossier.dropped, "ports": sorted(dossier.open_ports),
                                   "sent": self._sent.to_json()}))

    def _close_silent(self, dossier: Dossier) -> None:
        """Nothing is here: the many connects become one attempt, and the address is named with what it did."""
        states = set(dossier.ports.values())
        if PortState.CLOSED in states:
            reason, detail = Reason.REFUSED, "answers, but every port that was tried is closed"
        else:
            reason, detail = Reason.NO_ANSWER, "no answer on any port that was tried"
        tried = " ".join(str(attempt.port) for attempt in dossier.attempts if attempt.probe == "tcp.connect")
        at = dossier.attempts[-1].at if dossier.attempts else clock.now()
        dossier.attempts[:] = [attempt for attempt in dossier.attempts if attempt.probe != "tcp.connect"]
        dossier.attempts.append(Attempt(dossier.address, "tcp.connect", None, AttemptStatus.FAILED, at, reason, tried))
        dossier.observations.clear()
        self._silent[dossier.address] = Silent(dossier.address, str(reason), f"{detail}: {tried}")
        self._journal.write(Batch("silent", dossier.address, (), dossier.attempts,
                                  {"reason": str(reason), "detail": f"{detail}: {tried}"}), durable=False)

    def _close_absent(self, dossier: Dossier) -> None:
        """Nobody on the link owns the address, so nothing that needs a MAC to be sent to was sent."""
        detail = next(one.detail for one in dossier.attempts if one.probe == "link.arp" and one.reason)
        self._silent[dossier.address] = Silent(dossier.address, str(Reason.NO_ANSWER), detail)
        self._journal.write(Batch("silent", dossier.address, (), dossier.attempts,
                                  {"reason": str(Reason.NO_ANSWER), "detail": detail}), durable=False)

    def _restore(self) -> bool:
        """Take over what the journal holds; returns whether discovery was finished."""
        discovered = False
        for batch in self._journal.restored:
            self._sent.restore(batch.notes.get("sent", {}))
            if batch.kind == "discovery":
                discovered = True
                self._restore_discovery(batch)
            elif batch.device in self._dossiers:
                dossier = self._dossiers[batch.device]
                dossier.observations = {one.id: one for one in batch.observations}
                dossier.attempts = list(batch.attempts)
                if batch.kind == "silent":
                    self._silent[batch.device] = Silent(batch.device, batch.notes["reason"], batch.notes["detail"])
                else:
                    dossier.dropped = batch.notes.get("dropped", 0)
                    dossier.ports = dict.fromkeys(batch.notes.get("ports", ()), PortState.OPEN)
                    self._finished.add(batch.device)
                    self._canaries.clear(model_of(dossier))
        if self._journal.restored:
            self._observer.note(f"resumed: {len(self._finished)} devices were already asked")
        return discovered

    def _restore_discovery(self, batch: Batch) -> None:
        for observation in batch.observations:
            self._dossiers[observation.device].observations[observation.id] = observation
        for attempt in batch.attempts:
            self._dossiers[attempt.device].attempts.append(attempt)
        self._links = [LinkUse(*entry) for entry in batch.notes["links"]]
        for doc in batch.notes["foreign"]:
            seen = Observation.from_json(doc)
            self._foreign[seen.id] = seen
        self._dropped.update(batch.notes["dropped"])

    def _result(self) -> SweepResult:
        devices = [one for one in self._dossiers.values() if one.showed_itself and one.address not in self._silent]
        dropped = dict(self._dropped)
        for dossier in devices:
            if dossier.dropped:
                dropped["observations"] = dropped.get("observations", 0) + dossier.dropped
        unasked = [Attempt(one.address, "interview", None, AttemptStatus.NOT_ATTEMPTED, clock.now(), Reason.INTERRUPTED)
                   for one in self._waiting()]
        self._foreign.update(self._discovery.foreign)
        return SweepResult(
            observations=[seen for one in devices for seen in one.seen],
            attempts=[attempt for one in self._dossiers.values() for attempt in one.attempts] + unasked,
            devices=[one.address for one in devices], silent=self._silent, foreign=list(self._foreign.values()),
            dropped=dropped, started=self._journal.started, finished=clock.now(), links=self._links,
            interrupted=self._interrupted, resumed=self._journal.resumed,
            sent=self._sent.to_json())
