"""The report as a table for a spreadsheet: one row a device, or with ``of`` one row a finding, a number, an event.

``of`` is ``devices``, ``findings``, ``monitoring`` (one row for each metric and interval), ``attached`` (one row a
camera at the gate), ``events``, ``refusals``, ``standards`` (one row a control of every standard) or ``census`` (one
row a source, a device that it knows and the sweep did not see, and a swept device that no source knows).

A spreadsheet runs a cell that begins like a formula. Every such cell gets an apostrophe in front, whatever it holds,
since names and versions come from devices. Cells are quoted, lines end in CR LF (RFC 4180), the text is UTF-8.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from reports import coverage, summary
from reports.formats import Options, register
from reports.monitoring import AttachedCamera, Monitoring
from reports.report import DeviceReport, Report
from reports.text import clean
from rules.policy import is_outside_scope
from rules.vocabulary import Status
from scanner import clock

__all__ = ["COLUMNS", "cell", "write"]

_OF = ("site", "sweep", "as_of")

_DEVICE_COLUMNS = (
    *_OF, "policy", "buyers", "device", "inventory_id", "address", "mac", "kind", "brand", "maker",
    "maker_name", "label_names_maker", "model", "firmware", "firmware_build", "serial", "assurance", "confidence",
    "outcome", "counted_as", "overall", "expires", "reasons", "prohibiting_effects", "failed",
    "not_assessed", "waived", "passed", "attempts_unfinished", "destinations", "channels", "first_seen", "last_seen",
    "act_first", "also_at",
)
_FINDING_COLUMNS = (
    *_OF, "device", "inventory_id", "address", "brand", "maker", "outcome", "rule", "rule_version",
    "title", "status", "severity", "reason", "remedy", "standards", "facts", "evidence",
)
_MONITORING_COLUMNS = (
    *_OF, "device", "inventory_id", "maker", "brand", "model", "state", "purpose", "app", "metric", "start", "end",
    "value", "unit", "analysed_fps", "dropped_pictures", "overload", "method", "quality",
)
_ATTACHED_COLUMNS = (
    *_OF, "device", "inventory_id", "maker", "brand", "model", "state", "since", "rule", "because", "purpose", "apps",
    "retention_days", "dpia", "attestation", "approved_by", "approved_at", "until", "waived",
)
_EVENT_COLUMNS = (*_OF, "at", "device", "kind", "rule", "because")
_REFUSAL_COLUMNS = (*_OF, "at", "device", "rule", "because", "purpose")
_STANDARD_COLUMNS = (
    *_OF, "standard", "name", "edition", "control", "covered", "unverified", "checks", "fail", "not_assessed", "waived",
    "pass", "not_applicable",
)
_CENSUS_COLUMNS = (
    *_OF, "entry", "source", "form", "known", "seen", "not_seen", "rows_not_read", "mac", "address", "serial", "name",
    "model", "manufacturer", "where", "when", "row", "because", "address_block",
)
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_LONGEST = 4000                                     # a spreadsheet refuses more than 32,767 characters in a cell


Row = Sequence[object]


@register("csv", media_type="text/csv; charset=utf-8; header=present", suffix="csv",
          options={"of": ("devices", "findings", "monitoring", "attached", "events", "refusals", "standards",
                        "census")})
def write(report: Report, options: Options) -> bytes:
    """The table that ``of`` names, with a header row."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS[options["of"]])
    for row in _ROWS[options["of"]](report):
        writer.writerow([cell(value) for value in (report.site, report.sweep, report.as_of, *row)])
    return out.getvalue().encode("utf-8")


def cell(value: object) -> str:
    """One cell: nothing for ``None``, no control character, and no formula."""
    text = "" if value is None else str(value)
    risky = text.lstrip().startswith(_FORMULA) or text[:1] in ("\t", "\r", "\n")
    return ("'" if risky else "") + clean(text, _LONGEST)


def _devices(report: Report) -> Iterator[Row]:
    for device in report.devices:
        yield _device(report, device)


def _device(report: Report, device: DeviceReport) -> Row:
    identity, verdict = device.identity, device.verdict
    counts = {status: sum(finding.status is status for finding in verdict.findings) for status in Status}
    return (
        report.policy, _joined(report.buyers), device.device,
        device.inventory_id, device.address, device.mac, identity.kind, identity.brand, identity.maker,
        identity.maker_name, summary.label_match(identity), identity.model, identity.firmware,
        identity.firmware_build, identity.serial, identity.assurance, f"{identity.confidence:.2f}",
        verdict.outcome, "not_a_camera" if is_outside_scope(verdict) else verdict.outcome, verdict.overall,
        verdict.expires, _joined(verdict.reasons),
        _joined([f"{one.regime} {one.buyer} {one.effect}" for one in summary.binding(device)]),
        counts[Status.FAIL], counts[Status.NOT_ASSESSED], counts[Status.WAIVED], counts[Status.PASS],
        len(summary.unfinished(device)),
        _joined([" ".join((*one.names, one.address)) for one in device.destinations])
        if device.egress_assessed else "not assessed",
        _joined([channel.device for channel in identity.channels]),
        clock.stamp(device.first_seen) if device.first_seen else None,
        clock.stamp(device.last_seen) if device.last_seen else None, summary.one_line(device),
        _joined([other for one in report.joined if one.device == device.device for other in one.also_at]),
    )


