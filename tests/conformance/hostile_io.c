/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hostile arguments in every pair of combinations (hostile.h) for the send and receive calls, on
 * sockets in each state: nothing crashes, nothing is written where it must not be, each failure has
 * a code that the page names, and the socket works afterwards as before.
 *
 * Wine's own DLL would crash at the first pointer.
 */
#include "hostile.h"

/* The tables of recv, recvfrom, WSARecv, WSARecvFrom */
static const int receive_errors[] = {
    WSA_IO_PENDING, WSAEFAULT,    WSAEINVAL,       WSAENOTCONN, WSAENOTSOCK,
    WSAEOPNOTSUPP,  WSAESHUTDOWN, WSAEWOULDBLOCK,  WSAEMSGSIZE, WSAECONNRESET,
    WSAETIMEDOUT,   WSAENETRESET, WSAECONNABORTED, 0,
};

/* The tables of send, sendto, WSASend, WSASendTo, WSASendMsg */
static const int send_errors[] = {
    WSA_IO_PENDING,   WSAEFAULT,       WSAEINVAL,       WSAENOTCONN,     WSAENOTSOCK, WSAEOPNOTSUPP,
    WSAESHUTDOWN,     WSAEWOULDBLOCK,  WSAEMSGSIZE,     WSAECONNRESET,   WSAENOBUFS,  WSAEACCES,
    WSAEADDRNOTAVAIL, WSAEAFNOSUPPORT, WSAECONNABORTED, WSAEDESTADDRREQ, 0,
};

#define FUNCTION(name) #name, (FARPROC)(void *)name

static const struct hostile_row rows[] = {
    {FUNCTION(recv), receive_errors, {HOSTILE_SOCKET, HOSTILE_DATA, HOSTILE_LENGTH, HOSTILE_FLAGS}},
    {FUNCTION(recvfrom),
     receive_errors,
     {HOSTILE_SOCKET, HOSTILE_DATA, HOSTILE_LENGTH, HOSTILE_FLAGS, HOSTILE_FROM,
      HOSTILE_FROM_LENGTH}},
    {FUNCTION(WSARecv),
     receive_errors,
     {HOSTILE_SOCKET, HOSTILE_BUFFERS, HOSTILE_COUNT, HOSTILE_WORD, HOSTILE_FLAGS_WORD,
      HOSTILE_OVERLAPPED, HOSTILE_ROUTINE}},
    {FUNCTION(WSARecvFrom),
     receive_errors,
     {HOSTILE_SOCKET, HOSTILE_BUFFERS, HOSTILE_COUNT, HOSTILE_WORD, HOSTILE_FLAGS_WORD,
      HOSTILE_FROM, HOSTILE_FROM_LENGTH, HOSTILE_OVERLAPPED, HOSTILE_ROUTINE}},
    {FUNCTION(send), send_errors, {HOSTILE_SOCKET, HOSTILE_DATA, HOSTILE_LENGTH, HOSTILE_FLAGS}},
    {FUNCTION(sendto),
     send_errors,
     {HOSTILE_SOCKET, HOSTILE_DATA, HOSTILE_LENGTH, HOSTILE_FLAGS, HOSTILE_TO, HOSTILE_TO_LENGTH}},
    {FUNCTION(WSASend),
     send_errors,
     {HOSTILE_SOCKET, HOSTILE_BUFFERS, HOSTILE_COUNT, HOSTILE_WORD, HOSTILE_FLAGS,
      HOSTILE_OVERLAPPED, HOSTILE_ROUTINE}},
    {FUNCTION(WSASendTo),
     send_errors,
     {HOSTILE_SOCKET, HOSTILE_BUFFERS, HOSTILE_COUNT, HOSTILE_WORD, HOSTILE_FLAGS, HOSTILE_TO,
      HOSTILE_TO_LENGTH, HOSTILE_OVERLAPPED, HOSTILE_ROUTINE}},
    {FUNCTION(WSASendMsg),
     send_errors,
     {HOSTILE_SOCKET, HOSTILE_MESSAGE, HOSTILE_FLAGS, HOSTILE_WORD, HOSTILE_OVERLAPPED,
      HOSTILE_ROUTINE}},
};

/* ---- the sockets ---- */

static SOCKET peer;

static void drain(SOCKET s)
{
    static char bytes[1 << 16];

    while (recv(s, bytes, sizeof(bytes), 0) > 0)
        ;
}

static void nothing(void)
{
}

/* What was sent to the peer does not fill up. */
static void keep_room(void)
{
    drain(peer);
}

/* Something to receive is there at each call. */
static void keep_data(void)
{
    u_long count = 0;

    drain(peer);
    ioctlsocket(hostile.s, FIONREAD, &count);
    if (count < 100) {
        send(peer, "0123456789012345678901234567890123456789012345678901234567890123", 64, 0);
        net_arrived(hostile.s, 1);
    }
}

static void walk(void (*before)(void))
{
    LONG calls = hostile.calls;
    unsigned i;

    for (i = 0; i < ARRAYSIZE(rows); i++)
        hostile_walk(&rows[i], before);
    trace("%ld calls\n", hostile.calls - calls);
}

