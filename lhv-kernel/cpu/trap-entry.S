/*
 * Stubs of the 256 vectors, twice: for the host's IDT and for a guest's, since the same interrupt means
 * different things in VMX root and non-root operation. Each pushes what struct trap_frame says.
 */
#ifdef __x86_64__
#define WORD .quad

.macro COMMON function
	push %rax
	push %rcx
	push %rdx
	push %rbx
	push %rbp
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	cld
	mov %rsp, %rdi
	mov %rsp, %rbx
	and $-16, %rsp
	call \function
	mov %rbx, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rbp
	pop %rbx
	pop %rdx
	pop %rcx
	pop %rax
	add $16, %rsp
	iretq
.endm
#else
#define WORD .long

.macro COMMON function
	pusha
	push %ds
	push %es
	push %fs
	push %gs
	mov $0x10, %eax /* KERNEL_DS */
	mov %eax, %ds
	mov %eax, %es
	mov $0x40, %eax /* CPU_SELECTOR */
	mov %eax, %gs
	cld
	mov %esp, %eax
	call \function
	pop %gs
	pop %fs
	pop %es
	pop %ds
	popa
	add $8, %esp
	iret
.endm
#endif

/* Vectors for which the CPU pushes an error code: 8, 10-14, 17, 21, 29, 30 */
#define ERROR_CODES (1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30)

.macro STUBS who, function
	.text
	.balign 16
\who\()_common:
	COMMON \function
	vector = 0
	.rept 256
	.pushsection .rodata
	WORD 1f
	.popsection
1:
	.if vector >= 32
	push $0
	.elseif (ERROR_CODES >> vector & 1) == 0
	push $0
	.endif
	push $vector
	jmp \who\()_common
	vector = vector + 1
	.endr
.endm

	.section .rodata
	.balign 8
	.globl host_stubs
host_stubs:
	STUBS host, host_trap

	.section .rodata
	.balign 8
	.globl guest_stubs
guest_stubs:
	STUBS guest, guest_trap

#ifndef __x86_64__
/*
 * The double-fault task: its stack is its own, the interrupted registers are in the main TSS. The handler
 * edits them; IRET switches back (NT is set). The next double fault resumes after the IRET.
 */
	.text
	.globl double_fault_task
double_fault_task:
	pop %eax /* error code */
	call double_fault
	iret
	jmp double_fault_task
#endif

	.section .note.GNU-stack, "", @progbits
