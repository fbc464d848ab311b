/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Row "ping-pong, completion port" for Windows: one completion port per side, overlapped WSASend
 * and WSARecv, one GetQueuedCompletionStatus per packet, as a plain Windows server is written: a
 * completed receive starts a send, a completed send starts a receive.
 */
#include "../common/ping.h"

#define PORT_PATIENCE_MS 8000

struct ping_conn {
    SOCKET s;
    OVERLAPPED overlapped;
    bool sending;
    unsigned index;
    unsigned moved; /* bytes of the current message that have been sent or received */
    char *in, *out;
};

struct port_side {
    struct ping_side side;
    HANDLE port;
};

static void port_issue(struct ping_conn *conn)
{
    WSABUF buffer = {bench_args.size - conn->moved,
                     (conn->sending ? conn->out : conn->in) + conn->moved};
    DWORD flags = 0;
    int result;

    memset(&conn->overlapped, 0, sizeof(conn->overlapped));
    if (conn->sending)
        result = WSASend(conn->s, &buffer, 1, NULL, 0, &conn->overlapped, NULL);
    else
        result = WSARecv(conn->s, &buffer, 1, NULL, &flags, &conn->overlapped, NULL);
    if (result && WSAGetLastError() != WSA_IO_PENDING)
        net_die(conn->sending ? "WSASend" : "WSARecv");
}

static void port_turn(struct ping_conn *conn, bool sending)
{
    conn->sending = sending;
    conn->moved = 0;
    port_issue(conn);
}

static void port_close(struct port_side *side, struct ping_conn *conn)
{
    net_close(conn->s);
    conn->s = INVALID_SOCKET;
    side->side.open--;
}

static void port_begin(struct port_side *side, struct ping_conn *conn)
{
    if (!ping_may_begin(&side->side)) {
        port_close(side, conn);
        return;
    }
    ping_begin(&side->side, conn->out, conn->index);
    port_turn(conn, true);
}

static void port_message_sent(struct ping_conn *conn)
{
    port_turn(conn, false);
}

static void port_message_received(struct port_side *side, struct ping_conn *conn)
{
    if (side->side.meter) {
        ping_end(&side->side, conn->out, conn->in);
        port_begin(side, conn);
        return;
    }
    side->side.messages++;
    memcpy(conn->out, conn->in, bench_args.size);
    port_turn(conn, true);
}

static void port_completed(struct port_side *side, struct ping_conn *conn, DWORD bytes)
{
    if (!bytes) {
        if (conn->sending || conn->moved || side->side.meter)
            bench_die("connection %u ended early", conn->index);
        port_close(side, conn);
        return;
    }
    conn->moved += bytes;
    if (conn->moved > bench_args.size)
        bench_die("%lu bytes completed, fewer were asked for", bytes);
    if (conn->moved < bench_args.size)
        port_issue(conn);
    else if (conn->sending)
        port_message_sent(conn);
    else
        port_message_received(side, conn);
}

static void port_loop(void *arg)
{
    struct port_side *side = arg;

    while (side->side.open) {
        DWORD bytes;
        ULONG_PTR key;
        OVERLAPPED *overlapped;
        struct ping_conn *conn;

        if (!GetQueuedCompletionStatus(side->port, &bytes, &key, &overlapped, PORT_PATIENCE_MS))
            bench_die("GetQueuedCompletionStatus failed, error %lu, %s", GetLastError(),
                      overlapped ? "with a packet" : "no packet");
        conn = (struct ping_conn *)key;
        if (overlapped != &conn->overlapped)
            bench_die("a packet with a wrong overlapped or key");
        port_completed(side, conn, bytes);
    }
}

static void port_open(struct port_side *side)
{
    side->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (!side->port)
        bench_die("CreateIoCompletionPort failed, error %lu", GetLastError());
}

static void port_add(struct port_side *side, struct ping_conn *conn, unsigned index)
{
    conn->index = index;
    conn->in = bench_alloc(1, bench_args.size);
    conn->out = bench_alloc(1, bench_args.size);
    if (CreateIoCompletionPort((HANDLE)conn->s, side->port, (ULONG_PTR)conn, 0) != side->port)
        bench_die("CreateIoCompletionPort refused a socket, error %lu", GetLastError());
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
    SOCKET listener = net_listen(&addr);
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
    for (unsigned i = 0; i < bench_args.conns; i++)
        port_turn(&near_ends[i], false);
    bench_thread_start(&thread, port_loop, &server);
    for (unsigned i = 0; i < bench_args.conns; i++)
        port_begin(&client, &far_ends[i]);
    port_loop(&client);
    bench_thread_join(&thread);
    return ping_result(&client.side, &server.side);
}
