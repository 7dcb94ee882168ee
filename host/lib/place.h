/* SPDX-License-Identifier: MIT */
/*
 * place.h - does firmware fit a device, and where does it go?  All of it is
 * judged by what the device says about itself (and the board that it is),
 * before anything is changed.
 */
#ifndef SALLYPORT_PLACE_H
#define SALLYPORT_PLACE_H

#include "device.h"
#include "fw.h"

/* Where an application goes: the first stretch that can be written, of
 * alt[index].  Plain DFU does not say; of a board that is known it is the
 * largest slot that it can have.  False: not known. */
bool place_slot(const struct device *d, size_t index, uint64_t *start,
                uint64_t *end);

/* Fills *out (empty, fw_init()) with the data of fw (of fw alone, not of
 * fw->next) where it belongs on this device, gaps inside a stamped image
 * filled, and tells which memory that is. address: where data goes that has no
 * place of its own, or NULL: to the start of the slot.  FAIL_UNFIT: too large,
 * outside what can be written, the bootloader's area, for another chip, product
 * or slot (text without the file's name). */
bool place_image(const struct device *d, const struct fw *fw,
                 const uint32_t *address, struct fw *out, size_t *index,
                 struct fail *f);

/* The same without the demand that it can be written and started: for a
 * comparison. */
bool place_data(const struct device *d, const struct fw *fw,
                const uint32_t *address, struct fw *out, size_t *index,
                struct fail *f);

#endif
