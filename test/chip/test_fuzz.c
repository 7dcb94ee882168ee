/* SPDX-License-Identifier: MIT */
/*
 * test_fuzz.c - random requests, right and wrong, over a cable that loses
 * packets.  Whatever comes: the chip answers after a bus reset, breaks no rule
 * of the silicon, keeps its own area and the kv area, and starts no stamped
 * image that is not whole.
 *
 * Every run has its own seed, which a failure prints.  SALLYPORT_TEST_SEED
 * replays one run, SALLYPORT_TEST_RUNS sets how many there are.
 */
#include "bench.h"
#include "crc32.h"
#include "wire.h"

enum { LARGEST = 48 * 1024, BLOCK = 4096, STEPS = 40, RUNS = 20 };

struct fuzz {
    struct rig *r;
    uint32_t random;
    uint32_t size;
    uint8_t image[LARGEST];
    unsigned bad_cable; /* one packet in so many is lost, 0: none */
};

static uint32_t below(struct fuzz *f, uint32_t n)
{
    return rig_random(&f->random) % n;
}

/* ---- what is sent ---- */

/*
 * Data for addr: the image's where there is some, so that a whole image can
 * come about, with a wrong byte now and then; noise behind it.  The words of
 * the stamp are never wrong: without its stamp an image counts as plain, and
 * then the host's word is enough.
 */
static void data_for(struct fuzz *f, uint32_t addr, uint8_t *data, size_t n)
{
    uint32_t start = f->r->board->slot;

    for (size_t i = 0; i < n; i++) {
        uint32_t at = addr + (uint32_t)i - start;

        data[i] = at < f->size ? f->image[at] : (uint8_t)below(f, 256);
        if (at >= RIG_STAMP_WORDS && !below(f, 20000))
            data[i] ^= 1u << below(f, 8);
    }
}

/* Addresses that matter more than others. */
static uint32_t some_address(struct fuzz *f)
{
    const struct rig_board *b = f->r->board;

    switch (below(f, 8)) {
    case 0:
        return b->flash + below(f, b->flash_end - b->flash);
    case 1:
        return b->slot_end - below(f, 4096);
    case 2:
        return b->slot - below(f, 2100);
    case 3:
        return rig_random(&f->random);
    default:
        return rig_nth_page(b, below(f, 8)).start;
    }
}

static size_t some_length(struct fuzz *f)
{
    const uint32_t block = f->r->board->block;
    const uint32_t lengths[] = {1, 63, 64, 65, 300, 1000, block - 1, block};

    return lengths[below(f, sizeof(lengths) / sizeof(lengths[0]))];
}

/* ---- steps ---- */

static void write_somewhere(struct fuzz *f)
{
    static uint8_t data[BLOCK];
    uint32_t addr = some_address(f);
    size_t n = some_length(f);

    data_for(f, addr, data, n);
    rig_write_at(f->r, addr, data, n);
}

/* A part of the image, as dfu-util would go on or stop. */
static void write_run(struct fuzz *f)
{
    uint32_t from = below(f, 3) ? 0 : below(f, 5) * f->r->board->block;
    struct rig_update u = {
        .addr = f->r->board->slot + from,
        .data = f->image + from,
        .n = 1 + below(f, f->size - from),
        .no_erase = below(f, 2),
        .no_abort = below(f, 2),
        .leave = !below(f, 6),
    };

    if (below(f, 3) == 0)
        u.n = f->size - from;
    rig_update(f->r, &u);
}

/* A host gives a transfer up after some time, not within a microsecond. */
static void give_up(struct fuzz *f)
{
    host_wait(f->r->host, 5 * SIM_MS);
}

