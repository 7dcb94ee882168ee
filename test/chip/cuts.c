/* SPDX-License-Identifier: MIT */
/*
 * cuts.c - see cuts.h.
 *
 * What makes tens of thousands of points affordable, and why it leaves none
 * out:
 *  - After a power cut the chip has its flash and nothing else: RAM is noise.
 *    Points with the same flash are judged once.
 *  - A chip that does not start an application is run for some milliseconds
 *    and compared, all of its RAM, with chips that were followed until they
 *    had enumerated.  Where it is the same, it is the same chip.
 *  - The update that follows writes pages in ascending order.  Before the
 *    first page that is not yet right it finds what it wants, behind it what
 *    other points have left, too: both parts are run once for all points that
 *    share them, and only the writing of the page between them for each.  A
 *    block that fills its page is sent once as well; one in CHECKED times it
 *    is sent again, to see that the RAM does not depend on what the page held.
 *    The long treatment (lab.every) does without any of this.
 *  - Where a sector is erased at its first write, points are told apart after
 *    each block of that update, by flash and RAM: one that is where another
 *    was has the same way before it.
 */
#include "cuts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A cut at every operation of so much time is run from one snapshot: 64
 * half-words of 52.5 us. */
#define STEP (3360 * SIM_US)
/* Longer than the check of an image, and fewer instructions than a step has
 * in which the CPU does not wait for the flash. */
enum { QUIET_STEPS = 13, WORK = 1000 };
enum { CHECKED = 16 };
/* Bytes of noise at the start of each block of an image of large sectors. */
enum { SPARSE = 128 };
/* From power-on until the bootloader or the application is what runs. */
#define BOOT_TIME (3 * SIM_MS)

/* ---- sets ---- */

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9E3779B97F4A7C15u;
    return h ^ h >> 29;
}

static uint64_t hash(uint64_t h, const uint8_t *p, size_t n)
{
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v;

        memcpy(&v, p, 8);
        h = mix(h, v);
    }
    return h;
}

static uint64_t *place(struct lab_set *set, uint64_t h)
{
    size_t i = h & (set->room - 1);

    while (set->slot[i] && set->slot[i] != h)
        i = (i + 1) & (set->room - 1);
    return &set->slot[i];
}

static void grow(struct lab_set *set)
{
    struct lab_set bigger = {.room = set->room ? 2 * set->room : 1024,
                             .n = set->n};

    bigger.slot = calloc(bigger.room, sizeof(*bigger.slot));
    if (!bigger.slot)
        abort();
    for (size_t i = 0; i < set->room; i++)
        if (set->slot[i])
            *place(&bigger, set->slot[i]) = set->slot[i];
    free(set->slot);
    *set = bigger;
}

/* False where it was there. */
static bool insert(struct lab_set *set, uint64_t h)
{
    uint64_t *p;

    h |= !h;
    if (2 * set->n >= set->room)
        grow(set);
    p = place(set, h);
    if (*p)
        return false;
    *p = h;
    set->n++;
    return true;
}

/* ---- life ---- */

static uint8_t *window(struct lab *l)
{
    return rig_flash(l->r, l->r->board->slot);
}

/* The sectors that hold an image. */
static uint32_t window_size(const struct rig_board *b)
{
    struct rig_span last = rig_sector(b, b->slot + b->image - 1);

    return last.start + last.size - b->slot;
}

static void no_noise(struct lab *l)
{
    const struct rig_board *b = l->r->board;

    memset(window(l), chip_flash_erased(l->r->chip), b->slot_end - b->slot);
    for (uint32_t i = b->slot_end; i < b->flash_end; i++)
        *rig_flash(l->r, i) = (uint8_t)(i * 7 ^ i >> 8);
    chip_flash_changed(l->r->chip);
}

struct lab *lab_new(struct rig *r, const struct lab_scenario *s)
{
    struct lab *l = calloc(1, sizeof(*l));
    size_t size = r->board->flash_end - r->board->flash;

