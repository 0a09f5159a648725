/* Rules on the time-stamp counter: in the host, and what TSC offsetting, TSC scaling and the exits make of it in a guest. */
#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "cpu/registers.h"
#include "cpu/time.h"
#include "harness/rule.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"

#define TIME_STAMP_COUNTER "18.17 Time-Stamp Counter"
#define ADJUSTMENT "18.17.3 Time-Stamp Counter Adjustment"
#define OFFSET "25.6.5 Time-Stamp Counter Offset and Multiplier"
#define CHANGES "26.3 Changes to Instruction Behavior in VMX Non-Root Operation"
#define CONDITIONAL "26.1.3 Instructions That Cause VM Exits Conditionally"

#define TSC_RULE(name, id_text, title_text, section, more_needs) \
	RULE(name, .id = "timer.tsc." id_text, .title = title_text, .sdm = section, .needs = more_needs, .opt = OPT_TIMER)

#define CPUID_7_EBX_TSC_ADJUST BIT(1)
#define CPUID_81_EDX_RDTSCP BIT(27)
#define READS 200
#define VECTOR_UD 6

static volatile u64 seen[MAX_CPUS]; /* what the guest of each CPU has read */
static volatile u32 seen_aux[MAX_CPUS];

static u64 rdtscp(u32 *aux)
{
	u32 low, high;

	asm volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(*aux) : : "memory");
	return (u64)high << 32 | low;
}

static void need_rdtscp(void)
{
	if (!(cpuid_if_there(0x80000001, 0).edx & CPUID_81_EDX_RDTSCP))
		rule_skip("the CPU has no RDTSCP (CPUID.80000001H:EDX[27] = 0)");
}

/* ---- In the host ---------------------------------------------------------------------------------- */

/* How many of some reads in a row are not above the one before */
static u32 count_not_above(void)
{
	u64 last = rdtsc();
	u32 count = 0;

	for (unsigned i = 0; i < READS; i++) {
		u64 now = rdtsc();

		count += now <= last;
		last = now;
	}
	return count;
}

TSC_RULE(monotonic, "monotonic-host", "RDTSC returns a value above the one before each time", TIME_STAMP_COUNTER, 0)
{
	expect_equal("reads that are not above the one before", count_not_above(), 0);
}

TSC_RULE(rdmsr_host, "rdmsr-host", "RDMSR of IA32_TIME_STAMP_COUNTER reads what RDTSC reads", TIME_STAMP_COUNTER, 0)
{
	u64 before = rdtsc(), value, after;

	expect_outcome("RDMSR of IA32_TIME_STAMP_COUNTER (10h)", msr_try_read(MSR_TSC, &value), SUCCEEDED);
	after = rdtsc();
	expect_range("IA32_TIME_STAMP_COUNTER, between two RDTSC", value, before, after);
}

TSC_RULE(rdtscp_host, "rdtscp-host", "RDTSCP returns the TSC, and IA32_TSC_AUX in ECX", TIME_STAMP_COUNTER, 0)
{
	u64 before = rdtsc(), value;
	u32 aux;

	need_rdtscp();
	msr_write(MSR_TSC_AUX, 0x1000 + this_cpu()->index);
	value = rdtscp(&aux);
	expect_range("RDTSCP, between two RDTSC", value, before, rdtsc());
	expect_equal("ECX", aux, 0x1000 + this_cpu()->index);
}

static void need_adjust(void)
{
	if (!(cpuid_if_there(7, 0).ebx & CPUID_7_EBX_TSC_ADJUST))
		rule_skip("the CPU has no IA32_TSC_ADJUST (CPUID.7.0:EBX[1] = 0)");
}

/* Small against a rule's time, which is told by the same counter */
static u64 some_time(void)
{
	return 50 * time_ticks_per_ms();
}

/* Nothing between the two WRMSRs may end the rule: the counter must be as before when it does */
TSC_RULE(adjust, "adjust-moves-tsc", "A WRMSR that adds to IA32_TSC_ADJUST adds the same to the TSC", ADJUSTMENT, 0)
{
	need_adjust();
	u64 adjust = msr_read(MSR_TSC_ADJUST), before = rdtsc();

	msr_write(MSR_TSC_ADJUST, adjust + some_time());
	u64 after = rdtsc(), reads = msr_read(MSR_TSC_ADJUST);
	msr_write(MSR_TSC_ADJUST, adjust);
	expect_equal("IA32_TSC_ADJUST", reads, adjust + some_time());
	expect_range("what the TSC has gone forward", after - before, some_time(), ~0ull);
}

TSC_RULE(adjust_follows, "adjust-follows-tsc", "A WRMSR that adds to IA32_TIME_STAMP_COUNTER adds the same to IA32_TSC_ADJUST", ADJUSTMENT, 0)
{
	need_adjust();
	u64 adjust = msr_read(MSR_TSC_ADJUST), before = rdtsc();

	msr_write(MSR_TSC, before + some_time());
	u64 elapsed = rdtsc() - before - some_time(), reads = msr_read(MSR_TSC_ADJUST);
	msr_write(MSR_TSC_ADJUST, adjust);
	/* it adds what is between the value and the TSC at the WRMSR: up to so much less, as time has passed until then */
	u64 took = rdtsc() - before;
	expect(elapsed <= took, "the TSC went on from the value written");
	expect_range("what IA32_TSC_ADJUST has gone up", reads - adjust, some_time() - took, some_time());
}

