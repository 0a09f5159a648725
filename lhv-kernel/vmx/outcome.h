/* What one instruction did: succeeded, VMfailInvalid, VMfailValid(number) or faulted(vector, error code), in one word. */
#pragma once
#include "lib/types.h"

typedef u32 outcome_t; /* compare with == */

#define SUCCEEDED 0u
#define VMFAIL_INVALID 0x10000000u
#define VMFAIL_VALID(number) (0x20000000u | (number)) /* VM-instruction error number */
#define FAULTED(vector, error_code) (0x30000000u | (u32)(vector) << 16 | ((error_code)&0xffff))
#define UNDEFINED_FLAGS 0x40000000u /* both CF and ZF, or other flags that no outcome allows */

#define OUTCOME_IS_FAULT(outcome) ((outcome) >> 28 == 3)
#define OUTCOME_VECTOR(outcome) ((outcome) >> 16 & 0xff)

/* The faults that tests expect most */
#define FAULT_DE FAULTED(0, 0)
#define FAULT_UD FAULTED(6, 0)
#define FAULT_GP0 FAULTED(13, 0)

/* Says it decoded, such as "VMfailValid(7) VM entry with invalid control field(s)". Returns the length. */
size_t outcome_format(char *buffer, size_t size, outcome_t outcome);

/* "#GP" and the like; "vector 39" for the others, in a buffer that the caller gives (16 bytes are enough). */
const char *vector_name(u8 vector, char buffer[16]);
