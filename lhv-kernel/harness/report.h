/* The report: TAP 14 with YAML diagnoses, the plan first, a summary and the verdict last. */
#pragma once
#include "harness/rule.h"
#include "lib/types.h"

/* Prints the options in force and the plan. */
void report_plan(void);

/* The breadcrumb before a rule. */
void report_start(const struct rule *rule);

/*
 * One rule's result, gathered from all CPUs. number: its place in the plan from 1. A failure is printed when it is
 * first seen, anything else in the last iteration. iteration counts from 1.
 */
void report_rule(const struct rule *rule, unsigned number, u32 iteration, bool last);

void report_iteration(u32 iteration, u32 of);

/* Prints the summary and the verdict; sets the code that the machine ends with. */
void report_end(void);
