"""What the tests of the runner share: the runner as a command, and its modules in the path."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[1]

sys.dont_write_bytecode = True
sys.path.insert(0, str(SCRIPTS))


@dataclass
class Done:
    """An ended command: its status, what it printed, and, of a run, result.json and the raw log."""

    status: int
    out: str
    err: str
    result: dict
    serial: str

    def outcome(self, rule):
        """The outcome of a rule; None if the run has none of that id."""
        return next((one["outcome"] for one in self.rules if one["id"] == rule), None)

    @property
    def rules(self):
        """The rules' results."""
        return self.result.get("rules", [])

    def __str__(self):
        return f"status {self.status}\n{self.out}\n{self.err}"


@pytest.fixture
def lhv(tmp_path):
    """A function that calls scripts/lhv; a run gets a folder of its own for its files."""
    count = 0

    def call(*arguments, timeout=300):
        nonlocal count
        count += 1
        folder = tmp_path / f"run-{count}"
        where = ["--out", folder] if arguments and arguments[0] == "run" else []
        done = subprocess.run([SCRIPTS / "lhv", *arguments, *where], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout)
        result, serial = folder / "result.json", folder / "serial.txt"
        return Done(done.returncode, done.stdout, done.stderr,
                    json.loads(result.read_text()) if result.exists() else {},
                    serial.read_text(errors="replace") if serial.exists() else "")
    return call


def catalogue(command="list", *arguments):
    """A list of `scripts/lhv` (list, faults) as Python objects; [] if it fails."""
    done = subprocess.run([SCRIPTS / "lhv", command, "--format", "json", *arguments],
                          capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else []