    if (!l || !(l->outside = malloc(size)))
        abort();
    l->r = r;
    l->s = s;
    l->bytes = r->board->image;
    l->block = r->board->block;
    l->window = window_size(r->board);
    l->programs = r->board->whole_pages
                      ? l->bytes / r->board->unit
                      : l->bytes / l->block * SPARSE / r->board->unit;
    l->goal = s->after.n ? s->after : s->before;
    l->whole[0] = s->before;
    l->whole[1] = s->after;
    l->seed = lab_seed();
    l->every = 97;
    chip_power(r->chip, false);
    no_noise(l);
    if (rig_power_cycle(r) < 0 || rig_open(r) < 0) {
        fprintf(stderr, "%s: an empty chip does not enumerate\n", s->name);
        lab_free(l);
        return NULL;
    }
    l->idle = chip_save(r->chip);
    memcpy(l->outside, rig_flash(r, r->board->flash), size);
    return l;
}

void lab_free(struct lab *l)
{
    for (unsigned i = 0; i < l->forks; i++) {
        chip_snapshot_free(l->fork[i].before);
        chip_snapshot_free(l->fork[i].sent);
    }
    chip_snapshot_free(l->idle);
    free(l->states.slot);
    free(l->boots.slot);
    free(l->tails.slot);
    free(l->outside);
    free(l);
}

void lab_fail(struct lab *l, unsigned long *counter, const char *what)
{
    if (++*counter <= 5)
        printf("FAIL %s: %s: %s (SALLYPORT_TEST_SEED=%u)\n", l->s->name,
               l->where, what, (unsigned)l->seed);
}

unsigned long lab_failures(const struct lab_counts *c)
{
    return c->half + c->bricks + c->unrecovered + c->damaged + c->errors;
}

uint32_t lab_seed(void)
{
    const char *text = getenv("SALLYPORT_TEST_SEED");

    return text ? (uint32_t)strtoul(text, NULL, 0) : 1;
}

unsigned lab_deep(void)
{
    const char *text = getenv("SALLYPORT_TEST_DEEP");

    return text ? (unsigned)strtoul(text, NULL, 0) : 0;
}

bool lab_sample(void)
{
    return getenv("SALLYPORT_TEST_SAMPLE") && !lab_deep();
}

/* ---- the walk ---- */

static void visit(struct lab *l, struct chip_snapshot *from, unsigned n)
{
    struct chip_snapshot *end = chip_save(l->r->chip);

    l->visit(l, from, n);
    l->op += n;
    chip_restore(l->r->chip, end);
    chip_snapshot_free(end);
}

/* The host sleeps until the chip has been quiet for longer than an operation
 * takes. */
static void sleep_and_visit(struct lab *l)
{
    struct chip *c = l->r->chip;

    for (unsigned quiet = 0; quiet < QUIET_STEPS; quiet++) {
        struct chip_snapshot *from = chip_save(c);
        uint64_t ops = chip_flash_ops(c), work = chip_instructions(c);

        host_wait(l->r->host, STEP);
        ops = chip_flash_ops(c) - ops;
        if (ops || chip_instructions(c) - work < WORK)
            quiet = 0;
        if (ops)
            visit(l, from, (unsigned)ops);
        chip_snapshot_free(from);
    }
}

static bool idle_in(struct lab *l, unsigned state)
{
    struct rig_status s = rig_getstatus(l->r);

    return s.result == 6 && s.status == 0 && s.state == state;
}

static bool step(struct lab *l, uint16_t block, const void *data, size_t n)
{
    if (rig_dnload(l->r, block, data, n) < 0 || !idle_in(l, DFU_DNBUSY))
        return false;
    do
        sleep_and_visit(l);
    while (rig_getstate(l->r) == DFU_DNBUSY);
    return idle_in(l, DFU_DNLOAD_IDLE);
}

static bool address_step(struct lab *l, uint8_t command, uint32_t addr)
{
    uint8_t bytes[5] = {command};

    rig_put32(bytes + 1, addr);
    return step(l, 0, bytes, sizeof(bytes));
}

static bool erase_steps(struct lab *l)
{
    const struct rig_board *b = l->r->board;
    struct rig_span sector = rig_nth_sector(b, 0);

    for (; sector.start < b->slot + l->bytes;
         sector = rig_sector(b, sector.start + sector.size))
        if (!address_step(l, 0x41, sector.start))
            return false;
    return true;
}

