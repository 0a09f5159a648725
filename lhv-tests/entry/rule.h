/*
 * How a rule of the VM-entry model is written down: a table row, and what its functions see. For the files of this
 * folder.
 */
#pragma once
#include "cpu/registers.h"
#include "lhv-tests/entry/model.h"
#include "vmx/controls.h"
#include "vmx/errors.h"
#include "vmx/exit-reasons.h"

/* Facts that rules depend on beside the controls: X(NAME, bit) */
#define ENTRY_FACTS(X) \
	X(ALWAYS, 0) \
	X(INTEL64, 1)	  /* the processor supports Intel 64 */ \
	X(SMM, 2)	  /* it is in SMM */ \
	X(V86, 3)	  /* the guest will be in virtual-8086 mode */ \
	X(INJECT, 4)	  /* the VM-entry interruption information is valid */ \
	X(PAE_PAGING, 5)  /* the guest will use PAE paging */ \
	X(LINK, 6)	  /* the VMCS link pointer is not FFFFFFFF_FFFFFFFFH */ \
	X(FRED, 7)	  /* guest CR4.FRED = 1 */ \
	X(GUEST_PE, 8)	  /* guest CR0.PE = 1 */ \
	X(GUEST_PG, 9)	  /* guest CR0.PG = 1 */ \
	X(CODE_64, 10)	  /* guest CS.L = 1 */ \
	X(BASIC_56, 11)	  /* IA32_VMX_BASIC[56]: exceptions with or without error code */ \
	X(MISC_30, 12)	  /* IA32_VMX_MISC[30]: instruction length 0 may be injected */ \
	X(SGX, 13)	  /* CPUID says that there is SGX, RTM, bus-lock debugging; CR4 that there is LAM */ \
	X(RTM, 14) \
	X(LAM, 15) \
	X(BUS_LOCK, 16) \
	X(ADDRESSES_32, 17) /* IA32_VMX_BASIC[48]: physical addresses of VMX structures have 32 bits */ \
	X(CET, 18)	  /* CR4.CET may be 1 */ \
	X(PCID, 19)	  /* CR4.PCIDE may be 1 */ \
	X(CR4_FRED, 20)	  /* CR4.FRED may be 1 */ \
	X(MTF, 21)	  /* the monitor-trap-flag control may be 1 */ \
	X(NESTED, 22)	  /* IA32_VMX_BASIC[58]: nested exceptions may be injected */ \
	X(HOST_CET, 24)	  /* host CR4.CET = 1 */ \
	X(GUEST_CET, 25) \
	X(LAUNCHED, 26)	  /* the launch state of the VMCS */ \
	X(RESUME, 27)	  /* the VM entry is by VMRESUME */ \
	X(IA32E, 28)	  /* IA32_EFER.LMA = 1 before the VM entry */ \
	X(HLT, 30)	  /* IA32_VMX_MISC[8:6] offers the activity state */ \
	X(SHUTDOWN, 31) \
	X(SIPI, 32) \
	X(SOFTWARE, 33)	  /* what is injected is delivered with an instruction length */ \
	X(ERROR_CODE, 34) /* … with an error code */ \
	X(STEP_CHECKED, 35) /* pending BS must fit RFLAGS.TF: blocking by STI or MOV SS, or HLT */ \
	X(STORE_AREA, 36) /* the count of the VM-exit MSR-store, MSR-load, VM-entry MSR-load area is not 0 */ \
	X(LOAD_AREA, 37) \
	X(ENTRY_AREA, 38) \
	X(CANONICAL_RIP, 39) /* bits 63:48 of guest RIP are 0, and the processor has 48 linear-address bits */ \
	X(IBT, 29)	  /* CPUID says that there is indirect-branch tracking */

#define X(name, bit) FACT_##name = BIT(bit),
enum entry_fact { ENTRY_FACTS(X) };
#undef X
#define CONTROL_FACT CONTROL_NONE /* facts are looked up as if they were a vector of controls */

/* A control (or fact) that is wanted 1 or 0. All zeros: the fact ALWAYS is 1. */
struct entry_condition {
	u8 kind, bit; /* CONTROL_*; number of the bit, with OFF_BIT where 0 is wanted */
};
#define OFF_BIT 0x80
#define ON(kind, name) {CONTROL_##kind, __builtin_ctzll(kind##_##name)}
#define OFF(kind, name) {CONTROL_##kind, __builtin_ctzll(kind##_##name) | OFF_BIT}

