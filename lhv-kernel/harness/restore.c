/* The golden host state. */
#include "harness/restore.h"
#include "cpu/msr.h"
#include "cpu/registers.h"
#include "cpu/traps.h"
#include "harness/select.h"
#include "interrupts/devices.h"
#include "interrupts/lapic.h"
#include "interrupts/pic.h"
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
} saved[MAX_CPUS];

void host_state_save(struct cpu *cpu)
{
	cpu->cr0 = read_cr0();
	cpu->cr3 = read_cr3();
	cpu->cr4 = read_cr4();
	for (unsigned i = 0; i < COUNT(msrs); i++)
		saved[cpu->index].there[i] = msr_try_read(msrs[i], &saved[cpu->index].value[i]) == SUCCEEDED;
}

/* Interrupts that are latched already would come to the next rule */
static void let_go(void)
{
	if (option_mask & OPT_NO_EFLAGS_IF)
		return;
	interrupts_on();
	pause();
	interrupts_off();
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
	lapic_reset();
	if (cpu->boot && devices.pic)
		pic_reset();
	let_go();
	vmx_root_restore(cpu);
}
