"""`lhv bisect`: the smallest mask and the shortest list of rules with which a rule still fails."""

import fnmatch
import itertools
import os
import shlex

from .. import arguments, bisect, run, several, show
from ..catalogue import Image
from ..masks import Masks
from ..problem import NO_VERDICT, PASSED, Problem

TRIES = 3                     # of a boot, where a platform may do otherwise the next time


def register(commands):
    """Adds the command."""
    add = commands.add("bisect", command, "Finds the smallest mask and the shortest list of rules that still fail.").add_argument
    arguments.add_platform(add, 2)
    arguments.add_selection(add)
    add("--rule", metavar="ID|GLOB", help="the rule whose failure is looked into (default: the first that fails)")
    add("--known", action="store_true", help="failures as known issues say count as well, as they do with --rule")
    add("--tries", type=arguments.number(1), metavar="N",
        help=f"boots until one counts as no failure (default: {TRIES}, 1 where the platform always does the same)")
    add("-j", "--jobs", type=arguments.number(1), default=len(os.sched_getaffinity(0)), metavar="N",
        help="boots at a time (default: as many as there are CPUs)")


def command(options):
    """Does it. Result: the exit status."""
    out = show.console()
    image = Image(arguments.kernel(options).with_suffix(".elf"))
    rules, masks = {rule.id: rule for rule in image.rules()}, Masks(image.options())
    folder = run.new_folder(options.build / "bisect", options.out)
    with several.Machines(options.jobs) as machines:
        boots = Boots(machines, options, rules, folder, lambda what: out.print(what, markup=False))
        report = boots.first()
        wanted = lambda rule: fnmatch.fnmatchcase(rule, options.rule or "*")
        found = bisect.failure(report, wanted, boots.known)
        if found is None:
            raise _nothing(report, options, folder)
        boots.target = found.id
        out.print(f"{found.id} {found.outcome}.", markup=False)
        log = report.boots[found.boot - 1].log
        mask = int(log.facts["options"].partition(",")[0], 0)
        before = log.seen[:log.seen.index(found.id) + 1]
        search = bisect.Bisection(masks, rules, found.id, boots, options.jobs, lambda what: out.print(what, markup=False))
        probe = search.run(mask, before)
    count = "1 rule" if len(probe.rules) == 1 else f"{len(probe.rules)} rules"
    out.print()
    out.print(f"{found.id} still fails with LHV_OPT {probe.mask:#x} ({masks.names(probe.mask)}) and {count}, found in "
              f"{boots.count} boots. Repeat it with", markup=False)
    narrow = bisect.narrowed(options, probe, rules)
    out.print(f"{arguments.repeater(narrow)(narrow.tests)}{_order(options)}", markup=False)
    return PASSED


def _order(options):
    return f" --order {shlex.quote(options.order)}" if options.order else ""


def _nothing(report, options, folder):
    """The Problem that says why there is nothing to bisect."""
    if report.refusal is not None:
        return Problem(f"The kernel refused its options: {report.refusal}")
    if report.trouble:
        return Problem(report.trouble, NO_VERDICT)
    which = f"No rule that matches {options.rule} fails" if options.rule else "Nothing fails"
    known = report.count("expected")
    but = f" but for {known} as known issues say: --known or --rule looks into those" if known and not options.rule else ""
    return Problem(f"{which} with these options{but}, so that there is nothing to bisect. The run is in "
                   f"{show.relative(folder)}.")


class Boots:
    """Boots probes, several at a time, each in a folder of its own, and says how each went."""

    def __init__(self, machines, options, rules, folder, say):
        self._machines, self._options, self._rules, self._folder, self._say = machines, options, rules, folder, say
        self._numbers = itertools.count(1)
        self._tries = options.tries
        self.known = options.known or options.rule is not None
        self.count = 0
        self.target = None

    def first(self):
        """The run as the options ask for it. Returns its Report."""
        return self._all([(0, self._options)])[0]

    def __call__(self, probes):
        """Boots probes. Returns whether each fails."""
        left, failed = set(range(len(probes))), set()
        for _ in range(self._tries if probes else 0):
            tasks = [(place, bisect.narrowed(self._options, probes[place], self._rules)) for place in sorted(left)]
            for place, report in self._all(tasks).items():
                if bisect.failure(report, lambda rule: rule == self.target, self.known):
                    failed.add(place)
                    left.discard(place)
            if not left:
                break
        for place, probe in enumerate(probes):
            count = "1 rule" if len(probe.rules) == 1 else f"{len(probe.rules)} rules"
            self._say(f"LHV_OPT {probe.mask:#x}, {count}: {'fails' if place in failed else 'does not fail'}")
        return [place in failed for place in range(len(probes))]

    def _all(self, tasks):
        """Boots tasks (a key, options). Returns key -> Report."""
        options = dict(tasks)
        folders = {key: self._folder / f"{next(self._numbers):03}" for key in options}
        reports = {}

        def one(platform, key):
            if self._tries is None:
                self._tries = 1 if platform.deterministic else TRIES
            return self._machines.run(platform, options[key], folders[key], self._rules)

        for key, report in self._machines.each([(key, options[key]) for key in options], one):
            if report.interrupted:
                raise KeyboardInterrupt
            reports[key] = report
            self.count += len(report.boots)
        return reports
