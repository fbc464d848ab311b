/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Host name look-ups that never block the loop.  See resolver.c.
 */
#ifndef SERVER_RESOLVER_H
#define SERVER_RESOLVER_H

#include <pthread.h>
#include <stdbool.h>

#include "list.h"
#include "loop.h"
#include "ringsock/abi.h"

struct server;
struct session;

struct resolver {
    pthread_mutex_t lock; /* guards the lists and the counts */
    pthread_cond_t work;
    struct link waiting, running, done;
    unsigned threads, idle, queued /* waiting */, jobs /* in all three */;
    struct watch event; /* eventfd: something is done */
};

int resolver_open(struct server *server); /* 0 or -errno */
void resolver_close(struct server *server);
/* Both reply to the call, now or later. */
void resolver_resolve(struct session *session, const struct rs_call *call,
                      const struct rs_resolve *what, const char *node);
void resolver_reverse(struct session *session, const struct rs_call *call,
                      const struct rs_addr *address);

#endif
