/* SPDX-License-Identifier: MIT */
/*
 * states.c - makes each request of a table in each state, and judges.
 */
#include "states.h"

static uint8_t buffer[65536];

static size_t length_of(const struct rig *r, uint32_t length)
{
    return length < FULL ? length : r->board->block + (length - FULL);
}

int states_request(struct rig *r, const struct row *row)
{
    size_t n = length_of(r, row->length);
    uint8_t address[4];

    memset(buffer, 0x5A, sizeof(buffer));
    if (row->data)
        memcpy(buffer, row->data, n);
    if (row->data && n > 1 && row->data[1]) {
        rig_put32(address, r->board->slot);
        memcpy(buffer + 1, address, n < 5 ? n - 1 : 4);
    }
    return rig_request(r, row->type, row->request, row->value, row->index,
                       buffer, (uint16_t)n);
}

/* What a host can see of it. */
struct outcome {
    bool stalled;
    unsigned next, status;
    unsigned answer; /* bState in the answer to GETSTATUS */
};

static struct outcome expected(const struct row *row, char expect,
                               unsigned state)
{
    struct outcome o = {.next = state};

    if (expect == 'x')
        o.next = DFU_ERROR;
    else if (expect >= '0' && expect <= '9')
        o.next = (unsigned)(expect - '0');
    o.stalled = expect == 'x' || expect == 's';
    o.status = o.next == DFU_ERROR ? ERR_STALLEDPKT : 0;
    if (row->request == GETSTATUS && row->type == IN && !o.stalled) {
        o.answer = state == DFU_DNLOAD_SYNC ? DFU_DNBUSY : o.next;
        if (state == DFU_MANIFEST_SYNC)
            o.answer = DFU_MANIFEST;
    }
    return o;
}

/* GETSTATUS moves on what it asks for, so its status says no more than
 * whether there was an error. */
static struct outcome seen(struct rig *r, const struct row *row)
{
    int result = states_request(r, row);
    struct outcome o = {.stalled = result == URB_STALL};

    if (result < 0 && !o.stalled)
        fail_msg("%s: transfer ended with %d", row->name, result);
    if (row->request == GETSTATUS && row->type == IN && !o.stalled) {
        assert_int_equal(result, 6);
        o.answer = buffer[4];
    }
    o.next = (unsigned)rig_getstate(r);
    o.status = rig_getstatus(r).status;
    return o;
}

static bool same(struct outcome a, struct outcome b)
{
    return a.stalled == b.stalled && a.next == b.next && a.status == b.status &&
           a.answer == b.answer;
}

static void show(const char *what, struct outcome o)
{
    print_error("  %s: %s, next state %u, status %u, answer %u\n", what,
                o.stalled ? "stalled" : "answered", o.next, o.status, o.answer);
}

/* One cell of the table; 1 when it is not as it should be. */
static unsigned judge(struct rig *r, const struct row *row, char expect,
                      unsigned state)
{
    struct outcome want = expected(row, expect, state);
    struct outcome is = seen(r, row);

    if (is.next == DFU_ERROR) {
        assert_int_equal(rig_clrstatus(r), 0);
        assert_int_equal(rig_getstate(r), DFU_IDLE);
        assert_int_equal(rig_getstatus(r).status, 0);
    }
    if (same(want, is))
        return 0;
    print_error("state %u, %s\n", state, row->name);
    show("expected", want);
    show("seen", is);
    return 1;
}

void states_assert(struct rig *r, const struct state_table *t)
{
    unsigned bad = 0;

    for (size_t i = 0; i < t->n_states; i++) {
        struct chip_snapshot *here;

        bench_restart(r);
        t->enter(r, t->states[i]);
        here = chip_save(r->chip);
        for (size_t j = 0; j < t->n_rows; j++) {
            chip_restore(r->chip, here);
            bad += judge(r, &t->rows[j], t->rows[j].expect[i], t->states[i]);
            assert_int_equal(bench_check(r), 0);
        }
        chip_snapshot_free(here);
    }
    assert_int_equal(bad, 0);
}
