"""Xen as a platform: Bochs, in it Xen with Linux as its first domain, and LHV as a domain with nested virtualization."""

import functools
import gzip
import re
import shlex
from pathlib import Path

from . import bochs, bzimage, initramfs, kvm, media, nested, packages
from .machine import SERIAL, Platform
from .problem import Problem
from .process import SCREEN

CACHE = kvm.CACHE
PACKAGES = CACHE / "packages"

# Packages that depend on those whose names hold a version: (the one, how the other's name begins)
XEN, LINUX = ("xen-system-amd64", "xen-hypervisor-4"), ("linux-image-amd64", "linux-image-")
TOOLS = ("xen-utils-{branch}", "libxenmisc{branch}", "qemu-system-xen", "libxencall1", "libxendevicemodel1", "libxenevtchn1",
         "libxenforeignmemory1", "libxengnttab1", "libxenhypfs1", "libxenstore4", "libxentoolcore1", "libxentoollog1", "libyajl2")

MODULES = ("xen-privcmd", "xenfs/xenfs", "xen-evtchn", "xen-gntdev")
FIRMWARE = (Path("/usr/share/seabios/bios-256k.bin"), Path("/usr/share/qemu/keymaps/en-us"))

# MiB besides those of LHV: for Linux, and for Xen with what the domain of LHV takes beyond its memory
LINUX_MEMORY, XEN_MEMORY = 320, 448

# What is not obvious:
# com1=…,0x3e8,0   Xen talks to COM3 without interrupts, and Linux's log goes the same way (hvc0): COM1 and COM2 are Linux's;
# mce=0            Bochs announces machine checks without their MSRs;
# x2apic=0         Xen does not find the second CPU of Bochs in x2APIC mode;
# noreboot=1       a panic of Xen shall be seen, instead of another start.
# The first word of each line's options is taken for the program's name.
SCRIPT = f"""\
multiboot (cd)/xen xen console=com1 com1=115200,8n1,0x3e8,0 dom0_mem={LINUX_MEMORY}M,max:{LINUX_MEMORY}M dom0_max_vcpus=1 \
bootscrub=0 xpti=no spec-ctrl=no cpufreq=none mce=0 noreboot=1 x2apic=0 sched=credit
module (cd)/vmlinuz vmlinuz console=hvc0 rodata=off init_on_alloc=0 swiotlb=1024 {nested.LINUX_OPTIONS}
module (cd)/initrd
boot
"""

# The CD of LHV is made with Xen's start; the domain's script writes image and options of each boot into a file of it
ENVIRONMENT, ENVIRONMENT_SIZE, WORDS, BLOCK = "environment", 16384, 24, 2048
EMPTY_ENVIRONMENT = b"# GRUB Environment Block\n".ljust(ENVIRONMENT_SIZE, b"#")
OPTION_NAMES = [f"option{number}" for number in range(WORDS)]
LHV_SCRIPT = f"""\
load_env -f (cd)/{ENVIRONMENT} image {" ".join(OPTION_NAMES)}
multiboot2 (cd)/$image {" ".join("$" + name for name in OPTION_NAMES)}
boot
"""

# What Xen says on its console of a domain that it ends; a domain of LHV is never number 0
CRASH = re.compile(r"^\(XEN\) (?:\[.*?\] )?(d[1-9]\d*v\d+ .*|domain_crash called .*)$", re.MULTILINE)


def missing():
    """Why Xen cannot run here, as a sentence, or None if it can."""
    if reason := nested.missing():
        return reason
    if absent := next((path for path in FIRMWARE if not path.exists()), None):
        return f"The file {absent} of QEMU is not installed. Run scripts/setup."
    have = packages.cached(PACKAGES, f"{XEN[1]}*") and packages.cached(PACKAGES, "qemu-system-xen")
    if not have and not packages.known(XEN[0]):
        return (f"The Debian package {XEN[0]} is neither in build/nested nor known to apt-get. With a network, run "
                "`apt-get update` as root, then `scripts/lhv run --on xen`; afterwards no network is needed.")
    return None


