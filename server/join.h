/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The FIFO `join` and the session in stock.  See join.c.
 */
#ifndef SERVER_JOIN_H
#define SERVER_JOIN_H

#include "loop.h"

struct server;
struct session;

struct join {
    struct watch watch;
    struct session *stock; /* its ticket lies in the FIFO; NULL if it could not be made */
    struct timer retry;
};

int join_open(struct server *server); /* 0 or -errno */
/* The ticket is gone: somebody owns the session.  Prepares the next one. */
void join_taken(struct server *server);
/* Takes the ticket back for good; false if somebody was faster. */
bool join_withdraw(struct server *server);
void join_close(struct server *server);

#endif
