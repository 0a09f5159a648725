/* This CPU and its current VMCS as the model of the VM-entry checks sees them. In the kernel only. */
#pragma once
#include "lhv-tests/entry/model.h"

struct entry_here {
	struct entry_place place;
	struct entry_caps caps;
	struct entry_mode mode; /* VMLAUNCH of a clear VMCS; what is tried says where it is otherwise */
	struct entry_memory memory;
};

/*
 * Describes the CPU that this runs on. Takes ENTRY_PAGES scratch pages of the rule for set-ups. Of memory the model sees
 * those pages, the current VMCS and the guest's CR3 page; the rest is not known to it.
 */
void entry_here(struct entry_here *here);

/* Reads every field of the current VMCS that VMREAD gives. */
void entry_image_read(struct vmcs_image *image);

/* Writes the fields that differ from what the VMCS holds. Returns the first whose VMWRITE fails, else IMAGE_FIELDS. */
enum image_field entry_image_write(const struct vmcs_image *image, const struct vmcs_image *held);
