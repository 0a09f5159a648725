/*
 * The VM-execution, VM-exit and VM-entry controls: bits, names, which of them default to 1, and what a CPU allows.
 * Numbers and names are those of SDM chapter 25, the default1 class that of appendix A.
 */
#pragma once
#include "lib/types.h"
#include "vmx/caps.h"

/* clang-format off */
/* Each table: X(NAME, bit, the SDM's name). NAME gets the table's prefix: PIN_NMI_EXITING, ENTRY_LOAD_EFER. */

/* 25.6.1 Pin-Based VM-Execution Controls */
#define PIN_CONTROLS(X) \
	X(EXTERNAL_INTERRUPT_EXITING,  0, "external-interrupt exiting") \
	X(NMI_EXITING,                 3, "NMI exiting") \
	X(VIRTUAL_NMIS,                5, "virtual NMIs") \
	X(ACTIVATE_PREEMPTION_TIMER,   6, "activate VMX-preemption timer") \
	X(PROCESS_POSTED_INTERRUPTS,   7, "process posted interrupts")

/* 25.6.2 Processor-Based VM-Execution Controls: primary */
#define PROC_CONTROLS(X) \
	X(INTERRUPT_WINDOW_EXITING,     2, "interrupt-window exiting") \
	X(USE_TSC_OFFSETTING,           3, "use TSC offsetting") \
	X(HLT_EXITING,                  7, "HLT exiting") \
	X(INVLPG_EXITING,               9, "INVLPG exiting") \
	X(MWAIT_EXITING,               10, "MWAIT exiting") \
	X(RDPMC_EXITING,               11, "RDPMC exiting") \
	X(RDTSC_EXITING,               12, "RDTSC exiting") \
	X(CR3_LOAD_EXITING,            15, "CR3-load exiting") \
	X(CR3_STORE_EXITING,           16, "CR3-store exiting") \
	X(ACTIVATE_TERTIARY_CONTROLS,  17, "activate tertiary controls") \
	X(CR8_LOAD_EXITING,            19, "CR8-load exiting") \
	X(CR8_STORE_EXITING,           20, "CR8-store exiting") \
	X(USE_TPR_SHADOW,              21, "use TPR shadow") \
	X(NMI_WINDOW_EXITING,          22, "NMI-window exiting") \
	X(MOV_DR_EXITING,              23, "MOV-DR exiting") \
	X(UNCONDITIONAL_IO_EXITING,    24, "unconditional I/O exiting") \
	X(USE_IO_BITMAPS,              25, "use I/O bitmaps") \
	X(MONITOR_TRAP_FLAG,           27, "monitor trap flag") \
	X(USE_MSR_BITMAPS,             28, "use MSR bitmaps") \
	X(MONITOR_EXITING,             29, "MONITOR exiting") \
	X(PAUSE_EXITING,               30, "PAUSE exiting") \
	X(ACTIVATE_SECONDARY_CONTROLS, 31, "activate secondary controls")

/* 25.6.2 Processor-Based VM-Execution Controls: secondary */
#define PROC2_CONTROLS(X) \
	X(VIRTUALIZE_APIC_ACCESSES,      0, "virtualize APIC accesses") \
	X(ENABLE_EPT,                    1, "enable EPT") \
	X(DESCRIPTOR_TABLE_EXITING,      2, "descriptor-table exiting") \
	X(ENABLE_RDTSCP,                 3, "enable RDTSCP") \
	X(VIRTUALIZE_X2APIC_MODE,        4, "virtualize x2APIC mode") \
	X(ENABLE_VPID,                   5, "enable VPID") \
	X(WBINVD_EXITING,                6, "WBINVD exiting") \
	X(UNRESTRICTED_GUEST,            7, "unrestricted guest") \
	X(APIC_REGISTER_VIRTUALIZATION,  8, "APIC-register virtualization") \
	X(VIRTUAL_INTERRUPT_DELIVERY,    9, "virtual-interrupt delivery") \
	X(PAUSE_LOOP_EXITING,           10, "PAUSE-loop exiting") \
	X(RDRAND_EXITING,               11, "RDRAND exiting") \
	X(ENABLE_INVPCID,               12, "enable INVPCID") \
	X(ENABLE_VM_FUNCTIONS,          13, "enable VM functions") \
	X(VMCS_SHADOWING,               14, "VMCS shadowing") \
	X(ENABLE_ENCLS_EXITING,         15, "enable ENCLS exiting") \
	X(RDSEED_EXITING,               16, "RDSEED exiting") \
	X(ENABLE_PML,                   17, "enable PML") \
	X(EPT_VIOLATION_VE,             18, "EPT-violation #VE") \
	X(CONCEAL_VMX_FROM_PT,          19, "conceal VMX from PT") \
	X(ENABLE_XSAVES_XRSTORS,        20, "enable XSAVES/XRSTORS") \
	X(PASID_TRANSLATION,            21, "PASID translation") \
	X(MODE_BASED_EXECUTE,           22, "mode-based execute control for EPT") \
	X(SUB_PAGE_WRITE,               23, "sub-page write permissions for EPT") \
	X(PT_USES_GUEST_PHYSICAL,       24, "Intel PT uses guest physical addresses") \
	X(USE_TSC_SCALING,              25, "use TSC scaling") \
	X(ENABLE_USER_WAIT_PAUSE,       26, "enable user wait and pause") \
	X(ENABLE_PCONFIG,               27, "enable PCONFIG") \
	X(ENABLE_ENCLV_EXITING,         28, "enable ENCLV exiting") \
	X(ENABLE_EPC_VIRTUALIZATION,    29, "enable EPC virtualization extensions") \
	X(VMM_BUS_LOCK_DETECTION,       30, "VMM bus-lock detection") \
	X(INSTRUCTION_TIMEOUT,          31, "instruction timeout")

