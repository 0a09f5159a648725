"""What the commands share on the command line: adding a command, choosing a platform, reading numbers."""

import argparse
import shlex
from pathlib import Path

from . import known, kvm, media, platforms, recorded, show, xmhf
from .bochs import DEFAULT_MODEL
from .machine import Platform
from .problem import Problem

ROOT = Path(__file__).resolve().parents[2]
ARCHES = ("amd64", "pae", "i386")
MAX_CPUS = 16
DEFAULT_MEMORY = 128              # MiB


class Commands:
    """The commands of the parser, to which each module of commands/ adds its own."""

    def __init__(self, parser):
        self._parsers = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(self, name, function, text):
        """Adds a command.

        Arguments: its name; the function that does it, which takes the parsed options and returns the exit
        status; what it does, in a sentence. Result: the parser for its options.
        """
        one = self._parsers.add_parser(name, help=text, description=text, allow_abbrev=False)
        one.set_defaults(command=function)
        one.add_argument("--build", type=Path, default=ROOT / "build", metavar="DIR",
                         help="the folder that `make` builds into (default: build)")
        return one


def add_arch(add):
    """The option --arch."""
    add("--arch", choices=ARCHES, default="amd64", help="the build (default: amd64)")


def add_memory(add):
    """The option --memory."""
    add("--memory", type=number(1), metavar="MIB",
        help=f"memory (default: {DEFAULT_MEMORY} MiB, {xmhf.LEAST_MEMORY} with XMHF)")


def add_xmhf(add):
    """The option --xmhf."""
    add("--xmhf", metavar="DIR", type=Path, help="the folder with your build of XMHF: init-x86-amd64.bin and "
        "hypervisor-x86-amd64.bin.gz, or -i386")


def add_platform(add, cpus):
    """The options that choose a platform. Arguments: add_argument of a command's parser; how many CPUs without --cpus."""
    add("--on", type=platform_name, default="bochs", metavar="PLATFORM", help=f"{', '.join(platforms.CLASSES)}, log:FILE "
        "for a log captured elsewhere, or serial:DEV[,BAUD] for a machine that you boot (default: bochs)")
    add("--platform", choices=known.PLATFORMS, help="with log: and serial:, what the machine runs on, for its known issues")
    add("--platform-version", metavar="V", help="the version of that")
    add("--cpus", type=number(1, MAX_CPUS), default=cpus, metavar="N", help=f"CPUs, 1 to 16 (default: {cpus})")
    add_arch(add)
    add("--model", metavar="CPU", help="a CPU model of the platform, or a part of its name "
        f"(default: {DEFAULT_MODEL} on Bochs, also under KVM and XMHF; max or host on QEMU)")
    add_memory(add)
    add("--machine", choices=tuple(kvm.MACHINES), help="with --on kvm, the machine of QEMU (default: q35)")
    add_xmhf(add)
    add("--timeout", type=number(1), metavar="S", help="seconds of silence after which the machine counts as hung "
        f"(default: {Platform.silence}; where all is slow {kvm.Kvm.silence} on KVM inside Bochs, {xmhf.Xmhf.silence} on XMHF)")
    add("--out", metavar="DIR", help="the run's folder (default: a new one in build/run)")


def add_selection(add):
    """The options that choose the rules and how they run."""
    add("--opt", metavar="MASK|NAMES", help="LHV_OPT, such as 0x1fc or ept+vpid (default: all)")
    add_rules(add)


def defaults():
    """The options of `lhv run` where none is given, as a dict: for commands that have only some of them."""
    parser = argparse.ArgumentParser(add_help=False)
    add_platform(parser.add_argument, 2)
    add_selection(parser.add_argument)
    return vars(parser.parse_args([]))


def add_rules(add):
    """Those of them that a sweep of masks has as well."""
    add("--tests", metavar="GLOBS", help="only rules whose ids match, such as caps.*,vmxon.*")
    add("--skip", metavar="GLOBS", help="not the rules whose ids match")
    add("--iter", type=number(0), metavar="N", help="run the rules N times; 0 is without end")
    add("--seed", type=seed, metavar="N", help="the seed of what is random")
    add("--order", choices=("list", "reverse", "random"), help="the order of the rules; random goes by the seed")
    add("--fault", metavar="NAMES", help="plant faults, to see that the rules catch them")
    add("--append", default="", metavar="OPTIONS", help="more options for the kernel")


