/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Row "ping-pong, WSAPoll", on Linux poll: one array per side, asked for reading. */
#ifndef BENCH_POLL_H
#define BENCH_POLL_H

#include "ready.h"

struct poll_set {
    net_pollfd *polls;
    struct ping_conn **conns; /* of the same index */
    unsigned count;
};

static void poll_fill(struct poll_set *set, const struct ready_side *side)
{
    set->count = 0;
    for (unsigned i = 0; i < ping_all_conns(); i++) {
        struct ping_conn *conn = &side->conns[i];
        if (conn->s == NET_NONE)
            continue;
        set->polls[set->count].fd = conn->s;
        set->polls[set->count].events = POLLIN;
        set->conns[set->count++] = conn;
    }
}

static void poll_loop(void *arg)
{
    struct ready_side *side = arg;
    struct poll_set set = {bench_alloc(ping_all_conns(), sizeof(*set.polls)),
                           bench_alloc(ping_all_conns(), sizeof(*set.conns)), 0};
    unsigned open = 0;

    ready_start(side);
    while (side->side.open) {
        int n;

        if (open != side->side.open)
            poll_fill(&set, side);
        open = side->side.open;
        n = net_poll(set.polls, set.count, READY_PATIENCE_MS);
        if (n <= 0)
            bench_die("poll returned %d, error %d", n, net_error());
        for (unsigned i = 0; n && i < set.count; i++) {
            if (!set.polls[i].revents)
                continue;
            ready_readable(side, set.conns[i]);
            n--;
        }
    }
    free(set.polls);
    free(set.conns);
}

static int poll_main(int argc, char **argv)
{
    return ready_main(argc, argv, poll_loop);
}

#endif