/* Until what arrives ends with the text: what was sent before may still be under way. */
static void expect_text(SOCKET s, const char *text)
{
    static char bytes[1 << 16];
    ULONGLONG start = GetTickCount64();
    int got = 0;

    while (GetTickCount64() - start < NET_PATIENCE && net_readable(s, NET_PATIENCE)) {
        got = recv(s, bytes, sizeof(bytes), 0);
        if (got >= 4 && !memcmp(bytes + got - 4, text, 4))
            return;
    }
    ok(0, "got %d bytes, error %d\n", got, WSAGetLastError());
}

/* Both directions of a connection, or of two datagram sockets, carry what they should. */
static void check_alive(void)
{
    ok(send(peer, "ping", 4, 0) == 4, "error %d\n", WSAGetLastError());
    expect_text(hostile.s, "ping");
    ok(send(hostile.s, "pong", 4, 0) == 4, "error %d\n", WSAGetLastError());
    expect_text(peer, "pong");
}

static void walk_socket(SOCKET s)
{
    hostile.s = s;
    net_nonblocking(s, 1);
    walk(nothing);
    closesocket(s);
}

static void test_fresh(void)
{
    walk_socket(socket(AF_INET, SOCK_STREAM, 0));
}

static void test_bound(void)
{
    struct sockaddr_storage address;
    int length;

    walk_socket(net_bound(AF_INET, SOCK_STREAM, &address, &length));
}

static void test_listening(void)
{
    struct sockaddr_storage address;
    int length;

    walk_socket(net_listener(AF_INET, &address, &length));
}

static void test_closed(void)
{
    hostile.s = socket(AF_INET, SOCK_STREAM, 0);
    closesocket(hostile.s);
    walk(nothing);
}

static void connect_pair(void)
{
    net_pair(&hostile.s, &peer);
    net_nonblocking(hostile.s, 1);
    net_nonblocking(peer, 1);
}

static void close_pair(void)
{
    closesocket(hostile.s);
    closesocket(peer);
}

static void test_connected(void)
{
    connect_pair();
    walk(keep_room);
    check_alive();
    close_pair();
}

static void test_connected_with_data(void)
{
    connect_pair();
    walk(keep_data);
    check_alive();
    close_pair();
}

/* A blocking socket, whose receives end after a millisecond */
static void test_blocking(void)
{
    DWORD time = 1;
    unsigned i;

    connect_pair();
    net_nonblocking(hostile.s, 0);
    ok_success(setsockopt(hostile.s, SOL_SOCKET, SO_RCVTIMEO, (char *)&time, sizeof(time)));
    for (i = 0; i < ARRAYSIZE(rows); i++)
        if (rows[i].errors == receive_errors && rows[i].kinds[4] == HOSTILE_END)
            hostile_walk(&rows[i], keep_room);
    net_nonblocking(hostile.s, 1);
    check_alive();
    close_pair();
}

static void test_shut(void)
{
    connect_pair();
    ok_success(shutdown(hostile.s, SD_BOTH));
    walk(nothing);
    close_pair();
}

static void test_shut_by_peer(void)
{
    connect_pair();
    ok_success(shutdown(peer, SD_SEND));
    ok(net_readable(hostile.s, NET_PATIENCE), "the end did not come\n");
    walk(keep_room);
    close_pair();
}

static void test_reset(void)
{
    connect_pair();
    net_reset(peer);
    ok(net_readable(hostile.s, NET_PATIENCE), "the reset did not come\n");
    walk(nothing);
    closesocket(hostile.s);
}

static void test_datagram_unbound(void)
{
    walk_socket(socket(AF_INET, SOCK_DGRAM, 0));
}

static void open_datagrams(void)
{
    struct sockaddr_storage address[2];
    SOCKET s[2];
    int length;

    net_udp_pair(AF_INET, s, address, &length);
    hostile.s = s[0];
    peer = s[1];
    ok_success(connect(peer, (struct sockaddr *)&address[0], length));
    hostile.to = address[1];
    hostile.to_length = length;
    net_nonblocking(hostile.s, 1);
    net_nonblocking(peer, 1);
}

static void test_datagram_with_data(void)
{
    open_datagrams();
    walk(keep_data);
    ok_success(connect(hostile.s, (struct sockaddr *)&hostile.to, hostile.to_length));
    check_alive();
    close_pair();
}

static void test_datagram_connected(void)
{
    open_datagrams();
    ok_success(connect(hostile.s, (struct sockaddr *)&hostile.to, hostile.to_length));
    walk(keep_room);
    check_alive();
    close_pair();
}

static void test_datagram_shut(void)
{
    open_datagrams();
    ok_success(shutdown(hostile.s, SD_BOTH));
    walk(nothing);
    close_pair();
}

START_TEST(hostile_io)
{
    net_start();
    hostile_start();
    hostile.to_length = net_loopback(AF_INET, &hostile.to);
    if (!on_builtin()) {
        RUN(test_fresh);
        RUN(test_bound);
        RUN(test_listening);
        RUN(test_closed);
        RUN(test_connected);
        RUN(test_connected_with_data);
        RUN(test_blocking);
        RUN(test_shut);
        RUN(test_shut_by_peer);
        RUN(test_reset);
        RUN(test_datagram_unbound);
        RUN(test_datagram_with_data);
        RUN(test_datagram_connected);
        RUN(test_datagram_shut);
        trace("%ld calls\n", hostile.calls);
    }
    WSACleanup();
}
