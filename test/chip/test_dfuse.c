/* SPDX-License-Identifier: MIT */
/*
 * test_dfuse.c - ST's DfuSe over DFU (AN3156, UM0424): commands, addresses,
 * times, and what dfu-util 0.11 requires of them.
 */
#include "bench.h"

enum { SECTORS = 4, ROOM = 256 * 1024, CHECKED = 64 * 1024 };

static uint8_t buffer[ROOM];

/* Noise, nothing of it a plausible vector table. */
static void fill(struct rig *r, uint32_t addr, size_t n)
{
    uint32_t seed = addr | 1;
    uint8_t *p = rig_flash(r, addr);

    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(rig_random(&seed) >> 16);
    chip_flash_changed(r->chip);
}

/* Read-only flash behind the slot? */
static bool kv(const struct rig_board *b)
{
    return b->slot_end < b->flash_end;
}

static unsigned behind_slot(const struct rig_board *b)
{
    return kv(b) ? ERR_WRITE : ERR_ADDRESS;
}

static void noise(uint8_t *p, size_t n, uint32_t seed)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(rig_random(&seed) >> 16);
}

/* ---- commands ---- */

static void test_get_commands(void **state)
{
    struct rig *r = *state;

    memset(buffer, 0xEE, 64);
    assert_int_equal(rig_upload(r, 0, buffer, 64), 3);
    assert_memory_equal(buffer, "\x00\x21\x41\xEE", 4);
    assert_int_equal(rig_getstate(r), DFU_IDLE); /* short: the upload is over */
}

static void test_set_address(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;
    const uint32_t good[] = {b->flash,    b->slot,
                             b->slot + 1, kv(b) ? b->slot_end : b->slot_end - 1,
                             b->slot - 1, b->flash_end - 1};
    const uint32_t bad[] = {0,      b->flash - 1, b->flash_end, 0xFFFFFFFF,
                            b->ram, 0x40022000,   b->unique_id, 0xE000E010};

    for (size_t i = 0; i < 6; i++) {
        bench_restart(r);
        bench_assert_ok(rig_set_address(r, good[i]));
        assert_int_equal(rig_abort(r), 0);
        assert_int_equal(rig_upload(r, 2, buffer, 1), 1);
        assert_int_equal(buffer[0], *rig_flash(r, good[i]));
    }
    for (size_t i = 0; i < 8; i++) {
        bench_restart(r);
        bench_assert_op_error(rig_set_address(r, bad[i]), ERR_ADDRESS);
        assert_int_equal(rig_clrstatus(r), 0);
        /* The pointer did not move. */
        assert_int_equal(rig_upload(r, 2, buffer, 4), 4);
        assert_true(rig_flash_is(r, b->slot, buffer, 4));
    }
    assert_int_equal(chip_flash_ops(r->chip), 0);
}

static void test_default_pointer(void **state)
{
    struct rig *r = *state;

    noise(buffer, 64, 5);
    fill(r, r->board->slot, 64);
    assert_int_equal(rig_upload(r, 2, buffer, 64), 64);
    assert_true(rig_flash_is(r, r->board->slot, buffer, 64));
    /* A bus reset brings it back. */
    assert_int_equal(rig_abort(r), 0);
    bench_assert_ok(rig_set_address(r, r->board->flash));
    assert_int_equal(rig_bus_reset(r), 0);
    assert_int_equal(rig_upload(r, 2, buffer, 64), 64);
    assert_true(rig_flash_is(r, r->board->slot, buffer, 64));
}

/* The sectors of the layout string start at the slot, not at multiples of
 * their size. */
static void erase_covers(struct rig *r, struct rig_span sector, uint32_t at)
{
    const struct rig_board *b = r->board;
    struct rig_span last = rig_nth_sector(b, SECTORS - 1);
    uint32_t n = last.start + last.size - b->slot;

    assert_true(n <= ROOM);
    bench_restart(r);
    fill(r, b->slot, n);
    memcpy(buffer, rig_flash(r, b->slot), n);
    bench_assert_ok(rig_erase(r, at));
    assert_int_equal(rig_abort(r), 0);
    rig_settle(r);
    memset(buffer + (sector.start - b->slot), chip_flash_erased(r->chip),
           sector.size);
    /* The first word only says whether there is an image. */
    assert_true(rig_flash_is(r, b->slot + 4, buffer + 4, n - 4));
}

