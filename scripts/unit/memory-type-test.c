/* lhv-kernel/memory/memory-type.c: by hand at the borders, and at random against a second, slower reading of the SDM. */
#include "check.h"
#include "memory/memory-type.h"

static struct mtrr_state mtrrs;

/* MTRRs on, fixed ranges off, 36 address bits, no variable ranges */
static void prepare(u8 default_type)
{
	mtrrs = (struct mtrr_state){.present = true, .enabled = true, .default_type = default_type, .width = 36};
}

static void add_masked(u64 base, u64 mask, u8 type)
{
	mtrrs.variable[mtrrs.variable_count].base = base | type;
	mtrrs.variable[mtrrs.variable_count].mask = (mask & BITS(mtrrs.width - 1, 12)) | MTRR_VALID;
	mtrrs.variable_count++;
}

static void add(u64 base, u64 size, u8 type)
{
	add_masked(base, ~(size - 1), type);
}

#define CHECK_TYPE(address, type) CHECK_EQ(mtrr_type(&mtrrs, address), type)

static bool uniform(u64 address, u64 size, u8 *type)
{
	*type = 0xee;
	return mtrr_uniform(&mtrrs, address, size, type);
}

#define CHECK_UNIFORM(address, size, expected) \
	do { \
		u8 type; \
		CHECK(uniform(address, size, &type)); \
		CHECK_EQ(type, expected); \
	} while (0)

#define CHECK_MIXED(address, size, first) \
	do { \
		u8 type; \
		CHECK(!uniform(address, size, &type)); \
		CHECK_EQ(type, first); \
	} while (0)

TEST(types_valid, "memory type: five of the 256 encodings are valid, and each has its name")
{
	for (unsigned type = 0; type < 256; type++)
		CHECK_EQ(memory_type_valid((u8)type), type == 0 || type == 1 || type == 4 || type == 5 || type == 6);
	CHECK_TEXT(memory_type_name(MEMORY_UC), "UC");
	CHECK_TEXT(memory_type_name(MEMORY_WC), "WC");
	CHECK_TEXT(memory_type_name(MEMORY_WT), "WT");
	CHECK_TEXT(memory_type_name(MEMORY_WP), "WP");
	CHECK_TEXT(memory_type_name(MEMORY_WB), "WB");
	CHECK_TEXT(memory_type_name(MEMORY_UC_MINUS), "UC-");
	CHECK_TEXT(memory_type_name(2), "reserved");
	CHECK_TEXT(memory_type_name(3), "reserved");
	CHECK_TEXT(memory_type_name(8), "reserved");
	CHECK_TEXT(memory_type_name(255), "reserved");
}

TEST(mtrr_off, "MTRR: all memory is UC where they are disabled or absent")
{
	u8 type;

	prepare(MEMORY_WB);
	mtrrs.fixed_enabled = true;
	memset(mtrrs.fixed, MEMORY_WB, sizeof(mtrrs.fixed));
	add(0x200000, 0x200000, MEMORY_WT);
	CHECK_TYPE(0, MEMORY_WB);
	CHECK_TYPE(0x200000, MEMORY_WT);
	mtrrs.enabled = false;
	CHECK_TYPE(0, MEMORY_UC);
	CHECK_TYPE(0x200000, MEMORY_UC);
	CHECK_TYPE(0x800000, MEMORY_UC);
	CHECK(uniform(0, 1 * GIB, &type) && type == MEMORY_UC);
	mtrrs.enabled = true;
	mtrrs.present = false;
	CHECK_TYPE(0, MEMORY_UC);
	CHECK_TYPE(0x800000, MEMORY_UC);
	CHECK(uniform(0, 1 * GIB, &type) && type == MEMORY_UC);
}

TEST(mtrr_default, "MTRR: the default type where no range matches")
{
	static const u8 types[] = {MEMORY_UC, MEMORY_WC, MEMORY_WT, MEMORY_WP, MEMORY_WB};

	for (unsigned i = 0; i < COUNT(types); i++) {
		prepare(types[i]);
		CHECK_TYPE(0, types[i]);
		CHECK_TYPE(0xfffffffff, types[i]);
		CHECK_UNIFORM(0, 0x1000000000, types[i]);
	}
}

