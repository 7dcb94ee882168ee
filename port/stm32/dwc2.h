/* SPDX-License-Identifier: MIT */
/*
 * dwc2.h - registers of the DesignWare USB 2.0 OTG block ("OTG_FS" in RM0090
 * clause 34.16) as a device, and the facts in which its users differ.
 */
#ifndef PORT_DWC2_H
#define PORT_DWC2_H

#include <stdint.h>

#ifndef DWC2_BASE
#define DWC2_BASE 0x50000000u
#endif

/* Without VBUS the block does not connect.  F405, F407 and F411 can be told not
 * to look (NOVBUSSENS); F105 and F107 cannot: their PA9 has to be VBUS
 * (VBUSBSEN; RM0008 clause 28.16.2). */
#ifdef STM32F107
#define DWC2_GCCFG_VBUS (1u << 19)
#else
#define DWC2_GCCFG_VBUS (1u << 21)
#endif

#define DWC2_REG(off) (*(volatile uint32_t *)(DWC2_BASE + (off)))

/* ---- core ---- */
#define DWC2_GUSBCFG  DWC2_REG(0x00Cu)
#define DWC2_GRSTCTL  DWC2_REG(0x010u)
#define DWC2_GINTSTS  DWC2_REG(0x014u)
#define DWC2_GRXSTSR  DWC2_REG(0x01Cu) /* looks, */
#define DWC2_GRXSTSP  DWC2_REG(0x020u) /* takes */
#define DWC2_GRXFSIZ  DWC2_REG(0x024u)
#define DWC2_DIEPTXF0 DWC2_REG(0x028u)
#define DWC2_DIEPTXF1 DWC2_REG(0x104u)
#define DWC2_GCCFG    DWC2_REG(0x038u)
/* The FIFOs of endpoint n, any word of these 4 KB; all read the same one */
#define DWC2_FIFO(n) DWC2_REG(0x1000u * ((n) + 1u))

#define DWC2_GUSBCFG_PHYSEL  (1u << 6)
#define DWC2_GUSBCFG_TRDT(n) ((n) << 10)
#define DWC2_GUSBCFG_FDMOD   (1u << 30)

#define DWC2_GRSTCTL_RXFFLSH   (1u << 4)
#define DWC2_GRSTCTL_TXFFLSH   (1u << 5)
#define DWC2_GRSTCTL_TXFNUM(n) ((n) << 6)

#define DWC2_GINTSTS_RXFLVL (1u << 4)
#define DWC2_GINTSTS_USBRST (1u << 12)

#define DWC2_GRXSTS_EPNUM(s)   ((s)&15u)
#define DWC2_GRXSTS_BCNT(s)    ((s) >> 4 & 0x7FFu)
#define DWC2_GRXSTS_PKTSTS(s)  ((s) >> 17 & 15u)
#define DWC2_PKTSTS_OUT        2u
#define DWC2_PKTSTS_OUT_DONE   3u
#define DWC2_PKTSTS_SETUP_DONE 4u
#define DWC2_PKTSTS_SETUP      6u

#define DWC2_GCCFG_PWRDWN (1u << 16) /* transceiver on */

/* ---- device ---- */
#define DWC2_DCFG        DWC2_REG(0x800u)
#define DWC2_DCTL        DWC2_REG(0x804u)
#define DWC2_DSTS        DWC2_REG(0x808u)
#define DWC2_DIEPCTL(n)  DWC2_REG(0x900u + 0x20u * (n))
#define DWC2_DIEPINT(n)  DWC2_REG(0x908u + 0x20u * (n))
#define DWC2_DIEPTSIZ(n) DWC2_REG(0x910u + 0x20u * (n))
#define DWC2_DOEPCTL(n)  DWC2_REG(0xB00u + 0x20u * (n))
#define DWC2_DOEPINT(n)  DWC2_REG(0xB08u + 0x20u * (n))
#define DWC2_DOEPTSIZ(n) DWC2_REG(0xB10u + 0x20u * (n))

#define DWC2_DCFG_DSPD_FS  3u
#define DWC2_DCFG_DAD(n)   ((n) << 4)
#define DWC2_DCFG_DAD_MASK DWC2_DCFG_DAD(0x7Fu)

#define DWC2_DCTL_SDIS (1u << 1)

#define DWC2_DSTS_FNSOF 8u /* the first bit */

/* MPSIZ, USBAEP, EPTYP and TXFNUM: not of endpoint 0 */
#define DWC2_EPCTL_MPSIZ(n)  (n)
#define DWC2_EPCTL_USBAEP    (1u << 15)
#define DWC2_EPCTL_NAKSTS    (1u << 17)
#define DWC2_EPCTL_BULK      (2u << 18)
#define DWC2_EPCTL_STALL     (1u << 21)
#define DWC2_EPCTL_TXFNUM(n) ((n) << 22)
#define DWC2_EPCTL_CNAK      (1u << 26)
#define DWC2_EPCTL_SNAK      (1u << 27)
#define DWC2_EPCTL_SD0PID    (1u << 28)
#define DWC2_EPCTL_EPDIS     (1u << 30)
#define DWC2_EPCTL_EPENA     (1u << 31)

#define DWC2_DIEPINT_XFRC   (1u << 0)
#define DWC2_DIEPINT_INEPNE (1u << 6) /* NAK is in effect */
#define DWC2_DOEPINT_STUP   (1u << 3)

#define DWC2_EPTSIZ_PKTCNT_1    (1u << 19)
#define DWC2_DOEPTSIZ_STUPCNT_3 (3u << 29)

#endif
