"""QEMU as a platform: with KVM where the host has VMX to give, else with TCG, which has none."""

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

from . import media
from .machine import Platform
from .problem import Problem
from .process import MESSAGES
from .screen import MONITOR

PROGRAM = "qemu-system-x86_64"


def _ask(*arguments):
    try:
        done = subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
    except FileNotFoundError:
        raise Problem("QEMU is not installed. Run scripts/setup.") from None
    return done.stdout


@functools.cache
def version():
    """The version of QEMU as a string, such as "7.2.22"; "unknown" if it does not say."""
    match = re.search(r"version (\S+)", _ask("--version"))
    return match[1] if match else "unknown"


def models():
    """The names of all CPU models that QEMU knows."""
    return re.findall(r"^x86 (\S+)", _ask("-cpu", "help"), re.MULTILINE)


def missing():
    """Why QEMU cannot run here, as a sentence, or None if it can."""
    return None if shutil.which(PROGRAM) else "QEMU is not installed. Run scripts/setup."


def missing_kvm():
    """Why KVM cannot give nested VMX here, as a sentence, or None if it can."""
    flags = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    if not flags or "vmx" not in flags[1].split():
        return "The host's CPU announces no VMX."
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "The device /dev/kvm is not there or may not be opened."
    nested = Path("/sys/module/kvm_intel/parameters/nested")
    if not nested.exists() or nested.read_text().strip() not in ("Y", "1"):
        return "The kernel module kvm_intel is not loaded with nested=1."
    return None


DISK = ("-drive", "file=disk.img,format=raw,if=ide")


class Qemu(Platform):
    """The platform, set up for one run. See machine.Platform for what it is asked."""

    def __init__(self, kernel, model, cpus, memory, machine="pc"):
        """Arguments: the kernel image, a model's name or None, the number of CPUs, MiB of memory, the machine of QEMU."""
        if reason := missing():
            raise Problem(reason)
        kvm = missing_kvm() is None
        if model and model.split(",")[0] not in (known := models()):
            raise Problem(f"QEMU knows no CPU model {model!r}. It knows {', '.join(known)}.")
        self.kernel = Path(kernel).resolve()
        self.name = "kvm" if kvm else "qemu"
        self.title = "QEMU with KVM" if kvm else "QEMU with TCG"
        self.accelerator = "kvm" if kvm else "tcg"
        # What is under test with KVM is the host's kernel, so that its version counts.
        self.version = os.uname().release if kvm else version()
        self.model = model or ("host" if kvm else "max")
        self.cpus = cpus
        self.memory = memory
        self.machine = machine
        self.facts = {"qemu": version(), "machine": machine}

    def prepare(self, folder, command_line):
        """Returns the command; the folder needs nothing more."""
        media.check_words(command_line.split())
        return self.configure(["-kernel", str(self.kernel), "-append", command_line])

    def configure(self, boot):
        """Returns the command. Argument: the words that say what it boots."""
        # for a picture the machine must stay when the kernel has ended it
        end = (["-no-shutdown", "-qmp", f"unix:{MONITOR},server=on,wait=off"] if self.shows_screen
               else ["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"])
        return [PROGRAM, "-M", self.machine, "-accel", self.accelerator, "-cpu", self.model, "-smp", str(self.cpus),
                "-m", str(self.memory), "-nodefaults", "-vga", "std", "-display", "none",
                "-no-reboot", "-serial", "file:serial.txt", *end, *boot]

    def last_words(self, folder):
        """What QEMU wrote to its error output, without its warnings."""
        text = Path(folder, MESSAGES).read_text(errors="replace")
        lines = [line for line in text.splitlines() if line and "warning:" not in line]
        return "; ".join(lines[-3:])
