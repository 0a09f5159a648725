"""Commands of ours for GDB: `scripts/lhv gdb` loads them."""

import gdb


class LhvVmcs(gdb.Command):
    """Shows the current VMCS of the CPU, by the names of its fields: lhv-vmcs [WORDS]

With words, only the fields whose names hold all of them, such as: lhv-vmcs guest cs
The machine must be stopped in LHV's own code in VMX root operation, such as at rule_failed: the kernel does the VMREADs."""

    def __init__(self):
        super().__init__("lhv-vmcs", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        """Calls the kernel's vmcs_text() and prints what fits."""
        try:
            if gdb.newest_frame().find_sal().symtab is None or not gdb.parse_and_eval("cpu_count"):
                raise gdb.GdbError("LHV does not run yet, or other code does: stop in a function of LHV, such as rule_failed.")
            text = gdb.parse_and_eval("vmcs_text()").string()
        except gdb.error as error:
            raise gdb.GdbError(f"The VMCS cannot be read here: {error}") from None
        words = argument.lower().split()
        heading, *fields = text.splitlines()
        gdb.write(heading + "\n")
        for line in fields:
            if all(word in line.lower() for word in words):
                gdb.write(line + "\n")


LhvVmcs()
