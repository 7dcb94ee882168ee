/* SPDX-License-Identifier: MIT */
/* rig.c - see rig.h. */
#include "rig.h"

#include "crc32.h"
#include "load.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef RIG_FIRMWARE
#define RIG_FIRMWARE "build/firmware" /* the build says better */
#endif

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { CLASS_OUT = 0x21, CLASS_IN = 0xA1 };
enum { DETACH, DNLOAD, UPLOAD, GETSTATUS, CLRSTATUS, GETSTATE, ABORT };

/* The row of the profile that the name of this file has, else the first. */
static const struct rig_board *in_profile(const struct rig_board *b,
                                          const char *elf)
{
    for (const struct rig_board *row = b; elf && row->name; row++) {
        char file[32];

        snprintf(file, sizeof(file), "/sallyport-%s.elf", row->profile);
        if (strstr(elf, file))
            return row;
    }
    return b;
}

const struct rig_board *rig_board(const char *name)
{
    for (size_t i = 0; rig_boards[i]; i++)
        if (!strcmp(rig_boards[i]->name, name))
            return rig_boards[i];
    return NULL;
}

/* ---- the board's flash ---- */

static struct rig_span find(const struct rig_board *b,
                            const struct rig_run runs[RIG_RUNS], uint32_t addr)
{
    struct rig_span s = {.start = b->flash};

    for (unsigned i = 0; i < RIG_RUNS; i++) {
        uint32_t end = s.start + runs[i].count * runs[i].size;

        s.size = runs[i].size;
        if (addr < end) {
            s.start += (addr - s.start) / s.size * s.size;
            return s;
        }
        s.start = end;
    }
    fprintf(stderr, "0x%08x is not in the flash of %s\n", (unsigned)addr,
            b->name);
    abort();
}

static struct rig_span nth(const struct rig_board *b,
                           const struct rig_run runs[RIG_RUNS], unsigned n)
{
    struct rig_span s = find(b, runs, b->slot);

    while (n--)
        s = find(b, runs, s.start + s.size);
    return s;
}

struct rig_span rig_page(const struct rig_board *b, uint32_t addr)
{
    return find(b, b->page, addr);
}

struct rig_span rig_sector(const struct rig_board *b, uint32_t addr)
{
    return find(b, b->sector, addr);
}

struct rig_span rig_nth_page(const struct rig_board *b, unsigned n)
{
    return nth(b, b->page, n);
}

struct rig_span rig_nth_sector(const struct rig_board *b, unsigned n)
{
    return nth(b, b->sector, n);
}

unsigned rig_pages(const struct rig_board *b, uint32_t addr, uint32_t n)
{
    unsigned pages = 0;

    for (uint32_t end = addr + n; addr < end; pages++) {
        struct rig_span page = rig_page(b, addr);

        addr = page.start + page.size;
    }
    return pages;
}

unsigned rig_erase_ms(const struct rig_board *b, uint32_t addr, uint32_t n)
{
    unsigned ms = 0;

    for (uint32_t end = addr + n; addr < end;) {
        struct rig_span page = rig_page(b, addr);

        for (unsigned i = 0; i < RIG_RUNS; i++)
            ms += b->page[i].size == page.size ? b->erase_ms[i] : 0;
        addr = page.start + page.size;
    }
    return ms;
}

/* ---- life ---- */

static void on_event(void *ctx, enum chip_event ev, const char *text)
{
    struct rig *r = ctx;

    if (ev == EV_RESET)
        r->resets++;
    if (r->show || ev == EV_GUEST_ERROR)
        printf("    [%s]\n", text);
}

static bool open_chip(struct rig *r, const char *elf)
{
    const struct sim_board *b = sim_board_find(r->board->name);
    char error[LOAD_ERROR_MAX] = "no such board in the simulator";

    r->chip = b ? chip_new(sim_board_model(b), b, on_event, r) : NULL;
    r->host = r->chip ? host_new(r->chip, &host_timing_fast) : NULL;
    if (r->host && (!elf || !chip_load(r->chip, elf, false, 0, error)))
        return true;
    fprintf(stderr, "%s: %s\n", elf ? elf : r->board->name, error);
    return false;
}

