"""Monitoring that tests and designers use: three attached cameras, one of them swapped, and one of hostile texts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from reports.monitoring import (
    AttachedCamera,
    AttachRefusal,
    CameraState,
    MetricPoint,
    MetricSeries,
    Monitoring,
    MonitoringEvent,
    WaivedRule,
)

NOW = datetime(2026, 11, 22, 9, 41, tzinfo=UTC)
LIMIT = "counted by motion: people who stand or sit still are not held, and people who touch count as one"
SWAPPED = ("this is not the device that was approved, or not as it was: serial: 74201188 -> not readable; "
           "tls_key: 4b1f09c7d2aa -> e0c35516f870; firmware: 2.18.3 -> 3.0.1")


def at(hour: int, minute: int = 0, day: int = 22) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def trust(frames: int, dropped: int, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return (("method", LIMIT), ("analysed_fps", f"{frames / 600:.1f}"), ("frames", str(frames)),
            ("dropped_pictures", str(dropped)), *more)


def series(device: str, metric: str, first: datetime, values: Sequence[float | None],
           quality: Sequence[tuple[tuple[str, str], ...]], unit: str = "people") -> MetricSeries:
    """Ten minutes for each value; ``None`` is an interval that is missing."""
    step = timedelta(minutes=10)
    return MetricSeries(device, "people_count", metric, unit, tuple(
        MetricPoint(first + step * n, first + step * (n + 1), value, quality[n])
        for n, value in enumerate(values) if value is not None))


def monitoring() -> Monitoring:
    """Two cameras that count, one that was swapped on its address, and four requests that were refused."""
    door = [trust(3000, 2 if n < 5 else 1 if n < 11 else 6) for n in range(12)]
    slow = ("overload", "analysed at 1.2 pictures a second at the slowest")
    hall = [trust(3000 if n < 6 else 1140, n, *([slow] if 6 <= n < 8 else [])) for n in range(9)]
    return Monitoring(
        cameras=(
            AttachedCamera("10.20.0.31", "visitor flow at the west door", ("people_count",), 30, "DPIA-2026-017",
                           CameraState.ATTACHED, at(7, 40), "5d0c7be2f1a94386", "M. Adeyemi", at(7, 31),
                           datetime(2026, 12, 22, 7, 31, tzinfo=UTC)),
            AttachedCamera("10.20.0.32", "occupancy of the loading hall, for the fire load plan", ("people_count",), 7,
                           "DPIA-2026-018", CameraState.ATTACHED, at(8), "b18e5520c4d73f09", "M. Adeyemi", at(7, 52),
                           datetime(2026, 12, 15, 8, tzinfo=UTC),
                           waived=(WaivedRule("tls.self_signed", "J. Ortiz", "Accepted until the site's own authority "
                                              "is rolled out.", datetime(2027, 1, 31, tzinfo=UTC)),)),
            AttachedCamera("10.20.0.34", "crowding at the turnstiles", ("people_count",), 30, "DPIA-2026-017",
                           CameraState.SUSPENDED, at(8, 52), "90ac31f6e5b2d874", "M. Adeyemi", at(7, 58, 21),
                           datetime(2026, 12, 21, 7, 58, tzinfo=UTC), rule="gate.fingerprint", because=SWAPPED),
        ),
        series=(
            series("10.20.0.31", "in", at(7, 40), (4, 11, 26, 38, 31, None, 17, 12, 9, 8, 12, 10), door),
            series("10.20.0.31", "out", at(7, 40), (1, 0, 2, 3, 5, None, 4, 7, 6, 9, 11, 14), door),
            series("10.20.0.32", "present_mean", at(8), (3.2, 4.1, 6.75, 8.2, 7.9, 9.4, 11.3, 10.8, 7.2), hall),
            series("10.20.0.32", "present_max", at(8), (6, 7, 11, 14, 13, 15, 19, 17, 12), hall),
            series("10.20.0.34", "in", at(8, 2), (3, 8, 12, 7, 5), [trust(3000, 0)] * 5),
            series("10.20.0.34", "out", at(8, 2), (0, 2, 3, 4, 1), [trust(3000, 0)] * 5),
        ),
        events=(
            MonitoringEvent(at(7, 40), "10.20.0.31", "connected"), MonitoringEvent(at(8), "10.20.0.32", "connected"),
            MonitoringEvent(at(8, 2), "10.20.0.34", "connected"),
            MonitoringEvent(at(8, 30), "10.20.0.31", "lost", "stream.closed", "the device closed the connection"),
            MonitoringEvent(at(8, 40), "10.20.0.31", "connected"),
            MonitoringEvent(at(8, 52), "10.20.0.34", "lost", "stream.closed", "the connection broke"),
            MonitoringEvent(at(8, 52) + timedelta(seconds=3), "10.20.0.34", "suspended", "gate.fingerprint", SWAPPED),
            MonitoringEvent(at(9), "10.20.0.32", "overload", "",
                            "analysis fell 1.4 s behind: it now looks at 1.2 pictures a second"),
            MonitoringEvent(at(9, 20), "10.20.0.32", "recovered", "", "it looks at 5.0 pictures a second"),
        ),
        refusals=(
            AttachRefusal(at(7, 35), "10.20.0.14", "law.prohibited", "today's verdict is prohibited: NDAA FY2019 "
                          "s.889(a)(1)(A) forbids a US federal agency to procure equipment made by Dahua",
                          "visitor flow at the west door"),
            AttachRefusal(at(7, 36), "10.20.0.25", "maker.self_reported", "today's verdict is undetermined: that TVT "
                          "made it rests on its own word, on one signal, or is contradicted", "car park"),
            AttachRefusal(at(7, 37), "10.20.0.33", "egress.telemetry", "today's verdict is conditional and nobody "
                          "waived egress.telemetry", "goods entrance"),
            AttachRefusal(at(8, 58), "10.20.0.34", "gate.fingerprint", SWAPPED, "crowding at the turnstiles"),
        ),
    )


def hostile_monitoring(texts: Sequence[str]) -> Monitoring:
    """Every text that a person, a device or a network controls is one of `texts`."""
    day = timedelta(days=1)
    return Monitoring(
        cameras=tuple(AttachedCamera(f"10.66.0.{n}" if n % 2 else text, text, (text, text), 1, text,
                                     list(CameraState)[n % 3], NOW, text, text, NOW, NOW - day, text, text, text, text,
                                     text, text, (WaivedRule(text, text, text, NOW),)) for n, text in enumerate(texts)),
        series=tuple(MetricSeries(text, text, text, text, (MetricPoint(NOW - day, NOW, 1.5, (
            (text, text), ("method", text), ("analysed_fps", text), ("dropped_pictures", text), ("overload", text))),))
            for text in texts),
        events=tuple(MonitoringEvent(NOW, text, text, text, text) for text in texts),
        refusals=tuple(AttachRefusal(NOW, text, text, text, text) for text in texts),
    )
