"""Which login is for which device: a site has several, and a wrong one must never be tried on the wrong camera."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from scanner.wire.auth import Credentials

__all__ = ["Login", "Logins"]


@dataclass(frozen=True, slots=True)
class Login:
    """Credentials for the addresses of one network (a single address is a network of one)."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    credentials: Credentials


@dataclass(frozen=True, slots=True)
class Logins:
    """Every login of one sweep. The narrowest network that holds an address decides; `default` is for all others."""

    entries: Sequence[Login] = ()
    default: Credentials | None = None

    def of(self, address: str) -> Credentials | None:
        """The login for `address`; ``None`` where there is none, and then nothing is tried."""
        value = ipaddress.ip_address(address)
        mine = [one for one in self.entries if one.network.version == value.version and value in one.network]
        return max(mine, key=lambda one: one.network.prefixlen).credentials if mine else self.default
