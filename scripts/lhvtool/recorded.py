"""A machine that somebody else boots, as a platform: the log of one captured elsewhere, or the serial line of one here.

Nothing is started. Whoever has the machine boots it, and again with `after=RULE` where a rule has ended it;
the logs of such boots may stand in one file, one behind the other.
"""

import os
import select
import shlex
import termios
import threading
import tty
from pathlib import Path

from .known import TITLES
from .log import BootLog, split
from .machine import SERIAL, Boot, Platform
from .problem import Problem
from .results import Report

# What a hypervisor calls itself in CPUID leaf 40000000H, and its name in known-issues.yaml.
SIGNATURES = {"KVMKVMKVM": "kvm", "XenVMMXenVMM": "xen", "VMwareVMware": "vmware", "VBoxVBoxVBox": "virtualbox",
              "Microsoft Hv": "hyperv"}
SOURCES = ("log", "serial")
DEFAULT_BAUD = 115200


class Recorded(Platform):
    """What the header of a log says of the machine that it comes from."""

    accelerator = "unknown"
    can_reboot = False

    def __init__(self, source, where, name=None, version=None, model=None):
        """Arguments: "log" or "serial"; the file or device; name, version and CPU model of the platform, where known."""
        self.source, self.where = source, where
        self.name = name or "machine"
        self.title = TITLES[self.name]
        self.version = version or "unknown"
        self.model = model or "unknown"
        self.facts = {source: Path(where).name}
        self._named, self._model_given = name is not None, model is not None

    def learn(self, log):
        """Takes from a log's header what was not given. Arguments: its BootLog."""
        said = log.facts.get("platform", "")
        if not self._named:
            bare = "" if "none" in log.facts.get("hypervisor", "") else log.facts.get("hypervisor", "")
            self.name = ("xmhf" if "XMHF" in said else "bochs" if said.startswith("Bochs")
                         else SIGNATURES.get(bare.strip(), "qemu" if said.startswith("QEMU") else "machine"))
            self.title = TITLES[self.name]
        processor = log.facts.get("processor", "").split(", ")
        if not self._model_given and len(processor) > 1:
            self.model = processor[1]
        self.cpus = max(len(log.cpus), 1)


    def start(self, folder, command_line):
        """Error: Problem, since a log cannot be booted."""
        raise Problem("A log cannot be booted: this command needs a machine.")


class Serial(Recorded):
    """A machine on a serial line, which somebody boots by hand."""

    started_by_hand = True

    def start(self, folder, command_line):
        """Starts to listen. Arguments and result as Platform.start's."""
        device, _, baud = self.where.partition(",")
        return Line(device, baud or str(DEFAULT_BAUD), Path(folder, SERIAL))


class Line:
    """A serial line that is being written to a file. It offers what machine.boot asks of a process."""

    cpu_seconds = 0.0

    def __init__(self, device, baud, file):
        """Arguments: the device; its speed as text; the file. Error: Problem when it cannot be opened or set."""
        speed = getattr(termios, f"B{baud}", None)
        if speed is None:
            raise Problem(f"A serial line has no speed {baud}: name one such as {DEFAULT_BAUD} or 9600.")
        try:
            self._line = os.open(device, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            raise Problem(f"The serial line {device} cannot be opened: {error.strerror}.") from None
        try:
            _set_up(self._line, speed)
        except termios.error as error:
            os.close(self._line)
            raise Problem(f"{device} is no serial line: {error.args[-1]}.") from None
        self._stop, self._stopper = os.pipe()
        self._thread = threading.Thread(target=self._copy, args=(file,), daemon=True)
        self._thread.start()

    def alive(self):
        """Whether the line is still there."""
        return self._thread.is_alive()

    def interrupt(self):
        """There is nothing to interrupt."""

    def end(self, _grace):
        """Stops to listen."""
        os.close(self._stopper)
        self._thread.join()
        os.close(self._stop)
        os.close(self._line)

    def _copy(self, path):
        """Writes what comes to the file, until the line is gone or end() is called."""
        with open(path, "wb", buffering=0) as file:
            while True:
                ready, _, _ = select.select([self._line, self._stop], [], [])
                if self._stop in ready:
                    return
                try:
                    data = os.read(self._line, 65536)
                except BlockingIOError:
                    continue
                except OSError:
                    return
                if not data:
                    return
                file.write(data)


def _set_up(line, speed):
    """Makes a terminal a raw 8N1 line without flow control. Error: termios.error."""
    tty.setraw(line, termios.TCSANOW)
    iflag, oflag, cflag, lflag, _ispeed, _ospeed, cc = termios.tcgetattr(line)
    cflag &= ~(termios.CSIZE | termios.PARENB | termios.CSTOPB | termios.CRTSCTS)
    cflag |= termios.CS8 | termios.CREAD | termios.CLOCAL
    termios.tcsetattr(line, termios.TCSANOW, [iflag, oflag, cflag, lflag, speed, speed, cc])


def repeater(options):
    """A function that says how one rule is repeated. Arguments: the kernel's options of the boot, as a list."""
    words = [word for word in options if word.partition("=")[0] not in ("tests", "skip", "after", "order")]
    return lambda rule: "boot LHV with the options: " + shlex.join([*words, f"tests={rule}"])


def read(path):
    """All bytes of a log. Error: Problem where it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Problem(f"The log {path} cannot be read: {error.strerror}.") from None


def report(platform, data, rules, folder=None):
    """A Report of a log, whose results are not yet filled in (see Report.conclude).

    Arguments: the platform, which learns from the log; the bytes of the log; the ids of all rules, to read
    damaged lines; the folder for a copy of each boot's log, or None.
    """
    pieces = split(data)
    boots = []
    for number, piece in enumerate(pieces, 1):
        log = BootLog(rules)
        log.feed(piece)
        log.finish()
        where = Path(folder or ".", *([f"boot-{number}"] if number > 1 else []))
        if folder:
            where.mkdir(exist_ok=True)
            (where / SERIAL).write_bytes(piece)
        ended = "verdict" if log.verdict else "reboot" if number < len(pieces) or log.starts > 1 else "cut"
        boots.append(Boot(number, where, "", log, ended))
    made = Report(platform, "unknown", [], 0, boots, trouble=_trouble(platform.where, boots))
    conclude(made)
    return made


def conclude(made):
    """Fills into a report what its first log says of machine, build and options. Arguments: the Report, of at least one boot."""
    log = made.boots[0].log
    made.platform.learn(log)
    made.arch = log.banner.rpartition(" ")[2] or "unknown"
    made.options = log.facts.get("boot options", "").split()
    for boot in made.boots:
        boot.command_line = boot.log.facts.get("boot options", "")


def _trouble(where, boots):
    """Why the log does not tell of all rules, with what it did contain, as sentences; "" where it does."""
    log = boots[-1].log
    if not any(boot.log.starts or boot.log.seen for boot in boots):
        return f"The log {where} has nothing of LHV in it."
    if boots[-1].ended == "verdict" or log.bail:
        return ""
    return "The log ends without a verdict: the machine ended, or the log was cut. " + by_hand(log)


def by_hand(log):
    """What a log that ends early did contain, and how to get the rest, as sentences."""
    of = f" of {log.plan}" if log.plan else ""
    has = f"It has the results of {len(log.results)}{of} rules"
    if log.culprit is None:
        return f"{has}."
    return (f"{has} and ends in {log.culprit}. Boot the machine with the option after={log.culprit} for the rest.")
