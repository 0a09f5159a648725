/*
 * The tables of the VMX architecture as data, and their look-ups: VMCS fields, controls, exit reasons, VM-instruction
 * errors. Free of privileged instructions: also built for the host's unit tests.
 */
#include "vmx/controls.h"
#include "vmx/errors.h"
#include "vmx/exit-reasons.h"
#include "vmx/fields.h"

#define ALWAYS {{0, 0}}
#define WHEN(kind, control) {{CONTROL_##kind, kind##_##control}}
#define EITHER(kind1, control1, kind2, control2) \
	{{CONTROL_##kind1, kind1##_##control1}, {CONTROL_##kind2, kind2##_##control2}}

#define X(encoding, name, text, availability) {encoding, text, availability},
const struct vmcs_field_info vmcs_fields[] = {VMCS_FIELDS(X)};
#undef X
const unsigned vmcs_field_count = COUNT(vmcs_fields);

struct named_bit {
	u8 bit;
	const char *name;
};

#define X(name, bit, text) {bit, text},
static const struct named_bit pin_controls[] = {PIN_CONTROLS(X)};
static const struct named_bit proc_controls[] = {PROC_CONTROLS(X)};
static const struct named_bit proc2_controls[] = {PROC2_CONTROLS(X)};
static const struct named_bit proc3_controls[] = {PROC3_CONTROLS(X)};
static const struct named_bit exit_controls[] = {EXIT_CONTROLS(X)};
static const struct named_bit exit2_controls[] = {EXIT2_CONTROLS(X)};
static const struct named_bit entry_controls[] = {ENTRY_CONTROLS(X)};
static const struct named_bit vmfunc_controls[] = {VMFUNC_CONTROLS(X)};
#undef X

#define LIST(table) {table, COUNT(table)}
static const struct {
	const struct named_bit *list;
	unsigned count;
} controls_of[CONTROL_KIND_END] = {
	[CONTROL_PIN] = LIST(pin_controls),	  [CONTROL_PROC] = LIST(proc_controls),
	[CONTROL_PROC2] = LIST(proc2_controls),	  [CONTROL_PROC3] = LIST(proc3_controls),
	[CONTROL_EXIT] = LIST(exit_controls),	  [CONTROL_EXIT2] = LIST(exit2_controls),
	[CONTROL_ENTRY] = LIST(entry_controls),	  [CONTROL_VMFUNC] = LIST(vmfunc_controls),
};

const char *control_kind_name(enum control_kind kind)
{
#define X(name, text) [CONTROL_##name] = text,
	static const char *const names[CONTROL_KIND_END] = {[CONTROL_NONE] = "no controls", CONTROL_KINDS(X)};
#undef X

	return (unsigned)kind < CONTROL_KIND_END ? names[kind] : names[CONTROL_NONE];
}

const char *control_name(enum control_kind kind, u64 bit)
{
	if ((unsigned)kind < CONTROL_KIND_END)
		for (unsigned i = 0; i < controls_of[kind].count; i++)
			if (BIT(controls_of[kind].list[i].bit) == bit)
				return controls_of[kind].list[i].name;
	return "reserved";
}

u64 control_named(enum control_kind kind)
{
	u64 named = 0;

	if ((unsigned)kind < CONTROL_KIND_END)
		for (unsigned i = 0; i < controls_of[kind].count; i++)
			named |= BIT(controls_of[kind].list[i].bit);
	return named;
}

struct control_caps control_kind_caps(enum control_kind kind, const struct vmx_caps *caps)
{
	switch (kind) {
	case CONTROL_PIN:
		return caps->pin;
	case CONTROL_PROC:
		return caps->proc;
	case CONTROL_PROC2:
		return caps->proc2;
	case CONTROL_PROC3:
		return caps->proc3;
	case CONTROL_EXIT:
		return caps->exit;
	case CONTROL_EXIT2:
		return caps->exit2;
	case CONTROL_ENTRY:
		return caps->entry;
	case CONTROL_VMFUNC:
		return (struct control_caps){0, caps->vmfunc};
	default:
		return (struct control_caps){0, 0};
	}
}

bool control_supported(enum control_kind kind, u64 bit, const struct vmx_caps *caps)
{
	struct control_caps allowed = control_kind_caps(kind, caps);

	return caps_allow(&allowed, bit);
}

bool vmcs_field_exists(const struct vmcs_field_info *field, const struct vmx_caps *caps)
{
	if (!field->choices[0].kind)
		return true;
	for (unsigned i = 0; i < COUNT(field->choices); i++)
		if (field->choices[i].kind && control_supported(field->choices[i].kind, field->choices[i].bit, caps))
			return true;
	return false;
}

const struct vmcs_field_info *vmcs_field_find(u32 encoding)
{
	/* only 64-bit fields have a high half of their own */
	u32 full = vmcs_width(encoding) == VMCS_64_BIT ? encoding & ~1u : encoding;

	for (unsigned i = 0; i < vmcs_field_count; i++)
		if (vmcs_fields[i].encoding == full)
			return &vmcs_fields[i];
	return 0;
}

const char *vmcs_field_name(u32 encoding)
{
	const struct vmcs_field_info *field = vmcs_field_find(encoding);

	return field ? field->name : "unknown field";
}

const char *exit_reason_name(u32 basic_reason)
{
	switch (basic_reason) {
#define X(number, name, text) \
	case number: \
		return text;
		EXIT_REASONS(X)
#undef X
	default:
		return "unassigned exit reason";
	}
}

const char *vm_instruction_error_name(u32 number)
{
	switch (number) {
#define X(number, name, text) \
	case number: \
		return text;
		VM_INSTRUCTION_ERRORS(X)
#undef X
	default:
		return "unassigned VM-instruction error";
	}
}
