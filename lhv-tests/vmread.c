/* VMREAD: encodings, widths, register and memory destinations, and what a VMREAD that fails leaves alone. */
#include "lhv-guest/golden.h"
#include "lhv-tests/vmcs-encodings.h"
#include "lib/string.h"
#include "smp/cpu.h"
#include "vmx/instructions.h"

#define VMREAD "31.3 VMREAD - Read Field from Virtual-Machine Control Structure"
#define ENCODINGS "25.11.2 VMREAD, VMWRITE, and Encodings of VMCS Fields"
#define VMREAD_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "vmread." id_text, .title = title_text, .sdm = section, .needs = NEED_VMX_ROOT, .opt = OPT_VMX_INSTR, ##__VA_ARGS__)

#define BEFORE ((ulong)0xa5a5a5a5a5a5a5a5ull)
#define VALUE 0x8fedcba987654321ull
#define WORD_BITS (8 * sizeof(ulong))

/* VMREAD to a register, (R)BX; *value: what it holds then, BEFORE before */
static outcome_t read_register(ulong encoding, ulong *value)
{
	static const u8 code[] = {0x0f, 0x78, 0xd3}; /* vmread %rdx, %rbx */
	struct execution execution = vmx_execution(INSTRUCTION_COUNT, EXECUTE_RING0, 0, encoding);
	outcome_t outcome;

	execution.frame.bx = BEFORE;
	vmx_append_bytes(&execution, code, sizeof(code));
	outcome = vmx_execute(&execution, INSTRUCTION_VMREAD);
	*value = execution.frame.bx;
	return outcome;
}

/* VMREAD to memory: the word in the middle of three, each BEFORE before */
static outcome_t read_memory(ulong encoding, ulong words[3])
{
	struct execution execution = vmx_execution(INSTRUCTION_VMREAD, EXECUTE_RING0, (ulong)&words[1], encoding);

	words[0] = words[1] = words[2] = BEFORE;
	return vmx_execute(&execution, INSTRUCTION_VMREAD);
}

static outcome_t try(ulong encoding)
{
	ulong value;

	return vmread_word(encoding, &value);
}

/* ---- Encodings ------------------------------------------------------------------------------------------- */

static void unsupported(const struct rule *rule)
{
	golden_vmcs_load();
	expect_unsupported((ulong)rule->row, try);
}

