/* Checks on VM-entry control fields, event injection among them. */
#include "lhv-tests/entry/rule.h"

static u64 must_be_1(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	return e->caps->vmx.entry.must_be_1;
}

static u64 must_be_0(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	return ~e->caps->vmx.entry.may_be_1 & BITS(31, 0);
}

/* ---- Event injection: rows about the interruption information; `bits` of a row is an event type --------- */

static bool pushes_error_code(unsigned vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

static bool type_reserved(struct entry *e, const struct entry_rule *rule, u64 info)
{
	(void)e, (void)rule;
	return INFO_TYPE(info) == EVENT_RESERVED;
}

static bool type_other(struct entry *e, const struct entry_rule *rule, u64 info)
{
	(void)e, (void)rule;
	return INFO_TYPE(info) == EVENT_OTHER;
}

static bool nmi_vector(struct entry *e, const struct entry_rule *rule, u64 info)
{
	(void)e, (void)rule;
	return INFO_TYPE(info) == EVENT_NMI && INFO_VECTOR(info) != 2;
}

static bool hardware_vector(struct entry *e, const struct entry_rule *rule, u64 info)
{
	(void)e, (void)rule;
	return INFO_TYPE(info) == EVENT_HARDWARE && INFO_VECTOR(info) > 31;
}

/* Vectors 1 and 2 are SYSCALL and SYSENTER where the guest will use FRED event delivery. */
static bool fred_guest(struct entry *e)
{
	return IN_FORCE(FACT, FRED) && IN_FORCE(ENTRY, IA32E_MODE_GUEST);
}

static bool other_vector(struct entry *e, const struct entry_rule *rule, u64 info)
{
	(void)rule;
	return INFO_TYPE(info) == EVENT_OTHER && INFO_VECTOR(info) > (entry_has(e->caps, FACT_CR4_FRED) ? 2 : 0);
}

static bool other_vector_fred(struct entry *e, const struct entry_rule *rule, u64 info)
{
	(void)rule;
	unsigned vector = INFO_VECTOR(info);

	return INFO_TYPE(info) == EVENT_OTHER && (vector == 1 || vector == 2) && !fred_guest(e);
}

static bool error_code_missing(struct entry *e, const struct entry_rule *rule, u64 info)
{
	(void)e, (void)rule;
	return INFO_TYPE(info) == EVENT_HARDWARE && pushes_error_code(INFO_VECTOR(info)) && !(info & INFO_ERROR_CODE);
}

static bool error_code_extra(struct entry *e, const struct entry_rule *rule, u64 info)
{
	(void)e, (void)rule;
	return INFO_TYPE(info) == EVENT_HARDWARE && INFO_VECTOR(info) < 32 && !pushes_error_code(INFO_VECTOR(info)) &&
	       (info & INFO_ERROR_CODE);
}

static bool error_code_type(struct entry *e, const struct entry_rule *rule, u64 info)
{
	(void)e, (void)rule;
	return INFO_TYPE(info) != EVENT_HARDWARE && (info & INFO_ERROR_CODE);
}

static bool error_code_real_mode(struct entry *e, const struct entry_rule *rule, u64 info)
{
	(void)e, (void)rule;
	return INFO_TYPE(info) == EVENT_HARDWARE && (info & INFO_ERROR_CODE);
}

/* With FRED bit 13 has a meaning, and rules of its own. */
static u64 reserved(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	return BITS(30, 12) & ~(entry_has(e->caps, FACT_CR4_FRED) || entry_has(e->caps,
		FACT_NESTED) ? INFO_NESTED : 0);
}

static bool nested_type(struct entry *e, const struct entry_rule *rule, u64 info)
{
	(void)e, (void)rule;
	return (info & INFO_NESTED) && INFO_TYPE(info) != EVENT_HARDWARE;
}

static bool nested_unsupported(struct entry *e, const struct entry_rule *rule, u64 info)
{
	(void)rule;
	return (info & INFO_NESTED) && entry_has(e->caps, FACT_CR4_FRED) && INFO_TYPE(info) == EVENT_HARDWARE;
}

static bool error_code_high(struct entry *e, const struct entry_rule *rule, u64 error_code)
{
	(void)rule;
	return (GET(ENTRY_INTERRUPTION_INFO) & INFO_ERROR_CODE) && (error_code & BITS(31, 16));
}

static bool length_above_15(struct entry *e, const struct entry_rule *rule, u64 length)
{
	return INFO_TYPE(GET(ENTRY_INTERRUPTION_INFO)) == rule->bits && length > 15;
}

static bool length_zero(struct entry *e, const struct entry_rule *rule, u64 length)
{
	return INFO_TYPE(GET(ENTRY_INTERRUPTION_INFO)) == rule->bits && !length;
}

static bool syscall_length(struct entry *e, const struct entry_rule *rule, u64 length)
{
	(void)rule;
	u64 info = GET(ENTRY_INTERRUPTION_INFO);

	return INFO_TYPE(info) == EVENT_OTHER && INFO_VECTOR(info) >= 1 && INFO_VECTOR(info) <= 2 && fred_guest(e) &&
	       length > 15;
}

/* ---- The MSR-load area, SMM, PT ------------------------------------------------------------------------- */

static bool area_unaligned(struct entry *e, const struct entry_rule *rule, u64 address)
{
	(void)rule;
	return GET(ENTRY_MSR_LOAD_COUNT) && (address & 15);
}

static bool area_too_wide(struct entry *e, const struct entry_rule *rule, u64 address)
{
	return GET(ENTRY_MSR_LOAD_COUNT) && (address & mask_beyond_width(e, rule));
}

static bool area_ends_too_far(struct entry *e, const struct entry_rule *rule, u64 address)
{
	u64 count = GET(ENTRY_MSR_LOAD_COUNT), beyond = mask_beyond_width(e, rule);

	return count && !(address & beyond) && ((address + 16 * count - 1) & beyond);
}

static bool tracing(struct entry *e, const struct entry_rule *rule, u64 value)
{
	(void)rule, (void)value;
	return e->mode->tracing;
}

#define INFO_IS(info) SET(ENTRY_INTERRUPTION_INFO, info)
/* A row about the injected event: from a legal one to one that differs by what the row is about */
#define EVENT(id, text, function, legal, illegal, ...) \
	{id, text, ABOUT(ENTRY_INTERRUPTION_INFO), UNLESS(function), GIVEN(INFO_IS(legal)), BY(INFO_IS(illegal)), \
		__VA_ARGS__}
#define EVENT_WHEN(...) WHEN(ON(FACT, INJECT), __VA_ARGS__)
#define LENGTH(id, what, type, vector) \
	{id ".high", "instruction length is at most 15 for a " what, ABOUT(ENTRY_INSTRUCTION_LENGTH), WHEN(ON(FACT, \
		INJECT)), \
		UNLESS(length_above_15), .bits = type, GIVEN(SET(ENTRY_INSTRUCTION_LENGTH, 15), INFO_IS(INFO(type, \
		vector))), \
		BY(SET(ENTRY_INSTRUCTION_LENGTH, 16))}, \
	{id ".zero", "instruction length is not 0 for a " what ", where IA32_VMX_MISC[30] = 0", \
		ABOUT(ENTRY_INSTRUCTION_LENGTH), \
		WHEN(ON(FACT, INJECT), OFF(FACT, MISC_30)), UNLESS(length_zero), .bits = type, \
		GIVEN(SET(ENTRY_INSTRUCTION_LENGTH, 1), INFO_IS(INFO(type, vector))), BY(SET(ENTRY_INSTRUCTION_LENGTH, \
		0))}

/* clang-format off */
static const struct entry_rule rules[] = {
	{"entry.ctl.entry.must-be-1", "bits that must be 1 are 1", ABOUT(ENTRY_CONTROLS), ONE_BY(must_be_1)},
	{"entry.ctl.entry.must-be-0", "bits that may not be 1 are 0", ABOUT(ENTRY_CONTROLS), ZERO_BY(must_be_0)},
	EVENT("entry.ctl.inject.type.reserved", "interruption type 1 is reserved", type_reserved,
		INFO(EVENT_HARDWARE, 6), INFO(EVENT_RESERVED, 6), EVENT_WHEN()),
	EVENT("entry.ctl.inject.type.other-no-mtf", "interruption type 7 needs the monitor trap flag", type_other,
		INFO(EVENT_HARDWARE, 0), INFO(EVENT_OTHER, 0), EVENT_WHEN(OFF(FACT, MTF), OFF(FACT, CR4_FRED))),
	EVENT("entry.ctl.inject.vector.nmi", "the vector of an NMI is 2", nmi_vector, INFO(EVENT_NMI, 2),
		INFO(EVENT_NMI, 3), EVENT_WHEN()),
	EVENT("entry.ctl.inject.vector.hw", "the vector of a hardware exception is at most 31", hardware_vector,
		INFO(EVENT_HARDWARE, 31), INFO(EVENT_HARDWARE, 32), EVENT_WHEN()),
	EVENT("entry.ctl.inject.vector.other", "the vector of an other event is 0, with FRED 0 to 2", other_vector,
		INFO(EVENT_OTHER, 0), INFO(EVENT_OTHER, 3), EVENT_WHEN(ON(FACT, MTF))),
	EVENT("entry.ctl.inject.fred.other-vector",
		"an other event has vector 1 or 2 only where the guest will use FRED", other_vector_fred,
		INFO(EVENT_OTHER, 0), INFO(EVENT_OTHER, 1),
		EVENT_WHEN(ON(FACT, MTF), ON(FACT, CR4_FRED), OFF(FACT, FRED))),
	EVENT("entry.ctl.inject.ec.missing",
		"#DF, #TS, #NP, #SS, #GP, #PF and #AC have an error code, where IA32_VMX_BASIC[56] = 0",
		error_code_missing, INFO(EVENT_HARDWARE, 13) | INFO_ERROR_CODE, INFO(EVENT_HARDWARE, 13),
		EVENT_WHEN(OFF(FACT, BASIC_56), ON(FACT, GUEST_PE))),
	EVENT("entry.ctl.inject.ec.extra-vector",
		"other exceptions have no error code, where IA32_VMX_BASIC[56] = 0", error_code_extra,
		INFO(EVENT_HARDWARE, 6), INFO(EVENT_HARDWARE, 6) | INFO_ERROR_CODE,
		EVENT_WHEN(OFF(FACT, BASIC_56), ON(FACT, GUEST_PE))),
	EVENT("entry.ctl.inject.ec.not-hw", "only hardware exceptions have an error code", error_code_type,
		INFO(EVENT_NMI, 2), INFO(EVENT_NMI, 2) | INFO_ERROR_CODE, EVENT_WHEN()),
	EVENT("entry.ctl.inject.ec.real-mode", "there is no error code where guest CR0.PE = 0", error_code_real_mode,
		INFO(EVENT_HARDWARE, 13), INFO(EVENT_HARDWARE, 13) | INFO_ERROR_CODE,
		EVENT_WHEN(OFF(FACT, GUEST_PE))),
	{"entry.ctl.inject.reserved", "bits 30:12 are 0, but bit 13 with FRED", WHEN(ON(FACT, INJECT)),
		ABOUT(ENTRY_INTERRUPTION_INFO), ZERO_BY(reserved)},
	EVENT("entry.ctl.inject.fred.nested-type", "bit 13 (nested exception) is for hardware exceptions",
		nested_type, INFO(EVENT_NMI, 2), INFO(EVENT_NMI, 2) | INFO_NESTED, EVENT_WHEN(ON(FACT, NESTED))),
	EVENT("entry.ctl.inject.fred.nested-unsupported", "bit 13 needs IA32_VMX_BASIC[58] = 1", nested_unsupported,
		INFO(EVENT_HARDWARE, 6), INFO(EVENT_HARDWARE, 6) | INFO_NESTED,
		EVENT_WHEN(OFF(FACT, NESTED), ON(FACT, CR4_FRED))),
	{"entry.ctl.inject.ec.high-bits", "bits 31:16 of a delivered error code are 0", WHEN(ON(FACT, INJECT)),
		ABOUT(ENTRY_EXCEPTION_ERROR), UNLESS(error_code_high),
		GIVEN(DO(ON(FACT, GUEST_PE)), INFO_IS(INFO(EVENT_HARDWARE, 13) | INFO_ERROR_CODE),
			SET(ENTRY_EXCEPTION_ERROR, 0x8000)), BY(SET(ENTRY_EXCEPTION_ERROR, 0x10000))},
	LENGTH("entry.ctl.inject.len.sw-int", "software interrupt", EVENT_SOFTWARE_INTERRUPT, 0x80),
	LENGTH("entry.ctl.inject.len.priv-sw", "privileged software exception", EVENT_PRIVILEGED_SOFTWARE, 1),
	LENGTH("entry.ctl.inject.len.sw-exc", "software exception", EVENT_SOFTWARE_EXCEPTION, 3),
	{"entry.ctl.inject.fred.syscall-len", "instruction length is at most 15 for SYSCALL and SYSENTER",
		WHEN(ON(FACT, INJECT), ON(FACT, FRED), ON(ENTRY, IA32E_MODE_GUEST)), ABOUT(ENTRY_INSTRUCTION_LENGTH),
		UNLESS(syscall_length), OPEN,
		GIVEN(INFO_IS(INFO(EVENT_OTHER, 1)), SET(ENTRY_INSTRUCTION_LENGTH, 15)),
		BY(SET(ENTRY_INSTRUCTION_LENGTH, 16))},
	{"entry.ctl.entry.msr-load.align", "VM-entry MSR-load address has bits 3:0 clear, where the count is not 0",
		ABOUT(ENTRY_MSR_LOAD_ADDRESS), UNLESS(area_unaligned), GIVEN(SET(ENTRY_MSR_LOAD_COUNT, 1)),
		BY(SET_BITS(ENTRY_MSR_LOAD_ADDRESS, 8))},
	{"entry.ctl.entry.msr-load.width",
		"VM-entry MSR-load address is within the physical-address width, where the count is not 0",
		ABOUT(ENTRY_MSR_LOAD_ADDRESS), UNLESS(area_too_wide), GIVEN(SET(ENTRY_MSR_LOAD_COUNT, 1)),
		BY(SET_TOP(ENTRY_MSR_LOAD_ADDRESS, 0))},
	{"entry.ctl.entry.msr-load.last",
		"the last byte of the VM-entry MSR-load area is within the physical-address width",
		ABOUT(ENTRY_MSR_LOAD_ADDRESS), UNLESS(area_ends_too_far),
		GIVEN(SET_TOP(ENTRY_MSR_LOAD_ADDRESS, 16), SET(ENTRY_MSR_LOAD_COUNT, 1)),
		BY(SET(ENTRY_MSR_LOAD_COUNT, 2))},
	{"entry.ctl.entry.smm-outside", "entry to SMM is 0 outside SMM", WHEN(OFF(FACT, SMM)), ABOUT(ENTRY_CONTROLS),
		MUST(OFF(ENTRY, ENTRY_TO_SMM))},
	{"entry.ctl.entry.dual-outside", "deactivate dual-monitor treatment is 0 outside SMM", WHEN(OFF(FACT, SMM)),
		ABOUT(ENTRY_CONTROLS), MUST(OFF(ENTRY, DEACTIVATE_DUAL_MONITOR))},
	{"entry.ctl.entry.smm-both", "entry to SMM excludes deactivate dual-monitor treatment",
		WHEN(ON(FACT, SMM), ON(ENTRY, ENTRY_TO_SMM)), ABOUT(ENTRY_CONTROLS),
		MUST(OFF(ENTRY, DEACTIVATE_DUAL_MONITOR))},
	{"entry.ctl.entry.rtit-tracing", "load IA32_RTIT_CTL is 0 while IA32_RTIT_CTL.TraceEn = 1",
		WHEN(ON(ENTRY, LOAD_RTIT_CTL)), ABOUT(ENTRY_CONTROLS), UNLESS(tracing), .flags = RULE_NO_WAY},
};
/* clang-format on */

GROUP(group_controls_entry, "27.2.1.3 VM-Entry Control Fields", rules, STAGE_CONTROLS_HOST,
		ERROR_ENTRY_CONTROL_FIELDS);
