# Tests of the kernel's parts that need no hardware: the same source files, built for the host under the sanitizers.
#
#	make unit           every test, one line each
#	make unit T=word    those whose title holds the word
#	make fuzz           the option parser and the model of the VM-entry checks against random input, FUZZ_SECONDS each

UNIT_CC      ?= gcc
FUZZ_CC      ?= clang
FUZZ_SECONDS ?= 10
UNIT_BUILD   := build/unit

UNIT_FLAGS := -std=gnu17 -g -O1 -Wall -Wextra -Werror -Wno-format-zero-length -fno-omit-frame-pointer \
              -fsanitize=address,undefined -fno-sanitize-recover=all -Ilhv-kernel -I. -MMD -MP

# The model of the VM-entry checks
ENTRY_MODEL := $(patsubst %,lhv-tests/entry/%.c,basic caps controls-entry controls-execution controls-exit entry establish free \
	guest-control guest-non-register guest-pdptes guest-rip guest-segments guest-tables host-control host-segments host-size \
	legal model msr-load text violate)

# What is tested
UNIT_SOURCES := \
	lhv-kernel/lib/format.c \
	lhv-kernel/lib/division.c \
	lhv-kernel/lib/string.c \
	lhv-kernel/lib/glob.c \
	lhv-kernel/lib/words.c \
	lhv-kernel/harness/option-mask.c \
	lhv-kernel/harness/options.c \
	lhv-kernel/harness/tap-text.c \
	lhv-kernel/vmx/outcome.c \
	lhv-kernel/vmx/tables.c \
	lhv-kernel/memory/memory-type.c \
	$(ENTRY_MODEL)

# The tests
UNIT_SOURCES += \
	scripts/unit/check.c \
	scripts/unit/format-test.c \
	scripts/unit/division-test.c \
	scripts/unit/string-test.c \
	scripts/unit/options-test.c \
	scripts/unit/tap-text-test.c \
	scripts/unit/outcome-test.c \
	scripts/unit/tables-test.c \
	scripts/unit/memory-type-test.c \
	scripts/unit/entry-places.c \
	scripts/host/processor.c \
	scripts/unit/entry-test.c

UNIT_OBJECTS := $(UNIT_SOURCES:%.c=$(UNIT_BUILD)/%.o)

# Functions that the host has too get names of their own.
$(UNIT_BUILD)/lhv-kernel/lib/division.o: UNIT_RENAME := \
	-D__udivmoddi4=lhv_udivmoddi4 -D__udivdi3=lhv_udivdi3 -D__umoddi3=lhv_umoddi3
$(UNIT_BUILD)/lhv-kernel/lib/string.o: UNIT_RENAME := -fno-builtin \
	$(foreach f,memcpy memmove memset memcmp strlen strcmp strncmp,-D$(f)=lhv_$(f))

FUZZ_TARGETS := options entry

.PHONY: unit fuzz $(FUZZ_TARGETS:%=fuzz-%)

unit: $(UNIT_BUILD)/unit ## tests of the kernel's parts on the host, under the sanitizers (T=word)
	@$< $(T)

$(UNIT_BUILD)/unit: $(UNIT_OBJECTS)
	@$(UNIT_CC) $(UNIT_FLAGS) $^ -o $@

$(UNIT_BUILD)/%.o: %.c scripts/unit/unit.mk
	@mkdir -p $(@D)
	@$(UNIT_CC) $(UNIT_FLAGS) $(UNIT_RENAME) -c $< -o $@

# What is fuzzed, and what each counts
FUZZ_options := lhv-kernel/harness/options.c lhv-kernel/harness/option-mask.c lhv-kernel/lib/format.c lhv-kernel/lib/glob.c \
	lhv-kernel/lib/words.c
FUZZ_entry   := scripts/unit/entry-places.c scripts/host/processor.c $(ENTRY_MODEL) lhv-kernel/vmx/tables.c lhv-kernel/lib/format.c
FUZZ_RUN_options := -max_len=2048 -dict=scripts/unit/options.dict
FUZZ_RUN_entry   := -max_len=512
FUZZ_WHAT_options := command lines
FUZZ_WHAT_entry   := VMCSs

fuzz: ## the option parser and the model of the VM-entry checks against random input (FUZZ_SECONDS=10 each)
	@if command -v $(FUZZ_CC) >/dev/null; then $(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) $(FUZZ_TARGETS:%=fuzz-%); \
	else echo "make fuzz was skipped: it needs $(FUZZ_CC) with libFuzzer (Debian package clang)"; fi

$(FUZZ_TARGETS:%=fuzz-%): fuzz-%: $(UNIT_BUILD)/fuzz-%
	@$< -max_total_time=$(FUZZ_SECONDS) $(FUZZ_RUN_$*) -print_final_stats=1 -artifact_prefix=$(UNIT_BUILD)/ >$<.log 2>&1 || \
		{ tail -n 40 $<.log; false; }
	@sed -n 's/^stat::number_of_executed_units: */fuzz: $(FUZZ_WHAT_$*) without a fault: /p' $<.log

.SECONDEXPANSION:
$(UNIT_BUILD)/fuzz-%: scripts/unit/fuzz-%.c $$(FUZZ_$$*) $(wildcard lhv-tests/entry/*.h lhv-kernel/*/*.h) scripts/unit/unit.mk
	@mkdir -p $(@D)
	@$(FUZZ_CC) -std=gnu17 -g -O1 -Wall -Wextra -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-Ilhv-kernel -I. $< $(FUZZ_$*) -o $@

-include $(UNIT_OBJECTS:.o=.d)