/* ---- In a guest ----------------------------------------------------------------------------------- */

static void guest_rdtsc(void)
{
	seen[this_cpu()->index] = rdtsc();
}

static void guest_rdtscp(void)
{
	u32 aux;

	seen[this_cpu()->index] = rdtscp(&aux);
	seen_aux[this_cpu()->index] = aux;
}

static void guest_rdmsr(void)
{
	seen[this_cpu()->index] = msr_read(MSR_TSC);
}

static void guest_monotonic(void)
{
	hypercall(HYPERCALL_TEST, count_not_above());
}

static struct guest *golden_without_exits(void (*function)(void))
{
	struct guest *guest = guest_golden(function);

	controls_clear(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_RDTSC_EXITING, "RDTSC exiting");
	return guest;
}

static void need_msr_bitmaps(void)
{
	if (!(vmread(VMCS_PROC_CONTROLS) & PROC_USE_MSR_BITMAPS))
		rule_skip("the CPU has no MSR bitmaps: RDMSR always exits");
}

static void offset_set(u64 offset)
{
	controls_set(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_USE_TSC_OFFSETTING, "use TSC offsetting");
	vmwrite(VMCS_TSC_OFFSET, offset);
}

static void enable_rdtscp(void)
{
	controls_set(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_ACTIVATE_SECONDARY_CONTROLS, "activate secondary controls");
	controls_set(VMCS_PROC2_CONTROLS, &this_cpu()->caps.proc2, PROC2_ENABLE_RDTSCP, "enable RDTSCP");
}

/* The guest's value, less the offset (modulo 2^64), lies between what the host reads before and after */
static void expect_offset(struct guest *guest, u64 offset)
{
	u64 before = rdtsc();

	expect_done(guest);
	expect_range("what the guest read, less the TSC offset", seen[this_cpu()->index] - offset, before, rdtsc());
}

#define FAR (1ull << 40)

static const u64 offsets[] = {FAR, -FAR, BIT(63), 0};

static void offset_rdtsc(const struct rule *rule)
{
	u64 offset = *(const u64 *)rule->row;
	struct guest *guest = golden_without_exits(guest_rdtsc);

	offset_set(offset);
	expect_offset(guest, offset);
}

#define OFFSET_ROW(index, id_text, text) \
	ROW(offset_rdtsc, .id = "timer.tsc.offset-" id_text, .title = "RDTSC in a guest adds " text, .sdm = OFFSET, .row = &offsets[index], \
	    .needs = NEED_VMX_ROOT, .opt = OPT_TIMER)
OFFSET_ROW(0, "positive", "a TSC offset above 0")
OFFSET_ROW(1, "negative", "a TSC offset below 0")
OFFSET_ROW(2, "wraps", "a TSC offset of 2^63, modulo 2^64")
OFFSET_ROW(3, "zero", "a TSC offset of 0")

TSC_RULE(offset_off, "offset-not-used", "With \"use TSC offsetting\" 0 the TSC offset has no effect", OFFSET, NEED_VMX_ROOT)
{
	struct guest *guest = golden_without_exits(guest_rdtsc);

	controls_clear(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_USE_TSC_OFFSETTING, "use TSC offsetting");
	vmwrite(VMCS_TSC_OFFSET, FAR);
	expect_offset(guest, 0);
}

TSC_RULE(offset_host, "offset-ends-at-exit", "The TSC offset is not added in the host after the VM exit", OFFSET, NEED_VMX_ROOT)
{
	struct guest *guest = golden_without_exits(guest_rdtsc);
	u64 before = rdtsc();

	offset_set(FAR);
	expect_done(guest);
	expect_range("what the host read after the VM exit, less what it read before", rdtsc() - before, 0, FAR - 1);
}

TSC_RULE(offset_rdmsr, "offset-rdmsr", "RDMSR of IA32_TIME_STAMP_COUNTER in a guest adds the TSC offset", CHANGES, NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_rdmsr);

	need_msr_bitmaps();
	offset_set(-FAR);
	expect_offset(guest, -FAR);
}

TSC_RULE(offset_rdtscp, "offset-rdtscp", "RDTSCP in a guest adds the TSC offset", OFFSET, NEED_VMX_ROOT)
{
	need_rdtscp();
	struct guest *guest = golden_without_exits(guest_rdtscp);

	enable_rdtscp();
	offset_set(FAR);
	expect_offset(guest, FAR);
}

TSC_RULE(monotonic_guest, "monotonic-guest", "RDTSC in a guest returns a value above the one before each time", TIME_STAMP_COUNTER, NEED_VMX_ROOT)
{
	struct guest *guest = golden_without_exits(guest_monotonic);

	offset_set(-FAR);
	expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
	expect_equal("reads that are not above the one before", guest->registers.bx, 0);
}

