/* SPDX-License-Identifier: MIT */
/*
 * usb_echo_dwc2.h - registers of OTG_FS as usb_echo_dwc2.c and test_dwc2.c use
 * them.  Source: RM0090, 34.16.
 */
#ifndef TEST_USB_ECHO_DWC2_H
#define TEST_USB_ECHO_DWC2_H

#include "usb_echo.h"

enum {
    GOTGCTL = 0x00,
    GOTGINT = 0x04,
    GAHBCFG = 0x08,
    GUSBCFG = 0x0c,
    GRSTCTL = 0x10,
    GINTSTS = 0x14,
    GINTMSK = 0x18,
    GRXSTSR = 0x1c,
    GRXSTSP = 0x20,
    GRXFSIZ = 0x24,
    DIEPTXF0 = 0x28,
    GCCFG = 0x38,
    DCFG = 0x800,
    DCTL = 0x804,
    DSTS = 0x808,
    DIEPMSK = 0x810,
    DOEPMSK = 0x814,
    DAINT = 0x818,
    DAINTMSK = 0x81c,
    DIEPEMPMSK = 0x834,
    PCGCCTL = 0xe00,
};
#define DIEPTXF(n)  (0x104u + 4 * ((n)-1u))
#define DIEPCTL(n)  (0x900u + 0x20 * (n))
#define DIEPINT(n)  (0x908u + 0x20 * (n))
#define DIEPTSIZ(n) (0x910u + 0x20 * (n))
#define DTXFSTS(n)  (0x918u + 0x20 * (n))
#define DOEPCTL(n)  (0xb00u + 0x20 * (n))
#define DOEPINT(n)  (0xb08u + 0x20 * (n))
#define DOEPTSIZ(n) (0xb10u + 0x20 * (n))
#define DFIFO(n)    (0x1000u + 0x1000 * (n))

#define BIT(n)  (1u << (n))
#define EPENA   BIT(31)
#define EPDIS   BIT(30)
#define SD0PID  BIT(28)
#define SNAK    BIT(27)
#define CNAK    BIT(26)
#define STALLED BIT(21)
#define BULK    (2u << 18)
#define NAKSTS  BIT(17)
#define DPID    BIT(16)
#define USBAEP  BIT(15)
#define PKT(n)  ((unsigned)(n) << 19)
#define CONNECT (BIT(16) | BIT(21)) /* PWRDWN, NOVBUSSENS */

void otg_set(struct chip *c, uint32_t off, uint32_t bits);
void otg_clear(struct chip *c, uint32_t off, uint32_t bits);
/* Set up as a device, pull-up on. */
void dwc2_power_up(struct chip *c);
/* FIFOs and EP0, as after a bus reset. */
void dwc2_start_ep0(struct chip *c);
/* One transfer of one packet on an IN endpoint. */
void dwc2_send(struct chip *c, unsigned ep, const uint8_t *p, size_t n);
void dwc2_arm(struct chip *c, unsigned ep);

#endif
