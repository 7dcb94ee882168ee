/* SPDX-License-Identifier: MIT */
/*
 * rig.h - a virtual board on a bench: the bootloader's real ELF, a USB host in
 * virtual time, and what a DFU host program does with them.
 *
 * The facts of a board stand in boards/ a second time, from the data sheets and
 * docs, and not from the firmware's headers: a shared mistake would not show.
 * The rig asserts nothing; tests judge what it returns.
 */
#ifndef TEST_RIG_H
#define TEST_RIG_H

#include "chip.h"
#include "host.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Units of one size that follow each other. */
struct rig_run {
    unsigned count;
    uint32_t size;
};
enum { RIG_RUNS = 4 };

struct rig_board {
    const char *name, *model; /* model: in the product string */
    const char *family;       /* chips with the same registers: "F1", "F4" */
    const char *profile;      /* whose slot, sectors and layout these are */
    uint32_t flash, flash_end;
    uint32_t slot, slot_end;
    uint32_t kv; /* to the end of flash: no door changes anything there */
    /* Profile staged: what comes lies here first, with the records of updates
     * behind it; 0: there is none. */
    uint32_t download, record;
    struct rig_run page[RIG_RUNS];   /* what the silicon erases at once, */
    unsigned erase_ms[RIG_RUNS];     /* and its typical time for one */
    struct rig_run sector[RIG_RUNS]; /* of the layout string */
    uint32_t block;                  /* wTransferSize */
    /* A page goes through RAM: it can be written without an erase command,
     * and where it does not change nothing happens.  Else an erase is carried
     * out at the first write, and what was not erased is not overwritten. */
    bool whole_pages;
    /* What is not whole is marked outside of the slot: its first word is there
     * as well. */
    bool marked;
    /* Bytes that are programmed at once, usually and at least. */
    uint32_t unit, least;
    unsigned program_us;
    /* A Cortex-M0: vectors are at address 0, whatever runs. */
    bool no_vtor;
    /* The USB block tells of a SETUP before its data stage begins. */
    bool setup_alone;
    uint32_t image; /* bytes of a small image: blocks, a sector and a part */
    unsigned reset_tries; /* of a host, while the flash is busy */
    uint32_t ram, ram_end;
    uint32_t ccm, ccm_end;          /* may hold a stack; 0: there is none */
    uint32_t unique_id, unique_gap; /* bytes before its third word */
    uint32_t product;               /* of the stamp */
    uint32_t uf2; /* family in UF2 files; 0: that of STM32F1 or F4 */
    char key_port;
    uint8_t key_pin, key_pressed; /* the level */
    const char *layout;
};

/* A part of the flash. */
struct rig_span {
    uint32_t start, size;
};

struct rig {
    const struct rig_board *board;
    struct chip *chip;
    struct host *host;
    unsigned resets; /* of the chip, any cause */
    bool show;       /* print the chip's events (SALLYPORT_TEST_SHOW) */
    /* Asked before each request; false: the host is dead and sends nothing.
     * NULL: it lives. */
    bool (*gate)(void *ctx, uint8_t type, uint8_t request, uint16_t value,
                 const void *data, uint16_t length);
    void *gate_ctx;
};

enum rig_state {
    APP_IDLE,
    APP_DETACH,
    DFU_IDLE,
    DFU_DNLOAD_SYNC,
    DFU_DNBUSY,
    DFU_DNLOAD_IDLE,
    DFU_MANIFEST_SYNC,
    DFU_MANIFEST,
    DFU_MANIFEST_WAIT_RESET,
    DFU_UPLOAD_IDLE,
    DFU_ERROR,
};

/* The answer to GETSTATUS; result < 0: there was none (enum urb_status). */
struct rig_status {
    int result;
    unsigned status, poll_ms, state;
};

