"""Logs captured elsewhere, a serial line, and the formats that programs read."""

import json
import os
import pty
import subprocess
import tty
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from junitparser import JUnitXml

from conftest import SCRIPTS
from lhvtool import junit, recorded
from lhvtool.log import BootLog
from test_run import HEADER, ONE, Script, play, wait_until

CLEAN = Path(__file__).parent / "logs" / "bochs.txt"
DATA = CLEAN.read_bytes()
BOCHS = ("--platform", "bochs", "--platform-version", "2.7")


def test_a_whole_log(lhv):
    done = lhv("run", "--on", f"log:{CLEAN}")
    assert done.status == 1 and "FAIL: 98 passed, 7 failed, 7 skipped" in done.out
    assert (done.result["platform"], done.result["arch"], done.result["cpus"]) == ("bochs", "amd64", 2)
    assert done.result["model"] == "Intel(R) Core(TM) i7-4770 CPU @ 3.40GHz"
    assert done.result["areas"]["vmxon"]["rules"] == 22 and done.result["ticks"] > 0
    assert "tests=invept.type-high-bits" in done.out


def test_the_known_issues_of_a_named_platform(lhv):
    done = lhv("run", "--on", f"log:{CLEAN}", *BOCHS)
    assert done.status == 0 and "7 failed as known" in done.out


def test_a_log_cut_in_the_middle(lhv, tmp_path):
    (tmp_path / "cut").write_bytes(DATA[:8000])
    done = lhv("run", "--on", f"log:{tmp_path / 'cut'}", *BOCHS)
    assert done.status == 3
    assert "The log ends without a verdict" in done.out and "the results of 84 of 112 rules" in done.out
    assert "after=ug.real.ud-vmxoff" in done.out
    assert done.outcome("ug.real.ud-vmxoff") == "lost" and done.outcome("exit.cpuid.reason") == "passed"


def test_a_second_boot_in_the_same_log(lhv, tmp_path):
    at = DATA.index(b"# run ug.real.ud-vmxoff\n")
    second = DATA[:DATA.index(b"1..112")] + b"1..27\n" + DATA[DATA.index(b"# run", at + 3):]
    (tmp_path / "two").write_bytes(DATA[:at] + b"# run ug.real.ud-vmxoff\nXMHF: Halting!\n" + second)
    done = lhv("run", "--on", f"log:{tmp_path / 'two'}", *BOCHS)
    assert done.outcome("ug.real.ud-vmxoff") == "died" and "rebooted" in done.out
    assert len(done.result["boots"]) == 2 and done.outcome("ug.real.limit-gp") == "expected"


@pytest.mark.parametrize("data", [b"", b"\x00\xff" * 5000, b"GRUB\r\nno kernel\r\n", "ok 1 - ünfug\n".encode("utf-16")])
def test_a_file_without_lhv(lhv, tmp_path, data):
    (tmp_path / "noise").write_bytes(data)
    done = lhv("run", "--on", f"log:{tmp_path / 'noise'}")
    assert done.status == 3 and "has nothing of LHV in it" in done.out


@pytest.mark.parametrize("words, sentence", [
    (["--on", "log:/nowhere/log"], "cannot be read: No such file"), (["--on", f"log:{SCRIPTS}"], "cannot be read: Is a directory"),
    (["--on", "log:"], "wants a file"), (["--on", f"log:{CLEAN}", "--opt", "0"], "booted elsewhere"),
    (["--on", "serial:/dev/null"], "no serial line"), (["--on", "serial:/nowhere"], "cannot be opened"),
    (["--on", "serial:/dev/null,7"], "no speed 7"), (["--platform", "xen"], "go with --on log:FILE")])
def test_what_cannot_be_used_is_a_sentence(lhv, words, sentence):
    done = lhv("run", *words)
    assert done.status == 2 and sentence in done.err and "Traceback" not in done.err


def test_what_the_header_tells_of_the_platform():
    def learned(**facts):
        log = BootLog()
        log.facts = facts
        platform = recorded.Recorded("log", "x")
        platform.learn(log)
        return platform.name
    assert learned(platform="a virtual machine", hypervisor="VBoxVBoxVBox") == "virtualbox"
    assert learned(platform="QEMU", hypervisor="KVMKVMKVM") == "kvm"
    assert learned(platform="QEMU, under XMHF", hypervisor="none announced") == "xmhf"
    assert learned(platform="QEMU", hypervisor="TCGTCGTCGTCG") == "qemu"
    assert learned(platform="a machine of its own", hypervisor="none announced") == learned() == "machine"


