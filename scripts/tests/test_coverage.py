"""The ledgers of the SDM's rules and the page that is made of them."""

import pytest

from conftest import catalogue
from lhvtool import coverage
from lhvtool.problem import Problem


@pytest.fixture(scope="module")
def covered():
    return coverage.Coverage(rule["id"] for rule in catalogue())


def test_every_id_in_a_ledger_is_a_rule(covered):
    assert not covered.unknown()


def test_every_row_has_a_rule_or_a_reason(covered):
    for rows in covered.ledgers.values():
        for row in rows:
            assert row.globs() or len(row.ours) > len(coverage.NONE) + 5, f"{row.id} has neither rule nor reason"


def test_ids_are_unique(covered):
    for name, rows in covered.ledgers.items():
        ids = [row.id for row in rows]
        assert sorted(set(ids)) == sorted(ids), name


def test_the_page_is_current(covered):
    assert coverage.PAGE.read_text() == covered.page(), "run `scripts/lhv coverage --write`"


def test_every_rule_on_instructions_has_a_row(covered):
    areas = {"vmxon", "vmxoff", "vmclear", "vmptrld", "vmptrst", "vmread", "vmwrite", "vmcs", "vmlaunch", "vmresume", "invept",
             "invvpid", "vmcall", "vmfunc", "caps"}
    globs = {glob for row in covered.ledgers["instructions"] for glob in row.globs()}
    without = [rule["id"] for rule in catalogue() if rule["id"].split(".")[0] in areas and rule["id"] != "vmcs.layout"
               and not any(covered._fits(glob, {rule["id"]}) for glob in globs)]
    assert not without


def test_a_line_with_too_few_columns(tmp_path):
    (tmp_path / "a.tsv").write_text("id\tsection\n")
    with pytest.raises(Problem, match="2 columns"):
        coverage.read(tmp_path / "a.tsv")


def test_states():
    def row(ours):
        return coverage.Row("vmread.a", "31.3", "A", "", "", ours, "SDM")

    one = coverage.Coverage(["vmread.a", "vmread.b"])
    assert one.of(row("vmread.* (a remark with vmwrite.a in it)")) == "covered"
    assert one.of(row("entry.ctl.x")) == "in the model"
    assert one.of(row("none: undefined")) == "not covered"
    assert row("vmread.a entry.b (legal neighbour)").globs() == ["vmread.a", "entry.b"]
