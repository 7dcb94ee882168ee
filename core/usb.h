/* SPDX-License-Identifier: MIT */
/*
 * usb.h - numbers of the standards: USB 2.0 chapter 9, USB DFU 1.1, and ST's
 * DfuSe extension (UM0424, AN3156).  Spelled as the standards spell them.
 */
#ifndef SALLYPORT_USB_H
#define SALLYPORT_USB_H

#include <stdint.h>

/* USB 2.0 table 9-2; little-endian like every CPU this runs on. */
struct usb_setup {
    uint8_t bmRequestType;
    uint8_t bRequest;
    uint16_t wValue;
    uint16_t wIndex;
    uint16_t wLength;
};
_Static_assert(sizeof(struct usb_setup) == 8, "a SETUP packet has 8 bytes");

/* bmRequestType */
#define USB_DIR_IN          0x80u
#define USB_TYPE_MASK       0x60u
#define USB_TYPE_STANDARD   0x00u
#define USB_TYPE_CLASS      0x20u
#define USB_TYPE_VENDOR     0x40u
#define USB_RECIP_DEVICE    0x00u
#define USB_RECIP_INTERFACE 0x01u
#define USB_RECIP_ENDPOINT  0x02u

/* bRequest, table 9-4 */
enum {
    USB_GET_STATUS = 0,
    USB_CLEAR_FEATURE = 1,
    USB_SET_FEATURE = 3,
    USB_SET_ADDRESS = 5,
    USB_GET_DESCRIPTOR = 6,
    USB_SET_DESCRIPTOR = 7,
    USB_GET_CONFIGURATION = 8,
    USB_SET_CONFIGURATION = 9,
    USB_GET_INTERFACE = 10,
    USB_SET_INTERFACE = 11,
    USB_SYNCH_FRAME = 12,
};

/* Descriptor types, table 9-5 */
enum {
    USB_DESC_DEVICE = 1,
    USB_DESC_CONFIGURATION = 2,
    USB_DESC_STRING = 3,
    USB_DESC_INTERFACE = 4,
    USB_DESC_ENDPOINT = 5,
    /* Wireless USB 1.0 table 7-1, as in USB 3.1 table 9-6 */
    USB_DESC_BOS = 15,
    USB_DESC_DEVICE_CAPABILITY = 16,
};

/* bmAttributes of an endpoint, table 9-13 */
#define USB_BULK 2u

/* Mass storage class: SCSI, bulk-only transport */
#define MSC_CLASS    0x08u
#define MSC_SUBCLASS 0x06u
#define MSC_PROTOCOL 0x50u

/* Feature selectors, table 9-6 */
#define USB_ENDPOINT_HALT 0u

#define USB_LANGID_ENGLISH_US 0x0409u

/* USB DFU 1.1, clause 3 */
enum {
    DFU_DETACH = 0,
    DFU_DNLOAD = 1,
    DFU_UPLOAD = 2,
    DFU_GETSTATUS = 3,
    DFU_CLRSTATUS = 4,
    DFU_GETSTATE = 5,
    DFU_ABORT = 6,
};

/* bState, USB DFU 1.1 clause 6.1.2 */
enum dfu_state {
    DFU_appIDLE = 0,
    DFU_appDETACH = 1,
    DFU_dfuIDLE = 2,
    DFU_dfuDNLOAD_SYNC = 3,
    DFU_dfuDNBUSY = 4,
    DFU_dfuDNLOAD_IDLE = 5,
    DFU_dfuMANIFEST_SYNC = 6,
    DFU_dfuMANIFEST = 7,
    DFU_dfuMANIFEST_WAIT_RESET = 8,
    DFU_dfuUPLOAD_IDLE = 9,
    DFU_dfuERROR = 10,
};

/* Functional descriptor, clause 4.1.3 */
#define DFU_DESC_FUNCTIONAL  0x21u
#define DFU_CAN_DNLOAD       0x01u
#define DFU_CAN_UPLOAD       0x02u
#define DFU_TOLERANT         0x04u /* answers after manifestation */
#define DFU_WILL_DETACH      0x08u
#define DFU_CLASS            0xFEu
#define DFU_SUBCLASS         0x01u
#define DFU_PROTOCOL_RUNTIME 0x01u
#define DFU_PROTOCOL_DFU     0x02u
#define DFU_BCD              0x0110u
#define DFUSE_BCD            0x011Au

/* DfuSe commands: DNLOAD with wValue 0 (AN3156 clause 3) */
#define DFUSE_GET_COMMANDS 0x00u
#define DFUSE_SET_ADDRESS  0x21u
#define DFUSE_ERASE        0x41u
#define DFUSE_FIRST_BLOCK  2u /* wValue of the first data block */

/* A 16-bit number in a descriptor. */
#define USB_U16(n) (uint8_t)((n)&0xFFu), (uint8_t)((n) >> 8)

#endif
