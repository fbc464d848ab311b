/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What several conformance programs need: connected pairs, bound sockets, patient receiving.
 *
 * Owns nothing that lives; every function is static and reports its own failures as checks, so that
 * a test need not look again.  May call: Winsock.  Only loopback addresses, only port 0.
 */
#ifndef RINGSOCK_TESTS_NET_H
#define RINGSOCK_TESTS_NET_H

#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <mstcpip.h>

#include "ringsock_test.h"

/* Long enough for a busy machine, short enough for the watchdog. */
#define NET_PATIENCE 5000

static RT_UNUSED void net_start(void)
{
    WSADATA data;
    int error = WSAStartup(MAKEWORD(2, 2), &data);

    ok(!error, "WSAStartup gave %d\n", error);
    if (error)
        exit(1);
}

/* A loopback address with port 0 of the family. */
static RT_UNUSED int net_loopback(int family, struct sockaddr_storage *address)
{
    memset(address, 0, sizeof(*address));
    address->ss_family = family;
    if (family == AF_INET6) {
        ((struct sockaddr_in6 *)address)->sin6_addr = in6addr_loopback;
        return sizeof(struct sockaddr_in6);
    }
    ((struct sockaddr_in *)address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sizeof(struct sockaddr_in);
}

/* A socket bound to a free loopback port; *address becomes that port's. */
static RT_UNUSED SOCKET net_bound(int family, int type, struct sockaddr_storage *address,
                                  int *length)
{
    SOCKET s = socket(family, type, 0);

    ok(s != INVALID_SOCKET, "socket(%d, %d) error %d\n", family, type, WSAGetLastError());
    *length = net_loopback(family, address);
    ok(!bind(s, (struct sockaddr *)address, *length), "bind error %d\n", WSAGetLastError());
    ok(!getsockname(s, (struct sockaddr *)address, length), "error %d\n", WSAGetLastError());
    return s;
}

static RT_UNUSED SOCKET net_listener(int family, struct sockaddr_storage *address, int *length)
{
    SOCKET s = net_bound(family, SOCK_STREAM, address, length);

    ok(!listen(s, SOMAXCONN), "listen error %d\n", WSAGetLastError());
    return s;
}

/* A loopback address where nobody listens: of a socket that only stays bound, since a port that is
 * free may be given to the very socket that connects to it, which succeeds. */
static RT_UNUSED int net_nobody(int family, struct sockaddr_storage *address)
{
    int length;

    net_bound(family, SOCK_STREAM, address, &length);
    return length;
}

/* Two connected stream sockets; client made by WSASocketW with the flags. */
static RT_UNUSED void net_pair_flags(int family, DWORD flags, SOCKET *client, SOCKET *server)
{
    struct sockaddr_storage address;
    int length, on = 1;
    SOCKET l = net_listener(family, &address, &length);

    *client = WSASocketW(family, SOCK_STREAM, IPPROTO_TCP, NULL, 0, flags);
    ok(*client != INVALID_SOCKET, "WSASocket error %d\n", WSAGetLastError());
    ok(!connect(*client, (struct sockaddr *)&address, length), "connect error %d\n",
       WSAGetLastError());
    *server = accept(l, NULL, NULL);
    ok(*server != INVALID_SOCKET, "accept error %d\n", WSAGetLastError());
    setsockopt(*client, IPPROTO_TCP, TCP_NODELAY, (char *)&on, sizeof(on));
    setsockopt(*server, IPPROTO_TCP, TCP_NODELAY, (char *)&on, sizeof(on));
    closesocket(l);
}

static RT_UNUSED void net_pair(SOCKET *client, SOCKET *server)
{
    net_pair_flags(AF_INET, WSA_FLAG_OVERLAPPED, client, server);
}

/* Two UDP sockets on loopback, each bound; addresses where asked for. */
static RT_UNUSED void net_udp_pair(int family, SOCKET s[2], struct sockaddr_storage address[2],
                                   int *length)
{
    s[0] = net_bound(family, SOCK_DGRAM, &address[0], length);
    s[1] = net_bound(family, SOCK_DGRAM, &address[1], length);
}

static RT_UNUSED void net_nonblocking(SOCKET s, u_long on)
{
    ok(!ioctlsocket(s, FIONBIO, &on), "FIONBIO error %d\n", WSAGetLastError());
}

/* One socket, one question to select(): ready within the time? */
static RT_UNUSED int net_readable(SOCKET s, DWORD milliseconds)
{
    struct timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000};
    fd_set set;

    FD_ZERO(&set);
    FD_SET(s, &set);
    return select(0, &set, NULL, NULL, &time) == 1;
}

static RT_UNUSED int net_writable(SOCKET s, DWORD milliseconds)
{
    struct timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000};
    fd_set set;

    FD_ZERO(&set);
    FD_SET(s, &set);
    return select(0, NULL, &set, NULL, &time) == 1;
}

/* Waits until that many bytes have arrived (FIONREAD), which loopback does in no time. */
static RT_UNUSED u_long net_arrived(SOCKET s, u_long bytes)
{
    DWORD start = GetTickCount();
    u_long count = 0;

    while (!ioctlsocket(s, FIONREAD, &count) && count < bytes &&
           GetTickCount() - start < NET_PATIENCE)
        Sleep(1);
    return count;
}

/* All of it, or a failed check. */
static RT_UNUSED void net_send_all(SOCKET s, const void *data, int size)
{
    int sent = 0, got;

    while (sent < size) {
        got = send(s, (const char *)data + sent, size - sent, 0);
        if (got <= 0) {
            ok(0, "send returned %d, error %d after %d of %d bytes\n", got, WSAGetLastError(), sent,
               size);
            return;
        }
        sent += got;
    }
}

static RT_UNUSED int net_recv_all(SOCKET s, void *data, int size)
{
    int count = 0, got;

    while (count < size) {
        got = recv(s, (char *)data + count, size - count, 0);
        if (got <= 0)
            break;
        count += got;
    }
    return count;
}

/* A thread of the test's own that should be done. */
static RT_UNUSED void net_finish(HANDLE thread)
{
    ok(WaitForSingleObject(thread, NET_PATIENCE) == WAIT_OBJECT_0, "the thread hangs\n");
    CloseHandle(thread);
}

/* A connection that its peer resets: linger of zero seconds, then close. */
static RT_UNUSED void net_reset(SOCKET s)
{
    struct linger now = {1, 0};

    ok(!setsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&now, sizeof(now)), "SO_LINGER error %d\n",
       WSAGetLastError());
    ok(!closesocket(s), "closesocket error %d\n", WSAGetLastError());
}

/* result == SOCKET_ERROR and the last error; one line for the commonest check. */
#define ok_error(expression, expected)                                                 \
    do {                                                                               \
        int rt_result, rt_error;                                                       \
        WSASetLastError(0xdead);                                                       \
        rt_result = (int)(expression);                                                 \
        rt_error = WSAGetLastError();                                                  \
        ok(rt_result == SOCKET_ERROR && rt_error == (int)(expected),                   \
           #expression ": got %d, error %d, expected error %d\n", rt_result, rt_error, \
           (int)(expected));                                                           \
    } while (0)
#define ok_success(expression)                                                            \
    do {                                                                                  \
        int rt_result = (int)(expression);                                                \
        ok(!rt_result, #expression ": got %d, error %d\n", rt_result, WSAGetLastError()); \
    } while (0)

#endif
