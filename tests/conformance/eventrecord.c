/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The network event record as Windows really keeps it: everything is recorded, selecting chooses
 * what is told; what was enumerated is not told again by selecting anew.
 * Source: the events that Wine's test suite saw on Windows (its todo_wine marks are repeated here).
 */
#include "network_events.h"

#define ALL      (FD_ACCEPT | FD_CLOSE | FD_CONNECT | FD_OOB | FD_READ | FD_WRITE)
#define NO_WRITE (ALL & ~FD_WRITE)

static void test_connect(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), s, a;

    s = socket(AF_INET, SOCK_STREAM, 0);
    choose(s, ALL);
    ok_quiet(s);
    ok_error(connect(s, (struct sockaddr *)&address, length), WSAEWOULDBLOCK);
    ok_told(s, FD_CONNECT | FD_WRITE);
    choose(s, 0);
    choose(s, ALL);
    ok_quiet(s);
    a = accept(l, NULL, NULL);
    choose(a, ALL);
    ok_told(a, FD_WRITE); /* an accepted socket was never connecting */
    closesocket(a);
    closesocket(s);

    s = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(connect(s, (struct sockaddr *)&address, length));
    choose(s, ALL & ~FD_CONNECT);
    ok_told(s, FD_WRITE);
    choose(s, ALL);
    ok_told(s, FD_CONNECT);
    ok_quiet(s);
    closesocket(s);
    closesocket(l);
}

static void test_accept(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), s[2], a;

    choose(l, ALL);
    s[0] = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(connect(s[0], (struct sockaddr *)&address, length));
    ok_told(l, FD_ACCEPT);
    s[1] = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(connect(s[1], (struct sockaddr *)&address, length));
    todo_wine ok_told(l, FD_ACCEPT);
    ok_quiet(l);
    a = accept(l, NULL, NULL);
    ok(a != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    closesocket(a);
    ok_told(l, FD_ACCEPT); /* the second still waits */
    a = accept(l, NULL, NULL);
    ok(a != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    ok_told(a, FD_WRITE); /* it has inherited the selection */
    ok_quiet(l);
    closesocket(a);
    closesocket(s[0]);
    closesocket(s[1]);
    closesocket(l);
}

/* Recorded while not selected: told later; the event follows the record, not the call. */
static void test_select_later(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), s;

    choose(l, FD_ACCEPT);
    s = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(connect(s, (struct sockaddr *)&address, length));
    ok(!WaitForSingleObject(event, 2000), "not set\n");
    choose(l, FD_CONNECT);
    ok(!WaitForSingleObject(event, 0), "reset by selecting\n");
    ResetEvent(event);
    choose(l, FD_CONNECT);
    ok(WaitForSingleObject(event, 0) == WAIT_TIMEOUT, "set for what is not selected\n");
    choose(l, FD_CONNECT | FD_ACCEPT);
    ok(!WaitForSingleObject(event, 0), "not set\n");
    ok_told(l, FD_ACCEPT);
    closesocket(s);
    closesocket(l);
}

static void test_read(void)
{
    char buffer[16];
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, NO_WRITE);
    ok_quiet(b);
    net_send_all(a, "12345", 5);
    ok_told(b, FD_READ);
    choose(b, 0);
    choose(b, NO_WRITE);
    ok_quiet(b);
    net_send_all(a, "67890", 5);
    todo_wine ok_told(b, FD_READ); /* new data, though nobody received */
    ok_quiet(b);
    ok(recv(b, buffer, 2, 0) == 2, "error %d\n", WSAGetLastError());
    ok_told(b, FD_READ);
    ok(net_arrived(b, 8) == 8, "not all there\n");
    ok(recv(b, buffer, 16, 0) == 8, "error %d\n", WSAGetLastError());
    ok_quiet(b);

    choose(b, 0);
    net_send_all(a, "x", 1);
    ok(net_arrived(b, 1) == 1, "not there\n");
    ok_quiet(b); /* enumerating takes nothing away that is not selected */
    choose(b, NO_WRITE);
    ok_told(b, FD_READ);
    ok(recv(b, buffer, 16, 0) == 1, "error %d\n", WSAGetLastError());

    choose(b, 0);
    net_send_all(a, "x", 1);
    ok(net_arrived(b, 1) == 1, "not there\n");
    ok(recv(b, buffer, 16, 0) == 1, "error %d\n", WSAGetLastError());
    choose(b, NO_WRITE);
    ok_quiet(b); /* taken before it was selected */
    closesocket(a);
    closesocket(b);
}

