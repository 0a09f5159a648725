"""An emulator as a process: on a terminal of its own, never outliving the runner."""

import os
import pty
import signal
import subprocess
import termios
import threading
import time
import tty
from pathlib import Path

from .problem import Problem

POLL_SECONDS = 0.03

SCREEN = "screen.raw"             # what the emulator wrote to its terminal
TERMINAL = "vga.raw"              # what it drew on a terminal that it opened itself
MESSAGES = "emulator.txt"         # what it wrote to its error output


class Process:
    """A started emulator. What a platform's start() returns offers the same (see machine.Platform)."""

    def __init__(self, command, folder, own_terminal=None):
        """Starts it; a thread keeps what it writes to its terminal in a file.

        Arguments: the command; the folder to start it in, for its files; a pattern of its messages whose first
        group names a terminal that it opens itself and that somebody has to read, or None.
        Error: Problem when it cannot be started.
        """
        ours, its = pty.openpty()
        environment = dict(os.environ, TERM="linux", LINES="25", COLUMNS="80")
        # The emulator ends with the runner, even if that is killed.
        command = ["setpriv", "--pdeathsig", "KILL", "--", *command]
        try:
            with open(Path(folder, MESSAGES), "wb") as messages:
                self._process = subprocess.Popen(command, cwd=folder, stdin=its, stdout=its, stderr=messages,
                                                 env=environment, start_new_session=True)
        except OSError as error:
            os.close(ours)
            raise Problem(f"The emulator cannot be started: {error}.") from None
        finally:
            os.close(its)
        self.cpu_seconds = 0.0    # of it and its children, known once it has ended
        threading.Thread(target=_drain, args=(ours, Path(folder, SCREEN)), daemon=True).start()
        if own_terminal:
            ended = lambda: self._process.returncode is not None
            threading.Thread(target=drain_own_terminal, args=(own_terminal, folder, ended), daemon=True).start()

    def alive(self):
        """Whether it still runs."""
        if self._process.returncode is None:
            self._reap(os.WNOHANG)
        return self._process.returncode is None

    def cpu_so_far(self):
        """The CPU seconds that it has used; once it has ended, those of its children, too."""
        if self.alive():
            try:
                fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
                return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            except OSError:
                pass              # it ends just now
        return self.cpu_seconds

    def interrupt(self):
        """Sends it the interrupt that its debugger, if it has one, takes for a stop."""
        if self.alive():
            self._process.send_signal(signal.SIGINT)

    def end(self, grace):
        """Gives it some seconds to end by itself, then ends it with all that it started."""
        until = time.monotonic() + grace
        while self.alive() and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if self._process.returncode is None:
            self._reap(0)

    def _reap(self, how):
        """Takes its status and its CPU time, which subprocess would throw away."""
        pid, status, usage = os.wait4(self._process.pid, how)
        if pid:
            self._process.returncode = os.waitstatus_to_exitcode(status)
            self.cpu_seconds = usage.ru_utime + usage.ru_stime


def drain_own_terminal(pattern, folder, ended):
    """Keeps what an emulator draws on the terminal that its messages name, or else it would wait for a reader.

    Arguments: the pattern of its messages (see Process); its folder; a function that says whether it has ended.
    """
    while not (named := pattern.search(Path(folder, MESSAGES).read_bytes())):
        if ended():
            return
        time.sleep(POLL_SECONDS)
    try:
        terminal = os.open(os.fsdecode(named[1]), os.O_RDWR | os.O_NOCTTY)
        tty.setraw(terminal, termios.TCSANOW)   # and keep what it has drawn already
    except (OSError, termios.error):
        return                    # it has ended already
    _drain(terminal, Path(folder, TERMINAL))


def _drain(terminal, path):
    with open(path, "wb", buffering=0) as screen, open(terminal, "rb", buffering=0) as source:
        try:
            while data := source.read(65536):
                screen.write(data)
        except OSError:
            pass                  # the emulator closed its terminal
