/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * UDP_SEND_MSG_SIZE and UDP_RECV_MAX_COALESCED_SIZE.
 * Source: "IPPROTO_UDP socket options", quoted below.  No Wine has them.
 */
#include "net.h"

#define SEND_MSG_SIZE           2
#define RECV_MAX_COALESCED_SIZE 3
#define COALESCED_INFO          3 /* cmsg_type, level IPPROTO_UDP */
#define LARGEST                 65527

static LPFN_WSARECVMSG receive_message;
static char data[60000], got[65536];

struct ends {
    SOCKET from, to;
    struct sockaddr_storage address;
    int length;
};

static void open_ends(struct ends *ends, int family)
{
    struct sockaddr_storage address[2];
    DWORD patience = NET_PATIENCE, room = 4 << 20;
    SOCKET s[2];

    net_udp_pair(family, s, address, &ends->length);
    ends->from = s[0];
    ends->to = s[1];
    ends->address = address[1];
    ok_success(setsockopt(ends->to, SOL_SOCKET, SO_RCVTIMEO, (char *)&patience, sizeof(patience)));
    ok_success(setsockopt(ends->to, SOL_SOCKET, SO_RCVBUF, (char *)&room, sizeof(room)));
}

static void close_ends(struct ends *ends)
{
    closesocket(ends->from);
    closesocket(ends->to);
}

static int set(SOCKET s, int option, DWORD value)
{
    return setsockopt(s, IPPROTO_UDP, option, (char *)&value, sizeof(value));
}

/* Both "DWORD", "The default value is 0". */
static BOOL test_values(void)
{
    static const int options[] = {SEND_MSG_SIZE, RECV_MAX_COALESCED_SIZE};
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0), tcp = socket(AF_INET, SOCK_STREAM, 0);
    BOOL there = TRUE;

    for (unsigned int i = 0; i < ARRAYSIZE(options); i++) {
        DWORD value = 77;
        int size = sizeof(value), error;

        error = getsockopt(s, IPPROTO_UDP, options[i], (char *)&value, &size);
        todo_wine ok(!error && !value && size == sizeof(value), "got %d: %lu, size %d\n", error,
                     value, size);
        if (error) {
            there = FALSE;
            continue;
        }
        ok_success(set(s, options[i], 1200));
        ok_success(getsockopt(s, IPPROTO_UDP, options[i], (char *)&value, &size));
        ok(value == 1200, "got %lu\n", value);
        ok_success(set(s, options[i], 0));
        ok_error(setsockopt(s, IPPROTO_UDP, options[i], (char *)&value, 1), WSAEFAULT);
        ok(set(tcp, options[i], 1200) == SOCKET_ERROR, "set on a stream\n");
    }
    closesocket(s);
    closesocket(tcp);
    return there;
}

static void expect_datagrams(SOCKET s, DWORD total, int size)
{
    for (DWORD place = 0; place < total;) {
        int expected = total - place < (DWORD)size ? (int)(total - place) : size;
        int length = recv(s, got, sizeof(got), 0);

        ok(length == expected && !memcmp(got, data + place, expected),
           "at %lu of %lu: got %d bytes, error %d\n", place, total, length, WSAGetLastError());
        if (length <= 0)
            return;
        place += length;
    }
}

static void expect_nothing(SOCKET s)
{
    net_nonblocking(s, 1);
    ok_error(recv(s, got, sizeof(got), 0), WSAEWOULDBLOCK);
    net_nonblocking(s, 0);
}

/* "buffers sent by your application are broken down into multiple messages by the networking stack.
 * The size of each broken-down message is equal to the option value. ... The last segment's size
 * may be less than the value of the option." */
