/* The top of the house: what happens after the boot loader, in order. */
#include "harness/walk.h"
#include "lhv-mtrr/mtrr.h"
#include "lhv-timer/apic-timer.h"
#include "lhv-timer/soak.h"
#include "smp/cpu.h"
#include "start.h"

void lhv_main(u32 magic, u32 info);

void lhv_main(u32 magic, u32 info)
{
	kernel_start(magic, info);
	mtrr_read(&memory_types);
	apic_timer_start();
	soak_start();
	kernel_start_cpus();
	context_start(this_cpu()->stack_top, harness_run);
}
