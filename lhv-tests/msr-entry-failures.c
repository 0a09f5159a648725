/*
 * MSR-load entries that make a VM entry fail (27.4), and what such a failure leaves (27.8): exit reason 34, whose
 * qualification is the number of the entry.
 */
#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "cpu/registers.h"
#include "harness/restore.h"
#include "lhv-mtrr/mtrr.h"
#include "lhv-tests/msr-access.h"
#include "lhv-tests/msr-areas.h"

#define MSR_ABSENT 0x1fff /* the last of the low range: no CPU has it */
#define MSR_SMM_MONITOR_CTL 0x9b
#define MSR_SMBASE 0x9e
#define MTRR_TYPE_RESERVED 2
#define PAT_TYPE_RESERVED 2
#define EFER_RESERVED BIT(1)
#define NOT_CANONICAL BIT(63)

struct bad {
	struct msr_entry entry;
	bool flips; /* data is what to change in the MSR's value of now */
	bool high;  /* an MSR of 64-bit CPUs only */
};

/* Runs the guest with the bad entry as the number-th (from 1), good ones before it; it must fail to enter. */
static void expect_refused(struct guest *guest, struct msr_entry bad, unsigned number)
{
	struct msr_entry *list = scratch_page();

	for (unsigned i = 0; i < 20; i++)
		list[i] = (struct msr_entry){MSR_SYSENTER_CS, 0, 0x5a58};
	list[number - 1] = bad;
	msr_area_use(&entry_load, list, 20);
	msr_restore_after_rule(MSR_SYSENTER_CS, "IA32_SYSENTER_CS");
	expect_exit(guest_run(guest), EXIT_REASON_ENTRY_FAILURE | EXIT_REASON_MSR_LOADING);
	expect_equal("exit qualification: number of the entry, from 1", vmread(VMCS_EXIT_QUALIFICATION), number);
}

static void refused(const struct rule *rule)
{
	const struct bad *bad = rule->row;
	struct msr_entry entry = bad->entry;
	struct guest *guest = msr_guest();

	if (bad->high && !(cpuid_if_there(0x80000001, 0).edx & CPUID_81_EDX_LONG_MODE))
		rule_skip("the CPU has no 64-bit mode");
	if (bad->flips)
		entry.data ^= msr_restore_after_rule(entry.index, "MSR of this rule");
	expect_refused(guest, entry, 2);
}

#define REFUSED(name, id_text, title_text, ...) \
	static const struct bad name = __VA_ARGS__; \
	AREA_ROW(refused, "entry-load.refused." id_text, "A VM entry fails with exit reason 34 for an MSR-load entry " title_text, LOADING_AT_ENTRY, name)

