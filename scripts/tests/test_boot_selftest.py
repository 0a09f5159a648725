"""The rules that go wrong on purpose: each is reported under its own name with the right
diagnosis, and the next rule still runs."""

import json
import re

import pytest

from conftest import catalogue

RULES = catalogue()
SELFTESTS = [rule["id"] for rule in RULES if rule["id"].startswith("selftest.")]

# What a rule's id holds -> what its diagnosis must hold. The first that fits counts.
DIAGNOSES = [
    (r"triple", r"triple fault|exception|ended|rebooted"),
    (r"gp", r"#GP"),
    (r"guard|pf", r"#PF"),
    (r"entry", r"VM entry|VM-entry|VMfail|invalid"),
    (r"exit", r"exit"),
    (r"barrier|lost|absent", r"CPU 1|cpus: 1|barrier|lost"),
    (r"spin|hang", r"hung|deadline|time"),
    (r"value|equal", r"expected"),
]


def companion(selftest):
    """A rule that needs nothing and comes after a self-test in the order of the run."""
    ids = [rule["id"] for rule in RULES]
    after = RULES[ids.index(selftest) + 1:]
    plain = [rule["id"] for rule in after
             if not rule["needs"] and not rule["id"].startswith("selftest.")]
    assert plain, f"no plain rule comes after {selftest}, so that nothing shows that the run goes on"
    return plain[0]


def test_the_image_has_self_tests():
    assert len(SELFTESTS) >= 10, SELFTESTS


@pytest.mark.parametrize("selftest", SELFTESTS)
def test_a_rule_that_goes_wrong_is_named_and_the_next_one_runs(lhv, selftest):
    following = companion(selftest)
    done = lhv("run", "--on", "bochs", "--timeout", "20", "--tests", f"{selftest},{following}")
    assert done.status == 1, str(done)
    assert [rule["id"] for rule in done.rules] == [selftest, following], str(done)
    assert done.outcome(selftest) in ("failed", "hung", "died", "lost"), str(done)
    assert done.outcome(following) == "passed", str(done)
    wanted = next((words for part, words in DIAGNOSES if re.search(part, selftest)), None)
    assert wanted, f"say in DIAGNOSES what the diagnosis of {selftest} must hold"
    diagnosis = json.dumps(done.rules[0]["diagnosis"])
    assert re.search(wanted, diagnosis), diagnosis


def test_self_tests_run_only_when_they_are_named(lhv):
    done = lhv("run", "--on", "qemu")
    assert done.rules, str(done)
    assert not [rule["id"] for rule in done.rules if rule["id"].startswith("selftest.")]


def test_an_option_that_does_not_exist(lhv):
    done = lhv("run", "--on", "qemu", "--append", "no_such_option=1")
    assert (done.status, done.result["verdict"]) == (2, "refused"), str(done)
