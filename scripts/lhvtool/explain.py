"""Says which VM-entry rules a dumped VMCS violates: LHV's own dump, KVM's dump_vmcs log, Xen's VMCS dump.

The rules are those of the model in lhv-tests/entry/, asked through build/host/explain.
"""

import re
import subprocess
from dataclasses import dataclass, field

from .problem import FAILED, PASSED, Problem

H = r"(?:0x)?([0-9a-f]+)h?"
SEGMENTS = "ES CS SS DS FS GS LDTR TR".split()

# What precedes a line in a log: time, name of a kernel, a quotation mark
PREFIX = re.compile(r"^(?:>\s*)*(?:.*?\bkernel: ?)?(?:\[[^\]]*\] ?)*(?:kvm(?:_intel)?: )?(?:\(XEN\) ?(?:\[[^\]]*\] )?)?")
SECTION = re.compile(r"^\*\*\* (Guest|Host|Control) State \*\*\*\s*$")

_CR = [(rf"CR{n}: actual={H}, shadow={H}, gh_mask={H}",
        [f"GUEST_CR{n}", f"CR{n}_READ_SHADOW", f"CR{n}_GUEST_HOST_MASK"]) for n in (0, 4)]


def _segment(name):
    return [f"GUEST_{name}_{part}" for part in ("SELECTOR", "ACCESS_RIGHTS", "LIMIT", "BASE")]


