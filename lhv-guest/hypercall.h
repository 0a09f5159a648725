/* Hypercalls: what a guest tells the host, by VMCALL with the number in AX and an argument in BX. */
#pragma once
#include "lib/types.h"

enum hypercall {
	HYPERCALL_DONE = 0x4c485600, /* the guest's function has returned */
	HYPERCALL_EXCEPTION,	     /* the guest took an exception that it did not expect */
	HYPERCALL_ABANDON,	     /* the guest noticed that the watchdog wants it to end */
	HYPERCALL_TEST,		     /* a test's own, with an argument */
};

static inline void hypercall(enum hypercall number, ulong argument)
{
	asm volatile("vmcall" : : "a"((ulong)number), "b"(argument) : "memory");
}