struct rig *rig_new(const char *board, const char *elf)
{
    struct rig *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->board = rig_board(board);
    if (r->board)
        r->board = in_profile(r->board, elf);
    else
        fprintf(stderr, "%s: no such board in test/chip/boards\n", board);
    r->show = getenv("SALLYPORT_TEST_SHOW") != NULL;
    if (r->board && open_chip(r, elf))
        return r;
    rig_free(r);
    return NULL;
}

void rig_free(struct rig *r)
{
    if (!r)
        return;
    if (r->host)
        host_free(r->host);
    if (r->chip)
        chip_free(r->chip);
    free(r);
}

const char *rig_firmware(const char *board, const char *file)
{
    static char path[4096];
    const char *dir = getenv("SALLYPORT_FIRMWARE");

    snprintf(path, sizeof(path), "%s/%s/%s", dir ? dir : RIG_FIRMWARE, board,
             file);
    return path;
}

const char *rig_demo(const struct rig *r, const char *name)
{
    char file[64];

    snprintf(file, sizeof(file), "%s-%s.bin", name, r->board->profile);
    return rig_firmware(r->board->name, file);
}

size_t rig_read_file(const char *path, void *buf, size_t room)
{
    FILE *f = fopen(path, "rb");
    size_t n = 0;

    if (f) {
        n = fread(buf, 1, room, f);
        fclose(f);
    }
    if (!n)
        fprintf(stderr, "%s: cannot be read, or is empty\n", path);
    return n;
}

/* ---- power and reset ---- */

int rig_power_on(struct rig *r)
{
    chip_power(r->chip, true);
    return host_enumerate(r->host);
}

int rig_power_cycle(struct rig *r)
{
    chip_power(r->chip, false);
    chip_run(r->chip, chip_now(r->chip) + 100 * SIM_MS);
    return rig_power_on(r);
}

/* Until the host has seen that the device went: it may come back sooner than
 * the host looks. */
static int enumerate_again(struct rig *r)
{
    host_wait(r->host, 20 * SIM_MS);
    return host_enumerate(r->host);
}

int rig_reset(struct rig *r, enum reset_cause cause)
{
    chip_reset(r->chip, cause);
    return enumerate_again(r);
}

/* A chip whose flash is busy is deaf for a page's time (erase and program)
 * and misses what follows the reset; hosts try again, too. */
int rig_bus_reset(struct rig *r)
{
    int result = URB_GONE;

    for (unsigned i = 0; i < r->board->reset_tries && result < 0; i++)
        result = host_enumerate(r->host);
    return result;
}

/* The chip changes flash, or waits for that: an erase shows as no instruction
 * for a while. */
static bool at_work(struct rig *r, sim_time t)
{
    enum { WORK_A_MS = 200 };
    uint64_t ops = chip_flash_ops(r->chip);
    uint64_t work = chip_instructions(r->chip);

    host_wait(r->host, t);
    return ops != chip_flash_ops(r->chip) ||
           chip_instructions(r->chip) - work < WORK_A_MS * t / SIM_MS;
}

void rig_calm(struct rig *r, unsigned ms)
{
    enum { STEP_MS = 5 };

    for (unsigned calm = 0; calm < ms && !chip_was_cut(r->chip);) {
        calm += STEP_MS;
        if (at_work(r, STEP_MS * SIM_MS))
            calm = 0;
    }
}

void rig_settle(struct rig *r)
{
    rig_calm(r, 60);
}

void rig_key(struct rig *r, bool pressed)
{
    chip_pin_drive(r->chip, r->board->key_port, r->board->key_pin,
                   pressed ? r->board->key_pressed : -1);
}