/* What came of a DNLOAD that was polled to its end. */
struct rig_op {
    int sent; /* of the DNLOAD itself: bytes, or enum urb_status */
    struct rig_status first, last;
    sim_time busy; /* from the end of the first GETSTATUS to the last one's */
};

/* All boards of boards/, then NULL.  Each is a row per profile, dfu first, and
 * a row without a name behind the last. */
extern const struct rig_board *const rig_boards[];

/* In profile dfu; NULL where there is no such board. */
const struct rig_board *rig_board(const char *name);

/* ---- the board's flash: the pages and sectors that hold an address, the
 * n-th ones of the slot ---- */

struct rig_span rig_page(const struct rig_board *b, uint32_t addr);
struct rig_span rig_sector(const struct rig_board *b, uint32_t addr);
struct rig_span rig_nth_page(const struct rig_board *b, unsigned n);
struct rig_span rig_nth_sector(const struct rig_board *b, unsigned n);
/* How many pages, and their erase times added up, hold n bytes at addr. */
unsigned rig_pages(const struct rig_board *b, uint32_t addr, uint32_t n);
unsigned rig_erase_ms(const struct rig_board *b, uint32_t addr, uint32_t n);

/* A chip with the firmware in its flash, without power.  elf may be NULL; the
 * name of the file, sallyport-PROFILE.elf, says where the slot is.  NULL after
 * a line on stderr. */
struct rig *rig_new(const char *board, const char *elf);
void rig_free(struct rig *r);

/* $SALLYPORT_FIRMWARE or the build's directory, then BOARD/FILE; static. */
const char *rig_firmware(const char *board, const char *file);
/* The same of a demo application for the rig's profile: NAME-PROFILE.bin. */
const char *rig_demo(const struct rig *r, const char *name);
/* Reads one of those files; bytes, 0 after a line on stderr. */
size_t rig_read_file(const char *path, void *buf, size_t room);

/* ---- power and reset; each returns host_enumerate()'s result ---- */

int rig_power_on(struct rig *r);
int rig_power_cycle(struct rig *r); /* 100 ms without power */
int rig_reset(struct rig *r, enum reset_cause cause);
/* Tries again while the chip is deaf. */
int rig_bus_reset(struct rig *r);
/* Until the chip has executed `ms` of instructions and touched no flash; then
 * what it had put off is done.  rig_settle() waits for longer than the check
 * of a small image takes. */
void rig_calm(struct rig *r, unsigned ms);
void rig_settle(struct rig *r);
/* Pin reset with the key held until the bootloader is on the bus. */
int rig_reset_with_key(struct rig *r);
void rig_key(struct rig *r, bool pressed);

/* The application runs: the slot's vector table is in use; on a core that
 * cannot say so its code is what runs. */
bool rig_in_app(const struct rig *r);
/* Runs until the application runs, at most `limit`; profile
 * staged: at most that without work at the flash. */
bool rig_app_runs(struct rig *r, sim_time limit);
/* Pin reset or power cycle; true when the application runs 50 ms later (profile
 * staged: when it runs in the end). */
bool rig_boots_after_reset(struct rig *r);
bool rig_boots_after_power_cycle(struct rig *r);
/* The DFU interface answers GETSTATUS in dfuIDLE. */
bool rig_in_bootloader(struct rig *r);

/* ---- requests ---- */

int rig_request(struct rig *r, uint8_t type, uint8_t request, uint16_t value,
                uint16_t index, void *data, uint16_t length);
int rig_dnload(struct rig *r, uint16_t block, const void *data, size_t n);
int rig_upload(struct rig *r, uint16_t block, void *data, size_t n);
struct rig_status rig_getstatus(struct rig *r);
int rig_getstate(struct rig *r); /* < 0: enum urb_status */
int rig_clrstatus(struct rig *r);
int rig_abort(struct rig *r);
int rig_detach(struct rig *r);

/* ---- single transactions at the control pipe, tried again for 3 s where
 * the device is not ready; enum wire_result ---- */

