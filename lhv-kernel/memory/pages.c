/* Physical memory: a bump allocator over the largest usable range above the image. */
#include "memory/pages.h"
#include "boot/multiboot.h"
#include "harness/finish.h"
#include "lib/string.h"

extern u8 image_begin[], image_end[];

/* XMHF sits at 256 MiB; what is below that does for us on every platform */
#define ALLOCATION_LIMIT (256 * MIB)

static ulong next, limit, first;

bool pages_init(u32 end_of_all)
{
	u64 allocation_end = end_of_all && end_of_all < ALLOCATION_LIMIT ? end_of_all : ALLOCATION_LIMIT;

	for (unsigned i = 0; i < boot_info.memory_ranges; i++) {
		u64 base = boot_info.memory[i].base, end = base + boot_info.memory[i].size;

		if (base < (ulong)image_end)
			base = (ulong)image_end;
		base = ALIGN_UP(base, (u64)PAGE_SIZE);
		if (end > allocation_end)
			end = allocation_end;
		if (end > base && end - base > limit - next) {
			next = first = base;
			limit = end;
		}
	}
	return limit > next;
}

void *pages_allocate(unsigned count)
{
	ulong size = count * (ulong)PAGE_SIZE, base = __atomic_fetch_add(&next, size, __ATOMIC_SEQ_CST);

	if (base + size > limit)
		panic("out of memory: %lu KiB are not enough below 256 MiB; give the machine at least 32 MiB", (limit - first) / 1024);
	return memset((void *)base, 0, size);
}

/* Low memory that firmware and other hypervisors leave alone: above the BIOS data, clear of 7C00h and below 512 KiB */
#define LOW_FIRST 0x10000
#define LOW_LAST 0x7f000

u32 pages_low(void)
{
	for (unsigned i = 0; i < boot_info.memory_ranges; i++) {
		u64 base = ALIGN_UP(boot_info.memory[i].base, (u64)PAGE_SIZE);
		u64 end = boot_info.memory[i].base + boot_info.memory[i].size;

		if (base < LOW_FIRST)
			base = LOW_FIRST;
		if (base + PAGE_SIZE <= end && base <= LOW_LAST)
			return base;
	}
	return 0;
}

u64 pages_used(void)
{
	return next - first + (image_end - image_begin);
}
