/* One RDMSR or WRMSR in a guest, then VMCALL: bytes, so that the registers hold nothing but the instruction's operands. */
#pragma once
#include "cpu/traps.h"
#include "lhv-guest/guest.h"
#include "lhv-guest/hypercall.h"

#define MSR_ACCESS_LENGTH 2 /* both instructions */
#define POISON 0x5a5a5a5a

static const u8 rdmsr_vmcall[] __attribute__((unused)) = {0x0f, 0x32, 0x0f, 0x01, 0xc1};
static const u8 wrmsr_vmcall[] __attribute__((unused)) = {0x0f, 0x30, 0x0f, 0x01, 0xc1};

/* The guest's next instruction is RDMSR of that MSR, with other values in EAX and EDX. Returns its next exit. */
static inline struct exit guest_rdmsr(struct guest *guest, u32 msr)
{
	vmwrite(VMCS_GUEST_RIP, (ulong)rdmsr_vmcall);
	guest->registers.cx = msr;
	guest->registers.ax = guest->registers.dx = POISON;
	return guest_run(guest);
}

static inline struct exit guest_wrmsr(struct guest *guest, u32 msr, u64 value)
{
	vmwrite(VMCS_GUEST_RIP, (ulong)wrmsr_vmcall);
	guest->registers.cx = msr;
	guest->registers.ax = (u32)value;
	guest->registers.dx = (u32)(value >> 32);
	return guest_run(guest);
}

/* The instruction was executed: the guest is at its VMCALL. */
static inline void expect_executed(struct guest *guest, struct exit exit, const u8 *code)
{
	expect_hypercall(guest, exit, guest->registers.ax);
	if (guest->registers.ax == HYPERCALL_EXCEPTION)
		expect_hypercall(guest, exit, HYPERCALL_DONE); /* fails, with the exception in words */
	expect_equal("guest RIP, at the VMCALL after the MSR access", vmread(VMCS_GUEST_RIP), (ulong)code + MSR_ACCESS_LENGTH);
}

/* RDMSR in the guest, executed without VM exit: what it gave. */
static inline u64 expect_guest_reads(struct guest *guest, u32 msr)
{
	expect_executed(guest, guest_rdmsr(guest, msr), rdmsr_vmcall);
	return (u64)(u32)guest->registers.dx << 32 | (u32)guest->registers.ax;
}

static inline void expect_guest_writes(struct guest *guest, u32 msr, u64 value)
{
	expect_executed(guest, guest_wrmsr(guest, msr, value), wrmsr_vmcall);
}

/* The guest took #GP(0) at the instruction. */
static inline void expect_guest_gp(struct guest *guest, struct exit exit, const u8 *code)
{
	expect_hypercall(guest, exit, HYPERCALL_EXCEPTION);
	expect_outcome("the instruction in the guest", FAULTED(guest->exception.vector, guest->exception.error_code), FAULT_GP0);
	expect_equal("where it faulted", guest->exception.ip, (ulong)code);
}
