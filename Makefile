# LHV: `make help` says what there is.

# ---- What to build ------------------------------------------------------------------------------
ARCHS   := amd64 pae i386
ARCH    ?= amd64
LHV_OPT ?=
VERSION := 0.1

# ---- Tools --------------------------------------------------------------------------------------
CC      := gcc
LD      := ld
OBJCOPY := objcopy
OBJDUMP := objdump
NM      := nm

# ---- Directories --------------------------------------------------------------------------------
B := build/$(ARCH)

# ---- Files, floor by floor, in the order in which their rules run ---------------------------------
kernel := \
	boot/entry.o boot/trampoline.o boot/multiboot.o \
	cpu/context.o cpu/descriptors.o cpu/execute.o cpu/execute-enter.o cpu/execute-real.o cpu/execute-real-enter.o cpu/msr.o cpu/paging.o cpu/registers.o cpu/time.o cpu/trap-entry.o cpu/traps.o \
	cpu/user.o cpu/user-entry.o \
	console/art.o console/console.o console/memory-log.o console/uart.o console/vga.o \
	harness/expect.o harness/fault.o harness/finish.o harness/option-mask.o harness/options.o harness/platform.o harness/recover.o \
	harness/report.o harness/restore.o harness/scratch.o harness/select.o harness/tap-text.o harness/ticking.o harness/walk.o harness/watchdog.o \
	interrupts/interrupts.o interrupts/lapic.o interrupts/pic.o \
	lib/format.o lib/glob.o lib/string.o lib/words.o \
	memory/memory-type.o memory/pages.o \
	smp/acpi.o smp/cpu.o smp/start.o \
	vmx/caps.o vmx/dump.o vmx/enter.o vmx/enter-asm.o vmx/instructions.o vmx/outcome.o vmx/planted.o vmx/root.o vmx/stale.o vmx/tables.o vmx/vmcs-faults.o \
	start.o
guest := ept.o golden.o run.o traps.o window.o
timer := apic-timer.o pit.o wait.o pit-rules.o apic-rules.o tsc-rules.o preemption-timer-rules.o irq7-rules.o irq15-rules.o soak.o
mtrr  := mtrr.o msr-probe.o mtrr-rules.o pat-rules.o guest-rules.o
tests := smoke.o \
	caps-cpuid.o caps-access.o caps-basic.o caps-controls.o caps-misc.o caps-cr-fixed.o caps-vmcs-enum.o caps-ept-vpid.o \
	caps-dependencies.o caps-feature-control.o \
	vmxon.o vmxoff.o \
	vmcs-values.o vmclear.o vmptrld.o vmptrst.o vmx-instruction.o vmx-modes.o vmx-operands.o vmx-flags.o vmcs-encodings.o vmread.o vmwrite.o vmcs-fields.o vmlaunch.o vmx-guest.o vmx-operation.o vmcs-persistence.o vmcs-launch-state.o vmcs-linked.o vmcs-migrate.o vmcs-layout.o \
	exit-nmi.o \
	ept-identity.o ept-violation.o ept-misconfiguration.o ept-pages.o vpid.o invvpid.o invept.o shadow-vmcs.o \
	msr-areas.o msr-entry-failures.o msr-bitmaps.o user-mode.o unrestricted.o ps2-mouse.o entry-model.o

# the model of the VM-entry checks, in the SDM's order
entry := here.o model.o entry.o caps.o text.o establish.o legal.o violate.o free.o \
	basic.o controls-execution.o controls-exit.o controls-entry.o host-control.o host-segments.o host-size.o \
	guest-control.o guest-segments.o guest-tables.o guest-rip.o guest-non-register.o guest-pdptes.o msr-load.o

last  := selftest.o main.o

objects := $(kernel:%=$(B)/lhv-kernel/%) $(guest:%=$(B)/lhv-guest/%) $(tests:%=$(B)/lhv-tests/%) \
	$(mtrr:%=$(B)/lhv-mtrr/%) $(timer:%=$(B)/lhv-timer/%) $(entry:%=$(B)/lhv-tests/entry/%) $(last:%=$(B)/lhv-tests/%)

# ---- Flags --------------------------------------------------------------------------------------
flags_amd64 := -m64 -mno-red-zone
flags_pae   := -m32 -mregparm=3 -DLHV_PAE
flags_i386  := -m32 -mregparm=3
link_amd64  := elf64-x86-64
link_pae    := elf32-i386
link_i386   := elf32-i386
machine_amd64 := i386:x86-64
machine_pae   := i386
machine_i386  := i386
ifneq ($(ARCH),amd64)
objects += $(B)/lhv-kernel/lib/division.o
endif

