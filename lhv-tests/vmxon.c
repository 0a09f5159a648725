/*
 * VMXON, and what VMX operation fixes in CR0 and CR4. The rules leave VMX operation themselves; the harness brings the
 * CPU back into it.
 */
#include "cpu/cpuid.h"
#include "cpu/registers.h"
#include "harness/expect.h"
#include "harness/rule.h"
#include "lhv-guest/golden.h"
#include "lhv-guest/guest.h"
#include "smp/cpu.h"
#include "vmx/instructions.h"
#include "vmx/root.h"

#define VMXON "31.3 VMXON - Enter VMX Operation"
#define ENABLING "24.7 Enabling and Entering VMX Operation"
#define RESTRICTIONS "24.8 Restrictions on VMX Operation"

#define VMXON_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "vmxon." id_text, .title = title_text, .sdm = section, .needs = NEED_VMX_ROOT, .opt = OPT_VMX_INSTR, \
	     ##__VA_ARGS__)

static void leave_vmx_operation(void)
{
	expect_outcome("VMXOFF", vmxoff(), SUCCEEDED);
}

static void expect_outside(void)
{
	u64 vmcs;

	expect_outcome("VMPTRST, which tells whether the CPU is in VMX operation", vmptrst(&vmcs), FAULT_UD);
}

/* A good VMXON region of this CPU, other than the one that the kernel uses */
static u64 another_region(void)
{
	return vmcs_region(this_cpu(), scratch_page());
}

VMXON_RULE(success, "success", "VMXON with a valid region succeeds, and no VMCS is current then", VMXON)
{
	u64 vmcs = 0;

	leave_vmx_operation();
	expect_outcome("VMXON", vmxon(another_region()), SUCCEEDED);
	expect_outcome("VMPTRST", vmptrst(&vmcs), SUCCEEDED);
	expect_equal("the current-VMCS pointer", vmcs, ~0ull);
}

VMXON_RULE(vmxe_clear, "cr4-vmxe-clear-ud", "VMXON with CR4.VMXE = 0 gives #UD", ENABLING)
{
	leave_vmx_operation();
	write_cr4(read_cr4() & ~CR4_VMXE);
	expect_outcome("VMXON with CR4.VMXE = 0", vmxon(another_region()), FAULT_UD);
}

VMXON_RULE(vmxe_free, "cr4-vmxe-set-free-outside", "CR4.VMXE can be set and cleared outside VMX operation", ENABLING)
{
	leave_vmx_operation();
	expect_outcome("clearing CR4.VMXE", write_cr4_try(read_cr4() & ~CR4_VMXE), SUCCEEDED);
	expect_outcome("setting CR4.VMXE", write_cr4_try(read_cr4() | CR4_VMXE), SUCCEEDED);
}

/* KVM accepted it: kernel bugzilla 216033 */
VMXON_RULE(ne_clear, "cr0-ne-clear-gp", "VMXON with CR0.NE = 0, where that bit is fixed to 1, gives #GP(0)", VMXON)
{
	if (!(this_cpu()->caps.cr0_fixed0 & CR0_NE))
		rule_skip("IA32_VMX_CR0_FIXED0 lets CR0.NE be 0");
	leave_vmx_operation();
	write_cr0(read_cr0() & ~CR0_NE);
	expect_outcome("VMXON with CR0.NE = 0", vmxon(another_region()), FAULT_GP0);
	expect_outside();
}

VMXON_RULE(gp_before_memory, "cr0-gp-before-operand", "VMXON judges CR0 before it reads its operand", VMXON)
{
	if (!(this_cpu()->caps.cr0_fixed0 & CR0_NE))
		rule_skip("IA32_VMX_CR0_FIXED0 lets CR0.NE be 0");
	leave_vmx_operation();
	write_cr0(read_cr0() & ~CR0_NE);
	expect_outcome("VMXON with CR0.NE = 0 and an operand in an unmapped page",
		       vmxon_operand((void *)this_cpu()->stack_guard), FAULT_GP0);
}

/* The kernel is mapped one to one, so that it can do without paging */
RULE(pg_clear, .id = "vmxon.cr0-pg-clear-gp", .title = "VMXON with CR0.PG = 0, where that bit is fixed to 1, gives #GP(0)", .sdm = VMXON,
     .needs = NEED_VMX_ROOT | NEED_LEGACY_PAGING, .opt = OPT_VMX_INSTR)
{
	u64 region = another_region();
	ulong cr0 = read_cr0();
	outcome_t outcome;

	if (!(this_cpu()->caps.cr0_fixed0 & CR0_PG))
		rule_skip("IA32_VMX_CR0_FIXED0 lets CR0.PG be 0");
	leave_vmx_operation();
	write_cr0(cr0 & ~CR0_PG);
	outcome = vmxon(region);
	write_cr0(cr0);
	expect_outcome("VMXON with CR0.PG = 0", outcome, FAULT_GP0);
}

/* ---- The region ---------------------------------------------------------------------------------- */

