/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SIO_TIMESTAMPING, SO_TIMESTAMP, SO_TIMESTAMP_ID and SIO_GET_TX_TIMESTAMP.
 * Source: "Winsock timestamping" and the page of TIMESTAMPING_CONFIG, quoted below.  No Wine has
 * them; Windows does where an administrator has turned them on ("system-level configuration is also
 * needed").
 */
#include "control.h"

/* mstcpip.h; mingw-w64 has them for newer Windows only */
#define GET_TX_TIMESTAMP  _WSAIOW(IOC_VENDOR, 234)
#define TIMESTAMPING      _WSAIOW(IOC_VENDOR, 235)
#define FLAG_RX           1
#define FLAG_TX           2
#define TYPE_TIMESTAMP    0x300a
#define TYPE_TIMESTAMP_ID 0x300b

struct config {
    ULONG flags;
    USHORT buffered;
};

static UINT64 frequency;

static UINT64 counter(void)
{
    LARGE_INTEGER now;

    QueryPerformanceCounter(&now);
    return now.QuadPart;
}

static int configure(SOCKET s, ULONG flags, USHORT buffered)
{
    struct config config = {flags, buffered};
    DWORD bytes = 0;

    return WSAIoctl(s, TIMESTAMPING, &config, sizeof(config), NULL, 0, &bytes, NULL, NULL);
}

static int sent_time(SOCKET s, UINT32 id, UINT64 *time)
{
    DWORD bytes = 0;
    int result =
        WSAIoctl(s, GET_TX_TIMESTAMP, &id, sizeof(id), time, sizeof(*time), &bytes, NULL, NULL);

    ok(result || bytes == sizeof(*time), "got %lu bytes\n", bytes);
    return result;
}

static BOOL is_there(void)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    int result = configure(s, FLAG_RX, 0);

    todo_wine ok(!result, "error %d\n", WSAGetLastError());
    closesocket(s);
    return !result;
}

/* "Currently, support is scoped to User Datagram Protocol (UDP) sockets."  "Describes the input
 * structure"; with which code bad input is refused nobody says.  What SIO_GET_TX_TIMESTAMP answers
 * before was seen on Windows 11. */
static void test_refused(void)
{
    SOCKET tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
    struct config config = {FLAG_RX, 0};
    DWORD bytes = 0;
    UINT64 time;

    ok(configure(tcp, FLAG_RX, 0) == SOCKET_ERROR, "on a stream\n");
    ok(sent_time(tcp, 1, &time) == SOCKET_ERROR, "on a stream\n");
    ok(configure(udp, 0x80, 0) == SOCKET_ERROR, "unknown flags\n");
    ok(WSAIoctl(udp, TIMESTAMPING, &config, sizeof(config) - 1, NULL, 0, &bytes, NULL, NULL) ==
           SOCKET_ERROR,
       "short input\n");
    ok(WSAIoctl(udp, TIMESTAMPING, NULL, 0, NULL, 0, &bytes, NULL, NULL) == SOCKET_ERROR,
       "no input\n");
    ok_error(sent_time(udp, 1, &time), WSAEOPNOTSUPP);
    closesocket(tcp);
    closesocket(udp);
}

static UINT64 *arrival_of(struct message *m)
{
    return message_find(m, SOL_SOCKET, TYPE_TIMESTAMP, sizeof(UINT64));
}

/* The clocks of two processors, and of two programs, may differ a little. */
static void check_between(UINT64 time, UINT64 before, UINT64 after)
{
    UINT64 slack = frequency / 1000;

    ok(time + slack >= before && time <= after + slack, "%lld us before, %lld us after\n",
       (INT64)(before - time) * 1000000 / (INT64)frequency,
       (INT64)(time - after) * 1000000 / (INT64)frequency);
}

/* "When you receive a datagram using the ... WSARecvMsg function, its timestamp (if available) is
 * contained in the SO_TIMESTAMP control message. ... The control message data is returned as a
 * UINT64."  "For software timestamps, the counter is a QueryPerformanceCounter (QPC) value". */