# What the lines of a section hold: a pattern, and the fields that its groups are. None: no field of the VMCS.
ITEMS = {
    "Guest": [
        *_CR, (rf"CR3 = {H}", ["GUEST_CR3"]), *((rf"PDPT[RE]{n} = {H}", [f"GUEST_PDPTE{n}"]) for n in range(4)),
        (rf"RSP = {H}(?: \({H}\))?", ["GUEST_RSP", None]), (rf"RIP = {H}(?: \({H}\))?", ["GUEST_RIP", None]),
        (rf"RFLAGS={H}(?: \({H}\))?", ["GUEST_RFLAGS", None]), (rf"DR7 = {H}", ["GUEST_DR7"]),
        (rf"Sysenter RSP={H} CS:RIP={H}:{H}", ["GUEST_IA32_SYSENTER_ESP", "GUEST_IA32_SYSENTER_CS", "GUEST_IA32_SYSENTER_EIP"]),
        (r"sel\s+attr\s+limit\s+base", []),
        *((rf"\b{s}:\s+(?:sel=)?{H},? (?:attr=)?{H},? (?:limit=)?{H},? (?:base=)?{H}", _segment(s)) for s in SEGMENTS),
        *((rf"{t}:\s+(?:limit=)?{H},? (?:base=)?{H}", [f"GUEST_{t}_LIMIT", f"GUEST_{t}_BASE"]) for t in ("GDTR", "IDTR")),
        (rf"EFER(?:\(VMCS\))? ?= {H}(?! \()", ["GUEST_IA32_EFER"]), (rf"EFER(?:\(MSR LL\))? ?= {H}(?: \(\w+\))?", [None]),
        (rf"PAT = {H}", ["GUEST_IA32_PAT"]), (rf"PreemptionTimer = {H}", ["PREEMPTION_TIMER"]),
        (rf"SM Base = {H}", ["GUEST_SMBASE"]), (rf"DebugCtl = {H}", ["GUEST_IA32_DEBUGCTL"]),
        (rf"DebugExceptions = {H}", ["GUEST_PENDING_DEBUG"]), (rf"PerfGlobCtl = {H}", ["GUEST_IA32_PERF_GLOBAL_CTRL"]),
        (rf"BndCfgS = {H}", ["GUEST_IA32_BNDCFGS"]), (rf"Interruptibility = {H}", ["GUEST_INTERRUPTIBILITY"]),
        (rf"ActivityState = {H}", ["GUEST_ACTIVITY_STATE"]), (rf"InterruptStatus = {H}", ["GUEST_INTERRUPT_STATUS"]),
        (r"MSR guest autoload:", []), (r"MSR autostore:", []), (rf"\d+: msr={H}(?: value={H})?", [None, None]),
    ],
    "Host": [
        (rf"RIP = {H}(?: \([^)]*\))?", ["HOST_RIP"]), (rf"RSP = {H}", ["HOST_RSP"]),
        *((rf"\b{s}={H}", [f"HOST_{s}_SELECTOR"]) for s in "CS SS DS ES FS GS TR".split()),
        *((rf"{s}Base={H}", [f"HOST_{s}_BASE"]) for s in "FS GS TR".split()),
        (rf"GDTBase={H}", ["HOST_GDTR_BASE"]), (rf"IDTBase={H}", ["HOST_IDTR_BASE"]),
        *((rf"CR{n}={H}", [f"HOST_CR{n}"]) for n in (0, 3, 4)),
        (rf"Sysenter RSP={H} CS:RIP={H}:{H}", ["HOST_IA32_SYSENTER_ESP", "HOST_IA32_SYSENTER_CS", "HOST_IA32_SYSENTER_EIP"]),
        (rf"EFER ?= {H}", ["HOST_IA32_EFER"]), (rf"PAT = {H}", ["HOST_IA32_PAT"]),
        (rf"PerfGlobCtl = {H}", ["HOST_IA32_PERF_GLOBAL_CTRL"]),
        (r"MSR host autoload:", []), (rf"\d+: msr={H}(?: value={H})?", [None, None]),
    ],
    "Control": [
        (rf"PinBased={H}", ["PIN_CONTROLS"]), (rf"CPUBased={H}", ["PROC_CONTROLS"]), (rf"SecondaryExec={H}", ["PROC2_CONTROLS"]),
        (rf"TertiaryExec={H}", ["PROC3_CONTROLS"]), (rf"EntryControls={H}", ["ENTRY_CONTROLS"]), (rf"ExitControls={H}", ["EXIT_CONTROLS"]),
        (rf"ExceptionBitmap={H}", ["EXCEPTION_BITMAP"]), (rf"PFECmask={H}", ["PAGE_FAULT_ERROR_CODE_MASK"]),
        (rf"PFECmatch={H}", ["PAGE_FAULT_ERROR_CODE_MATCH"]),
        (rf"VMEntry: intr_info={H} errcode={H} ilen={H}",
         ["ENTRY_INTERRUPTION_INFO", "ENTRY_EXCEPTION_ERROR", "ENTRY_INSTRUCTION_LENGTH"]),
        (rf"VMExit: intr_info={H} errcode={H} ilen={H}",
         ["EXIT_INTERRUPTION_INFO", "EXIT_INTERRUPTION_ERROR", "EXIT_INSTRUCTION_LENGTH"]),
        (rf"reason={H} qualification={H}", ["EXIT_REASON", "EXIT_QUALIFICATION"]),
        (rf"IDTVectoring: info={H} errcode={H}", ["IDT_VECTORING_INFO", "IDT_VECTORING_ERROR"]),
        (rf"TSC Offset = {H}", ["TSC_OFFSET"]), (rf"TSC Multiplier = {H}", ["TSC_MULTIPLIER"]),
        (rf"SVI\|RVI = {H}\|{H}", [None, None]), (rf"TPR Threshold = {H}", ["TPR_THRESHOLD"]),
        (rf"APIC-access addr = {H}", ["APIC_ACCESS_ADDRESS"]), (rf"virt-APIC addr = {H}", ["VIRTUAL_APIC_ADDRESS"]),
        (rf"PostedIntrVec = {H}", ["POSTED_INTERRUPT_VECTOR"]), (rf"EPT pointer = {H}", ["EPT_POINTER"]),
        (rf"EPTP index = {H}", ["EPTP_INDEX"]), (rf"PLE Gap={H} Window={H}", ["PLE_GAP", "PLE_WINDOW"]),
        (rf"Virtual processor ID = {H}", ["VPID"]), (rf"VMfunc controls = {H}", ["VM_FUNCTION_CONTROLS"]),
        *((rf"(?:CR3 )?target{n}={H}", [f"CR3_TARGET_{n}"]) for n in range(4)),
    ],
}
ITEMS = {name: [(re.compile(pattern, re.I), fields) for pattern, fields in items] for name, items in ITEMS.items()}

# LHV's own lines, whatever precedes them
OWN = re.compile(r"^#?\s*(vmcs|msr|cpuid|mode|memory) (\S+) = ([0-9a-f ]+?)h?(?:\s{2,}.*)?$", re.I)

# What the kernel prints with dump=vmcs (lhv-kernel/vmx/dump.c)
KERNEL = re.compile(r"^(?:#\s+cpu \d+: )?(?:0x([0-9a-f]{4}) .*?\s+(?:0x([0-9a-f]+)|cannot be read)|VMCS at 0x([0-9a-f]+).*)$")


@dataclass
class Dump:
    """What a dump says: fields by name, more lines for the model, lines that nobody understood."""

    kind: str = None
    fields: dict = field(default_factory=dict)
    more: list = field(default_factory=list)
    strange: list = field(default_factory=list)


