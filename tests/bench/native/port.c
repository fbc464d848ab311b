/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Row "ping-pong, completion port" for Linux, where epoll takes the port's place: one epoll
 * instance per side, nonblocking send and recv, level-triggered.
 */
#include "../common/ping.h"
#include <sys/epoll.h>

#define PORT_PATIENCE_MS 8000
#define PORT_EVENTS      64

struct ping_conn {
    int s;
    unsigned index;
    unsigned received;
    char *in, *out;
};

struct port_side {
    struct ping_side side;
    int epoll;
};

/* The message is small and the only one under way, so the socket's buffer always has room. */
static void port_send(struct ping_conn *conn, const char *data)
{
    if (send(conn->s, data, bench_args.size, 0) != (ssize_t)bench_args.size)
        net_die("send of a message that must fit");
}

static void port_close(struct port_side *side, struct ping_conn *conn)
{
    net_close(conn->s);
    side->side.open--;
}

static void port_begin(struct port_side *side, struct ping_conn *conn)
{
    if (!ping_may_begin(&side->side)) {
        port_close(side, conn);
        return;
    }
    ping_begin(&side->side, conn->out, conn->index);
    port_send(conn, conn->out);
}

static void port_readable(struct port_side *side, struct ping_conn *conn)
{
    ssize_t n = recv(conn->s, conn->in + conn->received, bench_args.size - conn->received, 0);

    if (n < 0)
        net_die("recv");
    if (!n) {
        if (conn->received || side->side.meter)
            bench_die("connection %u ended early", conn->index);
        port_close(side, conn);
        return;
    }
    conn->received += (unsigned)n;
    if (conn->received < bench_args.size)
        return;
    conn->received = 0;
    if (side->side.meter) {
        ping_end(&side->side, conn->out, conn->in);
        port_begin(side, conn);
    } else {
        side->side.messages++;
        port_send(conn, conn->in);
    }
}

static void port_loop(void *arg)
{
    struct port_side *side = arg;

    while (side->side.open) {
        struct epoll_event events[PORT_EVENTS];
        int n = epoll_wait(side->epoll, events, PORT_EVENTS, PORT_PATIENCE_MS);

        if (n <= 0)
            bench_die("epoll_wait: %s", n ? strerror(errno) : "nothing happened");
        for (int i = 0; i < n; i++)
            port_readable(side, events[i].data.ptr);
    }
}

static void port_open(struct port_side *side)
{
    side->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (side->epoll < 0)
        net_die("epoll_create1");
}

static void port_add(struct port_side *side, struct ping_conn *conn, unsigned index)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};

    conn->index = index;
    conn->in = bench_alloc(1, bench_args.size);
    conn->out = bench_alloc(1, bench_args.size);
    net_nonblocking(conn->s);
    if (epoll_ctl(side->epoll, EPOLL_CTL_ADD, conn->s, &event))
        net_die("epoll_ctl");
    side->side.open++;
}

int main(int argc, char **argv)
{
    static struct port_side client, server;
    static struct bench_meter meter;
    struct bench_thread thread;
    struct sockaddr_in addr;

    ping_start(argc, argv);
    port_open(&client);
    port_open(&server);
    int listener = net_listen(&addr);
    struct ping_conn *far_ends = bench_alloc(bench_args.conns, sizeof(*far_ends));
    struct ping_conn *near_ends = bench_alloc(bench_args.conns, sizeof(*near_ends));
    for (unsigned i = 0; i < bench_args.conns; i++) {
        net_pair(listener, &addr, &far_ends[i].s, &near_ends[i].s);
        port_add(&client, &far_ends[i], i);
        port_add(&server, &near_ends[i], i);
    }
    net_close(listener);

    client.side.meter = &meter;
    meter_start(&meter);
    bench_thread_start(&thread, port_loop, &server);
    for (unsigned i = 0; i < bench_args.conns; i++)
        port_begin(&client, &far_ends[i]);
    port_loop(&client);
    bench_thread_join(&thread);
    return ping_result(&client.side, &server.side);
}
