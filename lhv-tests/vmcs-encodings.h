/* Encodings that are no field of any VMCS, and one of each kind that is: for the rules on VMREAD and VMWRITE. */
#pragma once
#include "harness/expect.h"
#include "harness/rule.h"
#include "lhv-tests/vmx-instruction.h"
#include "vmx/fields.h"

/* A field of each width that every CPU has, keeps all its bits, and is read by nothing outside VM entries */
#define FIELD_16 VMCS_GUEST_ES_SELECTOR
#define FIELD_32 VMCS_GUEST_ES_LIMIT
#define FIELD_64 VMCS_TSC_OFFSET
#define FIELD_NATURAL VMCS_GUEST_ES_BASE

/* Bits that an encoding never has, or an access type or index that the fields of that kind do not have (25.11.2, A.9) */
#define UNSUPPORTED_ENCODINGS(X) \
	X(bit_12, "bit-12", "bit 12 set", 0) \
	X(bits_31_15, "bits-31-15", "one of the bits 31:15 set", 0) \
	X(bits_63_32, "bits-63-32", "one of the bits 63:32 set", NEED_LONG_MODE) \
	X(high_16, "high-16", "the high access type for a 16-bit field", 0) \
	X(high_32, "high-32", "the high access type for a 32-bit field", 0) \
	X(high_natural, "high-natural", "the high access type for a natural-width field", 0) \
	X(index_beyond, "index-beyond", "an index above that of IA32_VMX_VMCS_ENUM", 0)

#define X(name, id, text, need) UNSUPPORTED_##name,
enum unsupported { UNSUPPORTED_ENCODINGS(X) };
#undef X

/* Calls try(encoding) with every encoding of the kind; each must give VMfailValid(12). The rule ends where one does not. */
void expect_unsupported(enum unsupported kind, outcome_t (*try)(ulong encoding));
