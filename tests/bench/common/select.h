/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Row "ping-pong, select": one set per side, copied for each call, and FD_ISSET for every
 * connection until as many are found as select said: what portable programs do.
 */
#ifndef BENCH_SELECT_H
#define BENCH_SELECT_H

#include "ready.h"

struct select_set {
    fd_set fds;
    int top;
    unsigned open; /* connections in it */
};

static void select_fill(struct select_set *set, const struct ready_side *side)
{
    FD_ZERO(&set->fds);
    set->top = 0;
    set->open = side->side.open;
    for (unsigned i = 0; i < ping_all_conns(); i++) {
        net_socket s = side->conns[i].s;
        if (s == NET_NONE)
            continue;
        FD_SET(s, &set->fds);
        if ((int)s >= set->top)
            set->top = (int)s + 1;
    }
}

static void select_loop(void *arg)
{
    struct ready_side *side = arg;
    struct select_set set;
    fd_set fds;

    if (3 * ping_all_conns() > FD_SETSIZE) /* Linux: both ends' descriptors, and some others */
        bench_die("%u connections are too many for select", ping_all_conns());
    ready_start(side);
    select_fill(&set, side);
    while (side->side.open) {
        struct timeval timeout = {READY_PATIENCE_MS / 1000, 0};
        int n;

        if (set.open != side->side.open)
            select_fill(&set, side);
        fds = set.fds;
        n = select(set.top, &fds, NULL, NULL, &timeout);
        if (n <= 0)
            bench_die("select returned %d, error %d", n, net_error());
        for (unsigned i = 0; n && i < ping_all_conns(); i++) {
            struct ping_conn *conn = &side->conns[i];
            if (conn->s == NET_NONE || !FD_ISSET(conn->s, &fds))
                continue;
            ready_readable(side, conn);
            n--;
        }
    }
}

static int select_main(int argc, char **argv)
{
    return ready_main(argc, argv, select_loop);
}

#endif
