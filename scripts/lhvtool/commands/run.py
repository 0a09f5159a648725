"""`lhv run`: boots the kernel, runs rules and shows the verdict."""

import sys
from pathlib import Path

from .. import arguments, junit, known, recorded, run, show, tap
from ..catalogue import rules_by_id


def register(commands):
    """Adds the command."""
    add = commands.add("run", command, "Boots the kernel, runs rules and shows the verdict.").add_argument
    arguments.add_platform(add, 2)
    arguments.add_selection(add)
    add("--screenshot", metavar="FILE", type=Path, help="save what the screen shows, as PNG: at the "
        "verdict, and in a soak (--iter) again and again after an iteration")
    add("--format", choices=("pretty", "tap", "junit", "json"), default="pretty", help="(default: pretty)")


def command(options):
    """Does it. Result: the exit status."""
    words = arguments.kernel_options(options)
    issues = known.load()
    platform = arguments.platform(options)
    platform.shows_screen = options.screenshot is not None
    data = recorded.read(platform.where) if options.on.startswith("log:") else None
    folder = run.new_folder(options.build / "run", options.out)
    catalogue = rules_by_id(options.build / options.arch / "lhv.elf")

    out = show.console(sys.stderr if options.format != "pretty" else sys.stdout)
    out.quiet = options.format != "pretty" and not out.is_terminal
    elsewhere = isinstance(platform, recorded.Recorded)
    if data is not None:
        report = recorded.report(platform, data, list(catalogue), folder)
    else:
        report = _booted(options, out, platform, words, folder, list(catalogue))
    if platform.started_by_hand:
        recorded.conclude(report)
    repeat = recorded.repeater(report.options) if elsewhere else arguments.repeater(options)
    report.conclude(known.covering(issues, platform, report.arch), catalogue)
    run.write_files(report, folder, repeat)
    if options.format == "pretty":
        show.report(out, report, repeat, folder)
    else:
        sys.stdout.write(_document(options.format, report, repeat))
    if report.picture_trouble:
        print(f"lhv: {report.picture_trouble}", file=sys.stderr)
    return report.status


def _booted(options, out, platform, words, folder, rules):
    """The report of a machine that is followed while it runs."""
    if platform.started_by_hand:
        out.print(f"Boot the machine now; listening on {platform.where}. Ctrl-C ends.")
    elif options.format == "pretty":
        show.header(out, platform, options.arch, words)
    try:
        with show.progress(out) as watch:
            return run.run(platform, options.arch, words, options.timeout, folder, rules, watch, options.screenshot)
    finally:
        platform.close()


def _document(form, report, repeat):
    """The report in one of the formats that programs read."""
    if form == "json":
        return run.result_json(report, repeat)
    return {"tap": tap, "junit": junit}[form].document(report, repeat)