def explain(path, program):
    """Prints what the VMCS dumped in a file violates.

    Arguments: the file's path; that of build/host/explain.
    Result: PASSED where no rule is violated, else FAILED. Errors: Problem.
    """
    try:
        text = path.read_text(errors="replace")
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}.") from None
    dump = read(text)
    if not dump.fields:
        raise Problem(f"{path} holds no VMCS dump that is known here: LHV's, that of KVM (dump_vmcs) or that of Xen.")
    answer = ask(dump, program)
    show(path, dump, answer)
    return FAILED if any(line[0] == "violated" for line in answer) else PASSED


def read(text):
    """The Dump in a text. Lines before and after it are left alone."""
    dump, section = Dump(), None
    for number, raw in enumerate(text.splitlines(), 1):
        line = PREFIX.sub("", raw).strip()
        own, kernel = OWN.match(line), KERNEL.match(line)
        if kernel:
            dump.kind = "LHV's"
            _kernel(dump, *kernel.groups())
        elif own:
            dump.kind = "LHV's"
            _own(dump, *own.groups())
        elif SECTION.match(line):
            section = SECTION.match(line)[1]
            dump.kind = dump.kind or "KVM's"
        elif section and line:
            if "(XEN)" in raw:
                dump.kind = "Xen's"
            if not _items(dump, section, line):
                dump.strange.append((number, line))
    return dump


def _items(dump, section, line):
    """Takes the fields of a line. Result: whether all of it was understood."""
    rest = line
    for pattern, names in ITEMS[section]:
        match = pattern.search(rest)
        if not match:
            continue
        for name, value in zip(names, match.groups()):
            if name and value is not None:
                dump.fields.setdefault(name, int(value, 16))
        rest = rest[:match.start()] + " " + rest[match.end():]
    return not rest.strip(" ,")


def _kernel(dump, encoding, value, address):
    """A line of dump=vmcs: a field, or where the VMCS is. Of several CPUs the first one's count."""
    if address:
        if not dump.more:
            dump.more.append(f"mode current_vmcs {address}")
    elif value:
        dump.fields.setdefault(encoding, int(value, 16))


def _own(dump, what, name, value):
    if what == "vmcs":
        dump.fields[name.upper()] = int(value, 16)
    else:
        dump.more.append(f"{what} {name.replace('.', ' ')} {value}")


def ask(dump, program):
    """The model's answer: a list of lines, each a list of words (see scripts/host/explain.c)."""
    lines = [f"field {name} {value:x}" for name, value in dump.fields.items()] + dump.more
    if not any(line.startswith("mode ia32e") for line in dump.more):
        lines.append(f"mode ia32e {dump.fields.get('EXIT_CONTROLS', dump.fields.get('400c', 0x200)) >> 9 & 1:x}")
    try:
        done = subprocess.run([program], input="\n".join(lines) + "\n", text=True, capture_output=True)
    except OSError:
        raise Problem(f"{program} is not there: run `make build/host/explain`.") from None
    if done.returncode:
        raise Problem(f"The model did not understand the dump: {done.stderr.strip()}")
    return [line.split("\t") for line in done.stdout.splitlines()]


def show(path, dump, answer):
    """Prints the answer, and what it rests on."""
    violated = [line for line in answer if line[0] == "violated"]
    print(f"{path}: {len(dump.fields)} fields of a VMCS in {dump.kind} format.")
    if not any(line.startswith("msr") for line in dump.more):
        print("Assumed, as the dump does not say: a processor that has every feature, with 52 physical-address bits.")
    if not any(line.startswith("mode ia32e") for line in dump.more):
        print("Assumed, as the dump does not say: a host of the size that the VM-exit controls name; VMLAUNCH of a clear VMCS.")
    print()
    print({0: "No rule is violated.", 1: "One rule is violated:"}.get(len(violated), f"{len(violated)} rules are violated:"))
    for _, rule, sentence in violated:
        print(f"  {rule}\n    {sentence}")
    outcomes = " or ".join(line[1] for line in answer if line[0] == "outcome")
    known = not any(line[0] == "unknown" for line in answer)
    print(f"{'A' if known else 'As far as the dump says, a'} VM entry with it must give: {outcomes}.")
    for line in answer:
        if line[0] == "unknown":
            print(f"Not judged, for what the dump does not hold: {line[1]} rules, the first {line[2]} ({line[3]}).")
    if dump.strange:
        print(f"Not understood, and left out: {len(dump.strange)} lines.")
        for number, line in dump.strange:
            print(f"  line {number}: {line[:100]}")
