/* VMX root operation on a CPU. SDM 3C "Enabling and Entering VMX Operation" (24.7), "Restrictions on VMX Operation" (24.8). */
#include "vmx/root.h"
#include "cpu/msr.h"
#include "cpu/registers.h"
#include "lib/format.h"
#include "memory/pages.h"
#include "smp/cpu.h"
#include "vmx/instructions.h"
#include "vmx/stale.h"
#include "vmx/vmcs-faults.h"

/* Returns false, with the trouble said, where VMXON outside SMX operation would fault. */
static bool feature_control(struct cpu *cpu)
{
	const u64 wanted = FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMX_OUTSIDE_SMX;
	u64 value;

	if (msr_try_read(MSR_FEATURE_CONTROL, &value) != SUCCEEDED) {
		format(cpu->vmx_trouble, sizeof(cpu->vmx_trouble),
		       "CPUID announces VMX but reading IA32_FEATURE_CONTROL (3AH) faults");
		return false;
	}
	if (!(value & FEATURE_CONTROL_LOCK)) {
		msr_try_write(MSR_FEATURE_CONTROL, value | wanted);
		msr_try_read(MSR_FEATURE_CONTROL, &value);
	}
	if ((value & wanted) == wanted)
		return true;
	format(cpu->vmx_trouble, sizeof(cpu->vmx_trouble),
	       value & FEATURE_CONTROL_LOCK ?
		       "VMX is locked off in IA32_FEATURE_CONTROL (3AH reads 0x%llx): turn it on in the firmware set-up" :
		       "IA32_FEATURE_CONTROL (3AH reads 0x%llx) cannot be locked with VMX on", value);
	return false;
}

u64 vmcs_region(struct cpu *cpu, void *page)
{
	*(u32 *)page = caps_revision(&cpu->caps);
	return physical(page);
}

#define CR_FIXED_MSRS BITS(MSR_VMX_CR4_FIXED1 - MSR_VMX_BASIC, MSR_VMX_CR0_FIXED0 - MSR_VMX_BASIC)

static void enter(struct cpu *cpu)
{
	const struct vmx_caps *caps = &cpu->caps;
	const char *step = "MOV to CR0 as IA32_VMX_CR0_FIXED0 and FIXED1 say";
	outcome_t outcome = write_cr0_try((read_cr0() | caps->cr0_fixed0) & caps->cr0_fixed1);
	char text[100];

	if (outcome == SUCCEEDED) {
		step = "MOV to CR4 as IA32_VMX_CR4_FIXED0 and FIXED1 say";
		outcome = write_cr4_try((read_cr4() | caps->cr4_fixed0) & caps->cr4_fixed1);
	}
	if (outcome == SUCCEEDED) {
		step = "VMXON";
		outcome = vmxon(cpu->vmxon_region);
	}
	if (outcome == SUCCEEDED)
		return;
	outcome_format(text, sizeof(text), outcome);
	format(cpu->vmx_trouble, sizeof(cpu->vmx_trouble), "%s did not succeed: %s", step, text);
}

void vmx_root_start(struct cpu *cpu)
{
	vmx_caps_read(&cpu->caps);
	if (!cpu->caps.vmx) {
		format(cpu->vmx_trouble, sizeof(cpu->vmx_trouble),
		       "the CPU has no VMX (CPUID.1:ECX.VMX = 0): use a CPU or an emulator with VMX, such as Bochs, or nested "
		       "virtualization");
		return;
	}
	if ((cpu->caps.msr_there & CR_FIXED_MSRS) != CR_FIXED_MSRS) {
		format(cpu->vmx_trouble, sizeof(cpu->vmx_trouble),
		       "CPUID announces VMX but IA32_VMX_CR0_FIXED0 to IA32_VMX_CR4_FIXED1 (486H to 489H) are not all there");
		return;
	}
	if (!feature_control(cpu))
		return;
	cpu->vmxon_region = vmcs_region(cpu, pages_allocate(1));
	cpu->golden_vmcs = vmcs_region(cpu, pages_allocate(1));
	enter(cpu);
	cpu->cr0 = read_cr0();
	cpu->cr4 = read_cr4();
}

static u64 *active_slot(u64 vmcs)
{
	struct cpu *cpu = this_cpu();

	for (unsigned i = 0; i < COUNT(cpu->active_vmcs); i++)
		if (cpu->active_vmcs[i] == vmcs)
			return &cpu->active_vmcs[i];
	return 0;
}

void vmcs_note_active(u64 vmcs)
{
	u64 *slot = active_slot(vmcs);

	if (!slot)
		slot = active_slot(0);
	if (slot)
		*slot = vmcs;
}

void vmcs_note_inactive(u64 vmcs)
{
	u64 *slot = active_slot(vmcs);

	if (slot)
		*slot = 0;
}

bool vmcs_is_active(u64 vmcs)
{
	return active_slot(vmcs);
}

static void clear_active(struct cpu *cpu)
{
	for (unsigned i = 0; i < COUNT(cpu->active_vmcs); i++) {
		if (cpu->active_vmcs[i])
			vmclear(cpu->active_vmcs[i]);
		cpu->active_vmcs[i] = 0;
	}
}

void vmx_root_restore(struct cpu *cpu)
{
	u64 current;

	stale_forget();
	if (cpu->vmx_trouble[0])
		return;
	outcome_t outcome = vmptrst(&current); /* #UD outside VMX operation; in root operation it has no other way to fail */

	if (outcome == SUCCEEDED)
		clear_active(cpu);
	if (outcome == SUCCEEDED && cpu->vmxon_last != cpu->vmxon_region)
		outcome = vmxoff() == SUCCEEDED ? FAULT_UD : SUCCEEDED; /* in memory that the next rule uses */
	if (outcome != SUCCEEDED) {
		*(u32 *)(ulong)cpu->vmxon_region = caps_revision(&cpu->caps);
		enter(cpu);
		clear_active(cpu); /* what VMXOFF found active */
	}
	vmcs_faults_end();
}
