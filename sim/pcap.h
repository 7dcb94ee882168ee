/* SPDX-License-Identifier: MIT */
/*
 * pcap.h - writes what a host does to a file that Wireshark opens: usbmon
 * records with the 64-byte header (LINKTYPE_USB_LINUX_MMAPPED), times virtual.
 */
#ifndef SIM_PCAP_H
#define SIM_PCAP_H

#include "host.h"

struct pcap;
/* NULL with errno set when the file cannot be made. */
struct pcap *pcap_open(const char *path);
/* Observes the host from now on: host_monitor(). */
void pcap_attach(struct pcap *p, struct host *h);
/* False when something could not be written. */
bool pcap_close(struct pcap *p);

#endif
