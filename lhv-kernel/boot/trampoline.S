/*
 * Where an application processor wakes up: copied to a page below 1 MiB, entered in real mode by SIPI (SDM 3A,
 * "MP Initialization"), leaves for ap_entry in the mode of the build. Position-independent up to the far jump,
 * whose target trampoline_prepare() has no need to patch: it lies in the image.
 */
	.section .rodata
	.code16
	.globl trampoline_begin, trampoline_end
	.balign 16
trampoline_begin:
	cli
	cld
	mov %cs, %ax
	mov %ax, %ds
	lgdtl trampoline_gdt_register - trampoline_begin
	mov $0x21, %eax /* PE, NE; caches on (CD and NW clear) */
	mov %eax, %cr0
	ljmpl $8, $ap_protected
	.balign 4
trampoline_gdt_register:
	.short 23
	.long trampoline_gdt
trampoline_end:

	.balign 8
trampoline_gdt:
	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff

	.text
	.code32
ap_protected:
	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
#ifdef __x86_64__
	mov $ap_long, %ebp
	jmp enter_long_mode
	.code64
ap_long:
	mov ap_boot_cr3, %rax
	mov %rax, %cr3
	mov ap_boot_stack, %rsp
	mov ap_boot_cpu, %rdi
	call ap_main
#else
	mov ap_boot_cr4, %eax
	mov %eax, %cr4
	mov ap_boot_cr3, %eax
	mov %eax, %cr3
	mov %cr0, %eax
	or $0x80000000, %eax
	mov %eax, %cr0
	mov ap_boot_stack, %esp
	mov ap_boot_cpu, %eax
	call ap_main
#endif

	.section .note.GNU-stack, "", @progbits
