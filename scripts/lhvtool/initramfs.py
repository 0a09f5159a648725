"""Makes initial RAM file systems for Linux: a program with its libraries, kernel modules, files; packed and cached."""

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from .problem import Problem

BUSYBOX = Path("/bin/busybox")
APPLETS = ("cat", "cp", "dd", "dmesg", "echo", "grep", "head", "insmod", "kill", "ln", "ls", "mkdir", "mount", "sed", "sh", "sleep",
           "stty", "tail", "tr", "uname")

# What only costs time when a module is loaded: its signature goes with the symbols, and these sections
USELESS_SECTIONS = (".BTF", ".BTF.base", "_ftrace_eval_map", ".rela_ftrace_eval_map")


class Tree:
    """The files of an initramfs, before they are packed."""

    def __init__(self):
        self._files = {}          # path in the initramfs -> path of the file here
        self._modules = {}
        self._links = {}

    def file(self, inside, path):
        """Adds a file; its mode is kept."""
        self._files[inside.lstrip("/")] = Path(path)

    def link(self, inside, target):
        """Adds a symbolic link."""
        self._links[inside.lstrip("/")] = target

    def module(self, path):
        """Adds a kernel module to /modules, without what only costs time."""
        self._modules[f"modules/{Path(path).name}"] = Path(path)

    def busybox(self):
        """Adds busybox, which has to be a static one, with the commands that the agent uses."""
        self.file("bin/busybox", BUSYBOX)
        for name in APPLETS:
            self.link(f"bin/{name}", "busybox")

    def program(self, inside, path, roots=()):
        """Adds a program with the libraries that it needs.

        Arguments: where it goes; where it is; the folders of unpacked packages in which libraries are looked for
        first. Error: Problem where it needs a library that is not there.
        """
        self.file(inside, path)
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
        if roots:
            environment["LD_LIBRARY_PATH"] = ":".join(
                sorted({str(library.parent) for root in roots for library in Path(root).rglob("*.so*")}))
        done = subprocess.run(["ldd", path], env=environment, capture_output=True, text=True)
        if "not found" in done.stdout or done.returncode:
            missing = ", ".join(re.findall(r"(\S+) => not found", done.stdout)) or done.stderr.strip()
            raise Problem(f"The program {path} lacks libraries: {missing}. Run scripts/setup.")
        for name, library in re.findall(r"^\s*(\S+)(?: => (/\S+))? \(0x", done.stdout, re.MULTILINE):
            if library or name.startswith("/"):
                where = library or name
                inside_root = any(where.startswith(f"{root}/") for root in roots)
                self.file(f"lib/{Path(where).name}" if inside_root else where, where)

    def key(self):
        """A text that changes whenever a file, a module or a link does."""
        digest = hashlib.sha256()
        for inside, path in sorted((self._files | self._modules).items()):
            about = path.stat()
            digest.update(f"{inside} {path} {about.st_mode:o} {about.st_size} {about.st_mtime_ns}\n".encode())
        digest.update(repr(sorted(self._links.items())).encode())
        return digest.hexdigest()[:16]

    def packed(self, folder, name):
        """The initramfs as a file, made unless a folder has it already. Returns its path.

        Arguments: the cache folder, which is made; a name for people.
        Errors: Problem where a file or a tool is missing.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for path in [*self._files.values(), *self._modules.values()]:
            if not path.exists():
                raise Problem(f"The file {path} is missing. Run scripts/setup.")
        target = folder / f"{name}-{self.key()}.cpio.lz4"
        if target.exists():
            return target
        with tempfile.TemporaryDirectory(dir=folder) as work:
            self._lay_out(Path(work, "root"))
            cpio(Path(work, "cpio"), Path(work, "root"))
            # Linux knows the legacy frame only
            run(["lz4", "-l", "-9", "-q", "cpio", "packed"], work)
            for old in folder.glob(f"{name}-*.cpio.lz4"):
                old.unlink()
            Path(work, "packed").rename(target)
        return target

    def _lay_out(self, root):
        for name in ("bin", "dev", "proc", "sys", "tmp", "lib", "lib64"):
            (root / name).mkdir(parents=True)
        for inside, path in self._files.items():
            (root / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, root / inside)
        for inside, target in self._links.items():
            (root / inside).parent.mkdir(parents=True, exist_ok=True)
            (root / inside).symlink_to(target)
        drop = [word for section in USELESS_SECTIONS for word in ("-R", section)]
        for inside, path in self._modules.items():
            (root / inside).parent.mkdir(parents=True, exist_ok=True)
            run(["objcopy", "--strip-unneeded", *drop, str(path.resolve()), str(root / inside)])


def compiled(folder, source):
    """A program of one C file, linked statically, as a file in a cache folder. Returns its path. Errors: Problem."""
    program = Path(folder, Path(source).stem)
    if not program.exists() or program.stat().st_mtime < Path(source).stat().st_mtime:
        Path(folder).mkdir(parents=True, exist_ok=True)
        run(["gcc", "-static", "-Os", "-s", "-Wall", "-Wextra", "-Werror", "-o", str(program), str(source)])
    return program


def cpio(path, root, follow=False):
    """Packs a folder into an archive in the format that Linux reads.

    Arguments: the archive; the folder; whether it holds links for the files that are meant. Errors: Problem.
    """
    names = "\0".join(sorted(str(one.relative_to(root)) for one in Path(root).rglob("*")))
    with open(path, "wb") as archive:
        run(["cpio", "-o", "-H", "newc", "-R", "0:0", "--null", "--quiet", *(["-L"] if follow else [])], root, names.encode(), archive)


def run(command, folder=None, given=b"", output=subprocess.PIPE):
    """Runs a tool and returns what it printed. Error: Problem where it is missing or fails."""
    try:
        done = subprocess.run(command, cwd=folder, input=given, stdout=output, stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise Problem(f"The program {command[0]} is missing. Run scripts/setup.") from None
    if done.returncode:
        raise Problem(f"{command[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
