/* SPDX-License-Identifier: MIT */
/*
 * dwc2.h - registers of the DesignWare USB 2.0 OTG block ("OTG_FS" in RM0090
 * clause 34.16) as a device with endpoint 0, and the facts in which its users
 * differ.
 */
#ifndef PORT_DWC2_H
#define PORT_DWC2_H

#include <stdint.h>

#ifndef DWC2_BASE
#define DWC2_BASE 0x50000000u
#endif

/* How the block is told not to look at VBUS: F405, F407 and F411 have
 * NOVBUSSENS for it, others do not look unless they are told to. */
#ifndef DWC2_GCCFG_NO_VBUS
#define DWC2_GCCFG_NO_VBUS (1u << 21)
#endif

#define DWC2_REG(off) (*(volatile uint32_t *)(DWC2_BASE + (off)))

/* ---- core ---- */
#define DWC2_GUSBCFG  DWC2_REG(0x00Cu)
#define DWC2_GRSTCTL  DWC2_REG(0x010u)
#define DWC2_GINTSTS  DWC2_REG(0x014u)
#define DWC2_GRXSTSP  DWC2_REG(0x020u)
#define DWC2_GRXFSIZ  DWC2_REG(0x024u)
#define DWC2_DIEPTXF0 DWC2_REG(0x028u)
#define DWC2_GCCFG    DWC2_REG(0x038u)
/* The FIFOs of endpoint 0, any word of these 4 KB */
#define DWC2_FIFO DWC2_REG(0x1000u)

#define DWC2_GUSBCFG_PHYSEL  (1u << 6)
#define DWC2_GUSBCFG_TRDT(n) ((n) << 10)
#define DWC2_GUSBCFG_FDMOD   (1u << 30)

#define DWC2_GRSTCTL_RXFFLSH (1u << 4)
#define DWC2_GRSTCTL_TXFFLSH (1u << 5) /* TXFNUM 0 */

#define DWC2_GINTSTS_RXFLVL (1u << 4)
#define DWC2_GINTSTS_USBRST (1u << 12)

#define DWC2_GRXSTS_BCNT(s)    ((s) >> 4 & 0x7FFu)
#define DWC2_GRXSTS_PKTSTS(s)  ((s) >> 17 & 15u)
#define DWC2_PKTSTS_OUT        2u
#define DWC2_PKTSTS_OUT_DONE   3u
#define DWC2_PKTSTS_SETUP_DONE 4u
#define DWC2_PKTSTS_SETUP      6u

#define DWC2_GCCFG_PWRDWN (1u << 16) /* transceiver on */

/* ---- device ---- */
#define DWC2_DCFG     DWC2_REG(0x800u)
#define DWC2_DCTL     DWC2_REG(0x804u)
#define DWC2_DIEPCTL  DWC2_REG(0x900u)
#define DWC2_DIEPINT  DWC2_REG(0x908u)
#define DWC2_DIEPTSIZ DWC2_REG(0x910u)
#define DWC2_DOEPCTL  DWC2_REG(0xB00u)
#define DWC2_DOEPINT  DWC2_REG(0xB08u)
#define DWC2_DOEPTSIZ DWC2_REG(0xB10u)

#define DWC2_DCFG_DSPD_FS  3u
#define DWC2_DCFG_DAD(n)   ((n) << 4)
#define DWC2_DCFG_DAD_MASK DWC2_DCFG_DAD(0x7Fu)

#define DWC2_DCTL_SDIS (1u << 1)

#define DWC2_EPCTL_STALL (1u << 21)
#define DWC2_EPCTL_CNAK  (1u << 26)
#define DWC2_EPCTL_SNAK  (1u << 27)
#define DWC2_EPCTL_EPDIS (1u << 30)
#define DWC2_EPCTL_EPENA (1u << 31)

#define DWC2_DIEPINT_XFRC   (1u << 0)
#define DWC2_DIEPINT_INEPNE (1u << 6) /* NAK is in effect */
#define DWC2_DOEPINT_STUP   (1u << 3)

#define DWC2_EPTSIZ_PKTCNT_1    (1u << 19)
#define DWC2_DOEPTSIZ_STUPCNT_3 (3u << 29)

#endif
