"""`lhv vmcs-layout`: where the platform keeps each VMCS field in the VMCS region."""

from .. import arguments, layout, machine, run, show
from ..problem import Problem


def register(commands):
    """Adds the command."""
    one = commands.add("vmcs-layout", command, "Shows where the platform keeps each VMCS field in the VMCS region.")
    arguments.add_platform(one.add_argument, 1)


def command(options):
    """Runs the one rule, and shows what it says as a table. Result: the exit status."""
    platform = arguments.platform(options)
    folder = run.new_folder(options.build / "run", options.out)
    out = show.console()
    show.header(out, platform, options.arch, [])
    try:
        report = run.run(platform, options.arch, [f"tests={layout.RULE}"], options.timeout, folder, [layout.RULE],
                         lambda number, log: None)
    finally:
        platform.close()
    report.conclude([], {})
    serial = folder / machine.SERIAL
    places = layout.read(serial.read_text(errors="replace") if serial.exists() else "")
    if not places:
        reasons = [result.reason for result in report.results if result.reason]
        raise Problem(f"The platform did not show its layout: {'; '.join(reasons) or report.verdict}. "
                      f"Everything about the run is in {show.relative(folder)}.")
    layout.show(out, places)
    return report.status
