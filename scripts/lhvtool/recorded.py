"""A log that was captured elsewhere as a platform: VirtualBox, VMware, Hyper-V, a lab's machine.

Nothing is booted. Whoever has the machine boots it, and again with `after=RULE` where a rule has ended it;
the logs of such boots may stand in one file, one behind the other.
"""

from pathlib import Path

from .log import BootLog, split
from .machine import SERIAL, Boot, Platform
from .problem import Problem
from .results import Report

# What a hypervisor calls itself in CPUID leaf 40000000H, and its name in known-issues.yaml.
SIGNATURES = {"KVMKVMKVM": "kvm", "XenVMMXenVMM": "xen", "VMwareVMware": "vmware", "VBoxVBoxVBox": "virtualbox",
              "Microsoft Hv": "hyperv"}
TITLES = {"bochs": "Bochs", "qemu": "QEMU", "kvm": "KVM", "xmhf": "XMHF", "xen": "Xen", "vmware": "VMware",
          "virtualbox": "VirtualBox", "hyperv": "Hyper-V", "machine": "a machine"}


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
        boots.append(Boot(number, where, log.facts.get("boot options", ""), log, ended))
    platform.learn(boots[0].log)
    first = boots[0].log
    made = Report(platform, arch(first), boots[0].command_line.split(), 0, boots)
    made.trouble = _trouble(platform.where, boots)
    return made


def arch(log):
    """The build that a log's banner names; "unknown" if it names none."""
    return log.banner.rpartition(" ")[2] or "unknown"


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
