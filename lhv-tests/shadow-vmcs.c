/* VMCS shadowing: VMREAD and VMWRITE in a guest, their bitmaps, the VMCS that the link pointer names, and what a shadow VMCS cannot do. */
#include "cpu/registers.h"
#include "harness/fault.h"
#include "harness/rule.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"
#include "lib/string.h"
#include "vmx/root.h"

#define VMREAD "31.3 VMREAD - Read Field from Virtual-Machine Control Structure"
#define VMWRITE "31.3 VMWRITE - Write Field to Virtual-Machine Control Structure"
#define CONDITIONAL "26.1.3 Instructions That Cause VM Exits Conditionally"
#define TYPES "25.10 VMCS Types: Ordinary and Shadow"
#define LAUNCH "27.1 Basic VM-Entry Checks"
#define LINK "27.3.1.5 Checks on Guest Non-Register State"

#define SHADOW_SHARED .needs = NEED_VMX_ROOT | NEED_VMCS_SHADOWING, .opt = OPT_SHADOW_VMCS
#define SHADOW_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "shadow." id_text, .title = title_text, .sdm = section, SHADOW_SHARED, ##__VA_ARGS__)

#define SHADOW_INDICATOR BIT(31) /* of the first word of a VMCS region */
#define MISC_WRITE_ANY_FIELD BIT(29)
#define ENCODINGS 0x8000 /* that the bitmaps cover */
#define UNSUPPORTED_FIELD 0x7ffe
#define NO_VMCS (~0ull)
#define FLAGS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

struct shadow {
	struct guest *guest;
	u8 *read_bitmap, *write_bitmap; /* a bit that is 1: exit */
	u64 vmcs;
};

static void guest_nothing(void)
{
}

static void make_current(u64 vmcs)
{
	expect_outcome("VMPTRLD", vmptrld(vmcs), SUCCEEDED);
}

static void clear(u64 vmcs)
{
	expect_outcome("VMCLEAR", vmclear(vmcs), SUCCEEDED);
}

static u64 shadow_create(void)
{
	u32 *region = scratch_page();

	vmcs_region(this_cpu(), region);
	*region |= SHADOW_INDICATOR;
	clear(physical(region));
	return physical(region);
}

/* A field of the shadow VMCS, which is not active before and after */
static void shadow_write(const struct shadow *shadow, u32 field, u64 value)
{
	make_current(shadow->vmcs);
	vmwrite(field, value);
	clear(shadow->vmcs);
	make_current(this_cpu()->golden_vmcs);
}

static u64 shadow_read(const struct shadow *shadow, u32 field)
{
	u64 value;

	make_current(shadow->vmcs);
	value = vmread(field);
	clear(shadow->vmcs);
	make_current(this_cpu()->golden_vmcs);
	return value;
}

/* A golden guest with VMCS shadowing, a shadow VMCS, and bitmaps that let all accesses through */
static struct shadow shadow_open(void)
{
	const struct vmx_caps *caps = &this_cpu()->caps;
	struct shadow shadow = {guest_golden(guest_nothing), scratch_page(), scratch_page(), shadow_create()};

	if (!(vmread(VMCS_PROC_CONTROLS) & PROC_ACTIVATE_SECONDARY_CONTROLS)) {
		controls_set(VMCS_PROC_CONTROLS, &caps->proc, PROC_ACTIVATE_SECONDARY_CONTROLS, "activate secondary controls");
		vmwrite(VMCS_PROC2_CONTROLS, caps->proc2.must_be_1);
	}
	controls_set(VMCS_PROC2_CONTROLS, &caps->proc2, PROC2_VMCS_SHADOWING, "VMCS shadowing");
	vmwrite(VMCS_VMREAD_BITMAP, physical(shadow.read_bitmap));
	vmwrite(VMCS_VMWRITE_BITMAP, physical(shadow.write_bitmap));
	vmwrite(VMCS_LINK_POINTER, shadow.vmcs);
	return shadow;
}

static void bit_set(u8 *bitmap, u32 encoding)
{
	bitmap[encoding / 8] |= 1 << encoding % 8;
}

