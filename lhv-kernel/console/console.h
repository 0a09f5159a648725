/* Output: whole lines to every console that was found, and panics. */
#pragma once
#include "lib/types.h"

#define LINE_SIZE 512

/*
 * Finds the consoles and writes to all of them from now on. serial_port: I/O port of the UART, 0 for the
 * first of COM1..COM4 that answers. log_memory: physical address of a log in memory, which then takes the
 * place of UART and port E9; 0: none. Returns a text that names what was found.
 */
const char *console_init(u16 serial_port, u32 log_memory);

/* One line (a line feed is added), written as a whole. Never from an interrupt handler. */
void print(const char *text, ...) PRINTF(1, 2);

/* Several lines as they stand, written as a whole. */
void print_block(const char *text);

/* Writes the text even where a dead CPU holds the console, and stops every CPU that wants to print from now on. */
void console_last_words(const char *text);

/* Is the screen all that shows the output? Then it must stay on. */
bool console_is_only_screen(void);

/*
 * Lends the screen to a picture: text goes to the other consoles only until the screen is taken back, or until a panic.
 * Returns false where there is no screen.
 */
bool console_lend_screen(void);
void console_take_screen_back(void);

/* Waits until everything has left the machine. */
void console_drain(void);
