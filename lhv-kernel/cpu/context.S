/* Saved execution contexts. */
	.text
	.globl context_save, context_resume, context_land, context_start
#ifdef __x86_64__
context_save:
	mov (%rsp), %rax
	lea 8(%rsp), %rcx
	mov %rcx, 0(%rdi)
	mov %rax, 8(%rdi)
	mov %rbx, 16(%rdi)
	mov %rbp, 24(%rdi)
	mov %r12, 32(%rdi)
	mov %r13, 40(%rdi)
	mov %r14, 48(%rdi)
	mov %r15, 56(%rdi)
	xor %eax, %eax
	ret

context_start:
	mov %rdi, %rsp
	call *%rsi

context_land:
	mov %gs:8, %rdi /* struct cpu: self, recovery */
context_resume:
	mov 0(%rdi), %rsp
	mov 16(%rdi), %rbx
	mov 24(%rdi), %rbp
	mov 32(%rdi), %r12
	mov 40(%rdi), %r13
	mov 48(%rdi), %r14
	mov 56(%rdi), %r15
	mov $1, %eax
	jmp *8(%rdi)
#else
context_save:
	mov (%esp), %edx
	lea 4(%esp), %ecx
	mov %ecx, 0(%eax)
	mov %edx, 4(%eax)
	mov %ebx, 8(%eax)
	mov %ebp, 12(%eax)
	mov %esi, 16(%eax)
	mov %edi, 20(%eax)
	xor %eax, %eax
	ret

context_start:
	mov %eax, %esp
	call *%edx

context_land:
	mov $0x10, %ecx /* KERNEL_DS: the rule may have left anything in the segment registers */
	mov %ecx, %ds
	mov %ecx, %es
	mov %ecx, %ss
	mov $0x40, %ecx /* CPU_SELECTOR */
	mov %ecx, %gs
	mov %gs:4, %eax /* struct cpu: self, recovery */
context_resume:
	mov %eax, %edx
	mov 0(%edx), %esp
	mov 8(%edx), %ebx
	mov 12(%edx), %ebp
	mov 16(%edx), %esi
	mov 20(%edx), %edi
	mov $1, %eax
	jmp *4(%edx)
#endif

	.section .note.GNU-stack, "", @progbits