static void test_send(int family)
{
    static const DWORD totals[] = {250, 300, 100, 99, 0, 7000, 60000};
    struct ends ends;

    winetest_push_context("family %d", family);
    open_ends(&ends, family);
    for (unsigned int i = 0; i < ARRAYSIZE(totals); i++) {
        int size = totals[i] > 10000 ? 1000 : 100;

        ok_success(set(ends.from, SEND_MSG_SIZE, size));
        for (int again = 0; again < 2; again++) { /* the second is not waited for */
            int sent = sendto(ends.from, data, totals[i], 0, (struct sockaddr *)&ends.address,
                              ends.length);

            ok(sent == (int)totals[i], "sent %d of %lu, error %d\n", sent, totals[i],
               WSAGetLastError());
            expect_datagrams(ends.to, totals[i], size);
            if (!totals[i])
                ok(!recv(ends.to, got, sizeof(got), 0), "no empty datagram\n");
        }
    }
    ok_success(connect(ends.from, (struct sockaddr *)&ends.address, ends.length));
    ok(send(ends.from, data, 2500, 0) == 2500, "error %d\n", WSAGetLastError());
    expect_datagrams(ends.to, 2500, 1000);
    ok_success(set(ends.from, SEND_MSG_SIZE, 0));
    ok(send(ends.from, data, 2500, 0) == 2500, "error %d\n", WSAGetLastError());
    expect_datagrams(ends.to, 2500, 2500);
    expect_nothing(ends.to);
    close_ends(&ends);
    winetest_pop_context();
}

/* With more pieces than any kernel makes of one: each of them comes, in order. */
static void test_many_pieces(void)
{
    OVERLAPPED ov = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    WSABUF buffers[2] = {{300, data}, {1200, data + 300}};
    DWORD bytes = 0, flags;
    struct ends ends;
    int result;

    open_ends(&ends, AF_INET);
    ok_success(set(ends.from, SEND_MSG_SIZE, 10));
    for (int again = 0; again < 2; again++) {
        result = WSASendTo(ends.from, buffers, 2, &bytes, 0, (struct sockaddr *)&ends.address,
                           ends.length, &ov, NULL);
        ok(!result || WSAGetLastError() == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
        ok(WSAGetOverlappedResult(ends.from, &ov, &bytes, TRUE, &flags) && bytes == 1500,
           "%lu bytes, error %d\n", bytes, WSAGetLastError());
        expect_datagrams(ends.to, 1500, 10);
    }
    expect_nothing(ends.to);
    close_ends(&ends);
    CloseHandle(ov.hEvent);
}

/* The same for one message, as control data of WSASendMsg. */
static void test_send_message(void)
{
    char control[WSA_CMSG_SPACE(sizeof(DWORD))] = {0};
    WSACMSGHDR *header = (WSACMSGHDR *)control;
    WSABUF buffer = {2500, data};
    WSAMSG message = {
        .lpBuffers = &buffer, .dwBufferCount = 1, .Control = {sizeof(control), control}};
    struct ends ends;
    DWORD bytes;

    header->cmsg_len = WSA_CMSG_LEN(sizeof(DWORD));
    header->cmsg_level = IPPROTO_UDP;
    header->cmsg_type = SEND_MSG_SIZE;
    *(DWORD *)WSA_CMSG_DATA(header) = 800;
    open_ends(&ends, AF_INET);
    message.name = (struct sockaddr *)&ends.address;
    message.namelen = ends.length;
    ok_success(WSASendMsg(ends.from, &message, 0, &bytes, NULL, NULL));
    ok(bytes == 2500, "sent %lu\n", bytes);
    expect_datagrams(ends.to, 2500, 800);
    ok(sendto(ends.from, data, 2500, 0, (struct sockaddr *)&ends.address, ends.length) == 2500,
       "error %d\n", WSAGetLastError());
    expect_datagrams(ends.to, 2500, 2500);
    close_ends(&ends);
}

/* A message that is no larger than the option's value is not broken down. */
static void test_larger_value(void)
{
    struct ends ends;

    open_ends(&ends, AF_INET);
    ok_success(set(ends.from, SEND_MSG_SIZE, 65535));
    ok(sendto(ends.from, data, 60000, 0, (struct sockaddr *)&ends.address, ends.length) == 60000,
       "error %d\n", WSAGetLastError());
    expect_datagrams(ends.to, 60000, 60000);
    close_ends(&ends);
}

/* How large each is of what the message is made of; its whole length if nothing is said. */
static DWORD size_of_parts(WSAMSG *message, DWORD length)
{
    for (WSACMSGHDR *part = WSA_CMSG_FIRSTHDR(message); part; part = WSA_CMSG_NXTHDR(message, part))
        if (part->cmsg_level == IPPROTO_UDP && part->cmsg_type == COALESCED_INFO) {
            ok(part->cmsg_len == WSA_CMSG_LEN(sizeof(DWORD)), "length %u\n",
               (unsigned int)part->cmsg_len);
            return *(DWORD *)WSA_CMSG_DATA(part);
        }
    return length;
}

static void load_receive(SOCKET s)
{
    GUID guid = WSAID_WSARECVMSG;
    DWORD bytes;

    ok_success(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid),
                        &receive_message, sizeof(receive_message), &bytes, NULL, NULL));
}