static void break_off(struct fuzz *f)
{
    uint16_t n = (uint16_t)some_length(f);
    uint8_t setup[8] = {0x21, 1, 2, 0, 0, 0, n & 0xff, (uint8_t)(n >> 8)};
    uint32_t addr = f->r->board->slot + below(f, 5) * f->r->board->block;
    unsigned packets = below(f, 1 + n / 64u);
    uint8_t data[64];

    rig_set_address(f->r, addr);
    if (rig_raw_setup(f->r, setup) != WIRE_ACK)
        return;
    for (unsigned i = 0; i < packets; i++) {
        data_for(f, addr + 64 * i, data, 64);
        if (rig_raw_out(f->r, !(i & 1), data, 64) != WIRE_ACK)
            return;
    }
    give_up(f);
}

static void break_off_read(struct fuzz *f)
{
    static const uint8_t setup[8] = {0xA1, 2, 2, 0, 0, 0, 0, 8};
    uint8_t data[64];
    unsigned toggle;

    if (rig_raw_setup(f->r, setup) != WIRE_ACK)
        return;
    for (unsigned i = below(f, 4); i > 0; i--)
        rig_raw_in(f->r, data, &toggle);
    if (below(f, 2))
        rig_raw_out(f->r, 1, NULL, 0);
    give_up(f);
}

static void any_dfu_request(struct fuzz *f)
{
    static uint8_t data[BLOCK];
    uint8_t request = (uint8_t)below(f, 8);
    uint8_t type =
        below(f, 4)
            ? (request == 2 || request == 3 || request == 5 ? 0xA1 : 0x21)
            : (uint8_t)below(f, 256);
    uint16_t value =
        below(f, 3) ? (uint16_t)below(f, 5) : (uint16_t)below(f, 65536);
    uint16_t n = below(f, 2) ? 0 : (uint16_t)some_length(f);

    /* Blocks of data go by the pointer, which nobody here knows. */
    if (request == 1 && value > 1 && n)
        return;
    for (size_t i = 0; i < n; i++)
        data[i] = (uint8_t)below(f, 256);
    rig_request(f->r, type, request, value, below(f, 8) ? 0 : 1, data, n);
}

static void any_standard_request(struct fuzz *f)
{
    static uint8_t data[BLOCK];
    uint8_t request = (uint8_t)below(f, 13);

    if (request == 5) /* the host would lose it */
        return;
    rig_request(f->r, (uint8_t)(below(f, 2) << 7 | below(f, 3)), request,
                (uint16_t)below(f, 1024), (uint16_t)below(f, 3), data,
                (uint16_t)below(f, 300));
}

static void erase_somewhere(struct fuzz *f)
{
    if (below(f, 8))
        rig_erase(f->r, some_address(f));
    else
        rig_dnload(f->r, 0, "\x41", 1);
}

static void go_on(struct fuzz *f)
{
    switch (below(f, 8)) {
    case 0:
    case 1:
        rig_abort(f->r);
        break;
    case 2:
        rig_clrstatus(f->r);
        break;
    case 3:
        rig_open(f->r);
        break;
    case 4:
        rig_leave(f->r);
        break;
    default:
        rig_getstatus(f->r);
        break;
    }
}

static void wait_a_while(struct fuzz *f)
{
    static const uint16_t ms[] = {1, 1, 5, 30, 60, 90, 150, 1100};

    host_wait(f->r->host, ms[below(f, 8)] * SIM_MS);
}

static void reset_something(struct fuzz *f)
{
    switch (below(f, 4)) {
    case 0:
        rig_reset(f->r, RESET_PIN);
        break;
    case 1:
        rig_power_cycle(f->r);
        break;
    default:
        rig_bus_reset(f->r);
        break;
    }
}

static void (*const steps[])(struct fuzz *f) = {
    write_somewhere, write_run,    write_run,       any_dfu_request,
    any_dfu_request, go_on,        go_on,           go_on,
    break_off,       wait_a_while, erase_somewhere, any_standard_request,
    break_off_read,  wait_a_while, reset_something, go_on,
};

/* ---- a run ---- */

