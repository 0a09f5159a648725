"""The file of known issues: its form, which runs an issue covers, and what it does to results."""

import pytest

from lhvtool import known
from lhvtool.problem import Problem
from lhvtool.results import RuleResult, apply_known_issues

ENTRY = """\
- id: bochs-x
  platform: bochs
  version: "<= 2.7"
  rules: [a.*, b.one]
  sentence: "Bochs does X instead of Y."
  evidence: "docs/known-issues.md#bochs-x"
"""


def load(tmp_path, text):
    path = tmp_path / "known-issues.yaml"
    path.write_text(text)
    return known.load(path)


def test_the_file_of_the_project_is_valid():
    known.load()


def test_an_empty_file(tmp_path):
    assert load(tmp_path, "# nothing\n") == []
    assert load(tmp_path, "[]\n") == []


def test_an_entry(tmp_path):
    (issue,) = load(tmp_path, ENTRY)
    assert issue.names("a.two") and issue.names("b.one") and not issue.names("b.two")
    assert issue.covers("bochs", "2.7", "corei7_haswell_4770", "amd64")
    assert not issue.covers("bochs", "2.8", "corei7_haswell_4770", "amd64")
    assert not issue.covers("qemu", "2.7", "max", "amd64")


def test_model_and_arch_narrow_an_entry(tmp_path):
    (issue,) = load(tmp_path, ENTRY + '  model: "*skylake*"\n  arch: pae\n')
    assert issue.covers("bochs", "2.7", "corei7_skylake_x", "pae")
    assert not issue.covers("bochs", "2.7", "corei7_haswell_4770", "pae")
    assert not issue.covers("bochs", "2.7", "corei7_skylake_x", "amd64")


def test_the_number_of_cpus_narrows_an_entry(tmp_path):
    (issue,) = load(tmp_path, ENTRY + '  cpus: ">= 2"\n')
    assert issue.covers("bochs", "2.7", "any", "amd64", "", 2)
    assert not issue.covers("bochs", "2.7", "any", "amd64", "", 1)


def test_a_range_of_cpus_that_is_none(tmp_path):
    with pytest.raises(Problem, match="cpus"):
        load(tmp_path, ENTRY + '  cpus: "two"\n')


def test_what_a_platform_runs_on_narrows_an_entry(tmp_path):
    (issue,) = load(tmp_path, ENTRY + '  under: "xen < 4.18"\n')
    assert issue.covers("bochs", "2.7", "any", "amd64", "xen 4.17")
    assert not issue.covers("bochs", "2.7", "any", "amd64", "xen 4.18")
    assert not issue.covers("bochs", "2.7", "any", "amd64")


@pytest.mark.parametrize("under, wanted, inside", [
    ("", "*", True), ("bochs 2.7", "*", True), ("", "hardware", True), ("bochs 2.7", "hardware", False),
    ("bochs 2.7", "bochs <= 2.7", True), ("bochs 2.8", "bochs <= 2.7", False), ("bochs 2.8", "bochs", True),
    ("", "bochs <= 2.7", False), ("qemu 2.7", "bochs <= 2.7", False), ("bochs 2.7", "bochs >= 2.5, < 2.8", True)])
def test_what_a_platform_runs_on(under, wanted, inside):
    assert known.under_in(under, wanted) == inside


@pytest.mark.parametrize("version, wanted, inside", [
    ("2.7", "*", True), ("2.7", "<= 2.7", True), ("2.10", "<= 2.7", False), ("2.6.11", "<2.7", True),
    ("6.1.0-13-amd64", ">= 5.0, < 6.2", True), ("6.12.1", ">= 5.0, < 6.2", False),
    ("unknown", "<= 2.7", False), ("unknown", "*", True)])
def test_version_ranges(version, wanted, inside):
    assert known.version_in(version, wanted) == inside


@pytest.mark.parametrize("old, new, words", [
    ("  sentence:", "  sentense:", "lacks sentence"),
    ("  rules:", "  extra: x\n  rules:", "unknown key extra"),
    ("platform: bochs", "platform: box", "the platform must be one of"),
    ('"<= 2.7"', '"2.7 or less"', "the version must be"),
    ('"<= 2.7"', "2.7", "must be text"),
    ("[a.*, b.one]", "[1]", "must be text"),
    ("  rules:", '  under: "box 1"\n  rules:', "under must be"),
    ("  rules:", '  under: "bochs 2.7"\n  rules:', "under must be"),
    ("does X", "does\\nX", "one line"),
    ("- id: bochs-x", ENTRY + "- id: bochs-x", "more than one entry"),
    ("- id: bochs-x", "- word\n- id: bochs-x", "entry 1 must be a mapping"),
    ("  sentence:", "  report: tracker\n  sentence:", "begins with https://"),
    (ENTRY, "a: b\n", "must hold a list"),
    (ENTRY, "[\n", "not valid YAML")])
def test_what_is_wrong_is_said(tmp_path, old, new, words):
    with pytest.raises(Problem, match=words):
        load(tmp_path, ENTRY.replace(old, new, 1))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(Problem, match="cannot be read"):
        known.load(tmp_path / "none.yaml")


def test_a_failure_becomes_expected_and_a_pass_unexpected(tmp_path):
    results = [RuleResult("a.fails", "failed"), RuleResult("a.dies", "died"),
               RuleResult("a.passes", "passed"), RuleResult("a.skips", "skipped", "no EPT"),
               RuleResult("c.fails", "failed"), RuleResult("c.passes", "passed")]
    apply_known_issues(results, load(tmp_path, ENTRY))
    assert [one.outcome for one in results] == [
        "expected", "expected", "unexpected-pass", "skipped", "failed", "passed"]
    assert "Bochs does X" in results[0].reason and "docs/known-issues.md" in results[0].reason
    assert "bochs-x" in results[2].reason
