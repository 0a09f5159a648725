"""The rules that go wrong on purpose: each is reported under its own name with the right
diagnosis, and the next rule still runs. All of one build are run together, in their order."""

import json
import re
import subprocess

import pytest

from conftest import SCRIPTS, catalogue

ARCHES = ("amd64", "pae", "i386")

# id after "selftest." -> outcome, the CPUs that are named ("" for a dead machine), and what the
# line "actual" of the diagnosis holds.
EXPECTED = {
    "wrong-value":              ("failed", "0 1", r"^0x36$"),
    "wrong-outcome":            ("failed", "0 1", r"VMfailInvalid"),
    "one-cpu-fails":            ("failed", "1", r"false"),
    "host-gp":                  ("failed", "0 1", r"#GP\(0xfff8\) at "),
    "host-pf":                  ("failed", "0 1", r"#PF\(0x2\) at .*address"),
    "stack-overflow":           ("failed", "0 1", r"#DF"),
    "entry-fails-control":      ("failed", "0 1", r"VMfailValid\(7\) VM entry with invalid control"),
    "entry-fails-guest":        ("failed", "0 1", r"33 .*invalid guest state"),
    "unexpected-exit":          ("failed", "0 1", r"VM exit 10 CPUID"),
    "guest-exception":          ("failed", "0 1", r"guest took #UD"),
    "guest-triple-fault":       ("failed", "0 1", r"VM exit 2 triple fault"),
    "guest-hangs":              ("hung", "0 1", r"still running in the guest"),
    "guest-hangs-no-timer":     ("hung", "0 1", r"still running in the guest"),
    "guest-hangs-nmi-in-guest": ("hung", "0 1", r"still running in the guest"),
    "host-hangs":               ("hung", "1", r"still running in the host"),
    "all-hang":                 ("hung", "0 1", r"still running in the host"),
    "host-halts":               ("hung", "1", r"still running in the host"),
    "lost-cpu":                 ("lost", "1", r""),
    "host-triple-fault":        ("died", "", r"the machine ended"),
    "runs-on":                  ("passed", "", r""),
}


@pytest.fixture(scope="module", params=ARCHES)
def result(request, tmp_path_factory):
    """result.json of a run of all self-tests of a build on two CPUs."""
    folder = tmp_path_factory.mktemp("selftest")
    done = subprocess.run(
        [SCRIPTS / "lhv", "run", "--arch", request.param, "--tests", "selftest.*",
         "--timeout", "15", "--out", folder],
        stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    return json.loads((folder / "result.json").read_text())


def test_every_self_test_has_an_expectation():
    ids = [rule["id"] for rule in catalogue() if rule["id"].startswith("selftest.")]
    assert sorted(ids) == sorted(f"selftest.{name}" for name in EXPECTED)


def test_every_one_is_reported_under_its_name_with_its_diagnosis(result):
    found = {rule["id"]: rule for rule in result["rules"]}
    wrong = []
    for name, (outcome, cpus, actual) in EXPECTED.items():
        rule = found.get(f"selftest.{name}", {"outcome": "missing", "diagnosis": {}})
        diagnosis = rule["diagnosis"]
        if rule["outcome"] != outcome or str(diagnosis.get("cpus", "")) != cpus \
                or not re.search(actual, str(diagnosis.get("actual", ""))):
            wrong.append(f"{name}: wanted {outcome} on CPUs {cpus!r} with /{actual}/, got {rule}")
    assert not wrong, "\n".join(wrong)


def test_the_next_rule_still_runs(result):
    """Only the triple fault of the host costs a boot; everything else leaves the machine alive."""
    ids = [rule["id"] for rule in result["rules"]]
    assert ids == [f"selftest.{name}" for name in EXPECTED]
    assert [boot["ended"] for boot in result["boots"]] == ["exit", "verdict"]


def test_self_tests_run_only_when_they_are_named(lhv):
    done = lhv("run", "--on", "qemu")
    assert done.rules, str(done)
    assert not [rule["id"] for rule in done.rules if rule["id"].startswith("selftest.")]


def test_an_option_that_does_not_exist(lhv):
    done = lhv("run", "--on", "qemu", "--append", "no_such_option=1")
    assert (done.status, done.result["verdict"]) == (2, "refused"), str(done)
    assert "no_such_option" in done.result["refusal"]
