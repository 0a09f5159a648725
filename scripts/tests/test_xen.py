"""Xen inside Bochs: what can be said without starting it."""

import lzma
import struct
import subprocess

import pytest

from lhvtool import bochs, bzimage, kvm, nested, packages, xen
from lhvtool.problem import Problem

KERNEL = b"what Linux is " * 10000


def kernel_image(payload):
    """A kernel image with a setup of 2 sectors, and the payload behind 100 bytes of other things."""
    image = bytearray(3 * 512 + 100) + payload + b"behind"
    image[bzimage.SETUP_SECTORS] = 2
    image[bzimage.MAGIC:bzimage.MAGIC + 4] = b"HdrS"
    struct.pack_into("<II", image, bzimage.PAYLOAD_OFFSET, 100, len(payload))
    return bytes(image)


def test_a_kernel_is_packed_anew(tmp_path):
    packed = lzma.compress(KERNEL) + struct.pack("<I", len(KERNEL))
    (tmp_path / "old").write_bytes(kernel_image(packed))
    bzimage.with_lz4(tmp_path / "old", tmp_path / "new")
    new = (tmp_path / "new").read_bytes()
    offset, length = struct.unpack_from("<II", new, bzimage.PAYLOAD_OFFSET)
    payload = new[3 * 512 + offset:][:length]
    assert new[:bzimage.PAYLOAD_OFFSET] == kernel_image(packed)[:bzimage.PAYLOAD_OFFSET]
    assert struct.unpack("<I", payload[-4:]) == (len(KERNEL),)
    done = subprocess.run(["lz4", "-d", "-c"], input=payload[:-4], capture_output=True, check=True)
    assert done.stdout == KERNEL


@pytest.mark.parametrize("image", [b"", b"no kernel" * 1000, kernel_image(b"not packed with XZ"),
                                   kernel_image(lzma.compress(KERNEL)[:-20])], ids=["empty", "other", "other-payload", "cut"])
def test_what_is_no_kernel_is_refused(tmp_path, image):
    (tmp_path / "old").write_bytes(image)
    with pytest.raises(Problem, match="is not a Linux kernel whose payload is packed with XZ"):
        bzimage.with_lz4(tmp_path / "old", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_options_that_do_not_fit_are_refused():
    xen.check_environment(["lhv_opt=0xdfd"] * (xen.WORDS - 1))
    xen.check_environment(["skip=" + "x" * (xen.ENVIRONMENT_SIZE - 600)])
    with pytest.raises(Problem, match="at most 23 options"):
        xen.check_environment(["lhv_opt=0xdfd"] * xen.WORDS)
    with pytest.raises(Problem, match="characters in all"):
        xen.check_environment(["skip=" + "x" * xen.ENVIRONMENT_SIZE])


def test_grub_reads_each_option_and_the_image():
    assert len(xen.EMPTY_ENVIRONMENT) == xen.ENVIRONMENT_SIZE
    load, start, _boot, _end = xen.LHV_SCRIPT.split("\n")
    assert load.split()[3:] == ["image", *xen.OPTION_NAMES]
    assert start.split()[2:] == ["$" + name for name in xen.OPTION_NAMES]


def test_what_xen_said_of_a_domain_is_found():
    log = ("(XEN) Freed 656kB init memory\n"
           "(XEN) d12v0 vmentry failure (reason 0x80000021): Invalid guest state (4)\n"
           "(XEN) ************* VMCS Area **************\n"
           "(XEN) d0v0 something of Linux\n"
           "(XEN) [   53.837428] domain_crash called from arch/x86/hvm/vmx/vmx.c:3861\n")
    assert xen.CRASH.findall(log) == ["d12v0 vmentry failure (reason 0x80000021): Invalid guest state (4)",
                                      "domain_crash called from arch/x86/hvm/vmx/vmx.c:3861"]


def test_what_is_missing_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(nested, "missing", lambda: None)
    monkeypatch.setattr(packages, "cached", lambda folder, pattern: None)
    monkeypatch.setattr(packages, "known", lambda name: False)
    assert "xen-system-amd64 is neither in build/nested nor known to apt-get" in xen.missing()
    monkeypatch.setattr(packages, "known", lambda name: True)
    assert xen.missing() is None
    monkeypatch.setattr(xen, "FIRMWARE", (tmp_path / "bios.bin",))
    assert xen.missing() == f"The file {tmp_path}/bios.bin of QEMU is not installed. Run scripts/setup."
    monkeypatch.setattr(nested, "missing", lambda: "Bochs is not there.")
    assert xen.missing() == "Bochs is not there."
    with pytest.raises(Problem, match="Bochs is not there"):
        xen.Xen("lhv.bin", None, 1, 128)


class FakeDom0(kvm.Linux):
    """A Xen that is never started."""

    version = "4.17.7"
    facts = {}
    environment_block = 655

    def __init__(self):
        super().__init__("/nowhere")


def test_memory_has_a_limit(monkeypatch):
    monkeypatch.setattr(xen, "missing", lambda: None)
    platform = xen.Xen("lhv.bin", "haswell", 2, 1280, FakeDom0())
    assert (platform.name, platform.version, platform.under) == ("xen", "4.17.7", f"bochs {bochs.version()}")
    with pytest.raises(Problem, match="at most 1280 MiB"):
        xen.Xen("lhv.bin", "haswell", 2, 1281, FakeDom0())
