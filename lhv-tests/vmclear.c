/* VMCLEAR: what it does with the region, with the current VMCS and with operands that are wrong. */
#include "cpu/cpuid.h"
#include "cpu/registers.h"
#include "harness/expect.h"
#include "harness/rule.h"
#include "lhv-guest/golden.h"
#include "lhv-guest/guest.h"
#include "lhv-tests/vmcs-values.h"
#include "lib/string.h"
#include "smp/cpu.h"
#include "vmx/instructions.h"
#include "vmx/root.h"

#define VMCLEAR "31.3 VMCLEAR - Clear Virtual-Machine Control Structure"
#define OVERVIEW "25.1 Virtual Machine Control Structures: Overview"
#define REGION "25.2 Format of the VMCS Region"

#define VMCLEAR_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "vmclear." id_text, .title = title_text, .sdm = section, .needs = NEED_VMX_ROOT, \
	     .opt = OPT_VMX_INSTR | OPT_VMXOFF, ##__VA_ARGS__)

#define NO_VMCS (~0ull)

static u32 *words_of(u64 vmcs)
{
	return (u32 *)(ulong)vmcs;
}

/* ---- Success --------------------------------------------------------------------------------------- */

VMCLEAR_RULE(success, "success", "VMCLEAR of a region with the revision identifier succeeds, and no VMCS becomes current", VMCLEAR)
{
	expect_outcome("VMCLEAR", vmclear(vmcs_region(this_cpu(), scratch_page())), SUCCEEDED);
	expect_equal("the current-VMCS pointer", vmcs_current(), NO_VMCS);
}

VMCLEAR_RULE(repeat, "repeat", "VMCLEAR of a VMCS that is inactive and clear already succeeds", VMCLEAR)
{
	u64 vmcs = vmcs_fresh();

	for (unsigned i = 0; i < 3; i++)
		expect_outcome("VMCLEAR once more", vmclear(vmcs), SUCCEEDED);
	vmcs_load(vmcs);
}

VMCLEAR_RULE(any_contents, "any-contents", "VMCLEAR succeeds whatever the region holds behind the revision identifier", OVERVIEW)
{
	u64 vmcs = vmcs_region(this_cpu(), memset(scratch_page(), 0xff, PAGE_SIZE));

	expect_outcome("VMCLEAR of a region full of ones", vmclear(vmcs), SUCCEEDED);
	vmcs_load(vmcs);
	expect_outcome("VMRESUME: the launch state is clear", vmresume(), VMFAIL_VALID(5));
}

VMCLEAR_RULE(revision_unchecked, "revision-unchecked", "VMCLEAR does not look at the revision identifier", VMCLEAR, .class = OBSERVED)
{
	u64 vmcs = physical(scratch_page());
	outcome_t outcome;

	*words_of(vmcs) = caps_revision(&this_cpu()->caps) ^ 1;
	outcome = vmclear(vmcs);
	rule_note("VMCLEAR of a region with another revision identifier %s", outcome == SUCCEEDED ? "succeeds" : "fails");
}

/* ---- The revision identifier, and the memory beside the region ------------------------------------- */

static void expect_revision(const char *when, u64 vmcs)
{
	expect_equal(when, *words_of(vmcs), caps_revision(&this_cpu()->caps));
}

VMCLEAR_RULE(revision_kept, "revision-kept", "VMCLEAR leaves the revision identifier in the region", REGION)
{
	u64 vmcs = vmcs_region(this_cpu(), scratch_page());

	vmcs_clear(vmcs);
	expect_revision("the first word of a new region after VMCLEAR", vmcs);
	vmcs_clear(vmcs);
	expect_revision("the first word of the region after VMCLEAR once more", vmcs);
}

VMCLEAR_RULE(revision_kept_current, "revision-kept-used", "VMCLEAR of the current VMCS leaves the revision identifier in the region", REGION)
{
	u64 vmcs = vmcs_fresh();

	vmcs_load(vmcs);
	vmwrite(VMCS_GUEST_RIP, 0x1234);
	vmcs_clear(vmcs);
	expect_revision("the first word of the region", vmcs);
}

static void guest_nothing(void)
{
}

