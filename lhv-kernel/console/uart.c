/* A 16550-compatible UART, polled. */
#include "console/uart.h"
#include "cpu/port.h"
#include "cpu/registers.h"

enum { DATA = 0, DIVISOR_LOW = 0, INTERRUPT_ENABLE = 1, DIVISOR_HIGH = 1, FIFO_CONTROL = 2, LINE_CONTROL = 3,
       MODEM_CONTROL = 4, LINE_STATUS = 5, SCRATCH = 7 };

#define LINE_8N1 0x03
#define LINE_DIVISOR 0x80
#define FIFO_ON_CLEARED 0x07
#define MODEM_DTR_RTS 0x03
#define STATUS_EMPTY 0x20 /* room in the FIFO */
#define STATUS_IDLE 0x40  /* nothing in the FIFO or on the wire */
#define FIFO_SIZE 16
#define FIFO_WORKS 0xc0 /* of the interrupt identification register, which is read there */

/* A character takes 87 us; a UART that is not ready after this many polls is not there any more */
#define PATIENCE 1000000

static bool answers(u16 port)
{
	out8(port + SCRATCH, 0x5a);
	if (in8(port + SCRATCH) != 0x5a)
		return false;
	out8(port + SCRATCH, 0xa5);
	return in8(port + SCRATCH) == 0xa5 && in8(port + LINE_STATUS) != 0xff;
}

void uart_init(struct uart *uart, u16 port)
{
	static const u16 usual[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};

	uart->port = port && answers(port) ? port : 0;
	for (unsigned i = 0; i < COUNT(usual) && !uart->port; i++)
		if (answers(usual[i]))
			uart->port = usual[i];
	port = uart->port;
	if (!port)
		return;
	out8(port + INTERRUPT_ENABLE, 0);
	out8(port + LINE_CONTROL, LINE_DIVISOR);
	out8(port + DIVISOR_LOW, 1);
	out8(port + DIVISOR_HIGH, 0);
	out8(port + LINE_CONTROL, LINE_8N1);
	out8(port + FIFO_CONTROL, FIFO_ON_CLEARED);
	out8(port + MODEM_CONTROL, MODEM_DTR_RTS);
	uart->fifo = (in8(port + FIFO_CONTROL) & FIFO_WORKS) == FIFO_WORKS ? FIFO_SIZE : 1;
}

static bool wait_for(struct uart *uart, u8 status)
{
	for (u32 i = 0; i < PATIENCE; i++) {
		if (in8(uart->port + LINE_STATUS) & status)
			return true;
		pause();
	}
	uart->port = 0;
	return false;
}

void uart_write(struct uart *uart, const char *text)
{
	unsigned room = 0;

	for (; uart->port && *text; text++) {
		if (!room) {
			if (!wait_for(uart, STATUS_EMPTY))
				return;
			room = uart->fifo;
		}
		out8(uart->port + DATA, *text);
		room--;
	}
}

void uart_ring(struct uart *uart)
{
	if (uart->port)
		out8(uart->port + DATA, '\n');
}

void uart_drain(struct uart *uart)
{
	if (uart->port)
		wait_for(uart, STATUS_IDLE);
}
