/*
 * Memory operands of the VMX instructions: segments, canonical addresses, pages. 31.3, "Protected Mode Exceptions" and "64-Bit Mode
 * Exceptions" of each. VMPTRST and VMREAD write theirs, the others read it.
 */
#include "cpu/cpuid.h"
#include "cpu/paging.h"
#include "lhv-guest/golden.h"
#include "lhv-tests/vmx-instruction.h"
#include "smp/cpu.h"
#include "vmx/instructions.h"
#include "vmx/root.h"

#define OPERAND_ROW(function, name, id_text, title_text, need) \
	ROW(function, .id = id_text, .title = title_text, .sdm = "31.3 " #name, .row = &vmx_instructions[INSTRUCTION_##name], \
	    .needs = NEED_VMX_ROOT | need, .opt = OPT_VMX_INSTR)

#define FAULT_SS0 FAULTED(12, 0)
#define PF_WRITE 2
#define PF_PRESENT 1

static enum vmx_instruction_name which(const struct rule *rule)
{
	return ((const struct vmx_instruction *)rule->row)->which;
}

static bool writes(enum vmx_instruction_name name)
{
	return name == INSTRUCTION_VMPTRST || name == INSTRUCTION_VMREAD;
}

static unsigned operand_size(enum vmx_instruction_name name)
{
	if (name == INSTRUCTION_INVEPT || name == INSTRUCTION_INVVPID)
		return 16;
	return name == INSTRUCTION_VMREAD || name == INSTRUCTION_VMWRITE ? sizeof(ulong) : 8;
}

/* VMXON looks at its operand only outside VMX operation; VMREAD and VMWRITE want a current VMCS */
static void prepare(const struct rule *rule)
{
	golden_vmcs_load();
	if (which(rule) == INSTRUCTION_VMXON)
		vmx_leave();
}

/* An execution without its instruction: what comes before that can be put in */
static struct execution begin(const struct rule *rule, ulong operand)
{
	struct execution execution = vmx_execution(INSTRUCTION_COUNT, EXECUTE_RING0, operand, vmx_good_second(which(rule)));

	return execution;
}

static void expect_fault(struct execution *execution, const struct rule *rule, const char *what, outcome_t expected)
{
	expect_outcome(what, vmx_execute(execution, which(rule)), expected);
	expect_equal("RFLAGS after the fault: CF, PF, AF, ZF, SF and OF, all 1 before", execution->frame.flags & 0x8d5, 0x8d5);
}

/* The nearest legal neighbour: the operand is there, by way of a segment based elsewhere */
static void expect_success(struct execution *execution, const struct rule *rule, ulong operand, const char *what)
{
	expect_outcome(what, vmx_execute(execution, INSTRUCTION_COUNT), SUCCEEDED);
	if (which(rule) == INSTRUCTION_VMPTRLD)
		vmcs_note_active(*(const u64 *)operand);
	if (which(rule) == INSTRUCTION_VMXON)
		vmx_leave();
}

/* ---- Segments: only outside 64-bit mode ----------------------------------------------------------------------- */

#define TEST_SELECTOR 0x58 /* a descriptor that nothing else uses */
#define DATA_LIMIT(limit) (0x0040930000000000ull | ((limit)&0xffff) | ((u64)(limit)&0xf0000) << 32) /* bytes, read/write, DPL 0 */
#define DATA_EXPAND_DOWN(limit) (DATA_LIMIT(limit) | 4ull << 40)
#define DATA_READ_ONLY (0x00cf910000000000ull | 0xffff)
#define CODE_EXECUTE_ONLY (0x00cf990000000000ull | 0xffff)
#define DATA_HALF 0x00c393000000ffffull /* the lowest GiB */
#define MOV_DS 0x8e, 0xdb /* mov %bx, %ds */
#define MOV_SS 0x8e, 0xd3 /* mov %bx, %ss */

static void set_descriptor(u64 descriptor)
{
	this_cpu()->descriptors.gdt[TEST_SELECTOR / 8] = descriptor;
}

