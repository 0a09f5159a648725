"""The commands of scripts/lhv: a module each, whose register() adds it to the command line."""

from . import bisect, faults, image, list, platforms, run, sweep, vmcs_layout

ALL = (run, bisect, sweep, image, list, faults, vmcs_layout, platforms)     # in the order of the help
