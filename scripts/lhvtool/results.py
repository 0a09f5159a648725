"""What a whole run found out: the boots' results merged, known issues applied, and the verdict."""

from dataclasses import dataclass, field

from . import problem

# Every outcome of a rule, in the order in which the summary counts them.
OUTCOMES = ("passed", "failed", "hung", "died", "lost", "unexpected-pass", "expected", "skipped")
BAD = ("failed", "hung", "died", "lost", "unexpected-pass")
GOOD = ("passed", "expected")

# The version of result.json: one more whenever what reads it must know of a change.
SCHEMA = 1

# Facts at the end of a log that the reports show.
CLOSING_FACTS = ("ticks", "memory", "summary", "spurious interrupts")


@dataclass
class RuleResult:
    """What came of one rule in the whole run."""

    id: str
    outcome: str                                   # one of OUTCOMES
    reason: str = ""                               # of a skip or a known issue
    diagnosis: dict = field(default_factory=dict)  # the decoded finding of a failure
    boot: int = 1                                  # the boot that decided it
    note: str = ""                                 # what the rule recorded without failing
    log: tuple = ()                                # the lines of the log around it, of one that did not just pass

    @property
    def bad(self):
        """Whether this result makes the run fail."""
        return self.outcome in BAD


def merge(boots, timeout):
    """One RuleResult per rule, in run order, from all boots of a run.

    Arguments: the boots; the seconds of silence that count as a hang, for the diagnosis.
    A failure in one boot stays, whatever a later boot says.
    """
    merged = {}
    for boot in boots:
        for rule in boot.log.seen:
            found = _result(boot, rule, timeout)
            if found:
                found.note = boot.log.rule_notes.get(rule, "")
                found.log = tuple(boot.log.excerpts.get(rule, ())) if found.outcome not in ("passed", "skipped") else ()
            before = merged.get(rule)
            if found and (before is None or not before.bad):
                merged[rule] = found
    return list(merged.values())


def _result(boot, rule, timeout):
    """What one boot says of one rule; None for one that was interrupted."""
    log = boot.log
    reported = log.results.get(rule)
    interrupted = boot.ended == "interrupt"
    if rule == log.culprit and boot.ended not in ("verdict", "cut", "interrupt"):
        return _blamed(boot, rule, reported, timeout)
    if reported is None:
        if boot.iterates and not boot.finished and rule != log.running:
            return RuleResult(rule, "passed", "It had not failed when the machine ended.",
                              boot=boot.number)
        if interrupted:
            return None
        return RuleResult(rule, "lost", boot=boot.number, diagnosis={
            "outcome": "lost",
            "actual": "the log ends in this rule" if boot.ended == "cut" and rule == log.running
                      else "the log has the rule's beginning, but no result of it"})
    if reported.directive == "SKIP":
        outcome = "skipped"
    elif reported.ok:
        outcome = "passed"
    elif reported.directive == "TODO":
        outcome = "expected"
    else:
        outcome = str(reported.diagnosis.get("outcome", "failed"))
        outcome = outcome if outcome in BAD else "failed"
    return RuleResult(rule, outcome, reported.reason, reported.diagnosis, boot.number)


def _blamed(boot, rule, reported, timeout):
    """The result of the rule during which, or right after which, the machine ended."""
    outcome = "hung" if boot.ended == "silence" else "died"
    actual = {
        "silence": f"the machine said nothing for {timeout:g} s",
        "reboot": "the machine rebooted",
        "death": "the platform said that it has died",
        "exit": "the machine ended",
    }[boot.ended]
    if boot.log.running is None:
        actual += " after this rule's result and before anything else"
    diagnosis = dict(reported.diagnosis) if reported else {}
    diagnosis["outcome"] = outcome
    if "actual" in diagnosis:
        diagnosis["then"] = actual
    else:
        diagnosis["actual"] = actual
    if boot.last_words:
        diagnosis["platform"] = boot.last_words
    return RuleResult(rule, outcome, "", diagnosis, boot.number)


def apply_known_issues(results, issues):
    """Turns failures that an issue names into expected ones, and its passes into unexpected ones.

    Arguments: the results, which are changed in place; the issues that cover this platform.
    """
    for result in results:
        issue = next((issue for issue in issues if issue.names(result.id)), None)
        if issue is None:
            continue
        if result.outcome == "passed":
            result.outcome = "unexpected-pass"
            result.reason = (f"The known issue {issue.id} says that this rule fails here, "
                             "but it passed.")
        elif result.bad:
            result.outcome = "expected"
            result.reason = f"{issue.sentence} ({issue.id}, {issue.evidence})"


