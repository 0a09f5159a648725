/* What VM entry does not check: fields, and bits of fields, that may have any value. */
#include "lhv-tests/entry/establish.h"

#define ALL (~0ull)
#define FREE(id, text, name, mask_bits, ...) {id, text, IMAGE_##name, false, {__VA_ARGS__}, mask_bits}
#define WHEN_OFF(id, name, kind, control) FREE(id, "any value, while its control is 0", name, ALL, OFF(kind, \
	control))
#define ANY(id, name) FREE(id, "any value", name, ALL)
#define LOW(id, name, ...) FREE(id, "any value of bits 31:0", name, BITS(31, 0), __VA_ARGS__)
#define UNUSABLE(id, name, mask_bits) {id, "any value, while the segment register is unusable", IMAGE_##name, true, \
	{{0, 0}}, mask_bits}
#define AVL(id, name) FREE(id, "any value of AVL (bit 12)", name, BIT(12), OFF(FACT, V86))
#define FLAGS (BIT(0) | BIT(2) | BIT(4) | BITS(7, 6) | BITS(11, 10))
#define READ_ONLY(id, name) FREE(id, "any value: read-only data", name, ALL)

/* clang-format off */
static const struct entry_free rows[] = {
	/* VM-execution controls */
	ANY("entry.ctl.free.exception-bitmap", EXCEPTION_BITMAP),
	ANY("entry.ctl.free.page-fault-mask", PAGE_FAULT_ERROR_CODE_MASK),
	ANY("entry.ctl.free.page-fault-match", PAGE_FAULT_ERROR_CODE_MATCH),
	ANY("entry.ctl.free.cr0-mask", CR0_GUEST_HOST_MASK),
	ANY("entry.ctl.free.cr4-mask", CR4_GUEST_HOST_MASK),
	ANY("entry.ctl.free.cr0-shadow", CR0_READ_SHADOW),
	ANY("entry.ctl.free.cr4-shadow", CR4_READ_SHADOW),
	ANY("entry.ctl.free.cr3-target-0", CR3_TARGET_0),
	ANY("entry.ctl.free.cr3-target-1", CR3_TARGET_1),
	ANY("entry.ctl.free.cr3-target-2", CR3_TARGET_2),
	ANY("entry.ctl.free.cr3-target-3", CR3_TARGET_3),
	ANY("entry.ctl.free.tsc-offset", TSC_OFFSET),
	FREE("entry.ctl.free.executive-pointer", "any value, outside SMM", EXECUTIVE_POINTER, ALL, OFF(FACT, SMM)),
	ANY("entry.ctl.free.eoi-exit-bitmap-0", EOI_EXIT_BITMAP_0),
	ANY("entry.ctl.free.eoi-exit-bitmap-1", EOI_EXIT_BITMAP_1),
	ANY("entry.ctl.free.eoi-exit-bitmap-2", EOI_EXIT_BITMAP_2),
	ANY("entry.ctl.free.eoi-exit-bitmap-3", EOI_EXIT_BITMAP_3),
	ANY("entry.ctl.free.xss-exiting-bitmap", XSS_EXITING_BITMAP),
	ANY("entry.ctl.free.encls-exiting-bitmap", ENCLS_EXITING_BITMAP),
	ANY("entry.ctl.free.enclv-exiting-bitmap", ENCLV_EXITING_BITMAP),
	ANY("entry.ctl.free.pconfig-exiting-bitmap", PCONFIG_EXITING_BITMAP),
	ANY("entry.ctl.free.ple-gap", PLE_GAP),
	ANY("entry.ctl.free.ple-window", PLE_WINDOW),
	ANY("entry.ctl.free.eptp-index", EPTP_INDEX),
	ANY("entry.ctl.free.pml-index", PML_INDEX),
	ANY("entry.ctl.free.guest-interrupt-status", GUEST_INTERRUPT_STATUS),
	ANY("entry.ctl.free.spec-ctrl-mask", SPEC_CTRL_MASK),
	ANY("entry.ctl.free.spec-ctrl-shadow", SPEC_CTRL_SHADOW),
	WHEN_OFF("entry.ctl.free.io-bitmap-a", IO_BITMAP_A, PROC, USE_IO_BITMAPS),
	WHEN_OFF("entry.ctl.free.io-bitmap-b", IO_BITMAP_B, PROC, USE_IO_BITMAPS),
	WHEN_OFF("entry.ctl.free.msr-bitmaps", MSR_BITMAPS, PROC, USE_MSR_BITMAPS),
	WHEN_OFF("entry.ctl.free.virtual-apic", VIRTUAL_APIC_ADDRESS, PROC, USE_TPR_SHADOW),
	WHEN_OFF("entry.ctl.free.tpr-threshold", TPR_THRESHOLD, PROC, USE_TPR_SHADOW),
	FREE("entry.ctl.free.tpr-threshold-vid", "any value, with virtual-interrupt delivery", TPR_THRESHOLD, ALL,
		ON(PROC2, VIRTUAL_INTERRUPT_DELIVERY)),
	WHEN_OFF("entry.ctl.free.apic-access", APIC_ACCESS_ADDRESS, PROC2, VIRTUALIZE_APIC_ACCESSES),
	WHEN_OFF("entry.ctl.free.posted-vector", POSTED_INTERRUPT_VECTOR, PIN, PROCESS_POSTED_INTERRUPTS),
	WHEN_OFF("entry.ctl.free.posted-address", POSTED_INTERRUPT_ADDRESS, PIN, PROCESS_POSTED_INTERRUPTS),
	WHEN_OFF("entry.ctl.free.vpid", VPID, PROC2, ENABLE_VPID),
	WHEN_OFF("entry.ctl.free.ept-pointer", EPT_POINTER, PROC2, ENABLE_EPT),
	WHEN_OFF("entry.ctl.free.pml-address", PML_ADDRESS, PROC2, ENABLE_PML),
	WHEN_OFF("entry.ctl.free.spp-pointer", SPP_TABLE_POINTER, PROC2, SUB_PAGE_WRITE),
	WHEN_OFF("entry.ctl.free.vm-functions", VM_FUNCTION_CONTROLS, PROC2, ENABLE_VM_FUNCTIONS),
	WHEN_OFF("entry.ctl.free.eptp-list", EPTP_LIST_ADDRESS, VMFUNC, EPTP_SWITCHING),
	WHEN_OFF("entry.ctl.free.vmread-bitmap", VMREAD_BITMAP, PROC2, VMCS_SHADOWING),
	WHEN_OFF("entry.ctl.free.vmwrite-bitmap", VMWRITE_BITMAP, PROC2, VMCS_SHADOWING),
	WHEN_OFF("entry.ctl.free.ve-address", VE_INFORMATION_ADDRESS, PROC2, EPT_VIOLATION_VE),
	WHEN_OFF("entry.ctl.free.tsc-multiplier", TSC_MULTIPLIER, PROC2, USE_TSC_SCALING),
	WHEN_OFF("entry.ctl.free.hlat-pointer", HLAT_POINTER, PROC3, ENABLE_HLAT),
	WHEN_OFF("entry.ctl.free.pid-pointer-table", PID_POINTER_TABLE, PROC3, IPI_VIRTUALIZATION),
	WHEN_OFF("entry.ctl.free.low-pasid", LOW_PASID_DIRECTORY, PROC2, PASID_TRANSLATION),
	WHEN_OFF("entry.ctl.free.high-pasid", HIGH_PASID_DIRECTORY, PROC2, PASID_TRANSLATION),
	WHEN_OFF("entry.ctl.free.secondary-controls", PROC2_CONTROLS, PROC, ACTIVATE_SECONDARY_CONTROLS),
	WHEN_OFF("entry.ctl.free.tertiary-controls", PROC3_CONTROLS, PROC, ACTIVATE_TERTIARY_CONTROLS),
	/* VM-exit and VM-entry controls */
	WHEN_OFF("entry.ctl.free.secondary-exit-controls", EXIT2_CONTROLS, EXIT, ACTIVATE_SECONDARY_CONTROLS),
	FREE("entry.ctl.free.exit-store-address", "any value, while the count is 0", EXIT_MSR_STORE_ADDRESS, ALL,
		OFF(FACT, STORE_AREA)),
	FREE("entry.ctl.free.exit-load-address", "any value, while the count is 0", EXIT_MSR_LOAD_ADDRESS, ALL,
		OFF(FACT, LOAD_AREA)),
	FREE("entry.ctl.free.entry-load-address", "any value, while the count is 0", ENTRY_MSR_LOAD_ADDRESS, ALL,
		OFF(FACT, ENTRY_AREA)),
	FREE("entry.ctl.free.event", "any value of bits 30:0, while the valid bit is 0", ENTRY_INTERRUPTION_INFO,
		BITS(30, 0), OFF(FACT, INJECT)),
	FREE("entry.ctl.free.error-code", "any value, where no error code is delivered", ENTRY_EXCEPTION_ERROR, ALL,
		OFF(FACT, ERROR_CODE)),
	FREE("entry.ctl.free.instruction-length", "any value, where nothing is injected that has one",
		ENTRY_INSTRUCTION_LENGTH, ALL, OFF(FACT, SOFTWARE)),
	/* Host state */
	FREE("entry.host.free.cr0-cd-nw", "any value of CD and NW", HOST_CR0, CR0_CD | CR0_NW),
	LOW("entry.host.free.cr3-low", HOST_CR3),
	ANY("entry.host.free.sysenter-cs", HOST_IA32_SYSENTER_CS),
	LOW("entry.host.free.sysenter-esp", HOST_IA32_SYSENTER_ESP),
	LOW("entry.host.free.sysenter-eip", HOST_IA32_SYSENTER_EIP),
	ANY("entry.host.free.rsp", HOST_RSP),
	LOW("entry.host.free.rip", HOST_RIP),
	FREE("entry.host.free.ds", "any index in the table, 0 too", HOST_DS_SELECTOR, BITS(15, 3)),
	FREE("entry.host.free.es", "any index in the table, 0 too", HOST_ES_SELECTOR, BITS(15, 3)),
	FREE("entry.host.free.fs", "any index in the table, 0 too", HOST_FS_SELECTOR, BITS(15, 3)),
	FREE("entry.host.free.gs", "any index in the table, 0 too", HOST_GS_SELECTOR, BITS(15, 3)),
	FREE("entry.host.free.ss-64", "any index in the table, 0 too, with host address-space size 1",
		HOST_SS_SELECTOR, BITS(15, 3), ON(EXIT, HOST_ADDRESS_SPACE_SIZE)),
	LOW("entry.host.free.fs-base", HOST_FS_BASE),
	LOW("entry.host.free.gs-base", HOST_GS_BASE),
	LOW("entry.host.free.tr-base", HOST_TR_BASE),
	LOW("entry.host.free.gdtr-base", HOST_GDTR_BASE),
	LOW("entry.host.free.idtr-base", HOST_IDTR_BASE),
	WHEN_OFF("entry.host.free.pat", HOST_IA32_PAT, EXIT, LOAD_PAT),
	WHEN_OFF("entry.host.free.efer", HOST_IA32_EFER, EXIT, LOAD_EFER),
	WHEN_OFF("entry.host.free.perf-global-ctrl", HOST_IA32_PERF_GLOBAL_CTRL, EXIT, LOAD_PERF_GLOBAL_CTRL),
	WHEN_OFF("entry.host.free.pkrs", HOST_IA32_PKRS, EXIT, LOAD_PKRS),
	FREE("entry.host.free.pkrs-low", "any value of bits 31:0", HOST_IA32_PKRS, BITS(31, 0)),
	WHEN_OFF("entry.host.free.s-cet", HOST_IA32_S_CET, EXIT, LOAD_CET),
	WHEN_OFF("entry.host.free.ssp", HOST_SSP, EXIT, LOAD_CET),
	WHEN_OFF("entry.host.free.ssp-table", HOST_IA32_INTERRUPT_SSP_TABLE, EXIT, LOAD_CET),
	WHEN_OFF("entry.host.free.spec-ctrl", HOST_IA32_SPEC_CTRL, EXIT2, LOAD_SPEC_CTRL),
	WHEN_OFF("entry.host.free.fred-config", HOST_IA32_FRED_CONFIG, EXIT2, LOAD_FRED),
	ANY("entry.host.free.fred-stack-levels", HOST_IA32_FRED_STKLVLS),
	/* Guest state */
	FREE("entry.guest.free.cr0-cd-nw", "any value of CD and NW", GUEST_CR0, CR0_CD | CR0_NW),
	LOW("entry.guest.free.cr3-low", GUEST_CR3, OFF(FACT, PAE_PAGING)),
	FREE("entry.guest.free.cr3-pae", "any value of bits 4:0 with PAE paging", GUEST_CR3, BITS(4, 0), ON(FACT,
		PAE_PAGING)),
	FREE("entry.guest.free.dr7-low", "any value of bits 31:0", GUEST_DR7, BITS(31, 0)),
	WHEN_OFF("entry.guest.free.dr7", GUEST_DR7, ENTRY, LOAD_DEBUG_CONTROLS),
	FREE("entry.guest.free.debugctl", "any value but of BTF, while debug controls are not loaded",
		GUEST_IA32_DEBUGCTL, ~DEBUGCTL_BTF, OFF(ENTRY, LOAD_DEBUG_CONTROLS)),
	FREE("entry.guest.free.debugctl-lbr", "any value of LBR and TR", GUEST_IA32_DEBUGCTL, BIT(0) | BIT(6)),
	ANY("entry.guest.free.sysenter-cs", GUEST_IA32_SYSENTER_CS),
	LOW("entry.guest.free.sysenter-esp", GUEST_IA32_SYSENTER_ESP),
	LOW("entry.guest.free.sysenter-eip", GUEST_IA32_SYSENTER_EIP),
	WHEN_OFF("entry.guest.free.pat", GUEST_IA32_PAT, ENTRY, LOAD_PAT),
	WHEN_OFF("entry.guest.free.efer", GUEST_IA32_EFER, ENTRY, LOAD_EFER),
	WHEN_OFF("entry.guest.free.perf-global-ctrl", GUEST_IA32_PERF_GLOBAL_CTRL, ENTRY, LOAD_PERF_GLOBAL_CTRL),
	WHEN_OFF("entry.guest.free.bndcfgs", GUEST_IA32_BNDCFGS, ENTRY, LOAD_BNDCFGS),
	WHEN_OFF("entry.guest.free.rtit-ctl", GUEST_IA32_RTIT_CTL, ENTRY, LOAD_RTIT_CTL),
	WHEN_OFF("entry.guest.free.lbr-ctl", GUEST_IA32_LBR_CTL, ENTRY, LOAD_LBR_CTL),
	WHEN_OFF("entry.guest.free.pkrs", GUEST_IA32_PKRS, ENTRY, LOAD_PKRS),
	FREE("entry.guest.free.pkrs-low", "any value of bits 31:0", GUEST_IA32_PKRS, BITS(31, 0)),
	WHEN_OFF("entry.guest.free.uinv", GUEST_UINV, ENTRY, LOAD_UINV),
	FREE("entry.guest.free.uinv-low", "any value of bits 7:0", GUEST_UINV, BITS(7, 0)),
	WHEN_OFF("entry.guest.free.s-cet", GUEST_IA32_S_CET, ENTRY, LOAD_CET),
	WHEN_OFF("entry.guest.free.ssp", GUEST_SSP, ENTRY, LOAD_CET),
	WHEN_OFF("entry.guest.free.ssp-table", GUEST_IA32_INTERRUPT_SSP_TABLE, ENTRY, LOAD_CET),
	WHEN_OFF("entry.guest.free.spec-ctrl", GUEST_IA32_SPEC_CTRL, ENTRY, LOAD_SPEC_CTRL),
	WHEN_OFF("entry.guest.free.fred-config", GUEST_IA32_FRED_CONFIG, ENTRY, LOAD_FRED),
	ANY("entry.guest.free.fred-stack-levels", GUEST_IA32_FRED_STKLVLS),
	FREE("entry.guest.free.tr-selector", "any value but of TI, 0 too", GUEST_TR_SELECTOR, BITS(15, 3) | BITS(1,
		0)),
	FREE("entry.guest.free.cs-selector", "any value but of RPL", GUEST_CS_SELECTOR, BITS(15, 2), OFF(FACT, V86)),
	FREE("entry.guest.free.ss-selector", "any value but of RPL", GUEST_SS_SELECTOR, BITS(15, 2), OFF(FACT, V86)),
	FREE("entry.guest.free.ds-selector", "any value but of RPL", GUEST_DS_SELECTOR, BITS(15, 2), OFF(FACT, V86)),
	FREE("entry.guest.free.es-selector", "any value but of RPL", GUEST_ES_SELECTOR, BITS(15, 2), OFF(FACT, V86)),
	FREE("entry.guest.free.fs-selector", "any value but of RPL", GUEST_FS_SELECTOR, BITS(15, 2), OFF(FACT, V86)),
	FREE("entry.guest.free.gs-selector", "any value but of RPL", GUEST_GS_SELECTOR, BITS(15, 2), OFF(FACT, V86)),
	LOW("entry.guest.free.cs-base", GUEST_CS_BASE, OFF(FACT, V86)),
	LOW("entry.guest.free.ss-base", GUEST_SS_BASE, OFF(FACT, V86)),
	LOW("entry.guest.free.ds-base", GUEST_DS_BASE, OFF(FACT, V86)),
	LOW("entry.guest.free.es-base", GUEST_ES_BASE, OFF(FACT, V86)),
	LOW("entry.guest.free.fs-base", GUEST_FS_BASE, OFF(FACT, V86)),
	LOW("entry.guest.free.gs-base", GUEST_GS_BASE, OFF(FACT, V86)),
	LOW("entry.guest.free.tr-base", GUEST_TR_BASE),
	LOW("entry.guest.free.ldtr-base", GUEST_LDTR_BASE),
	AVL("entry.guest.free.cs-avl", GUEST_CS_ACCESS_RIGHTS),
	AVL("entry.guest.free.ss-avl", GUEST_SS_ACCESS_RIGHTS),
	AVL("entry.guest.free.ds-avl", GUEST_DS_ACCESS_RIGHTS),
	AVL("entry.guest.free.es-avl", GUEST_ES_ACCESS_RIGHTS),
	AVL("entry.guest.free.fs-avl", GUEST_FS_ACCESS_RIGHTS),
	AVL("entry.guest.free.gs-avl", GUEST_GS_ACCESS_RIGHTS),
	FREE("entry.guest.free.tr-avl", "any value of DPL, AVL, L and D/B", GUEST_TR_ACCESS_RIGHTS, BITS(6,
		5) | BITS(14, 12)),
	FREE("entry.guest.free.ldtr-avl", "any value of DPL, AVL, L and D/B", GUEST_LDTR_ACCESS_RIGHTS, BITS(6,
		5) | BITS(14, 12)),
	FREE("entry.guest.free.ss-db", "any value of L and D/B", GUEST_SS_ACCESS_RIGHTS, AR_L | AR_DB, OFF(FACT,
		V86)),
	UNUSABLE("entry.guest.free.ds-unusable", GUEST_DS_ACCESS_RIGHTS, ~AR_UNUSABLE),
	UNUSABLE("entry.guest.free.es-unusable", GUEST_ES_ACCESS_RIGHTS, ~AR_UNUSABLE),
	UNUSABLE("entry.guest.free.fs-unusable", GUEST_FS_ACCESS_RIGHTS, ~AR_UNUSABLE),
	UNUSABLE("entry.guest.free.gs-unusable", GUEST_GS_ACCESS_RIGHTS, ~AR_UNUSABLE),
	UNUSABLE("entry.guest.free.ldtr-unusable", GUEST_LDTR_ACCESS_RIGHTS, ~AR_UNUSABLE),
	UNUSABLE("entry.guest.free.ss-unusable", GUEST_SS_ACCESS_RIGHTS, ~(AR_UNUSABLE | BITS(6, 5))),
	UNUSABLE("entry.guest.free.ss-unusable-limit", GUEST_SS_LIMIT, ALL),
	UNUSABLE("entry.guest.free.ds-unusable-limit", GUEST_DS_LIMIT, ALL),
	UNUSABLE("entry.guest.free.es-unusable-limit", GUEST_ES_LIMIT, ALL),
	UNUSABLE("entry.guest.free.fs-unusable-limit", GUEST_FS_LIMIT, ALL),
	UNUSABLE("entry.guest.free.gs-unusable-limit", GUEST_GS_LIMIT, ALL),
	UNUSABLE("entry.guest.free.ldtr-unusable-limit", GUEST_LDTR_LIMIT, ALL),
	UNUSABLE("entry.guest.free.ss-unusable-base", GUEST_SS_BASE, ALL),
	UNUSABLE("entry.guest.free.ds-unusable-base", GUEST_DS_BASE, ALL),
	UNUSABLE("entry.guest.free.es-unusable-base", GUEST_ES_BASE, ALL),
	UNUSABLE("entry.guest.free.ldtr-unusable-base", GUEST_LDTR_BASE, ALL),
	UNUSABLE("entry.guest.free.ldtr-unusable-selector", GUEST_LDTR_SELECTOR, ALL),
	LOW("entry.guest.free.gdtr-base", GUEST_GDTR_BASE),
	LOW("entry.guest.free.idtr-base", GUEST_IDTR_BASE),
	FREE("entry.guest.free.gdtr-limit", "any value of bits 15:0", GUEST_GDTR_LIMIT, BITS(15, 0)),
	FREE("entry.guest.free.idtr-limit", "any value of bits 15:0", GUEST_IDTR_LIMIT, BITS(15, 0)),
	LOW("entry.guest.free.rip", GUEST_RIP),
	ANY("entry.guest.free.rsp", GUEST_RSP),
	FREE("entry.guest.free.rip-64", "any value of bit N - 1, of N linear-address bits, in 64-bit mode", GUEST_RIP,
		BIT(47), ON(ENTRY, IA32E_MODE_GUEST), ON(FACT, CODE_64), ON(FACT, CANONICAL_RIP)),
	FREE("entry.guest.free.rflags-arithmetic", "any value of CF, PF, AF, ZF, SF, DF, OF", GUEST_RFLAGS, FLAGS),
	FREE("entry.guest.free.rflags-system", "any value of NT, RF, AC, VIF, VIP, ID", GUEST_RFLAGS,
		BIT(14) | BIT(16) | BITS(21, 18)),
	FREE("entry.guest.free.rflags-iopl", "any value of IOPL, without FRED", GUEST_RFLAGS, RFLAGS_IOPL, OFF(FACT,
		FRED)),
	FREE("entry.guest.free.rflags-tf", "any value of TF, without blocking by STI or MOV SS and outside HLT",
		GUEST_RFLAGS, RFLAGS_TF, OFF(FACT, STEP_CHECKED)),
	FREE("entry.guest.free.rflags-if", "any value of IF, without injection and blocking", GUEST_RFLAGS, RFLAGS_IF,
		OFF(FACT, STEP_CHECKED), OFF(FACT, INJECT)),
	ANY("entry.guest.free.smbase", GUEST_SMBASE),
	ANY("entry.guest.free.preemption-timer", PREEMPTION_TIMER),
	FREE("entry.guest.free.nmi-blocking", "any value of blocking by NMI, where nothing is injected",
		GUEST_INTERRUPTIBILITY, BLOCKED_NMI, OFF(FACT, INJECT)),
	FREE("entry.guest.free.nmi-blocking-inject", "any value of blocking by NMI, without virtual NMIs",
		GUEST_INTERRUPTIBILITY, BLOCKED_NMI, OFF(PIN, VIRTUAL_NMIS)),
	FREE("entry.guest.free.pending-debug", "any value of B3 to B0 and bit 12, without RTM", GUEST_PENDING_DEBUG,
		PENDING_ENABLED | BITS(3, 0), OFF(FACT, RTM)),
	FREE("entry.guest.free.pending-bs", "any value of BS, without blocking by STI or MOV SS and outside HLT",
		GUEST_PENDING_DEBUG, PENDING_BS, OFF(FACT, STEP_CHECKED), OFF(FACT, RTM)),
	FREE("entry.guest.free.pdpte0", "any value, without PAE paging", GUEST_PDPTE0, ALL, OFF(FACT, PAE_PAGING)),
	FREE("entry.guest.free.pdpte1", "any value, without PAE paging", GUEST_PDPTE1, ALL, OFF(FACT, PAE_PAGING)),
	FREE("entry.guest.free.pdpte2", "any value, without PAE paging", GUEST_PDPTE2, ALL, OFF(FACT, PAE_PAGING)),
	FREE("entry.guest.free.pdpte3", "any value, without PAE paging", GUEST_PDPTE3, ALL, OFF(FACT, PAE_PAGING)),
	FREE("entry.guest.free.pdpte-no-ept", "any value, without EPT", GUEST_PDPTE0, ALL, OFF(PROC2, ENABLE_EPT)),
	/* Read-only data fields */
	READ_ONLY("entry.basic.free.instruction-error", INSTRUCTION_ERROR),
	READ_ONLY("entry.basic.free.exit-reason", EXIT_REASON),
	READ_ONLY("entry.basic.free.exit-interruption-info", EXIT_INTERRUPTION_INFO),
	READ_ONLY("entry.basic.free.exit-interruption-error", EXIT_INTERRUPTION_ERROR),
	READ_ONLY("entry.basic.free.idt-vectoring-info", IDT_VECTORING_INFO),
	READ_ONLY("entry.basic.free.idt-vectoring-error", IDT_VECTORING_ERROR),
	READ_ONLY("entry.basic.free.exit-instruction-length", EXIT_INSTRUCTION_LENGTH),
	READ_ONLY("entry.basic.free.exit-instruction-info", EXIT_INSTRUCTION_INFO),
	READ_ONLY("entry.basic.free.exit-qualification", EXIT_QUALIFICATION),
	READ_ONLY("entry.basic.free.guest-linear-address", GUEST_LINEAR_ADDRESS),
	READ_ONLY("entry.basic.free.guest-physical-address", GUEST_PHYSICAL_ADDRESS),
	READ_ONLY("entry.basic.free.io-rcx", IO_RCX),
	READ_ONLY("entry.basic.free.io-rsi", IO_RSI),
	READ_ONLY("entry.basic.free.io-rdi", IO_RDI),
	READ_ONLY("entry.basic.free.io-rip", IO_RIP),
};
/* clang-format on */

