/* SPDX-License-Identifier: MIT */
/*
 * model.h - what a chip is made of: the interface a peripheral implements,
 * the services it may call, and the types of the chip and board tables in
 * models.c.  Front ends and tests do not need it; they use chip.h.
 *
 * Differences between chips are facts in these tables, not code.
 */
#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include "chip.h"

struct device;

/* One peripheral of one chip.  Made by chip_new(), lives as long as the chip,
 * never moves.  Everything that changes is behind `state`. */
struct dev {
    struct chip *chip;
    const struct device *desc;
    void *state; /* ops->state_size bytes in the chip's arena, 16-aligned */
};

/* ---- the interface of a peripheral ---- */

/* Every function may be NULL.  state is all zero before the first reset.
 *
 * read and write: `range` is the index in desc->range, `off` the byte offset
 * in it, `size` 1, 2 or 4 as on the bus; off is a multiple of size.  The chip
 * calls them only while the peripheral is clocked.  An access that silicon
 * refuses ends in chip_guest_error() and, where it faults, chip_bus_fault().
 *
 * deadline: when event() wants to be called, SIM_NEVER if not.  It is asked
 * again after each read, write, event and reset of this peripheral, after
 * each event of the wire's host, and after chip_touch(); it must have no side
 * effect.  event() is called at that time or, while an instruction runs, less
 * than an instruction later: count on from the deadline, not from chip_now(),
 * where it must not drift.
 *
 * No function may call chip_run(), chip_power(), chip_reset() or
 * chip_restore(). */
struct device_ops {
    size_t state_size;
    size_t kept; /* bytes at its end that live without power */
    /* What a read returns and does depends on the states of the peripherals
     * alone: time passes without a trace between two deadlines. */
    bool steady;
    /* A write that changes no state and tells the world nothing does nothing
     * else. */
    bool plain;
    void (*reset)(struct dev *d, enum reset_cause cause);
    uint32_t (*read)(struct dev *d, unsigned range, uint32_t off,
                     unsigned size);
    void (*write)(struct dev *d, unsigned range, uint32_t off, unsigned size,
                  uint32_t value);
    sim_time (*deadline)(struct dev *d);
    void (*event)(struct dev *d);
    /* A pin of the chip changed its level or direction, from inside or
     * outside; also called once after each reset. */
    void (*pins_changed)(struct dev *d);
    /* A clock of the chip was changed, started or stopped. */
    void (*clocks_changed)(struct dev *d);
    /* The USB block received a start of frame. */
    void (*usb_sof)(struct dev *d);
    /* Power is gone; reset() with RESET_POWER follows when it comes back. */
    void (*power_off)(struct dev *d);
};

/* A bit in an RCC register: byte offset and bit number.  {0, 0} = none, which
 * for a clock enable means always clocked. */
struct rcc_bit {
    uint16_t reg;
    uint8_t bit;
};

#define DEV_RANGES 2
#define DEV_IRQS   4

struct dev_range {
    uint32_t base, size;
};

/* One row of a chip's table of peripherals. */
struct device {
    const char *name;             /* as the manual has it: "USART1" */
    const struct device_ops *ops; /* NULL: known, not modelled, reads 0 */
    struct dev_range range[DEV_RANGES];
    struct rcc_bit clock, reset;
    uint8_t irq[DEV_IRQS]; /* positions in the vector table from IRQ0 */
    const void *facts;     /* what this kind of peripheral wants to know */
    const struct wire_ops *wire_ops; /* the chip's USB block, else NULL */
};

/* ---- services for peripherals ---- */

/* Level of an interrupt line into the NVIC, by desc->irq[].  The NVIC pends
 * on a rising level, and again at exception return while it is still high. */
void chip_irq(struct chip *c, unsigned irq, bool level);

/* The firmware broke a rule of the silicon.  The text is one sentence without
 * full stop that names the rule; ": ... at PC 0x........" is added. */