static bool abort_step(struct lab *l)
{
    if (rig_abort(l->r) < 0)
        return false;
    sleep_and_visit(l);
    return idle_in(l, DFU_IDLE);
}

static bool block_steps(struct lab *l, struct lab_image image, size_t at)
{
    for (; at < image.n; at += l->block) {
        size_t n = image.n - at < l->block ? image.n - at : l->block;

        if (!address_step(l, 0x21, l->r->board->slot + (uint32_t)at) ||
            !step(l, 2, image.data + at, n))
            return false;
    }
    return true;
}

static bool leave_step(struct lab *l)
{
    if (!address_step(l, 0x21, l->r->board->slot) ||
        rig_dnload(l->r, 2, NULL, 0) < 0 || !idle_in(l, DFU_MANIFEST))
        return false;
    sleep_and_visit(l);
    return true;
}

static bool patch_steps(struct lab *l)
{
    struct rig_span page = rig_nth_page(l->r->board, 1);
    size_t at = page.start - l->r->board->slot;
    struct lab_image image = {l->s->after.data, at + page.size};

    if (!l->r->board->whole_pages && !address_step(l, 0x41, page.start))
        return false;
    return block_steps(l, image, at);
}

static bool act(struct lab *l)
{
    switch (l->s->action) {
    case LAB_MASS_ERASE:
        return step(l, 0, "\x41", 1) && abort_step(l);
    case LAB_PAGE_ERASE:
        return erase_steps(l) && abort_step(l);
    case LAB_PATCH:
        return patch_steps(l) && abort_step(l) && leave_step(l) &&
               rig_app_runs(l->r, 500 * SIM_MS);
    default:
        return erase_steps(l) && block_steps(l, l->s->after, 0) &&
               abort_step(l) && leave_step(l) &&
               rig_app_runs(l->r, 500 * SIM_MS);
    }
}

/* The flash holds just this image, or nothing. */
static bool flash_is(struct lab *l, struct lab_image image)
{
    return !memcmp(window(l), image.data, image.n) &&
           rig_flash_blank(l->r, l->r->board->slot + (uint32_t)image.n,
                           l->window - image.n);
}

/* An idle bootloader over flash contents of our choice. */
static void under_idle(struct lab *l, const uint8_t *flash, size_t n)
{
    uint8_t bytes[LAB_ROOM];

    memset(bytes, chip_flash_erased(l->r->chip), l->window);
    if (n)
        memcpy(bytes, flash, n);
    chip_restore(l->r->chip, l->idle);
    chip_poke(l->r->chip, l->r->board->slot, bytes, l->window);
}

struct chip_snapshot *lab_start(struct lab *l)
{
    under_idle(l, l->s->before.data, l->s->before.n);
    return chip_save(l->r->chip);
}

bool lab_walk(struct lab *l, lab_visit_fn *fn)
{
    uint64_t ops;

    l->visit = fn;
    l->op = 0;
    under_idle(l, l->s->before.data, l->s->before.n);
    ops = chip_flash_ops(l->r->chip);
    if (!act(l) || chip_guest_errors(l->r->chip))
        return false;
    l->count.ops = chip_flash_ops(l->r->chip) - ops;
    return l->count.ops == l->op && flash_is(l, l->s->after);
}

/* ---- judgement ---- */

static bool is_whole(struct lab *l)
{
    for (unsigned i = 0; i < 3; i++)
        if (l->whole[i].n &&
            !memcmp(window(l), l->whole[i].data, l->whole[i].n))
            return true;
    return false;
}

bool lab_started(struct lab *l)
{
    const struct rig_board *b = l->r->board;
    uint32_t pc;

    host_wait(l->r->host, BOOT_TIME);
    if (!rig_in_app(l->r))
        return false;
    pc = chip_pc(l->r->chip);
    if (!is_whole(l))
        lab_fail(l, &l->count.half, "half an image starts");
    else if (pc - b->slot >= l->bytes)
        lab_fail(l, &l->count.bricks, "the application does not run");
    return true;
}

