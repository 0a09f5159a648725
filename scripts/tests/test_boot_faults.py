"""Planted faults: each is booted with the rules that must catch it, and each of them must fail.

A rule that cannot fail is worth nothing. The kernel lists its faults, so that a new one is tried
here without a change.
"""

import fnmatch

import pytest

from conftest import catalogue

CAUGHT = ("failed", "hung", "died")
FAULTS = {fault["name"]: fault for fault in catalogue("--faults")}


def test_the_image_has_faults():
    assert FAULTS, "build/amd64/lhv.elf lists no faults, or is not built"


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught(lhv, name):
    globs = FAULTS[name]["caught_by"].split()
    assert globs, f"the fault {name} names no rule that catches it"
    done = lhv("run", "--on", "bochs", "--fault", name, "--tests", ",".join(globs))
    failing = [rule["id"] for rule in done.rules if rule["outcome"] in CAUGHT]
    for glob in globs:
        assert fnmatch.filter(failing, glob), f"{glob} did not catch {name}\n{done}"
    assert done.status == 1, str(done)
