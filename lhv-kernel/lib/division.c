/* 64-bit division for the 32-bit builds: what GCC calls when a u64 is divided. */
#include "types.h"

u64 __udivmoddi4(u64 dividend, u64 divisor, u64 *remainder);
u64 __udivdi3(u64 dividend, u64 divisor);
u64 __umoddi3(u64 dividend, u64 divisor);

/* By a divisor of 32 bits: two DIVs, the remainder of the first above the low half in the second. */
static u64 divide_by_word(u64 dividend, u32 divisor, u64 *remainder)
{
	u32 high = dividend >> 32, low = dividend, rest = high % divisor;

	high /= divisor;
	asm("divl %2" : "+a"(low), "+d"(rest) : "rm"(divisor) : "cc");
	*remainder = rest;
	return (u64)high << 32 | low;
}

/* Bit by bit: rare, divisors are small. */
static u64 divide_by_bits(u64 dividend, u64 divisor, u64 *remainder)
{
	u64 quotient = 0, rest = 0;

	for (int bit = 63; bit >= 0; bit--) {
		bool carry = rest >> 63;

		rest = rest << 1 | (dividend >> bit & 1);
		if (carry || rest >= divisor) {
			rest -= divisor;
			quotient |= 1ull << bit;
		}
	}
	*remainder = rest;
	return quotient;
}

u64 __udivmoddi4(u64 dividend, u64 divisor, u64 *remainder)
{
	u64 rest, quotient;

	if (divisor >> 32)
		quotient = divide_by_bits(dividend, divisor, &rest);
	else
		quotient = divide_by_word(dividend, divisor, &rest);
	if (remainder)
		*remainder = rest;
	return quotient;
}

u64 __udivdi3(u64 dividend, u64 divisor)
{
	return __udivmoddi4(dividend, divisor, 0);
}

u64 __umoddi3(u64 dividend, u64 divisor)
{
	u64 rest;

	__udivmoddi4(dividend, divisor, &rest);
	return rest;
}
