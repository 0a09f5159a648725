/*
 * Power-on to C on the bootstrap processor: Multiboot headers, then from the loader's 32-bit protected mode
 * without paging to the mode of the build. Multiboot 1 section 3.1, Multiboot 2 section 3.1.
 */
#define CR0_NE (1 << 5)
#define CR4_PAE (1 << 5)
#define EFER 0xc0000080

/* CPUID.1:EDX: PSE, TSC, MSR, CMOV, and PAE where the build pages so */
#if defined(__x86_64__) || defined(LHV_PAE)
#define NEEDED_FEATURES (1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 15)
#else
#define NEEDED_FEATURES (1 << 3 | 1 << 4 | 1 << 5 | 1 << 15)
#endif

	.section multiboot, "a"
	.balign 8
multiboot2_header:
	.long 0xe85250d6, 0, multiboot2_header_end - multiboot2_header
	.long -(0xe85250d6 + (multiboot2_header_end - multiboot2_header))
	.short 0, 0 /* end tag */
	.long 8
multiboot2_header_end:

	.balign 4
	.long 0x1badb002, 0x3, -(0x1badb002 + 0x3) /* Multiboot 1: modules on pages, memory map wanted */

	.text
	.code32
	.globl entry
entry:
	cli
	cld
	mov $boot_stack_end, %esp
	mov %eax, %esi
	mov %ebx, %edi

	/* Is there CPUID, with what the build needs? A CPU without it cannot change RFLAGS.ID */
	pushf
	pop %eax
	mov %eax, %ecx
	xor $0x200000, %eax
	push %eax
	popf
	pushf
	pop %eax
	cmp %eax, %ecx
	je cpu_too_old
	mov $1, %eax
	cpuid
	and $NEEDED_FEATURES, %edx
	cmp $NEEDED_FEATURES, %edx
	jne cpu_too_old

	/* the time of entry, for the figure from kernel entry to verdict */
	rdtsc
	mov %eax, entry_tsc
	mov %edx, entry_tsc + 4

#ifdef __x86_64__
	/* Long mode? CPUID.80000001H:EDX[29] */
	mov $0x80000000, %eax
	cpuid
	cmp $0x80000001, %eax
	jb cpu_too_old
	mov $0x80000001, %eax
	cpuid
	bt $29, %edx
	jnc cpu_too_old

	/* Identity map of the first 4 GiB with 2 MiB pages: present, writable, page size */
	mov $boot_page_directories, %ebx
	mov $0x83, %eax
	mov $2048, %ecx
1:	mov %eax, (%ebx)
	movl $0, 4(%ebx)
	add $0x200000, %eax
	add $8, %ebx
	loop 1b
	mov $boot_page_directories, %eax
	or $3, %eax
	mov $boot_pdpt, %ebx
	mov $4, %ecx
2:	mov %eax, (%ebx)
	add $4096, %eax
	add $8, %ebx
	loop 2b
	mov $boot_pdpt, %eax
	or $3, %eax
	mov %eax, boot_pml4

	mov $3f, %ebp
	jmp enter_long_mode

	.code64
3:	mov %edi, %edi
	mov %esi, %eax
	mov %edi, %esi /* info */
	mov %eax, %edi /* magic */
	mov $boot_stack_end, %rsp
	call lhv_main
	.code32

/*
 * From 32-bit protected mode without paging to 64-bit mode, on the boot page tables; goes on at EBP, with
 * ESI and EDI kept. Also the way of the application processors.
 */
	.globl enter_long_mode
enter_long_mode:
	mov %cr4, %eax
	or $CR4_PAE, %eax
	mov %eax, %cr4
	mov $boot_pml4, %eax
	mov %eax, %cr3
	mov $EFER, %ecx
	rdmsr
	or $0x100, %eax /* LME */
	wrmsr
	mov %cr0, %eax
	or $0x80000000 | CR0_NE, %eax
	mov %eax, %cr0
	lgdt boot_gdt_register
	ljmp $8, $1f
	.code64
1:	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	mov %ebp, %ebp
	jmp *%rbp

	.section .rodata
	.balign 8
boot_gdt:
	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdt_register:
	.short boot_gdt_register - boot_gdt - 1
	.long boot_gdt, 0

	.bss
	.balign 4096
	.globl boot_pml4
boot_pml4:
	.skip 4096
boot_pdpt:
	.skip 4096
boot_page_directories:
	.skip 4 * 4096
#else
	lgdt boot_gdt_register
	ljmp $8, $1f
1:	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	mov %esi, %eax /* magic */
	mov %edi, %edx /* info */
	call lhv_main

	.section .rodata
	.balign 8
boot_gdt:
	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
	.globl boot_gdt_register
boot_gdt_register:
	.short boot_gdt_register - boot_gdt - 1
	.long boot_gdt
#endif

	.text
	.code32
cpu_too_old:
	mov $cpu_too_old_text, %esi
	mov $0xb8000, %edi
	mov $0x4f, %ah
4:	lodsb
	test %al, %al
	jz 6f
	stosw
	mov $0x3f8, %dx
	out %al, %dx
	mov $5000, %ecx /* the UART is not initialised yet: give it time */
5:	loop 5b
	jmp 4b
6:	cli
	hlt
	jmp 6b

	.section .rodata
cpu_too_old_text:
#if defined(__x86_64__)
	.asciz "Bail out! this CPU has no 64-bit mode: boot the pae or i386 build instead\r\n# verdict: refused\r\n"
#elif defined(LHV_PAE)
	.asciz "Bail out! this CPU has no PAE, PSE, TSC, MSRs or CMOV: boot the i386 build, or use a newer CPU\r\n# verdict: refused\r\n"
#else
	.asciz "Bail out! this CPU has no PSE, TSC, MSRs or CMOV: use a newer CPU\r\n# verdict: refused\r\n"
#endif

	.bss
	.balign 16
	.skip 8192
boot_stack_end:
	.globl entry_tsc
entry_tsc:
	.skip 8

	.section .note.GNU-stack, "", @progbits
