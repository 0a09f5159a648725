/* The golden VMCS: host state, guest state and controls that every test starts from. SDM 3C chapter 25. */
#include "lhv-guest/guest.h"
#include "cpu/msr.h"
#include "cpu/paging.h"
#include "cpu/registers.h"
#include "harness/scratch.h"
#include "harness/select.h"
#include "harness/ticking.h"
#include "lhv-guest/ept.h"
#include "lhv-guest/golden.h"
#include "lhv-guest/hypercall.h"
#include "lib/string.h"

#ifdef __x86_64__
#define LONG_MODE 1
#define CODE_RIGHTS 0xa09b
#else
#define LONG_MODE 0
#define CODE_RIGHTS 0xc09b
#endif
#define DATA_RIGHTS 0xc093
#define TSS_RIGHTS 0x008b
#define UNUSABLE 0x10000
#define DR7_RESET 0x400
#define NO_LINK_POINTER (~0ull)

/* Lets every MSR access of a guest through. Shared: only read by the CPUs. */
static u8 no_msr_exits[PAGE_SIZE] PAGE_ALIGNED;

static u64 allowed(const struct control_caps *caps, u64 wanted)
{
	return (wanted | caps->must_be_1) & caps->may_be_1;
}

static void guest_entry(void)
{
	ticking_window();
	this_cpu()->guest->function();
	ticking_window();
	hypercall(HYPERCALL_DONE, 0);
}

void golden_vmcs_load(void)
{
	struct cpu *cpu = this_cpu();
	u64 vmcs = cpu->golden_vmcs;

	/* cleared before its memory is touched: it may be active, and then in the processor */
	expect_outcome("VMCLEAR of the golden VMCS", vmclear(vmcs), SUCCEEDED);
	memset((void *)(ulong)vmcs, 0, PAGE_SIZE);
	vmcs_region(cpu, (void *)(ulong)vmcs);
	expect_outcome("VMCLEAR of the golden VMCS, zeroed", vmclear(vmcs), SUCCEEDED);
	vmcs_region(cpu, (void *)(ulong)vmcs); /* once more: a platform that loses it has rules of its own to fail */
	expect_outcome("VMPTRLD of the golden VMCS", vmptrld(vmcs), SUCCEEDED);
}

static void write_controls(struct cpu *cpu)
{
	const struct vmx_caps *caps = &cpu->caps;
	u64 proc = PROC_USE_MSR_BITMAPS, proc2 = 0;

	if (option_mask & OPT_EPT)
		proc2 |= PROC2_ENABLE_EPT;
	if (option_mask & OPT_VPID)
		proc2 |= PROC2_ENABLE_VPID;
	if (option_mask & OPT_UNRESTRICTED_GUEST)
		proc2 |= PROC2_UNRESTRICTED_GUEST;
	if (proc2)
		proc |= PROC_ACTIVATE_SECONDARY_CONTROLS;
	proc = allowed(&caps->proc, proc);

	vmwrite(VMCS_PIN_CONTROLS, allowed(&caps->pin, PIN_NMI_EXITING | PIN_ACTIVATE_PREEMPTION_TIMER));
	vmwrite(VMCS_PROC_CONTROLS, proc);
	vmwrite(VMCS_EXIT_CONTROLS, allowed(&caps->exit, LONG_MODE ? EXIT_HOST_ADDRESS_SPACE_SIZE : 0));
	vmwrite(VMCS_ENTRY_CONTROLS, allowed(&caps->entry, LONG_MODE ? ENTRY_IA32E_MODE_GUEST : 0));
	vmwrite(VMCS_EXCEPTION_BITMAP, 0);
	vmwrite(VMCS_PAGE_FAULT_ERROR_CODE_MASK, 0);
	vmwrite(VMCS_PAGE_FAULT_ERROR_CODE_MATCH, 0);
	vmwrite(VMCS_CR3_TARGET_COUNT, 0);
	vmwrite(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmwrite(VMCS_EXIT_MSR_LOAD_COUNT, 0);
	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, 0);
	vmwrite(VMCS_TSC_OFFSET, 0);
	if (proc & PROC_USE_MSR_BITMAPS)
		vmwrite(VMCS_MSR_BITMAPS, physical(no_msr_exits));
	if (!(proc & PROC_ACTIVATE_SECONDARY_CONTROLS))
		return;
	proc2 = allowed(&caps->proc2, proc2);
	vmwrite(VMCS_PROC2_CONTROLS, proc2);
	if (proc2 & PROC2_ENABLE_EPT)
		vmwrite(VMCS_EPT_POINTER, ept_identity_pointer(cpu));
	if (proc2 & PROC2_ENABLE_VPID)
		vmwrite(VMCS_VPID, cpu->index + 1);
}

void golden_host_state(void)
{
	struct cpu *cpu = this_cpu();

	vmwrite(VMCS_HOST_CR0, read_cr0());
	vmwrite(VMCS_HOST_CR3, read_cr3());
	vmwrite(VMCS_HOST_CR4, read_cr4());
	vmwrite(VMCS_HOST_CS_SELECTOR, KERNEL_CS);
	vmwrite(VMCS_HOST_SS_SELECTOR, KERNEL_DS);
	vmwrite(VMCS_HOST_DS_SELECTOR, KERNEL_DS);
	vmwrite(VMCS_HOST_ES_SELECTOR, KERNEL_DS);
	vmwrite(VMCS_HOST_FS_SELECTOR, 0);
	vmwrite(VMCS_HOST_GS_SELECTOR, HOST_GS_SELECTOR);
	vmwrite(VMCS_HOST_TR_SELECTOR, TSS_SELECTOR);
	vmwrite(VMCS_HOST_FS_BASE, 0);
	vmwrite(VMCS_HOST_GS_BASE, (ulong)cpu);
	vmwrite(VMCS_HOST_TR_BASE, (ulong)&cpu->descriptors.tss);
	vmwrite(VMCS_HOST_GDTR_BASE, (ulong)cpu->descriptors.gdt);
	vmwrite(VMCS_HOST_IDTR_BASE, (ulong)cpu->idt);
	vmwrite(VMCS_HOST_IA32_SYSENTER_CS, 0);
	vmwrite(VMCS_HOST_IA32_SYSENTER_ESP, 0);
	vmwrite(VMCS_HOST_IA32_SYSENTER_EIP, 0);
	vmwrite(VMCS_HOST_RIP, (ulong)vm_exit);
}

