/* INVVPID: types, descriptors and operands. What it drops: vpid.c. */
#include "cpu/fixup.h"
#include "cpu/registers.h"
#include "harness/rule.h"
#include "lhv-guest/golden.h"
#include "lhv-guest/guest.h"
#include "vmx/instructions.h"

#define INVVPID "31.3 INVVPID - Invalidate Translations Based on VPID"
#define INVVPID_SHARED .sdm = INVVPID, .needs = NEED_VMX_ROOT | NEED_INVVPID, .opt = OPT_VPID | OPT_VMX_INSTR
#define INVVPID_RULE(name, id_text, title_text) RULE(name, .id = "invvpid." id_text, .title = title_text, INVVPID_SHARED)

#define CAP_TYPE(type) BIT(40 + (type)) /* IA32_VMX_EPT_VPID_CAP (A.10) */
#define CAP_INVVPID BIT(32)
#define TYPES 4
#define NON_CANONICAL 0x8000000000000000ull
#define NON_CANONICAL_48 BIT(57) /* also with 57-bit linear addresses */
#define INVALID_OPERAND VMFAIL_VALID(28)

static const ulong types[TYPES] = {INVVPID_ADDRESS, INVVPID_SINGLE_CONTEXT, INVVPID_ALL_CONTEXTS, INVVPID_SINGLE_RETAINING_GLOBALS};

static bool has_type(ulong type)
{
	return this_cpu()->caps.ept_vpid & CAP_TYPE(type);
}

static void skip_without_type(ulong type)
{
	if (!has_type(type))
		rule_skip("the CPU has no INVVPID of type %lu", type);
}

static outcome_t execute(ulong type, u64 vpid, u64 linear)
{
	return invvpid(type, (struct invvpid_descriptor){vpid, linear});
}

#define TYPE_ROW(function, type, id_text, title_text) \
	ROW(function, .id = "invvpid." id_text, .title = title_text, .row = &types[type], INVVPID_SHARED)

/* ---- Types ------------------------------------------------------------------------------------------- */

static void succeeds(const struct rule *rule)
{
	static const u16 vpids[] = {1, 2, 0x7fff, 0x8000, 0xffff};
	ulong type = *(const ulong *)rule->row;

	skip_without_type(type);
	golden_vmcs_load();
	for (unsigned i = 0; i < COUNT(vpids); i++)
		expect_outcome("INVVPID", execute(type, vpids[i], 0x12345678), SUCCEEDED);
}

TYPE_ROW(succeeds, 0, "success-address", "INVVPID of type 0, an individual address, succeeds")
TYPE_ROW(succeeds, 1, "success-single-context", "INVVPID of type 1, a single context, succeeds")
TYPE_ROW(succeeds, 2, "success-all-contexts", "INVVPID of type 2, all contexts, succeeds")
TYPE_ROW(succeeds, 3, "success-retaining-globals", "INVVPID of type 3, a single context retaining globals, succeeds")

static void type_unsupported(const struct rule *rule)
{
	ulong type = *(const ulong *)rule->row;

	if (has_type(type))
		rule_skip("the CPU has INVVPID of type %lu", type);
	golden_vmcs_load();
	expect_outcome("INVVPID of a type that IA32_VMX_EPT_VPID_CAP does not announce", execute(type, 1, 0), INVALID_OPERAND);
}

TYPE_ROW(type_unsupported, 0, "unannounced-address", "INVVPID of type 0, where it is not announced, fails with error 28")
TYPE_ROW(type_unsupported, 1, "unannounced-single-context", "INVVPID of type 1, where it is not announced, fails with error 28")
TYPE_ROW(type_unsupported, 2, "unannounced-all-contexts", "INVVPID of type 2, where it is not announced, fails with error 28")
TYPE_ROW(type_unsupported, 3, "unannounced-retaining-globals", "INVVPID of type 3, where it is not announced, fails with error 28")

INVVPID_RULE(type_beyond, "type-reserved", "INVVPID of a type above 3 fails with error 28")
{
	golden_vmcs_load();
	for (unsigned bit = 2; bit < 32; bit++)
		for (ulong low = 0; low < TYPES; low++)
			expect_outcome("INVVPID of a type above 3", execute(low | 1ul << bit, 1, 0), INVALID_OPERAND);
	expect_outcome("INVVPID of type FFFFFFFFH", execute(0xffffffff, 1, 0), INVALID_OPERAND);
}

