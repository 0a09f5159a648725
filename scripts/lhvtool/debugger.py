"""Starts a platform halted, and the user's debugger on it: GDB for QEMU, Bochs's own console for Bochs."""

import os
import re
import shlex
import signal
import subprocess
import threading
import time
from pathlib import Path

from .problem import NO_VERDICT, Problem
from .process import MESSAGES, POLL_SECONDS, Process, drain_own_terminal

COMMANDS = Path(__file__).resolve().parents[1] / "lhv-gdb.py"
SOCKET = "gdb.sock"
SYMBOLS = "symbols.txt"           # "ADDRESS NAME" lines, as Bochs reads them
# GDB takes its registers from QEMU's idea of the CPU, and its symbols from a 32-bit image only where those are 32-bit as well
QEMU_32 = "qemu-system-i386"

FRAMES = 12                       # the stack of a CPU has no end that GDB knows
FAILURE = "rule_failed"           # what the kernel calls wherever a rule fails

# The register that holds a rule's record when its test is called, in GDB's and in Bochs's words
ARGUMENT = {64: ("$rdi", "rdi"), 32: ("$eax", "eax")}


def stop_places(image, starts, fails):
    """Where to stop: (address, rule's record or 0 for any) of each place.

    Arguments: the Image; the id of the rule at whose start to stop, or None; whether to stop where a rule fails.
    Error: Problem for a rule that is not there.
    """
    places = []
    if starts:
        known = image.rule_places()
        if starts not in known:
            raise Problem(f"There is no rule {starts}: `scripts/lhv list` shows the rules.")
        record, test = known[starts]
        places.append((test, record))
    if fails:
        places.append((image.address(FAILURE), 0))
    return places


def gdb(platform, folder, words, image, places, commands):
    """Runs GDB on QEMU until the user leaves it.

    Arguments: a platform of QEMU; the run's folder; the kernel's options; the Image; stop_places(); commands for GDB, after
    which it ends, or [] for a prompt. Result: GDB's exit status. Error: Problem where one of both cannot be started.
    """
    command = [*platform.prepare(folder, " ".join(words)), "-S", "-gdb", f"unix:{SOCKET},server=on,wait=off"]
    if image.bits == 32:
        command[0] = QEMU_32
    Path(folder, "command.txt").write_text(f"# Started in this folder.\n{shlex.join(command)}\n")
    argument = ARGUMENT[image.bits][0]
    # before the loader has copied the image, only a breakpoint of the CPU outlives it
    stops = [f"hbreak *{address:#x}" + (f" if {argument} == {record:#x}" if record else "") for address, record in places]
    script = ["set pagination off" if commands else "set confirm off", f"set backtrace limit {FRAMES}", f"source {COMMANDS}", f"target remote {SOCKET}",
              *stops, *(["continue"] if stops else []), *commands]
    options = [word for line in script for word in ("-ex", line)]
    machine = Process(command, folder)
    try:
        while machine.alive() and not Path(folder, SOCKET).exists():
            time.sleep(POLL_SECONDS)
        if not machine.alive():
            raise Problem(f"QEMU ended at once. {platform.last_words(folder)}", NO_VERDICT)
        return _in_front(["gdb", "-q", *(["-batch"] if commands else []), *options, str(image.path.resolve())], folder)
    finally:
        machine.end(0)


def bochs(platform, folder, words, image, places, commands):
    """Runs Bochs with its debugger's console in front of the user. Arguments, result and errors: as of gdb()."""
    command = platform.prepare(folder, " ".join(words))
    Path(folder, "command.txt").write_text(f"# Started in this folder.\n{shlex.join(command)}\n")
    Path(folder, SYMBOLS).write_text("".join(f"{address:x} {name}\n" for name, address in image.functions()))
    argument = ARGUMENT[image.bits][1]
    stops = [f"lb {address:#x}" + (f' if "{argument} == {record:#x}"' if record else "") for address, record in places]
    script = [f'ldsym global "{SYMBOLS}"', *stops, *(["c"] if stops else []), *commands, *(["q"] if commands else [])]
    Path(folder, "rc").write_text("\n".join(script) + "\n")
    return _in_front(command, folder, platform.own_terminal)


def _in_front(command, folder, own_terminal=None):
    """Runs a command on the user's terminal, which alone hears of Ctrl-C. Returns its exit status.

    own_terminal: see process.Process; its messages then go to a file.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with open(Path(folder, MESSAGES), "ab") as messages:
            running = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *command], cwd=folder,
                                       env=dict(os.environ, TERM=os.environ.get("TERM", "linux")),
                                       stderr=messages if own_terminal else None,
                                       preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        if own_terminal:
            ended = lambda: running.poll() is not None
            threading.Thread(target=drain_own_terminal, args=(own_terminal, folder, ended), daemon=True).start()
        return running.wait()
    except FileNotFoundError:
        raise Problem(f"The program {command[0]} is missing. Run scripts/setup.") from None
    finally:
        signal.signal(signal.SIGINT, before)
