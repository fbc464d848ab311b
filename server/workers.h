/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The threads that serve, and who may touch what one of them serves.  See workers.c.
 */
#ifndef SERVER_WORKERS_H
#define SERVER_WORKERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "loop.h"

struct server;
struct session;

struct hold {
    pthread_mutex_t turn; /* everything of a server's; its thread has it while it does not sleep */
    pthread_mutex_t gate; /* who waits for `turn`, so that the first's thread gets it in between */
    bool wanted;          /* by the first's thread; atomic */
    unsigned moved;    /* guarded by turn: how often what it watched has gone to another server */
    struct watch kick; /* eventfd: something was changed here by another thread */
};

/* ---- for a server's own thread ---- */
int hold_open(struct server *server); /* 0 or -errno */
void hold_close(struct server *server);
void hold_begin(struct server *server);
void hold_end(struct server *server); /* before it sleeps: the first's thread may come in */
bool hold_is_wanted(const struct server *server);

/* ---- for the first's thread only: it alone ever has two of them ---- */
void server_hold(struct server *server);
void server_release(struct server *server);
/* NULL behind the last one. */
struct server *workers_at(unsigned number);
/* The server that serves it, held, or NULL. */
struct server *workers_hold_session(uint64_t id, struct session **session);
void workers_turn(struct server *first); /* the end of a turn of its */
void workers_stop(void);                 /* returns when no thread but the first's is left */

/* ---- for every thread ---- */
void workers_open(struct server *first);
/* Its thread takes a turn. */
void server_kick(struct server *server);
/* What sockets of several servers ask of each other: addresses that are bound, ports that are
 * reserved, AF_UNIX listeners.  A leaf; who has it may read those of every server. */
void names_lock(void);
void names_unlock(void);
/* With names_lock: for (server = NULL; (server = names_next(server));) */
struct server *names_next(const struct server *server);

/* gather.c */
struct request;
struct socket;
union address;
/* RS_SUB_ATTACH where no server but another may know the anchor: true: it is answered later. */
bool gather_ask(const struct request *request);
/* That address is the host's own, and the socket is about to talk to it: whoever has it there is to
 * be on the same server, soon. */
void gather_meet(const struct socket *socket, const union address *to);
void gather_turn(void); /* the first's thread */
void gather_forget(struct server *server);

#endif