static enum host_fault lose_some(void *ctx, const struct urb *urb,
                                 enum host_token token)
{
    struct fuzz *f = ctx;

    (void)urb;
    (void)token;
    if (!f->bad_cable || below(f, f->bad_cable))
        return HOST_FAULT_NONE;
    return below(f, 2) ? HOST_FAULT_LOSE_ACK : HOST_FAULT_CORRUPT;
}

/* The slot holds an image with a stamp that fits. */
static bool whole(struct rig *r)
{
    const uint8_t *p = rig_flash(r, r->board->slot);
    uint32_t length = rig_get32(p + 0x20);
    uint8_t *copy;
    bool ok;

    if (memcmp(p + 0x1C, "SALY", 4) ||
        length > r->board->slot_end - r->board->slot)
        return false;
    copy = malloc(length);
    assert_non_null(copy);
    memcpy(copy, p, length);
    rig_put32(copy + 0x24, 0);
    ok = test_crc32(0, copy, length) == rig_get32(p + 0x24);
    free(copy);
    return ok;
}

static bool app_runs(struct rig *r)
{
    return rig_in_app(r);
}

/* It answers after a bus reset; a page's time may pass before. */
static bool answers(struct rig *r)
{
    for (unsigned i = 0; i < 6; i++)
        if (app_runs(r) ||
            (rig_bus_reset(r) == 0 && rig_getstate(r) == DFU_IDLE))
            return true;
    return false;
}

/* The application that a run may start, and where a run begins. */
static void prepare(struct fuzz *f)
{
    const struct rig_board *b = f->r->board;

    f->size = b->image * 3 / 4 + 300;
    rig_image_stamped(b, f->image, f->size, below(f, 1000));
    if (below(f, 2)) {
        static uint8_t old[LARGEST];

        rig_image_stamped(b, old, f->size, below(f, 1000));
        bench_installed(f->r, old, f->size);
    }
    f->bad_cable = below(f, 2) ? 0 : 20 + below(f, 200);
}

static const char *verdict(struct fuzz *f)
{
    struct rig *r = f->r;

    host_on_fault(r->host, NULL, NULL);
    if (!answers(r))
        return "no answer after a bus reset";
    /* What is left to do is done, and it boots or not. */
    rig_settle(r);
    if (!app_runs(r))
        rig_boots_after_reset(r);
    if (app_runs(r) && !whole(r))
        return "an image that is not whole was started";
    if (!app_runs(r) && !answers(r))
        return "no answer after a reset";
    return bench_check(r) ? "see above" : NULL;
}

static bool run(struct rig *r, uint32_t seed)
{
    static struct fuzz f;
    const char *trouble;

    f = (struct fuzz){.r = r, .random = seed * 2654435761u | 1};
    bench_restart(r);
    prepare(&f);
    host_on_fault(r->host, lose_some, &f);
    for (unsigned i = 0; i < STEPS && !app_runs(r); i++)
        steps[below(&f, sizeof(steps) / sizeof(steps[0]))](&f);
    trouble = verdict(&f);
    if (trouble)
        print_error("SALLYPORT_TEST_SEED=%u: %s\n", seed, trouble);
    return !trouble;
}

static uint32_t number_from(const char *variable, uint32_t fallback)
{
    const char *text = getenv(variable);

    return text ? (uint32_t)strtoul(text, NULL, 0) : fallback;
}

static void test_random_requests(void **state)
{
    uint32_t seed = number_from("SALLYPORT_TEST_SEED", 0);
    uint32_t runs = number_from("SALLYPORT_TEST_RUNS", RUNS);
    unsigned bad = 0;

    if (seed) {
        assert_true(run(*state, seed));
        return;
    }
    for (seed = 1; seed <= runs; seed++)
        bad += !run(*state, seed);
    assert_int_equal(bad, 0);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        CHIP_TEST(test_random_requests),
    };

    return BENCH_MAIN(argc, argv, tests);
}
