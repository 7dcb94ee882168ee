/* SPDX-License-Identifier: MIT */
/*
 * dwc2_regs.h - registers and state of OTG_FS, shared by dwc2.c (interrupts,
 * states of the bus), dwc2_core.c and dwc2_ep.c (registers), dwc2_fifo.c
 * (FIFOs) and dwc2_packet.c (transactions).
 *
 * Source: RM0090 rev 21, 34.16.
 */
#ifndef SIM_DWC2_REGS_H
#define SIM_DWC2_REGS_H

#include "dwc2.h"

enum {
    OTG_GOTGCTL = 0x000,
    OTG_GOTGINT = 0x004,
    OTG_GAHBCFG = 0x008,
    OTG_GUSBCFG = 0x00c,
    OTG_GRSTCTL = 0x010,
    OTG_GINTSTS = 0x014,
    OTG_GINTMSK = 0x018,
    OTG_GRXSTSR = 0x01c,
    OTG_GRXSTSP = 0x020,
    OTG_GRXFSIZ = 0x024,
    OTG_DIEPTXF0 = 0x028,
    OTG_HNPTXSTS = 0x02c,
    OTG_GCCFG = 0x038,
    OTG_CID = 0x03c,
    OTG_RELEASE = 0x040, /* not in the manual: GSNPSID */
    OTG_CONFIG1 = 0x044, /* not in the manual: GHWCFG1 to GHWCFG4 */
    OTG_CONFIG4 = 0x050,
    OTG_HPTXFSIZ = 0x100,
    OTG_DIEPTXF1 = 0x104,
    OTG_DIEPTXF15 = 0x13c,
    OTG_HOST = 0x400,
    OTG_DCFG = 0x800,
    OTG_DCTL = 0x804,
    OTG_DSTS = 0x808,
    OTG_DIEPMSK = 0x810,
    OTG_DOEPMSK = 0x814,
    OTG_DAINT = 0x818,
    OTG_DAINTMSK = 0x81c,
    OTG_DVBUSDIS = 0x828,
    OTG_DVBUSPULSE = 0x82c,
    OTG_DIEPEMPMSK = 0x834,
    OTG_DIEP = 0x900, /* 0x20 for each IN endpoint */
    OTG_DOEP = 0xb00, /* 0x20 for each OUT endpoint */
    OTG_DOEP_END = 0xd00,
    OTG_PCGCCTL = 0xe00,
    OTG_FIFO = 0x1000, /* 4 KB for each endpoint */
    OTG_FIFO_SIZE = 0x1000,

    /* in the 0x20 of an endpoint */
    EP_CTL = 0x00,
    EP_INT = 0x08,
    EP_TSIZ = 0x10,
    EP_TXFSTS = 0x18,
};

/* GOTGCTL, GOTGINT */
#define GOTGCTL_OTG    0x00000e02u /* DHNPEN, HSHNPEN, HNPRQ, SRQ */
#define GOTGCTL_CIDSTS (1u << 16)
#define GOTGCTL_BSVLD  (1u << 19)
#define GOTGINT_SEDET  (1u << 2)

#define GAHBCFG_GINT    (1u << 0)
#define GAHBCFG_TXFELVL (1u << 7)
#define GAHBCFG_MASK    0x00000181u

#define GUSBCFG_RESET   0x00000a40u
#define GUSBCFG_PHYSEL  (1u << 6) /* always 1 */
#define GUSBCFG_SRPCAP  (1u << 8)
#define GUSBCFG_TRDT(v) ((v) >> 10 & 15)
#define GUSBCFG_FHMOD   (1u << 29)
#define GUSBCFG_FDMOD   (1u << 30)
#define GUSBCFG_MASK    0xe0003f07u

#define GRSTCTL_CSRST      (1u << 0)
#define GRSTCTL_RXFFLSH    (1u << 4)
#define GRSTCTL_TXFFLSH    (1u << 5)
#define GRSTCTL_TXFNUM(v)  ((v) >> 6 & 31)
#define GRSTCTL_TXFNUM_ALL 16
#define GRSTCTL_AHBIDL     (1u << 31)

