/* SPDX-License-Identifier: MIT */
/*
 * scsi.h - the SCSI commands of a removable disk (SPC-2, SBC, MMC's READ
 * FORMAT CAPACITIES): what hosts need to mount a volume, and sense data for
 * all others.  It says how much data a command has and which way they go;
 * moving them is the transport's (msc.c).
 */
#ifndef SALLYPORT_SCSI_H
#define SALLYPORT_SCSI_H

#include "block.h"

#include <stdbool.h>
#include <stdint.h>

#define SCSI_CDB 16u /* bytes of the longest command */

/* The owner sets `drive` and all else to zero. */
struct scsi {
    bool in;         /* data of the command under way go to the host */
    bool changed;    /* the medium was away or is another one: tell it */
    uint16_t sense;  /* sense key and additional code; its qualifier is 0 */
    uint32_t length; /* bytes of data, 0: none */
    uint32_t lba;    /* of the next sector */
    struct drive *drive;
};

/* Carries out a command.  False: it failed, there are no data, and the host
 * may ask why.  Data for the host are in the BLOCK_SIZE bytes at `data`: the
 * first sector of READ, or the answer, which is shorter, with zeros behind
 * it.  The CDB is elsewhere. */
bool scsi_command(struct scsi *s, const uint8_t *cdb, uint8_t *data);

/* The next sector of READ, behind the first, or of WRITE. */
void scsi_read(struct scsi *s, uint8_t *to);
bool scsi_write(struct scsi *s, const uint8_t *from);

#endif