static void test_erase_covers_its_sector(void **state)
{
    struct rig *r = *state;

    for (unsigned i = 1; i < SECTORS; i++) {
        struct rig_span sector = rig_nth_sector(r->board, i);
        uint32_t page = rig_page(r->board, sector.start).size;
        const uint32_t inside[] = {0, 1, page % sector.size, sector.size / 2,
                                   sector.size - 1};

        for (size_t j = 0; j < 5; j++)
            erase_covers(r, sector, sector.start + inside[j]);
    }
}

static void test_erase_of_last_sector(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;
    struct rig_span last = rig_sector(b, b->slot_end - 1);

    fill(r, last.start - 4096, last.size + 4096);
    bench_assert_ok(rig_erase(r, b->slot_end - 1));
    assert_int_equal(rig_abort(r), 0);
    rig_settle(r);
    assert_true(rig_flash_blank(r, last.start, last.size));
    assert_false(rig_flash_blank(r, last.start - 4, 4));
}

static void test_erase_outside(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;
    const struct {
        uint32_t addr;
        unsigned status;
    } cases[] = {
        {b->flash, ERR_WRITE},
        {b->slot - 1, ERR_WRITE},
        {b->slot_end, behind_slot(b)},
        {kv(b) ? b->flash_end - 1 : b->flash, ERR_WRITE},
        {b->flash_end, ERR_ADDRESS},
        {b->flash - 1, ERR_ADDRESS},
        {0, ERR_ADDRESS},
        {b->ram, ERR_ADDRESS},
        {0xFFFFFFFF, ERR_ADDRESS},
        {0x1FFFF800, ERR_ADDRESS},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bench_restart(r);
        fill(r, b->slot, 8192);
        bench_assert_op_error(rig_erase(r, cases[i].addr), cases[i].status);
        assert_int_equal(rig_clrstatus(r), 0);
        host_wait(r->host, 100 * SIM_MS);
        assert_int_equal(chip_flash_ops(r->chip), 0);
        assert_int_equal(bench_check(r), 0);
    }
}

/* Something in page `first`, first + step, ... of the slot; the time that it
 * takes to erase them. */
static unsigned fill_pages(struct rig *r, unsigned first, unsigned pages,
                           unsigned step)
{
    unsigned ms = 0;

    for (unsigned i = 0; i < pages; i++) {
        uint32_t at = rig_nth_page(r->board, first + i * step).start;

        fill(r, at, 16);
        ms += rig_erase_ms(r->board, at, 1);
    }
    return ms;
}

/* So many of the slot, at most; every second one where they are small. */
static unsigned at_most(const struct rig_board *b, unsigned pages)
{
    unsigned all = rig_pages(b, b->slot, b->slot_end - b->slot);

    if (b->whole_pages)
        all /= 2;
    return pages < all ? pages : all;
}

/* dfu-util takes exactly 100 ms for a bug of ST's and sleeps 35 s. */
static void mass_erase_of(struct rig *r, unsigned pages)
{
    const struct rig_board *b = r->board;
    struct rig_status s;
    unsigned promised;
    sim_time start, took;

    bench_restart(r);
    /* Spread over the area; every page more is more time. */
    fill_pages(r, 0, pages, b->whole_pages ? 2 : 1);
    assert_int_equal(rig_dnload(r, 0, "\x41", 1), 1);
    s = rig_getstatus(r);
    start = chip_now(r->chip);
    assert_int_equal(s.state, DFU_DNBUSY);
    assert_int_not_equal(s.poll_ms, 100);
    promised = s.poll_ms;
    /* This host does not sleep: one answer a page.  dfu-util gives up after
     * 100 answers with a time of 0. */
    for (unsigned i = 0; i < 100 + pages && s.state != DFU_DNLOAD_IDLE; i++)
        s = rig_getstatus(r);
    assert_int_equal(s.state, DFU_DNLOAD_IDLE);
    took = chip_now(r->chip) - start;
    bench_assert_honest(promised, took);
    assert_int_equal(s.state, DFU_DNLOAD_IDLE);
    assert_int_equal(s.poll_ms, 0);
    assert_true(rig_flash_blank(r, b->slot, b->slot_end - b->slot));
    assert_int_equal(rig_erases(r), pages);
    assert_int_equal(bench_check(r), 0);
}

