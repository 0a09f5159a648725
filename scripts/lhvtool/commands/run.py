"""`lhv run`: boots the kernel, runs rules and shows the verdict."""

import sys
from pathlib import Path

from .. import arguments, known, run, show, tap
from ..catalogue import rules_by_id


def register(commands):
    """Adds the command."""
    add = commands.add("run", command, "Boots the kernel, runs rules and shows the verdict.").add_argument
    arguments.add_platform(add, 2)
    arguments.add_selection(add)
    add("--screenshot", metavar="FILE", type=Path, help="save what the screen shows, as PNG: at the "
        "verdict, and in a soak (--iter) again and again after an iteration")
    add("--format", choices=("pretty", "tap"), default="pretty", help="(default: pretty)")


def command(options):
    """Does it. Result: the exit status."""
    words = arguments.kernel_options(options)
    issues = known.load()
    platform = arguments.platform(options)
    platform.shows_screen = options.screenshot is not None
    folder = run.new_folder(options.build / "run", options.out)
    repeat = arguments.repeater(options)

    out = show.console(sys.stderr if options.format == "tap" else sys.stdout)
    if options.format == "tap":
        out.quiet = not out.is_terminal
    else:
        show.header(out, platform, options.arch, words)
    catalogue = rules_by_id(arguments.kernel(options).with_suffix(".elf"))
    try:
        with show.progress(out) as watch:
            report = run.run(platform, options.arch, words, options.timeout, folder, list(catalogue), watch,
                             options.screenshot)
    finally:
        platform.close()
    report.conclude(known.covering(issues, platform, options.arch), catalogue)
    run.write_files(report, folder, repeat)
    if options.format == "tap":
        sys.stdout.write(tap.document(report, repeat))
    else:
        show.report(out, report, repeat, folder)
    if report.picture_trouble:
        print(f"lhv: {report.picture_trouble}", file=sys.stderr)
    return report.status
