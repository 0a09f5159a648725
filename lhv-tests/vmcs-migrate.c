/*
 * VMCSs that move from CPU to CPU: cleared on one, loaded and launched on the next, in a ring around all CPUs that take
 * part. Each CPU owns the VMCS that it begins with; one VMCS per CPU moves at every step, and none is ever active on two.
 */
#include "cpu/registers.h"
#include "harness/expect.h"
#include "harness/rule.h"
#include "harness/watchdog.h"
#include "lhv-guest/golden.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"
#include "lhv-tests/vmcs-values.h"
#include "smp/cpu.h"
#include "vmx/instructions.h"
#include "vmx/root.h"

#define MIGRATING "25.11.1 Software Use of Virtual-Machine Control Structures"

#define MIGRATE_RULE(name, id_text, title_text) \
	RULE(name, .id = "vmcs.migrate." id_text, .title = title_text, .sdm = MIGRATING, .cpus = TWO_CPUS, .needs = NEED_VMX_ROOT, \
	     .opt = OPT_VMCS_MIGRATE)

/* ---- Steps in common ------------------------------------------------------------------------------- */

#define STEP_BITS 12

/*
 * How far each CPU has come: the harness's barrier count, which all CPUs share and which differs from rule to rule, and
 * the step within the rule. Nothing has to be reset.
 */
static u32 steps[MAX_CPUS];

static u32 step_number(u32 step)
{
	return this_cpu()->arrived << STEP_BITS | step;
}

static void step_done(u32 step)
{
	__atomic_store_n(&steps[this_cpu()->index], step_number(step), __ATOMIC_SEQ_CST);
}

static bool has_come_to(const struct cpu *other, u32 step)
{
	return (int)(__atomic_load_n(&steps[other->index], __ATOMIC_SEQ_CST) - step_number(step)) >= 0;
}

/* A CPU that fails leaves the rule, says so itself, and must not make the others fail for it */
static void wait_for(const struct cpu *other, u32 step)
{
	while (!has_come_to(other, step)) {
		bool left = has_come_to(other, 0) && !other->in_rule;

		if ((left && !has_come_to(other, step)) || other->lost || watchdog_expired())
			rule_skip("CPU %u did not come to step %u", other->index, step);
		pause();
	}
}

/* ---- The ring -------------------------------------------------------------------------------------- */

static bool takes_part(const struct cpu *cpu)
{
	return !cpu->lost && cpu->needs_met & NEED_VMX_ROOT;
}

static unsigned ring_size(void)
{
	unsigned size = 0;

	for (unsigned i = 0; i < cpu_count; i++)
		size += takes_part(&cpus[i]);
	return size;
}

/* The CPU that is so many places further in the ring */
static struct cpu *ring_at(int distance)
{
	struct cpu *cpu = this_cpu();

	for (int left = distance < 0 ? -distance : distance; left;) {
		cpu = &cpus[(cpu->index + (distance < 0 ? cpu_count - 1 : 1)) % cpu_count];
		left -= takes_part(cpu);
	}
	return cpu;
}

/* What travels: a VMCS, its guest, and what the CPU that hands it over says of it */
struct traveller {
	u64 vmcs;
	struct guest *guest;
	const u64 *kept, *fields;
	u32 *memory; /* the guest's counter in memory; the other is its register BX */
	unsigned which;
};

static struct traveller travellers[2][MAX_CPUS]; /* by the direction that it goes in, and by its owner */

enum { UP, DOWN };

static int way(unsigned direction)
{
	return direction == UP ? 1 : -1;
}

/* Who is here after so many steps: it began as many places back */
static struct traveller *traveller_at(unsigned direction, u32 step)
{
	return &travellers[direction][ring_at(-way(direction) * (int)step)->index];
}

/* ---- Fields without a guest ------------------------------------------------------------------------ */

static struct traveller *new_fields(unsigned direction)
{
	struct traveller *mine = &travellers[direction][this_cpu()->index];

	mine->vmcs = vmcs_fresh();
	mine->which = this_cpu()->index % 3;
	mine->kept = vmcs_load_filled(mine->vmcs, mine->which);
	return mine;
}

/* Gives what is here to the next CPU, and takes what comes from the one before */
static struct traveller *hand_over(struct traveller *here, unsigned direction, u32 step)
{
	vmcs_clear(here->vmcs);
	vmcs_region(this_cpu(), (void *)(ulong)here->vmcs);
	step_done(step);
	wait_for(ring_at(-way(direction)), step);
	here = traveller_at(direction, step);
	vmcs_load(here->vmcs);
	return here;
}

MIGRATE_RULE(fields, "fields", "Every field of a VMCS that is cleared on one CPU is the same on the next, all around the CPUs")
{
	struct traveller *here;

	step_done(0);
	here = new_fields(UP);
	for (u32 step = 1; step <= ring_size(); step++) {
		here = hand_over(here, UP, step);
		vmcs_expect_filled("after the VMCS has come from another CPU", here->kept, here->which);
	}
}

