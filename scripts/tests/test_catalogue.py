"""The reader of the rules in an ELF file, on small images made here for both widths."""

import subprocess

import pytest

from lhvtool.catalogue import Image
from lhvtool.problem import Problem

SOURCE = r"""
typedef unsigned uint32_t;
typedef unsigned long long uint64_t;
struct rule { const char *id, *title, *sdm; void (*test)(const struct rule *); const void *row;
              uint32_t class, cpus; uint64_t needs, opt; };
const char *const rule_class_names[] = { "must", "undefined", "observed" };
const char *const rule_cpus_names[] = { "every CPU", "one CPU" };
const char *const need_names[] = { "VMX", 0, "EPT" };
const char *const option_names[] = { "MSR_LOAD", "NO_EFLAGS_IF", "EPT" };
struct fault { const char *name, *what, *caught_by, *shows, *touches; };
const struct fault faults[] = { { "stale", "INVEPT does nothing.", "ept.* invept.effect", "0x0", "vpid.*" }, { 0, 0, 0, 0, 0 } };
static const struct rule one = { "a.one", "The first", "30.3", 0, 0, 2, 1, 5, 1ull << 33 | 4 };
static const struct rule two = { "a.two", "The second", "A.1", 0, 0, 0, 0, 2, 0 };
extern const struct rule *const rules_begin[2];
__asm__(".section .rodata\n.balign 8\n.globl rules_begin, rules_end\nrules_begin:\n"
        WORD " one, two\nrules_end:\n.previous");
const void *const keep[] = { &one, &two };
void _start(void) { }
"""


@pytest.fixture(params=[64, 32])
def image(request, tmp_path):
    source, elf = tmp_path / "image.c", tmp_path / "lhv.elf"
    source.write_text(SOURCE)
    word = ".quad" if request.param == 64 else ".long"
    subprocess.run(["gcc", f"-m{request.param}", "-ffreestanding", "-fno-pie", "-no-pie", "-nostdlib",
                    f'-DWORD="{word}"', "-o", elf, source], check=True, capture_output=True)
    return Image(elf)


def test_rules(image):
    one, two = image.rules()
    assert one.as_json() == {
        "id": "a.one", "title": "The first", "sdm": "30.3", "class": "observed",
        "needs": ["VMX", "EPT"], "opt": ["EPT", "bit 33"], "opt_mask": "0x200000004",
        "cpus": "one CPU"}
    assert (two.id, two.cls, two.needs, two.opt, two.cpus) == (
        "a.two", "must", ("bit 1",), (), "every CPU")


def test_faults(image):
    (fault,) = image.faults()
    assert fault.as_json() == {"name": "stale", "what": "INVEPT does nothing.",
                               "caught_by": "ept.* invept.effect", "shows": "0x0", "touches": "vpid.*"}


def test_the_function_at_an_address(image):
    start, size = image._symbols["_start"]
    assert image.function_at(start + size - 1) == f"_start+{size - 1:#x}"
    assert image.function_at(1) == ""


def test_an_image_that_is_not_there(tmp_path):
    with pytest.raises(Problem, match="Run `make`"):
        Image(tmp_path / "lhv.elf")


def test_an_image_that_is_no_elf_file(tmp_path):
    (tmp_path / "lhv.elf").write_text("no")
    with pytest.raises(Problem, match="not an ELF file"):
        Image(tmp_path / "lhv.elf")


def test_an_image_without_rules(tmp_path):
    source, elf = tmp_path / "empty.c", tmp_path / "lhv.elf"
    source.write_text("void _start(void) { }\n")
    subprocess.run(["gcc", "-nostdlib", "-o", elf, source], check=True)
    image = Image(elf)
    assert image.faults() == []
    with pytest.raises(Problem, match="no symbol rules_begin"):
        image.rules()
