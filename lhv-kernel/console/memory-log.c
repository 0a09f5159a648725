/* The log in memory. */
#include "console/memory-log.h"
#include "lib/string.h"

static volatile u32 *count;

bool memory_log_init(u32 address)
{
	volatile u32 *memory = (volatile u32 *)(ulong)address;

	*memory = LOG_MEMORY_SIZE;
	if (*memory != LOG_MEMORY_SIZE)
		return false;
	*memory = 0;
	count = memory;
	return true;
}

bool memory_log_write(const char *text)
{
	size_t size = strlen(text);

	if (!count || size > LOG_MEMORY_SIZE - sizeof(*count) - *count)
		return false;
	memcpy((char *)(count + 1) + *count, text, size);
	/* last, so that who reads it meanwhile never sees text that is not there yet */
	__atomic_store_n(count, *count + size, __ATOMIC_RELEASE);
	return true;
}
