/*
 * Planted faults of VMCLEAR, VMPTRLD, VMPTRST and the launch state: what a broken platform does with a VMCS from instruction to
 * instruction, so that it remembers VMCSs until the rule ends. Those of one VM entry and VM exit are in planted.h.
 */
#pragma once
#include "harness/fault.h"

/* The instructions as they are. */
outcome_t vmclear_raw(const void *operand);
outcome_t vmptrld_raw(const void *operand);
outcome_t vmptrst_raw(void *operand);

/* And as they seem to be. */
outcome_t vmclear_planted(const void *operand);
outcome_t vmptrld_planted(const void *operand);
outcome_t vmptrst_planted(void *operand);

/* Before a VM entry: may change which instruction it is. Returns false, with *outcome set, where it seems to fail. */
bool entry_planted(bool *resume, outcome_t *outcome);
/* After a VM exit. */
void exit_planted(void);

/* The rule is over, and what was remembered of its VMCSs with it. */
void vmcs_faults_end(void);
