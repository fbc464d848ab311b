/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two sockets and one port: SO_REUSEADDR and SO_EXCLUSIVEADDRUSE.
 * Source: "Using SO_REUSEADDR and SO_EXCLUSIVEADDRUSE" (WinSock), the table of "Enhanced Socket
 * Security" for two bind calls under the same user account.
 */
#include "net.h"

enum { DEFAULT, REUSE, EXCLUSIVE };

static SOCKET with_option(int family, int type, int option)
{
    SOCKET s = socket(family, type, 0);
    int on = 1, names[] = {0, SO_REUSEADDR, SO_EXCLUSIVEADDRUSE};

    ok(s != INVALID_SOCKET, "socket error %d\n", WSAGetLastError());
    if (names[option])
        ok_success(setsockopt(s, SOL_SOCKET, names[option], (char *)&on, sizeof(on)));
    return s;
}

static int bind_to(SOCKET s, ULONG address, USHORT port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = port};

    name.sin_addr.s_addr = htonl(address);
    return bind(s, (struct sockaddr *)&name, sizeof(name)) ? WSAGetLastError() : 0;
}

static USHORT port_of(SOCKET s)
{
    struct sockaddr_in name;
    int length = sizeof(name);

    ok_success(getsockname(s, (struct sockaddr *)&name, &length));
    return name.sin_port;
}

/* One row: what the second bind call gives, for its option and [0] wildcard, [1] specific. */
static void check_row(int type, int first_option, ULONG first_address, const int expected[3][2],
                      const BOOL todo[3][2])
{
    static const ULONG addresses[] = {INADDR_ANY, INADDR_LOOPBACK};

    for (int option = DEFAULT; option <= EXCLUSIVE; option++)
        for (int specific = 0; specific < 2; specific++) {
            SOCKET first = with_option(AF_INET, type, first_option);
            SOCKET second = with_option(AF_INET, type, option);
            int error;

            ok(!bind_to(first, first_address, 0), "bind error %d\n", WSAGetLastError());
            error = bind_to(second, addresses[specific], port_of(first));
            todo_wine_if(todo[option][specific])
                ok(error == expected[option][specific],
                   "type %d, second option %d, specific %d: error %d, expected %d\n", type, option,
                   specific, error, expected[option][specific]);
            closesocket(first);
            closesocket(second);
        }
}

/* The row "Default, Wildcard". */
static void test_default_wildcard(void)
{
    static const int expected[3][2] = {{WSAEADDRINUSE, 0}, {WSAEACCES, 0}, {WSAEADDRINUSE, 0}};
    static const BOOL todo[3][2] = {{0, 0}, {0, 0}, {0, 0}};

    check_row(SOCK_STREAM, DEFAULT, INADDR_ANY, expected, todo);
}

/* The row "Default, Specific". */
static void test_default_specific(void)
{
    static const int expected[3][2] = {
        {0, WSAEADDRINUSE}, {0, WSAEACCES}, {WSAEADDRINUSE, WSAEADDRINUSE}};
    static const BOOL todo[3][2] = {{0, 0}, {0, 0}, {0, 0}};

    check_row(SOCK_STREAM, DEFAULT, INADDR_LOOPBACK, expected, todo);
}

/* The row "SO_REUSEADDR, Wildcard". */
static void test_reuse_wildcard(void)
{
    static const int expected[3][2] = {{WSAEADDRINUSE, 0}, {0, 0}, {WSAEADDRINUSE, 0}};
    static const BOOL todo[3][2] = {{0, 0}, {0, 0}, {0, 0}};

    check_row(SOCK_STREAM, REUSE, INADDR_ANY, expected, todo);
}

/* The row "SO_REUSEADDR, Specific". */
static void test_reuse_specific(void)
{
    static const int expected[3][2] = {{0, WSAEADDRINUSE}, {0, 0}, {WSAEADDRINUSE, WSAEADDRINUSE}};
    static const BOOL todo[3][2] = {{0, 0}, {0, 0}, {0, 0}};

    check_row(SOCK_STREAM, REUSE, INADDR_LOOPBACK, expected, todo);
}

/* The row "SO_EXCLUSIVEADDRUSE, Wildcard". */
static void test_exclusive_wildcard(void)
{
    static const int expected[3][2] = {
        {WSAEADDRINUSE, WSAEACCES}, {WSAEACCES, WSAEACCES}, {WSAEADDRINUSE, WSAEACCES}};
    static const BOOL todo[3][2] = {{1, 0}, {0, 0}, {1, 0}};

    check_row(SOCK_STREAM, EXCLUSIVE, INADDR_ANY, expected, todo);
}

/* The row "SO_EXCLUSIVEADDRUSE, Specific". */
static void test_exclusive_specific(void)
{
    static const int expected[3][2] = {
        {0, WSAEADDRINUSE}, {0, WSAEACCES}, {WSAEADDRINUSE, WSAEADDRINUSE}};
    static const BOOL todo[3][2] = {{0, 0}, {0, 0}, {0, 0}};

    check_row(SOCK_STREAM, EXCLUSIVE, INADDR_LOOPBACK, expected, todo);
}