#define GINT_CMOD     (1u << 0)
#define GINT_MMIS     (1u << 1)
#define GINT_OTGINT   (1u << 2)
#define GINT_SOF      (1u << 3)
#define GINT_RXFLVL   (1u << 4)
#define GINT_NPTXFE   (1u << 5)
#define GINT_GINAKEFF (1u << 6)
#define GINT_GONAKEFF (1u << 7)
#define GINT_ESUSP    (1u << 10)
#define GINT_USBSUSP  (1u << 11)
#define GINT_USBRST   (1u << 12)
#define GINT_ENUMDNE  (1u << 13)
#define GINT_EOPF     (1u << 15)
#define GINT_IEPINT   (1u << 18)
#define GINT_OEPINT   (1u << 19)
#define GINT_PTXFE    (1u << 26)
#define GINT_SRQINT   (1u << 30)
#define GINT_WKUPINT  (1u << 31)
#define GINTMSK_MASK  0xf73efcfeu

#define GCCFG_PWRDWN     (1u << 16)
#define GCCFG_VBUSBSEN   (1u << 19)
#define GCCFG_NOVBUSSENS (1u << 21)

#define DCFG_RESET    0x02200000u
#define DCFG_DSPD     3u
#define DCFG_FS       3u
#define DCFG_NZLSOHSK (1u << 2)
#define DCFG_DAD(v)   ((v) >> 4 & 0x7f)
#define DCFG_PFIVL(v) ((v) >> 11 & 3)
#define DCFG_MASK     0x00001ff7u

#define DCTL_RWUSIG (1u << 0)
#define DCTL_SDIS   (1u << 1)
#define DCTL_GINSTS (1u << 2)
#define DCTL_GONSTS (1u << 3)
#define DCTL_TCTL   (7u << 4)
#define DCTL_SGINAK (1u << 7)
#define DCTL_CGINAK (1u << 8)
#define DCTL_SGONAK (1u << 9)
#define DCTL_CGONAK (1u << 10)
#define DCTL_MASK   (DCTL_RWUSIG | DCTL_SDIS | DCTL_TCTL | 1u << 11)

#define DSTS_RESET   0x00000010u
#define DSTS_SUSPSTS (1u << 0)
#define DSTS_FS      (3u << 1)

#define PCGCCTL_STPPCLK (1u << 0)
#define PCGCCTL_MASK    0x3u
#define PCGCCTL_PHYSUSP (1u << 4)

/* DIEPCTL, DOEPCTL */
#define CTL_MPSIZ     0x7ffu
#define CTL_USBAEP    (1u << 15)
#define CTL_DPID      (1u << 16)
#define CTL_NAKSTS    (1u << 17)
#define CTL_EPTYP     (3u << 18)
#define CTL_ISO       (1u << 18)
#define CTL_SNPM      (1u << 20)
#define CTL_STALL     (1u << 21)
#define CTL_TXFNUM    (15u << 22)
#define CTL_TXFNUM_AT 22
#define CTL_CNAK      (1u << 26)
#define CTL_SNAK      (1u << 27)
#define CTL_SD0PID    (1u << 28)
#define CTL_SD1PID    (1u << 29)
#define CTL_EPDIS     (1u << 30)
#define CTL_EPENA     (1u << 31)

/* DIEPINT, DOEPINT */
#define INT_XFRC    (1u << 0)
#define INT_EPDISD  (1u << 1)
#define INT_TOC     (1u << 3) /* IN */
#define INT_STUP    (1u << 3) /* OUT */
#define INT_ITTXFE  (1u << 4) /* IN */
#define INT_OTEPDIS (1u << 4) /* OUT */
#define INT_INEPNE  (1u << 6) /* IN */
#define INT_B2BSTUP (1u << 6) /* OUT */
#define INT_TXFE    (1u << 7) /* IN; the reset value of DOEPINT has it, too */