def on_a_line(tmp_path, data, *words, hang_up=False):
    """What `lhv run --on serial:…` makes of data on a line; result.json; its status."""
    ours, its = pty.openpty()
    tty.setraw(its)
    command = [SCRIPTS / "lhv", "run", "--on", f"serial:{os.ttyname(its)},9600", "--out", tmp_path / "out", *words]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    with os.fdopen(ours, "wb", buffering=0) as line:
        assert "Boot the machine now" in process.stdout.readline()
        line.write(data)
        if hang_up:
            serial = tmp_path / "out" / "serial.txt"
            wait_until(lambda: serial.exists() and serial.stat().st_size >= len(data))
            os.close(its)
            line.close()
        out = process.communicate(timeout=60)[0]
    return process.returncode, out, json.loads((tmp_path / "out" / "result.json").read_text())


def test_a_serial_line(tmp_path):
    status, out, result = on_a_line(tmp_path, b"\xffBIOS\r\n" + DATA.replace(b"\n", b"\r\n"), *BOCHS)
    assert (status, result["verdict"], result["summary"]["passed"]) == (0, "pass", 98)
    assert result["options"].startswith("tests=exit.*") and "98 passed, 7 failed as known" in out


def test_a_machine_that_falls_silent_on_its_line(tmp_path):
    status, out, result = on_a_line(tmp_path, DATA[:8000], "--timeout", "1")
    assert status == 3 and "cannot be started again from here" in out and "after=ug.real.ud-vmxoff" in out
    assert result["rules"][-1]["outcome"] == "hung"


def test_a_line_that_hangs_up(tmp_path):
    status, out, result = on_a_line(tmp_path, DATA[:8000], hang_up=True)
    assert status == 3 and result["boots"][0]["ended"] == "exit"


def test_tap_is_accepted_by_prove(lhv, tmp_path):
    done = lhv("run", "--on", f"log:{CLEAN}", *BOCHS, "--format", "tap")
    (tmp_path / "run.tap").write_text(done.out)
    proved = subprocess.run(["prove", "--exec", "cat", tmp_path / "run.tap"], capture_output=True, text=True)
    assert proved.returncode == 0 and "Parse errors" not in proved.stdout and "Tests=112" in proved.stdout
    done = lhv("run", "--on", f"log:{CLEAN}", "--format", "tap")
    (tmp_path / "run.tap").write_text(done.out)
    proved = subprocess.run(["prove", "--exec", "cat", tmp_path / "run.tap"], capture_output=True, text=True)
    assert proved.returncode == 1 and "Failed 7/112" in proved.stdout and "Parse errors" not in proved.stdout


def test_junit_is_read_by_a_stock_parser(lhv):
    suites = JUnitXml.fromstring(lhv("run", "--on", f"log:{CLEAN}", "--format", "junit").out.encode())
    (suite,) = suites
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (112, 7, 0, 7)
    bad = next(case for case in suite if case.name == "invept.type-high-bits")
    assert bad.classname == "lhv.invept" and "VMfailValid(28)" in bad.result[0].message and "repeat: " in bad.result[0].text


def test_junit_shows_a_run_without_an_end_and_holds_any_character(tmp_path):
    report = play(tmp_path, Script(HEADER + "1..3\n" + ONE + "# run b.two\nnot ok 2 - b.two\n  ---\n"
                                   "  actual: \"\\u0001\\uffff]]>&\"\n  ...\n", HEADER, HEADER))
    root = ElementTree.fromstring(junit.document(report, str).partition("\n")[2])
    assert root[0].get("errors") == "1" and "before the first rule" in root.find(".//error").get("message")
    assert "actual: \ufffd\ufffd]]>&" in root.find(".//failure").text


def test_json_is_what_the_folder_has(lhv):
    done = lhv("run", "--on", f"log:{CLEAN}", "--format", "json")
    assert json.loads(done.out) == done.result and done.result["schema"] == 1
    bad = next(rule for rule in done.result["rules"] if rule["id"] == "invept.type-high-bits")
    assert bad["title"] and bad["sdm"] and bad["class"] == "must" and bad["repeat"]
    assert bad["log"][0] == "# run invept.type-high-bits" and bad["log"][-1] == "  ..."
    assert len(done.result["not_run"]) > 500
