/* Which controls may be 0 and which may be 1: the MSRs of each vector, plain and TRUE. SDM appendix A.2 to A.5. */
#include "caps-msr.h"
#include "vmx/controls.h"

/* A vector whose MSRs say in bits 31:0 what must be 1 and in bits 63:32 what may be 1. */
struct vector {
	u32 plain, truth; /* MSRs */
	u32 default1;
	const char *plain_name, *true_name;
};

static const struct vector pin = {MSR_VMX_PINBASED_CTLS, MSR_VMX_TRUE_PINBASED_CTLS, PIN_DEFAULT1,
				  "IA32_VMX_PINBASED_CTLS", "IA32_VMX_TRUE_PINBASED_CTLS"};
static const struct vector proc = {MSR_VMX_PROCBASED_CTLS, MSR_VMX_TRUE_PROCBASED_CTLS, PROC_DEFAULT1,
				   "IA32_VMX_PROCBASED_CTLS", "IA32_VMX_TRUE_PROCBASED_CTLS"};
static const struct vector exit_ = {MSR_VMX_EXIT_CTLS, MSR_VMX_TRUE_EXIT_CTLS, EXIT_DEFAULT1, "IA32_VMX_EXIT_CTLS",
				    "IA32_VMX_TRUE_EXIT_CTLS"};
static const struct vector entry = {MSR_VMX_ENTRY_CTLS, MSR_VMX_TRUE_ENTRY_CTLS, ENTRY_DEFAULT1, "IA32_VMX_ENTRY_CTLS",
				    "IA32_VMX_TRUE_ENTRY_CTLS"};

#define PIN_SECTION "A.3.1 Pin-Based VM-Execution Controls"
#define PROC_SECTION "A.3.2 Primary Processor-Based VM-Execution Controls"
#define PROC2_SECTION "A.3.3 Secondary Processor-Based VM-Execution Controls"
#define PROC3_SECTION "A.3.4 Tertiary Processor-Based VM-Execution Controls"
#define EXIT_SECTION "A.4.1 Primary VM-Exit Controls"
#define EXIT2_SECTION "A.4.2 Secondary VM-Exit Controls"
#define ENTRY_SECTION "A.5 VM-Entry Controls"
#define DEFAULTS_SECTION "A.2 Reserved Controls and Default Settings"

static u32 must_be_1(u32 msr)
{
	return capability(msr);
}

static u32 may_be_1(u32 msr)
{
	return capability(msr) >> 32;
}

/* One rule per vector. id and title go before and after the vector's name. */
#define VECTOR_ROWS(function, id_, title_, needs_) \
	ROW(function, .id = id_ ".pin", .title = "Pin-based controls: " title_, .sdm = PIN_SECTION, .row = &pin, \
	    .needs = needs_, .opt = OPT_CAPS) \
	ROW(function, .id = id_ ".proc", .title = "Primary processor-based controls: " title_, .sdm = PROC_SECTION, \
	    .row = &proc, .needs = needs_, .opt = OPT_CAPS) \
	ROW(function, .id = id_ ".exit", .title = "VM-exit controls: " title_, .sdm = EXIT_SECTION, .row = &exit_, \
	    .needs = needs_, .opt = OPT_CAPS) \
	ROW(function, .id = id_ ".entry", .title = "VM-entry controls: " title_, .sdm = ENTRY_SECTION, .row = &entry, \
	    .needs = needs_, .opt = OPT_CAPS)

static void default1(const struct rule *rule)
{
	const struct vector *vector = rule->row;

	expect_set(vector->plain_name, must_be_1(vector->plain), vector->default1);
}

VECTOR_ROWS(default1, "caps.default1", "the plain MSR reports the default1 class as 1", NEED_VMX)

static void implies(const struct rule *rule)
{
	const struct vector *vector = rule->row;

	/* else no value of the vector would pass VM entry */
	expect_clear(vector->plain_name, must_be_1(vector->plain), ~(u64)may_be_1(vector->plain));
}

VECTOR_ROWS(implies, "caps.ctls.allowed0-implies-allowed1", "what must be 1 may be 1", NEED_VMX)

static void true_implies(const struct rule *rule)
{
	const struct vector *vector = rule->row;

	expect_clear(vector->true_name, must_be_1(vector->truth), ~(u64)may_be_1(vector->truth));
}

VECTOR_ROWS(true_implies, "caps.ctls.true-allowed0-implies-allowed1", "what must be 1 by the TRUE MSR may be 1",
	    NEED_VMX | NEED_TRUE_CONTROLS)

static void true_same_high(const struct rule *rule)
{
	const struct vector *vector = rule->row;

	expect_equal(vector->true_name, may_be_1(vector->truth), may_be_1(vector->plain));
}

VECTOR_ROWS(true_same_high, "caps.ctls.true-same-high", "the TRUE and the plain MSR agree on what may be 1",
	    NEED_VMX | NEED_TRUE_CONTROLS)

static void true_low(const struct rule *rule)
{
	const struct vector *vector = rule->row;

	expect_equal(vector->plain_name, must_be_1(vector->plain), must_be_1(vector->truth) | vector->default1);
}

VECTOR_ROWS(true_low, "caps.ctls.true-low", "the plain MSR differs from the TRUE one only in the default1 class",
	    NEED_VMX | NEED_TRUE_CONTROLS)

