/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Control data that WSASendMsg takes; what was sent is looked at with WSARecvMsg.
 * Sources: the pages of WSASendMsg, WSAMSG, "Winsock explicit congestion notification", "IPPROTO_IP
 * socket options", which are quoted; LizardByte/Sunshine issue 5443 for WSAEINVAL where the source
 * address cannot be had.  The built-in of 8.0 ignores control data.
 */
#include "control.h"

enum { RECVTTL = 21, RECVTOS = 40 }; /* the same numbers at both levels */
#define TTL_TYPE(m) ((m)->family == AF_INET ? IP_TTL : IPV6_HOPLIMIT)
#define TOS_TYPE(m) ((m)->family == AF_INET ? IP_TOS : TYPE_TCLASS)

struct out {
    struct message *m;
    ULONGLONG control[64];
    WSABUF buffer;
    WSAMSG msg;
};

static void out_init(struct out *out, struct message *m)
{
    memset(out, 0, sizeof(*out));
    out->m = m;
    out->buffer.buf = (char *)"sent";
    out->buffer.len = 4;
    out->msg.name = (struct sockaddr *)&m->address[1];
    out->msg.namelen = m->length;
    out->msg.lpBuffers = &out->buffer;
    out->msg.dwBufferCount = 1;
}

static WSACMSGHDR *out_add(struct out *out, int level, int type, const void *data, size_t size)
{
    WSACMSGHDR *header = (WSACMSGHDR *)((char *)out->control + out->msg.Control.len);

    out->msg.Control.buf = (char *)out->control;
    out->msg.Control.len += WSA_CMSG_SPACE(size);
    header->cmsg_len = WSA_CMSG_LEN(size);
    header->cmsg_level = level;
    header->cmsg_type = type;
    memcpy(WSA_CMSG_DATA(header), data, size);
    return header;
}

static void out_int(struct out *out, int type, INT value)
{
    out_add(out, out->m->level, type, &value, sizeof(value));
}

