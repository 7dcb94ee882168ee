/* SPDX-License-Identifier: MIT */
/*
 * fat_bench.h - the drive's volume for tests: read as its own boot sector
 * describes it, from the FAT specification's offsets and not by core/fat.h, and
 * as a file in a directory of its own, for the tools of others.
 */
#ifndef FAT_BENCH_H
#define FAT_BENCH_H

#include "fat.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SERIAL "0123456789ABCDEF76543210"

struct volume {
    const struct fat *fat;
    uint32_t sectors, reserved, fat_size, cluster_size; /* sectors */
    uint32_t data, clusters, root, fsinfo, backup;
};

struct sector {
    _Alignas(4) uint8_t bytes[512];
};

uint32_t u16(const uint8_t *p);
uint32_t u32(const uint8_t *p);

struct sector read_sector(const struct fat *fat, uint32_t lba);
struct volume open_volume(const struct fat *fat);
uint32_t fat_value(const struct volume *v, uint32_t cluster);
uint32_t cluster_lba(const struct volume *v, uint32_t cluster);
/* Clusters of the chain, which has to be one behind the other. */
uint32_t chain_length(const struct volume *v, uint32_t cluster);
/* The entries of the root directory that are not empty. */
uint32_t root_entries(const struct volume *v, uint8_t entries[][32],
                      uint32_t max);
/* The status file, NUL behind it. */
char *status_text(const struct volume *v, char text[513]);

/* A directory for files, and the tools' environment. */
int fat_bench_set_up(void **state);
int fat_bench_tear_down(void **state);
/* The volume as a sparse file "image"; a file "file" of so many zeros. */
void dump(const struct fat *fat);
void make_file(uint32_t size);
/* Runs a command; its output, at most size - 1 bytes, and exit status. */
int run(const char *command, char *out, size_t size);
/* It has to succeed, and this in its output. */
void assert_run(const char *command, const char *line);

#endif
