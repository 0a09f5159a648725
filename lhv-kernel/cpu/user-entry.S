/*
 * To ring 3 and back. ulong user_enter(const struct user_entry *): the stack pointer goes into the TSS, so that whatever
 * enters ring 0 meanwhile stays below what is saved here, and the way back finds it.
 */
#define VECTOR_USER_RETURN 0x7f

	.text
	.globl user_enter, user_return, user_return_sysenter, user_return_syscall
#ifdef __x86_64__
user_enter:
	push %rbp
	push %rbx
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, %rax
	and $-16, %rsp /* the CPU aligns the stack that it takes from the TSS */
	push %rax
	push %rax
	mov 48(%rdi), %rax
	mov %rsp, (%rax)
	pushq 32(%rdi) /* SS */
	pushq 16(%rdi) /* RSP */
	pushq 40(%rdi) /* RFLAGS */
	pushq 24(%rdi) /* CS */
	lea in_ring3(%rip), %rax
	push %rax
	mov 0(%rdi), %rsi
	mov 8(%rdi), %rdi
	iretq

in_ring3:
	call *%rsi
	int $VECTOR_USER_RETURN

user_return:
	mov 16(%rsp), %rax /* RFLAGS */
	add $40, %rsp
1:	cld
	mov (%rsp), %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbx
	pop %rbp
	ret

user_return_syscall:
	mov (%rdi), %rsp
	mov %r11, %rax /* RFLAGS */
	jmp 1b

user_return_sysenter:
	mov (%rsp), %rsp
	xor %eax, %eax
	jmp 1b
#else
user_enter:
	push %ebp
	push %ebx
	push %esi
	push %edi
	mov 24(%eax), %edx
	mov %esp, (%edx)
	pushl 16(%eax) /* SS */
	pushl 8(%eax) /* ESP */
	pushl 20(%eax) /* EFLAGS */
	pushl 12(%eax) /* CS */
	push $in_ring3
	mov 16(%eax), %edx
	mov %edx, %ds
	mov %edx, %es
	mov 0(%eax), %edx
	mov 4(%eax), %eax
	iret

in_ring3:
	call *%edx
	int $VECTOR_USER_RETURN

user_return:
	mov 8(%esp), %eax /* EFLAGS */
	add $20, %esp
1:	cld
	mov $0x10, %edx /* KERNEL_DS */
	mov %edx, %ds
	mov %edx, %es
	mov $0x40, %edx /* CPU_SELECTOR */
	mov %edx, %gs
	xor %edx, %edx
	mov %edx, %fs
	pop %edi
	pop %esi
	pop %ebx
	pop %ebp
	ret

user_return_syscall: /* no build with 32-bit kernels has it */
	ud2

user_return_sysenter:
	mov (%esp), %esp
	xor %eax, %eax
	jmp 1b
#endif

	.section .note.GNU-stack, "", @progbits
