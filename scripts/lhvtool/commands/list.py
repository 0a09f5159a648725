"""`lhv list`: the rules of the built kernel."""

import json

from .. import arguments, show
from ..catalogue import Image


def register(commands):
    """Adds the command."""
    one = commands.add("list", command, "Lists the rules of the built kernel.")
    add_format(one.add_argument)
    arguments.add_arch(one.add_argument)


def add_format(add):
    """The option --format of a list."""
    add("--format", choices=("table", "json", "markdown"), default="table", help="(default: table)")


def command(options):
    """Does it. Result: the exit status."""
    rules = Image(options.build / options.arch / "lhv.elf").rules()
    return print_entries(options.format, rules, show.rules_table)


def print_entries(form, entries, table):
    """Prints entries of the catalogue. Arguments: the format; the entries; the function that shows a table of them."""
    if form == "table":
        table(show.console(), entries)
        return 0
    entries = [entry.as_json() for entry in entries]
    print(json.dumps(entries, indent=2) if form == "json" else _markdown(entries))
    return 0


def _markdown(entries):
    """A table of entries, all of which have the same keys."""
    if not entries:
        return "The image has none."
    cell = lambda value: (", ".join(value) if isinstance(value, list) else value).replace("|", "\\|")
    rows = [list(entries[0]), ["---"] * len(entries[0])]
    rows += [[cell(value) for value in entry.values()] for entry in entries]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