int rig_reset_with_key(struct rig *r)
{
    int result;

    rig_key(r, true);
    result = rig_reset(r, RESET_PIN);
    rig_key(r, false);
    return result;
}

bool rig_in_app(const struct rig *r)
{
    const struct rig_board *b = r->board;

    if (!b->no_vtor)
        return chip_vtor(r->chip) == b->slot;
    return chip_pc(r->chip) - b->slot < b->slot_end - b->slot;
}

bool rig_app_runs(struct rig *r, sim_time limit)
{
    sim_time end = chip_now(r->chip) + limit;

    while (!rig_in_app(r)) {
        if (chip_now(r->chip) >= end || chip_was_cut(r->chip))
            return false;
        if (at_work(r, SIM_MS) && r->board->download)
            end = chip_now(r->chip) + limit; /* it is being installed */
    }
    return true;
}

bool rig_in_bootloader(struct rig *r)
{
    struct rig_status s;

    if (rig_in_app(r) || host_enumerate(r->host) < 0)
        return false;
    s = rig_getstatus(r);
    return s.result == 6 && s.state == DFU_IDLE && s.status == 0;
}

/* Without work at the flash: what is staged is checked before it is copied. */
static sim_time start_time(const struct rig *r)
{
    return r->board->download ? 500 * SIM_MS : 50 * SIM_MS;
}

bool rig_boots_after_reset(struct rig *r)
{
    chip_reset(r->chip, RESET_PIN);
    return rig_app_runs(r, start_time(r));
}

bool rig_boots_after_power_cycle(struct rig *r)
{
    chip_power(r->chip, false);
    chip_run(r->chip, chip_now(r->chip) + 100 * SIM_MS);
    chip_power(r->chip, true);
    return rig_app_runs(r, start_time(r));
}

/* ---- requests ---- */

int rig_request(struct rig *r, uint8_t type, uint8_t request, uint16_t value,
                uint16_t index, void *data, uint16_t length)
{
    if (r->gate && !r->gate(r->gate_ctx, type, request, value, data, length))
        return URB_GONE;
    return host_control(r->host, type, request, value, index, data, length);
}

int rig_dnload(struct rig *r, uint16_t block, const void *data, size_t n)
{
    return rig_request(r, CLASS_OUT, DNLOAD, block, 0, (void *)data,
                       (uint16_t)n);
}

int rig_upload(struct rig *r, uint16_t block, void *data, size_t n)
{
    return rig_request(r, CLASS_IN, UPLOAD, block, 0, data, (uint16_t)n);
}

struct rig_status rig_getstatus(struct rig *r)
{
    uint8_t s[6] = {0};
    int n = rig_request(r, CLASS_IN, GETSTATUS, 0, 0, s, sizeof(s));

    return (struct rig_status){
        .result = n,
        .status = s[0],
        .poll_ms = s[1] | (unsigned)s[2] << 8 | (unsigned)s[3] << 16,
        .state = s[4],
    };
}

int rig_getstate(struct rig *r)
{
    uint8_t state = 0;
    int n = rig_request(r, CLASS_IN, GETSTATE, 0, 0, &state, 1);

    return n < 0 ? n : state;
}

int rig_clrstatus(struct rig *r)
{
    return rig_request(r, CLASS_OUT, CLRSTATUS, 0, 0, NULL, 0);
}

int rig_abort(struct rig *r)
{
    return rig_request(r, CLASS_OUT, ABORT, 0, 0, NULL, 0);
}

int rig_detach(struct rig *r)
{
    return rig_request(r, CLASS_OUT, DETACH, 1000, 0, NULL, 0);
}

/* ---- single transactions ---- */

/* 3 s: longer than any flash operation. */
enum { TRIES = 30000 };
#define RETRY (100 * SIM_US)

