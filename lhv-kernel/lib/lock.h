/* A spin lock for short sections, interrupts not touched: never taken in interrupt handlers. */
#pragma once
#include "cpu/registers.h"
#include "lib/types.h"

struct lock {
	u32 held;
};

static inline void lock_take(struct lock *lock)
{
	while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
		pause();
}

static inline void lock_release(struct lock *lock)
{
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}
