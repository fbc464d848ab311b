/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * IP_RECVERR and IPV6_RECVERR: ICMP messages, received with MSG_ERRQUEUE.  No Wine has them.
 * Source: ws2ipdef.h ("IPPROTO_ICMP or IPPROTO_ICMPV6", "MTU if frag needed or pkt too big
 * message") and ws2def.h.  No page tells how they go together; what is checked beyond those words
 * is as Linux has it (ip(7)), where options, flag and structure come from.
 */
#include "control.h"

#ifndef MSG_ERRQUEUE
#define MSG_ERRQUEUE 0x1000
#endif
#define TYPE_RECVERR  75
#define UDP_CONNRESET _WSAIOW(IOC_VENDOR, 12)

struct recverr { /* IN_RECVERR */
    INT protocol;
    ULONG info;
    UINT8 type, code;
};

/* Of `family`, "a" of the message asks; its first destination is a port that nobody has. */
static struct message *nobody_new(int family)
{
    struct message *m = message_new(family);

    closesocket(m->b);
    m->b = INVALID_SOCKET;
    enable(m->a, m->level, TYPE_RECVERR, 1);
    return m;
}

static int receive_error(struct message *m, DWORD flags, DWORD *bytes)
{
    message_reset(m);
    m->msg.dwFlags = MSG_ERRQUEUE | flags;
    *bytes = 0;
    return receive_message(m->a, &m->msg, bytes, NULL, NULL);
}

/* The message has come, as the test's own host answers at once. */
static BOOL wait_error(struct message *m, DWORD flags, DWORD *bytes)
{
    DWORD start = GetTickCount();
    int result;

    while ((result = receive_error(m, flags, bytes)) && WSAGetLastError() == WSAEWOULDBLOCK &&
           GetTickCount() - start < NET_PATIENCE)
        Sleep(1);
    ok(!result, "no message: error %d\n", WSAGetLastError());
    return !result;
}

/* Port unreachable: type 3, code 3 (RFC 792), or type 1, code 4 (RFC 4443). */
static void check_unreachable(struct message *m, BOOL v4)
{
    struct recverr *error = message_find(m, v4 ? IPPROTO_IP : IPPROTO_IPV6, TYPE_RECVERR, 12);

    ok(error != NULL, "no such control data\n");
    if (!error)
        return;
    ok(error->protocol == (v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6), "protocol %d\n", error->protocol);
    ok(error->type == (v4 ? 3 : 1) && error->code == (v4 ? 3 : 4), "type %u, code %u\n",
       error->type, error->code);
    ok(!error->info, "info %lu\n", error->info);
}

static void check_message(struct message *m, DWORD bytes, const char *text)
{
    ok(bytes == strlen(text) && !memcmp(m->data, text, bytes), "%lu bytes: %s\n", bytes, m->data);
    ok(m->msg.dwFlags == MSG_ERRQUEUE, "flags %lx\n", m->msg.dwFlags);
    ok(m->msg.namelen == m->length && !memcmp(&m->name, &m->address[1], m->length),
       "not where it went\n");
}

static BOOL test_option(int family, int level)
{
    SOCKET udp = socket(family, SOCK_DGRAM, 0), tcp = socket(family, SOCK_STREAM, 0);
    DWORD value = 1;
    int size = sizeof(value);
    BOOL there = !setsockopt(udp, level, TYPE_RECVERR, (char *)&value, size);

    todo_wine ok(there, "error %d\n", WSAGetLastError());
    if (there) {
        ok_success(getsockopt(udp, level, TYPE_RECVERR, (char *)&value, &size));
        ok(value == 1, "got %lu\n", value);
        enable(udp, level, TYPE_RECVERR, 0);
        ok_success(getsockopt(udp, level, TYPE_RECVERR, (char *)&value, &size));
        ok(!value, "got %lu\n", value);
        ok_error(getsockopt(tcp, level, TYPE_RECVERR, (char *)&value, &size), WSAEINVAL);
    }
    closesocket(udp);
    closesocket(tcp);
    return there;
}

static void test_message(int family)
{
    struct message *m = nobody_new(family);
    DWORD bytes;
    char byte;

    message_send(m, "hello");
    if (wait_error(m, 0, &bytes)) {
        check_message(m, bytes, "hello");
        check_unreachable(m, family == AF_INET);
    }
    ok_error(receive_error(m, 0, &bytes), WSAEWOULDBLOCK);
    /* a receive is told as ever */
    ok(net_readable(m->a, NET_PATIENCE), "nothing to read\n");
    ok_error(recv(m->a, &byte, 1, 0), WSAECONNRESET);
    ok(!net_readable(m->a, 0), "still something to read\n");
    message_free(m);
}

/* It is no datagram, and waits for nobody. */
static void test_empty(void)
{
    struct message *m = nobody_new(AF_INET);
    WSAOVERLAPPED ov = {.hEvent = WSACreateEvent()};
    DWORD bytes;

    ok_error(receive_error(m, 0, &bytes), WSAEWOULDBLOCK);
    message_reset(m);
    m->msg.dwFlags = MSG_ERRQUEUE;
    ok_error(receive_message(m->a, &m->msg, NULL, &ov, NULL), WSAEWOULDBLOCK);
    net_nonblocking(m->a, 1);
    ok_error(receive_error(m, 0, &bytes), WSAEWOULDBLOCK);
    WSACloseEvent(ov.hEvent);
    message_free(m);
}

static void test_order(void)
{
    static const char *const texts[] = {"one", "two", "three", "four"};
    struct message *m = nobody_new(AF_INET);
    DWORD bytes;

    for (unsigned int i = 0; i < ARRAYSIZE(texts); i++) {
        message_send(m, texts[i]);
        if (wait_error(m, MSG_PEEK, &bytes)) /* each comes before the next is sent */
            check_message(m, bytes, texts[0]);
    }
    for (unsigned int i = 0; i < ARRAYSIZE(texts); i++)
        if (wait_error(m, 0, &bytes))
            check_message(m, bytes, texts[i]);
    ok_error(receive_error(m, 0, &bytes), WSAEWOULDBLOCK);
    message_free(m);
}

static void test_short(void)
{
    struct message *m = nobody_new(AF_INET);
    DWORD bytes;

    message_send(m, "hello");
    wait_error(m, MSG_PEEK, &bytes);
    message_reset(m);
    m->msg.dwFlags = MSG_ERRQUEUE | MSG_PEEK;
    m->buffer.len = 2;
    ok_error(receive_message(m->a, &m->msg, &bytes, NULL, NULL), WSAEMSGSIZE);
    ok(m->msg.dwFlags == (MSG_ERRQUEUE | MSG_TRUNC), "flags %lx\n", m->msg.dwFlags);
    ok(!memcmp(m->data, "he", 3), "got %s\n", m->data);
    check_unreachable(m, TRUE);
    message_reset(m);
    m->msg.dwFlags = MSG_ERRQUEUE;
    m->msg.Control.len = 1;
    ok_error(receive_message(m->a, &m->msg, &bytes, NULL, NULL), WSAEMSGSIZE);
    ok(m->msg.dwFlags == (MSG_ERRQUEUE | MSG_CTRUNC), "flags %lx\n", m->msg.dwFlags);
    message_free(m);
}

static void test_overlapped(void)
{
    struct message *m = nobody_new(AF_INET);
    WSAOVERLAPPED ov = {.hEvent = WSACreateEvent()};
    DWORD bytes = 0, flags;

    message_send(m, "hello");
    wait_error(m, MSG_PEEK, &bytes);
    message_reset(m);
    m->msg.dwFlags = MSG_ERRQUEUE;
    ok_success(receive_message(m->a, &m->msg, NULL, &ov, NULL));
    ok(WaitForSingleObject(ov.hEvent, 0) == WAIT_OBJECT_0, "no event\n");
    ok(WSAGetOverlappedResult(m->a, &ov, &bytes, FALSE, &flags), "error %d\n", WSAGetLastError());
    check_message(m, bytes, "hello");
    check_unreachable(m, TRUE);
    WSACloseEvent(ov.hEvent);
    message_free(m);
}

/* Without the option there is nothing, and what was there goes with it. */
static void test_off(void)
{
    struct message *m = nobody_new(AF_INET);
    DWORD bytes;
    char byte;

    message_send(m, "hello");
    wait_error(m, MSG_PEEK, &bytes);
    enable(m->a, m->level, TYPE_RECVERR, 0);
    ok_error(receive_error(m, 0, &bytes), WSAEWOULDBLOCK);
    ok_error(recv(m->a, &byte, 1, 0), WSAECONNRESET);
    message_send(m, "hello");
    ok(net_readable(m->a, NET_PATIENCE), "nothing to read\n");
    ok_error(receive_error(m, 0, &bytes), WSAEWOULDBLOCK);
    message_free(m);
}

/* SIO_UDP_CONNRESET is about receives of datagrams. */
static void test_without_reset(void)
{
    struct message *m = nobody_new(AF_INET);
    BOOL off = FALSE;
    DWORD bytes;

    ok_success(WSAIoctl(m->a, UDP_CONNRESET, &off, sizeof(off), NULL, 0, &bytes, NULL, NULL));
    message_send(m, "hello");
    if (wait_error(m, 0, &bytes))
        check_unreachable(m, TRUE);
    ok(!net_readable(m->a, 0), "something to read\n");
    message_free(m);
}

/* What goes over IPv4 is IPv4's, whose option it takes. */
static void test_dual_stack(void)
{
    struct message *m = nobody_new(AF_INET);
    struct sockaddr_in6 to = {.sin6_family = AF_INET6};
    struct sockaddr_in *nobody = (struct sockaddr_in *)&m->address[1];
    DWORD bytes;
    char byte;

    memset(to.sin6_addr.s6_addr + 10, 0xff, 2);
    memcpy(to.sin6_addr.s6_addr + 12, &nobody->sin_addr, 4);
    to.sin6_port = nobody->sin_port;
    memcpy(&m->address[1], &to, sizeof(to));
    m->length = sizeof(to);
    closesocket(m->a);
    m->a = socket(AF_INET6, SOCK_DGRAM, 0);
    enable(m->a, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    for (DWORD on = 0; on < 2; on++) {
        enable(m->a, IPPROTO_IPV6, TYPE_RECVERR, !on);
        enable(m->a, IPPROTO_IP, TYPE_RECVERR, on);
        message_send(m, "hello");
        ok(net_readable(m->a, NET_PATIENCE), "nothing to read\n");
        if (!on)
            ok_error(receive_error(m, 0, &bytes), WSAEWOULDBLOCK);
        else if (wait_error(m, 0, &bytes)) {
            check_message(m, bytes, "hello");
            check_unreachable(m, TRUE);
        }
        ok_error(recv(m->a, &byte, 1, 0), WSAECONNRESET);
    }
    message_free(m);
}

START_TEST(recv_errors)
{
    net_start();
    find_functions();
    if (test_option(AF_INET, IPPROTO_IP) && test_option(AF_INET6, IPPROTO_IPV6)) {
        RUN(test_message, AF_INET);
        RUN(test_message, AF_INET6);
        RUN(test_empty);
        RUN(test_order);
        RUN(test_short);
        RUN(test_overlapped);
        RUN(test_off);
        RUN(test_without_reset);
        RUN(test_dual_stack);
    }
    WSACleanup();
}
