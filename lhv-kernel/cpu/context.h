/* Saved execution contexts: how a rule that goes wrong is left. */
#pragma once
#include "lib/types.h"

struct context {
	ulong sp, ip, bx, bp, r12, r13, r14, r15; /* 32-bit builds: si and di in r12 and r13 */
};

/* Returns false when it saves, and true when context_resume() comes back to it. */
bool context_save(struct context *context) __attribute__((returns_twice));
NORETURN void context_resume(const struct context *context);

/* Calls a function that does not return on another stack, whose top this is. */
NORETURN void context_start(ulong stack_top, void (*function)(void));

/* Where a trap handler sends a CPU that must leave its rule: resumes this_cpu()->recovery. Entered by IRET, not called. */
void context_land(void);
