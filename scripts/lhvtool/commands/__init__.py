"""The commands of scripts/lhv: a module each, whose register() adds it to the command line."""

from . import faults, list, platforms, run, vmcs_layout

ALL = (run, list, faults, vmcs_layout, platforms)     # in the order of the help
