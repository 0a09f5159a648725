/* The report. */
#include "harness/report.h"
#include "config.h"
#include "console/art.h"
#include "console/console.h"
#include "cpu/paging.h"
#include "cpu/registers.h"
#include "harness/finish.h"
#include "harness/select.h"
#include "harness/tap-text.h"
#include "harness/ticking.h"
#include "lib/format.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "smp/cpu.h"

#define BLOCK_SIZE 4096
#define SKIP_REASONS 24
#define AREAS 64

extern volatile u64 entry_tsc;

static unsigned passed, failed, skipped, hung, failures_in_all;
static u32 iterations_done;
static u8 *reported; /* a byte for each rule of the plan: already said to have failed */
static struct {
	char text[120];
	unsigned count;
} skip_reasons[SKIP_REASONS];
static struct {
	char name[16]; /* the ids of its rules up to their first dot */
	unsigned rules;
	u64 ticks;
} areas[AREAS];
static u64 rule_began; /* on the CPU that reports: behind the breadcrumb */

void report_plan(void)
{
	char names[512];

	reported = pages_allocate(plan.count / PAGE_SIZE + 1);
	options_format_mask(names, sizeof(names), option_mask);
	print("# options: 0x%llx, %s", option_mask, options.mask_given ? names : "everything that this platform can do");
	if (options.faults[0])
		print("# planted faults: %s: failures are wanted", options.faults);
	print("1..%u", plan.count);
	if (options.iterations != 1 && !(option_mask & OPT_NO_VGA_ART))
		art_start(cpu_count);
}

/* On the screen only: from the second iteration on, a line for each rule would be most of what a soak does */
static void show_where(const char *id)
{
	char text[100];

	format(text, sizeof(text), " iteration %u  failures %u  %s", iterations_done + 1, failures_in_all, id);
	art_status(text);
}

void report_start(const struct rule *rule)
{
	show_where(rule->id);
	if (!iterations_done) {
		print("# run %s", rule->id);
		console_drain(); /* it must be out even where the rule kills the machine */
	}
	rule_began = rdtsc();
}

/* Adds the time of a rule, from its breadcrumb to its result, to that of its area. The last area takes what is too much. */
static void count_area(const struct rule *rule)
{
	u64 ticks = rdtsc() - rule_began;
	char name[sizeof(areas[0].name)];
	unsigned i = 0, length = 0;

	while (rule->id[length] && rule->id[length] != '.')
		length++;
	copy_string(name, rule->id, length < sizeof(name) ? length + 1 : sizeof(name));
	while (i < AREAS - 1 && areas[i].name[0] && strcmp(areas[i].name, name))
		i++;
	if (!areas[i].name[0])
		copy_string(areas[i].name, name, sizeof(name));
	areas[i].rules += !iterations_done;
	areas[i].ticks += ticks;
}

static void environment(char *buffer, size_t size)
{
	format(buffer, size, LHV_ARCH ", %s paging%s%s%s", paging_mode, option_mask & OPT_EPT ? ", EPT" : "",
	       option_mask & OPT_VPID ? ", VPID" : "", option_mask & OPT_UNRESTRICTED_GUEST ? ", unrestricted guest" : "");
}

static void count_skip(const char *reason)
{
	for (unsigned i = 0; i < SKIP_REASONS; i++) {
		if (!skip_reasons[i].count)
			copy_string(skip_reasons[i].text, reason, sizeof(skip_reasons[i].text));
		if (!strcmp(skip_reasons[i].text, reason) || i == SKIP_REASONS - 1) {
			skip_reasons[i].count++;
			return;
		}
	}
}

static void add(char *block, const char *key, const char *text)
{
	char quoted[800];

	yaml_quote(quoted, sizeof(quoted), text);
	append(block, BLOCK_SIZE, "  %s: %s\n", key, quoted);
}

static const char *state_name(enum rule_state state)
{
	return state == HUNG ? "hung" : state == LOST ? "lost" : "failed";
}

