"""Reads the log that the kernel writes to its consoles: TAP 14 and `# key: value` lines.

Anything may stand between the kernel's lines and in the middle of them: a firmware, another hypervisor
that writes to the same serial port, binary noise, a machine that dies. Nothing is thrown away: the raw
log stays in the run's folder.

What is recovered and what is not goes by one principle: noise may cost a result, but never turn a rule
into one that passed. Therefore a breadcrumb, a fact or a failure may be taken out of a damaged line,
and a pass only from a line whose end is whole, that names the rule whose turn it is, and around which
nothing looks like the rest of a `not ok`, of a SKIP or of a diagnosis. What is lost is known by the
breadcrumbs, the numbers of the results and the kernel's own count.
"""

import re
import textwrap
from dataclasses import dataclass, field

import yaml

ID = r"[\w+-]+(?:\.[\w+-]+)+"
VERSION = re.compile(r"TAP version 14$")
PLAN = re.compile(r"^1\.\.(\d+)$")
PLAN_IN_NOISE = re.compile(r"(?<!\d)1\.\.(\d+)$")
RESULT = re.compile(rf"(not )?ok (\d+) - ({ID})(?: # (SKIP|TODO)\b\s*(.*))?$")
BREADCRUMB = re.compile(rf"# run ({ID})(.*)$")
CUT_BREADCRUMB = re.compile(r"# run ([\w.+-]+)$")
BANNER = re.compile(r"# (LHV \S+ \S+)$")
BAIL = re.compile(r"Bail out!\s*(.*)$")
CPU = re.compile(r"^# (cpu (\d+): (.+))$")
ITERATION = re.compile(r"# iteration (\d+)\b")
VERDICT = re.compile(r"# verdict: (pass|fail|nothing|refused)")
CUT_VERDICT = re.compile(r"# verdict: ([a-z]+)$")
VERDICTS = ("pass", "fail", "nothing", "refused")
NOTE = re.compile(rf"# note ({ID}): (.*)$")
AREA = re.compile(r"# area ([\w-]+): (\d+) rules, (\d+) ticks$")
FACT = re.compile(r"^# ([A-Za-z][\w -]*): (.*)$")
CLOSING_IN_NOISE = re.compile(r"# (summary|ticks|memory): (\d.*)$")
SUMMARY = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped, (\d+) hung$")

# What the lines of a diagnosis look like, and the rest of a SKIP: behind an `ok` they mean that it was none.
DIAGNOSIS = re.compile(r"^\s*(---|\.\.\.)$|  (title|sdm|class|outcome|cpus|environment|what|expected|actual|repeat): ")
SKIP_REST = re.compile(r"# SKIP\b\s*(.*)$")

CONTROL = {code: "\ufffd" for code in range(32) if code != 9} | {127: "\ufffd"}
LONGEST_LINE = 65536              # of noise without a line end; the kernel's are shorter
MOST_RULES = 100000               # of a plan that can be believed
EXCERPT_LINES = 60                # kept of each rule


@dataclass
class Result:
    """One `ok` or `not ok` line with what follows it."""

    id: str
    ok: bool
    directive: str | None = None              # "SKIP", "TODO" or None
    reason: str = ""                          # the text after the directive
    diagnosis: dict = field(default_factory=dict)
    number: int = 0                           # as the line has it


