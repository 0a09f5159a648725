/* The few ACPI tables that are needed: MADT (CPUs, I/O APIC) and FADT (power off). ACPI specification, chapter 5. */
#pragma once
#include "lib/types.h"

#define ACPI_MAX_CPUS 256

struct acpi {
	bool found; /* a valid RSDP and root table */
	bool madt;
	char oem[7]; /* OEM id of the root table */
	unsigned cpu_count;
	u32 apic_ids[ACPI_MAX_CPUS]; /* enabled CPUs in the order of the table */
	u64 io_apic;		     /* address of the first I/O APIC; 0: none */
	u32 io_apic_gsi;	     /* its first global interrupt */
	u32 irq_gsi[16];	     /* which global interrupt an ISA IRQ is */
	u16 pm1a_control;	     /* port; 0: none */
	bool soft_off;		     /* \_S5 was found */
	u8 soft_off_type;
};

extern struct acpi acpi;

/* Finds the tables: the loader's RSDP copy, else the EBDA, else the BIOS area. */
void acpi_read(void);
