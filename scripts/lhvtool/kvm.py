"""KVM as a platform where the CPU has no VMX: Bochs, in it Linux with KVM and nested VMX, on that QEMU with LHV."""

import re
import shlex
from pathlib import Path

from . import bochs, initramfs, media, nested, packages, qemu
from .machine import SERIAL, Platform
from .problem import Problem
from .process import SCREEN

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "nested"
KERNEL_PACKAGE = "linux-image-cloud-amd64"     # depends on the kernel's package, whose name holds its version
KERNEL_PREFIX = "linux-image-"

# The lean QEMU of Debian: KVM only, and few libraries to start
PROGRAM = Path("/usr/bin/qemu-system-x86_64-microvm")
FIRMWARE = ("/usr/share/seabios/bios-256k.bin", "/usr/share/seabios/bios-microvm.bin", "/usr/share/qemu/multiboot.bin",
            "/usr/share/qemu/multiboot_dma.bin", "/usr/share/qemu/kvmvapic.bin", "/usr/share/qemu/linuxboot_dma.bin",
            "/usr/share/qemu/qboot.rom")
MODULES = ("virt/lib/irqbypass", "arch/x86/kvm/kvm", "arch/x86/kvm/kvm-intel")

# qboot starts in less time than SeaBIOS; the timers and controllers are those that LHV tests
MACHINES = {"q35": ["-M", "q35"],
            "microvm": ["-M", "microvm,acpi=on,pit=on,pic=on,rtc=on,isa-serial=on", "-bios", "/firmware/qboot.rom"]}

LINUX_MEMORY = 384                # MiB, besides those of LHV
SCRIPT = f"linux (cd)/vmlinuz console=ttyS2,115200 {nested.LINUX_OPTIONS}\ninitrd (cd)/initrd\nboot\n"


def missing():
    """Why KVM cannot run inside Bochs here, as a sentence, or None if it can."""
    if reason := nested.missing() or qemu.missing():
        return reason
    if not PROGRAM.exists():
        return f"The program {PROGRAM.name} is not installed. Run scripts/setup."
    if not packages.cached(CACHE / "packages", f"{KERNEL_PREFIX}*-cloud-amd64") and not packages.known(KERNEL_PACKAGE):
        return (f"The Debian package {KERNEL_PACKAGE} is neither in build/nested nor known to apt-get. With a network, run "
                "`apt-get update` as root, then `scripts/lhv run --on kvm`; afterwards no network is needed.")
    return None


def kernel_package():
    """Linux, unpacked: (name, version, where); downloaded where the cache has none. Error: Problem."""
    folder = CACHE / "packages"
    if found := packages.cached(folder, f"{KERNEL_PREFIX}*-cloud-amd64"):
        return found
    name = packages.dependency(KERNEL_PACKAGE, KERNEL_PREFIX)
    return packages.fetch(folder, name or KERNEL_PACKAGE)


def platform(kernel, model, cpus, memory, machine="q35", session=None):
    """KVM as it can be had here: by QEMU on the host's own, else inside Bochs. Arguments: those of Kvm."""
    if qemu.missing() is None and qemu.missing_kvm() is None:
        return qemu.Qemu(kernel, model, cpus, memory, machine)
    return Kvm(kernel, model, cpus, memory, machine, session)