@dataclass
class Report:
    """A run as a whole: what was asked, what the boots were, and what they found."""

    platform: object              # a machine.Platform
    arch: str
    options: list                 # the kernel's options, without those that the runner adds
    timeout: float
    boots: list = field(default_factory=list)
    results: list = field(default_factory=list)
    trouble: str = ""             # why some rules could not be run at all, as a sentence
    picture_trouble: str = ""     # why there is no picture of the screen, likewise
    catalogue: dict = field(default_factory=dict)    # the rules of the image by id, known after conclude()

    def conclude(self, issues, catalogue):
        """Fills in the results from the boots.

        Arguments: the known issues that cover this platform; the rules of the image by id, which
        give a title to results whose diagnosis the machine could not print any more.
        """
        self.catalogue = catalogue
        self.results = merge(self.boots, self.timeout)
        for result in self.results:
            rule = catalogue.get(result.id)
            if result.bad and rule:
                result.diagnosis = {"title": rule.title, "sdm": rule.sdm, "class": rule.cls,
                                    **result.diagnosis}
        apply_known_issues(self.results, issues)

    @property
    def interrupted(self):
        """Whether the user ended the run."""
        return bool(self.boots) and self.boots[-1].ended == "interrupt"

    @property
    def refusal(self):
        """The kernel's sentence when it refused its options, or None."""
        return self.boots[0].log.bail if self.boots and not self.results else None

    def count(self, *outcomes):
        """How many rules have one of the outcomes."""
        return sum(result.outcome in outcomes for result in self.results)

    @property
    def verdict(self):
        """"pass", "fail", "nothing", "refused", "incomplete" or "interrupted"."""
        if self.interrupted:
            return "interrupted"
        if self.refusal is not None:
            return "refused"
        if self.trouble:
            return "incomplete"
        if self.count(*BAD) or self.doubts:
            return "fail"
        return "pass" if self.count(*GOOD) else "nothing"

    @property
    def doubts(self):
        """Why the log does not have all that the kernel said, as sentences."""
        said = []
        for boot in self.boots:
            where = f" of boot {boot.number}" if len(self.boots) > 1 else ""
            if missing := boot.log.missing:
                rules = "1 rule has" if missing == 1 else f"{missing} rules have"
                said.append(f"{rules} neither a beginning nor a result in the log{where}: lines were lost or torn.")
            if boot.log.miscount:
                said.append(boot.log.miscount)
        failures = self.count(*BAD, "expected") - self.count("unexpected-pass")
        if not said and not failures and any(boot.log.verdict == "fail" for boot in self.boots):
            said.append("The kernel counted a failure, but its log shows none: a line was lost.")
        return said

    @property
    def status(self):
        """The exit status that goes with the verdict."""
        return {"pass": problem.PASSED, "fail": problem.FAILED, "nothing": problem.WRONG_USE,
                "refused": problem.WRONG_USE, "incomplete": problem.NO_VERDICT,
                "interrupted": problem.INTERRUPTED}[self.verdict]

    @property
    def seconds(self):
        """Wall seconds of all boots together."""
        return sum(boot.wall_seconds for boot in self.boots)

    def fact(self, name):
        """A closing fact of the first boot that gives it, or ""."""
        return next((boot.log.closing[name] for boot in self.boots if name in boot.log.closing), "")

    @property
    def areas(self):
        """What each area took, as {area: {"rules": how many, "ticks": how long}}, of all boots together."""
        total = {}
        for boot in self.boots:
            for area, (rules, ticks) in boot.log.areas.items():
                one = total.setdefault(area, {"rules": 0, "ticks": 0})
                one["rules"] += rules
                one["ticks"] += ticks
        return total

    def as_json(self, repeat=None):
        """The report as it stands in result.json. Arguments: a function that gives the command that repeats a rule."""
        first = self.boots[0].log if self.boots else None
        have = {result.id for result in self.results}
        return {
            "schema": SCHEMA,
            "verdict": self.verdict,
            "status": self.status,
            "summary": {outcome: self.count(outcome) for outcome in OUTCOMES},
            "trouble": self.trouble,
            "refusal": self.refusal,
            "doubts": self.doubts,
            "platform": self.platform.name,
            "version": self.platform.version,
            "under": self.platform.under,
            "platform_facts": self.platform.facts,
            "accelerator": self.platform.accelerator,
            "model": self.platform.model,
            "arch": self.arch,
            "cpus": self.platform.cpus,
            "memory_mib": self.platform.memory,
            "options": " ".join(self.options),
            "kernel": first.banner if first else "",
            "facts": first.facts if first else {},
            "closing_facts": self.boots[-1].log.closing if self.boots else {},
            "cpu_lines": {str(cpu): what for cpu, what in first.cpus.items()} if first else {},
            "ticks": _number(self.fact("ticks")),
            "wall_seconds": round(self.seconds, 3),
            "cpu_seconds": round(sum(boot.cpu_seconds for boot in self.boots), 3),
            "boots": [{"number": boot.number, "kernel_command_line": boot.command_line,
                       "ended": boot.ended, "last_words": boot.last_words, "plan": boot.log.plan,
                       "verdict": boot.log.verdict, "notes": boot.log.notes,
                       "wall_seconds": round(boot.wall_seconds, 3),
                       "cpu_seconds": round(boot.cpu_seconds, 3)} for boot in self.boots],
            "areas": self.areas,
            "rules": [self._rule(result, repeat) for result in self.results],
            "not_run": [rule for rule in self.catalogue if rule not in have],
        }

    def _rule(self, result, repeat):
        """A rule as it stands in result.json; what is empty is left out but for id, outcome, reason and diagnosis."""
        rule = self.catalogue.get(result.id)
        entry = {"id": result.id}
        if rule:
            entry |= {"title": rule.title, "sdm": rule.sdm, "class": rule.cls}
        entry |= {"outcome": result.outcome, "reason": result.reason, "diagnosis": result.diagnosis, "boot": result.boot}
        if result.note:
            entry["note"] = result.note
        if result.log:
            entry["log"] = list(result.log)
        if repeat:
            entry["repeat"] = repeat(result.id)
        return entry


def _number(text):
    return int(text.split()[0]) if text and text.split()[0].isdigit() else None
