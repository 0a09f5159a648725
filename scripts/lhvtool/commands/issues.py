"""`lhv issues`: the known issues of platforms, each ready to be pasted into a bug report for that platform's tracker."""

from .. import issues, known
from ..problem import Problem


def register(commands):
    """Adds the command."""
    add = commands.add("issues", command, "Prints each known issue with its minimal sequence, public reports and the command "
                       "that repeats it, ready to paste into a bug report.").add_argument
    add("id", nargs="?", metavar="ID", help="only this one (default: all)")
    add("--on", choices=known.PLATFORMS, help="only those of a platform")


def command(options):
    """Does it. Result: the exit status."""
    found = known.load()
    chosen = [issue for issue in found if options.id in (None, issue.id) and options.on in (None, issue.platform)]
    if options.id and not chosen:
        near = [issue.id for issue in found if options.id in issue.id] or [issue.id for issue in found]
        raise Problem(f"There is no known issue {options.id!r}. There are {', '.join(near)}.")
    print("\n".join(issues.text(issue) for issue in chosen) or "There is no known issue of that platform.")
    return 0
