"""`lhv diff`: what differs between the results of two runs."""

from .. import compare, saved, show


def register(commands):
    """Adds the command."""
    add = commands.add("diff", command, "Says what differs between two results. Status: 0 nothing, 1 something; "
                       "ticks are shown, but count as no difference.").add_argument
    for name in ("a", "b"):
        add(name, metavar=name.upper(), help="a run's folder, or its result.json")


def command(options):
    """Does it. Result: the exit status."""
    one, other = (saved.load(saved.one(place)) for place in (options.a, options.b))
    return compare.show(show.console(), one, other)