/* What is done to an image, or to memory, on the way to a violation. */
enum entry_step_kind {
	STEP_END,
	STEP_SET,	  /* field := value */
	STEP_BITS,	  /* field |= value */
	STEP_CLEAR,	  /* field &= ~value */
	STEP_FLIP,	  /* field ^= value */
	STEP_CONDITION,	  /* the condition is made to hold, with all that it needs */
	STEP_V86,	  /* RFLAGS.VM := 1, and the segment registers as virtual-8086 mode wants them */
	STEP_ACTIVITY,	  /* activity state := one that IA32_VMX_MISC does not offer, if there is one */
	STEP_CURRENT,	  /* link pointer := the current VMCS, whose word in memory is as the other rules want it */
	STEP_EXECUTIVE,	  /* executive-VMCS pointer := link pointer */
	STEP_TOP,	  /* field := value bytes below the end of the physical addresses */
	STEP_PAGE,	  /* field := address of the page `of` */
	STEP_TPR,	  /* virtual-APIC page: VTPR := value */
	STEP_LINKED,	  /* first word of the linked VMCS := revision identifier, shadow bit as wanted, ^ value */
	STEP_PDPTE,	  /* entry `of` in memory at CR3 := value */
	STEP_MSR,	  /* entry `of` of the VM-entry MSR-load area: bits 63:0 := value */
	STEP_MSR_VALUE,	  /* its bits 127:64 := value */
	STEP_EFER,	  /* entry 0 of the area := IA32_EFER as the guest has it, ^ value */
};

struct entry_step {
	u8 kind, of;
	u8 field;
	struct entry_condition condition;
	u64 value;
};
#define SET(name, number) {STEP_SET, 0, IMAGE_##name, {0, 0}, number}
#define SET_BITS(name, number) {STEP_BITS, 0, IMAGE_##name, {0, 0}, number}
#define CLEAR(name, number) {STEP_CLEAR, 0, IMAGE_##name, {0, 0}, number}
#define FLIP(name, number) {STEP_FLIP, 0, IMAGE_##name, {0, 0}, number}
#define DO(...) {STEP_CONDITION, 0, 0, __VA_ARGS__, 0}
#define SET_PAGE(name, page) {STEP_PAGE, page, IMAGE_##name, {0, 0}, 0}
#define SET_TOP(name, size) {STEP_TOP, 0, IMAGE_##name, {0, 0}, size}
#define STEP(kind) {kind, 0, 0, {0, 0}, 0}
#define STEP_WITH(kind, number) {kind, 0, 0, {0, 0}, number}
#define SET_V86 STEP(STEP_V86)
#define SET_TPR(number) {STEP_TPR, 0, 0, {0, 0}, number}
#define SET_LINKED(difference) {STEP_LINKED, 0, 0, {0, 0}, difference}
#define SET_PDPTE(i, number) {STEP_PDPTE, i, 0, {0, 0}, number}
#define SET_MSR(i, number, content) {STEP_MSR, i, 0, {0, 0}, number}, {STEP_MSR_VALUE, i, 0, {0, 0}, content}
#define STEPS(...) ((const struct entry_step[]){__VA_ARGS__, {STEP_END, 0, 0, {0, 0}, 0}})

/* What is looked at. */
enum entry_check_kind {
	CHECK_FUNCTION,	 /* bad() says */
	CHECK_ZERO,	 /* the bits are 0 */
	CHECK_ONE,	 /* the bits are 1 */
	CHECK_EQUAL,	 /* the field is the number */
	CHECK_NOT_EQUAL, /* it is not */
	CHECK_AT_MOST,	 /* the field is at most the number */
	CHECK_CANONICAL, /* the field holds a canonical address */
	CHECK_PAT,	 /* each byte is a memory type that IA32_PAT may hold */
	CHECK_CONTROL,	 /* the condition `must` holds */
};

struct entry;

struct entry_rule {
	const char *id, *text;
	struct entry_condition when[4]; /* the rule applies where all of them hold; none behind one that is all zeros */
	u16 field;			/* what is looked at, and blamed */
	u8 check;
	u8 qualification; /* of exit reason 33 */
	u8 flags;
	struct entry_condition must;
	u64 bits; /* mask or number, or what mask() goes by */
	u64 (*mask)(const struct entry *e, const struct entry_rule *rule);
	bool (*bad)(struct entry *e, const struct entry_rule *rule, u64 value);
	const struct entry_step *given; /* a legal set-up, beyond what `when` says,
		from which one step more violates the rule */
	const struct entry_step *by;	/* that step, where it does not follow from the check */
};