/* What the guest executes: one instruction, then VMCALL */
static const u8 vmread_code[] = {0x0f, 0x78, 0xcb, 0x0f, 0x01, 0xc1};	      /* VMREAD ECX, EBX */
static const u8 vmread_memory_code[] = {0x0f, 0x78, 0x0b, 0x0f, 0x01, 0xc1};  /* VMREAD ECX, (EBX) */
static const u8 vmwrite_code[] = {0x0f, 0x79, 0xcb, 0x0f, 0x01, 0xc1};	      /* VMWRITE EBX, ECX */
static const u8 vmwrite_memory_code[] = {0x0f, 0x79, 0x0b, 0x0f, 0x01, 0xc1}; /* VMWRITE (EBX), ECX */

static struct exit run_code(const struct shadow *shadow, const u8 *code, ulong encoding, ulong bx)
{
	struct exit exit;

	shadow->guest->registers.cx = encoding;
	shadow->guest->registers.bx = bx;
	vmwrite(VMCS_GUEST_RIP, (ulong)code);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED | FLAGS); /* the opposite of success */
	exit = guest_run(shadow->guest);
	if (fault(FAULT_SHADOW_BITMAP_IGNORED) && exit.entry == SUCCEEDED &&
	    (exit.reason == EXIT_REASON_VMREAD || exit.reason == EXIT_REASON_VMWRITE)) {
		guest_skip_instruction();
		exit = guest_run(shadow->guest);
	}
	return exit;
}

/* The instruction caused no VM exit and left these flags */
static void expect_flags(struct exit exit, u64 flags)
{
	expect_exit(exit, EXIT_REASON_VMCALL);
	expect_equal("arithmetic flags of the guest", vmread(VMCS_GUEST_RFLAGS) & FLAGS, flags);
}

static u64 guest_vmread(const struct shadow *shadow, u32 encoding)
{
	expect_flags(run_code(shadow, vmread_code, encoding, 0x5a5a5a5a), 0);
	return shadow->guest->registers.bx;
}

static void guest_vmwrite(const struct shadow *shadow, u32 encoding, ulong value)
{
	expect_flags(run_code(shadow, vmwrite_code, encoding, value), 0);
	if (fault(FAULT_SHADOW_WRITE_LOST))
		shadow_write(shadow, encoding & ~1u, 0);
}

/* ---- Fields of each width ------------------------------------------------------------------------------ */

struct width_row {
	u32 field;
	u64 value;
};

/* Fields that VM entry and VM exit of the golden guest do not look at in the shadow VMCS */
static const struct width_row rows[] = {
	{VMCS_GUEST_ES_SELECTOR, 0x1357},
	{VMCS_GUEST_ES_LIMIT, 0x89abcdef},
	{VMCS_GUEST_IA32_DEBUGCTL, 0x123456789abcdef0},
	{VMCS_GUEST_RIP, (ulong)0x7edcba9876543210ull},
};

#define IS_64_BIT(field) (((field) >> 13 & 3) == 1)

static void reads_width(const struct rule *rule)
{
	const struct width_row *row = rule->row;
	struct shadow shadow = shadow_open();

	shadow_write(&shadow, row->field, row->value);
	expect_equal("what VMREAD in the guest gives", guest_vmread(&shadow, row->field), (ulong)row->value);
	if (IS_64_BIT(row->field))
		expect_equal("what VMREAD of the high half gives", guest_vmread(&shadow, row->field + 1), row->value >> 32);
}

static void writes_width(const struct rule *rule)
{
	const struct width_row *row = rule->row;
	struct shadow shadow = shadow_open();
	u64 before = row->field == VMCS_GUEST_RIP ? 0 : vmread(row->field);

	guest_vmwrite(&shadow, row->field, row->value);
	if (IS_64_BIT(row->field) && sizeof(ulong) == 4)
		guest_vmwrite(&shadow, row->field + 1, row->value >> 32);
	if (row->field != VMCS_GUEST_RIP)
		expect_equal("the field of the current VMCS", vmread(row->field), before);
	expect_equal("the field of the shadow VMCS", shadow_read(&shadow, row->field), row->value);
}

#define WIDTH_ROW(function, index, id_text, title_text, section) \
	ROW(function, .id = "shadow." id_text, .title = title_text, .sdm = section, .row = &rows[index], SHADOW_SHARED)

