/* SPDX-License-Identifier: MIT
 *
 * The flash of a board at its own address in this process: everybody can read
 * it, only flash.h's functions change it, and they know the rules of the
 * silicon.  Built with a board.h on the include path.
 */
#ifndef FAKE_FLASH_H
#define FAKE_FLASH_H

#include <stdint.h>

struct fake_flash {
    uint8_t *cells;    /* to write to; it is read at its own address */
    uint32_t from, to; /* may be changed */
    uint64_t busy_us;  /* that operations took */
    uint32_t erases, programs;
    char fault[160]; /* the first rule that was broken, "": none */
};

/* Maps it; there is one, since its address is fixed. */
struct fake_flash *fake_flash_map(void);

/* All erased but for this, and no fault. */
void fake_flash_load(struct fake_flash *f, uint32_t addr, const uint8_t *data,
                     uint32_t n);

#endif
