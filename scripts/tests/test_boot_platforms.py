"""Real boots: every build on 1 to 8 CPUs, every CPU model, QEMU, little memory, and bad input."""

import re

import pytest

from conftest import catalogue
from lhvtool import qemu

ARCHES = ("amd64", "pae", "i386")
MODELS = ("core2_penryn_t9600", "sandy_bridge", "haswell", "skylake_x", "tigerlake")
FAILURES = ("failed", "hung", "died", "lost", "unexpected-pass")


def assert_every_result_has_its_reason(done):
    """Every rule has an outcome, every skip a reason, and no rule failed."""
    assert done.rules, str(done)
    for rule in done.rules:
        assert rule["outcome"] not in FAILURES, f"{rule}\n{done}"
        assert rule["outcome"] != "skipped" or rule["reason"], rule


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("cpus", [1, 2, 4, 8])
def test_the_smoke_run_names_every_cpu(lhv, arch, cpus):
    done = lhv("run", "--on", "bochs", "--opt", "0x0", "--cpus", str(cpus), "--arch", arch)
    assert done.status == 0, str(done)
    assert done.result["verdict"] == "pass"
    named = done.result["cpu_lines"]
    assert sorted(map(int, named)) == list(range(cpus)), named
    assert all("VMX root operation" in line for line in named.values()), named


@pytest.mark.parametrize("model", MODELS)
def test_every_model_gets_a_verdict(lhv, model):
    done = lhv("run", "--on", "bochs", "--model", model)
    assert done.status == 0, str(done)
    assert_every_result_has_its_reason(done)


def test_a_cpu_without_ept_skips_what_needs_it(lhv):
    done = lhv("run", "--on", "bochs", "--model", "core2_penryn_t9600")
    needing = {rule["id"] for rule in catalogue() if "EPT" in rule["needs"]}
    ran = [rule for rule in done.rules if rule["id"] in needing]
    assert ran, "no rule that needs EPT was selected"
    assert all(rule["outcome"] == "skipped" and "EPT" in rule["reason"] for rule in ran), ran


@pytest.mark.parametrize("arch", ARCHES)
def test_qemu(lhv, arch):
    done = lhv("run", "--on", "qemu", "--arch", arch)
    assert done.status == 0, str(done)
    assert_every_result_has_its_reason(done)
    if qemu.missing_kvm() is None:
        return                    # there, KVM gives VMX, and no rule need be skipped
    needing = {rule["id"] for rule in catalogue("list", "--arch", arch)
               if {"VMX", "VMX_ROOT"} & set(rule["needs"])}
    assert {rule["outcome"] for rule in done.rules if rule["id"] in needing} == {"skipped"}
    assert all("VMX" in rule["reason"] for rule in done.rules if rule["id"] in needing)
    assert any(rule["outcome"] == "passed" for rule in done.rules)
    assert done.result["accelerator"] == "tcg"


@pytest.mark.parametrize("arch", ARCHES)
def test_little_memory(lhv, arch):
    done = lhv("run", "--memory", "32", "--opt", "0x4", "--arch", arch)
    assert done.status == 0, str(done)


# Bad input: what is asked, and the words that the kernel's sentence must have.
@pytest.mark.parametrize("words, needed", [
    (["--opt", "ept+nonsense"], ["nonsense"]),
    (["--opt", "nonsense"], ["nonsense"]),
    (["--opt", "0x"], ["0x"]),
    (["--opt", "0xzz"], ["0xzz"]),
    (["--opt", "12cats"], ["12cats"]),
    (["--opt", "0x8"], ["0xc"]),
    (["--opt", "0x20"], ["0x24"]),
    (["--opt", "0x100"], ["0x104"]),
    (["--opt", "0x8000000000000000"], ["0x8000000000000000"]),
    (["--tests", "no.such.rule"], ["no.such.rule"]),
    (["--tests", "caps.*,no.such.*"], ["no.such.*"]),
    (["--skip", "no.such.*"], ["no.such.*"]),
    (["--fault", "no-such-fault"], ["no-such-fault"]),
    (["--append", "no_such_option=1"], ["no_such_option"]),
    (["--append", "iter=many"], ["many"]),
    (["--append", "seed="], ["seed"]),
    (["--append", "console=printer"], ["printer"]),
    (["--append", "deadline=soon"], ["soon"]),
    (["--append", "after=no.such.rule"], ["no.such.rule"])])
def test_bad_input_is_refused_with_a_sentence(lhv, words, needed):
    done = lhv("run", "--on", "qemu", *words)
    assert done.status == 2, str(done)
    assert done.result["verdict"] == "refused", str(done)
    sentence = done.result["refusal"]
    assert all(word in sentence for word in needed), sentence
    assert len(sentence.split()) > 4 and sentence in done.out


def test_the_same_refusal_through_grub(lhv):
    done = lhv("run", "--on", "bochs", "--opt", "0x8", "--tests", "caps.*")
    assert (done.status, done.result["verdict"]) == (2, "refused"), str(done)
    assert "0xc" in done.result["refusal"]


def test_globs_reach_the_kernel_through_grub(lhv):
    done = lhv("run", "--on", "bochs", "--tests", "caps.*", "--skip", "caps.basic.*")
    ids = [rule["id"] for rule in done.rules]
    assert done.status == 0, str(done)
    assert ids and all(i.startswith("caps.") and not i.startswith("caps.basic.") for i in ids)


def test_after_skips_what_ran_before(lhv):
    rules = [rule["id"] for rule in lhv("run", "--tests", "caps.*").rules]
    rest = lhv("run", "--tests", "caps.*", "--append", f"after={rules[2]}")
    assert [rule["id"] for rule in rest.rules] == rules[3:]


def test_iterations(lhv):
    done = lhv("run", "--tests", "caps.basic.*", "--iter", "3", "--seed", "7")
    assert done.status == 0, str(done)
    assert done.serial.count("# iteration ") == 3
    assert len(done.rules) == len({rule["id"] for rule in done.rules})


@pytest.mark.parametrize("arch", ARCHES)
def test_rules_have_all_their_data(arch):
    rules = catalogue("list", "--arch", arch)
    assert len(rules) >= 70
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+", rule["id"]), rule
        assert rule["title"] and rule["sdm"] and rule["class"] and rule["cpus"], rule
