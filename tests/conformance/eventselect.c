/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAEventSelect and WSAEnumNetworkEvents: the network event record.
 * Sources: their pages (the tables of re-enabling functions and of when an event is posted) and
 * that of ioctlsocket (FIONBIO).
 */
#include "net.h"

/* Collects until the wanted events are there, or half a second went by; returns what came. */
static long collect(SOCKET s, HANDLE event, long wanted, WSANETWORKEVENTS *all)
{
    DWORD start = GetTickCount();
    WSANETWORKEVENTS some;
    int i;

    memset(all, 0, sizeof(*all));
    for (;;) {
        WaitForSingleObject(event, 20);
        memset(&some, 0, sizeof(some));
        ok_success(WSAEnumNetworkEvents(s, event, &some));
        for (i = 0; i < FD_MAX_EVENTS; i++)
            if (some.lNetworkEvents & (1 << i))
                all->iErrorCode[i] = some.iErrorCode[i];
        all->lNetworkEvents |= some.lNetworkEvents;
        if ((all->lNetworkEvents & wanted) == wanted || GetTickCount() - start > 2000)
            return all->lNetworkEvents;
    }
}

static BOOL silent(SOCKET s, HANDLE event)
{
    WSANETWORKEVENTS events = {0};

    if (WaitForSingleObject(event, 50) == WAIT_TIMEOUT)
        return TRUE;
    WSAEnumNetworkEvents(s, event, &events);
    trace("got %lx\n", events.lNetworkEvents);
    return FALSE;
}

/* "FD_READ: ... re-enabling function recv, recvfrom, ..."; "FD_WRITE ... is recorded when a socket
 * is first connected ... and then after a send fails with WSAEWOULDBLOCK and buffer space becomes
 * available". */
static void test_read_write(void)
{
    WSANETWORKEVENTS events;
    HANDLE event = WSACreateEvent();
    SOCKET a, b;
    char buffer[8];
    long got;

    net_pair(&a, &b);
    ok_success(WSAEventSelect(b, event, FD_READ | FD_WRITE | FD_CLOSE));
    got = collect(b, event, FD_WRITE, &events);
    ok(got == FD_WRITE && !events.iErrorCode[FD_WRITE_BIT], "got %lx\n", got);
    ok(silent(b, event), "FD_WRITE again\n");
    net_send_all(a, "abcd", 4);
    got = collect(b, event, FD_READ, &events);
    ok(got == FD_READ && !events.iErrorCode[FD_READ_BIT], "got %lx\n", got);
    ok(silent(b, event), "FD_READ again without recv\n");
    /* recv of a part: "if data is still available after the call ... FD_READ is recorded" */
    ok(recv(b, buffer, 2, 0) == 2, "error %d\n", WSAGetLastError());
    got = collect(b, event, FD_READ, &events);
    ok(got == FD_READ, "got %lx\n", got);
    ok(recv(b, buffer, 8, 0) == 2, "error %d\n", WSAGetLastError());
    ok(silent(b, event), "FD_READ with nothing there\n");
    net_send_all(a, "e", 1);
    got = collect(b, event, FD_READ, &events);
    ok(got == FD_READ, "got %lx\n", got);
    closesocket(a);
    closesocket(b);
    WSACloseEvent(event);
}

/* WSAEventSelect: the record is of "events that have occurred"; conditions true at the time of the
 * call are posted at once ("even if ... already available when WSAEventSelect is called"). */
static void test_already(void)
{
    WSANETWORKEVENTS events;
    HANDLE event = WSACreateEvent();
    SOCKET a, b;
    long got;

    net_pair(&a, &b);
    net_send_all(a, "x", 1);
    net_arrived(b, 1);
    ok_success(WSAEventSelect(b, event, FD_READ));
    got = collect(b, event, FD_READ, &events);
    ok(got == FD_READ, "got %lx\n", got);
    /* "Issuing a WSAEventSelect for a socket cancels any previous" one: here all of it */
    ok_success(WSAEventSelect(b, NULL, 0));
    net_send_all(a, "y", 1);
    ok(WaitForSingleObject(event, 50) == WAIT_TIMEOUT, "the event is still used\n");
    closesocket(a);
    closesocket(b);
    WSACloseEvent(event);
}

