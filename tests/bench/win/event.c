/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Row "ping-pong, event" for Windows: each operation with an event of its connection's, one
 * WSAWaitForMultipleEvents over all of a side, then WSAGetOverlappedResult and WSAResetEvent, as
 * the example on WSARecv's page does.
 */
#include "../common/overlapped.h"

static void event_prepare(struct ping_conn *conn)
{
    if (bench_args.conns > WSA_MAXIMUM_WAIT_EVENTS)
        bench_die("--conns can be at most %u", WSA_MAXIMUM_WAIT_EVENTS);
    if ((conn->overlapped.hEvent = WSACreateEvent()) == WSA_INVALID_EVENT)
        net_die("WSACreateEvent");
}

static void event_loop(void *arg)
{
    WSAEVENT events[WSA_MAXIMUM_WAIT_EVENTS];
    struct overlapped_side *side = arg;

    for (unsigned i = 0; i < bench_args.conns; i++)
        events[i] = side->conns[i].overlapped.hEvent;
    overlapped_start(side);
    while (side->side.open) {
        DWORD bytes, flags, index;
        struct ping_conn *conn;

        index = WSAWaitForMultipleEvents(bench_args.conns, events, FALSE, OVERLAPPED_PATIENCE_MS,
                                         FALSE);
        if (index >= WSA_WAIT_EVENT_0 + bench_args.conns)
            bench_die("WSAWaitForMultipleEvents returned %lx, error %d", index, net_error());
        conn = &side->conns[index - WSA_WAIT_EVENT_0];
        if (!WSAGetOverlappedResult(conn->s, &conn->overlapped, &bytes, FALSE, &flags))
            net_die("WSAGetOverlappedResult");
        if (!WSAResetEvent(events[index - WSA_WAIT_EVENT_0]))
            net_die("WSAResetEvent");
        overlapped_completed(conn, bytes);
    }
}

int main(int argc, char **argv)
{
    return overlapped_main(argc, argv, NULL, event_prepare, event_loop);
}
