"""One try of one documented factory login on one device, at the end of its interview (opt-in)."""

from __future__ import annotations

from scanner.dossier import Dossier
from scanner.factory import EXCHANGE, PROBE, FactoryLogins, Outcome, Permit, Withheld, outcome_of, standing_in_the_way
from scanner.interview import Interview
from scanner.login import REPLAY, LoginPass, speaks_of_a_lock
from scanner.observation import Reason
from scanner.settings import Settings
from scanner.wire.auth import Credentials

__all__ = ["try_factory_login"]


async def try_factory_login(interview: Interview, settings: Settings, logins: FactoryLogins,
                            own: Credentials | None = None) -> None:
    """Try it where nothing stands in the way; `own` is the login that the owner gave for the device, if any."""
    dossier = interview.dossier
    permit = logins.documented(dossier.address, dossier.seen)
    if isinstance(permit, Withheld):
        dossier.skipped(PROBE, None, permit.reason, permit.because)
        return
    if own is not None and own.user == permit.credentials.user and _took_a_login(dossier):
        # One user has one password: the owner's login, which the device took, answers without a try.
        same = own == permit.credentials
        _conclude(dossier, logins, permit, Outcome.ACCEPTED if same else Outcome.REFUSED,
                  f"nothing was sent: the login that was given for it is {'' if same else 'not '}the documented one")
        return
    if _refused_twice_shown(dossier):
        dossier.skipped(PROBE, None, Reason.BUDGET_SPENT, "it refused a login of this sweep already")
        return
    locked = next((words for seen in dossier.seen if (words := speaks_of_a_lock(seen.fields))), "")
    withheld = (standing_in_the_way(dossier.seen, dossier.attempts, locked)
                or (Withheld(Reason.CIRCUIT_OPEN, dossier.gate.tripped) if dossier.gate.tripped else None)
                or logins.claim(dossier.address, dossier.seen, permit))
    if withheld:
        dossier.skipped(PROBE, None, withheld.reason, withheld.because)
        return
    await LoginPass(interview, settings, permit.credentials).run_once(EXCHANGE)
    made = next((one for one in reversed(dossier.attempts) if one.probe == EXCHANGE), None)
    outcome = outcome_of(made) if made else Outcome.UNCLEAR
    detail = made.detail or str(made.reason or "") if made else "nothing was sent"
    _conclude(dossier, logins, permit, outcome, detail, reason=made.reason if made else None)


def _took_a_login(dossier: Dossier) -> bool:
    return any(dossier.answered(one.probe) for one in dossier.attempts if one.probe.startswith("auth."))


def _refused_twice_shown(dossier: Dossier) -> bool:
    """Whether a token that was shown a second time was refused: some firmware counts that towards a lock."""
    return any(seen.text("operation") == "Fault" or seen.text("status") in ("401", "403")
               for seen in dossier.seen if seen.probe == REPLAY)


def _conclude(dossier: Dossier, logins: FactoryLogins, permit: Permit, outcome: Outcome, detail: str, *,
              reason: Reason | None = None) -> None:
    logins.tell(dossier.address, permit, outcome, detail)
    seen = dossier.observe("login", PROBE, None, {"pair": permit.pair, "result": str(outcome)},
                           f"{permit.pair} {outcome}".encode(), raw=b"")
    if outcome is Outcome.UNCLEAR:
        dossier.failed(PROBE, None, reason or Reason.INTERNAL, detail, seen=[seen])
    else:
        dossier.completed(PROBE, None, [seen], detail=detail)
