/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The page of WSARecv on its flags, one function a sentence, which stands before it; recv_flags.c has
 * the combinations.
 */
#include "net.h"

struct pair {
    SOCKET from, to;
    struct sockaddr_storage address;
    int length;
};

static void open_pair(struct pair *pair, int type)
{
    struct sockaddr_storage addresses[2];
    SOCKET s[2];

    if (type == SOCK_STREAM) {
        net_pair(&pair->from, &pair->to);
        return;
    }
    net_udp_pair(AF_INET, s, addresses, &pair->length);
    pair->from = s[0];
    pair->to = s[1];
    ok_success(connect(pair->from, (struct sockaddr *)&addresses[1], pair->length));
}

static void close_pair(struct pair *pair)
{
    closesocket(pair->from);
    closesocket(pair->to);
}

/* One synchronous WSARecv; returns the error, 0 is success. */
static int receive(SOCKET s, char *buffer, ULONG size, DWORD *bytes, DWORD *flags)
{
    WSABUF buf = {size, buffer};

    *bytes = 0xdead;
    return WSARecv(s, &buf, 1, bytes, flags, NULL, NULL) ? WSAGetLastError() : 0;
}

/* MSG_PEEK: "The data is copied into the buffer, but is not removed from the input queue." */
static void test_peek_removes_nothing(int type)
{
    struct pair pair;
    char buffer[16];
    DWORD bytes, flags;
    int error, i;

    open_pair(&pair, type);
    net_send_all(pair.from, "peek", 4);
    net_arrived(pair.to, 4);
    for (i = 0; i < 3; i++) {
        memset(buffer, 0, sizeof(buffer));
        flags = i < 2 ? MSG_PEEK : 0;
        error = receive(pair.to, buffer, sizeof(buffer), &bytes, &flags);
        ok(!error && bytes == 4 && !memcmp(buffer, "peek", 4), "%d: error %d, %lu bytes\n", i,
           error, bytes);
    }
    net_nonblocking(pair.to, 1);
    flags = 0;
    error = receive(pair.to, buffer, sizeof(buffer), &bytes, &flags);
    ok(error == WSAEWOULDBLOCK, "error %d\n", error);
    close_pair(&pair);
}

/* MSG_PARTIAL: "On output, this flag indicates that the data specified is a portion of the message
 * transmitted by the sender."; "the MSG_PARTIAL bit is set in the lpFlags parameter if a partial
 * message is received". */
static void test_partial_is_set(void)
{
    struct pair pair;
    char buffer[16];
    DWORD bytes, flags = 0;
    int error;

    open_pair(&pair, SOCK_DGRAM);
    net_send_all(pair.from, "0123456789", 10);
    error = receive(pair.to, buffer, 4, &bytes, &flags);
    todo_wine ok(error == WSAEMSGSIZE && bytes == 4 && !memcmp(buffer, "0123", 4),
                 "error %d, %lu bytes\n", error, bytes);
    todo_wine ok(flags == MSG_PARTIAL, "flags %lx\n", flags);
    close_pair(&pair);
}

/* "As an input parameter, this flag indicates that the receive operation should complete even if
 * only part of a message has been received": of a datagram there is never a part only. */
static void test_partial_as_input(void)
{
    static char data[20000], buffer[20000];
    struct pair pair;
    DWORD bytes, flags = MSG_PARTIAL;
    int error;

    memset(data, 'd', sizeof(data));
    open_pair(&pair, SOCK_DGRAM);
    net_send_all(pair.from, data, sizeof(data));
    error = receive(pair.to, buffer, sizeof(buffer), &bytes, &flags);
    ok(!error && bytes == sizeof(data) && !memcmp(buffer, data, sizeof(data)),
       "error %d, %lu bytes\n", error, bytes);
    close_pair(&pair);
}

/* MSG_PARTIAL: "This flag is for message-oriented sockets only."  A stream never reports it. */
static void test_partial_never_of_streams(void)
{
    struct pair pair;
    char buffer[4];
    DWORD bytes, flags = 0;
    int error;

    open_pair(&pair, SOCK_STREAM);
    net_send_all(pair.from, "0123456789", 10);
    net_arrived(pair.to, 10);
    error = receive(pair.to, buffer, sizeof(buffer), &bytes, &flags);
    ok(!error && bytes == 4 && !flags, "error %d, %lu bytes, flags %lx\n", error, bytes, flags);
    close_pair(&pair);
}

/* "In the case of delayed completion, the value pointed to by lpFlags is not updated. When
 * completion has been indicated, the application should call WSAGetOverlappedResult and examine the
 * flags indicated by the lpdwFlags parameter." */
static void test_delayed_flags(void)
{
    WSAOVERLAPPED ov = {.hEvent = WSACreateEvent()};
    DWORD bytes = 0, flags = MSG_PARTIAL, result_flags = 0xdead;
    struct pair pair;
    char buffer[4];
    WSABUF buf = {sizeof(buffer), buffer};
    BOOL success;

    open_pair(&pair, SOCK_DGRAM);
    ok_error(WSARecv(pair.to, &buf, 1, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    net_send_all(pair.from, "too long", 8);
    ok(WaitForSingleObject(ov.hEvent, NET_PATIENCE) == WAIT_OBJECT_0, "no completion\n");
    ok(flags == MSG_PARTIAL, "flags %lx\n", flags);
    success = WSAGetOverlappedResult(pair.to, &ov, &bytes, FALSE, &result_flags);
    ok(!success && WSAGetLastError() == WSAEMSGSIZE && bytes == 4, "error %d, %lu bytes\n",
       WSAGetLastError(), bytes);
    close_pair(&pair);
    WSACloseEvent(ov.hEvent);
}

/* MSG_PUSH_IMMEDIATE: "not to delay completion of partially filled pending receive requests" */
static void test_push_immediate(void)
{
    WSAOVERLAPPED ov = {.hEvent = WSACreateEvent()};
    DWORD bytes = 0, flags = 0x20; /* MSG_PUSH_IMMEDIATE */
    struct pair pair;
    char buffer[1000];
    WSABUF buf = {sizeof(buffer), buffer};

    open_pair(&pair, SOCK_STREAM);
    ok_error(WSARecv(pair.to, &buf, 1, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    net_send_all(pair.from, "part", 4);
    ok(WSAGetOverlappedResult(pair.to, &ov, &bytes, TRUE, &flags) && bytes == 4,
       "error %d, %lu bytes\n", WSAGetLastError(), bytes);
    close_pair(&pair);
    WSACloseEvent(ov.hEvent);
}

START_TEST(wsarecv_flags)
{
    net_start();
    RUN(test_peek_removes_nothing, SOCK_STREAM);
    RUN(test_peek_removes_nothing, SOCK_DGRAM);
    RUN(test_partial_is_set);
    RUN(test_partial_as_input);
    RUN(test_partial_never_of_streams);
    RUN(test_delayed_flags);
    RUN(test_push_immediate);
    WSACleanup();
}