TEST(mtrr_fixed_borders, "MTRR: each of the 88 fixed ranges from its first to its last byte")
{
	prepare(MEMORY_WP);
	mtrrs.fixed_enabled = true;
	u64 address = 0;

	for (unsigned i = 0; i < 88; i++) {
		u64 size = i < 8 ? 0x10000 : i < 24 ? 0x4000 : 0x1000;

		memset(mtrrs.fixed, MEMORY_WB, sizeof(mtrrs.fixed));
		mtrrs.fixed[i / 8] ^= (u64)(MEMORY_WB ^ MEMORY_WT) << (8 * (i % 8));
		CHECK_TYPE(address, MEMORY_WT);
		CHECK_TYPE(address + size - 1, MEMORY_WT);
		if (address)
			CHECK_TYPE(address - 1, MEMORY_WB);
		CHECK_TYPE(address + size, address + size == 0x100000 ? MEMORY_WP : MEMORY_WB);
		CHECK_UNIFORM(address, size, MEMORY_WT);
		CHECK_MIXED(address, size + 1, MEMORY_WT);
		address += size;
	}
	CHECK_EQ(address, 0x100000);
}

TEST(mtrr_fixed_first, "MTRR: fixed ranges take priority over variable ones below 1 MiB only, and only where they are enabled")
{
	prepare(MEMORY_WC);
	mtrrs.fixed_enabled = true;
	memset(mtrrs.fixed, MEMORY_WB, sizeof(mtrrs.fixed));
	add(0, 2 * MIB, MEMORY_UC);
	CHECK_TYPE(0, MEMORY_WB);
	CHECK_TYPE(0xfffff, MEMORY_WB);
	CHECK_TYPE(0x100000, MEMORY_UC);
	CHECK_TYPE(0x1fffff, MEMORY_UC);
	CHECK_TYPE(0x200000, MEMORY_WC);
	mtrrs.fixed_enabled = false;
	CHECK_TYPE(0, MEMORY_UC);
	CHECK_TYPE(0xfffff, MEMORY_UC);
}

TEST(mtrr_variable_borders, "MTRR: a variable range from its first to its last byte")
{
	static const u64 sizes[] = {0x1000, 0x2000, 0x10000, 0x100000, 0x40000000, 0x400000000};

	for (unsigned i = 0; i < COUNT(sizes); i++) {
		prepare(MEMORY_WB);
		add(sizes[i], sizes[i], MEMORY_WT);
		CHECK_TYPE(sizes[i] - 1, MEMORY_WB);
		CHECK_TYPE(sizes[i], MEMORY_WT);
		CHECK_TYPE(2 * sizes[i] - 1, MEMORY_WT);
		CHECK_TYPE(2 * sizes[i], MEMORY_WB);
		CHECK_UNIFORM(sizes[i], sizes[i], MEMORY_WT);
		CHECK_MIXED(sizes[i], sizes[i] + 1, MEMORY_WT);
		CHECK_MIXED(sizes[i] - 1, 2, MEMORY_WB);
		CHECK_UNIFORM(0, sizes[i], MEMORY_WB);
		CHECK_MIXED(0, sizes[i] + 1, MEMORY_WB);
		CHECK_UNIFORM(2 * sizes[i], sizes[i], MEMORY_WB);
	}
}

TEST(mtrr_valid_bit, "MTRR: a pair that is not valid, or past the count, does not match")
{
	prepare(MEMORY_WB);
	add(0x100000, 0x100000, MEMORY_WT);
	mtrrs.variable[0].mask &= ~MTRR_VALID;
	CHECK_TYPE(0x100000, MEMORY_WB);
	CHECK_UNIFORM(0, 2 * MIB, MEMORY_WB);
	mtrrs.variable[0].mask |= MTRR_VALID;
	CHECK_TYPE(0x100000, MEMORY_WT);
	mtrrs.variable_count = 0;
	CHECK_TYPE(0x100000, MEMORY_WB);
}

TEST(mtrr_all_pairs, "MTRR: each of 32 pairs counts")
{
	prepare(MEMORY_WB);
	for (unsigned i = 0; i < MTRR_VARIABLE_MAX; i++)
		add(i * 2 * MIB, MIB, MEMORY_WT);
	for (unsigned i = 0; i < MTRR_VARIABLE_MAX; i++) {
		CHECK_TYPE(i * 2 * MIB, MEMORY_WT);
		CHECK_TYPE(i * 2 * MIB + MIB, MEMORY_WB);
	}
}