WIDTH_ROW(reads_width, 0, "read.16-bit", "VMREAD in a guest gives a 16-bit field of the VMCS that the link pointer names", VMREAD)
WIDTH_ROW(reads_width, 1, "read.32-bit", "VMREAD in a guest gives a 32-bit field of the VMCS that the link pointer names", VMREAD)
WIDTH_ROW(reads_width, 2, "read.64-bit", "VMREAD in a guest gives a 64-bit field of the VMCS that the link pointer names", VMREAD)
WIDTH_ROW(reads_width, 3, "read.natural", "VMREAD in a guest gives a natural-width field of the VMCS that the link pointer names", VMREAD)
WIDTH_ROW(writes_width, 0, "write.16-bit", "VMWRITE in a guest changes a 16-bit field of the shadow VMCS and not of the current one", VMWRITE)
WIDTH_ROW(writes_width, 1, "write.32-bit", "VMWRITE in a guest changes a 32-bit field of the shadow VMCS and not of the current one", VMWRITE)
WIDTH_ROW(writes_width, 2, "write.64-bit", "VMWRITE in a guest changes a 64-bit field of the shadow VMCS and not of the current one", VMWRITE)
WIDTH_ROW(writes_width, 3, "write.natural", "VMWRITE in a guest changes a natural-width field of the shadow VMCS", VMWRITE)

SHADOW_RULE(read_back, "write-read", "VMREAD in a guest gives what VMWRITE in the guest wrote", VMWRITE)
{
	struct shadow shadow = shadow_open();

	for (unsigned bit = 0; bit < 32; bit++) {
		guest_vmwrite(&shadow, VMCS_GUEST_ES_LIMIT, 1ul << bit);
		expect_equal("what VMREAD in the guest gives", guest_vmread(&shadow, VMCS_GUEST_ES_LIMIT), 1ul << bit);
	}
}

SHADOW_RULE(memory_operands, "memory-operands", "VMREAD and VMWRITE in a guest with memory operands reach the shadow VMCS", VMREAD)
{
	struct shadow shadow = shadow_open();
	ulong *word = scratch_page();

	*word = 0x1badcafe;
	expect_flags(run_code(&shadow, vmwrite_memory_code, VMCS_GUEST_ES_LIMIT, (ulong)word), 0);
	*word = 0;
	expect_flags(run_code(&shadow, vmread_memory_code, VMCS_GUEST_ES_LIMIT, (ulong)word), 0);
	expect_equal("what VMREAD in the guest stored", *word, 0x1badcafe);
}

SHADOW_RULE(memory_fault, "memory-fault", "A destination of VMREAD in an unmapped page gives the guest #PF and no VM exit", VMREAD)
{
	struct shadow shadow = shadow_open();

	expect_hypercall(shadow.guest, run_code(&shadow, vmread_memory_code, VMCS_GUEST_ES_LIMIT, this_cpu()->stack_guard), HYPERCALL_EXCEPTION);
	expect_equal("vector of the guest's exception", shadow.guest->exception.vector, VECTOR_PF);
	expect_equal("its error code", shadow.guest->exception.error_code, 2);
}

SHADOW_RULE(all_fields, "write.all-fields", "Every field that the CPU has is seen by the host as the guest wrote it", VMWRITE)
{
	struct shadow shadow = shadow_open();

	for (unsigned i = 0; i < vmcs_field_count; i++) {
		const u32 encoding = vmcs_fields[i].encoding;
		const bool read_only = (encoding >> 10 & 3) == 1;

		if (!vmcs_field_exists(&vmcs_fields[i], &this_cpu()->caps) || !vmread_exists(encoding) ||
		    (read_only && !(this_cpu()->caps.misc & MISC_WRITE_ANY_FIELD)))
			continue;
		/* a bit that even fields with reserved bits keep: some keep only what they define */
		shadow_write(&shadow, encoding, 0);
		guest_vmwrite(&shadow, encoding, 1);
		make_current(shadow.vmcs);
		u64 expected, actual = vmread(encoding);

		vmwrite(encoding, 1); /* what the host's own VMWRITE would have left */
		expected = vmread(encoding);
		clear(shadow.vmcs);
		make_current(this_cpu()->golden_vmcs);
		if (actual != expected)
			rule_fail(vmcs_field_name(encoding), "what VMWRITE of the host leaves", "0x%llx, the host's leaves 0x%llx", actual, expected);
	}
}

/* ---- Bitmaps -------------------------------------------------------------------------------------------- */

/* The bit of the encoding differs from all others */
static void one_bit(const struct shadow *shadow, const u8 *code, u8 *bitmap, u32 encoding, u32 reason)
{
	bitmap[encoding / 8] ^= 1 << encoding % 8;
	expect_exit(run_code(shadow, code, encoding, 0), reason);
	bitmap[encoding / 8] ^= 1 << encoding % 8;
}

