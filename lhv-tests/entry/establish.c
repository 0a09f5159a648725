/*
 * Making conditions hold in a legal VMCS: each control brings the controls that it needs, and takes away those
 * that need it.
 */
#include "lhv-tests/entry/establish.h"

struct dependency {
	struct entry_condition control, needs[3];
};

/* clang-format off */
static const struct dependency dependencies[] = {
	{ON(PIN, VIRTUAL_NMIS),                   {ON(PIN, NMI_EXITING)}},
	{ON(PIN, PROCESS_POSTED_INTERRUPTS),      {ON(PROC2, VIRTUAL_INTERRUPT_DELIVERY), ON(EXIT,
		ACKNOWLEDGE_INTERRUPT)}},
	{ON(PROC, NMI_WINDOW_EXITING),            {ON(PIN, VIRTUAL_NMIS)}},
	{ON(PROC2, VIRTUALIZE_APIC_ACCESSES),     {OFF(PROC2, VIRTUALIZE_X2APIC_MODE)}},
	{ON(PROC2, VIRTUALIZE_X2APIC_MODE),       {ON(PROC, USE_TPR_SHADOW), OFF(PROC2, VIRTUALIZE_APIC_ACCESSES)}},
	{ON(PROC2, APIC_REGISTER_VIRTUALIZATION), {ON(PROC, USE_TPR_SHADOW)}},
	{ON(PROC2, VIRTUAL_INTERRUPT_DELIVERY),   {ON(PROC, USE_TPR_SHADOW), ON(PIN, EXTERNAL_INTERRUPT_EXITING)}},
	{ON(PROC2, ENABLE_PML),                   {ON(PROC2, ENABLE_EPT)}},
	{ON(PROC2, UNRESTRICTED_GUEST),           {ON(PROC2, ENABLE_EPT)}},
	{ON(PROC2, MODE_BASED_EXECUTE),           {ON(PROC2, ENABLE_EPT)}},
	{ON(PROC2, SUB_PAGE_WRITE),               {ON(PROC2, ENABLE_EPT)}},
	{ON(PROC2, PT_USES_GUEST_PHYSICAL),       {ON(PROC2, ENABLE_EPT), ON(ENTRY, LOAD_RTIT_CTL), ON(EXIT,
		CLEAR_RTIT_CTL)}},
	{ON(VMFUNC, EPTP_SWITCHING),              {ON(PROC2, ENABLE_VM_FUNCTIONS), ON(PROC2, ENABLE_EPT)}},
	{ON(PROC3, ENABLE_HLAT),                  {ON(PROC2, ENABLE_EPT)}},
	{ON(PROC3, EPT_PAGING_WRITE),             {ON(PROC2, ENABLE_EPT)}},
	{ON(PROC3, GUEST_PAGING_VERIFICATION),    {ON(PROC2, ENABLE_EPT)}},
	{ON(PROC3, IPI_VIRTUALIZATION),           {ON(PROC, USE_TPR_SHADOW)}},
	{ON(PROC3, APIC_TIMER_VIRTUALIZATION),    {ON(PROC2, VIRTUAL_INTERRUPT_DELIVERY)}},
	{ON(EXIT, SAVE_PREEMPTION_TIMER),         {ON(PIN, ACTIVATE_PREEMPTION_TIMER)}},
};
/* What activates a vector of controls */
static const struct entry_condition activation[CONTROL_KIND_END] = {
	[CONTROL_PROC2] = ON(PROC, ACTIVATE_SECONDARY_CONTROLS),
	[CONTROL_PROC3] = ON(PROC, ACTIVATE_TERTIARY_CONTROLS),
	[CONTROL_EXIT2] = ON(EXIT, ACTIVATE_SECONDARY_CONTROLS),
	[CONTROL_VMFUNC] = ON(PROC2, ENABLE_VM_FUNCTIONS),
};
/* clang-format on */

unsigned entry_control_field(unsigned kind)
{
	static const u8 fields[CONTROL_KIND_END] = {
		[CONTROL_PIN] = IMAGE_PIN_CONTROLS,   [CONTROL_PROC] = IMAGE_PROC_CONTROLS,
		  [CONTROL_PROC2] = IMAGE_PROC2_CONTROLS,
		[CONTROL_PROC3] = IMAGE_PROC3_CONTROLS, [CONTROL_EXIT] = IMAGE_EXIT_CONTROLS,
		[CONTROL_EXIT2] = IMAGE_EXIT2_CONTROLS,
		[CONTROL_ENTRY] = IMAGE_ENTRY_CONTROLS, [CONTROL_VMFUNC] = IMAGE_VM_FUNCTION_CONTROLS};

	return fields[kind];
}

