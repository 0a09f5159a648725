/* What one rule gave on one CPU. */
#pragma once
#include "lib/types.h"

enum rule_state { NOT_RUN, PASSED, SKIPPED, FAILED, HUNG, LOST }; /* the worst of all CPUs counts */

struct result {
	enum rule_state state;
	char what[160], expected[240], actual[400]; /* SKIPPED: the reason is in actual */
	char note[240];				    /* a fact beside the result */
};