RULE(type_64, .id = "invvpid.type-high-bits", .title = "In 64-bit mode INVVPID looks at all 64 bits of the type", .sdm = INVVPID,
     .needs = NEED_VMX_ROOT | NEED_INVVPID | NEED_LONG_MODE, .opt = OPT_VPID | OPT_VMX_INSTR)
{
	golden_vmcs_load();
	for (unsigned bit = 32; bit < 64; bit++)
		for (ulong low = 0; low < TYPES; low++)
			expect_outcome("INVVPID with a bit of the type's high half set", execute(low | (ulong)BIT(bit), 1, 0), INVALID_OPERAND);
}

/* ---- Descriptors ------------------------------------------------------------------------------------- */

static void vpid_zero(const struct rule *rule)
{
	ulong type = *(const ulong *)rule->row;

	skip_without_type(type);
	golden_vmcs_load();
	expect_outcome("INVVPID with VPID 0", execute(type, 0, 0x12345678), INVALID_OPERAND);
}

TYPE_ROW(vpid_zero, 0, "vpid-0-address", "INVVPID of type 0 with VPID 0 fails with error 28")
TYPE_ROW(vpid_zero, 1, "vpid-0-single-context", "INVVPID of type 1 with VPID 0 fails with error 28")
TYPE_ROW(vpid_zero, 3, "vpid-0-retaining-globals", "INVVPID of type 3 with VPID 0 fails with error 28")

INVVPID_RULE(all_vpid_zero, "vpid-0-all-contexts", "INVVPID of type 2 takes any VPID, 0 included")
{
	skip_without_type(INVVPID_ALL_CONTEXTS);
	golden_vmcs_load();
	expect_outcome("INVVPID of type 2 with VPID 0", execute(INVVPID_ALL_CONTEXTS, 0, 0), SUCCEEDED);
}

static void reserved(const struct rule *rule)
{
	ulong type = *(const ulong *)rule->row;

	skip_without_type(type);
	golden_vmcs_load();
	for (unsigned bit = 16; bit < 64; bit++)
		expect_outcome("INVVPID with a bit of 63:16 of the descriptor set", execute(type, 1 | BIT(bit), 0), INVALID_OPERAND);
}

TYPE_ROW(reserved, 0, "reserved-address", "INVVPID of type 0 with a reserved bit of the descriptor set fails with error 28")
TYPE_ROW(reserved, 1, "reserved-single-context", "INVVPID of type 1 with a reserved bit of the descriptor set fails with error 28")
TYPE_ROW(reserved, 2, "reserved-all-contexts", "INVVPID of type 2 with a reserved bit of the descriptor set fails with error 28")
TYPE_ROW(reserved, 3, "reserved-retaining-globals", "INVVPID of type 3 with a reserved bit of the descriptor set fails with error 28")

RULE(non_canonical, .id = "invvpid.address-non-canonical", .title = "INVVPID of type 0 with a linear address that is not canonical fails with error 28",
     .sdm = INVVPID, .needs = NEED_VMX_ROOT | NEED_INVVPID | NEED_LONG_MODE, .opt = OPT_VPID | OPT_VMX_INSTR)
{
	skip_without_type(INVVPID_ADDRESS);
	golden_vmcs_load();
	expect_outcome("INVVPID with address 8000000000000000H", execute(INVVPID_ADDRESS, 1, NON_CANONICAL), INVALID_OPERAND);
	expect_outcome("INVVPID with address 0200000000000000H", execute(INVVPID_ADDRESS, 1, NON_CANONICAL_48), INVALID_OPERAND);
	expect_outcome("INVVPID with address FFFFFFFFFFFFF000H", execute(INVVPID_ADDRESS, 1, -(u64)PAGE_SIZE), SUCCEEDED);
}

static void address_ignored(const struct rule *rule)
{
	ulong type = *(const ulong *)rule->row;

	skip_without_type(type);
	golden_vmcs_load();
	expect_outcome("INVVPID with address 8000000000000000H", execute(type, 1, NON_CANONICAL), SUCCEEDED);
}

TYPE_ROW(address_ignored, 1, "address-ignored-single-context", "INVVPID of type 1 does not look at the linear address")
TYPE_ROW(address_ignored, 2, "address-ignored-all-contexts", "INVVPID of type 2 does not look at the linear address")
TYPE_ROW(address_ignored, 3, "address-ignored-retaining-globals", "INVVPID of type 3 does not look at the linear address")

/* ---- Without a current VMCS ----------------------------------------------------------------------------- */

INVVPID_RULE(no_vmcs, "no-current-vmcs", "INVVPID needs no current VMCS; where it fails without one it is VMfailInvalid")
{
	u64 vmcs;

	expect_outcome("VMPTRST", vmptrst(&vmcs), SUCCEEDED);
	expect_equal("the current-VMCS pointer", vmcs, ~0ull);
	for (ulong type = 0; type < TYPES; type++)
		if (has_type(type))
			expect_outcome("INVVPID without a current VMCS", execute(type, 1, 0), SUCCEEDED);
	expect_outcome("INVVPID of type FFFFH without a current VMCS", execute(0xffff, 1, 0), VMFAIL_INVALID);
}

