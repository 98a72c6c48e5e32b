"""Settings: built-in defaults, then a TOML file, then ``CAMVET_*`` in the environment, then the command line.

Settings hold references to secrets (``env:NAME``, ``file:PATH``), never a secret.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from camvet.context import UsageError

__all__ = ["Settings", "data_folder", "load"]


def data_folder() -> Path:
    """The user's data folder for camvet (``$XDG_DATA_HOME/camvet``, else ``~/.local/share/camvet``)."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "camvet"


class Settings(BaseModel):
    """What a site usually sets once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    db: str = ""
    site: str = "default"
    policy: str = "private"
    profile: str = "gentle"

    @property
    def kept(self) -> bool:
        """Whether anything can have been kept yet: a database file that does not exist need not be made to read it."""
        return not self.db.startswith("sqlite:///") or Path(self.db.removeprefix("sqlite:///")).is_file()

    @property
    def state(self) -> Path:
        """Where journals lie: beside the database file, or in the data folder."""
        if self.db.startswith("sqlite:///"):
            return Path(self.db.removeprefix("sqlite:///")).parent
        return data_folder()


def load(config: Path | None, **options: str | None) -> Settings:
    """Settings from `config` (or ``camvet.toml`` in the data folder), the environment and the given options.

    Raises `UsageError` with the file and the field when something does not fit.
    """
    path = config or data_folder() / "camvet.toml"
    values: dict[str, object] = {}
    if config is not None or path.is_file():
        try:
            values.update(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise UsageError(f"config {path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"config {path}: expected UTF-8 text") from error
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"config {path}: {error}") from error
    for name in Settings.model_fields:
        if (given := os.environ.get(f"CAMVET_{name.upper()}")) is not None:
            values[name] = given
    values.update({name: value for name, value in options.items() if value is not None})
    values.setdefault("db", f"sqlite:///{data_folder() / 'camvet.sqlite'}")
    if "://" not in str(values["db"]):
        values["db"] = f"sqlite:///{Path(str(values['db'])).absolute()}"
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"config {path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
