/* VMPTRLD: which VMCS is current and active, and operands that are wrong. */
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

#define VMPTRLD "31.3 VMPTRLD - Load Pointer to Virtual-Machine Control Structure"
#define OVERVIEW "25.1 Virtual Machine Control Structures: Overview"
#define REGION "25.2 Format of the VMCS Region"

#define VMPTRLD_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "vmptrld." id_text, .title = title_text, .sdm = section, .needs = NEED_VMX_ROOT, \
	     .opt = OPT_VMX_INSTR | OPT_VMXOFF, ##__VA_ARGS__)

#define SHADOW_BIT BIT(31) /* shadow-VMCS indicator of the first word */

static u32 *words_of(u64 vmcs)
{
	return (u32 *)(ulong)vmcs;
}

/* ---- Success --------------------------------------------------------------------------------------- */

VMPTRLD_RULE(success, "success", "VMPTRLD makes the VMCS current", VMPTRLD)
{
	u64 vmcs = vmcs_fresh();

	expect_outcome("VMPTRLD", vmptrld(vmcs), SUCCEEDED);
	expect_equal("the current-VMCS pointer", vmcs_current(), vmcs);
	vmwrite(VMCS_GUEST_RIP, 0x1234);
	expect_equal("guest RIP", vmread(VMCS_GUEST_RIP), 0x1234);
}

VMPTRLD_RULE(same_again, "same-again", "VMPTRLD of the current VMCS succeeds and changes no field", VMPTRLD)
{
	u64 vmcs = vmcs_fresh();
	const u64 *kept = vmcs_load_filled(vmcs, 0);

	for (unsigned i = 0; i < 3; i++)
		expect_outcome("VMPTRLD of the current VMCS", vmptrld(vmcs), SUCCEEDED);
	expect_equal("the current-VMCS pointer", vmcs_current(), vmcs);
	vmcs_expect_filled("after VMPTRLD of the current VMCS", kept, 0);
}

VMPTRLD_RULE(follows, "last-is-current", "Of several active VMCSs the one of the last VMPTRLD is current", OVERVIEW)
{
	const u64 vmcs[] = {vmcs_fresh(), vmcs_fresh(), vmcs_fresh()};

	for (unsigned i = 0; i < 9; i++) {
		u64 next = vmcs[i * 2 % 3];

		vmcs_load(next);
		expect_equal("the current-VMCS pointer", vmcs_current(), next);
	}
}

VMPTRLD_RULE(own_fields, "own-fields", "VMREAD and VMWRITE use the current VMCS alone: another active one keeps its fields", OVERVIEW)
{
	u64 vmcs = vmcs_fresh(), other = vmcs_fresh();

	vmcs_load(vmcs);
	vmwrite(VMCS_GUEST_RIP, 0x1234);
	vmcs_load(other);
	vmwrite(VMCS_GUEST_RIP, 0x5678);
	vmcs_load(vmcs);
	expect_equal("guest RIP of the first VMCS", vmread(VMCS_GUEST_RIP), 0x1234);
	vmcs_load(other);
	expect_equal("guest RIP of the second VMCS", vmread(VMCS_GUEST_RIP), 0x5678);
}

/* ---- The first words of the region ----------------------------------------------------------------- */

/* KVM's order; XMHF zeroed the region at VMCLEAR, and KVM did not run on it */
VMPTRLD_RULE(revision_first, "revision-then-vmclear", "VMPTRLD succeeds after the revision identifier is written and then VMCLEAR executed",
	     "25.11.3 Initializing a VMCS")
{
	u64 vmcs = physical(scratch_page());

	*words_of(vmcs) = caps_revision(&this_cpu()->caps);
	expect_outcome("VMCLEAR", vmclear(vmcs), SUCCEEDED);
	expect_outcome("VMPTRLD", vmptrld(vmcs), SUCCEEDED);
}

/* That VMCLEAR needs no revision identifier is not promised: the region has one, and gets it once more */
VMPTRLD_RULE(revision_last, "vmclear-then-revision", "VMPTRLD succeeds after VMCLEAR is executed and then the revision identifier written", REGION)
{
	u64 vmcs = vmcs_region(this_cpu(), scratch_page());

	expect_outcome("VMCLEAR", vmclear(vmcs), SUCCEEDED);
	*words_of(vmcs) = caps_revision(&this_cpu()->caps);
	expect_outcome("VMPTRLD", vmptrld(vmcs), SUCCEEDED);
}

