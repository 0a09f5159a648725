/* VMPTRST: what it stores, and faults of its memory operand. */
#include "cpu/paging.h"
#include "cpu/registers.h"
#include "harness/expect.h"
#include "harness/rule.h"
#include "lhv-tests/vmcs-values.h"
#include "smp/cpu.h"
#include "vmx/instructions.h"
#include "vmx/root.h"

#define VMPTRST "31.3 VMPTRST - Store Pointer to Virtual-Machine Control Structure"
#define NO_VMCS (~0ull)

#define VMPTRST_RULE(name, id_text, title_text, ...) \
	RULE(name, .id = "vmptrst." id_text, .title = title_text, .sdm = VMPTRST, .needs = NEED_VMX_ROOT, \
	     .opt = OPT_VMX_INSTR | OPT_VMXOFF, ##__VA_ARGS__)

VMPTRST_RULE(value, "value", "VMPTRST stores the address of the current VMCS")
{
	u64 vmcs = vmcs_fresh(), stored = 0;

	vmcs_load(vmcs);
	expect_outcome("VMPTRST", vmptrst(&stored), SUCCEEDED);
	expect_equal("what VMPTRST stored", stored, vmcs);
}

VMPTRST_RULE(value_width, "value-8-bytes", "VMPTRST stores 8 bytes and no more, in every mode")
{
	u64 vmcs = vmcs_fresh(), stored[3] = {0x5a5a5a5a5a5a5a5aull, 0x5a5a5a5a5a5a5a5aull, 0x5a5a5a5a5a5a5a5aull};

	vmcs_load(vmcs);
	expect_outcome("VMPTRST", vmptrst(&stored[1]), SUCCEEDED);
	expect_equal("what VMPTRST stored", stored[1], vmcs);
	expect_equal("the 8 bytes before", stored[0], 0x5a5a5a5a5a5a5a5aull);
	expect_equal("the 8 bytes behind", stored[2], 0x5a5a5a5a5a5a5a5aull);
}

VMPTRST_RULE(no_current, "no-current", "VMPTRST without a current VMCS stores FFFFFFFF_FFFFFFFFH")
{
	u64 stored = 0;

	expect_outcome("VMPTRST", vmptrst(&stored), SUCCEEDED);
	expect_equal("what VMPTRST stored", stored, NO_VMCS);
}

VMPTRST_RULE(no_current_cleared, "no-current-after-vmclear", "VMPTRST stores FFFFFFFF_FFFFFFFFH after VMCLEAR of the current VMCS, though another is active")
{
	u64 vmcs = vmcs_fresh(), other = vmcs_fresh(), stored = 0;

	vmcs_load(other);
	vmcs_load(vmcs);
	vmcs_clear(vmcs);
	expect_outcome("VMPTRST", vmptrst(&stored), SUCCEEDED);
	expect_equal("what VMPTRST stored", stored, NO_VMCS);
}

VMPTRST_RULE(no_current_vmxon, "no-current-after-vmxon", "VMPTRST stores FFFFFFFF_FFFFFFFFH after VMXON")
{
	u64 stored = 0;

	expect_outcome("VMXOFF", vmxoff(), SUCCEEDED);
	expect_outcome("VMXON", vmxon(this_cpu()->vmxon_region), SUCCEEDED);
	expect_outcome("VMPTRST", vmptrst(&stored), SUCCEEDED);
	expect_equal("what VMPTRST stored", stored, NO_VMCS);
}

VMPTRST_RULE(operand_pf, "operand-page-fault", "VMPTRST to an unmapped page gives #PF for a write")
{
	expect_outcome("VMPTRST to an unmapped page", vmptrst_operand((void *)this_cpu()->stack_guard), FAULTED(14, 2));
	expect_equal("CR2", read_cr2(), this_cpu()->stack_guard);
}

VMPTRST_RULE(operand_read_only, "operand-read-only", "VMPTRST to a page that cannot be written gives #PF with CR0.WP = 1")
{
	u64 *page = scratch_page();
	pte_t *entry = paging_entry((ulong)page);
	outcome_t outcome;

	*entry &= ~(pte_t)PTE_WRITE;
	invlpg((ulong)page);
	outcome = vmptrst_operand(page);
	*entry |= PTE_WRITE;
	invlpg((ulong)page);
	expect_outcome("VMPTRST to a read-only page", outcome, FAULTED(14, 3));
	expect_equal("the 8 bytes there", *page, 0);
}

VMPTRST_RULE(operand_crosses, "operand-crosses-page", "VMPTRST stores 8 bytes: an operand whose last 4 are in an unmapped page gives #PF")
{
	expect_outcome("VMPTRST with half of the operand in an unmapped page", vmptrst_operand((void *)(this_cpu()->stack_guard - 4)),
		       FAULTED(14, 2));
	expect_equal("CR2", read_cr2(), this_cpu()->stack_guard);
}

VMPTRST_RULE(operand_canonical, "operand-non-canonical", "VMPTRST with a non-canonical operand address gives #GP(0)")
{
	if (sizeof(ulong) == 4)
		rule_skip("this build does not run in 64-bit mode");
	expect_outcome("VMPTRST with a non-canonical operand address", vmptrst_operand((void *)(ulong)0x8000000000000000ull), FAULT_GP0);
}