/* 25.6.2 Processor-Based VM-Execution Controls: tertiary, 64 bits */
#define PROC3_CONTROLS(X) \
	X(LOADIWKEY_EXITING,          0, "LOADIWKEY exiting") \
	X(ENABLE_HLAT,                1, "enable HLAT") \
	X(EPT_PAGING_WRITE,           2, "EPT paging-write control") \
	X(GUEST_PAGING_VERIFICATION,  3, "guest-paging verification") \
	X(IPI_VIRTUALIZATION,         4, "IPI virtualization") \
	X(SEAM_GUEST_PHYSICAL_WIDTH,  5, "SEAM guest-physical address width") \
	X(ENABLE_MSR_LIST,            6, "enable MSR-list instructions") \
	X(VIRTUALIZE_SPEC_CTRL,       7, "virtualize IA32_SPEC_CTRL") \
	X(APIC_TIMER_VIRTUALIZATION,  8, "APIC-timer virtualization") \
	X(ENABLE_PBNDKB,              9, "enable PBNDKB") \
	X(PEBS_USES_GUEST_PHYSICAL,  12, "PEBS uses guest physical addresses")

/* 25.7.1 VM-Exit Controls: primary */
#define EXIT_CONTROLS(X) \
	X(SAVE_DEBUG_CONTROLS,          2, "save debug controls") \
	X(HOST_ADDRESS_SPACE_SIZE,      9, "host address-space size") \
	X(LOAD_PERF_GLOBAL_CTRL,       12, "load IA32_PERF_GLOBAL_CTRL") \
	X(ACKNOWLEDGE_INTERRUPT,       15, "acknowledge interrupt on exit") \
	X(SAVE_PAT,                    18, "save IA32_PAT") \
	X(LOAD_PAT,                    19, "load IA32_PAT") \
	X(SAVE_EFER,                   20, "save IA32_EFER") \
	X(LOAD_EFER,                   21, "load IA32_EFER") \
	X(SAVE_PREEMPTION_TIMER,       22, "save VMX-preemption timer value") \
	X(CLEAR_BNDCFGS,               23, "clear IA32_BNDCFGS") \
	X(CONCEAL_VMX_FROM_PT,         24, "conceal VMX from PT") \
	X(CLEAR_RTIT_CTL,              25, "clear IA32_RTIT_CTL") \
	X(CLEAR_LBR_CTL,               26, "clear IA32_LBR_CTL") \
	X(CLEAR_UINV,                  27, "clear UINV") \
	X(LOAD_CET,                    28, "load CET state") \
	X(LOAD_PKRS,                   29, "load PKRS") \
	X(SAVE_PERF_GLOBAL_CTRL,       30, "save IA32_PERF_GLOBAL_CTRL") \
	X(ACTIVATE_SECONDARY_CONTROLS, 31, "activate secondary controls")

/* 25.7.1 VM-Exit Controls: secondary, 64 bits */
#define EXIT2_CONTROLS(X) \
	X(SAVE_FRED,          0, "save FRED") \
	X(LOAD_FRED,          1, "load FRED") \
	X(LOAD_SPEC_CTRL,     2, "load IA32_SPEC_CTRL") \
	X(BUSY_SHADOW_STACK,  3, "prematurely busy shadow stack")

