/* MSR bitmaps (25.6.9): which RDMSR and WRMSR of a guest exit, what such an exit tells, and where the others go. */
#include "cpu/msr.h"
#include "cpu/registers.h"
#include "harness/restore.h"
#include "harness/rule.h"
#include "lhv-tests/msr-access.h"
#include "lib/string.h"

#define BITMAPS "25.6.9 MSR-Bitmap Address"
#define CONDITIONAL "26.1.3 Instructions That Cause VM Exits Conditionally"
#define PRIORITY "26.1.1 Relative Priority of Faults and VM Exits"

/* The four quarters of the page, 1 KByte each */
enum quarter { READ_LOW, READ_HIGH, WRITE_LOW, WRITE_HIGH };
#define QUARTER_SIZE 1024
#define LOW_LAST 0x1fffu
#define HIGH_FIRST 0xc0000000u
#define HIGH_LAST 0xc0001fffu

#define BITMAP_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "msr.bitmap." id_text, .title = title_text, .sdm = section, .needs = NEED_VMX_ROOT, .opt = OPT_MSRBITMAP, ##__VA_ARGS__)
#define BITMAP_ROW(function, id_text, title_text, section, data, ...) \
	ROW(function, .id = "msr.bitmap." id_text, .title = title_text, .sdm = section, .row = &data, .needs = NEED_VMX_ROOT, \
	    .opt = OPT_MSRBITMAP, ##__VA_ARGS__)

static void guest_nothing(void)
{
}

/* A guest with bitmaps of its own, every byte of which is `fill` */
static struct guest *guest_with_bitmaps(u8 **bitmaps, u8 fill)
{
	struct guest *guest = guest_golden(guest_nothing);

	controls_set(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_USE_MSR_BITMAPS, "use MSR bitmaps");
	*bitmaps = memset(scratch_page(), fill, PAGE_SIZE);
	vmwrite(VMCS_MSR_BITMAPS, physical(*bitmaps));
	return guest;
}

static void flip_bit(u8 *bitmaps, enum quarter quarter, u32 msr)
{
	bitmaps[quarter * QUARTER_SIZE + (msr & LOW_LAST) / 8] ^= 1 << msr % 8;
}

/* An access of one MSR */
struct access {
	u32 msr;
	bool write;
};

static enum quarter quarter_of(struct access access)
{
	return (access.write ? WRITE_LOW : READ_LOW) + (access.msr >= HIGH_FIRST);
}

static u32 exit_reason_of(struct access access)
{
	return access.write ? EXIT_REASON_WRMSR : EXIT_REASON_RDMSR;
}

static const u8 *code_of(struct access access)
{
	return access.write ? wrmsr_vmcall : rdmsr_vmcall;
}

/* A write, should it not exit, writes what is there already; an MSR that is not there gets 0 */
static struct exit run(struct guest *guest, struct access access)
{
	u64 value;

	msr_try_read(access.msr, &value);
	return access.write ? guest_wrmsr(guest, access.msr, value) : guest_rdmsr(guest, access.msr);
}

static void expect_exits(struct guest *guest, struct access access)
{
	expect_exit(run(guest, access), exit_reason_of(access));
	expect_equal("guest RIP, at the instruction", vmread(VMCS_GUEST_RIP), (ulong)code_of(access));
}

static void expect_passes(struct guest *guest, struct access access)
{
	expect_executed(guest, run(guest, access), code_of(access));
}

static void need_msr(u32 msr)
{
	u64 value;

	if (msr_try_read(msr, &value) != SUCCEEDED)
		rule_skip("the CPU has no MSR %xh", msr);
}

static void need_no_msr(u32 msr)
{
	u64 value;

	if (msr_try_read(msr, &value) == SUCCEEDED)
		rule_skip("the CPU has an MSR %xh", msr);
}

/* ---- The quarters ------------------------------------------------------------------------------------ */

static const struct access read_low = {MSR_SYSENTER_CS, false}, write_low = {MSR_SYSENTER_CS, true};
static const struct access read_high = {MSR_LSTAR, false}, write_high = {MSR_LSTAR, true};

/* One bit set: its access exits */
static void bit_set(const struct rule *rule)
{
	const struct access *access = rule->row;
	u8 *bitmaps;
	struct guest *guest = guest_with_bitmaps(&bitmaps, 0);

	flip_bit(bitmaps, quarter_of(*access), access->msr);
	expect_exits(guest, *access);
}

/* That bit clear and all others set: its access passes */
static void bit_clear(const struct rule *rule)
{
	const struct access *access = rule->row;
	u8 *bitmaps;
	struct guest *guest = guest_with_bitmaps(&bitmaps, 0xff);

	need_msr(access->msr);
	flip_bit(bitmaps, quarter_of(*access), access->msr);
	expect_passes(guest, *access);
	flip_bit(bitmaps, quarter_of(*access), access->msr);
	expect_exits(guest, *access);
}

#define QUARTER(id_text, title_text, data) \
	BITMAP_ROW(bit_set, id_text ".bit-set", title_text " exits where its bit is 1", BITMAPS, data) \
	BITMAP_ROW(bit_clear, id_text ".bit-clear", title_text " does not exit where only its bit is 0", BITMAPS, data)

QUARTER("read-low", "RDMSR of an MSR of the low range", read_low)
QUARTER("read-high", "RDMSR of an MSR of the high range", read_high)
QUARTER("write-low", "WRMSR of an MSR of the low range", write_low)
QUARTER("write-high", "WRMSR of an MSR of the high range", write_high)

/* ---- Their limits -------------------------------------------------------------------------------------- */

static const struct access read_0 = {0, false}, read_1fff = {LOW_LAST, false};
static const struct access read_c0000000 = {HIGH_FIRST, false}, read_c0001fff = {HIGH_LAST, false};
static const struct access write_0 = {0, true}, write_1fff = {LOW_LAST, true};
static const struct access write_c0000000 = {HIGH_FIRST, true}, write_c0001fff = {HIGH_LAST, true};

#define LIMIT(id_text, title_text, data) BITMAP_ROW(bit_set, id_text, title_text " exits where its bit is 1", BITMAPS, data)

LIMIT("read-low.first", "RDMSR of MSR 0H", read_0)
LIMIT("read-low.last", "RDMSR of MSR 1FFFH", read_1fff)
LIMIT("read-high.first", "RDMSR of MSR C0000000H", read_c0000000)
LIMIT("read-high.last", "RDMSR of MSR C0001FFFH", read_c0001fff)
LIMIT("write-low.first", "WRMSR of MSR 0H", write_0)
LIMIT("write-low.last", "WRMSR of MSR 1FFFH", write_1fff)
LIMIT("write-high.first", "WRMSR of MSR C0000000H", write_c0000000)
LIMIT("write-high.last", "WRMSR of MSR C0001FFFH", write_c0001fff)

/* All bits 0: outside the ranges that helps nothing */
static void outside(const struct rule *rule)
{
	u8 *bitmaps;
	struct guest *guest = guest_with_bitmaps(&bitmaps, 0);

	expect_exits(guest, *(const struct access *)rule->row);
}

static const struct access read_2000 = {0x2000, false}, write_2000 = {0x2000, true};
static const struct access read_40000000 = {0x40000000, false}, write_40000000 = {0x40000000, true};
static const struct access read_bfffffff = {0xbfffffff, false}, write_bfffffff = {0xbfffffff, true};
static const struct access read_c0002000 = {0xc0002000, false}, write_c0002000 = {0xc0002000, true};
static const struct access read_ffffffff = {0xffffffff, false}, write_ffffffff = {0xffffffff, true};

#define OUTSIDE(number, id_text) \
	BITMAP_ROW(outside, "outside." id_text "-read", "RDMSR of MSR " id_text "h, outside the ranges, exits with all bits 0", CONDITIONAL, read_##number) \
	BITMAP_ROW(outside, "outside." id_text "-write", "WRMSR of MSR " id_text "h, outside the ranges, exits with all bits 0", CONDITIONAL, write_##number)

OUTSIDE(2000, "2000")
OUTSIDE(40000000, "40000000")
OUTSIDE(bfffffff, "bfffffff")
OUTSIDE(c0002000, "c0002000")
OUTSIDE(ffffffff, "ffffffff")

/* ---- Without bitmaps ------------------------------------------------------------------------------------ */

/* All bits of the unused bitmaps are 0 */
static void no_bitmaps(const struct rule *rule)
{
	u8 *bitmaps;
	struct guest *guest = guest_with_bitmaps(&bitmaps, 0);

	controls_clear(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_USE_MSR_BITMAPS, "use MSR bitmaps");
	expect_exits(guest, *(const struct access *)rule->row);
}

BITMAP_ROW(no_bitmaps, "unused.read-low", "Without \"use MSR bitmaps\" RDMSR of the low range exits", CONDITIONAL, read_low)
BITMAP_ROW(no_bitmaps, "unused.read-high", "Without \"use MSR bitmaps\" RDMSR of the high range exits", CONDITIONAL, read_high)
BITMAP_ROW(no_bitmaps, "unused.write-low", "Without \"use MSR bitmaps\" WRMSR of the low range exits", CONDITIONAL, write_low)
BITMAP_ROW(no_bitmaps, "unused.write-high", "Without \"use MSR bitmaps\" WRMSR of the high range exits", CONDITIONAL, write_high)
BITMAP_ROW(no_bitmaps, "unused.read-absent", "Without \"use MSR bitmaps\" RDMSR of an MSR that does not exist exits", CONDITIONAL, read_1fff)

BITMAP_RULE(unused_address, "unused.address", "Without \"use MSR bitmaps\" the address of the bitmaps is not looked at", "27.2.1.1 VM-Execution Control Fields")
{
	u8 *bitmaps;
	struct guest *guest = guest_with_bitmaps(&bitmaps, 0);

	controls_clear(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, PROC_USE_MSR_BITMAPS, "use MSR bitmaps");
	vmwrite(VMCS_MSR_BITMAPS, 0xfffff001);
	expect_done(guest);
}

/* ---- Exits and #GP -------------------------------------------------------------------------------------- */

#define PAT_RESERVED 0x0202020202020202

static void absent_gp(const struct rule *rule)
{
	const struct access *access = rule->row;
	u8 *bitmaps;
	struct guest *guest = guest_with_bitmaps(&bitmaps, 0);

	need_no_msr(access->msr);
	expect_guest_gp(guest, run(guest, *access), code_of(*access));
}

BITMAP_ROW(absent_gp, "gp.read-low", "RDMSR of an absent MSR whose bit is 0 gives #GP(0) in the guest", BITMAPS, read_1fff)
BITMAP_ROW(absent_gp, "gp.read-high", "RDMSR of an absent MSR of the high range whose bit is 0 gives #GP(0) in the guest", BITMAPS, read_c0001fff)
BITMAP_ROW(absent_gp, "gp.write-low", "WRMSR of an absent MSR whose bit is 0 gives #GP(0) in the guest", BITMAPS, write_1fff)
BITMAP_ROW(absent_gp, "gp.write-high", "WRMSR of an absent MSR of the high range whose bit is 0 gives #GP(0) in the guest", BITMAPS, write_c0001fff)

static void absent_exits(const struct rule *rule)
{
	const struct access *access = rule->row;
	u8 *bitmaps;
	struct guest *guest = guest_with_bitmaps(&bitmaps, 0xff);

	need_no_msr(access->msr);
	expect_exits(guest, *access);
}

BITMAP_ROW(absent_exits, "exit-before-gp.read-low", "RDMSR of an absent MSR whose bit is 1 exits before its #GP", PRIORITY, read_1fff)
BITMAP_ROW(absent_exits, "exit-before-gp.read-high", "RDMSR of an absent MSR of the high range whose bit is 1 exits before its #GP", PRIORITY, read_c0001fff)
BITMAP_ROW(absent_exits, "exit-before-gp.write-low", "WRMSR of an absent MSR whose bit is 1 exits before its #GP", PRIORITY, write_1fff)
BITMAP_ROW(absent_exits, "exit-before-gp.write-high", "WRMSR of an absent MSR of the high range whose bit is 1 exits before its #GP", PRIORITY, write_c0001fff)

BITMAP_RULE(value_gp, "gp.value", "WRMSR of a reserved value gives #GP(0) in the guest where it does not exit", BITMAPS)
{
	u8 *bitmaps;
	struct guest *guest = guest_with_bitmaps(&bitmaps, 0);

	msr_restore_after_rule(MSR_PAT, "IA32_PAT");
	expect_guest_gp(guest, guest_wrmsr(guest, MSR_PAT, PAT_RESERVED), wrmsr_vmcall);
}

BITMAP_RULE(value_exits, "exit-before-gp.value", "WRMSR of a reserved value exits before its #GP", PRIORITY)
{
	u8 *bitmaps;
	struct guest *guest = guest_with_bitmaps(&bitmaps, 0xff);

	msr_restore_after_rule(MSR_PAT, "IA32_PAT");
	expect_exit(guest_wrmsr(guest, MSR_PAT, PAT_RESERVED), EXIT_REASON_WRMSR);
}

/* ---- What an exit tells ------------------------------------------------------------------------------------ */

#define INFORMATION_ROWS(function, id_text, title_text, section) \
	BITMAP_ROW(function, "exit." id_text "-rdmsr", "An RDMSR exit " title_text, section, read_low) \
	BITMAP_ROW(function, "exit." id_text "-wrmsr", "A WRMSR exit " title_text, section, write_low)

static void exit_qualification(const struct rule *rule)
{
	u8 *bitmaps;
	struct guest *guest = guest_with_bitmaps(&bitmaps, 0xff);

	expect_exits(guest, *(const struct access *)rule->row);
	expect_equal("exit qualification", vmread(VMCS_EXIT_QUALIFICATION), 0);
}

INFORMATION_ROWS(exit_qualification, "qualification", "has exit qualification 0", "28.2.1 Basic VM-Exit Information")

static void exit_length(const struct rule *rule)
{
	u8 *bitmaps;
	struct guest *guest = guest_with_bitmaps(&bitmaps, 0xff);

	expect_exits(guest, *(const struct access *)rule->row);
	expect_equal("VM-exit instruction length", vmread(VMCS_EXIT_INSTRUCTION_LENGTH), MSR_ACCESS_LENGTH);
}

INFORMATION_ROWS(exit_length, "length", "reports an instruction of 2 bytes", "28.2.5 Information for VM Exits Due to Instruction Execution")

static void exit_registers(const struct rule *rule)
{
	const struct access *access = rule->row;
	u8 *bitmaps;
	struct guest *guest = guest_with_bitmaps(&bitmaps, 0xff);

	msr_restore_after_rule(access->msr, "IA32_SYSENTER_CS");
	guest->registers.bx = 0x1111;
	if (access->write)
		expect_exit(guest_wrmsr(guest, access->msr, 0x2222222233333333), EXIT_REASON_WRMSR);
	else
		expect_exit(guest_rdmsr(guest, access->msr), EXIT_REASON_RDMSR);
	expect_equal("EAX", guest->registers.ax, access->write ? 0x33333333 : POISON);
	expect_equal("EDX", guest->registers.dx, access->write ? 0x22222222 : POISON);
	expect_equal("ECX", guest->registers.cx, access->msr);
	expect_equal("EBX", guest->registers.bx, 0x1111);
	expect_equal("the MSR, as the VM exit saved it", vmread(VMCS_GUEST_IA32_SYSENTER_CS), 0);
}

INFORMATION_ROWS(exit_registers, "nothing-done", "leaves registers and MSR as they were before the instruction", "28.1 Architectural State Before a VM Exit")

BITMAP_RULE(exit_resume, "exit.bit-cleared", "After an exit, its bit cleared, the guest's access is made anew and passes", BITMAPS)
{
	u8 *bitmaps;
	struct guest *guest = guest_with_bitmaps(&bitmaps, 0);

	flip_bit(bitmaps, WRITE_LOW, MSR_SYSENTER_CS);
	expect_exit(guest_wrmsr(guest, MSR_SYSENTER_CS, 0x5a58), EXIT_REASON_WRMSR);
	flip_bit(bitmaps, WRITE_LOW, MSR_SYSENTER_CS);
	expect_executed(guest, guest_run(guest), wrmsr_vmcall);
	expect_equal("IA32_SYSENTER_CS of the guest", vmread(VMCS_GUEST_IA32_SYSENTER_CS), 0x5a58);
}

BITMAP_RULE(other_page, "other-page", "A VM entry uses the bitmaps that the field names then", BITMAPS)
{
	u8 *bitmaps;
	struct guest *guest = guest_with_bitmaps(&bitmaps, 0);
	u8 *others = memset(scratch_page(), 0xff, PAGE_SIZE);

	expect_passes(guest, read_low);
	vmwrite(VMCS_MSR_BITMAPS, physical(others));
	expect_exits(guest, read_low);
	vmwrite(VMCS_MSR_BITMAPS, physical(bitmaps));
	expect_passes(guest, read_low);
}

/* ---- MSRs that live in the VMCS --------------------------------------------------------------------------- */

#define GUEST_BASE 0x12345670
#define OTHER_BASE 0x23456780

struct base {
	u32 msr;
	enum vmcs_field field;
	const char *name;
};

static const struct base fs_base = {MSR_FS_BASE, VMCS_GUEST_FS_BASE, "IA32_FS_BASE"};
static const struct base gs_base = {MSR_GS_BASE, VMCS_GUEST_GS_BASE, "IA32_GS_BASE"};
static const struct base sysenter_cs = {MSR_SYSENTER_CS, VMCS_GUEST_IA32_SYSENTER_CS, "IA32_SYSENTER_CS"};
static const struct base sysenter_esp = {MSR_SYSENTER_ESP, VMCS_GUEST_IA32_SYSENTER_ESP, "IA32_SYSENTER_ESP"};
static const struct base sysenter_eip = {MSR_SYSENTER_EIP, VMCS_GUEST_IA32_SYSENTER_EIP, "IA32_SYSENTER_EIP"};

static void reads_field(const struct rule *rule)
{
	const struct base *base = rule->row;
	u8 *bitmaps;
	struct guest *guest = guest_with_bitmaps(&bitmaps, 0);

	need_msr(base->msr);
	vmwrite(base->field, GUEST_BASE);
	expect_equal("what the guest's RDMSR gives", expect_guest_reads(guest, base->msr), GUEST_BASE);
}

static void writes_field(const struct rule *rule)
{
	const struct base *base = rule->row;
	u8 *bitmaps;
	struct guest *guest = guest_with_bitmaps(&bitmaps, 0);
	u64 host;

	need_msr(base->msr);
	/* a VM exit to other than 64-bit mode loads the base of FS only where FS is usable (28.5.2) */
	vmwrite(VMCS_HOST_FS_SELECTOR, sizeof(ulong) == 4 ? KERNEL_DS : 0);
	host = msr_read(base->msr);
	expect_guest_writes(guest, base->msr, OTHER_BASE);
	expect_equal("the guest-state field after the VM exit", vmread(base->field), OTHER_BASE);
	expect_equal("the host's MSR after the VM exit", msr_read(base->msr), host);
	expect_equal("what the guest's RDMSR gives, next time", expect_guest_reads(guest, base->msr), OTHER_BASE);
}

#define LIVES_IN_VMCS(id_text, title_text, data) \
	BITMAP_ROW(reads_field, "field." id_text "-read", "RDMSR of " title_text " without VM exit gives the guest-state field", \
		   "27.3.2.1 Loading Guest Control Registers, Debug Registers, and MSRs", data) \
	BITMAP_ROW(writes_field, "field." id_text "-write", "WRMSR of " title_text " without VM exit lands in the guest-state field, not in the host", \
		   "28.3.1 Saving Control Registers, Debug Registers, and MSRs", data)

LIVES_IN_VMCS("fs-base", "IA32_FS_BASE", fs_base)
LIVES_IN_VMCS("gs-base", "IA32_GS_BASE", gs_base)
LIVES_IN_VMCS("sysenter-cs", "IA32_SYSENTER_CS", sysenter_cs)
LIVES_IN_VMCS("sysenter-esp", "IA32_SYSENTER_ESP", sysenter_esp)
LIVES_IN_VMCS("sysenter-eip", "IA32_SYSENTER_EIP", sysenter_eip)

/* No field: guest and host share them */
static void shared(const struct rule *rule)
{
	const struct base *base = rule->row;
	u8 *bitmaps;
	struct guest *guest = guest_with_bitmaps(&bitmaps, 0);

	msr_restore_after_rule(base->msr, base->name);
	msr_write(base->msr, GUEST_BASE);
	expect_equal("what the guest's RDMSR gives", expect_guest_reads(guest, base->msr), GUEST_BASE);
	expect_guest_writes(guest, base->msr, OTHER_BASE);
	expect_equal("what the host's RDMSR gives", msr_read(base->msr), OTHER_BASE);
}

static const struct base kernel_gs_base = {MSR_KERNEL_GS_BASE, 0, "IA32_KERNEL_GS_BASE"};
static const struct base lstar = {MSR_LSTAR, 0, "IA32_LSTAR"};
static const struct base star = {MSR_STAR, 0, "IA32_STAR"};

#define SHARED(id_text, title_text, data) \
	BITMAP_ROW(shared, "shared." id_text, title_text ", which no VM entry or VM exit touches, is one for guest and host", \
		   "28.5.1 Loading Host Control Registers, Debug Registers, MSRs", data)

SHARED("kernel-gs-base", "IA32_KERNEL_GS_BASE", kernel_gs_base)
SHARED("lstar", "IA32_LSTAR", lstar)
SHARED("star", "IA32_STAR", star)