static void check_outside(struct lab *l)
{
    const struct rig_board *b = l->r->board;
    size_t head = b->slot - b->flash, tail = head + l->window;

    if (memcmp(l->outside, rig_flash(l->r, b->flash), head) ||
        memcmp(l->outside + tail, rig_flash(l->r, b->flash + (uint32_t)tail),
               b->flash_end - b->flash - tail))
        lab_fail(l, &l->count.damaged, "flash outside the images changed");
}

bool lab_known(struct lab *l)
{
    return !insert(&l->states, hash(1, window(l), l->window));
}

static uint64_t ram_hash(struct lab *l)
{
    static uint8_t ram[0x20000];

    size_t n = l->r->board->ram_end - l->r->board->ram;

    if (n > sizeof(ram) || !chip_peek(l->r->chip, l->r->board->ram, ram, n))
        abort();
    return hash(chip_pc(l->r->chip), ram, n);
}

static bool boot_known(struct lab *l)
{
    return !insert(&l->boots, ram_hash(l));
}

static void check_errors(struct lab *l)
{
    if (chip_guest_errors(l->r->chip))
        lab_fail(l, &l->count.errors, chip_last_guest_error(l->r->chip));
}

/* ---- the update that follows ---- */

static size_t block_size(const struct lab *l, unsigned page)
{
    size_t at = (size_t)page * l->block;

    return l->goal.n - at < l->block ? l->goal.n - at : l->block;
}

static bool send_block(struct lab *l, unsigned page)
{
    size_t at = (size_t)page * l->block;

    return rig_ok(rig_set_address(l->r, l->r->board->slot + (uint32_t)at)) &&
           rig_dnload(l->r, 2, l->goal.data + at, block_size(l, page)) >= 0;
}

/* Sleeps as it is told until the block is written. */
static bool poll_block(struct lab *l)
{
    for (unsigned i = 0; i < 100; i++) {
        struct rig_status s = rig_getstatus(l->r);

        if (s.result != 6 || s.status || s.state != DFU_DNBUSY)
            return s.result == 6 && !s.status && s.state == DFU_DNLOAD_IDLE;
        host_wait(l->r->host, s.poll_ms * SIM_MS);
    }
    return false;
}

static bool write_block(struct lab *l, unsigned page)
{
    return send_block(l, page) && poll_block(l);
}

/* After the last block: until the image is in the flash, then off and on. */
static bool finish(struct lab *l)
{
    const struct rig_board *b = l->r->board;
    unsigned limit = 140 + 2 * rig_erase_ms(b, b->slot, 1);

    if (rig_abort(l->r) < 0 || !idle_in(l, DFU_IDLE) ||
        !rig_ok(rig_set_address(l->r, l->r->board->slot)) ||
        rig_leave(l->r).state != DFU_MANIFEST)
        return false;
    for (unsigned ms = 0; ms < limit && !flash_is(l, l->goal); ms++)
        host_wait(l->r->host, SIM_MS);
    if (!flash_is(l, l->goal))
        return false;
    host_wait(l->r->host, SIM_MS); /* the last half-word */
    check_outside(l);
    chip_power(l->r->chip, false);
    chip_power(l->r->chip, true);
    return lab_started(l);
}

bool lab_install(struct lab *l)
{
    struct rig_update u = {.addr = l->r->board->slot,
                           .data = l->goal.data,
                           .n = l->goal.n,
                           .no_abort = true};

    return rig_update(l->r, &u) == 0 && finish(l);
}

void lab_update_again(struct lab *l)
{
    uint8_t flash[LAB_ROOM];

    memcpy(flash, window(l), l->window);
    under_idle(l, flash, l->window);
    if (!lab_install(l))
        lab_fail(l, &l->count.unrecovered, "the update after it fails");
    check_errors(l);
}

/* The first page that the update has to write.  The first word does not
 * count: it is written last. */
static unsigned first_page_to_write(const struct lab *l, const uint8_t *flash)
{
    uint8_t erased = chip_flash_erased(l->r->chip);

    for (size_t i = 4; i < l->bytes; i++)
        if (flash[i] != (i < l->goal.n ? l->goal.data[i] : erased))
            return (unsigned)(i / l->block);
    return 0;
}

