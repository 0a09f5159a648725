"""Shows a run to a person: what it runs on, how far it is, what failed, and the verdict.

On a terminal there are colours and a progress bar; elsewhere plain lines.
"""

import os
import sys
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from .results import BAD, CLOSING_FACTS

# The keys of a diagnosis in the order of the report, with their labels. Others follow.
LABELS = {"sdm": "SDM", "class": "class", "cpus": "CPUs", "environment": "environment",
          "what": "what", "expected": "expected", "actual": "actual"}
HEADINGS = {"failed": "FAILED", "hung": "HUNG", "died": "DIED", "lost": "LOST",
            "unexpected-pass": "UNEXPECTED PASS", "expected": "expected failure"}
VERDICTS = {"pass": ("PASS", "bold green"), "fail": ("FAIL", "bold red"),
            "nothing": ("NOTHING CHECKED", "bold yellow"), "refused": ("REFUSED", "bold red"),
            "incomplete": ("NO VERDICT", "bold red"), "interrupted": ("INTERRUPTED", "bold red")}
COUNTS = (("passed", "passed"), ("failed", "failed"), ("hung", "hung"),
          ("died", "ended the machine"), ("lost", "lost their result"),
          ("unexpected-pass", "passed unexpectedly"), ("expected", "failed as known"),
          ("skipped", "skipped"))
INDENT = "    "
RULES_NAMED_PER_SKIP = 3


def console(stream=None):
    """A console that writes plain lines of any length where it is not on a terminal."""
    stream = stream or sys.stdout
    width = None if stream.isatty() else 10_000
    return Console(file=stream, highlight=False, soft_wrap=True, width=width)


def relative(path):
    """A path as it is shortest from the current folder."""
    shorter = os.path.relpath(path)
    return shorter if not shorter.startswith("../..") else str(Path(path).resolve())


def header(out, platform, arch, options):
    """Says what is about to be booted on what."""
    out.print(f"[bold]LHV {arch}[/] on {escape(described(platform))}")
    if options:
        out.print(f"options of the kernel: {escape(' '.join(options))}")


def described(platform):
    """A platform in words, without what is not known of it, such as "Bochs 2.7, corei7_haswell_4770, 2 CPUs, 128 MiB"."""
    version = "" if platform.version == "unknown" else f" {platform.version}"
    cpus = "1 CPU" if platform.cpus == 1 else f"{platform.cpus} CPUs"
    parts = [platform.title + version, "" if platform.model == "unknown" else platform.model, cpus,
             f"{platform.memory} MiB" if platform.memory else ""]
    return ", ".join(part for part in parts if part)


