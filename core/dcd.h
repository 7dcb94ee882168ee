/* SPDX-License-Identifier: MIT */
/*
 * dcd.h - what the core asks of a USB device controller.  One driver is bound
 * at link time.  It moves packets and keeps data toggles; it knows nothing of
 * transfers: splitting, short and zero-length packets live in usbd.c.
 *
 * Everything is polled from one context; no function waits for the host.
 */
#ifndef SALLYPORT_DCD_H
#define SALLYPORT_DCD_H

#include <stdbool.h>
#include <stdint.h>

#define DCD_PACKET 64u /* largest packet of every endpoint, bytes */

enum dcd_event {
    DCD_NONE,
    DCD_RESET, /* the bus was reset; address 0, endpoint 0 is ready */
    DCD_SETUP, /* a SETUP packet waits in dcd_read() */
    DCD_OUT,   /* an OUT packet waits in dcd_read() */
    DCD_IN,    /* the packet of dcd_write() was taken by the host */
    /* Only with CONFIG_MSC: */
    DCD_BULK_OUT, /* a packet is to be taken with dcd_bulk_read(), at once */
    DCD_BULK_IN,  /* the packet of dcd_bulk_write() was taken by the host */
};

/* Clocks run.  Powers the block and shows the device to the host. */
void dcd_connect(void);

/* Takes D+ low and keeps it low; the caller waits long enough for a host to
 * see it (USB 2.0 clause 7.1.7.3: 2.5 us; hubs and PCs want milliseconds). */
void dcd_disconnect(void);

/* One event, or DCD_NONE.  An IN of an earlier transfer is told before the
 * SETUP of the next one. */
enum dcd_event dcd_poll(void);

/* The same for the bulk endpoints alone; only with CONFIG_MSC. */
enum dcd_event dcd_bulk_poll(void);

/* Number of the frame, from the last SOF: in its lower 11 bits, the others are
 * anything.  It stands still while there is no host or the bus is suspended. */
uint32_t dcd_frame(void);

/* True where nothing waits to be polled.  A flash operation stalls the CPU,
 * so it must not start while the host waits for a handshake. */
bool dcd_quiet(void);

/* The address of SET_ADDRESS: to be called after its status stage, or, where
 * the controller itself goes on answering to the old one until that is over,
 * when the request has been accepted. */
extern const bool dcd_address_first;
void dcd_set_address(uint8_t address);

/* Endpoint 0.  Packets are at most DCD_PACKET bytes; buffers are aligned to
 * 2 bytes, those of dcd_write() and dcd_bulk_write() to 4, have room for a
 * multiple of it, and stay the caller's. */
uint32_t dcd_read(void *data);
void dcd_write(const void *data, uint32_t n);
void dcd_receive(void); /* accept one more OUT packet */
void dcd_stall(void);   /* both directions, until the next SETUP */

/* The pair of bulk endpoints, OUT 0x01 and IN 0x81; only with CONFIG_MSC.
 *
 * One packet a call.  dcd_bulk_receive() lets the block take one more packet,
 * also while the CPU is stalled by the flash: it belongs right behind
 * dcd_bulk_read(), before the work.  Until it is called the host gets NAK.
 * A packet that came right before a halt may still be told: it is read and
 * thrown away. */
enum dcd_bulk_state {
    DCD_BULK_CLOSED, /* no answer; also after a bus reset */
    DCD_BULK_HALTED, /* STALL */
    DCD_BULK_OPEN,   /* NAK until it is asked for more */
};
/* Also with DATA0 next, and what was to be sent or received is void, whatever
 * the state was. */
void dcd_bulk_set(bool in, enum dcd_bulk_state state);
static inline void dcd_bulk_stall(bool in)
{
    dcd_bulk_set(in, DCD_BULK_HALTED);
}
bool dcd_bulk_halted(bool in);
/* These do nothing where the endpoint is halted or closed, and where a packet
 * is under way or waits to be read. */
void dcd_bulk_write(const void *data, uint32_t n);
void dcd_bulk_receive(void);
uint32_t dcd_bulk_read(void *data); /* room for DCD_PACKET bytes */

#endif
