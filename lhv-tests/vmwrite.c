/* VMWRITE: encodings, read-only fields, widths, register and memory sources, and what a VMWRITE leaves alone. */
#include "lhv-guest/golden.h"
#include "lhv-tests/vmcs-encodings.h"
#include "lhv-tests/vmcs-values.h"
#include "lib/string.h"
#include "smp/cpu.h"
#include "vmx/instructions.h"

#define VMWRITE "31.3 VMWRITE - Write Field to Virtual-Machine Control Structure"
#define ENCODINGS "25.11.2 VMREAD, VMWRITE, and Encodings of VMCS Fields"
#define VMWRITE_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "vmwrite." id_text, .title = title_text, .sdm = section, .needs = NEED_VMX_ROOT, .opt = OPT_VMX_INSTR, ##__VA_ARGS__)

#define MISC_VMWRITE_ANY_FIELD BIT(29)
#define VALUE 0x8fedcba987654321ull
#define OTHER 0x1234567812345678ull

static outcome_t try(ulong encoding)
{
	return vmwrite_word(encoding, 0);
}

/* VMWRITE from a register, (R)BX */
static outcome_t write_register(ulong encoding, ulong value)
{
	static const u8 code[] = {0x0f, 0x79, 0xd3}; /* vmwrite %rbx, %rdx */
	struct execution execution = vmx_execution(INSTRUCTION_COUNT, EXECUTE_RING0, 0, encoding);

	execution.frame.bx = value;
	vmx_append_bytes(&execution, code, sizeof(code));
	return vmx_execute(&execution, INSTRUCTION_VMWRITE);
}

static outcome_t write_from(ulong address, ulong encoding)
{
	struct execution execution = vmx_execution(INSTRUCTION_VMWRITE, EXECUTE_RING0, address, encoding);

	return vmx_execute(&execution, INSTRUCTION_VMWRITE);
}

/* ---- Encodings ------------------------------------------------------------------------------------------- */

static void unsupported(const struct rule *rule)
{
	golden_vmcs_load();
	expect_unsupported((ulong)rule->row, try);
}

