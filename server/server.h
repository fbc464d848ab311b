/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What one thread serves: every part reaches it through its session.  See server.c, workers.c.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "anchor.h"
#include "join.h"
#include "list.h"
#include "loop.h"
#include "port_pairs.h"
#include "resolver.h"
#include "runtime_dir.h"
#include "workers.h"

#include "ringsock/spin.h"

#ifndef RINGSOCK_VERSION
#define RINGSOCK_VERSION "0.0.0"
#endif

#define SERVER_LINGER_DEFAULT 5

struct server_options {
    const char *runtime; /* the runtime directory */
    unsigned linger;     /* seconds to stay after the last session */
    bool shortcut; /* between our own sockets data goes past the kernel (shortcut.c, flow.c) */
    bool spin;     /* may look for work a moment before it sleeps */
    bool workers;  /* a thread for each program (workers.c) */
    void (*ready)(void *context,
                  const struct runtime_dir *dir); /* `join` can be read; may be NULL */
    void *context;
};

struct server {
    struct server *first; /* the main thread's; itself */
    unsigned number;      /* of its thread; the first's is 0 */
    struct hold hold;
    struct loop loop;
    struct anchors anchors;
    struct runtime_dir dir;
    /* the first's only */
    struct join join;
    struct resolver resolver;
    struct watch signals;
    unsigned session_count; /* all servers': those whose ticket was taken; atomic */
    uint64_t linger;        /* rs clock */
    struct timer linger_timer;
    bool workers; /* server_options */
    /* every server's */
    struct link strays;       /* gather.c */
    unsigned stray_count;
    struct link sessions;     /* all, the prepared one included */
    struct link work;         /* sockets that know of something to read or accept */
    struct link listeners;    /* listener.c */
    struct link bound;        /* sockets that a program has bound (bind.c) */
    struct link reservations; /* ports.c */
    bool shortcut;            /* server_options */
    struct port_pairs offers; /* shortcut.c: streams whose other end may still be accepted */
    struct port_pairs flows;  /* flow.c */
    uint64_t last_reservation;
    size_t orphaned_bytes; /* backlogs of processes that have ended */
    int spare_fd;          /* server_has_spare */
    bool may_spin;
    struct rs_spin spin[2]; /* after a turn without and with submissions */
    bool submitted;         /* the last turn had some */
    bool blocked;            /* somebody waits for room in a completion ring */
    uint64_t blocked_retry;  /* after which time it is looked at again */
    bool bell_keeps_ringing; /* doorbells need not be emptied each time (bell.c) */
};

/* Of all threads: runs until a signal or until nobody has needed it for a while.  Returns the exit
 * code. */
int server_run(const struct server_options *options);
/* Where there is no other left, a descriptor to look at an anchor by (anchor_end), else nobody
 * could find out which can be given back; without inotify also for an accepted connection, which
 * needs two and would be lost with one.  False if there is none to be had. */
bool server_has_spare(struct server *server);
void server_session_gone(struct server *server);
void server_session_taken(struct server *first);

/* workers.c: one of them */
void server_init(struct server *server, struct server *first, unsigned number);
int server_open(struct server *server);   /* 0 or -errno */
void server_serve(struct server *server); /* on its thread */
void server_shut(struct server *server);

#endif
