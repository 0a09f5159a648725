/* The options on the boot command line, and the bits of LHV_OPT. Free of hardware: also built for the host's unit tests. */
#pragma once
#include "lib/glob.h"
#include "lib/types.h"

/* X(NAME, bit, needs, what it selects), in the order of the mask. needs: bits without which this one makes no sense. */
#define LHV_OPTIONS(X) \
	X(MSR_LOAD, 0, 0, "tests: MSR-load and MSR-store areas") \
	X(NO_EFLAGS_IF, 1, 0, "environment: RFLAGS.IF is never set, in host, guest or ring 3") \
	X(EPT, 2, 0, "environment: guests run with EPT; tests of EPT violations") \
	X(SWITCH_EPT, 3, OPT_EPT, "tests: EPTP switched, entries rewritten, INVEPT") \
	X(VPID, 4, 0, "environment: VPID on; tests: INVVPID, VPID change") \
	X(UNRESTRICTED_GUEST, 5, OPT_EPT, "environment and tests: guest toggles CR0.PG, real mode") \
	X(USER_MODE, 6, 0, "tests: ring 3 in the host") \
	X(VMXOFF, 7, 0, "tests: VMCLEAR and VMPTRLD persistence, VMXOFF and VMXON") \
	X(LARGE_PAGE, 8, OPT_EPT, "tests: 2 MiB and 1 GiB EPT pages") \
	X(NO_INTERRUPT, 9, 0, "environment: no timer interrupts at all") \
	X(MSRBITMAP, 10, 0, "tests: MSR bitmaps") \
	X(NESTED_USER_MODE, 11, 0, "tests: ring 3 in the guest") \
	X(PS2_MOUSE, 12, 0, "tests: PS/2 mouse, IRQ 12") \
	X(NO_VGA_ART, 13, 0, "environment: leave the VGA screen alone") \
	X(SHADOW_VMCS, 14, 0, "tests: VMCS shadowing") \
	X(VMCS_MIGRATE, 15, 0, "tests: a VMCS moves from CPU to CPU") \
	X(TIMER, 16, 0, "tests: PIT and local APIC timer in host and guest") \
	X(MTRR, 17, 0, "tests: MTRRs and PAT") \
	X(IRQ7, 18, 0, "tests: spurious IRQ 7 and IRQ 15") \
	X(VMX_INSTR, 19, 0, "tests: VMX instructions and their errors") \
	X(CAPS, 20, 0, "tests: capability MSRs") \
	X(ENTRY_CTLS, 21, 0, "tests: VM-entry checks on control fields") \
	X(ENTRY_HOST, 22, 0, "tests: VM-entry checks on host state") \
	X(ENTRY_GUEST, 23, 0, "tests: VM-entry checks on guest state") \
	X(EXITS, 24, 0, "tests: VM exits and their information") \
	X(EVENTS, 25, 0, "tests: event injection and priorities") \
	X(NMI, 26, 0, "tests: NMI blocking and virtual NMIs") \
	X(EPT_RULES, 27, 0, "tests: EPT rule by rule") \
	X(APICV, 28, 0, "tests: APIC virtualization") \
	X(PREEMPTION_TIMER, 29, 0, "tests: VMX-preemption timer") \
	X(UNRESTRICTED_RULES, 30, 0, "tests: unrestricted guest rule by rule") \
	X(VMFUNC, 31, 0, "tests: VM functions") \
	X(FUZZ, 32, 0, "differential search of VM entries") \
	X(BENCH, 33, 0, "measurements")

#define X(name, bit, needs, what) OPT_##name = BIT(bit),
enum lhv_option { LHV_OPTIONS(X) };
#undef X

#define OPT_COUNT 34
#define OPT_KNOWN (BIT(OPT_COUNT) - 1)
/* Restrictions of the environment: never part of "everything that the platform can do". */
#define OPT_RESTRICTIONS (OPT_NO_EFLAGS_IF | OPT_NO_INTERRUPT | OPT_NO_VGA_ART)

extern const char *const option_names[OPT_COUNT];
extern const char *const option_meanings[OPT_COUNT];

enum rule_order { ORDER_LIST, ORDER_REVERSE, ORDER_RANDOM };

#define GLOBS_SIZE 1024

struct options {
	u64 mask;	/* LHV_OPT, where mask_given */
	bool mask_given;
	char tests[GLOBS_SIZE]; /* comma-separated globs of rule ids, and ranges of numbers in the list of rules (from 1); empty: all */
	char skip[GLOBS_SIZE];	/* likewise: left out */
	char after[80];		/* leave out every rule up to and including this one; empty: none */
	char faults[GLOBS_SIZE]; /* comma-separated planted faults */
	enum rule_order order;	/* in which the rules run: as listed, backwards, or shuffled by seed */
	u32 iterations;		/* 0: for ever */
	u64 seed;
	u32 deadline_ms; /* time that one rule may take */
	u16 console;	 /* I/O port of the serial console; 0: found at run time */
	u32 log_memory;	 /* physical address of the log in memory; 0: none */
	bool dump_vmcs;	 /* print the current VMCS where a rule fails */
	char error[240]; /* a sentence saying what is wrong; empty: nothing */
};

/*
 * Reads a boot command line ("name=value" words separated by white space; words without "=" and the
 * first word where it is a path are passed over). Later words win. default_mask is taken as the mask
 * where default_given and no word gives one.
 * Returns false with a sentence in options->error where a word is wrong.
 */
bool options_parse(struct options *options, const char *command_line, bool default_given, u64 default_mask);

/*
 * Reads a mask: a number (decimal, 0x…, 0…) or names joined by "+" or ",", in any case; numbers and names mix; "none" is 0.
 * Returns false with a sentence in error (size bytes).
 */
bool options_parse_mask(const char *text, u64 *mask, char *error, size_t size);

/*
 * Refuses a mask that cannot work, and says in error which would. from_build: it came from the build, not the command line.
 */
bool options_check_mask(u64 mask, bool from_build, char *error, size_t size);

/* Says the mask in names: "EPT+VPID", or "none". Returns the length. */
size_t options_format_mask(char *buffer, size_t size, u64 mask);
