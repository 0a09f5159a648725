"""The commands of scripts/lhv: a module each, whose register() adds it to the command line."""

from . import bisect, coverage, diff, explain, faults, gdb, image, issues, list, platforms, report, run, sweep, vmcs_layout

ALL = (run, bisect, sweep, explain, report, diff, gdb, image, list, coverage, issues, faults, vmcs_layout, platforms)     # in the help's order