/* The YAML block: who, where, what was expected, what came, and the command that repeats it. */
static void print_failure(const struct rule *rule, unsigned number, u32 iteration, const struct result *result, u32 cpu_set)
{
	static char block[BLOCK_SIZE];
	char text[600];

	format(block, BLOCK_SIZE, "not ok %u - %s\n  ---\n", number, rule->id);
	add(block, "title", rule->title);
	add(block, "sdm", rule->sdm);
	add(block, "class", rule_class_names[rule->class]);
	add(block, "outcome", state_name(result->state));
	cpu_set_format(text, sizeof(text), cpu_set);
	add(block, "cpus", text);
	environment(text, sizeof(text));
	add(block, "environment", text);
	if (result->state == LOST) {
		add(block, "what", "the CPU comes back from the rule");
		add(block, "expected", "at the barrier in time");
		add(block, "actual", "this CPU did not come, not even after an NMI; it takes part no more");
	} else {
		add(block, "what", result->what);
		add(block, "expected", result->expected);
		add(block, "actual", result->actual);
	}
	if (options.iterations != 1)
		append(block, BLOCK_SIZE, "  iteration: %u\n", iteration);
	format(text, sizeof(text), "scripts/lhv run --arch " LHV_ARCH " --cpus %u --opt 0x%llx --seed %llu%s%s --tests %s", cpu_count,
	       option_mask, options.seed, options.faults[0] ? " --fault " : "", options.faults, rule->id);
	if (options.iterations != 1)
		append(text, sizeof(text), " --iter %u", iteration > 1 ? iteration : 2);
	add(block, "repeat", text);
	append(block, BLOCK_SIZE, "  ...\n");
	print_block(block);
}

void report_rule(const struct rule *rule, unsigned number, u32 iteration, bool last)
{
	const struct result *result = 0;
	enum rule_state worst = NOT_RUN;
	u32 cpu_set = 0;

	count_area(rule);
	for (unsigned i = 0; i < cpu_count; i++) {
		struct cpu *cpu = &cpus[i];

		if (cpu->lost_said)
			continue;
		if (cpu->lost)
			cpu->result.state = LOST;
		if (cpu->result.state > worst) {
			worst = cpu->result.state;
			result = &cpu->result;
			cpu_set = 0;
		}
		if (cpu->result.state == worst)
			cpu_set |= 1u << i;
	}
	if (worst >= FAILED) {
		failures_in_all++;
		if (!reported[number - 1]) {
			print_failure(rule, number, iteration, result, cpu_set);
			failed += worst == FAILED;
			hung += worst != FAILED;
			reported[number - 1] = true;
		}
	} else if (last && !reported[number - 1]) {
		char reason[200];

		if (worst == SKIPPED || worst == NOT_RUN) {
			skipped++;
			tap_description(reason, sizeof(reason), worst == SKIPPED ? result->actual : "no CPU could run it");
			count_skip(reason);
			print("ok %u - %s # SKIP %s", number, rule->id, reason);
		} else {
			passed++;
			print("ok %u - %s", number, rule->id);
			if (result->note[0])
				print("# note %s: %s", rule->id, result->note);
		}
	}
	for (unsigned i = 0; i < cpu_count; i++)
		if (cpus[i].lost && !cpus[i].lost_said) {
			print("# cpu %u: lost in %s", i, rule->id);
			cpus[i].lost_said = true;
		}
}

void report_iteration(u32 iteration, u32 of)
{
	iterations_done = iteration;
	if (of)
		print("# iteration %u of %u: %u failures so far", iteration, of, failures_in_all);
	else
		print("# iteration %u: %u failures so far", iteration, failures_in_all);
}

void report_end(void)
{
	u64 ticks = rdtsc() - entry_tsc;
	u32 host[2] = {0, 0}, guest[2] = {0, 0};
	const char *verdict;

	show_where("done");
	art_stop();
	for (unsigned i = 0; i < cpu_count; i++)
		for (unsigned chip = 0; chip < 2; chip++) {
			host[chip] += cpus[i].spurious[chip];
			guest[chip] += cpus[i].guest_spurious[chip];
		}
	for (unsigned i = 0; i < SKIP_REASONS && skip_reasons[i].count; i++)
		print("# skipped %u: %s", skip_reasons[i].count, skip_reasons[i].text);
	for (unsigned i = 0; i < AREAS && areas[i].name[0]; i++)
		print("# area %s: %u rules, %llu ticks", areas[i].name, areas[i].rules, areas[i].ticks);
	print("# spurious interrupts: IRQ 7: %u in the host, %u in guests; IRQ 15: %u in the host, %u in guests", host[0], guest[0],
	      host[1], guest[1]);
	ticking_report();
	print("# memory: %llu KiB", pages_used() / KIB);
	print("# ticks: %llu", ticks);
	print("# summary: %u passed, %u failed, %u skipped, %u hung", passed, failed, skipped, hung);
	if (failed + hung)
		verdict = "fail", finish_code = 1;
	else if (passed)
		verdict = "pass", finish_code = 0;
	else
		verdict = "nothing", finish_code = 2;
	print("# verdict: %s", verdict);
}
