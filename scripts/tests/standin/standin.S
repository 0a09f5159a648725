/*
 * The stand-in's ways in and out: it moves itself from where Multiboot loads it to 256 MiB, starts the CPU that it
 * keeps, and leaves to the guest's boot sector in real mode.
 */
#define TRAMPOLINE 0x8000		/* of the second CPU; its page number is the SIPI's vector */
#define WAY_OUT 0x6000
#define HOOK 0x4ac
#define HOOK_SIZE 68			/* that the BIOS data area leaves free */

#define AT(base, symbol, begin) (base + symbol - begin)

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x00010002	/* memory information; addresses follow */

	.section .header, "awx"
	.align 4
	.globl header
header:	.long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)
	.long loaded_header, loaded_image, loaded_end, loaded_end, loaded_entry

	.globl entry
entry:	cld
	mov $loaded_image, %esi
	mov $image, %edi
	mov $image_size, %ecx
	rep movsb
	mov $moved, %eax
	jmp *%eax
moved:	lgdt gdt_pointer
	ljmp $8, $1f
1:	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $stack + 4096, %esp
	push %ebx
	call start
	int3

	.align 8
gdt:	.quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x00009a000000ffff, 0x000092000000ffff
gdt_pointer:
	.word 39
	.long gdt

/* void leave(unsigned char drive): to 7C00h in real mode, with DL set */
	.globl leave
leave:	mov 4(%esp), %edx
	mov $way_out, %esi
	mov $WAY_OUT, %edi
	mov $way_out_end - way_out, %ecx
	rep movsb
	mov $32, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	ljmp $24, $WAY_OUT

	.code16
way_out:
	lidtl %cs:AT(WAY_OUT, real_idt, way_out)
	mov %cr0, %eax
	and $~1, %eax
	mov %eax, %cr0
	ljmp $0, $AT(WAY_OUT, 1f, way_out)
1:	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $0x7c00, %sp
	ljmp $0, $0x7c00
real_idt:
	.word 0x3ff
	.long 0
way_out_end:
	.code32

/* void hook_memory_map(void): INT 15h, AX=E820h gives extended memory up to 256 MiB only */
	.globl hook_memory_map
hook_memory_map:
	push %esi
	push %edi
	mov 0x15 * 4, %eax
	mov %eax, old_handler
	mov $hook, %esi
	mov $HOOK, %edi
	mov $hook_end - hook, %ecx
	rep movsb
	movl $HOOK, 0x15 * 4
	pop %edi
	pop %esi
	ret

	.code16
hook:	cmp $0xe820, %ax
	jne 2f
	pushf
	lcall *%cs:AT(HOOK, old_handler, hook)
	jc 1f
	cmpl $0x100000, %es:(%di)
	jne 3f
	movl $0x0ff00000, %es:8(%di)
3:	clc
1:	push %bp			/* the carry flag goes back to the caller, whose other flags stay */
	mov %sp, %bp
	rcrb 6(%bp)
	rolb 6(%bp)
	pop %bp
	iret
2:	ljmp *%cs:AT(HOOK, old_handler, hook)
old_handler:
	.long 0
hook_end:
	.org hook + HOOK_SIZE		/* fails where the hook is longer */
	.code32

/* void place_trampoline(void): where the second CPU begins */
	.globl place_trampoline
place_trampoline:
	push %esi
	push %edi
	mov $trampoline, %esi
	mov $TRAMPOLINE, %edi
	mov $trampoline_end - trampoline, %ecx
	rep movsb
	pop %edi
	pop %esi
	ret

	.code16
trampoline:
	cli
	lgdtl %cs:AT(0, low_pointer, trampoline)
	mov %cr0, %eax
	or $1, %eax
	mov %eax, %cr0
	ljmpl $8, $second
low_pointer:
	.word 39
	.long gdt
trampoline_end:
	.code32
second:	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $second_stack + 4096, %esp
	call haunt
	int3

	.bss
	.align 16
stack:	.skip 4096
second_stack:
	.skip 4096

	.section .note.GNU-stack, "", @progbits
