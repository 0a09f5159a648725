/* Exceptions and interrupts that a guest takes through its own IDT. Runs in VMX non-root operation. */
#include "harness/watchdog.h"
#include "interrupts/interrupts.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"

void guest_trap(struct trap_frame *frame)
{
	struct cpu *cpu = this_cpu();

	if (frame->vector >= EXCEPTION_VECTORS) {
		interrupt_handle(frame->vector, true);
	} else if (frame->vector == VECTOR_NMI) {
		watchdog_nmi();
		if (cpu->abandon)
			hypercall(HYPERCALL_ABANDON, 0);
		cpu->nmis++;
	} else if (!fixup_apply(frame)) {
		cpu->guest->exception = *frame;
		hypercall(HYPERCALL_EXCEPTION, 0);
	}
}
