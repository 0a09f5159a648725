"""The option masks that the older LHV was used, bisected and tested with: a verdict each, nothing but known issues.

All of them with every build, CPU count and model take a quarter of an hour: LHV_FULL=1 runs them, else the corners do.
"""

import os

import pytest

MASKS = ("0x0", "0x80", "0x1fc", "0x40", "0xfc", "0x7c", "0x3c", "0x1c", "0xc", "0x4", "0xc2", "0x2c0", "0x200",
         "0x1fd", "0x5fd", "0xdfd")
ARCHES = ("amd64", "pae", "i386")
MODELS = ("haswell", "sandy_bridge", "skylake_x")
USUAL = [(mask, "haswell", "amd64", 2) for mask in MASKS]
CORNERS = [("0x1fc", "haswell", arch, cpus) for arch in ARCHES for cpus in (1, 2)]
CORNERS += [("0xdfd", model, "pae", 2) for model in MODELS] + [("0x2c0", "haswell", "i386", 1)]
ALL = [(mask, model, arch, cpus) for mask in MASKS for model in MODELS for arch in ARCHES for cpus in (1, 2)]


@pytest.mark.parametrize("mask, model, arch, cpus", ALL if os.environ.get("LHV_FULL") else USUAL + CORNERS)
def test_mask(lhv, mask, model, arch, cpus):
    done = lhv("run", "--on", "bochs", "--opt", mask, "--model", model, "--arch", arch, "--cpus", str(cpus))
    assert done.status == 0, str(done)
    assert done.result["verdict"] == "pass"
    assert len(done.result["boots"]) == 1, "a rule ended the machine"
