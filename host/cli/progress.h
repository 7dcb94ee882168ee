/* SPDX-License-Identifier: MIT */
/*
 * progress.h - phases on standard output: a bar on a terminal with one
 * device, else a line when a phase is over.
 */
#ifndef SALLYPORT_PROGRESS_H
#define SALLYPORT_PROGRESS_H

#include "target.h"

/* As struct update has it; ctx is a struct target. */
void progress_show(void *ctx, enum update_phase phase, uint64_t done,
                   uint64_t total);
/* Ends a bar that stands there. */
void progress_end(struct target *t);

#endif
