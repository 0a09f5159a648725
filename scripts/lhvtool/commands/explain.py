"""`lhv explain`: which VM-entry rules a dumped VMCS violates."""

from pathlib import Path

from .. import explain


def register(commands):
    """Adds the command."""
    one = commands.add("explain", command, "Says which VM-entry rules a dumped VMCS violates: a dump of LHV, KVM or Xen.")
    one.add_argument("file", type=Path, metavar="FILE", help="a text that holds the dump, such as a kernel's log")


def command(options):
    """Does it. Result: the exit status."""
    return explain.explain(options.file, options.build / "host" / "explain")
