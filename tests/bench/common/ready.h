/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the ping-pongs over nonblocking sockets share, on Windows and on Linux, whichever way it is
 * told that a socket is readable: then one recv, and after a whole message one send.
 */
#ifndef BENCH_READY_H
#define BENCH_READY_H

#include "ping.h"

#define READY_PATIENCE_MS 8000
#define READY_EVENTS      64 /* taken at once, where a wait gives a list */

struct ping_conn {
    net_socket s; /* NET_NONE: closed */
    unsigned index;
    unsigned received;
    char *in, *out;
};

struct ready_side {
    struct ping_side side;
    struct ping_conn *conns;
};

/* The message is small and the only one under way, so the socket's buffer always has room. */
static void ready_send(struct ping_conn *conn, const char *data)
{
    if (send(conn->s, data, (int)bench_args.size, 0) != (int)bench_args.size)
        net_die("send of a message that must fit");
}

static void ready_close(struct ready_side *side, struct ping_conn *conn)
{
    net_close(conn->s);
    conn->s = NET_NONE;
    side->side.open--;
}

static void ready_begin(struct ready_side *side, struct ping_conn *conn)
{
    if (!ping_may_begin(&side->side)) {
        ready_close(side, conn);
        return;
    }
    ping_begin(&side->side, conn->out, conn->index);
    ready_send(conn, conn->out);
}

static void ready_readable(struct ready_side *side, struct ping_conn *conn)
{
    int n = (int)recv(conn->s, conn->in + conn->received, (int)(bench_args.size - conn->received), 0);

    if (n < 0)
        net_die("recv");
    if (!n) {
        if (conn->received || side->side.meter)
            bench_die("connection %u ended early", conn->index);
        ready_close(side, conn);
        return;
    }
    conn->received += (unsigned)n;
    if (conn->received < bench_args.size)
        return;
    conn->received = 0;
    if (side->side.meter) {
        ping_end(&side->side, conn->out, conn->in);
        ready_begin(side, conn);
    } else {
        side->side.messages++;
        ready_send(conn, conn->in);
    }
}

/* Each loop calls it before its first wait. */
static void ready_start(struct ready_side *side)
{
    for (unsigned i = 0; side->side.meter && i < bench_args.conns; i++)
        ready_begin(side, &side->conns[i]);
}

static void ready_add(struct ready_side *side, struct ping_conn *conn, unsigned index)
{
    conn->index = index;
    conn->in = bench_alloc(1, bench_args.size);
    conn->out = bench_alloc(1, bench_args.size);
    net_nonblocking(conn->s);
    side->side.open += index < bench_args.conns;
}

/* `loop` is one side's thread, which ends when no connection of it is open. */
static int ready_main(int argc, char **argv, void (*loop)(void *side))
{
    static struct ready_side client, server;
    struct sockaddr_in addr;
    net_socket listener;

    ping_start(argc, argv);
    listener = net_listen(&addr);
    client.conns = bench_alloc(ping_all_conns(), sizeof(*client.conns));
    server.conns = bench_alloc(ping_all_conns(), sizeof(*server.conns));
    for (unsigned i = 0; i < ping_all_conns(); i++) {
        net_pair(listener, &addr, &client.conns[i].s, &server.conns[i].s);
        ready_add(&client, &client.conns[i], i);
        ready_add(&server, &server.conns[i], i);
    }
    net_close(listener);
    return ping_run(&client.side, &server.side, loop);
}

#endif
