/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A process's session: its segment, its FIFOs, its sockets.  See session.c, segment.c.
 */
#ifndef SERVER_SESSION_H
#define SERVER_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "list.h"
#include "loop.h"
#include "ringsock/ring.h"
#include "wake.h"

struct guarded;
struct server;
struct socket;

enum session_state {
    SESSION_STOCK, /* its ticket lies in `join` */
    SESSION_TAKEN, /* somebody has the ticket and did not say hello yet */
    SESSION_LIVE,
    SESSION_DEAD, /* the process is gone; remains while a socket does */
};

/* stock.c; by family: IPv4, IPv6 */
struct stock {
    unsigned asked; /* counts up to where it is worth while */
    bool full[2];   /* one lies ready */
    bool wanted[2]; /* by the end of the turn */
};

struct session {
    struct link link; /* server.sessions */
    struct server *server;
    struct grave grave;
    uint64_t id;
    enum session_state state;
    bool corrupt; /* to be torn down at the end of the turn */
    bool hung_up; /* the bell's last writer is gone */
    int dir_fd;
    char name[20]; /* directory */
    char program[64];
    uint32_t windows_pid, windows_parent;
    bool placing; /* has said hello, and gets its server by the end of the turn (workers.c) */

    uint8_t *map;
    struct guarded *guard; /* segment.c */
    struct rs_segment *segment;
    struct rs_slot *slots;
    struct rs_socket_shared *shared;
    uint32_t *groups;
    struct rs_ring_end sub, comp;

    struct watch bell;
    unsigned rings; /* bytes that may lie unread in the bell */
    struct timer hello_timer;

    int *slot_fds;     /* RS_MAX_SLOTS, -1 = none */
    uint32_t slot_end; /* one more than the highest slot with a FIFO */
    struct wakes wakes;

    struct link overflow; /* records that wait for room in comp */
    size_t overflow_bytes;

    struct socket **sockets; /* by index */
    uint32_t socket_end;     /* indexes from here on were never used */
    uint32_t *free_indexes;
    uint32_t free_count, free_size;
    uint32_t open_sockets;     /* entries of the table */
    bool limit_met;            /* the last attempt to make a socket found no room for it */
    struct link spare_anchors; /* anchor.c */
    uint32_t spare_anchor_count;
    size_t backlog_bytes;       /* of all sockets; session_backlog */
    uint64_t backlog_published; /* what the segment says of it */
    uint64_t backlog_peak;      /* the most it was since it was 0 or its memory was given back */
    struct stock stock;
    struct link hung; /* sockets whose anchor has hung up, to be closed after `sub` was drained */
};

struct session *session_create(struct server *server); /* NULL: logged */
void session_taken(struct session *session);
void session_hello(struct session *session, const struct rs_hello *hello);
/* Drains what the process has handed over and lets go what it has let go; once a turn. */
void session_run(struct session *session);
/* Marks the session as broken: everything of it is torn down at the end of the turn. */
void session_corrupt(struct session *session, const char *why);
/* Takes everything down at once: connections are reset. */
void session_destroy(struct session *session);
/* That much more (or less) waits to be taken by the kernel. */
void session_backlog(struct session *session, int64_t change);
/* Tells the process how much waits; once a turn. */
void session_publish_backlog(struct session *session);
struct session *session_find(struct server *server, uint64_t id);
/* Another server serves it from now on: its bell, and (when all that share sockets with it are
 * there too) its sockets.  Both servers are held. */
void session_change_server(struct session *session, struct server *to);
void session_watch_sockets(struct session *session, struct loop *before);

/* stock.c: makes what is wanted; once a turn, when nobody waits any more. */
void stock_fill(struct session *session);
void stock_asked(struct session *session, uint8_t family, uint8_t type); /* with RS_SOCKET_STOCK */

/* segment.c: maps a new segment and lays it out; 0 or -errno */
int segment_create(struct session *session);
void segment_unmap(struct session *session);
/* Makes later bus errors (a file that the process has cut short) hit only the session they are of.
 */
int segment_guard(void);
bool segment_lost(const struct session *session);

/* bell.c */
int bell_open(struct session *session);
bool bell_is_edge_triggered(void);

#endif
