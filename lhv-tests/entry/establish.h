/* Making conditions hold in a legal VMCS, with all that they need. For the files of this folder. */
#pragma once
#include "lhv-tests/entry/rule.h"

/*
 * Makes the condition hold and keeps the image legal. The image must be prepared (entry_prepare). Returns false
 * where this processor or mode does not let it hold.
 */
bool entry_establish(struct vmcs_image *image, const struct entry_place *place, struct entry_condition condition);

/* Turns off every control that needs this one to be 1, but for those that are asked for in a list of conditions. */
bool entry_drop_dependents(struct vmcs_image *image, const struct entry_place *place, struct entry_condition needed,
			   const struct entry_condition *kept, unsigned count);

/* Virtual-8086 mode as the guest's state says it, whatever the controls are. */
void entry_set_v86(struct vmcs_image *image);

/* The field that holds a vector of controls. */
unsigned entry_control_field(unsigned kind);
