/* SPDX-License-Identifier: MIT */
/* net.h - non-blocking TCP sockets of the front ends. */
#ifndef SIM_NET_H
#define SIM_NET_H

#include <stddef.h>
#include <stdint.h>

/* Listens on HOST:PORT; `where` gets the address with the real port.  -1 with
 * one line in error. */
int net_listen(const char *spec, char *where, size_t where_size, char *error,
               size_t error_size);
/* -1: nobody. */
int net_accept(int listener);
/* Bytes moved, 0 when it would have to wait, -1 when the peer is gone. */
int net_read(int fd, uint8_t *data, int count);
int net_write(int fd, const uint8_t *data, int count);

#endif
