/* The golden VMCS region, for tests that want a current VMCS but no guest. */
#pragma once
#include "vmx/root.h"

/* Makes this CPU's golden VMCS current and clear, its region zeroed first. What its fields hold is not defined. */
void golden_vmcs_load(void);

/* VMWRITEs the host state of this CPU into the current VMCS, as after a VMCS has come from another CPU. */
void golden_host_state(void);
