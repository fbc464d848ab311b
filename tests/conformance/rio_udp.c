/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Registered I/O with datagrams.  Sources: the pages of RIOReceive, RIOReceiveEx, RIOSend and
 * RIOSendEx; sendto's for errors.
 */
#include <stddef.h>

#include "rio_api.h"

struct udp_end {
    SOCKET s;
    struct sockaddr_storage address;
    cq_t cq;
    rq_t rq;
    buffer_t id;
    struct {
        SOCKADDR_INET local, remote;
        DWORD flags;
        char control[128];
        char payload[4096];
    } data;
};

#define SLICE(end, member)                                                                  \
    ((struct slice){(end)->id,                                                              \
                    offsetof(struct udp_end, data.member) - offsetof(struct udp_end, data), \
                    sizeof((end)->data.member)})

static void open_udp(struct udp_end *end, int family)
{
    memset(end, 0, sizeof(*end));
    end->s = rio_udp(family, &end->address);
    end->cq = rio.create_cq(16, NULL);
    end->rq = rio.create_rq(end->s, 8, 1, 8, 1, end->cq, end->cq, SOCKET_CONTEXT);
    ok(end->rq != NULL, "RIOCreateRequestQueue error %d\n", WSAGetLastError());
    end->id = rio.register_buffer(&end->data, sizeof(end->data));
}

static void close_udp(struct udp_end *end)
{
    closesocket(end->s);
    rio.close_cq(end->cq);
    rio.deregister(end->id);
}

static int address_size(int family)
{
    return family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

/* Both addresses "are returned as SOCKADDR_INET structures" */
static void test_addresses(int family)
{
    static struct udp_end a, b;
    struct slice data, local, remote, control, flags;

    winetest_push_context("family %d", family);
    open_udp(&a, family);
    open_udp(&b, family);
    data = SLICE(&b, payload);
    local = SLICE(&b, local);
    remote = SLICE(&b, remote);
    control = SLICE(&b, control);
    flags = SLICE(&b, flags);
    b.data.flags = 0xdead;
    ok(rio.receive_ex(b.rq, &data, 1, &local, &remote, &control, &flags, 0, REQUEST(1)),
       "error %d\n", WSAGetLastError());
    memcpy(&a.data.remote, &b.address, address_size(family));
    memcpy(a.data.payload, "to b", 4);
    data = SLICE(&a, payload);
    data.length = 4;
    remote = SLICE(&a, remote);
    ok(rio.send_ex(a.rq, &data, 1, NULL, &remote, NULL, NULL, 0, REQUEST(2)), "error %d\n",
       WSAGetLastError());
    ok_result(a.cq, 0, 4, 2);
    ok_result(b.cq, 0, 4, 1);
    ok(!memcmp(b.data.payload, "to b", 4), "wrong bytes\n");
    ok(!memcmp(&b.data.remote, &a.address, address_size(family)), "wrong remote address\n");
    ok(!memcmp(&b.data.local, &b.address, address_size(family)), "wrong local address\n");
    ok(!b.data.flags, "flags %#lx\n", b.data.flags);
    /* RIO_CMSG_BUFFER.TotalLength: there is nothing beside itself (RIO_CMSG_BASE_SIZE) */
    ok(*(ULONG *)b.data.control == sizeof(SIZE_T), "control %lu\n", *(ULONG *)b.data.control);
    close_udp(&a);
    close_udp(&b);
    winetest_pop_context();
}

/* Each receive takes one datagram; deferred ones too, in order. */
static void test_one_each(void)
{
    static struct udp_end a, b;
    struct slice data, remote;
    ULONG i;

    open_udp(&a, AF_INET);
    open_udp(&b, AF_INET);
    for (i = 0; i < 8; i++) {
        data = SLICE(&b, payload);
        data.offset += 16 * i;
        data.length = 16;
        ok(rio.receive(b.rq, &data, 1, i < 7 ? MSG_DEFER : 0, REQUEST(i)), "error %d\n",
           WSAGetLastError());
    }
    memcpy(&a.data.remote, &b.address, sizeof(struct sockaddr_in));
    remote = SLICE(&a, remote);
    for (i = 0; i < 8; i++) {
        data = SLICE(&a, payload);
        data.offset += 16 * i;
        data.length = i + 1;
        memset(a.data.payload + 16 * i, (char)('0' + i), 16);
        ok(rio.send_ex(a.rq, &data, 1, NULL, &remote, NULL, NULL, MSG_DEFER, REQUEST(i)),
           "error %d\n", WSAGetLastError());
    }
    ok(rio.send(a.rq, NULL, 0, MSG_COMMIT, NULL), "error %d\n", WSAGetLastError());
    for (i = 0; i < 8; i++) {
        ok_result(b.cq, 0, i + 1, i);
        ok(b.data.payload[16 * i] == (char)('0' + i) && !b.data.payload[16 * i + i + 1],
           "wrong bytes in %lu\n", i);
    }
    {
        struct result got[8];

        ok(rio_take(a.cq, got, 8) == 8, "not all sends have completed\n");
    }
    close_udp(&a);
    close_udp(&b);
}

static void send_plain(struct udp_end *to, const char *bytes, int size)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);

    ok(sendto(s, bytes, size, 0, (struct sockaddr *)&to->address, sizeof(struct sockaddr_in)) ==
           size,
       "error %d\n", WSAGetLastError());
    closesocket(s);
}

