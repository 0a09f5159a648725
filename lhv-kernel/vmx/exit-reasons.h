/* Why a VM exit happened: the fields of the exit reason (28.2.1, table in 25.9.1) and the numbers of SDM appendix C. */
#pragma once
#include "lib/types.h"

/* clang-format off */
/* X(basic exit reason, NAME, the SDM's name). 35, 38, 42, 71, 82 and 83 are not assigned. */
#define EXIT_REASONS(X) \
	X(0,  EXCEPTION_NMI,          "exception or NMI") \
	X(1,  EXTERNAL_INTERRUPT,     "external interrupt") \
	X(2,  TRIPLE_FAULT,           "triple fault") \
	X(3,  INIT,                   "INIT signal") \
	X(4,  SIPI,                   "start-up IPI (SIPI)") \
	X(5,  IO_SMI,                 "I/O SMI") \
	X(6,  OTHER_SMI,              "other SMI") \
	X(7,  INTERRUPT_WINDOW,       "interrupt window") \
	X(8,  NMI_WINDOW,             "NMI window") \
	X(9,  TASK_SWITCH,            "task switch") \
	X(10, CPUID,                  "CPUID") \
	X(11, GETSEC,                 "GETSEC") \
	X(12, HLT,                    "HLT") \
	X(13, INVD,                   "INVD") \
	X(14, INVLPG,                 "INVLPG") \
	X(15, RDPMC,                  "RDPMC") \
	X(16, RDTSC,                  "RDTSC") \
	X(17, RSM,                    "RSM") \
	X(18, VMCALL,                 "VMCALL") \
	X(19, VMCLEAR,                "VMCLEAR") \
	X(20, VMLAUNCH,               "VMLAUNCH") \
	X(21, VMPTRLD,                "VMPTRLD") \
	X(22, VMPTRST,                "VMPTRST") \
	X(23, VMREAD,                 "VMREAD") \
	X(24, VMRESUME,               "VMRESUME") \
	X(25, VMWRITE,                "VMWRITE") \
	X(26, VMXOFF,                 "VMXOFF") \
	X(27, VMXON,                  "VMXON") \
	X(28, CR_ACCESS,              "control-register accesses") \
	X(29, MOV_DR,                 "MOV DR") \
	X(30, IO,                     "I/O instruction") \
	X(31, RDMSR,                  "RDMSR") \
	X(32, WRMSR,                  "WRMSR") \
	X(33, INVALID_GUEST_STATE,    "VM-entry failure: invalid guest state") \
	X(34, MSR_LOADING,            "VM-entry failure: MSR loading") \
	X(36, MWAIT,                  "MWAIT") \
	X(37, MONITOR_TRAP_FLAG,      "monitor trap flag") \
	X(39, MONITOR,                "MONITOR") \
	X(40, PAUSE,                  "PAUSE") \
	X(41, MACHINE_CHECK,          "VM-entry failure: machine-check event") \
	X(43, TPR_BELOW_THRESHOLD,    "TPR below threshold") \
	X(44, APIC_ACCESS,            "APIC access") \
	X(45, VIRTUALIZED_EOI,        "virtualized EOI") \
	X(46, GDTR_IDTR,              "access to GDTR or IDTR") \
	X(47, LDTR_TR,                "access to LDTR or TR") \
	X(48, EPT_VIOLATION,          "EPT violation") \
	X(49, EPT_MISCONFIGURATION,   "EPT misconfiguration") \
	X(50, INVEPT,                 "INVEPT") \
	X(51, RDTSCP,                 "RDTSCP") \
	X(52, PREEMPTION_TIMER,       "VMX-preemption timer expired") \
	X(53, INVVPID,                "INVVPID") \
	X(54, WBINVD,                 "WBINVD or WBNOINVD") \
	X(55, XSETBV,                 "XSETBV") \
	X(56, APIC_WRITE,             "APIC write") \
	X(57, RDRAND,                 "RDRAND") \
	X(58, INVPCID,                "INVPCID") \
	X(59, VMFUNC,                 "VMFUNC") \
	X(60, ENCLS,                  "ENCLS") \
	X(61, RDSEED,                 "RDSEED") \
	X(62, PML_FULL,               "page-modification log full") \
	X(63, XSAVES,                 "XSAVES") \
	X(64, XRSTORS,                "XRSTORS") \
	X(65, PCONFIG,                "PCONFIG") \
	X(66, SPP,                    "SPP-related event") \
	X(67, UMWAIT,                 "UMWAIT") \
	X(68, TPAUSE,                 "TPAUSE") \
	X(69, LOADIWKEY,              "LOADIWKEY") \
	X(70, ENCLV,                  "ENCLV") \
	X(72, ENQCMD_PASID,           "ENQCMD PASID translation failure") \
	X(73, ENQCMDS_PASID,          "ENQCMDS PASID translation failure") \
	X(74, BUS_LOCK,               "bus lock") \
	X(75, INSTRUCTION_TIMEOUT,    "instruction timeout") \
	X(76, SEAMCALL,               "SEAMCALL") \
	X(77, TDCALL,                 "TDCALL") \
	X(78, RDMSRLIST,              "RDMSRLIST") \
	X(79, WRMSRLIST,              "WRMSRLIST") \
	X(80, URDMSR,                 "URDMSR") \
	X(81, UWRMSR,                 "UWRMSR") \
	X(84, RDMSR_IMMEDIATE,        "RDMSR with immediate") \
	X(85, WRMSRNS_IMMEDIATE,      "WRMSRNS with immediate")
/* clang-format on */

#define X(number, name, text) EXIT_REASON_##name = number,
enum exit_reason { EXIT_REASONS(X) };
#undef X

/* The 32-bit field: 25.9.1 Basic VM-Exit Information */
#define EXIT_REASON_BASIC 0x0000ffffu
#define EXIT_REASON_BUSY_SHADOW_STACK 0x02000000u /* bit 25 */
#define EXIT_REASON_BUS_LOCK_ASSERTED 0x04000000u /* bit 26 */
#define EXIT_REASON_ENCLAVE_MODE 0x08000000u	  /* bit 27 */
#define EXIT_REASON_PENDING_MTF 0x10000000u	  /* bit 28: set by SMM VM exits only */
#define EXIT_REASON_FROM_ROOT 0x20000000u	  /* bit 29: likewise */
#define EXIT_REASON_ENTRY_FAILURE 0x80000000u	  /* bit 31 */

/* The SDM's name of a basic exit reason (bits 15:0); "unassigned exit reason" where there is none. */
const char *exit_reason_name(u32 basic_reason);
