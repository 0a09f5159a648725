"""Where a platform keeps each VMCS field in the VMCS region: the lines of the rule vmcs.layout as a table."""

import re
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

RULE = "vmcs.layout"
LINE = re.compile(r"# layout: (0x[0-9a-f]+) (0x[0-9a-f]+) (\d+) (.+)$")


@dataclass(frozen=True)
class Place:
    """A field and the bytes of the region that hold it."""

    encoding: int
    offset: int
    size: int
    name: str


def read(text):
    """The places that a log tells of, in the order of the region."""
    found = [LINE.match(line.rstrip("\r")) for line in text.split("\n")]
    places = [Place(int(m[1], 16), int(m[2], 16), int(m[3]), m[4]) for m in found if m]
    return sorted(places, key=lambda place: (place.offset, place.encoding))


def show(out, places):
    """Prints the places as a table."""
    table = Table(box=None, pad_edge=False)
    for name in ("offset", "bytes", "encoding", "field"):
        table.add_column(name, overflow="fold", justify="right" if name == "bytes" else "left")
    for place in places:
        table.add_row(f"{place.offset:#05x}", str(place.size), f"{place.encoding:#06x}", escape(place.name))
    out.print(table)
    out.print(f"{len(places)} fields")