static void test_too_large(void)
{
    static struct udp_end b;
    struct slice data, flags;

    open_udp(&b, AF_INET);
    data = SLICE(&b, payload);
    flags = SLICE(&b, flags);
    data.length = 3;
    ok(rio.receive_ex(b.rq, &data, 1, NULL, NULL, NULL, &flags, 0, REQUEST(1)), "error %d\n",
       WSAGetLastError());
    send_plain(&b, "abcdef", 6);
    ok_result(b.cq, WSAEMSGSIZE, 3, 1);
    ok(!memcmp(b.data.payload, "abc", 4), "wrong bytes\n");
    ok(b.data.flags == MSG_TRUNC, "flags %#lx\n", b.data.flags);
    /* pData "may be NULL ... if the application does not need to receive the data payload" */
    ok(rio.receive(b.rq, NULL, 0, 0, REQUEST(2)), "error %d\n", WSAGetLastError());
    send_plain(&b, "abcdef", 6);
    ok_result(b.cq, 0, 0, 2);
    /* an empty datagram is one */
    ok(rio.receive(b.rq, &data, 1, 0, REQUEST(3)), "error %d\n", WSAGetLastError());
    send_plain(&b, "", 0);
    ok_result(b.cq, 0, 0, 3);
    close_udp(&b);
}

static void test_refused(void)
{
    static struct udp_end a;
    struct slice data, address;

    open_udp(&a, AF_INET);
    data = SLICE(&a, payload);
    ok_refused(rio.receive(a.rq, &data, 1, MSG_ALL, NULL), WSAEINVAL); /* "not supported on UDP" */
    address = SLICE(&a, remote);
    address.length = sizeof(SOCKADDR_INET) - 1; /* "must be at least the size of a SOCKADDR_INET" */
    ok_refused(rio.receive_ex(a.rq, &data, 1, NULL, &address, NULL, NULL, 0, NULL), WSAEINVAL);
    ok_refused(rio.receive_ex(a.rq, &data, 1, &address, NULL, NULL, NULL, 0, NULL), WSAEINVAL);
    ok_refused(rio.send_ex(a.rq, &data, 1, NULL, &address, NULL, NULL, 0, NULL), WSAEINVAL);
    address.length++;
    address.buffer = BAD_BUFFER;
    ok_refused(rio.send_ex(a.rq, &data, 1, NULL, &address, NULL, NULL, 0, NULL), WSAEFAULT);
    ok_refused(rio.receive_ex(a.rq, &data, 1, NULL, NULL, &address, NULL, 0, NULL), WSAEFAULT);
    ok_refused(rio.receive_ex(a.rq, &data, 1, NULL, NULL, NULL, &address, 0, NULL), WSAEFAULT);
    ok(!rio.dequeue(a.cq, NULL, 0), "a refused request completed\n");
    close_udp(&a);
}

/* pControlContext: a RIO_CMSG_BUFFER, whose TotalLength counts itself, and the messages behind it.
 */
#define CMSG_BASE sizeof(SIZE_T)

static const WSACMSGHDR *find_message(const char *control, int level, int type)
{
    ULONG total = *(const ULONG *)control, at = CMSG_BASE;

    while (at + sizeof(WSACMSGHDR) <= total) {
        const WSACMSGHDR *header = (const WSACMSGHDR *)(control + at);

        if (header->cmsg_level == level && header->cmsg_type == type)
            return header;
        at += (ULONG)WSA_CMSGHDR_ALIGN(header->cmsg_len);
    }
    return NULL;
}

static void put_message(char *control, int level, int type, int value)
{
    WSACMSGHDR *header = (WSACMSGHDR *)(control + CMSG_BASE);

    header->cmsg_len = WSA_CMSG_LEN(sizeof(value));
    header->cmsg_level = level;
    header->cmsg_type = type;
    memcpy(WSA_CMSG_DATA(header), &value, sizeof(value));
    *(ULONG *)control = CMSG_BASE + WSA_CMSG_SPACE(sizeof(value));
}