@contextmanager
def progress(out):
    """Yields the function to call with a boot's number and its log whenever that has grown."""
    if not out.is_terminal:
        said = set()
        yield lambda number, log: _plain_progress(out, said, number, log)
        return
    columns = (TextColumn("boot {task.fields[boot]}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=out, transient=True) as bar:
        task = bar.add_task("starting", total=None, boot=1)

        def watch(number, log):
            done = len(log.results) or max(len(log.started) - 1, 0)
            bar.update(task, boot=number, total=log.plan, completed=done,
                       description=log.running or log.last or "starting")
        yield watch


def _plain_progress(out, said, number, log):
    if log.plan is not None and number not in said:
        said.add(number)
        out.print(f"boot {number}: {log.plan} rules")


def report(out, run, repeat, folder):
    """Shows a concluded report: header facts, failures, skips, and the verdict as the last line.

    Arguments: the console, the report, a function that gives the command that repeats a rule, and
    the run's folder.
    """
    _facts(out, run)
    for result in run.results:
        if result.outcome == "expected":
            _failure(out, result, repeat, "yellow")
    for result in run.results:
        if result.bad:
            _failure(out, result, repeat, "bold red")
    _skips(out, run)
    _closing(out, run)
    out.print()
    if run.refusal is not None:
        out.print(f"The kernel refused its options: {escape(run.refusal)}")
    if run.trouble:
        out.print(escape(run.trouble))
    if run.interrupted:
        out.print("The run was interrupted, and the emulator was ended.")
    for doubt in run.doubts:
        out.print(escape(doubt))
    if run.verdict == "nothing":
        out.print("Nothing could be checked: no rule ran to a result.")
    name, style = VERDICTS[run.verdict]
    counts = ", ".join(f"{run.count(key)} {words}" for key, words in COUNTS
                       if run.count(key) or key == "passed")
    boots = f" in {len(run.boots)} boots" if len(run.boots) > 1 else ""
    out.print(f"[{style}]{name}[/]: {counts}{boots}, {run.seconds:.1f} s. "
              f"Everything about it is in {escape(relative(folder))}.")


def _facts(out, run):
    if not run.boots:
        return
    log = run.boots[0].log
    facts = list(log.facts.items()) + [(f"cpu {cpu}", what) for cpu, what in log.cpus.items()]
    width = max((len(key) for key, _ in facts), default=0)
    for key, value in facts:
        out.print(f"  {key:{width}}  {escape(value)}")


def _failure(out, result, repeat, style):
    diagnosis = dict(result.diagnosis)
    title = diagnosis.pop("title", "")
    diagnosis.pop("outcome", None)
    diagnosis.pop("repeat", None)
    lines = [(label, diagnosis.pop(key)) for key, label in LABELS.items() if key in diagnosis]
    lines += diagnosis.items()
    if result.outcome == "expected":
        lines.append(("known issue", result.reason))
    elif result.reason:
        lines.insert(0, ("why", result.reason))
    if result.boot > 1:
        lines.append(("boot", result.boot))
    lines.append(("repeat", repeat(result.id)))
    out.print()
    out.print(f"[{style}]{HEADINGS[result.outcome]}[/] [bold]{escape(result.id)}[/]"
              f"{': ' if title else ''}{escape(str(title))}")
    width = max(len(label) for label, _ in lines)
    for label, value in lines:
        first, *more = str(value).splitlines() or [""]
        out.print(f"{INDENT}{label:{width}}  {escape(first)}")
        for line in more:
            out.print(f"{INDENT}{'':{width}}  {escape(line)}")


def _skips(out, run):
    reasons = {}
    for result in run.results:
        if result.outcome == "skipped":
            reasons.setdefault(result.reason or "no reason given", []).append(result.id)
    if not reasons:
        return
    out.print()
    out.print("Skipped, by reason:")
    for reason, rules in sorted(reasons.items(), key=lambda item: -len(item[1])):
        named = ", ".join(rules[:RULES_NAMED_PER_SKIP])
        more = ", ..." if len(rules) > RULES_NAMED_PER_SKIP else ""
        out.print(f"  {len(rules):4}  {escape(reason)} ({escape(named)}{more})")


def _closing(out, run):
    notes = [note for boot in run.boots for note in boot.log.notes]
    facts = [(key, run.fact(key)) for key in CLOSING_FACTS if key != "summary" and run.fact(key)]
    if notes or facts:
        out.print()
    for note in notes:
        out.print(f"  {escape(note)}")
    for key, value in facts:
        out.print(f"  {key}: {escape(value)}")


def rules_table(out, rules):
    """Shows the catalogue of rules as a table."""
    table = Table(box=None, pad_edge=False)
    for name in ("id", "title", "SDM", "class", "needs", "option", "CPUs"):
        table.add_column(name, overflow="fold", no_wrap=name == "id")
    for rule in rules:
        table.add_row(*map(escape, (rule.id, rule.title, rule.sdm, rule.cls, ", ".join(rule.needs),
                                    "+".join(rule.opt), rule.cpus)))
    out.print(table)
    out.print(f"{len(rules)} rules")


def faults_table(out, faults):
    """Shows the faults that can be planted as a table."""
    table = Table(box=None, pad_edge=False)
    for name in ("name", "what it does", "rules that must catch it", "what they show", "others that may fail"):
        table.add_column(name, overflow="fold")
    for fault in faults:
        table.add_row(*map(escape, (fault.name, fault.what, fault.caught_by, fault.shows, fault.touches)))
    out.print(table)
    out.print(f"{len(faults)} faults")


def sweep_table(out, rows):
    """Shows what came of combinations. Arguments: (name, mask in names, result.json) of each."""
    table = Table(box=None, pad_edge=False)
    for name in ("combination", "mask", "verdict", "passed", "failed", "known", "skipped", "fails first"):
        table.add_column(name, overflow="fold", no_wrap=name == "combination")
    for name, mask, result in rows:
        word, style = VERDICTS[result["verdict"]]
        count = result["summary"]
        bad = [rule["id"] for rule in result["rules"] if rule["outcome"] in BAD]
        why = bad[0] if bad else result["trouble"] or result["refusal"] or ""
        table.add_row(name, mask, f"[{style}]{word}[/]", str(count["passed"]), str(len(bad)), str(count["expected"]),
                      str(count["skipped"]), escape(why))
    out.print(table)


def platforms_table(out, survey):
    """Shows what can run here, and why the rest cannot."""
    table = Table(box=None, pad_edge=False)
    for name in ("--on", "platform", "can it run here?"):
        table.add_column(name, overflow="fold")
    for name, what, reason in survey:
        table.add_row(name, escape(what), f"No. {escape(reason)}" if reason else "Yes.")
    out.print(table)
