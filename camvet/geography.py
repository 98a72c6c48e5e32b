"""Countries and network owners of addresses, out of MMDB databases that the user brings; nothing is asked online."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from camvet.context import UsageError

if TYPE_CHECKING:
    from maxminddb import Reader

__all__ = ["Geography"]

_OWNER_KEYS = ("autonomous_system_organization", "organization", "as_name", "org", "as_domain")
_ISO_CODE = re.compile(r"[A-Z]{2}")


class Geography:
    """Countries and owners of addresses as such databases know them; empty where there are none.

    Raises `UsageError` for a file that is no such database, when it is opened or where a damage is met later.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        import maxminddb

        self._readers: list[tuple[Path, Reader, bool]] = []
        for path in paths:
            try:
                reader = maxminddb.open_database(str(path))
                self._readers.append((path, reader, reader.metadata().ip_version == 6))
            except OSError as error:
                raise UsageError(f"--geoip {path}: {error.strerror}") from error
            except (maxminddb.InvalidDatabaseError, ValueError) as error:
                raise UsageError(f"--geoip {path}: expected a MaxMind database (.mmdb)") from error
        for first in range(1, 224):                      # a damaged tree shows before an hour of capture is read
            self.of(f"{first}.0.0.1")

    def of(self, address: str) -> tuple[str | None, str | None]:
        """ISO country code and network owner of an address, as far as the databases know."""
        country = owner = None
        for found in self._records(address):
            country = country or _country_of(found)
            owner = owner or next((str(found[key]) for key in _OWNER_KEYS if found.get(key)), None)
        return country, owner

    def _records(self, address: str) -> Iterator[Mapping[str, object]]:
        import maxminddb

        for path, reader, both in self._readers:
            if ":" in address and not both:              # an IPv6 address in a database of IPv4
                continue
            try:
                found = reader.get(address)
            except (maxminddb.InvalidDatabaseError, ValueError) as error:
                raise UsageError(f"--geoip {path}: this database is damaged (looking up {address})") from error
            if isinstance(found, dict):
                yield found


def _country_of(record: Mapping[str, object]) -> str | None:
    """A country's code: MaxMind nests it, others write ``country_code``, or ``country`` with the code or the name."""
    for place in (record.get("country"), record.get("registered_country"),
                  {"iso_code": record.get("country_code")}, {"iso_code": record.get("country")}):
        code = place.get("iso_code") if isinstance(place, dict) else None
        if isinstance(code, str) and _ISO_CODE.fullmatch(code.upper()):
            return code.upper()
    return None
