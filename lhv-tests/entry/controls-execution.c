/* Checks on VM-execution control fields, in the SDM's order. */
#include "lhv-tests/entry/rule.h"

/* Bits that a vector of controls (rule->bits: its kind) must have 1, and 0. */
static u64 must_be_1(const struct entry *e, const struct entry_rule *rule)
{
	return control_kind_caps(rule->bits, &e->caps->vmx).must_be_1;
}

static u64 must_be_0(const struct entry *e, const struct entry_rule *rule)
{
	return ~control_kind_caps(rule->bits, &e->caps->vmx).may_be_1 & entry_field_bits(e->caps, rule->field);
}

static u64 cr3_targets(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	return FIELD(e->caps->vmx.misc, 24, 16);
}

/* 4 KiB of a virtual-APIC page; VTPR is at 80H */
static bool threshold_above_vtpr(struct entry *e, const struct entry_rule *rule, u64 threshold)
{
	(void)rule;
	u64 page = GET(VIRTUAL_APIC_ADDRESS);

	if ((page & BITS(11, 0)) || (page & mask_beyond_width(e, rule)) || e->unknown)
		return false;
	u32 vtpr = entry_read32(e, page + 0x80);
	return !e->unknown && (threshold & 15) > (vtpr >> 4 & 15);
}

/* ---- EPTP (25.6.11 Extended-Page-Table Pointer) and what IA32_VMX_EPT_VPID_CAP says of it (A.10) ------- */

static bool ept_memory_type(struct entry *e, const struct entry_rule *rule, u64 eptp)
{
	(void)rule;
	u64 caps = e->caps->vmx.ept_vpid;

	return !(((eptp & 7) == 0 && (caps & BIT(8))) || ((eptp & 7) == 6 && (caps & BIT(14))));
}

static bool ept_walk_length(struct entry *e, const struct entry_rule *rule, u64 eptp)
{
	(void)rule;
	u64 caps = e->caps->vmx.ept_vpid, length = FIELD(eptp, 5, 3);

	return !((length == 3 && (caps & BIT(6))) || (length == 4 && (caps & BIT(7))));
}

static u64 ept_accessed(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	return e->caps->vmx.ept_vpid & BIT(21) ? 0 : BIT(6);
}

static u64 ept_shadow_stack(const struct entry *e, const struct entry_rule *rule)
{
	(void)rule;
	return e->caps->vmx.ept_vpid & BIT(23) ? 0 : BIT(7);
}

/* ---- Newer features --------------------------------------------------------------------------------- */

/* The address of the last entry of the PID-pointer table; the table's own has rules of its own */
static bool last_pid_pointer(struct entry *e, const struct entry_rule *rule, u64 table)
{
	u64 last = table + 8 * GET(LAST_PID_POINTER_INDEX), beyond = mask_beyond_width(e, rule);

	return !(table & beyond) && (last & beyond);
}

static bool timer_vector(struct entry *e, const struct entry_rule *rule, u64 vector)
{
	(void)e, (void)rule;
	return vector < 16 || vector > 255;
}

