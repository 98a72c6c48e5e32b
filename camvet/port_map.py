"""Where a lab serves the well-known ports: the file that ``--port-map`` names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from camvet.context import UsageError

if TYPE_CHECKING:
    from scanner.transport.exchange import PortMap

__all__ = ["read_port_map"]


def read_port_map(path: Path | None) -> PortMap:
    """The port map of `path` (JSON, or a lab's ``site.json``); an empty one without a path. Raises `UsageError`."""
    from scanner.transport.exchange import PortMap

    if path is None:
        return PortMap()
    try:
        document = json.loads(path.read_bytes())
        found = document.get("port_map", document)
        return PortMap(*({int(nominal): int(actual) for nominal, actual in found.get(kind, {}).items()}
                         for kind in ("tcp", "udp")))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        reason = getattr(error, "strerror", None) or 'expected {"tcp": {"80": 20080, …}}'
        raise UsageError(f"port map {path}: {reason}") from error
