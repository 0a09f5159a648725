"""scripts/setup, with programs in its path that only pretend."""

import subprocess
from pathlib import Path

SETUP = Path(__file__).resolve().parents[1] / "setup"

# Says that all packages are installed but those in $ABSENT; `apt-get install` empties that list.
DPKG_QUERY = """#!/bin/sh
shift 2
for package; do
	grep -qx "$package" "$ABSENT" || printf '%s:installed ' "$package"
done
"""
APT_GET = """#!/bin/sh
echo "$@" >>"$CALLS"
case $* in
*update*) exit 0 ;;
*) [ -e "$BROKEN" ] && { echo "E: Unable to locate package xorriso"; exit 100; }; : >"$ABSENT" ;;
esac
"""


def run_setup(tmp_path, absent=(), broken=False, debian=True):
    """Runs setup; returns the ended process and the calls of apt-get."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "id", "env", "mktemp", "rm", "grep", "tail", "tr"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    if debian:
        for name, text in (("dpkg-query", DPKG_QUERY), ("apt-get", APT_GET)):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
    (tmp_path / "absent").write_text("".join(f"{name}\n" for name in absent))
    (tmp_path / "calls").write_text("")
    if broken:
        (tmp_path / "broken").write_text("")
    (programs / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
    (programs / "sudo").chmod(0o755)
    environment = {"PATH": str(programs), "ABSENT": str(tmp_path / "absent"),
                   "CALLS": str(tmp_path / "calls"), "BROKEN": str(tmp_path / "broken")}
    done = subprocess.run(["/bin/sh", SETUP], env=environment, capture_output=True, text=True)
    return done, (tmp_path / "calls").read_text()


def test_nothing_is_done_when_all_is_there(tmp_path):
    done, calls = run_setup(tmp_path)
    assert (done.returncode, done.stdout, done.stderr, calls) == (0, "", "", "")


def test_only_what_is_missing_is_installed(tmp_path):
    done, calls = run_setup(tmp_path, ["xorriso", "bochs-term"])
    assert done.returncode == 0
    assert "Missing Debian packages: xorriso bochs-term." in done.stderr
    assert calls.splitlines()[-1] == "-q -y install --no-install-recommends xorriso bochs-term"


def test_a_failure_is_one_sentence_with_its_reason(tmp_path):
    done, _ = run_setup(tmp_path, ["xorriso"], broken=True)
    assert done.returncode == 1
    assert "could not install them" in done.stderr
    assert "E: Unable to locate package xorriso" in done.stderr


def test_another_distribution_is_told_what_is_needed(tmp_path):
    done, calls = run_setup(tmp_path, debian=False)
    assert done.returncode == 2
    assert "not a Debian-like system" in done.stderr and "bochs-term" in done.stderr
    assert calls == ""
