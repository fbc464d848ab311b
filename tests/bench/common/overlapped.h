/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the ping-pongs with overlapped operations share, whichever way a completion is told: a
 * completed receive starts a send, a completed send starts a receive.  Windows only.
 */
#ifndef BENCH_OVERLAPPED_H
#define BENCH_OVERLAPPED_H

#include "ping.h"

#define OVERLAPPED_PATIENCE_MS 8000

struct ping_conn {
    SOCKET s;
    OVERLAPPED overlapped;
    struct overlapped_side *owner;
    bool sending;
    unsigned index;
    unsigned moved; /* bytes of the current message that have been sent or received */
    char *in, *out;
};

struct overlapped_side {
    struct ping_side side;
    struct ping_conn *conns;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine; /* or NULL */
    HANDLE port;                                /* port.c's */
};

static void overlapped_issue(struct ping_conn *conn)
{
    WSABUF buffer = {bench_args.size - conn->moved,
                     (conn->sending ? conn->out : conn->in) + conn->moved};
    HANDLE event = conn->overlapped.hEvent;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine = conn->owner->routine;
    DWORD flags = 0;
    int result;

    memset(&conn->overlapped, 0, sizeof(conn->overlapped));
    conn->overlapped.hEvent = event;
    if (conn->sending)
        result = WSASend(conn->s, &buffer, 1, NULL, 0, &conn->overlapped, routine);
    else
        result = WSARecv(conn->s, &buffer, 1, NULL, &flags, &conn->overlapped, routine);
    if (result && WSAGetLastError() != WSA_IO_PENDING)
        net_die(conn->sending ? "WSASend" : "WSARecv");
}

static void overlapped_turn(struct ping_conn *conn, bool sending)
{
    conn->sending = sending;
    conn->moved = 0;
    overlapped_issue(conn);
}

static void overlapped_close(struct ping_conn *conn)
{
    net_close(conn->s);
    conn->s = INVALID_SOCKET;
    conn->owner->side.open--;
}

static void overlapped_begin(struct ping_conn *conn)
{
    struct ping_side *side = &conn->owner->side;

    if (!ping_may_begin(side)) {
        overlapped_close(conn);
        return;
    }
    ping_begin(side, conn->out, conn->index);
    overlapped_turn(conn, true);
}

static void overlapped_message_received(struct ping_conn *conn)
{
    struct ping_side *side = &conn->owner->side;

    if (side->meter) {
        ping_end(side, conn->out, conn->in);
        overlapped_begin(conn);
        return;
    }
    side->messages++;
    memcpy(conn->out, conn->in, bench_args.size);
    overlapped_turn(conn, true);
}

static void overlapped_completed(struct ping_conn *conn, DWORD bytes)
{
    if (!bytes) {
        if (conn->sending || conn->moved || conn->owner->side.meter)
            bench_die("connection %u ended early", conn->index);
        overlapped_close(conn);
        return;
    }
    conn->moved += bytes;
    if (conn->moved > bench_args.size)
        bench_die("%lu bytes completed, fewer were asked for", bytes);
    if (conn->moved < bench_args.size)
        overlapped_issue(conn);
    else if (conn->sending)
        overlapped_turn(conn, false);
    else
        overlapped_message_received(conn);
}

/* `prepare` sees each connection before anything is issued on it; `loop` is one side's thread,
 * which ends when no connection of it is open. */
static int overlapped_main(int argc, char **argv, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine,
                           void (*prepare)(struct ping_conn *), void (*loop)(void *side))
{
    static struct overlapped_side client, server;
    struct sockaddr_in addr;
    SOCKET listener;

    ping_start(argc, argv);
    listener = net_listen(&addr);
    client.conns = bench_alloc(ping_all_conns(), sizeof(*client.conns));
    server.conns = bench_alloc(ping_all_conns(), sizeof(*server.conns));
    client.routine = server.routine = routine;
    for (unsigned i = 0; i < ping_all_conns(); i++) {
        net_pair(listener, &addr, &client.conns[i].s, &server.conns[i].s);
        for (int k = 0; k < 2; k++) {
            struct overlapped_side *side = k ? &server : &client;
            struct ping_conn *conn = &side->conns[i];

            conn->owner = side;
            conn->index = i;
            conn->in = bench_alloc(1, bench_args.size);
            conn->out = bench_alloc(1, bench_args.size);
            side->side.open += i < bench_args.conns;
            prepare(conn);
        }
    }
    net_close(listener);
    return ping_run(&client.side, &server.side, loop);
}

/* Each side's thread issues its first operations itself: routines run in the thread that did. */
static void overlapped_start(struct overlapped_side *side)
{
    for (unsigned i = 0; i < ping_all_conns(); i++) {
        if (side->side.meter && i < bench_args.conns)
            overlapped_begin(&side->conns[i]);
        else
            overlapped_turn(&side->conns[i], false);
    }
}

#endif