TEST(mtrr_base_ignored_bits, "MTRR: base bits outside the mask and bits above the width do not count")
{
	prepare(MEMORY_WB);
	add(0x300000, 0x200000, MEMORY_WT); /* not aligned to its size: it is the range at 2 MiB */
	CHECK_TYPE(0x200000, MEMORY_WT);
	CHECK_TYPE(0x3fffff, MEMORY_WT);
	CHECK_TYPE(0x400000, MEMORY_WB);
	CHECK_UNIFORM(0x200000, 0x200000, MEMORY_WT);
	CHECK_MIXED(0x200000, 0x200001, MEMORY_WT);
	mtrrs.variable[0].base |= BIT(50);
	mtrrs.variable[0].mask |= BITS(63, 36);
	CHECK_TYPE(0x200000, MEMORY_WT);
	CHECK_UNIFORM(0x200000, 0x200000, MEMORY_WT);
}

TEST(mtrr_overlaps, "MTRR: overlaps of two types, in either order, as 12.11.4.1 says; UC where it says nothing")
{
	static const u8 rows[][3] = {
		{MEMORY_UC, MEMORY_UC, MEMORY_UC}, {MEMORY_UC, MEMORY_WC, MEMORY_UC}, {MEMORY_UC, MEMORY_WT, MEMORY_UC},
		{MEMORY_UC, MEMORY_WP, MEMORY_UC}, {MEMORY_UC, MEMORY_WB, MEMORY_UC}, {MEMORY_WC, MEMORY_WC, MEMORY_WC},
		{MEMORY_WC, MEMORY_WT, MEMORY_UC}, {MEMORY_WC, MEMORY_WP, MEMORY_UC}, {MEMORY_WC, MEMORY_WB, MEMORY_UC},
		{MEMORY_WT, MEMORY_WT, MEMORY_WT}, {MEMORY_WT, MEMORY_WP, MEMORY_UC}, {MEMORY_WT, MEMORY_WB, MEMORY_WT},
		{MEMORY_WP, MEMORY_WP, MEMORY_WP}, {MEMORY_WP, MEMORY_WB, MEMORY_UC}, {MEMORY_WB, MEMORY_WB, MEMORY_WB},
	};

	for (unsigned i = 0; i < COUNT(rows); i++)
		for (unsigned swapped = 0; swapped < 2; swapped++) {
			prepare(MEMORY_WP);
			add(0x100000, 0x100000, rows[i][swapped]);
			add(0, 0x400000, rows[i][!swapped]);
			CHECK_TYPE(0x100000, rows[i][2]);
			CHECK_TYPE(0x1fffff, rows[i][2]);
			CHECK_TYPE(0x200000, rows[i][!swapped]);
			CHECK_TYPE(0xfffff, rows[i][!swapped]);
		}
}

TEST(mtrr_overlaps_of_three, "MTRR: overlaps of three types")
{
	static const u8 rows[][4] = {
		{MEMORY_WB, MEMORY_WT, MEMORY_WB, MEMORY_WT}, {MEMORY_WT, MEMORY_WB, MEMORY_UC, MEMORY_UC},
		{MEMORY_WB, MEMORY_WT, MEMORY_WP, MEMORY_UC}, {MEMORY_WB, MEMORY_WB, MEMORY_WB, MEMORY_WB},
		{MEMORY_WC, MEMORY_WC, MEMORY_WB, MEMORY_UC},
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		prepare(MEMORY_WP);
		for (unsigned j = 0; j < 3; j++)
			add(0x100000, 0x100000 << j, rows[i][j]);
		CHECK_TYPE(0x100000, rows[i][3]);
	}
}

TEST(mtrr_reserved_types, "MTRR: a reserved type in any register counts as UC")
{
	static const u8 reserved[] = {2, 3, 7, 8, 0x86, 0xff};

	for (unsigned i = 0; i < COUNT(reserved); i++) {
		prepare(reserved[i]);
		CHECK_TYPE(0x800000, MEMORY_UC);
		prepare(MEMORY_WB);
		add(0x100000, 0x100000, reserved[i]);
		CHECK_TYPE(0x100000, MEMORY_UC);
		mtrrs.fixed_enabled = true;
		memset(mtrrs.fixed, reserved[i], sizeof(mtrrs.fixed));
		CHECK_TYPE(0, MEMORY_UC);
	}
}

