"""A known issue as text (Markdown) for a bug report: what happens, the evidence, public reports, the command that shows it."""

import fnmatch
import re
import shlex
from pathlib import Path

from . import platforms
from .problem import Problem

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "known-issues.md"
SEQUENCE = "**Shortest sequence**"


def text(issue):
    """The text of an issue. Error: Problem where the page that it points at does not have it."""
    body = section(issue)
    lines = [f"# {issue.id}: {issue.sentence}", "", *body.strip().splitlines(), ""]
    if SEQUENCE not in body and (others := _sequences(body)):
        lines += ["Shortest sequences:", "", *(f"- {name}: {sequence}" for name, sequence in others.items()), ""]
    if issue.report:
        lines += ["Public reports:", "", *(f"- {address}" for address in issue.report), ""]
    lines += ["Repeat with LHV:", "", f"    {command(issue)}", ""]
    return "\n".join(lines)


def section(issue):
    """What the page says of an issue, without its heading. Error: Problem where there is no such page or section."""
    file, _, anchor = issue.evidence.partition("#")
    try:
        found = _sections((ROOT / file).read_text())
    except OSError as error:
        raise Problem(f"{file}, which the known issue {issue.id} points at, cannot be read: {error.strerror}.") from None
    if anchor not in found:
        raise Problem(f"{file} has no section {anchor}, which the known issue {issue.id} points at.")
    return re.sub(r"\[([^]]+)\]\(#[^)]*\)", r"\1", found[anchor])


def _sections(page):
    """The sections of a page on known issues, by their headings."""
    return dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL))


def _sequences(body):
    """The shortest sequences of the other issues that a section names, by their names."""
    found = {name: re.search(rf"{re.escape(SEQUENCE)}: (.*?)(?=^- |\Z)", text, re.MULTILINE | re.DOTALL)
             for name, text in _sections(PAGE.read_text()).items() if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", body)}
    return {name: " ".join(match[1].split()) for name, match in found.items() if match}


def command(issue):
    """The command that shows an issue, or what to boot where the runner cannot start the platform."""
    rules = ",".join(issue.rules)
    if issue.platform not in platforms.CLASSES:
        return f"boot build/amd64/lhv.iso there with the option: tests={rules}"
    words = ["scripts/lhv", "run", "--on", issue.platform]
    if (arch := _one_of(issue.arch, ("amd64", "pae", "i386"))) != "amd64":
        words += ["--arch", arch]
    if issue.platform == "bochs" and issue.model != "*":
        words += ["--model", issue.model.strip("*_")]
    words += ["--xmhf", "DIR"] if issue.platform == "xmhf" else []
    return shlex.join([*words, "--tests", rules])


def _one_of(glob, names):
    """The first of some names that a glob fits."""
    return next((name for name in names if fnmatch.fnmatchcase(name, glob)), names[0])