/* The instruction behind MOV to DS of the selector */
static struct execution with_ds(const struct rule *rule, ulong operand, u16 selector)
{
	static const u8 mov[] = {MOV_DS};
	struct execution execution = begin(rule, operand);

	execution.frame.bx = selector;
	vmx_append_bytes(&execution, mov, sizeof(mov));
	vmx_append(&execution, which(rule));
	return execution;
}

/* A scratch page below 1 MiB there is not: the base is moved instead */
static u64 based_at(ulong base)
{
	return (u64)(base & 0xffffff) << 16 | (u64)(base >> 24) << 56;
}

static void ds_limit(const struct rule *rule)
{
	ulong operand = vmx_good_operand(which(rule));
	unsigned size = operand_size(which(rule));
	struct execution execution;

	prepare(rule);
	set_descriptor(DATA_LIMIT(size - 2) | based_at(operand));
	execution = with_ds(rule, 0, TEST_SELECTOR);
	expect_fault(&execution, rule, "the last byte of the operand beyond the limit of DS", FAULT_GP0);
	set_descriptor(DATA_LIMIT(size - 1) | based_at(operand));
	execution = with_ds(rule, 0, TEST_SELECTOR);
	expect_success(&execution, rule, operand, "the last byte of the operand at the limit of DS");
}

static void ds_expand_down(const struct rule *rule)
{
	ulong operand = vmx_good_operand(which(rule));
	struct execution execution;

	prepare(rule);
	set_descriptor(DATA_EXPAND_DOWN(0x100) | based_at(operand - 0x100));
	execution = with_ds(rule, 0x100, TEST_SELECTOR);
	expect_fault(&execution, rule, "the first byte of the operand at the limit of an expand-down DS", FAULT_GP0);
	set_descriptor(DATA_EXPAND_DOWN(0xff) | based_at(operand - 0x100));
	execution = with_ds(rule, 0x100, TEST_SELECTOR);
	expect_success(&execution, rule, operand, "the first byte of the operand above the limit of an expand-down DS");
}

static void ds_null(const struct rule *rule)
{
	struct execution execution = with_ds(rule, vmx_good_operand(which(rule)), 0);

	prepare(rule);
	expect_fault(&execution, rule, "the operand in DS with a null selector", FAULT_GP0);
}

/* The stack stays in the segment: its limit is 1 GiB, the operand beyond that */
static void ss_limit(const struct rule *rule)
{
	static const u8 mov[] = {MOV_SS};
	const struct vmx_instruction *instruction = rule->row;
	struct execution execution = begin(rule, 0);
	u8 modrm[2] = {instruction->code[instruction->length - 1], 0};

	prepare(rule);
	set_descriptor(DATA_HALF);
	execution.frame.bx = TEST_SELECTOR;
	execution.frame.bp = BIT(30);
	vmx_append_bytes(&execution, mov, sizeof(mov));
	vmx_append_bytes(&execution, instruction->code, instruction->length - 1);
	modrm[0] = (modrm[0] & 0x38) | 0x45; /* [EBP + byte] */
	vmx_append_bytes(&execution, modrm, sizeof(modrm));
	expect_fault(&execution, rule, "the operand beyond the limit of SS", FAULT_SS0);
}

/* Reading from a code segment that cannot be read, writing to a segment that cannot be written */
static void segment_type(const struct rule *rule)
{
	static const u8 cs_override = 0x2e;
	struct execution execution = begin(rule, vmx_good_operand(which(rule)));

	prepare(rule);
	set_descriptor(CODE_EXECUTE_ONLY);
	execution.cs = TEST_SELECTOR;
	vmx_append_bytes(&execution, &cs_override, 1);
	vmx_append(&execution, which(rule));
	expect_fault(&execution, rule, "the operand in an execute-only code segment", FAULT_GP0);
	if (!writes(which(rule)))
		return;
	set_descriptor(DATA_READ_ONLY);
	execution = with_ds(rule, vmx_good_operand(which(rule)), TEST_SELECTOR);
	expect_fault(&execution, rule, "the operand written to a read-only data segment", FAULT_GP0);
}

