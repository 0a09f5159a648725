/* Physical memory: whole pages, handed out once at start-up and never given back. */
#pragma once
#include "lib/types.h"

/* Takes the memory map of the boot loader, up to an address (0: all). Returns false where no usable memory is above the image. */
bool pages_init(u32 end);

/* Zeroed pages, mapped one to one, above 1 MiB and below 4 GiB. With none left the kernel stops with a sentence. */
void *pages_allocate(unsigned count);

/* A page below 1 MiB for the AP trampoline; 0 where there is none. Not zeroed, may be used once. */
u32 pages_low(void);

/* Bytes handed out, the image included. */
u64 pages_used(void);
