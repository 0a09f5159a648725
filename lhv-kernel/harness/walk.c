/* The walk over the rules. */
#include "harness/walk.h"
#include "console/console.h"
#include "cpu/registers.h"
#include "harness/finish.h"
#include "harness/platform.h"
#include "harness/recover.h"
#include "harness/report.h"
#include "harness/restore.h"
#include "harness/select.h"
#include "harness/ticking.h"
#include "harness/watchdog.h"
#include "lib/format.h"
#include "lib/string.h"
#include "smp/cpu.h"
#include "vmx/root.h"

/* The first CPU that is still with us speaks for all */
static bool leads(const struct cpu *cpu)
{
	for (unsigned i = 0; i < cpu->index; i++)
		if (!cpus[i].lost)
			return false;
	return true;
}

static unsigned taking_part(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < cpu_count; i++)
		count += !cpus[i].lost;
	return count;
}

static void prepare(struct cpu *cpu)
{
	memset(&cpu->result, 0, sizeof(cpu->result));
	memset((void *)cpu->interrupts, 0, sizeof(cpu->interrupts));
	memset((void *)cpu->guest_interrupts, 0, sizeof(cpu->guest_interrupts));
	cpu->nmis = 0;
	cpu->scratch_used = 0;
	cpu->guest = 0;
	cpu->in_guest = 0;
	cpu->abandon = 0;
	cpu->rule_start = rdtsc();
}

static void skip(struct cpu *cpu, const char *reason)
{
	cpu->result.state = SKIPPED;
	copy_string(cpu->result.actual, reason, sizeof(cpu->result.actual));
}

static void run_here(struct cpu *cpu, const struct rule *rule)
{
	const char *missing = missing_need(rule, cpu->needs_met);

	if (rule->cpus == BOOT_CPU && !cpu->boot)
		return;
	if (rule->needs & NEED_VMX_ROOT && cpu->vmx_trouble[0])
		skip(cpu, cpu->vmx_trouble);
	else if (missing)
		skip(cpu, missing);
	else if (rule->cpus == TWO_CPUS && taking_part() < 2)
		skip(cpu, "there is only one CPU");
	else
		rule_run(rule);
}

/* One rule on all CPUs: together in, together out. */
static void step(struct cpu *cpu, const struct rule *rule, unsigned number, u32 iteration, bool last)
{
	if (leads(cpu))
		report_start(rule);
	watchdog_arm();
	ticking_prepare(cpu, rule);
	prepare(cpu);
	watchdog_barrier(WATCHDOG_PATIENT);
	ticking_count(cpu, false);
	run_here(cpu, rule);
	ticking_count(cpu, true);
	host_state_restore(cpu);
	watchdog_barrier(watchdog_deadline_ms());
	watchdog_disarm();
	if (leads(cpu))
		report_rule(rule, number, iteration, last);
	watchdog_barrier(WATCHDOG_PATIENT);
}

static void iterate(struct cpu *cpu)
{
	for (u32 iteration = 1;; iteration++) {
		bool last = iteration == options.iterations;

		for (unsigned i = 0; i < plan.count; i++)
			step(cpu, plan.rules[i], i + 1, iteration, last);
		if (leads(cpu) && options.iterations != 1)
			report_iteration(iteration, options.iterations);
		if (last)
			return;
	}
}

static NORETURN void stop(void)
{
	for (;;)
		asm volatile("cli\n\thlt");
}

static volatile bool refused;

/* What all CPUs have: rules and environments are the same for all */
static u64 needs_of_all(void)
{
	u64 needs = ~0ull;

	for (unsigned i = 0; i < cpu_count; i++)
		if (!cpus[i].lost)
			needs &= cpus[i].needs_met;
	return needs;
}

void harness_run(void)
{
	struct cpu *cpu = this_cpu();

	vmx_root_start(cpu);
	host_state_save(cpu);
	cpu->needs_met = needs_of(cpu);
	watchdog_barrier(WATCHDOG_PATIENT);
	if (cpu->boot) {
		refused = !select_mask(needs_of_all()) || !select_plan();
		if (!refused)
			platform_report();
	}
	watchdog_barrier(WATCHDOG_PATIENT);
	if (refused && cpu->boot)
		panic("%s", options.error);
	if (refused)
		stop();
	cpu->needs_met = needs_of(cpu); /* now that the mask is known */
	if (cpu->boot)
		report_plan();
	watchdog_barrier(WATCHDOG_PATIENT);
	iterate(cpu);
	if (!leads(cpu))
		stop();
	report_end();
	finish();
}
