"""Writes a run as JUnit XML, as continuous integration shows it."""

import re
import xml.etree.ElementTree as ElementTree

from .results import BAD
from .show import described

UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")     # for XML 1.0


def document(report, repeat):
    """The run as XML text.

    Arguments: the concluded report; a function that gives the command that repeats a rule. A known issue is a
    test that was skipped, because JUnit has no word for it. What kept the run from its end is a test that broke.
    """
    suite = ElementTree.Element("testsuite", name=_fit(f"LHV {report.arch} on {described(report.platform)}"))
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _properties(report).items():
        ElementTree.SubElement(properties, "property", name=_fit(name), value=_fit(str(value)))
    for result in report.results:
        _case(suite, result, repeat)
    broken = [sentence for sentence in (report.trouble, report.refusal, *report.doubts) if sentence]
    if report.interrupted:
        broken.append("The run was interrupted.")
    for sentence in broken:
        case = ElementTree.SubElement(suite, "testcase", classname="lhv", name="the run as a whole", time="0")
        ElementTree.SubElement(case, "error", type=report.verdict, message=_fit(sentence))
    counts = {"tests": len(report.results) + len(broken), "failures": report.count(*BAD), "errors": len(broken),
              "skipped": report.count("skipped", "expected"), "time": f"{report.seconds:.3f}"}
    for name, value in counts.items():
        suite.set(name, str(value))
    top = ElementTree.Element("testsuites")
    top.append(suite)
    ElementTree.indent(top)
    return ElementTree.tostring(top, encoding="unicode", xml_declaration=True) + "\n"


def _properties(report):
    """What was run on what, by name."""
    platform = report.platform
    found = {"platform": platform.name, "version": platform.version, "model": platform.model, "arch": report.arch,
             "cpus": platform.cpus, "options": " ".join(report.options), "verdict": report.verdict}
    if report.boots:
        found |= report.boots[0].log.facts
    return found


def _case(suite, result, repeat):
    """Adds the test of one rule."""
    case = ElementTree.SubElement(suite, "testcase", classname=f"lhv.{result.id.partition('.')[0]}", name=result.id, time="0")
    if result.outcome in ("skipped", "expected"):
        kind = "known issue" if result.outcome == "expected" else "skipped"
        ElementTree.SubElement(case, "skipped", type=kind, message=_fit(result.reason))
    elif result.bad:
        diagnosis = {**result.diagnosis, "repeat": repeat(result.id)}
        text = "\n".join(f"{key}: {value}" for key, value in diagnosis.items())
        message = result.reason or f"expected {diagnosis.get('expected', 'a result')}, got {diagnosis.get('actual', 'none')}"
        ElementTree.SubElement(case, "failure", type=result.outcome, message=_fit(message)).text = _fit(text)


def _fit(text):
    """A text without characters that XML cannot hold."""
    return UNFIT.sub("\ufffd", str(text))
