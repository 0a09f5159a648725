"""The command line of scripts/lhv."""

import argparse
import json
import os
import shlex
import signal
import sys
from pathlib import Path

from . import known, layout, machine, media, platforms, run, show, tap
from .bochs import DEFAULT_MODEL
from .catalogue import Image
from .problem import INTERRUPTED, Problem

ROOT = Path(__file__).resolve().parents[2]
ARCHES = ("amd64", "pae", "i386")
MAX_CPUS = 16


def main(arguments):
    """Does what the command line says.

    Arguments: the words after the program's name.
    Result: the exit status (see problem.py). Every error is one sentence on the error output.
    """
    signal.signal(signal.SIGTERM, _interrupt)      # so that the emulator is ended then, too
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        options = parser().parse_args(arguments)
        return options.command(options)
    except Problem as problem:
        print(f"lhv: {problem}", file=sys.stderr)
        return problem.status
    except KeyboardInterrupt:
        print("lhv: Interrupted; no emulator is left.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED


def _interrupt(_signal, _frame):
    raise KeyboardInterrupt


def parser():
    """The parser of the command line."""
    top = argparse.ArgumentParser(
        prog="lhv", allow_abbrev=False,
        description="Boots the LHV kernel on a platform and says which of the SDM's rules it breaks.",
        epilog="Status: 0 all well or as known; 1 a rule failed; 2 wrong use, missing set-up or "
               "nothing checked; 3 the platform died or hung without a verdict.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name, function, text):
        one = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        one.set_defaults(command=function)
        one.add_argument("--build", type=Path, default=ROOT / "build", metavar="DIR",
                         help="the folder that `make` builds into (default: build)")
        return one

    def platform_options(add, cpus):
        add("--on", choices=tuple(platforms.CLASSES), default="bochs", help="the platform (default: bochs)")
        add("--cpus", type=_number(1, MAX_CPUS), default=cpus, metavar="N", help=f"CPUs, 1 to 16 (default: {cpus})")
        add("--arch", choices=ARCHES, default="amd64", help="the build (default: amd64)")
        add("--model", metavar="CPU", help="a CPU model of the platform, or a part of its name "
            f"(default: {DEFAULT_MODEL} on Bochs, max or host on QEMU)")
        add("--memory", type=_number(1), default=128, metavar="MIB", help="memory (default: 128 MiB)")
        add("--timeout", type=_number(1), default=15, metavar="S",
            help="seconds of silence after which the machine counts as hung (default: 15)")
        add("--out", metavar="DIR", help="the run's folder (default: a new one in build/run)")

    one = command("run", run_command, "Boots the kernel, runs rules and shows the verdict.")
    add = one.add_argument
    platform_options(add, 2)
    add("--opt", metavar="MASK|NAMES", help="LHV_OPT, such as 0x1fc or ept+vpid (default: all)")
    add("--tests", metavar="GLOBS", help="only rules whose ids match, such as caps.*,vmxon.*")
    add("--skip", metavar="GLOBS", help="not the rules whose ids match")
    add("--iter", type=_number(0), metavar="N", help="run the rules N times; 0 is without end")
    add("--seed", type=_seed, metavar="N", help="the seed of what is random")
    add("--order", choices=("list", "reverse", "random"), help="the order of the rules; random goes by the seed")
    add("--screenshot", metavar="FILE", type=Path, help="save what the screen shows, as PNG: at the "
        "verdict, and in a soak (--iter) again and again after an iteration")
    add("--format", choices=("pretty", "tap"), default="pretty", help="(default: pretty)")
    add("--fault", metavar="NAMES", help="plant faults, to see that the rules catch them")
    add("--append", default="", metavar="OPTIONS", help="more options for the kernel")

    one = command("list", list_command, "Lists the rules of the built kernel.")
    one.add_argument("--format", choices=("table", "json", "markdown"), default="table")
    one.add_argument("--arch", choices=ARCHES, default="amd64", help="the build (default: amd64)")
    one.add_argument("--faults", action="store_true", help="list the faults that can be planted instead")

    one = command("faults", list_command, "Lists the faults that can be planted, and the rules that must catch them.")
    one.add_argument("--format", choices=("table", "json", "markdown"), default="table")
    one.add_argument("--arch", choices=ARCHES, default="amd64", help="the build (default: amd64)")
    one.set_defaults(faults=True)

    one = command("vmcs-layout", layout_command, "Shows where the platform keeps each VMCS field in the VMCS region.")
    platform_options(one.add_argument, 1)

    command("platforms", platforms_command, "Says which platforms can run here, and why the rest cannot.")
    return top


def _number(least, most=None):
    """A parser of whole numbers in a range, for argparse."""
    def parse(text):
        try:
            number = int(text, 0)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number.") from None
        if number < least or (most is not None and number > most):
            limits = f"at least {least}" if most is None else f"{least} to {most}"
            raise argparse.ArgumentTypeError(f"{text} is out of range: it must be {limits}.")
        return number
    return parse


def _seed(text):
    """A seed is handed to the kernel as it was written; here it need only be a number."""
    _number(0)(text)
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


def repeater(options):
    """A function that gives the command that repeats one rule under the same conditions."""
    words = ["scripts/lhv", "run", "--on", options.on, "--arch", options.arch,
             "--cpus", str(options.cpus)]
    for name in ("model", "opt", "iter", "seed", "fault"):
        value = getattr(options, name)
        words += [f"--{name}", str(value)] if value is not None else []
    words += ["--memory", str(options.memory)] if options.memory != 128 else []
    words += ["--append", options.append] if options.append else []
    words += ["--build", show.relative(options.build)] if options.build != ROOT / "build" else []
    return lambda rule: shlex.join([*words, "--tests", rule])


def _kernel(options):
    """The image to boot. Error: Problem where it is not built."""
    kernel = options.build / options.arch / "lhv.bin"
    if not kernel.exists():
        make = "make" if options.arch == "amd64" else f"make ARCH={options.arch}"
        raise Problem(f"{show.relative(kernel)} is not there: run `{make}`.")
    return kernel


def run_command(options):
    """`lhv run`."""
    words = kernel_options(options)
    kernel = _kernel(options)
    issues = known.load()
    platform = platforms.CLASSES[options.on](kernel, options.model, options.cpus, options.memory)
    platform.shows_screen = options.screenshot is not None
    issues = [issue for issue in issues
              if issue.covers(platform.name, platform.version, platform.model, options.arch)]
    folder = run.new_folder(options.build / "run", options.out)
    repeat = repeater(options)

    out = show.console(sys.stderr if options.format == "tap" else sys.stdout)
    if options.format == "tap":
        out.quiet = not out.is_terminal
    else:
        show.header(out, platform, options.arch, words)
    catalogue = _catalogue(kernel.with_suffix(".elf"))
    with show.progress(out) as watch:
        report = run.run(platform, options.arch, words, options.timeout, folder, list(catalogue), watch,
                         options.screenshot)
    report.conclude(issues, catalogue)
    run.write_files(report, folder, repeat)
    if options.format == "tap":
        sys.stdout.write(tap.document(report, repeat))
    else:
        show.report(out, report, repeat, folder)
    if report.picture_trouble:
        print(f"lhv: {report.picture_trouble}", file=sys.stderr)
    return report.status


def _catalogue(path):
    """The rules of an image by id; none if it cannot be read, because a run needs only titles."""
    try:
        return {rule.id: rule for rule in Image(path).rules()}
    except Problem:
        return {}


def list_command(options):
    """`lhv list`."""
    image = Image(options.build / options.arch / "lhv.elf")
    entries = image.faults() if options.faults else image.rules()
    if options.format == "json":
        print(json.dumps([entry.as_json() for entry in entries], indent=2))
    elif options.format == "markdown":
        print(_markdown([entry.as_json() for entry in entries]))
    else:
        (show.faults_table if options.faults else show.rules_table)(show.console(), entries)
    return 0


def _markdown(entries):
    """A table of entries, all of which have the same keys."""
    if not entries:
        return "The image has none."
    cell = lambda value: (", ".join(value) if isinstance(value, list) else value).replace("|", "\\|")
    rows = [list(entries[0]), ["---"] * len(entries[0])]
    rows += [[cell(value) for value in entry.values()] for entry in entries]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def layout_command(options):
    """`lhv vmcs-layout`: runs the one rule, and shows what it says as a table."""
    kernel = _kernel(options)
    platform = platforms.CLASSES[options.on](kernel, options.model, options.cpus, options.memory)
    folder = run.new_folder(options.build / "run", options.out)
    out = show.console()
    show.header(out, platform, options.arch, [])
    report = run.run(platform, options.arch, [f"tests={layout.RULE}"], options.timeout, folder, [layout.RULE],
                     lambda number, log: None)
    report.conclude([], {})
    serial = folder / machine.SERIAL
    places = layout.read(serial.read_text(errors="replace") if serial.exists() else "")
    if not places:
        reasons = [result.reason for result in report.results if result.reason]
        raise Problem(f"The platform did not show its layout: {'; '.join(reasons) or report.verdict}. "
                      f"Everything about the run is in {show.relative(folder)}.")
    layout.show(out, places)
    return report.status


def platforms_command(_options):
    """`lhv platforms`."""
    show.platforms_table(show.console(), platforms.survey())
    return 0