static void test_receive(int family)
{
    struct message *m = message_new(family);
    UINT64 before, between, after, *time;

    message_pass(m);
    ok(!arrival_of(m), "a time without being asked\n");
    ok_success(configure(m->b, FLAG_RX, 0));
    message_pass(m); /* Linux may begin with that late */

    before = counter();
    message_send(m, "first");
    ok(net_readable(m->b, NET_PATIENCE), "nothing has arrived\n");
    between = counter();
    Sleep(60);
    message_send(m, "second");
    Sleep(60);
    message_receive(m);
    time = arrival_of(m);
    ok(time != NULL, "no time\n");
    if (time)
        check_between(*time, before, between);
    message_receive(m);
    after = counter();
    time = arrival_of(m);
    ok(time != NULL, "no time\n");
    if (time)
        check_between(*time, between + frequency / 20, after - frequency / 20);
    message_free(m);
}

/* Beside what else is asked for; "omit a value to disable timestamp reception for that direction".
 */
static void test_with_others(void)
{
    struct message *m = message_new(AF_INET);

    enable(m->b, IPPROTO_IP, IP_PKTINFO, 1);
    ok_success(configure(m->b, FLAG_RX, 0));
    message_pass(m);
    ok(message_find(m, IPPROTO_IP, IP_PKTINFO, sizeof(IN_PKTINFO)) != NULL, "no address\n");
    ok(arrival_of(m) != NULL, "no time\n");
    ok_success(configure(m->b, FLAG_TX, 4));
    message_pass(m);
    ok(message_find(m, IPPROTO_IP, IP_PKTINFO, sizeof(IN_PKTINFO)) != NULL, "no address\n");
    ok(!arrival_of(m), "a time for who does not ask any more\n");
    message_free(m);
}

/* "When sending a datagram, associate the datagram with an SO_TIMESTAMP_ID control message. ...
 * You should supply the control message data as a UINT32." */
static int send_with_id(struct message *m, UINT32 id, size_t size)
{
    char control[WSA_CMSG_SPACE(sizeof(id))] = {0};
    WSACMSGHDR *header = (WSACMSGHDR *)control;
    WSABUF buffer = {5, (char *)"stamp"};
    WSAMSG msg = {.name = (struct sockaddr *)&m->address[1],
                  .namelen = m->length,
                  .lpBuffers = &buffer,
                  .dwBufferCount = 1,
                  .Control = {WSA_CMSG_LEN(size), control}};
    DWORD bytes = 0;

    header->cmsg_len = WSA_CMSG_LEN(size);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = TYPE_TIMESTAMP_ID;
    memcpy(WSA_CMSG_DATA(header), &id, size);
    return send_message(m->a, &msg, 0, &bytes, NULL, NULL);
}

/* "A transmit timestamp is guaranteed to be available after a successful WSASendMsg call given that
 * the transmit timestamp buffer is not full", though it "might not be immediately available". */
static UINT64 wait_for_time(SOCKET s, UINT32 id)
{
    UINT64 time = 0;

    for (int i = 0; i < 100; i++) {
        if (!sent_time(s, id, &time))
            return time;
        ok(WSAGetLastError() == WSAEWOULDBLOCK, "error %d\n", WSAGetLastError());
        Sleep(10);
    }
    ok(0, "no time of %u\n", id);
    return 0;
}

/* "Use the SIO_GET_TX_TIMESTAMP IOCTL to poll for the timestamp by its ID. If the timestamp is
 * available, then it is removed from the buffer and returned. If the timestamp is not available,
 * then WSAGetLastError returns WSAEWOULDBLOCK." */
static void test_transmit(int family)
{
    struct message *m = message_new(family);
    UINT64 before, after, first, second, unused, *arrived;

    ok_success(configure(m->a, FLAG_TX, 8));
    ok_success(configure(m->b, FLAG_RX, 0));
    ok_error(sent_time(m->a, 7, &unused), WSAEWOULDBLOCK);
    before = counter();
    ok_success(send_with_id(m, 7, sizeof(UINT32)));
    message_receive(m);
    after = counter();
    arrived = arrival_of(m);
    Sleep(20);
    ok_success(send_with_id(m, 0xfffffffe, sizeof(UINT32)));
    message_send(m, "plain");
    second = wait_for_time(m->a, 0xfffffffe);
    first = wait_for_time(m->a, 7);
    check_between(first, before, after);
    ok(second >= first + frequency / 100, "the second is no later\n");
    if (arrived)
        check_between(*arrived, first, after);
    ok_error(sent_time(m->a, 7, &unused), WSAEWOULDBLOCK);
    ok_error(sent_time(m->a, 8, &unused), WSAEWOULDBLOCK);
    ok_error(send_with_id(m, 9, sizeof(UINT32) - 1), WSAEINVAL);
    message_free(m);
}