/* 25.8.1 VM-Entry Controls */
#define ENTRY_CONTROLS(X) \
	X(LOAD_DEBUG_CONTROLS,      2, "load debug controls") \
	X(IA32E_MODE_GUEST,         9, "IA-32e mode guest") \
	X(ENTRY_TO_SMM,            10, "entry to SMM") \
	X(DEACTIVATE_DUAL_MONITOR, 11, "deactivate dual-monitor treatment") \
	X(LOAD_PERF_GLOBAL_CTRL,   13, "load IA32_PERF_GLOBAL_CTRL") \
	X(LOAD_PAT,                14, "load IA32_PAT") \
	X(LOAD_EFER,               15, "load IA32_EFER") \
	X(LOAD_BNDCFGS,            16, "load IA32_BNDCFGS") \
	X(CONCEAL_VMX_FROM_PT,     17, "conceal VMX from PT") \
	X(LOAD_RTIT_CTL,           18, "load IA32_RTIT_CTL") \
	X(LOAD_UINV,               19, "load UINV") \
	X(LOAD_CET,                20, "load CET state") \
	X(LOAD_LBR_CTL,            21, "load guest IA32_LBR_CTL") \
	X(LOAD_PKRS,               22, "load PKRS") \
	X(LOAD_FRED,               23, "load FRED") \
	X(LOAD_SPEC_CTRL,          24, "load IA32_SPEC_CTRL") \
	X(SEAM_GUEST_TELEMETRY,    25, "allow SEAM-guest telemetry")

/* 25.6.14 VM-Function Controls */
#define VMFUNC_CONTROLS(X) \
	X(EPTP_SWITCHING,  0, "EPTP switching")

/* Every vector of controls: X(PREFIX, the SDM's name). CONTROL_<PREFIX> is its kind. */
#define CONTROL_KINDS(X) \
	X(PIN,    "pin-based VM-execution controls") \
	X(PROC,   "primary processor-based VM-execution controls") \
	X(PROC2,  "secondary processor-based VM-execution controls") \
	X(PROC3,  "tertiary processor-based VM-execution controls") \
	X(EXIT,   "primary VM-exit controls") \
	X(EXIT2,  "secondary VM-exit controls") \
	X(ENTRY,  "VM-entry controls") \
	X(VMFUNC, "VM-function controls")
/* clang-format on */

#define X(name, text) CONTROL_##name,
enum control_kind { CONTROL_NONE, CONTROL_KINDS(X) CONTROL_KIND_END };
#undef X

#define X(name, bit, text) PIN_##name = BIT(bit),
enum pin_control { PIN_CONTROLS(X) };
#undef X
#define X(name, bit, text) PROC_##name = BIT(bit),
enum proc_control { PROC_CONTROLS(X) };
#undef X
#define X(name, bit, text) PROC2_##name = BIT(bit),
enum proc2_control { PROC2_CONTROLS(X) };
#undef X
#define X(name, bit, text) PROC3_##name = BIT(bit),
enum proc3_control { PROC3_CONTROLS(X) };
#undef X
#define X(name, bit, text) EXIT_##name = BIT(bit),
enum exit_control { EXIT_CONTROLS(X) };
#undef X
#define X(name, bit, text) EXIT2_##name = BIT(bit),
enum exit2_control { EXIT2_CONTROLS(X) };
#undef X
#define X(name, bit, text) ENTRY_##name = BIT(bit),
enum entry_control { ENTRY_CONTROLS(X) };
#undef X
#define X(name, bit, text) VMFUNC_##name = BIT(bit),
enum vmfunc_control { VMFUNC_CONTROLS(X) };
#undef X

/* The default1 class: bits that were 1 on the first CPUs with VMX and that only the TRUE MSRs can free (A.2 to A.5). */
#define PIN_DEFAULT1 0x00000016u   /* bits 1, 2, 4 */
#define PROC_DEFAULT1 0x0401e172u  /* bits 1, 4-6, 8, 13-16, 26 */
#define EXIT_DEFAULT1 0x00036dffu  /* bits 0-8, 10, 11, 13, 14, 16, 17 */
#define ENTRY_DEFAULT1 0x000011ffu /* bits 0-8, 12 */

/* The vector's name, such as "pin-based VM-execution controls". */
const char *control_kind_name(enum control_kind kind);

/* The SDM's name of one control, given as a mask with one bit set; "reserved" where it has none. */
const char *control_name(enum control_kind kind, u64 bit);

/* All bits of the vector that have a name. */
u64 control_named(enum control_kind kind);

/* What the CPU allows for a vector. VM-function controls: IA32_VMX_VMFUNC, no bit of which must be 1. */
struct control_caps control_kind_caps(enum control_kind kind, const struct vmx_caps *caps);

/* May the control be 1? Those of a vector that the CPU does not have may not. */
bool control_supported(enum control_kind kind, u64 bit, const struct vmx_caps *caps);
