/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ping-pongs for Linux that have no call of the same name there: one level-triggered epoll
 * instance per side.
 */
#ifndef BENCH_EPOLL_H
#define BENCH_EPOLL_H

#include "ready.h"
#include <sys/epoll.h>

static void epoll_loop(void *arg)
{
    struct ready_side *side = arg;
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    if (epoll < 0)
        net_die("epoll_create1");
    for (unsigned i = 0; i < ping_all_conns(); i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &side->conns[i]};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, side->conns[i].s, &event))
            net_die("epoll_ctl");
    }
    ready_start(side);
    while (side->side.open) {
        struct epoll_event events[READY_EVENTS];
        int n = epoll_wait(epoll, events, READY_EVENTS, READY_PATIENCE_MS);

        if (n <= 0)
            bench_die("epoll_wait: %s", n ? strerror(errno) : "nothing happened");
        for (int i = 0; i < n; i++)
            ready_readable(side, events[i].data.ptr);
    }
    net_close(epoll);
}

static int epoll_main(int argc, char **argv)
{
    return ready_main(argc, argv, epoll_loop);
}

#endif
