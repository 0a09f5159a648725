/*
 * void execute_real_enter(struct low_page *): paging off, protection off, the code, and the same way back. In compatibility
 * mode or 32-bit protected mode the image and the low page are where they are in the kernel's: mapped one to one.
 */
#define CODE_OFFSET 0x800
#define DATA_OFFSET 0x900
#define GDTR (DATA_OFFSET + 48)
#define IDTR (GDTR + 6)
#define REAL_FAR (IDTR + 6)
#define SAVED_CX (REAL_FAR + 4)
#define SAVED_DX (SAVED_CX + 4)
#define SAVED_FLAGS (SAVED_DX + 4)
#define SAVED_CR0 (SAVED_FLAGS + 4)
#define END_VECTOR (SAVED_CR0 + 4)
#define END_IP (END_VECTOR + 2)
#define END_CS (END_IP + 2)
#define END_FLAGS (END_CS + 2)
#define PAGE_SIZE 0x1000

#define CODE_32 0x08
#define DATA_32 0x10
#define CODE_16 0x18
#define DATA_16 0x20
#define CODE_64 0x28
#define CR0_PE 1
#define CR0_PG 0x80000000

	.bss
	.balign 8
kernel_stack:
	.skip 8

	.text
	.globl execute_real_enter
#ifdef __x86_64__
execute_real_enter:
	push %rbp
	push %rbx
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, kernel_stack
	mov %rdi, %rbx
	/* LGDT takes a base of 8 bytes here: the 32-bit code loads it again */
	sub $16, %rsp
	movw $47, (%rsp)
	lea DATA_OFFSET(%rbx), %rax
	mov %rax, 2(%rsp)
	lgdt (%rsp)
	add $16, %rsp
	pushq $CODE_32
	lea 1f(%rip), %rax
	push %rax
	lretq
#else
execute_real_enter:
	push %ebp
	push %ebx
	push %esi
	push %edi
	mov %esp, kernel_stack
	mov %eax, %ebx
	lgdt GDTR(%ebx)
	ljmp $CODE_32, $1f
#endif
	.code32
1:	mov $DATA_32, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %cr0, %eax
	and $~CR0_PG, %eax
	mov %eax, %cr0
	mov $DATA_16, %ecx
	mov %ecx, %ds
	mov %ecx, %es
	mov %ecx, %fs
	mov %ecx, %gs
	mov %ecx, %ss
	ljmp $CODE_16, $protected_16 - execute_real_begin

back_32:
	mov $DATA_32, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov SAVED_CR0(%ebx), %eax
	mov %eax, %cr0
#ifdef __x86_64__
	ljmp $CODE_64, $back_64
	.code64
back_64:
	mov kernel_stack, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbx
	pop %rbp
	ret
#else
	mov kernel_stack, %esp
	pop %edi
	pop %esi
	pop %ebx
	pop %ebp
	ret
#endif

/* What is copied to the low page */
	.section .rodata
	.globl execute_real_begin, execute_real_end, execute_real_start, execute_real_stubs, execute_real_ignore
	.code16
	.balign 16
execute_real_begin:
protected_16:
	lidtl %cs:IDTR
	and $~CR0_PE, %eax
	mov %eax, %cr0
	ljmp *%cs:REAL_FAR
execute_real_start:
	mov %cs, %ax
	mov %ax, %ss
	mov $PAGE_SIZE, %sp
	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %fs
	mov %ax, %gs
	mov %cs:SAVED_CX, %ecx
	mov %cs:SAVED_DX, %edx
	pushl %cs:SAVED_FLAGS
	popfl
	jmp execute_real_begin + CODE_OFFSET

	.balign 4
execute_real_stubs:
	vector = 0
	.rept 32
	.byte 0x6a, vector /* PUSH */
	jmp ended
	vector = vector + 1
	.endr
ended:
	popw %cs:END_VECTOR
	popw %cs:END_IP
	popw %cs:END_CS
	popw %cs:END_FLAGS
	cld
	mov %cs:SAVED_CR0, %eax
	and $~CR0_PG, %eax
	mov %eax, %cr0
	ljmpl $CODE_32, $back_32
execute_real_ignore:
	iretw
execute_real_end:

	.section .note.GNU-stack, "", @progbits