static bool run_up_to(struct lab *l, unsigned page)
{
    const struct rig_board *b = l->r->board;
    struct rig_span sector = rig_nth_sector(b, 0);

    for (; sector.start < b->slot + l->bytes;
         sector = rig_sector(b, sector.start + sector.size))
        if (!rig_ok(rig_erase(l->r, sector.start)))
            return false;
    for (unsigned i = 0; i < page; i++)
        if (!write_block(l, i))
            return false;
    return true;
}

/* The block that fills a page is sent before what it replaces is known. */
static bool sent_ahead(const struct lab *l, unsigned page)
{
    return block_size(l, page) == l->block;
}

static const struct lab_fork *new_fork(struct lab *l, unsigned page,
                                       const uint8_t *flash, uint64_t key)
{
    struct lab_fork *f = &l->fork[l->forks];

    under_idle(l, flash, l->window);
    if (!run_up_to(l, page))
        return NULL;
    *f = (struct lab_fork){.key = key, .before = chip_save(l->r->chip)};
    if (sent_ahead(l, page) && !send_block(l, page))
        return NULL;
    f->sent = chip_save(l->r->chip);
    f->ram = ram_hash(l);
    l->forks++;
    return f;
}

/* NULL where it fails, or where there is no room for one more. */
static const struct lab_fork *fork_before(struct lab *l, unsigned page,
                                          const uint8_t *flash)
{
    uint8_t rest[LAB_ROOM];
    uint64_t key;

    memcpy(rest, flash, l->window);
    memset(rest + (size_t)page * l->block, 0, l->block);
    key = hash(page, rest, l->window);
    for (unsigned i = 0; i < l->forks; i++)
        if (l->fork[i].key == key)
            return &l->fork[i];
    return l->forks < LAB_FORKS ? new_fork(l, page, flash, key) : NULL;
}

static void go_to(struct lab *l, const struct chip_snapshot *at, unsigned page,
                  const uint8_t *flash)
{
    chip_restore(l->r->chip, at);
    chip_poke(l->r->chip, l->r->board->slot + page * l->block,
              flash + (size_t)page * l->block, l->block);
}

/* To where the block of the page is in the chip's RAM. */
static bool go_to_block(struct lab *l, const struct lab_fork *f, unsigned page,
                        const uint8_t *flash)
{
    uint8_t before[LAB_ROOM];

    if (sent_ahead(l, page) && l->count.states % CHECKED) {
        go_to(l, f->sent, page, flash);
        return true;
    }
    go_to(l, f->before, page, flash);
    memcpy(before, window(l), l->window);
    if (!send_block(l, page))
        return false;
    return !sent_ahead(l, page) ||
           (ram_hash(l) == f->ram && !memcmp(window(l), before, l->window));
}

static bool run_the_rest(struct lab *l, unsigned page)
{
    unsigned pages = (unsigned)((l->goal.n + l->block - 1) / l->block);

    if (!insert(&l->tails, hash(page, window(l), l->window)))
        return true;
    while (++page < pages)
        if (!write_block(l, page))
            return false;
    return finish(l);
}

static bool recovers_by_page(struct lab *l, const uint8_t *flash)
{
    unsigned page = first_page_to_write(l, flash);
    const struct lab_fork *f = fork_before(l, page, flash);

    if (!f && l->forks == LAB_FORKS) {
        under_idle(l, flash, l->window);
        return lab_install(l);
    }
    return f && go_to_block(l, f, page, flash) && poll_block(l) &&
           run_the_rest(l, page);
}

/* Where a sector is erased at its first write, what it held is soon gone. */
static bool recovers_by_block(struct lab *l, const uint8_t *flash)
{
    unsigned blocks = (unsigned)((l->goal.n + l->block - 1) / l->block);

    under_idle(l, flash, l->window);
    if (!run_up_to(l, 0))
        return false;
    for (unsigned i = 0; i < blocks; i++) {
        if (!write_block(l, i))
            return false;
        if (!insert(&l->tails, mix(hash(i, window(l), l->window), ram_hash(l))))
            return true;
    }
    return finish(l);
}

static bool recovers(struct lab *l)
{
    uint8_t flash[LAB_ROOM];

    memcpy(flash, window(l), l->window);
    return l->r->board->whole_pages ? recovers_by_page(l, flash)
                                    : recovers_by_block(l, flash);
}

