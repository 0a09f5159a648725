/* Where the processor keeps each field in the VMCS region. Runs only where it is named: `scripts/lhv vmcs-layout`. */
#include "console/console.h"
#include "harness/expect.h"
#include "harness/rule.h"
#include "lhv-tests/vmcs-values.h"
#include "lib/string.h"
#include "smp/cpu.h"
#include "vmx/instructions.h"

/* Puts into the current VMCS's field its value 0 or the opposite, and gives the region as it then is in memory */
static void region_with(u64 vmcs, u32 encoding, u64 value, void *copy)
{
	vmcs_load(vmcs);
	vmwrite(encoding, value);
	vmcs_clear(vmcs);
	memcpy(copy, (void *)(ulong)vmcs, PAGE_SIZE);
}

/* One field differs in every bit that it keeps: the bytes that differ are its own */
RULE(layout, .id = "vmcs.layout", .title = "VMCLEAR leaves each field at a place of its own in the region",
     .sdm = "25.2 Format of the VMCS Region", .class = OBSERVED, .cpus = BOOT_CPU, .needs = NEED_VMX_ROOT, .opt = OPT_VMXOFF | OPT_VMX_INSTR)
{
	u8 *zeros = scratch_page(), *ones = scratch_page();
	u64 vmcs = vmcs_fresh();
	unsigned found = 0;
	const u64 *kept;

	vmcs_load(vmcs);
	kept = vmcs_bits_kept();
	for (unsigned i = 0; i < vmcs_field_count; i++) {
		u32 encoding = vmcs_fields[i].encoding;
		unsigned first = PAGE_SIZE, last = 0;

		if (!kept[i])
			continue;
		region_with(vmcs, encoding, 0, zeros);
		region_with(vmcs, encoding, kept[i], ones);
		for (unsigned byte = 0; byte < PAGE_SIZE; byte++)
			if (zeros[byte] != ones[byte]) {
				first = byte < first ? byte : first;
				last = byte;
			}
		if (first == PAGE_SIZE)
			continue;
		found++;
		print("# layout: 0x%04x 0x%03x %u %s", encoding, first, last - first + 1, vmcs_fields[i].name);
	}
	rule_note("%u fields found in the region", found);
}