/* Two rows for an address that must be aligned and fit the physical-address width */
#define ADDRESS(id, what, name, low_bits, ...) \
	{id ".align", what " has bits " #low_bits ":0 clear", ABOUT(name), ZERO(BITS(low_bits, 0)), __VA_ARGS__}, \
	{id ".width", what " is within the physical-address width", ABOUT(name), WIDTH, __VA_ARGS__}
#define EPT_TOO(id, what, kind, name, ...) \
	{id, what " needs EPT", WHEN(ON(kind, name)), ABOUT(kind##_CONTROLS), MUST(ON(PROC2, ENABLE_EPT)), \
		__VA_ARGS__}
#define TPR_TOO(id, what, kind, name, ...) \
	{id, what " needs the TPR shadow", WHEN(ON(kind, name)), ABOUT(kind##_CONTROLS), MUST(ON(PROC, \
		USE_TPR_SHADOW)), __VA_ARGS__}

/* clang-format off */
static const struct entry_rule rules[] = {
	{"entry.ctl.pin.must-be-1", "bits that must be 1 are 1", ABOUT(PIN_CONTROLS), ONE_BY(must_be_1),
		.bits = CONTROL_PIN},
	{"entry.ctl.pin.must-be-0", "bits that may not be 1 are 0", ABOUT(PIN_CONTROLS), ZERO_BY(must_be_0),
		.bits = CONTROL_PIN},
	{"entry.ctl.proc.must-be-1", "bits that must be 1 are 1", ABOUT(PROC_CONTROLS), ONE_BY(must_be_1),
		.bits = CONTROL_PROC},
	{"entry.ctl.proc.must-be-0", "bits that may not be 1 are 0", ABOUT(PROC_CONTROLS), ZERO_BY(must_be_0),
		.bits = CONTROL_PROC},
	{"entry.ctl.proc2.must-be-0", "bits that may not be 1 are 0", WHEN(ON(PROC, ACTIVATE_SECONDARY_CONTROLS)),
		ABOUT(PROC2_CONTROLS), ZERO_BY(must_be_0), .bits = CONTROL_PROC2},
	{"entry.ctl.proc3.must-be-0", "bits that may not be 1 are 0", WHEN(ON(PROC, ACTIVATE_TERTIARY_CONTROLS)),
		ABOUT(PROC3_CONTROLS), ZERO_BY(must_be_0), .bits = CONTROL_PROC3},
	{"entry.ctl.cr3-target-count", "no more than IA32_VMX_MISC[24:16]", ABOUT(CR3_TARGET_COUNT),
		.check = CHECK_AT_MOST, .mask = cr3_targets},
	ADDRESS("entry.ctl.io-bitmap-a", "I/O-bitmap A address", IO_BITMAP_A, 11, WHEN(ON(PROC, USE_IO_BITMAPS))),
	ADDRESS("entry.ctl.io-bitmap-b", "I/O-bitmap B address", IO_BITMAP_B, 11, WHEN(ON(PROC, USE_IO_BITMAPS))),
	ADDRESS("entry.ctl.msr-bitmap", "MSR-bitmap address", MSR_BITMAPS, 11, WHEN(ON(PROC, USE_MSR_BITMAPS))),
	ADDRESS("entry.ctl.vapic", "virtual-APIC address", VIRTUAL_APIC_ADDRESS, 11, WHEN(ON(PROC, USE_TPR_SHADOW))),
	{"entry.ctl.tpr-threshold.high", "bits 31:4 are 0 without virtual-interrupt delivery",
		WHEN(ON(PROC, USE_TPR_SHADOW), OFF(PROC2, VIRTUAL_INTERRUPT_DELIVERY)), ABOUT(TPR_THRESHOLD),
		ZERO(BITS(31, 4))},
	{"entry.ctl.tpr-threshold.vtpr",
		"bits 3:0 are not above VTPR[7:4], without APIC-access virtualization and virtual-interrupt delivery",
		WHEN(ON(PROC, USE_TPR_SHADOW), OFF(PROC2, VIRTUAL_INTERRUPT_DELIVERY),
			OFF(PROC2, VIRTUALIZE_APIC_ACCESSES)), ABOUT(TPR_THRESHOLD), UNLESS(threshold_above_vtpr),
		GIVEN(SET(TPR_THRESHOLD, 5), SET_TPR(0x50)), BY(SET_TPR(0x4f))},
	{"entry.ctl.nmi.virtual-without-exiting", "virtual NMIs need NMI exiting", WHEN(ON(PIN, VIRTUAL_NMIS)),
		ABOUT(PIN_CONTROLS), MUST(ON(PIN, NMI_EXITING))},
	{"entry.ctl.nmi.window-without-virtual", "NMI-window exiting needs virtual NMIs",
		WHEN(ON(PROC, NMI_WINDOW_EXITING)), ABOUT(PROC_CONTROLS), MUST(ON(PIN, VIRTUAL_NMIS))},
	ADDRESS("entry.ctl.apic-access", "APIC-access address", APIC_ACCESS_ADDRESS, 11,
		WHEN(ON(PROC2, VIRTUALIZE_APIC_ACCESSES))),
	TPR_TOO("entry.ctl.apicv.x2apic-no-tpr", "virtualize x2APIC mode", PROC2, VIRTUALIZE_X2APIC_MODE),
	TPR_TOO("entry.ctl.apicv.reg-no-tpr", "APIC-register virtualization", PROC2, APIC_REGISTER_VIRTUALIZATION),
	TPR_TOO("entry.ctl.apicv.vid-no-tpr", "virtual-interrupt delivery", PROC2, VIRTUAL_INTERRUPT_DELIVERY),
	TPR_TOO("entry.ctl.apicv.ipiv-no-tpr", "IPI virtualization", PROC3, IPI_VIRTUALIZATION, OPEN),
	{"entry.ctl.apicv.x2apic-and-access", "virtualize x2APIC mode excludes virtualize APIC accesses",
		WHEN(ON(PROC2, VIRTUALIZE_X2APIC_MODE)), ABOUT(PROC2_CONTROLS),
		MUST(OFF(PROC2, VIRTUALIZE_APIC_ACCESSES))},
	{"entry.ctl.apicv.vid-no-extint", "virtual-interrupt delivery needs external-interrupt exiting",
		WHEN(ON(PROC2, VIRTUAL_INTERRUPT_DELIVERY)), ABOUT(PIN_CONTROLS),
		MUST(ON(PIN, EXTERNAL_INTERRUPT_EXITING))},
	{"entry.ctl.pi.no-vid", "process posted interrupts needs virtual-interrupt delivery",
		WHEN(ON(PIN, PROCESS_POSTED_INTERRUPTS)), ABOUT(PIN_CONTROLS),
		MUST(ON(PROC2, VIRTUAL_INTERRUPT_DELIVERY))},
	{"entry.ctl.pi.no-ack", "process posted interrupts needs acknowledge interrupt on exit",
		WHEN(ON(PIN, PROCESS_POSTED_INTERRUPTS)), ABOUT(PIN_CONTROLS), MUST(ON(EXIT, ACKNOWLEDGE_INTERRUPT))},
	{"entry.ctl.pi.vector", "bits 15:8 of the notification vector are 0",
		WHEN(ON(PIN, PROCESS_POSTED_INTERRUPTS)), ABOUT(POSTED_INTERRUPT_VECTOR), ZERO(BITS(15, 8))},
	ADDRESS("entry.ctl.pi.desc", "posted-interrupt descriptor address", POSTED_INTERRUPT_ADDRESS, 5,
		WHEN(ON(PIN, PROCESS_POSTED_INTERRUPTS))),
	{"entry.ctl.vpid.zero", "the VPID is not 0000H", WHEN(ON(PROC2, ENABLE_VPID)), ABOUT(VPID), NOT_EQUAL(0)},
	{"entry.ctl.proc2.ept-ptr.memtype", "EPTP[2:0] is a supported memory type: 0 or 6",
		WHEN(ON(PROC2, ENABLE_EPT)), ABOUT(EPT_POINTER), UNLESS(ept_memory_type),
		BY(SET_BITS(EPT_POINTER, 1))},
	{"entry.ctl.proc2.ept-ptr.walk-length", "EPTP[5:3] is a supported page-walk length, minus 1",
		WHEN(ON(PROC2, ENABLE_EPT)), ABOUT(EPT_POINTER), UNLESS(ept_walk_length),
		BY(CLEAR(EPT_POINTER, BITS(5, 3)), SET_BITS(EPT_POINTER, 2 << 3))},
	{"entry.ctl.proc2.ept-ptr.ad", "EPTP bit 6 is 0 without accessed and dirty flags",
		WHEN(ON(PROC2, ENABLE_EPT)), ABOUT(EPT_POINTER), ZERO_BY(ept_accessed)},
	{"entry.ctl.proc2.ept-ptr.sss", "EPTP bit 7 is 0 without supervisor shadow-stack control",
		WHEN(ON(PROC2, ENABLE_EPT)), ABOUT(EPT_POINTER), ZERO_BY(ept_shadow_stack)},
	{"entry.ctl.proc2.ept-ptr.reserved", "EPTP bits 11:8 are 0", WHEN(ON(PROC2, ENABLE_EPT)), ABOUT(EPT_POINTER),
		ZERO(BITS(11, 8))},
	{"entry.ctl.proc2.ept-ptr.width", "the EPTP is within the physical-address width",
		WHEN(ON(PROC2, ENABLE_EPT)), ABOUT(EPT_POINTER), WIDTH},
	EPT_TOO("entry.ctl.pml.no-ept", "PML", PROC2, ENABLE_PML),
	ADDRESS("entry.ctl.pml", "PML address", PML_ADDRESS, 11, WHEN(ON(PROC2, ENABLE_PML))),
	EPT_TOO("entry.ctl.ug.no-ept", "unrestricted guest", PROC2, UNRESTRICTED_GUEST),
	EPT_TOO("entry.ctl.mbec.no-ept", "mode-based execute control", PROC2, MODE_BASED_EXECUTE),
	EPT_TOO("entry.ctl.spp.no-ept", "sub-page write permissions", PROC2, SUB_PAGE_WRITE),
	ADDRESS("entry.ctl.spp.ptr", "sub-page-permission-table pointer", SPP_TABLE_POINTER, 11,
		WHEN(ON(PROC2, SUB_PAGE_WRITE))),
	{"entry.ctl.vmfunc.reserved", "VM functions that IA32_VMX_VMFUNC does not offer are 0",
		WHEN(ON(PROC2, ENABLE_VM_FUNCTIONS)), ABOUT(VM_FUNCTION_CONTROLS), ZERO_BY(must_be_0),
		.bits = CONTROL_VMFUNC},
	{"entry.ctl.vmfunc.eptp-no-ept", "EPTP switching needs EPT", WHEN(ON(VMFUNC, EPTP_SWITCHING)),
		ABOUT(VM_FUNCTION_CONTROLS), MUST(ON(PROC2, ENABLE_EPT))},
	ADDRESS("entry.ctl.vmfunc.eptp-list", "EPTP-list address", EPTP_LIST_ADDRESS, 11,
		WHEN(ON(VMFUNC, EPTP_SWITCHING))),
	ADDRESS("entry.ctl.shadow.vmread", "VMREAD-bitmap address", VMREAD_BITMAP, 11,
		WHEN(ON(PROC2, VMCS_SHADOWING))),
	ADDRESS("entry.ctl.shadow.vmwrite", "VMWRITE-bitmap address", VMWRITE_BITMAP, 11,
		WHEN(ON(PROC2, VMCS_SHADOWING))),
	ADDRESS("entry.ctl.ve.addr", "virtualization-exception information address", VE_INFORMATION_ADDRESS, 11,
		WHEN(ON(PROC2, EPT_VIOLATION_VE))),
	EPT_TOO("entry.ctl.pt.guest-pa.no-ept", "PT with guest-physical addresses", PROC2, PT_USES_GUEST_PHYSICAL),
	{"entry.ctl.pt.guest-pa.no-load", "PT with guest-physical addresses needs load IA32_RTIT_CTL",
		WHEN(ON(PROC2, PT_USES_GUEST_PHYSICAL)), ABOUT(ENTRY_CONTROLS), MUST(ON(ENTRY, LOAD_RTIT_CTL))},
	{"entry.ctl.pt.guest-pa.no-clear", "PT with guest-physical addresses needs clear IA32_RTIT_CTL",
		WHEN(ON(PROC2, PT_USES_GUEST_PHYSICAL)), ABOUT(EXIT_CONTROLS), MUST(ON(EXIT, CLEAR_RTIT_CTL))},
	{"entry.ctl.tsc.multiplier-zero", "the TSC multiplier is not 0", WHEN(ON(PROC2, USE_TSC_SCALING)),
		ABOUT(TSC_MULTIPLIER), NOT_EQUAL(0)},
	EPT_TOO("entry.ctl.hlat.no-ept", "HLAT", PROC3, ENABLE_HLAT, OPEN),
	{"entry.ctl.hlat.reserved", "HLATP bits 2:0 and 11:5 are 0", WHEN(ON(PROC3, ENABLE_HLAT)),
		ABOUT(HLAT_POINTER), ZERO(BITS(2, 0) | BITS(11, 5)), OPEN},
	{"entry.ctl.hlat.width", "HLATP is within the physical-address width", WHEN(ON(PROC3, ENABLE_HLAT)),
		ABOUT(HLAT_POINTER), WIDTH, OPEN},
	EPT_TOO("entry.ctl.ept-pw.no-ept", "EPT paging-write control", PROC3, EPT_PAGING_WRITE, OPEN),
	EPT_TOO("entry.ctl.gpv.no-ept", "guest-paging verification", PROC3, GUEST_PAGING_VERIFICATION, OPEN),
	ADDRESS("entry.ctl.ipiv", "PID-pointer table address", PID_POINTER_TABLE, 2,
		WHEN(ON(PROC3, IPI_VIRTUALIZATION))),
	{"entry.ctl.ipiv.last-entry", "the last entry of the PID-pointer table is within the physical-address width",
		WHEN(ON(PROC3, IPI_VIRTUALIZATION)), ABOUT(PID_POINTER_TABLE), UNLESS(last_pid_pointer),
		GIVEN(SET_TOP(PID_POINTER_TABLE, 8), SET(LAST_PID_POINTER_INDEX, 0)),
		BY(SET(LAST_PID_POINTER_INDEX, 1))},
	ADDRESS("entry.ctl.pasid.low", "low PASID-directory address", LOW_PASID_DIRECTORY, 11,
		WHEN(ON(PROC2, PASID_TRANSLATION)), OPEN),
	ADDRESS("entry.ctl.pasid.high", "high PASID-directory address", HIGH_PASID_DIRECTORY, 11,
		WHEN(ON(PROC2, PASID_TRANSLATION)), OPEN),
	{"entry.ctl.apic-timer.no-vid", "APIC-timer virtualization needs virtual-interrupt delivery",
		WHEN(ON(PROC3, APIC_TIMER_VIRTUALIZATION)), ABOUT(PROC3_CONTROLS),
		MUST(ON(PROC2, VIRTUAL_INTERRUPT_DELIVERY)), OPEN},
	{"entry.ctl.apic-timer.vector", "the virtual timer vector is 16 to 255",
		WHEN(ON(PROC3, APIC_TIMER_VIRTUALIZATION)), ABOUT(VIRTUAL_TIMER_VECTOR), UNLESS(timer_vector),
		GIVEN(SET(VIRTUAL_TIMER_VECTOR, 16)), BY(SET(VIRTUAL_TIMER_VECTOR, 15)), OPEN},
};
/* clang-format on */

GROUP(group_controls_execution, "27.2.1.1 VM-Execution Control Fields", rules, STAGE_CONTROLS_HOST,
		ERROR_ENTRY_CONTROL_FIELDS);
