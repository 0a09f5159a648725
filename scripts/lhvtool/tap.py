"""Writes a run as one TAP document, whatever the number of boots that it took.

It is TAP 14, of which all is also TAP 13, and says 13: `prove` and other readers refuse a document that says 14.
"""

import textwrap

import yaml

from .results import CLOSING_FACTS
from .show import described


def document(report, repeat):
    """The run as TAP.

    Arguments: the concluded report; a function that gives the command that repeats a rule.
    Result: the whole text. A known issue is `not ok ... # TODO`, an issue that did not show is
    `not ok`, because a mere bonus would go unnoticed.
    """
    lines = ["TAP version 13", *header(report)]
    if report.refusal is not None:
        lines.append(f"Bail out! {report.refusal}")
    else:
        lines.append(f"1..{len(report.results)}")
        for number, result in enumerate(report.results, 1):
            lines += _result(number, result, repeat)
        if report.trouble:
            lines.append(f"Bail out! {report.trouble}")
        if report.interrupted:
            lines.append("Bail out! The run was interrupted.")
    lines += [f"# doubt: {doubt}" for doubt in report.doubts]
    lines += [f"# {key}: {report.fact(key)}" for key in CLOSING_FACTS if report.fact(key)]
    lines.append(f"# verdict: {report.verdict}")
    return "\n".join(lines) + "\n"


def header(report):
    """The comment lines that say what was run on what."""
    platform = report.platform
    lines = [f"# runner: {described(platform)}, {report.arch}, accelerator {platform.accelerator}"]
    if report.boots:
        log = report.boots[0].log
        lines += [f"# {log.banner}"] if log.banner else []
        lines += [f"# {key}: {value}" for key, value in log.facts.items()]
        lines += [f"# cpu {cpu}: {what}" for cpu, what in log.cpus.items()]
    for boot in report.boots:
        lines += [f"# boot {boot.number}: {boot.command_line or 'no options'}"]
        lines += [f"# {note}" for note in boot.log.notes]
    return lines


def _result(number, result, repeat):
    """The lines of one rule."""
    if result.outcome == "skipped":
        return [f"ok {number} - {result.id} # SKIP {_escaped(result.reason)}"]
    if result.outcome == "passed":
        return [f"ok {number} - {result.id}"]
    todo = f" # TODO {_escaped(result.reason)}" if result.outcome == "expected" else ""
    block = {**result.diagnosis, "repeat": repeat(result.id)}
    if result.outcome == "unexpected-pass":
        block = {"outcome": "unexpected pass", "actual": result.reason, **block}
    text = yaml.safe_dump(block, sort_keys=False, default_flow_style=False, width=1000,
                          allow_unicode=True)
    return [f"not ok {number} - {result.id}{todo}", "  ---",
            *textwrap.indent(text, "  ").splitlines(), "  ..."]


def _escaped(text):
    """A text after a directive, with the characters escaped that TAP 14 gives a meaning."""
    return text.replace("\\", "\\\\").replace("#", "\\#")
