/* SPDX-License-Identifier: MIT */
/*
 * chip.h - one simulated microcontroller: CPU, memories, peripherals and
 * virtual time.  It knows nothing about the firmware that runs on it and
 * includes no header of that firmware: register addresses are typed a second
 * time from the reference manuals.
 *
 * It does not talk to the outside: front ends (main.c, usbredir.c) and tests
 * drive it through this header, the USB side through wire.h.
 *
 * Everything that changes while the chip runs lives in one arena, so that a
 * snapshot is a copy; a peripheral's state holds no pointer to the heap.
 */
#ifndef SIM_CHIP_H
#define SIM_CHIP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Virtual time in picoseconds since chip_new(); never goes back, not even at
 * a power cut.  2^64 ps are 213 days. */
typedef uint64_t sim_time;
#define SIM_NS    ((sim_time)1000)
#define SIM_US    (1000 * SIM_NS)
#define SIM_MS    (1000 * SIM_US)
#define SIM_S     (1000 * SIM_MS)
#define SIM_NEVER UINT64_MAX

struct chip;
struct wire;

enum reset_cause {
    RESET_POWER,    /* power-on: RAM holds noise, backup domain cleared */
    RESET_PIN,      /* NRST */
    RESET_SOFTWARE, /* SCB_AIRCR.SYSRESETREQ */
    RESET_IWDG,
};

/* What the world outside sees happen.  One callback, called with a finished
 * line of text (no newline), for everything that sallyport-chip prints. */
enum chip_event {
    EV_RESET,       /* arg: enum reset_cause */
    EV_USB,         /* connect, disconnect, bus reset, address, ... */
    EV_PIN,         /* a pin that the board names changed */
    EV_USART,       /* one line of USART output */
    EV_CORE,        /* VTOR changed, jump into another image, lock-up */
    EV_FLASH,       /* totals, printed when flash has been quiet */
    EV_GUEST_ERROR, /* the firmware broke a rule of the silicon: exit 3 */
    EV_UNMODELLED,  /* a register that is not modelled, once each */
};
typedef void chip_event_fn(void *ctx, enum chip_event ev, const char *text);

/* ---- facts of a chip and of a board: const tables in models.c ---- */

struct chip_model; /* name, CPU, memories, peripherals; see model.h */
struct sim_board;  /* name, model, crystal, pins of LED, key, USART, D+ */

const struct chip_model *chip_model_find(const char *name);
const struct sim_board *sim_board_find(const char *name);
const struct chip_model *sim_board_model(const struct sim_board *board);
/* "a, b, c": for error messages. */
const char *chip_model_names(void);
const char *sim_board_names(void);

/* ---- life ---- */

/* board may be NULL: then a bare chip with the model's default crystal and a
 * D+ pull-up.  Returns NULL when out of memory or without a CPU engine.
 * The chip starts powered off; chip_power(c, true) is the power-on reset. */
struct chip *chip_new(const struct chip_model *model,
                      const struct sim_board *board, chip_event_fn *on_event,
                      void *ctx);
void chip_free(struct chip *c);
void chip_power(struct chip *c, bool on);
void chip_reset(struct chip *c, enum reset_cause cause);

/* ---- running ---- */

sim_time chip_now(const struct chip *c);
/* Runs until virtual time `until`, or until chip_stop() was called from a
 * callback.  Without power, time passes and nothing else happens. */
void chip_run(struct chip *c, sim_time until);
void chip_stop(struct chip *c);
/* PC of the instruction being executed, for messages and tests. */
uint32_t chip_pc(const struct chip *c);
uint64_t chip_instructions(const struct chip *c);
/* Firmware that waits does the same over and over, and so does a host that is
 * refused: that is jumped over, without a difference that a host, a pin or the
 * chip's own clocks could see (idle.c).  Off: it is all run through, for
 * comparison.  On when the chip is made. */
