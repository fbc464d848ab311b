/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Datagram sockets: sendto, recvfrom, connected ones, messages too large.
 * Sources: the pages of sendto, recvfrom, recv, connect, WSARecv (message-oriented sockets), bind.
 */
#include "net.h"

/* recvfrom: "the source address of the datagram" ; one call, one message. */
static void test_plain(int family)
{
    struct sockaddr_storage address[2], from;
    int length, size, got;
    char buffer[64];
    SOCKET s[2];

    winetest_push_context("family %d", family);
    net_udp_pair(family, s, address, &length);
    got = sendto(s[0], "one", 3, 0, (struct sockaddr *)&address[1], length);
    ok(got == 3, "got %d, error %d\n", got, WSAGetLastError());
    got = sendto(s[0], "two!", 4, 0, (struct sockaddr *)&address[1], length);
    ok(got == 4, "got %d, error %d\n", got, WSAGetLastError());
    size = sizeof(from);
    memset(&from, 0, sizeof(from));
    got = recvfrom(s[1], buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &size);
    ok(got == 3 && !memcmp(buffer, "one", 3), "got %d, error %d\n", got, WSAGetLastError());
    ok(size == length && !memcmp(&from, &address[0], length), "wrong source, length %d\n", size);
    /* recvfrom: "from ... optional" */
    got = recvfrom(s[1], buffer, sizeof(buffer), 0, NULL, NULL);
    ok(got == 4 && !memcmp(buffer, "two!", 4), "got %d\n", got);

    /* an empty datagram is one: recvfrom returns 0 (sendto page: "zero is permissible") */
    got = sendto(s[0], NULL, 0, 0, (struct sockaddr *)&address[1], length);
    ok(got == 0, "got %d, error %d\n", got, WSAGetLastError());
    size = sizeof(from);
    got = recvfrom(s[1], buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &size);
    ok(got == 0 && size == length, "got %d, error %d\n", got, WSAGetLastError());
    closesocket(s[0]);
    closesocket(s[1]);
    winetest_pop_context();
}

/* recvfrom: "If the datagram or message is larger than the buffer specified, the buffer is filled
 * with the first part of the datagram, and recvfrom generates the error WSAEMSGSIZE. For unreliable
 * protocols (for example, UDP) the excess data is lost." */
static void test_too_large(int family)
{
    struct sockaddr_storage address[2], from;
    DWORD bytes, flags;
    int length, size, got;
    char buffer[64];
    WSABUF buffers[2];
    SOCKET s[2];

    winetest_push_context("family %d", family);
    net_udp_pair(family, s, address, &length);
    sendto(s[0], "0123456789", 10, 0, (struct sockaddr *)&address[1], length);
    sendto(s[0], "next", 4, 0, (struct sockaddr *)&address[1], length);
    memset(buffer, 'x', sizeof(buffer));
    memset(&from, 0, sizeof(from));
    size = sizeof(from);
    ok_error(recvfrom(s[1], buffer, 4, 0, (struct sockaddr *)&from, &size), WSAEMSGSIZE);
    ok(!memcmp(buffer, "0123xx", 6), "got %.6s\n", buffer);
    ok(size == length && !memcmp(&from, &address[0], length), "no source, length %d\n", size);
    got = recv(s[1], buffer, sizeof(buffer), 0);
    ok(got == 4 && !memcmp(buffer, "next", 4), "the rest should be lost: got %d\n", got);

    /* the same with peeking: nothing is lost then */
    sendto(s[0], "0123456789", 10, 0, (struct sockaddr *)&address[1], length);
    ok_error(recv(s[1], buffer, 4, MSG_PEEK), WSAEMSGSIZE);
    got = recv(s[1], buffer, sizeof(buffer), 0);
    ok(got == 10 && !memcmp(buffer, "0123456789", 10), "got %d\n", got);

    /* WSARecv: "placed into the buffers up to the total size of the buffers" */
    sendto(s[0], "0123456789", 10, 0, (struct sockaddr *)&address[1], length);
    memset(buffer, 'x', sizeof(buffer));
    buffers[0].buf = buffer;
    buffers[0].len = 3;
    buffers[1].buf = buffer + 8;
    buffers[1].len = 2;
    flags = 0;
    ok_error(WSARecv(s[1], buffers, 2, &bytes, &flags, NULL, NULL), WSAEMSGSIZE);
    ok(!memcmp(buffer, "012xxxxx34xx", 12), "got %.12s\n", buffer);
    closesocket(s[0]);
    closesocket(s[1]);
    winetest_pop_context();
}

