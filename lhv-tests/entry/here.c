/* This CPU and its current VMCS for the model of the VM-entry checks: the one file here that needs the kernel. */
#include "lhv-tests/entry/here.h"
#include "cpu/cpuid.h"
#include "cpu/registers.h"
#include "harness/scratch.h"
#include "lhv-guest/ept.h"
#include "lib/string.h"
#include "smp/cpu.h"
#include "vmx/controls.h"
#include "vmx/instructions.h"

#define PAGE_OF(address) ((address) & ~(u64)(PAGE_SIZE - 1))

static bool within_page(u64 address, u32 size, u64 page)
{
	return address >= page && address + size <= page + PAGE_SIZE;
}

/* Memory is mapped one to one. */
static void *memory_at(void *context, u64 address, u32 size)
{
	const struct entry_here *here = context;
	bool known = within_page(address, size, here->mode.current_vmcs) || within_page(address, size, PAGE_OF(here->mode.cr3));

	for (unsigned i = 0; i < ENTRY_PAGES; i++)
		known |= within_page(address, size, here->place.page[i]);
	return known ? (void *)(ulong)address : 0;
}

static bool memory_read(void *context, u64 address, void *to, u32 size)
{
	const void *from = memory_at(context, address, size);

	if (from)
		memcpy(to, from, size);
	return from != 0;
}

static bool memory_write(void *context, u64 address, const void *from, u32 size)
{
	void *to = memory_at(context, address, size);

	if (to)
		memcpy(to, from, size);
	return to != 0;
}

static void take_cpuid(struct entry_caps *caps)
{
	struct cpuid r;

#define X(name, leaf, subleaf) \
	r = cpuid_if_there(leaf, subleaf); \
	caps->cpuid[ENTRY_##name] = (struct entry_leaf){r.eax, r.ebx, r.ecx, r.edx};
	ENTRY_CPUID(X)
#undef X
}

void entry_here(struct entry_here *here)
{
	struct cpu *cpu = this_cpu();

	memset(here, 0, sizeof(*here));
	here->caps.vmx = cpu->caps;
	here->caps.natural_width = 8 * sizeof(ulong);
	take_cpuid(&here->caps);
	here->mode.ia32e = sizeof(ulong) == 8;
	here->mode.cr3 = read_cr3();
#ifdef LHV_PAE
	here->mode.pae = true;
#endif
	here->mode.address_known = vmptrst(&here->mode.current_vmcs) == SUCCEEDED;
	here->memory = (struct entry_memory){memory_read, memory_write, here};
	here->place = (struct entry_place){.caps = &here->caps, .mode = &here->mode, .memory = &here->memory};
	for (unsigned i = 0; i < ENTRY_PAGES; i++)
		here->place.page[i] = (ulong)scratch_page();
	if (caps_allow(&cpu->caps.proc2, PROC2_ENABLE_EPT))
		here->place.page[PAGE_EPT] = PAGE_OF(ept_identity_pointer(cpu));
}

void entry_image_read(struct vmcs_image *image)
{
	for (unsigned i = 0; i < IMAGE_FIELDS; i++)
		image->there[i] = vmread_try(vmcs_fields[i].encoding, &image->value[i]) == SUCCEEDED;
}

enum image_field entry_image_write(const struct vmcs_image *image, const struct vmcs_image *held)
{
	for (unsigned i = 0; i < IMAGE_FIELDS; i++)
		if (image->there[i] && image->value[i] != held->value[i] &&
		    vmwrite_try(vmcs_fields[i].encoding, image->value[i]) != SUCCEEDED)
			return i;
	return IMAGE_FIELDS;
}
