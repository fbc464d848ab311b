/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Anchors among themselves: what anchor.c and anchor_watch.c know of each other.  Everybody else
 * needs socket.h only.
 */
#ifndef SERVER_ANCHOR_H
#define SERVER_ANCHOR_H

#include <stdbool.h>
#include <stdint.h>

#include "list.h"
#include "loop.h"
#include "ringsock/abi.h"
#include "timer.h"

#define ANCHOR_DIR     "anchors" /* below the runtime directory, and a number */
#define ANCHOR_BUCKETS 4096u

struct server;
struct socket;
struct anchor;

/* All anchors of a server.  Those that it makes are in a directory of its own, which their numbers
 * tell; others it has taken over (gather.c). */
struct anchors {
    int dir_fd;
    uint32_t next_number;
    struct anchor *buckets[ANCHOR_BUCKETS]; /* by anchor_bucket */
    struct watch closes;                    /* inotify; fd -1: each anchor has a descriptor */
    uint32_t heard;                         /* of which directories it tells, a bit for each */
    struct timer sweep;
    uint32_t sweep_bucket;
    unsigned sweep_passes; /* that are left */
};

struct anchor {
    struct watch watch; /* a descriptor of its own; mostly none */
    struct grave grave;
    struct anchor *next;   /* in its bucket */
    struct link spare;     /* session.spare_anchors */
    struct socket *socket; /* NULL: spare */
    uint32_t number;
    bool gone;         /* somebody had it and nobody has it any more: was seen */
    bool closed_early; /* closed by somebody before RS_SUB_ANCHORED came */
    bool close_untold; /* seen to be gone before inotify has told of it */
    uint64_t inode;
    uint8_t *proofs; /* written into it and not claimed yet; NULL: nothing ever was */
    size_t proof_bytes;
};

/* Numbers count up by RS_ANCHOR_DIRS: they fill evenly. */
static inline struct anchor **anchor_bucket(struct anchors *anchors, uint32_t number)
{
    return &anchors->buckets[number / RS_ANCHOR_DIRS % ANCHOR_BUCKETS];
}

enum anchor_look {
    ANCHOR_GONE,
    ANCHOR_HELD,
    ANCHOR_UNKNOWN /* there was no descriptor to look by */
};

/* anchor.c */
int anchors_open(struct server *server); /* 0 or -errno */
void anchors_close(struct server *server);
/* All that `from` has; both are held.  False, and nothing was done: their ends could not be
 * noticed. */
bool anchors_take(struct server *into, struct server *from);
void anchor_hang_up(struct anchor *anchor);
void anchor_remember(struct anchor *anchor, const uint8_t *bytes, size_t size); /* read from it */
/* A reading end: the anchor's own or one for a moment; -1 with errno.  Done: gives the latter back.
 */
int anchor_end(struct server *server, const struct anchor *anchor);
void anchor_end_done(struct server *server, const struct anchor *anchor, int fd);

/* anchor_watch.c */
void anchor_watch_start(struct server *server);
void anchor_watch_stop(struct server *server);
bool anchor_watch_works(const struct server *server);
int anchor_watch_own(struct server *server, struct anchor *anchor, int fd); /* 0 or -errno */
/* Whether somebody has it open.  Keeps what lay in it. */
enum anchor_look anchor_look(struct server *server, struct anchor *anchor);
void anchor_closed_once(struct server *server, struct anchor *anchor); /* by one who had it */
/* `into` hears of what happens in the directories of `from`; false: it does not.  Then drain: what
 * `from` has heard of is dealt with. */
bool anchor_watch_also(struct server *into, const struct server *from);
void anchor_watch_drain(struct server *from);
void anchor_watch_sweep(struct server *server); /* looks at all: something was lost */
void anchor_watch_again(struct server *server); /* what epoll has told may be lost */

#endif
