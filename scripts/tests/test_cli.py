"""The command line: what it refuses, and what it hands to the kernel."""

import os
import subprocess

import pytest

from conftest import SCRIPTS
from lhvtool import arguments, cli


def options(*words):
    return cli.parser().parse_args(["run", *words])


@pytest.mark.parametrize("words, sentence", [
    (["run", "--cpus", "0"], "1 to 16"), (["run", "--cpus", "17"], "1 to 16"),
    (["run", "--cpus", "two"], "not a whole number"), (["run", "--on", "vax"], "invalid choice"),
    (["run", "--iter", "-1"], "at least 0"), (["run", "--timeout", "0"], "at least 1"),
    (["run", "--arch", "arm"], "invalid choice"), (["run", "--seed", "x"], "not a whole number"),
    (["run", "--test", "x"], "unrecognized arguments"), ([], "required"), (["walk"], "invalid choice")])
def test_wrong_words_are_refused(lhv, words, sentence):
    done = lhv(*words)
    assert done.status == 2
    assert sentence in done.err


def test_a_kernel_that_is_not_built(lhv, tmp_path):
    done = lhv("run", "--build", tmp_path, "--arch", "pae")
    assert done.status == 2
    assert "pae/lhv.bin is not there: run `make ARCH=pae`." in done.err
    assert lhv("list", "--build", tmp_path).status == 2


def test_an_option_that_no_loader_passes_on(lhv):
    done = lhv("run", "--tests", "a b")
    assert done.status == 2
    assert "'tests=a b'" in done.err


def test_an_unknown_model_is_a_sentence(lhv, tmp_path):
    (tmp_path / "amd64").mkdir()
    (tmp_path / "amd64" / "lhv.bin").write_text("")
    done = lhv("run", "--build", tmp_path, "--model", "z80")
    assert done.status == 2
    assert "knows no CPU model 'z80'" in done.err


def test_kernel_options():
    asked = options("--opt", "ept+vpid", "--tests", "a.*", "--skip", "a.b", "--iter", "3",
                    "--seed", "0x10", "--fault", "x,y", "--append", "deadline=5 console=com2")
    assert arguments.kernel_options(asked) == [
        "lhv_opt=ept+vpid", "tests=a.*", "skip=a.b", "iter=3", "seed=0x10", "fault=x,y",
        "deadline=5", "console=com2"]
    assert arguments.kernel_options(options()) == []


def test_the_command_that_repeats_a_rule():
    repeat = arguments.repeater(options("--arch", "pae", "--cpus", "4", "--model", "haswell", "--tests", "x.*",
                                  "--append", "deadline=5 console=com2"))
    assert repeat("a.one") == ("scripts/lhv run --on bochs --arch pae --cpus 4 --model haswell "
                               "--append 'deadline=5 console=com2' --tests a.one")


def test_platforms(lhv):
    done = lhv("platforms")
    assert done.status == 0
    assert "bochs" in done.out and "\x1b" not in done.out


def test_a_module_that_is_missing_is_a_sentence(tmp_path):
    (tmp_path / "jinja2.py").write_text("raise ModuleNotFoundError('', name='jinja2')\n")
    (tmp_path / "result.json").write_text("{}")
    done = subprocess.run([SCRIPTS / "lhv", "report", tmp_path], capture_output=True, text=True,
                          env=dict(os.environ, PYTHONPATH=str(tmp_path)))
    assert done.returncode == 2 and "module jinja2 is missing. Run scripts/setup." in done.stderr