int rig_raw_setup(struct rig *r, const uint8_t setup[8])
{
    enum wire_result result = WIRE_TIMEOUT;

    /* A SETUP is dropped while the packet before it waits for the CPU. */
    for (unsigned i = 0; i < TRIES && result == WIRE_TIMEOUT; i++) {
        host_wait(r->host, RETRY);
        result =
            wire_setup(chip_wire(r->chip), host_address(r->host), 0, setup);
    }
    return (int)result;
}

int rig_raw_out(struct rig *r, unsigned toggle, const void *data, size_t n)
{
    enum wire_result result = WIRE_NAK;

    for (unsigned i = 0; i < TRIES && result == WIRE_NAK; i++) {
        host_wait(r->host, RETRY);
        result = wire_out(chip_wire(r->chip), host_address(r->host), 0, toggle,
                          data, n);
    }
    return (int)result;
}

int rig_raw_in(struct rig *r, uint8_t *data, unsigned *toggle)
{
    enum wire_result result = WIRE_NAK;
    size_t n = 0;

    for (unsigned i = 0; i < TRIES && result == WIRE_NAK; i++) {
        host_wait(r->host, RETRY);
        result = wire_in(chip_wire(r->chip), host_address(r->host), 0, data, &n,
                         toggle, false);
    }
    return result == WIRE_ACK ? (int)n : -(int)result;
}

/* ---- operations ---- */

/* More than any operation takes; dfu-util gives up after 100. */
enum { POLLS = 100 };

static struct rig_status poll(struct rig *r, bool sleep)
{
    struct rig_status s = rig_getstatus(r);

    if (sleep && s.result == 6 && s.poll_ms)
        host_wait(r->host, s.poll_ms * SIM_MS);
    return s;
}

static bool under_way(struct rig_status s)
{
    return s.result == 6 &&
           (s.state == DFU_DNLOAD_SYNC || s.state == DFU_DNBUSY);
}

static struct rig_op operate(struct rig *r, uint16_t block, const void *data,
                             size_t n, bool sleep)
{
    struct rig_op op = {.sent = rig_dnload(r, block, data, n)};
    sim_time start;

    op.first = op.last = rig_getstatus(r);
    start = chip_now(r->chip);
    if (sleep && op.first.poll_ms)
        host_wait(r->host, op.first.poll_ms * SIM_MS);
    for (unsigned i = 0; i < POLLS && under_way(op.last); i++)
        op.last = poll(r, sleep);
    op.busy = chip_now(r->chip) - start;
    return op;
}

struct rig_op rig_write(struct rig *r, uint16_t block, const void *data,
                        size_t n)
{
    return operate(r, block, data, n, true);
}

struct rig_op rig_write_impatient(struct rig *r, uint16_t block,
                                  const void *data, size_t n)
{
    return operate(r, block, data, n, false);
}

struct rig_op rig_command(struct rig *r, const void *command, size_t n)
{
    return operate(r, 0, command, n, true);
}

static struct rig_op address_command(struct rig *r, uint8_t code, uint32_t addr)
{
    uint8_t command[5] = {code};

    rig_put32(command + 1, addr);
    return rig_command(r, command, sizeof(command));
}

struct rig_op rig_set_address(struct rig *r, uint32_t addr)
{
    return address_command(r, 0x21, addr);
}

struct rig_op rig_erase(struct rig *r, uint32_t addr)
{
    return address_command(r, 0x41, addr);
}

struct rig_op rig_mass_erase(struct rig *r)
{
    return rig_command(r, "\x41", 1);
}

bool rig_ok(struct rig_op op)
{
    return op.sent >= 0 && op.first.result == 6 && op.last.result == 6 &&
           op.first.state == DFU_DNBUSY && op.last.state == DFU_DNLOAD_IDLE &&
           op.last.status == 0;
}

struct rig_op rig_write_at(struct rig *r, uint32_t addr, const void *data,
                           size_t n)
{
    struct rig_op op = rig_set_address(r, addr);

    return rig_ok(op) ? rig_write(r, 2, data, n) : op;
}

