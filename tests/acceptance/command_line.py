"""Runs the real command line in processes of its own, as a person or a service manager would.

`camvet` starts one process a command. `Shell` keeps one process for many commands, each run by the same entry point, so
that a story of dozens of commands reads the rule data once.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

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


def environment(folder, **more):
    """An environment in which nothing of the user's own settings is seen."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CAMVET_", "XDG_"))}
    return {**kept, "XDG_DATA_HOME": str(folder), **more}


def camvet(*words, folder, seconds=60, **more):
    """One command in a process of its own."""
    done = subprocess.run([sys.executable, "-m", "camvet", *map(str, words)], capture_output=True, text=True,
                          timeout=seconds, env=environment(folder, **more))
    return Done(done.returncode, done.stdout, done.stderr)


def started(*words, folder, **more):
    """A command that goes on: a `subprocess.Popen` with text pipes."""
    return subprocess.Popen([sys.executable, "-m", "camvet", *map(str, words)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=environment(folder, **more))


class Shell:
    """Many commands, one after the other, in one process; a context manager."""

    def __init__(self, folder, **more):
        self._process = subprocess.Popen([sys.executable, "-c", _LOOP], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True, env=environment(folder, **more))

    def __call__(self, *words):
        self._process.stdin.write(json.dumps([str(word) for word in words]) + "\n")
        self._process.stdin.flush()
        return Done(*json.loads(self._process.stdout.readline()))

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()
