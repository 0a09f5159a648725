"""scripts/lhv vmcs-layout: the lines of the kernel as a table."""

import pytest

from lhvtool import layout


def test_lines_are_read_in_the_order_of_the_region():
    log = ("# run vmcs.layout\r\n# layout: 0x6c16 0xf68 8 host RIP\r\n# layout: 0x0000 0x010 2 "
           "virtual-processor identifier (VPID)\r\n# layout: torn\nok 1 - vmcs.layout\n")
    assert layout.read(log) == [
        layout.Place(0, 0x10, 2, "virtual-processor identifier (VPID)"),
        layout.Place(0x6c16, 0xf68, 8, "host RIP")]
    assert layout.read("") == []


@pytest.mark.parametrize("arch, size", [("amd64", 8), ("i386", 4)])
def test_boot_layout_of_bochs(lhv, tmp_path, arch, size):
    done = lhv("vmcs-layout", "--arch", arch, "--out", tmp_path / "layout")
    assert done.status == 0, str(done)
    lines = [line.split(maxsplit=3) for line in done.out.splitlines() if line.startswith("0x")]
    fields = {int(encoding, 16): (int(offset, 16), int(count), name.strip())
              for offset, count, encoding, name in lines}
    assert fields[0x681e][1:] == (size, "guest RIP")
    assert fields[0x0802][1:] == (2, "guest CS selector")
    taken = [byte for offset, count, _ in fields.values() for byte in range(offset, offset + count)]
    assert len(taken) == len(set(taken)), "two fields share a byte"
    assert min(taken) >= 8, "the first 8 bytes are the revision identifier and the VMX-abort indicator"
