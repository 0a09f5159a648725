"""Linux kernel images: packs one anew, so that who starts it unpacks it in less time."""

import lzma
import struct
from pathlib import Path

from .initramfs import run
from .problem import Problem

# The header of the boot protocol, by offsets in the file
SETUP_SECTORS, MAGIC, PAYLOAD_OFFSET, PAYLOAD_LENGTH = 0x1f1, 0x202, 0x248, 0x24c


def with_lz4(path, target):
    """Writes a kernel image whose payload is packed with LZ4 instead of XZ.

    Its own program to unpack itself is left as it was, so that only a loader that unpacks the payload, as Xen does, can
    start it. Arguments: the image; the file to write. Error: Problem where it is no such image.
    """
    image = Path(path).read_bytes()
    try:
        if image[MAGIC:MAGIC + 4] != b"HdrS":
            raise ValueError("it has no header")
        offset, length = struct.unpack_from("<II", image, PAYLOAD_OFFSET)
        start = (image[SETUP_SECTORS] + 1) * 512 + offset
        # behind the packed data stands the size of what was packed
        unpacker = lzma.LZMADecompressor()
        plain = unpacker.decompress(image[start:start + length])
        if not unpacker.eof:
            raise ValueError("the payload is cut short")
    except (ValueError, struct.error, lzma.LZMAError) as error:
        raise Problem(f"{path} is not a Linux kernel whose payload is packed with XZ: {error}.") from None
    packed = run(["lz4", "-l", "-9", "-c", "-q"], given=plain) + struct.pack("<I", len(plain))
    head = bytearray(image[:start])
    struct.pack_into("<I", head, PAYLOAD_LENGTH, len(packed))
    part = Path(f"{target}.part")
    part.write_bytes(bytes(head) + packed)
    part.rename(target)
