"""Which platforms the runner can boot on here, and why not on the rest."""

from . import bochs, kvm, qemu, xen, xmhf

CLASSES = {"bochs": bochs.Bochs, "qemu": qemu.Qemu, "kvm": kvm.platform, "xen": xen.Xen, "xmhf": xmhf.Xmhf}

# Platforms that the runner cannot start: the user boots build/ARCH/lhv.iso there.
BY_HAND = "VMware, VirtualBox, Hyper-V, a laboratory"


def survey():
    """All platforms, as a list of (name for --on, what it is, why it cannot run here or None)."""
    bochs_reason, qemu_reason = bochs.missing(), qemu.missing()
    bochs_title = "Bochs" if bochs_reason else f"Bochs {bochs.version()}, an emulator with VMX"
    qemu_title = "QEMU" if qemu_reason else f"QEMU {qemu.version()}"
    return [
        ("bochs", bochs_title, bochs_reason),
        ("qemu", f"{qemu_title} with KVM: the VMX that KVM offers",
         qemu_reason or qemu.missing_kvm()),
        ("qemu", f"{qemu_title} with TCG: no VMX, so that only rules that need none run",
         qemu_reason or (None if qemu.missing_kvm() else "The runner takes KVM, which can run here.")),
        ("kvm", "KVM with nested VMX: the host's own by QEMU, or inside Bochs", qemu.missing_kvm() and kvm.missing()),
        ("xen", "Xen with nested VMX, inside Bochs", xen.missing()),
        ("xmhf", "XMHF, from a folder of yours (--xmhf DIR), in QEMU with KVM or in Bochs",
         bochs_reason if qemu_reason or qemu.missing_kvm() else None),
        ("serial:DEV", "a machine on a serial line, which you boot with build/ARCH/lhv.iso", None),
        ("log:FILE", f"the log of a boot elsewhere: {BY_HAND}", None),
    ]
