"""What somebody asks to be attached: read from the command line, kept as JSON, given to the gate as an `AttachOrder`.

An order names its credentials by reference; there is no place in it for a secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from camvet.context import UsageError

if TYPE_CHECKING:
    from analytics.gate import AppOrder, AttachOrder
    from camvet.inventory import AttachmentRow
    from scanner.observation import Observation

__all__ = ["app_orders", "file_of", "order_of", "stream_path", "stream_port", "to_json"]

MOST_CONFIG_BYTES = 64 * 1024
MOST_APPS = 16


def app_orders(single: Sequence[str], joined: str) -> list[AppOrder]:
    """The apps of ``--app NAME[=JSON|=@FILE]`` and ``--apps a,b``, each tried with its configuration.

    Raises `UsageError` for an unknown app or a configuration that it cannot work with.
    """
    from analytics import apps
    from analytics.gate import AppOrder

    found = [*map(_app, single), *(AppOrder(name.strip()) for name in joined.split(",") if name.strip())]
    if len(found) > MOST_APPS:
        raise UsageError(f"--app: at most {MOST_APPS} apps a camera")
    for one in found:
        try:
            apps.make(one.name, one.config)
        except apps.AppError as error:
            raise UsageError(f"--app {one.name}: {error}") from error
    return found


def _app(text: str) -> AppOrder:
    from analytics.gate import AppOrder

    name, equals, config = text.partition("=")
    if not equals:
        return AppOrder(name)
    try:
        if config.startswith("@"):
            with Path(config[1:]).open("rb") as file:
                config = file.read(MOST_CONFIG_BYTES).decode()
        read = json.loads(config)
    except OSError as error:
        raise UsageError(f"--app {name}: {config[1:]}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--app {name}: the configuration is not JSON") from error
    if not isinstance(read, dict):
        raise UsageError(f"--app {name}: the configuration has to be a JSON object")
    return AppOrder(name, read)


def to_json(order: AttachOrder, port_map: Path | None, neighbours: Path | None) -> dict[str, Any]:
    """An order as it is stored, with the files that a monitor needs to reach the device the same way."""
    return {
        "purpose": order.purpose, "apps": [{"name": one.name, "config": dict(one.config)} for one in order.apps],
        "retention_days": order.retention_days, "dpia": order.dpia, "credentials": order.credentials,
        "path": order.path, "port": order.port, "port_map": str(port_map.absolute()) if port_map else None,
        "neighbours": str(neighbours.absolute()) if neighbours else None,
    }


def order_of(row: AttachmentRow) -> AttachOrder:
    """The stored order of an attachment."""
    from analytics.gate import AppOrder, AttachOrder

    kept: Mapping[str, Any] = row.order
    return AttachOrder(row.device, row.address, kept["purpose"],
                       [AppOrder(one["name"], one["config"]) for one in kept["apps"]], kept["retention_days"],
                       kept["dpia"], kept["credentials"], kept["path"], kept["port"])


def file_of(given: Path | None, row: AttachmentRow, name: str) -> Path | None:
    """A file given now, else the one that was named when the camera was attached."""
    kept = row.order.get(name)
    return given or (Path(kept) if kept else None)


def stream_path(observations: Iterable[Observation], usual: Sequence[str] = ()) -> str:
    """Where the stream is: what ONVIF named, else what RTSP described, else where the maker's devices play, else ``/``.

    Only path and query are taken; the host that a device names is never followed.
    """
    seen = sorted(observations, key=lambda one: (one.at, one.id))
    for observation in seen:
        named = _path(observation.text("stream_uri")) if observation.transport == "onvif" else ""
        if named:
            return named
    described = [one.text("path") for one in seen if one.probe == "rtsp.describe" and one.fields.get("status") == 200]
    return next((path for path in (*described, *usual) if path.startswith("/")), "/")


def stream_port(observations: Iterable[Observation]) -> int:
    """The RTSP port that answered the sweep, else 554."""
    return next((one.port for one in observations if one.transport == "rtsp" and one.port is not None), 554)


def _path(uri: str) -> str:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return ""
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return path if parts.scheme == "rtsp" and path.startswith("/") else ""