static void test_mass_erase(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;

    for (unsigned pages = 0; pages < at_most(b, 8); pages++)
        mass_erase_of(r, pages);
    mass_erase_of(r, at_most(b, 120));
}

/* As dfu-util does it: it sleeps as told, and is done soon after. */
static void test_mass_erase_patiently(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;
    unsigned pages = at_most(b, b->whole_pages ? 20 : 8);
    unsigned ms = fill_pages(r, 0, pages, 1);
    sim_time start = chip_now(r->chip);

    bench_assert_ok(rig_mass_erase(r));
    assert_true(chip_now(r->chip) - start < ms * SIM_MS * 34 / 30);
    assert_true(rig_flash_blank(r, b->slot, b->slot_end - b->slot));
}

/* ---- addresses of blocks ---- */

static void test_download_addresses(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;
    static const uint16_t blocks[] = {2, 3, 9, 40};

    for (size_t i = 0; i < 4; i++) {
        uint32_t second = rig_nth_sector(b, 1).start;
        uint32_t at = second + (blocks[i] - 2u) * b->block;

        bench_restart(r);
        noise(buffer, b->block, i + 1);
        bench_assert_ok(rig_set_address(r, second));
        bench_assert_ok(rig_write(r, blocks[i], buffer, b->block));
        assert_true(rig_flash_is(r, at, buffer, b->block));
        assert_true(rig_flash_blank(r, at - 64, 64));
        assert_true(rig_flash_blank(r, at + b->block, 64));
    }
}

static void test_upload_addresses(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;

    fill(r, b->slot, 8 * b->block);
    for (uint16_t block = 2; block < 10; block++) {
        assert_int_equal(rig_upload(r, block, buffer, b->block), b->block);
        assert_true(rig_flash_is(r, b->slot + (block - 2u) * b->block, buffer,
                                 b->block));
        assert_int_equal(rig_getstate(r), DFU_UPLOAD_IDLE);
    }
    /* wTransferSize counts, whatever the host asks for. */
    assert_int_equal(rig_upload(r, 5, buffer, 64), 64);
    assert_true(rig_flash_is(r, b->slot + 3 * b->block, buffer, 64));
    assert_int_equal(rig_upload(r, 6, buffer, 1000), 1000);
    assert_true(rig_flash_is(r, b->slot + 4 * b->block, buffer, 1000));
}

/* Everything from 0x08000000 to the end, and there it ends short: also where
 * the last packet is a full one. */
static void test_upload_of_all(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;
    size_t size = b->flash_end - b->flash;
    uint8_t *all = malloc(size + b->block);

    assert_non_null(all);
    fill(r, b->slot, b->slot_end - b->slot);
    assert_int_equal(rig_read(r, b->flash, all, size + b->block), size);
    assert_memory_equal(all, rig_flash(r, b->flash), size);
    free(all);
}

static void test_upload_ends_with_the_flash(void **state)
{
    struct rig *r = *state;
    static const uint16_t left[] = {1, 2, 63, 64, 65, 128, 192, 1024, 2047};

    for (size_t i = 0;
         i < sizeof(left) / sizeof(left[0]) && left[i] < r->board->block; i++) {
        bench_restart(r);
        bench_assert_ok(rig_set_address(r, r->board->flash_end - left[i]));
        assert_int_equal(rig_abort(r), 0);
        assert_int_equal(rig_upload(r, 2, buffer, r->board->block), left[i]);
        assert_int_equal(rig_getstate(r), DFU_IDLE);
        assert_true(
            rig_flash_is(r, r->board->flash_end - left[i], buffer, left[i]));
        /* Not a byte more than asked for is no end. */
        assert_int_equal(rig_upload(r, 2, buffer, left[i]), left[i]);
        assert_int_equal(rig_getstate(r), DFU_UPLOAD_IDLE);
        assert_int_equal(rig_upload(r, 3, buffer, 64), 0);
        assert_int_equal(rig_getstate(r), DFU_IDLE);
    }
}

