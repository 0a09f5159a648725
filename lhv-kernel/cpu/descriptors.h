/* GDT, TSS and IDT of a CPU (or of a guest on it), in the layout of the build. SDM 3A, "Protected-Mode Memory Management". */
#pragma once
#include "lib/types.h"

/* Selectors */
#define KERNEL_CS 0x08
#define KERNEL_DS 0x10
#define USER_CS32 0x1b /* the order that SYSRET wants: 32-bit code, data, 64-bit code */
#define USER_DS 0x23
#define USER_CS64 0x2b
#define TSS_SELECTOR 0x30	 /* two entries in 64-bit mode */
#define CPU_SELECTOR 0x40	 /* 32-bit builds: GS, based at struct cpu */
#define DOUBLE_FAULT_SELECTOR 0x48 /* 32-bit builds: TSS of the double-fault task */
#define KERNEL_CS32 0x50	 /* 64-bit build: compatibility mode */
#define GDT_ENTRIES 12

#ifdef __x86_64__
#define HOST_GS_SELECTOR 0
#else
#define HOST_GS_SELECTOR CPU_SELECTOR
#endif

struct pseudo_descriptor {
	u16 limit;
	ulong base;
} __attribute__((packed));

#ifdef __x86_64__
struct tss {
	u32 reserved0;
	u64 rsp[3], reserved1, ist[7], reserved2;
	u16 reserved3, io_map;
} __attribute__((packed));

struct gate {
	u16 offset_low, selector, attributes, offset_middle;
	u32 offset_high, reserved;
};
/* Stacks that the CPU switches to, whatever RSP is */
#define IST_NMI 1
#define IST_DOUBLE_FAULT 2
#define IST_MACHINE_CHECK 3
#else
struct tss {
	u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
	u32 es, cs, ss, ds, fs, gs, ldt;
	u16 trap, io_map;
} __attribute__((packed));

struct gate {
	u16 offset_low, selector, attributes, offset_high;
};
#endif
#define TSS_LIMIT (sizeof(struct tss) - 1)

#define GATE_INTERRUPT 0x8e00
#define GATE_TASK 0x8500
#define GATE_DPL3 0x6000
#define IDT_ENTRIES 256

struct descriptors {
	u64 gdt[GDT_ENTRIES];
	struct tss tss;
	struct tss double_fault_tss; /* 32-bit builds */
} __attribute__((aligned(64)));

/*
 * Fills GDT and TSS. gs_base: base of the 32-bit builds' GS segment; the stack tops go into the TSS.
 * Loads nothing.
 */
void descriptors_fill(struct descriptors *d, ulong gs_base, ulong stack_top);

/* An interrupt gate (or, 32-bit builds, a task gate) in an IDT. stack: IST number in the 64-bit build, 0 for none. */
void idt_set(struct gate *idt, u8 vector, void (*handler)(void), unsigned stack);
void idt_set_task(struct gate *idt, u8 vector, u16 selector);

/* Loads GDTR, IDTR, TR and the segment registers of the kernel; GS is based at gs_base. */
void descriptors_load(struct descriptors *d, const struct gate *idt, ulong gs_base);
