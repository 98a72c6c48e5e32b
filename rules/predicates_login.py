"""Predicates on logins: the documented one, one shown twice, the community ``public``, and what strangers may read.

Each judges what an opt-in or harmless look of the sweep brought; none asks for a probe of its own.
"""

from __future__ import annotations

from rules.grammars import GRAMMARS, form_of
from rules.predicates import Case, Result, predicate
from rules.versions import Incomparable, compare
from rules.vocabulary import Status
from scanner.observation import Observation

__all__: list[str] = []

_DENIED = frozenset({"401", "403"})


def _accepted(reply: Observation, operation: str) -> bool:
    return (reply.text("operation") == operation and not reply.text("fault_code") and not reply.text("fault_reason")
            and reply.text("status").startswith("2"))


def _denied(reply: Observation) -> bool:
    said = f"{reply.text('fault_code')} {reply.text('fault_reason')}".lower()
    return reply.text("status") in _DENIED or "auth" in said or "replay" in said or "nonce" in said


@predicate
def factory_login_opens_it(case: Case) -> Result:
    """The one login that its maker documents for the state of delivery was taken, in the one try of the day."""
    tried = case.seen("login", "auth.factory_login")
    taken = [o for o in tried if o.text("result") == "accepted"]
    if taken:
        return Result.fail("the login that its maker documents for the state of delivery opens it", taken,
                           [("documented login", taken[0].text("pair"))])
    refused = [o for o in tried if o.text("result") == "refused"]
    if refused:
        return Result.passed(f"it refuses the documented login ({refused[0].text('pair')})", refused)
    return Result.unknown("no try came to an end", tried)


@predicate
def login_token_is_taken_twice(case: Case) -> Result:
    """The very same WS-UsernameToken, nonce and all, was taken a second time: who hears one can use it."""
    again = case.seen("onvif", "auth.onvif.replay")
    taken = [o for o in again if _accepted(o, "GetDeviceInformation")]
    if taken:
        return Result.fail("the same WS-UsernameToken was taken twice", [*case.seen("onvif",
                           "auth.onvif.GetDeviceInformation"), *taken])
    if any(_denied(o) for o in again):
        return Result.passed("it refuses a token that it has seen before", again)
    return Result.unknown("the answer to the second showing tells neither way", again)


@predicate
def snmp_tells_the_public(case: Case) -> Result:
    """SNMP v1 or v2c answers a read with the community ``public``."""
    told = [o for o in case.seen("snmp", "snmp.get") if o.values("sys_descr") or o.values("sys_object_id")]
    if told:
        return Result.fail(f"SNMP {told[0].text('version')} answers the community public", told,
                           [("sysDescr", told[0].text("sys_descr"))] if told[0].text("sys_descr") else ())
    answered = case.seen("snmp", "snmp.get")
    if answered:
        return Result.passed("SNMP answers the community public with nothing", answered)
    return Result.passed("SNMP is not offered")


@predicate
def router_opens_a_port_to_it(case: Case) -> Result:
    """A router of the site lists a port that leads to this device from outside."""
    held = [o for o in case.seen("igd", "igd.mappings") if o.text("internal_client") == case.device]
    opened = [o for o in held if o.text("enabled").lower() != "false"]
    if opened:
        ports = dict.fromkeys(f"{o.text('external_port')}/{o.text('protocol')} to {o.text('internal_port')}"
                              for o in opened)
        return Result.fail(f"the router {opened[0].text('gateway')} opens {', '.join(list(ports)[:5])} of it", opened,
                           [("mapping", f"{o.text('external_port')}/{o.text('protocol')} -> "
                                        f"{o.text('internal_client')}:{o.text('internal_port')} "
                                        f"{o.text('description')}".strip()) for o in opened[:10]])
    return Result.passed("the router's list opens no port to it", held)


@predicate
def onvif_information_without_login(case: Case) -> Result:
    """GetDeviceInformation, no pre-authentication call, told a stranger model, firmware or serial number."""
    replies = case.seen("onvif", "onvif.GetDeviceInformation")
    told = [o for o in replies if _accepted(o, "GetDeviceInformation")]
    shown = [name for name in ("model", "firmware", "serial") if any(o.values(name) for o in told)]
    if shown:
        return Result.fail(f"GetDeviceInformation tells {', '.join(shown)} without a login", told)
    if any(_denied(o) for o in replies):
        return Result.passed("asks for a login", replies)
    return Result.unknown("the answer to GetDeviceInformation tells neither way", replies)


@predicate
def firmware_went_back(case: Case) -> Result:
    """Its firmware is older than one this inventory saw on it earlier, by its maker's own order of versions."""
    firmware = case.identity.firmware
    if not firmware:
        return Result.unknown("the device told no firmware version")
    held = [o for o in case.seen("inventory") if o.text("earlier_firmware")]
    if not held:
        return Result.unknown("no earlier sweep of this inventory read its firmware")
    earlier = [o for o in held if o.text("earlier_model") == (case.identity.model or "")]
    if not earlier:
        return Result(Status.NOT_APPLICABLE, "it says that it is another model than before", (held[0].id,))
    orders = [(o, _order(case, o)) for o in earlier]
    newer = [o for o, order in orders if isinstance(order, int) and order < 0]
    if newer:
        told = [f"{o.text('earlier_firmware')} in sweep {o.text('sweep')}" for o in newer]
        reason = f"firmware {firmware} is older than {newer[0].text('earlier_firmware')}, which it had before"
        return Result.fail(reason, newer, [("earlier firmware", text) for text in told])
    unclear = [(o, order) for o, order in orders if isinstance(order, Incomparable)]
    if unclear:
        seen, order = unclear[0]
        return Result.unknown(f"{firmware} now and {seen.text('earlier_firmware')} before: {order.because}", [seen])
    return Result.passed(f"firmware {firmware} is not older than what it had before", earlier)


def _order(case: Case, before: Observation) -> int | Incomparable:
    """Below zero where the firmware of now is older than `before`."""
    firmware, build = case.identity.firmware or "", case.identity.firmware_build
    if (before.text("earlier_firmware"), before.text("earlier_build")) == (firmware, build or ""):
        return 0
    name = next((n for n in (form_of(firmware), *case.identity.makers) if n in GRAMMARS), None)
    grammar = GRAMMARS[name] if name else None
    now = grammar.parse(firmware, build) if grammar else None
    then = grammar.parse(before.text("earlier_firmware"), before.text("earlier_build") or None) if grammar else None
    if grammar is None or now is None or then is None:
        return Incomparable("versions of no known form")
    return compare(now, then, grammar)
