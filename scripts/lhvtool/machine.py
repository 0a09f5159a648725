"""Boots the kernel once on a platform and follows its log while it grows."""

import re
import shlex
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from .log import BootLog
from .process import POLL_SECONDS, Process

GRACE_SECONDS = 2.0               # what the emulator gets to end by itself, or for its debugger

SERIAL = "serial.txt"             # what the kernel wrote to COM1

# Set where boots in other threads are to end as with Ctrl-C, which only the main thread hears of (see several.py)
interrupted = threading.Event()


class Platform:
    """What every platform offers: what it is, and how to start it. The defaults are those of an emulator."""

    name = ""                     # as in known-issues.yaml
    title = ""                    # for people
    version = ""
    accelerator = ""
    model = ""                    # of the CPU
    cpus = 1
    memory = 0                    # MiB
    under = ""                    # the platform that this one runs on, such as "bochs 2.7"; "" for hardware
    facts = {}                    # more that a result should tell, such as {"linux": "6.1.0-18-cloud-amd64"}
    has_debugger = False          # that says where the CPUs are when it is interrupted
    shows_screen = False          # whether a picture of the screen is wanted
    own_terminal = None           # see process.Process
    silence = 15                  # seconds without a word after which it counts as hung, where the user gives none
    can_reboot = True             # whether it can be started again for the rest of the rules
    started_by_hand = False       # whether somebody starts it, so that silence before its log means nothing
    deterministic = False         # whether the same boot always gives the same result
    death = None                  # a pattern (bytes) of a whole line of the log that says that the platform has died; group 1
                                  # is the word that tells

    def prepare(self, folder, command_line):
        """Writes what the emulator needs into the folder; returns its command."""
        raise NotImplementedError

    def start(self, folder, command_line):
        """Starts the machine for one boot of the kernel.

        Arguments: the boot's folder, which exists, and where the kernel's log is to grow as serial.txt; the
        kernel's options. Result: what has alive(), interrupt(), end(grace) and cpu_seconds (see process.Process).
        Error: Problem when it cannot be started.
        """
        command = self.prepare(folder, command_line)
        Path(folder, "command.txt").write_text(
            f"# Started in this folder. Options of the kernel: {command_line}\n{shlex.join(command)}\n")
        return Process(command, folder, self.own_terminal)

    def last_words(self, folder):
        """What the platform said of its end, where it ended badly."""
        return ""

    def close(self):
        """Ends what the platform kept running between boots."""


@dataclass
class Boot:
    """What came of one boot."""

    number: int
    folder: Path
    command_line: str             # of the kernel
    log: BootLog
    ended: str = ""               # "verdict", "exit", "reboot", "death", "silence" or "interrupt"
    last_words: str = ""          # what the emulator said of its end, where it ended badly
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def finished(self):
        """Whether the kernel reached its own end."""
        return self.ended == "verdict"

    @property
    def iterates(self):
        """Whether rules run more than once, so that the kernel reports passes only at the end."""
        return any(word.startswith("iter=") and word != "iter=1"
                   for word in self.command_line.split())


def boot(number, folder, platform, command_line, timeout, rules, watch):
    """Boots once and returns a Boot.

    Arguments: the boot's number; its folder, which exists; a Platform; the kernel's options; the
    seconds of silence after which the machine counts as hung; the ids of all rules, to read damaged
    lines; a function called with the BootLog whenever that has grown.
    A KeyboardInterrupt ends the machine, and the boot says so. Errors: Problem when the machine
    cannot be started.
    """
    result = Boot(number, folder, command_line, BootLog(rules))
    began = time.monotonic()
    process = platform.start(folder, command_line)
    try:
        result.ended, death = _follow(process, Path(folder, SERIAL), result.log, timeout, watch, platform)
        result.log.finish()
        if result.log.verdict:
            result.ended = "verdict"
    except KeyboardInterrupt:
        result.ended = "interrupt"
    finally:
        ask = result.ended == "silence" and platform.has_debugger
        if ask:
            process.interrupt()
        process.end(GRACE_SECONDS if ask or result.ended == "verdict" else 0)
        result.wall_seconds = time.monotonic() - began
        result.cpu_seconds = process.cpu_seconds
    if result.ended == "death":
        result.last_words = death
    elif result.ended not in ("verdict", "interrupt"):
        result.last_words = platform.last_words(folder)
    return result


def _follow(process, path, log, timeout, watch, platform):
    """Feeds the log as the file grows.

    Result: how the boot ended (see Boot.ended), and the line that tells of the platform's death, or "". What comes
    after the word that tells is not fed: other CPUs may go on for a while, in the same line even, but no more as the
    rules want it.
    """
    serial = None
    heard = time.monotonic()
    line = b""                    # the last one, as far as it has come
    try:
        while True:
            if interrupted.is_set():
                raise KeyboardInterrupt
            alive = process.alive()
            if serial is None and path.exists():
                serial = open(path, "rb")
            data = serial.read() if serial else b""
            if data:
                heard = time.monotonic()
                dead = platform.death and re.search(platform.death, line + data)
                whole, end, line = (line + data).rpartition(b"\n")
                log.feed((whole + end)[:dead.end(1) if dead else None])
                watch(log)
            if log.verdict:
                return "verdict", ""
            if log.starts > 1:
                return "reboot", ""
            if data and dead:
                line = b""
                return "death", dead[0].decode("utf-8", "replace").strip()
            if not alive:
                return "exit", ""
            if time.monotonic() - heard > timeout and (log.starts or not platform.started_by_hand):
                return "silence", ""
            time.sleep(POLL_SECONDS)
    finally:
        log.feed(line)
        if serial:
            serial.close()