static bool holds(const struct vmcs_image *image, const struct entry_place *place, struct entry_condition condition)
{
	struct entry e;

	entry_open(&e, image, place);
	return entry_condition_holds(&e, condition);
}

/* ---- Facts ------------------------------------------------------------------------------------------- */

static const struct entry_condition ia32e_guest = ON(ENTRY, IA32E_MODE_GUEST), not_ia32e_guest = OFF(ENTRY,
		IA32E_MODE_GUEST),
				    unrestricted = ON(PROC2, UNRESTRICTED_GUEST);

/* The fields that go with the control "IA-32e mode guest" */
static void guest_mode(struct vmcs_image *image, bool ia32e)
{
	u64 *value = image->value, *rights = &value[IMAGE_GUEST_CS_ACCESS_RIGHTS];

	if (ia32e) {
		value[IMAGE_GUEST_CR0] |= CR0_PE | CR0_PG;
		value[IMAGE_GUEST_CR4] |= CR4_PAE;
		*rights = (*rights | AR_L) & ~AR_DB;
		value[IMAGE_GUEST_TR_ACCESS_RIGHTS] |= 8; /* type 11 */
		value[IMAGE_GUEST_IA32_EFER] |= EFER_LMA | EFER_LME;
		return;
	}
	value[IMAGE_GUEST_CR4] &= ~(CR4_PCIDE | CR4_FRED | CR4_PAE);
	*rights = (*rights | AR_DB) & ~AR_L;
	value[IMAGE_GUEST_IA32_EFER] &= ~(EFER_LMA | EFER_LME);
	value[IMAGE_GUEST_RIP] &= BITS(31, 0);
	value[IMAGE_GUEST_SSP] &= BITS(31, 0);
}

void entry_set_v86(struct vmcs_image *image)
{
	image->value[IMAGE_GUEST_RFLAGS] |= RFLAGS_VM;
	for (unsigned i = SEGMENT_ES; i <= SEGMENT_GS; i++) {
		image->value[IMAGE_GUEST_ES_BASE + i] = image->value[IMAGE_GUEST_ES_SELECTOR + i] << 4;
		image->value[IMAGE_GUEST_ES_LIMIT + i] = 0xffff;
		image->value[IMAGE_GUEST_ES_ACCESS_RIGHTS + i] = 0xf3;
	}
}

static bool cr4_on(struct vmcs_image *image, const struct entry_place *place, unsigned field, u64 bit)
{
	image->value[field] |= bit;
	return (place->caps->vmx.cr4_fixed1 & bit) != 0;
}

static bool establish_fact(struct vmcs_image *image, const struct entry_place *place, u64 fact)
{
	u64 *value = image->value;

	switch (fact) {
	case FACT_V86:
		if (!entry_establish(image, place, not_ia32e_guest))
			return false;
		entry_set_v86(image);
		return true;
	case FACT_INJECT:
		value[IMAGE_ENTRY_INTERRUPTION_INFO] = INFO(EVENT_HARDWARE, 6);
		return true;
	case FACT_PAE_PAGING:
		if (!entry_establish(image, place, not_ia32e_guest))
			return false;
		value[IMAGE_GUEST_CR0] |= CR0_PE | CR0_PG;
		value[IMAGE_GUEST_CR3] = place->page[PAGE_PDPTES];
		return cr4_on(image, place, IMAGE_GUEST_CR4, CR4_PAE);
	case FACT_LINK:
		value[IMAGE_LINK_POINTER] = place->page[PAGE_LINKED];
		return true;
	case FACT_FRED:
		return entry_establish(image, place, ia32e_guest) && cr4_on(image, place, IMAGE_GUEST_CR4, CR4_FRED);
	case FACT_GUEST_PE:
		value[IMAGE_GUEST_CR0] |= CR0_PE;
		return true;
	case FACT_GUEST_PG:
		value[IMAGE_GUEST_CR0] |= CR0_PE | CR0_PG;
		return true;
	case FACT_CODE_64:
		return entry_establish(image, place, ia32e_guest);
	case FACT_HOST_CET:
		value[IMAGE_HOST_CR0] |= CR0_WP;
		return cr4_on(image, place, IMAGE_HOST_CR4, CR4_CET);
	case FACT_GUEST_CET:
		value[IMAGE_GUEST_CR0] |= CR0_WP;
		return cr4_on(image, place, IMAGE_GUEST_CR4, CR4_CET);
	default: /* the processor's, or of the mode */
		return false;
	}
}

