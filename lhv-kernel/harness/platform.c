/* What LHV runs on. */
#include "harness/platform.h"
#include "console/console.h"
#include "cpu/cpuid.h"
#include "cpu/paging.h"
#include "cpu/port.h"
#include "cpu/time.h"
#include "harness/rule.h"
#include "interrupts/devices.h"
#include "lib/format.h"
#include "lib/string.h"
#include "smp/acpi.h"
#include "smp/cpu.h"

#define XMHF_LEAF 0x46484d58
#define DEBUG_PORT 0xe9
#define FW_CFG_SELECTOR 0x510
#define FW_CFG_DATA 0x511

bool platform_is_xmhf(void)
{
	return cpuid(XMHF_LEAF, 0).eax == XMHF_LEAF;
}

/* QEMU's firmware configuration device answers with its signature at selector 0 */
static bool is_qemu(void)
{
	char signature[4];

	/* the port is something else on real machines */
	if (!(cpuid(1, 0).ecx & CPUID_1_ECX_HYPERVISOR) && memcmp(acpi.oem, "BOCHS", 5))
		return false;
	out16(FW_CFG_SELECTOR, 0);
	for (unsigned i = 0; i < sizeof(signature); i++)
		signature[i] = in8(FW_CFG_DATA);
	return !memcmp(signature, "QEMU", 4);
}

static void hypervisor_name(char *buffer, size_t size)
{
	struct cpuid leaf = cpuid(0x40000000, 0);
	char name[13];

	if (!(cpuid(1, 0).ecx & CPUID_1_ECX_HYPERVISOR)) {
		format(buffer, size, "none announced");
		return;
	}
	memcpy(name, &leaf.ebx, 4);
	memcpy(name + 4, &leaf.ecx, 4);
	memcpy(name + 8, &leaf.edx, 4);
	name[12] = 0;
	for (unsigned i = 0; i < 12 && name[i]; i++)
		if (name[i] < ' ' || name[i] > '~')
			name[i] = '?';
	format(buffer, size, "%s", name[0] ? name : "announced without a name");
}

/* The firmware of Bochs and QEMU signs its ACPI tables "BOCHS"; other virtual machines announce a hypervisor */
bool platform_is_emulator(void)
{
	return in8(DEBUG_PORT) == DEBUG_PORT || is_qemu() || !memcmp(acpi.oem, "BOCHS", 5) ||
	       cpuid(1, 0).ecx & CPUID_1_ECX_HYPERVISOR;
}

static const char *platform_name(void)
{
	if (is_qemu())
		return "QEMU";
	if (in8(DEBUG_PORT) == DEBUG_PORT || !memcmp(acpi.oem, "BOCHS", 5))
		return "Bochs";
	if (cpuid(1, 0).ecx & CPUID_1_ECX_HYPERVISOR)
		return "a virtual machine";
	return "a machine of its own";
}

static void report_processor(void)
{
	char brand[49] = "no name", vendor[13] = {0};
	struct cpuid leaf = cpuid(0, 0), version = cpuid(1, 0);
	u32 family = version.eax >> 8 & 15, model = version.eax >> 4 & 15;

	memcpy(vendor, &leaf.ebx, 4);
	memcpy(vendor + 4, &leaf.edx, 4);
	memcpy(vendor + 8, &leaf.ecx, 4);
	if (cpuid(0x80000000, 0).eax >= 0x80000004) {
		for (unsigned i = 0; i < 3; i++) {
			leaf = cpuid(0x80000002 + i, 0);
			memcpy(brand + i * 16, &leaf, 16);
		}
		brand[48] = 0;
	}
	const char *name = brand;
	while (*name == ' ')
		name++;
	if (family == 6 || family == 15)
		model |= version.eax >> 12 & 0xf0;
	if (family == 15)
		family += version.eax >> 20 & 0xff;
	print("# processor: %s, %s, family %u model %u stepping %u, TSC %llu MHz %s", vendor, name, family, model,
	      version.eax & 15, time_ticks_per_ms() / 1000, devices.pit ? "against the PIT" : "assumed: there is no PIT");
}

static void report_vmx(const struct cpu *cpu)
{
	static const struct {
		u64 need;
		const char *name;
	} features[] = {
		{NEED_TRUE_CONTROLS, "TRUE controls"}, {NEED_SECONDARY_CONTROLS, "secondary controls"},
		{NEED_TERTIARY_CONTROLS, "tertiary controls"}, {NEED_SECONDARY_EXIT_CONTROLS, "secondary exit controls"},
		{NEED_PREEMPTION_TIMER, "preemption timer"}, {NEED_EPT, "EPT"}, {NEED_VPID, "VPID"},
		{NEED_UNRESTRICTED_GUEST, "unrestricted guest"}, {NEED_VMFUNC, "VM functions"}, {NEED_INVEPT, "INVEPT"},
		{NEED_INVVPID, "INVVPID"}, {NEED_VMCS_SHADOWING, "VMCS shadowing"},
	};
	char line[300];

	if (!cpu->caps.vmx) {
		print("# vmx: none");
		return;
	}
	format(line, sizeof(line), "revision 0x%x", caps_revision(&cpu->caps));
	for (unsigned i = 0; i < COUNT(features); i++)
		if (cpu->needs_met & features[i].need)
			append(line, sizeof(line), ", %s", features[i].name);
	print("# vmx: %s", line);
}

void platform_report(void)
{
	char hypervisor[40];

	hypervisor_name(hypervisor, sizeof(hypervisor));
	print("# platform: %s%s", platform_name(), platform_is_xmhf() ? ", under XMHF" : "");
	report_processor();
	print("# hypervisor: %s", hypervisor);
	report_vmx(&cpus[0]);
	for (unsigned i = 0; i < cpu_count; i++)
		if (!cpus[i].lost)
			print("# cpu %u: APIC id %u, %s%s", i, cpus[i].apic_id, cpus[i].boot ? "bootstrap processor, " : "",
			      cpus[i].vmx_trouble[0] ? cpus[i].vmx_trouble : "VMX root operation");
}