/* GRXSTSP */
enum dwc2_pktsts {
    PKTSTS_GONAK = 1,
    PKTSTS_OUT = 2,
    PKTSTS_OUT_DONE = 3,
    PKTSTS_SETUP_DONE = 4,
    PKTSTS_SETUP = 6,
};
#define RXSTS_EP(v)     ((v)&15)
#define RXSTS_BCNT(v)   ((v) >> 4 & 0x7ff)
#define RXSTS_PKTSTS(v) ((v) >> 17 & 15)

#define DWC2_MODE_DELAY (25 * SIM_MS) /* 34.16.2, GUSBCFG: FHMOD, FDMOD */
#define DWC2_EPS        4
#define DWC2_RAM_WORDS  320
#define SETUP_WORDS     10 /* of the receive FIFO are kept for SETUP packets */
#define NO_EP           0xff

struct dwc2_ep {
    uint32_t ctl;   /* bits that can be read, but for EP0's fixed ones */
    uint32_t flags; /* DIEPINT, DOEPINT without TXFE */
    uint32_t xfrsiz, pktcnt;
    uint32_t count;   /* MCNT, STUPCNT */
    uint32_t unsent;  /* IN: bytes of the transfer without ACK */
    uint32_t partial; /* IN: bytes of the packet being written that miss */
    bool fresh;       /* transfer size was written since the last transfer */
    bool nak_later, disable_later; /* after the packet that is on the wire */
};

struct dwc2_txfifo {
    uint16_t head, words;
    uint32_t word[DWC2_RAM_WORDS];
};

struct dwc2 {
    uint32_t gotgint, gahbcfg, gusbcfg, gintsts, gintmsk, gccfg;
    uint32_t grxfsiz, dieptxf[DWC2_EPS];
    uint32_t dcfg, dctl, dsts, diepmsk, doepmsk, daintmsk, diepempmsk;
    uint32_t dvbusdis, dvbuspulse, pcgcctl;
    struct dwc2_ep in[DWC2_EPS], out[DWC2_EPS];
    struct dwc2_txfifo tx[DWC2_EPS];
    uint32_t rx[DWC2_RAM_WORDS];
    uint16_t rx_head, rx_words;
    uint16_t rx_unread; /* words of the packet whose status was popped */
    uint16_t rx_setup;  /* words that count as SETUP's */
    uint32_t grst;      /* bits of GRSTCTL that are at work */
    sim_time grst_at;   /* when they are done */
    bool host_mode;
    sim_time mode_at; /* when FHMOD or FDMOD takes effect */
    bool gonak_eff, ginak_eff;
    uint8_t addr;      /* that the core answers to */
    bool addr_later;   /* DAD holds after the status stage */
    bool control;      /* a control transfer is not at its end */
    bool control_in;   /* its data stage goes to the host */
    bool setup_open;   /* no token after the SETUP packet yet */
    uint8_t sending;   /* endpoint whose packet is on the wire, or NO_EP */
    uint8_t send_fifo; /* where it came from */
    uint8_t send_bytes;
    bool powered, pullup, session;
    bool se0, reset_seen;
    bool early; /* 3 ms of idleness were told */
    bool told_clock, told_trdt, told_rx;
    uint8_t told_tx; /* bit n: layout of FIFO n */
    uint16_t frame;
    sim_time active;   /* last activity on the bus */
    sim_time reset_at; /* SE0 will have lasted 2.5 us */
    sim_time eopf_at;
};

static inline const struct dwc2_facts *dwc2_facts(struct dev *d)
{
    return d->desc->facts;
}

/* Fields of DIEPTXFx. */
static inline unsigned dwc2_tx_start(const struct dwc2 *s, unsigned fifo)
{
    return s->dieptxf[fifo] & 0xffff;
}

