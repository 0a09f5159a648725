"""Makes boot media: a CD image whose GRUB starts a kernel at once, without a menu."""

import contextlib
import re
import subprocess
import tempfile
from pathlib import Path

from .problem import Problem

UNSAFE = re.compile(r"[^!#-&(-\[\]-~]")     # all but printable ASCII without space, ', " and \


def check_words(words):
    """Refuses kernel options that no boot loader could pass on unchanged.

    Error: Problem, naming the first word that holds a space, a quote, a backslash or a character
    that is not printable ASCII.
    """
    for word in words:
        if UNSAFE.search(word):
            raise Problem(f"The kernel option {word!r} holds a space, a quote, a backslash or a "
                          "character that is not printable ASCII, which no boot loader passes on.")


def grub_command(command_line, loader="multiboot2", kernel="(cd)/lhv.bin"):
    """GRUB's command that loads the kernel with the given options.

    Arguments: the options as one string; "multiboot2" or "multiboot"; the kernel's file as GRUB names it.
    """
    words = command_line.split()
    check_words(words)
    quoted = "".join(f" '{word}'" for word in words)
    return f"{loader} {kernel}{quoted}"


def grub_script(command_line, loader="multiboot2", kernel="(cd)/lhv.bin"):
    """The GRUB script that starts the kernel with the given options. Arguments: as grub_command()."""
    return f"{grub_command(command_line, loader, kernel)}\nboot\n"


def iso(path, kernel, command_line, loader="multiboot2"):
    """Writes a bootable CD image.

    Arguments: where to write it, the kernel image, the kernel's options, and GRUB's command that
    starts it: "multiboot2" or "multiboot".
    Errors: Problem when a tool is missing or fails.
    """
    cd(path, grub_script(command_line, loader), [loader], {"lhv.bin": kernel})


def cd(path, script, modules, files):
    """Writes a CD image whose GRUB runs a script at once.

    Arguments: where to write it; the script, for which the CD is (cd); the GRUB modules of its commands; the CD's files, as a
    dict of names and paths.
    Errors: Problem when a tool is missing or fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        early = Path(folder, "early.cfg")
        core = Path(folder, "core.img")
        early.write_text(script)
        run(["grub-mkimage", "-O", "i386-pc-eltorito", "-p", "/", "-c", early, "-o", core,
             "biosdisk", "iso9660", *modules])
        run(["xorriso", "-as", "mkisofs", "-quiet", "-o", path, "-graft-points",
              "-b", "core.img", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table",
              "--grub2-boot-info", f"core.img={core}", *(f"{name}={Path(file).resolve()}" for name, file in files.items())])


@contextlib.contextmanager
def saved(path):
    """With this, a medium gets to where the user wants it, whole or not at all.

    Argument: the path. Result: the path to write it to first.
    Error: Problem where it cannot be, as for a device: an image does not go over a disk by a slip.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise Problem(f"{path} is no ordinary file. Write the image to a file; `dd` copies it to a device.")
    if not path.parent.is_dir():
        raise Problem(f"The folder {path.parent} is not there.")
    try:
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            yield Path(folder, path.name)
            Path(folder, path.name).replace(path)
    except OSError as error:
        raise Problem(f"{path} cannot be written: {error.strerror}.") from None


def run(command):
    """Runs a tool. Error: Problem when it is missing or fails."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError:
        raise Problem(f"The program {command[0]} is missing. Run scripts/setup.") from None
    if done.returncode:
        raise Problem(f"{command[0]} failed: {done.stderr.strip()}")
