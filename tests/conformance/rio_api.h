/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What several tests of registered I/O do.  May call: Winsock.  Owns nothing but the table of
 * functions (rio_types.h).
 */
#ifndef RINGSOCK_TESTS_RIO_API_H
#define RINGSOCK_TESTS_RIO_API_H

#include "net.h"
#include "rio_types.h"

/* False on a Winsock without registered I/O, as all of Wine's own. */
static BOOL rio_load(void)
{
    BOOL loaded = rio_get();

    todo_wine ok(loaded, "no registered I/O, error %d\n", WSAGetLastError());
    return loaded;
}

static RT_UNUSED SOCKET rio_socket(int family, int type)
{
    SOCKET s = WSASocketW(family, type, 0, NULL, 0, WSA_FLAG_REGISTERED_IO | WSA_FLAG_OVERLAPPED);

    ok(s != INVALID_SOCKET, "WSASocket error %d\n", WSAGetLastError());
    return s;
}

/* Two connected sockets, both of registered I/O: an accepted one is as its listener was made. */
static RT_UNUSED void rio_pair(SOCKET *client, SOCKET *server)
{
    struct sockaddr_storage address;
    int length = net_loopback(AF_INET, &address), on = 1;
    SOCKET l = rio_socket(AF_INET, SOCK_STREAM);

    ok_success(bind(l, (struct sockaddr *)&address, length));
    ok_success(listen(l, 1));
    ok_success(getsockname(l, (struct sockaddr *)&address, &length));
    *client = rio_socket(AF_INET, SOCK_STREAM);
    ok_success(connect(*client, (struct sockaddr *)&address, length));
    *server = accept(l, NULL, NULL);
    ok(*server != INVALID_SOCKET, "accept error %d\n", WSAGetLastError());
    setsockopt(*client, IPPROTO_TCP, TCP_NODELAY, (char *)&on, sizeof(on));
    setsockopt(*server, IPPROTO_TCP, TCP_NODELAY, (char *)&on, sizeof(on));
    closesocket(l);
}

/* A UDP socket of registered I/O on a free loopback port. */
static RT_UNUSED SOCKET rio_udp(int family, struct sockaddr_storage *address)
{
    int length = net_loopback(family, address);
    SOCKET s = rio_socket(family, SOCK_DGRAM);

    ok_success(bind(s, (struct sockaddr *)address, length));
    ok_success(getsockname(s, (struct sockaddr *)address, &length));
    return s;
}

/* Dequeues until so many have come, or patience ends; returns how many. */
static RT_UNUSED ULONG rio_take(cq_t cq, struct result *results, ULONG count)
{
    DWORD start = GetTickCount();
    ULONG got = 0;

    while (got < count && GetTickCount() - start < NET_PATIENCE) {
        ULONG now = rio.dequeue(cq, results + got, count - got);

        if (now == CORRUPT_CQ)
            break;
        got += now;
        if (!now)
            Sleep(0);
    }
    return got;
}

/* Two ends of a connection, the first of registered I/O with queues and a buffer of its own. */
struct rio_end {
    SOCKET s, peer;
    cq_t cq;
    rq_t rq;
    buffer_t id;
    char data[8192];
};

#define SOCKET_CONTEXT ((void *)0x5ead)
#define REQUEST(n)     ((void *)(ULONG_PTR)(n))

static RT_UNUSED void rio_open_end(struct rio_end *end, const struct notification *how, ULONG receives,
                                   ULONG sends)
{
    memset(end, 0, sizeof(*end));
    net_pair_flags(AF_INET, WSA_FLAG_REGISTERED_IO | WSA_FLAG_OVERLAPPED, &end->s, &end->peer);
    end->cq = rio.create_cq(receives + sends, how);
    ok(end->cq != NULL, "RIOCreateCompletionQueue error %d\n", WSAGetLastError());
    end->rq = rio.create_rq(end->s, receives, 1, sends, 1, end->cq, end->cq, SOCKET_CONTEXT);
    ok(end->rq != NULL, "RIOCreateRequestQueue error %d\n", WSAGetLastError());
    end->id = rio.register_buffer(end->data, sizeof(end->data));
    ok(end->id != BAD_BUFFER, "RIORegisterBuffer error %d\n", WSAGetLastError());
}

static RT_UNUSED void rio_close_end(struct rio_end *end)
{
    if (end->s != INVALID_SOCKET)
        closesocket(end->s);
    closesocket(end->peer);
    rio.close_cq(end->cq);
    rio.deregister(end->id);
}

static RT_UNUSED BOOL rio_receive(struct rio_end *end, ULONG offset, ULONG length, DWORD flags,
                                  ULONG request)
{
    struct slice data = {end->id, offset, length};

    return rio.receive(end->rq, &data, 1, flags, REQUEST(request));
}

static RT_UNUSED BOOL rio_send(struct rio_end *end, ULONG offset, ULONG length, DWORD flags,
                               ULONG request)
{
    struct slice data = {end->id, offset, length};

    return rio.send(end->rq, &data, 1, flags, REQUEST(request));
}

/* One completion, as expected. */
#define ok_result(cq, expected_status, expected_bytes, request)                               \
    do {                                                                                      \
        struct result rt_got = {-1, ~0u, 0, 0};                                               \
        ULONG rt_count = rio_take(cq, &rt_got, 1);                                            \
        ok(rt_count == 1, "got %lu completions\n", rt_count);                                 \
        ok(rt_got.status == (LONG)(expected_status), "got status %ld\n", rt_got.status);      \
        ok(rt_got.bytes == (ULONG)(expected_bytes), "got %lu bytes\n", rt_got.bytes);         \
        ok(rt_got.socket_context == (ULONG_PTR)SOCKET_CONTEXT, "wrong socket context\n");     \
        ok(rt_got.request_context == (ULONG_PTR)(request), "got request %lu, error %ld\n",               \
           (ULONG)rt_got.request_context, rt_got.status);                                     \
    } while (0)
#define ok_refused(expression, expected)                                           \
    do {                                                                           \
        WSASetLastError(0xdead);                                                   \
        ok(!(expression), #expression " succeeded\n");                             \
        ok(WSAGetLastError() == (int)(expected), #expression ": error %d\n",       \
           WSAGetLastError());                                                     \
    } while (0)

#endif
