/* SPDX-License-Identifier: MIT */
/*
 * test_drive_times.c - how long commands take while an update is written: a
 * host gives each of them some seconds, and whoever looks at the volume
 * meanwhile wants an answer.
 */
#include "msc_copy.h"
#include "silicon.h"

#define OTHERS (SIM_S)      /* commands that are not WRITE */
#define WRITES (12 * SIM_S) /* any WRITE */
#define READS  (300 * SIM_MS)
/* %, of what flash or cable need for a WRITE, where the file comes in order. */
#define SHARE      110
#define SHARE_NONE 0 /* pages are written again and again */

/* A seed with which these hosts send WRITEs of 240 sectors. */
enum { LONG_WRITE = 240, STEP_MS = 2, SEED = 2 };

static uint8_t image[COPY_ROOM], old[COPY_ROOM], file[COPY_ROOM];
static uint8_t before[1024 * 1024];
static struct rig *rig;

/* Worst of all WRITEs of 240 sectors. */
static struct {
    double ratio;
    sim_time took, limit;
    unsigned erases, writes;
} worst;

static double seconds(sim_time t)
{
    return (double)t / (double)SIM_S;
}

/* What others ask meanwhile. */
static void look_around(bool reads)
{
    struct msc *m = &copy_trial.disk.msc;
    uint8_t answer[1024];

    if (m->gone)
        return;
    msc_test_unit_ready(m);
    msc_command(m, MSC_CDB(0x12, 0, 0, 0, 36), MSC_IN, 36, answer);
    if (reads)
        msc_read(m, copy_witness.fat_lba, 2, answer);
    if (m->slowest > OTHERS)
        fail_msg("command 0x%02x takes %.3f s", m->slow_op,
                 seconds(m->slowest));
}

static bool timed_write(void *ctx, uint32_t lba, uint32_t n,
                        const uint8_t *from)
{
    const struct rig_board *b = rig->board;
    size_t size = b->slot_end - b->slot;
    sim_time start = chip_now(rig->chip), took;
    struct silicon_work work;
    bool ok;

    (void)ctx;
    memcpy(before, rig_flash(rig, b->slot), size);
    ok = copy_witness.dev.write(copy_witness.dev.ctx, lba, n, from);
    took = chip_now(rig->chip) - start;
    if (took > WRITES)
        fail_msg("WRITE of %u sectors takes %.3f s", (unsigned)n,
                 seconds(took));
    work =
        silicon_work(rig->chip, b->slot, before, rig_flash(rig, b->slot), size);
    if (n >= LONG_WRITE) {
        sim_time wire = silicon_wire(n * MSC_SECTOR);
        sim_time limit = work.time > wire ? work.time : wire;
        double ratio = (double)took / (double)limit;

        worst.writes++;
        if (ratio > worst.ratio) {
            worst.ratio = ratio;
            worst.took = took;
            worst.limit = limit;
            worst.erases = work.erases;
        }
    }
    look_around(true);
    return ok;
}

/* The host's end, and right behind it what others ask until the drive goes. */
static void watch(const char *name, const struct host_file *f,
                  enum host_kind kind, size_t n, unsigned share)
{
    struct host_plan plan = copy_plan(kind, HOST_EJECT, f);
    struct copier *copier = copier_new();
    struct blockdev dev;
    struct copy c = {0};
    struct msc *m = &copy_trial.disk.msc;
    sim_time start;

    plan.seed = SEED;
    memset(&worst, 0, sizeof(worst));
    copy_start(old, rig->board->slot_end - rig->board->slot);
    witness_begin(&copy_witness);
    dev = copy_witness.dev;
    dev.write = timed_write;
    host_copy(copier, &dev, &plan, &c.host);
    copier_free(copier);
    assert_int_equal(c.host.status, HOST_OK);
    start = chip_now(rig->chip);
    while (!m->gone && chip_now(rig->chip) - start < 60 * SIM_S) {
        /* Who reads holds it up. */
        look_around(chip_now(rig->chip) - start < READS);
        host_wait(rig->host, STEP_MS * SIM_MS);
    }
    print_message("%s: WRITE of 240: %u, worst %.3f s of %.3f (%.2f, %u "
                  "erases); others %.3f s (0x%02x); end %.2f s\n",
                  name, worst.writes, seconds(worst.took), seconds(worst.limit),
                  worst.ratio, worst.erases, seconds(m->slowest), m->slow_op,
                  seconds(chip_now(rig->chip) - start));
    assert_true(msc_trial_result(&copy_trial, COPY_PATIENCE));
    copy_status(&c);
    if (c.state != COPY_SUCCESS)
        fail_msg("the status file says 0x%02x, %s", c.code, c.sentence);
    copy_assert_installed(image, n);
    assert_true(worst.writes > 0 || kind != HOST_LINUX);
    if (share)
        assert_true(worst.ratio * 100 <= share);
}

static size_t prepare(void **state, unsigned part)
{
    size_t room, n;

    rig = *state;
    room = rig->board->slot_end - rig->board->slot;
    n = room / part;
    rig_image(rig->board, old, room, 1);
    rig_image_stamped(rig->board, image, n, 2);
    return n;
}

static void test_in_order(void **state)
{
    size_t n = prepare(state, 2);
    struct host_file f = {"order.bin", image, (uint32_t)n};

    watch("in order", &f, HOST_LINUX, n, SHARE);
}

/* Its data come out of order, by pieces of any size; no more than RAM has room
 * for. */
static void test_out_of_order(void **state)
{
    size_t n = prepare(state, 12);
    struct host_file f = {"pieces.bin", image, (uint32_t)n};

    watch("out of order", &f, HOST_WINDOWS_2023, n, SHARE_NONE);
}

static void test_uf2(void **state)
{
    size_t n = prepare(state, 2);
    struct host_file f = {"order.uf2", file,
                          (uint32_t)copy_uf2(rig->board, image, n, file)};

    watch("uf2", &f, HOST_LINUX, n, SHARE);
}

/* Each WRITE has blocks for all of the flash: the most erases. */
static void test_uf2_everywhere(void **state)
{
    size_t n = prepare(state, 1);
    struct host_file f = {"mixed.uf2", file,
                          (uint32_t)copy_uf2(rig->board, image, n, file)};
    uint32_t blocks = f.size / MSC_SECTOR, seed = 5;

    for (uint32_t i = 1; i < blocks; i++) {
        uint32_t k = rig_random(&seed) % (i + 1);
        uint8_t swap[MSC_SECTOR];

        memcpy(swap, file + MSC_SECTOR * i, MSC_SECTOR);
        memcpy(file + MSC_SECTOR * i, file + MSC_SECTOR * k, MSC_SECTOR);
        memcpy(file + MSC_SECTOR * k, swap, MSC_SECTOR);
    }
    watch("uf2 in any order", &f, HOST_LINUX, n, SHARE_NONE);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        COPY_TEST(test_in_order),
        COPY_TEST(test_out_of_order),
        COPY_TEST(test_uf2),
        COPY_TEST(test_uf2_everywhere),
    };

    return BENCH_MAIN_OF("sallyport-both.elf", argc, argv, tests);
}
