"""Bisection: the search on platforms that are functions, and as a command on Bochs with a fault that takes two bits."""

import itertools
import random
from types import SimpleNamespace

import pytest

from lhvtool import bisect
from lhvtool.catalogue import Option
from lhvtool.masks import Masks
from lhvtool.problem import Problem

BITS = Masks([Option(name, 1 << bit, 4 if name in ("D", "F", "I") else 0) for bit, name in enumerate("ABCDEFGHIJKLMN")])
ALL = (1 << 14) - 1


def rules(count, **masks):
    """A catalogue of rules that every mask selects, but for those that are given with a mask."""
    names = [f"r{number}" for number in range(count)]
    return {name: SimpleNamespace(opt_mask=masks.get(name, 0)) for name in names}


def search(catalogue, target, fails, jobs=1, mask=ALL):
    """Bisects. Returns the Probe and the number of boots."""
    boots = []

    def boot(probes):
        boots.extend(probes)
        return [fails(probe.mask, probe.rules) for probe in probes]

    whole = list(catalogue)[:list(catalogue).index(target) + 1]
    found = bisect.Bisection(BITS, catalogue, target, boot, jobs, lambda _: None).run(mask, whole)
    return found, len(boots)


@pytest.mark.parametrize("jobs", [1, 2])
def test_any_two_bits_are_found_in_few_boots(jobs):
    catalogue = rules(30)
    for a, b in itertools.combinations(range(14), 2):
        need = 1 << a | 1 << b
        found, boots = search(catalogue, "r7", lambda mask, _: mask & need == need, jobs)
        assert found == bisect.Probe(BITS.complete(need), ("r7",))
        # and one before them, which finds the failure; a third bit that one of them needs is found as well
        assert boots + 1 <= (20 if BITS.complete(need) == need else 22), (a, b)


def test_a_mask_that_lacks_what_it_needs_is_never_booted():
    def fails(mask, _):
        assert BITS.complete(mask) == mask
        return mask & 0x28 == 0x28
    assert search(rules(3), "r2", fails)[0].mask == 0x2c


def test_the_rule_stays_selected_by_one_of_its_bits():
    def fails(mask, list_of_rules):
        assert mask & 0x180 and list_of_rules == ("r1",)
        return True
    found, boots = search(rules(5, r1=0x180), "r1", fails)
    assert found.mask in (0x80, 0x100)
    assert boots <= 8


@pytest.mark.parametrize("jobs", [1, 3])
def test_rules_before_are_found_in_their_order(jobs):
    catalogue = rules(900)
    for seed in range(5):
        need = sorted(random.Random(seed).sample(range(800), 3))
        wanted = [f"r{number}" for number in need]
        found, boots = search(catalogue, "r850", lambda mask, some: set(wanted) <= set(some) and mask & 2, jobs)
        assert found == bisect.Probe(2, (*wanted, "r850"))
        assert boots <= 90


def test_bits_that_only_select_the_rules_before_go_with_them():
    catalogue = rules(6, r0=1, r1=2, r2=8 | 16, r5=4)
    found, _ = search(catalogue, "r5", lambda _, some: "r2" in some)
    assert found.rules == ("r2", "r5") and found.mask in (0xc, 0x14)


def test_what_is_left_fails_however_strange_the_platform():
    for seed in range(50):
        chance = random.Random(seed)
        answers = {}

        def fails(mask, some):
            return mask == ALL and len(some) > 1 or answers.setdefault((mask, some), chance.random() < 0.3)
        found, _ = search(rules(12), "r11", fails)
        assert fails(found.mask, found.rules)


def test_a_failure_that_does_not_come_back_is_a_sentence():
    with pytest.raises(Problem, match="failed once, and then no more.*--tries"):
        search(rules(5), "r3", lambda mask, some: False)


def test_a_list_too_long_for_ids_is_given_in_ranges():
    catalogue = {f"area.subject.rule-{number}": None for number in range(900)}
    ids = list(catalogue)
    assert bisect.words(ids[3:5], catalogue) == "area.subject.rule-3,area.subject.rule-4"
    assert bisect.words(ids[:400] + ids[401:500] + [ids[899]], catalogue) == "1-400,402-500,900"


def test_two_bits_on_bochs(lhv, tmp_path):
    done = lhv("bisect", "--fault", "invvpid-spares-combined", "--opt", "0x3fff", "--cpus", "1", "-j", "1",
               "--rule", "vpid.invvpid.address", "--out", tmp_path / "bisect")
    assert done.status == 0, str(done)
    assert "still fails with LHV_OPT 0x14 (EPT+VPID) and 1 rule" in done.out
    boots = len(list((tmp_path / "bisect").glob("*/result.json")))
    assert boots <= 20 and f"found in {boots} boots" in done.out
    repeat = done.out.strip().splitlines()[-1]
    assert repeat == ("scripts/lhv run --on bochs --arch amd64 --cpus 1 --opt 0x14 --fault invvpid-spares-combined "
                      "--tests vpid.invvpid.address")
    assert lhv(*repeat.split()[1:]).outcome("vpid.invvpid.address") == "failed"


def test_a_mask_with_no_failure(lhv, tmp_path):
    done = lhv("bisect", "--opt", "caps", "--tests", "caps.basic.*", "--cpus", "1", "--out", tmp_path / "bisect")
    assert done.status == 2
    assert "Nothing fails with these options, so that there is nothing to bisect." in done.err


def test_a_mask_that_the_kernel_refuses(lhv, tmp_path):
    done = lhv("bisect", "--opt", "0x8", "--cpus", "1", "--out", tmp_path / "bisect")
    assert done.status == 2 and "use lhv_opt=0xc" in done.err


def test_a_rule_that_kills_the_machine(lhv, tmp_path):
    done = lhv("bisect", "--opt", "0x80", "--cpus", "1", "--tests", "selftest.host-triple-fault,vmxoff.*",
               "--out", tmp_path / "bisect")
    assert done.status == 0, str(done)
    assert "selftest.host-triple-fault died." in done.out
    assert "with LHV_OPT 0x0 (none) and 1 rule" in done.out
