"""The report as a table for a spreadsheet: one row a device, or with ``of=findings`` one row a finding.

A spreadsheet runs a cell that begins like a formula. Every such cell gets an apostrophe in front, whatever it holds,
since names and versions come from devices. Cells are quoted, lines end in CR LF (RFC 4180), the text is UTF-8.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from reports import summary
from reports.formats import Options, register
from reports.report import DeviceReport, Report
from reports.text import clean
from rules.vocabulary import Finding, Status
from scanner import clock

__all__ = ["DEVICE_COLUMNS", "FINDING_COLUMNS", "cell", "write"]

DEVICE_COLUMNS = (
    "site", "sweep", "as_of", "policy", "buyers", "device", "inventory_id", "address", "mac", "kind", "brand", "maker",
    "maker_name", "label_names_maker", "model", "firmware", "firmware_build", "serial", "assurance", "confidence",
    "outcome", "overall", "expires", "reasons", "prohibiting_effects", "failed", "not_assessed", "waived", "passed",
    "attempts_unfinished", "destinations", "channels", "first_seen", "last_seen",
)
FINDING_COLUMNS = (
    "site", "sweep", "as_of", "device", "inventory_id", "address", "brand", "maker", "outcome", "rule", "rule_version",
    "title", "status", "severity", "reason", "remedy", "standards", "facts", "evidence",
)
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_LONGEST = 4000                                     # a spreadsheet refuses more than 32,767 characters in a cell


@register("csv", media_type="text/csv; charset=utf-8; header=present", suffix="csv",
          options={"of": ("devices", "findings")})
def write(report: Report, options: Options) -> bytes:
    """The table that ``of`` names, with a header row."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    if options["of"] == "findings":
        writer.writerow(FINDING_COLUMNS)
        rows = _findings(report)
    else:
        writer.writerow(DEVICE_COLUMNS)
        rows = (_device(report, device) for device in report.devices)
    for row in rows:
        writer.writerow([cell(value) for value in row])
    return out.getvalue().encode("utf-8")


def cell(value: object) -> str:
    """One cell: nothing for ``None``, no control character, and no formula."""
    text = "" if value is None else str(value)
    risky = text.lstrip().startswith(_FORMULA) or text[:1] in ("\t", "\r", "\n")
    return ("'" if risky else "") + clean(text, _LONGEST)


def _device(report: Report, device: DeviceReport) -> Sequence[object]:
    identity, verdict = device.identity, device.verdict
    counts = {status: sum(finding.status is status for finding in verdict.findings) for status in Status}
    return (
        report.site, report.sweep, report.as_of, report.policy, _joined(report.buyers), device.device,
        device.inventory_id, device.address, device.mac, identity.kind, identity.brand, identity.maker,
        identity.maker_name, summary.label_match(identity), identity.model, identity.firmware,
        identity.firmware_build, identity.serial, identity.assurance, f"{identity.confidence:.2f}",
        verdict.outcome, verdict.overall, verdict.expires, _joined(verdict.reasons),
        _joined([f"{one.regime} {one.buyer} {one.effect}" for one in summary.binding(device)]),
        counts[Status.FAIL], counts[Status.NOT_ASSESSED], counts[Status.WAIVED], counts[Status.PASS],
        len(summary.unfinished(device)),
        _joined([" ".join((*one.names, one.address)) for one in device.destinations])
        if device.egress_assessed else "not assessed",
        _joined([channel.device for channel in identity.channels]),
        clock.stamp(device.first_seen) if device.first_seen else None,
        clock.stamp(device.last_seen) if device.last_seen else None,
    )


def _findings(report: Report) -> Iterator[Sequence[object]]:
    for device in report.devices:
        for finding in device.verdict.findings:
            yield _finding(report, device, finding)


def _finding(report: Report, device: DeviceReport, finding: Finding) -> Sequence[object]:
    return (
        report.site, report.sweep, report.as_of, device.device, device.inventory_id, device.address,
        device.identity.brand, device.identity.maker, device.verdict.outcome, finding.rule, finding.rule_version,
        finding.title, finding.status, finding.severity, finding.reason, finding.remedy,
        _joined([f"{standard} {control}" for standard, control in finding.standards]),
        _joined([f"{name}: {value}" for name, value in finding.facts]), _joined(finding.evidence),
    )


def _joined(parts: Sequence[str]) -> str:
    return "; ".join(parts)