/* The bit alone causes an exit, and all others do not: at all fields, and all over the bitmap */
static void bit_by_bit(const struct shadow *shadow, const u8 *code, u8 *bitmap, u32 reason)
{
	for (unsigned others = 0; others < 2; others++) {
		const u32 wanted = others ? EXIT_REASON_VMCALL : reason;

		memset(bitmap, others ? 0xff : 0, PAGE_SIZE);
		for (unsigned i = 0; i < vmcs_field_count; i++)
			one_bit(shadow, code, bitmap, vmcs_fields[i].encoding, wanted);
		for (u32 encoding = 0; encoding < ENCODINGS; encoding += 151) /* no multiple of 8: all bits of a byte */
			/* Bochs 2.7 panics where a guest accesses the high half of a field that has none */
			if (!others || !vmcs_high(encoding) || vmcs_width(encoding) == VMCS_64_BIT)
				one_bit(shadow, code, bitmap, encoding, wanted);
		one_bit(shadow, code, bitmap, ENCODINGS - 2, wanted);
	}
}

SHADOW_RULE(read_bits, "bitmap.read", "VMREAD exits as the bit of its encoding in the VMREAD bitmap says, and no other bit", CONDITIONAL)
{
	struct shadow shadow = shadow_open();

	bit_by_bit(&shadow, vmread_code, shadow.read_bitmap, EXIT_REASON_VMREAD);
}

SHADOW_RULE(write_bits, "bitmap.write", "VMWRITE exits as the bit of its encoding in the VMWRITE bitmap says, and no other bit", CONDITIONAL)
{
	struct shadow shadow = shadow_open();

	bit_by_bit(&shadow, vmwrite_code, shadow.write_bitmap, EXIT_REASON_VMWRITE);
}

SHADOW_RULE(separate, "bitmap.separate", "VMREAD does not look at the VMWRITE bitmap, nor VMWRITE at the VMREAD bitmap", CONDITIONAL)
{
	struct shadow shadow = shadow_open();

	memset(shadow.write_bitmap, 0xff, PAGE_SIZE);
	expect_flags(run_code(&shadow, vmread_code, VMCS_GUEST_ES_LIMIT, 0), 0);
	expect_exit(run_code(&shadow, vmwrite_code, VMCS_GUEST_ES_LIMIT, 0), EXIT_REASON_VMWRITE);
	memset(shadow.write_bitmap, 0, PAGE_SIZE);
	memset(shadow.read_bitmap, 0xff, PAGE_SIZE);
	expect_flags(run_code(&shadow, vmwrite_code, VMCS_GUEST_ES_LIMIT, 0), 0);
	expect_exit(run_code(&shadow, vmread_code, VMCS_GUEST_ES_LIMIT, 0), EXIT_REASON_VMREAD);
}

static void beyond(const struct shadow *shadow, unsigned low, unsigned high)
{
	for (unsigned bit = low; bit <= high; bit++) {
		expect_exit(run_code(shadow, vmread_code, VMCS_GUEST_ES_LIMIT | (ulong)BIT(bit), 0), EXIT_REASON_VMREAD);
		expect_exit(run_code(shadow, vmwrite_code, VMCS_GUEST_ES_LIMIT | (ulong)BIT(bit), 0), EXIT_REASON_VMWRITE);
	}
}

SHADOW_RULE(beyond_bitmaps, "bitmap.encoding-beyond", "An encoding with a bit of 31:15 set causes a VM exit, whatever the bitmaps say", CONDITIONAL)
{
	struct shadow shadow = shadow_open();

	beyond(&shadow, 15, 31);
}

RULE(beyond_64, .id = "shadow.bitmap.encoding-high-half", .title = "In 64-bit mode an encoding with a bit of 63:32 set causes a VM exit, too",
     .sdm = CONDITIONAL, .needs = NEED_VMX_ROOT | NEED_VMCS_SHADOWING | NEED_LONG_MODE, .opt = OPT_SHADOW_VMCS)
{
	struct shadow shadow = shadow_open();

	beyond(&shadow, 32, 63);
}

