/* ACPI tables. */
#include "smp/acpi.h"
#include "boot/multiboot.h"
#include "lib/string.h"

struct acpi acpi;

struct rsdp {
	char signature[8];
	u8 checksum;
	char oem[6];
	u8 revision;
	u32 rsdt, length;
	u64 xsdt;
	u8 extended_checksum, reserved[3];
} __attribute__((packed));

struct table {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem[6], oem_table[8];
	u32 oem_revision, creator, creator_revision;
} __attribute__((packed));

#define RSDP_V1_SIZE 20

static bool sums_to_zero(const void *data, size_t size)
{
	u8 sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += ((const u8 *)data)[i];
	return !sum;
}

static bool is_rsdp(const void *data)
{
	return !memcmp(data, "RSD PTR ", 8) && sums_to_zero(data, RSDP_V1_SIZE);
}

static const struct rsdp *scan(ulong from, ulong size)
{
	for (ulong at = from; at + sizeof(struct rsdp) <= from + size; at += 16)
		if (is_rsdp((const void *)at))
			return (const void *)at;
	return 0;
}

static const struct rsdp *find_rsdp(void)
{
	/* the BIOS data area holds the segment of the EBDA; hidden from the compiler, which takes low addresses for null */
	ulong ebda_at = 0x40e;
	asm("" : "+r"(ebda_at));
	ulong ebda = (ulong) * (volatile u16 *)ebda_at << 4;
	const struct rsdp *found = 0;

	if (boot_info.rsdp_given && is_rsdp(boot_info.rsdp))
		return (const void *)boot_info.rsdp;
	if (ebda >= 0x400 && ebda < 0xa0000)
		found = scan(ebda, 1024);
	return found ? found : scan(0xe0000, 0x20000);
}

/* A table that is reachable (below 4 GiB), in one piece and of this signature; else 0. */
static const struct table *table_at(u64 address, const char *signature)
{
	const struct table *table = (const void *)(ulong)address;

	if (!address || address >> 32 || memcmp(table->signature, signature, 4) || table->length < sizeof(*table) ||
	    table->length > MIB || !sums_to_zero(table, table->length))
		return 0;
	return table;
}

static const struct table *find_table(const struct table *root, unsigned entry_size, const char *signature)
{
	const u8 *entry = (const void *)(root + 1);

	for (; entry + entry_size <= (const u8 *)root + root->length; entry += entry_size) {
		u64 address = 0;
		const struct table *table;

		memcpy(&address, entry, entry_size);
		table = table_at(address, signature);
		if (table)
			return table;
	}
	return 0;
}

/* MADT entries, ACPI specification table 5-21 */
enum { MADT_LOCAL_APIC = 0, MADT_IO_APIC = 1, MADT_OVERRIDE = 2, MADT_X2APIC = 9 };
#define MADT_ENABLED 1

static void add_cpu(u32 apic_id, u32 flags)
{
	if (flags & MADT_ENABLED && acpi.cpu_count < ACPI_MAX_CPUS)
		acpi.apic_ids[acpi.cpu_count++] = apic_id;
}

static u32 word32(const u8 *at)
{
	u32 value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static void read_madt(const struct table *madt)
{
	const u8 *end = (const u8 *)madt + madt->length, *entry = (const u8 *)(madt + 1) + 8;

	for (unsigned irq = 0; irq < 16; irq++)
		acpi.irq_gsi[irq] = irq;
	for (; entry + 2 <= end && entry[1] >= 2 && entry + entry[1] <= end; entry += entry[1]) {
		if (entry[0] == MADT_LOCAL_APIC)
			add_cpu(entry[3], word32(entry + 4));
		else if (entry[0] == MADT_X2APIC)
			add_cpu(word32(entry + 4), word32(entry + 8));
		else if (entry[0] == MADT_IO_APIC && !acpi.io_apic) {
			acpi.io_apic = word32(entry + 4);
			acpi.io_apic_gsi = word32(entry + 8);
		} else if (entry[0] == MADT_OVERRIDE && entry[3] < 16)
			acpi.irq_gsi[entry[3]] = word32(entry + 4);
	}
}

/* FADT, ACPI specification table 5-9: the members that soft off needs */
#define FADT_DSDT 40
#define FADT_PM1A_CONTROL 64

/*
 * The sleep type of S5 from the DSDT, without an AML interpreter: name _S5_, package of bytes, as all known
 * tables have it: 08 '_S5_' 12 length count (0A type | type as ZeroOp/OneOp).
 */
static void read_fadt(const struct table *fadt)
{
	const u8 *bytes = (const u8 *)fadt;
	const struct table *dsdt = table_at(word32(bytes + FADT_DSDT), "DSDT");

	acpi.pm1a_control = word32(bytes + FADT_PM1A_CONTROL);
	if (!dsdt)
		return;
	for (const u8 *at = (const u8 *)(dsdt + 1); at + 12 < (const u8 *)dsdt + dsdt->length; at++) {
		if (memcmp(at, "_S5_\x12", 5))
			continue;
		const u8 *element = at + 5 + 1 + (at[5] >> 6) + 1;

		acpi.soft_off_type = *element == 0x0a ? element[1] : *element;
		acpi.soft_off = acpi.soft_off_type < 8;
		return;
	}
}

void acpi_read(void)
{
	const struct rsdp *rsdp = find_rsdp();
	const struct table *root = 0, *table;
	unsigned entry_size = 8;

	if (!rsdp)
		return;
	if (rsdp->revision >= 2)
		root = table_at(rsdp->xsdt, "XSDT");
	if (!root) {
		root = table_at(rsdp->rsdt, "RSDT");
		entry_size = 4;
	}
	if (!root)
		return;
	acpi.found = true;
	memcpy(acpi.oem, root->oem, 6);
	table = find_table(root, entry_size, "APIC");
	if (table) {
		acpi.madt = true;
		read_madt(table);
	}
	table = find_table(root, entry_size, "FACP");
	if (table)
		read_fadt(table);
}
