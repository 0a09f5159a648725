"""The command line of scripts/lhv."""

import argparse
import os
import signal
import sys

from . import commands
from .arguments import Commands
from .problem import INTERRUPTED, Problem


def main(arguments):
    """Does what the command line says.

    Arguments: the words after the program's name.
    Result: the exit status (see problem.py). Every error is one sentence on the error output.
    """
    signal.signal(signal.SIGTERM, _interrupt)      # so that the emulator is ended then, too
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        options = parser().parse_args(arguments)
        return options.command(options)
    except Problem as problem:
        print(f"lhv: {problem}", file=sys.stderr)
        return problem.status
    except KeyboardInterrupt:
        print("lhv: Interrupted; no emulator is left.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED


def _interrupt(_signal, _frame):
    raise KeyboardInterrupt


def parser():
    """The parser of the command line."""
    top = argparse.ArgumentParser(
        prog="lhv", allow_abbrev=False,
        description="Boots the LHV kernel on a platform and says which of the SDM's rules it breaks.",
        epilog="Status: 0 all well or as known; 1 a rule failed; 2 wrong use, missing set-up or "
               "nothing checked; 3 the platform died or hung without a verdict.")
    added = Commands(top)
    for module in commands.ALL:
        module.register(added)
    return top
