"""What differs between two results (see saved.py)."""

from rich.markup import escape
from rich.table import Table

from .problem import FAILED, PASSED
from .saved import described

FACTS = ("verdict", "platform", "version", "under", "accelerator", "model", "arch", "cpus", "memory_mib", "options", "kernel")
MOST_IDS = 40                     # named of the rules that only one result has


def show(out, one, other):
    """Prints what differs. Arguments: a console; two results. Result: the exit status."""
    out.print(f"A: {escape(described(one))}")
    out.print(f"B: {escape(described(other))}")
    rules, facts = differing_rules(one, other), differing_facts(one, other)
    only_a, only_b = only(one, other), only(other, one)
    _table(out, "Rules whose outcome differs", ("rule", "A", "B"), rules)
    _table(out, "Rules that fail in another way, which counts as no difference", ("rule", "A", "B"), differing_findings(one, other))
    _ids(out, "Rules with a result only in A", only_a)
    _ids(out, "Rules with a result only in B", only_b)
    _table(out, "Facts that differ", ("fact", "A", "B"), facts)
    _table(out, "Ticks", ("area", "A", "B", "change"), ticks(one, other))
    different = bool(rules or only_a or only_b or facts)
    out.print()
    out.print(f"{len(rules)} rules differ, {len(only_a)} are only in A, {len(only_b)} only in B, {len(facts)} facts differ."
              if different else f"Both have the same {len(one['rules'])} results and facts.")
    return FAILED if different else PASSED


def differing_rules(one, other):
    """The rules of both results whose outcome differs, as (id, outcome in A, outcome in B)."""
    return [(a["id"], a["outcome"], b["outcome"]) for a, b in _pairs(one, other) if a["outcome"] != b["outcome"]]


def differing_findings(one, other):
    """The rules of both results that failed alike but in another way, as (id, actual in A, actual in B)."""
    actual = lambda rule: _text(rule["diagnosis"].get("actual"))
    return [(a["id"], actual(a), actual(b)) for a, b in _pairs(one, other)
            if a["outcome"] == b["outcome"] and actual(a) != actual(b)]


def _pairs(one, other):
    """The rules that both results have, as pairs."""
    others = {rule["id"]: rule for rule in other["rules"]}
    return [(rule, others[rule["id"]]) for rule in one["rules"] if rule["id"] in others]


def differing_facts(one, other):
    """What else differs but times, as (name, what A has, what B has)."""
    pairs = [(name, one.get(name), other.get(name)) for name in FACTS]
    pairs += [(name, one["facts"].get(name), other["facts"].get(name)) for name in {**one["facts"], **other["facts"]}]
    return [(name, _text(a), _text(b)) for name, a, b in pairs if a != b]


def only(one, other):
    """The ids of the rules with a result in the first only."""
    others = {rule["id"] for rule in other["rules"]}
    return [rule["id"] for rule in one["rules"] if rule["id"] not in others]


def ticks(one, other):
    """What the areas took, as (area, A, B, change), the whole last; areas that either lacks are left out."""
    pairs = [(area, one["areas"][area]["ticks"], other["areas"][area]["ticks"]) for area in one["areas"] if area in other["areas"]]
    if one.get("ticks") and other.get("ticks"):
        pairs.append(("the whole run", one["ticks"], other["ticks"]))
    return [(area, f"{a:,}", f"{b:,}", f"{(b - a) / a:+.1%}" if a else "") for area, a, b in pairs]


def _text(value):
    return "-" if value in (None, "") else str(value)


def _table(out, title, names, rows):
    if not rows:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, name in enumerate(names):
        table.add_column(name, overflow="fold", no_wrap=not number, justify="right" if "change" in names and number else "left")
    for row in rows:
        table.add_row(*map(escape, row))
    out.print(f"\n[bold]{title}[/]")
    out.print(table)


def _ids(out, title, ids):
    if not ids:
        return
    out.print(f"\n[bold]{title}[/]: {len(ids)}")
    more = f" and {len(ids) - MOST_IDS} more" if len(ids) > MOST_IDS else ""
    out.print(f"  {', '.join(ids[:MOST_IDS])}{more}")
