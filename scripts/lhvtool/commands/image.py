"""`lhv image`: boot media that start the kernel with options, alone or inside XMHF."""

from pathlib import Path

from .. import arguments, disk, media, show
from ..problem import Problem


def register(commands):
    """Adds the command."""
    add = commands.add("image", command, "Makes boot media that start the kernel with the given options.").add_argument
    add("--iso", metavar="FILE", type=Path, help="write a CD image: GRUB, for a BIOS")
    add("--disk", metavar="FILE", type=Path, help="write a disk image for a USB stick: MBR, GRUB, for a BIOS")
    add("--grub-entry", action="store_true", help="print the menu entry for an installed GRUB")
    arguments.add_xmhf(add)
    arguments.add_arch(add)
    arguments.add_selection(add)


def command(options):
    """Does it. Result: the exit status."""
    if not (options.iso or options.disk or options.grub_entry):
        raise Problem("What shall it be? Give --iso FILE, --disk FILE or --grub-entry.")
    if options.iso and options.xmhf:
        raise Problem("XMHF starts from a disk: give --disk FILE instead of --iso FILE.")
    words = " ".join(arguments.kernel_options(options))
    kernel = arguments.kernel(options)
    xmhf = disk.find_xmhf(options.xmhf, options.arch) if options.xmhf else None
    if options.iso:
        with media.saved(options.iso) as path:
            media.iso(path, kernel, words)
        _tell(options.iso, "a CD image")
    if options.disk:
        with media.saved(options.disk) as path:
            if xmhf:
                disk.with_xmhf(path, kernel, words, xmhf)
            else:
                disk.plain(path, kernel, words)
        _tell(options.disk, "a disk image that starts XMHF, then LHV" if xmhf else "a disk image")
    if options.grub_entry:
        print(grub_entry(show.relative(kernel), words, xmhf), end="")
    return 0


def _tell(path, what):
    print(f"{path}: {what}, {path.stat().st_size >> 10} KiB.")


def grub_entry(kernel, words, xmhf):
    """The text for an installed GRUB's configuration.

    Arguments: the kernel image; its options; an Xmhf, or None. With XMHF there are two entries, because XMHF
    starts the disk's own GRUB once more, inside itself.
    """
    lines = [f"# Copy {kernel} to /boot/lhv.bin. This goes into /etc/grub.d/40_custom; then run update-grub."]
    if xmhf:
        lines = [f"# Copy {kernel} to /boot/lhv.bin, and {show.relative(xmhf.init)} and {show.relative(xmhf.hypervisor)}",
                 "# to /boot. This goes into /etc/grub.d/40_custom; then run update-grub. Choose XMHF first: it starts GRUB",
                 "# once more, and there choose LHV.",
                 'menuentry "XMHF" {', "\tinsmod gzio",
                 *(f"\t{line}" for line in disk.xmhf_script(
                     f"/boot/{xmhf.init.name}", f"/boot/{xmhf.hypervisor.name}", "(hd0)+1").splitlines()),
                 "}"]
    lines += ['menuentry "LHV" {', f"\t{media.grub_command(words, kernel='/boot/lhv.bin')}", "}"]
    return "\n".join(lines) + "\n"
