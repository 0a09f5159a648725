/* The golden host state. */
#include "harness/restore.h"
#include "cpu/msr.h"
#include "cpu/registers.h"
#include "cpu/traps.h"
#include "harness/expect.h"
#include "harness/ticking.h"
#include "smp/cpu.h"
#include "vmx/root.h"

#define DR7_RESET 0x400

/* MSRs that rules change, here or by VM entry and VM exit; those that a CPU lacks are left out on it */
static const u32 msrs[] = {
	MSR_PAT, MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP, MSR_DEBUGCTL, MSR_EFER, MSR_STAR, MSR_LSTAR,
	MSR_FMASK, MSR_FS_BASE, MSR_KERNEL_GS_BASE, MSR_TSC_AUX,
};

static struct {
	u64 value[COUNT(msrs)];
	bool there[COUNT(msrs)];
	/* those of the running rule alone */
	struct {
		u32 msr;
		u64 value;
	} own[8];
	unsigned own_count;
} saved[MAX_CPUS];

u64 msr_restore_after_rule(u32 msr, const char *name)
{
	struct cpu *cpu = this_cpu();
	unsigned i = saved[cpu->index].own_count;
	u64 value;

	if (msr_try_read(msr, &value) != SUCCEEDED)
		rule_skip("the CPU has no %s (MSR %xh)", name, msr);
	if (i == COUNT(saved[0].own))
		rule_fail("MSRs that a rule changes", "at most 8", "the rule has more");
	saved[cpu->index].own[i].msr = msr;
	saved[cpu->index].own[i].value = value;
	saved[cpu->index].own_count++;
	return value;
}

/* The last first: an MSR that was named twice gets its first value */
static void restore_own_msrs(struct cpu *cpu)
{
	while (saved[cpu->index].own_count) {
		unsigned i = --saved[cpu->index].own_count;
		u64 now;

		if (msr_try_read(saved[cpu->index].own[i].msr, &now) == SUCCEEDED && now != saved[cpu->index].own[i].value)
			msr_try_write(saved[cpu->index].own[i].msr, saved[cpu->index].own[i].value);
	}
}

void host_state_save(struct cpu *cpu)
{
	cpu->cr0 = read_cr0();
	cpu->cr3 = read_cr3();
	cpu->cr4 = read_cr4();
	for (unsigned i = 0; i < COUNT(msrs); i++)
		saved[cpu->index].there[i] = msr_try_read(msrs[i], &saved[cpu->index].value[i]) == SUCCEEDED;
}

void host_state_restore(struct cpu *cpu)
{
	interrupts_off();
	write_cr4(cpu->cr4);
	write_cr0(cpu->cr0);
	write_cr3(cpu->cr3);
	descriptors_load(&cpu->descriptors, cpu->idt, (ulong)cpu);
	nmi_unblock();
	write_dr7(DR7_RESET);
	for (unsigned i = 0; i < COUNT(msrs); i++) {
		u64 now;

		if (saved[cpu->index].there[i] && msr_try_read(msrs[i], &now) == SUCCEEDED && now != saved[cpu->index].value[i])
			msr_try_write(msrs[i], saved[cpu->index].value[i]);
	}
	restore_own_msrs(cpu);
	if (!cpu->ticking || cpu->result.state >= FAILED)
		ticking_stop(cpu);
	vmx_root_restore(cpu);
}
