/* The three MSR areas of a VMCS, and MSRs that rules on them may change. */
#pragma once
#include "harness/rule.h"
#include "lhv-guest/guest.h"

#define LOADING_AT_ENTRY "27.4 Loading MSRs"
#define STORING "28.4 Saving MSRs"
#define LOADING_AT_EXIT "28.6 Loading MSRs"
#define ENTRY_FAILURES "27.8 VM-Entry Failures During or After Loading Guest State"

/* Table 25-15: the format of an MSR entry */
struct msr_entry {
	u32 index, reserved;
	u64 data;
};

struct msr_area {
	enum vmcs_field address, count;
};

extern const struct msr_area entry_load, exit_store, exit_load;

/* Makes the current VMCS use the entries as that area. */
void msr_area_use(const struct msr_area *area, const struct msr_entry *entries, unsigned count);

/* A guest, golden, whose RDMSR and WRMSR do not exit. */
struct guest *msr_guest(void);

struct msr_subject {
	u32 msr;
	u64 flip; /* bits that may change without any effect on host and guest */
	const char *name;
};

extern const struct msr_subject msr_physbase, msr_pat, msr_sysenter_cs, msr_lstar, msr_kernel_gs_base;

/* An MSR that the rule may change: what it holds, and another value that it may hold as well */
struct msr_chosen {
	u32 msr;
	u64 before, other;
};

/* Finds the MSR and sees that it keeps the other value; it is restored when the rule ends. Else the rule is skipped. */
struct msr_chosen msr_choose(const struct msr_subject *subject);

/* RDMSR in the host, which must succeed. */
u64 msr_host_reads(u32 msr);

#define AREA_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "msr." id_text, .title = title_text, .sdm = section, .needs = NEED_VMX_ROOT, .opt = OPT_MSR_LOAD, ##__VA_ARGS__)
#define AREA_ROW(function, id_text, title_text, section, subject, ...) \
	ROW(function, .id = "msr." id_text, .title = title_text, .sdm = section, .row = &subject, .needs = NEED_VMX_ROOT, \
	    .opt = OPT_MSR_LOAD, ##__VA_ARGS__)
