"""Debian packages that are needed, but not installed: downloaded once, and unpacked into a folder of their own."""

import re
import shutil
import subprocess
from pathlib import Path

from .problem import Problem

PACKAGE = re.compile(r"^[a-z0-9][a-z0-9.+-]+$")


def _ask(*command, folder=None):
    """What a program printed, or None where it failed or is not there."""
    try:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def dependency(name, prefix):
    """The package, among those that a package depends on, whose name begins with a prefix; None if there is none."""
    listed = _ask("apt-cache", "depends", name) or ""
    return next((one for one in re.findall(r"Depends: (\S+)", listed) if one.startswith(prefix)), None)


def installed_version(name):
    """The version of an installed package; None if it is not installed."""
    return _ask("dpkg-query", "-W", "-f", "${Version}", name) or None


def cached(folder, pattern):
    """The unpacked package, in a folder, whose name fits a glob: (name, version, where); None if there is none.

    Of several it is the one that was unpacked last.
    """
    found = sorted((path for path in Path(folder).glob(f"{pattern}_*") if path.is_dir() and ".part" not in path.name),
                   key=lambda path: path.stat().st_mtime)
    if not found:
        return None
    name, _, version = found[-1].name.partition("_")
    return name, version, found[-1]


def fetch(folder, name):
    """Downloads a package and unpacks it. Returns (name, version, where).

    Arguments: the folder for all unpacked packages, which is made; the package.
    Error: Problem that says what to do where it cannot be had.
    """
    folder = Path(folder)
    work = folder / f"{name}.part"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        _ask("apt-get", "download", name, folder=work)
        found = list(work.glob("*.deb"))
        if not found:
            raise Problem(f"The Debian package {name} cannot be downloaded. With a network, run `apt-get update` as root, "
                          "then this command again; afterwards no network is needed.")
        version = found[0].name.split("_")[1].replace("%3a", ":")
        if _ask("dpkg", "-x", found[0].name, "tree", folder=work) is None:
            raise Problem(f"The Debian package {name} cannot be unpacked: {found[0].name} is damaged, or the disk is full.")
        where = folder / f"{name}_{version}"
        shutil.rmtree(where, ignore_errors=True)
        (work / "tree").rename(where)
        return name, version, where
    finally:
        shutil.rmtree(work, ignore_errors=True)


def known(name):
    """Whether apt knows a package, so that it could be downloaded."""
    return bool(PACKAGE.match(name) and _ask("apt-cache", "show", "--no-all-versions", name))
