/* What the boot loader tells: command line, memory map and ACPI root, from Multiboot 1 or 2, copied out of its memory. */
#pragma once
#include "lib/types.h"

#define COMMAND_LINE_SIZE 2048
#define MEMORY_RANGES 64

struct memory_range {
	u64 base, size; /* usable RAM, bytes */
};

struct boot_info {
	const char *protocol; /* "Multiboot 1", "Multiboot 2" */
	char command_line[COMMAND_LINE_SIZE];
	bool command_line_cut;
	struct memory_range memory[MEMORY_RANGES];
	unsigned memory_ranges;
	u8 rsdp[36]; /* copy of the ACPI RSDP, where the loader gives one */
	bool rsdp_given;
};

extern struct boot_info boot_info;

/* Fills boot_info. magic and info: EAX and EBX at entry. Returns false where no Multiboot loader started us. */
bool multiboot_read(u32 magic, u32 info);
