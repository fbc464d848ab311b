/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * select and __WSAFDIsSet.
 * Source: the page of select, with its lists of what readfds, writefds and exceptfds mean.
 */
#define FD_SETSIZE 512 /* select, Remarks: may be redefined before the header */
#include "net.h"

static int pick(SOCKET s, fd_set *read, fd_set *write, fd_set *except, long milliseconds)
{
    struct timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000};
    fd_set *sets[] = {read, write, except};
    int i;

    for (i = 0; i < 3; i++)
        if (sets[i]) {
            FD_ZERO(sets[i]);
            FD_SET(s, sets[i]);
        }
    return select(0, read, write, except, &time);
}

/* readfds: "If listen has been called and a connection is pending, accept will succeed"; "Data is
 * available for reading"; "Connection has been closed/reset/terminated". */
static void test_read(void)
{
    struct sockaddr_storage address;
    fd_set read, write, except;
    int length, result;
    SOCKET l = net_listener(AF_INET, &address, &length), a, b;
    char buffer[8];

    ok(pick(l, &read, NULL, NULL, 0) == 0 && !read.fd_count, "listener ready\n");
    a = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(connect(a, (struct sockaddr *)&address, length));
    ok(pick(l, &read, NULL, NULL, NET_PATIENCE) == 1 && FD_ISSET(l, &read), "not ready\n");
    b = accept(l, NULL, NULL);
    ok(pick(l, &read, NULL, NULL, 0) == 0, "listener still ready\n");
    closesocket(l);

    result = pick(b, &read, &write, &except, 0);
    /* "returns the total number of socket handles that are ready"; a set afterwards holds only
     * those that meet its condition */
    ok(result == 1 && !read.fd_count && write.fd_count == 1 && !except.fd_count,
       "got %d: %u %u %u\n", result, read.fd_count, write.fd_count, except.fd_count);
    net_send_all(a, "x", 1);
    ok(pick(b, &read, NULL, NULL, NET_PATIENCE) == 1, "not ready\n");
    result = pick(b, &read, &write, &except, 0);
    ok(result == 2 && read.fd_count == 1 && write.fd_count == 1, "got %d: %u %u\n", result,
       read.fd_count, write.fd_count);
    ok(__WSAFDIsSet(b, &read) && !__WSAFDIsSet(a, &read), "wrong members\n");
    /* it asks, it does not take */
    ok(pick(b, &read, NULL, NULL, 0) == 1, "not ready any more\n");
    ok(recv(b, buffer, 8, 0) == 1, "error %d\n", WSAGetLastError());
    ok(pick(b, &read, NULL, NULL, 0) == 0, "still ready\n");
    closesocket(a);
    ok(pick(b, &read, NULL, NULL, NET_PATIENCE) == 1, "the end does not show\n");
    ok(recv(b, buffer, 8, 0) == 0, "error %d\n", WSAGetLastError());
    ok(pick(b, &read, NULL, NULL, 0) == 1, "the end should stay\n");
    closesocket(b);

    net_pair(&a, &b);
    net_reset(a);
    ok(pick(b, &read, NULL, NULL, NET_PATIENCE) == 1, "the reset does not show\n");
    closesocket(b);
}

/* writefds: "If processing a connect call (nonblocking), connection has succeeded. Data can be
 * sent."; exceptfds: "connection attempt failed". */
static void test_connect(void)
{
    struct sockaddr_storage address, nobody;
    fd_set write, except;
    int length, result;
    SOCKET l = net_listener(AF_INET, &address, &length), s = socket(AF_INET, SOCK_STREAM, 0);

    net_nonblocking(s, 1);
    ok_error(connect(s, (struct sockaddr *)&address, length), WSAEWOULDBLOCK);
    result = pick(s, NULL, &write, &except, NET_PATIENCE);
    ok(result == 1 && FD_ISSET(s, &write) && !FD_ISSET(s, &except), "got %d: %u %u\n", result,
       write.fd_count, except.fd_count);
    closesocket(s);

    length = net_nobody(AF_INET, &nobody);
    s = socket(AF_INET, SOCK_STREAM, 0);
    net_nonblocking(s, 1);
    ok_error(connect(s, (struct sockaddr *)&nobody, length), WSAEWOULDBLOCK);
    /* whether readfds shows it as well is not said */
    result = pick(s, NULL, &write, &except, NET_PATIENCE);
    ok(result == 1 && FD_ISSET(s, &except) && !FD_ISSET(s, &write), "got %d: %u %u\n", result,
       write.fd_count, except.fd_count);
    closesocket(s);
    closesocket(l);
}

/* exceptfds: "OOB data is available for reading (only if SO_OOBINLINE is disabled)". */
static void test_urgent(void)
{
    fd_set read, except;
    SOCKET a, b;
    char byte = 0;

    net_pair(&a, &b);
    ok(send(a, "!", 1, MSG_OOB) == 1, "error %d\n", WSAGetLastError());
    ok(pick(b, NULL, NULL, &except, NET_PATIENCE) == 1 && FD_ISSET(b, &except), "not there\n");
    ok(pick(b, &read, NULL, NULL, 0) == 0, "readable\n");
    ok(recv(b, &byte, 1, MSG_OOB) == 1 && byte == '!', "got %d, error %d\n", byte,
       WSAGetLastError());
    ok(pick(b, NULL, NULL, &except, 0) == 0, "still there\n");
    closesocket(a);
    closesocket(b);
}

/* timeout: the time passes; "If set to zero ... return immediately"; NULL "to block". */
static DWORD WINAPI send_later(void *arg)
{
    Sleep(100);
    net_send_all(*(SOCKET *)arg, "x", 1);
    return 0;
}

