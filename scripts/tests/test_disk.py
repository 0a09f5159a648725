"""Boot media made by `scripts/lhv image`: layout, menu entries, refusals; and boots from each of them."""

import gzip
import struct
import subprocess

import pytest

from conftest import SCRIPTS
from lhvtool import bochs, disk, machine, qemu, results
from lhvtool.problem import Problem

KERNEL = SCRIPTS.parent / "build" / "amd64" / "lhv.bin"
INIT = b"code" * 64 + disk.MULTIBOOT + b"\0v6.1.0\0xmhf64-" + b"7" * 40 + b"\0Subarch: amd64\n"


@pytest.fixture
def build(tmp_path):
    """A folder that looks like a user's amd64 build of XMHF."""
    folder = tmp_path / "xmhf"
    folder.mkdir()
    (folder / "init-x86-amd64.bin").write_bytes(INIT)
    (folder / "hypervisor-x86-amd64.bin.gz").write_bytes(gzip.compress(b"hypervisor" * 1000))
    return folder


@pytest.fixture
def kernel(tmp_path):
    path = tmp_path / "some-kernel"
    path.write_bytes(bytes(range(256)) * 2000)
    return path


def sectors(data, first, count=1):
    return data[first * 512:(first + count) * 512]


def core_of(data, at):
    """A GRUB core on a disk. Asserts that it continues where its first sector says."""
    assert struct.unpack_from("<Q", sectors(data, at), 500)[0] == at + 1
    return sectors(data, at, 1000)


def files_of(image):
    """The files of the disk's partition, by name."""
    where = f"{image}@@{disk.PARTITION * 512}"
    names = subprocess.run(["mdir", "-b", "-i", where, "::"], capture_output=True, text=True, check=True).stdout
    return {name.removeprefix("::/"): subprocess.run(["mtype", "-i", where, name], capture_output=True,
                                                     check=True).stdout for name in names.split()}


def test_the_layout_of_a_disk(tmp_path, kernel):
    disk.plain(tmp_path / "disk.img", kernel, "lhv_opt=0x4")
    data = (tmp_path / "disk.img").read_bytes()
    mbr = sectors(data, 0)
    active, kind, begin, size = struct.unpack_from("<B3xB3xII", mbr, 446)
    assert (active, kind, begin) == (0x80, 0x0e, 2048)
    assert mbr[462:510] == bytes(48) and mbr[510:] == b"\x55\xaa"
    assert struct.unpack_from("<Q", mbr, 0x5c)[0] == 1
    assert (begin + size) * 512 == len(data)
    assert len(data) % (16 * 63 * 512) == 0
    core_of(data, 1)
    assert files_of(tmp_path / "disk.img") == {"lhv.bin": kernel.read_bytes()}


def test_the_layout_of_a_disk_with_xmhf(tmp_path, kernel, build):
    disk.with_xmhf(tmp_path / "disk.img", kernel, "", disk.find_xmhf(build))
    data = (tmp_path / "disk.img").read_bytes()
    assert core_of(data, 1) != core_of(data, 1024)
    files = files_of(tmp_path / "disk.img")
    guest = files.pop("guest.mbr")
    assert files == {"lhv.bin": kernel.read_bytes(), "init.bin": INIT,
                     "hyper.gz": (build / "hypervisor-x86-amd64.bin.gz").read_bytes()}
    assert len(guest) == 512 and guest[446:510] == bytes(64)
    assert struct.unpack_from("<Q", guest, 0x5c)[0] == 1024
    assert guest[:0x5c] == sectors(data, 0)[:0x5c]


def test_what_a_build_says_of_itself(build):
    found = disk.find_xmhf(build, "pae")
    assert (found.subarch, found.version, found.revision) == ("amd64", "6.1.0", "xmhf64-" + "7" * 40)


def spoil(build, how):
    init, hypervisor = build / "init-x86-amd64.bin", build / "hypervisor-x86-amd64.bin.gz"
    match how:
        case "no folder":
            return build / "none"
        case "empty":
            init.unlink()
        case "no hypervisor":
            hypervisor.unlink()
        case "hypervisor of the other build":
            hypervisor.rename(build / "hypervisor-x86-i386.bin.gz")
        case "two builds":
            (build / "init-x86-i386.bin").write_bytes(INIT)
        case "no program":
            init.write_bytes(b"text")
        case "renamed":
            init.write_bytes(INIT.replace(b"Subarch: amd64", b"Subarch: i386"))
        case "cut":
            hypervisor.write_bytes(hypervisor.read_bytes()[:20])
        case "not compressed":
            hypervisor.write_bytes(b"hypervisor")
        case "i386":
            init.rename(build / "init-x86-i386.bin").write_bytes(INIT.replace(b": amd64", b": i386"))
            hypervisor.rename(build / "hypervisor-x86-i386.bin.gz")
    return build


