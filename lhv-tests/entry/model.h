/*
 * The SDM's VM-entry checks (chapter 27, VM Entries) as a model: which rules does a VMCS violate, and what must a
 * VM entry with it do? Plain C that runs anywhere: the processor, its memory and its VMCS are given as data.
 */
#pragma once
#include "lib/types.h"
#include "vmx/fields.h"

/* ---- What is given -------------------------------------------------------------------------------- */

/* Every field's place in an image: IMAGE_GUEST_CR0 is the row of VMCS_GUEST_CR0 in vmcs_fields[]. */
#define X(encoding, name, text, availability) IMAGE_##name,
enum image_field { VMCS_FIELDS(X) IMAGE_FIELDS };
#undef X

struct vmcs_image {
	u64 value[IMAGE_FIELDS];
	bool there[IMAGE_FIELDS]; /* false: the field does not exist, or nobody knows its value */
};

/* The CPUID leaves that the checks depend on: X(NAME, leaf, subleaf) */
#define ENTRY_CPUID(X) \
	X(LEAF_1, 0x1, 0) \
	X(LEAF_7, 0x7, 0) \
	X(LEAF_A, 0xa, 0) \
	X(LEAF_14, 0x14, 0) \
	X(LEAF_14_1, 0x14, 1) \
	X(LEAF_81, 0x80000001, 0) \
	X(LEAF_88, 0x80000008, 0)

#define X(name, leaf, subleaf) ENTRY_##name,
enum entry_cpuid { ENTRY_CPUID(X) ENTRY_CPUID_LEAVES };
#undef X

struct entry_leaf {
	u32 eax, ebx, ecx, edx; /* all 0 where the CPU does not have the leaf */
};

/* The processor */
struct entry_caps {
	struct vmx_caps vmx;
	struct entry_leaf cpuid[ENTRY_CPUID_LEAVES];
	u8 natural_width; /* 64; in a 32-bit build 32: VMWRITE reaches the low halves of natural-width fields only */
};

/* Where and how the VM entry is done */
struct entry_mode {
	bool ia32e;	     /* IA32_EFER.LMA = 1 */
	bool smm;	     /* in system-management mode */
	bool resume;	     /* by VMRESUME */
	bool launched;	     /* the launch state of the VMCS */
	bool shadow;	     /* the VMCS is a shadow VMCS */
	bool mov_ss;	     /* events are blocked by MOV SS */
	bool no_vmcs;	     /* there is no current VMCS */
	bool tracing;	     /* IA32_RTIT_CTL.TraceEn = 1 */
	bool pae;	     /* PAE paging is in use */
	bool address_known;  /* current_vmcs is known */
	u64 current_vmcs;    /* its physical address */
	u64 cr3;	     /* of the host, before the entry */
};

/* Memory by physical address. read and write return false where there is none (or where nobody knows). */
struct entry_memory {
	bool (*read)(void *context, u64 address, void *to, u32 size);
	bool (*write)(void *context, u64 address, const void *from, u32 size); /* for violators only; may be 0 */
	void *context;
};

/* Pages of memory that set-ups may point to: page-aligned, of the lowest 4 GiB, used for nothing else. */
enum entry_page {
	PAGE_ZEROS, /* all zeros, only read by the processor: bitmaps, lists, tables */
	PAGE_VIRTUAL_APIC,
	PAGE_APIC_ACCESS,
	PAGE_POSTED, /* posted-interrupt descriptor */
	PAGE_LOG,    /* page-modification log, #VE information */
	PAGE_MSRS,   /* MSR areas */
	PAGE_LINKED, /* a VMCS for the link pointer */
	PAGE_PDPTES, /* PDPTEs of a guest with PAE paging */
	PAGE_EPT,    /* root of the EPT paging structures */
	ENTRY_PAGES
};

/* All but the VMCS: what stays while VMCSs are tried. */
struct entry_place {
	const struct entry_caps *caps;
	const struct entry_mode *mode;
	const struct entry_memory *memory; /* 0: nothing is known of memory */
	u64 page[ENTRY_PAGES];		   /* addresses; for set-ups only */
};

/* ---- Rules ---------------------------------------------------------------------------------------- */

/* The order in which the SDM lets a processor check; what fails in a stage hides what would fail in a later one. */
enum entry_stage { STAGE_BASIC, STAGE_CONTROLS_HOST, STAGE_GUEST, STAGE_LOAD };

struct entry_rule; /* rule.h */

/* The rules of one section of the SDM, in its order. */
struct entry_group {
	const char *sdm; /* number and title of the section */
	const struct entry_rule *rules;
	u16 count;
	u8 stage, error; /* error: the VM-instruction error of the group, where the stage fails with one */
};

extern const struct entry_group *const entry_groups[];
extern const unsigned entry_group_count;