int rig_raw_setup(struct rig *r, const uint8_t setup[8]);
int rig_raw_out(struct rig *r, unsigned toggle, const void *data, size_t n);
/* Bytes, 64 at most; < 0: minus enum wire_result.  The ACK arrives. */
int rig_raw_in(struct rig *r, uint8_t *data, unsigned *toggle);

/* ---- operations: DNLOAD, then GETSTATUS until it is neither dfuDNLOAD-SYNC
 * nor dfuDNBUSY, sleeping bwPollTimeout (virtual) after each ---- */

struct rig_op rig_write(struct rig *r, uint16_t block, const void *data,
                        size_t n);
struct rig_op rig_command(struct rig *r, const void *command, size_t n);
struct rig_op rig_set_address(struct rig *r, uint32_t addr);
struct rig_op rig_erase(struct rig *r, uint32_t addr);
struct rig_op rig_mass_erase(struct rig *r);
/* Set Address and one block of data, as dfu-util moves a chunk. */
struct rig_op rig_write_at(struct rig *r, uint32_t addr, const void *data,
                           size_t n);
/* The same without the sleeps: `busy` is the time the chip takes. */
struct rig_op rig_write_impatient(struct rig *r, uint16_t block,
                                  const void *data, size_t n);
/* The operation was accepted and ended well in dfuDNLOAD-IDLE. */
bool rig_ok(struct rig_op op);

/* Zero-length DNLOAD, then one GETSTATUS. */
struct rig_status rig_leave(struct rig *r);
/* Set Address, ABORT, then blocks 2, 3, ... of wTransferSize.  Bytes. */
int rig_read(struct rig *r, uint32_t addr, void *data, size_t n);

/* ---- dfu-util 0.11 ---- */

struct rig_update {
    uint32_t addr;
    const uint8_t *data;
    size_t n;
    size_t chunk;  /* 0: the board's wTransferSize */
    bool no_erase; /* an older or simpler host */
    bool no_abort; /* killed after the last block */
    bool leave;
};

/* What it does first: strings, SET_INTERFACE, GETSTATUS, CLRSTATUS or ABORT to
 * dfuIDLE. */
int rig_open(struct rig *r);
/* Erase pass; Set Address and block 2 a chunk; ABORT and GETSTATUS; leave.
 * 0, or the negative number of the DFU status that ended it (-16 for anything
 * else that dfu-util would give up at). */
int rig_update(struct rig *r, const struct rig_update *u);
/* rig_open() and rig_update() with :leave to the start of the slot. */
int rig_install(struct rig *r, const void *image, size_t n);

/* ---- images ---- */

enum { RIG_STAMP_WORDS = 0x38 }; /* smallest image that carries a stamp */

void rig_put32(uint8_t *p, uint32_t word);
uint32_t rig_get32(const uint8_t *p);
/* An image of n bytes (>= 0x38): vectors, a Thumb loop, noise from seed. */
void rig_image(const struct rig_board *b, uint8_t *image, size_t n,
               uint32_t seed);
/* Length n, product, CRC. */
void rig_stamp(const struct rig_board *b, uint8_t *image, size_t n);
void rig_image_stamped(const struct rig_board *b, uint8_t *image, size_t n,
                       uint32_t seed);
/* A small generator for tests: xorshift32, never 0. */
uint32_t rig_random(uint32_t *state);

/* ---- flash, as a programmer sees it ---- */

uint8_t *rig_flash(struct rig *r, uint32_t addr);
bool rig_flash_is(struct rig *r, uint32_t addr, const void *data, size_t n);
/* Erases so far, of pages as struct rig_board has them. */
unsigned rig_erases(struct rig *r);
bool rig_flash_blank(struct rig *r, uint32_t addr, size_t n);
/* Puts bytes there; no operation, no time. */
void rig_flash_put(struct rig *r, uint32_t addr, const void *data, size_t n);

#endif
