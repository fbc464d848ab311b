/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each call that blocks, and a socket that another thread closes meanwhile, at once or later: the
 * call comes back, and tells so.
 *
 * Sources: closesocket's page ("Any pending blocking, asynchronous calls issued by any thread in
 * this process are canceled"; "WSAENOTSOCK" for calls that come later); WSAEINTR and
 * WSAECONNABORTED are what blocked calls have been seen to end with on Windows (close_pending.c);
 * what select and WSAPoll tell is from Wine's test_select and test_WSAPoll, run on Windows.
 */
#include "net.h"

#define SOME_CONNECTS 16

static struct {
    SOCKET s, peer;
    SOCKET connects[SOME_CONNECTS]; /* which fill the backlog of the listener */
    struct sockaddr_storage to;
    int to_length;
    HANDLE begins;
    int result, error;
} now;

/* ---- the sockets ---- */

static void open_stream(void)
{
    net_pair(&now.s, &now.peer);
}

/* With a peer that takes nothing more */
static void open_full(void)
{
    static char bytes[1 << 16];

    open_stream();
    net_nonblocking(now.s, 1);
    while (send(now.s, bytes, sizeof(bytes), 0) > 0 || net_writable(now.s, 50))
        ;
    net_nonblocking(now.s, 0);
}

static void open_listener(void)
{
    now.s = net_listener(AF_INET, &now.to, &now.to_length);
}

static void open_datagram(void)
{
    now.s = net_bound(AF_INET, SOCK_DGRAM, &now.to, &now.to_length);
}

/* One whose connection nobody answers: the backlog is full. */
static void open_unconnected(void)
{
    unsigned i;

    now.peer = net_bound(AF_INET, SOCK_STREAM, &now.to, &now.to_length);
    ok_success(listen(now.peer, 1));
    for (i = 0; i < SOME_CONNECTS; i++) {
        now.connects[i] = socket(AF_INET, SOCK_STREAM, 0);
        net_nonblocking(now.connects[i], 1);
        connect(now.connects[i], (struct sockaddr *)&now.to, now.to_length);
    }
    now.s = socket(AF_INET, SOCK_STREAM, 0);
}

static void close_rest(void)
{
    unsigned i;

    if (now.peer)
        closesocket(now.peer);
    for (i = 0; i < SOME_CONNECTS && now.connects[i]; i++)
        closesocket(now.connects[i]);
    memset(&now, 0, sizeof(now));
}

/* ---- the calls ---- */

static char room[1];
static WSABUF one = {1, room};

static int call_recv(void)
{
    return recv(now.s, room, 1, 0);
}

static int call_recvfrom(void)
{
    return recvfrom(now.s, room, 1, 0, NULL, NULL);
}

static int call_wsarecv(void)
{
    DWORD bytes, flags = 0;

    return WSARecv(now.s, &one, 1, &bytes, &flags, NULL, NULL);
}

static int call_wsarecvfrom(void)
{
    DWORD bytes, flags = 0;

    return WSARecvFrom(now.s, &one, 1, &bytes, &flags, NULL, NULL, NULL, NULL);
}

/* An overlapped receive, and the wait for its end: it is aborted */
static int call_result(void)
{
    WSAOVERLAPPED overlapped = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    DWORD bytes, flags = 0;
    int result = WSARecv(now.s, &one, 1, NULL, &flags, &overlapped, NULL);

    if (result && WSAGetLastError() == WSA_IO_PENDING) {
        result = WSAGetOverlappedResult(now.s, &overlapped, &bytes, TRUE, &flags) ? 0 : -1;
        flags = WSAGetLastError();
        /* the socket may have been gone before the wait began; its operation ends all the same */
        ok(WaitForSingleObject(overlapped.hEvent, NET_PATIENCE) == WAIT_OBJECT_0, "no end\n");
        WSASetLastError((int)flags);
    }
    flags = WSAGetLastError();
    CloseHandle(overlapped.hEvent);
    WSASetLastError((int)flags);
    return result;
}

static int call_send(void)
{
    static char bytes[1 << 20];

    return send(now.s, bytes, sizeof(bytes), 0);
}

static int call_wsasend(void)
{
    static char bytes[1 << 20];
    WSABUF buffer = {sizeof(bytes), bytes};
    DWORD sent;

    return WSASend(now.s, &buffer, 1, &sent, 0, NULL, NULL);
}

static int call_accept(void)
{
    return (int)accept(now.s, NULL, NULL);
}

static int call_wsaaccept(void)
{
    return (int)WSAAccept(now.s, NULL, NULL, NULL, 0);
}

static int call_connect(void)
{
    return connect(now.s, (struct sockaddr *)&now.to, now.to_length);
}