#define X(name, id_text, text, need) \
	ROW(unsupported, .id = "vmread.unsupported." id_text, .title = "VMREAD of an encoding with " text " gives VMfailValid(12)", .sdm = ENCODINGS, \
	    .row = (const void *)UNSUPPORTED_##name, .needs = NEED_VMX_ROOT | need, .opt = OPT_VMX_INSTR)
UNSUPPORTED_ENCODINGS(X)
#undef X

VMREAD_RULE(unnamed, "unsupported.unnamed", "Which encodings that no known edition of the SDM names does VMREAD read?", ENCODINGS, .class = OBSERVED)
{
	unsigned count = 0;
	u32 example = 0;

	golden_vmcs_load();
	for (u32 encoding = 0; encoding < BIT(15); encoding += 2) {
		if (encoding & BIT(12) || vmcs_field_find(encoding) || !vmread_exists(encoding))
			continue;
		if (!count++)
			example = encoding;
	}
	if (count)
		rule_note("%u encodings, the first 0x%x", count, example);
}

VMREAD_RULE(unsupported_kept, "unsupported.destination-kept", "VMREAD of an unsupported encoding leaves its destination alone", VMREAD)
{
	ulong value, words[3];

	golden_vmcs_load();
	expect_outcome("VMREAD to a register", read_register(FIELD_32 | BIT(12), &value), VMFAIL_VALID(12));
	expect_equal("the register", value, BEFORE);
	expect_outcome("VMREAD to memory", read_memory(FIELD_32 | BIT(12), words), VMFAIL_VALID(12));
	expect_equal("the memory", words[1], BEFORE);
}

VMREAD_RULE(invalid_kept, "no-current.destination-kept", "VMREAD without a current VMCS gives VMfailInvalid and leaves its destination alone", VMREAD)
{
	ulong value, words[3];

	expect_outcome("VMREAD to a register", read_register(FIELD_32, &value), VMFAIL_INVALID);
	expect_equal("the register", value, BEFORE);
	expect_outcome("VMREAD to memory", read_memory(FIELD_32, words), VMFAIL_INVALID);
	expect_equal("the memory", words[1], BEFORE);
}

/* ---- Order --------------------------------------------------------------------------------------------------- */

static outcome_t read_to(ulong address, ulong encoding)
{
	struct execution execution = vmx_execution(INSTRUCTION_VMREAD, EXECUTE_RING0, address, encoding);

	return vmx_execute(&execution, INSTRUCTION_VMREAD);
}

VMREAD_RULE(current_first, "no-current.before-destination", "VMREAD looks for a current VMCS before it looks at its destination", VMREAD)
{
	expect_outcome("VMREAD to an unmapped page without a current VMCS", read_to(vmx_unmapped(), FIELD_32), VMFAIL_INVALID);
}

VMREAD_RULE(current_before_field, "no-current.before-encoding", "VMREAD looks for a current VMCS before it looks at the encoding", VMREAD)
{
	ulong value;

	expect_outcome("VMREAD of an unsupported encoding without a current VMCS", read_register(FIELD_32 | BIT(12), &value), VMFAIL_INVALID);
}

VMREAD_RULE(field_first, "unsupported.before-destination", "VMREAD looks at the encoding before it looks at its destination", VMREAD)
{
	golden_vmcs_load();
	expect_outcome("VMREAD of an unsupported encoding to an unmapped page", read_to(vmx_unmapped(), FIELD_32 | BIT(12)), VMFAIL_VALID(12));
}

/* ---- Widths ------------------------------------------------------------------------------------------------------ */

/* A field's encoding for one access, and the bits of VALUE that a VMREAD of it must give */
struct width {
	u16 encoding, bits, from;
};

static const struct width widths[] = {
	{FIELD_16, 16, 0}, {FIELD_32, 32, 0}, {FIELD_64, WORD_BITS, 0}, {FIELD_64 + 1, 32, 32}, {FIELD_NATURAL, WORD_BITS, 0},
};

static ulong expected_of(const struct width *width)
{
	return VALUE >> width->from & (width->bits == 64 ? ~0ull : BIT(width->bits) - 1);
}

static void write_value(const struct width *width)
{
	golden_vmcs_load();
	vmwrite(width->encoding & ~1u, VALUE);
}

static void to_register(const struct rule *rule)
{
	const struct width *width = rule->row;
	ulong value;

	write_value(width);
	expect_outcome("VMREAD to a register", read_register(width->encoding, &value), SUCCEEDED);
	expect_equal("the register", value, expected_of(width));
}

static void to_memory(const struct rule *rule)
{
	const struct width *width = rule->row;
	ulong words[3];

	write_value(width);
	expect_outcome("VMREAD to memory", read_memory(width->encoding, words), SUCCEEDED);
	expect_equal("the word in memory", words[1], expected_of(width));
	expect_equal("the word before", words[0], BEFORE);
	expect_equal("the word behind", words[2], BEFORE);
}

#define WIDTH_ROWS(index, id_text, text) \
	ROW(to_register, .id = "vmread.register." id_text, .title = "VMREAD of " text " to a register, of 64 bits in 64-bit mode and else of 32: zero-extended", \
	    .sdm = ENCODINGS, .row = &widths[index], .needs = NEED_VMX_ROOT, .opt = OPT_VMX_INSTR) \
	ROW(to_memory, .id = "vmread.memory." id_text, .title = "VMREAD of " text " to memory writes 8 bytes in 64-bit mode, else 4: zero-extended", \
	    .sdm = ENCODINGS, .row = &widths[index], .needs = NEED_VMX_ROOT, .opt = OPT_VMX_INSTR)

WIDTH_ROWS(0, "16-bit", "a 16-bit field")
WIDTH_ROWS(1, "32-bit", "a 32-bit field")
WIDTH_ROWS(2, "64-bit", "a 64-bit field")
WIDTH_ROWS(3, "high-half", "the high half of a 64-bit field")
WIDTH_ROWS(4, "natural", "a natural-width field")

VMREAD_RULE(halves, "high-half.of-all", "Of every 64-bit field the high access gives bits 63:32, the full access in 32-bit mode bits 31:0", ENCODINGS)
{
	unsigned fields = 0;

	golden_vmcs_load();
	for (unsigned i = 0; i < vmcs_field_count; i++) {
		const struct vmcs_field_info *field = &vmcs_fields[i];
		ulong full, high;

		if (vmcs_width(field->encoding) != VMCS_64_BIT || vmcs_type(field->encoding) == VMCS_READ_ONLY_DATA ||
		    !vmcs_field_exists(field, &this_cpu()->caps))
			continue;
		fields++;
		vmwrite(field->encoding, VALUE);
		expect_outcome("VMREAD of the field", vmread_word(field->encoding, &full), SUCCEEDED);
		expect_equal(field->name, full, (ulong)VALUE);
		expect_outcome("VMREAD of its high half", vmread_word(field->encoding + 1, &high), SUCCEEDED);
		expect_equal(field->name, high, VALUE >> 32);
	}
	expect_range("64-bit fields that were read", fields, 8, vmcs_field_count);
}

/* ---- Operands -------------------------------------------------------------------------------------------------------- */

VMREAD_RULE(same_register, "register.same", "The destination of VMREAD may be the register that holds the encoding", VMREAD)
{
	static const u8 code[] = {0x0f, 0x78, 0xd2}; /* vmread %rdx, %rdx */
	struct execution execution = vmx_execution(INSTRUCTION_COUNT, EXECUTE_RING0, 0, FIELD_32);

	write_value(&widths[1]);
	vmx_append_bytes(&execution, code, sizeof(code));
	expect_outcome("VMREAD", vmx_execute(&execution, INSTRUCTION_VMREAD), SUCCEEDED);
	expect_equal("the register", execution.frame.dx, (u32)VALUE);
}

VMREAD_RULE(others_kept, "register.others-kept", "VMREAD changes no register but its destination", VMREAD)
{
	static const u8 code[] = {0x0f, 0x78, 0xd3}; /* vmread %rdx, %rbx */
	struct execution execution = vmx_execution(INSTRUCTION_COUNT, EXECUTE_RING0, 0x1234, FIELD_32);

	write_value(&widths[1]);
	execution.frame.ax = 0x11;
	execution.frame.si = 0x22;
	execution.frame.di = 0x33;
	execution.frame.bp = 0x44;
	vmx_append_bytes(&execution, code, sizeof(code));
	expect_outcome("VMREAD", vmx_execute(&execution, INSTRUCTION_VMREAD), SUCCEEDED);
	expect_equal("(R)AX", execution.frame.ax, 0x11);
	expect_equal("(R)CX", execution.frame.cx, 0x1234);
	expect_equal("(R)DX", execution.frame.dx, FIELD_32);
	expect_equal("(R)SI", execution.frame.si, 0x22);
	expect_equal("(R)DI", execution.frame.di, 0x33);
	expect_equal("(R)BP", execution.frame.bp, 0x44);
}

/* REX.W, and the registers that only REX names: in 64-bit mode */
RULE(rex, .id = "vmread.register.rex", .title = "In 64-bit mode REX.R and REX.B choose registers, and REX.W changes nothing", .sdm = VMREAD,
     .needs = NEED_VMX_ROOT | NEED_LONG_MODE, .opt = OPT_VMX_INSTR)
{
#ifdef __x86_64__
	static const u8 codes[][4] = {{0x45, 0x0f, 0x78, 0xc1}, {0x4d, 0x0f, 0x78, 0xc1}}; /* vmread %r8, %r9: without and with REX.W */

	for (unsigned i = 0; i < COUNT(codes); i++) {
		struct execution execution = vmx_execution(INSTRUCTION_COUNT, EXECUTE_RING0, 0, BEFORE);

		write_value(&widths[4]);
		execution.frame.r8 = FIELD_NATURAL;
		execution.frame.r9 = BEFORE;
		execution.frame.ax = BEFORE;
		vmx_append_bytes(&execution, codes[i], sizeof(codes[i]));
		expect_outcome("VMREAD", vmx_execute(&execution, INSTRUCTION_VMREAD), SUCCEEDED);
		expect_equal("R9", execution.frame.r9, VALUE);
		expect_equal("RAX", execution.frame.ax, BEFORE);
	}
#endif
}

VMREAD_RULE(keeps_field, "field-kept", "VMREAD changes no field: all read the same again", VMREAD)
{
	u64 first, again;

	golden_vmcs_load();
	for (unsigned i = 0; i < vmcs_field_count; i++)
		if (vmread_try(vmcs_fields[i].encoding, &first) == SUCCEEDED) {
			expect_outcome("VMREAD again", vmread_try(vmcs_fields[i].encoding, &again), SUCCEEDED);
			expect_equal(vmcs_fields[i].name, again, first);
		}
}
