/* SPDX-License-Identifier: MIT */
/*
 * core.h - the inside of struct chip, shared by chip.c, bus.c, pins.c,
 * report.c, snapshot.c, cortex.c and scs.c.  Peripherals use model.h.
 */
#ifndef SIM_CORE_H
#define SIM_CORE_H

#include "cortex.h"
#include "cpu.h"
#include "model.h"

enum {
    TEXT_MAX = 200, /* one line for the world outside */
    SEEN_MAX = 256, /* different "not modelled" warnings */
    DEVS_MAX = 96,  /* peripherals of a chip */
    IO_SLOTS = 512, /* 1 KB each, in each of the windows of bus_slot() */
    IO_WINDOWS = 3,
    PORTS_MAX = 9, /* GPIOA..GPIOI */
    PORT_PINS = 16,
};

/* Whose deadline: a peripheral by number, or one of these. */
enum {
    SLOT_TICK = DEVS_MAX,
    SLOT_WIRE,
    SLOT_FLASH_REPORT,
    SLOTS_MAX,
};

/* Everything of the core that changes.  It is the head of the arena, behind
 * it follow the states of the peripherals. */
struct chip_live {
    /* Virtual time is counted in AHB cycles: now = base_time + (cycles -
     * base_cycles) / hz, with base_rem / hz picoseconds left over, so that no
     * rounding adds up. */
    sim_time base_time;
    uint64_t base_cycles, base_rem;
    uint32_t hz;

    struct cpu_hot cpu;
    struct cortex cortex;

    bool powered, locked_up, was_cut;
    bool sleeping, sleep_is_wfe;
    bool cut_now; /* the power fails before the next instruction */
    bool reset_wanted;
    enum reset_cause reset_cause;

    uint64_t erases, programs;
    sim_time flash_report_at; /* SIM_NEVER: nothing new */
    bool cut_armed;
    enum cut_mode cut_mode;
    uint64_t cut_op; /* erases + programs at which it fails */
    uint32_t cut_seed;
    uint64_t fail_op, fail_n; /* chip_flash_fail_at() */
    enum flash_failure fail_how;
    uint32_t noise; /* seed of the RAM's contents at the next power-on */

    unsigned guest_errors;
    char last_error[TEXT_MAX];
    uint32_t seen[SEEN_MAX]; /* keys of warnings that were given */
    unsigned n_seen;

    int8_t drive[PORTS_MAX][PORT_PINS]; /* from outside: -1, 0, 1 */
    int8_t named[BOARD_PINS];           /* last reported level */
    size_t usart_len;

    sim_time deadline[SLOTS_MAX];
    sim_time next; /* the nearest of all deadlines */
};

/* Flash contents that a snapshot and the chip may share. */
struct flash_image {
    unsigned refs;
    uint8_t bytes[];
};

struct chip {
    const struct chip_model *model;
    const struct sim_board *board;
    chip_event_fn *on_event;
    void *ctx;

    struct chip_live *live; /* the arena */
    size_t arena_size;
    uint8_t *flash, *ram, *ccm;
    struct flash_image *image; /* equals flash while !flash_dirty */
    bool flash_dirty;

    struct cpu *cpu;
    struct wire *wire;
    struct idle *idle;
    struct dev dev[DEVS_MAX];
    size_t n_devs;
    uint8_t timed[SLOTS_MAX]; /* slots that may have a deadline */
    unsigned n_timed;
    struct dev *rcc, *flash_dev, *port[PORTS_MAX];

    char *usart; /* usart_cap bytes, live->usart_len used */
    size_t usart_cap;
    uint8_t
        io_slot[IO_WINDOWS * IO_SLOTS]; /* number of the peripheral there + 1 */
    sim_time until;                     /* of chip_run() */
    uint32_t serving;                   /* address of the access being served */
    bool serving_write;
    bool stop;     /* chip_stop() */
    bool run_all;  /* chip_skip_idle() */
    bool stalling; /* in chip_stall() */
};

/* ---- time.c ---- */

/* Time passes up to t without an instruction; no event fires. */
void time_advance(struct chip *c, sim_time t);
/* Fires the event that is due first. */
void time_fire(struct chip *c);
/* Asks the deadline of one slot again. */
void time_reschedule(struct chip *c, unsigned slot);
void time_reschedule_dev(struct dev *d);
/* Finds the slots that may have a deadline. */
void time_init(struct chip *c);
/* Takes the AHB frequency and the flash's wait states from the devices. */
void time_new_clock(struct chip *c);

/* ---- power.c ---- */

void power_do_reset(struct chip *c, enum reset_cause cause);
/* The power fails now: chip_cut_at(). */
void power_cut(struct chip *c);

/* ---- bus.c: what an address means ---- */

/* Index in io_slot, IO_WINDOWS * IO_SLOTS for what lies elsewhere. */
unsigned bus_slot(uint32_t addr);
uint32_t bus_read(void *chip, uint32_t addr, unsigned size);
void bus_write(void *chip, uint32_t addr, unsigned size, uint32_t value);
void bus_store_flash(void *chip, uint32_t addr, unsigned size, uint32_t value);
/* Data path of exception entry and vector fetch; false: bus error. */
bool bus_read_word(struct chip *c, uint32_t addr, uint32_t *value);
bool bus_write_word(struct chip *c, uint32_t addr, uint32_t value);

/* ---- idle.c: jumps over rounds of a loop that waits ---- */

struct idle *idle_new(struct chip *c);
void idle_free(struct idle *w);
/* The CPU is about to run: up to here anything may have happened. */
void idle_begin(struct chip *c);
/* The CPU reads from a peripheral; may move its time on. */
void idle_look(struct chip *c);
/* What happens now may be another thing the next time. */
void idle_broken(struct chip *c);

/* ---- report.c ---- */

/* True the first time this key is seen. */
bool report_once(struct chip *c, uint32_t key);
void report_flash_totals(struct chip *c);

#endif