static int call_connect_by_list(void)
{
    SOCKET_ADDRESS_LIST list = {1, {{(struct sockaddr *)&now.to, now.to_length}}};

    return WSAConnectByList(now.s, &list, NULL, NULL, NULL, NULL, NULL, NULL) ? 0 : -1;
}

static int call_address_change(void)
{
    DWORD bytes;

    return WSAIoctl(now.s, SIO_ADDRESS_LIST_CHANGE, NULL, 0, NULL, 0, &bytes, NULL, NULL);
}

/* 1: told in readfds */
static int call_select(void)
{
    fd_set read;

    FD_ZERO(&read);
    FD_SET(now.s, &read);
    return select(0, &read, NULL, NULL, NULL);
}

static int call_select_write(void)
{
    fd_set write;

    FD_ZERO(&write);
    FD_SET(now.s, &write);
    return select(0, NULL, &write, NULL, NULL);
}

/* 1: POLLNVAL */
static int call_poll(void)
{
    WSAPOLLFD fd = {now.s, POLLRDNORM, 0};
    int result = WSAPoll(&fd, 1, -1);

    ok(result != 1 || fd.revents == POLLNVAL, "got %#x\n", fd.revents);
    return result;
}

static const struct call {
    const char *name;
    int (*call)(void);
    void (*open)(void);
    BOOL tells; /* it may succeed, with 1 */
} calls[] = {
    {"recv", call_recv, open_stream, FALSE},
    {"recvfrom", call_recvfrom, open_stream, FALSE},
    {"WSARecv", call_wsarecv, open_stream, FALSE},
    {"WSARecvFrom", call_wsarecvfrom, open_stream, FALSE},
    {"WSAGetOverlappedResult", call_result, open_stream, FALSE},
    {"recv of a datagram", call_recv, open_datagram, FALSE},
    {"recvfrom of a datagram", call_recvfrom, open_datagram, FALSE},
    {"WSARecv of a datagram", call_wsarecv, open_datagram, FALSE},
    {"WSARecvFrom of a datagram", call_wsarecvfrom, open_datagram, FALSE},
    {"WSAGetOverlappedResult of a datagram", call_result, open_datagram, FALSE},
    {"send", call_send, open_full, FALSE},
    {"WSASend", call_wsasend, open_full, FALSE},
    {"accept", call_accept, open_listener, FALSE},
    {"WSAAccept", call_wsaaccept, open_listener, FALSE},
    {"connect", call_connect, open_unconnected, FALSE},
    {"WSAConnectByList", call_connect_by_list, open_unconnected, FALSE},
    {"WSAIoctl", call_address_change, open_datagram, FALSE},
    {"select for reading", call_select, open_stream, TRUE},
    {"select for writing", call_select_write, open_full, TRUE},
    {"WSAPoll", call_poll, open_stream, TRUE},
};

static DWORD WINAPI make(void *argument)
{
    const struct call *call = argument;

    SetEvent(now.begins);
    now.result = call->call();
    now.error = WSAGetLastError();
    return 0;
}

static BOOL is_told(int error)
{
    return error == WSAEINTR || error == WSAENOTSOCK || error == WSAECONNABORTED ||
           error == WSA_OPERATION_ABORTED;
}

/* Nothing is opened between the close and the end, so that no other socket has its number. */
static void close_during(const struct call *call, DWORD milliseconds)
{
    HANDLE begins = CreateEventA(NULL, TRUE, FALSE, NULL), thread;

    call->open();
    now.begins = begins;
    thread = CreateThread(NULL, 0, make, (void *)call, 0, NULL);
    WaitForSingleObject(begins, INFINITE);
    if (milliseconds)
        Sleep(milliseconds);
    ok_success(closesocket(now.s));
    net_finish(thread);
    if (call->tells && now.result == 1)
        ok(1, "told\n");
    else
        ok(now.result == -1 && is_told(now.error), "after %lu ms: got %d, error %d\n", milliseconds,
           now.result, now.error);
    close_rest();
    CloseHandle(begins);
}

static void test_each_call(void)
{
    static const DWORD times[] = {30, 0, 1, 0, 2};
    unsigned i, j;

    for (i = 0; i < ARRAYSIZE(calls); i++)
        for (j = 0; j < ARRAYSIZE(times); j++) {
            winetest_push_context("%s", calls[i].name);
            close_during(&calls[i], times[j]);
            winetest_pop_context();
        }
}

START_TEST(close_calls)
{
    net_start();
    if (!on_builtin()) /* whose blocked sends, connects and waits go on */
        RUN(test_each_call);
    WSACleanup();
}