class BootLog:
    """What one boot has said so far. Feed it bytes as they come; read its attributes at any time."""

    def __init__(self, rules=()):
        """Arguments: the ids of all rules, which help to read damaged lines; none where they are not known."""
        self.rules = tuple(rules)
        self.banner = ""          # "LHV 0.1 amd64"
        self.facts = {}           # the `# key: value` lines before the plan, without those below
        self.closing = {}         # those after the plan, such as "ticks"
        self.areas = {}           # area -> (number of its rules, ticks that they took)
        self.cpus = {}            # CPU number -> what the header says of it
        self.notes = []           # what was said of a CPU after the plan, such as "lost in x.y"
        self.rule_notes = {}      # id -> what the rule recorded without failing
        self.plan = None          # the number of rules that this boot selected
        self.started = []         # ids in the order of their first breadcrumb
        self.running = None       # the id whose breadcrumb has no result yet
        self.iterations = 0       # that a soak has ended; from the second on it has no breadcrumbs
        self.results = {}         # id -> Result, in the order of the log
        self.last = None          # the id of the last result
        self.bail = None          # the sentence of a refusal
        self.verdict = None       # "pass", "fail", "nothing" or "refused"
        self.starts = 0           # how often the kernel began; 2 means that the machine rebooted
        self.excerpts = {}        # id -> the lines from its breadcrumb to the next one's
        self._known = frozenset(self.rules)
        self._banners = 0
        self._rest = b""
        self._block = None        # the lines of the YAML block being read
        self._between = ""        # what was not understood since the last line that was
        self._sure = True         # whether the running breadcrumb's line had nothing behind it
        self._said = ""           # what the running breadcrumb's line has, which need not be a rule that is known
        self._number = 0          # of the last result

    def feed(self, data):
        """Takes more bytes of the log. A line counts once its end is there."""
        *lines, self._rest = re.split(rb"[\r\n]", self._rest + data)
        for line in lines:
            self._take(line)
        if len(self._rest) > LONGEST_LINE:
            self._take(self._rest)
            self._rest = b""

    def finish(self, rules=()):
        """Takes what is left when the machine has ended: a breadcrumb or verdict without line end.

        Arguments: the ids of all rules, where they were not given at the start. The characters that a
        UART still held are lost with the machine, so that a breadcrumb counts when only one rule can
        have been meant.
        """
        line = _text(self._rest)
        self._rest = b""
        if self.starts > 1:
            return
        if match := CUT_VERDICT.search(line):
            self.verdict = next((v for v in VERDICTS if v.startswith(match[1])), None)
        cut = CUT_BREADCRUMB.search(line)
        if not cut:
            return
        meant = [rule for rule in (rules or self.rules) if rule.startswith(cut[1])]
        meant = [cut[1]] if cut[1] in meant else [rule for rule in meant if rule not in self.results]
        if len(meant) == 1:
            self._line(f"# run {meant[0]}")

    @property
    def culprit(self):
        """The rule to blame when the machine ends now: the running one, else the last reported.

        None where the log does not tell: before the first rule, and in later iterations of a soak.
        """
        return self.running or (None if self.iterations else self.last)

    @property
    def seen(self):
        """The ids of all rules that were begun or reported, in order."""
        return list(dict.fromkeys([*self.started, *self.results]))

    @property
    def missing(self):
        """How many of the rules that the kernel counted off have neither a breadcrumb nor a result here."""
        counted = [result.number for result in self.results.values()]
        reached = self.plan if self.verdict else max(counted, default=0)
        return max((reached or 0) - len(self.seen), 0)

    @property
    def miscount(self):
        """What differs between the kernel's own count and the results that can be read, as a sentence, or ""."""
        match = SUMMARY.search(self.closing.get("summary", ""))
        if not match or not self.results:
            return ""
        passed, failed, skipped, hung = map(int, match.groups())
        results = self.results.values()
        read = (sum(one.ok and one.directive is None for one in results),
                sum(not one.ok for one in results), sum(one.ok and one.directive == "SKIP" for one in results))
        if read == (passed, failed + hung, skipped):
            return ""
        return (f"The kernel counted {passed} passed, {failed + hung} failed and {skipped} skipped, and its log shows "
                f"{read[0]}, {read[1]} and {read[2]}: lines were lost or torn.")

    def _take(self, line):
        self._line(_text(line))

    def _line(self, line):
        if self.starts > 1 or not line:
            return                # the log of a second start must not mix with that of the first
        if VERSION.search(line):
            self._start(self.starts + 1)
        elif match := BANNER.search(line):
            self._banners += 1
            self.banner = self.banner or match[1]
            self._start(max(self.starts, self._banners))
        if self.starts > 1:
            return
        if self._understand(line):
            self._between = ""
        else:
            self._between = (self._between + line + "\n")[-LONGEST_LINE:]
        if subject := self.running or self.last:
            excerpt = self.excerpts.setdefault(subject, [])
            if len(excerpt) < EXCERPT_LINES:
                excerpt.append(line)

    def _start(self, starts):
        self.starts = starts
        self._end_block()

    def _understand(self, line):
        """Takes a line. Returns whether it was one of the kernel's."""
        result, breadcrumb = RESULT.search(line), BREADCRUMB.search(line)
        if self._block is not None and not result and not breadcrumb and self._block_line(line):
            return True
        if result:
            return self._result(result, line[:result.start()])
        if breadcrumb:
            return self._breadcrumb(breadcrumb)
        if self._correct(line):
            return True
        if match := PLAN.search(line) or (None if self.started or self.plan else PLAN_IN_NOISE.search(line)):
            if self.plan is None and int(match[1]) <= MOST_RULES:
                self.plan = int(match[1])
        elif match := BAIL.search(line):
            self.bail = match[1]
        else:
            return self._comment(line)
        return True

    def _block_line(self, line):
        """Takes a line of a YAML block. Returns whether it belongs to the block."""
        if line == "  ...":
            self._end_block()
        elif line.startswith("  "):
            self._block.append(line)
        else:
            return False
        return True

    def _end_block(self):
        if self._block is not None:
            self.results[self.last].diagnosis = read_block(self._block)
        self._block = None

    def _result(self, match, before):
        """Takes a result line. Returns whether it counts. Arguments: RESULT's match; what stood before it."""
        not_ok, number, rule, directive, reason = match.groups()
        number = int(number[:9])
        self._end_block()
        if self.running and rule == self._said != self.running:
            self._rename(rule)    # it is said twice: a rule of another version of LHV
        if self.running and rule != self.running and not self._mended(rule, number, not_ok):
            return False          # torn: the breadcrumb stays and names the rule
        if self._known and rule not in self._known and rule != self.running:
            return False
        rule = self.running if self.running and self.running.startswith(rule) else rule
        ok = not not_ok
        if ok and (_may_end_not(self._between + before) or not (directive or self._expected(rule))):
            return False
        result = Result(rule, ok, directive, re.sub(r"\\([\\#])", r"\1", reason or ""), number=number)
        earlier = self.results.get(rule)
        if earlier is None or earlier.ok:
            self.results[rule] = result
        self.last, self.running, self._number = rule, None, number
        if self.plan is not None and self._number > self.plan:
            self.plan = min(self._number, MOST_RULES)
        return True

    def _rename(self, rule):
        """Takes the running breadcrumb for that of another rule than was thought."""
        self.started[self.started.index(self.running)] = rule
        self.running = rule

    def _expected(self, rule):
        """Whether it can be this rule's turn: an id in a damaged line must not make a rule that is none."""
        return rule in (self.running, *self.started) or rule in self._known

    def _mended(self, rule, number, not_ok):
        """Whether a result may be believed although the running breadcrumb names another rule."""
        if self.running.startswith(rule) and rule not in self._known:
            return bool(not_ok)   # its tail is lost, and with it maybe a SKIP
        if self.started and (self.running not in self._known or not self._sure) and rule in self._known:
            self.started.remove(self.running)     # the breadcrumb was the damaged line
        elif number <= max(self._number + 1, len(self.started)) or rule not in self._known:
            return False
        self.running = None       # its result and the breadcrumb of this rule are lost
        return True

    def _breadcrumb(self, match):
        """Takes a breadcrumb. Returns whether it can be told which rule it names."""
        rule, behind = match.groups()
        said = rule
        if (behind or rule not in self._known) and self._known:
            known = [one for one in self._known if rule.startswith(one)]
            if known and rule not in self._known:
                rule, behind = max(known, key=len), "something"
        elif behind:
            return False
        self._end_block()
        self.running, self._sure, self._said = rule, not behind, said
        if rule not in self.started:
            self.started.append(rule)
        return True

    def _correct(self, line):
        """Takes the rest of a damaged result line, which changes what the part before it seemed to say."""
        result = self.results.get(self.last)
        if result is None or self.running:
            return False
        if match := SKIP_REST.search(line):
            if result.ok:
                result.directive, result.reason = "SKIP", match[1]
            return True
        if not DIAGNOSIS.search(line) or result.diagnosis:
            return False
        result.ok, result.directive = False, None
        self._block = [] if line.strip() == "---" else [line] if line.startswith("  ") else []
        return True

    def _comment(self, line):
        if match := ITERATION.search(line):
            self.iterations, self.running = int(match[1][:9]), None
        elif match := VERDICT.search(line):
            self.verdict = match[1]
        elif match := NOTE.search(line):
            self.rule_notes[match[1]] = match[2].strip()
        elif match := AREA.search(line):
            self.areas[match[1]] = (int(match[2][:9]), int(match[3][:18]))
        elif match := CPU.search(line):
            if self.plan is None:
                self.cpus[int(match[2][:9])] = match[3]
            else:
                self.notes.append(match[1])
        elif match := FACT.search(line) or CLOSING_IN_NOISE.search(line):
            facts = self.facts if self.plan is None else self.closing
            facts[match[1]] = match[2].strip()
        else:
            return BANNER.search(line) is not None or VERSION.search(line) is not None
        return True