/* One segment register: its four fields stand at the same distance from each other's for ES, CS, … TR. */
static void write_segment(enum vmcs_field selector_field, u16 selector, u64 base, u32 limit, u32 rights)
{
	unsigned i = selector_field - VMCS_GUEST_ES_SELECTOR;

	vmwrite(selector_field, selector);
	vmwrite(VMCS_GUEST_ES_BASE + i, base);
	vmwrite(VMCS_GUEST_ES_LIMIT + i, limit);
	vmwrite(VMCS_GUEST_ES_ACCESS_RIGHTS + i, rights);
}

static void write_guest_state(struct cpu *cpu, struct guest *guest)
{
	vmwrite(VMCS_GUEST_CR0, read_cr0());
	vmwrite(VMCS_GUEST_CR3, read_cr3());
	vmwrite(VMCS_GUEST_CR4, read_cr4());
	vmwrite(VMCS_CR0_GUEST_HOST_MASK, 0);
	vmwrite(VMCS_CR4_GUEST_HOST_MASK, 0);
	vmwrite(VMCS_CR0_READ_SHADOW, 0);
	vmwrite(VMCS_CR4_READ_SHADOW, 0);
	vmwrite(VMCS_GUEST_DR7, DR7_RESET);
	write_segment(VMCS_GUEST_CS_SELECTOR, KERNEL_CS, 0, 0xffffffff, CODE_RIGHTS);
	write_segment(VMCS_GUEST_SS_SELECTOR, KERNEL_DS, 0, 0xffffffff, DATA_RIGHTS);
	write_segment(VMCS_GUEST_DS_SELECTOR, KERNEL_DS, 0, 0xffffffff, DATA_RIGHTS);
	write_segment(VMCS_GUEST_ES_SELECTOR, KERNEL_DS, 0, 0xffffffff, DATA_RIGHTS);
	write_segment(VMCS_GUEST_FS_SELECTOR, 0, 0, 0, UNUSABLE);
	write_segment(VMCS_GUEST_GS_SELECTOR, LONG_MODE ? KERNEL_DS : CPU_SELECTOR, (ulong)cpu, 0xffffffff, DATA_RIGHTS);
	write_segment(VMCS_GUEST_LDTR_SELECTOR, 0, 0, 0, UNUSABLE);
	write_segment(VMCS_GUEST_TR_SELECTOR, TSS_SELECTOR, (ulong)&guest->descriptors->tss, TSS_LIMIT, TSS_RIGHTS);
	vmwrite(VMCS_GUEST_GDTR_BASE, (ulong)guest->descriptors->gdt);
	vmwrite(VMCS_GUEST_GDTR_LIMIT, sizeof(guest->descriptors->gdt) - 1);
	vmwrite(VMCS_GUEST_IDTR_BASE, (ulong)guest->idt);
	vmwrite(VMCS_GUEST_IDTR_LIMIT, IDT_ENTRIES * sizeof(*guest->idt) - 1);
	vmwrite(VMCS_GUEST_RSP, guest->stack_top - sizeof(ulong)); /* aligned as behind a call */
	vmwrite(VMCS_GUEST_RIP, (ulong)guest_entry);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED);
	vmwrite(VMCS_GUEST_PENDING_DEBUG, 0);
	vmwrite(VMCS_GUEST_ACTIVITY_STATE, 0);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmwrite(VMCS_GUEST_IA32_DEBUGCTL, 0);
	vmwrite(VMCS_GUEST_IA32_SYSENTER_CS, 0);
	vmwrite(VMCS_GUEST_IA32_SYSENTER_ESP, 0);
	vmwrite(VMCS_GUEST_IA32_SYSENTER_EIP, 0);
	vmwrite(VMCS_LINK_POINTER, NO_LINK_POINTER);
#ifdef LHV_PAE
	if (option_mask & OPT_EPT) {
		const u64 *pdptes = (const u64 *)read_cr3();

		/* without EPT, VM entry reads them from memory (27.3.2.1) */
		for (unsigned i = 0; i < 4; i++)
			vmwrite(VMCS_GUEST_PDPTE0 + 2 * i, pdptes[i]);
	}
#endif
}

struct guest *guest_golden(void (*function)(void))
{
	struct cpu *cpu = this_cpu();
	struct guest *guest = scratch_page();

	_Static_assert(sizeof(struct guest) <= PAGE_SIZE, "a guest fits into a page");
	guest->function = function;
	guest->descriptors = scratch_page();
	guest->idt = scratch_page();
	guest->stack_top = (ulong)scratch_pages(2) + 2 * PAGE_SIZE;
	descriptors_fill(guest->descriptors, (ulong)cpu, guest->stack_top);
	for (unsigned vector = 0; vector < IDT_ENTRIES; vector++)
		idt_set(guest->idt, vector, guest_stubs[vector], 0);
	golden_vmcs_load();
	write_controls(cpu);
	golden_host_state();
	write_guest_state(cpu, guest);
	cpu->guest = guest;
	return guest;
}
