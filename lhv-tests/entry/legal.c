/* Legal VMCSs: values for the fields of features that are off, and a whole VMCS for a processor. */
#include "lhv-tests/entry/establish.h"

#define PAT_RESET 0x0007040600070406ull
#define DR7_RESET 0x400u
#define NO_PAGE ENTRY_PAGES

/*
 * A field, the control that makes the processor look at it, and what is legal in it: an address of a page, or a
 * number.
 */
struct optional {
	u8 field, page;
	struct entry_condition control;
	u64 value;
};
#define NUMBER(name, number, ...) {IMAGE_##name, NO_PAGE, __VA_ARGS__, number}
#define IN_PAGE(name, page, ...) {IMAGE_##name, page, __VA_ARGS__, 0}
#define FRED_FIELDS(side, ...) \
	NUMBER(side##_IA32_FRED_CONFIG, 0, __VA_ARGS__), NUMBER(side##_IA32_FRED_STKLVLS, 0, __VA_ARGS__), \
	NUMBER(side##_IA32_FRED_RSP1, 0, __VA_ARGS__), NUMBER(side##_IA32_FRED_RSP2, 0, __VA_ARGS__), \
	NUMBER(side##_IA32_FRED_RSP3, 0, __VA_ARGS__), NUMBER(side##_IA32_FRED_SSP1, 0, __VA_ARGS__), \
	NUMBER(side##_IA32_FRED_SSP2, 0, __VA_ARGS__), NUMBER(side##_IA32_FRED_SSP3, 0, __VA_ARGS__)

/* clang-format off */
static const struct optional optional_fields[] = {
	IN_PAGE(IO_BITMAP_A,              PAGE_ZEROS,        ON(PROC, USE_IO_BITMAPS)),
	IN_PAGE(IO_BITMAP_B,              PAGE_ZEROS,        ON(PROC, USE_IO_BITMAPS)),
	IN_PAGE(MSR_BITMAPS,              PAGE_ZEROS,        ON(PROC, USE_MSR_BITMAPS)),
	IN_PAGE(VIRTUAL_APIC_ADDRESS,     PAGE_VIRTUAL_APIC, ON(PROC, USE_TPR_SHADOW)),
	NUMBER( TPR_THRESHOLD,            0,                 ON(PROC, USE_TPR_SHADOW)),
	IN_PAGE(APIC_ACCESS_ADDRESS,      PAGE_APIC_ACCESS,  ON(PROC2, VIRTUALIZE_APIC_ACCESSES)),
	IN_PAGE(POSTED_INTERRUPT_ADDRESS, PAGE_POSTED,       ON(PIN, PROCESS_POSTED_INTERRUPTS)),
	NUMBER( POSTED_INTERRUPT_VECTOR,  0xf0,              ON(PIN, PROCESS_POSTED_INTERRUPTS)),
	NUMBER( PREEMPTION_TIMER,         0,                 ON(PIN, ACTIVATE_PREEMPTION_TIMER)),
	NUMBER( VPID,                     1,                 ON(PROC2, ENABLE_VPID)),
	IN_PAGE(PML_ADDRESS,              PAGE_LOG,          ON(PROC2, ENABLE_PML)),
	NUMBER( PML_INDEX,                511,               ON(PROC2, ENABLE_PML)),
	IN_PAGE(SPP_TABLE_POINTER,        PAGE_ZEROS,        ON(PROC2, SUB_PAGE_WRITE)),
	NUMBER( VM_FUNCTION_CONTROLS,     0,                 ON(PROC2, ENABLE_VM_FUNCTIONS)),
	IN_PAGE(EPTP_LIST_ADDRESS,        PAGE_ZEROS,        ON(VMFUNC, EPTP_SWITCHING)),
	IN_PAGE(VMREAD_BITMAP,            PAGE_ZEROS,        ON(PROC2, VMCS_SHADOWING)),
	IN_PAGE(VMWRITE_BITMAP,           PAGE_ZEROS,        ON(PROC2, VMCS_SHADOWING)),
	IN_PAGE(VE_INFORMATION_ADDRESS,   PAGE_LOG,          ON(PROC2, EPT_VIOLATION_VE)),
	NUMBER( TSC_MULTIPLIER,           BIT(48),           ON(PROC2, USE_TSC_SCALING)),
	IN_PAGE(LOW_PASID_DIRECTORY,      PAGE_ZEROS,        ON(PROC2, PASID_TRANSLATION)),
	IN_PAGE(HIGH_PASID_DIRECTORY,     PAGE_ZEROS,        ON(PROC2, PASID_TRANSLATION)),
	IN_PAGE(HLAT_POINTER,             PAGE_ZEROS,        ON(PROC3, ENABLE_HLAT)),
	IN_PAGE(PID_POINTER_TABLE,        PAGE_ZEROS,        ON(PROC3, IPI_VIRTUALIZATION)),
	NUMBER( LAST_PID_POINTER_INDEX,   0,                 ON(PROC3, IPI_VIRTUALIZATION)),
	NUMBER( VIRTUAL_TIMER_VECTOR,     0x20,              ON(PROC3, APIC_TIMER_VIRTUALIZATION)),
	NUMBER( GUEST_IA32_DEBUGCTL,      0,                 ON(ENTRY, LOAD_DEBUG_CONTROLS)),
	NUMBER( GUEST_DR7,                DR7_RESET,         ON(ENTRY, LOAD_DEBUG_CONTROLS)),
	NUMBER( GUEST_IA32_PAT,           PAT_RESET,         ON(ENTRY, LOAD_PAT)),
	NUMBER( GUEST_IA32_PERF_GLOBAL_CTRL, 0,              ON(ENTRY, LOAD_PERF_GLOBAL_CTRL)),
	NUMBER( GUEST_IA32_BNDCFGS,       0,                 ON(ENTRY, LOAD_BNDCFGS)),
	NUMBER( GUEST_IA32_RTIT_CTL,      0,                 ON(ENTRY, LOAD_RTIT_CTL)),
	NUMBER( GUEST_IA32_LBR_CTL,       0,                 ON(ENTRY, LOAD_LBR_CTL)),
	NUMBER( GUEST_IA32_PKRS,          0,                 ON(ENTRY, LOAD_PKRS)),
	NUMBER( GUEST_UINV,               0,                 ON(ENTRY, LOAD_UINV)),
	NUMBER( GUEST_IA32_SPEC_CTRL,     0,                 ON(ENTRY, LOAD_SPEC_CTRL)),
	NUMBER( GUEST_IA32_S_CET,         0,                 ON(ENTRY, LOAD_CET)),
	NUMBER( GUEST_SSP,                0,                 ON(ENTRY, LOAD_CET)),
	NUMBER( GUEST_IA32_INTERRUPT_SSP_TABLE, 0,           ON(ENTRY, LOAD_CET)),
	FRED_FIELDS(GUEST, ON(ENTRY, LOAD_FRED)),
	NUMBER( HOST_IA32_PAT,            PAT_RESET,         ON(EXIT, LOAD_PAT)),
	NUMBER( HOST_IA32_PERF_GLOBAL_CTRL, 0,               ON(EXIT, LOAD_PERF_GLOBAL_CTRL)),
	NUMBER( HOST_IA32_PKRS,           0,                 ON(EXIT, LOAD_PKRS)),
	NUMBER( HOST_IA32_SPEC_CTRL,      0,                 ON(EXIT2, LOAD_SPEC_CTRL)),
	NUMBER( HOST_IA32_S_CET,          0,                 ON(EXIT, LOAD_CET)),
	NUMBER( HOST_SSP,                 0,                 ON(EXIT, LOAD_CET)),
	NUMBER( HOST_IA32_INTERRUPT_SSP_TABLE, 0,            ON(EXIT, LOAD_CET)),
	FRED_FIELDS(HOST, ON(EXIT2, LOAD_FRED)),
	NUMBER( GUEST_PDPTE0,             0,                 ON(FACT, PAE_PAGING)),
	NUMBER( GUEST_PDPTE1,             0,                 ON(FACT, PAE_PAGING)),
	NUMBER( GUEST_PDPTE2,             0,                 ON(FACT, PAE_PAGING)),
	NUMBER( GUEST_PDPTE3,             0,                 ON(FACT, PAE_PAGING)),
	NUMBER( ENTRY_INSTRUCTION_LENGTH, 1,                 ON(FACT, INJECT)),
	NUMBER( ENTRY_EXCEPTION_ERROR,    0,                 ON(FACT, INJECT)),
};
/* clang-format on */

/* Memory type and page-walk length that the processor has, for the root of EPT paging structures */
static u64 ept_pointer(const struct entry_place *place)
{
	u64 caps = place->caps->vmx.ept_vpid, eptp = place->page[PAGE_EPT];

	eptp |= caps & BIT(14) ? 6 : 0;
	return eptp | (caps & BIT(6) ? 3 : 4) << 3;
}

void entry_prepare(struct vmcs_image *image, const struct entry_place *place)
{
	u64 ia32e = EFER_LMA | EFER_LME;
	struct entry e;

	entry_open(&e, image, place);
	for (unsigned i = 0; i < COUNT(optional_fields); i++) {
		const struct optional *row = &optional_fields[i];

		if (!entry_condition_holds(&e, row->control))
			image->value[row->field] = row->page == NO_PAGE ? row->value : place->page[row->page];
	}
	if (!(e.in_force[CONTROL_PROC] & PROC_ACTIVATE_SECONDARY_CONTROLS))
		image->value[IMAGE_PROC2_CONTROLS] = place->caps->vmx.proc2.must_be_1;
	if (!(e.in_force[CONTROL_PROC] & PROC_ACTIVATE_TERTIARY_CONTROLS))
		image->value[IMAGE_PROC3_CONTROLS] = 0;
	if (!(e.in_force[CONTROL_EXIT] & EXIT_ACTIVATE_SECONDARY_CONTROLS))
		image->value[IMAGE_EXIT2_CONTROLS] = 0;
	if (!(e.in_force[CONTROL_PROC2] & PROC2_ENABLE_EPT))
		image->value[IMAGE_EPT_POINTER] = ept_pointer(place);
	if (!(e.in_force[CONTROL_ENTRY] & ENTRY_LOAD_EFER))
		image->value[IMAGE_GUEST_IA32_EFER] = e.in_force[CONTROL_ENTRY] & ENTRY_IA32E_MODE_GUEST ? ia32e : 0;
	if (!(e.in_force[CONTROL_EXIT] & EXIT_LOAD_EFER))
		image->value[IMAGE_HOST_IA32_EFER] =
			e.in_force[CONTROL_EXIT] & EXIT_HOST_ADDRESS_SPACE_SIZE ? ia32e : 0;
	if (!image->value[IMAGE_EXIT_MSR_STORE_COUNT])
		image->value[IMAGE_EXIT_MSR_STORE_ADDRESS] = place->page[PAGE_MSRS];
	if (!image->value[IMAGE_EXIT_MSR_LOAD_COUNT])
		image->value[IMAGE_EXIT_MSR_LOAD_ADDRESS] = place->page[PAGE_MSRS];
	if (!image->value[IMAGE_ENTRY_MSR_LOAD_COUNT])
		image->value[IMAGE_ENTRY_MSR_LOAD_ADDRESS] = place->page[PAGE_MSRS];
}

/* ---- A whole VMCS ------------------------------------------------------------------------------------ */

static void segment(struct vmcs_image *image, unsigned number, u16 selector, u32 limit, u32 rights)
{
	image->value[IMAGE_GUEST_ES_SELECTOR + number] = selector;
	image->value[IMAGE_GUEST_ES_LIMIT + number] = limit;
	image->value[IMAGE_GUEST_ES_ACCESS_RIGHTS + number] = rights;
}

static void legal_controls(struct vmcs_image *image, const struct entry_place *place)
{
	const struct vmx_caps *vmx = &place->caps->vmx;

	image->value[IMAGE_PIN_CONTROLS] = vmx->pin.must_be_1;
	image->value[IMAGE_PROC_CONTROLS] = vmx->proc.must_be_1;
	image->value[IMAGE_EXIT_CONTROLS] = vmx->exit.must_be_1;
	image->value[IMAGE_ENTRY_CONTROLS] = vmx->entry.must_be_1;
	if (place->mode->ia32e) {
		image->value[IMAGE_EXIT_CONTROLS] |= vmx->exit.may_be_1 & EXIT_HOST_ADDRESS_SPACE_SIZE;
		image->value[IMAGE_ENTRY_CONTROLS] |= vmx->entry.may_be_1 & ENTRY_IA32E_MODE_GUEST;
	}
}

static void legal_state(struct vmcs_image *image, const struct entry_place *place, bool guest_64)
{
	const struct vmx_caps *vmx = &place->caps->vmx;
	u64 cr0 = vmx->cr0_fixed0 | ((CR0_PE | CR0_PG | CR0_WP | CR0_NE) & vmx->cr0_fixed1);
	u64 cr4 = vmx->cr4_fixed0 | CR4_VMXE | (place->mode->ia32e ? CR4_PAE : 0);
	u64 *value = image->value;

	value[IMAGE_HOST_CR0] = value[IMAGE_GUEST_CR0] = cr0;
	value[IMAGE_HOST_CR4] = value[IMAGE_GUEST_CR4] = cr4;
	value[IMAGE_HOST_CS_SELECTOR] = 8;
	value[IMAGE_HOST_SS_SELECTOR] = value[IMAGE_HOST_DS_SELECTOR] = value[IMAGE_HOST_ES_SELECTOR] = 16;
	value[IMAGE_HOST_TR_SELECTOR] = 24;
	value[IMAGE_HOST_RIP] = value[IMAGE_GUEST_RIP] = 0x100000;
	value[IMAGE_GUEST_RFLAGS] = RFLAGS_FIXED;
	value[IMAGE_GUEST_DR7] = DR7_RESET;
	value[IMAGE_LINK_POINTER] = NO_LINK;
	segment(image, SEGMENT_CS, 8, 0xffffffff, guest_64 ? 0xa09b : 0xc09b);
	for (unsigned data = SEGMENT_SS; data <= SEGMENT_DS; data++)
		segment(image, data, 16, 0xffffffff, 0xc093);
	segment(image, SEGMENT_ES, 16, 0xffffffff, 0xc093);
	segment(image, SEGMENT_FS, 0, 0, AR_UNUSABLE);
	segment(image, SEGMENT_GS, 0, 0, AR_UNUSABLE);
	segment(image, SEGMENT_LDTR, 0, 0, AR_UNUSABLE);
	segment(image, SEGMENT_TR, 24, 0x67, 0x8b);
}

void entry_legal(struct vmcs_image *image, const struct entry_place *place)
{
	for (unsigned i = 0; i < IMAGE_FIELDS; i++) {
		image->value[i] = 0;
		image->there[i] = vmcs_field_exists(&vmcs_fields[i], &place->caps->vmx);
	}
	legal_controls(image, place);
	legal_state(image, place, image->value[IMAGE_ENTRY_CONTROLS] & ENTRY_IA32E_MODE_GUEST);
	entry_prepare(image, place);
}