MIGRATE_RULE(newest, "fields-newest", "A CPU sees what the CPU before it has written last into the VMCS, all around the CPUs")
{
	struct traveller *here;

	step_done(0);
	here = new_fields(DOWN);
	for (u32 step = 1; step <= 2 * ring_size(); step++) {
		here = hand_over(here, DOWN, step);
		vmcs_expect_filled("as the CPU before has written it", here->kept, here->which);
		here->which = (here->which + 1) % 3;
		vmcs_fill(here->kept, here->which);
	}
}

/* ---- Guests ---------------------------------------------------------------------------------------- */

#ifdef __x86_64__
#define BX "rbx"
#define SI "rsi"
#else
#define BX "ebx"
#define SI "esi"
#endif

/* Counts in a register and in memory, and exits, for ever. Nothing of it belongs to a CPU */
extern const u8 counting_guest[];
asm(".pushsection .text\n"
    "counting_guest:\n\t"
    "inc %" BX "\n\t"
    "incl (%" SI ")\n\t"
    "vmcall\n\t"
    "jmp counting_guest\n"
    ".popsection");

static void guest_nothing(void)
{
}

/* A guest of this CPU in a VMCS of its own, which is current, and cleared where it was made */
static struct traveller *new_guest(unsigned direction)
{
	struct traveller *mine = &travellers[direction][this_cpu()->index];
	const u64 *fields;

	mine->vmcs = vmcs_fresh();
	mine->guest = guest_golden(guest_nothing);
	mine->memory = scratch_page();
	mine->guest->registers.ax = HYPERCALL_TEST;
	mine->guest->registers.si = (ulong)mine->memory;
	vmwrite(VMCS_GUEST_RIP, (ulong)counting_guest);
	fields = vmcs_snapshot();
	vmcs_clear(this_cpu()->golden_vmcs);
	vmcs_load(mine->vmcs);
	vmcs_write_snapshot(fields);
	return mine;
}

#define EXITS_PER_STEP 3

/* The guest goes on counting where it was: first by VMLAUNCH, then by VMRESUME */
static void run_a_while(struct traveller *here, u32 *count)
{
	struct guest *guest = here->guest;

	golden_host_state();
	this_cpu()->guest = guest;
	guest->launched = false;
	for (unsigned i = 0; i < EXITS_PER_STEP; i++) {
		expect_hypercall(guest, guest_run(guest), HYPERCALL_TEST);
		guest_skip_instruction();
		++*count;
		expect_equal("the guest's counter in a register", guest->registers.bx, *count);
		expect_equal("the guest's counter in memory", *here->memory, *count);
	}
	here->fields = vmcs_snapshot();
}

static void ring_of_guests(unsigned direction)
{
	struct traveller *here;
	u32 count = 0;

	step_done(0);
	here = new_guest(direction);
	run_a_while(here, &count);
	for (u32 step = 1; step <= ring_size(); step++) {
		here = hand_over(here, direction, step);
		vmcs_expect_snapshot("after the VMCS has come from another CPU", here->fields);
		run_a_while(here, &count);
	}
	expect(here == &travellers[direction][this_cpu()->index], "the VMCS that comes round in the end is this CPU's own");
}

MIGRATE_RULE(up, "guest-up", "A guest goes on, with all fields, on each CPU that its VMCS is cleared for, loaded on and launched on")
{
	ring_of_guests(UP);
}

MIGRATE_RULE(down, "guest-down", "A guest goes on, with all fields, where its VMCS goes around the CPUs the other way")
{
	ring_of_guests(DOWN);
}

/* Two VMCSs are active on each CPU at once; at each step one goes up and one goes down */
MIGRATE_RULE(both, "guest-both-ways", "Guests go on while one VMCS of each CPU goes up and another goes down the ring of CPUs")
{
	struct traveller *here[2];
	u32 count[2] = {0, 0};

	step_done(0);
	for (unsigned direction = UP; direction <= DOWN; direction++) {
		here[direction] = new_guest(direction);
		run_a_while(here[direction], &count[direction]);
	}
	for (u32 step = 1; step <= ring_size(); step++) {
		for (unsigned direction = UP; direction <= DOWN; direction++) {
			vmcs_clear(here[direction]->vmcs);
			vmcs_region(this_cpu(), (void *)(ulong)here[direction]->vmcs);
		}
		step_done(step);
		for (unsigned direction = UP; direction <= DOWN; direction++) {
			wait_for(ring_at(-way(direction)), step);
			here[direction] = traveller_at(direction, step);
			vmcs_load(here[direction]->vmcs);
			vmcs_expect_snapshot("after the VMCS has come from another CPU", here[direction]->fields);
		}
		for (unsigned direction = UP; direction <= DOWN; direction++) {
			vmcs_load(here[direction]->vmcs);
			run_a_while(here[direction], &count[direction]);
		}
	}
}

MIGRATE_RULE(launch_state, "launch-state", "A VMCS that comes from another CPU, cleared there, is clear: VMRESUME gives error 5, VMLAUNCH works")
{
	struct traveller *here;
	u32 count = 0;

	step_done(0);
	here = new_guest(UP);
	run_a_while(here, &count);
	for (u32 step = 1; step <= ring_size(); step++) {
		here = hand_over(here, UP, step);
		golden_host_state();
		here->guest->launched = true;
		expect_outcome("VMRESUME on a CPU where the VMCS was not launched", guest_run(here->guest).entry, VMFAIL_VALID(5));
		run_a_while(here, &count);
	}
}