def _package(name):
    return packages.cached(PACKAGES, name) or packages.fetch(PACKAGES, name)


def _versioned(package, prefix, pattern):
    """A package whose name holds a version: from the cache, else as another depends on it. Error: Problem."""
    return packages.cached(PACKAGES, pattern) or packages.fetch(PACKAGES, packages.dependency(package, prefix) or package)


class Xen(Platform):
    """The platform, set up for one run. See machine.Platform for what it is asked.

    As with kvm.Kvm one Xen inside Bochs serves all boots, and several runs where they are given the one of the run before.
    """

    name = "xen"
    title = "Xen in Bochs,"
    accelerator = "hvm"
    silence = 240

    def __init__(self, kernel, model, cpus, memory, session=None):
        """Arguments: the kernel image, the CPU model of Bochs or None, the number of CPUs, MiB of memory, the Xen to
        share (`other.linux`) or None."""
        if reason := missing():
            raise Problem(reason)
        most = bochs.Bochs.max_memory - LINUX_MEMORY - XEN_MEMORY
        if memory > most:
            raise Problem(f"Xen inside Bochs has at most {most} MiB of memory to give.")
        self.kernel = Path(kernel).resolve()
        self.model = bochs.find_model(model or bochs.DEFAULT_MODEL)
        self.cpus = cpus
        self.memory = memory
        self.under = f"bochs {bochs.version()}"
        self.linux = session or Dom0()
        self._shared = session is not None
        self.version = self.linux.version
        self.facts = self.linux.facts
        self._last = None
        self._said = 0                # characters of Xen's log that were there before the last boot

    def start(self, folder, command_line):
        """Starts LHV, and Xen where none is running that fits."""
        media.check_words(command_line.split())
        check_environment(command_line.split())
        before = self.linux.cpu_seconds()
        session = self.linux.running(folder, self.kernel, self.model, self.cpus, self.memory)
        log = nested.log_address(self.memory)
        words = ["/bin/xen-domain", str(self.linux.environment_block), str(ENVIRONMENT_SIZE), str(self.cpus), str(self.memory),
                 str(log), self.linux.path_inside(self.kernel), *command_line.split(), f"log_memory={log:#x}"]
        Path(folder, "command.txt").write_text(
            f"# Started in the Linux whose files are in {session.folder}. Options of the kernel: {command_line}\n"
            f"{shlex.join(words)}\n")
        self._said = len(session.log())
        self._last = nested.Machine(session, words, Path(folder, SERIAL), before)
        return self._last

    def last_words(self, folder):
        """What Xen said of a domain that it ended, or else what its tools, Linux and Bochs said."""
        crash = CRASH.findall(self._last.session.log()[self._said:]) if self._last else []
        if crash:
            return "; ".join(dict.fromkeys(crash))
        _status, words = self._last.ended if self._last and self._last.ended else ("", "")
        return re.sub(r"^[; ]+|[; ]+$", "", words)

    def close(self):
        """Ends Xen, unless somebody else shares it."""
        if not self._shared:
            self.linux.close()


def check_environment(words):
    """Refuses options that are too many or too long for the file that scripts/nested/xen-domain writes. Error: Problem."""
    text = EMPTY_ENVIRONMENT.decode().rstrip("#") + "".join(f"option{number}={word}\n" for number, word in enumerate(words))
    # one more is the log's, and there is the image's name
    if len(words) >= WORDS or len(text) > ENVIRONMENT_SIZE - 200:
        raise Problem(f"Xen can start the kernel with at most {WORDS - 1} options of {ENVIRONMENT_SIZE - 600} characters in all.")