static void test_abort_before_upload(void **state)
{
    struct rig *r = *state;
    struct rig_status s;

    bench_assert_ok(rig_set_address(r, r->board->flash));
    assert_int_equal(rig_upload(r, 2, buffer, 64), URB_STALL);
    assert_int_equal(rig_clrstatus(r), 0);
    bench_assert_ok(rig_set_address(r, r->board->flash));
    assert_int_equal(rig_abort(r), 0);
    s = rig_getstatus(r);
    assert_int_equal(s.state, DFU_IDLE);
    assert_int_equal(s.poll_ms, 0);
    assert_int_equal(rig_upload(r, 2, buffer, 64), 64);
    assert_true(rig_flash_is(r, r->board->flash, buffer, 64));
}

/* ---- borders ---- */

static void refused_block(struct rig *r, uint32_t addr, size_t n,
                          unsigned status)
{
    bench_restart(r);
    noise(buffer, n, addr);
    bench_assert_ok(rig_set_address(r, addr));
    bench_assert_op_error(rig_write(r, 2, buffer, n), status);
    assert_int_equal(rig_clrstatus(r), 0);
    host_wait(r->host, 100 * SIM_MS);
    assert_int_equal(chip_flash_ops(r->chip), 0);
    assert_int_equal(bench_check(r), 0);
}

static void test_download_outside(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;

    refused_block(r, b->flash, b->block, ERR_WRITE);
    refused_block(r, b->flash, 1, ERR_WRITE);
    refused_block(r, b->slot - b->block, b->block, ERR_WRITE);
    refused_block(r, b->slot - 1, 1, ERR_WRITE);
    refused_block(r, b->slot - 1, 2, ERR_WRITE);
    refused_block(r, b->slot - b->block / 2, b->block, ERR_WRITE);
    refused_block(r, b->slot_end - 1, 2, behind_slot(b));
    refused_block(r, b->slot_end - b->block / 2, b->block, behind_slot(b));
    if (!kv(b))
        return;
    refused_block(r, b->slot_end, b->block, ERR_WRITE);
    refused_block(r, b->flash_end - 1, 1, ERR_WRITE);
}

static void test_download_behind_the_flash(void **state)
{
    struct rig *r = *state;
    uint32_t end = (r->board->flash_end - r->board->slot) / r->board->block;
    struct rig_op op;

    /* Block numbers that lead behind the flash, from the default pointer. */
    op = rig_write(r, (uint16_t)(end + 2), "abcd", 4);
    bench_assert_op_error(op, ERR_ADDRESS);
    assert_int_equal(rig_clrstatus(r), 0);
    op = rig_write(r, 65535, "abcd", 4);
    bench_assert_op_error(op, ERR_ADDRESS);
    assert_int_equal(rig_clrstatus(r), 0);
    /* Both ends outside: the kv area and behind the flash. */
    bench_assert_ok(rig_set_address(r, r->board->flash_end - 1));
    op = rig_write(r, 2, "abcd", 4);
    assert_int_equal(op.last.state, DFU_ERROR);
    assert_int_equal(rig_clrstatus(r), 0);
    host_wait(r->host, 100 * SIM_MS);
    assert_int_equal(chip_flash_ops(r->chip), 0);
}

static void test_download_to_the_borders(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;

    noise(buffer, b->block, 3);
    bench_assert_ok(rig_write_at(r, b->slot_end - b->block, buffer, b->block));
    assert_true(rig_flash_is(r, b->slot_end - b->block, buffer, b->block));
    bench_assert_ok(rig_write_at(r, b->slot, buffer, b->block));
    assert_true(rig_flash_is(r, b->slot + 4, buffer + 4, b->block - 4));
}

/* ---- time ---- */

static void timed_write(struct rig *r, uint32_t addr, const uint8_t *data,
                        size_t n)
{
    struct rig_op op;

    bench_assert_ok(rig_set_address(r, addr));
    op = rig_write_impatient(r, 2, data, n);
    bench_assert_ok(op);
    bench_assert_honest(op.first.poll_ms, op.busy);
    assert_int_equal(op.last.poll_ms, 0);
}

