"""--on xmhf with a stand-in for XMHF (standin/): boots in and out of it, noise and deaths on demand."""

import gzip
import subprocess

import pytest

from conftest import SCRIPTS
from lhvtool import bochs, disk, machine, qemu, xmhf
from lhvtool.problem import Problem

KERNEL = SCRIPTS.parent / "build" / "amd64" / "lhv.bin"
STANDIN = SCRIPTS / "tests" / "standin"
FLAGS = ("-m32 -std=gnu17 -ffreestanding -O1 -Wall -Wextra -Werror -mgeneral-regs-only -fno-pic -fno-pie "
         "-fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables").split()


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    """The stand-in, built."""
    folder = tmp_path_factory.mktemp("standin")
    for source in ("standin.S", "standin.c"):
        subprocess.run(["gcc", *FLAGS, "-c", STANDIN / source, "-o", folder / f"{source}.o"], check=True)
    subprocess.run(["ld", "-m", "elf_i386", "--no-warn-rwx-segments", "-T", STANDIN / "standin.lds",
                    "-o", folder / "standin.elf", folder / "standin.S.o", folder / "standin.c.o"], check=True)
    subprocess.run(["objcopy", "-O", "binary", folder / "standin.elf", folder / "standin.bin"], check=True)
    return folder / "standin.bin"


@pytest.fixture
def standin(program, tmp_path):
    """A function that makes a folder as --xmhf wants it, from orders to the stand-in; it returns the folder."""
    def make(*orders):
        folder = tmp_path / "xmhf"
        folder.mkdir(exist_ok=True)
        (folder / "init-x86-amd64.bin").write_bytes(program.read_bytes())
        (folder / "hypervisor-x86-amd64.bin.gz").write_bytes(gzip.compress("".join(f"{one}\n" for one in orders).encode()))
        return str(folder)
    return make


def test_noise_and_three_deaths(lhv, standin):
    """The one CPU that the stand-in leaves runs all rules of the smoke run, but for those that it dies of."""
    alone = [rule["id"] for rule in lhv("run", "--opt", "0x0", "--cpus", "1").rules]
    deaths = {"exit.cpuid.length": "Halting!", "exit.hlt.reason": "no resolution", "vmlaunch.launched-error4": "no resolution"}
    folder = standin("noise exit.cpuid.reason", "halt exit.cpuid.length", "noise exit.cpuid.rip", "fault exit.hlt.reason",
                     "reset vmlaunch.launched-error4", "noise vmresume.again")
    done = lhv("run", "--on", "xmhf", "--xmhf", folder, "--opt", "0x0", "--cpus", "2", "--timeout", "60")
    assert done.status == 1, str(done)
    assert [rule["id"] for rule in done.rules] == alone, str(done)
    outcomes = {rule["id"]: rule["outcome"] for rule in done.rules}
    assert {rule for rule, outcome in outcomes.items() if outcome == "died"} == set(deaths)
    assert all(outcomes[rule] == "passed" for rule in alone if rule not in deaths), str(done)
    for rule in done.rules:
        if rule["id"] in deaths:
            assert deaths[rule["id"]] in rule["diagnosis"]["platform"], rule
    assert len(done.result["boots"]) == 4
    assert list(done.result["cpu_lines"]) == ["0"]
    assert "Stand-in: to the guest" in done.serial and "CPU(1): noise" in done.serial


def test_the_disk_on_qemu(standin, tmp_path):
    """The same disk where the BIOS is another one; TCG has no VMX, so that a rule is run that needs none."""
    platform = qemu.Qemu(KERNEL, None, 2, 1024)
    disk.with_xmhf(tmp_path / "disk.img", KERNEL, "tests=user.host.gp.hlt", disk.find_xmhf(standin("noise no.such.rule")))
    command = platform.configure(qemu.DISK)
    platform.prepare = lambda folder, command_line: command
    boot = machine.boot(1, tmp_path, platform, "", 60, (), lambda log: None)
    serial = (tmp_path / "serial.txt").read_text(errors="replace")
    assert boot.log.verdict == "pass" and "Stand-in: to the guest" in serial, serial
    assert list(boot.log.cpus) == [0]


def test_a_hypervisor_that_dies_at_once(lhv, standin):
    done = lhv("run", "--on", "xmhf", "--xmhf", standin(), "--opt", "0x0", "--cpus", "1", "--timeout", "60")
    assert done.status == 3, str(done)
    assert "no second CPU. Halting!" in done.out, str(done)


def test_torn_lines_cost_their_rules_only(lhv, standin):
    """The line of the rule, and the breadcrumb of the next, are mixed with noise; nothing passes that was not read."""
    done = lhv("run", "--on", "xmhf", "--xmhf", standin("tear exit.registers.rsp"), "--opt", "0x0", "--cpus", "2")
    outcomes = {rule["id"]: rule["outcome"] for rule in done.rules}
    hit = {"exit.registers.rsp", "exit.registers.rflags"}
    assert len(outcomes) >= 15, str(done)
    assert all(outcome == "passed" for rule, outcome in outcomes.items() if rule not in hit), str(done)
    assert all(outcomes.get(rule) in (None, "lost", "passed") for rule in hit), str(done)


def test_a_sweep_over_bochs_and_xmhf(lhv, standin, tmp_path):
    done = lhv("sweep", "--on", "bochs,xmhf", "--xmhf", standin(), "--opt", "0x0", "--cpus", "2", "-j", "1", "--tests",
               "exit.cpuid.reason", "--out", str(tmp_path / "sweep"))
    assert done.status == 0 and "2 of 2 combinations have a result" in done.out, str(done)


def test_what_the_platform_is(standin):
    platform = xmhf.Xmhf("lhv.bin", None, 2, 1024, "amd64", standin())
    assert (platform.name, platform.title, platform.cpus, platform.memory) == ("xmhf", "XMHF", 2, 1024)
    assert platform.under.split()[0] in ("bochs", "kvm")


@pytest.mark.parametrize("words, sentence", [
    (["--on", "xmhf"], "Give the folder of your build with --xmhf DIR"),
    (["--on", "xmhf", "--xmhf", "{none}"], "none is not there"),
    (["--on", "xmhf", "--xmhf", "{}", "--memory", "512"], "at least 1024 MiB"),
    (["--on", "bochs", "--xmhf", "{}"], "--xmhf goes with --on xmhf")])
def test_refusals(lhv, standin, tmp_path, words, sentence):
    folder = standin()
    done = lhv("run", *(word.format(folder, none=tmp_path / "none") for word in words))
    assert done.status == 2 and sentence in done.err, str(done)


def test_it_is_a_platform_where_bochs_is(lhv):
    assert bochs.missing() is not None or "xmhf" in lhv("platforms").out
    with pytest.raises(Problem, match="Which XMHF"):
        xmhf.Xmhf("lhv.bin", None, 1, 1024, "amd64", None)
