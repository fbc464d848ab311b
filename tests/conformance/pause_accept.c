/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SO_PAUSE_ACCEPT.
 * Source: "SOL_SOCKET Socket Options": "Use this option for listening sockets. When the option is
 * set, the socket responds to all incoming connections with an RST rather than accepting them."  No
 * Wine has it.
 */
#include "net.h"

#define PAUSE_ACCEPT 0x3003

static int pause(SOCKET s, DWORD on)
{
    return setsockopt(s, SOL_SOCKET, PAUSE_ACCEPT, (char *)&on, sizeof(on));
}

/* "yes | yes | DWORD (boolean)" */
static BOOL test_value(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
    DWORD value = 77;
    int size = sizeof(value), error;

    error = getsockopt(s, SOL_SOCKET, PAUSE_ACCEPT, (char *)&value, &size);
    todo_wine ok(!error && !value, "got %d: %lu\n", error, value);
    if (!error) {
        ok_success(pause(s, 1));
        size = sizeof(value);
        ok_success(getsockopt(s, SOL_SOCKET, PAUSE_ACCEPT, (char *)&value, &size));
        ok(value == 1, "got %lu\n", value);
        ok(pause(udp, 1) == SOCKET_ERROR, "set on a datagram socket\n");
    }
    closesocket(s);
    closesocket(udp);
    return !error;
}

/* How connecting there ends; *s is the socket. */
static DWORD try_connect(const struct sockaddr_storage *address, int length, SOCKET *s)
{
    *s = socket(address->ss_family, SOCK_STREAM, 0);
    return connect(*s, (struct sockaddr *)address, length) ? WSAGetLastError() : 0;
}

static void check_refused(const struct sockaddr_storage *address, int length)
{
    SOCKET s;
    DWORD error = try_connect(address, length, &s);

    ok(error == WSAECONNREFUSED, "got %lu\n", error);
    closesocket(s);
}

/* Connects and passes a byte. */
static void check_accepted(SOCKET listener, const struct sockaddr_storage *address, int length)
{
    SOCKET client, accepted;
    DWORD error = try_connect(address, length, &client);
    char byte = 0;

    ok(!error, "got %lu\n", error);
    if (!error) {
        ok(net_readable(listener, NET_PATIENCE), "no connection\n");
        accepted = accept(listener, NULL, NULL);
        ok(accepted != INVALID_SOCKET, "error %d\n", WSAGetLastError());
        ok(send(client, "x", 1, 0) == 1, "error %d\n", WSAGetLastError());
        ok(net_readable(accepted, NET_PATIENCE), "nothing has arrived\n");
        ok(recv(accepted, &byte, 1, 0) == 1 && byte == 'x', "got %d\n", byte);
        closesocket(accepted);
    }
    closesocket(client);
}

static void test_pause(int family)
{
    struct sockaddr_storage address, later;
    int length, size = sizeof(later);
    DWORD value = 0;
    SOCKET l = net_listener(family, &address, &length);

    winetest_push_context("family %d", family);
    check_accepted(l, &address, length);
    for (int again = 0; again < 2; again++) {
        ok_success(pause(l, 1));
        ok_success(pause(l, 1));
        check_refused(&address, length);
        check_refused(&address, length);
        ok(!net_readable(l, 50), "a connection that was refused\n");
        ok_success(pause(l, 0));
        check_accepted(l, &address, length);
    }
    ok_success(getsockname(l, (struct sockaddr *)&later, &size));
    ok(!memcmp(&later, &address, length), "another address\n");
    size = sizeof(value);
    ok_success(getsockopt(l, SOL_SOCKET, SO_ACCEPTCONN, (char *)&value, &size));
    ok(value, "it does not listen any more\n");
    ok_success(pause(l, 1));
    closesocket(l);
    check_refused(&address, length);
    winetest_pop_context();
}

/* What had come before is there all the same, and what was accepted goes on. */
static void test_earlier(void)
{
    struct sockaddr_storage address;
    SOCKET l, before[100], client, accepted;
    int length, count = 0, taken = 0;
    DWORD error;

    l = net_listener(AF_INET, &address, &length);
    error = try_connect(&address, length, &client);
    ok(!error, "got %lu\n", error);
    accepted = accept(l, NULL, NULL);
    while (count < (int)ARRAYSIZE(before)) {
        error = try_connect(&address, length, &before[count++]);
        ok(!error, "%d: got %lu\n", count, error);
    }
    ok_success(pause(l, 1));
    check_refused(&address, length);
    ok(send(client, "x", 1, 0) == 1, "error %d\n", WSAGetLastError());
    ok(net_readable(accepted, NET_PATIENCE), "nothing has arrived\n");
    while (taken < count && net_readable(l, NET_PATIENCE)) {
        SOCKET s = accept(l, NULL, NULL);

        ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
        closesocket(s);
        taken++;
    }
    ok(taken == count, "%d of %d\n", taken, count);
    ok_success(pause(l, 0));
    check_accepted(l, &address, length);
    while (count)
        closesocket(before[--count]);
    closesocket(client);
    closesocket(accepted);
    closesocket(l);
}

/* Set before it listens, and listening once more. */
static void test_before_listen(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET s = net_bound(AF_INET, SOCK_STREAM, &address, &length);

    ok_success(pause(s, 1));
    ok_success(listen(s, 5));
    check_refused(&address, length);
    ok_success(listen(s, 7));
    check_refused(&address, length);
    ok_success(pause(s, 0));
    check_accepted(s, &address, length);
    closesocket(s);
}

/* Nobody else gets its address meanwhile. */
static void test_address_is_kept(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), other = socket(AF_INET, SOCK_STREAM, 0);

    ok_success(pause(l, 1));
    ok_error(bind(other, (struct sockaddr *)&address, length), WSAEADDRINUSE);
    ok_success(pause(l, 0));
    check_accepted(l, &address, length);
    closesocket(other);
    closesocket(l);
}

START_TEST(pause_accept)
{
    net_start();
    if (test_value()) {
        RUN(test_pause, AF_INET);
        RUN(test_pause, AF_INET6);
        RUN(test_earlier);
        RUN(test_before_listen);
        RUN(test_address_is_kept);
    }
    WSACleanup();
}
