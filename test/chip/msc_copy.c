/* SPDX-License-Identifier: MIT */
/* msc_copy.c - see msc_copy.h. */
#include "msc_copy.h"

struct msc_trial copy_trial;
struct witness copy_witness;
static struct copier *copier;

int copy_set_up(void **state)
{
    bench_set_up(state);
    if (!copier) {
        copier = copier_new();
        if (!copier || !msc_trial_open(&copy_trial, *state))
            return -1;
        msc_trial_start(&copy_trial, "", 0);
        witness_init(&copy_witness, &copy_trial.trial);
    }
    copy_start("", 0);
    return 0;
}

int copy_tear_down(void **state)
{
    const char *fault = copy_trial.trial.fault(copy_trial.trial.dev.ctx);
    int bad = bench_tear_down(state);

    if (fault) {
        print_error("%s\n", fault);
        bad = -1;
    }
    return bad;
}

void copy_start(const void *slot, size_t n)
{
    msc_trial_start(&copy_trial, slot, n);
}

struct host_plan copy_plan(enum host_kind kind, enum host_end end,
                           const struct host_file *file)
{
    return (struct host_plan){.kind = kind,
                              .seed = 1,
                              .files = file,
                              .count = 1,
                              .end = end,
                              .pull = -1};
}

struct host_result copy_host(const struct host_plan *plan)
{
    struct host_result r;

    witness_begin(&copy_witness);
    host_copy(copier, &copy_witness.dev, plan, &r);
    return r;
}

void copy_status(struct copy *c)
{
    static const char *const names[] = {
        [COPY_READY] = "READY.txt",
        [COPY_SUCCESS] = "SUCCESS.txt",
        [COPY_ERROR] = "ERROR.txt",
    };
    uint8_t text[513];
    const char *why, *line;
    uint32_t size;

    c->state = COPY_NONE;
    for (unsigned i = COPY_READY; i <= COPY_ERROR; i++) {
        if (!host_load(copier, &copy_trial.trial.dev, HOST_LINUX, names[i],
                       text, 512, &size, &why))
            continue;
        assert_int_equal(c->state, COPY_NONE); /* one of them only */
        c->state = (enum copy_state)i;
        text[size] = 0;
        line = strstr((const char *)text, "result: ");
        assert_non_null(line);
        assert_int_equal(
            sscanf(line, "result: %*s 0x%x %63[^\n]", &c->code, c->sentence),
            2);
    }
    assert_int_not_equal(c->state, COPY_NONE);
}

struct copy copy_run(const struct host_plan *plan)
{
    struct copy c = {.host = copy_host(plan)};

    c.mounted = witness_gone(&copy_witness) ||
                msc_trial_result(&copy_trial, COPY_PATIENCE);
    if (c.mounted)
        copy_status(&c);
    return c;
}

void copy_assert_installed(const void *image, size_t n)
{
    static uint8_t slot[1024 * 1024];

    msc_trial_slot(&copy_trial, slot);
    assert_memory_equal(slot, image, n);
    assert_true(msc_trial_boots(&copy_trial));
}

void copy_installs(enum host_kind kind, const struct host_file *file,
                   const void *image, size_t n)
{
    struct host_plan plan = copy_plan(kind, HOST_EJECT, file);
    struct copy c = copy_run(&plan);

    if (c.host.status != HOST_OK)
        fail_msg("%s: %s", host_name(kind), c.host.text);
    assert_false(c.host.was_dirty);
    if (!c.mounted || c.state != COPY_SUCCESS)
        fail_msg("%s, %s: state %d, %s", host_name(kind), file->name, c.state,
                 c.sentence);
    copy_assert_installed(image, n);
}

/* github.com/microsoft/uf2: 32 bytes, 256 of data, padding, a word */
size_t copy_uf2(const struct rig_board *b, const uint8_t *image, size_t n,
                uint8_t *to)
{
    uint32_t blocks = (uint32_t)((n + 255) / 256);

    memset(to, 0, 512 * (size_t)blocks);
    for (uint32_t i = 0; i < blocks; i++, to += 512) {
        size_t left = n - 256 * (size_t)i;
        const uint32_t head[8] = {
            0x0A324655, 0x9E5D5157, 0x2000, b->slot + 256 * i,
            256,        i,          blocks, copy_trial.board.family};

        for (unsigned k = 0; k < 8; k++)
            rig_put32(to + 4 * k, head[k]);
        memcpy(to + 32, image + 256 * (size_t)i, left < 256 ? left : 256);
        rig_put32(to + 508, 0x0AB16F30);
    }
    return 512 * (size_t)blocks;
}
