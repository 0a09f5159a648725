/* The current VMCS by the names of its fields. */
#include "vmx/dump.h"
#include "console/console.h"
#include "lib/format.h"
#include "smp/cpu.h"
#include "vmx/fields.h"
#include "vmx/instructions.h"

#define NO_VMCS (~0ull)
#define LINE 100

/* Why there is nothing to show, or 0; else *vmcs is the current VMCS */
static const char *nothing_to_show(u64 *vmcs)
{
	if (!this_cpu()->caps.vmx)
		return "This CPU has no VMX.";
	if (this_cpu()->in_guest) /* or on its way there or back: a VMREAD of a guest would be a VM exit */
		return "This CPU is in guest_run(): stop behind it, such as in rule_failed().";
	if (vmptrst(vmcs) != SUCCEEDED)
		return "This CPU is not in VMX root operation.";
	return *vmcs == NO_VMCS ? "There is no current VMCS." : 0;
}

/* One field. Returns false where this CPU need not have it: VMREAD of it would change the VM-instruction error. */
static bool field_line(unsigned i, char line[LINE])
{
	const struct vmcs_field_info *field = &vmcs_fields[i];
	u64 value;

	if (!vmcs_field_exists(field, &this_cpu()->caps))
		return false;
	if (vmread_try(field->encoding, &value) == SUCCEEDED)
		format(line, LINE, "0x%04x %-46s 0x%llx", field->encoding, field->name, value);
	else
		format(line, LINE, "0x%04x %-46s cannot be read", field->encoding, field->name);
	return true;
}

const char *vmcs_text(void)
{
	static char text[20 * KIB];
	char line[LINE];
	u64 vmcs;
	const char *reason = nothing_to_show(&vmcs);

	if (reason)
		return reason;
	format(text, sizeof(text), "VMCS at 0x%llx of CPU %u\n", vmcs, this_cpu()->index);
	for (unsigned i = 0; i < vmcs_field_count; i++)
		if (field_line(i, line))
			append(text, sizeof(text), "%s\n", line);
	return text;
}

void vmcs_print(void)
{
	char line[LINE];
	u64 vmcs;
	const char *reason = nothing_to_show(&vmcs);

	if (reason) {
		print("#   cpu %u: %s", this_cpu()->index, reason);
		return;
	}
	print("#   cpu %u: VMCS at 0x%llx", this_cpu()->index, vmcs);
	for (unsigned i = 0; i < vmcs_field_count; i++)
		if (field_line(i, line))
			print("#   cpu %u: %s", this_cpu()->index, line);
}
