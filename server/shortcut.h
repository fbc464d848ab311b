/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections both ends of which are sockets of this server.  See shortcut.c.
 */
#ifndef SERVER_SHORTCUT_H
#define SERVER_SHORTCUT_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "list.h"
#include "timer.h"

struct server;
struct socket;
enum work;

/* What a socket has of it. */
struct shortcut {
    struct socket *twin;   /* the other end; NULL: not ours, not found, or given up */
    struct link offered;   /* server.offers, while the other end may still be accepted */
    union address local;   /* of an offered one */
    uint32_t kernel_out;   /* what the kernel was given of this connection, modulo 2^32 */
    uint32_t kernel_in;    /* and what was taken from it */
    uint64_t out, in;      /* what went by here instead */
    bool ended;            /* what this end sends is the kernel's from here on */
    bool holds;            /* the backlog waits for the twin, not for the kernel */
    struct timer patience; /* with a twin that takes nothing; armed while it holds */
    bool patient;          /* and armed for longer */
    uint64_t out_before;   /* `out` when that was last looked at */
};

void shortcut_init(struct socket *socket); /* of no connection yet */
/* A socket of ours has connected from `local`, to socket->peer. */
void shortcut_offer(struct socket *socket, const struct rs_addr *local);
/* A connection was accepted, from socket->peer: its other end is looked for. */
void shortcut_match(struct socket *socket, const struct rs_addr *local);
/* Looks for the other ends again, of sockets that two servers had (gather.c). */
void shortcut_match_all(struct server *server);
/* Whether what is sent next goes to the twin; asked with an empty backlog. */
bool shortcut_is_open(const struct socket *socket);
/* Sends so; returns how much was taken, the rest belongs into the backlog. */
uint32_t shortcut_send(struct socket *socket, const uint8_t *payload, uint32_t length);
/* Whether the twin's backlog holds something for this socket, and takes it from there. */
bool shortcut_waits(const struct socket *socket);
enum work shortcut_pull(struct socket *socket);
/* What waits for the twin goes to the kernel. */
void shortcut_flush(struct socket *socket);
/* What this end sends from here on goes to the kernel; what the other end sends may go by it. */
void shortcut_leave(struct socket *socket);
/* From here on the connection is like any other. */
void shortcut_end(struct socket *socket);
/* Another struct socket is that end now. */
void shortcut_move(struct socket *target, struct socket *source);

#endif
