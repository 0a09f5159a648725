/*
 * The fields of a VMCS (SDM appendix B): encoding, name, and the controls that must be allowed to be 1 for it to exist.
 * The enum, the names and the look-ups all come from the one table.
 */
#pragma once
#include "lib/types.h"
#include "vmx/caps.h"

/* clang-format off */
/*
 * X(encoding of the full field, NAME, the SDM's name, availability), in the order of appendix B.
 * Availability: ALWAYS, WHEN(KIND, CONTROL) or EITHER(KIND, CONTROL, KIND, CONTROL); KIND is a prefix of controls.h.
 *
 * Names follow the editions that speak of interruption information and IDT-vectoring information; later ones say
 * injected-event, exiting-event and original-event identification. Not (yet) in appendix B, but published by Intel and
 * implemented: the fields of APIC-timer virtualization (0AH, 204EH, 2830H), of "load IA32_SPEC_CTRL" (282EH, 2C1AH) and
 * the ENCLV-exiting bitmap (2036H).
 */
#define VMCS_FIELDS(X) \
	/* B.1.1 16-Bit Control Fields */ \
	X(0x0000, VPID,                    "virtual-processor identifier (VPID)", WHEN(PROC2, ENABLE_VPID)) \
	X(0x0002, POSTED_INTERRUPT_VECTOR, "posted-interrupt vector", WHEN(PIN, PROCESS_POSTED_INTERRUPTS)) \
	X(0x0004, EPTP_INDEX,              "EPTP index",                          WHEN(PROC2, EPT_VIOLATION_VE)) \
	X(0x0006, HLAT_PREFIX_SIZE,        "HLAT prefix size",                    WHEN(PROC3, ENABLE_HLAT)) \
	X(0x0008, LAST_PID_POINTER_INDEX,  "last PID-pointer index",              WHEN(PROC3, IPI_VIRTUALIZATION)) \
	X(0x000a, VIRTUAL_TIMER_VECTOR,    "virtual timer vector", WHEN(PROC3, APIC_TIMER_VIRTUALIZATION)) \
	/* B.1.2 16-Bit Guest-State Fields */ \
	X(0x0800, GUEST_ES_SELECTOR,      "guest ES selector",      ALWAYS) \
	X(0x0802, GUEST_CS_SELECTOR,      "guest CS selector",      ALWAYS) \
	X(0x0804, GUEST_SS_SELECTOR,      "guest SS selector",      ALWAYS) \
	X(0x0806, GUEST_DS_SELECTOR,      "guest DS selector",      ALWAYS) \
	X(0x0808, GUEST_FS_SELECTOR,      "guest FS selector",      ALWAYS) \
	X(0x080a, GUEST_GS_SELECTOR,      "guest GS selector",      ALWAYS) \
	X(0x080c, GUEST_LDTR_SELECTOR,    "guest LDTR selector",    ALWAYS) \
	X(0x080e, GUEST_TR_SELECTOR,      "guest TR selector",      ALWAYS) \
	X(0x0810, GUEST_INTERRUPT_STATUS, "guest interrupt status", WHEN(PROC2, VIRTUAL_INTERRUPT_DELIVERY)) \
	X(0x0812, PML_INDEX,              "PML index",              WHEN(PROC2, ENABLE_PML)) \
	X(0x0814, GUEST_UINV,             "guest UINV",             EITHER(EXIT, CLEAR_UINV, ENTRY, LOAD_UINV)) \
	/* B.1.3 16-Bit Host-State Fields */ \
	X(0x0c00, HOST_ES_SELECTOR, "host ES selector", ALWAYS) \
	X(0x0c02, HOST_CS_SELECTOR, "host CS selector", ALWAYS) \
	X(0x0c04, HOST_SS_SELECTOR, "host SS selector", ALWAYS) \
	X(0x0c06, HOST_DS_SELECTOR, "host DS selector", ALWAYS) \
	X(0x0c08, HOST_FS_SELECTOR, "host FS selector", ALWAYS) \
	X(0x0c0a, HOST_GS_SELECTOR, "host GS selector", ALWAYS) \
	X(0x0c0c, HOST_TR_SELECTOR, "host TR selector", ALWAYS) \
	/* B.2.1 64-Bit Control Fields */ \
	X(0x2000, IO_BITMAP_A,              "address of I/O bitmap A",           ALWAYS) \
	X(0x2002, IO_BITMAP_B,              "address of I/O bitmap B",           ALWAYS) \
	X(0x2004, MSR_BITMAPS,              "address of MSR bitmaps",            WHEN(PROC, USE_MSR_BITMAPS)) \
	X(0x2006, EXIT_MSR_STORE_ADDRESS,   "VM-exit MSR-store address",         ALWAYS) \
	X(0x2008, EXIT_MSR_LOAD_ADDRESS,    "VM-exit MSR-load address",          ALWAYS) \
	X(0x200a, ENTRY_MSR_LOAD_ADDRESS,   "VM-entry MSR-load address",         ALWAYS) \
	X(0x200c, EXECUTIVE_POINTER,        "executive-VMCS pointer",            ALWAYS) \
	X(0x200e, PML_ADDRESS,              "PML address",                       WHEN(PROC2, ENABLE_PML)) \
	X(0x2010, TSC_OFFSET,               "TSC offset",                        ALWAYS) \
	X(0x2012, VIRTUAL_APIC_ADDRESS,     "virtual-APIC address",              WHEN(PROC, USE_TPR_SHADOW)) \
	X(0x2014, APIC_ACCESS_ADDRESS,      "APIC-access address", WHEN(PROC2, VIRTUALIZE_APIC_ACCESSES)) \
	X(0x2016, POSTED_INTERRUPT_ADDRESS, "posted-interrupt descriptor",       WHEN(PIN, PROCESS_POSTED_INTERRUPTS)) \
	X(0x2018, VM_FUNCTION_CONTROLS,     "VM-function controls",              WHEN(PROC2, ENABLE_VM_FUNCTIONS)) \
	X(0x201a, EPT_POINTER,              "EPT pointer (EPTP)",                WHEN(PROC2, ENABLE_EPT)) \
	X(0x201c, EOI_EXIT_BITMAP_0,        "EOI-exit bitmap 0", WHEN(PROC2, VIRTUAL_INTERRUPT_DELIVERY)) \
	X(0x201e, EOI_EXIT_BITMAP_1,        "EOI-exit bitmap 1", WHEN(PROC2, VIRTUAL_INTERRUPT_DELIVERY)) \
	X(0x2020, EOI_EXIT_BITMAP_2,        "EOI-exit bitmap 2", WHEN(PROC2, VIRTUAL_INTERRUPT_DELIVERY)) \
	X(0x2022, EOI_EXIT_BITMAP_3,        "EOI-exit bitmap 3", WHEN(PROC2, VIRTUAL_INTERRUPT_DELIVERY)) \
	X(0x2024, EPTP_LIST_ADDRESS,        "EPTP-list address",                 WHEN(VMFUNC, EPTP_SWITCHING)) \
	X(0x2026, VMREAD_BITMAP,            "VMREAD-bitmap address",             WHEN(PROC2, VMCS_SHADOWING)) \
	X(0x2028, VMWRITE_BITMAP,           "VMWRITE-bitmap address",            WHEN(PROC2, VMCS_SHADOWING)) \
	X(0x202a, VE_INFORMATION_ADDRESS,   "#VE information address",           WHEN(PROC2, EPT_VIOLATION_VE)) \
	X(0x202c, XSS_EXITING_BITMAP,       "XSS-exiting bitmap",                WHEN(PROC2, ENABLE_XSAVES_XRSTORS)) \
	X(0x202e, ENCLS_EXITING_BITMAP,     "ENCLS-exiting bitmap",              WHEN(PROC2, ENABLE_ENCLS_EXITING)) \
	X(0x2030, SPP_TABLE_POINTER,        "sub-page-permission-table pointer", WHEN(PROC2, SUB_PAGE_WRITE)) \
	X(0x2032, TSC_MULTIPLIER,           "TSC multiplier",                    WHEN(PROC2, USE_TSC_SCALING)) \
	X(0x2034, PROC3_CONTROLS,           "tertiary VM-execution controls", WHEN(PROC, ACTIVATE_TERTIARY_CONTROLS)) \
	X(0x2036, ENCLV_EXITING_BITMAP,     "ENCLV-exiting bitmap",              WHEN(PROC2, ENABLE_ENCLV_EXITING)) \
	X(0x2038, LOW_PASID_DIRECTORY,      "low PASID directory address",       WHEN(PROC2, PASID_TRANSLATION)) \
	X(0x203a, HIGH_PASID_DIRECTORY,     "high PASID directory address",      WHEN(PROC2, PASID_TRANSLATION)) \
	X(0x203c, SEAM_SHARED_EPT_POINTER,  "SEAM shared EPT pointer", WHEN(PROC3, SEAM_GUEST_PHYSICAL_WIDTH)) \
	X(0x203e, PCONFIG_EXITING_BITMAP,   "PCONFIG-exiting bitmap",            WHEN(PROC2, ENABLE_PCONFIG)) \
	X(0x2040, HLAT_POINTER,             "HLAT pointer (HLATP)",              WHEN(PROC3, ENABLE_HLAT)) \
	X(0x2042, PID_POINTER_TABLE,        "PID-pointer table address",         WHEN(PROC3, IPI_VIRTUALIZATION)) \
	X(0x2044, EXIT2_CONTROLS,           "secondary VM-exit controls", WHEN(EXIT, ACTIVATE_SECONDARY_CONTROLS)) \
	X(0x204a, SPEC_CTRL_MASK,           "IA32_SPEC_CTRL mask",               WHEN(PROC3, VIRTUALIZE_SPEC_CTRL)) \
	X(0x204c, SPEC_CTRL_SHADOW,         "IA32_SPEC_CTRL shadow",             WHEN(PROC3, VIRTUALIZE_SPEC_CTRL)) \
	X(0x204e, GUEST_DEADLINE_SHADOW,    "guest deadline shadow", WHEN(PROC3, APIC_TIMER_VIRTUALIZATION)) \
	X(0x2052, INJECTED_EVENT_DATA,      "injected-event data", EITHER(ENTRY, LOAD_FRED, EXIT2, LOAD_FRED)) \
	/* B.2.2 64-Bit Read-Only Data Fields */ \
	X(0x2400, GUEST_PHYSICAL_ADDRESS, "guest-physical address", WHEN(PROC2, ENABLE_EPT)) \
	X(0x2402, MSR_DATA,               "MSR data",               WHEN(PROC3, ENABLE_MSR_LIST)) \
	X(0x2404, ORIGINAL_EVENT_DATA,    "original-event data",    EITHER(ENTRY, LOAD_FRED, EXIT2, LOAD_FRED)) \
	/* B.2.3 64-Bit Guest-State Fields */ \
	X(0x2800, LINK_POINTER,                "VMCS link pointer",           ALWAYS) \
	X(0x2802, GUEST_IA32_DEBUGCTL,         "guest IA32_DEBUGCTL",         ALWAYS) \
	X(0x2804, GUEST_IA32_PAT,              "guest IA32_PAT",              EITHER(ENTRY, LOAD_PAT, EXIT, SAVE_PAT)) \
	X(0x2806, GUEST_IA32_EFER,             "guest IA32_EFER", EITHER(ENTRY, LOAD_EFER, EXIT, SAVE_EFER)) \
	X(0x2808, GUEST_IA32_PERF_GLOBAL_CTRL, "guest IA32_PERF_GLOBAL_CTRL", WHEN(ENTRY, LOAD_PERF_GLOBAL_CTRL)) \
	X(0x280a, GUEST_PDPTE0,                "guest PDPTE0",                WHEN(PROC2, ENABLE_EPT)) \
	X(0x280c, GUEST_PDPTE1,                "guest PDPTE1",                WHEN(PROC2, ENABLE_EPT)) \
	X(0x280e, GUEST_PDPTE2,                "guest PDPTE2",                WHEN(PROC2, ENABLE_EPT)) \
	X(0x2810, GUEST_PDPTE3,                "guest PDPTE3",                WHEN(PROC2, ENABLE_EPT)) \
	X(0x2812, GUEST_IA32_BNDCFGS,          "guest IA32_BNDCFGS", EITHER(ENTRY, LOAD_BNDCFGS, EXIT, CLEAR_BNDCFGS)) \
	X(0x2814, GUEST_IA32_RTIT_CTL, "guest IA32_RTIT_CTL", EITHER(ENTRY, LOAD_RTIT_CTL, EXIT, CLEAR_RTIT_CTL)) \
	X(0x2816, GUEST_IA32_LBR_CTL,          "guest IA32_LBR_CTL", EITHER(ENTRY, LOAD_LBR_CTL, EXIT, CLEAR_LBR_CTL)) \
	X(0x2818, GUEST_IA32_PKRS,             "guest IA32_PKRS",             WHEN(ENTRY, LOAD_PKRS)) \
	X(0x281a, GUEST_IA32_FRED_CONFIG,      "guest IA32_FRED_CONFIG", EITHER(ENTRY, LOAD_FRED, EXIT2, SAVE_FRED)) \
	X(0x281c, GUEST_IA32_FRED_RSP1,        "guest IA32_FRED_RSP1", EITHER(ENTRY, LOAD_FRED, EXIT2, SAVE_FRED)) \
	X(0x281e, GUEST_IA32_FRED_RSP2,        "guest IA32_FRED_RSP2", EITHER(ENTRY, LOAD_FRED, EXIT2, SAVE_FRED)) \
	X(0x2820, GUEST_IA32_FRED_RSP3,        "guest IA32_FRED_RSP3", EITHER(ENTRY, LOAD_FRED, EXIT2, SAVE_FRED)) \
	X(0x2822, GUEST_IA32_FRED_STKLVLS,     "guest IA32_FRED_STKLVLS", EITHER(ENTRY, LOAD_FRED, EXIT2, SAVE_FRED)) \
	X(0x2824, GUEST_IA32_FRED_SSP1,        "guest IA32_FRED_SSP1", EITHER(ENTRY, LOAD_FRED, EXIT2, SAVE_FRED)) \
	X(0x2826, GUEST_IA32_FRED_SSP2,        "guest IA32_FRED_SSP2", EITHER(ENTRY, LOAD_FRED, EXIT2, SAVE_FRED)) \
	X(0x2828, GUEST_IA32_FRED_SSP3,        "guest IA32_FRED_SSP3", EITHER(ENTRY, LOAD_FRED, EXIT2, SAVE_FRED)) \
	X(0x282e, GUEST_IA32_SPEC_CTRL,        "guest IA32_SPEC_CTRL",        WHEN(ENTRY, LOAD_SPEC_CTRL)) \
	X(0x2830, GUEST_DEADLINE,              "guest deadline",              WHEN(PROC3, APIC_TIMER_VIRTUALIZATION)) \
	/* B.2.4 64-Bit Host-State Fields */ \
	X(0x2c00, HOST_IA32_PAT,              "host IA32_PAT",              WHEN(EXIT, LOAD_PAT)) \
	X(0x2c02, HOST_IA32_EFER,             "host IA32_EFER",             WHEN(EXIT, LOAD_EFER)) \
	X(0x2c04, HOST_IA32_PERF_GLOBAL_CTRL, "host IA32_PERF_GLOBAL_CTRL", WHEN(EXIT, LOAD_PERF_GLOBAL_CTRL)) \
	X(0x2c06, HOST_IA32_PKRS,             "host IA32_PKRS",             WHEN(EXIT, LOAD_PKRS)) \
	X(0x2c08, HOST_IA32_FRED_CONFIG,      "host IA32_FRED_CONFIG",      WHEN(EXIT2, LOAD_FRED)) \
	X(0x2c0a, HOST_IA32_FRED_RSP1,        "host IA32_FRED_RSP1",        WHEN(EXIT2, LOAD_FRED)) \
	X(0x2c0c, HOST_IA32_FRED_RSP2,        "host IA32_FRED_RSP2",        WHEN(EXIT2, LOAD_FRED)) \
	X(0x2c0e, HOST_IA32_FRED_RSP3,        "host IA32_FRED_RSP3",        WHEN(EXIT2, LOAD_FRED)) \
	X(0x2c10, HOST_IA32_FRED_STKLVLS,     "host IA32_FRED_STKLVLS",     WHEN(EXIT2, LOAD_FRED)) \
	X(0x2c12, HOST_IA32_FRED_SSP1,        "host IA32_FRED_SSP1",        WHEN(EXIT2, LOAD_FRED)) \
	X(0x2c14, HOST_IA32_FRED_SSP2,        "host IA32_FRED_SSP2",        WHEN(EXIT2, LOAD_FRED)) \
	X(0x2c16, HOST_IA32_FRED_SSP3,        "host IA32_FRED_SSP3",        WHEN(EXIT2, LOAD_FRED)) \
	X(0x2c1a, HOST_IA32_SPEC_CTRL,        "host IA32_SPEC_CTRL",        WHEN(EXIT2, LOAD_SPEC_CTRL)) \
	/* B.3.1 32-Bit Control Fields */ \
	X(0x4000, PIN_CONTROLS,                "pin-based VM-execution controls",         ALWAYS) \
	X(0x4002, PROC_CONTROLS,               "primary VM-execution controls",           ALWAYS) \
	X(0x4004, EXCEPTION_BITMAP,            "exception bitmap",                        ALWAYS) \
	X(0x4006, PAGE_FAULT_ERROR_CODE_MASK,  "page-fault error-code mask",              ALWAYS) \
	X(0x4008, PAGE_FAULT_ERROR_CODE_MATCH, "page-fault error-code match",             ALWAYS) \
	X(0x400a, CR3_TARGET_COUNT,            "CR3-target count",                        ALWAYS) \
	X(0x400c, EXIT_CONTROLS,               "primary VM-exit controls",                ALWAYS) \
	X(0x400e, EXIT_MSR_STORE_COUNT,        "VM-exit MSR-store count",                 ALWAYS) \
	X(0x4010, EXIT_MSR_LOAD_COUNT,         "VM-exit MSR-load count",                  ALWAYS) \
	X(0x4012, ENTRY_CONTROLS,              "VM-entry controls",                       ALWAYS) \
	X(0x4014, ENTRY_MSR_LOAD_COUNT,        "VM-entry MSR-load count",                 ALWAYS) \
	X(0x4016, ENTRY_INTERRUPTION_INFO,     "VM-entry interruption-information field", ALWAYS) \
	X(0x4018, ENTRY_EXCEPTION_ERROR,       "VM-entry exception error code",           ALWAYS) \
	X(0x401a, ENTRY_INSTRUCTION_LENGTH,    "VM-entry instruction length",             ALWAYS) \
	X(0x401c, TPR_THRESHOLD,               "TPR threshold",                           WHEN(PROC, USE_TPR_SHADOW)) \
	X(0x401e, PROC2_CONTROLS, "secondary VM-execution controls", WHEN(PROC, ACTIVATE_SECONDARY_CONTROLS)) \
	X(0x4020, PLE_GAP,                     "PLE_Gap", WHEN(PROC2, PAUSE_LOOP_EXITING)) \
	X(0x4022, PLE_WINDOW,                  "PLE_Window", WHEN(PROC2, PAUSE_LOOP_EXITING)) \
	X(0x4024, INSTRUCTION_TIMEOUT,         "instruction-timeout control", WHEN(PROC2, INSTRUCTION_TIMEOUT)) \
	X(0x4026, SEAM_GUEST_KEYID,            "SEAM-guest KeyID", WHEN(PROC3, SEAM_GUEST_PHYSICAL_WIDTH)) \
	/* B.3.2 32-Bit Read-Only Data Fields */ \
	X(0x4400, INSTRUCTION_ERROR,       "VM-instruction error",             ALWAYS) \
	X(0x4402, EXIT_REASON,             "exit reason",                      ALWAYS) \
	X(0x4404, EXIT_INTERRUPTION_INFO,  "VM-exit interruption information", ALWAYS) \
	X(0x4406, EXIT_INTERRUPTION_ERROR, "VM-exit interruption error code",  ALWAYS) \
	X(0x4408, IDT_VECTORING_INFO,      "IDT-vectoring information field",  ALWAYS) \
	X(0x440a, IDT_VECTORING_ERROR,     "IDT-vectoring error code",         ALWAYS) \
	X(0x440c, EXIT_INSTRUCTION_LENGTH, "VM-exit instruction length",       ALWAYS) \
	X(0x440e, EXIT_INSTRUCTION_INFO,   "VM-exit instruction information",  ALWAYS) \
	/* B.3.3 32-Bit Guest-State Fields */ \
	X(0x4800, GUEST_ES_LIMIT,           "guest ES limit",               ALWAYS) \
	X(0x4802, GUEST_CS_LIMIT,           "guest CS limit",               ALWAYS) \
	X(0x4804, GUEST_SS_LIMIT,           "guest SS limit",               ALWAYS) \
	X(0x4806, GUEST_DS_LIMIT,           "guest DS limit",               ALWAYS) \
	X(0x4808, GUEST_FS_LIMIT,           "guest FS limit",               ALWAYS) \
	X(0x480a, GUEST_GS_LIMIT,           "guest GS limit",               ALWAYS) \
	X(0x480c, GUEST_LDTR_LIMIT,         "guest LDTR limit",             ALWAYS) \
	X(0x480e, GUEST_TR_LIMIT,           "guest TR limit",               ALWAYS) \
	X(0x4810, GUEST_GDTR_LIMIT,         "guest GDTR limit",             ALWAYS) \
	X(0x4812, GUEST_IDTR_LIMIT,         "guest IDTR limit",             ALWAYS) \
	X(0x4814, GUEST_ES_ACCESS_RIGHTS,   "guest ES access rights",       ALWAYS) \
	X(0x4816, GUEST_CS_ACCESS_RIGHTS,   "guest CS access rights",       ALWAYS) \
	X(0x4818, GUEST_SS_ACCESS_RIGHTS,   "guest SS access rights",       ALWAYS) \
	X(0x481a, GUEST_DS_ACCESS_RIGHTS,   "guest DS access rights",       ALWAYS) \
	X(0x481c, GUEST_FS_ACCESS_RIGHTS,   "guest FS access rights",       ALWAYS) \
	X(0x481e, GUEST_GS_ACCESS_RIGHTS,   "guest GS access rights",       ALWAYS) \
	X(0x4820, GUEST_LDTR_ACCESS_RIGHTS, "guest LDTR access rights",     ALWAYS) \
	X(0x4822, GUEST_TR_ACCESS_RIGHTS,   "guest TR access rights",       ALWAYS) \
	X(0x4824, GUEST_INTERRUPTIBILITY,   "guest interruptibility state", ALWAYS) \
	X(0x4826, GUEST_ACTIVITY_STATE,     "guest activity state",         ALWAYS) \
	X(0x4828, GUEST_SMBASE,             "guest SMBASE",                 ALWAYS) \
	X(0x482a, GUEST_IA32_SYSENTER_CS,   "guest IA32_SYSENTER_CS",       ALWAYS) \
	X(0x482e, PREEMPTION_TIMER,         "VMX-preemption timer value",   WHEN(PIN, ACTIVATE_PREEMPTION_TIMER)) \
	/* B.3.4 32-Bit Host-State Field */ \
	X(0x4c00, HOST_IA32_SYSENTER_CS, "host IA32_SYSENTER_CS", ALWAYS) \
	/* B.4.1 Natural-Width Control Fields */ \
	X(0x6000, CR0_GUEST_HOST_MASK, "CR0 guest/host mask", ALWAYS) \
	X(0x6002, CR4_GUEST_HOST_MASK, "CR4 guest/host mask", ALWAYS) \
	X(0x6004, CR0_READ_SHADOW,     "CR0 read shadow",     ALWAYS) \
	X(0x6006, CR4_READ_SHADOW,     "CR4 read shadow",     ALWAYS) \
	X(0x6008, CR3_TARGET_0,        "CR3-target value 0",  ALWAYS) \
	X(0x600a, CR3_TARGET_1,        "CR3-target value 1",  ALWAYS) \
	X(0x600c, CR3_TARGET_2,        "CR3-target value 2",  ALWAYS) \
	X(0x600e, CR3_TARGET_3,        "CR3-target value 3",  ALWAYS) \
	/* B.4.2 Natural-Width Read-Only Data Fields */ \
	X(0x6400, EXIT_QUALIFICATION,   "exit qualification",   ALWAYS) \
	X(0x6402, IO_RCX,               "I/O RCX",              ALWAYS) \
	X(0x6404, IO_RSI,               "I/O RSI",              ALWAYS) \
	X(0x6406, IO_RDI,               "I/O RDI",              ALWAYS) \
	X(0x6408, IO_RIP,               "I/O RIP",              ALWAYS) \
	X(0x640a, GUEST_LINEAR_ADDRESS, "guest-linear address", ALWAYS) \
	/* B.4.3 Natural-Width Guest-State Fields */ \
	X(0x6800, GUEST_CR0,                      "guest CR0",                           ALWAYS) \
	X(0x6802, GUEST_CR3,                      "guest CR3",                           ALWAYS) \
	X(0x6804, GUEST_CR4,                      "guest CR4",                           ALWAYS) \
	X(0x6806, GUEST_ES_BASE,                  "guest ES base",                       ALWAYS) \
	X(0x6808, GUEST_CS_BASE,                  "guest CS base",                       ALWAYS) \
	X(0x680a, GUEST_SS_BASE,                  "guest SS base",                       ALWAYS) \
	X(0x680c, GUEST_DS_BASE,                  "guest DS base",                       ALWAYS) \
	X(0x680e, GUEST_FS_BASE,                  "guest FS base",                       ALWAYS) \
	X(0x6810, GUEST_GS_BASE,                  "guest GS base",                       ALWAYS) \
	X(0x6812, GUEST_LDTR_BASE,                "guest LDTR base",                     ALWAYS) \
	X(0x6814, GUEST_TR_BASE,                  "guest TR base",                       ALWAYS) \
	X(0x6816, GUEST_GDTR_BASE,                "guest GDTR base",                     ALWAYS) \
	X(0x6818, GUEST_IDTR_BASE,                "guest IDTR base",                     ALWAYS) \
	X(0x681a, GUEST_DR7,                      "guest DR7",                           ALWAYS) \
	X(0x681c, GUEST_RSP,                      "guest RSP",                           ALWAYS) \
	X(0x681e, GUEST_RIP,                      "guest RIP",                           ALWAYS) \
	X(0x6820, GUEST_RFLAGS,                   "guest RFLAGS",                        ALWAYS) \
	X(0x6822, GUEST_PENDING_DEBUG,            "guest pending debug exceptions",      ALWAYS) \
	X(0x6824, GUEST_IA32_SYSENTER_ESP,        "guest IA32_SYSENTER_ESP",             ALWAYS) \
	X(0x6826, GUEST_IA32_SYSENTER_EIP,        "guest IA32_SYSENTER_EIP",             ALWAYS) \
	X(0x6828, GUEST_IA32_S_CET,               "guest IA32_S_CET",                    WHEN(ENTRY, LOAD_CET)) \
	X(0x682a, GUEST_SSP,                      "guest SSP",                           WHEN(ENTRY, LOAD_CET)) \
	X(0x682c, GUEST_IA32_INTERRUPT_SSP_TABLE, "guest IA32_INTERRUPT_SSP_TABLE_ADDR", WHEN(ENTRY, LOAD_CET)) \
	/* B.4.4 Natural-Width Host-State Fields */ \
	X(0x6c00, HOST_CR0,                      "host CR0",                           ALWAYS) \
	X(0x6c02, HOST_CR3,                      "host CR3",                           ALWAYS) \
	X(0x6c04, HOST_CR4,                      "host CR4",                           ALWAYS) \
	X(0x6c06, HOST_FS_BASE,                  "host FS base",                       ALWAYS) \
	X(0x6c08, HOST_GS_BASE,                  "host GS base",                       ALWAYS) \
	X(0x6c0a, HOST_TR_BASE,                  "host TR base",                       ALWAYS) \
	X(0x6c0c, HOST_GDTR_BASE,                "host GDTR base",                     ALWAYS) \
	X(0x6c0e, HOST_IDTR_BASE,                "host IDTR base",                     ALWAYS) \
	X(0x6c10, HOST_IA32_SYSENTER_ESP,        "host IA32_SYSENTER_ESP",             ALWAYS) \
	X(0x6c12, HOST_IA32_SYSENTER_EIP,        "host IA32_SYSENTER_EIP",             ALWAYS) \
	X(0x6c14, HOST_RSP,                      "host RSP",                           ALWAYS) \
	X(0x6c16, HOST_RIP,                      "host RIP",                           ALWAYS) \
	X(0x6c18, HOST_IA32_S_CET,               "host IA32_S_CET",                    WHEN(EXIT, LOAD_CET)) \
	X(0x6c1a, HOST_SSP,                      "host SSP",                           WHEN(EXIT, LOAD_CET)) \
	X(0x6c1c, HOST_IA32_INTERRUPT_SSP_TABLE, "host IA32_INTERRUPT_SSP_TABLE_ADDR", WHEN(EXIT, LOAD_CET))
