/* SPDX-License-Identifier: MIT */
/* sample.c - see sample.h. */
#include "sample.h"

uint8_t image[SAMPLE_ROOM], old_image[SAMPLE_ROOM], back[SAMPLE_ROOM];

uint32_t sample_size(const struct rig *r)
{
    return r->board->image;
}

uint32_t sample_sectors_end(const struct rig *r)
{
    struct rig_span last =
        rig_sector(r->board, r->board->slot + sample_size(r) - 1);

    return last.start + last.size;
}

void sample_plain(struct rig *r, uint32_t seed)
{
    rig_image(r->board, image, sample_size(r), seed);
}

void sample_stamped(struct rig *r, uint32_t seed)
{
    rig_image_stamped(r->board, image, sample_size(r), seed);
}

void sample_installed(struct rig *r, bool with_stamp)
{
    uint32_t n = sample_size(r);

    rig_image(r->board, old_image, n, 100);
    if (with_stamp)
        rig_stamp(r->board, old_image, n);
    memcpy(image, old_image, n);
    bench_installed(r, old_image, n);
}

struct rig_update sample_all(struct rig *r)
{
    return (struct rig_update){
        .addr = r->board->slot, .data = image, .n = sample_size(r)};
}

int sample_update(struct rig *r, bool leave)
{
    struct rig_update u = sample_all(r);

    u.leave = leave;
    return rig_open(r) ? -100 : rig_update(r, &u);
}

struct rig_op sample_block(struct rig *r, uint32_t at)
{
    return rig_write_at(r, r->board->slot + at, image + at, r->board->block);
}

bool sample_is_there(struct rig *r)
{
    return rig_flash_is(r, r->board->slot, image, sample_size(r));
}
