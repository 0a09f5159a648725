/* lib/division.c against the host's own division. */
#include "check.h"

u64 lhv_udivmoddi4(u64 dividend, u64 divisor, u64 *remainder);
u64 lhv_udivdi3(u64 dividend, u64 divisor);
u64 lhv_umoddi3(u64 dividend, u64 divisor);

static bool same(u64 dividend, u64 divisor)
{
	u64 rest = ~0ull;

	return CHECK_EQ(lhv_udivmoddi4(dividend, divisor, &rest), dividend / divisor) && CHECK_EQ(rest, dividend % divisor) &&
	       CHECK_EQ(lhv_udivdi3(dividend, divisor), dividend / divisor) &&
	       CHECK_EQ(lhv_umoddi3(dividend, divisor), dividend % divisor);
}

TEST(division_borders, "division: at the borders of 32 and 64 bits as the host divides")
{
	static const u64 numbers[] = {
		0, 1, 2, 3, 7, 9, 10, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x100000001, 0x123456789abcdef,
		0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000001, 0xfffffffffffffffe, 0xffffffffffffffff,
	};

	for (unsigned i = 0; i < COUNT(numbers); i++)
		for (unsigned j = 1; j < COUNT(numbers); j++)
			if (!same(numbers[i], numbers[j]))
				return;
}

TEST(division_random, "division: 20,000 numbers of all widths as the host divides")
{
	u64 state = 88172645463325252ull;

	for (unsigned i = 0; i < 20000; i++) {
		u64 numbers[2];

		for (unsigned j = 0; j < 2; j++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			numbers[j] = state >> (state >> 58);
		}
		if (!same(numbers[0], numbers[1] ? numbers[1] : 1))
			return;
	}
}

TEST(division_no_remainder, "division: the remainder need not be asked for")
{
	CHECK_EQ(lhv_udivmoddi4(100, 7, 0), 14);
}
