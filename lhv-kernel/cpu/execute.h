/*
 * Instructions given as bytes, executed in another mode, at another privilege level or with other segments than the kernel's,
 * and what came of them.
 */
#pragma once
#include "cpu/context.h"
#include "cpu/traps.h"
#include "lib/types.h"
#include "vmx/outcome.h"

#define EXECUTE_CODE_MAX 24

enum execute_mode {
	EXECUTE_RING0,		  /* in the mode of the build */
	EXECUTE_RING3,
	EXECUTE_COMPATIBILITY,	  /* 64-bit build: at CPL 0 */
	EXECUTE_COMPATIBILITY_3,  /* 64-bit build: at CPL 3 */
	EXECUTE_VIRTUAL_8086,	  /* 32-bit builds: at CPL 3, as always in that mode */
	EXECUTE_REAL,		  /* out of paging and protection: not in VMX operation, and on the boot CPU alone */
};

/* An exception of the code ends it; so does coming to its end. */
struct execution {
	/* Given */
	u8 code[EXECUTE_CODE_MAX];
	unsigned length; /* of the code */
	enum execute_mode mode;
	u16 cs; /* 0: that of the mode */
	/* Given, and as they were at the end: general-purpose registers, flags (status flags, DF, and IF where it may be set) */
	struct trap_frame frame;
	/* What came of it */
	outcome_t outcome; /* SUCCEEDED: came to its end */
	unsigned at;	   /* offset of the instruction that faulted, or the length */
	struct context context;
};

/* Executes it. Takes scratch pages of the rule, ring 3 and virtual-8086 mode more than a dozen. */
void execute(struct execution *execution);

/* 32-bit builds: page tables that ring 3 may use, in scratch pages, which have that page at a linear address below 4 MiB. Returns CR3. */
ulong execute_low_tables(const void *page, ulong address);

/* The trap handler's side: ends the execution that is going on on this CPU. Returns false where there is none. */
bool execute_trapped(const struct trap_frame *frame);

/* Can this platform do EXECUTE_REAL? It takes memory below 1 MiB. */
bool execute_real_possible(void);