/* RIOReceiveEx: "additional control information about the receive operation"; RIOSendEx:
 * "additional control information about the send operation". */
static void test_control(int family)
{
    int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, on = 1, value = 0;
    int ttl = family == AF_INET ? IP_TTL : IPV6_HOPLIMIT;
    static struct udp_end a, b;
    struct slice data, remote, control;
    const WSACMSGHDR *message;

    winetest_push_context("family %d", family);
    open_udp(&a, family);
    open_udp(&b, family);
    ok_success(setsockopt(b.s, level, IPV6_HOPLIMIT, (char *)&on, sizeof(on)));
    ok_success(setsockopt(b.s, level, IP_PKTINFO, (char *)&on, sizeof(on)));
    memcpy(&a.data.remote, &b.address, address_size(family));
    for (ULONG i = 0; i < 3; i++) {
        data = SLICE(&b, payload);
        control = SLICE(&b, control);
        ok(rio.receive_ex(b.rq, &data, 1, NULL, NULL, &control, NULL, 0, REQUEST(1)), "error %d\n",
           WSAGetLastError());
        data = SLICE(&a, payload);
        data.length = 4;
        remote = SLICE(&a, remote);
        control = SLICE(&a, control);
        put_message(a.data.control, level, ttl, 33 + i);
        ok(rio.send_ex(a.rq, &data, 1, NULL, &remote, &control, NULL, 0, REQUEST(2)), "error %d\n",
           WSAGetLastError());
        ok_result(a.cq, 0, 4, 2);
        ok_result(b.cq, 0, 4, 1);
        message = find_message(b.data.control, level, ttl);
        if (message)
            memcpy(&value, WSA_CMSG_DATA(message), sizeof(value));
        ok(message && value == 33 + (int)i, "time to live %d\n", message ? value : -1);
        message = find_message(b.data.control, level, IP_PKTINFO);
        ok(message &&
               !memcmp(WSA_CMSG_DATA(message),
                       family == AF_INET ? (void *)&((struct sockaddr_in *)&b.address)->sin_addr
                                         : (void *)&((struct sockaddr_in6 *)&b.address)->sin6_addr,
                       family == AF_INET ? 4 : 16),
           "no packet information, or another address\n");
    }
    /* what makes no sense is refused by the call, as WSASendMsg refuses it */
    put_message(a.data.control, level, 12345, 1);
    WSASetLastError(0);
    ok(!rio.send_ex(a.rq, &data, 1, NULL, &remote, &control, NULL, 0, REQUEST(3)) &&
           WSAGetLastError() == WSAEINVAL,
       "error %d\n", WSAGetLastError());
    *(ULONG *)a.data.control = sizeof(a.data.control) + 1;
    ok(!rio.send_ex(a.rq, &data, 1, NULL, &remote, &control, NULL, 0, REQUEST(3)) &&
           WSAGetLastError() == WSAEINVAL,
       "error %d\n", WSAGetLastError());
    close_udp(&a);
    close_udp(&b);
    winetest_pop_context();
}

/* pLocalAddress: where the datagram went, though the socket is bound to any address. */
static void test_local_address(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET}, to;
    static struct udp_end end;
    struct slice data, local;
    int length = sizeof(any);
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);

    memset(&end, 0, sizeof(end));
    end.s = rio_socket(AF_INET, SOCK_DGRAM);
    ok_success(bind(end.s, (struct sockaddr *)&any, sizeof(any)));
    ok_success(getsockname(end.s, (struct sockaddr *)&any, &length));
    end.cq = rio.create_cq(16, NULL);
    end.rq = rio.create_rq(end.s, 8, 1, 8, 1, end.cq, end.cq, SOCKET_CONTEXT);
    end.id = rio.register_buffer(&end.data, sizeof(end.data));
    data = SLICE(&end, payload);
    local = SLICE(&end, local);
    ok(rio.receive_ex(end.rq, &data, 1, &local, NULL, NULL, NULL, 0, REQUEST(1)), "error %d\n",
       WSAGetLastError());
    to = any;
    to.sin_addr.s_addr = htonl(0x7f000002);
    ok(sendto(s, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1, "error %d\n",
       WSAGetLastError());
    ok_result(end.cq, 0, 1, 1);
    ok(!memcmp(&end.data.local, &to, sizeof(to)), "local address %#lx\n",
       ntohl(end.data.local.Ipv4.sin_addr.s_addr));
    closesocket(s);
    close_udp(&end);
}

