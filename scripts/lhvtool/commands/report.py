"""`lhv report`: one HTML page from the results of any number of runs."""

from pathlib import Path

from .. import saved, show
from ..problem import Problem


def register(commands):
    """Adds the command."""
    add = commands.add("report", command, "Makes one self-contained HTML page from the results of any number of runs.").add_argument
    add("places", nargs="+", metavar="DIR", help="folders of runs, which are walked, or result.json files")
    add("-o", "--output", type=Path, default=Path("report.html"), metavar="FILE", help="(default: report.html)")


def command(options):
    """Does it. Result: the exit status."""
    from .. import page           # here, since its templates take as long to load as all other commands together
    paths = saved.find(options.places)
    results = [(show.relative(path.parent), saved.load(path)) for path in paths]
    try:
        options.output.write_text(page.document(results))
    except OSError as error:
        raise Problem(f"{options.output} cannot be written: {error.strerror}.") from None
    runs = "1 run" if len(results) == 1 else f"{len(results)} runs"
    show.console().print(f"{show.relative(options.output)} shows {runs}.")
    return 0
