/*
 * The memory type that the MTRRs give a physical address (SDM 3A, 12.11 Memory Type Range Registers).
 *
 * EPT needs it: a guest's pages must have the type that the MTRRs say, or device memory gets cached.
 */
#include "memory/memory-type.h"

struct mtrr_state memory_types;

/* 12.11.2.2 Fixed Range MTRRs: below 1 MiB, in granules that get finer */
#define FIXED_END 0x100000ull

struct fixed_place {
	unsigned index; /* of the register */
	unsigned field; /* byte in it */
	u64 end;	/* the first address that another field maps */
};

static struct fixed_place fixed_place(u64 address)
{
	static const struct {
		u32 base, shift, index;
	} groups[] = {{0xc0000, 12, 3}, {0x80000, 14, 1}, {0, 16, 0}};
	unsigned g = 0;

	while (address < groups[g].base)
		g++;
	u32 granule = (u32)(address - groups[g].base) >> groups[g].shift;
	return (struct fixed_place){
		.index = groups[g].index + granule / 8,
		.field = granule % 8,
		.end = groups[g].base + ((u64)(granule + 1) << groups[g].shift),
	};
}

/* The bits of a base or mask that count: 12 to MAXPHYADDR - 1 */
static u64 address_bits(const struct mtrr_state *mtrrs)
{
	return BITS(mtrrs->width - 1, 12);
}

bool memory_type_valid(u8 type)
{
	return type == MEMORY_UC || type == MEMORY_WC || (type >= MEMORY_WT && type <= MEMORY_WB);
}

const char *memory_type_name(u8 type)
{
	static const char *const names[] = {"UC", "WC", "reserved", "reserved", "WT", "WP", "WB", "UC-"};

	return type < COUNT(names) ? names[type] : "reserved";
}

bool mtrr_mask_contiguous(const struct mtrr_state *mtrrs, u64 mask)
{
	u64 bits = address_bits(mtrrs), zeros = ~mask & bits;

	/* Contiguous: all zeros stand below all ones, so one more than them is a power of 2. */
	zeros |= BITS(11, 0);
	return !(zeros & (zeros + 1));
}

/* What a register says, or UC where that is reserved: no processor accepts it, so something else is wrong already. */
static u8 valid_or_uc(u8 type)
{
	return memory_type_valid(type) ? type : MEMORY_UC;
}

/* 12.11.4.1 MTRR Precedences, for the set of types (bit n: type n) of the variable ranges that match */
static u8 combine(u32 types)
{
	for (u8 type = 0; type < 8; type++)
		if (types == BIT(type))
			return type;
	if (types == (BIT(MEMORY_WT) | BIT(MEMORY_WB)))
		return MEMORY_WT;
	/* UC among them; or what the SDM leaves undefined, for which UC is the safe choice */
	return MEMORY_UC;
}

u8 mtrr_type(const struct mtrr_state *mtrrs, u64 address)
{
	u32 types = 0;

	if (!mtrrs->present || !mtrrs->enabled)
		return MEMORY_UC;
	if (mtrrs->fixed_enabled && address < FIXED_END) {
		struct fixed_place place = fixed_place(address);

		return valid_or_uc((u8)(mtrrs->fixed[place.index] >> (8 * place.field)));
	}
	for (unsigned i = 0; i < mtrrs->variable_count; i++) {
		u64 base = mtrrs->variable[i].base, mask = mtrrs->variable[i].mask;

		if (mask & MTRR_VALID && !((address ^ base) & mask & address_bits(mtrrs)))
			types |= BIT(valid_or_uc((u8)base));
	}
	return types ? combine(types) : valid_or_uc(mtrrs->default_type);
}

/* The lowest address above this one at which the type may change; 0: none up to the end of the addresses. */
static u64 next_border(const struct mtrr_state *mtrrs, u64 address)
{
	u64 nearest = 0; /* compared less 1, so that 0 is the farthest */

	if (mtrrs->fixed_enabled && address < FIXED_END)
		return fixed_place(address).end;
	for (unsigned i = 0; i < mtrrs->variable_count; i++) {
		u64 mask = mtrrs->variable[i].mask & address_bits(mtrrs);
		u64 granule = mask & -mask; /* the range's size, or that of its pieces; 0: all addresses */
		u64 border = 0;

		if (!(mtrrs->variable[i].mask & MTRR_VALID))
			continue;
		if (mtrr_mask_contiguous(mtrrs, mask)) {
			u64 base = mtrrs->variable[i].base & mask;

			border = address < base ? base : address < base + granule ? base + granule : 0;
		} else {
			border = (address & -granule) + granule;
		}
		if (border - 1 < nearest - 1)
			nearest = border;
	}
	return nearest;
}

bool mtrr_uniform(const struct mtrr_state *mtrrs, u64 address, u64 size, u8 *type)
{
	u64 last = size ? address + size - 1 : address;

	if (last < address)
		last = ~0ull;
	*type = mtrr_type(mtrrs, address);
	for (u64 at = next_border(mtrrs, address); at && at <= last; at = next_border(mtrrs, at))
		if (mtrr_type(mtrrs, at) != *type)
			return false;
	return true;
}