unsigned entry_rule_count(void);
/* The rule of this number, 0 to count - 1, and its group. */
const struct entry_rule *entry_rule_at(unsigned number, const struct entry_group **group);
const struct entry_rule *entry_rule_find(const char *id, const struct entry_group **group);

const char *entry_rule_id(const struct entry_rule *rule);
/* What must hold. */
const char *entry_rule_text(const struct entry_rule *rule);

/* ---- Checking ------------------------------------------------------------------------------------- */

struct violation {
	const struct entry_rule *rule;
	const struct entry_group *group;
	u16 field;	   /* the field to blame, an IMAGE_*; IMAGE_FIELDS: none */
	bool open;	   /* the SDM lets a processor do without the check, or its text leaves it open */
	u64 value;	   /* that of the field; for MSR loading, of the entry's MSR */
	u64 legal;	   /* one that would be legal, where legal_known */
	bool legal_known;
	u64 qualification; /* exit qualification of the VM-entry failure */
	u32 msr;	   /* MSR loading: the entry's MSR */
};

/* How much was not judged because a field or memory is not known. */
struct entry_unknown {
	unsigned rules;
	const struct entry_rule *first;
};

/*
 * Lists every violated rule in the SDM's order, for MSR loading those of every entry. Writes at most max of them.
 * Returns how many there are. unknown may be 0.
 */
unsigned entry_check(const struct vmcs_image *image, const struct entry_place *place, struct violation *out,
		     unsigned max, struct entry_unknown *unknown);

/* "guest CR4 = 20h: bits fixed to 1 are 1; legal: 2020h (27.3.1.1 …)". Returns the length. */
size_t entry_violation_format(char *buffer, size_t size, const struct violation *violation);

/* ---- What must come of it ------------------------------------------------------------------------- */

enum entry_result { ENTRY_SUCCEEDS, ENTRY_FAIL_INVALID, ENTRY_FAIL_VALID, ENTRY_FAILURE_EXIT };

struct entry_outcome {
	u32 result; /* enum entry_result */
	u32 number; /* VM-instruction error, or basic exit reason */
	u64 qualification;
};

#define ENTRY_OUTCOMES_MAX 16u

/*
 * The outcomes that the SDM allows for these violations (all of them, as entry_check lists them): one, but where
 * the order of checks is open, or a rule is. Writes at most ENTRY_OUTCOMES_MAX. Returns how many.
 */
unsigned entry_outcomes(const struct violation *violations, unsigned count, struct entry_outcome *out);

/* "VMfailValid(7)", "exit 33, qualification 4", "success". Returns the length. */
size_t entry_outcome_format(char *buffer, size_t size, const struct entry_outcome *outcome);

/* ---- Fields that are not checked ------------------------------------------------------------------ */

/* A statement that bits of a field may have any value: moving them never makes a legal VMCS illegal. */
struct entry_free; /* rule.h */

unsigned entry_free_count(void);
const struct entry_free *entry_free_at(unsigned number);
const char *entry_free_id(const struct entry_free *row);
/* What is free, and when: "any value is legal while …". */
const char *entry_free_text(const struct entry_free *row);
enum image_field entry_free_field(const struct entry_free *row);
/* The bits that are free with this VMCS; 0 where the statement does not apply to it. */
u64 entry_free_bits(const struct entry_free *row, const struct vmcs_image *image, const struct entry_place *place);
/* Makes the statement apply to a legal, prepared image. Returns false where the processor or mode does not let it. */
bool entry_free_near(const struct entry_free *row, struct vmcs_image *image, const struct entry_place *place);

/* ---- Images and violators ------------------------------------------------------------------------- */

/* Gives legal values to every field whose control is 0, so that turning on the control is all that a set-up does. */
void entry_prepare(struct vmcs_image *image, const struct entry_place *place);

/* A legal, prepared VMCS for the processor and the mode. */
void entry_legal(struct vmcs_image *image, const struct entry_place *place);

/*
 * Changes a legal, prepared image (and memory: place->memory->write must be there) to the legal neighbour of what
 * violates the rule. Returns false, and spoils the image, where this processor, mode or build cannot be made to
 * violate it.
 */
bool entry_near(const struct entry_rule *rule, struct vmcs_image *image, const struct entry_place *place);

/* How many ways entry_break has for the rule from here: the number of bits to sweep, or 1; 0 where there is none. */
unsigned entry_variants(const struct entry_rule *rule, const struct vmcs_image *image,
		 const struct entry_place *place);

/*
 * One step more: changes the legal neighbour so that the rule is violated. Variant 0 violates no other rule;
 * variants above sweep the other bits of the rule, and entry_check says what else they do. Returns false where
 * there is no such variant.
 */
bool entry_break(const struct entry_rule *rule, unsigned variant, struct vmcs_image *image,
		 const struct entry_place *place);
