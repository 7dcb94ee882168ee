/* SPDX-License-Identifier: MIT */
/* front_bench.c - see front_bench.h. */
#include "front_bench.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void note(void *ctx, const char *line)
{
    struct front_bench *b = ctx;
    size_t n = strlen(b->log);

    snprintf(b->log + n, sizeof(b->log) - n, "%s\n", line);
}

void front_bench_new(struct front_bench *b, const struct echo_block *block)
{
    block->bench_new(&b->chip);
    b->chip.firmware = block->firmware;
    b->chip.fw = &b->echo;
    b->host = host_new(&b->chip, &host_timing_fast);
    front_open(&b->front, b->host, note, b);
    block->power_up(&b->chip);
}

void front_bench_free(struct front_bench *b)
{
    front_close(&b->front);
    host_free(b->host);
    bench_free(&b->chip);
}

int front_bench_dial(const char *address)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(fd, (struct sockaddr *)&a, sizeof(a))) {
        close(fd);
        return -1;
    }
    return fd;
}
