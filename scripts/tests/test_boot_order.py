"""No rule depends on another: the results are the same in every order, on one CPU and on two."""

import pytest

from conftest import catalogue

ORDERS = [("reverse", 1), ("random", 1), ("random", 2), ("random", 3)]


def outcomes(lhv, arch, *options):
    """Rule id -> outcome of a run of everything on Bochs."""
    done = lhv("run", "--on", "bochs", "--arch", arch, *options)
    assert done.status == 0, str(done)
    return {rule["id"]: rule["outcome"] for rule in done.rules}


@pytest.mark.parametrize("arch", ("amd64", "pae", "i386"))
def test_every_order_gives_the_same(lhv, arch):
    usual = outcomes(lhv, arch)
    for order, seed in ORDERS:
        assert outcomes(lhv, arch, "--order", order, "--seed", str(seed)) == usual, f"--order {order} --seed {seed}"


def test_a_shuffle_goes_by_its_seed(lhv):
    def ids(seed):
        done = lhv("run", "--on", "bochs", "--tests", "vmxon.*", "--order", "random", "--seed", str(seed))
        return [rule["id"] for rule in done.rules]
    assert ids(1) == ids(1)
    assert ids(1) != ids(2)
    assert sorted(ids(1)) == sorted(ids(2))


def test_a_shuffle_keeps_two_rules_in_their_order_whatever_else_runs(lhv):
    def ids(globs):
        done = lhv("run", "--on", "bochs", "--tests", globs, "--order", "random", "--seed", "5")
        return [rule["id"] for rule in done.rules]
    some = ids("vmxon.cr*,vmxoff.*")
    assert [one for one in ids("vmxon.*,vmxoff.*,vmptrst.*") if one in some] == some


def test_rules_are_named_by_their_numbers(lhv):
    listed = [rule["id"] for rule in catalogue()]
    done = lhv("run", "--on", "bochs", "--tests", "3-6,9,vmxon.success")
    assert [rule["id"] for rule in done.rules] == [*listed[2:6], listed[8], "vmxon.success"]
    done = lhv("run", "--on", "bochs", "--tests", f"2-{len(listed) + 1}")
    assert done.status == 2 and "matches no rule" in done.out
