"""`lhv gdb`: starts a platform halted, in front of its debugger, with the symbols of host and guest code."""

import shutil

from .. import arguments, debugger, run, show
from ..catalogue import Image
from ..problem import Problem

DEBUGGERS = {"bochs": debugger.bochs, "qemu": debugger.gdb}


def register(commands):
    """Adds the command."""
    add = commands.add("gdb", command, "Starts a platform halted, in front of GDB or Bochs's own debugger.").add_argument
    arguments.add_platform(add, 1)
    arguments.add_selection(add)
    add("--stop-at", metavar="RULE", help="go on until this rule starts; without --tests it "
        "is the only one that runs")
    add("--stop-at-failure", action="store_true", help="go on until a rule fails")
    add("--command", action="append", default=[], metavar="COMMAND", dest="commands",
        help="a command for the debugger, which ends after those that are given (again for more)")


def command(options):
    """Does it. Result: the debugger's exit status."""
    if options.on not in DEBUGGERS:
        raise Problem(f"There is no debugger for the platform {options.on}: use {' or '.join(DEBUGGERS)}.")
    if options.on == "qemu" and not shutil.which("gdb"):
        raise Problem("GDB is not installed. Run scripts/setup.")
    image = Image(arguments.kernel(options).with_suffix(".elf"))
    places = debugger.stop_places(image, options.stop_at, options.stop_at_failure)
    platform = arguments.platform(options)
    options.tests = options.tests or options.stop_at
    words = arguments.kernel_options(options)
    folder = run.new_folder(options.build / "run", options.out)
    out = show.console()
    show.header(out, platform, options.arch, words)
    out.print(f"What the kernel prints is in {show.relative(folder)}/serial.txt.", markup=False)
    return DEBUGGERS[options.on](platform, folder, words, image, places, options.commands)