/* "In general, socket security applies to ... any network application that accepts connections and
 * receives IP datagram traffic": the first rows for datagrams. */
static void test_datagrams(void)
{
    static const int wildcard[3][2] = {{WSAEADDRINUSE, 0}, {WSAEACCES, 0}, {WSAEADDRINUSE, 0}};
    static const int exclusive[3][2] = {
        {WSAEADDRINUSE, WSAEACCES}, {WSAEACCES, WSAEACCES}, {WSAEADDRINUSE, WSAEACCES}};
    static const BOOL todo_wildcard[3][2] = {{0, 1}, {0, 1}, {0, 1}};
    static const BOOL todo_exclusive[3][2] = {{0, 1}, {0, 0}, {0, 1}};

    check_row(SOCK_DGRAM, DEFAULT, INADDR_ANY, wildcard, todo_wildcard);
    check_row(SOCK_DGRAM, EXCLUSIVE, INADDR_ANY, exclusive, todo_exclusive);
}

/* "the second caller is bound to all interfaces except the specific address to which the first
 * caller is bound": whichever of the two came first. */
static void test_most_specific(void)
{
    for (int wildcard_first = 0; wildcard_first < 2; wildcard_first++) {
        SOCKET s[2] = {with_option(AF_INET, SOCK_STREAM, DEFAULT),
                       with_option(AF_INET, SOCK_STREAM, DEFAULT)};
        SOCKET client = socket(AF_INET, SOCK_STREAM, 0), got;
        ULONG addresses[2] = {wildcard_first ? INADDR_ANY : INADDR_LOOPBACK,
                              wildcard_first ? INADDR_LOOPBACK : INADDR_ANY};
        struct sockaddr_in name = {.sin_family = AF_INET};

        ok(!bind_to(s[0], addresses[0], 0), "bind error %d\n", WSAGetLastError());
        ok_success(listen(s[0], 5));
        name.sin_port = port_of(s[0]);
        name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        todo_wine ok(!bind_to(s[1], addresses[1], name.sin_port), "error %d\n", WSAGetLastError());
        todo_wine ok_success(listen(s[1], 5));
        ok_success(connect(client, (struct sockaddr *)&name, sizeof(name)));
        ok(net_readable(s[0], wildcard_first ? 0 : NET_PATIENCE) || wildcard_first,
           "no connection at the specific address\n");
        todo_wine_if(wildcard_first) ok(net_readable(s[wildcard_first], NET_PATIENCE),
                                        "no connection at the specific address\n");
        net_nonblocking(s[wildcard_first], 1);
        got = accept(s[wildcard_first], NULL, NULL);
        todo_wine_if(wildcard_first)
            ok(got != INVALID_SOCKET, "accept error %d\n", WSAGetLastError());
        closesocket(got);
        closesocket(client);
        closesocket(s[0]);
        closesocket(s[1]);
    }
}

/* "When two sockets are bound to the same port number but on different explicit interfaces, there
 * is no conflict": even if the first is exclusive. */
static void test_different_addresses(void)
{
    SOCKET first = with_option(AF_INET, SOCK_STREAM, EXCLUSIVE);
    SOCKET second = with_option(AF_INET, SOCK_STREAM, DEFAULT);

    ok(!bind_to(first, INADDR_LOOPBACK, 0), "bind error %d\n", WSAGetLastError());
    ok(!bind_to(second, INADDR_LOOPBACK + 1, port_of(first)), "error %d\n", WSAGetLastError());
    closesocket(first);
    closesocket(second);
}

/* "When a dual stack socket is bound to the wildcard address, the given port is reserved on both
 * the IPv4 and IPv6 networking stacks and the checks associated with SO_REUSEADDR and
 * SO_EXCLUSIVEADDRUSE (if set) are made." */
static void test_dual_stack(void)
{
    SOCKET first = with_option(AF_INET6, SOCK_STREAM, EXCLUSIVE);
    SOCKET second = with_option(AF_INET, SOCK_STREAM, REUSE);
    struct sockaddr_in6 name = {.sin6_family = AF_INET6};
    int off = 0, length = sizeof(name), error;

    ok_success(setsockopt(first, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&off, sizeof(off)));
    ok_success(bind(first, (struct sockaddr *)&name, sizeof(name)));
    ok_success(getsockname(first, (struct sockaddr *)&name, &length));
    error = bind_to(second, INADDR_ANY, name.sin6_port);
    ok(error == WSAEACCES, "error %d\n", error);
    closesocket(first);
    closesocket(second);
}

START_TEST(bind_sharing)
{
    net_start();
    RUN(test_default_wildcard);
    RUN(test_default_specific);
    RUN(test_reuse_wildcard);
    RUN(test_reuse_specific);
    RUN(test_exclusive_wildcard);
    RUN(test_exclusive_specific);
    RUN(test_datagrams);
    RUN(test_most_specific);
    RUN(test_different_addresses);
    RUN(test_dual_stack);
    WSACleanup();
}
