"""The canary: of each model one device is asked first, and looked at again before the others are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from scanner.dossier import Dossier

__all__ = ["Canaries", "model_of"]


def model_of(dossier: Dossier) -> str:
    """What devices that would break alike have in common, as far as is known before the first question.

    The declared maker and model; else the maker of the network chip; else the open ports.
    """
    for seen in dossier.seen:
        model = seen.text("model") or seen.text("device_type")
        if model and seen.transport not in ("http", "tcp"):
            return f"{seen.text('manufacturer')} {model}".strip().casefold()
    macs = [str(value) for value in dossier.declared("mac")]
    if macs:
        return f"oui {macs[0][:8]}"
    return "ports " + " ".join(str(port) for port in sorted(dossier.open_ports))


class Canaries:
    """One gate a model. With no `recheck` there are no canaries, and every device is asked at once."""

    def __init__(self, recheck: float | None, alive: Callable[[Dossier], Awaitable[bool]],
                 note: Callable[[str], None]) -> None:
        self._recheck = recheck
        self._alive = alive
        self._note = note
        self._fates: dict[str, asyncio.Future[bool]] = {}

    def first(self, model: str) -> bool:
        """Whether the caller asks the first device of this model, and so owes a `look_again`."""
        if self._recheck is None or model in self._fates:
            return False
        self._fates[model] = asyncio.get_running_loop().create_future()
        return True

    def clear(self, model: str) -> None:
        """A device of this model was asked in an earlier part of this sweep and bore it."""
        if self.first(model):
            self._fates[model].set_result(True)

    async def wait(self, model: str) -> str:
        """Wait for the fate of the model's first device; returns why the others must not be asked, or nothing."""
        if self._recheck is None or await asyncio.shield(self._fates[model]):
            return ""
        return f"the first device like it ({model}) stopped answering after it was asked"

    async def look_again(self, model: str, dossier: Dossier) -> bool:
        """Wait, see whether the first device still answers, and let the others go or stay; returns what was seen."""
        alive = False
        try:
            await asyncio.sleep(self._recheck or 0)
            alive = not dossier.gate.tripped and await self._alive(dossier)
        finally:
            self._fates[model].set_result(alive)
        if not alive:
            if not dossier.gate.tripped:
                dossier.conclude(f"a port that was open no longer opened {self._recheck:g} s after it was asked")
            self._note(f"{dossier.address} stopped answering after it was asked; devices like it are left alone")
        return alive
