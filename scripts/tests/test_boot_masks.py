"""The option masks that the older LHV was used, bisected and tested with: a verdict each, nothing but known issues."""

import pytest

MASKS = ("0x0", "0x80", "0x1fc", "0x40", "0xfc", "0x7c", "0x3c", "0x1c", "0xc", "0x4", "0xc2", "0x2c0", "0x200",
         "0x1fd", "0x5fd", "0xdfd")
BUILDS = [("haswell", arch, cpus) for arch in ("amd64", "pae", "i386") for cpus in (1, 2)]
BUILDS += [(model, "amd64", 2) for model in ("sandy_bridge", "skylake_x")]


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("model, arch, cpus", BUILDS)
def test_mask(lhv, mask, model, arch, cpus):
    done = lhv("run", "--on", "bochs", "--opt", mask, "--model", model, "--arch", arch, "--cpus", str(cpus))
    assert done.status == 0, str(done)
    assert done.result["verdict"] == "pass"
    assert len(done.result["boots"]) == 1, "a rule ended the machine"