/* connect on a datagram socket: "establishes a default destination address that can be used on
 * subsequent send and recv calls. Any datagrams received from an address other than the destination
 * address specified will be discarded." */
static void test_connected(void)
{
    struct sockaddr_storage address[3], name;
    struct sockaddr nothing = {0};
    int length, size, got;
    char buffer[16];
    SOCKET s[3];

    net_udp_pair(AF_INET, s, address, &length);
    s[2] = net_bound(AF_INET, SOCK_DGRAM, &address[2], &length);
    todo_wine ok_error(send(s[0], "x", 1, 0), WSAENOTCONN);
    ok_success(connect(s[0], (struct sockaddr *)&address[1], length));
    size = sizeof(name);
    ok_success(getpeername(s[0], (struct sockaddr *)&name, &size));
    ok(!memcmp(&name, &address[1], length), "wrong peer\n");
    got = send(s[0], "hello", 5, 0);
    ok(got == 5, "got %d, error %d\n", got, WSAGetLastError());
    size = sizeof(name);
    got = recvfrom(s[1], buffer, sizeof(buffer), 0, (struct sockaddr *)&name, &size);
    ok(got == 5 && !memcmp(&name, &address[0], length), "got %d\n", got);

    sendto(s[2], "stranger", 8, 0, (struct sockaddr *)&address[0], length);
    sendto(s[1], "friend", 6, 0, (struct sockaddr *)&address[0], length);
    got = recv(s[0], buffer, sizeof(buffer), 0);
    ok(got == 6 && !memcmp(buffer, "friend", 6), "got %d %.*s\n", got, got > 0 ? got : 0, buffer);

    /* connect: "an address of all zeros ... the socket will be disconnected" */
    nothing.sa_family = AF_UNSPEC;
    ok_success(connect(s[0], &nothing, sizeof(nothing)));
    size = sizeof(name);
    ok_error(getpeername(s[0], (struct sockaddr *)&name, &size), WSAENOTCONN);
    todo_wine ok_error(send(s[0], "x", 1, 0), WSAENOTCONN);
    closesocket(s[0]);
    closesocket(s[1]);
    closesocket(s[2]);
}

/* sendto: binds implicitly ("If the socket is unbound, unique values are assigned to the local
 * association"); recvfrom before: WSAEINVAL "The socket has not been bound". */
static void test_implicit_bind(void)
{
    struct sockaddr_storage address, name;
    int length, size, got;
    char buffer[16];
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0), r;

    r = net_bound(AF_INET, SOCK_DGRAM, &address, &length);
    size = sizeof(name);
    ok_error(getsockname(s, (struct sockaddr *)&name, &size), WSAEINVAL);
    net_nonblocking(s, 1); /* so that a program without this rule does not wait for ever */

    size = sizeof(name);
    todo_wine ok_error(recvfrom(s, buffer, sizeof(buffer), 0, (struct sockaddr *)&name, &size),
                       WSAEINVAL);
    todo_wine ok_error(recv(s, buffer, sizeof(buffer), 0), WSAEINVAL);
    net_nonblocking(s, 0);
    got = sendto(s, "x", 1, 0, (struct sockaddr *)&address, length);
    ok(got == 1, "got %d, error %d\n", got, WSAGetLastError());
    size = sizeof(name);
    ok_success(getsockname(s, (struct sockaddr *)&name, &size));
    ok(((struct sockaddr_in *)&name)->sin_port != 0, "no port\n");
    ok(recv(r, buffer, sizeof(buffer), 0) == 1, "error %d\n", WSAGetLastError());
    closesocket(s);
    closesocket(r);
}

