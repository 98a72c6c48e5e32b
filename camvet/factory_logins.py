"""The documented factory logins as a sweep may use them: one try a device a day, on the record, never on by default.

What is tried stands in `rules.logins`; that it was tried stands in the event log, with the actor, the device and the
name of the pair. The pair itself is in neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scanner import clock
from scanner.factory import Outcome, Permit, Withheld
from scanner.observation import Observation, Reason
from scanner.wire.auth import Credentials

if TYPE_CHECKING:
    from camvet.inventory.login_store import LoginStore
    from rules.makers import Makers
    from scanner.scope import Scope

__all__ = ["AuditedFactoryLogins"]


class AuditedFactoryLogins:
    """A `scanner.factory.FactoryLogins` over the shipped pairs and the inventory's log."""

    def __init__(self, makers: Makers, store: LoginStore, scope: Scope, actor: str) -> None:
        self._makers, self._store, self._scope, self._actor = makers, store, scope, actor

    def documented(self, device: str, seen: Sequence[Observation]) -> Permit | Withheld:
        """The pair for a device that is identified well enough; see `rules.logins.documented`."""
        from rules.identity import identify
        from rules.logins import NoLogin, documented

        found = documented(identify(device, [one for one in seen if one.device == device], self._makers), self._makers)
        if isinstance(found, NoLogin):
            return Withheld(Reason.NOT_APPLICABLE, found.because)
        return Permit(found.id, Credentials(found.user, found.password))

    def claim(self, device: str, seen: Sequence[Observation], permit: Permit) -> Withheld | None:
        """Note the try under everything the device is known by, or say when it had its last one."""
        names = {device} | {f"{name} {value}" for one in seen if one.device == device for name in ("mac", "serial")
                            for value in one.values(name) if len(value) <= _LONGEST}
        before = self._store.claim(names, at=clock.now(), actor=self._actor, address=device, pair=permit.pair,
                                   owner=self._scope.owner, ticket=self._scope.ticket)
        return Withheld(Reason.BUDGET_SPENT, f"one try a day: it had its last one at {before}") if before else None

    def tell(self, device: str, permit: Permit, outcome: Outcome, detail: str) -> None:
        """Note what came of it."""
        self._store.ended(at=clock.now(), actor=self._actor, address=device, pair=permit.pair, outcome=str(outcome),
                          detail=detail[:_LONGEST * 4])


_LONGEST = 64
