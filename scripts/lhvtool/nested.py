"""Bochs with a Linux that starts machines: what the platforms share that put a hypervisor between Bochs and LHV.

Starting Linux is most of the cost, so that one Linux serves many boots of the kernel: a Session takes orders over COM2
(scripts/nested/agent is the other end), what LHV prints comes out of COM1, Linux's own log out of COM3.
"""

import os
import pty
import re
import shlex
import shutil
import time
import tty
from pathlib import Path

from . import bochs, media
from .initramfs import cpio
from .problem import NO_VERDICT, Problem
from .process import POLL_SECONDS, Process

SCRIPTS = Path(__file__).resolve().parent.parent / "nested"

OUTPUT, LINUX_LOG = "com1.txt", "linux.txt"

# Limits in CPU seconds of Bochs, which other work on the machine does not stretch
BOOT_SECONDS = 150                # Linux, from power-on until it takes orders; it needs some 15
KILL_SECONDS = 15                 # the end of a machine after the order

# How Xen and Linux say that they give up
PANIC = re.compile(r"Panic on CPU \d+:\s.*|Kernel panic - .*")

# An order is read as a line
MAX_ORDER = 60_000

# What is not obvious:
# ips          Linux has 250 timer interrupts in a second, which with fewer instructions per second cost more of them;
# com1, com3   files lose nothing, however slow the reader is;
# com2         a terminal is the only thing that Bochs both reads and writes;
# error: action=ignore
#              nobody reads the many that a Linux makes, and they take time.
CONFIGURATION = """\
cpu: model={model}, count={cpus}, ips=50000000, reset_on_triple_fault=0
memory: guest={memory}, host={memory}
romimage: file={firmware}, options=fastboot
vgaromimage: file={vga_firmware}
config_interface: textconfig
display_library: term
vga: extension=vbe, update_freq=1, realtime=0
ata0-master: type=cdrom, path=cd.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=com1.txt
com2: enabled=1, mode=term, dev={terminal}
com3: enabled=1, mode=file, dev=linux.txt
port_e9_hack: enabled=1
log: bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
clock: sync=none, time0=1767225600
sound: driver=dummy
speaker: enabled=0
"""

# For Linux: nothing that takes time and that no hypervisor needs
LINUX_OPTIONS = ("quiet tsc=reliable no_timer_check mitigations=off nokaslr random.trust_cpu=on panic=-1 "
                 "cryptomgr.notests=1 lsm= audit=0 initcall_blacklist=load_system_certificate_list,trace_eval_init,"
                 "trace_eval_sync,cubictcp_register,init_kprobe_trace,slab_sysfs_init,msr_init")


def missing():
    """Why Bochs cannot carry a Linux here, as a sentence, or None if it can."""
    if reason := bochs.missing():
        return reason
    for program, package in (("busybox", "busybox-static"), ("cpio", "cpio"), ("lz4", "lz4"), ("objcopy", "binutils")):
        if not any(Path(folder, program).exists() for folder in ("/bin", "/usr/bin")):
            return f"The Debian package {package} is not installed. Run scripts/setup."
    return None


def log_address(memory):
    """Where the kernel keeps its log in so many MiB of memory: 4 MiB (lhv-kernel/console/memory-log.h), clear of what the
    firmware puts at the end."""
    return (memory - 5 & ~3) << 20