struct rig_status rig_leave(struct rig *r)
{
    struct rig_status none = {.result = rig_dnload(r, 2, NULL, 0)};

    return none.result < 0 ? none : rig_getstatus(r);
}

int rig_read(struct rig *r, uint32_t addr, void *data, size_t n)
{
    uint8_t *to = data;
    size_t done = 0;

    if (!rig_ok(rig_set_address(r, addr)) || rig_abort(r) < 0 ||
        rig_getstate(r) != DFU_IDLE)
        return -1;
    for (uint16_t block = 2; done < n; block++) {
        size_t want = n - done < r->board->block ? n - done : r->board->block;
        int got = rig_upload(r, block, to + done, want);

        if (got < 0)
            return got;
        done += (size_t)got;
        if ((size_t)got < want)
            break;
    }
    if (rig_getstate(r) != DFU_IDLE && rig_abort(r) < 0)
        return -1;
    return (int)done;
}

/* ---- dfu-util 0.11 ---- */

enum { GIVES_UP = -16 };

/* libusb asks for the language each time. */
static int read_string(struct rig *r, uint16_t index)
{
    uint8_t text[255];
    int n = rig_request(r, 0x80, 6, 0x0300, 0, text, 255);

    return n < 0 ? n
                 : rig_request(r, 0x80, 6, 0x0300 | index, 0x0409, text, 255);
}

int rig_open(struct rig *r)
{
    struct rig_status s;

    for (uint16_t i = 3; i <= 5; i += 2) /* alternate's name, serial number */
        if (read_string(r, i) < 0)
            return GIVES_UP;
    if (rig_request(r, 0x01, 11, 0, 0, NULL, 0) < 0) /* SET_INTERFACE */
        return GIVES_UP;
    s = rig_getstatus(r);
    if (s.state != DFU_IDLE) {
        if (s.state == DFU_ERROR)
            rig_clrstatus(r);
        else
            rig_abort(r);
        s = rig_getstatus(r);
    }
    return s.result == 6 && s.state == DFU_IDLE && !s.status ? 0 : GIVES_UP;
}

static int outcome(struct rig_op op)
{
    if (rig_ok(op))
        return 0;
    return op.last.result == 6 && op.last.status ? -(int)op.last.status
                                                 : GIVES_UP;
}

/* dfuse.c, dfuse_dnload_element(), first pass: what was erased last is
 * remembered by an address mask, although the sectors need not be aligned. */
static int erase_pass(struct rig *r, const struct rig_update *u, size_t chunk)
{
    uint32_t last = 1;

    for (size_t p = 0; p < u->n; p += chunk) {
        size_t n = u->n - p < chunk ? u->n - p : chunk;
        uint32_t ends[2] = {u->addr + (uint32_t)p,
                            u->addr + (uint32_t)(p + n) - 1};

        for (unsigned i = 0; i < 2; i++) {
            uint32_t mask = ~(rig_sector(r->board, ends[i]).size - 1);
            int bad;

            if ((ends[i] & mask) == last)
                continue;
            last = ends[i] & mask;
            bad = outcome(rig_erase(r, ends[i]));
            if (bad)
                return bad;
        }
    }
    return 0;
}

static int write_pass(struct rig *r, const struct rig_update *u, size_t chunk)
{
    for (size_t p = 0; p < u->n; p += chunk) {
        size_t n = u->n - p < chunk ? u->n - p : chunk;
        int bad =
            outcome(rig_write_at(r, u->addr + (uint32_t)p, u->data + p, n));

        if (bad)
            return bad;
    }
    return 0;
}

static int abort_to_idle(struct rig *r)
{
    struct rig_status s;

    if (rig_abort(r) < 0)
        return GIVES_UP;
    s = poll(r, true);
    return s.result == 6 && s.state == DFU_IDLE ? 0 : GIVES_UP;
}

