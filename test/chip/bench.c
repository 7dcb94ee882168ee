/* SPDX-License-Identifier: MIT */
/* bench.c - see bench.h. */
#include "bench.h"

/* One program, one rig: cmocka's fixtures take no argument. */
static const char *board_name, *elf_name;
static struct rig *rig;
static struct chip_snapshot *home;
static uint8_t *flash_at_home;

static size_t flash_size(void)
{
    return rig->board->flash_end - rig->board->flash;
}

static void fill_kv(struct rig *r)
{
    uint32_t seed = 0x4B56;

    for (uint32_t a = r->board->kv; a < r->board->flash_end; a++)
        *rig_flash(r, a) = (uint8_t)(rig_random(&seed) >> 24);
    chip_flash_changed(r->chip);
}

static int open_bench(void **state)
{
    rig = rig_new(board_name, rig_firmware(board_name, elf_name));
    if (!rig)
        return -1;
    fill_kv(rig);
    flash_at_home = malloc(flash_size());
    if (!flash_at_home || rig_power_on(rig) < 0)
        return -1;
    memcpy(flash_at_home, rig_flash(rig, rig->board->flash), flash_size());
    home = chip_save(rig->chip);
    *state = rig;
    return home ? 0 : -1;
}

static int close_bench(void **state)
{
    (void)state;
    chip_snapshot_free(home);
    free(flash_at_home);
    rig_free(rig);
    return 0;
}

void bench_restart(struct rig *r)
{
    host_on_fault(r->host, NULL, NULL);
    chip_restore(r->chip, home);
}

int bench_set_up(void **state)
{
    bench_restart(rig);
    *state = rig;
    return 0;
}

static bool area_unchanged(struct rig *r, uint32_t from, uint32_t end)
{
    return rig_flash_is(r, from, flash_at_home + (from - r->board->flash),
                        end - from);
}

int bench_check(struct rig *r)
{
    int bad = 0;

    if (chip_guest_errors(r->chip)) {
        print_error("guest error: %s\n", chip_last_guest_error(r->chip));
        bad = -1;
    }
    if (!area_unchanged(r, r->board->flash, r->board->slot)) {
        print_error("the bootloader's own area changed\n");
        bad = -1;
    }
    if (!area_unchanged(r, r->board->kv, r->board->flash_end)) {
        print_error("the kv area changed\n");
        bad = -1;
    }
    return bad;
}

int bench_tear_down(void **state)
{
    return bench_check(*state);
}

int bench_main(const char *elf, int argc, char **argv,
               const struct CMUnitTest *tests, size_t n)
{
    static char other[64];

    elf_name = elf;
    if (argc > 2) {
        snprintf(other, sizeof(other), "sallyport-%s.elf", argv[2]);
        elf_name = other;
    }
    board_name = argc > 1 ? argv[1] : "stm32f103ze";
    return _cmocka_run_group_tests(board_name, tests, n, open_bench,
                                   close_bench);
}

/* ---- assertions ---- */

void bench_assert_error(struct rig_status s, unsigned status)
{
    assert_int_equal(s.result, 6);
    assert_int_equal(s.state, DFU_ERROR);
    assert_int_equal(s.status, status);
}

void bench_assert_op_error(struct rig_op op, unsigned status)
{
    assert_true(op.sent >= 0);
    assert_int_equal(op.first.state, DFU_DNBUSY);
    bench_assert_error(op.last, status);
}

void bench_assert_honest(unsigned ms, sim_time took)
{
    double is = (double)took / (double)SIM_MS;
    double off = is > ms ? is - ms : ms - is;

    if (off > 2 + is / 10)
        fail_msg("bwPollTimeout %u ms, it took %.1f ms", ms, is);
}

void bench_installed(struct rig *r, const uint8_t *image, size_t n)
{
    bench_restart(r);
    rig_flash_put(r, r->board->slot, image, n);
    /* Held by hand: the key is the one way in that asks nobody. */
    assert_int_equal(rig_reset_with_key(r), 0);
}

void bench_set_forward(struct rig *r, uint32_t ms)
{
    enum { ROOM = 128 * 1024, STEP = 1000 };
    static uint8_t before[ROOM], after[ROOM];
    size_t n = r->board->ram_end - r->board->ram, found = 0;

    assert_true(n <= ROOM);
    assert_true(chip_peek(r->chip, r->board->ram, before, n));
    host_wait(r->host, STEP * SIM_MS);
    assert_true(chip_peek(r->chip, r->board->ram, after, n));
    for (size_t i = 0; i < n; i += 4) {
        uint32_t is = rig_get32(after + i);
        uint32_t grown = is - rig_get32(before + i);
        uint8_t word[4];

        if (grown < STEP - 2 || grown > STEP + 2)
            continue;
        rig_put32(word, is + ms);
        assert_true(chip_poke(r->chip, r->board->ram + (uint32_t)i, word, 4));
        found++;
    }
    assert_in_range(found, 1, 6); /* and those that count frames */
}
