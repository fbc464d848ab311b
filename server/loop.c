/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * epoll, and what a turn of the loop needs around it.
 *
 * Owns: the epoll descriptor, the timer list, and the graves: an object that ends while a turn's
 * events are being handed out may be the target of a later one of the same batch, so its memory
 * goes only at the end of the turn.  Loop thread only, no locks.
 *
 * Everything is watched edge-triggered and once: in the steady state no epoll_ctl is needed,
 * because each watch remembers what is still to be read (epoll(7), "Level-triggered and
 * edge-triggered").
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "ringsock/abi.h"

#include "clock.h"
#include "log.h"
#include "loop.h"

int loop_init(struct loop *loop)
{
    list_init(&loop->timers);
    list_init(&loop->graves);
    loop->stop = false;
    loop->now = clock_now();
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return loop->epoll_fd < 0 ? -errno : 0;
}

void loop_fini(struct loop *loop)
{
    loop_bury(loop);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    loop->epoll_fd = -1;
}

void watch_init(struct watch *watch, void (*ready)(struct watch *watch, uint32_t events))
{
    watch->fd = -1;
    watch->watching = false;
    watch->ready = ready;
}

int loop_watch(struct loop *loop, struct watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events | EPOLLET, .data.ptr = watch};

    if (watch->watching)
        return loop_rewatch(loop, watch, events);
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event))
        return -errno;
    watch->watching = true;
    return 0;
}

int loop_rewatch(struct loop *loop, struct watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events | EPOLLET, .data.ptr = watch};

    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) ? -errno : 0;
}

void loop_unwatch(struct loop *loop, struct watch *watch)
{
    if (watch->watching)
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->watching = false;
}

void loop_close(struct watch *watch)
{
    /* No descriptor of the server is ever duplicated, so close() also takes it out of epoll. */
    if (watch->fd >= 0)
        close(watch->fd);
    watch->fd = -1;
    watch->watching = false;
}

static int wait_milliseconds(uint64_t until)
{
    uint64_t now, left;

    if (!until)
        return 0;
    if (until == CLOCK_NEVER)
        return -1;
    now = clock_now();
    if (until <= now)
        return 0;
    left = (until - now + RS_CLOCK_PER_MS - 1) / RS_CLOCK_PER_MS;
    return left > INT_MAX ? INT_MAX : (int)left;
}

void loop_fetch(struct loop *loop, uint64_t until, struct loop_events *events)
{
    const int size = sizeof(events->list) / sizeof(*events->list);

    events->count = epoll_wait(loop->epoll_fd, events->list, size, wait_milliseconds(until));
    if (events->count < 0 && errno == EINTR)
        events->count = 0;
}

bool loop_hand_out(struct loop *loop, const struct loop_events *events)
{
    loop->now = clock_now();
    if (events->count < 0) {
        log_error("epoll_wait failed");
        loop->stop = loop->failed = true;
    }
    for (int i = 0; i < events->count; i++) {
        struct watch *watch = events->list[i].data.ptr;

        if (watch->watching)
            watch->ready(watch, events->list[i].events);
    }
    return events->count > 0;
}

bool loop_look(struct loop *loop)
{
    struct loop_events events;

    loop_fetch(loop, 0, &events);
    return loop_hand_out(loop, &events);
}

void loop_free_later(struct loop *loop, struct grave *grave, void *object)
{
    grave->object = object;
    list_append(&loop->graves, &grave->link);
}

void loop_bury(struct loop *loop)
{
    while (!list_empty(&loop->graves)) {
        struct grave *grave = container_of(loop->graves.next, struct grave, link);

        list_remove(&grave->link);
        free(grave->object);
    }
}
