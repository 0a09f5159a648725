"""Makes disk images with GRUB for a BIOS: one that starts LHV, and one that starts XMHF and then LHV.

A disk is an MBR, a GRUB core from its second sector on, and a FAT partition with the files. The disk with
XMHF has a second core behind the first: the first starts XMHF, whose guest is a boot sector, and that boot
sector is GRUB's own, told to load the second core, which starts LHV. No root and no loop device is needed.
"""

import gzip
import re
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import media, show
from .problem import Problem

SECTOR = 512
CORE = 1                          # sectors: where GRUB's core begins,
SECOND_CORE = 1024                # the one that XMHF's guest boots,
PARTITION = 2048                  # and the partition
TRACK = 16 * 63                   # sectors of a cylinder, of which emulators want a whole number
FAT_MEBIBYTES = 3                 # at least, beyond the files

KERNEL_SECTOR = 0x5c              # of boot.img: where it finds the core (64 bits)
TABLE = 446                       # of an MBR: the partition table
CORE_REST = 500                   # of a core's first sector: where the second is (64 bits)
FAT16_LBA = 0x0e                  # the partition's type

GRUB = Path("/usr/lib/grub/i386-pc")
CORE_MODULES = ("biosdisk", "part_msdos", "fat")

SERIAL = "115200,8n1,0x3f8"       # what XMHF prints to: the port of LHV
MULTIBOOT = struct.pack("<I", 0x1badb002)


@dataclass(frozen=True)
class Xmhf:
    """A user's build of XMHF."""

    init: Path
    hypervisor: Path
    subarch: str                  # "amd64" or "i386"
    version: str                  # such as "6.1.0"; "unknown" where the build does not say
    revision: str                 # of its sources; "" where the build does not say


def find_xmhf(folder, arch=None):
    """The build of XMHF in a folder.

    Arguments: the folder; the build of LHV that it is to start, or None. Result: an Xmhf.
    Error: Problem where a file is missing or is not what its name says, and where this XMHF cannot start LHV.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise Problem(f"The folder {folder} is not there. --xmhf names the folder with init-x86-amd64.bin and "
                      "hypervisor-x86-amd64.bin.gz (or -i386) of your build of XMHF.")
    subarches = [name for name in ("amd64", "i386") if (folder / f"init-x86-{name}.bin").exists()]
    if not subarches:
        raise Problem(f"The folder {folder} has no init-x86-amd64.bin or init-x86-i386.bin: it holds no build of XMHF.")
    if len(subarches) > 1:
        raise Problem(f"The folder {folder} holds two builds of XMHF, amd64 and i386. Name one with a single build.")
    subarch = subarches[0]
    init, hypervisor = folder / f"init-x86-{subarch}.bin", folder / f"hypervisor-x86-{subarch}.bin.gz"
    if not hypervisor.exists():
        raise Problem(f"The folder {folder} has {init.name}, but no {hypervisor.name}, which belongs to it.")
    text = _read(init)
    if MULTIBOOT not in text[:8192]:
        raise Problem(f"{init} is no Multiboot program, so that GRUB could not start it.")
    named = re.search(rb"Subarch: (amd64|i386)", text)
    if named and named[1].decode() != subarch:
        raise Problem(f"{init} is an {named[1].decode()} build of XMHF under the name of an {subarch} build.")
    try:
        gzip.decompress(_read(hypervisor))
    except (OSError, EOFError):
        raise Problem(f"{hypervisor} is not a whole gzip file. Copy it once more from your build of XMHF.") from None
    if (subarch, arch) == ("i386", "amd64"):
        raise Problem(f"The folder {folder} holds an i386 build of XMHF, which hides 64-bit mode: take --arch pae or "
                      "--arch i386, or an amd64 build of XMHF.")
    version = re.search(rb"\bv(\d+\.\d+(?:\.\d+)*)\0", text)
    revision = re.search(rb"\0([\w./-]+-[0-9a-f]{40})\0", text)
    return Xmhf(init, hypervisor, subarch, version[1].decode() if version else "unknown",
                revision[1].decode() if revision else "")


def xmhf_script(init, hypervisor, guest):
    """GRUB's commands that load XMHF. Arguments: the three files as GRUB names them."""
    return (f"multiboot {init} serial={SERIAL} boot_drive=0x80\n"
            f"module {hypervisor}\n"
            f"module --nounzip {guest}\n")


