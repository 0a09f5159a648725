/* A 16550-compatible UART, polled. SDM-free: National Semiconductor PC16550D. */
#pragma once
#include "lib/types.h"

struct uart {
	u16 port; /* 0: none, or given up */
	u8 fifo;  /* characters that fit once it is empty */
};

/*
 * Takes the UART at the port, or where none answers there (or port is 0) the first of COM1..COM4 that does, and sets
 * 115,200 baud, 8N1. uart->port is 0 where none does.
 */
void uart_init(struct uart *uart, u16 port);

/* Writes text as it stands. Gives the UART up where it never gets ready. */
void uart_write(struct uart *uart, const char *text);

/* Writes one line feed without waiting for room: who reads the log elsewhere learns that there is more. */
void uart_ring(struct uart *uart);

/* Waits until the last character is on the wire: what is still in the FIFO is lost when the machine ends. */
void uart_drain(struct uart *uart);
