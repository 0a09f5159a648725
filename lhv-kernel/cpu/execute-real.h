/* EXECUTE_REAL of execute.h: out of protected mode and back, by a page below 1 MiB. */
#pragma once
#include "cpu/execute.h"

/* code: the bytes, with UD2 behind them. Fills the frame: vector, flags, and IP as an address in the page of the code. */
void execute_real(struct execution *execution, const u8 *code);
