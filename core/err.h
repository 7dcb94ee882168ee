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

#define ERR_LIST(X)                                                            \
    X(ERR_NONE, OK, 0, "no error")                                             \
    X(ERR_PRODUCT, TARGET, 0, "the image is stamped for another product")      \
    X(ERR_READ_ONLY, WRITE, 0, "the area is read-only")                        \
    X(ERR_ERASE, ERASE, 0, "the flash did not erase")                          \
    X(ERR_NOT_ERASED, CHECK_ERASED, 0, "the sector was not erased")            \
    X(ERR_PROGRAM, PROG, 0, "the flash did not take the data")                 \
    X(ERR_CHECK, VERIFY, 0, "the image does not match its stamp")              \
    X(ERR_ADDRESS, ADDRESS, 0, "the address is outside the flash")             \
    X(ERR_NO_IMAGE, FIRMWARE, 0, "there is no complete application")           \
    X(ERR_REQUEST, STALLEDPKT, 0, "the request does not fit the state")

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
