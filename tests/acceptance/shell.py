"""Many commands in one process: each run by the real entry point, the rule data read once for all of them."""

import contextlib
import io
import json
import subprocess
import sys
from dataclasses import dataclass

from camvet.cli import run

_LOOP = """
import contextlib, io, json, sys
from camvet.cli import main
for line in sys.stdin:
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(json.loads(line))
        except SystemExit as end:
            code = end.code
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""


@dataclass(frozen=True)
class Done:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """The JSON document on stdout."""
        return json.loads(self.out)


class Shell:
    """A process that runs one command line after the other for an `acceptance.story.Camvet`; a context manager."""

    def __init__(self, camvet):
        self._front = ["--db", str(camvet.db), "--site", camvet.name]
        self._process = subprocess.Popen([sys.executable, "-c", _LOOP], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True, cwd=camvet.home, env=camvet.environment())

    def __call__(self, *words):
        self._process.stdin.write(json.dumps([*self._front, *map(str, words)]) + "\n")
        self._process.stdin.flush()
        return Done(*json.loads(self._process.stdout.readline()))

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()


class Here:
    """Runs command lines in this very process, for what needs no process of its own: nothing is loaded twice."""

    def __init__(self, home, site="hq"):
        self._front = ["--db", str(home / "camvet.sqlite"), "--site", site]

    def __call__(self, *words):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([*self._front, *map(str, words)])
        return Done(code, out.getvalue(), err.getvalue())