/* "If a transmit timestamp is generated while the buffer is full, the new timestamp is discarded."
 */
static void test_full(void)
{
    struct message *m = message_new(AF_INET);
    UINT64 unused;

    ok_success(configure(m->a, FLAG_TX, 2));
    for (UINT32 id = 1; id <= 3; id++)
        ok_success(send_with_id(m, id, sizeof(id)));
    wait_for_time(m->a, 1);
    wait_for_time(m->a, 2);
    ok_error(sent_time(m->a, 3, &unused), WSAEWOULDBLOCK);
    ok_success(send_with_id(m, 4, sizeof(UINT32)));
    wait_for_time(m->a, 4);
    for (UINT32 id = 100; id < 140; id++)
        ok_success(send_with_id(m, id, sizeof(id)));
    ok_success(configure(m->a, FLAG_TX, 0xffff));
    for (UINT32 id = 200; id < 300; id++)
        ok_success(send_with_id(m, id, sizeof(id)));
    for (UINT32 id = 299; id >= 200; id--)
        wait_for_time(m->a, id);
    wait_for_time(m->a, 100);
    wait_for_time(m->a, 101);
    ok_error(sent_time(m->a, 102, &unused), WSAEWOULDBLOCK);
    ok_success(configure(m->a, 0, 0));
    ok_success(send_with_id(m, 5, sizeof(UINT32)));
    ok(sent_time(m->a, 5, &unused) == SOCKET_ERROR, "a time for who does not ask any more\n");
    message_free(m);
}

/* "calling SIO_GET_TX_TIMESTAMP is always a non-blocking operation. Even calling the IOCTL in an
 * OVERLAPPED fashion results in an immediate return of WSAEWOULDBLOCK if there are currently no
 * available transmit timestamps." */
static void test_overlapped(void)
{
    struct message *m = message_new(AF_INET);
    OVERLAPPED ov = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    UINT32 id = 3;
    UINT64 time = 0;
    DWORD bytes = 0, flags;

    ok_success(configure(m->a, FLAG_TX, 1));
    ok_error(
        WSAIoctl(m->a, GET_TX_TIMESTAMP, &id, sizeof(id), &time, sizeof(time), &bytes, &ov, NULL),
        WSAEWOULDBLOCK);
    ok_success(send_with_id(m, id, sizeof(id)));
    message_receive(m);
    ok(WSAIoctl(m->a, GET_TX_TIMESTAMP, &id, sizeof(id), &time, 4, &bytes, NULL, NULL) ==
           SOCKET_ERROR,
       "into 4 bytes\n");
    ok_success(
        WSAIoctl(m->a, GET_TX_TIMESTAMP, &id, sizeof(id), &time, sizeof(time), &bytes, &ov, NULL));
    ok(WSAGetOverlappedResult(m->a, &ov, &bytes, TRUE, &flags), "error %d\n", WSAGetLastError());
    ok(time != 0, "no time\n");
    CloseHandle(ov.hEvent);
    message_free(m);
}

START_TEST(timestamping)
{
    LARGE_INTEGER ticks;

    net_start();
    find_functions();
    QueryPerformanceFrequency(&ticks);
    frequency = ticks.QuadPart;
    if (is_there()) {
        RUN(test_refused);
        RUN(test_receive, AF_INET);
        RUN(test_receive, AF_INET6);
        RUN(test_with_others);
        RUN(test_transmit, AF_INET);
        RUN(test_transmit, AF_INET6);
        RUN(test_full);
        RUN(test_overlapped);
    }
    WSACleanup();
}
