/* vmx/tables.c: the look-ups, and what must hold for every row whatever the rows are. */
#include "check.h"
#include "vmx/controls.h"
#include "vmx/exit-reasons.h"
#include "vmx/fields.h"
#include <stdio.h>

TEST(tables_fields, "tables: VMCS field encodings are full, well-formed, in ascending order within each width, and found again")
{
	CHECK(vmcs_field_count > 150);
	for (unsigned i = 0; i < vmcs_field_count; i++) {
		const struct vmcs_field_info *field = &vmcs_fields[i];
		/* 25.11.2: bit 0 is the access type, bit 12 and bits 31:15 are reserved */
		bool fine = CHECK(!vmcs_high(field->encoding)) && CHECK(!(field->encoding & 0xffff9000)) &&
			    CHECK(field->name && *field->name) && CHECK(vmcs_field_find(field->encoding) == field) &&
			    CHECK_TEXT(vmcs_field_name(field->encoding), field->name);

		if (i && vmcs_width(field[-1].encoding) == vmcs_width(field->encoding))
			fine &= CHECK(field[-1].encoding < field->encoding);
		if (!fine)
			printf("#   field %xh\n", field->encoding);
		for (unsigned j = 0; j < i; j++)
			CHECK(strcmp(vmcs_fields[j].name, field->name) != 0);
	}
}

TEST(tables_high_halves, "tables: only 64-bit fields have a high half")
{
	for (unsigned i = 0; i < vmcs_field_count; i++)
		CHECK_EQ(vmcs_field_find(vmcs_fields[i].encoding | 1) == &vmcs_fields[i],
			 vmcs_width(vmcs_fields[i].encoding) == VMCS_64_BIT);
	CHECK(!vmcs_field_find(0x0aaa));
	CHECK_TEXT(vmcs_field_name(0x0aaa), "unknown field");
}

TEST(tables_known_fields, "tables: some fields by number, one of each width")
{
	CHECK_TEXT(vmcs_field_name(0x0802), "guest CS selector");
	CHECK_TEXT(vmcs_field_name(0x2010), "TSC offset");
	CHECK_TEXT(vmcs_field_name(0x2011), "TSC offset");
	CHECK(vmcs_field_find(0x4400) != 0);
	CHECK(vmcs_field_find(0x681e) != 0);
	CHECK(vmcs_field_find(0x6c16) != 0);
}

TEST(tables_controls, "tables: each control has one name, and what is not one is reserved")
{
	for (unsigned kind = CONTROL_NONE + 1; kind < CONTROL_KIND_END; kind++) {
		unsigned named = 0;

		CHECK(*control_kind_name(kind));
		for (unsigned bit = 0; bit < 64; bit++) {
			const char *name = control_name(kind, BIT(bit));

			if (!strcmp(name, "reserved"))
				continue;
			named++;
			for (unsigned other = 0; other < bit; other++)
				CHECK(strcmp(control_name(kind, BIT(other)), name) != 0);
		}
		CHECK(named > 0);
	}
	CHECK_TEXT(control_name(CONTROL_PIN, 3), "reserved");
	CHECK_TEXT(control_name(CONTROL_NONE, 1), "reserved");
	CHECK_TEXT(control_name(CONTROL_KIND_END, 1), "reserved");
	CHECK_TEXT(control_kind_name(CONTROL_KIND_END), "no controls");
}

TEST(tables_availability, "tables: a field exists where one of its controls may be 1")
{
	struct vmx_caps none = {0}, ept = {0};

	ept.proc2.may_be_1 = PROC2_ENABLE_EPT;
	CHECK(vmcs_field_exists(vmcs_field_find(0x0802), &none));
	CHECK(!vmcs_field_exists(vmcs_field_find(0x201a), &none)); /* EPT pointer */
	CHECK(vmcs_field_exists(vmcs_field_find(0x201a), &ept));
	CHECK(!vmcs_field_exists(vmcs_field_find(0x0000), &ept)); /* VPID */
}

TEST(tables_exit_reasons, "tables: exit reasons by number")
{
	CHECK_TEXT(exit_reason_name(0), "exception or NMI");
	CHECK_TEXT(exit_reason_name(10), "CPUID");
	CHECK_TEXT(exit_reason_name(18), "VMCALL");
	CHECK_TEXT(exit_reason_name(35), "unassigned exit reason");
	CHECK_TEXT(exit_reason_name(0xffff), "unassigned exit reason");
}
