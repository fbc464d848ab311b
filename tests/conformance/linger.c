/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a stream connection ends: graceful close, abortive close, lingering.
 * Sources: the page of closesocket (its table of SO_LINGER/SO_DONTLINGER), "Graceful Shutdown,
 * Linger Options, and Socket Closure" (WinSock), RFC 1122 4.2.2.13 for unread data.
 */
#include "net.h"

/* closesocket: with the default options "the close operation ... is graceful": what was sent
 * arrives. */
static void test_graceful(void)
{
    static char data[200000], got[200000];
    SOCKET a, b;
    unsigned i;
    int count;

    for (i = 0; i < sizeof(data); i++)
        data[i] = (char)(i * 31 >> 3);
    net_pair(&a, &b);
    ok(net_writable(a, NET_PATIENCE), "not writable\n");
    count = send(a, data, sizeof(data), 0);
    ok(count == sizeof(data) || count > 0, "send gave %d\n", count);
    ok_success(closesocket(a));
    ok(net_recv_all(b, got, sizeof(got)) == count && !memcmp(got, data, count),
       "not all arrived\n");
    ok(recv(b, got, 1, 0) == 0, "error %d instead of the end\n", WSAGetLastError());
    closesocket(b);
}

/* closesocket: l_onoff nonzero, l_linger zero: "Hard: ... the virtual circuit is reset immediately,
 * and any unsent data is lost"; recv of the peer: WSAECONNRESET. */
static void test_hard(void)
{
    SOCKET a, b;
    char byte;

    net_pair(&a, &b);
    net_reset(a);
    todo_wine ok_error(recv(b, &byte, 1, 0), WSAECONNRESET);
    closesocket(b);

    /* the same seen by select() first */
    net_pair(&a, &b);
    net_reset(a);
    ok(net_readable(b, NET_PATIENCE), "no sign of the reset\n");
    todo_wine ok_error(recv(b, &byte, 1, 0), WSAECONNRESET);
    closesocket(b);
}

/* A blocked recv ends with the reset. */
static DWORD WINAPI reset_later(void *arg)
{
    Sleep(100);
    net_reset(*(SOCKET *)arg);
    return 0;
}

static void test_hard_blocked(void)
{
    HANDLE thread;
    SOCKET a, b;
    char byte;

    net_pair(&a, &b);
    thread = CreateThread(NULL, 0, reset_later, &a, 0, NULL);
    ok_error(recv(b, &byte, 1, 0), WSAECONNRESET);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    /* send after it: WSAECONNRESET or WSAECONNABORTED, as the page of send has both */
    ok(send(b, "x", 1, 0) == SOCKET_ERROR, "send succeeded\n");
    closesocket(b);
}

/* Data that arrived and nobody read: the connection is reset, so that the peer learns of the loss.
 */
static void test_unread(void)
{
    SOCKET a, b;
    char byte;

    net_pair(&a, &b);
    net_send_all(a, "never read", 10);
    ok(net_arrived(b, 10) == 10, "not arrived\n");
    ok_success(closesocket(b));
    ok(net_readable(a, NET_PATIENCE), "no sign of the close\n");
    todo_wine ok_error(recv(a, &byte, 1, 0), WSAECONNRESET);

    closesocket(a);
}

/* SO_LINGER and SO_DONTLINGER are two views of one setting; default off. */
static void test_options(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    struct linger linger = {77, 77};
    int length = sizeof(linger), value;

    ok_success(getsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&linger, &length));
    ok(!linger.l_onoff, "got %d\n", linger.l_onoff);
    length = sizeof(value);
    ok_success(getsockopt(s, SOL_SOCKET, SO_DONTLINGER, (char *)&value, &length));
    ok(value == 1, "got %d\n", value);
    linger.l_onoff = 1;
    linger.l_linger = 3;
    ok_success(setsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger)));
    length = sizeof(value);
    ok_success(getsockopt(s, SOL_SOCKET, SO_DONTLINGER, (char *)&value, &length));
    ok(value == 0, "got %d\n", value);
    length = sizeof(linger);
    ok_success(getsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&linger, &length));
    ok(linger.l_onoff && linger.l_linger == 3, "got %d %d\n", linger.l_onoff, linger.l_linger);
    value = 1;
    ok_success(setsockopt(s, SOL_SOCKET, SO_DONTLINGER, (char *)&value, sizeof(value)));
    length = sizeof(linger);
    ok_success(getsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&linger, &length));
    ok(!linger.l_onoff, "got %d\n", linger.l_onoff);
    closesocket(s);

    /* What a datagram socket answers is not checked: the page does not say. */
}

/* l_onoff nonzero, l_linger nonzero, blocking socket: closesocket waits "until the remaining data
 * is sent or until the time-out expires"; with a reading peer it is quick and all arrives. */
static void test_linger_time(void)
{
    struct linger linger = {1, 10};
    static char data[300000], got[300000];
    DWORD start = GetTickCount();
    SOCKET a, b;
    int count;

    net_pair(&a, &b);
    ok_success(setsockopt(a, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger)));
    memset(data, 'L', sizeof(data));
    net_nonblocking(a, 1);
    count = send(a, data, 30000, 0);
    ok(count == 30000, "got %d\n", count);
    net_nonblocking(a, 0);
    ok_success(closesocket(a));
    ok(GetTickCount() - start < 8000, "closesocket took %lu ms\n", GetTickCount() - start);
    ok(net_recv_all(b, got, sizeof(got)) == count && !memcmp(got, data, count), "lost data\n");
    closesocket(b);
}

START_TEST(linger)
{
    net_start();
    RUN(test_graceful);
    RUN(test_hard);
    RUN(test_hard_blocked);
    RUN(test_unread);
    RUN(test_options);
    RUN(test_linger_time);
    WSACleanup();
}
