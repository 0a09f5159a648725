"""Planted faults: each is booted with all rules; those meant to catch it must fail, decoded as it, and unrelated areas must pass.

A rule that cannot fail is worth nothing. The faults are listed by the kernel and in scripts/faults-*.yaml, so that a new one
is tried here without a change.
"""

import pytest

from conftest import catalogue
from lhvtool import teeth

NAMED = catalogue("faults")
PLANTED = teeth.load(NAMED, catalogue())


def test_the_image_has_faults():
    assert NAMED, "build/amd64/lhv.elf lists no faults, or is not built"
    assert all(one.caught_by for one in PLANTED), "a fault names no rule that catches it"


@pytest.mark.parametrize("planted", PLANTED, ids=[f"{one.fault}:{','.join(one.caught_by)}" for one in PLANTED])
def test_a_planted_fault_is_caught_as_what_it_is_and_nothing_else_fails(planted):
    assert not planted.judge(planted.boot())