/* "FD_ACCEPT: accept"; "FD_CONNECT" with its error; the accepted socket "has the same association"
 * as the listener until another WSAEventSelect. */
static void test_connections(void)
{
    struct sockaddr_storage address, nobody;
    HANDLE l_event = WSACreateEvent(), event = WSACreateEvent();
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), a, b;
    WSANETWORKEVENTS events;
    long got;

    ok_success(WSAEventSelect(l, l_event, FD_ACCEPT));
    ok(silent(l, l_event), "FD_ACCEPT without a connection\n");
    a = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(WSAEventSelect(a, event, FD_CONNECT | FD_WRITE));
    ok_error(connect(a, (struct sockaddr *)&address, length), WSAEWOULDBLOCK);
    got = collect(a, event, FD_CONNECT | FD_WRITE, &events);
    ok(got == (FD_CONNECT | FD_WRITE) && !events.iErrorCode[FD_CONNECT_BIT], "got %lx, error %d\n",
       got, events.iErrorCode[FD_CONNECT_BIT]);
    got = collect(l, l_event, FD_ACCEPT, &events);
    ok(got == FD_ACCEPT, "got %lx\n", got);
    b = accept(l, NULL, NULL);
    ok(b != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    ok(silent(l, l_event), "FD_ACCEPT again\n");
    closesocket(a);
    closesocket(b);

    length = net_nobody(AF_INET, &nobody);
    a = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(WSAEventSelect(a, event, FD_CONNECT | FD_WRITE));
    ok_error(connect(a, (struct sockaddr *)&nobody, length), WSAEWOULDBLOCK);
    got = collect(a, event, FD_CONNECT, &events);
    ok(got == FD_CONNECT && events.iErrorCode[FD_CONNECT_BIT] == WSAECONNREFUSED,
       "got %lx, error %d\n", got, events.iErrorCode[FD_CONNECT_BIT]);
    closesocket(a);
    closesocket(l);
    WSACloseEvent(event);
    WSACloseEvent(l_event);
}

/* FD_CLOSE: "posted ... when a close indication is received for the virtual circuit"; error code 0
 * for graceful, WSAECONNRESET for a reset ("the remote side performed a hard close"). */
static void test_close(void)
{
    WSANETWORKEVENTS events;
    HANDLE event = WSACreateEvent();
    SOCKET a, b;
    char buffer[8];
    long got;

    net_pair(&a, &b);
    ok_success(WSAEventSelect(b, event, FD_READ | FD_CLOSE));
    closesocket(a);
    got = collect(b, event, FD_CLOSE, &events);
    ok(got == FD_CLOSE && !events.iErrorCode[FD_CLOSE_BIT], "got %lx, error %d\n", got,
       events.iErrorCode[FD_CLOSE_BIT]);
    ok(silent(b, event), "FD_CLOSE again\n");
    ok(recv(b, buffer, 8, 0) == 0, "error %d\n", WSAGetLastError());
    closesocket(b);

    /* with data before it: both show, and the data is all there */
    net_pair(&a, &b);
    ok_success(WSAEventSelect(b, event, FD_READ | FD_CLOSE));
    net_send_all(a, "tail", 4);
    closesocket(a);
    got = collect(b, event, FD_READ, &events);
    ok(got & FD_READ, "got %lx\n", got);
    ok(recv(b, buffer, 8, 0) == 4, "error %d\n", WSAGetLastError());
    if (!(got & FD_CLOSE))
        got = collect(b, event, FD_CLOSE, &events);
    ok(got & FD_CLOSE, "got %lx\n", got);
    ok(recv(b, buffer, 8, 0) == 0, "error %d\n", WSAGetLastError());
    closesocket(b);

    net_pair(&a, &b);
    ok_success(WSAEventSelect(b, event, FD_READ | FD_CLOSE));
    net_reset(a);
    got = collect(b, event, FD_CLOSE, &events);
    /* the page has WSAECONNRESET and WSAECONNABORTED; Windows has been seen to give either */
    ok(got & FD_CLOSE, "got %lx\n", got);
    todo_wine ok(events.iErrorCode[FD_CLOSE_BIT] == WSAECONNRESET ||
                     events.iErrorCode[FD_CLOSE_BIT] == WSAECONNABORTED,
                 "got error %d\n", events.iErrorCode[FD_CLOSE_BIT]);
    closesocket(b);
    WSACloseEvent(event);
}

