#include "entry-places.h"
#include "scripts/host/processor.h"
#include "vmx/controls.h"
#include <string.h>

#define MEMORY 0x200000ull /* physical address of the first page */
#define REVISION 0x12345

const char *place_name(enum place_number number)
{
#define X(name, text) text,
	static const char *const names[] = {PLACES(X)};
#undef X

	return names[number];
}

static u8 *at(struct place *place, u64 address, u32 size)
{
	if (address < MEMORY || address - MEMORY > sizeof(place->bytes) - size)
		return 0;
	return &place->bytes[address - MEMORY];
}

static bool memory_read(void *context, u64 address, void *to, u32 size)
{
	const u8 *from = at(context, address, size);

	if (from)
		memcpy(to, from, size);
	return from != 0;
}

static bool memory_write(void *context, u64 address, const void *from, u32 size)
{
	u8 *to = at(context, address, size);

	if (to)
		memcpy(to, from, size);
	return to != 0;
}

static void strict(struct entry_caps *caps)
{
	struct vmx_caps *vmx = &caps->vmx;

	vmx->basic &= ~(BIT(56) | BIT(58));
	vmx->misc &= ~(BITS(8, 7) | BIT(30));
	vmx->ept_vpid = BIT(6) | BIT(14);
	vmx->cr4_fixed1 &= ~(BIT(28));
	caps->cpuid[ENTRY_LEAF_7] = (struct entry_leaf){.ecx = BIT(7), .edx = BIT(20)};
	caps->cpuid[ENTRY_LEAF_88].eax = 39 | 48 << 8;
}

static void haswell(struct entry_caps *caps)
{
	struct vmx_caps *vmx = &caps->vmx;

	vmx->basic &= ~(BIT(56) | BIT(58));
	vmx->ept_vpid = BIT(6) | BIT(8) | BIT(14) | BIT(16) | BIT(17) | BIT(21);
	vmx->cr4_fixed1 = 0x1767ff;
	vmx->proc2.may_be_1 = BITS(18, 0) & ~(u64)PROC2_ENABLE_PML;
	vmx->proc.may_be_1 &= ~PROC_ACTIVATE_TERTIARY_CONTROLS;
	vmx->proc3.may_be_1 = vmx->exit2.may_be_1 = 0;
	vmx->exit.may_be_1 = BITS(22, 0);
	vmx->entry.may_be_1 = BITS(15, 0) & ~(u64)(ENTRY_ENTRY_TO_SMM | ENTRY_DEACTIVATE_DUAL_MONITOR);
	memset(&caps->cpuid[ENTRY_LEAF_7], 0, sizeof(caps->cpuid[0]));
	caps->cpuid[ENTRY_LEAF_88].eax = 40 | 48 << 8;
}

static void old(struct entry_caps *caps)
{
	struct vmx_caps *vmx = &caps->vmx;

	caps->natural_width = 32;
	vmx->basic = REVISION;
	vmx->misc = 4ull << 16;
	vmx->ept_vpid = vmx->vmfunc = 0;
	vmx->cr4_fixed1 = 0x27ff;
	vmx->proc = (struct control_caps){PROC_DEFAULT1,
		0x77f9fffe & ~(PROC_MONITOR_TRAP_FLAG | PROC_ACTIVATE_TERTIARY_CONTROLS)};
	vmx->pin = (struct control_caps){PIN_DEFAULT1,
		PIN_DEFAULT1 | PIN_EXTERNAL_INTERRUPT_EXITING | PIN_NMI_EXITING};
	vmx->proc2 = vmx->proc3 = vmx->exit2 = (struct control_caps){0, 0};
	vmx->exit = (struct control_caps){EXIT_DEFAULT1, EXIT_DEFAULT1 | EXIT_ACKNOWLEDGE_INTERRUPT};
	vmx->entry = (struct control_caps){ENTRY_DEFAULT1, ENTRY_DEFAULT1};
	memset(caps->cpuid, 0, sizeof(caps->cpuid));
}

void place_make(struct place *place, enum place_number number)
{
	const u32 revision = REVISION;

	memset(place, 0, sizeof(*place));
	processor_everything(&place->caps);
	place->caps.vmx.basic |= REVISION;
	place->caps.cpuid[ENTRY_LEAF_88].eax = 46 | 57 << 8;
	place->mode.ia32e = number != PLACE_LEGACY && number != PLACE_LEGACY_64 && number != PLACE_OLD &&
			    number != PLACE_HIDDEN;
	place->mode.address_known = true;
	place->mode.current_vmcs = MEMORY + ENTRY_PAGES * PAGE_SIZE;
	if (number == PLACE_STRICT)
		strict(&place->caps);
	else if (number == PLACE_HASWELL)
		haswell(&place->caps);
	else if (number == PLACE_LEGACY)
		place->caps.natural_width = 32;
	else if (number == PLACE_ADDRESSES_32)
		place->caps.vmx.basic |= BIT(48);
	else if (number == PLACE_OLD)
		old(&place->caps);
	else if (number == PLACE_HIDDEN)
		place->caps.natural_width = 32, place->caps.cpuid[ENTRY_LEAF_81].edx &= ~(u32)BIT(29);
	else if (number == PLACE_SMM)
		place->mode.smm = true;
	place->memory = (struct entry_memory){memory_read, memory_write, place};
	place->place = (struct entry_place){.caps = &place->caps, .mode = &place->mode, .memory = &place->memory};
	for (unsigned i = 0; i < ENTRY_PAGES; i++)
		place->place.page[i] = MEMORY + i * PAGE_SIZE;
	memory_write(place, place->mode.current_vmcs, &revision, sizeof(revision));
}