VMCLEAR_RULE(revision_kept_launched, "revision-kept-launched", "VMCLEAR after a VM exit leaves the revision identifier in the region", REGION)
{
	u64 vmcs = this_cpu()->golden_vmcs;

	expect_done(guest_golden(guest_nothing));
	vmcs_clear(vmcs);
	expect_revision("the first word of the region", vmcs);
}

VMCLEAR_RULE(neighbours, "neighbours", "No byte before or behind the region changes by VMCLEAR, VMPTRLD and VMWRITE of all fields", REGION)
{
	u8 *pages = scratch_pages(3);
	u64 vmcs;

	memset(pages, 0x5a, 3 * PAGE_SIZE);
	vmcs = vmcs_region(this_cpu(), memset(pages + PAGE_SIZE, 0, PAGE_SIZE));
	vmcs_clear(vmcs);
	vmcs_region(this_cpu(), pages + PAGE_SIZE);
	vmcs_load_filled(vmcs, 0);
	vmcs_clear(vmcs);
	for (unsigned i = 0; i < PAGE_SIZE; i++) {
		expect_equal("a byte of the page before the region", pages[i], 0x5a);
		expect_equal("a byte of the page behind the region", pages[2 * PAGE_SIZE + i], 0x5a);
	}
}

#define REGION_SIZE(basic) FIELD(basic, 44, 32)

VMCLEAR_RULE(size_used, "size-used", "Bytes of the region beyond the size in IA32_VMX_BASIC[44:32] stay as they are", REGION, .class = OBSERVED)
{
	u32 size = REGION_SIZE(this_cpu()->caps.basic), changed = 0;
	u8 *page = memset(scratch_page(), 0x5a, PAGE_SIZE);
	u64 vmcs;

	if (size >= PAGE_SIZE)
		rule_skip("the region takes a whole page");
	vmcs = vmcs_region(this_cpu(), page);
	vmcs_clear(vmcs);
	vmcs_region(this_cpu(), page);
	vmcs_load_filled(vmcs, 0);
	vmcs_clear(vmcs);
	for (unsigned i = size; i < PAGE_SIZE; i++)
		changed += page[i] != 0x5a;
	rule_note("%u of %u bytes beyond the size of %u changed", changed, PAGE_SIZE - size, size);
}

/* ---- The current VMCS ------------------------------------------------------------------------------ */

VMCLEAR_RULE(current_ends, "current-ends", "After VMCLEAR of the current VMCS none is current", VMCLEAR)
{
	u64 vmcs = vmcs_fresh();

	vmcs_load(vmcs);
	vmcs_clear(vmcs);
	expect_equal("the current-VMCS pointer", vmcs_current(), NO_VMCS);
}

VMCLEAR_RULE(current_fields, "current-no-fields", "After VMCLEAR of the current VMCS, VMREAD and VMWRITE give VMfailInvalid", VMCLEAR)
{
	u64 vmcs = vmcs_fresh(), value;

	vmcs_load(vmcs);
	vmwrite(VMCS_GUEST_RIP, 0x1234);
	vmcs_clear(vmcs);
	expect_outcome("VMREAD", vmread_try(VMCS_GUEST_RIP, &value), VMFAIL_INVALID);
	expect_outcome("VMWRITE", vmwrite_try(VMCS_GUEST_RIP, 0x5678), VMFAIL_INVALID);
}

VMCLEAR_RULE(current_entry, "current-no-entry", "After VMCLEAR of the current VMCS, VMLAUNCH and VMRESUME give VMfailInvalid", VMCLEAR)
{
	guest_golden(guest_nothing);
	vmcs_clear(this_cpu()->golden_vmcs);
	expect_outcome("VMLAUNCH", vmlaunch(), VMFAIL_INVALID);
	expect_outcome("VMRESUME", vmresume(), VMFAIL_INVALID);
}

VMCLEAR_RULE(other_current, "other-keeps-current", "VMCLEAR of an inactive VMCS leaves the current one current", OVERVIEW)
{
	u64 vmcs = vmcs_fresh(), other = vmcs_fresh();

	vmcs_load(vmcs);
	vmcs_clear(other);
	expect_equal("the current-VMCS pointer", vmcs_current(), vmcs);
}