enum entry_rule_flags {
	RULE_USABLE = 1,    /* applies where the segment register that the field belongs to is usable */
	RULE_OPEN = 2,	    /* a processor may do without: the SDM says so, or its text is not known well enough */
	RULE_HOST_OR_CONTROL = 4, /* error 7 is as good as 8: the SDM's section gives no number */
	RULE_NO_WAY = 8,    /* listed for its id only: cannot be provoked by a VMCS (mode, hardware) */
};

/*
 * Bits of a field that are not checked while all conditions hold, and, where asked, while the segment register is
 * unusable
 */
struct entry_free {
	const char *id, *text;
	u16 field;
	bool unusable;
	struct entry_condition when[3];
	u64 bits;
};

/* The parts of a row */
#define WHEN(...) .when = {__VA_ARGS__}
#define ABOUT(name) .field = IMAGE_##name
#define ZERO(mask_bits) .check = CHECK_ZERO, .bits = mask_bits
#define ONE(mask_bits) .check = CHECK_ONE, .bits = mask_bits
#define EQUAL(number) .check = CHECK_EQUAL, .bits = number
#define NOT_EQUAL(number) .check = CHECK_NOT_EQUAL, .bits = number
#define AT_MOST(number) .check = CHECK_AT_MOST, .bits = number
#define ALIGNED(low_bits) .check = CHECK_ZERO, .bits = BITS((low_bits)-1, 0)
#define WIDTH .check = CHECK_ZERO, .mask = mask_beyond_width
#define ZERO_BY(function) .check = CHECK_ZERO, .mask = function
#define ONE_BY(function) .check = CHECK_ONE, .mask = function
#define CANONICAL .check = CHECK_CANONICAL
#define MUST(...) .check = CHECK_CONTROL, .must = __VA_ARGS__
#define UNLESS(function) .check = CHECK_FUNCTION, .bad = function
#define GIVEN(...) .given = STEPS(__VA_ARGS__)
#define BY(...) .by = STEPS(__VA_ARGS__)
#define OPEN .flags = RULE_OPEN
#define USABLE .flags = RULE_USABLE

/* ---- What the functions see ------------------------------------------------------------------------ */

struct entry {
	const struct entry_place *place;
	const struct vmcs_image *image;
	const struct entry_caps *caps;
	const struct entry_mode *mode;
	u64 in_force[CONTROL_KIND_END]; /* controls that are 1, may be 1 and are activated; facts */
	u64 not_known[CONTROL_KIND_END];
	bool unknown;	   /* something that was looked at is not there */
	bool open;	   /* what was looked at is legal on some processors: set by functions of rules */
	u32 msr_number;	   /* MSR loading: number of the entry, from 1 */
	u64 msr_head, msr_value; /* its bits 63:0 and 127:64 */
};

void entry_open(struct entry *e, const struct vmcs_image *image, const struct entry_place *place);

/* A field's value; 0, and e->unknown, where it is not there. */
u64 entry_get(struct entry *e, unsigned field);
#define GET(name) entry_get(e, IMAGE_##name)

/* e->unknown where there is no such memory. */
u32 entry_read32(struct entry *e, u64 address);
u64 entry_read64(struct entry *e, u64 address);

bool entry_condition_holds(struct entry *e, struct entry_condition condition);
#define IN_FORCE(kind, name) ((e->in_force[CONTROL_##kind] & kind##_##name) != 0)
bool entry_rule_applies(struct entry *e, const struct entry_rule *rule);
/* Of a rule that applies. *value is that of its field. */
bool entry_rule_bad(struct entry *e, const struct entry_rule *rule, u64 *value);
/* The bits of CHECK_ZERO and CHECK_ONE, the number of the others. */
u64 entry_rule_bits(const struct entry *e, const struct entry_rule *rule);

u64 mask_beyond_width(const struct entry *e, const struct entry_rule *rule);
/*
 * Is the address not canonical? Which of two linear-address widths decides is left open where the CPU has both:
 * e->open.
 */
bool entry_not_canonical(struct entry *e, u64 address);

/* ---- The processor (caps.c) ------------------------------------------------------------------------- */

u8 entry_physical_width(const struct entry_caps *caps);
u8 entry_linear_width(const struct entry_caps *caps);
bool entry_intel64(const struct entry_caps *caps);
bool entry_has(const struct entry_caps *caps,
		enum entry_fact fact); /* of those that CPUID and the capabilities decide */

