"""A run over several boots, on an emulator that is a shell script and plays recorded logs."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from lhvtool import run, tap
from lhvtool.known import Issue
from lhvtool.machine import Platform
from lhvtool.xmhf import Xmhf

HEADER = "TAP version 14\n# LHV 0.1 amd64\n# platform: a script\n"
ONE = "# run a.one\nok 1 - a.one\n"
TWO = "# run b.two\nok 1 - b.two\n"
THREE = "# run c.three\nok 1 - c.three\n"
PASS = "# ticks: 123\n# verdict: pass\n"


class Script(Platform):
    """A platform whose n-th boot writes the n-th log; then it ends, or hangs if the log says so."""

    name, title, version, accelerator, model, cpus, memory = (
        "bochs", "A script", "2.7", "interpreter", "a model", 2, 128)

    def __init__(self, *logs):
        self.logs = list(logs)
        self.command_lines = []

    def prepare(self, folder, command_line):
        log = self.logs[len(self.command_lines)]
        self.command_lines.append(command_line)
        end = "exec sleep 60" if "HANG" in log else "true"
        Path(folder, "log").write_text(log.replace("HANG", ""))
        return ["sh", "-c", f"cat log > serial.txt; {end}"]

    def last_words(self, folder):
        return "triple fault"


def play(folder, platform, timeout=1, rules=(), issues=(), options=("lhv_opt=0x0",)):
    report = run.run(platform, "amd64", list(options), timeout, folder, rules, lambda *_: None)
    report.conclude(issues, {})
    return report


def outcomes(report):
    return {one.id: one.outcome for one in report.results}


def test_one_good_boot(tmp_path):
    report = play(tmp_path, Script(HEADER + "1..1\n" + ONE + PASS))
    assert (report.verdict, report.status, outcomes(report)) == ("pass", 0, {"a.one": "passed"})
    assert report.as_json()["ticks"] == 123
    assert "lhv_opt=0x0" in (tmp_path / "command.txt").read_text()


def test_a_rule_that_ends_the_machine_costs_only_itself(tmp_path):
    platform = Script(HEADER + "1..3\n" + ONE + "# run b.two\n", HEADER + "1..1\n" + THREE + PASS)
    report = play(tmp_path, platform)
    assert outcomes(report) == {"a.one": "passed", "b.two": "died", "c.three": "passed"}
    assert platform.command_lines == ["lhv_opt=0x0", "lhv_opt=0x0 after=b.two"]
    assert report.results[1].diagnosis["platform"] == "triple fault"
    assert (report.verdict, report.status) == ("fail", 1)
    assert (tmp_path / "boot-2" / "serial.txt").exists()


def test_the_last_rule_ends_the_machine(tmp_path):
    report = play(tmp_path, Script(HEADER + "1..2\n" + ONE + "# run b.two\n"))
    assert outcomes(report) == {"a.one": "passed", "b.two": "died"}
    assert (len(report.boots), report.status) == (1, 1)


def test_silence_is_a_hang_and_a_second_start_a_reboot(tmp_path):
    report = play(tmp_path, Script(HEADER + "1..3\n# run a.one\nHANG",
                                   HEADER + "1..2\n# run b.two\n" + HEADER,
                                   HEADER + "1..1\n" + THREE + PASS))
    assert outcomes(report) == {"a.one": "hung", "b.two": "died", "c.three": "passed"}
    assert "1 s" in report.results[0].diagnosis["actual"]
    assert "rebooted" in report.results[1].diagnosis["actual"]


class Dying(Script):
    """A platform that says so in its log when it dies, and whose other CPUs then go on."""

    name, death = "xmhf", Xmhf.death


@pytest.mark.parametrize("words", ["\nFatal: Halting! Condition 'x' failed, line 1\n", "CPU(0x00): HALT!\n",
                                   "CPU(0x01): error(halt), unhandled hypercall 0x4!\n",
                                   "noise\n[01]: unhandled exception 13 (0x0), halting!\n", "# run b.twHalting!\n"])
def test_a_platform_that_says_that_it_has_died(tmp_path, words):
    platform = Dying(HEADER + "1..3\n" + ONE + "# run b.two\n" + words + "ok 2 - b.two\n" + THREE + "HANG",
                     HEADER + "1..1\n" + THREE + PASS)
    report = play(tmp_path, platform, timeout=30)
    assert outcomes(report) == {"a.one": "passed", "b.two": "died", "c.three": "passed"}
    assert report.boots[0].ended == "death" and len(report.boots) == 2
    assert report.results[1].diagnosis["platform"] == words.strip().rpartition("\n")[2]
    assert "has died" in report.results[1].diagnosis["actual"]


def test_the_words_of_death_come_in_pieces(tmp_path):
    class Slow(Dying):
        def prepare(self, folder, command_line):
            super().prepare(folder, command_line)
            Path(folder, "rest").write_text("ing! at last\n" + THREE)
            return ["sh", "-c", "cat log > serial.txt; sleep 0.3; cat rest >> serial.txt; exec sleep 60"]

    report = play(tmp_path, Slow(HEADER + "1..2\n" + ONE + "# run b.two\nFatal: Halt"), timeout=30)
    assert outcomes(report) == {"a.one": "passed", "b.two": "died"}
    assert report.results[1].diagnosis["platform"] == "Fatal: Halting! at last"


def test_other_platforms_may_print_these_words(tmp_path):
    report = play(tmp_path, Script(HEADER + "1..1\nHalting!\n" + ONE + PASS))
    assert (report.verdict, outcomes(report)) == ("pass", {"a.one": "passed"})


def test_a_platform_that_dies_of_every_rule(tmp_path):
    rules = [f"a.rule{number}" for number in range(12)]
    logs = [HEADER + f"1..{12 - number}\n# run {rule}\nHalting!\nHANG" for number, rule in enumerate(rules)]
    report = play(tmp_path, Dying(*logs), timeout=30, rules=rules)
    assert outcomes(report) == dict.fromkeys(rules, "died")
    assert (len(report.boots), report.verdict, report.trouble) == (12, "fail", "")


def test_nothing_left_after_a_rule_whose_line_was_lost(tmp_path):
    platform = Script(HEADER + "1..3\n" + ONE + "# ru\0\0two\n# run c.three\n",
                      HEADER + "Bail out! no rule is left to run with tests= skip= after=c.three\n")
    report = play(tmp_path, platform)
    assert outcomes(report) == {"a.one": "passed", "c.three": "died"}
    assert (report.status, report.trouble) == (1, "")


def test_an_end_between_two_rules_is_blamed_on_the_one_before(tmp_path):
    report = play(tmp_path, Script(HEADER + "1..2\n" + ONE, HEADER + "1..1\n" + TWO + PASS))
    assert outcomes(report) == {"a.one": "died", "b.two": "passed"}
    assert "after this rule's result" in report.results[0].diagnosis["actual"]


def test_a_machine_that_never_starts(tmp_path):
    report = play(tmp_path, Script(""))
    assert (report.verdict, report.status, len(report.boots)) == ("incomplete", 3, 1)
    assert "log is empty" in report.trouble and "triple fault" in report.trouble


def test_a_kernel_that_dies_before_its_first_rule(tmp_path):
    report = play(tmp_path, Script(HEADER))
    assert report.status == 3
    assert "# platform: a script" in report.trouble


def test_later_boots_that_die_early_end_the_run(tmp_path):
    report = play(tmp_path, Script(HEADER + "1..3\n" + ONE + "# run b.two\n", HEADER, HEADER))
    assert (report.status, len(report.boots)) == (3, 3)
    assert "boot 3" in report.trouble
    assert outcomes(report) == {"a.one": "passed", "b.two": "died"}


def test_a_refusal(tmp_path):
    report = play(tmp_path, Script(HEADER + "Bail out! There is no option X.\n# verdict: refused\n"))
    assert (report.refusal, report.verdict, report.status) == ("There is no option X.", "refused", 2)
    assert "Bail out! There is no option X." in tap.document(report, str)


def test_all_skipped_means_that_nothing_was_checked(tmp_path):
    log = HEADER + "1..1\n# run a.one\nok 1 - a.one # SKIP no VMX\n# verdict: nothing\n"
    report = play(tmp_path, Script(log))
    assert (report.verdict, report.status) == ("nothing", 2)


def test_a_result_line_that_was_lost_is_no_pass(tmp_path):
    report = play(tmp_path, Script(HEADER + "1..2\n# run a.one\nok 1 - \x00\x00\n" + TWO + PASS))
    assert outcomes(report) == {"a.one": "lost", "b.two": "passed"}
    assert report.status == 1


def test_a_failure_that_only_the_kernel_counted_is_no_pass(tmp_path):
    report = play(tmp_path, Script(HEADER + "1..1\n" + ONE + "# verdict: fail\n"))
    assert (report.verdict, report.status) == ("fail", 1)


def test_iterations_before_the_end_count_as_passes(tmp_path):
    log = (HEADER + "1..2\n# run a.one\n# run b.two\n# iteration 1 of 9: 0 failures so far\n"
           "# run a.one\n# run b.two\n")
    report = play(tmp_path, Script(log), options=["iter=9"])
    assert outcomes(report) == {"a.one": "passed", "b.two": "died"}


def test_known_issues_make_failures_expected_and_passes_loud(tmp_path):
    issue = Issue("bochs-x", "bochs", "*", ("a.*", "b.*"), "Bochs does X.", "docs/known-issues.md")
    log = HEADER + "1..2\n# run a.one\nnot ok 1 - a.one\n" + TWO + "# verdict: fail\n"
    report = play(tmp_path, Script(log), issues=[issue])
    assert outcomes(report) == {"a.one": "expected", "b.two": "unexpected-pass"}
    assert report.status == 1
    text = tap.document(report, lambda rule: f"repeat {rule}")
    assert "not ok 1 - a.one # TODO Bochs does X." in text
    assert "not ok 2 - b.two\n" in text and "repeat: repeat b.two" in text

    report = play(tmp_path / "second", Script(log.replace(TWO, "").replace("1..2", "1..1")), issues=[issue])
    assert (report.verdict, report.status) == ("pass", 0)


def test_files_of_a_run(tmp_path):
    report = play(tmp_path, Script(HEADER + "1..1\n" + ONE + PASS))
    run.write_files(report, tmp_path, str)
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["summary"]["passed"] == 1
    assert result["rules"][0] == {"id": "a.one", "outcome": "passed", "reason": "",
                                  "diagnosis": {}, "boot": 1, "repeat": "a.one"}
    assert (tmp_path / "run.tap").read_text().startswith("TAP version 13\n")


def test_an_interruption_leaves_no_emulator(tmp_path):
    def interrupt(_number, _log):
        raise KeyboardInterrupt

    platform = Script(HEADER + "1..3\n" + ONE + "# run b.two\nHANG")
    report = run.run(platform, "amd64", [], 30, tmp_path, (), interrupt)
    report.conclude([], {})
    assert (report.verdict, report.status) == ("interrupted", 130)
    assert outcomes(report) == {"a.one": "passed"}
    assert not processes_in(tmp_path)


def test_a_killed_runner_leaves_no_emulator(tmp_path):
    code = ("import sys; sys.path.insert(0, sys.argv[1])\n"
            "from lhvtool import machine\n"
            "from test_run import Script\n"
            "machine.boot(1, sys.argv[2], Script('HANG'), '', 60, (), print)\n")
    here = Path(__file__).parent
    runner = subprocess.Popen(["/usr/bin/python3", "-B", "-c", code, here.parent, tmp_path], cwd=here)
    wait_until(lambda: processes_in(tmp_path))
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    wait_until(lambda: not processes_in(tmp_path))


def test_the_link_to_the_latest_run(tmp_path):
    folders = [run.new_folder(tmp_path) for _ in range(3)]
    assert len(set(folders)) == 3
    assert (tmp_path / "latest").resolve() == folders[-1].resolve()


def test_a_folder_that_holds_something_is_not_touched(tmp_path):
    (tmp_path / "mine").write_text("")
    with pytest.raises(Exception, match="is not empty"):
        run.new_folder(tmp_path, tmp_path)


def processes_in(folder):
    """The ids of the processes that run in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "cwd") == str(folder):
                found.append(entry.name)
        except OSError:
            pass                  # it ended while we looked
    return found


def wait_until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
