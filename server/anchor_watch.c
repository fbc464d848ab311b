/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the server learns that an anchor's last handle is gone.
 *
 * Owns: the inotify watch on the directory of the anchors, the looks at them, the sweep.  Loop
 * thread only, no locks.
 *
 * inotify tells that somebody who could write to an anchor has closed it, without a descriptor for
 * each of them.  Whether somebody else has it is then asked by reading from it: the end of the
 * file, or that there is nothing to read yet (fifo(7), pipe(7)).  The kernel tells before it takes
 * the writer off the FIFO (__fput in Linux's fs/file_table.c), so who is still there may be the one
 * that goes: then the anchor gets a descriptor of its own, whose hang-up misses nothing.
 *
 * Two things can get lost: events, where the queue is full, and that descriptor, where there is
 * none to be had.  Then all anchors are looked at, and twice more for closes that were under way.
 *
 * Without inotify each anchor has a descriptor from the beginning.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "anchor.h"
#include "clock.h"
#include "log.h"
#include "server.h"
#include "socket.h"

#define EVENT_MAX     (sizeof(struct inotify_event) + NAME_MAX + 1)
#define READS_MAX     512 /* more than a FIFO holds: somebody writes all the time */
#define SWEEP_BUCKETS 64u /* at a time, so that nobody waits long */

/* Before each pass of a sweep: a close under way is over soon, or its thread does not run. */
static const uint64_t sweep_delays[] = {CLOCK_PER_SECOND, CLOCK_PER_SECOND / 10, 0};
#define SWEEP_PASSES (sizeof(sweep_delays) / sizeof(*sweep_delays))

bool anchor_watch_works(const struct server *server)
{
    return server->anchors.closes.fd >= 0;
}

/* ---- looking ---- */

static enum anchor_look read_out(struct anchor *anchor, int fd)
{
    uint8_t bytes[256];

    for (int i = 0; i < READS_MAX; i++) {
        ssize_t count = read(fd, bytes, sizeof(bytes));

        if (count <= 0)
            return count < 0 && errno == EAGAIN ? ANCHOR_HELD : ANCHOR_GONE;
        anchor_remember(anchor, bytes, (size_t)count);
    }
    return ANCHOR_HELD;
}

/* A program that has removed the file, or put something else there, has let go its SOCKET. */
static enum anchor_look look_by(struct server *server, struct anchor *anchor, int fd)
{
    enum anchor_look found = ANCHOR_GONE;

    if (fd >= 0)
        found = read_out(anchor, fd);
    else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
        found = ANCHOR_UNKNOWN;
    if (found == ANCHOR_GONE) {
        anchor->gone = true;
        anchor->close_untold = anchor_watch_works(server);
    }
    return found;
}

enum anchor_look anchor_look(struct server *server, struct anchor *anchor)
{
    enum anchor_look found;
    int fd;

    if (anchor->gone)
        return ANCHOR_GONE;
    fd = anchor_end(server, anchor);
    found = look_by(server, anchor, fd);
    anchor_end_done(server, anchor, fd);
    return found;
}

/* ---- a descriptor of its own ---- */

static void own_ready(struct watch *watch, uint32_t events)
{
    struct anchor *anchor = container_of(watch, struct anchor, watch);
    struct socket *socket = anchor->socket;

    /* One that serves its second socket reports the first one's end until the DLL has opened it. */
    if ((events & EPOLLHUP) && socket && socket->anchored &&
        anchor_look(socket->session->server, anchor) == ANCHOR_GONE)
        anchor_hang_up(anchor);
}

int anchor_watch_own(struct server *server, struct anchor *anchor, int fd)
{
    int error;

    watch_init(&anchor->watch, own_ready);
    anchor->watch.fd = fd;
    error = loop_watch(&server->loop, &anchor->watch, 0);
    if (error)
        anchor->watch.fd = -1;
    return error;
}

/* ---- the sweep ---- */

static void sweep_later(struct server *server)
{
    struct anchors *anchors = &server->anchors;

    anchors->sweep_bucket = 0;
    timer_arm(&server->loop.timers, &anchors->sweep,
              server->loop.now + sweep_delays[anchors->sweep_passes - 1]);
}

void anchor_watch_sweep(struct server *server)
{
    struct anchors *anchors = &server->anchors;
    bool in_pass = timer_armed(&anchors->sweep) && anchors->sweep_bucket;

    anchors->sweep_passes = SWEEP_PASSES;
    if (!in_pass) /* else it comes to its end first */
        sweep_later(server);
}

void anchor_watch_again(struct server *server)
{
    if (anchor_watch_works(server))
        loop_rewatch(&server->loop, &server->anchors.closes, EPOLLIN);
    anchor_watch_sweep(server);
}

static void sweep_one(struct server *server, struct anchor *anchor)
{
    struct socket *socket = anchor->socket;

    anchor->close_untold = false; /* it may be what got lost */
    if (!socket || !socket->anchored || anchor->watch.fd >= 0)
        return;
    switch (anchor_look(server, anchor)) {
    case ANCHOR_GONE:
        anchor_hang_up(anchor);
        break;
    case ANCHOR_UNKNOWN: /* once more from the beginning */
        server->anchors.sweep_passes = SWEEP_PASSES;
        break;
    case ANCHOR_HELD:
        break;
    }
}

static void sweep_step(struct timer *timer)
{
    struct server *server = container_of(timer, struct server, anchors.sweep);
    struct anchors *anchors = &server->anchors;

    for (unsigned i = 0; i < SWEEP_BUCKETS && anchors->sweep_bucket < ANCHOR_BUCKETS; i++) {
        struct anchor *anchor = anchors->buckets[anchors->sweep_bucket++];

        for (; anchor; anchor = anchor->next)
            sweep_one(server, anchor);
    }
    if (anchors->sweep_bucket < ANCHOR_BUCKETS)
        timer_arm(&server->loop.timers, timer, server->loop.now);
    else if (--anchors->sweep_passes)
        sweep_later(server);
}

/* ---- inotify ---- */

void anchor_closed_once(struct server *server, struct anchor *anchor)
{
    int fd;

    anchor->close_untold = false;
    if (!anchor->socket || anchor->watch.fd >= 0 || anchor->gone)
        return;
    if (!anchor->socket->anchored) {
        anchor->closed_early = true;
        return;
    }
    fd = anchor_end(server, anchor);
    if (look_by(server, anchor, fd) == ANCHOR_GONE) {
        anchor->close_untold = false;
        anchor_hang_up(anchor);
    } else if (fd < 0 || server->spare_fd < 0 || anchor_watch_own(server, anchor, fd)) {
        anchor_watch_sweep(server);
    }
    anchor_end_done(server, anchor, fd);
}

static struct anchor *find(struct anchors *anchors, uint32_t number)
{
    struct anchor *anchor = *anchor_bucket(anchors, number);

    while (anchor && anchor->number != number)
        anchor = anchor->next;
    return anchor;
}

/* Whether there may be more. */
static bool read_closes(struct server *server)
{
    _Alignas(struct inotify_event) char bytes[4096];
    ssize_t size = read(server->anchors.closes.fd, bytes, sizeof(bytes));
    const struct inotify_event *event;

    for (ssize_t at = 0; at < size; at += (ssize_t)(sizeof(*event) + event->len)) {
        struct anchor *anchor;

        event = (const struct inotify_event *)(bytes + at);
        if (event->mask & (IN_Q_OVERFLOW | IN_IGNORED)) {
            log_debug("events of anchors are lost: looking at all");
            anchor_watch_sweep(server);
        } else if (event->len &&
                   (anchor = find(&server->anchors, (uint32_t)strtoul(event->name, NULL, 10)))) {
            anchor_closed_once(server, anchor);
        }
    }
    return size > (ssize_t)(sizeof(bytes) - EVENT_MAX);
}

static void closes_ready(struct watch *watch, uint32_t events)
{
    struct server *server = container_of(watch, struct server, anchors.closes);

    (void)events;
    if (read_closes(server)) /* the rest in the next turn */
        loop_rewatch(&server->loop, watch, EPOLLIN);
}

static bool hear_of(struct anchors *anchors, const struct server *server)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", server->anchors.dir_fd);
    if (inotify_add_watch(anchors->closes.fd, path, IN_CLOSE_WRITE | IN_ONLYDIR) < 0)
        return false;
    anchors->heard |= 1u << server->number;
    return true;
}