static void test_honest_writes(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;
    const uint32_t sizes[] = {1, 2, 64, 500, 1024, 2000, b->block};
    uint32_t at = rig_nth_sector(b, 1).start;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (sizes[i] > b->block)
            continue;
        bench_restart(r);
        noise(buffer, b->block, 77);
        timed_write(r, at, buffer, sizes[i]); /* into erased flash */
        timed_write(r, at, buffer, sizes[i]); /* the same again: nothing */
        noise(buffer, b->block, 78);
        if (!b->whole_pages)
            bench_assert_ok(rig_erase(r, at));
        timed_write(r, at, buffer, sizes[i]); /* with an erase */
        bench_assert_ok(rig_erase(r, at));
        timed_write(r, at, buffer, sizes[i]); /* erased in vain */
    }
}

static void test_honest_first_page(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;

    rig_image(b, buffer, 8 * b->block, 4);
    bench_installed(r, buffer, 8 * b->block);
    rig_image(b, buffer, 8 * b->block, 5);
    timed_write(r, b->slot, buffer, b->block);
    timed_write(r, b->slot + b->block, buffer + b->block, b->block);
}

/* The last block of a stamped image: its check takes time as well. */
static void test_honest_check(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;
    size_t room = b->slot_end - b->slot;
    size_t n = room < CHECKED ? room : CHECKED, last = n - b->block;
    struct rig_update u = {
        .addr = b->slot, .data = buffer, .n = last, .no_abort = true};

    rig_image_stamped(b, buffer, n, 6);
    assert_int_equal(rig_update(r, &u), 0);
    timed_write(r, b->slot + (uint32_t)last, buffer + last, b->block);
}

static void test_commands_take_no_time(void **state)
{
    struct rig *r = *state;
    struct rig_op op;

    fill(r, r->board->slot, 8192);
    op = rig_set_address(r, r->board->slot);
    bench_assert_ok(op);
    assert_int_equal(op.first.poll_ms, 0);
    op = rig_erase(r, r->board->slot);
    bench_assert_ok(op);
    bench_assert_honest(op.first.poll_ms, op.busy);
    assert_int_equal(op.last.poll_ms, 0);
}

/* ---- leave ---- */

/* dfuMANIFEST is answered while the device is still there, and about 100 ms
 * later it goes. */
static void leaves(struct rig *r)
{
    struct rig_status s = rig_leave(r);
    sim_time start = chip_now(r->chip);

    assert_int_equal(s.result, 6);
    assert_int_equal(s.state, DFU_MANIFEST);
    assert_int_equal(s.status, 0);
    assert_int_equal(host_wait_attach(r->host, false, SIM_S), 0);
    assert_in_range(chip_now(r->chip) - start, 90 * SIM_MS, 130 * SIM_MS);
    start = chip_now(r->chip);
    assert_true(rig_app_runs(r, SIM_S));
    /* Off the bus for as long as a hub needs to see it. */
    assert_true(chip_now(r->chip) - start >= 20 * SIM_MS);
}

static void test_leave(void **state)
{
    struct rig *r = *state;

    rig_image(r->board, buffer, 4096, 8);
    bench_installed(r, buffer, 4096);
    leaves(r); /* from dfuIDLE */
    bench_installed(r, buffer, 4096);
    bench_assert_ok(rig_set_address(r, r->board->slot));
    leaves(r); /* from dfuDNLOAD-IDLE */
    assert_int_equal(chip_flash_ops(r->chip), 0);
}

static void test_leave_answers_again(void **state)
{
    struct rig *r = *state;
    struct rig_status s;

    rig_image(r->board, buffer, 4096, 8);
    bench_installed(r, buffer, 4096);
    rig_leave(r);
    for (unsigned i = 0; i < 2; i++) { /* it stays for 100 ms, no longer */
        s = rig_getstatus(r);
        assert_int_equal(s.result, 6);
        assert_int_equal(s.state, DFU_MANIFEST);
        host_wait(r->host, 40 * SIM_MS);
    }
    assert_true(rig_app_runs(r, SIM_S));
}

static void test_leave_without_image(void **state)
{
    struct rig *r = *state;

    bench_assert_error(rig_leave(r), ERR_FIRMWARE);
    host_wait(r->host, 500 * SIM_MS);
    assert_true(host_attached(r->host));
    assert_int_equal(rig_clrstatus(r), 0);
    assert_int_equal(rig_getstate(r), DFU_IDLE);
}

