"""The reader of the kernel's log, on logs as they come: whole, noisy, torn and cut."""

from lhvtool.log import BootLog, read_block, split

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
    log = BootLog(rules)
    log.feed(text.encode())
    log.finish()
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


def test_a_torn_result_line_is_no_pass_and_a_torn_failure_belongs_to_the_running_rule():
    log = read(HEADER + "# run a.one.long\nok 1 - a.one\n# run b.two\nok 2 - x.y\n")
    assert log.results == {}              # behind "a.one.lo" may have stood "# SKIP"
    assert log.running == "b.two"
    log = read(HEADER + "# run a.one.long\nnot ok 1 - a.one\n  ---\n  actual: \"x\"\n  ...\n# run b.two\n")
    assert not log.results["a.one.long"].ok and log.results["a.one.long"].diagnosis == {"actual": "x"}


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


NOISE = "XMHF: \x1b[31mcpu 1 intercept\x00"
RULES = ("a.one", "a.one-and-a-half", "b.two", "c.three")


def noisy(text):
    return read(HEADER + text, RULES)


def test_noise_before_a_line():
    log = noisy(f"{NOISE}# run a.one\n{NOISE}ok 1 - a.one\n{NOISE}# run b.two\n{NOISE}not ok 2 - b.two\n"
                f"{NOISE}# verdict: fail\n")
    assert log.started == ["a.one", "b.two"] and log.results["a.one"].ok and not log.results["b.two"].ok
    assert log.verdict == "fail"


def test_noise_behind_a_breadcrumb():
    log = noisy(f"# run a.one-and-a-half{NOISE}\n\n")
    assert log.running == "a.one-and-a-half"
    assert noisy("# run a.onenoise of another\nok 1 - a.one\n").results["a.one"].ok


def test_noise_in_a_breadcrumb_leaves_the_result():
    log = noisy(f"# run a.one{NOISE}\n-and-a-half\nok 1 - a.one-and-a-half\n# run b.two\n")
    assert list(log.results) == ["a.one-and-a-half"] and log.started == ["b.two"]


def test_a_result_behind_a_lost_one():
    log = noisy("# run a.one\nok 1 - aXMHF\n# ruXMHFn b.two\nok 2 - b.two\n# run c.three\n")
    assert list(log.results) == ["b.two"] and log.started == ["a.one", "c.three"]


def test_a_torn_not_is_no_pass():
    for torn in (f"not {NOISE}\nok 1 - a.one\n", f"no{NOISE}t ok 1 - a.one\n", f"no\n{NOISE}\nt ok 1 - a.one\n",
                 "ot ok 1 - a.one\n", "not\nok 1 - a.one\n"):
        assert "a.one" not in noisy("# run a.one\n" + torn + "# run b.two\n").results, torn


def test_a_diagnosis_shows_that_it_was_a_failure():
    block = f'  ---\n{NOISE}\n  title: "one"\n  actual: "bad"\n  ...\n'
    for behind in (block, block.partition("\n")[2], f'{NOISE}\n' + block):
        log = noisy("# run a.one\nok 1 - a.one\n" + behind + "# run b.two\nok 2 - b.two\n")
        assert not log.results["a.one"].ok and log.results["b.two"].ok
        assert log.results["a.one"].diagnosis["actual"] == "bad"


def test_a_torn_skip_is_no_pass():
    log = noisy(f"# run a.one\nok 1 - a.one\n{NOISE} # SKIP no EPT\n# run b.two\nok 2 - b.two{NOISE}# SKIP x\n")
    assert log.results["a.one"].directive == "SKIP" and log.results["a.one"].reason == "no EPT"
    assert "b.two" not in log.results


def test_what_is_missing_is_counted():
    whole = "# run a.one\nok 1 - a.one\n# run b.two\nok 2 - b.two\n# run c.three\nok 3 - c.three\n"
    end = "# summary: 3 passed, 0 failed, 0 skipped, 0 hung\n# verdict: pass\n"
    log = noisy(whole + end)
    assert (log.missing, log.miscount) == (0, "")
    log = noisy(whole.replace("# run b.two\nok 2 - b.two\n", "") + end)
    assert log.missing == 1 and "counted 3 passed" in log.miscount and "shows 2" in log.miscount
    assert noisy(whole.replace("# run a.one\nok 1 - a.one\n", "")).missing == 1


def test_control_characters_do_not_reach_the_reader():
    log = noisy("# run a.one\nok 1 - a.one # SKIP red \x1b[31m\x07\n")
    assert "\x1b" not in log.results["a.one"].reason
    assert "\x00" not in "".join(noisy("# run a.one\n\x00\n").excerpts["a.one"])


def test_areas_and_notes():
    log = read(WHOLE.replace("# ticks", "# note a.one: seen\n# area a: 1 rules, 123456 ticks\n# ticks"))
    assert log.areas == {"a": (1, 123456)} and log.rule_notes == {"a.one": "seen"}


def test_a_log_of_several_boots():
    data = b"noise\r\n" + WHOLE.encode() + WHOLE.replace("\n", "\r\n").encode()
    first, second = split(data)
    assert first + second == data and first.startswith(b"noise") and second.startswith(b"TAP")
    assert split(b"") == [b""]


def test_a_block_that_is_no_yaml_is_kept_as_text():
    assert read_block(['  a: "unfinished', "  b: ]"]) == {"text": 'a: "unfinished\nb: ]'}
    assert read_block(["  plain words"]) == {"text": "plain words"}