def plain(path, kernel, command_line, loader="multiboot2"):
    """Writes a disk that starts LHV at once.

    Arguments: where to write it, the kernel image, the kernel's options, GRUB's command that starts it.
    Errors: Problem when a tool is missing or fails.
    """
    script = media.grub_script(command_line, loader, "/lhv.bin")
    _write(path, {"lhv.bin": _read(kernel)}, {CORE: (script, [loader])})


def with_xmhf(path, kernel, command_line, xmhf, loader="multiboot2"):
    """Writes a disk that starts XMHF, and in it LHV. Arguments: as plain(), and an Xmhf."""
    files = {"lhv.bin": _read(kernel), "init.bin": _read(xmhf.init), "hyper.gz": _read(xmhf.hypervisor),
             "guest.mbr": _boot_sector(SECOND_CORE)}
    first = xmhf_script("/init.bin", "/hyper.gz", "/guest.mbr") + "boot\n"
    second = media.grub_script(command_line, loader, "/lhv.bin")
    _write(path, files, {CORE: (first, ["multiboot", "gzio"]), SECOND_CORE: (second, [loader])})


def _read(path):
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Problem(f"{show.relative(path)} cannot be read: {error.strerror}.") from None


def _boot_sector(core):
    """GRUB's boot sector, told where the core is, with an empty partition table."""
    if not (GRUB / "boot.img").exists():
        raise Problem("GRUB's boot sector for a BIOS is missing. Run scripts/setup.")
    sector = bytearray((GRUB / "boot.img").read_bytes())
    struct.pack_into("<Q", sector, KERNEL_SECTOR, core)
    sector[TABLE:510] = bytes(64)
    return bytes(sector)


def _core(folder, at, script, modules):
    """A GRUB core that runs a script, ready to lie at a sector of the disk."""
    config, core = Path(folder, "early.cfg"), Path(folder, "core.img")
    config.write_text(script)
    media.run(["grub-mkimage", "-O", "i386-pc", "-p", "(,msdos1)/", "-c", config, "-o", core, *CORE_MODULES, *modules])
    data = bytearray(core.read_bytes())
    struct.pack_into("<Q", data, CORE_REST, at + 1)
    return data


def _partition(folder, files):
    """A FAT file system that holds the files. Argument: contents by name (8.3, in the root)."""
    size = sum(map(len, files.values())) + (FAT_MEBIBYTES << 20)
    sectors = -(-(PARTITION + size // SECTOR) // TRACK) * TRACK - PARTITION
    image = Path(folder, "fat.img")
    image.write_bytes(bytes(sectors * SECTOR))
    media.run(["mformat", "-i", image, "-T", str(sectors), "-h", "16", "-s", "63", "-H", str(PARTITION), "::"])
    for name, data in files.items():
        Path(folder, name).write_bytes(data)
        media.run(["mcopy", "-i", image, Path(folder, name), f"::/{name}"])
    return image.read_bytes()


def _write(path, files, cores):
    """Writes a disk. Arguments: where to; contents by name; (script, GRUB's modules) by the sector of the core."""
    with tempfile.TemporaryDirectory() as folder:
        partition = _partition(folder, files)
        mbr = bytearray(_boot_sector(CORE))
        struct.pack_into("<B3sB3sII", mbr, TABLE, 0x80, b"\xfe\xff\xff", FAT16_LBA, b"\xfe\xff\xff", PARTITION,
                         len(partition) // SECTOR)
        disk = mbr + bytes((PARTITION - 1) * SECTOR) + partition
        ends = [*sorted(cores), PARTITION]
        for at, end in zip(ends, ends[1:]):
            core = _core(folder, at, *cores[at])
            if len(core) > (end - at) * SECTOR:
                raise Problem(f"GRUB's core has {len(core)} bytes, more than the {(end - at) * SECTOR} before sector {end}.")
            disk[at * SECTOR:at * SECTOR + len(core)] = core
    Path(path).write_bytes(disk)
