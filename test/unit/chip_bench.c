/* SPDX-License-Identifier: MIT */
/* chip_bench.c - see chip_bench.h. */
#include "chip_bench.h"

void bench_event(void *ctx, enum chip_event ev, const char *text)
{
    struct bench *b = ctx;

    b->n[ev]++;
    strncpy(b->last[ev], text, sizeof(b->last[ev]) - 1);
}

int bench_new(void **state, const char *model, const struct sim_board *board)
{
    static struct bench bench; /* one test at a time */

    memset(&bench, 0, sizeof(bench));
    bench.c = chip_new(chip_model_find(model), board, bench_event, &bench);
    *state = &bench;
    return bench.c ? 0 : -1;
}

int bench_free(void **state)
{
    struct bench *b = *state;

    chip_free(b->c);
    return 0;
}

void run_for(struct bench *b, sim_time t)
{
    chip_run(b->c, chip_now(b->c) + t);
}

void start(struct bench *b, sim_time t)
{
    chip_power(b->c, true);
    run_for(b, t);
}

void expect_error(struct bench *b, unsigned n, const char *text)
{
    if (!strstr(b->last[EV_GUEST_ERROR], text))
        fail_msg("\"%s\" instead of \"%s\"", b->last[EV_GUEST_ERROR], text);
    assert_int_equal(chip_guest_errors(b->c), n);
}
