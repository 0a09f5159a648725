/* Integer types and the few macros that every file uses. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64; /* so that %llx prints it in every build */
typedef unsigned long ulong;	/* the natural width of the build */

#define BIT(n) (1ull << (n))
#define BITS(high, low) ((~0ull >> (63 - (high))) & (~0ull << (low)))
#define FIELD(value, high, low) (((value)&BITS(high, low)) >> (low))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ALIGN_UP(x, a) (((x) + (a)-1) & ~((a)-1))

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define PAGE_SIZE 4096u

#define NORETURN __attribute__((noreturn))
#define PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#define PAGE_ALIGNED __attribute__((aligned(4096)))
