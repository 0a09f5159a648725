"""The reader of the kernel's log, on logs as they come: whole, noisy, torn and cut."""

from lhvtool.log import BootLog, read_block

HEADER = """\
TAP version 14
# LHV 0.1 amd64
# boot options: lhv_opt=0x0
# platform: Bochs
# cpu 0: APIC id 0, bootstrap processor, VMX root operation
# cpu 1: APIC id 4, VMX root operation
1..3
"""
FAILURE = """\
# run b.two
not ok 2 - b.two
  ---
  title: "The second"
  outcome: failed
  expected: "#UD"
  actual: "VMfailInvalid"
  ...
"""
WHOLE = HEADER + "# run a.one\nok 1 - a.one\n" + FAILURE + """\
# run c.three
ok 3 - c.three # SKIP the CPU has no EPT
# cpu 1: lost in b.two
# ticks: 12345678
# summary: 1 passed, 1 failed, 1 skipped, 0 hung
# verdict: fail
"""


def read(text, rules=()):
    log = BootLog()
    log.feed(text.encode())
    log.finish(rules)
    return log


def test_a_whole_log():
    log = read(WHOLE)
    assert (log.banner, log.plan, log.verdict) == ("LHV 0.1 amd64", 3, "fail")
    assert log.facts["boot options"] == "lhv_opt=0x0"
    assert log.closing["ticks"] == "12345678"
    assert log.cpus[1] == "APIC id 4, VMX root operation"
    assert log.notes == ["cpu 1: lost in b.two"]
    assert list(log.results) == log.started == ["a.one", "b.two", "c.three"]
    assert log.results["b.two"].diagnosis["expected"] == "#UD"
    assert log.results["c.three"].directive == "SKIP"
    assert log.results["c.three"].reason == "the CPU has no EPT"
    assert log.running is None


def test_line_ends_of_a_terminal_and_any_cut_between_reads():
    data = WHOLE.replace("\n", "\r\n").encode()
    log = BootLog()
    for byte in data:
        log.feed(bytes([byte]))
    assert log.results == read(WHOLE).results
    assert log.verdict == "fail"


def test_noise_between_lines_and_inside_a_block():
    noisy = "SeaBIOS\x1b[2J\n\x1b[0mTAP version 14\n" + WHOLE.partition("\n")[2]
    noisy = noisy.replace('  expected: "#UD"\n', 'XMHF: something\n  expected: "#UD"\n')
    log = read(noisy)
    assert log.results == read(WHOLE).results
    assert log.starts == 1


def test_the_running_rule_is_the_culprit():
    log = read(HEADER + "# run a.one\nok 1 - a.one\n# run b.two\n")
    assert log.culprit == log.running == "b.two"


def test_between_two_rules_the_last_reported_is_the_culprit():
    log = read(HEADER + "# run a.one\nok 1 - a.one\n")
    assert log.running is None
    assert log.culprit == "a.one"


def test_before_the_first_rule_there_is_no_culprit():
    assert read(HEADER).culprit is None


def test_a_cut_result_does_not_count():
    log = read(HEADER + "# run a.one\nok 1 - a.o")
    assert log.results == {}
    assert log.culprit == "a.one"


def test_a_cut_breadcrumb_counts_when_it_can_mean_one_rule_only():
    text = HEADER + "# run b.one\nok 1 - b.one\n# run b.t"
    assert read(text, ["b.one", "b.two", "c.three"]).culprit == "b.two"
    assert read(text, ["b.one", "b.two", "b.three"]).culprit == "b.one"
    assert read(text).culprit == "b.one"


def test_a_whole_breadcrumb_without_line_end_counts_as_itself():
    assert read(HEADER + "# run b.two", ["b.two", "b.two.more"]).culprit == "b.two"


def test_a_verdict_without_line_end_counts_when_its_first_letter_is_there():
    assert read(HEADER + "# verdict: pass").verdict == "pass"
    assert read(HEADER + "# verdict: f").verdict == "fail"
    assert read(HEADER + "# verdict: ").verdict is None
    assert read(HEADER + "# verdict: x").verdict is None


def test_a_torn_result_line_belongs_to_the_running_rule():
    log = read(HEADER + "# run a.one.long\nok 1 - a.one\n# run b.two\nok 2 - x.y\n")
    assert log.results["a.one.long"].ok
    assert "b.two" not in log.results
    assert log.running == "b.two"


def test_a_reboot_is_seen_and_the_second_log_does_not_mix():
    log = read(HEADER + "# run a.one\n" + WHOLE)
    assert log.starts == 2
    assert log.culprit == "a.one"
    assert log.verdict is None


def test_a_refusal():
    log = read("TAP version 14\n# LHV 0.1 amd64\nBail out! There is no option X.\n# verdict: refused\n")
    assert log.bail == "There is no option X."
    assert log.verdict == "refused"


def test_iterations_keep_a_failure_and_one_entry_per_rule():
    log = read(HEADER + "# run a.one\n# run b.two\nnot ok 1 - b.two\n# iteration 1 of 2: 1 failures so far\n"
               "# run a.one\nok 2 - a.one\n# run b.two\nok 3 - b.two\n")
    assert log.started == ["a.one", "b.two"]
    assert not log.results["b.two"].ok


def test_a_block_cut_by_the_next_rule():
    log = read(HEADER + FAILURE.replace("  ...\n", "") + "# run c.three\nok 3 - c.three\n")
    assert log.results["b.two"].diagnosis["actual"] == "VMfailInvalid"
    assert log.results["c.three"].ok


def test_escapes_in_a_reason():
    log = read(HEADER + "ok 1 - a.one # SKIP no \\#VE and a \\\\ here\n")
    assert log.results["a.one"].reason == "no #VE and a \\ here"


def test_a_block_that_is_no_yaml_is_kept_as_text():
    assert read_block(['  a: "unfinished', "  b: ]"]) == {"text": 'a: "unfinished\nb: ]'}
    assert read_block(["  plain words"]) == {"text": "plain words"}
