/*
 * VM entry and VM exit. ulong vm_enter_raw(struct registers *, bool resume): ~0 after a VM exit, else RFLAGS or
 * the outcome of a fault. The host's callee-saved registers wait on the stack that the host RSP field names.
 */
#define HOST_RSP_FIELD 0x6c14
#define EXITED -1

	.text
	.globl vm_enter_raw, vm_exit
#ifdef __x86_64__
vm_enter_raw:
	push %rbp
	push %rbx
	push %r12
	push %r13
	push %r14
	push %r15
	push %rdi
	mov $HOST_RSP_FIELD, %eax
0:	vmwrite %rsp, %rax
	test %esi, %esi
	mov 0(%rdi), %rax
	mov 8(%rdi), %rcx
	mov 16(%rdi), %rdx
	mov 24(%rdi), %rbx
	mov 32(%rdi), %rbp
	mov 40(%rdi), %rsi
	mov 56(%rdi), %r8
	mov 64(%rdi), %r9
	mov 72(%rdi), %r10
	mov 80(%rdi), %r11
	mov 88(%rdi), %r12
	mov 96(%rdi), %r13
	mov 104(%rdi), %r14
	mov 112(%rdi), %r15
	mov 48(%rdi), %rdi
	jnz 2f
1:	vmlaunch
	jmp 3f
2:	vmresume
3:	pushf
	pop %rax
4:	add $8, %rsp
	jmp 5f

	.balign 16
vm_exit:
	xchg %rdi, (%rsp)
	mov %rax, 0(%rdi)
	mov %rcx, 8(%rdi)
	mov %rdx, 16(%rdi)
	mov %rbx, 24(%rdi)
	mov %rbp, 32(%rdi)
	mov %rsi, 40(%rdi)
	mov %r8, 56(%rdi)
	mov %r9, 64(%rdi)
	mov %r10, 72(%rdi)
	mov %r11, 80(%rdi)
	mov %r12, 88(%rdi)
	mov %r13, 96(%rdi)
	mov %r14, 104(%rdi)
	mov %r15, 112(%rdi)
	pop %rax
	mov %rax, 48(%rdi)
	pushf /* nothing above has changed the flags */
	pop %rax
	mov %rax, 120(%rdi)
	mov $EXITED, %rax
5:	cld
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbx
	pop %rbp
	ret

	.section fixups, "a"
	.quad 0b, 4b, 1b, 4b, 2b, 4b
#else
vm_enter_raw:
	push %ebp
	push %ebx
	push %esi
	push %edi
	push %eax
	mov $HOST_RSP_FIELD, %ecx
0:	vmwrite %esp, %ecx
	test %edx, %edx
	mov 4(%eax), %ecx
	mov 8(%eax), %edx
	mov 12(%eax), %ebx
	mov 16(%eax), %ebp
	mov 20(%eax), %esi
	mov 24(%eax), %edi
	mov 0(%eax), %eax
	jnz 2f
1:	vmlaunch
	jmp 3f
2:	vmresume
3:	pushf
	pop %eax
4:	add $4, %esp
	jmp 5f

	.balign 16
vm_exit:
	xchg %eax, (%esp)
	mov %ecx, 4(%eax)
	mov %edx, 8(%eax)
	mov %ebx, 12(%eax)
	mov %ebp, 16(%eax)
	mov %esi, 20(%eax)
	mov %edi, 24(%eax)
	pop %ecx
	mov %ecx, 0(%eax)
	pushf /* nothing above has changed the flags */
	pop %ecx
	mov %ecx, 28(%eax)
	mov $EXITED, %eax
5:	cld
	pop %edi
	pop %esi
	pop %ebx
	pop %ebp
	ret

	.section fixups, "a"
	.long 0b, 4b, 1b, 4b, 2b, 4b
#endif

	.section .note.GNU-stack, "", @progbits