SHADOW_RULE(off, "off-exits", "With \"VMCS shadowing\" 0 VMREAD and VMWRITE cause VM exits, whatever the bitmaps say", CONDITIONAL)
{
	struct shadow shadow = shadow_open();

	controls_clear(VMCS_PROC2_CONTROLS, &this_cpu()->caps.proc2, PROC2_VMCS_SHADOWING, "VMCS shadowing");
	vmwrite(VMCS_LINK_POINTER, NO_VMCS);
	expect_exit(run_code(&shadow, vmread_code, VMCS_GUEST_ES_LIMIT, 0), EXIT_REASON_VMREAD);
	expect_exit(run_code(&shadow, vmwrite_code, VMCS_GUEST_ES_LIMIT, 0), EXIT_REASON_VMWRITE);
}

SHADOW_RULE(exit_kept, "exit-changes-nothing", "VMREAD and VMWRITE that exit change neither the register nor the shadow VMCS", CONDITIONAL)
{
	struct shadow shadow = shadow_open();

	shadow_write(&shadow, VMCS_GUEST_ES_LIMIT, 0x1234);
	bit_set(shadow.read_bitmap, VMCS_GUEST_ES_LIMIT);
	bit_set(shadow.write_bitmap, VMCS_GUEST_ES_LIMIT);
	expect_exit(run_code(&shadow, vmread_code, VMCS_GUEST_ES_LIMIT, 0x77), EXIT_REASON_VMREAD);
	expect_equal("BX", shadow.guest->registers.bx, 0x77);
	expect_equal("VM-exit instruction length", vmread(VMCS_EXIT_INSTRUCTION_LENGTH), 3);
	expect_exit(run_code(&shadow, vmwrite_code, VMCS_GUEST_ES_LIMIT, 0x77), EXIT_REASON_VMWRITE);
	expect_equal("the field of the shadow VMCS", shadow_read(&shadow, VMCS_GUEST_ES_LIMIT), 0x1234);
}

/* ---- Failures in the guest ------------------------------------------------------------------------------ */

SHADOW_RULE(no_link_read, "no-link.read", "VMREAD in a guest whose link pointer is FFFFFFFFFFFFFFFFH gives VMfailInvalid", VMREAD)
{
	struct shadow shadow = shadow_open();

	vmwrite(VMCS_LINK_POINTER, NO_VMCS);
	expect_flags(run_code(&shadow, vmread_code, VMCS_GUEST_ES_LIMIT, 0x77), RFLAGS_CF);
	expect_equal("BX", shadow.guest->registers.bx, 0x77);
}

SHADOW_RULE(no_link_write, "no-link.write", "VMWRITE in a guest whose link pointer is FFFFFFFFFFFFFFFFH gives VMfailInvalid", VMWRITE)
{
	struct shadow shadow = shadow_open();

	vmwrite(VMCS_LINK_POINTER, NO_VMCS);
	expect_flags(run_code(&shadow, vmwrite_code, VMCS_GUEST_ES_LIMIT, 0x77), RFLAGS_CF);
}

SHADOW_RULE(unsupported_read, "unsupported-field.read", "VMREAD in a guest of a field that is not there gives VMfailValid and no VM exit", VMREAD)
{
	struct shadow shadow = shadow_open();

	expect_flags(run_code(&shadow, vmread_code, UNSUPPORTED_FIELD, 0x77), RFLAGS_ZF);
	expect_equal("BX", shadow.guest->registers.bx, 0x77);
}

SHADOW_RULE(unsupported_write, "unsupported-field.write", "VMWRITE in a guest of a field that is not there gives VMfailValid and no VM exit", VMWRITE)
{
	struct shadow shadow = shadow_open();

	expect_flags(run_code(&shadow, vmwrite_code, UNSUPPORTED_FIELD, 0x77), RFLAGS_ZF);
}

SHADOW_RULE(error_where, "unsupported-field.error", "Which VMCS gets the error number of a VMREAD that failed in a guest?", VMREAD, .class = OBSERVED)
{
	struct shadow shadow = shadow_open();

	expect_flags(run_code(&shadow, vmread_code, UNSUPPORTED_FIELD, 0), RFLAGS_ZF);
	rule_note("VM-instruction error: %llu in the current VMCS, %llu in the shadow VMCS", vmread(VMCS_INSTRUCTION_ERROR),
		  shadow_read(&shadow, VMCS_INSTRUCTION_ERROR));
}

SHADOW_RULE(read_only, "read-only-field", "VMWRITE in a guest to a VM-exit information field succeeds if IA32_VMX_MISC[29] is 1, else VMfailValid", VMWRITE)
{
	struct shadow shadow = shadow_open();

	if (this_cpu()->caps.misc & MISC_WRITE_ANY_FIELD) {
		guest_vmwrite(&shadow, VMCS_EXIT_QUALIFICATION, 0x4321);
		expect_equal("the field of the shadow VMCS", shadow_read(&shadow, VMCS_EXIT_QUALIFICATION), 0x4321);
	} else {
		expect_flags(run_code(&shadow, vmwrite_code, VMCS_EXIT_QUALIFICATION, 0x4321), RFLAGS_ZF);
	}
}