REFUSED(bad_fs_base, "fs-base", "of IA32_FS_BASE", {.entry = {MSR_FS_BASE, 0, 0}})
REFUSED(bad_gs_base, "gs-base", "of IA32_GS_BASE", {.entry = {MSR_GS_BASE, 0, 0}})
REFUSED(bad_x2apic_first, "x2apic-first", "of MSR 800H", {.entry = {0x800, 0, 0}})
REFUSED(bad_x2apic_tpr, "x2apic-tpr", "of MSR 808H, the x2APIC TPR", {.entry = {0x808, 0, 0}})
REFUSED(bad_x2apic_last, "x2apic-last", "of MSR 8FFH", {.entry = {0x8ff, 0, 0}})
REFUSED(bad_smm_monitor, "smm-monitor-ctl", "of IA32_SMM_MONITOR_CTL outside SMM", {.entry = {MSR_SMM_MONITOR_CTL, 0, 0}})
REFUSED(bad_smbase, "smbase", "of IA32_SMBASE", {.entry = {MSR_SMBASE, 0, 0}})
REFUSED(bad_reserved_low, "reserved-bit-32", "whose bit 32 is 1", {.entry = {MSR_SYSENTER_CS, 1, 0x5a58}})
REFUSED(bad_reserved_high, "reserved-bit-63", "whose bit 63 is 1", {.entry = {MSR_SYSENTER_CS, BIT(31), 0x5a58}})
REFUSED(bad_absent, "absent", "of an MSR that does not exist", {.entry = {MSR_ABSENT, 0, 0}})
REFUSED(bad_range, "outside-ranges", "of an MSR outside all ranges", {.entry = {0xbfffffff, 0, 0}})
REFUSED(bad_read_only, "read-only", "of IA32_VMX_BASIC, which WRMSR cannot write", {.entry = {MSR_VMX_BASIC, 0, 0}, .flips = true})
REFUSED(bad_pat, "pat-type", "that would give IA32_PAT a reserved type", {.entry = {MSR_PAT, 0, PAT_TYPE_RESERVED}})
REFUSED(bad_efer, "efer-reserved", "that would set a reserved bit of IA32_EFER", {.entry = {MSR_EFER, 0, EFER_RESERVED}, .flips = true, .high = true})
REFUSED(bad_lme, "efer-lme", "that would change IA32_EFER.LME with CR0.PG = 1", {.entry = {MSR_EFER, 0, EFER_LME}, .flips = true, .high = true})
REFUSED(bad_lstar, "lstar-canonical", "that would give IA32_LSTAR an address that is not canonical", {.entry = {MSR_LSTAR, 0, NOT_CANONICAL}, .high = true})
REFUSED(bad_kernel_gs, "kernel-gs-base-canonical", "that would give IA32_KERNEL_GS_BASE an address that is not canonical", {.entry = {MSR_KERNEL_GS_BASE, 0, NOT_CANONICAL}, .high = true})
REFUSED(bad_sysenter_esp, "sysenter-esp-canonical", "that would give IA32_SYSENTER_ESP an address that is not canonical", {.entry = {MSR_SYSENTER_ESP, 0, NOT_CANONICAL}, .high = true})
REFUSED(bad_sysenter_eip, "sysenter-eip-canonical", "that would give IA32_SYSENTER_EIP an address that is not canonical", {.entry = {MSR_SYSENTER_EIP, 0, NOT_CANONICAL}, .high = true})
REFUSED(bad_debugctl, "debugctl-reserved", "that would set a reserved bit of IA32_DEBUGCTL", {.entry = {MSR_DEBUGCTL, 0, BIT(40)}})

AREA_RULE(refused_mtrr, "entry-load.refused.mtrr-type", "A VM entry fails with exit reason 34 for an MSR-load entry that would give an MTRR a reserved type",
	  LOADING_AT_ENTRY, .cpus = BOOT_CPU)
{
	struct guest *guest = msr_guest();
	struct msr_chosen chosen = msr_choose(&msr_physbase);

	expect_refused(guest, (struct msr_entry){chosen.msr, 0, (chosen.before & ~0xffull) | MTRR_TYPE_RESERVED}, 2);
}

static const unsigned first = 1, sixteenth = 16, twentieth = 20;

static void refused_at(const struct rule *rule)
{
	expect_refused(msr_guest(), (struct msr_entry){MSR_ABSENT, 0, 0}, *(const unsigned *)rule->row);
}

AREA_ROW(refused_at, "entry-load.qualification-first", "The exit qualification is 1 where the first entry is bad", LOADING_AT_ENTRY, first)
AREA_ROW(refused_at, "entry-load.qualification-sixteenth", "The exit qualification is 16 where the sixteenth entry is bad", LOADING_AT_ENTRY, sixteenth)
AREA_ROW(refused_at, "entry-load.qualification-last", "The exit qualification is 20 where the last of 20 entries is bad", LOADING_AT_ENTRY, twentieth)

AREA_RULE(refused_two, "entry-load.first-bad-counts", "Of two bad entries the exit qualification names the first", LOADING_AT_ENTRY)
{
	struct guest *guest = msr_guest();
	struct msr_entry *list = scratch_page();

	list[0] = (struct msr_entry){MSR_SYSENTER_CS, 0, 0};
	list[1] = (struct msr_entry){MSR_FS_BASE, 0, 0};
	list[2] = (struct msr_entry){MSR_ABSENT, 0, 0};
	msr_area_use(&entry_load, list, 3);
	expect_exit(guest_run(guest), EXIT_REASON_ENTRY_FAILURE | EXIT_REASON_MSR_LOADING);
	expect_equal("exit qualification: number of the entry, from 1", vmread(VMCS_EXIT_QUALIFICATION), 2);
}

AREA_RULE(kernel_gs_allowed, "entry-load.kernel-gs-base-allowed", "IA32_KERNEL_GS_BASE, next to the two that are not, may be loaded", LOADING_AT_ENTRY)
{
	struct guest *guest = msr_guest();
	struct msr_chosen value = msr_choose(&msr_kernel_gs_base);
	struct msr_entry *list = scratch_page();

	list[0] = (struct msr_entry){value.msr, 0, value.other};
	msr_area_use(&entry_load, list, 1);
	expect_done(guest);
}

