"""Delta debugging of a failure: the smallest mask, and the shortest list of rules in their order, with which a rule still fails."""

from argparse import Namespace
from dataclasses import dataclass

from .problem import NO_VERDICT, Problem

FAILING = ("failed", "hung", "died", "lost")
MAX_LIST = 1000               # characters that tests= can hold: GLOBS_SIZE of the kernel


def smallest(items, fail, width=1):
    """A part of the items, in their order, that still fails, and from which no single item can be left out.

    Arguments: the items, which fail all together; a function that takes a list of parts and returns for each
    whether it fails; how many parts it had best be given at a time.
    """
    while True:
        items = _needed(items, fail, width)
        # where items depend on each other, one that was needed may have become idle
        without = [items[:at] + items[at + 1:] for at in range(len(items))]
        idle = [part for part, fails in zip(without, fail(without)) if fails]
        if not idle:
            return items
        items = idle[0]


def _needed(items, fail, width):
    """One pass: finds the longest beginning that can go, keeps the item behind it, and goes on behind that."""
    kept, rest = [], items
    while rest:
        goes, stays = 0, len(rest) + 1            # without so many items it fails; it does not
        while stays - goes > 1:
            cuts = _cuts(goes, stays, width, len(rest))
            for cut, fails in zip(cuts, fail([kept + rest[cut:] for cut in cuts])):
                if fails:
                    goes = cut
                else:
                    stays = cut
                    break
        kept, rest = kept + rest[goes:goes + 1], rest[goes + 1:]
    return kept


def _cuts(low, high, width, most):
    """Numbers between two, in order: the largest possible, which is worth a try, or else such as part the gap evenly."""
    inner = range(low + 1, high)
    if high > most:
        return sorted({most, *(inner[len(inner) * i // width] for i in range(1, width))})
    return sorted({inner[len(inner) * i // (width + 1)] for i in range(1, width + 1)})


@dataclass(frozen=True)
class Probe:
    """What one boot runs."""

    mask: int
    rules: tuple              # ids in the order of the run


class Bisection:
    """The search, over a function that boots."""

    def __init__(self, masks, catalogue, target, boot, width, say):
        """Arguments: the masks.Masks of the image; its rules by id, in its order; the id of the rule that fails; a
        function that takes a list of Probes, boots them and returns for each whether it fails; how many it boots
        at a time; a function that is told what was found as a sentence."""
        self._masks, self._catalogue, self._target, self._boot = masks, catalogue, target, boot
        self._width, self._say = width, say
        self._known = {}          # Probe -> whether it fails

    def run(self, mask, rules):
        """The smallest Probe that fails. Arguments: the mask and the rules, up to the failing one, of the run that failed.

        Error: Problem when it fails no more.
        """
        whole, alone = Probe(mask, tuple(rules)), Probe(mask, (self._target,))
        found = alone if self._fail([alone])[0] else whole
        if found is whole and not self._fail([whole])[0]:
            raise Problem(f"{self._target} failed once, and then no more with the same rules before it. "
                          "Where that comes and goes, more runs of each boot help: --tries.", NO_VERDICT)
        if found is whole:
            self._say(f"{self._target} fails only with some of the {len(rules) - 1} rules before it.")
        return self._fewer_rules(self._smaller_mask(found))

    def _smaller_mask(self, probe):
        def fail(parts):
            return self._fail([self._with_mask(sum(part), probe) for part in parts])

        return self._with_mask(sum(smallest(self._masks.split(probe.mask), fail, self._width)), probe)

    def _fewer_rules(self, probe):
        def fail(parts):
            return self._fail([Probe(probe.mask, (*part, self._target)) for part in parts])

        return Probe(probe.mask, (*smallest(list(probe.rules[:-1]), fail, self._width), self._target))

    def _with_mask(self, mask, probe):
        """The probe with what is possible of a mask, and with the rules that this selects: the others, the kernel leaves out."""
        mask = self._masks.possible(mask)
        selects = lambda rule: not rule.opt_mask or rule.opt_mask & mask
        return Probe(mask, tuple(rule for rule in probe.rules if selects(self._catalogue[rule])))

    def _fail(self, probes):
        """Whether each fails. What is known, or cannot fail, takes no boot."""
        for probe in probes:
            if self._target not in probe.rules:
                self._known[probe] = False
        unknown = [probe for probe in dict.fromkeys(probes) if probe not in self._known]
        self._known.update(zip(unknown, self._boot(unknown)))
        return [self._known[probe] for probe in probes]


def words(rules, catalogue):
    """The rules as tests= takes them: ids, or where those are too long ranges of places in the catalogue."""
    text = ",".join(rules)
    if len(text) <= MAX_LIST:
        return text
    place = {rule: number for number, rule in enumerate(catalogue, 1)}
    ranges = []
    for number in sorted(place[rule] for rule in rules):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def narrowed(options, probe, catalogue):
    """The options of `lhv run` for a probe, from those of the whole run."""
    return Namespace(**{**vars(options), "opt": f"{probe.mask:#x}", "skip": None, "tests": words(probe.rules, catalogue)})


def failure(report, globs, known):
    """The first result of a report that counts as a failure, or None.

    Arguments: a function that says whether a rule's id is wanted; whether known issues count.
    """
    outcomes = (*FAILING, "expected") if known else FAILING
    return next((result for result in report.results if result.outcome in outcomes and globs(result.id)), None)
