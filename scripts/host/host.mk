# Programs of the host that hold parts of LHV: what scripts/lhv explain asks.

HOST_CC      := gcc
HOST_SOURCES := scripts/host/explain.c scripts/host/processor.c $(ENTRY_MODEL) lhv-kernel/vmx/tables.c lhv-kernel/lib/format.c

build/host/explain: $(HOST_SOURCES) $(wildcard lhv-tests/entry/*.h lhv-kernel/*/*.h scripts/host/*.h) scripts/host/host.mk
	@mkdir -p $(@D)
	$(say)$(HOST_CC) -std=gnu17 -O1 -g -Wall -Wextra -Werror -Ilhv-kernel -I. $(HOST_SOURCES) -o $@
