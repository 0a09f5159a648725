/* Multiboot 1 and 2 information. */
#include "boot/multiboot.h"
#include "lib/format.h"
#include "lib/string.h"

struct boot_info boot_info;

static void add_memory(u64 base, u64 size)
{
	if (boot_info.memory_ranges < MEMORY_RANGES && size)
		boot_info.memory[boot_info.memory_ranges++] = (struct memory_range){base, size};
}

static void set_command_line(const char *text)
{
	boot_info.command_line_cut = !copy_string(boot_info.command_line, text, COMMAND_LINE_SIZE);
}

/* Multiboot 1: one structure, whose flags say which members are there */
struct multiboot1 {
	u32 flags, mem_lower, mem_upper, boot_device, command_line, modules, modules_address, symbols[4], map_length, map_address;
};

struct multiboot1_map {
	u32 size;
	u64 base, length;
	u32 type;
} __attribute__((packed));

#define MB1_HAS_MEMORY BIT(0)
#define MB1_HAS_COMMAND_LINE BIT(2)
#define MB1_HAS_MAP BIT(6)
#define MEMORY_USABLE 1

static void read_multiboot1(const struct multiboot1 *info)
{
	boot_info.protocol = "Multiboot 1";
	if (info->flags & MB1_HAS_COMMAND_LINE)
		set_command_line((const char *)(ulong)info->command_line);
	if (info->flags & MB1_HAS_MAP) {
		for (u32 at = 0; at < info->map_length;) {
			const struct multiboot1_map *entry = (const void *)(ulong)(info->map_address + at);

			if (entry->type == MEMORY_USABLE)
				add_memory(entry->base, entry->length);
			at += entry->size + sizeof(entry->size);
		}
	} else if (info->flags & MB1_HAS_MEMORY) {
		add_memory(0, info->mem_lower * KIB);
		add_memory(MIB, info->mem_upper * KIB);
	}
}

/* Multiboot 2: a list of tags, each with its type and size, aligned to 8 bytes */
struct tag {
	u32 type, size;
};

enum { TAG_END = 0, TAG_COMMAND_LINE = 1, TAG_MAP = 6, TAG_RSDP_1 = 14, TAG_RSDP_2 = 15 };

struct tag_map {
	struct tag tag;
	u32 entry_size, entry_version;
};

struct tag_map_entry {
	u64 base, length;
	u32 type, reserved;
};

static void read_multiboot2(const u8 *info)
{
	const struct tag *tag = (const void *)(info + 8);

	boot_info.protocol = "Multiboot 2";
	for (; tag->type != TAG_END && tag->size >= sizeof(*tag); tag = (const void *)((const u8 *)tag + ALIGN_UP(tag->size, 8u))) {
		const u8 *content = (const u8 *)(tag + 1);

		if (tag->type == TAG_COMMAND_LINE) {
			set_command_line((const char *)content);
		} else if (tag->type == TAG_MAP) {
			u32 step = ((const struct tag_map *)tag)->entry_size;

			for (u32 at = sizeof(struct tag_map); step && at + step <= tag->size; at += step) {
				const struct tag_map_entry *entry = (const void *)((const u8 *)tag + at);

				if (entry->type == MEMORY_USABLE)
					add_memory(entry->base, entry->length);
			}
		} else if (tag->type == TAG_RSDP_2 || (tag->type == TAG_RSDP_1 && !boot_info.rsdp_given)) {
			size_t size = tag->size - sizeof(*tag);

			memcpy(boot_info.rsdp, content, size < sizeof(boot_info.rsdp) ? size : sizeof(boot_info.rsdp));
			boot_info.rsdp_given = true;
		}
	}
}

bool multiboot_read(u32 magic, u32 info)
{
	if (magic == 0x2badb002)
		read_multiboot1((const void *)(ulong)info);
	else if (magic == 0x36d76289)
		read_multiboot2((const void *)(ulong)info);
	else
		return false;
	return true;
}