/* sendto: WSAEMSGSIZE "the message is larger than the maximum supported by the underlying
 * transport"; 65507 bytes is what IPv4 and UDP leave. */
static void test_sizes(void)
{
    static char big[65507 + 1], back[65507 + 1];
    struct sockaddr_storage address[2];
    int length, got, value, size = sizeof(value), i;
    SOCKET s[2];

    for (i = 0; i < (int)sizeof(big); i++)
        big[i] = (char)(i * 7);
    net_udp_pair(AF_INET, s, address, &length);
    value = 0;
    ok_success(getsockopt(s[0], SOL_SOCKET, SO_MAX_MSG_SIZE, (char *)&value, &size));
    ok(value >= 65507, "got %d\n", value);
    got = sendto(s[0], big, 65507, 0, (struct sockaddr *)&address[1], length);
    ok(got == 65507, "got %d, error %d\n", got, WSAGetLastError());
    got = recv(s[1], back, sizeof(back), 0);
    ok(got == 65507 && !memcmp(big, back, 65507), "got %d, error %d\n", got, WSAGetLastError());
    ok_error(sendto(s[0], big, 65508, 0, (struct sockaddr *)&address[1], length), WSAEMSGSIZE);
    closesocket(s[0]);
    closesocket(s[1]);
}

/* recvfrom: WSAECONNRESET "On a UDP-datagram socket this error indicates a previous send operation
 * resulted in an ICMP Port Unreachable message." */
static void test_unreachable(void)
{
    struct sockaddr_storage address, nobody;
    int length, got, i;
    char buffer[8];
    SOCKET s = net_bound(AF_INET, SOCK_DGRAM, &address, &length), gone;

    gone = net_bound(AF_INET, SOCK_DGRAM, &nobody, &length);
    closesocket(gone);
    ok_success(connect(s, (struct sockaddr *)&nobody, length));
    got = send(s, "x", 1, 0);
    ok(got == 1, "got %d, error %d\n", got, WSAGetLastError());
    net_nonblocking(s, 1);
    for (i = 0; i < 100; i++) {
        got = recv(s, buffer, sizeof(buffer), 0);
        if (got != SOCKET_ERROR || WSAGetLastError() != WSAEWOULDBLOCK)
            break;
        Sleep(10);
    }
    todo_wine ok(got == SOCKET_ERROR && WSAGetLastError() == WSAECONNRESET, "got %d, error %d\n",
                 got, WSAGetLastError());
    closesocket(s);
}

/* bind: WSAEADDRINUSE, WSAEADDRNOTAVAIL, WSAEINVAL "already bound" */
/* sendto's page: "WSAEACCES: The requested address is a broadcast address, but the appropriate flag
 * was not set"; what was refused takes no room in the send buffer. */
static void test_refused_send(void)
{
    struct sockaddr_in broadcast = {.sin_family = AF_INET, .sin_port = htons(9)};
    struct sockaddr_storage address[2];
    char data[1000] = {0};
    SOCKET s[2];
    int length, i;

    net_udp_pair(AF_INET, s, address, &length);
    broadcast.sin_addr.s_addr = INADDR_BROADCAST;
    net_nonblocking(s[0], 1);
    for (i = 0; i < 20; i++)
        ok_error(
            sendto(s[0], data, sizeof(data), 0, (struct sockaddr *)&broadcast, sizeof(broadcast)),
            WSAEACCES);
    for (i = 0; i < 3; i++) {
        ok(sendto(s[0], "after", 5, 0, (struct sockaddr *)&address[1], length) == 5,
           "datagram %d: error %d\n", i, WSAGetLastError());
        ok(recv(s[1], data, sizeof(data), 0) == 5, "datagram %d: error %d\n", i, WSAGetLastError());
    }
    ok(net_writable(s[0], 0), "no room\n");
    closesocket(s[0]);
    closesocket(s[1]);
}