TSC_RULE(rdtsc_exit, "rdtsc-exits", "With \"RDTSC exiting\" 1 RDTSC causes a VM exit with basic reason 16", CONDITIONAL, NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_rdtsc);

	controls_set(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_RDTSC_EXITING, "RDTSC exiting");
	expect_exit(guest_run(guest), EXIT_REASON_RDTSC);
	expect_equal("VM-exit instruction length", vmread(VMCS_EXIT_INSTRUCTION_LENGTH), 2);
	expect_equal("exit qualification", vmread(VMCS_EXIT_QUALIFICATION), 0);
}

TSC_RULE(rdmsr_no_exit, "rdmsr-does-not-exit", "\"RDTSC exiting\" does not concern RDMSR of IA32_TIME_STAMP_COUNTER", CONDITIONAL, NEED_VMX_ROOT)
{
	struct guest *guest = guest_golden(guest_rdmsr);

	need_msr_bitmaps();
	controls_set(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_RDTSC_EXITING, "RDTSC exiting");
	expect_offset(guest, 0);
}

TSC_RULE(rdtscp_exit, "rdtscp-exits", "With \"RDTSC exiting\" and \"enable RDTSCP\" 1 RDTSCP causes a VM exit with basic reason 51", CONDITIONAL,
	 NEED_VMX_ROOT)
{
	need_rdtscp();
	struct guest *guest = guest_golden(guest_rdtscp);

	enable_rdtscp();
	controls_set(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_RDTSC_EXITING, "RDTSC exiting");
	expect_exit(guest_run(guest), EXIT_REASON_RDTSCP);
	expect_equal("VM-exit instruction length", vmread(VMCS_EXIT_INSTRUCTION_LENGTH), 3);
}

static void expect_rdtscp_ud(struct guest *guest)
{
	if (vmread(VMCS_PROC_CONTROLS) & PROC_ACTIVATE_SECONDARY_CONTROLS)
		controls_clear(VMCS_PROC2_CONTROLS, &this_cpu()->caps.proc2, PROC2_ENABLE_RDTSCP, "enable RDTSCP");
	expect_hypercall(guest, guest_run(guest), HYPERCALL_EXCEPTION);
	expect_equal("vector of the guest's exception: #UD", guest->exception.vector, VECTOR_UD);
}

TSC_RULE(rdtscp_ud, "rdtscp-off-ud", "With \"enable RDTSCP\" 0 RDTSCP in a guest gives #UD", CHANGES, NEED_VMX_ROOT)
{
	need_rdtscp();
	expect_rdtscp_ud(golden_without_exits(guest_rdtscp));
}

TSC_RULE(rdtscp_ud_first, "rdtscp-off-ud-exiting", "With \"enable RDTSCP\" 0 RDTSCP gives #UD even with \"RDTSC exiting\" 1", CHANGES, NEED_VMX_ROOT)
{
	need_rdtscp();
	struct guest *guest = guest_golden(guest_rdtscp);

	controls_set(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_RDTSC_EXITING, "RDTSC exiting");
	expect_rdtscp_ud(guest);
}

TSC_RULE(rdtscp_aux, "rdtscp-aux-guest", "RDTSCP in a guest gives bits 31:0 of IA32_TSC_AUX in ECX", CHANGES, NEED_VMX_ROOT)
{
	need_rdtscp();
	struct guest *guest = golden_without_exits(guest_rdtscp);

	enable_rdtscp();
	msr_write(MSR_TSC_AUX, 0xa5a50000 + this_cpu()->index);
	expect_done(guest);
	expect_equal("ECX", seen_aux[this_cpu()->index], 0xa5a50000 + this_cpu()->index);
}

/* Times two and a half: no power of two, so that a shift alone does not do it */
#define MULTIPLIER (5ull << 47)

static void scaling_set(u64 multiplier)
{
	controls_set(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_ACTIVATE_SECONDARY_CONTROLS, "activate secondary controls");
	controls_set(VMCS_PROC2_CONTROLS, &this_cpu()->caps.proc2, PROC2_USE_TSC_SCALING, "use TSC scaling");
	vmwrite(VMCS_TSC_MULTIPLIER, multiplier);
}

TSC_RULE(scaling, "scaling", "With \"use TSC scaling\" 1 RDTSC in a guest gives the TSC times the multiplier / 2^48, plus the offset", OFFSET,
	 NEED_VMX_ROOT)
{
	struct guest *guest = golden_without_exits(guest_rdtsc);
	u64 before;

	scaling_set(MULTIPLIER);
	offset_set(FAR);
	before = rdtsc();
	expect_done(guest);
	expect_range("what the guest read, less the TSC offset", seen[this_cpu()->index] - FAR, before / 2 * 5, rdtsc() / 2 * 5 + 5);
}

TSC_RULE(scaling_alone, "scaling-needs-offsetting", "With \"use TSC offsetting\" 0 TSC scaling has no effect", OFFSET, NEED_VMX_ROOT)
{
	struct guest *guest = golden_without_exits(guest_rdtsc);

	scaling_set(MULTIPLIER);
	controls_clear(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_USE_TSC_OFFSETTING, "use TSC offsetting");
	expect_offset(guest, 0);
}
