/* SPDX-License-Identifier: MIT */
/*
 * polls.c - is bwPollTimeout honest?  Each operation is started, its first
 * GETSTATUS says how long it will take, and the host does not sleep: the next
 * answer that is not dfuDNBUSY comes when it is over.
 */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

struct table {
    struct rig *r;
    FILE *out;
    bool ok;
};

static void row(struct table *t, const char *what, unsigned promised,
                sim_time took)
{
    fprintf(t->out, "  %-46s %6u %9.2f\n", what, promised,
            (double)took / (double)SIM_MS);
}

/* DNLOAD and GETSTATUS until it is over; a mass erase answers meanwhile, and
 * what it says first that is not 0 is its promise. */
static void operate(struct table *t, const char *what, uint16_t block,
                    const void *data, size_t n)
{
    struct rig *r = t->r;
    int sent = rig_dnload(r, block, data, n);
    struct rig_status s = rig_getstatus(r);
    sim_time start = chip_now(r->chip);
    unsigned promised = s.poll_ms;

    while (s.result == 6 &&
           (s.state == DFU_DNBUSY || s.state == DFU_DNLOAD_SYNC)) {
        s = rig_getstatus(r);
        if (!promised)
            promised = s.poll_ms;
    }
    if (sent < 0 || s.state != DFU_DNLOAD_IDLE) {
        fprintf(stderr, "bench: %s: ends in state %u, status %u\n", what,
                s.state, s.status);
        t->ok = false;
    }
    row(t, what, promised, chip_now(r->chip) - start);
}

static void command(struct table *t, const char *what, uint8_t code,
                    uint32_t addr)
{
    uint8_t c[5] = {code};

    rig_put32(c + 1, addr);
    operate(t, what, 0, c, sizeof(c));
}

/* ABORT leads to work that goes on behind the answers.  It is over with the
 * last flash operation before 50 quiet milliseconds. */
static void settle(struct table *t, const char *what)
{
    struct rig *r = t->r;
    sim_time start, last;
    struct rig_status s;

    rig_abort(r);
    start = last = chip_now(r->chip);
    s = rig_getstatus(r);
    while (chip_now(r->chip) - last < 50 * SIM_MS) {
        sim_time asked = chip_now(r->chip);

        if (rig_getstatus(r).result != 6)
            t->ok = false;
        if (chip_now(r->chip) - asked > 3 * SIM_MS) /* it was deaf */
            last = chip_now(r->chip);
    }
    row(t, what, s.poll_ms, last - start);
}

/* The slot full of noise, the bootloader with a fresh session. */
static void restart(struct table *t, const uint8_t *image, size_t n)
{
    rig_flash_put(t->r, t->r->board->slot, image, n);
    if (rig_reset_with_key(t->r) || rig_open(t->r)) {
        fprintf(stderr, "bench: the bootloader does not enumerate\n");
        t->ok = false;
    }
}

/* A block over something else, and the block behind it: the erase of the unit
 * of that size is in the first one's time. */
static void write_over(struct table *t, uint32_t addr, uint32_t size,
                       const uint8_t *noise)
{
    const struct rig_board *b = t->r->board;
    char text[64];

    if (!b->whole_pages) /* more than a block is erased at once */
        rig_erase(t->r, addr);
    rig_set_address(t->r, addr);
    snprintf(text, sizeof(text), "block of %u over other data, unit of %u KB",
             b->block, size / 1024);
    operate(t, text, 2, noise, b->block);
    if (size > b->block)
        operate(t, "block behind it", 3, noise, b->block);
}

static void by_size(struct table *t, const uint8_t *noise)
{
    const struct rig_board *b = t->r->board;
    uint32_t last = 0;

    /* not the first one of the slot: it holds the first word */
    for (uint32_t addr = b->slot + rig_page(b, b->slot).size;
         addr < b->slot_end; addr += rig_page(b, addr).size)
        if (rig_page(b, addr).size != last) {
            last = rig_page(b, addr).size;
            write_over(t, addr, last, noise);
        }
}

/* The slot's last erase unit that a block fills. */
static uint32_t far(const struct table *t)
{
    return t->r->board->slot_end - t->r->board->block;
}

/* Over an image that differs from it in `changed` bytes of the second half. */
static void end_of_image(struct table *t, const char *what, uint8_t *image,
                         size_t n, size_t changed)
{
    struct rig *r = t->r;
    size_t block = r->board->block;
    struct rig_update u = {.addr = r->board->slot,
                           .data = image,
                           .n = n - block,
                           .no_erase = true,
                           .no_abort = true};

    restart(t, image, n);
    memset(image + n / 2, 0x55, changed);
    rig_stamp(r->board, image, n);
    if (rig_update(r, &u))
        t->ok = false;
    rig_set_address(r, far(t));
    operate(t, what, 2, image + n - block, block);
}

static void all(struct table *t, uint8_t *image, uint8_t *other, size_t n)
{
    struct rig *r = t->r;
    size_t block = r->board->block;

    rig_image_stamped(r->board, image, n, 1);
    rig_image_stamped(r->board, other, n, 2);
    restart(t, image, n);
    row(t, "GETSTATUS in dfuIDLE", rig_getstatus(r).poll_ms, 0);
    command(t, "Set Address", 0x21, far(t));
    operate(t, "block that is there already", 2, image + n - block, block);
    command(t, "Erase, one sector of the layout string", 0x41, far(t));
    settle(t, "ABORT with that erase outstanding");
    rig_set_address(r, far(t));
    operate(t, "block into erased flash", 2, other, block);
    by_size(t, other);
    end_of_image(t, "last block, stamped image is there already", image, n, 0);
    end_of_image(t, "last block, stamped image with a change", image, n, 4);
    restart(t, image, n);
    command(t, "Erase, the first sector", 0x41, r->board->slot);
    restart(t, image, n);
    rig_set_address(r, r->board->slot);
    operate(t, "first block of the slot", 2, other, block);
    restart(t, image, n);
    operate(t, "mass erase, slot full of noise", 0, "\x41", 1);
    operate(t, "mass erase, slot erased", 0, "\x41", 1);
}

bool bench_polls(struct rig *r, FILE *out)
{
    struct table t = {.r = r, .out = out, .ok = true};
    size_t n = bench_slot_size(r);
    uint8_t *image = malloc(n), *other = malloc(n);

    fprintf(out, "  %-46s %6s %9s\n", "bwPollTimeout, ms", "says", "it took");
    if (image && other)
        all(&t, image, other, n);
    free(image);
    free(other);
    return t.ok;
}
