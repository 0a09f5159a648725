"""Planted faults: each is booted with the rules that must catch it, and each of them must fail.

A rule that cannot fail is worth nothing. The named faults are listed by the kernel, the faults of
single MSRs in scripts/faults-*.yaml (fault, rules, and a CPU model where it needs one), so that a
new one is tried here without a change.
"""

import fnmatch

import pytest
import yaml

from conftest import SCRIPTS, catalogue

CAUGHT = ("failed", "hung", "died")
NAMED = {fault["name"]: fault["caught_by"] for fault in catalogue("faults")}
FILES = sorted(SCRIPTS.glob("faults-*.yaml"))
MSRS = [(path.stem, entry) for path in FILES for entry in yaml.safe_load(path.read_text())]


def assert_caught(lhv, fault, globs, model=None):
    """Plants a fault and asserts that every glob names a rule that fails."""
    done = lhv("run", "--on", "bochs", "--fault", fault, "--tests", ",".join(globs),
               *(["--model", model] if model else []))
    failing = [rule["id"] for rule in done.rules if rule["outcome"] in CAUGHT]
    missed = [glob for glob in globs if not fnmatch.filter(failing, glob)]
    assert not missed, f"{missed} did not catch {fault}\n{done}"
    assert done.status == 1, str(done)


def test_the_image_has_faults():
    assert NAMED, "build/amd64/lhv.elf lists no faults, or is not built"
    assert all(globs.split() for globs in NAMED.values()), "a fault names no rule that catches it"


@pytest.mark.parametrize("name", NAMED)
def test_a_planted_fault_is_caught(lhv, name):
    assert_caught(lhv, name, NAMED[name].split())


@pytest.mark.parametrize("entry", [entry for _, entry in MSRS],
                         ids=[f"{file}:{entry['rules']}" for file, entry in MSRS])
def test_a_fault_of_an_msr_is_caught(lhv, entry):
    assert set(entry) <= {"fault", "rules", "model"}, entry
    assert_caught(lhv, entry["fault"], entry["rules"].split(","), entry.get("model"))
