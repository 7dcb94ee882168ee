/* SPDX-License-Identifier: MIT */
/*
 * err.h - the one list of what can go wrong: name, DFU status (USB DFU 1.1,
 * clause 6.1.2), sentence.  The value of an error is its DFU status, so
 * GETSTATUS needs no table.
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

/* In the order of their status.  X: what an update by the drive can end in;
 * these sentences are in the bootloader, each is as short as it can be.  D:
 * what only DFU hosts see, as a status.  B: as X, where there are both doors.
 * The Chinese sentence (UTF-8) is in profiles with CONFIG_FILES, behind the
 * English one.
 */
#define ERR_LIST_OF(X, D, B)                                                   \
    X(ERR_NONE, OK, "no error", "没有错误")                                    \
    X(ERR_PRODUCT, TARGET, "for another product, copy another",                \
      "不是本产品的固件，请换一个文件")                                        \
    X(ERR_FILE, FILE, "no firmware, copy another", "不是固件，请换一个文件")   \
    D(ERR_READ_ONLY, WRITE, "area is read-only", "该区域只读")                 \
    X(ERR_ERASE, ERASE, "erase failed, copy again", "擦除失败，请重新复制")    \
    D(ERR_NOT_ERASED, CHECK_ERASED, "not erased, copy again",                  \
      "未擦除，请重新复制")                                                    \
    X(ERR_PROGRAM, PROG, "write failed, copy again", "写入失败，请重新复制")   \
    X(ERR_CHECK, VERIFY, "image damaged, copy again",                          \
      "固件已损坏，请重新复制")                                                \
    X(ERR_ADDRESS, ADDRESS, "outside the slot, copy another",                  \
      "超出应用区，请换一个文件")                                              \
    X(ERR_INCOMPLETE, NOTDONE, "copy incomplete, copy again",                  \
      "复制不完整，请重新复制")                                                \
    X(ERR_NO_IMAGE, FIRMWARE, "no application, copy another",                  \
      "没有应用程序，请换一个文件")                                            \
    B(ERR_BUSY, VENDOR, "interrupted by DFU, copy again",                      \
      "被 DFU 打断，请重新复制")                                               \
    D(ERR_REQUEST, STALLEDPKT, "request does not fit the state",               \
      "当前状态不接受此请求")

#define ERR_LIST(X)                               ERR_LIST_OF(X, X, X)
#define ERR_SKIP(name, status, sentence, chinese) /* nothing */

#define ERR_VALUE(name, status, sentence, chinese) name = DFU_STATUS_##status,
enum err { ERR_LIST(ERR_VALUE) };
#undef ERR_VALUE

#endif
