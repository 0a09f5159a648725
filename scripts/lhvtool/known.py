"""Known issues: named bugs of named platforms that turn a rule's failure into an expected one."""

import fnmatch
from dataclasses import dataclass
from pathlib import Path

import yaml
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from .problem import Problem

FILE = Path(__file__).resolve().parent.parent / "known-issues.yaml"
REQUIRED = ("id", "platform", "version", "rules", "sentence", "evidence")
OPTIONAL = ("model", "arch", "under", "cpus", "report")
PLATFORMS = ("bochs", "qemu", "kvm", "xmhf", "xen", "vmware", "virtualbox", "hyperv", "machine")
TITLES = {"bochs": "Bochs", "qemu": "QEMU", "kvm": "KVM", "xmhf": "XMHF", "xen": "Xen", "vmware": "VMware",
          "virtualbox": "VirtualBox", "hyperv": "Hyper-V", "machine": "a machine"}
LISTS = ("rules", "report")        # keys that may have several values
LINE_BREAKS = ("\n", "\r")


@dataclass(frozen=True)
class Issue:
    """One entry of the file."""

    id: str
    platform: str
    version: str              # a range such as "<= 2.7" or ">= 5.0, < 6.1"; "*" is every version
    rules: tuple              # globs of rule ids
    sentence: str
    evidence: str             # where docs/known-issues.md shows it
    model: str = "*"          # a glob of CPU models
    arch: str = "*"           # a glob of builds
    under: str = "*"          # what the platform runs on, such as "bochs <= 2.7"; "hardware"; "*" is anything
    cpus: str = "*"           # a range of numbers of CPUs such as ">= 2"; "*" is any
    report: tuple = ()        # addresses of public bug reports

    def covers(self, platform, version, model, arch, under="", cpus=1):
        """Whether the issue is one of this platform, version, CPU model, build and number of CPUs, on what the platform runs on."""
        return (platform == self.platform and version_in(version, self.version)
                and fnmatch.fnmatchcase(model, self.model) and fnmatch.fnmatchcase(arch, self.arch)
                and under_in(under, self.under) and version_in(str(cpus), self.cpus))

    def names(self, rule):
        """Whether a rule's id is one that the issue makes fail."""
        return any(fnmatch.fnmatchcase(rule, glob) for glob in self.rules)


def covering(issues, platform, arch):
    """The issues, of a list, that cover a platform (see machine.Platform) and a build."""
    return [issue for issue in issues if issue.covers(platform.name, platform.version, platform.model, arch,
                                                          platform.under, platform.cpus)]


def version_in(version, wanted):
    """Whether a version such as "2.7" or "6.1.0-13-amd64" lies in a range such as "<= 2.7"."""
    if wanted == "*":
        return True
    try:
        number = Version(version.partition("-")[0])
    except InvalidVersion:
        return False
    return SpecifierSet(wanted).contains(number, prereleases=True)


def under_in(under, wanted):
    """Whether what a platform runs on, such as "bochs 2.7" or "" for hardware, is what an issue names.

    That is "*" for anything, "hardware", or a platform with or without a range of versions, such as "bochs <= 2.7".
    """
    if wanted == "*":
        return True
    if not under or wanted == "hardware":
        return not under and wanted == "hardware"
    name, _, version = under.partition(" ")
    wanted_name, _, wanted_version = wanted.partition(" ")
    return name == wanted_name and version_in(version, wanted_version or "*")


def load(path=FILE):
    """All issues of a file, in its order.

    Error: Problem with a sentence that names the file, the entry and what is wrong with it.
    """
    try:
        entries = yaml.safe_load(path.read_text())
    except OSError as error:
        raise Problem(f"{path.name} cannot be read: {error.strerror}.") from None
    except yaml.YAMLError as error:
        raise Problem(f"{path.name} is not valid YAML: {error}") from None
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise Problem(f"{path.name} must hold a list of known issues.")
    issues = [_issue(path.name, number, entry) for number, entry in enumerate(entries, 1)]
    ids = [issue.id for issue in issues]
    for issue_id in ids:
        if ids.count(issue_id) > 1:
            raise Problem(f"{path.name} has more than one entry with the id {issue_id}.")
    return issues


def _is_range(text):
    if text == "*":
        return True
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        return False
    return True


def _issue(file, number, entry):
    if not isinstance(entry, dict):
        raise Problem(f"{file}: entry {number} must be a mapping.")
    where = f"{file}: entry {number} ({entry.get('id', 'without id')})"
    for key in REQUIRED:
        if not entry.get(key):
            raise Problem(f"{where} lacks {key}.")
    for key, value in entry.items():
        if key not in REQUIRED + OPTIONAL:
            raise Problem(f"{where} has the unknown key {key}.")
        if key in LISTS and isinstance(value, list) and all(isinstance(r, str) for r in value):
            continue
        if not isinstance(value, str):
            raise Problem(f"{where}: the value of {key} must be text, in quotation marks.")
    if any(mark in entry["sentence"] for mark in LINE_BREAKS):
        raise Problem(f"{where}: the sentence must be one line.")
    if entry["platform"] not in PLATFORMS:
        raise Problem(f"{where}: the platform must be one of {', '.join(PLATFORMS)}.")
    if not _is_range(entry["version"]):
        raise Problem(f"{where}: the version must be \"*\" or a range such as \"<= 2.7\".")
    if not _is_range(entry.get("cpus", "*")):
        raise Problem(f"{where}: cpus must be \"*\" or a range such as \">= 2\".")
    under, _, under_version = entry.get("under", "*").partition(" ")
    if under not in ("*", "hardware", *PLATFORMS) or not _is_range(under_version or "*"):
        raise Problem(f"{where}: under must be \"*\", \"hardware\", or a platform and a range such as \"bochs <= 2.7\".")
    lists = {key: (entry[key],) if isinstance(entry[key], str) else tuple(entry[key]) for key in LISTS if key in entry}
    for address in lists.get("report", ()):
        if not address.startswith("https://"):
            raise Problem(f"{where}: a report must be an address that begins with https://.")
    return Issue(**{**entry, **lists})