static void out_source(struct out *out, ULONG address, ULONG index)
{
    IN_PKTINFO info = {.ipi_addr.s_addr = htonl(address), .ipi_ifindex = index};

    out_add(out, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
}

/* Sends it; the datagram arrives. */
static void out_send(struct out *out)
{
    DWORD bytes = 0;

    ok_success(send_message(out->m->a, &out->msg, 0, &bytes, NULL, NULL));
    ok(bytes == 4, "%lu bytes\n", bytes);
    message_receive(out->m);
    ok(!memcmp(out->m->data, "sent", 4), "got %s\n", out->m->data);
}

static void out_refused(struct out *out, DWORD error)
{
    DWORD bytes = 77;

    ok_error(send_message(out->m->a, &out->msg, 0, &bytes, NULL, NULL), error);
    ok(bytes == 77, "%lu bytes\n", bytes);
    ok(!net_readable(out->m->b, 0), "a datagram has come\n");
}

static ULONG source_of(const struct message *m)
{
    return ntohl(((const struct sockaddr_in *)&m->name)->sin_addr.s_addr);
}

/* "One of the control data objects passed in the WSAMSG structure to the WSASendMsg function may
 * contain an in_pktinfo structure used to specify the local IPv4 source address to use for
 * sending." */
static void test_source(void)
{
    struct message *m = message_new(AF_INET);
    struct sockaddr_in any = {.sin_family = AF_INET};
    struct out out;

    closesocket(m->a);
    m->a = socket(AF_INET, SOCK_DGRAM, 0);
    ok_success(bind(m->a, (struct sockaddr *)&any, sizeof(any)));
    for (ULONG i = 0; i < 20; i++) { /* each its own, though the destination is the same */
        out_init(&out, m);
        if (i % 3)
            out_source(&out, INADDR_LOOPBACK + i, 0);
        out_send(&out);
        todo_wine_if(i % 3)
            ok(source_of(m) == INADDR_LOOPBACK + (i % 3 ? i : 0), "%lx\n", source_of(m));
    }
    message_free(m);
}

/* The IPv6 loopback has one address only: it can be said, and others cannot be had. */
static void test_source6(void)
{
    struct message *m = message_new(AF_INET6);
    IN6_PKTINFO info = {.ipi6_addr = in6addr_loopback};
    struct out out;

    out_init(&out, m);
    out_add(&out, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    out_send(&out);
    ok(!memcmp(&((struct sockaddr_in6 *)&m->name)->sin6_addr, &in6addr_loopback, 16), "source\n");
    out_send(&out);
    info.ipi6_addr.s6_addr[15] = 77;
    out_init(&out, m);
    out_add(&out, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    if (!on_builtin())
        out_refused(&out, WSAEINVAL);
    message_free(m);
}

/* An address of somebody else's is refused, also after datagrams that went without a question. */
static void test_foreign_source(void)
{
    struct message *m = message_new(AF_INET);
    struct out out;

    if (!on_builtin()) {
        out_init(&out, m);
        out_send(&out);
        out_send(&out);
        out_source(&out, 0xc000024d, 0); /* 192.0.2.77 */
        out_refused(&out, WSAEINVAL);
        out_refused(&out, WSAEINVAL);
        out_init(&out, m);
        out_source(&out, INADDR_LOOPBACK, 0x7ffffff0); /* no such interface */
        ok(send_message(m->a, &out.msg, 0, &out.buffer.len, NULL, NULL) == SOCKET_ERROR, "sent\n");
        out_init(&out, m);
        out_send(&out);
    }
    message_free(m);
}

/* The interface that a datagram has come through is one to answer through. */
static void test_answer(int family)
{
    struct message *m = message_new(family);
    struct out out;
    WSACMSGHDR *header;

    enable(m->b, m->level, IP_PKTINFO, 1);
    message_pass(m);
    header = WSA_CMSG_FIRSTHDR(&m->msg);
    ok(header != NULL, "no packet information\n");
    out_init(&out, m);
    if (header) {
        memcpy(out.control, m->control, m->msg.Control.len);
        out.msg.Control = m->msg.Control;
        out.msg.Control.buf = (char *)out.control;
        out.msg.name = (struct sockaddr *)&m->address[0];
        ok_success(send_message(m->b, &out.msg, 0, &out.buffer.len, NULL, NULL));
        ok(recv(m->a, m->data, sizeof(m->data), 0) == 4, "error %d\n", WSAGetLastError());
    }
    message_free(m);
}

/* IPV6_HOPLIMIT: "Specifies/receives hop limit."; for this datagram alone. */
static void test_ttl(int family)
{
    struct message *m = message_new(family);
    struct out out;
    int usual;

    enable(m->b, m->level, RECVTTL, 1);
    message_pass(m);
    usual = message_int(m, TTL_TYPE(m));
    for (INT ttl = 1; ttl <= 255; ttl += 127) {
        out_init(&out, m);
        out_int(&out, TTL_TYPE(m), ttl);
        out_send(&out);
        check_int_todo(1, m, TTL_TYPE(m), got == ttl);
    }
    message_pass(m);
    check_int(m, TTL_TYPE(m), got == usual);
    message_free(m);
}

/* IP_TOS, IPV6_TCLASS, and IP_ECN: "Specifies/receives ECN codepoint in the Type of Service (TOS)
 * IPv4 header field." */
static void test_tos(int family)
{
    static const struct {
        int tos, ecn, expected; /* -1: not given */
    } cases[] = {{0, -1, 0},   {0xb8, -1, 0xb8}, {0x2a, -1, 0x2a}, {-1, 0, 0},
                 {-1, 1, 1},   {-1, 2, 2},       {0xb8, 2, 0xba},  {0xbb, 1, 0xb9}};
    struct message *m = message_new(family);

    enable(m->b, m->level, RECVTOS, 1);
    for (unsigned int i = 0; i < 2 * ARRAYSIZE(cases); i++) {
        int tos = cases[i / 2].tos, ecn = cases[i / 2].ecn, expected = cases[i / 2].expected;
        struct out out;

        out_init(&out, m);
        if (ecn >= 0 && i % 2)
            out_int(&out, TYPE_ECN, ecn);
        if (tos >= 0)
            out_int(&out, TOS_TYPE(m), tos);
        if (ecn >= 0 && i % 2 == 0)
            out_int(&out, TYPE_ECN, ecn);
        out_send(&out);
        check_int_todo(expected, m, TOS_TYPE(m), got == expected);
    }
    message_pass(m);
    check_int(m, TOS_TYPE(m), !got);
    message_free(m);
}

/* The codepoint alone leaves the rest of the field as the socket's option has it. */
static void test_ecn_beside_option(int family)
{
    struct message *m = message_new(family);
    struct out out;

    if (!on_builtin()) {
        enable(m->b, m->level, RECVTOS, 1);
        enable(m->a, m->level, TOS_TYPE(m), 0x20);
        out_init(&out, m);
        out_int(&out, TYPE_ECN, 2);
        out_send(&out);
        check_int(m, TOS_TYPE(m), got == 0x22);
        message_pass(m);
        check_int(m, TOS_TYPE(m), got == 0x20);
    }
    message_free(m);
}

/* Control data that makes no sense: WSAEINVAL, and nothing is sent.  "Your application isn't
 * allowed to specify the Congestion Encountered (CE) code point when sending datagrams. The send
 * will return with error WSAEINVAL." */
static void test_bad_data(int family)
{
    struct message *m = message_new(family);
    const struct {
        int type, value;
    } bad[] = {{TYPE_ECN, 3},       {TYPE_ECN, -1},      {TTL_TYPE(m), 0}, {TTL_TYPE(m), 256},
               {TTL_TYPE(m), -2},   {TOS_TYPE(m), 256},  {TOS_TYPE(m), -1}, {0x7777, 1}};
    IN_PKTINFO info = {0};
    struct out out;
    unsigned int i;

    for (i = 0; !on_builtin() && i < ARRAYSIZE(bad); i++) {
        winetest_push_context("case %u", i);
        out_init(&out, m);
        out_int(&out, bad[i].type, bad[i].value);
        out_refused(&out, WSAEINVAL);
        winetest_pop_context();
    }
    if (!on_builtin()) {
        out_init(&out, m); /* of the other family */
        out_add(&out, family == AF_INET ? IPPROTO_IPV6 : IPPROTO_IP, IP_PKTINFO, &info,
                sizeof(info));
        out_refused(&out, WSAEINVAL);
        out_init(&out, m); /* too short for what it is */
        out_add(&out, m->level, IP_PKTINFO, &info, 4);
        out_refused(&out, WSAEINVAL);
        message_pass(m);
    }
    message_free(m);
}

/* Lengths that are none. */
static void test_bad_lengths(void)
{
    static const int lengths[] = {0, 1, sizeof(WSACMSGHDR) - 1, 1000, 0x7fffffff, -1, -8};
    struct message *m = message_new(AF_INET);
    struct out out;

    for (unsigned int i = 0; !on_builtin() && i < ARRAYSIZE(lengths); i++) {
        int ttl = 9;

        winetest_push_context("case %u", i);
        out_init(&out, m);
        out_add(&out, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl))->cmsg_len = (SIZE_T)(INT_PTR)lengths[i];
        out_refused(&out, WSAEINVAL);
        out_init(&out, m); /* behind a good one */
        out_int(&out, IP_TTL, 9);
        out_add(&out, IPPROTO_IP, IP_TOS, &ttl, sizeof(ttl))->cmsg_len = (SIZE_T)(INT_PTR)lengths[i];
        out_refused(&out, WSAEINVAL);
        winetest_pop_context();
    }
    if (!on_builtin()) {
        out_init(&out, m);
        out_int(&out, IP_TTL, 9);
        out.msg.Control.len = 5;
        out_refused(&out, WSAEINVAL);
    }
    message_free(m);
}

/* "WSAEFAULT: ... if a Control.buf member ... was a NULL pointer and the Control.len member ... was
 * not set to zero"; or one that is not there. */
static void test_bad_pointer(void)
{
    struct message *m = message_new(AF_INET);
    struct out out;

    if (!on_builtin()) {
        out_init(&out, m);
        out.msg.Control.len = 24;
        out_refused(&out, WSAEFAULT);
        out.msg.Control.buf = (char *)16;
        out_refused(&out, WSAEFAULT);
    }
    message_free(m);
}

/* "from connected and unconnected sockets" */
static void test_connected(int family)
{
    struct message *m = message_new(family);
    struct out out;

    ok_success(connect(m->a, (struct sockaddr *)&m->address[1], m->length));
    enable(m->b, m->level, RECVTTL, 1);
    for (INT ttl = 40; ttl < 45; ttl++) {
        out_init(&out, m);
        out.msg.name = NULL;
        out.msg.namelen = 0;
        if (ttl % 2)
            out_int(&out, TTL_TYPE(m), ttl);
        out_send(&out);
        check_int_todo(ttl % 2, m, TTL_TYPE(m), (got == ttl) == ttl % 2);
    }
    message_free(m);
}

/* "capture this WSABUF structure before returning": the control data too may be on the stack. */
static void test_overlapped(void)
{
    struct message *m = message_new(AF_INET);
    WSAOVERLAPPED ov = {.hEvent = WSACreateEvent()};
    DWORD bytes = 0, flags = 0;
    struct out out;
    int result;

    enable(m->b, m->level, RECVTTL, 1);
    for (INT ttl = 40; ttl < 45; ttl++) {
        out_init(&out, m);
        out_int(&out, IP_TTL, ttl);
        result = send_message(m->a, &out.msg, 0, NULL, &ov, NULL) ? WSAGetLastError() : 0;
        ok(!result || result == WSA_IO_PENDING, "error %d\n", result);
        memset(out.control, 0xcc, sizeof(out.control));
        ok(WSAGetOverlappedResult(m->a, &ov, &bytes, TRUE, &flags), "error %d\n",
           WSAGetLastError());
        ok(bytes == 4, "%lu bytes\n", bytes);
        message_receive(m);
        check_int_todo(1, m, IP_TTL, got == ttl);
    }
    message_free(m);
    WSACloseEvent(ov.hEvent);
}

static DWORD routine_calls, routine_error, routine_bytes;

static void CALLBACK routine(DWORD error, DWORD bytes, WSAOVERLAPPED *ov, DWORD flags)
{
    (void)ov;
    (void)flags;
    routine_calls++;
    routine_error = error;
    routine_bytes = bytes;
}

/* With a routine and with a port. */
static void test_routine_and_port(void)
{
    struct message *m = message_new(AF_INET);
    WSAOVERLAPPED ov = {0};
    OVERLAPPED *packet = NULL;
    ULONG_PTR key;
    DWORD bytes = 0;
    struct out out;
    HANDLE port;
    int result;

    enable(m->b, m->level, RECVTTL, 1);
    out_init(&out, m);
    out_int(&out, IP_TTL, 33);
    result = send_message(m->a, &out.msg, 0, NULL, &ov, routine) ? WSAGetLastError() : 0;
    ok(!result || result == WSA_IO_PENDING, "error %d\n", result);
    ok(SleepEx(NET_PATIENCE, TRUE) == WAIT_IO_COMPLETION, "no routine ran\n");
    ok(routine_calls == 1 && !routine_error && routine_bytes == 4, "%lu calls, error %lu\n",
       routine_calls, routine_error);
    message_receive(m);
    check_int_todo(1, m, IP_TTL, got == 33);
    port = CreateIoCompletionPort((HANDLE)m->a, NULL, 1, 0);
    result = send_message(m->a, &out.msg, 0, NULL, &ov, NULL) ? WSAGetLastError() : 0;
    ok(!result || result == WSA_IO_PENDING, "error %d\n", result);
    ok(GetQueuedCompletionStatus(port, &bytes, &key, &packet, NET_PATIENCE), "error %lu\n",
       GetLastError());
    ok(packet == (OVERLAPPED *)&ov && bytes == 4, "got %p\n", packet);
    message_receive(m);
    check_int_todo(1, m, IP_TTL, got == 33);
    message_free(m);
    CloseHandle(port);
}

/* More than the window holds, nonblocking: each that goes has its own. */
static void test_many(void)
{
    struct message *m = message_new(AF_INET);
    struct out out;
    DWORD bytes;

    enable(m->b, m->level, RECVTTL, 1);
    net_nonblocking(m->a, 1);
    for (INT i = 0; i < 200; i++) {
        out_init(&out, m);
        out_int(&out, IP_TTL, 10 + i);
        ok_success(send_message(m->a, &out.msg, 0, &bytes, NULL, NULL));
    }
    for (INT i = 0; i < 200; i++) {
        message_receive(m);
        /* 64 is what the built-in's datagrams have anyhow */
        check_int_todo(10 + i != 64, m, IP_TTL, got == 10 + i);
    }
    message_free(m);
}

/* "When sending to an IPv4 destination address or an IPv4-mapped IPv6 destination address, one of
 * the control data objects ... should contain an in_pktinfo structure" */
static void test_dual_stack(void)
{
    struct message *m = message_new(AF_INET);
    struct sockaddr_in6 any = {.sin6_family = AF_INET6}, mapped = {.sin6_family = AF_INET6};
    struct out out;

    closesocket(m->a);
    m->a = socket(AF_INET6, SOCK_DGRAM, 0);
    enable(m->a, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    ok_success(bind(m->a, (struct sockaddr *)&any, sizeof(any)));
    mapped.sin6_port = ((struct sockaddr_in *)&m->address[1])->sin_port;
    mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
    mapped.sin6_addr.s6_addr[12] = 127;
    mapped.sin6_addr.s6_addr[15] = 1;
    if (!on_builtin()) {
        enable(m->b, IPPROTO_IP, RECVTOS, 1);
        out_init(&out, m);
        out.msg.name = (struct sockaddr *)&mapped;
        out.msg.namelen = sizeof(mapped);
        out_source(&out, INADDR_LOOPBACK + 8, 0);
        out_int(&out, TYPE_ECN, 1);
        out_send(&out);
        ok(source_of(m) == INADDR_LOOPBACK + 8, "%lx\n", source_of(m));
        check_int(m, IP_TOS, got == 1);
    }
    message_free(m);
}

/* IP_UNICAST_IF: set "in network byte order"; "the optval returns the current default interface
 * index ... in host byte order".  IPV6_UNICAST_IF: both "in host byte order". */
static void test_unicast_interface(int family)
{
    struct message *m = message_new(family);
    DWORD index = 0, value, got = 77;
    int length = sizeof(got);

    enable(m->b, m->level, IP_PKTINFO, 1);
    message_pass(m);
    if (family == AF_INET) {
        IN_PKTINFO *info = message_find(m, IPPROTO_IP, IP_PKTINFO, sizeof(*info));
        index = info ? info->ipi_ifindex : 0;
    } else {
        IN6_PKTINFO *info = message_find(m, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(*info));
        index = info ? info->ipi6_ifindex : 0;
    }
    ok(index, "no interface\n");
    value = family == AF_INET ? htonl(index) : index;
    ok_success(getsockopt(m->a, m->level, TYPE_UNICAST_IF, (char *)&got, &length));
    ok(!got, "got %lx\n", got);
    if (!on_builtin()) {
        ok_success(setsockopt(m->a, m->level, TYPE_UNICAST_IF, (char *)&value, sizeof(value)));
        ok_success(getsockopt(m->a, m->level, TYPE_UNICAST_IF, (char *)&got, &length));
        ok(got == index, "got %lx\n", got);
        message_pass(m);
        value = 0;
        ok_success(setsockopt(m->a, m->level, TYPE_UNICAST_IF, (char *)&value, sizeof(value)));
        message_pass(m);
    }
    message_free(m);
}

START_TEST(control_send)
{
    net_start();
    find_functions();
    RUN(test_source);
    RUN(test_source6);
    RUN(test_foreign_source);
    for (int family = AF_INET;; family = AF_INET6) {
        RUN(test_answer, family);
        RUN(test_ttl, family);
        RUN(test_tos, family);
        RUN(test_ecn_beside_option, family);
        RUN(test_bad_data, family);
        RUN(test_connected, family);
        RUN(test_unicast_interface, family);
        if (family == AF_INET6)
            break;
    }
    RUN(test_bad_lengths);
    RUN(test_bad_pointer);
    RUN(test_overlapped);
    RUN(test_routine_and_port);
    RUN(test_many);
    RUN(test_dual_stack);
    WSACleanup();
}
