/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Row "ping-pong, completion port" for Windows: one completion port per side, overlapped WSASend
 * and WSARecv, one GetQueuedCompletionStatus per packet, as a plain Windows server is written.
 */
#include "../common/overlapped.h"

static void port_prepare(struct ping_conn *conn)
{
    HANDLE *port = &conn->owner->port;

    if (!*port && !(*port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1)))
        bench_die("CreateIoCompletionPort failed, error %lu", GetLastError());
    if (CreateIoCompletionPort((HANDLE)conn->s, *port, (ULONG_PTR)conn, 0) != *port)
        bench_die("CreateIoCompletionPort refused a socket, error %lu", GetLastError());
}

static void port_loop(void *arg)
{
    struct overlapped_side *side = arg;

    overlapped_start(side);
    while (side->side.open) {
        DWORD bytes;
        ULONG_PTR key;
        OVERLAPPED *overlapped;
        struct ping_conn *conn;

        if (!GetQueuedCompletionStatus(side->port, &bytes, &key, &overlapped,
                                       OVERLAPPED_PATIENCE_MS))
            bench_die("GetQueuedCompletionStatus failed, error %lu, %s", GetLastError(),
                      overlapped ? "with a packet" : "no packet");
        conn = (struct ping_conn *)key;
        if (overlapped != &conn->overlapped)
            bench_die("a packet with a wrong overlapped or key");
        overlapped_completed(conn, bytes);
    }
}

int main(int argc, char **argv)
{
    return overlapped_main(argc, argv, NULL, port_prepare, port_loop);
}
