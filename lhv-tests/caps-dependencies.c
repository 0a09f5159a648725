/*
 * Controls that VM entry accepts only together with others (27.2.1.1, 27.2.1.2): a CPU that offers the one without the
 * other offers what can never be used. The SDM says so of the settings, hardly of the capabilities: mostly OBSERVED.
 */
#include "caps-msr.h"
#include "vmx/controls.h"

struct choice {
	enum control_kind kind;
	u64 bit;
};

/* dependent may be 1 only where the other may */
struct dependency {
	struct choice dependent, other;
};

static bool offered(struct choice choice)
{
	return control_supported(choice.kind, choice.bit, &this_cpu()->caps);
}

static void comes_with(const struct rule *rule)
{
	const struct dependency *dependency = rule->row;

	if (offered(dependency->dependent) && !offered(dependency->other))
		rule_note("\"%s\" may be 1, \"%s\" may not",
			  control_name(dependency->dependent.kind, dependency->dependent.bit),
			  control_name(dependency->other.kind, dependency->other.bit));
}

#define DEPENDENCY(name, id_, title_, section, kind1, control1, kind2, control2) \
	static const struct dependency name = {{CONTROL_##kind1, kind1##_##control1}, \
					       {CONTROL_##kind2, kind2##_##control2}}; \
	ROW(comes_with, .id = "caps.dep." id_, .title = title_, .sdm = section, .class = OBSERVED, .row = &name, \
	    .needs = NEED_VMX, .opt = OPT_CAPS)

#define CHECKS "27.2.1.1 VM-Execution Control Fields"

DEPENDENCY(unrestricted_needs_ept, "unrestricted-needs-ept", "Unrestricted guest comes with EPT", CHECKS, PROC2, UNRESTRICTED_GUEST,
	   PROC2, ENABLE_EPT)
DEPENDENCY(vnmi_needs_nmi, "vnmi-needs-nmi", "Virtual NMIs come with NMI-window exiting", CHECKS, PIN, VIRTUAL_NMIS,
	   PROC, NMI_WINDOW_EXITING)
DEPENDENCY(nmi_window_needs_vnmi, "nmi-window-needs-vnmi", "NMI-window exiting comes with virtual NMIs", CHECKS, PROC,
	   NMI_WINDOW_EXITING, PIN, VIRTUAL_NMIS)
DEPENDENCY(posted_needs_vid, "posted-needs-vid", "Posted interrupts come with virtual-interrupt delivery", CHECKS, PIN,
	   PROCESS_POSTED_INTERRUPTS, PROC2, VIRTUAL_INTERRUPT_DELIVERY)
DEPENDENCY(posted_needs_acknowledge, "posted-needs-acknowledge",
	   "Posted interrupts come with acknowledge interrupt on exit", CHECKS, PIN, PROCESS_POSTED_INTERRUPTS, EXIT,
	   ACKNOWLEDGE_INTERRUPT)
DEPENDENCY(vid_needs_tpr_shadow, "vid-needs-tpr-shadow", "Virtual-interrupt delivery comes with the TPR shadow", CHECKS,
	   PROC2, VIRTUAL_INTERRUPT_DELIVERY, PROC, USE_TPR_SHADOW)
DEPENDENCY(x2apic_needs_tpr_shadow, "x2apic-needs-tpr-shadow", "Virtualized x2APIC mode comes with the TPR shadow",
	   CHECKS, PROC2, VIRTUALIZE_X2APIC_MODE, PROC, USE_TPR_SHADOW)
DEPENDENCY(pml_needs_ept, "pml-needs-ept", "Page-modification logging comes with EPT", CHECKS, PROC2, ENABLE_PML, PROC2,
	   ENABLE_EPT)
DEPENDENCY(mode_based_needs_ept, "mode-based-execute-needs-ept", "Mode-based execute control comes with EPT", CHECKS,
	   PROC2, MODE_BASED_EXECUTE, PROC2, ENABLE_EPT)
DEPENDENCY(save_timer_needs_timer, "save-timer-needs-timer",
	   "Saving the VMX-preemption timer comes with the timer itself", "27.2.1.2 VM-Exit Control Fields", EXIT,
	   SAVE_PREEMPTION_TIMER, PIN, ACTIVATE_PREEMPTION_TIMER)
DEPENDENCY(eptp_switching_needs_ept, "eptp-switching-needs-ept", "EPTP switching comes with EPT", CHECKS, VMFUNC,
	   EPTP_SWITCHING, PROC2, ENABLE_EPT)
