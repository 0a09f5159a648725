"""Have the rules teeth? Boots the kernel with a planted fault and all rules, and judges which of them fail.

The named faults are listed by the kernel (harness/fault.h), the faults of single MSRs in scripts/faults-*.yaml: `fault`, `rules`
that must catch it, and where wanted `touches` (globs of further rules that may fail), `shows` (globs with | between them, for
what a failure shows as actual) and `model` (a CPU model).
"""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

SCRIPTS = Path(__file__).resolve().parents[1]
FAILED = ("failed", "hung", "died", "lost")
KEYS = {"fault", "rules", "touches", "shows", "model"}


@dataclass(frozen=True)
class Planted:
    """A fault, and what it should and may do to the rules."""

    fault: str                # as the option fault= has it; "": none
    caught_by: tuple          # globs: of each, one rule at least must fail
    touches: tuple = ()       # globs: these may fail too, and so may the areas of caught_by
    shows: tuple = ()         # globs: one must fit what a rule of caught_by shows; () where no short text says it
    model: str = ""           # a CPU model; "" is the usual one
    cpus: int = 1

    def may_fail(self, rule):
        """May this rule fail with the fault?"""
        areas = {glob.split(".")[0] for glob in self.caught_by}
        return rule.split(".")[0] in areas or _matches(rule, self.caught_by + self.touches)

    def boot(self):
        """Boots with the fault and every rule. Returns the rules' results, as in result.json."""
        with tempfile.TemporaryDirectory() as folder:
            given = [word for name in ("fault", "model") if getattr(self, name) for word in (f"--{name}", getattr(self, name))]
            subprocess.run([SCRIPTS / "lhv", "run", "--on", "bochs", "--cpus", str(self.cpus), "--out", folder, *given],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False, timeout=300)
            return json.loads((Path(folder) / "result.json").read_text())["rules"]

    def judge(self, results):
        """What is wrong with these results: a list of sentences, empty where all is well."""
        failed = {one["id"]: one for one in results if one["outcome"] in FAILED}
        wrong = [f"{glob} did not catch it." for glob in self.caught_by if not any(fnmatchcase(rule, glob) for rule in failed)]
        wrong += [f"{rule} fails, which has nothing to do with it." for rule in failed if not self.may_fail(rule)]
        for rule, one in failed.items():
            actual = (one["diagnosis"] or {}).get("actual", one["outcome"])
            if _matches(rule, self.caught_by) and self.shows and not _matches(actual, self.shows):
                wrong.append(f"{rule} shows {actual!r}, not {' or '.join(self.shows)}.")
        return wrong


def _matches(text, globs):
    return any(fnmatchcase(text, glob) for glob in globs)


def load(faults, rules):
    """All faults that are planted: of the image (catalogue's faults and rules) and of the files."""
    two = {rule["id"] for rule in rules if rule["cpus"] == "two"}

    def planted(fault, caught_by, touches, shows, model=""):
        cpus = 2 if any(_matches(rule, caught_by) for rule in two) else 1
        return Planted(fault, tuple(caught_by), tuple(touches), tuple(shows.split("|")) if shows else (), model, cpus)

    named = [planted(one["name"], one["caught_by"].split(), one["touches"].split(), one["shows"]) for one in faults]
    entries = [entry for path in sorted(SCRIPTS.glob("faults-*.yaml")) for entry in yaml.safe_load(path.read_text())]
    assert all(set(entry) <= KEYS for entry in entries), f"an entry of scripts/faults-*.yaml has other keys than {sorted(KEYS)}"
    return named + [planted(entry["fault"], entry["rules"].split(","), entry.get("touches", "").split(),
                            entry.get("shows") or _shown(entry["fault"]), entry.get("model", "")) for entry in entries]


def _shown(fault):
    """What shows that an access of an MSR seems to fault, or to succeed; nothing where a bit is flipped."""
    kinds = {word.split(":")[2] for word in fault.split(",")}
    return {frozenset({"faults"}): "#GP(0)", frozenset({"succeeds"}): "succeeded|0x*"}.get(frozenset(kinds), "")
