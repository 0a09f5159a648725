/* The current VMCS by the names of its fields, for debuggers and for rules that fail. */
#pragma once

/*
 * Every field that this CPU must have, a line each, or a sentence why there is none to show. The text stands until the next
 * call, and is meant for a debugger: `print vmcs_text()`.
 */
const char *vmcs_text(void);

/* Prints it as comments of the log. */
void vmcs_print(void);