VMCLEAR_RULE(other_active, "other-keeps-fields", "VMCLEAR of an active VMCS that is not current leaves the current one and its fields alone", OVERVIEW)
{
	u64 vmcs = vmcs_fresh(), other = vmcs_fresh();
	const u64 *kept = vmcs_load_filled(other, 1);

	vmcs_load(vmcs);
	vmcs_fill(kept, 0);
	vmcs_clear(other);
	expect_equal("the current-VMCS pointer", vmcs_current(), vmcs);
	vmcs_expect_filled("of the current VMCS after VMCLEAR of another", kept, 0);
}

VMCLEAR_RULE(other_written, "other-written-back", "VMCLEAR of an active VMCS that is not current keeps all of its fields", VMCLEAR)
{
	u64 vmcs = vmcs_fresh(), other = vmcs_fresh();
	const u64 *kept = vmcs_load_filled(other, 1);

	vmcs_load(vmcs);
	vmcs_fill(kept, 0);
	vmcs_clear(other);
	vmcs_region(this_cpu(), (void *)(ulong)other);
	vmcs_load(other);
	vmcs_expect_filled("after VMCLEAR while it was not current", kept, 1);
}

/* The layout is the processor's own, and so is whether a copy of the bytes is a VMCS (25.11.1) */
VMCLEAR_RULE(memory_complete, "memory-complete", "After VMCLEAR the region in memory holds all fields: a copy of its bytes is the same VMCS", VMCLEAR,
	     .class = OBSERVED)
{
	u64 vmcs = vmcs_fresh(), copy;
	unsigned other, example = 0;
	const u64 *kept = vmcs_load_filled(vmcs, 0);

	vmcs_clear(vmcs);
	copy = physical(memcpy(scratch_page(), (void *)(ulong)vmcs, PAGE_SIZE));
	if (vmptrld(copy) != SUCCEEDED) {
		rule_note("VMPTRLD of the copy does not succeed");
		return;
	}
	other = vmcs_count_other(kept, 0, &example);
	if (other)
		rule_note("in the copy %u fields differ, the first is %s", other, vmcs_fields[example].name);
	else
		rule_note("the copy has all fields");
}

/* ---- Operands that are wrong ----------------------------------------------------------------------- */

/* IA32_VMX_BASIC[48] = 1: pointers of 32 bits only */
#define BASIC_32_BIT_ADDRESSES BIT(48)

static unsigned pointer_width(void)
{
	return this_cpu()->caps.basic & BASIC_32_BIT_ADDRESSES ? 32 : cpuid_physical_width();
}

static void expect_unaligned(outcome_t expected)
{
	u64 vmcs = vmcs_fresh();

	for (unsigned bit = 0; bit < 12; bit++)
		expect_outcome("VMCLEAR with a low bit of the address set", vmclear(vmcs | BIT(bit)), expected);
}

static void expect_too_wide(outcome_t expected)
{
	u64 vmcs = vmcs_fresh();

	for (unsigned bit = pointer_width(); bit < 64; bit++)
		expect_outcome("VMCLEAR with a bit of the address set beyond the width", vmclear(vmcs | BIT(bit)), expected);
}

VMCLEAR_RULE(unaligned, "unaligned-error2", "VMCLEAR with an address that is not aligned to 4 KBytes gives VMfailValid(2)", VMCLEAR)
{
	golden_vmcs_load();
	expect_unaligned(VMFAIL_VALID(2));
}

VMCLEAR_RULE(unaligned_invalid, "unaligned-no-current", "VMCLEAR with an unaligned address and no current VMCS gives VMfailInvalid", VMCLEAR)
{
	expect_unaligned(VMFAIL_INVALID);
}

VMCLEAR_RULE(too_wide, "beyond-width-error2", "VMCLEAR with an address beyond the physical-address width gives VMfailValid(2)", VMCLEAR)
{
	golden_vmcs_load();
	expect_too_wide(VMFAIL_VALID(2));
}

VMCLEAR_RULE(too_wide_invalid, "beyond-width-no-current",
	     "VMCLEAR with an address beyond the physical-address width and no current VMCS gives VMfailInvalid", VMCLEAR)
{
	expect_too_wide(VMFAIL_INVALID);
}

