"""The debuggers: GDB on QEMU and Bochs's own console, each driven by commands."""

import pytest

from lhvtool import debugger
from lhvtool.catalogue import Image
from lhvtool.problem import Problem

from conftest import SCRIPTS

BUILD = SCRIPTS.parent / "build"


@pytest.mark.parametrize("arch", ["amd64", "pae", "i386"])
def test_gdb_stops_where_a_rule_starts(lhv, tmp_path, arch):
    # one test function checks many rules: only the register that holds the record tells which
    done = lhv("gdb", "--on", "qemu", "--arch", arch, "--tests", "user.host.gp.*", "--stop-at", "user.host.gp.clts",
               "--command", "print rule->id", "--command", "bt 2", "--command", "info symbol guest_entry",
               "--command", "lhv-vmcs", "--out", tmp_path / "run")
    assert '"user.host.gp.clts"' in done.out, str(done)
    assert "rule_run" in done.out and "guest_entry in section .text" in done.out
    assert "This CPU has no VMX." in done.out or "VMCS at" in done.out


def test_gdb_stops_where_a_rule_fails(lhv, tmp_path):
    done = lhv("gdb", "--on", "qemu", "--tests", "selftest.*", "--stop-at-failure", "--command", "bt 3",
               "--command", "printf \"actual %s\\n\", cpus[0].result.actual", "--out", tmp_path / "run")
    assert "rule_failed ()" in done.out and "rule_fail" in done.out, str(done)
    assert "actual 0x" in done.out


def test_gdb_says_that_the_kernel_does_not_run_yet(lhv, tmp_path):
    done = lhv("gdb", "--on", "qemu", "--command", "lhv-vmcs", "--out", tmp_path / "run")
    assert "LHV does not run yet" in done.err and "Traceback" not in done.err, str(done)


def test_bochs_stops_where_a_rule_starts(lhv, tmp_path):
    done = lhv("gdb", "--tests", "exit.cpuid.*", "--stop-at", "exit.cpuid.length", "--command", "print-stack 2",
               "--command", 'info symbols "guest_entry"', "--out", tmp_path / "run")
    assert done.status == 0, str(done)
    assert "(cpuid_length+0)" in done.out and "(rule_run+" in done.out and "guest_entry" in done.out
    assert "# run exit.cpuid.length" in done.out and "ok 2" in done.out and "ok 3" not in done.out


def test_bochs_stops_where_a_rule_fails_and_shows_its_vmcs(lhv, tmp_path):
    done = lhv("gdb", "--fault", "exit-reason", "--tests", "exit.cpuid.reason", "--append", "dump=vmcs", "--stop-at-failure",
               "--command", "r", "--out", tmp_path / "run")
    assert "(rule_failed+0)" in done.out, str(done)
    assert "guest RIP" in done.out and "exit reason" in done.out and "VMCS at 0x" in done.out


def test_both_places(tmp_path):
    image = Image(BUILD / "pae" / "lhv.elf")
    starts, fails = debugger.stop_places(image, "exit.cpuid.reason", True)
    assert image.function_at(starts[0]) == "cpuid_reason+0x0" and image.function_at(fails[0]) == "rule_failed+0x0"
    assert starts[1] and not fails[1]
    with pytest.raises(Problem, match="There is no rule exit.cpuid.raeson"):
        debugger.stop_places(image, "exit.cpuid.raeson", False)


def test_a_platform_without_a_debugger(lhv):
    done = lhv("gdb", "--on", "kvm")
    assert done.status == 2 and "no debugger for the platform kvm" in done.err