TEST(mtrr_everything, "MTRR: a range over all addresses")
{
	prepare(MEMORY_UC);
	add_masked(0, 0, MEMORY_WB);
	CHECK_TYPE(0, MEMORY_WB);
	CHECK_TYPE(0xfffffffff, MEMORY_WB);
	CHECK_UNIFORM(0, 0x1000000000, MEMORY_WB);
	add(0xe0000000, 0x20000000, MEMORY_UC);
	CHECK_UNIFORM(0, 0xe0000000, MEMORY_WB);
	CHECK_MIXED(0, 0x1000000000, MEMORY_WB);
}

TEST(mtrr_uniform_kinds, "MTRR: neighbours of one type are uniform, whatever registers they come from")
{
	prepare(MEMORY_WB);
	add(0x200000, 0x200000, MEMORY_WT);
	add(0x400000, 0x400000, MEMORY_WT);
	add(0x1000000, 0x1000000, MEMORY_WB); /* as the default */
	CHECK_UNIFORM(0x200000, 0x600000, MEMORY_WT);
	CHECK_UNIFORM(0x800000, 0x10000000, MEMORY_WB);
	CHECK_MIXED(0, 0x400000, MEMORY_WB);
	mtrrs.fixed_enabled = true;
	memset(mtrrs.fixed, MEMORY_WB, sizeof(mtrrs.fixed));
	CHECK_UNIFORM(0, 0x200000, MEMORY_WB);
	mtrrs.fixed[10] = 0x0506060606060606;
	CHECK_MIXED(0, 0x200000, MEMORY_WB);
	CHECK_MIXED(0xfffff, 2, MEMORY_WP);
	CHECK_UNIFORM(0x100000, 0x100000, MEMORY_WB);
}

TEST(mtrr_uniform_ends, "MTRR: ranges of size 0 and 1, and one that passes the end of the addresses")
{
	prepare(MEMORY_WB);
	add(0x200000, 0x200000, MEMORY_WT);
	CHECK_UNIFORM(0x1fffff, 0, MEMORY_WB);
	CHECK_UNIFORM(0x1fffff, 1, MEMORY_WB);
	CHECK_UNIFORM(0x200000, 0, MEMORY_WT);
	CHECK_UNIFORM(0x400000, ~0ull, MEMORY_WB);
	CHECK_MIXED(0x100000, ~0ull, MEMORY_WB);
	prepare(MEMORY_WB);
	mtrrs.width = 52; /* the widest that there is */
	CHECK_UNIFORM(0xffffffffff000, 0x1000, MEMORY_WB);
	add(0x8000000000000, 0x8000000000000, MEMORY_UC);
	CHECK_UNIFORM(0x8000000000000, 0x8000000000000, MEMORY_UC);
	CHECK_MIXED(0x7ffffffffffff, 2, MEMORY_WB);
}

TEST(mtrr_contiguous, "MTRR: which masks are contiguous")
{
	prepare(MEMORY_WB);
	CHECK(mtrr_mask_contiguous(&mtrrs, 0xffffff000));
	CHECK(mtrr_mask_contiguous(&mtrrs, 0xffffff800)); /* the valid bit does not count */
	CHECK(mtrr_mask_contiguous(&mtrrs, 0x800000000));
	CHECK(mtrr_mask_contiguous(&mtrrs, 0xfffe00000));
	CHECK(mtrr_mask_contiguous(&mtrrs, 0));
	CHECK(mtrr_mask_contiguous(&mtrrs, ~0ull));
	CHECK(!mtrr_mask_contiguous(&mtrrs, 0x7fffff000));
	mtrrs.width = 40; /* a mask made for 36 bits */
	CHECK(!mtrr_mask_contiguous(&mtrrs, 0xffffff000));
	CHECK(!mtrr_mask_contiguous(&mtrrs, 0xff0fff000));
	CHECK(!mtrr_mask_contiguous(&mtrrs, 0x1000));
	CHECK(mtrr_mask_contiguous(&mtrrs, 0xfffffff000));
}

