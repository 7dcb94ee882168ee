/* SPDX-License-Identifier: MIT */
/* update_priv.h - what update.c (flashing) and update_more.c share. */
#ifndef SALLYPORT_UPDATE_PRIV_H
#define SALLYPORT_UPDATE_PRIV_H

#include "update.h"

/* False and FAIL_INTERRUPTED: somebody wants it to end. */
bool update_go_on(const struct update *u, struct fail *f);
void update_tell(const struct update *u, enum update_phase phase, uint64_t done,
                 uint64_t total);

/* Bytes of the image in [addr, addr + n) that the device has otherwise.
 * *first (may be NULL): the address of the first one. */
size_t update_compare(const struct fw *fw, uint32_t addr, const uint8_t *is,
                      size_t n, uint32_t *first, update_differ *differ,
                      void *ctx);
/* FAIL_DIFFERS with the first one.  Returns false. */
bool update_differs(const struct fw *fw, uint32_t addr, const uint8_t *is,
                    size_t n, struct fail *f);

/* After an error that leaves a device: to dfuIDLE, so that the next host
 * finds it as the first one did.  f stays what it is. */
void update_recover(const struct update *u, const struct fail *f);

#endif