/* The result of the GETSTATUS is ignored there; tests want to know. */
static int leave_pass(struct rig *r, const struct rig_update *u)
{
    int bad = outcome(rig_set_address(r, u->addr));
    struct rig_status s;

    if (bad)
        return bad;
    s = rig_leave(r);
    if (s.result == 6 && s.status)
        return -(int)s.status;
    return s.result == 6 && s.state == DFU_MANIFEST ? 0 : GIVES_UP;
}

int rig_update(struct rig *r, const struct rig_update *u)
{
    size_t chunk = u->chunk ? u->chunk : r->board->block;
    int bad = u->no_erase ? 0 : erase_pass(r, u, chunk);

    if (!bad)
        bad = write_pass(r, u, chunk);
    if (!bad && !u->no_abort)
        bad = abort_to_idle(r);
    if (!bad && u->leave)
        bad = leave_pass(r, u);
    return bad;
}

int rig_install(struct rig *r, const void *image, size_t n)
{
    struct rig_update u = {
        .addr = r->board->slot, .data = image, .n = n, .leave = true};
    int bad = rig_open(r);

    return bad ? bad : rig_update(r, &u);
}

/* ---- images ---- */

void rig_put32(uint8_t *p, uint32_t word)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(word >> 8 * i);
}

uint32_t rig_get32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

uint32_t rig_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Where the loop lies: behind the words of the vector table that matter. */
enum { ENTRY = 0x30 };

void rig_image(const struct rig_board *b, uint8_t *image, size_t n,
               uint32_t seed)
{
    uint32_t state = seed * 2654435761u | 1;

    for (size_t i = 0; i < n; i++)
        image[i] = (uint8_t)(rig_random(&state) >> 24);
    memset(image, 0, RIG_STAMP_WORDS);
    rig_put32(image, b->ram + 0x1000 + (seed & 0xff) * 4);
    rig_put32(image + 4, (b->slot + ENTRY) | 1);
    rig_put32(image + 8, (b->slot + ENTRY) | 1);
    rig_put32(image + 12, (b->slot + ENTRY) | 1);
    image[ENTRY] = 0xFE; /* b . */
    image[ENTRY + 1] = 0xE7;
}

void rig_stamp(const struct rig_board *b, uint8_t *image, size_t n)
{
    memcpy(image + 0x1C, "SALY", 4);
    rig_put32(image + 0x20, (uint32_t)n);
    rig_put32(image + 0x24, 0);
    rig_put32(image + 0x28, b->product);
    rig_put32(image + 0x34, 0x01020003);
    rig_put32(image + 0x24, test_crc32(0, image, n));
}

void rig_image_stamped(const struct rig_board *b, uint8_t *image, size_t n,
                       uint32_t seed)
{
    rig_image(b, image, n, seed);
    rig_stamp(b, image, n);
}

/* ---- flash ---- */

uint8_t *rig_flash(struct rig *r, uint32_t addr)
{
    return chip_flash(r->chip) + (addr - r->board->flash);
}

bool rig_flash_is(struct rig *r, uint32_t addr, const void *data, size_t n)
{
    return !memcmp(rig_flash(r, addr), data, n);
}

unsigned rig_erases(struct rig *r)
{
    uint32_t at = r->board->slot;

    return (unsigned)(chip_flash_erases(r->chip) *
                      chip_flash_page(r->chip, at) /
                      rig_page(r->board, at).size);
}

bool rig_flash_blank(struct rig *r, uint32_t addr, size_t n)
{
    const uint8_t *p = rig_flash(r, addr);

    for (size_t i = 0; i < n; i++)
        if (p[i] != chip_flash_erased(r->chip))
            return false;
    return true;
}

void rig_flash_put(struct rig *r, uint32_t addr, const void *data, size_t n)
{
    memcpy(rig_flash(r, addr), data, n);
    chip_flash_changed(r->chip);
}