VMPTRLD_RULE(vmclear_no_revision, "vmclear-without-revision", "VMPTRLD succeeds where VMCLEAR came before any revision identifier", REGION,
	     .class = OBSERVED)
{
	u64 vmcs = physical(scratch_page());
	outcome_t cleared = vmclear(vmcs), loaded;

	*words_of(vmcs) = caps_revision(&this_cpu()->caps);
	loaded = vmptrld(vmcs);
	rule_note("VMCLEAR %s, VMPTRLD with the identifier written then %s", cleared == SUCCEEDED ? "succeeds" : "fails",
		  loaded == SUCCEEDED ? "succeeds" : "fails");
}

VMPTRLD_RULE(revision, "revision-mismatch-error11", "VMPTRLD of a region with another revision identifier gives VMfailValid(11)", VMPTRLD)
{
	u64 vmcs = vmcs_fresh();

	golden_vmcs_load();
	for (unsigned bit = 0; bit < 31; bit++) {
		*words_of(vmcs) = caps_revision(&this_cpu()->caps) ^ BIT(bit);
		expect_outcome("VMPTRLD with a bit of the revision identifier wrong", vmptrld(vmcs), VMFAIL_VALID(11));
	}
}

VMPTRLD_RULE(revision_invalid, "revision-mismatch-no-current",
	     "VMPTRLD of a region with another revision identifier and no current VMCS gives VMfailInvalid", VMPTRLD)
{
	u64 vmcs = vmcs_fresh();

	*words_of(vmcs) ^= 1;
	expect_outcome("VMPTRLD with a bit of the revision identifier wrong", vmptrld(vmcs), VMFAIL_INVALID);
}

VMPTRLD_RULE(shadow_refused, "shadow-bit-error11", "VMPTRLD of a shadow VMCS gives VMfailValid(11) where the CPU has no VMCS shadowing", VMPTRLD)
{
	u64 vmcs = vmcs_fresh();

	if (this_cpu()->needs_met & NEED_VMCS_SHADOWING)
		rule_skip("the CPU has VMCS shadowing");
	*words_of(vmcs) |= SHADOW_BIT;
	golden_vmcs_load();
	expect_outcome("VMPTRLD of a region with bit 31 of its first word set", vmptrld(vmcs), VMFAIL_VALID(11));
}

RULE(shadow_loaded, .id = "vmptrld.shadow-bit-loads", .title = "VMPTRLD of a shadow VMCS succeeds where the CPU has VMCS shadowing, and its fields work",
     .sdm = "25.10 VMCS Types: Ordinary and Shadow", .needs = NEED_VMX_ROOT | NEED_VMCS_SHADOWING,
     .opt = OPT_VMX_INSTR | OPT_VMXOFF | OPT_SHADOW_VMCS)
{
	u64 vmcs = vmcs_fresh();

	*words_of(vmcs) |= SHADOW_BIT;
	vmcs_clear(vmcs);
	expect_outcome("VMPTRLD of a region with bit 31 of its first word set", vmptrld(vmcs), SUCCEEDED);
	expect_equal("the current-VMCS pointer", vmcs_current(), vmcs);
	vmwrite(VMCS_GUEST_RIP, 0x1234);
	expect_equal("guest RIP", vmread(VMCS_GUEST_RIP), 0x1234);
}

static void guest_nothing(void)
{
}

#define ABORT_INDICATOR 1 /* second word of the region */

VMPTRLD_RULE(abort_indicator, "abort-indicator-free", "The VMX-abort indicator does not matter to the processor, which leaves it alone", REGION)
{
	u64 vmcs = this_cpu()->golden_vmcs;
	const u64 *fields;
	struct guest *guest = guest_golden(guest_nothing);

	fields = vmcs_snapshot();
	vmcs_clear(vmcs);
	vmcs_region(this_cpu(), (void *)(ulong)vmcs);
	words_of(vmcs)[ABORT_INDICATOR] = 0x5a5a5a5a;
	vmcs_load(vmcs);
	vmcs_write_snapshot(fields);
	expect_done(guest);
	vmcs_clear(vmcs);
	expect_equal("the VMX-abort indicator", words_of(vmcs)[ABORT_INDICATOR], 0x5a5a5a5a);
}