/* ---- What a failed VM entry leaves ---------------------------------------------------------------------- */

/* A guest whose only MSR-load entry is of an MSR that does not exist */
static struct guest *guest_refused(void)
{
	struct guest *guest = msr_guest();
	struct msr_entry *list = scratch_page();

	list[0] = (struct msr_entry){MSR_ABSENT, 0, 0};
	msr_area_use(&entry_load, list, 1);
	return guest;
}

static void expect_msr_failure(struct guest *guest)
{
	expect_exit(guest_run(guest), EXIT_REASON_ENTRY_FAILURE | EXIT_REASON_MSR_LOADING);
}

#define FAILURE_RULE(name, id_text, title_text, ...) \
	AREA_RULE(name, "entry-failure." id_text, title_text, ENTRY_FAILURES, ##__VA_ARGS__)

FAILURE_RULE(failure_guest_state, "guest-state-kept", "A VM-entry failure for MSR loading leaves every field of the guest-state area alone")
{
	struct guest *guest = guest_refused();
	u64 *before = scratch_page(), now;
	bool *there = scratch_page();

	for (unsigned i = 0; i < vmcs_field_count; i++)
		if (vmcs_type(vmcs_fields[i].encoding) == VMCS_GUEST_STATE)
			there[i] = vmread_exists(vmcs_fields[i].encoding) && vmread_try(vmcs_fields[i].encoding, &before[i]) == SUCCEEDED;
	expect_msr_failure(guest);
	for (unsigned i = 0; i < vmcs_field_count; i++) {
		if (!there[i] || vmcs_fields[i].encoding == VMCS_PREEMPTION_TIMER) /* which guest_run() sets */
			continue;
		expect_outcome("VMREAD of a guest-state field", vmread_try(vmcs_fields[i].encoding, &now), SUCCEEDED);
		expect_equal(vmcs_fields[i].name, now, before[i]);
	}
}

FAILURE_RULE(failure_host_state, "host-state-loaded", "A VM-entry failure for MSR loading loads the host state")
{
	struct cpu *cpu = this_cpu();
	struct guest *guest = guest_refused();
	struct pseudo_descriptor gdtr, idtr;

	msr_restore_after_rule(MSR_SYSENTER_CS, "IA32_SYSENTER_CS");
	vmwrite(VMCS_GUEST_CR0, cpu->cr0 ^ CR0_MP);
	vmwrite(VMCS_GUEST_CR4, cpu->cr4 ^ CR4_TSD);
	vmwrite(VMCS_HOST_IA32_SYSENTER_CS, 0x5a58);
	expect_msr_failure(guest);
	asm volatile("sgdt %0" : "=m"(gdtr));
	asm volatile("sidt %0" : "=m"(idtr));
	expect_equal("CR0", read_cr0(), cpu->cr0);
	expect_equal("CR3", read_cr3(), cpu->cr3);
	expect_equal("CR4", read_cr4(), cpu->cr4);
	expect_equal("GDTR base", gdtr.base, (ulong)cpu->descriptors.gdt);
	expect_equal("GDTR limit", gdtr.limit, 0xffff);
	expect_equal("IDTR base", idtr.base, (ulong)cpu->idt);
	expect_equal("IDTR limit", idtr.limit, 0xffff);
	expect_equal("IA32_SYSENTER_CS", msr_host_reads(MSR_SYSENTER_CS), 0x5a58);
	expect_equal("RFLAGS", guest->registers.host_flags, RFLAGS_FIXED);
}

FAILURE_RULE(failure_registers, "registers-kept", "A VM-entry failure for MSR loading leaves the general-purpose registers alone")
{
	struct guest *guest = guest_refused();

	guest->registers.ax = 0x1111;
	guest->registers.dx = 0x2222;
	guest->registers.si = 0x3333;
	expect_msr_failure(guest);
	expect_equal("EAX", guest->registers.ax, 0x1111);
	expect_equal("EDX", guest->registers.dx, 0x2222);
	expect_equal("ESI", guest->registers.si, 0x3333);
}

FAILURE_RULE(failure_launch, "launch-state-clear", "A VMLAUNCH that fails for MSR loading leaves the launch state clear")
{
	struct guest *guest = guest_refused();

	expect_msr_failure(guest);
	guest->launched = true;
	expect_outcome("VMRESUME after the failed VMLAUNCH", guest_run(guest).entry, VMFAIL_VALID(5));
	guest->launched = false;
	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	expect_done(guest);
}

FAILURE_RULE(failure_resume, "vmresume", "A VMRESUME that fails for MSR loading can be repeated with a good list")
{
	struct guest *guest = guest_refused();

	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	expect_executed(guest, guest_rdmsr(guest, MSR_SYSENTER_CS), rdmsr_vmcall);
	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 1);
	expect_msr_failure(guest);
	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	expect_executed(guest, guest_rdmsr(guest, MSR_SYSENTER_CS), rdmsr_vmcall);
}