def _findings(report: Report) -> Iterator[Row]:
    for device in report.devices:
        for finding in device.verdict.findings:
            yield (
                device.device, device.inventory_id, device.address, device.identity.brand, device.identity.maker,
                device.verdict.outcome, finding.rule, finding.rule_version, finding.title, finding.status,
                finding.severity, finding.reason, finding.remedy,
                _joined([f"{standard} {control}" for standard, control in finding.standards]),
                _joined([f"{name}: {value}" for name, value in finding.facts]), _joined(finding.evidence),
            )


def _metrics(report: Report) -> Iterator[Row]:
    """One row a number, with the camera as it stands today; of a device attached twice, the entry that ranks first."""
    cameras: dict[str, AttachedCamera] = {}
    for camera in _monitoring(report).cameras:
        cameras.setdefault(camera.device, camera)
    for series in _monitoring(report).series:
        seat = cameras.get(series.device)
        who = (seat.inventory_id, seat.maker, seat.brand, seat.model, seat.state, seat.purpose) if seat else ("",) * 6
        for point in series.points:
            quality = dict(point.quality)
            told = [quality.pop(name, "") for name in ("analysed_fps", "dropped_pictures", "overload", "method")]
            yield (series.device, *who, series.app, series.metric, clock.stamp(point.start), clock.stamp(point.end),
                   f"{point.value:.10g}", series.unit, *told,
                   _joined([f"{name}: {value}" for name, value in quality.items()]))


def _attached(report: Report) -> Iterator[Row]:
    for one in _monitoring(report).cameras:
        waived = [f"{each.rule} by {each.actor}{f' until {clock.stamp(each.until)}' if each.until else ''}: "
                  f"{each.reason}" for each in one.waived]
        yield (one.device, one.inventory_id, one.maker, one.brand, one.model, one.state, clock.stamp(one.since),
               one.rule, one.because, one.purpose, _joined(one.apps), one.retention_days, one.dpia, one.attestation,
               one.approved_by, clock.stamp(one.approved_at), clock.stamp(one.until), _joined(waived))


def _events(report: Report) -> Iterator[Row]:
    for one in _monitoring(report).events:
        yield clock.stamp(one.at), one.device, one.kind, one.rule, one.because


def _refusals(report: Report) -> Iterator[Row]:
    for one in _monitoring(report).refusals:
        yield clock.stamp(one.at), one.device, one.rule, one.because, one.purpose


def _standards(report: Report) -> Iterator[Row]:
    """One row a control; the last columns count the findings on it, none of them where no check speaks to it."""
    for one in coverage.coverage(report):
        for control in one.controls:
            counts = control.counts or {}
            yield (one.id, one.name, one.edition, control.id, control.covered,
                   "unverified" if control.unverified else "", _joined(control.checks),
                   *(counts.get(str(status), 0) for status in (Status.FAIL, Status.NOT_ASSESSED, Status.WAIVED,
                                                               Status.PASS, Status.NOT_APPLICABLE)))


def _census(report: Report) -> Iterator[Row]:
    """What other books know beyond the sweep; one row that says so where none was held against it."""
    if report.census is None:
        yield ("none", *("",) * 15, summary.held(report), "")
        return
    for source in report.census.sources:
        yield ("source", source.source, source.form, source.known, source.seen, source.not_seen, source.unread,
               *("",) * 11)
        for one in source.unseen:
            yield ("not_seen", source.source, source.form, "", "", one.missing, "", one.mac, one.address, one.serial,
                   one.name, one.model, one.manufacturer, one.where, one.when, one.row, one.because,
                   one.block)
    for device in report.census.unlisted:
        yield ("unlisted", *("",) * 7, device, *("",) * 7, "no source knows it", "")


def _monitoring(report: Report) -> Monitoring:
    return report.monitoring or Monitoring()


def _joined(parts: Sequence[str]) -> str:
    return "; ".join(parts)


COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "devices": _DEVICE_COLUMNS, "findings": _FINDING_COLUMNS, "monitoring": _MONITORING_COLUMNS,
    "attached": _ATTACHED_COLUMNS, "events": _EVENT_COLUMNS, "refusals": _REFUSAL_COLUMNS,
    "standards": _STANDARD_COLUMNS, "census": _CENSUS_COLUMNS,
})
_ROWS: Mapping[str, Callable[[Report], Iterator[Row]]] = MappingProxyType({
    "devices": _devices, "findings": _findings, "monitoring": _metrics, "attached": _attached, "events": _events,
    "refusals": _refusals, "standards": _standards, "census": _census,
})
