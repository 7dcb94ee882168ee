/* SPDX-License-Identifier: MIT */
/*
 * block.h - the boundary between the SCSI commands and the drive behind them:
 * sectors, numbered from 0.  Implemented by drive.c.
 *
 * Nothing here fails: the range was checked, and what is wrong with the data
 * is told by the status file.  Nothing here changes flash, so that all of it
 * may be called while the flash works.
 */
#ifndef SALLYPORT_BLOCK_H
#define SALLYPORT_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define BLOCK_SIZE 512u

struct drive;

/* Sectors of the volume. */
uint32_t block_count(void);

/* One sector.  Buffers are aligned to 4 bytes. */
void block_read(struct drive *d, uint32_t lba, uint8_t *to);
/* False: there is no room.  To be tried again; the host is held off. */
bool block_write(struct drive *d, uint32_t lba, const uint8_t *from);

/* SYNCHRONIZE CACHE. */
void block_sync(struct drive *d);
/* START STOP UNIT that stops: the host is done with the volume.  Its answer
 * is not sent yet: what follows from it waits until msc_idle(). */
void block_eject(struct drive *d);

/* False between the end of an update and the fresh mount.  The host is told
 * that the medium changed after it has seen one such time. */
bool block_present(const struct drive *d);

#endif