#define X(name, id, need, ...) \
	OPERAND_ROW(ds_limit, name, id ".operand-segment-limit", #name " with its operand beyond a segment's limit gives #GP(0)", need | NEED_LEGACY_PAGING)
VMX_MEMORY_INSTRUCTIONS(X)
#undef X
#define X(name, id, need, ...) \
	OPERAND_ROW(ds_expand_down, name, id ".operand-expand-down", #name " with its operand below an expand-down segment gives #GP(0)", need | NEED_LEGACY_PAGING)
VMX_MEMORY_INSTRUCTIONS(X)
#undef X
#define X(name, id, need, ...) \
	OPERAND_ROW(ds_null, name, id ".operand-unusable-segment", #name " with its operand in an unusable segment gives #GP(0)", need | NEED_LEGACY_PAGING)
VMX_MEMORY_INSTRUCTIONS(X)
#undef X
#define X(name, id, need, ...) \
	OPERAND_ROW(ss_limit, name, id ".operand-stack-limit", #name " with its operand beyond the limit of SS gives #SS(0)", need | NEED_LEGACY_PAGING)
VMX_MEMORY_INSTRUCTIONS(X)
#undef X
#define X(name, id, need, ...) \
	OPERAND_ROW(segment_type, name, id ".operand-segment-type", #name " with its operand in a segment of the wrong type gives #GP(0)", need | NEED_LEGACY_PAGING)
VMX_MEMORY_INSTRUCTIONS(X)
#undef X

/* ---- Canonical addresses: only in 64-bit mode -------------------------------------------------------------------- */

#define NON_CANONICAL ((ulong)0x8000000000000000ull)

static void stack_canonical(const struct rule *rule)
{
	const struct vmx_instruction *instruction = rule->row;
	struct execution execution = begin(rule, 0);
	u8 modrm[2] = {instruction->code[instruction->length - 1], 0};

	prepare(rule);
	execution.frame.bp = NON_CANONICAL;
	vmx_append_bytes(&execution, instruction->code, instruction->length - 1);
	modrm[0] = (modrm[0] & 0x38) | 0x45; /* [RBP + byte] */
	vmx_append_bytes(&execution, modrm, sizeof(modrm));
	expect_fault(&execution, rule, "the operand in SS at a non-canonical address", FAULT_SS0);
}

#define X(name, id, need, ...) \
	OPERAND_ROW(stack_canonical, name, id ".operand-stack-non-canonical", #name " with a non-canonical operand address in SS gives #SS(0)", need | NEED_LONG_MODE)
VMX_MEMORY_INSTRUCTIONS(X)
#undef X

static void canonical(const struct rule *rule)
{
	struct execution execution = begin(rule, NON_CANONICAL);

	prepare(rule);
	vmx_append(&execution, which(rule));
	expect_fault(&execution, rule, "the operand at a non-canonical address", FAULT_GP0);
}

OPERAND_ROW(canonical, VMREAD, "vmread.operand-non-canonical", "VMREAD with a non-canonical operand address gives #GP(0)", NEED_LONG_MODE)
OPERAND_ROW(canonical, VMWRITE, "vmwrite.operand-non-canonical", "VMWRITE with a non-canonical operand address gives #GP(0)", NEED_LONG_MODE)

/* ---- Pages ----------------------------------------------------------------------------------------------------------- */

static void page_fault(const struct rule *rule)
{
	ulong guard = vmx_unmapped();
	struct execution execution = begin(rule, guard);

	prepare(rule);
	vmx_append(&execution, which(rule));
	expect_fault(&execution, rule, "the operand in an unmapped page", FAULTED(VECTOR_PF, writes(which(rule)) ? PF_WRITE : 0));
	expect_equal("CR2", read_cr2(), guard);
}

OPERAND_ROW(page_fault, VMREAD, "vmread.operand-page-fault", "VMREAD to an unmapped page gives #PF for a write", 0)
OPERAND_ROW(page_fault, VMWRITE, "vmwrite.operand-page-fault", "VMWRITE from an unmapped page gives #PF", 0)

/* All but the last byte of the operand are there */
static void crosses(const struct rule *rule)
{
	ulong guard = vmx_unmapped();
	struct execution execution = begin(rule, guard - operand_size(which(rule)) + 1);

	prepare(rule);
	vmx_append(&execution, which(rule));
	expect_fault(&execution, rule, "the last byte of the operand in an unmapped page",
		     FAULTED(VECTOR_PF, writes(which(rule)) ? PF_WRITE : 0));
	expect_equal("CR2", read_cr2(), guard);
}

OPERAND_ROW(crosses, VMXON, "vmxon.operand-crosses-page", "VMXON with the last byte of its 8 in an unmapped page gives #PF", 0)
OPERAND_ROW(crosses, VMREAD, "vmread.operand-crosses-page", "VMREAD with the last byte of its destination in an unmapped page gives #PF", 0)
OPERAND_ROW(crosses, VMWRITE, "vmwrite.operand-crosses-page", "VMWRITE with the last byte of its source in an unmapped page gives #PF", 0)
OPERAND_ROW(crosses, INVEPT, "invept.operand-crosses-page", "INVEPT with the last byte of its 16 in an unmapped page gives #PF", NEED_INVEPT)
OPERAND_ROW(crosses, INVVPID, "invvpid.operand-crosses-page", "INVVPID with the last byte of its 16 in an unmapped page gives #PF", NEED_INVVPID)

/* A page that only may be read: what reads its operand works, what writes it gives #PF with CR0.WP = 1 and works with 0 */
static void read_only(const struct rule *rule)
{
	u64 *page = (u64 *)vmx_good_operand(which(rule));
	pte_t *entry = paging_entry((ulong)page);
	struct execution execution = begin(rule, (ulong)page), again;
	outcome_t outcome, without_wp;

	prepare(rule);
	vmx_append(&execution, which(rule));
	again = execution;
	*entry &= ~(pte_t)PTE_WRITE;
	invlpg((ulong)page);
	outcome = vmx_execute(&execution, which(rule));
	write_cr0(read_cr0() & ~CR0_WP);
	without_wp = vmx_execute(&again, which(rule));
	write_cr0(read_cr0() | CR0_WP);
	*entry |= PTE_WRITE;
	invlpg((ulong)page);
	expect_outcome("with the operand in a read-only page", outcome,
		       writes(which(rule)) ? FAULTED(VECTOR_PF, PF_PRESENT | PF_WRITE) : SUCCEEDED);
	expect_outcome("the same with CR0.WP = 0", without_wp, SUCCEEDED);
}

OPERAND_ROW(read_only, VMREAD, "vmread.operand-read-only", "VMREAD to a read-only page gives #PF with CR0.WP = 1", 0)
OPERAND_ROW(read_only, VMWRITE, "vmwrite.operand-read-only", "VMWRITE from a read-only page works", 0)
OPERAND_ROW(read_only, VMCLEAR, "vmclear.operand-read-only", "VMCLEAR with its operand in a read-only page works", 0)
OPERAND_ROW(read_only, VMPTRLD, "vmptrld.operand-read-only", "VMPTRLD with its operand in a read-only page works", 0)

/* An operand at any address: no instruction asks for alignment */
static void unaligned(const struct rule *rule)
{
	u8 *page = (u8 *)vmx_good_operand(which(rule));

	prepare(rule);
	for (unsigned offset = 1; offset < 8; offset += 2) {
		struct execution execution = begin(rule, (ulong)page + PAGE_SIZE / 2 + offset);

		for (unsigned i = 0; i < 16; i++)
			page[PAGE_SIZE / 2 + offset + i] = page[i];
		vmx_append(&execution, which(rule));
		expect_success(&execution, rule, (ulong)page, "with the operand at an odd address");
	}
}

#define ADDRESS_ROW(name, id, need) OPERAND_ROW(unaligned, name, id ".operand-unaligned", "The operand of " #name " may lie at any address", need)
ADDRESS_ROW(VMXON, "vmxon", 0)
ADDRESS_ROW(VMCLEAR, "vmclear", 0)
ADDRESS_ROW(VMPTRLD, "vmptrld", 0)
ADDRESS_ROW(VMPTRST, "vmptrst", 0)
ADDRESS_ROW(VMREAD, "vmread", 0)
ADDRESS_ROW(VMWRITE, "vmwrite", 0)
ADDRESS_ROW(INVEPT, "invept", NEED_INVEPT)

/* ---- Other forms of the operand ------------------------------------------------------------------------------------- */

/* REX.W does not change the 64 bits of a pointer */
static void rex_w(const struct rule *rule)
{
	const struct vmx_instruction *instruction = rule->row;
	static const u8 rex = 0x48;
	unsigned prefix = instruction->code[0] != 0x0f;
	ulong operand = vmx_good_operand(which(rule));
	struct execution execution = begin(rule, operand);

	prepare(rule);
	vmx_append_bytes(&execution, instruction->code, prefix);
	vmx_append_bytes(&execution, &rex, 1);
	vmx_append_bytes(&execution, instruction->code + prefix, instruction->length - prefix);
	expect_success(&execution, rule, operand, "with REX.W");
	if (which(rule) == INSTRUCTION_VMPTRST)
		expect_equal("what VMPTRST stored", *(u64 *)operand, this_cpu()->golden_vmcs);
}

#define REX_ROW(name, id) OPERAND_ROW(rex_w, name, id ".operand-rex-w", #name " with REX.W takes the same 8 bytes", NEED_LONG_MODE)
REX_ROW(VMXON, "vmxon")
REX_ROW(VMCLEAR, "vmclear")
REX_ROW(VMPTRLD, "vmptrld")
REX_ROW(VMPTRST, "vmptrst")

#define CPUID_1_ECX_RDRAND BIT(30)
#define CPUID_7_EBX_RDSEED BIT(18)

/* With a register these opcodes are RDRAND and RDSEED, or nothing at all: never the VMX instruction */
static void register_form(const struct rule *rule)
{
	const struct vmx_instruction *instruction = rule->row;
	bool random = which(rule) == INSTRUCTION_VMPTRST ? cpuid_if_there(7, 0).ebx & CPUID_7_EBX_RDSEED : cpuid(1, 0).ecx & CPUID_1_ECX_RDRAND;
	u64 *operand = (u64 *)vmx_good_operand(which(rule));
	struct execution execution = begin(rule, *operand);
	u8 modrm = instruction->code[instruction->length - 1] | 0xc0;
	u64 current;

	golden_vmcs_load();
	vmx_append_bytes(&execution, instruction->code, instruction->length - 1);
	vmx_append_bytes(&execution, &modrm, 1);
	execute(&execution);
	expect_outcome("the opcode with a register operand", execution.outcome, random && which(rule) != INSTRUCTION_VMXON ? SUCCEEDED : FAULT_UD);
	expect_outcome("VMPTRST", vmptrst(&current), SUCCEEDED);
	expect_equal("the current VMCS", current, this_cpu()->golden_vmcs);
}

#define REGISTER_ROW(name, id, text) OPERAND_ROW(register_form, name, id ".operand-register", "The opcode of " #name " with a register operand is " text, 0)
REGISTER_ROW(VMXON, "vmxon", "no instruction: #UD")
REGISTER_ROW(VMCLEAR, "vmclear", "RDRAND, or #UD without it")
REGISTER_ROW(VMPTRLD, "vmptrld", "RDRAND, or #UD without it")
REGISTER_ROW(VMPTRST, "vmptrst", "RDSEED, or #UD without it")
