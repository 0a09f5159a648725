"""The ledgers of the SDM's rules (docs/ledger/*.tsv) against the rules of the image: what is covered, and why the rest is not.

A row names rules of ours by ids or globs, with remarks in brackets, or says "none: why". A rule may also be one of the model of
the VM-entry checks (lhv-tests/entry), which no boot runs as such yet.
"""

import csv
import re
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from .problem import Problem

ROOT = Path(__file__).resolve().parents[2]
LEDGERS = ROOT / "docs" / "ledger"
PAGE = ROOT / "docs" / "coverage.md"
COLUMNS = 7
NONE = "none:"
STATES = ("covered", "in the model", "not covered")


@dataclass(frozen=True)
class Row:
    """One rule of the SDM."""

    id: str
    section: str
    rule: str
    needs: str
    outcome: str
    ours: str                 # rules of ours, or "none: why"
    read_by: str

    @property
    def area(self):
        """What stands before the first point of the id; of VM entries the first two words."""
        words = self.id.split(".")
        return ".".join(words[:2]) if words[0] == "entry" else words[0]

    def globs(self):
        """The ids and globs that the row names; none where it says why there is no rule."""
        if self.ours.startswith(NONE):
            return []
        return [word for word in re.sub(r"\([^)]*\)", " ", self.ours).split() if "." in word]


def read(path):
    """All rows of a ledger. Error: Problem where a line has not seven columns."""
    with open(path, newline="") as file:
        lines = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for number, line in enumerate(lines, 1):
        if len(line) != COLUMNS:
            raise Problem(f"{path.name}, line {number}: {len(line)} columns instead of {COLUMNS}.")
    return [Row(*line) for line in lines[1:]]


def ledgers():
    """Every ledger: a dictionary of rows by the file's name."""
    return {path.stem: read(path) for path in sorted(LEDGERS.glob("*.tsv"))}


class Coverage:
    """What the image and the model have of the ledgers."""

    def __init__(self, rules):
        """rules: the ids of the image's rules."""
        self._image = set(rules)
        self.ledgers = ledgers()

    def of(self, row):
        """The row's state: one of STATES."""
        globs = row.globs()
        if any(self._fits(glob, self._image) for glob in globs):
            return "covered"
        return "in the model" if globs else "not covered"

    def unknown(self):
        """(row, word) for each word of a row that fits no rule: a mistake in the ledger. Rules of the model are not in the image."""
        return [(row.id, glob) for rows in self.ledgers.values() for row in rows for glob in row.globs()
                if not self._fits(glob, self._image) and not glob.startswith("entry.")]

    def page(self):
        """The text of docs/coverage.md."""
        text = [HEAD]
        for name, rows in self.ledgers.items():
            counts = Counter((row.area, self.of(row)) for row in rows)
            areas = list(dict.fromkeys(row.area for row in rows))
            text += [f"## {name}\n", _table(["area", "rows", *STATES],
                                            [[area, sum(counts[area, state] for state in STATES),
                                              *(counts[area, state] for state in STATES)] for area in areas]
                                            + [["all", len(rows), *(sum(counts[area, state] for area in areas)
                                                                   for state in STATES)]])]
        for name, rows in self.ledgers.items():
            text += [f"## Rows of {name}\n", _table(["row", "SDM", "rule", "ours, or why there is none", "read by"],
                                                    [[row.id, row.section, row.rule, row.ours, row.read_by] for row in rows])]
        return "\n".join(text)

    @staticmethod
    def _fits(glob, rules):
        return glob in rules or any(fnmatchcase(rule, glob) for rule in rules)


HEAD = """# Coverage

Every rule of the SDM that we know of, and which of our rules checks it. Generated from `docs/ledger/*.tsv` and the image by
`scripts/lhv coverage --write`; a test keeps it current. *Covered*: a rule of the image checks it. *In the model*: the model of the
VM-entry checks (`lhv-tests/entry`) knows it. *Not covered*: the row says why. *Read by*: what the row was held against, and whether
Bochs 2.7, a second implementation, does the same.
"""


def _table(head, rows):
    cell = lambda value: str(value).replace("|", "\\|")
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines) + "\n"
