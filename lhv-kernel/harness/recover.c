/* How a rule that goes wrong is left. */
#include "harness/recover.h"
#include "cpu/registers.h"
#include "cpu/traps.h"
#include "harness/expect.h"
#include "harness/rule.h"
#include "harness/watchdog.h"
#include "lib/format.h"
#include "smp/cpu.h"

void rule_run(const struct rule *rule)
{
	struct cpu *cpu = this_cpu();

	cpu->result.state = PASSED; /* unless something says otherwise */
	cpu->execution = 0;
	if (!context_save(&cpu->recovery)) {
		__atomic_store_n(&cpu->in_rule, 1, __ATOMIC_SEQ_CST);
		rule->test(rule);
	}
	__atomic_store_n(&cpu->in_rule, 0, __ATOMIC_SEQ_CST);
	interrupts_off();
}

void rule_end(void)
{
	interrupts_off();
	context_resume(&this_cpu()->recovery);
}

__attribute__((noinline)) void rule_failed(void)
{
	asm volatile("");
}

static void record_hang(struct result *result, const char *where, ulong ip)
{
	result->state = HUNG;
	format(result->what, sizeof(result->what), "the rule ends within its time");
	format(result->expected, sizeof(result->expected), "done in %u ms", watchdog_deadline_ms());
	format(result->actual, sizeof(result->actual), ip ? "still running %s at 0x%lx" : "still running %s", where, ip);
	rule_failed();
}

void rule_hung(const char *where, ulong ip)
{
	record_hang(&this_cpu()->result, where, ip);
	rule_end();
}

/* The frame goes on at context_land(), in the kernel's segments, with interrupts off. */
static void land(struct trap_frame *frame)
{
	frame->ip = (ulong)context_land;
	frame->cs = KERNEL_CS;
	frame->flags = RFLAGS_FIXED;
#ifdef __x86_64__
	frame->sp = this_cpu()->recovery.sp;
	frame->ss = KERNEL_DS;
#endif
}

bool recover_from_trap(struct trap_frame *frame)
{
	struct cpu *cpu = this_cpu();
	struct result *result = &cpu->result;
	char text[160];

	if (!cpu->in_rule)
		return false;
	trap_describe(text, sizeof(text), frame);
	result->state = FAILED;
	format(result->what, sizeof(result->what), "no exception that the test does not provoke");
	format(result->expected, sizeof(result->expected), "no exception");
	format(result->actual, sizeof(result->actual),
	       "host took %s; CS %lx, FLAGS %lx, SP %lx, AX %lx, BX %lx, CX %lx, DX %lx, SI %lx, DI %lx, BP %lx", text,
	       frame->cs, frame->flags, trap_stack_pointer(frame), frame->ax, frame->bx, frame->cx, frame->dx, frame->si, frame->di,
	       frame->bp);
	rule_failed();
	land(frame);
	return true;
}

void recover_from_nmi(struct trap_frame *frame)
{
	struct cpu *cpu = this_cpu();

	watchdog_nmi();
	if (cpu->abandon && cpu->in_rule) {
		record_hang(&cpu->result, cpu->in_guest ? "in the guest" : "in the host", frame->ip);
		land(frame);
	} else {
		cpu->nmis++;
	}
}