void chip_skip_idle(struct chip *c, bool on);
/* How many of chip_instructions() were jumped over. */
uint64_t chip_skipped(const struct chip *c);
/* Number of guest errors so far; the last one's text. */
unsigned chip_guest_errors(const struct chip *c);
const char *chip_last_guest_error(const struct chip *c);
/* VTOR as last written; tells bootloader from application. */
uint32_t chip_vtor(const struct chip *c);

/* ---- memories and pins, from outside (no side effects, no time) ---- */

uint32_t chip_flash_base(const struct chip *c);
size_t chip_flash_size(const struct chip *c);
size_t chip_flash_page(const struct chip *c, uint32_t addr);
/* What its controller takes for the erase unit at addr, as fast as the board's
 * supply allows: the data sheet's typical times, or the middle of what it
 * allows where it gives none. */
struct chip_flash_times {
    sim_time erase;
    sim_time program; /* of one unit */
    unsigned unit;    /* bytes programmed at once */
    bool clears;      /* bits of a unit that is not erased may be cleared */
};
struct chip_flash_times chip_flash_times(const struct chip *c, uint32_t addr);
/* Direct access to the flash array (a programmer's view).  After a write call
 * chip_flash_changed(). */
uint8_t *chip_flash(struct chip *c);
/* What its erased bytes read. */
uint8_t chip_flash_erased(const struct chip *c);
void chip_flash_changed(struct chip *c);
/* Reads any mapped memory; false where nothing is mapped. */
bool chip_peek(struct chip *c, uint32_t addr, void *buf, size_t n);
bool chip_poke(struct chip *c, uint32_t addr, const void *buf, size_t n);

/* Drives an input pin from outside: level 0, 1 or -1 (released). */
void chip_pin_drive(struct chip *c, char port, unsigned pin, int level);
/* Level on the pin as a voltmeter would see it: 0, 1, or -1 floating. */
int chip_pin_level(struct chip *c, char port, unsigned pin);

/* All USART output since power-on of chip_new(), NUL-terminated. */
const char *chip_usart_text(const struct chip *c);

/* ---- flash operations and power cuts ---- */

/* Counts every program of one unit (half-word, word) and every erase, as the
 * silicon starts it.  Monotonic over the life of the chip. */
uint64_t chip_flash_ops(const struct chip *c);
uint64_t chip_flash_erases(const struct chip *c);
uint64_t chip_flash_programs(const struct chip *c);

/* When the operation that is under way will be over; 0: none is. */
sim_time chip_flash_busy(struct chip *c);

enum cut_mode { CUT_BEFORE, CUT_TORN, CUT_AFTER };
/* Power fails at flash operation number `op` (0 is the next one that is
 * started after this call).  TORN leaves an arbitrary part of the operation
 * done, drawn from `seed`.  The chip is then without power, chip_run()
 * returns, and chip_was_cut() is true until the next chip_power(c, true). */
void chip_cut_at(struct chip *c, uint64_t op, enum cut_mode mode,
                 uint32_t seed);
void chip_cut_never(struct chip *c);
bool chip_was_cut(const struct chip *c);

/* Worn flash, for tests: `n` operations from number `op` on (0 is the next)
 * fail, and the controller reports no error. */
enum flash_failure {
    FLASH_FAIL_ALL, /* nothing changes in the array */
    FLASH_FAIL_BIT, /* one of the bits that should change does not */
};
void chip_flash_fail_at(struct chip *c, uint64_t op, uint64_t n,
                        enum flash_failure how);

/* ---- snapshots: chip and wire, bit for bit ---- */

struct chip_snapshot;
struct chip_snapshot *chip_save(struct chip *c);
void chip_restore(struct chip *c, const struct chip_snapshot *s);
void chip_snapshot_free(struct chip_snapshot *s);

/* ---- USB ---- */

/* The device end of the USB cable of this chip, NULL if it has none. */
struct wire *chip_wire(struct chip *c);

#endif
