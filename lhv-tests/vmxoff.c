/* VMXOFF: what ends with VMX operation, and that it can begin again. */
#include "cpu/registers.h"
#include "harness/expect.h"
#include "harness/rule.h"
#include "lhv-guest/golden.h"
#include "smp/cpu.h"
#include "vmx/instructions.h"
#include "vmx/root.h"

#define VMXOFF "31.3 VMXOFF - Leave VMX Operation"

#define VMXOFF_RULE(name, id_text, title_text, ...) \
	RULE(name, .id = "vmxoff." id_text, .title = title_text, .sdm = VMXOFF, .needs = NEED_VMX_ROOT, \
	     .opt = OPT_VMXOFF | OPT_VMX_INSTR, ##__VA_ARGS__)

VMXOFF_RULE(leaves, "leaves", "VMXOFF succeeds and leaves VMX operation")
{
	expect_outcome("VMXOFF", vmxoff(), SUCCEEDED);
	expect_outcome("VMXOFF again", vmxoff(), FAULT_UD);
}

VMXOFF_RULE(vmxe, "cr4-vmxe-clear-after", "CR4.VMXE can be cleared after VMXOFF")
{
	expect_outcome("MOV to CR4 with VMXE = 0 before VMXOFF", write_cr4_try(read_cr4() & ~CR4_VMXE), FAULT_GP0);
	expect_outcome("VMXOFF", vmxoff(), SUCCEEDED);
	expect_outcome("MOV to CR4 with VMXE = 0 after VMXOFF", write_cr4_try(read_cr4() & ~CR4_VMXE), SUCCEEDED);
}

VMXOFF_RULE(ne, "cr0-ne-clear-after", "CR0.NE can be cleared after VMXOFF")
{
	expect_outcome("VMXOFF", vmxoff(), SUCCEEDED);
	expect_outcome("MOV to CR0 with NE = 0", write_cr0_try(read_cr0() & ~CR0_NE), SUCCEEDED);
}

VMXOFF_RULE(again, "vmxon-again", "VMXON after VMXOFF works with the same region")
{
	for (unsigned i = 0; i < 3; i++) {
		expect_outcome("VMXOFF", vmxoff(), SUCCEEDED);
		expect_outcome("VMXON of the same region", vmxon(this_cpu()->vmxon_region), SUCCEEDED);
	}
}

VMXOFF_RULE(no_vmcs, "with-current-vmcs", "VMXOFF succeeds while a VMCS is current, and none is after VMXON")
{
	u64 vmcs = 0;

	/* what the VMCS holds is not defined after this (25.11.1); that none is current is */
	golden_vmcs_load();
	expect_outcome("VMXOFF with a current VMCS", vmxoff(), SUCCEEDED);
	expect_outcome("VMXON", vmxon(this_cpu()->vmxon_region), SUCCEEDED);
	expect_outcome("VMPTRST", vmptrst(&vmcs), SUCCEEDED);
	expect_equal("the current-VMCS pointer", vmcs, ~0ull);
}

/* ---- #UD of the other VMX instructions, one row each ------------------------------------------------ */

enum instruction { VMCALL, VMCLEAR, VMLAUNCH, VMPTRLD, VMPTRST, VMREAD, VMRESUME, VMWRITE, INVEPT, INVVPID };

static const enum instruction instructions[] = {VMCALL, VMCLEAR, VMLAUNCH, VMPTRLD, VMPTRST, VMREAD, VMRESUME, VMWRITE, INVEPT, INVVPID};

static outcome_t execute(enum instruction instruction)
{
	u64 value = 0;

	switch (instruction) {
	case VMCALL: return vmcall();
	case VMCLEAR: return vmclear(this_cpu()->golden_vmcs);
	case VMLAUNCH: return vmlaunch();
	case VMPTRLD: return vmptrld(this_cpu()->golden_vmcs);
	case VMPTRST: return vmptrst(&value);
	case VMREAD: return vmread_try(VMCS_GUEST_RIP, &value);
	case VMRESUME: return vmresume();
	case VMWRITE: return vmwrite_try(VMCS_GUEST_RIP, 0);
	case INVEPT: return invept(INVEPT_ALL_CONTEXTS, (struct invept_descriptor){0, 0});
	default: return invvpid(INVVPID_ALL_CONTEXTS, (struct invvpid_descriptor){0, 0});
	}
}

static void ud_outside(const struct rule *rule)
{
	expect_outcome("VMXOFF", vmxoff(), SUCCEEDED);
	expect_outcome("the instruction outside VMX operation", execute(*(const enum instruction *)rule->row), FAULT_UD);
}

#define UD_ROW(instruction, id_text, need) \
	ROW(ud_outside, .id = "vmxoff.ud-after." id_text, .title = #instruction " outside VMX operation gives #UD", .sdm = "31.3 " #instruction, \
	    .row = &instructions[instruction], .needs = NEED_VMX_ROOT | need, .opt = OPT_VMXOFF | OPT_VMX_INSTR)

UD_ROW(VMCALL, "vmcall", 0)
UD_ROW(VMCLEAR, "vmclear", 0)
UD_ROW(VMLAUNCH, "vmlaunch", 0)
UD_ROW(VMPTRLD, "vmptrld", 0)
UD_ROW(VMPTRST, "vmptrst", 0)
UD_ROW(VMREAD, "vmread", 0)
UD_ROW(VMRESUME, "vmresume", 0)
UD_ROW(VMWRITE, "vmwrite", 0)
UD_ROW(INVEPT, "invept", NEED_INVEPT)
UD_ROW(INVVPID, "invvpid", NEED_INVVPID)
