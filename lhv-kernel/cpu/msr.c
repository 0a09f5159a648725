/* Model-specific registers. */
#include "cpu/msr.h"
#include "cpu/fixup.h"
#include "harness/fault.h"

static outcome_t rdmsr(u32 msr, u64 *value)
{
	u32 low = msr, high = 0;
	outcome_t outcome;

	/* EAX carries the outcome of a fault and the low half else: it is told apart by EDI */
	asm volatile("mov %[ok], %%edi\n"
		     "1:\trdmsr\n\t"
		     "jmp 3f\n"
		     "2:\tmov %%eax, %%edi\n\t"
		     "xor %%eax, %%eax\n\t"
		     "xor %%edx, %%edx\n"
		     "3:\n\t" FIXUP("1b", "2b")
		     : "=&a"(low), "=&d"(high), "=&D"(outcome)
		     : "c"(msr), [ok] "i"(SUCCEEDED)
		     : "memory");
	*value = (u64)high << 32 | low;
	return outcome;
}

static outcome_t wrmsr(u32 msr, u64 value)
{
	u32 low = value;
	outcome_t outcome;

	asm volatile("mov %[ok], %%edi\n"
		     "1:\twrmsr\n\t"
		     "jmp 3f\n"
		     "2:\tmov %%eax, %%edi\n"
		     "3:\n\t" FIXUP("1b", "2b")
		     : "=&D"(outcome), "+a"(low)
		     : "c"(msr), "d"((u32)(value >> 32)), [ok] "i"(SUCCEEDED)
		     : "memory");
	return outcome;
}

outcome_t msr_try_read(u32 msr, u64 *value)
{
	outcome_t outcome = rdmsr(msr, value);

	return fault_on_msr_read(msr, outcome, value);
}

outcome_t msr_try_write(u32 msr, u64 value)
{
	outcome_t planted;

	if (fault_on_msr_write(msr, &planted))
		return planted;
	return wrmsr(msr, value);
}

u64 msr_read(u32 msr)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return (u64)high << 32 | low;
}

void msr_write(u32 msr, u64 value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}
