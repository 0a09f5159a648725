/*
 * Unrestricted guests (26.6): real-address mode, protected mode without paging, and the way between the modes. The code is
 * bytes, so that it is the same in every build; a segment base of a VM entry need not be its selector times 16, and
 * what must be in low memory is put there by EPT.
 */
#include "cpu/cpuid.h"
#include "cpu/paging.h"
#include "cpu/registers.h"
#include "harness/rule.h"
#include "harness/select.h"
#include "lhv-guest/ept.h"
#include "lhv-guest/guest.h"
#include "lib/string.h"

#define UNRESTRICTED "26.6 Unrestricted Guests"
#define CHECKS_CR "27.3.1.1 Checks on Guest Control Registers, Debug Registers, and MSRs"
#define CHECKS_SEGMENTS "27.3.1.2 Checks on Guest Segment Registers"
#define NEEDS (NEED_VMX_ROOT | NEED_EPT | NEED_UNRESTRICTED_GUEST)
#define TABLES (EPT_IDENTITY_PAGES + 6)

#define UG_RULE(name, id_text, title_text, section, ...) \
	RULE(name, .id = "ug." id_text, .title = title_text, .sdm = section, .needs = NEEDS, .opt = OPT_UNRESTRICTED_GUEST | OPT_UNRESTRICTED_RULES, \
	     ##__VA_ARGS__)
#define UG_ROW(function, id_text, title_text, section, data) \
	ROW(function, .id = "ug." id_text, .title = title_text, .sdm = section, .row = &data, .needs = NEEDS, \
	    .opt = OPT_UNRESTRICTED_GUEST | OPT_UNRESTRICTED_RULES)

#define VMCALL 0x0f, 0x01, 0xc1

#define INFO_UD 0x80000306	   /* valid, hardware exception, vector 6 */
#define INFO_GP 0x80000b0d	   /* with error code */
#define INFO_GP_NO_ERROR 0x8000030d /* without */

static void guest_nothing(void)
{
}

/* The golden guest with EPT and, where wanted, "unrestricted guest", whatever the options say */
static struct guest *guest_with_ept(bool unrestricted)
{
	struct cpu *cpu = this_cpu();
	struct guest *guest = guest_golden(guest_nothing);
	bool active = vmread(VMCS_PROC_CONTROLS) & PROC_ACTIVATE_SECONDARY_CONTROLS;
	u64 proc2 = active ? vmread(VMCS_PROC2_CONTROLS) : cpu->caps.proc2.must_be_1;

	vmwrite(VMCS_PROC_CONTROLS, vmread(VMCS_PROC_CONTROLS) | PROC_ACTIVATE_SECONDARY_CONTROLS);
	proc2 = (proc2 & ~(u64)PROC2_UNRESTRICTED_GUEST) | PROC2_ENABLE_EPT | (unrestricted ? PROC2_UNRESTRICTED_GUEST : 0);
	vmwrite(VMCS_PROC2_CONTROLS, proc2);
	vmwrite(VMCS_EPT_POINTER, ept_identity_pointer(cpu));
#ifdef LHV_PAE
	for (unsigned i = 0; i < 4; i++)
		vmwrite(VMCS_GUEST_PDPTE0 + 2 * i, ((const u64 *)read_cr3())[i]);
#endif
	return guest;
}

static void segment(enum vmcs_field selector_field, u16 selector, u64 base, u32 limit, u32 rights)
{
	unsigned i = selector_field - VMCS_GUEST_ES_SELECTOR;

	vmwrite(selector_field, selector);
	vmwrite(VMCS_GUEST_ES_BASE + i, base);
	vmwrite(VMCS_GUEST_ES_LIMIT + i, limit);
	vmwrite(VMCS_GUEST_ES_ACCESS_RIGHTS + i, rights);
}

#define CODE_16 0x009b
#define CODE_32 0xc09b
#define DATA_16 0x0093
#define DATA_BIG 0x8093 /* a limit of 4 GiB with 16-bit addresses */
#define LIMIT_16 0xffff
#ifdef __x86_64__
#define FLAT_CS KERNEL_CS32
#else
#define FLAT_CS KERNEL_CS
#endif

static void leave_ia32e_mode(void)
{
	if (sizeof(ulong) == 8)
		controls_clear(VMCS_ENTRY_CONTROLS, &this_cpu()->caps.entry, ENTRY_IA32E_MODE_GUEST, "IA-32e mode guest");
}

/* What ring 0 of a real-address-mode guest has besides its code */
struct real {
	u8 *stack;  /* one page, SP at its end */
	u16 *table; /* interrupt table: offset and segment of each vector */
};

/* In real-address mode at the code, with 64-KByte segments based at 0 for data */
static struct guest *guest_real(const u8 *code, struct real *real)
{
	struct guest *guest = guest_with_ept(true);

	real->stack = scratch_page();
	real->table = scratch_page();
	leave_ia32e_mode();
	vmwrite(VMCS_GUEST_CR0, this_cpu()->cr0 & ~(CR0_PE | CR0_PG));
	segment(VMCS_GUEST_CS_SELECTOR, 0x1000, (ulong)code, LIMIT_16, CODE_16);
	segment(VMCS_GUEST_SS_SELECTOR, 0, (ulong)real->stack, LIMIT_16, DATA_16);
	segment(VMCS_GUEST_DS_SELECTOR, 0, 0, LIMIT_16, DATA_16);
	segment(VMCS_GUEST_ES_SELECTOR, 0, 0, LIMIT_16, DATA_16);
	segment(VMCS_GUEST_FS_SELECTOR, 0, 0, LIMIT_16, DATA_16);
	segment(VMCS_GUEST_GS_SELECTOR, 0, 0, LIMIT_16, DATA_16);
	vmwrite(VMCS_GUEST_IDTR_BASE, (ulong)real->table);
	vmwrite(VMCS_GUEST_IDTR_LIMIT, 0x3ff);
	vmwrite(VMCS_GUEST_RSP, PAGE_SIZE);
	vmwrite(VMCS_GUEST_RIP, 0);
	return guest;
}

/* In 32-bit protected mode at the code, flat segments, with or without paging */
static struct guest *guest_flat(const u8 *code, bool unrestricted, bool paging)
{
	struct guest *guest = guest_with_ept(unrestricted);

	if (!paging) {
		leave_ia32e_mode();
		vmwrite(VMCS_GUEST_CR0, this_cpu()->cr0 & ~CR0_PG);
	}
	segment(VMCS_GUEST_CS_SELECTOR, FLAT_CS, 0, 0xffffffff, CODE_32);
	vmwrite(VMCS_GUEST_RIP, (ulong)code);
	return guest;
}

static void expect_vmcall(struct guest *guest)
{
	expect_exit(guest_run(guest), EXIT_REASON_VMCALL);
}

static void expect_exception(struct guest *guest, u64 information)
{
	vmwrite(VMCS_EXCEPTION_BITMAP, BIT(information & 0xff));
	expect_exit(guest_run(guest), EXIT_REASON_EXCEPTION_NMI);
	expect_equal("VM-exit interruption information", vmread(VMCS_EXIT_INTERRUPTION_INFO) & ~BIT(12), information);
}

/* ---- Real-address mode ------------------------------------------------------------------------------------- */

/* mov $0x1234, %ax */
static const u8 mov_ax[] = {0xb8, 0x34, 0x12, VMCALL};

UG_RULE(real_runs, "real.runs", "An unrestricted guest can be entered in real-address mode, and runs 16-bit code", UNRESTRICTED)
{
	struct real real;
	struct guest *guest = guest_real(mov_ax, &real);

	expect_vmcall(guest);
	expect_equal("AX", guest->registers.ax & 0xffff, 0x1234);
	expect_equal("IP", vmread(VMCS_GUEST_RIP), 3);
	expect_equal("CR0.PE and CR0.PG", vmread(VMCS_GUEST_CR0) & (CR0_PE | CR0_PG), 0);
}

UG_RULE(real_base, "real.cs-base", "Code of a real-address-mode guest is fetched at the CS base that VM entry loaded", UNRESTRICTED)
{
	struct real real;
	struct guest *guest = guest_real(mov_ax, &real);

	vmwrite(VMCS_GUEST_CS_BASE, (ulong)mov_ax - 0x108);
	vmwrite(VMCS_GUEST_RIP, 0x108);
	expect_vmcall(guest);
	expect_equal("IP", vmread(VMCS_GUEST_RIP), 0x10b);
}

UG_RULE(real_dpl, "real.cpl", "A VM exit from real-address mode saves CPL 0 as the DPL of SS", "28.3.2 Saving Segment Registers and Descriptor-Table Registers")
{
	struct real real;
	struct guest *guest = guest_real(mov_ax, &real);

	expect_vmcall(guest);
	expect_equal("DPL of SS", vmread(VMCS_GUEST_SS_ACCESS_RIGHTS) >> 5 & 3, 0);
}

/* mov $0x1234, %ax; mov %ax, %ds */
static const u8 load_ds[] = {0xb8, 0x34, 0x12, 0x8e, 0xd8, VMCALL};

UG_RULE(real_load, "real.segment-load", "In real-address mode a load of DS makes its base the selector times 16", "20.1.1 Real-Address Mode: Address Translation")
{
	struct real real;
	struct guest *guest = guest_real(load_ds, &real);

	expect_vmcall(guest);
	expect_equal("DS selector", vmread(VMCS_GUEST_DS_SELECTOR), 0x1234);
	expect_equal("DS base", vmread(VMCS_GUEST_DS_BASE), 0x12340);
}

/* mov (%ecx), %eax, with a 32-bit address and operand */
static const u8 read_ecx[] = {0x67, 0x66, 0x8b, 0x01, VMCALL};
#define PATTERN 0x600dc0de

UG_RULE(real_big, "real.big-limit", "In real-address mode a 4-GByte limit that VM entry loaded reaches memory above 1 MByte", UNRESTRICTED)
{
	struct real real;
	struct guest *guest = guest_real(read_ecx, &real);
	u32 *page = scratch_page();

	*page = PATTERN;
	segment(VMCS_GUEST_DS_SELECTOR, 0, 0, 0xffffffff, DATA_BIG);
	guest->registers.cx = (ulong)page;
	expect_vmcall(guest);
	expect_equal("what the guest read", guest->registers.ax & 0xffffffff, PATTERN);
}

UG_RULE(real_limit, "real.limit-gp", "In real-address mode an access beyond the limit is #GP, whose VM exit has no error code", "28.2.2 Information for VM Exits Due to Vectored Events")
{
	struct real real;
	struct guest *guest = guest_real(read_ecx, &real);

	guest->registers.cx = 0x10000;
	expect_exception(guest, INFO_GP_NO_ERROR);
	expect_equal("IP", vmread(VMCS_GUEST_RIP), 0);
}

/* A page of the guest's low memory, which is ours elsewhere */
#define LOW_PAGE 0x8000
#define LOW_SEGMENT 0x800
#define HANDLER 0x10 /* offset in it */

static u8 *map_low_page(const u8 *code, size_t size)
{
	u8 *page = scratch_page();
	struct ept ept = ept_create(scratch_pages(TABLES), TABLES);

	memcpy(page + HANDLER, code, size);
	ept_map_identity(&ept);
	ept_map(&ept, LOW_PAGE, physical(page), EPT_4K, EPT_RWX, MEMORY_WB);
	ept_use(&ept);
	return page;
}

static void set_vector(struct real *real, u8 vector)
{
	real->table[2 * vector] = HANDLER;
	real->table[2 * vector + 1] = LOW_SEGMENT;
}

static void expect_at_handler(void)
{
	expect_equal("CS", vmread(VMCS_GUEST_CS_SELECTOR), LOW_SEGMENT);
	expect_equal("CS base", vmread(VMCS_GUEST_CS_BASE), LOW_PAGE);
	expect_equal("IP", vmread(VMCS_GUEST_RIP), HANDLER);
}

static const u8 vmcall_code[] = {VMCALL};
/* ljmp $0x800, $0x10 */
static const u8 far_jump[] = {0xea, HANDLER, 0x00, 0x00, 0x08};

UG_RULE(real_jump, "real.far-jump", "In real-address mode a far jump makes the base of CS the selector times 16", "20.1.1 Real-Address Mode: Address Translation")
{
	struct real real;
	struct guest *guest = guest_real(far_jump, &real);

	map_low_page(vmcall_code, sizeof(vmcall_code));
	expect_vmcall(guest);
	expect_at_handler();
}

#define SP_AFTER_EVENT (PAGE_SIZE - 6) /* FLAGS, CS, IP; no error code */
static const u8 int_21[] = {0xcd, 0x21, VMCALL};

UG_RULE(real_int, "real.int", "In real-address mode INT n goes through a table of 4-byte entries at the base of IDTR", UNRESTRICTED)
{
	struct real real;
	struct guest *guest = guest_real(int_21, &real);
	u16 *pushed = (u16 *)(real.stack + SP_AFTER_EVENT);

	map_low_page(vmcall_code, sizeof(vmcall_code));
	set_vector(&real, 0x21);
	expect_vmcall(guest);
	expect_at_handler();
	expect_equal("SP", vmread(VMCS_GUEST_RSP), SP_AFTER_EVENT);
	expect_equal("IP on the stack", pushed[0], 2);
	expect_equal("CS on the stack", pushed[1], 0x1000);
	expect_equal("FLAGS on the stack", pushed[2], RFLAGS_FIXED);
}

static const u8 iret_code[] = {0xcf};

UG_RULE(real_iret, "real.iret", "In real-address mode IRET takes IP, CS and FLAGS from the stack", UNRESTRICTED)
{
	struct real real;
	struct guest *guest = guest_real(iret_code, &real);
	u16 *pushed = (u16 *)(real.stack + SP_AFTER_EVENT);

	map_low_page(vmcall_code, sizeof(vmcall_code));
	pushed[0] = HANDLER;
	pushed[1] = LOW_SEGMENT;
	pushed[2] = RFLAGS_FIXED | RFLAGS_CF;
	vmwrite(VMCS_GUEST_RSP, SP_AFTER_EVENT);
	expect_vmcall(guest);
	expect_at_handler();
	expect_equal("SP", vmread(VMCS_GUEST_RSP), PAGE_SIZE);
	expect_equal("RFLAGS", vmread(VMCS_GUEST_RFLAGS), RFLAGS_FIXED | RFLAGS_CF);
}

UG_RULE(real_gp, "real.gp-through-table", "In real-address mode #GP goes through the table and pushes no error code", UNRESTRICTED)
{
	struct real real;
	struct guest *guest = guest_real(read_ecx, &real);
	u16 *pushed = (u16 *)(real.stack + SP_AFTER_EVENT);

	map_low_page(vmcall_code, sizeof(vmcall_code));
	set_vector(&real, 13);
	guest->registers.cx = 0x10000;
	expect_vmcall(guest);
	expect_at_handler();
	expect_equal("SP", vmread(VMCS_GUEST_RSP), SP_AFTER_EVENT);
	expect_equal("IP on the stack", pushed[0], 0);
}

/* Instructions that exit there as anywhere */
struct instruction {
	u8 code[4];
	u32 reason; /* 0: #UD */
	u64 control;
	const char *name;
};

static void real_instruction(const struct rule *rule)
{
	const struct instruction *it = rule->row;
	struct real real;
	struct guest *guest = guest_real(it->code, &real);

	if (it->control)
		controls_set(VMCS_PROC_CONTROLS, &this_cpu()->caps.proc, it->control, it->name);
	if (it->reason) {
		expect_exit(guest_run(guest), it->reason);
		expect_equal("IP", vmread(VMCS_GUEST_RIP), 0);
	} else {
		expect_exception(guest, INFO_UD);
	}
}

static const struct instruction real_cpuid = {{0x0f, 0xa2}, EXIT_REASON_CPUID, 0, ""};
static const struct instruction real_hlt = {{0xf4}, EXIT_REASON_HLT, PROC_HLT_EXITING, "HLT exiting"};
static const struct instruction real_in = {{0xe4, 0x80}, EXIT_REASON_IO, PROC_UNCONDITIONAL_IO_EXITING, "unconditional I/O exiting"};
static const struct instruction real_vmread = {{0x0f, 0x78, 0xc0}, 0, 0, ""}, real_vmclear = {{0x66, 0x0f, 0xc7, 0x37}, 0, 0, ""};
static const struct instruction real_vmxoff = {{0x0f, 0x01, 0xc4}, 0, 0, ""}, real_sldt = {{0x0f, 0x00, 0xc0}, 0, 0, ""};
static const struct instruction real_ltr = {{0x0f, 0x00, 0xd8}, 0, 0, ""};

UG_ROW(real_instruction, "real.exit-cpuid", "CPUID in real-address mode exits", UNRESTRICTED, real_cpuid)
UG_ROW(real_instruction, "real.exit-hlt", "HLT in real-address mode exits with \"HLT exiting\"", UNRESTRICTED, real_hlt)
UG_ROW(real_instruction, "real.exit-in", "IN in real-address mode exits with \"unconditional I/O exiting\"", UNRESTRICTED, real_in)
UG_ROW(real_instruction, "real.ud-vmread", "VMREAD in real-address mode gives #UD, no VM exit of its own", "31.3 VMREAD", real_vmread)
UG_ROW(real_instruction, "real.ud-vmclear", "VMCLEAR in real-address mode gives #UD, no VM exit of its own", "31.3 VMCLEAR", real_vmclear)
UG_ROW(real_instruction, "real.ud-vmxoff", "VMXOFF in real-address mode gives #UD, no VM exit of its own", "31.3 VMXOFF", real_vmxoff)
UG_ROW(real_instruction, "real.ud-sldt", "SLDT in real-address mode gives #UD", "volume 2, SLDT—Store Local Descriptor Table Register", real_sldt)
UG_ROW(real_instruction, "real.ud-ltr", "LTR in real-address mode gives #UD", "volume 2, LTR—Load Task Register", real_ltr)

/* mov %cr0, %eax; or $1, %al; mov %eax, %cr0 */
static const u8 set_pe[] = {0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, VMCALL};

UG_RULE(real_to_protected, "real.sets-pe", "A real-address-mode guest sets CR0.PE itself", UNRESTRICTED)
{
	struct real real;
	struct guest *guest = guest_real(set_pe, &real);

	expect_vmcall(guest);
	expect_equal("CR0.PE and CR0.PG", vmread(VMCS_GUEST_CR0) & (CR0_PE | CR0_PG), CR0_PE);
}

/* ---- Protected mode without paging ---------------------------------------------------------------------------- */

/* mov (%ecx), %eax; movl $0x0ddba11, (%ecx) */
static const u8 read_write[] = {0x8b, 0x01, 0xc7, 0x01, 0x11, 0xba, 0xdd, 0x00, VMCALL};
#define ANSWER 0x00ddba11
#define WINDOW (3 * GIB)

UG_RULE(flat_runs, "unpaged.runs", "An unrestricted guest can be entered in protected mode with paging off", UNRESTRICTED)
{
	struct guest *guest = guest_flat(read_write, true, false);
	u32 *page = scratch_page();

	*page = PATTERN;
	guest->registers.cx = (ulong)page;
	expect_vmcall(guest);
	expect_equal("what the guest read", guest->registers.ax & 0xffffffff, PATTERN);
	expect_equal("what the guest wrote", *page, ANSWER);
	expect_equal("CR0.PE and CR0.PG", vmread(VMCS_GUEST_CR0) & (CR0_PE | CR0_PG), CR0_PE);
}

UG_RULE(flat_cr3, "unpaged.no-walk", "With CR0.PG = 0 no paging structures are used: there is no #PF", UNRESTRICTED)
{
	struct guest *guest = guest_flat(read_write, true, false);
	u32 *page = scratch_page();

	vmwrite(VMCS_GUEST_CR3, physical(scratch_page())); /* nothing is mapped there */
	guest->registers.cx = (ulong)page;
	expect_vmcall(guest);
	expect_equal("what the guest wrote", *page, ANSWER);
}

UG_RULE(flat_ept, "unpaged.through-ept", "With CR0.PG = 0 the linear address is the guest-physical address that EPT translates", UNRESTRICTED)
{
	struct guest *guest = guest_flat(read_write, true, false);
	u32 *page = scratch_page();
	struct ept ept = ept_create(scratch_pages(TABLES), TABLES);

	*page = PATTERN;
	ept_map_identity(&ept);
	ept_map(&ept, WINDOW, physical(page), EPT_4K, EPT_RWX, MEMORY_WB);
	ept_use(&ept);
	guest->registers.cx = (ulong)WINDOW;
	expect_vmcall(guest);
	expect_equal("what the guest read", guest->registers.ax & 0xffffffff, PATTERN);
	expect_equal("what the guest wrote", *page, ANSWER);
}

UG_RULE(flat_violation, "unpaged.ept-violation", "With CR0.PG = 0 an EPT violation names the linear address as the guest-physical address", UNRESTRICTED)
{
	struct guest *guest = guest_flat(read_write, true, false);
	struct ept ept = ept_create(scratch_pages(TABLES), TABLES);

	ept_map_identity(&ept);
	ept_map(&ept, WINDOW, WINDOW, EPT_4K, 0, 0);
	ept_use(&ept);
	guest->registers.cx = (ulong)(WINDOW + 0x678);
	expect_exit(guest_run(guest), EXIT_REASON_EPT_VIOLATION);
	expect_equal("guest-physical address", vmread(VMCS_GUEST_PHYSICAL_ADDRESS), WINDOW + 0x678);
}

/* mov %cr0, %eax; and $~1, %al; mov %eax, %cr0 */
static const u8 clear_pe[] = {0x0f, 0x20, 0xc0, 0x24, 0xfe, 0x0f, 0x22, 0xc0, VMCALL};

UG_RULE(flat_to_real, "unpaged.clears-pe", "A guest in protected mode without paging clears CR0.PE itself", UNRESTRICTED)
{
	struct guest *guest = guest_flat(clear_pe, true, false);

	expect_vmcall(guest);
	expect_equal("CR0.PE and CR0.PG", vmread(VMCS_GUEST_CR0) & (CR0_PE | CR0_PG), 0);
}

/* ---- Paging switched -------------------------------------------------------------------------------------------- */

#define SET_PG 0x0f, 0x20, 0xc0, 0x0d, 0x00, 0x00, 0x00, 0x80, 0x0f, 0x22, 0xc0, 0xeb, 0x00   /* or $1 << 31, %eax */
#define CLEAR_PG 0x0f, 0x20, 0xc0, 0x25, 0xff, 0xff, 0xff, 0x7f, 0x0f, 0x22, 0xc0, 0xeb, 0x00 /* and $~(1 << 31), %eax */
#define CR0_TO_ECX 0x0f, 0x20, 0xc1
#define CR0_TO_EDX 0x0f, 0x20, 0xc2

static const u8 on_off[] = {SET_PG, CR0_TO_ECX, CLEAR_PG, CR0_TO_EDX, VMCALL};
static const u8 off_on[] = {CLEAR_PG, CR0_TO_ECX, SET_PG, CR0_TO_EDX, VMCALL};
static const u8 on[] = {SET_PG, VMCALL};
static const u8 off[] = {CLEAR_PG, VMCALL};

UG_RULE(paging_on_off, "paging.on-off", "An unrestricted guest without paging sets CR0.PG and clears it again, without a VM exit", UNRESTRICTED)
{
	struct guest *guest = guest_flat(on_off, true, false);

	expect_vmcall(guest);
	expect_equal("CR0.PG after it was set", guest->registers.cx & CR0_PG, CR0_PG);
	expect_equal("CR0.PG after it was cleared", guest->registers.dx & CR0_PG, 0);
	expect_equal("CR0.PG as the VM exit saved it", vmread(VMCS_GUEST_CR0) & CR0_PG, 0);
}

UG_RULE(paging_off_on, "paging.off-on", "An unrestricted guest with paging clears CR0.PG and sets it again, without a VM exit", UNRESTRICTED)
{
	struct guest *guest = guest_flat(off_on, true, true);

	expect_vmcall(guest);
	expect_equal("CR0.PG after it was cleared", guest->registers.cx & CR0_PG, 0);
	expect_equal("CR0.PG after it was set", guest->registers.dx & CR0_PG, CR0_PG);
	expect_equal("CR0.PG as the VM exit saved it", vmread(VMCS_GUEST_CR0) & CR0_PG, CR0_PG);
}

#define MISC_STORES_LMA BIT(5)

UG_RULE(lma_set, "paging.lma-set", "A guest that turns IA-32e mode on leaves \"IA-32e mode guest\" 1 behind at its VM exit", "28.2 Recording VM-Exit Information and Updating VM-Entry Control Fields")
{
	struct guest *guest = guest_flat(on, true, false);

	if (sizeof(ulong) == 4)
		rule_skip("this build does not run in 64-bit mode");
	if (!(this_cpu()->caps.misc & MISC_STORES_LMA))
		rule_skip("IA32_VMX_MISC[5] is 0");
	expect_vmcall(guest);
	expect_equal("\"IA-32e mode guest\"", vmread(VMCS_ENTRY_CONTROLS) & ENTRY_IA32E_MODE_GUEST, ENTRY_IA32E_MODE_GUEST);
}

UG_RULE(lma_clear, "paging.lma-clear", "A guest that leaves IA-32e mode leaves \"IA-32e mode guest\" 0 behind at its VM exit", "28.2 Recording VM-Exit Information and Updating VM-Entry Control Fields")
{
	struct guest *guest = guest_flat(off, true, true);

	if (sizeof(ulong) == 8 && !(this_cpu()->caps.misc & MISC_STORES_LMA))
		rule_skip("IA32_VMX_MISC[5] is 0");
	expect_vmcall(guest);
	expect_equal("\"IA-32e mode guest\"", vmread(VMCS_ENTRY_CONTROLS) & ENTRY_IA32E_MODE_GUEST, 0);
}

/* mov %cr0, %eax; or $1 << 31, %eax; and $~1, %al; mov %eax, %cr0 */
static const u8 pg_without_pe[] = {0x0f, 0x20, 0xc0, 0x0d, 0x00, 0x00, 0x00, 0x80, 0x24, 0xfe, 0x0f, 0x22, 0xc0, VMCALL};

UG_RULE(paging_pe, "paging.pg-without-pe-gp", "MOV to CR0 with PG = 1 and PE = 0 gives #GP(0) in an unrestricted guest too", "26.3 Changes to Instruction Behavior in VMX Non-Root Operation")
{
	struct guest *guest = guest_flat(pg_without_pe, true, false);

	expect_exception(guest, INFO_GP);
	expect_equal("VM-exit interruption error code", vmread(VMCS_EXIT_INTERRUPTION_ERROR), 0);
}

UG_RULE(restricted_pg, "restricted.clear-pg-gp", "Without \"unrestricted guest\" MOV to CR0 with PG = 0 gives #GP(0)", "26.3 Changes to Instruction Behavior in VMX Non-Root Operation")
{
	struct guest *guest = guest_flat(off, false, true);

	expect_exception(guest, INFO_GP);
}

/* ---- What VM entry checks --------------------------------------------------------------------------------------- */

static void expect_refused(struct guest *guest)
{
	expect_exit(guest_run(guest), EXIT_REASON_ENTRY_FAILURE | EXIT_REASON_INVALID_GUEST_STATE);
	expect_equal("exit qualification", vmread(VMCS_EXIT_QUALIFICATION), 0);
}

UG_RULE(entry_restricted_pg, "entry.restricted-pg", "Without \"unrestricted guest\" a VM entry with guest CR0.PG = 0 fails", CHECKS_CR)
{
	expect_refused(guest_flat(vmcall_code, false, false));
}

UG_RULE(entry_restricted_pe, "entry.restricted-pe", "Without \"unrestricted guest\" a VM entry with guest CR0.PE = 0 fails", CHECKS_CR)
{
	struct guest *guest = guest_flat(vmcall_code, false, false);

	vmwrite(VMCS_GUEST_CR0, this_cpu()->cr0 & ~(CR0_PE | CR0_PG));
	expect_refused(guest);
}

UG_RULE(entry_pg_pe, "entry.pg-without-pe", "A VM entry with guest CR0.PG = 1 and CR0.PE = 0 fails", CHECKS_CR)
{
	struct real real;
	struct guest *guest = guest_real(vmcall_code, &real);

	vmwrite(VMCS_GUEST_CR0, (this_cpu()->cr0 | CR0_PG) & ~CR0_PE);
	expect_refused(guest);
	vmwrite(VMCS_GUEST_CR0, this_cpu()->cr0 & ~(CR0_PE | CR0_PG));
	expect_vmcall(guest);
}

UG_RULE(entry_ne, "entry.ne", "\"Unrestricted guest\" frees PE and PG only: a VM entry with guest CR0.NE = 0 fails", CHECKS_CR)
{
	struct guest *guest = guest_flat(vmcall_code, true, false);

	vmwrite(VMCS_GUEST_CR0, this_cpu()->cr0 & ~(CR0_PG | CR0_NE));
	expect_refused(guest);
	vmwrite(VMCS_GUEST_CR0, this_cpu()->cr0 & ~CR0_PG);
	expect_vmcall(guest);
}

UG_RULE(entry_ia32e, "entry.ia32e-without-pg", "A VM entry with \"IA-32e mode guest\" and guest CR0.PG = 0 fails", CHECKS_CR)
{
	struct guest *guest;

	if (sizeof(ulong) == 4)
		rule_skip("outside IA-32e mode \"IA-32e mode guest\" fails an earlier check, on address-space size");
	guest = guest_flat(vmcall_code, true, false);
	controls_set(VMCS_ENTRY_CONTROLS, &this_cpu()->caps.entry, ENTRY_IA32E_MODE_GUEST, "IA-32e mode guest");
	vmwrite(VMCS_GUEST_CR4, this_cpu()->cr4 | CR4_PAE);
	expect_refused(guest);
	vmwrite(VMCS_ENTRY_CONTROLS, vmread(VMCS_ENTRY_CONTROLS) & ~(u64)ENTRY_IA32E_MODE_GUEST);
	vmwrite(VMCS_GUEST_CR4, this_cpu()->cr4);
	expect_vmcall(guest);
}

UG_RULE(entry_cs_type, "entry.cs-data", "CS of an unrestricted guest may be of type 3, read/write data", CHECKS_SEGMENTS)
{
	struct real real;
	struct guest *guest = guest_real(mov_ax, &real);

	vmwrite(VMCS_GUEST_CS_ACCESS_RIGHTS, DATA_16);
	expect_vmcall(guest);
	expect_equal("AX", guest->registers.ax & 0xffff, 0x1234);
}

UG_RULE(entry_rpl, "entry.ss-rpl", "The RPL of SS of an unrestricted guest need not be that of CS", CHECKS_SEGMENTS)
{
	struct real real;
	struct guest *guest = guest_real(mov_ax, &real);

	vmwrite(VMCS_GUEST_SS_SELECTOR, 0x2003);
	expect_vmcall(guest);
}

UG_RULE(entry_cs_rpl, "entry.cs-rpl", "The RPL of CS of an unrestricted guest need not be its DPL: in real-address mode any selector will do", CHECKS_SEGMENTS)
{
	struct real real;
	struct guest *guest = guest_real(mov_ax, &real);

	vmwrite(VMCS_GUEST_CS_SELECTOR, 0x1003);
	expect_vmcall(guest);
	expect_equal("CS selector", vmread(VMCS_GUEST_CS_SELECTOR), 0x1003);
}

UG_RULE(entry_no_ept, "entry.no-ept", "A VM entry with \"unrestricted guest\" 1 and \"enable EPT\" 0 fails with error 7", "27.2.1.1 VM-Execution Control Fields")
{
	struct guest *guest = guest_with_ept(true);

	vmwrite(VMCS_PROC2_CONTROLS, vmread(VMCS_PROC2_CONTROLS) & ~(u64)PROC2_ENABLE_EPT);
	expect_outcome("VM entry", guest_run(guest).entry, VMFAIL_VALID(7));
}
