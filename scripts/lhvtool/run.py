"""One run: boots the kernel, and boots it again for the rest when a rule has ended the machine."""

import datetime
import json
import os
from pathlib import Path

from . import machine, screen, tap
from .problem import Problem
from .results import Report

MAX_BARREN_BOOTS = 2              # boots in a row that end before their first rule
NOTHING_LEFT = "no rule is left"  # the kernel's refusal after the last rule, where lines lost made it look like more


def new_folder(parent, wanted=None):
    """Makes the folder of a run.

    Arguments: the folder that holds all runs; the folder that the user asked for, or None.
    Result: its path; without a wish, the parent's link `latest` points at it.
    Error: Problem when it cannot be made, or when the user's holds something already.
    """
    try:
        if wanted:
            folder = Path(wanted)
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise Problem(f"The folder {wanted} is not empty. Name another one with --out.")
            return folder
        parent.mkdir(parents=True, exist_ok=True)
        stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        number = 1
        while True:
            folder = parent / f"{stamp}-{number}"
            try:
                folder.mkdir()
                break
            except FileExistsError:
                number += 1
        link = parent / f".latest-{os.getpid()}"
        link.symlink_to(folder.name)
        link.replace(parent / "latest")
        return folder
    except OSError as error:
        raise Problem(f"The run's folder cannot be made: {error}.") from None


def run(platform, arch, options, timeout, folder, rules, watch, picture=None):
    """Boots until every selected rule has been run, or nothing more can be had.

    Arguments: a platform; the build; the kernel's options as a list; the seconds of silence after
    which the machine counts as hung; the run's folder; the ids of the image's rules; a function
    that is called with the number of the boot and its log whenever that has grown; the file for a
    picture of the screen, or None.
    Result: a Report whose results are not yet filled in (see Report.conclude).
    """
    report = Report(platform, arch, options, timeout)
    after, barren, planned = [], 0, 0
    while True:
        number = len(report.boots) + 1
        where = folder if number == 1 else folder / f"boot-{number}"
        where.mkdir(exist_ok=True)
        camera = screen.Camera(where, picture)
        boot = machine.boot(number, where, platform, " ".join(options + after), timeout, rules,
                            lambda log: (watch(number, log), camera.look(log)))
        report.picture_trouble = camera.trouble
        report.boots.append(boot)
        if boot.ended == "interrupt":
            return report
        log = boot.log
        if log.iterations and log.culprit is None and not boot.finished and not log.bail:
            report.trouble = _soak_sentence(boot, timeout)
            return report
        planned = max(planned, log.plan or 0)
        if boot.finished or log.bail:
            if log.bail and number > 1 and not log.bail.startswith(NOTHING_LEFT):
                report.trouble = f"The kernel refused the boot that should run the rest: {log.bail}"
            return report
        if log.culprit is None:
            barren += 1
            if number == 1 or barren == MAX_BARREN_BOOTS:
                report.trouble = _barren_sentence(boot, timeout)
                return report
            continue
        barren = 0
        if log.plan is not None and len(log.seen) >= log.plan:
            return report                      # it was the last rule
        if not platform.can_reboot:
            report.trouble = (f"The machine {_how(boot, timeout)} in {log.culprit}, and cannot be started again from here. "
                              f"Boot it with the option after={log.culprit} for the rest.")
            return report
        if number > planned:
            report.trouble = "There were as many boots as rules, and rules are still left."
            return report
        after = [f"after={log.culprit}"]


def _how(boot, timeout):
    """How the machine ended, as the end of a sentence."""
    return {"silence": f"said nothing for {timeout:g} s", "reboot": "rebooted",
            "death": "died", "exit": "ended"}[boot.ended]


def _soak_sentence(boot, timeout):
    """How a soak ended before its time: in which iteration and, as far as its screen shows, where."""
    where = screen.status_row(boot.folder)
    seen = f" The last that its screen shows is: {where}." if where else ""
    words = f" The platform said: {boot.last_words}." if boot.last_words else ""
    return f"The machine {_how(boot, timeout)} in iteration {boot.log.iterations + 1}.{seen}{words}"


def _barren_sentence(boot, timeout):
    """Why nothing could be run, with what was seen of the machine."""
    what = f"The machine {_how(boot, timeout)} before the first rule of boot {boot.number}."
    words = f" The platform said: {boot.last_words}." if boot.last_words else ""
    serial = boot.folder / machine.SERIAL
    lines = serial.read_bytes().decode("utf-8", "replace").split("\n") if serial.exists() else []
    lines = [line.strip() for line in lines if line.strip()]
    tail = f" The log ends with: {' / '.join(lines[-3:])}" if lines else " The kernel's log is empty."
    return what + words + tail


def write_files(report, folder, repeat):
    """Writes run.tap and result.json into the run's folder.

    Arguments: the concluded report; the folder; a function that gives the command that repeats
    a rule, from its id.
    """
    Path(folder, "run.tap").write_text(tap.document(report, repeat))
    Path(folder, "result.json").write_text(result_json(report, repeat))


def result_json(report, repeat):
    """The text of result.json. Arguments: as write_files."""
    return json.dumps(report.as_json(repeat), indent=1, default=str) + "\n"