/* "multiple received datagrams may be coalesced into a single message buffer"; "only ... if they
 * originated from the same source address and port. All datagrams coalesced will be of the same
 * size-except the last datagram, which may be smaller." */
static void test_coalesce(int family)
{
    struct ends ends;
    DWORD place = 0, coalesced = 0;

    winetest_push_context("family %d", family);
    open_ends(&ends, family);
    load_receive(ends.to);
    ok_success(set(ends.to, RECV_MAX_COALESCED_SIZE, LARGEST));
    ok_success(set(ends.from, SEND_MSG_SIZE, 1000));
    ok(sendto(ends.from, data, 20500, 0, (struct sockaddr *)&ends.address, ends.length) == 20500,
       "error %d\n", WSAGetLastError());
    while (place < 20500) {
        char control[256];
        struct sockaddr_storage name;
        WSABUF buffer = {sizeof(got), got};
        WSAMSG message = {.name = (struct sockaddr *)&name,
                          .namelen = sizeof(name),
                          .lpBuffers = &buffer,
                          .dwBufferCount = 1,
                          .Control = {sizeof(control), control}};
        DWORD bytes = 0, size;

        if (receive_message(ends.to, &message, &bytes, NULL, NULL)) {
            ok(0, "at %lu: error %d\n", place, WSAGetLastError());
            break;
        }
        size = size_of_parts(&message, bytes);
        coalesced += bytes > 1000;
        ok(bytes <= LARGEST && size <= 1000 && place % 1000 == 0, "%lu bytes of %lu at %lu\n",
           bytes, size, place);
        ok(!memcmp(got, data + place, bytes), "other contents at %lu\n", place);
        place += bytes;
    }
    ok(place == 20500, "got %lu\n", place);
    /* the host does it for whoever is on the same machine */
    ok(coalesced || !rt.ours, "nothing was coalesced\n");
    /* a single one brings no size along, and turned off none come together */
    ok_success(set(ends.to, RECV_MAX_COALESCED_SIZE, 0));
    ok(sendto(ends.from, data, 3500, 0, (struct sockaddr *)&ends.address, ends.length) == 3500,
       "error %d\n", WSAGetLastError());
    expect_datagrams(ends.to, 3500, 1000);
    close_ends(&ends);
    winetest_pop_context();
}

START_TEST(udp_offload)
{
    BOOL there;

    net_start();
    for (unsigned int i = 0; i < sizeof(data); i++)
        data[i] = (char)(i * 17 >> 2);
    there = test_values();
    if (there) {
        RUN(test_send, AF_INET);
        RUN(test_send, AF_INET6);
        RUN(test_many_pieces);
        RUN(test_send_message);
        RUN(test_larger_value);
        RUN(test_coalesce, AF_INET);
        RUN(test_coalesce, AF_INET6);
    }
    WSACleanup();
}
