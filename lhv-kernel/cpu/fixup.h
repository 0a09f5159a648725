/*
 * Faults that are expected: an instruction in the fixup table that faults makes the CPU go on at another
 * address, with the fault as an outcome in a register of the caller's choice.
 */
#pragma once
#include "lib/types.h"

struct fixup {
	ulong fault, resume;
};

extern const struct fixup fixups_begin[], fixups_end[];

#ifdef __x86_64__
#define FIXUP_WORD ".quad"
#else
#define FIXUP_WORD ".long"
#endif

/* Assembly text: a fault at label `from` goes on at label `to`, with the outcome in EAX. */
#define FIXUP(from, to) \
	".pushsection fixups, \"a\"\n\t" FIXUP_WORD " " from ", " to "\n\t" \
	".popsection\n\t"

/*
 * One instruction that may fault, as an expression statement: outcome gets SUCCEEDED or the fault.
 * The instruction must not use EAX; its operands follow as in asm().
 */
#define TRY(outcome, instruction, inputs...) \
	asm volatile("xor %%eax, %%eax\n" \
		     "1:\t" instruction "\n" \
		     "2:\n\t" FIXUP("1b", "2b") : "=&a"(outcome) : inputs : "memory", "cc")
