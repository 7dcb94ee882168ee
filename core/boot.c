/* SPDX-License-Identifier: MIT */
/* boot.c - see boot.h.  No hardware, no state. */
#include "boot.h"

#include "config.h"
#include "img.h"

BOOT_PATH uint32_t boot_image_size(const uint32_t *vectors)
{
    uint32_t length = vectors[IMG_OFF_LENGTH / 4];

    if (vectors[IMG_OFF_MAGIC / 4] == IMG_MAGIC &&
        length - IMG_HEADER_SIZE <= PART_APP_SIZE - IMG_HEADER_SIZE)
        return length;
    return PART_APP_SIZE;
}

BOOT_PATH bool boot_vectors_ok(const uint32_t *vectors)
{
    uint32_t sp = vectors[IMG_OFF_SP / 4];
    uint32_t reset = vectors[IMG_OFF_RESET / 4];

    if (sp - BOARD_RAM_BASE - 1 >= BOARD_RAM_SIZE
#ifdef BOARD_CCM_BASE
        && sp - BOARD_CCM_BASE - 1 >= BOARD_CCM_SIZE
#endif
    )
        return false;
    return sp % 4 == 0 && (reset & 1) &&
           reset - PART_APP_START < boot_image_size(vectors);
}

BOOT_PATH enum boot_decision boot_decide(const struct boot_facts *facts)
{
#if CONFIG_STAGED
    if (facts->pending && !facts->key)
        return BOOT_INSTALL;
#endif
#if CONFIG_MARK
    if (facts->torn)
        return BOOT_STAY;
#endif
    if (facts->key || !boot_vectors_ok(facts->vectors))
        return BOOT_STAY;
    return facts->asked ? BOOT_STAY_TIMED : BOOT_APP;
}