VMXON_RULE(unaligned, "unaligned", "VMXON with a pointer that is not aligned to 4 KBytes gives VMfailInvalid", VMXON)
{
	u64 region = another_region();

	leave_vmx_operation();
	for (unsigned bit = 0; bit < 12; bit++) {
		expect_outcome("VMXON with a low bit of the pointer set", vmxon(region | BIT(bit)), VMFAIL_INVALID);
		expect_outside();
	}
}

/* IA32_VMX_BASIC[48] = 1: pointers of 32 bits only */
#define BASIC_32_BIT_ADDRESSES BIT(48)

VMXON_RULE(beyond_width, "beyond-width", "VMXON with a pointer beyond the physical-address width gives VMfailInvalid", VMXON)
{
	u8 width = this_cpu()->caps.basic & BASIC_32_BIT_ADDRESSES ? 32 : cpuid_physical_width();
	u64 region = another_region();

	leave_vmx_operation();
	for (unsigned bit = width; bit < 64; bit++) {
		expect_outcome("VMXON with a bit of the pointer set beyond the width", vmxon(region | BIT(bit)), VMFAIL_INVALID);
		expect_outside();
	}
}

VMXON_RULE(revision, "revision-mismatch", "VMXON of a region with another revision identifier gives VMfailInvalid", VMXON)
{
	u64 region = another_region();
	u32 *word = (u32 *)(ulong)region;

	leave_vmx_operation();
	for (unsigned bit = 0; bit < 31; bit++) {
		*word = caps_revision(&this_cpu()->caps) ^ BIT(bit);
		expect_outcome("VMXON with a bit of the revision identifier wrong", vmxon(region), VMFAIL_INVALID);
		expect_outside();
	}
}

VMXON_RULE(shadow_bit, "shadow-bit", "VMXON of a region with bit 31 of its first word set gives VMfailInvalid", VMXON)
{
	u64 region = another_region();

	*(u32 *)(ulong)region |= BIT(31);
	leave_vmx_operation();
	expect_outcome("VMXON of a shadow region", vmxon(region), VMFAIL_INVALID);
	expect_outside();
}

VMXON_RULE(region_kept, "region-contents-free", "VMXON looks at nothing in the region but its first word", VMXON)
{
	u64 region = another_region();
	u32 *words = (u32 *)(ulong)region;

	for (unsigned i = 1; i < PAGE_SIZE / sizeof(*words); i++)
		words[i] = 0xffffffff;
	leave_vmx_operation();
	expect_outcome("VMXON of a region full of ones", vmxon(region), SUCCEEDED);
}

/* ---- The memory operand -------------------------------------------------------------------------- */

VMXON_RULE(operand_pf, "operand-page-fault", "VMXON with an operand in an unmapped page gives #PF", VMXON)
{
	leave_vmx_operation();
	expect_outcome("VMXON with an operand in an unmapped page", vmxon_operand((void *)this_cpu()->stack_guard), FAULTED(14, 0));
	expect_equal("CR2", read_cr2(), this_cpu()->stack_guard);
}

VMXON_RULE(operand_canonical, "operand-non-canonical", "VMXON with a non-canonical operand address gives #GP(0)", VMXON)
{
	if (sizeof(ulong) == 4)
		rule_skip("this build does not run in 64-bit mode");
	leave_vmx_operation();
	expect_outcome("VMXON with a non-canonical operand address",
		       vmxon_operand((void *)(ulong)0x8000000000000000ull), FAULT_GP0);
}

/* ---- In VMX root operation ------------------------------------------------------------------------ */

VMXON_RULE(in_root_no_vmcs, "in-root-no-current-vmcs", "VMXON in VMX root operation without a current VMCS gives VMfailInvalid", VMXON)
{
	expect_outcome("VMXON in root, no current VMCS", vmxon(another_region()), VMFAIL_INVALID);
}

VMXON_RULE(in_root, "in-root-error15", "VMXON in VMX root operation gives VMfailValid(15)", VMXON)
{
	golden_vmcs_load();
	expect_outcome("VMXON in root", vmxon(another_region()), VMFAIL_VALID(15));
}

VMXON_RULE(in_root_operand, "in-root-operand-unread", "VMXON in VMX root operation fails before it reads its operand", VMXON)
{
	golden_vmcs_load();
	expect_outcome("VMXON in root with an operand in an unmapped page",
		       vmxon_operand((void *)this_cpu()->stack_guard), VMFAIL_VALID(15));
}

/* ---- What VMX operation fixes --------------------------------------------------------------------- */

static void expect_cr0_refused(ulong value, const char *what)
{
	ulong before = read_cr0();

	expect_outcome(what, write_cr0_try(value), FAULT_GP0);
	expect_equal("CR0 after the #GP", read_cr0(), before);
}

static void expect_cr4_refused(ulong value, const char *what)
{
	ulong before = read_cr4();

	expect_outcome(what, write_cr4_try(value), FAULT_GP0);
	expect_equal("CR4 after the #GP", read_cr4(), before);
}

