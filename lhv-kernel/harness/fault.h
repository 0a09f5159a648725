/*
 * Planted faults (option fault=): the kernel lies to its own tests about the platform, so that one sees whether they
 * have teeth. Named faults below; generic ones for MSRs: msr:N:flip:BITS, rdmsr:N:faults, rdmsr:N:succeeds,
 * wrmsr:N:succeeds (N and BITS in hexadecimal).
 */
#pragma once
#include "lib/types.h"
#include "vmx/outcome.h"

/*
 * X(NAME, "name", what the platform seems to do, globs of rules, of each of which one at least must fail,
 *   what such a failure shows as actual: globs with | between them, one of which must fit, other rules that may fail)
 * Rules of the areas (what stands before the first point of an id) of the former globs may fail too; all others must pass.
 */
#define PLANTED_FAULTS(X) \
	X(VMXON_ANY_CR0, "vmxon-any-cr0", "VMXON accepts fixed bits of CR0 that are wrong", \
	  "vmxon.cr0-*", "succeeded", "") \
	X(VMXON_ANY_CR4, "vmxon-any-cr4", "VMXON accepts CR4.VMXE = 0", \
	  "vmxon.cr4-vmxe-clear-ud", "succeeded", "") \
	X(VMXON_ANY_REGION, "vmxon-any-region", "VMXON accepts any region", \
	  "vmxon.unaligned vmxon.beyond-width vmxon.revision-mismatch vmxon.shadow-bit", "succeeded", "") \
	X(VMXON_IN_ROOT, "vmxon-in-root", "VMXON succeeds in VMX root operation", \
	  "vmxon.in-root*", "succeeded", "vmcs.error.newest") \
	X(VMXON_NO_FAULT, "vmxon-no-fault", "VMXON ignores faults of its memory operand", \
	  "vmxon.operand-*", "succeeded", "") \
	X(CR_NOT_FIXED, "cr-not-fixed", "CR0 and CR4 bits are not fixed in VMX operation", \
	  "vmxon.op.*", "succeeded", "vmxoff.cr4-vmxe-clear-after") \
	X(VMXOFF_IGNORED, "vmxoff-ignored", "VMXOFF does nothing and succeeds", \
	  "vmxoff.*", \
	  "succeeded|#GP(0)|VMfailInvalid|VMfailValid(15)*", "*.ud-before-cpl *.ud-before-operand *.real-mode-ud *.virtual-8086-ud vmfunc.root-ud vmcs.* caps.cpuid-vmxe vmxon.* vmptrst.no-current-after-vmxon *.vmxoff* *-vmxoff user.host.vmx.*") \
	X(EXIT_REASON, "exit-reason", "every VM exit reports the reason of the one with the next number", \
	  "exit.*", "VM exit *", "vm* entry.model.* ept.* invept.* invvpid.*guest* vpid.* shadow.* msr.* user.guest.* ug.* mtrr.guest.* timer.* irq7.* ps2.irq12.guest") \
	X(EXIT_LENGTH, "exit-length", "VM exits report instruction length 0", \
	  "exit.cpuid.length exit.vmcall.length", \
	  "0x0", "vm* ept.* shadow.exit-changes-nothing msr.bitmap.exit.* timer.tsc.*-exits") \
	X(EXIT_REGISTERS, "exit-registers", "VM exits lose a guest register", \
	  "exit.registers.*", "0x0", "ept.violation.*") \
	X(ENTRY_REGISTERS, "entry-registers", "VM entries lose a guest register", \
	  "exit.registers.*", "0x0", "ept.violation.* vmcs.migrate.* msr.entry-failure.registers-kept") \
	X(EPT_NEXT_PAGE, "ept-next-page", "an EPT leaf leads to the page after the one that it names", \
	  "ept.leaf.* ept.violation.resumed", "0x*", "invept.effect.* ug.* mtrr.ept.*") \
	X(EPT_RIGHT_IGNORED, "ept-right-ignored", "an EPT entry that gives some right gives all", \
	  "ept.violation.pte-* ept.violation.pde-* ept.violation.pdpte-*", "VM exit 18 VMCALL at *", "") \
	X(EPT_NO_MISCONFIGURATION, "ept-no-misconfiguration", "EPT misconfigurations are taken for EPT violations", \
	  "ept.misconfiguration.*", "VM exit 48 EPT violation at *", "") \
	X(EPT_POINTER_IGNORED, "ept-pointer-ignored", "VM entries go on with the EPT pointer of the first", \
	  "ept.switch.*", "0x600dc0c3|VM exit 18 VMCALL at *|VM exit 48 EPT violation at *", "") \
	X(INVEPT_NO_EFFECT, "invept-no-effect", "INVEPT succeeds and drops no cached translation", \
	  "invept.effect.*", "0x600dc0c3|VM exit 18 VMCALL at *", "") \
	X(INVEPT_ANY_TYPE, "invept-any-type", "INVEPT accepts every type and descriptor", \
	  "invept.type-* invept.single.bad-*", "succeeded", "") \
	X(INV_FAILS, "inv-fails", "INVEPT and INVVPID fail with error 28 whatever their operands", \
	  "invept.success-* invvpid.success-* invvpid.address-ignored-*", "VMfailValid(28)*", "vpid.* ept.* ug.* mtrr.ept.*") \
	X(INV_NO_FAULT, "inv-no-fault", "INVEPT and INVVPID ignore faults of their memory operand", \
	  "invept.operand-* invvpid.operand-*", "succeeded", "") \
	X(INVVPID_NO_EFFECT, "invvpid-no-effect", "INVVPID succeeds and drops no cached translation", \
	  "vpid.invvpid.*", "0x1d01d00", "") \
	X(INVVPID_ONE_ADDRESS, "invvpid-one-address", "INVVPID of every type drops the translations of one address only", \
	  "vpid.invvpid.all-addresses-*", "0x1d01d00", "") \
	X(INVVPID_SPARES_COMBINED, "invvpid-spares-combined", "INVVPID drops linear mappings only: behind EPT, combined ones stay", \
	  "vpid.invvpid.*", "0x1d01d00", "") \
	X(INVVPID_ANY_TYPE, "invvpid-any-type", "INVVPID accepts every type and descriptor", \
	  "invvpid.type-* invvpid.reserved-*", "succeeded", "") \
	X(VPID_IGNORED, "vpid-ignored", "translations cached under one VPID are used under the others", \
	  "vpid.other-*", "0x1d01d00", "") \
	X(SHADOW_BITMAP_IGNORED, "shadow-bitmap-ignored", "the VMREAD and VMWRITE bitmaps and the control are ignored: no VM exit", \
	  "shadow.bitmap.* shadow.off-exits", "VM exit 18 VMCALL at *", "") \
	X(SHADOW_WRITE_LOST, "shadow-write-lost", "VMWRITE in a guest does not reach the shadow VMCS", \
	  "shadow.write.*", "0x0*", "") \
	X(NO_PIT_TICK, "no-pit-tick", "IRQ 0 never arrives", \
	  "timer.pit.*-host timer.pit.*-guest", "0|0x0|still running in the *", "irq7.*") \
	X(NO_APIC_TICK, "no-apic-tick", "local APIC timer interrupts never arrive", \
	  "timer.apic.*-host timer.apic.*-guest", "0|0x0|still running in the *", "user.host.interrupt*") \
	X(SPURIOUS_EOI, "spurious-eoi", "a spurious IRQ 7 is taken for a real one and gets an EOI", \
	  "irq7.host.no-eoi irq7.guest.no-eoi irq7.slave.*.no-eoi", "0x0", "") \
	X(EOI_MISSING, "eoi-missing", "an EOI does not reach the interrupt controllers", \
	  "timer.pit.periodic-* timer.apic.periodic-* irq7.slave.*.eoi-master", "0|1|0x4", "ps2.irq12.*") \
	X(INTERRUPT_LOST_GUEST, "interrupt-lost-guest", "interrupts never arrive in guests", \
	  "timer.pit.*-guest timer.apic.*-guest", "0|0x0|still running in the guest at *", "ps2.irq12.guest irq7.guest.*") \
	X(TSC_OFFSET_IGNORED, "tsc-offset-ignored", "the TSC offset has no effect", \
	  "timer.tsc.offset-positive timer.tsc.offset-negative timer.tsc.offset-rd*", "??????????*", "") \
	X(RDTSCP_ALWAYS, "rdtscp-always", "RDTSCP works in guests whatever the controls say", \
	  "timer.tsc.rdtscp-off-ud*", "VM exit 18 VMCALL at *|VM exit 51 RDTSCP at *", "vmcs.linked.ordinary-keeps") \
	X(PIT_READS_0, "pit-reads-0", "the PIT's count and status read 0", \
	  "timer.pit.counts-down timer.pit.mode* timer.pit.readback-* timer.pit.null-count", "0|0x0|false|0x0 *", "") \
	X(APIC_COUNT_STUCK, "apic-count-stuck", "the local APIC timer's current count reads FFFFFFFFH", \
	  "timer.apic.counts-down timer.apic.initial-zero-stops timer.apic.divide*", "false|0xffffffff", "") \
	X(PREEMPTION_TIMER_EARLY, "preemption-timer-early", "the VMX-preemption timer counts four times too fast", \
	  "timer.preemption.not-early", "??*", "") \
	X(PREEMPTION_TIMER_NEVER, "preemption-timer-never", "the VMX-preemption timer never causes a VM exit", \
	  "timer.preemption.fires timer.preemption.zero timer.preemption.activity-hlt", "still running in the guest at *|VM exit 18 VMCALL at *", "") \
	X(PREEMPTION_TIMER_NOT_SAVED, "preemption-timer-not-saved", "VM exits leave the VMX-preemption timer value alone", \
	  "timer.preemption.saved-*", "0|0x7d2", "") \
	X(MTRR_WRITE_DROPPED, "mtrr-write-dropped", "WRMSR to the MTRRs succeeds and changes nothing", \
	  "mtrr.variable.write-type mtrr.variable.address-bits", "0x0", "") \
	X(VMCLEAR_ZEROES, "vmclear-zeroes", "VMCLEAR zeroes the region, the revision identifier included", \
	  "vmclear.revision-kept* vmptrld.revision-then-vmclear vmcs.persistence.*vmclear vmcs.persistence.vmxoff* vmcs.migrate.fields", \
	  "0x0|VMfailInvalid", "shadow.*") \
	X(VMCLEAR_FORGETS, "vmclear-forgets", "after VMCLEAR the fields are as of the last VMPTRLD that loaded them", \
	  "vmclear.other-written-back vmcs.persistence.vmclear vmcs.persistence.newest vmcs.persistence.after-exit vmcs.migrate.guest-*", \
	  "0x0", "shadow.*") \
	X(VMCLEAR_FORGETS_SHADOW, "vmclear-forgets-shadow", "VMCLEAR forgets what the guest wrote into a linked shadow VMCS", \
	  "vmcs.linked.guest-values-*", "0x9501|* fields have others, the first is *", "shadow.write.all-fields") \
	X(VMCLEAR_STAYS_CURRENT, "vmclear-stays-current", "VMCLEAR leaves the VMCS current", \
	  "vmclear.current-*", "0x*|succeeded|host took *", "*no-current* vmcs.error.invalid-stores-none") \
	X(VMCLEAR_DROPS_CURRENT, "vmclear-drops-current", "VMCLEAR of another VMCS clears the current one too", \
	  "vmclear.other-keeps-*", "0xffffffffffffffff", "vmptrld.* vmcs.* shadow.*") \
	X(VMCLEAR_ANY_POINTER, "vmclear-any-pointer", "VMCLEAR succeeds with any address", \
	  "vmclear.unaligned* vmclear.beyond-width*", "succeeded", "vmcs.error.newest") \
	X(VMPTRLD_ANY_POINTER, "vmptrld-any-pointer", "VMPTRLD succeeds with any address", \
	  "vmptrld.unaligned* vmptrld.beyond-width*", "succeeded", "vmcs.error.*") \
	X(VMXON_POINTER_ACCEPTED, "vmxon-pointer-accepted", "VMCLEAR and VMPTRLD succeed with the VMXON pointer", \
	  "vmclear.vmxon-pointer* vmptrld.vmxon-pointer*", "succeeded", "") \
	X(VMPTRLD_ANY_REVISION, "vmptrld-any-revision", "VMPTRLD ignores the revision identifier", \
	  "vmptrld.revision-mismatch*", "succeeded", "") \
	X(VMPTRLD_ZEROES, "vmptrld-zeroes", "VMPTRLD starts from zeros instead of the region in memory", \
	  "vmcs.persistence.*vmclear vmcs.persistence.vmxoff* vmcs.migrate.fields", "0x0", "vmclear.other-written-back shadow.*") \
	X(VMPTRLD_LOSES, "vmptrld-loses", "VMPTRLD loses the fields of the VMCS that was current", \
	  "vmptrld.own-fields vmcs.persistence.switch*", "0x0", "vmclear.other-written-back shadow.*") \
	X(POINTER_NO_FAULT, "pointer-no-fault", "VMCLEAR, VMPTRLD and VMPTRST ignore faults of their memory operand", \
	  "vmclear.operand-* vmptrld.operand-* vmptrst.operand-*", "succeeded", "") \
	X(VMPTRST_WRONG, "vmptrst-wrong", "VMPTRST stores 0 without a current VMCS, else the page after", \
	  "vmptrst.value* vmptrst.no-current* vmptrld.success", \
	  "0x*", "entry.model.* *.operand-register vmlaunch.*-alone vmresume.*-alone vmxon.success vmxoff.with-current-vmcs vmclear.* vmcs.launch-state.* *.no-current-vmcs shadow.current") \
	X(LAUNCH_STATE_KEPT, "launch-state-kept", "VMCLEAR does not clear the launch state", \
	  "vmcs.launch-state.*vmclear*", "succeeded|VM entry: VMfailValid(4)*", "") \
	X(EPT_TYPE_WB, "ept-type-wb", "extended page tables map device memory write-back", \
	  "mtrr.ept.identity-types", "WB at *", "") \
	X(MSR_ENTRY_SKIPPED, "msr-entry-skipped", "the last entry of every MSR area is passed over", \
	  "msr.entry-load.lstar msr.exit-store.lstar msr.exit-load.lstar msr.*-load.sixteen msr.exit-store.sixteen", "0x*", "") \
	X(MSR_STORE_STALE, "msr-store-stale", "VM exits store nothing into the MSR-store area", \
	  "msr.exit-store.*", "0*", "") \
	X(MSR_LIST_BACKWARDS, "msr-list-backwards", "MSR areas are loaded from the last entry to the first", \
	  "msr.entry-load.last-wins msr.exit-load.last-wins", "0x0", "") \
	X(MSR_FAILURE_NUMBER, "msr-failure-number", "a bad MSR-load entry is counted from 0", \
	  "msr.entry-load.qualification-* msr.entry-load.refused.*", "0x*", "") \
	X(MSR_BITMAP_QUARTER, "msr-bitmap-quarter", "the quarter for WRMSR of the high range is ignored", \
	  "msr.bitmap.write-high.*", "VM exit 18 VMCALL at *|guest took #GP(0) at *", "") \
	X(MSR_BITMAP_IGNORED, "msr-bitmap-ignored", "RDMSR and WRMSR exit whatever the bitmaps say", \
	  "msr.bitmap.*.bit-clear msr.bitmap.gp.*", \
	  "VM exit 31 RDMSR at *|VM exit 32 WRMSR at *", "ept.violation.not-for-bitmaps mtrr.guest.* timer.*") \
	X(MSR_GP_BEFORE_EXIT, "msr-gp-before-exit", "#GP for an MSR that does not exist comes before the VM exit", \
	  "msr.bitmap.exit-before-gp.*", "guest took #GP(0) at *", "") \
	X(MSR_FS_BASE_LOST, "msr-fs-base-lost", "a guest's WRMSR of IA32_FS_BASE does not reach its VMCS", \
	  "msr.bitmap.field.fs-base-write", "0x0", "") \
	X(CPL_IGNORED, "cpl-ignored", "ring 3 may do what ring 0 may", \
	  "user.host.gp.* user.host.vmx.* user.host.pf.*", "succeeded", "") \
	X(EXIT_BEFORE_CPL, "exit-before-cpl", "VM exits come before the privilege level is looked at", \
	  "user.guest.gp.*", "VM exit 12 HLT at *", "") \
	X(UNRESTRICTED_IGNORED, "unrestricted-ignored", "\"unrestricted guest\" does nothing", \
	  "ug.*", "VM-entry failure 33 *|succeeded", "*.guest-real-mode") \
	X(ERROR_NUMBER, "error-number", "VMfailValid reports the next VM-instruction error number", \
	  "vmclear.flags-valid vmread.unsupported.bit-12 vmlaunch.controls.error7 vmresume.host.error8 vmxon.in-root-error15 invept.type-reserved", \
	  "VMfailValid(*|VM entry: VMfailValid(*", "vm* inv* caps.misc.vmwrite-any shadow.* msr.* ug.* timer.preemption.*") \
	X(FLAGS_KEPT, "flags-kept", "VMX instructions that succeed do not clear PF", \
	  "vmclear.flags-succeed vmread.flags-succeed vmxoff.flags-succeed vmptrst.flags-succeed", "0x4", "vm* inv*") \
	X(ERROR_BY_EXIT, "error-by-exit", "VM exits clear the VM-instruction error field", \
	  "vmcs.error.exit-keeps vmcs.error.entry-failure-keeps", "0x0", "vm*") \
	X(UNSUPPORTED_READ, "unsupported-read", "VMREAD of an unsupported encoding succeeds", \
	  "vmread.unsupported.bit-12 vmread.unsupported.high-* vmread.unsupported.index-beyond vmcs.absent-field.vmread-error12", "succeeded", "vm* caps.*") \
	X(UNSUPPORTED_WRITTEN, "unsupported-written", "VMWRITE of an unsupported encoding succeeds", \
	  "vmwrite.unsupported.bit-12 vmwrite.unsupported.high-* vmwrite.read-only.unsupported-first vmcs.absent-field.vmwrite-error12", "succeeded", "vm* caps.*") \
	X(READ_ONLY_REFUSED, "read-only-refused", "VMWRITE to VM-exit information fields gives error 13 though IA32_VMX_MISC[29] is 1", \
	  "vmwrite.read-only.writable vmcs.field.0x44*", "VMfailValid(13)*", "vm* caps.misc.vmwrite-any shadow.*") \
	X(FIELDS_MISSING, "fields-missing", "some fields that every CPU has are not there: executive-VMCS pointer, SMBASE, CR3 targets, I/O", \
	  "vmcs.field.0x200c vmcs.field.0x4828 vmcs.field.0x6008 vmcs.field.0x6402", "VMfailValid(12)*", "vm* shadow.*") \
	X(NOT_ZERO_EXTENDED, "not-zero-extended", "VMREAD leaves the bits of its destination above those of the field", \
	  "vmread.register.16-bit vmread.memory.16-bit vmread.register.32-bit", "0x*", "vmread.*") \
	X(HIGH_WRITES_LOW, "high-writes-low", "VMWRITE with the high access type writes the low half", \
	  "vmwrite.high-half.low-kept", "0x*", "vmcs.*") \
	X(VMREAD_FAIL_WRITES, "vmread-fail-writes", "a VMREAD that fails writes 0 to its destination", \
	  "vmread.unsupported.destination-kept vmread.no-current.destination-kept", "0x0", "") \
	X(OPERAND_BEFORE_CPL, "operand-before-cpl", "VMX instructions look at their operand before the privilege level", \
	  "vmclear.cpl-before-operand vmread.cpl-before-operand invept.cpl-before-operand", "#PF(*", "*.cpl-before-operand") \
	X(CPL_BEFORE_UD, "cpl-before-ud", "VMX instructions outside VMX operation look at the privilege level first", \
	  "vmclear.ud-before-cpl vmlaunch.ud-before-cpl vmxoff.ud-before-cpl", "#GP(0)", "*.ud-before-cpl *.compatibility-ud vmfunc.*") \
	X(MODE_IGNORED, "mode-ignored", "VMX instructions work in compatibility mode and real-address mode", \
	  "vmclear.compatibility-ud vmlaunch.compatibility-ud vmxon.real-mode-ud", "succeeded", "*.compatibility-ud *.real-mode-ud") \
	X(PREFIX_IGNORED, "prefix-ignored", "VMX instructions ignore prefixes that they do not have", \
	  "vmclear.lock-ud vmxoff.lock-ud vmread.prefix-ud vmwrite.prefix-ud", "succeeded", "*.lock-ud *.prefix-ud") \
	X(OPERAND_UNCHECKED, "operand-unchecked", "memory operands of VMX instructions do not fault", \
	  "vmread.operand-* vmwrite.operand-* vmclear.operand-stack-non-canonical invept.operand-crosses-page", "succeeded", \
	  "vmcs.error.fault-keeps *.operand-*") \
	X(MOV_SS_IGNORED, "mov-ss-ignored", "VM entry is not blocked by MOV SS: the launch state is looked at", \
	  "vmlaunch.mov-ss.* vmresume.mov-ss.*", "VMfailValid(4)*|VMfailValid(5)*", "vmlaunch.* vmresume.*") \
	X(LAUNCH_STATE_LAST, "launch-state-last", "VM entry looks at the controls before it looks at the launch state", \
	  "vmlaunch.launch-state.before-controls vmresume.launch-state.before-controls", "VMfailValid(7)*", "") \
	X(ENTRY_FAIL_REGISTER, "entry-fail-register", "a VM entry that fails early changes a register", \
	  "vmlaunch.error4-alone vmresume.error5-alone vmlaunch.error26-alone", "0x0", "") \
	X(NO_IRQ12, "no-irq12", "IRQ 12 never arrives", \
	  "ps2.irq12.host ps2.irq12.guest", "0x0", "")

#define X(name, text, what, caught_by, shows, touches) FAULT_##name,
enum planted_fault { PLANTED_FAULTS(X) FAULT_COUNT };
#undef X

/* Takes the fault= option. Returns false with a sentence where a name or number is wrong. */
bool faults_plant(const char *list, char *error, size_t size);

/* Is any of them planted? Any of those of VMCLEAR, VMPTRLD, VMPTRST and the launch state, which stand together? */
extern bool faults_planted, vmcs_faults_planted;

/* Is this one? One load and one test, and never in a loop that is timed. */
extern bool fault_planted[FAULT_COUNT];
static inline bool fault(enum planted_fault which)
{
	return __builtin_expect(fault_planted[which], false);
}

/* What MSR access seems to do with the planted faults. */
outcome_t fault_on_msr_read(u32 msr, outcome_t outcome, u64 *value);
bool fault_on_msr_write(u32 msr, outcome_t *outcome);
