"""Reads the log that the kernel writes to its consoles: TAP 14 and `# key: value` lines.

Anything may stand between the kernel's lines (a firmware, another hypervisor), and a machine
that dies may cut a line, so that what does not parse is passed over. Nothing is thrown away:
the raw log stays in the run's folder.
"""

import re
import textwrap
from dataclasses import dataclass, field

import yaml

VERSION = re.compile(r"TAP version 14$")
PLAN = re.compile(r"1\.\.(\d+)\b")
RESULT = re.compile(r"(not )?ok (\d+) - ([\w.+-]+)(?:\s+# (SKIP|TODO)\b\s*(.*))?$")
BREADCRUMB = re.compile(r"# run ([\w.+-]+)$")
BANNER = re.compile(r"# (LHV \S+ \S+)$")
BAIL = re.compile(r"Bail out!\s*(.*)$")
CPU = re.compile(r"# cpu (\d+): (.+)$")
ITERATION = re.compile(r"# iteration (\d+)\b")
CUT_VERDICT = re.compile(r"# verdict: ([a-z]+)$")
VERDICTS = ("pass", "fail", "nothing", "refused")
FACT = re.compile(r"# ([A-Za-z][\w -]*): (.*)$")


@dataclass
class Result:
    """One `ok` or `not ok` line with what follows it."""

    id: str
    ok: bool
    directive: str | None = None              # "SKIP", "TODO" or None
    reason: str = ""                          # the text after the directive
    diagnosis: dict = field(default_factory=dict)


class BootLog:
    """What one boot has said so far. Feed it bytes as they come; read its attributes at any time."""

    def __init__(self):
        self.banner = ""          # "LHV 0.1 amd64"
        self.facts = {}           # the `# key: value` lines before the plan, without those below
        self.closing = {}         # those after the plan, such as "ticks"
        self.cpus = {}            # CPU number -> what the header says of it
        self.notes = []           # what was said of a CPU after the plan, such as "lost in x.y"
        self.plan = None          # the number of rules that this boot selected
        self.started = []         # ids in the order of their first breadcrumb
        self.running = None       # the id whose breadcrumb has no result yet
        self.iterations = 0       # that a soak has ended; from the second on it has no breadcrumbs
        self.results = {}         # id -> Result, in the order of the log
        self.last = None          # the id of the last result
        self.bail = None          # the sentence of a refusal
        self.verdict = None       # "pass", "fail", "nothing" or "refused"
        self.starts = 0           # how often the kernel began; 2 means that the machine rebooted
        self._rest = b""
        self._block = None        # the lines of the YAML block being read

    def feed(self, data):
        """Takes more bytes of the log. A line counts once its end is there."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line.decode("utf-8", "replace").rstrip("\r"))

    def finish(self, rules):
        """Takes what is left when the machine has ended: a breadcrumb or verdict without line end.

        Arguments: the ids of all rules. The characters that a UART still held are lost with the
        machine, so that a breadcrumb counts when only one rule can have been meant.
        """
        line = self._rest.decode("utf-8", "replace").rstrip("\r")
        self._rest = b""
        if match := CUT_VERDICT.match(line):
            self.verdict = next((v for v in VERDICTS if v.startswith(match[1])), None)
        cut = BREADCRUMB.match(line)
        if not cut or self.starts > 1:
            return
        meant = [rule for rule in rules if rule.startswith(cut[1])]
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

    def _line(self, line):
        if self.starts > 1:
            return                # the log of a second start must not mix with that of the first
        if self._block is not None and self._block_line(line):
            return
        if VERSION.search(line):
            self.starts += 1
        elif match := PLAN.match(line):
            self.plan = int(match[1])
        elif match := RESULT.match(line):
            self._result(match)
        elif line == "  ---" and self.last and not self.results[self.last].diagnosis:
            self._block = []
        elif match := BAIL.match(line):
            self.bail = match[1]
        elif line.startswith("# "):
            self._comment(line)

    def _block_line(self, line):
        """Takes a line of a YAML block. Returns False for a line that belongs to no block."""
        if line == "  ...":
            self.results[self.last].diagnosis = read_block(self._block)
            self._block = None
        elif line.startswith("  "):
            self._block.append(line)
        elif RESULT.match(line) or BREADCRUMB.match(line) or VERSION.search(line):
            self.results[self.last].diagnosis = read_block(self._block)
            self._block = None
            return False
        else:
            return False
        return True

    def _result(self, match):
        not_ok, _number, rule, directive, reason = match.groups()
        if self.running and rule != self.running:
            if not self.running.startswith(rule):
                return            # torn: the breadcrumb stays and names the rule
            rule = self.running
        result = Result(rule, not not_ok, directive, re.sub(r"\\([\\#])", r"\1", reason or ""))
        before = self.results.get(rule)
        if before is None or before.ok:
            self.results[rule] = result
        self.last, self.running = rule, None

    def _comment(self, line):
        if match := BREADCRUMB.match(line):
            self.running = match[1]
            if self.running not in self.started:
                self.started.append(self.running)
        elif match := CPU.match(line):
            if self.plan is None:
                self.cpus[int(match[1])] = match[2]
            else:
                self.notes.append(line[2:])
        elif match := BANNER.match(line):
            self.banner = match[1]
        elif match := ITERATION.match(line):
            self.iterations, self.running = int(match[1]), None
        elif match := FACT.match(line):
            if match[1] == "verdict":
                self.verdict = match[2].strip()
            else:
                facts = self.facts if self.plan is None else self.closing
                facts[match[1]] = match[2].strip()


def read_block(lines):
    """The YAML block of a failing rule as a dict.

    Arguments: the lines between `---` and `...`, still indented.
    Result: its keys and values; a block that is no YAML mapping becomes {"text": the raw lines}.
    """
    text = textwrap.dedent("\n".join(lines))
    try:
        block = yaml.safe_load(text)
    except yaml.YAMLError:
        block = None
    return block if isinstance(block, dict) else {"text": text}
