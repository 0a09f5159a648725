"""`lhv coverage`: the ledgers of the SDM's rules against the rules of the built kernel."""

from .. import arguments
from ..catalogue import Image
from ..coverage import PAGE, Coverage


def register(commands):
    """Adds the command."""
    one = commands.add("coverage", command, "Says which rules of the SDM are covered, out of docs/ledger/*.tsv.")
    one.add_argument("--write", action="store_true", help="write the page docs/coverage.md instead of printing it")
    arguments.add_arch(one.add_argument)


def command(options):
    """Does it. Result: the exit status."""
    page = Coverage(rule.id for rule in Image(options.build / options.arch / "lhv.elf").rules()).page()
    if options.write:
        PAGE.write_text(page)
    else:
        print(page, end="")
    return 0
