/* What LHV runs on, as far as it can be told, and the header of the report that says so. */
#pragma once
#include "lib/types.h"

/* Bochs, QEMU and the like, or a hypervisor: a machine that may be switched off at the end. */
bool platform_is_emulator(void);

/* Does XMHF answer CPUID leaf 46484D58H? */
bool platform_is_xmhf(void);

/* Prints the lines about platform, processor, hypervisor, VMX features and CPUs. */
void platform_report(void);
