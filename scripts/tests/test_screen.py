"""Pictures of the screen, and what the runner makes of a soak that ends before its time."""

import struct

import pytest

from lhvtool import screen
from lhvtool.log import BootLog
from lhvtool.problem import Problem
from lhvtool.process import TERMINAL
from test_run import HEADER, PASS, Script, outcomes, play

# Two cells: a bright green X on black, and a white Y on blue; then a status row.
DRAWN = b"\x1b[H\x1b[2J\x1b[0;1;32mX\x1b[0;37;44mY\x1b[0m\x1b[25;1H iteration 7  failures 1  a.b\x1b[1;1H"


def size(path):
    """Width and height of a PNG file."""
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG")
    return struct.unpack(">II", data[16:24])


def test_a_terminal_becomes_a_picture(tmp_path):
    image_module = pytest.importorskip("PIL.Image")
    (tmp_path / TERMINAL).write_bytes(DRAWN)
    screen.save(tmp_path, tmp_path / "a.png")
    assert size(tmp_path / "a.png") == (800, 475)
    with image_module.open(tmp_path / "a.png") as image:
        first = set(image.crop((0, 0, screen.CELL_WIDTH, screen.CELL_HEIGHT)).getdata())
        second = set(image.crop((screen.CELL_WIDTH, 0, 2 * screen.CELL_WIDTH, screen.CELL_HEIGHT)).getdata())
    assert (85, 255, 85) in first and (0, 0, 0) in first
    assert (0, 0, 170) in second and (0, 0, 0) not in second


def test_the_status_row(tmp_path):
    assert screen.status_row(tmp_path) == ""
    (tmp_path / TERMINAL).write_bytes(DRAWN)
    assert screen.status_row(tmp_path) == "iteration 7  failures 1  a.b"


def test_no_screen_is_a_problem(tmp_path):
    with pytest.raises(Problem, match="no screen"):
        screen.save(tmp_path, tmp_path / "a.png")


def test_the_camera_remembers_why_there_is_no_picture(tmp_path):
    camera, log = screen.Camera(tmp_path, tmp_path / "a.png"), BootLog()
    log.feed(b"# run a.b\n")
    camera.look(log)
    assert camera.trouble == ""              # it was not time for one
    log.feed(b"# verdict: pass\n")
    camera.look(log)
    assert "no screen" in camera.trouble


def test_in_a_soak_the_picture_is_of_an_iteration(tmp_path):
    (tmp_path / TERMINAL).write_bytes(DRAWN)
    camera, log = screen.Camera(tmp_path, tmp_path / "a.png"), BootLog()
    log.feed(b"# iteration 1 of 2: 0 failures so far\n")
    camera.look(log)
    taken = (tmp_path / "a.png").stat().st_mtime_ns
    log.feed(b"# iteration 2 of 2: 0 failures so far\n# verdict: pass\n")
    camera.look(log)
    assert (tmp_path / "a.png").stat().st_mtime_ns == taken


SOAK = ("iter=2",)
FIRST = "# run a.one\n# run b.two\n# iteration 1 of 2: 0 failures so far\n"


def test_results_of_a_soak_come_without_breadcrumbs(tmp_path):
    log = HEADER + "1..2\n" + FIRST + "ok 1 - a.one\nok 2 - b.two\n# iteration 2 of 2: 0 failures so far\n" + PASS
    report = play(tmp_path, Script(log), options=SOAK)
    assert (report.verdict, outcomes(report)) == ("pass", {"a.one": "passed", "b.two": "passed"})


def test_a_soak_that_dies_later_blames_no_rule_and_says_what_the_screen_shows(tmp_path):
    (tmp_path / TERMINAL).write_bytes(DRAWN)
    report = play(tmp_path, Script(HEADER + "1..2\n" + FIRST), options=SOAK)
    assert (report.status, len(report.boots)) == (3, 1)
    assert "in iteration 2" in report.trouble and "failures 1  a.b" in report.trouble
    assert set(outcomes(report).values()) == {"passed"}


def test_a_soak_that_dies_in_its_first_iteration_goes_on_behind_the_rule(tmp_path):
    platform = Script(HEADER + "1..2\n# run a.one\n", HEADER + "1..1\n# run b.two\n"
                      "# iteration 1 of 2: 0 failures so far\nok 1 - b.two\n" + PASS)
    report = play(tmp_path, platform, options=SOAK)
    assert outcomes(report) == {"a.one": "died", "b.two": "passed"}
