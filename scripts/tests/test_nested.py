"""What KVM inside Bochs is made of: unpacked packages, the initramfs, the session's talk, and the platform's choices."""

import os
import subprocess

import pytest

from lhvtool import arguments, bochs, initramfs, kvm, nested, packages, platforms, qemu
from lhvtool.cli import parser
from lhvtool.problem import Problem


def test_of_several_unpacked_packages_the_newest_counts(tmp_path):
    assert packages.cached(tmp_path / "none", "linux-*") is None
    for when, name in enumerate(("linux-image-1_1.0", "linux-image-2_2.0", "other_3.0", "linux-image-3.part")):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (when, when))
    assert packages.cached(tmp_path, "linux-image-*") == ("linux-image-2", "2.0", tmp_path / "linux-image-2_2.0")


def test_a_package_that_cannot_be_had_is_a_sentence(tmp_path):
    with pytest.raises(Problem, match="lhv-no-such-package cannot be downloaded.*apt-get update"):
        packages.fetch(tmp_path, "lhv-no-such-package")
    assert list(tmp_path.iterdir()) == []


def contents(archive):
    """The names in a packed initramfs."""
    plain = subprocess.run(["lz4", "-d", "-c", archive], check=True, capture_output=True).stdout
    return subprocess.run(["cpio", "-t", "--quiet"], input=plain, check=True, capture_output=True).stdout.decode().split()


def test_an_initramfs_holds_its_files_and_is_made_anew_when_one_changes(tmp_path):
    script = tmp_path / "script"
    script.write_text("one")
    tree = initramfs.Tree()
    tree.file("init", script)
    tree.link("bin/sh", "busybox")
    first = tree.packed(tmp_path / "cache", "x")
    assert {"init", "bin/sh", "proc"} <= set(contents(first))
    before = first.stat().st_mtime_ns
    assert tree.packed(tmp_path / "cache", "x").stat().st_mtime_ns == before
    script.write_text("other")
    second = tree.packed(tmp_path / "cache", "x")
    assert second != first and not first.exists()
    script.chmod(0o755)
    assert tree.packed(tmp_path / "cache", "x") != second


def test_a_program_comes_with_its_libraries(tmp_path):
    tree = initramfs.Tree()
    tree.program("bin/true", "/bin/true")
    names = contents(tree.packed(tmp_path, "x"))
    assert "bin/true" in names
    assert any("libc.so" in name for name in names) and any("ld-linux" in name for name in names)


def test_a_missing_file_is_a_sentence(tmp_path):
    tree = initramfs.Tree()
    tree.file("init", tmp_path / "none")
    with pytest.raises(Problem, match="none is missing. Run scripts/setup"):
        tree.packed(tmp_path, "x")


class FakeProcess:
    """Bochs, as a session's process: alive as long as it is told."""

    def __init__(self):
        self.seconds = 10.0

    def cpu_so_far(self):
        self.seconds += 1.0
        return self.seconds


class FakeSession:
    """A session whose Linux does what the test says."""

    def __init__(self):
        self.process = FakeProcess()
        self.orders, self.coming, self.printed = [], [], b""
        self.running, self.closed = True, False

    def alive(self):
        return self.running

    def order(self, text):
        self.orders.append(text)

    def answers(self):
        coming, self.coming = self.coming, []
        return coming

    def output(self):
        printed, self.printed = self.printed, b""
        return printed

    def last_words(self):
        return "Its log ends with: oops."

    def close(self):
        self.closed = True


def test_a_machine_is_ordered_and_its_output_kept(tmp_path):
    session = FakeSession()
    session.printed, session.coming = b"of the machine before", ["ended 0"]
    machine = nested.Machine(session, ["qemu", "-append", "a b='c'"], tmp_path / "serial.txt", 4.0)
    assert session.orders == ["""start qemu -append 'a b='"'"'c'"'"''"""]
    session.printed = b"TAP version 14\n"
    assert machine.alive()
    session.printed, session.coming = b"1..1\n", ["ended 3 qemu: no;"]
    assert not machine.alive()
    assert machine.ended == ("3", "qemu: no;")
    machine.end(0)
    assert (tmp_path / "serial.txt").read_bytes() == b"TAP version 14\n1..1\n"
    assert machine.cpu_seconds == 7.0 and not session.closed


def test_a_machine_that_does_not_end_takes_the_session_with_it(tmp_path):
    session = FakeSession()
    machine = nested.Machine(session, ["qemu"], tmp_path / "serial.txt", 0)
    machine.end(0)
    assert session.orders[-1] == "kill" and session.closed


def test_when_bochs_has_ended_so_has_the_machine(tmp_path):
    session = FakeSession()
    machine = nested.Machine(session, ["qemu"], tmp_path / "serial.txt", 0)
    session.running = False
    assert not machine.alive()
    assert machine.ended == ("", "Its log ends with: oops.")


def chosen(*words):
    """The platform that `lhv run` chooses by these options."""
    options = parser().parse_args(["run", *words])
    return arguments.platform(options), options


def test_the_machine_option_is_for_kvm():
    with pytest.raises(Problem, match="--machine goes with --on kvm"):
        chosen("--on", "bochs", "--machine", "q35")


def test_silence_is_the_platforms_own_unless_given():
    assert chosen("--on", "bochs")[1].timeout == bochs.Bochs.silence
    assert chosen("--on", "bochs", "--timeout", "7")[1].timeout == 7


@pytest.fixture
def inside_bochs(monkeypatch):
    """No VMX here, and a kernel's package without the download."""
    monkeypatch.setattr(qemu, "missing_kvm", lambda: "The host's CPU announces no VMX.")
    monkeypatch.setattr(kvm, "missing", lambda: None)
    monkeypatch.setattr(kvm, "kernel_package", lambda: ("linux-image-6.1.0-9-cloud-amd64", "6.1.9-1", "/nowhere"))


def test_kvm_inside_bochs_says_what_it_is(inside_bochs):
    platform, options = chosen("--on", "kvm", "--machine", "microvm")
    assert (platform.name, platform.version) == ("kvm", "6.1.0-9-cloud-amd64")
    assert platform.under == f"bochs {bochs.version()}"
    assert platform.facts["machine"] == "microvm" and platform.facts["linux"].endswith("6.1.9-1")
    assert options.timeout == kvm.Kvm.silence


def test_limits_of_kvm_inside_bochs(inside_bochs):
    with pytest.raises(Problem, match="at most 1664 MiB"):
        platforms.CLASSES["kvm"]("lhv.bin", None, 1, 2048)
    with pytest.raises(Problem, match="machines q35 and microvm"):
        platforms.CLASSES["kvm"]("lhv.bin", None, 1, 128, "pc")


def test_linux_is_shared_and_closed_by_who_made_it(inside_bochs):
    first = kvm.Kvm("lhv.bin", None, 1, 128)
    second = kvm.Kvm("other.bin", None, 2, 64, session=first.linux)
    closed = []
    first.linux.close = lambda: closed.append(1)
    second.close()
    assert second.linux is first.linux and not closed
    first.close()
    assert closed


def test_the_hosts_own_kvm_is_preferred(monkeypatch):
    monkeypatch.setattr(qemu, "missing_kvm", lambda: None)
    platform = kvm.platform("lhv.bin", None, 1, 128, "microvm")
    command = platform.prepare(None, "lhv_opt=0x0")
    assert (platform.name, platform.under) == ("kvm", "")
    assert command[command.index("-M") + 1] == "microvm" and command[command.index("-accel") + 1] == "kvm"
