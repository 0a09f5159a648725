/* Into what a struct trap_frame says: the way back of the trap stubs. NORETURN void execute_enter(struct trap_frame *). */
	.text
	.globl execute_enter
#ifdef __x86_64__
execute_enter:
	mov %rdi, %rsp
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
#else
execute_enter:
	mov %eax, %esp
	pop %gs
	pop %fs
	pop %es
	pop %ds
	popa
	add $8, %esp
	iret
#endif

	.section .note.GNU-stack, "", @progbits