void lab_judge(struct lab *l)
{
    check_outside(l);
    if (lab_known(l))
        return;
    l->count.states++;
    chip_power(l->r->chip, true);
    if (lab_started(l)) {
        l->count.apps++;
    } else if (!boot_known(l)) {
        l->count.boots++;
        if (!rig_in_bootloader(l->r))
            lab_fail(l, &l->count.bricks, "neither bootloader nor application");
    }
    check_errors(l);
    if (!recovers(l))
        lab_fail(l, &l->count.unrecovered, "the update after it fails");
    check_errors(l);
}

/* ---- scenarios ---- */

enum { SHORT = 300 };
static uint8_t old_plain[LAB_ROOM], old_stamped[LAB_ROOM];
static uint8_t new_plain[LAB_ROOM], new_stamped[LAB_ROOM];
static uint8_t middle[LAB_ROOM], first[LAB_ROOM], hole[LAB_ROOM];

/* Large sectors are not filled: words that stay erased are no operations, and
 * those in the middle of a block are all alike. */
static void make_image(const struct rig_board *b, uint8_t *image, uint32_t seed)
{
    rig_image(b, image, b->image, seed);
    for (uint32_t at = 0; at < b->image && !b->whole_pages; at += b->block)
        memset(image + at + SPARSE, 0xFF, b->block - SPARSE);
}

/* Stacks from the end of RAM and from the middle: their upper half-words
 * differ. */
static void make_images(const struct rig_board *b)
{
    uint32_t page = rig_nth_page(b, b->whole_pages ? 3 : 1).start - b->slot;
    uint32_t n = b->whole_pages ? rig_nth_page(b, 0).size : SPARSE;

    make_image(b, old_plain, 1);
    rig_put32(old_plain, b->ram_end);
    make_image(b, new_plain, 2);
    make_image(b, old_stamped, 3);
    rig_stamp(b, old_stamped, b->image);
    make_image(b, new_stamped, 4);
    rig_put32(new_stamped, b->ram_end);
    rig_stamp(b, new_stamped, b->image);
    memcpy(middle, old_plain, b->image);
    memcpy(middle + page, new_plain + page, n);
    memcpy(first, old_stamped, b->image);
    memcpy(first + 0x40, new_plain + 0x40, n - 0x40);
    rig_stamp(b, first, b->image);
    /* Only the second page is not that of old_stamped: its stamp fits when
     * that page has come. */
    page = rig_nth_page(b, 1).start - b->slot;
    memcpy(hole, old_stamped, b->image);
    memcpy(hole + page, new_plain + page, n);
}

#define WHOLE UINT32_MAX
static struct lab_scenario scenarios[] = {
    {"onto-empty", LAB_UPDATE, {NULL, 0}, {new_plain, WHOLE}},
    {"stamped", LAB_UPDATE, {old_stamped, WHOLE}, {new_stamped, WHOLE}},
    {"plain", LAB_UPDATE, {old_plain, WHOLE}, {new_plain, WHOLE}},
    {"middle-page", LAB_UPDATE, {old_plain, WHOLE}, {middle, WHOLE}},
    {"first-page", LAB_UPDATE, {old_stamped, WHOLE}, {first, WHOLE}},
    {"patch", LAB_PATCH, {hole, WHOLE}, {old_stamped, WHOLE}},
    {"mass-erase", LAB_MASS_ERASE, {old_plain, WHOLE}, {NULL, 0}},
    {"page-erase", LAB_PAGE_ERASE, {old_stamped, WHOLE}, {NULL, 0}},
};
enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

/* Images as long as the board's; the first one ends with a short block. */
static void make_scenarios(const struct rig_board *b)
{
    make_images(b);
    for (unsigned i = 0; i < SCENARIOS; i++) {
        scenarios[i].before.n = scenarios[i].before.n ? b->image : 0;
        scenarios[i].after.n = scenarios[i].after.n ? b->image : 0;
    }
    scenarios[0].after.n -= SHORT;
}

const struct lab_scenario *lab_scenario(const struct rig_board *b, unsigned i)
{
    if (scenarios[0].after.n == WHOLE)
        make_scenarios(b);
    return i < SCENARIOS ? &scenarios[i] : NULL;
}
