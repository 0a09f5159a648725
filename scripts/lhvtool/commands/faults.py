"""`lhv faults`: the faults that can be planted, and the rules that must catch them."""

from .. import arguments, show
from ..catalogue import Image
from .list import add_format, print_entries


def register(commands):
    """Adds the command."""
    one = commands.add("faults", command, "Lists the faults that can be planted, and the rules that must catch them.")
    add_format(one.add_argument)
    arguments.add_arch(one.add_argument)


def command(options):
    """Does it. Result: the exit status."""
    faults = Image(options.build / options.arch / "lhv.elf").faults()
    return print_entries(options.format, faults, show.faults_table)