def _text(line):
    """A line of bytes as text that is safe to show: control characters are replaced."""
    return line.decode("utf-8", "replace").rstrip("\r").translate(CONTROL)


def _may_end_not(before):
    """Whether what stands between the last line and an `ok` can be a torn or damaged "not "."""
    word = "not "
    before = before.replace("\n", " ") if before.strip() else before
    return (before.rstrip(" ").endswith(("not", "ot", "no", "nt"))
            or any(before.startswith(word[:i]) and before.endswith(word[i:]) for i in range(1, len(word) + 1)))


def split(data):
    """A log of several boots as a list, a log for each. Arguments: all its bytes."""
    places = [match.start() for match in re.finditer(rb"TAP version 14\r?\n", data)][1:]
    return [data[begin:end] for begin, end in zip([0, *places], [*places, len(data)])]


def read_block(lines):
    """The YAML block of a failing rule as a dict.

    Arguments: the lines between `---` and `...`, still indented.
    Result: its keys and values; a block that is no YAML mapping becomes {"text": the raw lines}.
    """
    text = textwrap.dedent("\n".join(lines))
    try:
        block = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):     # of noise: a date that is none, [[[[[[[[…
        block = None
    return {str(key): value for key, value in block.items()} if isinstance(block, dict) else {"text": text}
