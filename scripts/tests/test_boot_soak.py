"""A soak on Bochs: rules again and again, ticking timers, the screen, and a fault that they notice."""

import re

from test_screen import size


def test_a_soak_ticks_draws_and_says_a_line_for_each_iteration(lhv, tmp_path):
    picture = tmp_path / "soak.png"
    done = lhv("run", "--iter", "4", "--opt", "0x0", "--cpus", "4", "--screenshot", picture)
    assert done.status == 0, str(done)
    assert {done.outcome("soak.ticks.host"), done.outcome("soak.ticks.guest")} == {"passed"}
    assert [line for line in done.serial.splitlines() if line.startswith("# iteration")] == [
        f"# iteration {i} of 4: 0 failures so far" for i in range(1, 5)]
    assert done.serial.count("# run exit.cpuid.reason") == 1
    assert size(picture) == (800, 475)


def ticks_in_rules(done):
    """PIT in the host, PIT in guests, local APIC timers in the host, local APIC timers in guests."""
    line = re.search(r"^# ticks in rules: (.*)", done.serial, re.MULTILINE)
    return [int(count) for count in re.findall(r"(\d+) in", line[1])]


def test_timers_tick_in_host_and_guests_while_rules_run_and_change_no_result(lhv):
    deadly = ["--skip", "*.unsupported.high-natural"]     # of Bochs: see known-issues.yaml
    alone, soak = lhv("run", *deadly), lhv("run", "--iter", "2", *deadly)
    assert {rule["id"]: rule["outcome"] for rule in soak.rules if not rule["id"].startswith("soak.")} == {
        rule["id"]: rule["outcome"] for rule in alone.rules}
    assert min(ticks_in_rules(soak)) >= 10, ticks_in_rules(soak)
    assert "# ticks in rules" not in alone.serial


def test_a_soak_without_interrupts_says_why_nothing_ticks(lhv):
    for mask in ("0x200", "0x2"):
        done = lhv("run", "--iter", "2", "--opt", mask)
        assert done.status == 0, str(done)
        assert done.outcome("soak.ticks.host") == "skipped"
        assert ticks_in_rules(done) == [0, 0, 0, 0]


def test_timers_that_stand_still_fail_the_soak(lhv):
    done = lhv("run", "--iter", "2", "--opt", "0x0", "--tests", "exit.cpuid.*", "--fault", "no-apic-tick")
    assert done.status == 1, str(done)
    assert (done.outcome("soak.ticks.host"), done.outcome("soak.ticks.guest")) == ("failed", "failed")
    assert done.outcome("exit.cpuid.reason") == "passed"
    assert done.serial.count("not ok") == 2     # said once, counted in each iteration
    assert "# iteration 2 of 2: 4 failures so far" in done.serial


def test_rules_of_the_soak_run_in_no_other_run(lhv):
    done = lhv("run", "--opt", "0x0", "--tests", "exit.cpuid.reason")
    assert [rule["id"] for rule in done.rules] == ["exit.cpuid.reason"]
