"""Bochs as a platform: the default one, because its VMX is complete and needs no hardware."""

import functools
import re
import shutil
import subprocess
from pathlib import Path

from . import media
from .catalogue import Image
from .machine import Platform
from .problem import Problem
from .process import SCREEN

DEFAULT_MODEL = "corei7_haswell_4770"
FIRMWARE = Path("/usr/share/bochs/BIOS-bochs-latest")
VGA_FIRMWARE = Path("/usr/share/bochs/VGABIOS-lgpl-latest")

# What is not obvious:
# ips          a serial character takes a time given in seconds, so that fewer emulated
#              instructions per second make output cheaper;
# ignore_bad_msrs=0, reset_on_triple_fault=0
#              an MSR that does not exist faults, and a triple fault ends the emulator;
# nohpet       Bochs has 64 timers in all, and the three of the HPET are what 16 CPUs lack;
# display_library: term
#              needs a terminal, but listens on no network port;
# sync=none, time0, realtime=0
#              nothing depends on the time of the host, so that runs repeat.
CONFIGURATION = """\
cpu: model={model}, count={cpus}, ips=10000000, reset_on_triple_fault=0, ignore_bad_msrs=0
memory: guest={memory}, host={memory}
romimage: file={firmware}, options=fastboot
vgaromimage: file={vga_firmware}
pci: enabled=1, chipset=i440fx, advopts="nohpet"
config_interface: textconfig
display_library: term
vga: extension=vbe, update_freq={screen_hz}, realtime=0
{medium}
com1: enabled=1, mode=file, dev=serial.txt
port_e9_hack: enabled=1
log: bochs.log
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
clock: sync=none, time0=1767225600
sound: driver=dummy
speaker: enabled=0
"""

# What it boots from: lines of the configuration
CD = "ata0-master: type=cdrom, path=cd.iso, status=inserted\nboot: cdrom"
DISK = "ata0-master: type=disk, path=disk.img, mode=flat\nboot: disk"

# Commands for the debugger that is compiled in: run; after a SIGINT print the registers; quit.
DEBUGGER_COMMANDS = "c\nr\nsreg\ncreg\nq\n"

# Where the debugger says that a CPU is: "(0) [0x00000010030d] 0010:000000000010030d (...): jmp .-2 ; ebfe".
STOPPED = re.compile(r"^\((\d+)\) \[\w+\] ([0-9a-f]+):([0-9a-f]+) \(.*?\): (.*?)\s*;", re.MULTILINE)


@functools.cache
def _help():
    """What `bochs --help cpu` prints: the known models and the version."""
    try:
        done = subprocess.run(["bochs", "--help", "cpu"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except FileNotFoundError:
        raise Problem("Bochs is not installed. Run scripts/setup.") from None
    return done.stdout


def version():
    """The version of Bochs as a string, such as "2.7"; "unknown" if it does not say."""
    match = re.search(r"Bochs x86 Emulator (\S+)", _help())
    return match[1] if match else "unknown"


def models():
    """The names of all CPU models that Bochs knows."""
    listed = _help().partition("Supported CPU models:")[2].strip().partition("\n\n")[0]
    return listed.split()


def find_model(name):
    """The full name of a model, from itself or from a part of it, such as "haswell".

    Error: Problem, naming the candidates, when none or several fit.
    """
    known = models()
    if name in known:
        return name
    fitting = [model for model in known if name.lower() in model]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise Problem(f"The CPU model {name!r} could be any of {', '.join(fitting)}.")
    raise Problem(f"Bochs knows no CPU model {name!r}. It knows {', '.join(known)}.")


def missing():
    """Why Bochs cannot run here, as a sentence, or None if it can."""
    if not shutil.which("bochs"):
        return "Bochs is not installed. Run scripts/setup."
    for path in (FIRMWARE, VGA_FIRMWARE):
        if not path.exists():
            return f"The firmware {path.name} of Bochs is not installed. Run scripts/setup."
    return None


def panics(folder):
    """The panics in the log that Bochs left in a folder, as one line; "" where there are none."""
    path = Path(folder, "bochs.log")
    text = path.read_text(errors="replace") if path.exists() else ""
    found = re.findall(r"^\d+p\[(.*?)\s*\] (.*)$", text, re.MULTILINE)
    return "; ".join(f"{part}: {what.replace('>>PANIC<< ', '')}" for part, what in found)


class Bochs(Platform):
    """The platform, set up for one run. See machine.Platform for what it is asked."""

    name = "bochs"
    title = "Bochs"
    accelerator = "interpreter"
    has_debugger = True
    deterministic = True
    # With the debugger compiled in, Bochs draws on a terminal that it opens itself, and names
    own_terminal = re.compile(rb'connected to screen "(/dev/pts/\d+)"')
    max_memory = 2048             # MiB; Bochs can hold no more

    def __init__(self, kernel, model, cpus, memory):
        """Arguments: the kernel image, a model's name or None, the number of CPUs, MiB of memory."""
        if reason := missing():
            raise Problem(reason)
        if memory > self.max_memory:
            raise Problem(f"Bochs has at most {self.max_memory} MiB of memory to give.")
        self.kernel = kernel
        self.model = find_model(model or DEFAULT_MODEL)
        self.version = version()
        self.cpus = cpus
        self.memory = memory

    def prepare(self, folder, command_line):
        """Writes the configuration and the boot medium into the folder; returns the command."""
        media.iso(Path(folder, "cd.iso"), self.kernel, command_line)
        return self.configure(folder, CD)

    def configure(self, folder, medium):
        """Writes the configuration into the folder, where the medium is. Argument: CD or DISK. Result: the command."""
        Path(folder, "bochsrc").write_text(CONFIGURATION.format(
            screen_hz=50 if self.shows_screen else 5, medium=medium,
            model=self.model, cpus=self.cpus, memory=self.memory,
            firmware=FIRMWARE, vga_firmware=VGA_FIRMWARE))
        Path(folder, "rc").write_text(DEBUGGER_COMMANDS)
        return ["bochs", "-q", "-f", "bochsrc", "-rc", "rc"]

    def last_words(self, folder):
        """Why Bochs ended, in its own words: the panic in its log, or else where the CPUs were."""
        return panics(folder) or "; ".join(self._places(folder))

    def _places(self, folder):
        """Where each CPU was when the debugger stopped the machine, as phrases."""
        path = Path(folder, SCREEN)
        text = path.read_bytes().decode("utf-8", "replace") if path.exists() else ""
        stop = text.rpartition("Next at t=")[2].replace("\r", "")
        try:
            image = Image(Path(self.kernel).with_suffix(".elf"))
        except Problem:
            image = None
        for cpu, selector, offset, instruction in dict.fromkeys(STOPPED.findall(stop)):
            function = image.function_at(int(offset, 16)) if image else ""
            place = f" in {function}" if function else ""
            yield f"CPU {cpu} was at {selector}:{offset}{place}, {instruction}"
