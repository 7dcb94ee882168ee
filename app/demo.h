/* SPDX-License-Identifier: MIT */
/*
 * demo.h - what the demo asks of the chip; demo_f1.c answers.
 */
#ifndef SALLYPORT_DEMO_H
#define SALLYPORT_DEMO_H

#include <stdbool.h>
#include <stdint.h>

#define DEMO_SERIAL_DIGITS 24u

/* Clocks, LED, key, console (115,200 baud, 8N1), time base. */
void demo_start(void);
void demo_print(const char *text);
/* To be called at least once a millisecond. */
uint32_t demo_ms(void);
void demo_led(bool on);
bool demo_key(void);
void demo_serial(char serial[DEMO_SERIAL_DIGITS + 1]);
/* Or NULL. */
const char *demo_bootloader_version(void);
_Noreturn void demo_enter_bootloader(void);

#endif
