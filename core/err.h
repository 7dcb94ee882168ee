/* SPDX-License-Identifier: MIT */
/*
 * err.h - the one list of what can go wrong: name, DFU status (USB DFU 1.1,
 * clause 6.1.2), number within that status, sentence.  The value of an error
 * is its DFU status plus 256 times its number, so GETSTATUS needs no table.
 */
#ifndef SALLYPORT_ERR_H
#define SALLYPORT_ERR_H

/* bStatus, USB DFU 1.1 clause 6.1.2 */
enum dfu_status {
    DFU_STATUS_OK = 0x00,
    DFU_STATUS_TARGET = 0x01,
    DFU_STATUS_FILE = 0x02,
    DFU_STATUS_WRITE = 0x03,
    DFU_STATUS_ERASE = 0x04,
    DFU_STATUS_CHECK_ERASED = 0x05,
    DFU_STATUS_PROG = 0x06,
    DFU_STATUS_VERIFY = 0x07,
    DFU_STATUS_ADDRESS = 0x08,
    DFU_STATUS_NOTDONE = 0x09,
    DFU_STATUS_FIRMWARE = 0x0A,
    DFU_STATUS_VENDOR = 0x0B,
    DFU_STATUS_USBR = 0x0C,
    DFU_STATUS_POR = 0x0D,
    DFU_STATUS_UNKNOWN = 0x0E,
    DFU_STATUS_STALLEDPKT = 0x0F,
};

/* What an update can end in.  These sentences are in the bootloader, in the
 * drive's status file: each is as short as it can be. */
#define ERR_UPDATE_LIST(X)                                                     \
    X(ERR_NONE, OK, 0, "no error")                                             \
    X(ERR_PRODUCT, TARGET, 0, "made for another product")                      \
    X(ERR_FILE, FILE, 0, "not a firmware file")                                \
    X(ERR_READ_ONLY, WRITE, 0, "area is read-only")                            \
    X(ERR_ERASE, ERASE, 0, "flash erase failed")                               \
    X(ERR_NOT_ERASED, CHECK_ERASED, 0, "sector not erased")                    \
    X(ERR_PROGRAM, PROG, 0, "flash write failed")                              \
    X(ERR_CHECK, VERIFY, 0, "image damaged: wrong CRC")                        \
    X(ERR_INCOMPLETE, NOTDONE, 0, "incomplete: copy it again")                 \
    X(ERR_ADDRESS, ADDRESS, 0, "address outside flash")                        \
    X(ERR_NO_IMAGE, FIRMWARE, 0, "no complete application")                    \
    X(ERR_BUSY, STALLEDPKT, 1, "interrupted by a DFU download")

#define ERR_LIST(X)                                                            \
    ERR_UPDATE_LIST(X)                                                         \
    X(ERR_REQUEST, STALLEDPKT, 0, "request does not fit the state")

#define ERR_VALUE(name, status, number, sentence)                              \
    name = DFU_STATUS_##status + 256 * (number),
enum err { ERR_LIST(ERR_VALUE) };
#undef ERR_VALUE

/* bStatus: the lower byte. */
static inline unsigned char err_dfu_status(enum err e)
{
    return (unsigned char)e;
}

#endif
