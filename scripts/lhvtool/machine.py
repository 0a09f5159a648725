"""Runs an emulator for one boot of the kernel and follows the kernel's log while it grows.

The emulator gets a terminal of its own (some want one), is ended when its log says that the run
is over, and never outlives the runner.
"""

import os
import pty
import resource
import shlex
import signal
import subprocess
import termios
import threading
import time
import tty
from dataclasses import dataclass
from pathlib import Path

from .log import BootLog
from .problem import Problem

POLL_SECONDS = 0.03
GRACE_SECONDS = 2.0               # what the emulator gets to end by itself, or for its debugger

SERIAL = "serial.txt"             # what the kernel wrote to COM1
SCREEN = "screen.raw"             # what the emulator wrote to its terminal
TERMINAL = "vga.raw"              # what it drew on a terminal that it opened itself
MESSAGES = "emulator.txt"         # what it wrote to its error output


@dataclass
class Boot:
    """What came of one boot."""

    number: int
    folder: Path
    command_line: str             # of the kernel
    log: BootLog
    ended: str = ""               # "verdict", "exit", "reboot", "silence" or "interrupt"
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

    Arguments: the boot's number; its folder, which exists; a platform, whose prepare() writes what
    the emulator needs and returns its command; the kernel's options; the seconds of silence after
    which the machine counts as hung; the ids of all rules, to complete a cut breadcrumb; a
    function called with the BootLog whenever that has grown.
    A KeyboardInterrupt ends the emulator, and the boot says so. Errors: Problem when the emulator
    cannot be started.
    """
    command = platform.prepare(folder, command_line)
    Path(folder, "command.txt").write_text(
        f"# Started in this folder. Options of the kernel: {command_line}\n{shlex.join(command)}\n")
    result = Boot(number, folder, command_line, BootLog())
    began, cpu_began = time.monotonic(), _children_cpu()
    process = _start(command, folder)
    if pattern := getattr(platform, "own_terminal", None):
        threading.Thread(target=_drain_own, args=(process, pattern, folder), daemon=True).start()
    try:
        result.ended = _follow(process, Path(folder, SERIAL), result.log, timeout, watch)
        result.log.finish(rules)
        if result.log.verdict:
            result.ended = "verdict"
    except KeyboardInterrupt:
        result.ended = "interrupt"
    finally:
        ask = result.ended == "silence" and platform.has_debugger
        if ask:
            process.send_signal(signal.SIGINT)        # its debugger says where the CPUs are
        _end(process, GRACE_SECONDS if ask or result.ended == "verdict" else 0)
        result.wall_seconds = time.monotonic() - began
        result.cpu_seconds = _children_cpu() - cpu_began
    if result.ended not in ("verdict", "interrupt"):
        result.last_words = platform.last_words(folder)
    return result


def _start(command, folder):
    """Starts the emulator on a terminal of its own, whose output a thread keeps in a file."""
    ours, its = pty.openpty()
    environment = dict(os.environ, TERM="linux", LINES="25", COLUMNS="80")
    # The emulator ends with the runner, even if that is killed.
    command = ["setpriv", "--pdeathsig", "KILL", "--", *command]
    try:
        with open(Path(folder, MESSAGES), "wb") as messages:
            process = subprocess.Popen(command, cwd=folder, stdin=its, stdout=its, stderr=messages,
                                       env=environment, start_new_session=True)
    except OSError as error:
        os.close(ours)
        raise Problem(f"The emulator cannot be started: {error}.") from None
    finally:
        os.close(its)
    threading.Thread(target=_drain, args=(ours, Path(folder, SCREEN)), daemon=True).start()
    return process


def _drain(terminal, path):
    with open(path, "wb", buffering=0) as screen, open(terminal, "rb", buffering=0) as source:
        try:
            while data := source.read(65536):
                screen.write(data)
        except OSError:
            pass                  # the emulator closed its terminal


def _drain_own(process, pattern, folder):
    """Keeps what the emulator draws on the terminal that its messages name, or else it would wait for a reader."""
    while not (named := pattern.search(Path(folder, MESSAGES).read_bytes())):
        if process.poll() is not None:
            return
        time.sleep(POLL_SECONDS)
    try:
        terminal = os.open(os.fsdecode(named[1]), os.O_RDWR | os.O_NOCTTY)
        tty.setraw(terminal, termios.TCSANOW)   # and keep what it has drawn already
    except (OSError, termios.error):
        return                    # it has ended already
    _drain(terminal, Path(folder, TERMINAL))


def _follow(process, path, log, timeout, watch):
    """Feeds the log as the file grows; returns how the boot ended (see Boot.ended)."""
    serial = None
    heard = time.monotonic()
    try:
        while True:
            alive = process.poll() is None
            if serial is None and path.exists():
                serial = open(path, "rb")
            data = serial.read() if serial else b""
            if data:
                heard = time.monotonic()
                log.feed(data)
                watch(log)
            if log.verdict:
                return "verdict"
            if log.starts > 1:
                return "reboot"
            if not alive:
                return "exit"
            if time.monotonic() - heard > timeout:
                return "silence"
            time.sleep(POLL_SECONDS)
    finally:
        if serial:
            serial.close()


def _end(process, grace):
    """Waits for the emulator to end, then ends its process group."""
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def _children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