RULE(true_freed, .id = "caps.ctls.true-freed",
     .title = "The TRUE MSRs free only those default1 bits that the SDM names", .sdm = DEFAULTS_SECTION,
     .class = OBSERVED, .needs = NEED_VMX | NEED_TRUE_CONTROLS, .opt = OPT_CAPS)
{
	u32 pin_freed = PIN_DEFAULT1 & ~must_be_1(MSR_VMX_TRUE_PINBASED_CTLS);
	u32 proc_freed = PROC_DEFAULT1 & ~must_be_1(MSR_VMX_TRUE_PROCBASED_CTLS) &
			 ~(u32)(PROC_CR3_LOAD_EXITING | PROC_CR3_STORE_EXITING);
	u32 exit_freed = EXIT_DEFAULT1 & ~must_be_1(MSR_VMX_TRUE_EXIT_CTLS) & ~(u32)EXIT_SAVE_DEBUG_CONTROLS;
	u32 entry_freed = ENTRY_DEFAULT1 & ~must_be_1(MSR_VMX_TRUE_ENTRY_CTLS) & ~(u32)ENTRY_LOAD_DEBUG_CONTROLS;

	if (pin_freed | proc_freed | exit_freed | entry_freed)
		rule_note("freed beside those: pin-based 0x%x, primary 0x%x, VM-exit 0x%x, VM-entry 0x%x", pin_freed,
			  proc_freed, exit_freed, entry_freed);
}

/* MSRs that exist only with a control that activates them. */

RULE(proc2_exists, .id = "caps.proc2.exists",
     .title = "IA32_VMX_PROCBASED_CTLS2 exists exactly where \"activate secondary controls\" may be 1",
     .sdm = PROC2_SECTION, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	expect_exists_if("RDMSR of IA32_VMX_PROCBASED_CTLS2 (48BH)", MSR_VMX_PROCBASED_CTLS2,
			 may_be_1(MSR_VMX_PROCBASED_CTLS) & PROC_ACTIVATE_SECONDARY_CONTROLS);
}

RULE(proc2_allowed0_zero, .id = "caps.proc2.allowed0-zero", .title = "Every secondary control may be 0",
     .sdm = PROC2_SECTION, .needs = NEED_VMX | NEED_SECONDARY_CONTROLS, .opt = OPT_CAPS)
{
	expect_equal("IA32_VMX_PROCBASED_CTLS2[31:0]", must_be_1(MSR_VMX_PROCBASED_CTLS2), 0);
}

RULE(proc3_exists, .id = "caps.proc3.exists",
     .title = "IA32_VMX_PROCBASED_CTLS3 exists exactly where \"activate tertiary controls\" may be 1",
     .sdm = PROC3_SECTION, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	expect_exists_if("RDMSR of IA32_VMX_PROCBASED_CTLS3 (492H)", MSR_VMX_PROCBASED_CTLS3,
			 may_be_1(MSR_VMX_PROCBASED_CTLS) & PROC_ACTIVATE_TERTIARY_CONTROLS);
}

RULE(exit2_exists, .id = "caps.exit2.exists",
     .title = "IA32_VMX_EXIT_CTLS2 exists exactly where \"activate secondary controls\" may be 1 for VM exits",
     .sdm = EXIT_SECTION, .needs = NEED_VMX, .opt = OPT_CAPS)
{
	expect_exists_if("RDMSR of IA32_VMX_EXIT_CTLS2 (493H)", MSR_VMX_EXIT_CTLS2,
			 may_be_1(MSR_VMX_EXIT_CTLS) & EXIT_ACTIVATE_SECONDARY_CONTROLS);
}

/* Newer CPUs have controls that this edition does not name; an older CPU that reports one is worth knowing. */

struct known {
	enum control_kind kind;
	u64 fixed; /* bits without a name that are 1 on every CPU */
};

static const struct known known_pin = {CONTROL_PIN, PIN_DEFAULT1}, known_proc = {CONTROL_PROC, PROC_DEFAULT1},
			  known_proc2 = {CONTROL_PROC2, 0}, known_proc3 = {CONTROL_PROC3, 0},
			  known_exit = {CONTROL_EXIT, EXIT_DEFAULT1}, known_exit2 = {CONTROL_EXIT2, 0},
			  known_entry = {CONTROL_ENTRY, ENTRY_DEFAULT1};

static void named_only(const struct rule *rule)
{
	const struct known *known = rule->row;
	struct control_caps allowed = control_kind_caps(known->kind, &this_cpu()->caps);
	u64 unnamed = allowed.may_be_1 & ~known->fixed & ~control_named(known->kind);

	if (unnamed)
		rule_note("%s 0x%llx may be 1 too", control_kind_name(known->kind), unnamed);
}

#define NAMED_ROW(suffix, title_, section, row_, needs_) \
	ROW(named_only, .id = "caps.ctls.named." suffix, .title = title_ ": only bits that the SDM names may be 1", \
	    .sdm = section, .class = OBSERVED, .row = row_, .needs = NEED_VMX | (needs_), .opt = OPT_CAPS)

NAMED_ROW("pin", "Pin-based controls", PIN_SECTION, &known_pin, 0)
NAMED_ROW("proc", "Primary processor-based controls", PROC_SECTION, &known_proc, 0)
NAMED_ROW("proc2", "Secondary processor-based controls", PROC2_SECTION, &known_proc2, NEED_SECONDARY_CONTROLS)
NAMED_ROW("proc3", "Tertiary processor-based controls", PROC3_SECTION, &known_proc3, NEED_TERTIARY_CONTROLS)
NAMED_ROW("exit", "VM-exit controls", EXIT_SECTION, &known_exit, 0)
NAMED_ROW("exit2", "Secondary VM-exit controls", EXIT2_SECTION, &known_exit2, NEED_SECONDARY_EXIT_CONTROLS)
NAMED_ROW("entry", "VM-entry controls", ENTRY_SECTION, &known_entry, 0)