class Session:
    """A running Bochs whose Linux starts machines, one at a time."""

    output_file = OUTPUT              # that gets what the kernel under test prints; process.SCREEN where that is port E9

    def __init__(self, folder, model, cpus, memory, loader, script, modules, files, initramfs, payload):
        """Starts Bochs and waits until Linux takes orders.

        Arguments: a folder for its files, which is made; the CPU model of Bochs; its CPUs; its MiB of memory; the
        GRUB script, in which the CD's files are /NAME; the GRUB modules that the script needs; the CD's files, as
        a dict of names and paths; the initramfs; the files that Linux finds in /payload, as such a dict. The CD has
        both as /initrd.
        Error: Problem with what was seen where Linux never gets there.
        """
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._pack(payload, initramfs)
        media.cd(self.folder / "cd.iso", script, modules, {**files, "initrd": self.folder / "initrd"})
        self._answers, self._its_end = pty.openpty()
        tty.setraw(self._its_end)     # kept open, so that reading fails with nothing but silence
        os.set_blocking(self._answers, False)
        self._rest = b""
        self._read = 0                # of COM1's output
        (self.folder / "bochsrc").write_text(CONFIGURATION.format(
            model=model, cpus=cpus, memory=memory, terminal=os.ttyname(self._its_end),
            firmware=bochs.FIRMWARE, vga_firmware=bochs.VGA_FIRMWARE))
        (self.folder / "rc").write_text("c\nq\n")
        self.process = Process(["bochs", "-q", "-f", "bochsrc", "-rc", "rc"], self.folder, bochs.Bochs.own_terminal)
        try:
            self.facts = self._wait_for_linux(loader)
        except BaseException:
            self.close()
            raise

    def _pack(self, files, initramfs):
        root = self.folder / "payload"
        for name, path in files.items():
            inside = root / "payload" / name
            inside.parent.mkdir(parents=True, exist_ok=True)
            if not inside.exists():
                inside.symlink_to(Path(path).resolve())
        cpio(self.folder / "initrd", root, follow=True)
        with open(self.folder / "initrd", "ab") as archives, open(initramfs, "rb") as packed:
            shutil.copyfileobj(packed, archives)      # which must come last: what is packed hides what follows

    def _wait_for_linux(self, loader):
        while True:
            for answer in self.answers():
                word, _, facts = answer.partition(" ")
                if word == "ready":
                    return dict(fact.split("=", 1) for fact in facts.split() if "=" in fact)
            if panic := PANIC.search(self.log()):
                said = re.sub(r"\s*\n\(XEN\) ", " ", panic[0])
                raise Problem(f"{loader} did not come up. It says: {said}.", NO_VERDICT)
            if not self.alive():
                raise Problem(f"Bochs ended before {loader} was up. {self.last_words()}", NO_VERDICT)
            if self.process.cpu_so_far() > BOOT_SECONDS:
                raise Problem(f"{loader} was not up after {BOOT_SECONDS} CPU seconds of Bochs. {self.last_words()}", NO_VERDICT)
            time.sleep(POLL_SECONDS)

    def alive(self):
        """Whether Bochs still runs."""
        return self.process.alive()

    def order(self, text):
        """Sends an order: one line. Error: Problem where it is too long."""
        if len(text) > MAX_ORDER:
            raise Problem("The kernel's options are too long for the Linux that starts it.")
        data = text.encode() + b"\n"
        while data and self.alive() and self._answers is not None:
            try:
                data = data[os.write(self._answers, data):]
            except BlockingIOError:
                time.sleep(POLL_SECONDS)

    def answers(self):
        """The agent's answers that have come since the last call, as a list of lines."""
        try:
            while self._answers is not None and (data := os.read(self._answers, 4096)):
                self._rest += data
        except (BlockingIOError, OSError):
            pass
        *lines, self._rest = self._rest.split(b"\n")
        return [line.decode(errors="replace").strip() for line in lines]

    def output(self):
        """What the kernel under test has printed since the last call, as bytes."""
        path = self.folder / self.output_file
        if not path.exists():
            return b""
        with open(path, "rb") as file:
            file.seek(self._read)
            data = file.read()
        self._read += len(data)
        return data.replace(b"\r\n", b"\n")

    def log(self):
        """All of Linux's log so far."""
        path = self.folder / LINUX_LOG
        return path.read_bytes().decode("utf-8", "replace").replace("\r", "") if path.exists() else ""

    def last_words(self):
        """The last lines of Linux's log and Bochs's panic, as sentences; "" where there is neither."""
        lines = self.log().split("\n")
        lines = [line.strip() for line in lines if line.strip()]
        said = [f"Its log ends with: {' / '.join(lines[-3:])}."] if lines else []
        if panic := bochs.panics(self.folder):
            said.append(f"Bochs said: {panic}.")
        return " ".join(said)

    def close(self):
        """Ends Bochs; what it left can be read, but for the medium, which is large and can be made again."""
        self.process.end(0)
        if self._answers is None:
            return
        os.close(self._answers)
        os.close(self._its_end)
        self._answers = self._its_end = None
        (self.folder / "cd.iso").unlink(missing_ok=True)
        (self.folder / "initrd").unlink(missing_ok=True)


class Machine:
    """One machine that a Session has started: what machine.Platform.start() returns."""

    def __init__(self, session, words, serial, cpu_before):
        """Orders it.

        Arguments: the session; the words of the command, for Linux; the file for what comes out of COM1;
        the CPU seconds of Bochs that count as spent before this machine.
        """
        self.session = session
        self._serial = open(serial, "wb", buffering=0)
        self._before = cpu_before
        self.ended = None             # the agent's last answer: a status, and what the program said
        self.cpu_seconds = 0.0
        session.answers()
        session.output()              # of a machine before
        session.order("start " + shlex.join(words))

    def alive(self):
        """Whether it still runs; keeps what it has printed."""
        if self.ended is None:
            running = self.session.alive()
            for answer in self.session.answers():
                match = re.match(r"ended (\d+) ?(.*)", answer)
                self.ended = match.groups() if match else self.ended
            self._serial.write(self.session.output())
            if not running and self.ended is None:
                self.ended = ("", self.session.last_words())
        return self.ended is None

    def interrupt(self):
        """Nothing here has a debugger."""

    def end(self, grace):
        """Gives it some seconds to end by itself, then kills it, and the whole session if that does not help."""
        until = time.monotonic() + grace
        while self.alive() and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        if self.alive():
            self.session.order("kill")
            limit = self.session.process.cpu_so_far() + KILL_SECONDS
            while self.alive() and self.session.process.cpu_so_far() < limit:
                time.sleep(POLL_SECONDS)
        if self.alive():
            self.session.close()
        self.cpu_seconds = self.session.process.cpu_so_far() - self._before
        self._serial.close()