/* FD_WRITE again only after WSAEWOULDBLOCK */
static void test_write_again(void)
{
    static char block[65536];
    WSANETWORKEVENTS events;
    HANDLE event = WSACreateEvent();
    unsigned long long sent = 0, seen = 0;
    SOCKET a, b;
    BOOL full;
    int got;
    long bits;

    net_pair(&a, &b);
    ok_success(WSAEventSelect(a, event, FD_WRITE));
    bits = collect(a, event, FD_WRITE, &events);
    ok(bits == FD_WRITE, "got %lx\n", bits);
    do { /* what is handed on to the network may make room again, and is then told */
        while ((got = send(a, block, sizeof(block), 0)) > 0 && sent < 1u << 30)
            sent += got;
        ok(got < 0 && WSAGetLastError() == WSAEWOULDBLOCK, "error %d\n", WSAGetLastError());
        full = silent(a, event);
    } while (!full && sent < 1u << 30);
    ok(full, "FD_WRITE although full\n");
    while (seen < sent && (got = recv(b, block, sizeof(block), 0)) > 0)
        seen += got;
    ok(seen == sent, "%llu of %llu bytes\n", seen, sent);
    bits = collect(a, event, FD_WRITE, &events);
    ok(bits == FD_WRITE, "got %lx\n", bits);
    closesocket(a);
    closesocket(b);
    WSACloseEvent(event);
}

/* WSAEventSelect "automatically sets socket s to nonblocking mode, regardless of the value of
 * lNetworkEvents"; ioctlsocket FIONBIO with zero then fails with WSAEINVAL until it is cancelled.
 */
static void test_nonblocking(void)
{
    HANDLE event = WSACreateEvent();
    u_long off = 0;
    SOCKET a, b;
    char byte;

    net_pair(&a, &b);
    ok_success(WSAEventSelect(b, event, FD_READ));
    ok_error(recv(b, &byte, 1, 0), WSAEWOULDBLOCK);
    ok_error(ioctlsocket(b, FIONBIO, &off), WSAEINVAL);
    ok_success(WSAEventSelect(b, NULL, 0));
    ok_error(recv(b, &byte, 1, 0), WSAEWOULDBLOCK);
    ok_success(ioctlsocket(b, FIONBIO, &off));
    closesocket(a);
    closesocket(b);
    WSACloseEvent(event);
}

/* Errors, and WSAEnumNetworkEvents without an event: "If hEventObject is NULL, the event ... is not
 * reset". */
static void test_enum(void)
{
    WSANETWORKEVENTS events;
    HANDLE event = WSACreateEvent();
    SOCKET a, b;

    net_pair(&a, &b);
    ok_success(WSAEventSelect(b, event, FD_READ));
    net_send_all(a, "x", 1);
    ok(WaitForSingleObject(event, NET_PATIENCE) == WAIT_OBJECT_0, "event not set\n");
    memset(&events, 0xcc, sizeof(events));
    ok_success(WSAEnumNetworkEvents(b, NULL, &events));
    ok(events.lNetworkEvents == FD_READ, "got %lx\n", events.lNetworkEvents);
    ok(WaitForSingleObject(event, 0) == WAIT_OBJECT_0, "event was reset\n");
    /* "the record is cleared" */
    ok_success(WSAEnumNetworkEvents(b, event, &events));
    ok(events.lNetworkEvents == 0, "got %lx\n", events.lNetworkEvents);
    ok(WaitForSingleObject(event, 0) == WAIT_TIMEOUT, "event was not reset\n");
    if (!on_builtin()) /* which would crash */
        ok_error(WSAEnumNetworkEvents(b, event, NULL), WSAEFAULT);
    closesocket(a);
    closesocket(b);
    ok_error(WSAEventSelect(b, event, FD_READ), WSAENOTSOCK);
    ok_error(WSAEnumNetworkEvents(b, event, &events), WSAENOTSOCK);
    WSACloseEvent(event);
}

START_TEST(eventselect)
{
    net_start();
    RUN(test_read_write);
    RUN(test_already);
    RUN(test_connections);
    RUN(test_close);
    RUN(test_write_again);
    RUN(test_nonblocking);
    RUN(test_enum);
    WSACleanup();
}
