"""Entries for FreeRADIUS (``mods-config/files/authorize``) that put each camera into a VLAN by its MAC address.

MAC authentication bypass: the switch sends the MAC as name and password. An approved camera gets the VLAN of cameras,
every other one the quarantine; a MAC that is not named is refused, since there is no DEFAULT entry. The reply is that
of RFC 3580 section 3.31 (Tunnel-Type 13, Tunnel-Medium-Type 6, Tunnel-Private-Group-ID). A MAC can be copied: this
sorts devices and proves nothing. camvet applies none of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from reports.formats import FormatError, Options, register
from reports.report import DeviceReport, Report
from reports.text import clean
from rules.policy import is_outside_scope
from rules.vocabulary import Outcome

__all__ = ["MAC_FORMS", "render", "write"]

_MAC = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")
_VLAN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_HIGHEST_VLAN = 4094                # IEEE 802.1Q
MAC_FORMS = ("aabbccddeeff", "aa-bb-cc-dd-ee-ff", "aa:bb:cc:dd:ee:ff", "aabb.ccdd.eeff", "AABBCCDDEEFF",
             "AA-BB-CC-DD-EE-FF", "AA:BB:CC:DD:EE:FF")
"""How switches write a MAC as a user's name; which one, their settings tell."""


@register("freeradius", media_type="text/plain; charset=utf-8", suffix="authorize", options={"mac": MAC_FORMS})
def write(report: Report, options: Options) -> bytes:
    """The entries with VLANs by name, ``camvet-approved`` and ``camvet-quarantine``."""
    return render(report, mac=options["mac"])


def render(report: Report, *, mac: str = MAC_FORMS[0], approved: str = "camvet-approved",
           quarantine: str = "camvet-quarantine") -> bytes:
    """The entries with VLANs by number or name. Raises `FormatError` for what is no VLAN or no form of a MAC."""
    if mac not in MAC_FORMS:
        raise FormatError(f"mac={mac!r} is not one of {', '.join(MAC_FORMS)}")
    for vlan in (approved, quarantine):
        if not _VLAN.fullmatch(vlan) or (vlan.isdecimal() and not 1 <= int(vlan) <= _HIGHEST_VLAN):
            raise FormatError(f"{vlan!r} is no VLAN: 1 to {_HIGHEST_VLAN}, or a name the switch knows")
    if approved == quarantine:
        raise FormatError("approved and quarantined cameras need different VLANs")
    return ("\n".join(_lines(report, mac, approved, quarantine)) + "\n").encode()


def _lines(report: Report, mac: str, approved: str, quarantine: str) -> Iterator[str]:
    cameras = [device for device in report.devices if not is_outside_scope(device.verdict)]
    worst: dict[str, DeviceReport] = {}
    for device in cameras:
        number = device.mac.lower()
        if _MAC.fullmatch(number) and (number not in worst or not _is_approved(report, device)):
            worst[number] = device
    yield f"# {_comment(report.producer)}: cameras of {_comment(report.site)}, {report.as_of.isoformat()}"
    yield "# For mods-config/files/authorize; check with: radiusd -XC. A MAC that is not named here is refused."
    yield "# A MAC can be copied: this sorts devices and proves nothing of them."
    for device in cameras:
        if not _MAC.fullmatch(device.mac) and "#" not in device.device:
            yield f"# left out: {_comment(device.device)} ({device.verdict.outcome}): its MAC was not seen"
    for number, device in sorted(worst.items()):
        name = _written(number, mac)
        may = _is_approved(report, device)
        yield ""
        until = f"on {device.verdict.as_of}, until {device.verdict.expires}"
        yield f"# {_comment(device.device)}: {device.verdict.outcome} {until}"
        yield f'{name} Cleartext-Password := "{name}"'
        yield "\tTunnel-Type := VLAN,"
        yield "\tTunnel-Medium-Type := IEEE-802,"
        yield f'\tTunnel-Private-Group-Id := "{approved if may else quarantine}"'


def _is_approved(report: Report, device: DeviceReport) -> bool:
    """Approved, and still so on the day the entries are written; a condition is not met by being written down."""
    return device.verdict.outcome is Outcome.APPROVED and device.verdict.expires >= report.generated_at.date()


def _written(mac: str, form: str) -> str:
    """A MAC of lower-case digits and colons in the form of an example."""
    digits = iter(mac.replace(":", ""))
    made = "".join(next(digits) if one.isalpha() else one for one in form)
    return made.upper() if form.isupper() else made


def _comment(text: str) -> str:
    return clean(text, 120).replace("\\", "/").replace("\n", " ").replace("\r", " ")