#define X(name, id_text, text, need) \
	ROW(unsupported, .id = "vmwrite.unsupported." id_text, .title = "VMWRITE to an encoding with " text " gives VMfailValid(12)", .sdm = ENCODINGS, \
	    .row = (const void *)UNSUPPORTED_##name, .needs = NEED_VMX_ROOT | need, .opt = OPT_VMX_INSTR)
UNSUPPORTED_ENCODINGS(X)
#undef X

VMWRITE_RULE(unsupported_kept, "unsupported.fields-kept", "VMWRITE to an unsupported encoding changes no field but the VM-instruction error", VMWRITE)
{
	const u64 *before;

	golden_vmcs_load();
	vmcs_fill(vmcs_bits_kept(), 0);
	expect_outcome("VMWRITE to an unsupported encoding", vmwrite_word(FIELD_32 | BIT(12), 0x5a5a), VMFAIL_VALID(12));
	before = vmcs_snapshot();
	expect_outcome("VMWRITE to an unsupported encoding", vmwrite_word(FIELD_32 | BIT(12), 0xa5a5), VMFAIL_VALID(12));
	expect_outcome("VMWRITE with bit 31 of the encoding set", vmwrite_word(FIELD_NATURAL | BIT(31), 0xa5a5), VMFAIL_VALID(12));
	vmcs_expect_snapshot("after VMWRITEs that failed", before);
}

/* ---- Order --------------------------------------------------------------------------------------------------- */

VMWRITE_RULE(current_first, "no-current.before-encoding", "VMWRITE looks for a current VMCS before it looks at the encoding", VMWRITE)
{
	expect_outcome("VMWRITE to an unsupported encoding without a current VMCS", write_register(FIELD_32 | BIT(12), 0), VMFAIL_INVALID);
	expect_outcome("VMWRITE to a read-only field without a current VMCS", write_register(VMCS_EXIT_REASON, 0), VMFAIL_INVALID);
}

VMWRITE_RULE(current_source, "no-current.before-source", "VMWRITE looks for a current VMCS before it looks at its source", VMWRITE)
{
	expect_outcome("VMWRITE from an unmapped page without a current VMCS", write_from(vmx_unmapped(), FIELD_32), VMFAIL_INVALID);
}

/* The other way round than VMREAD and its destination */
VMWRITE_RULE(source_first, "unsupported.after-source", "VMWRITE looks at its source before it looks at the encoding", VMWRITE)
{
	golden_vmcs_load();
	expect_outcome("VMWRITE from an unmapped page to an unsupported encoding", write_from(vmx_unmapped(), FIELD_32 | BIT(12)),
		       FAULTED(VECTOR_PF, 0));
	expect_equal("CR2", read_cr2(), vmx_unmapped());
}

/* ---- VM-exit information fields ------------------------------------------------------------------------------------- */

static bool any_field(void)
{
	return this_cpu()->caps.misc & MISC_VMWRITE_ANY_FIELD;
}

static bool is_read_only(unsigned i)
{
	return vmcs_type(vmcs_fields[i].encoding) == VMCS_READ_ONLY_DATA && vmcs_field_exists(&vmcs_fields[i], &this_cpu()->caps);
}

VMWRITE_RULE(read_only, "read-only.error13", "Without IA32_VMX_MISC[29] VMWRITE to a VM-exit information field gives VMfailValid(13), and the field stays", VMWRITE)
{
	u64 before, after;

	if (any_field())
		rule_skip("the CPU lets VMWRITE write VM-exit information fields (IA32_VMX_MISC[29])");
	golden_vmcs_load();
	for (unsigned i = 0; i < vmcs_field_count; i++) {
		if (!is_read_only(i))
			continue;
		expect_outcome("VMREAD", vmread_try(vmcs_fields[i].encoding, &before), SUCCEEDED);
		expect_outcome(vmcs_fields[i].name, vmwrite_word(vmcs_fields[i].encoding, (ulong)~before), VMFAIL_VALID(13));
		expect_outcome("VMREAD again", vmread_try(vmcs_fields[i].encoding, &after), SUCCEEDED);
		expect_equal(vmcs_fields[i].name, after, vmcs_fields[i].encoding == VMCS_INSTRUCTION_ERROR ? 13 : before);
	}
}

VMWRITE_RULE(read_only_writable, "read-only.writable", "With IA32_VMX_MISC[29] VMWRITE writes every VM-exit information field", VMWRITE)
{
	if (!any_field())
		rule_skip("the CPU has no VMWRITE to VM-exit information fields (IA32_VMX_MISC[29])");
	golden_vmcs_load();
	for (unsigned i = 0; i < vmcs_field_count; i++) {
		if (!is_read_only(i))
			continue;
		expect_outcome(vmcs_fields[i].name, vmwrite_try(vmcs_fields[i].encoding, 0x1234), SUCCEEDED);
		expect_equal(vmcs_fields[i].name, vmread(vmcs_fields[i].encoding), 0x1234);
		expect_outcome(vmcs_fields[i].name, vmwrite_try(vmcs_fields[i].encoding, 0), SUCCEEDED);
		expect_equal(vmcs_fields[i].name, vmread(vmcs_fields[i].encoding), 0);
	}
}

VMWRITE_RULE(error_field, "read-only.error-field", "A VM-instruction error that VMWRITE wrote stays until the next VMfailValid", "25.9.5 VM-Instruction Error Field")
{
	if (!any_field())
		rule_skip("the CPU has no VMWRITE to VM-exit information fields (IA32_VMX_MISC[29])");
	golden_vmcs_load();
	vmwrite(VMCS_INSTRUCTION_ERROR, 0x77);
	vmwrite(FIELD_32, 1);
	expect_equal("the VM-instruction error field", vmread(VMCS_INSTRUCTION_ERROR), 0x77);
	expect_outcome("VMRESUME of a clear VMCS", vmresume(), VMFAIL_VALID(5));
	expect_equal("the VM-instruction error field", vmread(VMCS_INSTRUCTION_ERROR), 5);
}

VMWRITE_RULE(unsupported_first, "read-only.unsupported-first", "VMWRITE to a read-only encoding that no field has gives VMfailValid(12), not 13", VMWRITE)
{
	static const u32 encodings[] = {VMCS_EXIT_REASON | 1, VMCS_EXIT_REASON | BIT(12), VMCS_EXIT_QUALIFICATION | 1,
					VMCS_ENCODING(VMCS_32_BIT, VMCS_READ_ONLY_DATA, VMCS_INDEX_MAX, 0)};

	golden_vmcs_load();
	for (unsigned i = 0; i < COUNT(encodings); i++)
		expect_outcome("VMWRITE to an encoding of read-only type that no field has", vmwrite_word(encodings[i], 0), VMFAIL_VALID(12));
}

/* ---- Widths ------------------------------------------------------------------------------------------------------ */

struct width {
	u16 encoding, bits; /* of one access */
};

static const struct width widths[] = {{FIELD_16, 16}, {FIELD_32, 32}, {FIELD_64, 64}, {FIELD_NATURAL, 8 * sizeof(ulong)}};

/* What the field must hold after one VMWRITE of a word */
static u64 expected_of(const struct width *width, ulong word)
{
	return width->bits == 64 ? word : word & (BIT(width->bits) - 1);
}

/* In 32-bit mode a full VMWRITE of a 64-bit field clears bits 63:32 */
static void from_register(const struct rule *rule)
{
	const struct width *width = rule->row;

	golden_vmcs_load();
	vmwrite(width->encoding, OTHER);
	expect_outcome("VMWRITE from a register", write_register(width->encoding, (ulong)VALUE), SUCCEEDED);
	expect_equal("the field", vmread(width->encoding), expected_of(width, (ulong)VALUE));
}

static void from_memory(const struct rule *rule)
{
	const struct width *width = rule->row;
	ulong words[] = {~0ul, (ulong)VALUE, ~0ul};

	golden_vmcs_load();
	vmwrite(width->encoding, OTHER);
	expect_outcome("VMWRITE from memory", write_from((ulong)&words[1], width->encoding), SUCCEEDED);
	expect_equal("the field", vmread(width->encoding), expected_of(width, (ulong)VALUE));
	expect_equal("the source", words[1], (ulong)VALUE);
}

#define WIDTH_ROWS(index, id_text, text) \
	ROW(from_register, .id = "vmwrite.register." id_text, .title = "VMWRITE of " text " takes the field's bits of its register and ignores those above", \
	    .sdm = ENCODINGS, .row = &widths[index], .needs = NEED_VMX_ROOT, .opt = OPT_VMX_INSTR) \
	ROW(from_memory, .id = "vmwrite.memory." id_text, .title = "VMWRITE of " text " takes the field's bits of its memory operand", \
	    .sdm = ENCODINGS, .row = &widths[index], .needs = NEED_VMX_ROOT, .opt = OPT_VMX_INSTR)

WIDTH_ROWS(0, "16-bit", "a 16-bit field")
WIDTH_ROWS(1, "32-bit", "a 32-bit field")
WIDTH_ROWS(2, "64-bit", "a 64-bit field, whose bits 63:32 it clears in 32-bit mode,")
WIDTH_ROWS(3, "natural", "a natural-width field")

VMWRITE_RULE(high_half, "high-half.low-kept", "VMWRITE of the high half of a 64-bit field changes bits 63:32 alone, and ignores bits 63:32 of its source", ENCODINGS)
{
	unsigned fields = 0;

	golden_vmcs_load();
	for (unsigned i = 0; i < vmcs_field_count; i++) {
		const struct vmcs_field_info *field = &vmcs_fields[i];

		if (vmcs_width(field->encoding) != VMCS_64_BIT || vmcs_type(field->encoding) == VMCS_READ_ONLY_DATA ||
		    !vmcs_field_exists(field, &this_cpu()->caps))
			continue;
		fields++;
		vmwrite(field->encoding, OTHER);
		expect_outcome("VMWRITE of the high half", vmwrite_word(field->encoding + 1, (ulong)VALUE), SUCCEEDED);
		expect_equal(field->name, vmread(field->encoding), VALUE << 32 | (u32)OTHER);
	}
	expect_range("64-bit fields that were written", fields, 8, vmcs_field_count);
}

/* ---- What it does not look at ----------------------------------------------------------------------------------------- */

VMWRITE_RULE(no_check, "no-consistency-check", "VMWRITE writes values that no VM entry would accept", ENCODINGS)
{
	static const struct {
		enum vmcs_field field;
		u64 value;
	} bad[] = {
		{VMCS_PIN_CONTROLS, 0xffffffff}, {VMCS_PROC_CONTROLS, 0}, {VMCS_EXIT_CONTROLS, 0}, {VMCS_ENTRY_CONTROLS, 0xffffffff},
		{VMCS_CR3_TARGET_COUNT, 0xffffffff}, {VMCS_HOST_CS_SELECTOR, 7}, {VMCS_HOST_TR_SELECTOR, 0}, {VMCS_HOST_CR0, 0},
		{VMCS_GUEST_CR4, 0xffffffff}, {VMCS_GUEST_RFLAGS, 0}, {VMCS_GUEST_ACTIVITY_STATE, 0xff}, {VMCS_LINK_POINTER, 1},
		{VMCS_IO_BITMAP_A, 0xfff0000000000fffull}, {VMCS_EXIT_MSR_LOAD_ADDRESS, 0xf000000000000001ull},
	};

	golden_vmcs_load();
	for (unsigned i = 0; i < COUNT(bad); i++) {
		expect_outcome(vmcs_field_name(bad[i].field), vmwrite_try(bad[i].field, bad[i].value), SUCCEEDED);
		expect_equal(vmcs_field_name(bad[i].field), vmread(bad[i].field), bad[i].value);
	}
}

RULE(non_canonical, .id = "vmwrite.non-canonical", .title = "VMWRITE writes addresses that are not canonical", .sdm = ENCODINGS,
     .needs = NEED_VMX_ROOT | NEED_LONG_MODE, .opt = OPT_VMX_INSTR)
{
	static const enum vmcs_field fields[] = {VMCS_GUEST_RIP, VMCS_GUEST_FS_BASE, VMCS_HOST_RIP, VMCS_HOST_GS_BASE, VMCS_GUEST_IA32_SYSENTER_EIP};

	golden_vmcs_load();
	for (unsigned i = 0; i < COUNT(fields); i++) {
		vmwrite(fields[i], 0x8000000000000000ull);
		expect_equal(vmcs_field_name(fields[i]), vmread(fields[i]), 0x8000000000000000ull);
	}
}

VMWRITE_RULE(control_off, "control-off", "Fields of a feature can be written and read while the control of the feature is 0", ENCODINGS)
{
	golden_vmcs_load();
	vmwrite(VMCS_PIN_CONTROLS, 0);
	vmwrite(VMCS_PROC_CONTROLS, 0);
	vmwrite(VMCS_EXIT_CONTROLS, 0);
	vmwrite(VMCS_ENTRY_CONTROLS, 0);
	for (unsigned i = 0; i < vmcs_field_count; i++)
		if (vmcs_fields[i].choices[0].kind && vmcs_type(vmcs_fields[i].encoding) != VMCS_READ_ONLY_DATA &&
		    vmcs_field_exists(&vmcs_fields[i], &this_cpu()->caps)) {
			expect_outcome(vmcs_fields[i].name, vmwrite_try(vmcs_fields[i].encoding, 0x1234), SUCCEEDED);
			expect_equal(vmcs_fields[i].name, vmread(vmcs_fields[i].encoding), 0x1234);
		}
}

VMWRITE_RULE(distinct, "others-kept", "VMWRITE changes no field but the one that it names", VMWRITE)
{
	const u64 *kept;

	golden_vmcs_load();
	kept = vmcs_bits_kept();
	vmcs_fill(kept, 0);
	vmcs_expect_filled("after every field got a value of its own", kept, 0);
}

VMWRITE_RULE(registers_kept, "registers-kept", "VMWRITE changes no register", VMWRITE)
{
	static const u8 code[] = {0x0f, 0x79, 0xd3}; /* vmwrite %rbx, %rdx */
	struct execution execution = vmx_execution(INSTRUCTION_COUNT, EXECUTE_RING0, 0x1234, FIELD_32);

	golden_vmcs_load();
	execution.frame.ax = 0x11;
	execution.frame.bx = 0x55;
	execution.frame.si = 0x22;
	execution.frame.di = 0x33;
	vmx_append_bytes(&execution, code, sizeof(code));
	expect_outcome("VMWRITE", vmx_execute(&execution, INSTRUCTION_VMWRITE), SUCCEEDED);
	expect_equal("(R)AX", execution.frame.ax, 0x11);
	expect_equal("(R)BX", execution.frame.bx, 0x55);
	expect_equal("(R)CX", execution.frame.cx, 0x1234);
	expect_equal("(R)DX", execution.frame.dx, FIELD_32);
	expect_equal("(R)SI", execution.frame.si, 0x22);
	expect_equal("(R)DI", execution.frame.di, 0x33);
}

/* REX.W, and the registers that only REX names: in 64-bit mode */
RULE(rex, .id = "vmwrite.register.rex", .title = "In 64-bit mode REX.R and REX.B choose registers, and REX.W changes nothing", .sdm = VMWRITE,
     .needs = NEED_VMX_ROOT | NEED_LONG_MODE, .opt = OPT_VMX_INSTR)
{
#ifdef __x86_64__
	static const u8 codes[][4] = {{0x45, 0x0f, 0x79, 0xc1}, {0x4d, 0x0f, 0x79, 0xc1}}; /* vmwrite %r9, %r8: without and with REX.W */

	golden_vmcs_load();
	for (unsigned i = 0; i < COUNT(codes); i++) {
		struct execution execution = vmx_execution(INSTRUCTION_COUNT, EXECUTE_RING0, 0, 0);

		vmwrite(FIELD_NATURAL, 0);
		execution.frame.r8 = FIELD_NATURAL;
		execution.frame.r9 = VALUE;
		vmx_append_bytes(&execution, codes[i], sizeof(codes[i]));
		expect_outcome("VMWRITE", vmx_execute(&execution, INSTRUCTION_VMWRITE), SUCCEEDED);
		expect_equal("the field", vmread(FIELD_NATURAL), VALUE);
	}
#endif
}

VMWRITE_RULE(reserved_rights, "access-rights-reserved", "Which bits do the access-rights fields keep of FFFFFFFFH?", "25.4.1 Guest Register State", .class = OBSERVED)
{
	golden_vmcs_load();
	vmwrite(VMCS_GUEST_ES_ACCESS_RIGHTS, 0xffffffff);
	rule_note("guest ES access rights read back 0x%llx", vmread(VMCS_GUEST_ES_ACCESS_RIGHTS));
}