unsigned entry_free_count(void)
{
	return COUNT(rows);
}

const struct entry_free *entry_free_at(unsigned number)
{
	return number < COUNT(rows) ? &rows[number] : 0;
}

const char *entry_free_id(const struct entry_free *row)
{
	return row->id;
}

const char *entry_free_text(const struct entry_free *row)
{
	return row->text;
}

enum image_field entry_free_field(const struct entry_free *row)
{
	return row->field;
}

u64 entry_free_bits(const struct entry_free *row, const struct vmcs_image *image, const struct entry_place *place)
{
	struct entry e;

	entry_open(&e, image, place);
	if (!image->there[row->field] || (row->unusable && (entry_usable(&e,
		entry_segment_of(row->field)) || (e.in_force[CONTROL_FACT] & FACT_V86))))
		return 0;
	for (unsigned i = 0; i < COUNT(row->when); i++)
		if (!entry_condition_holds(&e, row->when[i]))
			return 0;
	return e.unknown ? 0 : row->bits & entry_field_bits(place->caps, row->field);
}

bool entry_free_near(const struct entry_free *row, struct vmcs_image *image, const struct entry_place *place)
{
	for (unsigned i = 0; i < COUNT(row->when); i++)
		if (!entry_establish(image, place, row->when[i]))
			return false;
	if (row->unusable)
		image->value[IMAGE_GUEST_ES_ACCESS_RIGHTS + entry_segment_of(row->field)] |= AR_UNUSABLE;
	return entry_free_bits(row, image, place) != 0;
}