TEST(mtrr_scattered, "MTRR: a mask that is not contiguous gives pieces")
{
	prepare(MEMORY_WB);
	add_masked(0, ~0x101fffull, MEMORY_WT); /* 0 to 1FFFH and 100000H to 101FFFH */
	CHECK_TYPE(0x1fff, MEMORY_WT);
	CHECK_TYPE(0x2000, MEMORY_WB);
	CHECK_TYPE(0x100000, MEMORY_WT);
	CHECK_TYPE(0x102000, MEMORY_WB);
	CHECK_UNIFORM(0, 0x2000, MEMORY_WT);
	CHECK_MIXED(0, 0x2001, MEMORY_WT);
	CHECK_UNIFORM(0x2000, 0xfe000, MEMORY_WB);
	CHECK_MIXED(0x2000, 0xfe001, MEMORY_WB);
	CHECK_UNIFORM(0x100000, 0x2000, MEMORY_WT);
	CHECK_MIXED(0x100000, 0x2001, MEMORY_WT);
}

/* The second reading: collects the types that match and goes through the rules of 12.11.4.1 one by one. */
static u8 slow_type(u64 address)
{
	bool seen[8] = {false};
	unsigned kinds = 0;

	if (mtrrs.fixed_enabled && address < 0x100000) {
		unsigned field = address < 0x80000 ? (unsigned)(address / 0x10000) :
				 address < 0xc0000 ? 8 + (unsigned)((address - 0x80000) / 0x4000) :
						     24 + (unsigned)((address - 0xc0000) / 0x1000);
		u8 bytes[8 * MTRR_FIXED_COUNT];

		memcpy(bytes, mtrrs.fixed, sizeof(bytes)); /* the host is little-endian, as the registers are */
		return bytes[field];
	}
	for (unsigned i = 0; i < mtrrs.variable_count; i++) {
		u64 mask = mtrrs.variable[i].mask & 0xffffff000;

		if (mtrrs.variable[i].mask & 0x800 && (address & mask) == (mtrrs.variable[i].base & mask))
			seen[mtrrs.variable[i].base & 7] = true;
	}
	for (unsigned type = 0; type < 8; type++)
		kinds += seen[type];
	if (!kinds)
		return mtrrs.default_type;
	if (seen[MEMORY_UC])
		return MEMORY_UC;
	for (u8 type = 0; type < 8 && kinds == 1; type++)
		if (seen[type])
			return type;
	return kinds == 2 && seen[MEMORY_WT] && seen[MEMORY_WB] ? MEMORY_WT : MEMORY_UC;
}

static u64 random_state = 0x9e3779b97f4a7c15;

static u64 random_below(u64 limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 16) % limit;
}

TEST(mtrr_random, "MTRR: 2,000 random settings of the first 4 MiB, page by page, and uniformity of random ranges")
{
	static const u8 types[] = {MEMORY_UC, MEMORY_WC, MEMORY_WT, MEMORY_WP, MEMORY_WB};
	unsigned uniform_ranges = 0, mixed_ranges = 0;

	for (unsigned round = 0; round < 2000; round++) {
		u8 page_types[1024];

		prepare(types[random_below(5)]);
		mtrrs.fixed_enabled = random_below(2);
		for (unsigned i = 0; i < MTRR_FIXED_COUNT; i++)
			memset(&mtrrs.fixed[i], types[random_below(5)], 8);
		for (u64 i = random_below(5); i; i--) {
			u64 size = 0x1000ull << random_below(11);

			add_masked(random_below(1024) << 12, random_below(4) ? ~(size - 1) : ~(random_below(1024) << 12),
				   types[random_below(5)]);
			mtrrs.variable[mtrrs.variable_count - 1].mask ^= random_below(5) ? 0 : MTRR_VALID;
		}
		for (unsigned page = 0; page < 1024; page++) {
			page_types[page] = slow_type((u64)page << 12);
			if (!CHECK_TYPE(((u64)page << 12) + random_below(4096), page_types[page]))
				return;
		}
		for (unsigned i = 0; i < 20; i++) {
			u64 first = random_below(1024), last = first + random_below(random_below(3) ? 16 : 1024 - first);
			u8 type;
			bool same = true;

			last = last < 1024 ? last : 1023;
			for (u64 page = first; page <= last; page++)
				same &= page_types[page] == page_types[first];
			if (!CHECK_EQ(uniform(first << 12, (last - first + 1) << 12, &type), same) ||
			    !CHECK_EQ(type, page_types[first]))
				return;
			uniform_ranges += same;
			mixed_ranges += !same;
		}
	}
	/* both answers must have been asked for often enough to mean something */
	CHECK(uniform_ranges > 2000);
	CHECK(mixed_ranges > 2000);
}
