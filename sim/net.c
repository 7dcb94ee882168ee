/* SPDX-License-Identifier: MIT */
/* net.c - see net.h. */
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* "HOST:PORT" or "[HOST]:PORT" in two strings. */
static bool split(const char *spec, char *host, size_t size, const char **port)
{
    const char *colon = strrchr(spec, ':');
    size_t n = colon ? (size_t)(colon - spec) : 0;

    if (!colon || !colon[1] || n == 0 || n >= size)
        return false;
    if (spec[0] == '[' && spec[n - 1] == ']') {
        spec++;
        n -= 2;
    }
    memcpy(host, spec, n);
    host[n] = 0;
    *port = colon + 1;
    return true;
}

static int open_listener(const struct addrinfo *a)
{
    int fd =
        socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, 4)) {
        int e = errno;

        close(fd);
        errno = e;
        return -1;
    }
    return fd;
}

static void describe(int fd, char *where, size_t size)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof(a);
    char host[INET6_ADDRSTRLEN] = "?", port[8] = "?";

    if (!getsockname(fd, (struct sockaddr *)&a, &n))
        getnameinfo((struct sockaddr *)&a, n, host, sizeof(host), port,
                    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(where, size, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

int net_listen(const char *spec, char *where, size_t where_size, char *error,
               size_t error_size)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list;
    const char *port;
    char host[64];
    int fd, r;

    if (!split(spec, host, sizeof(host), &port)) {
        snprintf(error, error_size,
                 "%.80s: not HOST:PORT; give 127.0.0.1:0 for a free port",
                 spec);
        return -1;
    }
    r = getaddrinfo(host, port, &hints, &list);
    if (r) {
        snprintf(error, error_size, "%.80s: %s; give HOST:PORT", spec,
                 gai_strerror(r));
        return -1;
    }
    fd = open_listener(list);
    r = errno;
    freeaddrinfo(list);
    if (fd < 0)
        snprintf(error, error_size,
                 "%.80s: %s; choose another port, or 0 for a free one", spec,
                 strerror(r));
    else
        describe(fd, where, where_size);
    return fd;
}

int net_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    int one = 1;

    /* A URB is a few bytes that somebody waits for. */
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

static int outcome(ssize_t n)
{
    if (n > 0)
        return (int)n;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return 0;
    return -1;
}

int net_read(int fd, uint8_t *data, int count)
{
    return outcome(recv(fd, data, (size_t)count, 0));
}

int net_write(int fd, const uint8_t *data, int count)
{
    return outcome(send(fd, data, (size_t)count, MSG_NOSIGNAL));
}
