/* Ring 3: running a function there and coming back. Faults of the function go through the fixup table as in ring 0. */
#pragma once
#include "lib/types.h"

/* What a function may call in ring 3 to end there, by other ways than its return */
#define VECTOR_USER_RETURN 0x7f

/*
 * A copy of this CPU's page tables, in scratch pages of the rule, that lets ring 3 use every page but the one that
 * supervisor_page is in (0: none). Returns what CR3 must hold.
 */
ulong user_page_tables(ulong supervisor_page);

/*
 * Runs function(argument) in ring 3, on a stack of its own and on page tables that user_page_tables() made. flags: RFLAGS
 * to begin with. Comes back when the function returns, or by SYSENTER or SYSCALL to the entries below. The function must
 * not use this_cpu(), nor end the rule. Returns the flags that it ended with, where it returned.
 */
ulong user_run(ulong cr3, void (*function)(void *), void *argument, ulong flags);

/* Gate for VECTOR_USER_RETURN; where SYSENTER (IA32_SYSENTER_ESP: user_kernel_stack()) and SYSCALL (in RDI: the same) enter. */
void user_return(void), user_return_sysenter(void), user_return_syscall(void);

/* Where this CPU keeps the stack pointer for entries from ring 3. */
ulong *user_kernel_stack(void);