static inline unsigned dwc2_tx_depth(const struct dwc2 *s, unsigned fifo)
{
    return s->dieptxf[fifo] >> 16;
}

static inline unsigned dwc2_txfnum(const struct dwc2_ep *ep)
{
    return (ep->ctl & CTL_TXFNUM) >> CTL_TXFNUM_AT;
}

/* Only while suspended: drivers in the field (CubeMX's, Geehy's) stop the PHY
 * clock then, and never start it again. */
static inline bool dwc2_clock_stopped(const struct dwc2 *s)
{
    return s->pcgcctl & s->dsts & PCGCCTL_STPPCLK; /* SUSPSTS is bit 0, too */
}

/* ---- dwc2.c ---- */

void dwc2_irq(struct dev *d);
uint32_t dwc2_gintsts(struct dev *d);
uint32_t dwc2_daint(struct dev *d);
/* VBUS, pull-up: something that they depend on has changed. */
void dwc2_update(struct dev *d);
/* CSRST. */
void dwc2_core_reset(struct dev *d);
/* Traffic of any kind: not suspended. */
void dwc2_activity(struct dev *d);
/* The transceiver is on, the bus is not held in reset, the core is a device. */
bool dwc2_on_bus(struct dev *d);

/* ---- dwc2_core.c ---- */

uint32_t dwc2_global_read(struct dev *d, uint32_t off);
void dwc2_global_write(struct dev *d, uint32_t off, uint32_t v);
uint32_t dwc2_device_read(struct dev *d, uint32_t off);
void dwc2_device_write(struct dev *d, uint32_t off, uint32_t v);

/* ---- dwc2_ep.c ---- */

uint32_t dwc2_ep_read(struct dev *d, uint32_t off);
void dwc2_ep_write(struct dev *d, uint32_t off, uint32_t v);
/* DIEPINT with TXFE. */
uint32_t dwc2_in_flags(struct dev *d, unsigned i);
unsigned dwc2_max_packet(const struct dwc2 *s, bool in, unsigned i);
/* USB reset: all but EP0 leave the configuration. */
void dwc2_ep_bus_reset(struct dev *d);
void dwc2_ep_reset(struct dev *d);
/* What had to wait for the packet on the wire. */
void dwc2_ep_idle(struct dev *d, unsigned i);

/* ---- dwc2_fifo.c ---- */

uint32_t dwc2_fifo_read(struct dev *d);
void dwc2_fifo_write(struct dev *d, unsigned window, uint32_t v);
uint32_t dwc2_rx_status(struct dev *d, bool pop);
/* False: no room. */
bool dwc2_rx_push(struct dev *d, enum dwc2_pktsts what, unsigned ep,
                  unsigned toggle, const uint8_t *data, size_t n);
void dwc2_rx_flush(struct dwc2 *s);
void dwc2_tx_flush(struct dwc2 *s, unsigned fifo);
/* Guest errors for FIFOs that cannot be as they are set up. */
void dwc2_check_tx(struct dev *d, unsigned fifo);
void dwc2_check_rx(struct dev *d);
/* First bytes of a transmit FIFO, which stay in it. */
void dwc2_tx_peek(const struct dwc2 *s, unsigned fifo, uint8_t *data, size_t n);
void dwc2_tx_drop(struct dwc2 *s, unsigned fifo, size_t bytes);

/* ---- dwc2_packet.c ---- */

enum wire_result dwc2_setup(struct chip *c, void *dev, unsigned addr,
                            unsigned ep, const uint8_t data[8]);
enum wire_result dwc2_out(struct chip *c, void *dev, unsigned addr, unsigned ep,
                          unsigned toggle, const uint8_t *data, size_t n);
enum wire_result dwc2_in(struct chip *c, void *dev, unsigned addr, unsigned ep,
                         uint8_t *data, size_t *n, unsigned *toggle);
void dwc2_in_ack(struct chip *c, void *dev, unsigned ep, bool acked);

#endif