class Kvm(Platform):
    """The platform, set up for one run. See machine.Platform for what it is asked.

    The Linux inside Bochs is started with the first boot and serves all boots until close(). Several runs, one after
    the other, share it where each is given the Linux of the one before: `Kvm(..., session=other.linux)`; then
    whoever made the first one closes it. Kernel, CPUs and memory may differ: the Linux is
    started anew where it does not fit.
    """

    name = "kvm"
    title = "KVM in Bochs, Linux"
    accelerator = "kvm"
    silence = 90

    def __init__(self, kernel, model, cpus, memory, machine="q35", session=None):
        """Arguments: the kernel image, the CPU model of Bochs or None, the number of CPUs, MiB of memory, the machine
        of QEMU ("q35" or "microvm"), the Linux to share or None."""
        if reason := missing():
            raise Problem(reason)
        if memory > bochs.Bochs.max_memory - LINUX_MEMORY:
            raise Problem(f"KVM inside Bochs has at most {bochs.Bochs.max_memory - LINUX_MEMORY} MiB of memory to give.")
        if machine not in MACHINES:
            raise Problem(f"KVM inside Bochs runs the machines {' and '.join(MACHINES)} of QEMU, not {machine!r}.")
        self.kernel = Path(kernel).resolve()
        self.model = bochs.find_model(model or bochs.DEFAULT_MODEL)
        self.cpus = cpus
        self.memory = memory
        self.machine = machine
        self.under = f"bochs {bochs.version()}"
        package, version, self._unpacked = kernel_package()
        self.version = package.removeprefix(KERNEL_PREFIX)
        self.facts = {"linux": f"{package} {version}", "qemu": packages.installed_version("qemu-system-x86") or qemu.version(),
                      "machine": machine}
        self.linux = session or Linux(self._unpacked)
        self._shared = session is not None
        self._last = None

    def start(self, folder, command_line):
        """Starts LHV, and Linux where none is running that fits."""
        media.check_words(command_line.split())
        before = self.linux.cpu_seconds()
        session = self.linux.running(folder, self.kernel, self.model, self.cpus, self.memory)
        self.facts["kvm_intel"] = " ".join(f"{key}={value}" for key, value in session.facts.items() if key != "release")
        inside = self.linux.path_inside(self.kernel)
        log = nested.log_address(self.memory)
        words = ["relay", "/memory", str(self.memory), str(log), "qemu", "-L", "/firmware", "-enable-kvm", "-cpu", "host,migratable=off", *MACHINES[self.machine],
                 "-smp", str(self.cpus), "-m", str(self.memory),
                 "-object", f"memory-backend-file,id=memory,mem-path=/memory,share=on,size={self.memory}M",
                 "-machine", "memory-backend=memory", "-nodefaults", "-display", "none", "-no-reboot",
                 "-serial", "stdio", "-kernel", inside, "-append", f"{command_line} log_memory={log:#x}"]
        Path(folder, "command.txt").write_text(
            f"# Started in the Linux whose files are in {session.folder}. Options of the kernel: {command_line}\n"
            f"{shlex.join(words)}\n")
        self._last = nested.Machine(session, words, Path(folder, SERIAL), before)
        return self._last

    def last_words(self, folder):
        """What QEMU wrote to its error output, or else what Linux and Bochs said of their end."""
        _status, words = self._last.ended if self._last and self._last.ended else ("", "")
        return re.sub(r"^[; ]+|[; ]+$", "", words)

    def close(self):
        """Ends Linux, unless somebody else shares it."""
        if not self._shared:
            self.linux.close()


class Linux:
    """The Linux inside Bochs that boots of LHV share, started when it is first wanted."""

    def __init__(self, unpacked):
        """Argument: the kernel's unpacked package."""
        self._unpacked = Path(unpacked)
        self._session = None
        self._model = ""
        self._cpus = self._memory = 0
        self._kernels = {}            # path of an image -> its path in Linux

    def cpu_seconds(self):
        """The CPU seconds of the running Bochs so far; 0 where none is."""
        return self._session.process.cpu_so_far() if self._session and self._session.alive() else 0.0

    def path_inside(self, kernel):
        """Where the running Linux has an image."""
        return f"/payload/{self._kernels[kernel]}"

    def running(self, folder, kernel, model, cpus, memory):
        """The Session of a Linux that can run this, started anew where the one that there is cannot.

        Arguments: the boot's folder, which gets the files of a new Linux; the image; Bochs's CPU model; the CPUs and
        MiB of LHV. Error: Problem where it cannot be started.
        """
        fits = (self._session and self._session.alive() and kernel in self._kernels and model == self._model
                and cpus <= self._cpus and memory <= self._memory)
        if not fits:
            self.close()
            self._start(Path(folder, "linux"), kernel, model, max(cpus, self._cpus), max(memory, self._memory))
        return self._session

    @staticmethod
    def _name_images(kernel):
        """Names for an image and for those of the other builds beside it: a dict of paths and names."""
        images = [kernel, *(path for path in sorted(kernel.parents[1].glob("*/lhv.bin")) if path != kernel)]
        return {path: f"{number}-{path.parent.name}.bin" for number, path in enumerate(images)}

    def _start(self, folder, kernel, model, cpus, memory):
        kernels = self._name_images(kernel)
        linux = next(self._unpacked.glob("boot/vmlinuz-*"))
        self._session = nested.Session(
            folder, model, cpus, memory + LINUX_MEMORY, "Linux", SCRIPT, ["linux"],
            {"vmlinuz": linux}, self._initramfs(), {name: path for path, name in kernels.items()})
        self._session.output_file = SCREEN        # because scripts/nested/relay.c writes to port E9
        self._model, self._cpus, self._memory, self._kernels = model, cpus, memory, kernels

    def _initramfs(self):
        tree = initramfs.Tree()
        tree.busybox()
        tree.file("init", nested.SCRIPTS / "agent")
        tree.file("setup", nested.SCRIPTS / "kvm-setup")
        tree.program("bin/qemu", PROGRAM)
        tree.file("bin/relay", initramfs.compiled(CACHE, nested.SCRIPTS / "relay.c"))
        for path in FIRMWARE:
            tree.file(f"firmware/{Path(path).name}", path)
        (modules,) = self._unpacked.glob("lib/modules/*/kernel")
        for name in MODULES:
            tree.module(modules / f"{name}.ko")
        return tree.packed(CACHE, "kvm")

    def close(self):
        """Ends it."""
        if self._session:
            self._session.close()
            self._session = None