void chip_guest_error(struct chip *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The access being served ends in a bus fault.  Only inside read/write. */
void chip_bus_fault(struct chip *c);
/* Something this peripheral does not model, once per (peripheral, off). */
void dev_unmodelled(struct dev *d, uint32_t off, const char *what);
/* One line for the world outside. */
void chip_report(struct chip *c, enum chip_event ev, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Frequencies in Hz; 0 while the clock does not run. */
enum chip_clock {
    CLOCK_SYS,
    CLOCK_AHB,
    CLOCK_APB1,
    CLOCK_APB2,
    CLOCK_LSI,
    CLOCK_HSI, /* the flash controller needs it */
    CLOCK_HSI48,
    CLOCK_USB, /* what the USB block gets: 48 MHz or it does not work */
};
uint32_t chip_clock_hz(struct chip *c, enum chip_clock which);
/* True when the USB block's clock runs and is 48 MHz.  From a source that is
 * not accurate enough is a guest error of the RCC, and works. */
bool chip_usb_clock_ok(struct chip *c);
/* Clock enable bit of this peripheral (always true inside read/write). */
bool dev_clocked(struct dev *d);

/* How this chip itself drives a pin: 0, 1, or -1 when it is an input, analog
 * or an open drain that is off.  Board and outside do not count. */
int chip_pin_output(struct chip *c, char port, unsigned pin);
/* chip_pin_level() of chip.h is the level on the pin, with everything. */
/* The alternate function that the pin is set up as the output of, -1 without
 * one; 0 where chips do not number them (F1). */
int chip_pin_function(struct chip *c, char port, unsigned pin);

/* A GPIO port changed an output, a direction or a pull: pins are looked at,
 * everybody's pins_changed() is called. */
void chip_pins_changed(struct chip *c);
/* RCC or the flash's wait states changed: the chip asks for its new clock,
 * everybody's clocks_changed() is called. */
void chip_clocks_changed(struct chip *c);
/* The USB block received a start of frame: everybody's usb_sof() is called. */
void chip_usb_sof(struct chip *c);
/* One character of USART output, for chip_usart_text(). */
void chip_usart_put(struct chip *c, char ch);
/* Resets the chip before the next instruction. */
void chip_want_reset(struct chip *c, enum reset_cause cause);
/* Resets one peripheral: the RCC's reset bits. */
void chip_reset_dev(struct chip *c, struct rcc_bit bit);

/* True while the board's resistor pulls D+ up: fixed, or switched on by the
 * board's pin.  It says nothing about a D+ that is driven low meanwhile
 * (chip_pin_output) nor about a pull-up inside the chip. */
bool chip_board_pullup(struct chip *c);

/* A flash controller starts one operation on the array.  It counts the
 * operation, and tells what becomes of it: where the power fails, the
 * controller changes the array as told and nothing else; the chip goes dark
 * before the next instruction. */
enum flash_op { FLASH_OP_PROGRAM, FLASH_OP_ERASE };
enum flash_fate {
    FLASH_FATE_DONE, /* complete (the power may still fail after it) */
    FLASH_FATE_NONE, /* not done: the power failed before it, or worn flash */
    FLASH_FATE_TORN, /* an arbitrary part, drawn with chip_cut_random() */
    FLASH_FATE_BIT,  /* all but one bit: worn flash */
};
enum flash_fate chip_flash_op(struct chip *c, enum flash_op op);
/* Next draw from the seed of chip_cut_at(). */
uint32_t chip_cut_random(struct chip *c);
/* SYSCFG: what lies at address 0, the flash or the start of the RAM.  The CPU
 * sees it from the next instruction on. */
void chip_remap(struct chip *c, bool ram);
/* The array as the controller changes it, by offset; call
 * chip_flash_written() after the change. */
void chip_flash_written(struct chip *c, uint32_t offset, size_t n);
/* Stalls the CPU until t: time passes, events fire at their own times.  Only
 * inside read, write and store. */
void chip_stall(struct chip *c, sim_time t);

/* In the array, by its own address or at 0. */
bool chip_in_flash(const struct chip *c, uint32_t addr);

/* Ask all deadlines again: something outside of the caller's state moved. */
void chip_touch(struct chip *c);

/* Until then nothing changes inside the chip, but for what the wire does to
 * its USB block; 0: it may change at once. */
sim_time chip_frozen_until(struct chip *c);

/* The peripheral of that name, NULL if this chip has none. */
struct dev *chip_dev(struct chip *c, const char *name);

/* ---- the wire, implemented in wire.c ---- */

/* `dev` is the struct dev of the USB block, handed to each wire_ops call. */
struct wire *wire_new(struct chip *c, const struct wire_ops *ops, void *dev);
void wire_free(struct wire *w);
/* The device's pull-up on D+, as a host would see it. */
void wire_set_pullup(struct wire *w, bool on);
/* The host's clock: forwarded to wire_host, SIM_NEVER without one. */
sim_time wire_deadline(struct wire *w);
void wire_event(struct wire *w);
/* State of wire and host for snapshots. */
size_t wire_state_size(struct wire *w);
void wire_save(struct wire *w, void *buf);
void wire_restore(struct wire *w, const void *buf);

/* Registers are 32 bits wide; a narrower write replaces a part. */
static inline uint32_t reg_merge(uint32_t old, uint32_t off, unsigned size,
                                 uint32_t value)
{
    unsigned shift = 8 * (off & 3);
    uint32_t mask = size >= 4 ? 0xffffffffu : (1u << 8 * size) - 1;

    return (old & ~(mask << shift)) | (value & mask) << shift;
}

/* ---- chips ---- */

enum cpu_kind {
    CPU_CORTEX_M0,
    CPU_CORTEX_M0P, /* with VTOR, as ST has it */
    CPU_CORTEX_M3,
    CPU_CORTEX_M4F,
};

/* ARMv6-M: Thumb without most of Thumb-2, one kind of fault, no unaligned
 * access. */
static inline bool cpu_is_v6m(enum cpu_kind kind)
{
    return kind <= CPU_CORTEX_M0P;
}

/* Memory that is only read: system memory, unique id, flash size. */
struct rom_area {
    uint32_t base, size;
    const uint8_t *data; /* NULL: erased (0xFF) */
    size_t data_size;
};

/* Questions that the chip asks one peripheral of its kind. */
struct rcc_ops {
    uint32_t (*hz)(struct dev *rcc, enum chip_clock which);
    bool (*usb_ok)(struct dev *rcc);
    /* Bit in an enable register. */
    bool (*enabled)(struct dev *rcc, struct rcc_bit bit);
    /* Note a reset cause in the reset flags. */
    void (*reset_flag)(struct dev *rcc, enum reset_cause cause);
};

struct gpio_ops {
    /* -1, 0, 1: what the output stage drives. */
    int (*output)(struct dev *port, unsigned pin);
    /* -1, 0, 1: the pull resistor of an input. */
    int (*pull)(struct dev *port, unsigned pin);
    /* -1, or the alternate function that it is the output of. */
    int (*function)(struct dev *port, unsigned pin);
};

struct flash_cost {
    uint8_t branch, literal, line;
    uint8_t line_bytes; /* power of two */
    uint8_t fetch;      /* cycles a line of prefetched code takes to come */
};

/* The deadline of the flash is the end of its operation: until then accesses
 * to the array stall. */
struct flash_ops {
    size_t (*page_size)(struct dev *flash, uint32_t addr);
    struct chip_flash_times (*times)(struct dev *flash, uint32_t addr);
    /* A store into the array from the CPU. */
    void (*store)(struct dev *flash, uint32_t addr, unsigned size,
                  uint32_t value);
    /* Cycles that an access costs: a branch, a literal, each line of
     * straight code. */
    struct flash_cost (*cost)(struct dev *flash);
};

struct chip_model {
    const char *name;
    enum cpu_kind cpu;
    uint32_t cpuid;
    unsigned irqs;          /* external interrupts */
    unsigned priority_bits; /* implemented, from the top of the byte */
    uint32_t tick_calib;    /* SYST_CALIB */
    uint32_t flash_base, flash_size;
    uint8_t flash_erased; /* 0xFF; L0: 0x00 */
    uint32_t ram_base, ram_size;
    uint32_t ccm_base, ccm_size;   /* RAM on the data bus alone; size 0: none */
    uint32_t data_base, data_size; /* data EEPROM, a range of the flash
                                      controller; size 0: none */
    uint32_t io_end; /* behind the last peripheral bus: accesses fault */
    uint32_t hse_hz; /* crystal of a bare chip */
    const struct rom_area *roms;
    size_t n_roms;
    const struct device *devices;
    size_t n_devices;
    const char *rcc, *flash; /* names in devices; GPIO ports are "GPIOx" */
    const struct rcc_ops *rcc_ops;
    const struct gpio_ops *gpio_ops;
    const struct flash_ops *flash_ops;
};

/* ---- boards ---- */

struct board_pin {
    char port; /* 'A'...; 0: the board has no such pin */
    uint8_t pin;
};

/* A pin that is worth a line when it changes. */
struct board_named_pin {
    const char *name; /* "LED" */
    struct board_pin at;
    bool active_low;
};

enum board_pullup {
    PULLUP_NONE,   /* the chip has its own, or no USB */
    PULLUP_FIXED,  /* resistor from D+ to 3.3 V */
    PULLUP_SWITCH, /* resistor switched by pullup_pin */
};

#define BOARD_PINS 4
struct sim_board {
    const char *name;
    const struct chip_model *model;
    uint32_t hse_hz; /* 0: no crystal */
    struct board_named_pin pins[BOARD_PINS];
    /* Resistors on the board that hold an otherwise floating pin. */
    struct {
        struct board_pin at;
        bool high;
    } pulls[BOARD_PINS];
    enum board_pullup pullup;
    struct board_pin pullup_pin;
    bool pullup_active_low;
};

/* Board of a chip, NULL for a bare one; crystal in Hz, 0 for none. */
const struct sim_board *chip_board(const struct chip *c);
uint32_t chip_hse_hz(const struct chip *c);

#endif