def platform_name(text):
    """Checks the value of --on, for argparse."""
    source, colon, where = text.partition(":")
    if text in platforms.CLASSES or (source in recorded.SOURCES and where):
        return text
    what = f"{source}: wants a file or device, as in {source}:NAME" if source in recorded.SOURCES and colon else (
        f"invalid choice: {text!r} (choose from {', '.join(platforms.CLASSES)}, log:FILE, serial:DEV)")
    raise argparse.ArgumentTypeError(what)


def number(least, most=None):
    """A parser of whole numbers in a range, for argparse."""
    def parse(text):
        try:
            value = int(text, 0)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number.") from None
        if value < least or (most is not None and value > most):
            limits = f"at least {least}" if most is None else f"{least} to {most}"
            raise argparse.ArgumentTypeError(f"{text} is out of range: it must be {limits}.")
        return value
    return parse


def seed(text):
    """A seed is handed to the kernel as it was written; here it need only be a number."""
    number(0)(text)
    return text


def kernel_options(options):
    """The kernel's options, as a list of words, from the command line's.

    Error: Problem for a word that no boot loader passes on unchanged.
    """
    named = (("lhv_opt", options.opt), ("tests", options.tests), ("skip", options.skip),
             ("iter", options.iter), ("seed", options.seed), ("order", options.order), ("fault", options.fault))
    words = [f"{key}={value}" for key, value in named if value is not None]
    words += options.append.split()
    media.check_words(words)
    return words


def kernel(options):
    """The image to boot. Error: Problem where it is not built."""
    path = options.build / options.arch / "lhv.bin"
    if not path.exists():
        make = "make" if options.arch == "amd64" else f"make ARCH={options.arch}"
        raise Problem(f"{show.relative(path)} is not there: run `{make}`.")
    return path


def platform(options):
    """The platform that the options choose, set up; its limit of silence goes into the options where they give none.

    Errors: Problem where it cannot run here, or nothing is built.
    """
    chosen = _booted_elsewhere(options) if ":" in options.on else _started_here(options)
    options.timeout = options.timeout or chosen.silence
    return chosen


def _started_here(options):
    """The platform that the runner starts. Error: Problem for options that belong to another one."""
    if options.platform or options.platform_version:
        raise Problem("--platform and --platform-version go with --on log:FILE and --on serial:DEV; other platforms know themselves.")
    for name, on in (("machine", "kvm"), ("xmhf", "xmhf")):
        if getattr(options, name) and options.on != on:
            raise Problem(f"The option --{name} goes with --on {on}.")
    more = [options.machine] if options.machine else [options.arch, options.xmhf] if options.on == "xmhf" else []
    return platforms.CLASSES[options.on](kernel(options), options.model, options.cpus, memory(options), *more)


def memory(options):
    """The machine's memory, in MiB."""
    return options.memory or (xmhf.LEAST_MEMORY if options.on == "xmhf" else DEFAULT_MEMORY)


def _booted_elsewhere(options):
    """The machine behind a log or a serial line. Error: Problem for options that only its own boot loader can give."""
    if words := kernel_options(options):
        raise Problem(f"The machine is booted elsewhere, and the kernel's options are given there: {' '.join(words)}.")
    source, _, where = options.on.partition(":")
    chosen = {"log": recorded.Recorded, "serial": recorded.Serial}[source]
    return chosen(source, where, options.platform, options.platform_version, options.model)


def repeater(options):
    """A function that gives the command that repeats one rule under the same conditions."""
    words = ["scripts/lhv", "run", "--on", options.on, "--arch", options.arch,
             "--cpus", str(options.cpus)]
    for name in ("machine", "model", "opt", "iter", "seed", "fault"):
        value = getattr(options, name)
        words += [f"--{name}", str(value)] if value is not None else []
    words += ["--memory", str(options.memory)] if options.memory else []
    words += ["--xmhf", show.relative(options.xmhf)] if options.xmhf else []
    words += ["--append", options.append] if options.append else []
    words += ["--build", show.relative(options.build)] if options.build != ROOT / "build" else []
    return lambda rule: shlex.join([*words, "--tests", rule])
