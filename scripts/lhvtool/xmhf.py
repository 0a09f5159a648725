"""XMHF as a platform: a user's build of it, in QEMU where KVM can nest, else in Bochs."""

from pathlib import Path

from . import bochs, disk, qemu
from .machine import Platform
from .problem import Problem

LEAST_MEMORY = 1024               # MiB: XMHF lies at 256 MiB and takes up to 360


class Xmhf(Platform):
    """The platform, set up for one run. See machine.Platform for what it is asked."""

    name = "xmhf"
    title = "XMHF"
    silence = 40                  # it fills tables for seconds without a word
    # "Fatal: Halting! Condition '…' failed, line 12, file …", "CPU(0x00): HALT!", "CPU(0x00): error(halt), …" and their
    # like. One CPU says so and stops; the others stop when they next need it, or never.
    death = rb"(?i)[^\n]*(halt(?:ing)?!|error\(halt\))[^\n]*\n"

    def __init__(self, kernel, model, cpus, memory, arch, folder):
        """Arguments: the kernel image; a model's name or None; the number of CPUs; MiB of memory; the kernel's build;
        the folder with the user's build of XMHF."""
        if not folder:
            raise Problem("Which XMHF? Give the folder of your build with --xmhf DIR.")
        self.xmhf = disk.find_xmhf(folder, arch)
        if memory < LEAST_MEMORY:
            raise Problem(f"XMHF needs at least {LEAST_MEMORY} MiB of memory: --memory {LEAST_MEMORY}.")
        self.kernel = kernel
        emulator = bochs.Bochs if qemu.missing() or qemu.missing_kvm() else qemu.Qemu
        self._machine = emulator(kernel, model, cpus, memory)
        self.version = self.xmhf.version
        self.facts = {"xmhf": f"{self.xmhf.subarch}, {self.xmhf.revision or 'revision not told'}"}
        self.under = f"{self._machine.name} {self._machine.version}"
        for same in ("accelerator", "model", "cpus", "memory", "has_debugger", "own_terminal"):
            setattr(self, same, getattr(self._machine, same))

    def prepare(self, folder, command_line):
        """Writes the disk, and what the emulator needs, into the folder; returns the command."""
        disk.with_xmhf(Path(folder, "disk.img"), self.kernel, command_line, self.xmhf)
        self._machine.shows_screen = self.shows_screen
        if isinstance(self._machine, bochs.Bochs):
            return self._machine.configure(folder, bochs.DISK)
        return self._machine.configure(qemu.DISK)

    def last_words(self, folder):
        """What the emulator said of its end, where it ended badly."""
        return self._machine.last_words(folder)
