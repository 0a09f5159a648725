"""`lhv platforms`: which platforms can run here, and why the rest cannot."""

from .. import platforms, show


def register(commands):
    """Adds the command."""
    commands.add("platforms", command, "Says which platforms can run here, and why the rest cannot.")


def command(_options):
    """Does it. Result: the exit status."""
    show.platforms_table(show.console(), platforms.survey())
    return 0
