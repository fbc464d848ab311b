/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SIO_ACQUIRE_PORT_RESERVATION, SIO_ASSOCIATE_PORT_RESERVATION, SIO_RELEASE_PORT_RESERVATION.
 * Sources: their pages.  No Wine has them.
 */
#include "net.h"

#define ACQUIRE   _WSAIOW(IOC_VENDOR, 100)
#define RELEASE   _WSAIOW(IOC_VENDOR, 101)
#define ASSOCIATE _WSAIOW(IOC_VENDOR, 102)

struct range {
    USHORT first, count; /* first: network order */
};
struct reserved {
    struct range range;
    ULONG64 token;
};

static int acquire(SOCKET s, USHORT first, USHORT count, struct reserved *reserved)
{
    struct range range = {htons(first), count};
    DWORD bytes = 77;
    int result = WSAIoctl(s, ACQUIRE, &range, sizeof(range), reserved, sizeof(*reserved), &bytes,
                          NULL, NULL);

    ok(result || bytes == sizeof(*reserved), "%lu bytes\n", bytes);
    return result;
}

static int with_token(SOCKET s, DWORD code, ULONG64 token)
{
    DWORD bytes;

    return WSAIoctl(s, code, &token, sizeof(token), NULL, 0, &bytes, NULL, NULL);
}

static int bind_port(SOCKET s, USHORT port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    return bind(s, (struct sockaddr *)&address, sizeof(address));
}

static USHORT port_of(SOCKET s)
{
    struct sockaddr_in address = {0};
    int length = sizeof(address);

    ok_success(getsockname(s, (struct sockaddr *)&address, &length));
    return ntohs(address.sin_port);
}

/* "The port assigned to it will be selected from the port reservation identified by the given
 * token. If no ports are available from the specified reservation, the bind function call will
 * fail." */
static void test_block(int type)
{
    SOCKET owner = socket(AF_INET, type, 0), s[3], other = socket(AF_INET, type, 0);
    struct reserved reserved = {.token = 0};
    BOOL seen[3] = {0};
    USHORT first;

    ok_success(acquire(owner, 0, 3, &reserved));
    first = ntohs(reserved.range.first);
    ok(first && reserved.range.count == 3 && reserved.token, "ports %u and %u more\n", first,
       reserved.range.count);
    /* nobody else gets them */
    ok_error(bind_port(other, first + 1), WSAEADDRINUSE);
    for (int i = 0; i < 3; i++) {
        USHORT port;

        s[i] = socket(AF_INET, type, 0);
        ok_success(with_token(s[i], ASSOCIATE, reserved.token));
        ok_success(bind_port(s[i], 0));
        port = port_of(s[i]);
        ok(port >= first && port < first + 3 && !seen[port - first], "port %u\n", port);
        if (port >= first && port < first + 3)
            seen[port - first] = TRUE;
    }
    ok_success(with_token(other, ASSOCIATE, reserved.token));
    ok(bind_port(other, 0) == SOCKET_ERROR, "a fourth one\n");
    /* a port goes back to its block */
    first = port_of(s[1]);
    closesocket(s[1]);
    ok_success(bind_port(other, 0));
    ok(port_of(other) == first, "port %u\n", port_of(other));
    /* "must be issued before the socket is bound" */
    ok_error(with_token(s[0], ASSOCIATE, reserved.token), WSAEINVAL);
    closesocket(s[0]);
    closesocket(s[2]);
    closesocket(other);
    closesocket(owner);
}

/* "Runtime port reservations last only as long as the lifetime of the socket on which the
 * SIO_ACQUIRE_PORT_RESERVATION IOCTL was called", or until they are released. */
static void test_end(void)
{
    SOCKET owner = socket(AF_INET, SOCK_DGRAM, 0), s = socket(AF_INET, SOCK_DGRAM, 0);
    struct reserved reserved = {.token = 0}, again = {.token = 0};
    USHORT first;

    ok_success(acquire(owner, 0, 2, &reserved));
    first = ntohs(reserved.range.first);
    ok_success(with_token(owner, RELEASE, reserved.token));
    ok_error(with_token(owner, RELEASE, reserved.token), WSAEINVAL);
    ok_error(with_token(s, ASSOCIATE, reserved.token), WSAEINVAL);
    /* a specific block */
    ok_success(acquire(owner, first, 2, &again));
    ok(ntohs(again.range.first) == first, "port %u\n", ntohs(again.range.first));
    ok_error(acquire(s, first + 1, 1, &reserved), WSAEADDRINUSE);
    closesocket(owner);
    for (int i = 0; i < 100 && bind_port(s, first); i++)
        Sleep(10);
    ok(port_of(s) == first, "port %u\n", port_of(s));
    closesocket(s);
}

/* A connection of such a port is one as any other. */
static void test_listener(void)
{
    SOCKET owner = socket(AF_INET, SOCK_STREAM, 0), l = socket(AF_INET, SOCK_STREAM, 0), a, b;
    struct sockaddr_in address = {0};
    struct reserved reserved = {.token = 0};
    int length = sizeof(address);
    char buffer[4];

    ok_success(acquire(owner, 0, 1, &reserved));
    ok_success(with_token(l, ASSOCIATE, reserved.token));
    ok_success(bind_port(l, 0));
    ok_success(listen(l, 5));
    ok_success(getsockname(l, (struct sockaddr *)&address, &length));
    a = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(connect(a, (struct sockaddr *)&address, length));
    b = accept(l, NULL, NULL);
    net_send_all(a, "abc", 3);
    ok(net_recv_all(b, buffer, 3) == 3, "error %d\n", WSAGetLastError());
    closesocket(a);
    closesocket(b);
    closesocket(l);
    closesocket(owner);
}

/* "If the output buffer is too small, ... WSAEINVAL, and the lpcbBytesReturned parameter points to
 * a DWORD value of zero"; WSAEINVAL, WSAEFAULT, WSAEOPNOTSUPP as the pages have them. */
static void test_errors(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
    struct range range = {0, 1};
    struct reserved reserved;
    DWORD bytes = 77;

    ok_error(WSAIoctl(s, ACQUIRE, &range, sizeof(range), &reserved, 15, &bytes, NULL, NULL),
             WSAEINVAL);
    ok(!bytes, "%lu bytes\n", bytes);
    ok_error(WSAIoctl(s, ACQUIRE, NULL, 0, &reserved, sizeof(reserved), &bytes, NULL, NULL),
             WSAEFAULT);
    ok_error(acquire(s, 0, 0, &reserved), WSAEINVAL);
    ok_error(acquire(s, 65535, 2, &reserved), WSAEINVAL);
    ok_error(with_token(s, ASSOCIATE, 0), WSAEINVAL);
    ok_error(with_token(s, RELEASE, ~(ULONG64)0), WSAEINVAL);
    /* a block of one protocol is not the other's */
    ok_success(acquire(s, 0, 1, &reserved));
    ok_error(with_token(udp, ASSOCIATE, reserved.token), WSAEINVAL);
    closesocket(s);
    closesocket(udp);
}

START_TEST(port_reservation)
{
    struct reserved reserved;
    SOCKET s;
    int result;

    net_start();
    s = socket(AF_INET, SOCK_STREAM, 0);
    result = acquire(s, 0, 1, &reserved);
    todo_wine ok(!result, "error %d\n", WSAGetLastError());
    closesocket(s);
    if (!result) {
        RUN(test_block, SOCK_STREAM);
        RUN(test_block, SOCK_DGRAM);
        RUN(test_end);
        RUN(test_listener);
        RUN(test_errors);
    }
    WSACleanup();
}