/* A server that has inotify need not have a descriptor for each anchor; one that has not must. */
bool anchor_watch_also(struct server *into, const struct server *from)
{
    uint32_t missing = from->anchors.heard & ~into->anchors.heard;

    if (!anchor_watch_works(into))
        return !anchor_watch_works(from);
    for (unsigned i = 0; i < RS_ANCHOR_DIRS; i++) {
        if (!(missing & 1u << i) || hear_of(&into->anchors, workers_at(i)))
            continue;
        log_warn("no inotify for another directory: %s", strerror(errno));
        return false;
    }
    return true;
}

void anchor_watch_drain(struct server *from)
{
    while (anchor_watch_works(from) && read_closes(from))
        ;
}

void anchor_watch_start(struct server *server)
{
    struct watch *closes = &server->anchors.closes;

    timer_init(&server->anchors.sweep, sweep_step);
    watch_init(closes, closes_ready);
    closes->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (closes->fd >= 0 && hear_of(&server->anchors, server) &&
        !loop_watch(&server->loop, closes, EPOLLIN))
        return;
    log_warn("no inotify (%s): each socket takes two descriptors", strerror(errno));
    loop_close(closes);
}

void anchor_watch_stop(struct server *server)
{
    timer_disarm(&server->anchors.sweep);
    loop_close(&server->anchors.closes);
}