/* What sendto would answer is the completion's status. */
static void test_send_errors(void)
{
    static struct udp_end a;
    struct slice data, remote;

    open_udp(&a, AF_INET);
    data = SLICE(&a, payload);
    data.length = 4;
    ok(rio.send(a.rq, &data, 1, 0, REQUEST(1)), "error %d\n", WSAGetLastError());
    ok_result(a.cq, WSAENOTCONN, 0, 1);
    a.data.remote.Ipv4.sin_family = AF_INET;
    a.data.remote.Ipv4.sin_port = htons(9);
    remote = SLICE(&a, remote);
    ok(rio.send_ex(a.rq, &data, 1, NULL, &remote, NULL, NULL, 0, REQUEST(2)), "error %d\n",
       WSAGetLastError());
    ok_result(a.cq, WSAEADDRNOTAVAIL, 0, 2);
    /* the kernel's own word: a broadcast without SO_BROADCAST */
    a.data.remote.Ipv4.sin_addr.s_addr = INADDR_BROADCAST;
    ok(rio.send_ex(a.rq, &data, 1, NULL, &remote, NULL, NULL, 0, REQUEST(3)), "error %d\n",
       WSAGetLastError());
    ok_result(a.cq, WSAEACCES, 0, 3);
    close_udp(&a);
}

static void test_connected(void)
{
    static struct udp_end a, b;
    struct slice data;
    ULONG i;

    open_udp(&a, AF_INET);
    open_udp(&b, AF_INET);
    ok_success(connect(a.s, (struct sockaddr *)&b.address, sizeof(struct sockaddr_in)));
    for (i = 0; i < 4; i++) {
        data = SLICE(&b, payload);
        ok(rio.receive(b.rq, &data, 1, 0, REQUEST(i)), "error %d\n", WSAGetLastError());
        data = SLICE(&a, payload);
        data.length = 10 + i;
        ok(rio.send(a.rq, &data, 1, 0, REQUEST(i)), "error %d\n", WSAGetLastError());
        ok_result(a.cq, 0, 10 + i, i);
        ok_result(b.cq, 0, 10 + i, i);
    }
    /* "may be NULL ... if the application does not need to send a data payload" */
    data = SLICE(&b, payload);
    ok(rio.receive(b.rq, &data, 1, 0, REQUEST(5)), "error %d\n", WSAGetLastError());
    ok(rio.send(a.rq, NULL, 0, 0, REQUEST(6)), "error %d\n", WSAGetLastError());
    ok_result(a.cq, 0, 0, 6);
    ok_result(b.cq, 0, 0, 5);
    close_udp(&a);
    close_udp(&b);
}

/* "port unreachable" of an earlier send */
static void test_unreachable(void)
{
    static struct udp_end a;
    struct slice data, remote;
    struct sockaddr_storage nobody;

    open_udp(&a, AF_INET);
    net_nobody(AF_INET, &nobody);
    memset(&a.data.remote, 0, sizeof(a.data.remote));
    memcpy(&a.data.remote, &nobody, sizeof(struct sockaddr_in));
    a.data.remote.Ipv4.sin_port = htons(1); /* nobody there either, and never a listener's */
    data = SLICE(&a, payload);
    ok(rio.receive(a.rq, &data, 1, 0, REQUEST(1)), "error %d\n", WSAGetLastError());
    data.length = 4;
    remote = SLICE(&a, remote);
    ok(rio.send_ex(a.rq, &data, 1, NULL, &remote, NULL, NULL, MSG_DONT_NOTIFY, REQUEST(2)),
       "error %d\n", WSAGetLastError());
    {
        struct result got[2];
        ULONG i;

        ok(rio_take(a.cq, got, 2) == 2, "not both have completed\n");
        for (i = 0; i < 2; i++)
            ok(got[i].status == (got[i].request_context == 1 ? WSAECONNRESET : 0), "status %ld\n",
               got[i].status);
    }
    close_udp(&a);
}

START_TEST(rio_udp)
{
    net_start();
    if (!rio_load()) {
        skip("no registered I/O here\n");
        WSACleanup();
        return;
    }
    RUN(test_addresses, AF_INET);
    RUN(test_addresses, AF_INET6);
    RUN(test_one_each);
    RUN(test_too_large);
    RUN(test_refused);
    RUN(test_send_errors);
    RUN(test_control, AF_INET);
    RUN(test_control, AF_INET6);
    RUN(test_local_address);
    RUN(test_connected);
    RUN(test_unreachable);
    WSACleanup();
}