/* clang-format on */

#define X(encoding, name, text, availability) VMCS_##name = encoding,
enum vmcs_field { VMCS_FIELDS(X) };
#undef X

/* One control that brings a field with it: see control_supported() in controls.h. */
struct control_choice {
	u32 kind; /* CONTROL_*; 0: none */
	u64 bit;
};

struct vmcs_field_info {
	u16 encoding;
	const char *name;
	struct control_choice choices[2]; /* the field exists where any of them may be 1; none at all: always */
};

extern const struct vmcs_field_info vmcs_fields[];
extern const unsigned vmcs_field_count;

/* An encoding taken apart: 25.11.2 VMREAD, VMWRITE, and Encodings of VMCS Fields */
enum vmcs_width { VMCS_16_BIT, VMCS_64_BIT, VMCS_32_BIT, VMCS_NATURAL_WIDTH };
enum vmcs_type { VMCS_CONTROL, VMCS_READ_ONLY_DATA, VMCS_GUEST_STATE, VMCS_HOST_STATE };

#define VMCS_ENCODING(width, type, index, high) ((u32)(width) << 13 | (u32)(type) << 10 | (u32)(index) << 1 | (high))
#define VMCS_ENCODING_RESERVED (~(u32)0x6fff) /* bits 12 and 31:15 are always 0 */
#define VMCS_INDEX_MAX 511u		      /* largest index that an encoding has room for */

static inline unsigned vmcs_width(u32 encoding)
{
	return encoding >> 13 & 3;
}

static inline unsigned vmcs_type(u32 encoding)
{
	return encoding >> 10 & 3;
}

static inline unsigned vmcs_index(u32 encoding)
{
	return encoding >> 1 & VMCS_INDEX_MAX;
}

/* Is it the access to bits 63:32 of a 64-bit field? */
static inline bool vmcs_high(u32 encoding)
{
	return encoding & 1;
}

/* Must a CPU with these capabilities have the field? Where not, VMREAD and VMWRITE of it give error 12. */
bool vmcs_field_exists(const struct vmcs_field_info *field, const struct vmx_caps *caps);

/* The table's row for an encoding, full or high; 0 where no edition names such a field. */
const struct vmcs_field_info *vmcs_field_find(u32 encoding);

/* The SDM's name of the field, for the high access too; "unknown field" where there is none. */
const char *vmcs_field_name(u32 encoding);
