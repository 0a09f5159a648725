"""Sweeps: which combinations there are, shards, what was run before, and a small one on Bochs."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import SCRIPTS
from lhvtool import cli, sweep
from lhvtool.catalogue import Image
from lhvtool.masks import Masks
from lhvtool.problem import Problem

BUILD = SCRIPTS.parent / "build"
SMALL = ["sweep", "--opt", "0x0,0x4,0x18,0x1c", "--cpus", "1,2", "--tests", "exit.cpuid.*,ept.identity.*", "-j", "2"]


def options(*words):
    return cli.parser().parse_args(["sweep", *words])


@pytest.fixture(scope="module")
def masks():
    return Masks(Image(BUILD / "amd64" / "lhv.elf").options())


def test_masks_of_the_image(masks):
    assert masks.parse("ept+VPID") == masks.parse("0x14") == masks.parse("20") == masks.parse("4+vpid") == 0x14
    assert masks.parse("none") == 0
    assert masks.names(0x14) == "EPT+VPID" and masks.names(0) == "none"
    assert masks.complete(0x20) == 0x24 and masks.possible(0x38) == 0x10
    for wrong in ("vpdi", "", "ept+", "0x400000000", "-1"):
        with pytest.raises(Problem):
            masks.parse(wrong)


def test_lists_of_masks(masks):
    assert len(masks.listed("single")) == 14 and len(masks.listed("pairs")) == 91
    assert len(masks.listed("all-single")) == 34 and len(masks.listed("all-pairs")) == 34 * 33 // 2
    assert masks.listed("0x4,ept+vpid,single")[:3] == [4, 0x14, 1]
    assert 0x2001 in masks.listed("pairs")


def test_impossible_masks_are_completed_and_said(masks):
    assert sweep.possible([4, 0x10], masks) == ([4, 0x10], [])
    once, said = sweep.possible([0x8, 0x20, 0x4, 0xc], masks)
    assert once == [0xc, 0x24, 0x4]
    assert said == ["2 masks are completed with the bits that others need, such as 0x8 to 0xc (EPT+SWITCH_EPT).",
                    "1 mask is left out, because they are then the same as others."]


def test_combinations_stay_together_by_platform_model_and_cpus():
    every = sweep.combinations(options("--on", "bochs,qemu", "--arch", "amd64,pae", "--cpus", "1,2", "--model", "a,b"), [0, 4])
    assert len(every) == len({one.name for one in every}) == 32
    groups = [(one.on, one.model, one.cpus) for one in every]
    assert groups == sorted(groups, key=groups.index)
    assert every[0].name == "bochs-a-amd64-1cpu-0x0" and "qemu-b-pae-2cpus-0x4" in [one.name for one in every]


def test_shards_are_parts():
    items = list(range(11))
    parts = [sweep.shard(items, number, 3) for number in (1, 2, 3)]
    assert sorted(sum(parts, [])) == items
    assert {len(part) for part in parts} == {3, 4}


@pytest.mark.parametrize("words, sentence", [
    (["--shard", "3/2"], "I/N"), (["--shard", "0/2"], "I/N"), (["--shard", "x"], "I/N"), (["--on", "vax"], "none of bochs"),
    (["--arch", "arm"], "none of amd64"), (["--cpus", "1,99"], "1 to 16"), (["--opt", "vpdi"], "no option of the mask"),
    (["--opt", "0x4", "--shard", "2/2"], "nothing to do")])
def test_wrong_words(lhv, words, sentence):
    done = lhv("sweep", *words)
    assert done.status == 2 and sentence in done.err, str(done)


def test_the_worst_status():
    results = lambda *statuses: [{"status": status} for status in statuses]
    assert sweep.worst(results(0, 0)) == 0
    assert sweep.worst(results(0, 2, 1)) == 1
    assert sweep.worst(results(1, 3, 2)) == 3
    assert sweep.worst([]) == 2


def test_four_combinations_in_two_shards_into_one_folder(lhv, tmp_path):
    for number in ("1/2", "2/2"):
        done = lhv(*SMALL, "--shard", number, "--out", tmp_path)
        assert done.status == 0, str(done)
        assert "6 combinations, of which this shard has 3; 2 at a time." in done.out
        assert "1 mask is completed" in done.out
    results = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("*/result.json"))]
    assert len(results) == 6 and {one["verdict"] for one in results} == {"pass"}
    assert {(one["cpus"], one["options"].split()[0]) for one in results} == {
        (cpus, f"lhv_opt={mask}") for cpus in (1, 2) for mask in ("0x0", "0x4", "0x1c")}
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/result.json")}

    whole = lhv(*SMALL, "--out", tmp_path)
    assert whole.status == 0 and "6 of which have a result already" in whole.out
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/result.json")}
    assert "bochs-default-amd64-2cpus-0x1c" in whole.out

    other = lhv(*SMALL, "--skip", "exit.cpuid.reason", "--out", tmp_path)
    assert other.status == 2 and "has a result of other options" in other.err


def test_a_failing_combination_is_named_and_decides_the_status(lhv, tmp_path):
    done = lhv("sweep", "--opt", "0x10,0x14", "--cpus", "1", "--fault", "invvpid-spares-combined",
               "--tests", "vpid.invvpid.address", "-j", "1", "--out", tmp_path)
    assert done.status == 1, str(done)
    line = {one.split()[0]: one for one in done.out.splitlines() if one.startswith("bochs-")}
    assert "PASS" in line["bochs-default-amd64-1cpu-0x10"]
    assert "FAIL" in line["bochs-default-amd64-1cpu-0x14"] and "vpid.invvpid.address" in line["bochs-default-amd64-1cpu-0x14"]


def test_an_interruption_ends_cleanly_and_the_rest_is_run_later(lhv, tmp_path):
    command = [sys.executable, SCRIPTS / "lhv", "sweep", "--opt", "0x0,0x4,0x10", "--cpus", "1", "--tests", "exit.cpuid.*",
               "-j", "1", "--out", tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        for line in running.stdout:
            if "1 of 3" in line:
                break
        running.send_signal(signal.SIGINT)
        rest = running.stdout.read()
    assert running.returncode == 130
    assert "The sweep was interrupted" in rest and "1 of 3 combinations have a result" in rest
    before = [path for path in tmp_path.glob("*/result.json") if json.loads(path.read_text())["verdict"] == "pass"]
    assert len(before) < 3, "the sweep went on"
    assert not [entry for entry in Path("/proc").iterdir() if entry.name.isdigit() and _runs_in(entry, tmp_path)]
    done = lhv(*command[2:])
    assert done.status == 0 and f"{len(before)} of which have a result already" in done.out


def _runs_in(process, folder):
    try:
        return os.readlink(process / "cwd").startswith(str(folder))
    except OSError:
        return False