/* ---- What memory holds ----------------------------------------------------------------------------- */

#define DATA_WORD 2 /* the VMCS data begin at byte 8 */
#define WORDS (PAGE_SIZE / sizeof(u32))

/* The layout is the processor's own: found by the one word that holds a magic number. It may also be packed, or hashed */
VMPTRLD_RULE(memory_changed, "memory-changed", "A field that is changed in memory between VMCLEAR and VMPTRLD reads back so", VMPTRLD,
	     .class = OBSERVED)
{
	const u32 magic = 0x7b1dc0de, changed = 0x2e0ff1ce;
	u64 vmcs = vmcs_fresh();
	unsigned places = 0, place = 0;

	vmcs_load(vmcs);
	vmwrite(VMCS_GUEST_ES_LIMIT, magic);
	vmcs_clear(vmcs);
	for (unsigned i = DATA_WORD; i < WORDS; i++)
		if (words_of(vmcs)[i] == magic) {
			place = i;
			places++;
		}
	if (places != 1) {
		rule_note("%u words of the region hold the field's value", places);
		return;
	}
	words_of(vmcs)[place] = changed;
	vmcs_load(vmcs);
	rule_note("guest ES limit is at byte 0x%x; changed there, it reads back %s", (unsigned)(place * sizeof(u32)),
		  vmread(VMCS_GUEST_ES_LIMIT) == changed ? "changed" : "otherwise");
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
		expect_outcome("VMPTRLD with a low bit of the address set", vmptrld(vmcs | BIT(bit)), expected);
}

static void expect_too_wide(outcome_t expected)
{
	u64 vmcs = vmcs_fresh();

	for (unsigned bit = pointer_width(); bit < 64; bit++)
		expect_outcome("VMPTRLD with a bit of the address set beyond the width", vmptrld(vmcs | BIT(bit)), expected);
	expect_outcome("VMPTRLD of FFFFFFFF_FFFFFFFFH", vmptrld(~0ull), expected);
}

VMPTRLD_RULE(unaligned, "unaligned-error9", "VMPTRLD with an address that is not aligned to 4 KBytes gives VMfailValid(9)", VMPTRLD)
{
	golden_vmcs_load();
	expect_unaligned(VMFAIL_VALID(9));
}

VMPTRLD_RULE(unaligned_invalid, "unaligned-no-current", "VMPTRLD with an unaligned address and no current VMCS gives VMfailInvalid", VMPTRLD)
{
	expect_unaligned(VMFAIL_INVALID);
}

VMPTRLD_RULE(too_wide, "beyond-width-error9", "VMPTRLD with an address beyond the physical-address width gives VMfailValid(9)", VMPTRLD)
{
	golden_vmcs_load();
	expect_too_wide(VMFAIL_VALID(9));
}

VMPTRLD_RULE(too_wide_invalid, "beyond-width-no-current",
	     "VMPTRLD with an address beyond the physical-address width and no current VMCS gives VMfailInvalid", VMPTRLD)
{
	expect_too_wide(VMFAIL_INVALID);
}

VMPTRLD_RULE(vmxon_pointer, "vmxon-pointer-error10", "VMPTRLD of the VMXON pointer gives VMfailValid(10)", VMPTRLD)
{
	golden_vmcs_load();
	expect_outcome("VMPTRLD of the VMXON pointer", vmptrld(this_cpu()->vmxon_region), VMFAIL_VALID(10));
}

VMPTRLD_RULE(vmxon_pointer_invalid, "vmxon-pointer-no-current", "VMPTRLD of the VMXON pointer with no current VMCS gives VMfailInvalid", VMPTRLD)
{
	expect_outcome("VMPTRLD of the VMXON pointer", vmptrld(this_cpu()->vmxon_region), VMFAIL_INVALID);
}

VMPTRLD_RULE(vmxon_unaligned, "unaligned-before-vmxon-pointer", "VMPTRLD judges the alignment before it compares with the VMXON pointer", VMPTRLD)
{
	golden_vmcs_load();
	expect_outcome("VMPTRLD of the VMXON pointer with bit 0 set", vmptrld(this_cpu()->vmxon_region | 1), VMFAIL_VALID(9));
}