/* ---- The shadow VMCS itself ------------------------------------------------------------------------------ */

SHADOW_RULE(current, "current", "A shadow VMCS can be made current, read and written", TYPES)
{
	u64 shadow = shadow_create(), current = 0;

	make_current(shadow);
	expect_outcome("VMPTRST", vmptrst(&current), SUCCEEDED);
	expect_equal("the current-VMCS pointer", current, shadow);
	expect_outcome("VMWRITE", vmwrite_try(VMCS_GUEST_ES_LIMIT, 0xabcd), SUCCEEDED);
	expect_equal("what VMREAD gives", vmread(VMCS_GUEST_ES_LIMIT), 0xabcd);
	clear(shadow);
}

SHADOW_RULE(kept, "kept-over-vmclear", "A shadow VMCS keeps its fields and its indicator over VMCLEAR and VMPTRLD", TYPES)
{
	u64 shadow = shadow_create();

	make_current(shadow);
	vmwrite(VMCS_GUEST_ES_LIMIT, 0xabcd);
	clear(shadow);
	expect_equal("first word of the region", *(u32 *)(ulong)shadow, caps_revision(&this_cpu()->caps) | SHADOW_INDICATOR);
	make_current(shadow);
	expect_equal("what VMREAD gives", vmread(VMCS_GUEST_ES_LIMIT), 0xabcd);
	clear(shadow);
}

static void not_entered(outcome_t (*instruction)(void), const char *what)
{
	u64 shadow = shadow_create();

	make_current(shadow);
	expect_outcome(what, instruction(), VMFAIL_INVALID);
	clear(shadow);
}

SHADOW_RULE(vmlaunch_refused, "vmlaunch-invalid", "VMLAUNCH of a shadow VMCS gives VMfailInvalid", LAUNCH)
{
	not_entered(vmlaunch, "VMLAUNCH of a shadow VMCS");
}

SHADOW_RULE(vmresume_refused, "vmresume-invalid", "VMRESUME of a shadow VMCS gives VMfailInvalid", LAUNCH)
{
	not_entered(vmresume, "VMRESUME of a shadow VMCS");
}

SHADOW_RULE(ordinary_link, "entry.link-ordinary", "VM entry with VMCS shadowing fails where the link pointer names an ordinary VMCS", LINK)
{
	struct shadow shadow = shadow_open();

	*(u32 *)(ulong)shadow.vmcs &= ~(u32)SHADOW_INDICATOR;
	expect_exit(guest_run(shadow.guest), EXIT_REASON_INVALID_GUEST_STATE | EXIT_REASON_ENTRY_FAILURE);
	expect_equal("exit qualification", vmread(VMCS_EXIT_QUALIFICATION), 4);
}

SHADOW_RULE(shadow_link, "entry.link-shadow-off", "VM entry without VMCS shadowing fails where the link pointer names a shadow VMCS", LINK)
{
	struct shadow shadow = shadow_open();

	controls_clear(VMCS_PROC2_CONTROLS, &this_cpu()->caps.proc2, PROC2_VMCS_SHADOWING, "VMCS shadowing");
	expect_exit(guest_run(shadow.guest), EXIT_REASON_INVALID_GUEST_STATE | EXIT_REASON_ENTRY_FAILURE);
	expect_equal("exit qualification", vmread(VMCS_EXIT_QUALIFICATION), 4);
}

SHADOW_RULE(root_untouched, "root-ignores-bitmaps", "VMREAD and VMWRITE in VMX root operation use the current VMCS, whatever the bitmaps say", VMREAD)
{
	struct shadow shadow = shadow_open();

	shadow_write(&shadow, VMCS_GUEST_ES_LIMIT, 0x1111);
	expect_done(shadow.guest);
	vmwrite(VMCS_GUEST_ES_LIMIT, 0x2222);
	expect_equal("the field of the current VMCS", vmread(VMCS_GUEST_ES_LIMIT), 0x2222);
	expect_equal("the field of the shadow VMCS", shadow_read(&shadow, VMCS_GUEST_ES_LIMIT), 0x1111);
}