/* Bits that are reserved for certain in what would be loaded: mask functions. */
u64 mask_efer(const struct entry *e, const struct entry_rule *rule);
u64 mask_debugctl(const struct entry *e, const struct entry_rule *rule);
u64 mask_perf_global_ctrl(const struct entry *e, const struct entry_rule *rule);
u64 mask_rtit_ctl(const struct entry *e, const struct entry_rule *rule);
u64 mask_lbr_ctl(const struct entry *e, const struct entry_rule *rule);
u64 mask_s_cet(const struct entry *e, const struct entry_rule *rule);
u64 mask_spec_ctrl(const struct entry *e, const struct entry_rule *rule);
u64 mask_cr3(const struct entry *e, const struct entry_rule *rule);
/* Bits that CR0 and CR4 must have 1, or 0, in VMX operation. In a guest PE and PG have rules of their own. */
u64 mask_host_cr0_one(const struct entry *e, const struct entry_rule *rule);
u64 mask_guest_cr0_one(const struct entry *e, const struct entry_rule *rule);
u64 mask_cr0_zero(const struct entry *e, const struct entry_rule *rule);
u64 mask_cr4_one(const struct entry *e, const struct entry_rule *rule);
u64 mask_cr4_zero(const struct entry *e, const struct entry_rule *rule);

/* ---- Bits by name ------------------------------------------------------------------------------------ */

#define CR4_PCIDE BIT(17)
#define CR4_CET BIT(23)
#define CR4_FRED BIT(32)
#define RFLAGS_IOPL BITS(13, 12)
#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)
#define DEBUGCTL_BTF BIT(1)
#define NO_LINK (~0ull)

/* Access rights of a segment (25.4.1 Guest Register State) */
#define AR_TYPE(rights) FIELD(rights, 3, 0)
#define AR_S BIT(4)
#define AR_DPL(rights) FIELD(rights, 6, 5)
#define AR_P BIT(7)
#define AR_L BIT(13)
#define AR_DB BIT(14)
#define AR_G BIT(15)
#define AR_UNUSABLE BIT(16)

/* VM-entry interruption information (25.8.3 VM-Entry Controls for Event Injection) */
enum entry_event { EVENT_EXTERNAL, EVENT_RESERVED, EVENT_NMI, EVENT_HARDWARE, EVENT_SOFTWARE_INTERRUPT,
		   EVENT_PRIVILEGED_SOFTWARE, EVENT_SOFTWARE_EXCEPTION, EVENT_OTHER };
#define INFO(type, vector) (BIT(31) | (u64)(type) << 8 | (vector))
#define INFO_TYPE(info) ((unsigned)FIELD(info, 10, 8))
#define INFO_VECTOR(info) ((unsigned)FIELD(info, 7, 0))
#define INFO_ERROR_CODE BIT(11)
#define INFO_NESTED BIT(13)
#define INFO_VALID BIT(31)

/* Interruptibility state, activity state, pending debug exceptions (25.4.2 Guest Non-Register State) */
#define BLOCKED_STI BIT(0)
#define BLOCKED_MOV_SS BIT(1)
#define BLOCKED_SMI BIT(2)
#define BLOCKED_NMI BIT(3)
#define ENCLAVE_INTERRUPTION BIT(4)
enum entry_activity { ACTIVITY_ACTIVE, ACTIVITY_HLT, ACTIVITY_SHUTDOWN, ACTIVITY_SIPI };
#define PENDING_BUS_LOCK BIT(11)
#define PENDING_ENABLED BIT(12)
#define PENDING_BS BIT(14)
#define PENDING_RTM BIT(16)

/* The four fields of a segment register stand at the same distance from each other's for ES, CS, … TR. */
enum entry_segment { SEGMENT_ES, SEGMENT_CS, SEGMENT_SS, SEGMENT_DS, SEGMENT_FS, SEGMENT_GS, SEGMENT_LDTR,
		SEGMENT_TR };
/* The segment register that a field of it belongs to. */
unsigned entry_segment_of(unsigned field);
static inline bool entry_usable(struct entry *e, unsigned segment)
{
	return !(entry_get(e, IMAGE_GUEST_ES_ACCESS_RIGHTS + segment) & AR_UNUSABLE);
}

/* The bits that a field can have here: of its width, in a 32-bit build the low half of natural-width ones. */
u64 entry_field_bits(const struct entry_caps *caps, unsigned field);

/* The groups, one file each */
extern const struct entry_group group_basic, group_controls_execution, group_controls_exit, group_controls_entry,
		group_host_control,
	group_host_segments, group_host_size, group_guest_control, group_guest_segments, group_guest_tables,
		group_guest_rip,
	group_guest_non_register, group_guest_pdptes, group_msr_load;
#define GROUP(name, title, list, stage_number, error_number) \
	const struct entry_group name = {title, list, COUNT(list), stage_number, error_number}

/* MSR loading is checked entry by entry (msr-load.c): how many entries there are to look at. */
u32 entry_msr_count(struct entry *e);
void entry_msr_take(struct entry *e, u32 number);
