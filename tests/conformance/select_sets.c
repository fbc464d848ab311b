/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * select with sets that name a socket twice, are the same memory, or whose sockets end meanwhile.
 * Sources: the page of select; where it says nothing, Wine's test_select, run on Windows.
 */
#include "net.h"

/* "Upon return, the structures are updated to reflect the subset of these sockets that meet the
 * specified condition": a socket that stands there twice is one socket. */
static void test_twice(void)
{
    struct timeval time = {0, 0};
    fd_set set;
    SOCKET a, b;
    int count;

    net_pair(&a, &b);
    set.fd_count = 2;
    set.fd_array[0] = set.fd_array[1] = a;
    count = select(0, NULL, &set, NULL, &time);
    ok(count == 1 && set.fd_count == 1 && set.fd_array[0] == a, "got %d of %u\n", count,
       set.fd_count);
    closesocket(a);
    closesocket(b);
}

/* One fd_set for two questions has the sockets for which one of them holds. */
static void test_same_memory(void)
{
    struct timeval time = {0, 0};
    fd_set set;
    SOCKET a, b;
    int count;

    net_pair(&a, &b);
    FD_ZERO(&set);
    FD_SET(a, &set);
    FD_SET(b, &set);
    count = select(0, &set, &set, NULL, &time);
    ok(count == 2 && FD_ISSET(a, &set) && FD_ISSET(b, &set), "got %d\n", count);
    net_send_all(a, "x", 1);
    ok(net_arrived(b, 1) == 1, "nothing arrived\n");
    FD_ZERO(&set);
    FD_SET(a, &set);
    FD_SET(b, &set);
    count = select(0, &set, &set, NULL, &time);
    ok(count == 2 && set.fd_count == 2, "got %d of %u\n", count, set.fd_count);
    closesocket(a);
    closesocket(b);
}

static DWORD WINAPI close_later(void *socket)
{
    Sleep(200);
    closesocket(*(SOCKET *)socket);
    return 0;
}

/* A socket that another thread closes ends the wait: in readfds, and as WSAENOTSOCK where only
 * exceptfds asked. */
static void test_closed_meanwhile(void)
{
    struct timeval time = {NET_PATIENCE / 1000, 0};
    HANDLE thread;
    fd_set read, except;
    SOCKET a, b;
    int count;

    net_pair(&a, &b);
    FD_ZERO(&read);
    FD_ZERO(&except);
    FD_SET(a, &read);
    FD_SET(a, &except);
    thread = CreateThread(NULL, 0, close_later, &a, 0, NULL);
    count = select(0, &read, NULL, &except, &time);
    ok(count == 1 && read.fd_count == 1 && !except.fd_count, "got %d\n", count);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    closesocket(b);

    net_pair(&a, &b);
    FD_ZERO(&except);
    FD_SET(a, &except);
    thread = CreateThread(NULL, 0, close_later, &a, 0, NULL);
    ok_error(select(0, NULL, NULL, &except, &time), WSAENOTSOCK);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    closesocket(b);
}

START_TEST(select_sets)
{
    net_start();
    RUN(test_twice);
    RUN(test_same_memory);
    RUN(test_closed_meanwhile);
    WSACleanup();
}
