"""One self-contained HTML page from the results of any number of runs: runs across, rules down by area of the SDM."""

import json
import re
from collections import Counter
from pathlib import Path

import jinja2
from markupsafe import Markup

from . import known
from .results import OUTCOMES

TEMPLATES = Path(__file__).resolve().parent / "templates"
LETTERS = dict(zip(OUTCOMES, "pfhdlues"))     # one for each outcome in a run's column; see report.js
NOT_RUN, UNKNOWN = "-", " "

# Chapters of the SDM as docs/sdm.md counts them, where rules cite them.
CHAPTERS = {
    "6": "Interrupt and Exception Handling", "9": "Multiple-Processor Management",
    "11": "Advanced Programmable Interrupt Controller", "12": "Memory Cache Control",
    "16": "Machine-Check Architecture", "24": "Introduction to Virtual Machine Extensions",
    "25": "Virtual Machine Control Structures", "26": "VMX Non-Root Operation", "27": "VM Entries", "28": "VM Exits",
    "29": "VMX Support for Address Translation", "30": "APIC Virtualization and Virtual Interrupts",
    "31": "VMX Instruction Reference", "A": "VMX Capability Reporting Facility"}


def document(results):
    """The page. Arguments: a list of (name of the run, its result as saved.load() gives it). Result: HTML text."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True,
                                     trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    data = json.dumps(model(results), separators=(",", ":"), default=str)
    # in a script element nothing but "<" could end it
    return environment.get_template("report.html").render(
        runs=len(results), data=Markup(data.replace("<", "\\u003c")),
        style=Markup((TEMPLATES / "report.css").read_text()), script=Markup((TEMPLATES / "report.js").read_text()))


def model(results):
    """What the page shows, as the data of its script. Arguments: as document()."""
    rules = _rules(results)
    place = {rule: number for number, rule in enumerate(rules)}
    return {
        "rules": [{"id": rule, "title": known.get("title", ""), "sdm": known.get("sdm", ""), "class": known.get("class", "")}
                  for rule, known in rules.items()],
        "areas": [{"name": area, "chapter": _chapter(members)} for area, members in _areas(rules).items()],
        "runs": [_run(name, result, place) for name, result in results],
    }


def _rules(results):
    """All rules of all results by id, in the order of their areas: what is known of each."""
    rules = {}
    for _name, result in results:
        for rule in result["rules"]:
            if len(rule) > len(rules.get(rule["id"], {})) or not rules[rule["id"]].get("title"):
                rules[rule["id"]] = rule
        for rule in result["not_run"]:
            rules.setdefault(rule, {"id": rule})
    return {rule["id"]: rule for members in _areas(rules).values() for rule in members}


def _areas(rules):
    """The rules by area, which is what their ids begin with."""
    areas = {}
    for rule in rules.values():
        areas.setdefault(rule["id"].partition(".")[0], []).append(rule)
    return areas


def _chapter(members):
    """The chapter of the SDM that most of the rules of an area cite; "" where they cite none."""
    cited = Counter(match[1] for rule in members if (match := re.match(r"(\d+|[ABC])\b", rule.get("sdm", ""))))
    number = cited.most_common(1)[0][0] if cited else ""
    return f"{number} {CHAPTERS[number]}" if number in CHAPTERS else ""


def _run(name, result, place):
    """One run as the page's data. Arguments: its name and result; the place of each rule."""
    column = [UNKNOWN] * len(place)
    details = {}
    for rule in result["not_run"]:
        column[place[rule]] = NOT_RUN
    for rule in result["rules"]:
        number = place[rule["id"]]
        column[number] = LETTERS[rule["outcome"]]
        kept = {key: rule[key] for key in ("reason", "diagnosis", "note", "log") if rule.get(key)}
        if result["boots"][1:] and rule.get("boot", 1) > 1:
            kept["boot"] = rule["boot"]
        if kept:
            details[number] = kept
    repeat = next((rule["repeat"][:-len(rule["id"])] for rule in result["rules"]
                   if str(rule.get("repeat", "")).endswith(rule["id"])), "")
    return {
        "name": name, "platform": known.TITLES.get(result["platform"], result["platform"]), "version": result["version"], "under": result.get("under", ""),
        "model": result["model"], "arch": result["arch"], "cpus": result.get("cpus"),
        "options": result.get("options", ""), "verdict": result["verdict"],
        "trouble": [text for text in (result.get("refusal"), result.get("trouble"), *result["doubts"]) if text],
        "facts": result["facts"], "kernel": result.get("kernel", ""), "ticks": result.get("ticks"),
        "seconds": result.get("wall_seconds"), "boots": len(result["boots"]), "repeat": repeat,
        "areas": {area: one["ticks"] for area, one in result["areas"].items()},
        "outcomes": "".join(column), "details": details}