VMXON_RULE(op_ne, "op.cr0-ne-clear-gp", "Clearing CR0.NE in VMX operation, where it is fixed to 1, gives #GP(0)", RESTRICTIONS)
{
	if (!(this_cpu()->caps.cr0_fixed0 & CR0_NE))
		rule_skip("IA32_VMX_CR0_FIXED0 lets CR0.NE be 0");
	expect_cr0_refused(read_cr0() & ~CR0_NE, "MOV to CR0 with NE = 0");
}

/*
 * Non-root operation may relax PG (and PE) by "unrestricted guest"; root operation does not, whatever the last guest had.
 * 64-bit mode cannot clear PG in any case.
 */
static void guest_nothing(void)
{
}

static void expect_pg_refused(void)
{
	if (!(this_cpu()->caps.cr0_fixed0 & CR0_PG))
		rule_skip("IA32_VMX_CR0_FIXED0 lets CR0.PG be 0");
	expect_cr0_refused(read_cr0() & ~CR0_PG, "MOV to CR0 with PG = 0");
}

RULE(op_pg, .id = "vmxon.op.cr0-pg-clear-gp", .title = "Clearing CR0.PG in VMX root operation, where it is fixed to 1, gives #GP(0)",
     .sdm = RESTRICTIONS, .needs = NEED_VMX_ROOT | NEED_LEGACY_PAGING, .opt = OPT_VMX_INSTR)
{
	struct guest *guest = guest_golden(guest_nothing);

	if (vmread(VMCS_PROC_CONTROLS) & PROC_ACTIVATE_SECONDARY_CONTROLS)
		vmwrite(VMCS_PROC2_CONTROLS, vmread(VMCS_PROC2_CONTROLS) & ~(u64)PROC2_UNRESTRICTED_GUEST);
	expect_done(guest);
	expect_pg_refused();
}

RULE(op_pg_unrestricted, .id = "vmxon.op.cr0-pg-clear-gp-unrestricted",
     .title = "Clearing CR0.PG in VMX root operation gives #GP(0) after an unrestricted guest too", .sdm = RESTRICTIONS,
     .needs = NEED_VMX_ROOT | NEED_UNRESTRICTED_GUEST | NEED_LEGACY_PAGING,
     .opt = OPT_UNRESTRICTED_GUEST)
{
	expect_done(guest_golden(guest_nothing)); /* the option makes all guests unrestricted */
	expect_pg_refused();
}

VMXON_RULE(op_vmxe, "op.cr4-vmxe-clear-gp", "Clearing CR4.VMXE in VMX operation gives #GP(0)", ENABLING)
{
	expect_cr4_refused(read_cr4() & ~CR4_VMXE, "MOV to CR4 with VMXE = 0");
}

VMXON_RULE(op_cr4_fixed1, "op.cr4-fixed0-set-gp", "Setting a CR4 bit that is fixed to 0 in VMX operation gives #GP(0)", RESTRICTIONS)
{
	u64 fixed_to_0 = ~this_cpu()->caps.cr4_fixed1 & BITS(31, 0);

	for (unsigned bit = 0; bit < 32; bit++)
		if (fixed_to_0 & BIT(bit))
			expect_cr4_refused(read_cr4() | BIT(bit), "MOV to CR4 with a bit that IA32_VMX_CR4_FIXED1 forbids");
}

VMXON_RULE(op_cr0_flexible, "op.cr0-flexible", "Bits of CR0 that are not fixed can change in VMX operation", RESTRICTIONS)
{
	const u64 flexible = (CR0_MP | CR0_EM | CR0_TS | CR0_WP | CR0_AM) & ~this_cpu()->caps.cr0_fixed0 & this_cpu()->caps.cr0_fixed1;
	ulong before = read_cr0();

	for (unsigned bit = 0; bit < 32; bit++) {
		if (!(flexible & BIT(bit)))
			continue;
		expect_outcome("MOV to CR0 with a flexible bit changed", write_cr0_try(before ^ BIT(bit)), SUCCEEDED);
		expect_equal("CR0 as read back", read_cr0(), before ^ BIT(bit));
	}
}

VMXON_RULE(op_cr4_flexible, "op.cr4-flexible", "Bits of CR4 that are not fixed can change in VMX operation", RESTRICTIONS)
{
	const u64 flexible = (CR4_TSD | CR4_DE | CR4_PCE | CR4_MCE) & ~this_cpu()->caps.cr4_fixed0 & this_cpu()->caps.cr4_fixed1;
	ulong before = read_cr4();

	for (unsigned bit = 0; bit < 32; bit++) {
		if (!(flexible & BIT(bit)))
			continue;
		expect_outcome("MOV to CR4 with a flexible bit changed", write_cr4_try(before ^ BIT(bit)), SUCCEEDED);
		expect_equal("CR4 as read back", read_cr4(), before ^ BIT(bit));
	}
}
