/*
 * The log in memory, for who can read the machine's memory from outside: there a line costs no VM exit, whereas on nested
 * platforms each character of a UART is one. At its address: a 32-bit count of bytes, then so many bytes of text.
 * After each write the UART gets a line feed, for who would rather be woken than look again and again.
 */
#pragma once
#include "lib/types.h"

/* Where it may be: clear of the image, within what both paging modes map, and big enough for any run that ends */
#define LOG_MEMORY_SIZE 0x400000u
#define LOG_MEMORY_FIRST 0x1000000u
#define LOG_MEMORY_LAST 0xb0000000u

/* Begins an empty log. Returns false where no memory is at the address. */
bool memory_log_init(u32 address);

/* Adds text. Returns false where there is no such log, or no more room in it. */
bool memory_log_write(const char *text);