FAILURE_RULE(failure_exit_load, "exit-load-done", "A VM-entry failure for MSR loading loads the VM-exit MSR-load area")
{
	struct guest *guest = guest_refused();
	struct msr_chosen cs = msr_choose(&msr_sysenter_cs);
	struct msr_entry *list = scratch_page();

	list[0] = (struct msr_entry){cs.msr, 0, cs.other};
	msr_area_use(&exit_load, list, 1);
	expect_msr_failure(guest);
	expect_equal("IA32_SYSENTER_CS in the host", msr_host_reads(cs.msr), cs.other);
}

FAILURE_RULE(failure_no_store, "exit-store-not-done", "A VM-entry failure for MSR loading stores nothing into the VM-exit MSR-store area")
{
	struct guest *guest = guest_refused();
	struct msr_entry *list = scratch_page();

	list[0] = (struct msr_entry){MSR_SYSENTER_CS, 0, ~0ull};
	msr_area_use(&exit_store, list, 1);
	expect_msr_failure(guest);
	expect_equal("the entry's value", list[0].data, ~0ull);
}

#define INJECT_UD 0x80000306 /* valid, hardware exception, vector 6 */

FAILURE_RULE(failure_injection, "injection-still-valid", "A VM-entry failure for MSR loading leaves the valid bit of the VM-entry interruption information 1")
{
	struct guest *guest = guest_refused();

	vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, INJECT_UD);
	expect_msr_failure(guest);
	expect_equal("VM-entry interruption information", vmread(VMCS_ENTRY_INTERRUPTION_INFO), INJECT_UD);
}

FAILURE_RULE(failure_information, "other-information-kept", "A VM-entry failure for MSR loading changes the exit reason and qualification and no other VM-exit information")
{
	static const enum vmcs_field fields[] = {VMCS_EXIT_INTERRUPTION_INFO, VMCS_EXIT_INTERRUPTION_ERROR, VMCS_IDT_VECTORING_INFO,
						 VMCS_IDT_VECTORING_ERROR, VMCS_EXIT_INSTRUCTION_LENGTH, VMCS_EXIT_INSTRUCTION_INFO,
						 VMCS_GUEST_LINEAR_ADDRESS};
	struct guest *guest = guest_refused();
	u64 before[COUNT(fields)];

	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	expect_done(guest); /* a VMCALL exit: instruction length 3 */
	for (unsigned i = 0; i < COUNT(fields); i++)
		before[i] = vmread(fields[i]);
	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 1);
	expect_msr_failure(guest);
	for (unsigned i = 0; i < COUNT(fields); i++)
		expect_equal(vmcs_field_name(fields[i]), vmread(fields[i]), before[i]);
}

FAILURE_RULE(failure_partial, "entries-before", "What becomes of the entries before and behind the bad one", .class = OBSERVED)
{
	struct guest *guest = msr_guest();
	struct msr_chosen before = msr_choose(&msr_pat), behind = msr_choose(&msr_lstar);
	struct msr_entry *list = scratch_page();

	controls_clear(VMCS_EXIT_CONTROLS, &this_cpu()->caps.exit, EXIT_LOAD_PAT, "load IA32_PAT");
	list[0] = (struct msr_entry){before.msr, 0, before.other};
	list[1] = (struct msr_entry){MSR_ABSENT, 0, 0};
	list[2] = (struct msr_entry){behind.msr, 0, behind.other};
	msr_area_use(&entry_load, list, 3);
	expect_msr_failure(guest);
	rule_note("the entry before the bad one was %sloaded, the one behind it was %sloaded",
		  msr_host_reads(before.msr) == before.other ? "" : "not ", msr_host_reads(behind.msr) == behind.other ? "" : "not ");
}