static void test_bind(void)
{
    struct sockaddr_storage address;
    struct sockaddr_in foreign = {AF_INET, 0, {{{192, 0, 2, 77}}}, {0}};
    int length;
    SOCKET s = net_bound(AF_INET, SOCK_DGRAM, &address, &length), t, other;

    t = socket(AF_INET, SOCK_DGRAM, 0);
    ok_error(bind(t, (struct sockaddr *)&address, length), WSAEADDRINUSE);
    other = socket(AF_INET, SOCK_DGRAM, 0);
    todo_wine ok_error(bind(other, (struct sockaddr *)&foreign, sizeof(foreign)), WSAEADDRNOTAVAIL);
    closesocket(other);
    ok_error(bind(s, (struct sockaddr *)&address, length), WSAEINVAL);
    ok_error(bind(t, (struct sockaddr *)&address, 3), WSAEFAULT);
    closesocket(s);
    ok_success(bind(t, (struct sockaddr *)&address, length));
    closesocket(t);
}

/* SO_BROADCAST is asked for where a broadcast is sent to by its address; connecting and send do
 * without (Wine's test_broadcast, run on Windows). */
static void test_broadcast(void)
{
    struct sockaddr_in all = {.sin_family = AF_INET, .sin_port = htons(9)};
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    DWORD value = 1;
    int length = sizeof(value);

    all.sin_addr.s_addr = htonl(0x7fffffff); /* the loopback's own */
    ok_error(sendto(s, "x", 1, 0, (struct sockaddr *)&all, sizeof(all)), WSAEACCES);
    ok_success(setsockopt(s, SOL_SOCKET, SO_BROADCAST, (char *)&value, sizeof(value)));
    ok(sendto(s, "x", 1, 0, (struct sockaddr *)&all, sizeof(all)) == 1, "error %d\n",
       WSAGetLastError());
    value = 0;
    ok_success(setsockopt(s, SOL_SOCKET, SO_BROADCAST, (char *)&value, sizeof(value)));
    ok_error(sendto(s, "x", 1, 0, (struct sockaddr *)&all, sizeof(all)), WSAEACCES);
    value = 1;
    todo_wine ok_success(connect(s, (struct sockaddr *)&all, sizeof(all)));
    ok_success(getsockopt(s, SOL_SOCKET, SO_BROADCAST, (char *)&value, &length));
    ok(!value, "connecting has set it\n");
    for (int i = 0; i < 3; i++)
        todo_wine ok(send(s, "x", 1, 0) == 1, "error %d\n", WSAGetLastError());
    closesocket(s);
}

/* Over the loopback the first datagram has arrived when the call returns: a nonblocking receive
 * finds it (Wine's test_connect_udp, run on Windows). */
static void test_arrives(int family)
{
    struct sockaddr_storage address;
    char buffer[8];
    int length;

    for (int i = 0; i < 50; i++) {
        SOCKET a = socket(family, SOCK_DGRAM, 0),
               b = net_bound(family, SOCK_DGRAM, &address, &length);

        net_nonblocking(b, 1);
        ok_success(connect(a, (struct sockaddr *)&address, length));
        ok(send(a, "data", 4, 0) == 4, "error %d\n", WSAGetLastError());
        ok(recv(b, buffer, sizeof(buffer), 0) == 4, "turn %d: error %d\n", i, WSAGetLastError());
        closesocket(a);
        closesocket(b);
    }
}

START_TEST(udp)
{
    net_start();
    RUN(test_plain, AF_INET);
    RUN(test_plain, AF_INET6);
    RUN(test_too_large, AF_INET);
    RUN(test_too_large, AF_INET6);
    RUN(test_connected);
    RUN(test_implicit_bind);
    RUN(test_sizes);
    RUN(test_unreachable);
    RUN(test_refused_send);
    RUN(test_bind);
    RUN(test_broadcast);
    RUN(test_arrives, AF_INET);
    RUN(test_arrives, AF_INET6);
    WSACleanup();
}