VMPTRLD_RULE(fail_current, "fail-keeps-current", "A VMPTRLD that fails leaves the current VMCS and its fields alone", VMPTRLD)
{
	u64 vmcs = vmcs_fresh(), wrong = vmcs_fresh();

	*words_of(wrong) ^= 1;
	vmcs_load(vmcs);
	vmwrite(VMCS_GUEST_RIP, 0x1234);
	expect_outcome("VMPTRLD with bit 4 of the address set", vmptrld(wrong | BIT(4)), VMFAIL_VALID(9));
	expect_equal("the current-VMCS pointer after error 9", vmcs_current(), vmcs);
	expect_outcome("VMPTRLD of the VMXON pointer", vmptrld(this_cpu()->vmxon_region), VMFAIL_VALID(10));
	expect_equal("the current-VMCS pointer after error 10", vmcs_current(), vmcs);
	expect_outcome("VMPTRLD with a wrong revision identifier", vmptrld(wrong), VMFAIL_VALID(11));
	expect_equal("the current-VMCS pointer after error 11", vmcs_current(), vmcs);
	expect_equal("guest RIP", vmread(VMCS_GUEST_RIP), 0x1234);
}

VMPTRLD_RULE(fail_error, "fail-error-in-current", "The error number of a VMPTRLD that fails is in the VMCS that was current", "25.9.5 VM-Instruction Error Field")
{
	u64 vmcs = vmcs_fresh(), other = vmcs_fresh();

	vmcs_load(other);
	expect_outcome("VMPTRLD of the VMXON pointer", vmptrld(this_cpu()->vmxon_region), VMFAIL_VALID(10));
	vmcs_load(vmcs);
	expect_outcome("VMPTRLD with bit 4 of the address set", vmptrld(other | BIT(4)), VMFAIL_VALID(9));
	vmcs_load(other);
	expect_equal("the VM-instruction error field of the other VMCS", vmread(VMCS_INSTRUCTION_ERROR), 10);
	vmcs_load(vmcs);
	expect_equal("the VM-instruction error field, after VMPTRLDs that succeeded", vmread(VMCS_INSTRUCTION_ERROR), 9);
}

/* ---- The memory operand ---------------------------------------------------------------------------- */

VMPTRLD_RULE(operand_pf, "operand-page-fault", "VMPTRLD with an operand in an unmapped page gives #PF", VMPTRLD)
{
	expect_outcome("VMPTRLD with an operand in an unmapped page", vmptrld_operand((void *)this_cpu()->stack_guard), FAULTED(14, 0));
	expect_equal("CR2", read_cr2(), this_cpu()->stack_guard);
}

VMPTRLD_RULE(operand_crosses, "operand-crosses-page", "VMPTRLD takes 8 bytes: an operand whose last 4 are in an unmapped page gives #PF", VMPTRLD)
{
	expect_outcome("VMPTRLD with half of the operand in an unmapped page", vmptrld_operand((void *)(this_cpu()->stack_guard - 4)),
		       FAULTED(14, 0));
	expect_equal("CR2", read_cr2(), this_cpu()->stack_guard);
}

VMPTRLD_RULE(operand_canonical, "operand-non-canonical", "VMPTRLD with a non-canonical operand address gives #GP(0)", VMPTRLD)
{
	if (sizeof(ulong) == 4)
		rule_skip("this build does not run in 64-bit mode");
	expect_outcome("VMPTRLD with a non-canonical operand address", vmptrld_operand((void *)(ulong)0x8000000000000000ull), FAULT_GP0);
}

VMPTRLD_RULE(operand_current, "operand-fault-keeps-current", "A VMPTRLD whose operand faults leaves the current VMCS alone", VMPTRLD)
{
	u64 vmcs = vmcs_fresh();

	vmcs_load(vmcs);
	expect_outcome("VMPTRLD with an operand in an unmapped page", vmptrld_operand((void *)this_cpu()->stack_guard), FAULTED(14, 0));
	expect_equal("the current-VMCS pointer", vmcs_current(), vmcs);
}