/* ---- read-back within a session ---- */

static void test_reads_erased_at_once(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;
    struct rig_span second = rig_nth_sector(b, 1), third = rig_nth_sector(b, 2);
    uint32_t n = third.start + third.size - b->slot,
             at = second.start - b->slot;

    fill(r, b->slot, n);
    bench_assert_ok(rig_erase(r, second.start));
    assert_int_equal(rig_erases(r), 0); /* it is put off */
    assert_int_equal(rig_read(r, b->slot, buffer, n), n);
    assert_true(rig_flash_is(r, b->slot + 4, buffer + 4, at - 4));
    for (uint32_t i = 0; i < second.size; i++)
        assert_int_equal(buffer[at + i], chip_flash_erased(r->chip));
    assert_true(
        rig_flash_is(r, third.start, buffer + at + second.size, third.size));
}

/* The flash has no valid first word; who reads does not see that. */
static void test_reads_held_word(void **state)
{
    struct rig *r = *state;
    static uint8_t image[8192], back[8192];
    struct rig_update u = {
        .addr = r->board->slot, .data = image, .n = 4096, .no_abort = true};
    unsigned behind = rig_pages(r->board, r->board->slot, 4096);

    rig_image_stamped(r->board, image, sizeof(image), 9);
    assert_int_equal(rig_update(r, &u), 0);
    assert_int_equal(rig_flash_is(r, r->board->slot, image, 4),
                     r->board->marked);
    assert_int_equal(rig_read(r, r->board->slot, back, 4096), 4096);
    assert_memory_equal(back, image, 4096);
    assert_int_equal(rig_flash_is(r, r->board->slot, image, 4),
                     r->board->marked);
    /* The old image's word, once a page behind it has changed. */
    rig_image(r->board, image, sizeof(image), 10);
    bench_installed(r, image, sizeof(image));
    bench_assert_ok(rig_write_at(r, rig_nth_page(r->board, behind).start,
                                 buffer, r->board->block));
    assert_int_equal(rig_flash_is(r, r->board->slot, image, 4),
                     r->board->marked);
    assert_int_equal(rig_read(r, r->board->slot, back, 4096), 4096);
    assert_memory_equal(back, image, 4096);
}

/* A block that is not a whole page: the page is read as it will be. */
static void test_reads_open_page(void **state)
{
    struct rig *r = *state;
    uint32_t at = rig_nth_sector(r->board, 1).start + 100;
    static uint8_t back[sizeof(buffer)];
    uint32_t n = r->board->block;

    noise(buffer, n, 12);
    bench_assert_ok(rig_write_at(r, at, buffer, n));
    assert_int_equal(rig_read(r, at, back, n), n);
    assert_memory_equal(back, buffer, n);
    host_wait(r->host, 100 * SIM_MS);
    assert_true(rig_flash_is(r, at, buffer, n));
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        CHIP_TEST(test_get_commands),
        CHIP_TEST(test_set_address),
        CHIP_TEST(test_default_pointer),
        CHIP_TEST(test_erase_covers_its_sector),
        CHIP_TEST(test_erase_of_last_sector),
        CHIP_TEST(test_erase_outside),
        CHIP_TEST(test_mass_erase),
        CHIP_TEST(test_mass_erase_patiently),
        CHIP_TEST(test_download_addresses),
        CHIP_TEST(test_upload_addresses),
        CHIP_TEST(test_upload_of_all),
        CHIP_TEST(test_upload_ends_with_the_flash),
        CHIP_TEST(test_abort_before_upload),
        CHIP_TEST(test_download_outside),
        CHIP_TEST(test_download_behind_the_flash),
        CHIP_TEST(test_download_to_the_borders),
        CHIP_TEST(test_honest_writes),
        CHIP_TEST(test_honest_first_page),
        CHIP_TEST(test_honest_check),
        CHIP_TEST(test_commands_take_no_time),
        CHIP_TEST(test_leave),
        CHIP_TEST(test_leave_answers_again),
        CHIP_TEST(test_leave_without_image),
        CHIP_TEST(test_reads_erased_at_once),
        CHIP_TEST(test_reads_held_word),
        CHIP_TEST(test_reads_open_page),
    };

    return BENCH_MAIN(argc, argv, tests);
}