static bool drop_fact(struct vmcs_image *image, const struct entry_place *place, u64 fact)
{
	switch (fact) {
	case FACT_INJECT:
		image->value[IMAGE_ENTRY_INTERRUPTION_INFO] = 0;
		return true;
	case FACT_GUEST_PE:
		if (!entry_establish(image, place, not_ia32e_guest) || !entry_establish(image, place, unrestricted))
			return false;
		image->value[IMAGE_GUEST_CR0] &= ~(CR0_PE | CR0_PG);
		return true;
	case FACT_FRED:
		image->value[IMAGE_GUEST_CR4] &= ~CR4_FRED;
		return true;
	default:
		return false;
	}
}

/* ---- Controls ---------------------------------------------------------------------------------------- */

static bool turn_on(struct vmcs_image *image, const struct entry_place *place, struct entry_condition control)
{
	u64 bit = BIT(control.bit);

	if (!control_supported(control.kind, bit, &place->caps->vmx))
		return false;
	if (control.kind == CONTROL_ENTRY && bit == ENTRY_IA32E_MODE_GUEST) {
		if (!place->mode->ia32e)
			return false;
		guest_mode(image, true);
	}
	if (control.kind == CONTROL_EXIT && bit == EXIT_HOST_ADDRESS_SPACE_SIZE)
		return place->mode->ia32e;
	if (control.kind == CONTROL_ENTRY && (bit & (ENTRY_ENTRY_TO_SMM | ENTRY_DEACTIVATE_DUAL_MONITOR))) {
		if (!place->mode->smm)
			return false;
		image->value[IMAGE_GUEST_INTERRUPTIBILITY] |= BLOCKED_SMI;
	}
	if (activation[control.kind].kind && !entry_establish(image, place, activation[control.kind]))
		return false;
	for (unsigned i = 0; i < COUNT(dependencies); i++) {
		const struct dependency *d = &dependencies[i];

		if (d->control.kind != control.kind || d->control.bit != control.bit)
			continue;
		for (unsigned j = 0; j < COUNT(d->needs); j++)
			if (!entry_establish(image, place, d->needs[j]))
				return false;
	}
	image->value[entry_control_field(control.kind)] |= bit;
	return true;
}

static bool turn_off(struct vmcs_image *image, const struct entry_place *place, struct entry_condition control)
{
	u64 bit = BIT(control.bit & 63);

	if (control_kind_caps(control.kind, &place->caps->vmx).must_be_1 & bit)
		return false;
	if (control.kind == CONTROL_EXIT && bit == EXIT_HOST_ADDRESS_SPACE_SIZE)
		return !place->mode->ia32e;
	if (control.kind == CONTROL_ENTRY && bit == ENTRY_IA32E_MODE_GUEST)
		guest_mode(image, false);
	image->value[entry_control_field(control.kind)] &= ~bit;
	return entry_drop_dependents(image, place, control, 0, 0);
}

bool entry_establish(struct vmcs_image *image, const struct entry_place *place, struct entry_condition condition)
{
	bool on = !(condition.bit & OFF_BIT);

	if (holds(image, place, condition))
		return true;
	if (condition.kind == CONTROL_FACT)
		return on ? establish_fact(image, place, BIT(condition.bit)) : drop_fact(image, place,
		BIT(condition.bit & 63));
	return on ? turn_on(image, place, condition) : turn_off(image, place, condition);
}

static bool needs(const struct dependency *d, struct entry_condition control)
{
	for (unsigned j = 0; j < COUNT(d->needs); j++)
		if (d->needs[j].kind == control.kind && d->needs[j].bit == (control.bit & 63))
			return true;
	return false;
}

bool entry_drop_dependents(struct vmcs_image *image, const struct entry_place *place, struct entry_condition needed,
			   const struct entry_condition *kept, unsigned count)
{
	for (unsigned i = 0; i < COUNT(dependencies); i++) {
		struct entry_condition control = dependencies[i].control, off = {control.kind, control.bit | OFF_BIT};
		bool keep = !needs(&dependencies[i], needed);

		for (unsigned j = 0; j < count; j++)
			keep |= kept[j].kind == control.kind && kept[j].bit == control.bit;
		if (!keep && !entry_establish(image, place, off))
			return false;
	}
	return true;
}
