"""What the acceptance tests share: the real command line in a process of its own, against a site in this process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.site import Site

ROOT = Path(__file__).parents[2]


@dataclass
class Camvet:
    """Runs camvet with an inventory of its own."""

    home: Path
    site: Site | None = None
    name: str = "hq"

    @property
    def db(self) -> Path:
        return self.home / "camvet.sqlite"

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "camvet", "--db", str(self.db), "--site", self.name, *map(str, words)]

    def environment(self, **more: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CAMVET_")}
        return {**kept, "XDG_DATA_HOME": str(self.home), "PYTHONPATH": str(ROOT), **more}

    def run(self, *words: str, timeout: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=timeout, cwd=self.home,
                              env=self.environment(**environment), check=False)

    def json(self, *words: str, code: int | None = None, timeout: float = 120) -> Any:
        done = self.run("--json", *words, timeout=timeout)
        assert code is None or done.returncode == code, (done.returncode, done.stderr[-2000:])
        return json.loads(done.stdout)

    def sweep_words(self, *more: str, logins: bool = True, capture: bool = True) -> list[str]:
        """The words of a sweep of the whole simulated site."""
        out = self.site.out_dir
        words = ["sweep", str(self.site.network), "--port-map", str(out / "site.json"),
                 "--neighbours", str(out / "neighbours.txt"), "--profile", "fast", "--policy", "federal",
                 "--owner", "tests", "--ticket", "T-1"]
        if logins:
            words += ["--credentials", f"file:{out / 'logins.txt'}"]
        if capture:
            words += ["--capture", str(out / "phone-home.pcap")]
        return [*words, *more]