VMCLEAR_RULE(vmxon_pointer, "vmxon-pointer-error3", "VMCLEAR of the VMXON pointer gives VMfailValid(3)", VMCLEAR)
{
	golden_vmcs_load();
	expect_outcome("VMCLEAR of the VMXON pointer", vmclear(this_cpu()->vmxon_region), VMFAIL_VALID(3));
}

VMCLEAR_RULE(vmxon_pointer_invalid, "vmxon-pointer-no-current", "VMCLEAR of the VMXON pointer with no current VMCS gives VMfailInvalid", VMCLEAR)
{
	expect_outcome("VMCLEAR of the VMXON pointer", vmclear(this_cpu()->vmxon_region), VMFAIL_INVALID);
}

VMCLEAR_RULE(vmxon_unaligned, "unaligned-before-vmxon-pointer", "VMCLEAR judges the alignment before it compares with the VMXON pointer", VMCLEAR)
{
	golden_vmcs_load();
	expect_outcome("VMCLEAR of the VMXON pointer with bit 0 set", vmclear(this_cpu()->vmxon_region | 1), VMFAIL_VALID(2));
}

VMCLEAR_RULE(fail_current, "fail-keeps-current", "A VMCLEAR that fails leaves the current VMCS and its fields alone", VMCLEAR)
{
	u64 vmcs = vmcs_fresh();

	vmcs_load(vmcs);
	vmwrite(VMCS_GUEST_RIP, 0x1234);
	expect_outcome("VMCLEAR with bit 4 of the current VMCS's address set", vmclear(vmcs | BIT(4)), VMFAIL_VALID(2));
	expect_equal("the current-VMCS pointer after error 2", vmcs_current(), vmcs);
	expect_outcome("VMCLEAR of the VMXON pointer", vmclear(this_cpu()->vmxon_region), VMFAIL_VALID(3));
	expect_equal("the current-VMCS pointer after error 3", vmcs_current(), vmcs);
	expect_equal("guest RIP", vmread(VMCS_GUEST_RIP), 0x1234);
}

/* ---- The memory operand ---------------------------------------------------------------------------- */

VMCLEAR_RULE(operand_pf, "operand-page-fault", "VMCLEAR with an operand in an unmapped page gives #PF", VMCLEAR)
{
	expect_outcome("VMCLEAR with an operand in an unmapped page", vmclear_operand((void *)this_cpu()->stack_guard), FAULTED(14, 0));
	expect_equal("CR2", read_cr2(), this_cpu()->stack_guard);
}

VMCLEAR_RULE(operand_crosses, "operand-crosses-page", "VMCLEAR takes 8 bytes: an operand whose last 4 are in an unmapped page gives #PF", VMCLEAR)
{
	expect_outcome("VMCLEAR with half of the operand in an unmapped page", vmclear_operand((void *)(this_cpu()->stack_guard - 4)),
		       FAULTED(14, 0));
	expect_equal("CR2", read_cr2(), this_cpu()->stack_guard);
}

VMCLEAR_RULE(operand_canonical, "operand-non-canonical", "VMCLEAR with a non-canonical operand address gives #GP(0)", VMCLEAR)
{
	if (sizeof(ulong) == 4)
		rule_skip("this build does not run in 64-bit mode");
	expect_outcome("VMCLEAR with a non-canonical operand address", vmclear_operand((void *)(ulong)0x8000000000000000ull), FAULT_GP0);
}

VMCLEAR_RULE(operand_current, "operand-fault-keeps-current", "A VMCLEAR whose operand faults leaves the current VMCS and the VM-instruction error alone",
	     "25.9.5 VM-Instruction Error Field")
{
	u64 vmcs = vmcs_fresh();

	vmcs_load(vmcs);
	expect_outcome("VMCLEAR of the VMXON pointer", vmclear(this_cpu()->vmxon_region), VMFAIL_VALID(3));
	expect_outcome("VMCLEAR with an operand in an unmapped page", vmclear_operand((void *)this_cpu()->stack_guard), FAULTED(14, 0));
	expect_equal("the current-VMCS pointer", vmcs_current(), vmcs);
	expect_equal("the VM-instruction error field", vmread(VMCS_INSTRUCTION_ERROR), 3);
}
