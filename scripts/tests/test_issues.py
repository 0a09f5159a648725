"""`lhv issues`: known issues as text for bug reports."""

import pytest

from lhvtool import issues, known
from lhvtool.problem import Problem


def test_every_known_issue_has_a_sequence_and_a_command(lhv):
    done = lhv("issues")
    assert done.status == 0
    found = known.load()
    assert done.out.count("\n# ") + 1 == len(found) == done.out.count("Repeat with LHV:")
    for issue in found:
        text = issues.text(issue)
        assert "**Shortest sequence**: " in text or "Shortest sequences:\n\n- " in text, issue.id


def test_one_issue(lhv):
    done = lhv("issues", "bochs-nmi-exit-blocking")
    assert done.out.startswith("# bochs-nmi-exit-blocking: A VM exit caused by an NMI saves")
    assert "\n- https://github.com/bochs-emu/Bochs/issues/211\n" in done.out
    assert "\n    scripts/lhv run --on bochs --tests exit.nmi.blocking-saved-as-before\n" in done.out
    assert lhv("issues", "bochs-cr0-pg-in-root").out.count("--arch pae") == 1
    assert "--model core2 " in lhv("issues", "bochs-invept-unannounced").out
    assert "](#" not in lhv("issues").out


def test_the_issues_of_one_platform(lhv):
    assert "# bochs-" not in lhv("issues", "--on", "qemu").out
    assert "no known issue of that platform" in lhv("issues", "--on", "hyperv").out


def test_an_unknown_issue(lhv):
    done = lhv("issues", "nmi")
    assert done.status == 2 and "There are bochs-nmi-exit-blocking." in done.err


def test_an_issue_that_points_nowhere():
    for evidence, words in (("docs/none.md#x", "cannot be read"), ("docs/known-issues.md#none", "has no section none")):
        with pytest.raises(Problem, match=words):
            issues.text(known.Issue("x", "hyperv", "*", ("a.b",), "S.", evidence))


def test_a_platform_that_the_runner_cannot_start():
    assert issues.command(known.Issue("x", "hyperv", "*", ("a.b", "c.d"), "S.", "")) == (
        "boot build/amd64/lhv.iso there with the option: tests=a.b,c.d")