static void test_time(void)
{
    DWORD start, took;
    HANDLE thread;
    SOCKET a, b;
    fd_set read;

    net_pair(&a, &b);
    start = GetTickCount();
    ok(pick(b, &read, NULL, NULL, 200) == 0, "ready\n");
    took = GetTickCount() - start;
    ok(took >= 180 && took < 2000, "took %lu ms\n", took);
    thread = CreateThread(NULL, 0, send_later, &a, 0, NULL);
    FD_ZERO(&read);
    FD_SET(b, &read);
    ok(select(0, &read, NULL, NULL, NULL) == 1 && FD_ISSET(b, &read), "error %d\n",
       WSAGetLastError());
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    closesocket(a);
    closesocket(b);
}

/* "the nfds parameter is ignored"; sets may hold more than the default 64, and any of their members
 * may be the ready one. */
static void test_many(void)
{
    enum { COUNT = 200 };
    static struct sockaddr_storage address[COUNT];
    static SOCKET s[COUNT];
    struct timeval time = {NET_PATIENCE / 1000, 0};
    int length = 0, i, result;
    SOCKET sender = socket(AF_INET, SOCK_DGRAM, 0);
    fd_set read;

    for (i = 0; i < COUNT; i++)
        s[i] = net_bound(AF_INET, SOCK_DGRAM, &address[i], &length);
    for (i = 0; i < COUNT; i += 40) {
        unsigned k;

        FD_ZERO(&read);
        for (k = 0; k < COUNT; k++)
            FD_SET(s[k], &read);
        sendto(sender, "x", 1, 0, (struct sockaddr *)&address[i], length);
        result = select(-5, &read, NULL, NULL, &time);
        ok(result == 1 && read.fd_count == 1 && read.fd_array[0] == s[i], "%d: got %d, error %d\n",
           i, result, WSAGetLastError());
        net_arrived(s[i], 1);
        {
            char byte;

            recv(s[i], &byte, 1, 0);
        }
    }
    /* all writable at once */
    FD_ZERO(&read);
    for (i = 0; i < COUNT; i++)
        FD_SET(s[i], &read);
    result = select(0, NULL, &read, NULL, &time);
    ok(result == COUNT && read.fd_count == COUNT, "got %d\n", result);
    for (i = 0; i < COUNT; i++)
        closesocket(s[i]);
    closesocket(sender);
}

/* Errors: WSAEINVAL "all three descriptor parameters were null"; WSAENOTSOCK "One of the descriptor
 * sets contains an entry that is not a socket". */
static void test_errors(void)
{
    struct timeval time = {0, 0};
    fd_set read;
    SOCKET s;

    ok_error(select(0, NULL, NULL, NULL, &time), WSAEINVAL);
    FD_ZERO(&read);
    ok_error(select(0, &read, NULL, NULL, &time), WSAEINVAL);
    FD_ZERO(&read);
    FD_SET((SOCKET)0x4321, &read);
    ok_error(select(0, &read, NULL, NULL, &time), WSAENOTSOCK);
    s = socket(AF_INET, SOCK_STREAM, 0);
    FD_ZERO(&read);
    FD_SET(s, &read);
    closesocket(s);
    ok_error(select(0, &read, NULL, NULL, &time), WSAENOTSOCK);
}

/* A socket that another thread closes ends the wait with an error or as ready, not never. */
static DWORD WINAPI close_later(void *arg)
{
    Sleep(100);
    closesocket(*(SOCKET *)arg);
    return 0;
}

static void test_closed(void)
{
    struct timeval time = {NET_PATIENCE / 1000, 0};
    DWORD start = GetTickCount();
    HANDLE thread;
    SOCKET a, b;
    fd_set read;

    net_pair(&a, &b);
    thread = CreateThread(NULL, 0, close_later, &b, 0, NULL);
    FD_ZERO(&read);
    FD_SET(b, &read);
    select(0, &read, NULL, NULL, &time);
    ok(GetTickCount() - start < NET_PATIENCE - 1000, "took %lu ms\n", GetTickCount() - start);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    closesocket(a);
}

static void CALLBACK count_apc(ULONG_PTR counter)
{
    ++*(int *)counter;
}

/* The wait is alertable however short it is, and there is none where something is ready (Wine's
 * test_select, run on Windows). */
static void test_apc(void)
{
    struct timeval time = {0, 500};
    SOCKET a, b;
    fd_set set;
    int calls;

    net_pair(&a, &b);
    for (int turn = 0; turn < 20; turn++) {
        calls = 0;
        ok(QueueUserAPC(count_apc, GetCurrentThread(), (ULONG_PTR)&calls), "error\n");
        FD_ZERO(&set);
        FD_SET(a, &set);
        ok(select(0, &set, NULL, NULL, &time) == 0, "readable\n");
        ok(calls == 1, "turn %d: %d calls\n", turn, calls);
    }
    calls = 0;
    ok(QueueUserAPC(count_apc, GetCurrentThread(), (ULONG_PTR)&calls), "error\n");
    FD_ZERO(&set);
    FD_SET(a, &set);
    ok(select(0, NULL, &set, NULL, &time) == 1 && !calls, "%d calls\n", calls);
    ok(SleepEx(0, TRUE) == WAIT_IO_COMPLETION && calls == 1, "%d calls\n", calls);
    closesocket(a);
    closesocket(b);
}

START_TEST(select)
{
    net_start();
    RUN(test_read);
    RUN(test_connect);
    RUN(test_urgent);
    RUN(test_time);
    RUN(test_apc);
    RUN(test_many);
    RUN(test_errors);
    RUN(test_closed);
    WSACleanup();
}