class Dom0(kvm.Linux):
    """The Xen inside Bochs that boots of LHV share, with its first domain, started when it is first wanted."""

    def __init__(self):
        """Error: Problem where a package is neither here nor can be had."""
        name, version, self._xen = _versioned(*XEN, f"{XEN[1]}*")
        linux, linux_version, unpacked = _versioned(*LINUX, "linux-image-[0-9]*[0-9]-amd64")
        super().__init__(unpacked)
        self.branch = name.removeprefix("xen-hypervisor-").partition("-")[0]
        self._tools = {}              # a package's name without its version -> where it is unpacked
        for tool in TOOLS:
            tool_name, tool_version, where = _package(tool.format(branch=self.branch))
            self._tools[tool_name] = where
            if tool_name == "qemu-system-xen":
                qemu = f"{tool_name} {tool_version}"
        self.version = version.partition("+")[0]
        self.facts = {"xen": f"{name} {version}", "linux": f"{linux} {linux_version}", "qemu": qemu}
        self.environment_block = 0

    def path_inside(self, kernel):
        """The name of an image on the domain's CD."""
        return self._kernels[kernel]

    def _start(self, folder, kernel, model, cpus, memory):
        kernels = self._name_images(kernel)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ENVIRONMENT).write_bytes(EMPTY_ENVIRONMENT)
        cd = folder / "lhv.iso"
        media.cd(cd, LHV_SCRIPT, ["multiboot2", "loadenv"],
                 {ENVIRONMENT: folder / ENVIRONMENT, **{name: path for path, name in kernels.items()}})
        self.environment_block = cd.read_bytes().index(EMPTY_ENVIRONMENT) // BLOCK
        self._session = nested.Session(
            folder, model, cpus, memory + LINUX_MEMORY + XEN_MEMORY, "Xen", SCRIPT, ["multiboot"],
            {"xen": self._hypervisor(), "vmlinuz": self._vmlinuz()}, self._initramfs(), {"lhv.iso": cd})
        self._session.output_file = SCREEN        # because scripts/nested/relay.c writes to port E9
        self._model, self._cpus, self._memory, self._kernels = model, cpus, memory, kernels

    def _hypervisor(self):
        """Xen itself, unpacked, so that GRUB has less to do."""
        packed = next(self._xen.glob("boot/xen-*.gz"))
        return _made(f"{self._xen.name}.xen", lambda target: target.write_bytes(gzip.decompress(packed.read_bytes())))

    def _vmlinuz(self):
        """Linux, packed so that Xen unpacks it in half the time."""
        packed = next(self._unpacked.glob("boot/vmlinuz-*"))
        return _made(f"{self._unpacked.name}.vmlinuz", functools.partial(bzimage.with_lz4, packed))

    def _initramfs(self):
        roots = tuple(self._tools.values())
        xen = self._tools[f"xen-utils-{self.branch}"] / "usr/lib" / f"xen-{self.branch}"
        tree = initramfs.Tree()
        tree.busybox()
        tree.file("init", nested.SCRIPTS / "agent")
        tree.file("setup", nested.SCRIPTS / "xen-setup")
        tree.file("bin/xen-domain", nested.SCRIPTS / "xen-domain")
        tree.file("bin/relay", initramfs.compiled(CACHE, nested.SCRIPTS / "relay.c"))
        for name in ("xl", "xenstored", "xenconsoled", "xen-init-dom0"):
            tree.program(f"bin/{name}", xen / "bin" / name, roots)
        # where xl looks for them
        qemu = "usr/libexec/xen-qemu-system-i386"
        tree.program(qemu, self._tools["qemu-system-xen"] / qemu, roots)
        tree.file(f"usr/lib/xen-{self.branch}/boot/hvmloader", xen / "boot/hvmloader")
        for path in FIRMWARE:
            tree.file(str(path), path)
        (modules,) = self._unpacked.glob("lib/modules/*/kernel/drivers/xen")
        for name in MODULES:
            tree.module(modules / f"{name}.ko")
        return tree.packed(CACHE, "xen")


def _made(name, make):
    """A file of the cache, made by a function of its path where it is not there."""
    target = CACHE / name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        make(target)
    return target
