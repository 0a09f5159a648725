"""Real boots on KVM inside Bochs: two builds in one Linux, what the result says, and a machine that is killed."""

import pytest

from conftest import SCRIPTS
from lhvtool import kvm, machine, qemu

BUILD = SCRIPTS.parent / "build"

pytestmark = [
    pytest.mark.skipif(kvm.missing() is not None, reason=str(kvm.missing())),
    pytest.mark.skipif(qemu.missing_kvm() is None, reason="KVM can run without Bochs here."),
]


def boot(tmp_path, number, platform, options, watch=lambda log: None):
    folder = tmp_path / str(number)
    folder.mkdir()
    return machine.boot(number, folder, platform, options, platform.silence, [], watch)


def interrupt_at_the_plan(log):
    if log.plan is not None:
        raise KeyboardInterrupt


def test_several_boots_share_one_linux(tmp_path):
    first = kvm.Kvm(BUILD / "amd64/lhv.bin", None, 1, 128)
    second = kvm.Kvm(BUILD / "pae/lhv.bin", None, 1, 64, "microvm", first.linux)
    try:
        smoke = boot(tmp_path, 1, first, "lhv_opt=0x0")
        dead = boot(tmp_path, 2, first, "tests=selftest.host-triple-fault")
        killed = boot(tmp_path, 3, first, "lhv_opt=0x0 iter=0", interrupt_at_the_plan)
        again = boot(tmp_path, 4, second, "lhv_opt=0x0")
    finally:
        first.close()
    assert (smoke.ended, smoke.log.verdict) == ("verdict", "pass"), smoke
    assert dead.ended in ("exit", "reboot") and dead.log.culprit == "selftest.host-triple-fault", dead
    assert killed.ended == "interrupt", killed
    assert (again.ended, again.log.verdict) == ("verdict", "pass"), again
    assert smoke.log.banner.endswith("amd64") and again.log.banner.endswith("pae")
    assert smoke.log.facts["hypervisor"] == "KVMKVMKVM"
    assert [path.parents[1].name for path in tmp_path.glob("*/linux/linux.txt")] == ["1"], "Linux was started more than once"
    assert again.cpu_seconds < smoke.cpu_seconds
    assert "nested=Y" in first.facts["kvm_intel"]
    assert not list(tmp_path.glob("*/linux/cd.iso"))