@pytest.mark.parametrize("how, sentence", [
    ("no folder", "none is not there"), ("empty", "holds no build of XMHF"),
    ("no hypervisor", "no hypervisor-x86-amd64.bin.gz, which belongs to it"),
    ("hypervisor of the other build", "no hypervisor-x86-amd64.bin.gz, which belongs to it"),
    ("two builds", "two builds of XMHF"), ("no program", "no Multiboot program"),
    ("renamed", "an i386 build of XMHF under the name of an amd64 build"),
    ("cut", "not a whole gzip file"), ("not compressed", "not a whole gzip file"), ("i386", "hides 64-bit mode")])
def test_a_build_that_will_not_do(build, how, sentence):
    with pytest.raises(Problem, match=sentence):
        disk.find_xmhf(spoil(build, how), "amd64")


def test_an_i386_build_starts_32_bit_kernels(build):
    assert disk.find_xmhf(spoil(build, "i386"), "pae").subarch == "i386"


@pytest.mark.parametrize("words, sentence", [
    ([], "Give --iso FILE, --disk FILE or --grub-entry."), (["--iso", "{}/x", "--xmhf", "{}"], "XMHF starts from a disk"),
    (["--disk", "/dev/null"], "no ordinary file"), (["--disk", "{}/none/x"], "none is not there"),
    (["--disk", "{}/x", "--xmhf", "{}/none"], "none is not there"), (["--disk", "{}/x", "--append", "a'b"], "kernel option"),
    (["--disk", "{}/x", "--build", "{}"], "run `make`")])
def test_refusals(lhv, tmp_path, words, sentence):
    done = lhv("image", *(word.format(tmp_path) for word in words))
    assert done.status == 2 and sentence in done.err, str(done)
    assert "Traceback" not in done.err and not (tmp_path / "x").exists()


def test_menu_entries(lhv, build):
    done = lhv("image", "--grub-entry", "--opt", "0x1fc")
    assert done.status == 0 and done.out.count("menuentry") == 1, str(done)
    assert "multiboot2 /boot/lhv.bin 'lhv_opt=0x1fc'\n" in done.out
    done = lhv("image", "--grub-entry", "--xmhf", str(build))
    assert done.out.count("menuentry") == 2
    assert "module --nounzip (hd0)+1" in done.out and "boot_drive=0x80" in done.out
    (build / "entry.cfg").write_text(done.out)
    subprocess.run(["grub-script-check", build / "entry.cfg"], check=True)


# A boot from each medium, as a user starts it; the runner's own boots come from other media.

@pytest.fixture(params=["bochs", "qemu"])
def emulator(request):
    return (bochs.Bochs if request.param == "bochs" else qemu.Qemu)(KERNEL, None, 1, 64)


def boot(platform, tmp_path, medium):
    """Boots an emulator from the medium in the folder. Result: a machine.Boot."""
    if isinstance(platform, bochs.Bochs):
        command = platform.configure(tmp_path, bochs.CD if medium == "cd.iso" else bochs.DISK)
    else:
        command = platform.configure(("-cdrom", "cd.iso") if medium == "cd.iso" else qemu.DISK)
    platform.prepare = lambda folder, command_line: command
    return machine.boot(1, tmp_path, platform, "", 60, (), lambda log: None)


@pytest.mark.parametrize("option, medium", [("--iso", "cd.iso"), ("--disk", "disk.img")])
def test_boots_from_a_medium(lhv, tmp_path, emulator, option, medium):
    made = lhv("image", option, str(tmp_path / medium), "--tests", "user.host.gp.hlt,exit.cpuid.reason")
    assert made.status == 0 and medium in made.out, str(made)
    booted = boot(emulator, tmp_path, medium)
    assert booted.log.verdict == "pass", booted
    assert booted.log.facts["boot options"] == "tests=user.host.gp.hlt,exit.cpuid.reason"
    ran = {one.id: one.outcome for one in results.merge([booted], 60)}
    assert ran["exit.cpuid.reason"] == ("passed" if emulator.accelerator != "tcg" else "skipped")
