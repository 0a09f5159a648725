"""Real boots on Xen inside Bochs, which take minutes: LHV_FULL=1 asks for them."""

import os

import pytest

from lhvtool import bochs, xen

pytestmark = [
    pytest.mark.skipif(not os.environ.get("LHV_FULL"), reason="LHV_FULL=1 asks for runs on Xen, which take minutes."),
    pytest.mark.skipif(xen.missing() is not None, reason=str(xen.missing()))]


def test_a_domain_that_xen_ends_costs_one_rule_and_no_other_xen(lhv):
    rules = ["vmptrld.success", "vmptrld.shadow-bit-error11", "vmptrld.unaligned-error9"]
    done = lhv("run", "--on", "xen", "--opt", "0x80", "--cpus", "1", "--tests", ",".join(rules), timeout=1800)
    assert done.status == 0, str(done)
    assert [done.outcome(rule) for rule in rules] == ["passed", "expected", "passed"], str(done)
    first, second = done.result["boots"]
    assert "vmentry failure" in first["last_words"] and second["verdict"] == "pass"
    assert second["cpu_seconds"] < first["cpu_seconds"] * 0.6     # because Xen was there
    assert done.result["under"] == f"bochs {bochs.version()}"
    assert done.result["version"].startswith("4.")
    assert set(done.result["platform_facts"]) == {"xen", "linux", "qemu"}
    assert "XenVMM" in done.result["facts"]["hypervisor"]
