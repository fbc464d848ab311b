/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ping-pongs with overlapped operations for Linux, where epoll takes their place: one epoll
 * instance per side, nonblocking send and recv, level-triggered.
 */
#ifndef BENCH_EPOLL_H
#define BENCH_EPOLL_H

#include "ping.h"
#include <sys/epoll.h>

#define EPOLL_PATIENCE_MS 8000
#define EPOLL_EVENTS      64

struct ping_conn {
    int s;
    unsigned index;
    unsigned received;
    char *in, *out;
};

struct epoll_side {
    struct ping_side side;
    int epoll;
};

/* The message is small and the only one under way, so the socket's buffer always has room. */
static void epoll_send(struct ping_conn *conn, const char *data)
{
    if (send(conn->s, data, bench_args.size, 0) != (ssize_t)bench_args.size)
        net_die("send of a message that must fit");
}

static void epoll_close(struct epoll_side *side, struct ping_conn *conn)
{
    net_close(conn->s);
    side->side.open--;
}

static void epoll_begin(struct epoll_side *side, struct ping_conn *conn)
{
    if (!ping_may_begin(&side->side)) {
        epoll_close(side, conn);
        return;
    }
    ping_begin(&side->side, conn->out, conn->index);
    epoll_send(conn, conn->out);
}

static void epoll_readable(struct epoll_side *side, struct ping_conn *conn)
{
    ssize_t n = recv(conn->s, conn->in + conn->received, bench_args.size - conn->received, 0);

    if (n < 0)
        net_die("recv");
    if (!n) {
        if (conn->received || side->side.meter)
            bench_die("connection %u ended early", conn->index);
        epoll_close(side, conn);
        return;
    }
    conn->received += (unsigned)n;
    if (conn->received < bench_args.size)
        return;
    conn->received = 0;
    if (side->side.meter) {
        ping_end(&side->side, conn->out, conn->in);
        epoll_begin(side, conn);
    } else {
        side->side.messages++;
        epoll_send(conn, conn->in);
    }
}

static void epoll_loop(void *arg)
{
    struct epoll_side *side = arg;

    while (side->side.open) {
        struct epoll_event events[EPOLL_EVENTS];
        int n = epoll_wait(side->epoll, events, EPOLL_EVENTS, EPOLL_PATIENCE_MS);

        if (n <= 0)
            bench_die("epoll_wait: %s", n ? strerror(errno) : "nothing happened");
        for (int i = 0; i < n; i++)
            epoll_readable(side, events[i].data.ptr);
    }
}

static void epoll_open(struct epoll_side *side)
{
    side->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (side->epoll < 0)
        net_die("epoll_create1");
}

static void epoll_add(struct epoll_side *side, struct ping_conn *conn, unsigned index)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};

    conn->index = index;
    conn->in = bench_alloc(1, bench_args.size);
    conn->out = bench_alloc(1, bench_args.size);
    net_nonblocking(conn->s);
    if (epoll_ctl(side->epoll, EPOLL_CTL_ADD, conn->s, &event))
        net_die("epoll_ctl");
    side->side.open += index < bench_args.conns;
}

static int epoll_main(int argc, char **argv)
{
    static struct epoll_side client, server;
    static struct bench_meter meter;
    struct bench_thread thread;
    struct sockaddr_in addr;

    ping_start(argc, argv);
    epoll_open(&client);
    epoll_open(&server);
    int listener = net_listen(&addr);
    struct ping_conn *far_ends = bench_alloc(ping_all_conns(), sizeof(*far_ends));
    struct ping_conn *near_ends = bench_alloc(ping_all_conns(), sizeof(*near_ends));
    for (unsigned i = 0; i < ping_all_conns(); i++) {
        net_pair(listener, &addr, &far_ends[i].s, &near_ends[i].s);
        epoll_add(&client, &far_ends[i], i);
        epoll_add(&server, &near_ends[i], i);
    }
    net_close(listener);

    client.side.meter = &meter;
    meter_start(&meter);
    bench_thread_start(&thread, epoll_loop, &server);
    for (unsigned i = 0; i < bench_args.conns; i++)
        epoll_begin(&client, &far_ends[i]);
    epoll_loop(&client);
    bench_thread_join(&thread);
    return ping_result(&client.side, &server.side);
}

#endif