/* What goes straight into a posted WSARecv is not told. */
static void test_posted(void)
{
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    char buffer[4];
    WSABUF buf = {1, buffer};
    DWORD flags = 0, size;
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, NO_WRITE);
    ok_error(WSARecv(b, &buf, 1, NULL, &flags, &overlapped, NULL), WSA_IO_PENDING);
    net_send_all(a, "1", 1);
    ok(!WaitForSingleObject(overlapped.hEvent, 2000), "not complete\n");
    ok(WSAGetOverlappedResult(b, &overlapped, &size, FALSE, &flags) && size == 1, "error %d\n",
       WSAGetLastError());
    ok_quiet(b);
    net_send_all(a, "2", 1);
    ok_told(b, FD_READ);
    closesocket(a);
    closesocket(b);
    CloseHandle(overlapped.hEvent);
}

static void test_close(void)
{
    char buffer[8];
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, NO_WRITE);
    closesocket(a);
    ok_told(b, FD_CLOSE);
    choose(b, 0);
    choose(b, NO_WRITE);
    ok_quiet(b);
    ok(!recv(b, buffer, 8, 0), "error %d\n", WSAGetLastError());
    ok_quiet(b);
    closesocket(b);

    net_pair(&a, &b);
    choose(b, NO_WRITE & ~FD_CLOSE);
    closesocket(a);
    ok_quiet(b);
    choose(b, NO_WRITE);
    ok_told(b, FD_CLOSE); /* as if it happened only now */
    closesocket(b);

    net_pair(&a, &b);
    choose(b, NO_WRITE);
    shutdown(a, SD_RECEIVE);
    shutdown(b, SD_BOTH);
    ok_quiet(b);
    shutdown(a, SD_SEND);
    todo_wine ok_told(b, FD_CLOSE);
    closesocket(a);
    closesocket(b);
}

/* The close is told at once, although data wait, and only once. */
static void test_close_with_data(void)
{
    char buffer[8];
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, NO_WRITE);
    net_send_all(a, "12345", 5);
    ok_told(b, FD_READ);
    closesocket(a);
    todo_wine ok_told(b, FD_CLOSE);
    ok(recv(b, buffer, 3, 0) == 3, "error %d\n", WSAGetLastError());
    ok_told(b, FD_READ);
    ok(recv(b, buffer, 8, 0) == 2, "error %d\n", WSAGetLastError());
    todo_wine ok_quiet(b);
    closesocket(b);
}

static void test_reset(void)
{
    int error = -1;
    SOCKET a, b;
    long got;

    net_pair(&a, &b);
    choose(b, NO_WRITE);
    net_reset(a);
    got = told(b, FD_CLOSE, &error);
    ok(got == FD_CLOSE, "got %lx\n", got);
    todo_wine ok(error == WSAECONNABORTED, "got error %d\n", error);
    ok_quiet(b);
    choose(b, 0);
    choose(b, NO_WRITE);
    ok_quiet(b);
    closesocket(b);
}

static void test_urgent(void)
{
    char byte = 0;
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, NO_WRITE);
    ok(send(a, "!", 1, MSG_OOB) == 1, "error %d\n", WSAGetLastError());
    ok_told(b, FD_OOB);
    choose(b, 0);
    choose(b, NO_WRITE);
    ok_quiet(b);
    ok(recv(b, &byte, 1, MSG_OOB) == 1 && byte == '!', "error %d\n", WSAGetLastError());
    ok_quiet(b);
    closesocket(a);
    closesocket(b);
}

static void test_write(void)
{
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, ALL);
    net_send_all(b, "x", 1); /* "despite the documentation" a send takes nothing away */
    ok_told(b, FD_WRITE);
    ok_quiet(b);
    choose(b, 0);
    choose(b, ALL);
    ok_quiet(b);
    closesocket(a);
    closesocket(b);
}

static void test_datagrams(void)
{
    struct sockaddr_storage address;
    SOCKET r, s = socket(AF_INET, SOCK_DGRAM, 0);
    int length;

    r = net_bound(AF_INET, SOCK_DGRAM, &address, &length);
    choose(s, ALL);
    todo_wine ok_quiet(s);
    ok_success(connect(s, (struct sockaddr *)&address, length));
    todo_wine ok_told(s, FD_CONNECT | FD_WRITE);
    ok_quiet(s);
    choose(r, NO_WRITE);
    ok_quiet(r);
    net_send_all(s, "", 1);
    ok_told(r, FD_READ);
    closesocket(r);
    closesocket(s);
}

START_TEST(eventrecord)
{
    net_start();
    event = WSACreateEvent();
    RUN(test_connect);
    RUN(test_accept);
    RUN(test_select_later);
    RUN(test_read);
    RUN(test_posted);
    RUN(test_close);
    RUN(test_close_with_data);
    RUN(test_reset);
    RUN(test_urgent);
    RUN(test_write);
    RUN(test_datagrams);
    WSACloseEvent(event);
    WSACleanup();
}
