"""The reader of the kernel's log, on a real log that is cut, torn, mixed with noise and shuffled. Every run tries the same."""

import re
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lhvtool import recorded
from lhvtool.log import BootLog

CLEAN = (Path(__file__).parent / "logs" / "bochs.txt").read_bytes()
NOISE = (b"XMHF: CPU(0x01): unhandled intercept\r\n", b"Halting!", b"\n", b"\r", b"not ", b"ok ", b"# ", b"\x00\xff\xfe\x1b[2J",
         b"CPU #1: vmcall handled, not ok\n", b"  ...\n", b"  ---\n", b"1..3\n", b"TAP version 14\n", b" # SKIP ", b"\xc3",
         b"# run caps.x\n", b"  a: [[[[\n", b"\xe2\x80\xa8")

# Where damage could do harm: around what makes a result other than a pass.
HARM = [match.start() / len(CLEAN) for match in re.finditer(rb"not ok|# SKIP|  ---", CLEAN)]

anywhere = st.floats(0, 1, exclude_max=True)
place = st.one_of(anywhere, st.builds(lambda at, more: at + more / len(CLEAN), st.sampled_from(HARM), st.integers(-12, 12)))
length = st.integers(1, 400)
damage = st.lists(st.one_of(
    st.tuples(st.just("noise"), place, st.sampled_from(NOISE)),
    st.tuples(st.just("noise"), place, st.binary(max_size=40)),
    st.tuples(st.just("loss"), place, length),
    st.tuples(st.just("flip"), place, st.integers(1, 255)),
    st.tuples(st.just("swap"), anywhere, anywhere),
    st.tuples(st.just("twice"), place, length),
    st.tuples(st.just("mix"), place, length),
    st.tuples(st.just("cut"), place, st.none())), min_size=1, max_size=8)


def damaged(data, changes):
    """The log after a list of changes."""
    for kind, where, what in changes:
        at = int(where * len(data))
        if kind == "noise":
            data = data[:at] + what + data[at:]
        elif kind == "loss":
            data = data[:at] + data[at + what:]
        elif kind == "flip" and data:
            data = data[:at] + bytes([data[at] ^ what]) + data[at + 1:]
        elif kind == "swap":
            lines = data.split(b"\n")
            one, two = int(where * len(lines)), int(what * len(lines))
            lines[one], lines[two] = lines[two], lines[one]
            data = b"\n".join(lines)
        elif kind == "twice":
            data = data[:at + what] + data[at:]
        elif kind == "mix":          # another writer's characters between ours
            data = data[:at] + b"".join(b"%c." % byte for byte in data[at:at + what]) + data[at + what:]
        elif kind == "cut":
            data = data[:at]
    return data


def read(data, rules, size=4096):
    log = BootLog(rules)
    for at in range(0, len(data), size):
        log.feed(data[at:at + size])
    log.finish()
    return log


def passed(log):
    return {rule for rule, result in log.results.items() if result.ok and result.directive is None}


WHOLE = read(CLEAN, ())
PASSED = passed(WHOLE)
RULES = tuple(WHOLE.results)
SLOW = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def test_the_clean_log_has_what_it_should():
    assert len(PASSED) > 90 and len(WHOLE.results) == WHOLE.plan and WHOLE.miscount == "" and WHOLE.missing == 0
    assert sum(not one.ok for one in WHOLE.results.values()) == 7


@settings(SLOW, max_examples=600)
@given(damage)
def test_damage_never_makes_a_rule_pass(changes):
    data = damaged(CLEAN, changes)
    for rules in (RULES, ()):
        assert passed(read(data, rules)) <= PASSED


@settings(SLOW, max_examples=150)
@given(damage)
def test_damage_never_makes_a_run_pass(changes):
    report = recorded.report(recorded.Recorded("log", "log"), damaged(CLEAN, changes), RULES)
    report.conclude([], {})
    assert report.verdict in ("fail", "incomplete")
    report.as_json()


@settings(SLOW, max_examples=150)
@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(CLEAN.splitlines(True)), st.sampled_from(NOISE)), max_size=60))
def test_any_bytes_at_all(pieces):
    assert passed(read(b"".join(pieces), RULES)) <= set(RULES)


@settings(SLOW, max_examples=100)
@given(st.lists(st.tuples(place, st.sampled_from(NOISE[:4])), min_size=1, max_size=5))
def test_noise_costs_the_results_of_few_rules(noise):
    log = read(damaged(CLEAN, [("noise", where, what) for where, what in noise]), RULES)
    assert len(PASSED - passed(log)) <= len(noise)


@settings(SLOW, max_examples=100)
@given(damage, st.integers(1, 50))
def test_how_the_bytes_arrive_does_not_matter(changes, size):
    data = damaged(CLEAN, changes)
    one, other = read(data, RULES), read(data, RULES, size)
    assert one.results == other.results and one.verdict == other.verdict and one.started == other.started