/* ---- The operand --------------------------------------------------------------------------------------- */

/* Whatever the type needs of the descriptor, all of it is read */
static void operand_page_fault(const struct rule *rule)
{
	ulong type = *(const ulong *)rule->row, guard = this_cpu()->stack_guard;

	skip_without_type(type);
	golden_vmcs_load();
	expect_outcome("INVVPID with a descriptor in an unmapped page", invvpid_operand(type, (void *)guard), FAULTED(14, 0));
	expect_equal("CR2", read_cr2(), guard);
}

TYPE_ROW(operand_page_fault, 0, "operand-page-fault-address", "INVVPID of type 0 with its descriptor in an unmapped page gives #PF")
TYPE_ROW(operand_page_fault, 1, "operand-page-fault-single-context", "INVVPID of type 1 with its descriptor in an unmapped page gives #PF")
TYPE_ROW(operand_page_fault, 2, "operand-page-fault-all-contexts", "INVVPID of type 2 with its descriptor in an unmapped page gives #PF")
TYPE_ROW(operand_page_fault, 3, "operand-page-fault-retaining-globals", "INVVPID of type 3 with its descriptor in an unmapped page gives #PF")

RULE(operand_canonical, .id = "invvpid.operand-non-canonical", .title = "INVVPID with its descriptor at a non-canonical address gives #GP(0)",
     .sdm = INVVPID, .needs = NEED_VMX_ROOT | NEED_INVVPID | NEED_LONG_MODE, .opt = OPT_VPID | OPT_VMX_INSTR)
{
	golden_vmcs_load();
	for (ulong type = 0; type < TYPES; type++)
		if (has_type(type))
			expect_outcome("INVVPID with its descriptor at a non-canonical address", invvpid_operand(type, (void *)(ulong)NON_CANONICAL), FAULT_GP0);
}

INVVPID_RULE(operand_unaligned, "operand-unaligned", "The descriptor of INVVPID may lie at any address")
{
	u8 *page = scratch_page();

	golden_vmcs_load();
	for (unsigned offset = 0; offset < 32; offset++) {
		page[offset] = 1;
		for (ulong type = 0; type < TYPES; type++)
			if (has_type(type))
				expect_outcome("INVVPID with a descriptor of VPID 1", invvpid_operand(type, page + offset), SUCCEEDED);
		page[offset] = 0;
	}
}

RULE(type_first, .id = "invvpid.type-before-operand", .title = "Does INVVPID of a type that no CPU has look at its descriptor?", .sdm = INVVPID,
     .needs = NEED_VMX_ROOT | NEED_INVVPID, .opt = OPT_VPID | OPT_VMX_INSTR, .class = OBSERVED)
{
	char text[100];

	golden_vmcs_load();
	outcome_format(text, sizeof(text), invvpid_operand(0xffff, (void *)this_cpu()->stack_guard));
	rule_note("type FFFFH with a descriptor in an unmapped page: %s", text);
}

INVVPID_RULE(register_operand, "register-ud", "INVVPID with a register as its second operand gives #UD")
{
	outcome_t outcome;

	TRY(outcome, ".byte 0x66, 0x0f, 0x38, 0x81, 0xc9"); /* INVVPID ECX, ECX */
	expect_outcome("INVVPID with a register operand", outcome, FAULT_UD);
}

RULE(not_there, .id = "invvpid.unsupported-ud", .title = "INVVPID gives #UD where the CPU does not announce it", .sdm = INVVPID, .needs = NEED_VMX_ROOT,
     .opt = OPT_VPID | OPT_VMX_INSTR)
{
	if (this_cpu()->caps.ept_vpid & CAP_INVVPID)
		rule_skip("the CPU has INVVPID");
	expect_outcome("INVVPID", execute(INVVPID_ALL_CONTEXTS, 0, 0), FAULT_UD);
}

/* ---- In a guest ----------------------------------------------------------------------------------------- */

static void guest_invvpid(void)
{
	invvpid_operand(INVVPID_ALL_CONTEXTS, (void *)this_cpu()->stack_guard);
}

INVVPID_RULE(in_guest, "in-guest", "INVVPID in a guest causes a VM exit with basic reason 53, before its descriptor is read")
{
	struct guest *guest = guest_golden(guest_invvpid);

	expect_exit(guest_run(guest), EXIT_REASON_INVVPID);
}
