/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event loop's mechanics: descriptors, timers, objects that die in mid-turn.  See loop.c.
 */
#ifndef SERVER_LOOP_H
#define SERVER_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "list.h"
#include "timer.h"

/* A descriptor and who is told about it. */
struct watch {
    int fd;        /* -1 = none */
    bool watching; /* known to epoll */
    void (*ready)(struct watch *watch, uint32_t events);
};

/* What epoll has told and nobody has been told yet. */
struct loop_events {
    struct epoll_event list[256];
    int count;
};

/* An object to be freed when nobody can hold a pointer to it any more. */
struct grave {
    struct link link;
    void *object;
};

struct loop {
    int epoll_fd;
    uint64_t now; /* rs clock at the begin of this turn's work */
    struct link timers;
    struct link graves;
    bool stop;
    bool failed; /* stop: epoll did */
};

int loop_init(struct loop *loop); /* 0 or -errno */
void loop_fini(struct loop *loop);
void watch_init(struct watch *watch, void (*ready)(struct watch *watch, uint32_t events));
int loop_watch(struct loop *loop, struct watch *watch, uint32_t events);   /* 0 or -errno */
int loop_rewatch(struct loop *loop, struct watch *watch, uint32_t events); /* 0 or -errno */
/* Another loop is to watch it. */
void loop_unwatch(struct loop *loop, struct watch *watch);
/* Forgets and closes the descriptor; events of this turn no longer reach the watch. */
void loop_close(struct watch *watch);
/* Waits (until: rs clock, 0 = not at all) for events. */
void loop_fetch(struct loop *loop, uint64_t until, struct loop_events *events);
/* Calls their watches.  Whether there were any. */
bool loop_hand_out(struct loop *loop, const struct loop_events *events);
bool loop_look(struct loop *loop); /* both, without waiting */
void loop_free_later(struct loop *loop, struct grave *grave, void *object);
void loop_bury(struct loop *loop);

#endif
