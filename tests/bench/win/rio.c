/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows "ping-pong, registered I/O": as the completion port's, but with one request queue per
 * connection and one completion queue per side.  A receive is posted before the send that it answers;
 * sends do not notify.
 */
#include "../common/ping.h"
#include "../common/rio.h"

struct ping_conn {
    net_socket s;
    rq_t rq;
    struct ping_side *side;
    buffer_t id;
    unsigned index, moved;
    char *in, *out;
    ULONG in_at, out_at;
};

struct tcp_side {
    struct rio_side rio; /* first */
    struct ping_side side;
    struct ping_conn *conns;
};

static void receive(struct ping_conn *conn)
{
    struct slice slice = {conn->id, conn->in_at + conn->moved, bench_args.size - conn->moved};

    if (!rio.receive(conn->rq, &slice, 1, 0, conn->in))
        net_die("RIOReceive");
}

static void send_message(struct ping_conn *conn)
{
    struct slice slice = {conn->id, conn->out_at, bench_args.size};

    if (!rio.send(conn->rq, &slice, 1, MSG_DONT_NOTIFY, conn->out))
        net_die("RIOSend");
}

static void close_conn(struct ping_conn *conn)
{
    net_close(conn->s);
    conn->side->open--;
}

static void begin(struct ping_conn *conn)
{
    if (!ping_may_begin(conn->side)) {
        close_conn(conn);
        return;
    }
    ping_begin(conn->side, conn->out, conn->index);
    conn->moved = 0;
    receive(conn);
    send_message(conn);
}

static void message_received(struct ping_conn *conn)
{
    if (conn->side->meter) {
        ping_end(conn->side, conn->out, conn->in);
        begin(conn);
        return;
    }
    conn->side->messages++;
    memcpy(conn->out, conn->in, bench_args.size);
    conn->moved = 0;
    receive(conn);
    send_message(conn);
}

static void completed(struct rio_side *side, const struct result *result)
{
    struct ping_conn *conn = (struct ping_conn *)(ULONG_PTR)result->socket_context;

    (void)side;
    if (result->request_context == (ULONG_PTR)conn->out) {
        if (result->bytes != bench_args.size)
            bench_die("%lu bytes were sent", result->bytes);
        return;
    }
    if (!result->bytes) {
        if (conn->moved || conn->side->meter)
            bench_die("connection %u ended early", conn->index);
        close_conn(conn);
        return;
    }
    conn->moved += result->bytes;
    if (conn->moved < bench_args.size)
        receive(conn);
    else
        message_received(conn);
}

static bool ended(const struct rio_side *side)
{
    return !((const struct tcp_side *)side)->side.open;
}

static void add_conn(struct tcp_side *side, unsigned index, net_socket s)
{
    struct ping_conn *conn = &side->conns[index];

    conn->s = s;
    conn->side = &side->side;
    conn->id = side->rio.id;
    conn->index = index;
    conn->in_at = 2 * index * bench_args.size;
    conn->out_at = conn->in_at + bench_args.size;
    conn->in = side->rio.memory + conn->in_at;
    conn->out = side->rio.memory + conn->out_at;
    conn->rq = rio_queue(&side->rio, s, 1, 2, conn);
    side->side.open++;
}

static void pair(net_socket listener, const struct sockaddr_in *addr, net_socket ends[2])
{
    int on = 1;

    ends[0] = rio_open(SOCK_STREAM);
    if (connect(ends[0], (const struct sockaddr *)addr, sizeof(*addr)))
        net_die("connect");
    if ((ends[1] = accept(listener, NULL, NULL)) == NET_NONE)
        net_die("accept");
    for (int i = 0; i < 2; i++)
        if (setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, (char *)&on, sizeof(on)))
            net_die("TCP_NODELAY");
}

int main(int argc, char **argv)
{
    static struct tcp_side sides[2]; /* the client, the server */
    static struct bench_meter meter;
    struct sockaddr_in addr;
    net_socket listener, ends[2];

    rio_start(argc, argv);
    listener = rio_open(SOCK_STREAM);
    addr = net_bind(listener, INADDR_LOOPBACK);
    if (listen(listener, 128))
        net_die("listen");
    for (int k = 0; k < 2; k++) {
        sides[k].conns = bench_alloc(bench_args.conns, sizeof(*sides[k].conns));
        sides[k].rio.completed = completed;
        sides[k].rio.ended = ended;
        rio_prepare(&sides[k].rio, 3 * bench_args.conns, 2 * bench_args.conns * bench_args.size);
    }
    for (unsigned i = 0; i < bench_args.conns; i++) {
        pair(listener, &addr, ends);
        add_conn(&sides[0], i, ends[0]);
        add_conn(&sides[1], i, ends[1]);
    }
    net_close(listener);
    sides[0].side.meter = &meter;
    meter_start(&meter);
    for (unsigned i = 0; i < bench_args.conns; i++) {
        receive(&sides[1].conns[i]);
        begin(&sides[0].conns[i]);
    }
    rio_run(&sides[0].rio, &sides[1].rio);
    return ping_result(&sides[0].side, &sides[1].side);
}