CPPFLAGS := -I$(B) -Ilhv-kernel -I. -MMD -MP
CFLAGS   := $(flags_$(ARCH)) -std=gnu17 -ffreestanding -Os -g -fno-pic -fno-pie -mgeneral-regs-only -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-toplevel-reorder -fno-delete-null-pointer-checks -fno-common -fcf-protection=none \
	-Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wundef -Wvla -Wshadow -Wwrite-strings -Wimplicit-fallthrough
ASFLAGS  := $(flags_$(ARCH)) -fno-pic -g -Wa,--fatal-warnings
LDFLAGS  := -nostdlib -static -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments --build-id=none
# `make V=1` shows the commands
say = $(if $(V),,@echo "  $@";)
.DELETE_ON_ERROR:

# ---- Targets --------------------------------------------------------------------------------------
.PHONY: all image help setup run check bench isolation teeth clean $(ARCHS)

all: $(ARCHS) build/host/explain ## every build: build/ARCH/lhv.elf (symbols), lhv.bin (to boot), lhv.iso, lhv.asm and lhv.sym (listings)

$(ARCHS):
	@$(MAKE) --no-print-directory ARCH=$@ image

run: setup ## set up what is missing, build, boot on Bochs with two CPUs and show the verdict (ARCH=pae, RUN="options of scripts/lhv run")
	@$(MAKE) --no-print-directory ARCH=$(ARCH) $(B)/lhv.bin
	@scripts/lhv run --arch $(ARCH) $(RUN)

check: setup ## the same, then every test: unit tests under the sanitizers, the runner's tests, real boots
	@$(MAKE) --no-print-directory all
	@scripts/check

setup: ## install the Debian packages that are missing
	@scripts/setup

bench: all ## emulated ticks from kernel entry to verdict, CPU seconds, image size and memory
	@scripts/bench

isolation: all ## every rule alone, a boot each: the results must be those of the whole run
	@scripts/isolation

teeth: all ## every planted fault over all rules: which rules has none made fail?
	@scripts/teeth

clean: ## remove build/
	rm -rf build

help: ## this list
	@echo "make [ARCH=amd64|pae|i386] [LHV_OPT=0x1fc: the default mask] [V=1: show the commands] TARGET"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' Makefile scripts/unit/unit.mk | expand -t 12

# ---- Images: lhv.elf with symbols, lhv.bin to boot, lhv.iso, listings ------------------------------
image: $(B)/lhv.bin $(B)/lhv.iso $(B)/lhv.asm $(B)/lhv.sym

$(B)/lhv.elf: $(objects) $(B)/lhv.lds
	$(say)$(LD) $(LDFLAGS) -T $(B)/lhv.lds -o $@ $(objects)

$(B)/lhv.bin: $(B)/lhv.elf
	$(say)$(OBJCOPY) -S -O elf32-i386 $< $@

$(B)/lhv.iso: $(B)/lhv.bin scripts/grub.cfg
	@command -v grub-mkrescue xorriso >/dev/null || { echo "grub-mkrescue or xorriso is not there: run scripts/setup"; false; }
	@rm -rf $(B)/iso && mkdir -p $(B)/iso/boot/grub && cp $< $(B)/iso/boot/ && cp scripts/grub.cfg $(B)/iso/boot/grub/
	$(say)grub-mkrescue -o $@ $(B)/iso --install-modules="normal multiboot2 iso9660 biosdisk" --fonts= --locales= --themes= 2>$(B)/iso.log

$(B)/lhv.asm: $(B)/lhv.elf
	$(say)$(OBJDUMP) -d -M att $< > $@

$(B)/lhv.sym: $(B)/lhv.elf
	$(say)$(NM) -n $< > $@

$(B)/lhv.lds: lhv-kernel/boot/lhv.lds Makefile
	@mkdir -p $(@D)
	@sed 's/LHV_FORMAT/$(link_$(ARCH))/; s/LHV_OUTPUT_ARCH/$(machine_$(ARCH))/' $< > $@

$(B)/%.o: %.c $(B)/config.h Makefile
	@mkdir -p $(@D)
	$(say)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/%.o: %.S Makefile
	@mkdir -p $(@D)
	$(say)$(CC) $(CPPFLAGS) $(ASFLAGS) -c -o $@ $<

$(B)/%-asm.o: %.S Makefile
	@mkdir -p $(@D)
	$(say)$(CC) $(CPPFLAGS) $(ASFLAGS) -c -o $@ $<

# What the options say; rewritten only where they differ, so that what depends on them, and only that, is built anew
define config
#define LHV_VERSION "$(VERSION)"
#define LHV_ARCH "$(ARCH)"
#define LHV_OPT_GIVEN $(if $(LHV_OPT),true,false)
#define LHV_OPT $(or $(LHV_OPT),0)ull
endef
export config
$(B)/config.h: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$config" | cmp -s - $@ || printf '%s\n' "$$config" > $@
FORCE:

include scripts/unit/unit.mk
include scripts/host/host.mk

-include $(objects:.o=.d)
