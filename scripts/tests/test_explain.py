"""`lhv explain`: dumps in three formats, legal ones and each with a few values changed; the ledger against the model."""

import re
import subprocess
from pathlib import Path

import pytest

from conftest import SCRIPTS

ROOT = SCRIPTS.parent
DUMPS = Path(__file__).parent / "dumps"
PROGRAM = ROOT / "build" / "host" / "explain"

CASES = [
    # KVM's dump_vmcs
    ("kvm", {"attr=0x0a09b": "attr=0x0a098"}, ["entry.guest.cs.type"], "exit reason 33"),
    ("kvm", {"RFLAGS=0x00000246": "RFLAGS=0x00000244"}, ["entry.guest.rflags.reserved-1"], "exit reason 33"),
    ("kvm", {"PinBased=0x000000ff": "PinBased=0x000000f7"}, ["entry.ctl.nmi.virtual-without-exiting"], "VMfailValid(7)"),
    ("kvm", {"Virtual processor ID = 0x0001": "Virtual processor ID = 0x0000", "TR=0040": "TR=0043",
             "DebugExceptions = 0x0000000000000000": "DebugExceptions = 0x0000000000008000"},
     ["entry.ctl.vpid.zero", "entry.host.tr.rpl-ti", "entry.guest.pdbg.reserved"], "VMfailValid(7)"),
    # Xen's
    ("xen", {"actual=0x0000000080010031": "actual=0x0000000080010011"}, ["entry.guest.cr0.fixed-1"], "exit reason 33"),
    ("xen", {"GDTR:            00000027": "GDTR:            00010027"}, ["entry.guest.gdtr.limit"], "exit reason 33"),
    ("xen", {"TRBase=ffff82d08055e000": "TRBase=00ff82d08055e000"}, ["entry.host.tr.base"], "VMfailValid(8)"),
    ("xen", {"intr_info=00000000 errcode=00000000 ilen=00000000": "intr_info=80000202 errcode=00000000 ilen=00000000",
             "Interruptibility = 00000000": "Interruptibility = 0000000a"},
     ["entry.guest.intr.nmi-movss", "entry.guest.intr.vnmi"], "exit reason 33"),
    # LHV's own
    ("lhv", {"vmcs 2800 = ffffffffffffffff": "vmcs 2800 = 1001"}, ["entry.guest.link.align"], "qualification 4"),
    ("lhv", {"vmcs 4012 = 13fb": "vmcs 4012 = 100013fb"}, ["entry.ctl.entry.must-be-0"], "VMfailValid(7)"),
    ("lhv", {"vmcs 681e = 100000": "vmcs 681e = 8001000000000000"}, ["entry.guest.rip.linear-width"], "exit reason 33"),
    ("lhv", {"msr 488 = 2000": "msr 488 = 2020", "vmcs 6c04 = 2020": "vmcs 6c04 = 2000"},
     ["entry.host.cr4.fixed-1", "entry.host.size.pae"], "VMfailValid(8)"),
]


@pytest.fixture(scope="module", autouse=True)
def program():
    subprocess.run(["make", "--no-print-directory", "build/host/explain"], cwd=ROOT, check=True, capture_output=True)


def explain(path):
    done = subprocess.run([SCRIPTS / "lhv", "explain", path], capture_output=True, text=True)
    return done, re.findall(r"^  (entry\.\S+)$", done.stdout, re.M)


@pytest.mark.parametrize("name", ["kvm", "xen", "lhv"])
def test_a_legal_dump_violates_nothing_and_is_understood_whole(name):
    done, violated = explain(DUMPS / f"{name}.txt")
    assert done.returncode == 0 and not violated, done.stdout
    assert "No rule is violated." in done.stdout and "VM entry succeeds" in done.stdout
    assert "Not understood" not in done.stdout


@pytest.mark.parametrize("name, changes, rules, outcome", CASES)
def test_exactly_the_violated_rules_are_named(tmp_path, name, changes, rules, outcome):
    text = (DUMPS / f"{name}.txt").read_text()
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new, 1)
    (tmp_path / "dump").write_text(text)
    done, violated = explain(tmp_path / "dump")
    assert done.returncode == 1 and outcome in done.stdout, done.stdout
    assert violated == rules, done.stdout


def test_what_the_kernel_prints_is_read(tmp_path):
    fields = re.findall(r"# vmcs (\S+) = (\S+)  (.*)", (DUMPS / "lhv.txt").read_text())
    lines = ["#   cpu 0: VMCS at 0x1000", *(f"#   cpu 0: 0x{int(e, 16):04x} {name:46} 0x{value}" for e, value, name in fields)]
    (tmp_path / "dump").write_text("\n".join(lines))
    done, violated = explain(tmp_path / "dump")
    assert done.returncode == 0 and not violated and f"{len(fields)} fields" in done.stdout, done.stdout
    (tmp_path / "dump").write_text(re.sub(r"(0x4812 .*) 0x\w+", r"\1 0x10000", "\n".join(lines)))
    done, violated = explain(tmp_path / "dump")
    assert done.returncode == 1 and violated == ["entry.guest.idtr.limit"], done.stdout


def test_lines_that_are_not_understood_are_said(tmp_path):
    text = (DUMPS / "kvm.txt").read_text().replace("TSC Offset =", "TSC Ofset =")
    (tmp_path / "dump").write_text(text)
    done, _ = explain(tmp_path / "dump")
    assert "Not understood, and left out: 1 lines." in done.stdout and "TSC Ofset" in done.stdout


def test_a_dump_without_capabilities_says_what_is_assumed():
    assert "Assumed, as the dump does not say: a processor" in explain(DUMPS / "xen.txt")[0].stdout
    assert "Assumed" not in explain(DUMPS / "lhv.txt")[0].stdout


def test_files_that_hold_no_dump_give_a_sentence(tmp_path):
    (tmp_path / "dump").write_text("nothing of the kind\n")
    for path, part in ((tmp_path / "dump", "holds no VMCS dump"), (tmp_path / "none", "cannot be read")):
        done, _ = explain(path)
        assert done.returncode == 2 and part in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_the_ledger_names_rules_that_there_are_and_the_model_has_none_besides():
    listed = subprocess.run([PROGRAM, "--rules"], capture_output=True, text=True, check=True).stdout
    rules = {line.split("\t")[1] for line in listed.splitlines()}
    named = set()
    for row in (ROOT / "docs/ledger/entry.tsv").read_text().splitlines()[1:]:
        cells = row.split("\t")
        assert len(cells) == 7 and cells[5], row
        if not cells[5].startswith("none: "):
            named |= set(re.sub(r" \(.*\)$", "", cells[5]).split())
    assert named == rules
