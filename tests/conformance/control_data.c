/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Control data that WSARecvMsg returns.
 * Sources: the pages of WSARecvMsg (LPFN_WSARECVMSG), WSAMSG, IP_PKTINFO, IPV6_PKTINFO, "IPPROTO_IP
 * socket options", "IPPROTO_IPV6 socket options", "Winsock explicit congestion notification", which
 * are quoted; Wine's test_ip_pktinfo, test_ipv4_cmsg and test_ipv6_cmsg, run on Windows.
 */
#include "control.h"

#define TTL_TYPE(m) ((m)->family == AF_INET ? IP_TTL : IPV6_HOPLIMIT)
#define TOS_TYPE(m) ((m)->family == AF_INET ? IP_TOS : TYPE_TCLASS)
#define INFO_SIZE(m) ((m)->family == AF_INET ? sizeof(IN_PKTINFO) : sizeof(IN6_PKTINFO))
enum { RECVTTL = 21, RECVIF = 24, RECVTOS = 40 }; /* the same numbers at both levels */

/* "If optval is set to 1 ..., the option is enabled. If set to 0, the option is disabled."; "is
 * disabled (set to FALSE) by default" */
static void test_options(int family)
{
    static const int names[] = {IP_PKTINFO, RECVTTL,  RECVTOS, RECVIF, TYPE_RECVDSTADDR,
                                TYPE_ORIGINAL_ARRIVAL_IF, TYPE_ECN};
    struct message *m = message_new(family);

    for (unsigned int i = 0; i < ARRAYSIZE(names); i++) {
        for (DWORD step = 0; step < 3; step++) {
            DWORD on = step == 1, got = 77;
            int length = sizeof(got);

            if (step)
                todo_wine_if(i > 2)
                    ok_success(setsockopt(m->b, m->level, names[i], (char *)&on, sizeof(on)));
            todo_wine_if(i > 2)
                ok_success(getsockopt(m->b, m->level, names[i], (char *)&got, &length));
            todo_wine_if(i > 2)
                ok(got == on, "option %d, step %lu: got %lu\n", names[i], step, got);
        }
    }
    message_free(m);
}

static void check_pktinfo(struct message *m, const struct sockaddr_storage *address)
{
    void *data = message_find(m, m->level, IP_PKTINFO, INFO_SIZE(m));

    ok(data != NULL, "no packet information\n");
    if (!data)
        return;
    if (m->family == AF_INET) {
        IN_PKTINFO *info = data;

        ok(!memcmp(&info->ipi_addr, &((struct sockaddr_in *)address)->sin_addr, 4), "address %s\n",
           inet_ntoa(info->ipi_addr));
        ok(info->ipi_ifindex, "no interface\n");
    } else {
        IN6_PKTINFO *info = data;

        ok(!memcmp(&info->ipi6_addr, &((struct sockaddr_in6 *)address)->sin6_addr, 16),
           "wrong address\n");
        ok(info->ipi6_ifindex, "no interface\n");
    }
}

/* "One of the control data objects in the returned WSAMSG structure will contain an in_pktinfo
 * structure used to store received packet address information." */
static void test_pktinfo(int family)
{
    struct message *m = message_new(family);

    message_pass(m);
    ok(!m->msg.Control.len && !m->msg.dwFlags, "without an option: %lu bytes, flags %lx\n",
       m->msg.Control.len, m->msg.dwFlags);
    enable(m->b, m->level, IP_PKTINFO, 1);
    message_pass(m);
    check_pktinfo(m, &m->address[1]);
    ok(m->msg.Control.len == WSA_CMSG_SPACE(INFO_SIZE(m)), "got %lu bytes\n", m->msg.Control.len);
    ok(!m->msg.dwFlags, "got flags %lx\n", m->msg.dwFlags);
    ok(m->msg.namelen == m->length && !memcmp(&m->name, &m->address[0], m->length), "sender\n");
    enable(m->b, m->level, IP_PKTINFO, 0);
    message_pass(m);
    ok(!m->msg.Control.len, "turned off: %lu bytes\n", m->msg.Control.len);
    message_free(m);
}

/* It tells where each datagram went, which only a socket that is bound to any address needs. */
static void test_bound_to_any(void)
{
    struct message *m = message_new(AF_INET);
    struct sockaddr_in *to = (struct sockaddr_in *)&m->address[1];
    struct sockaddr_in any = {.sin_family = AF_INET};
    int length = sizeof(any);

    closesocket(m->b);
    m->b = socket(AF_INET, SOCK_DGRAM, 0);
    ok_success(bind(m->b, (struct sockaddr *)&any, sizeof(any)));
    ok_success(getsockname(m->b, (struct sockaddr *)&any, &length));
    to->sin_port = any.sin_port;
    enable(m->b, IPPROTO_IP, IP_PKTINFO, 1);
    for (int i = 1; i < 5; i++) {
        to->sin_addr.s_addr = htonl(INADDR_LOOPBACK + i);
        message_pass(m);
        check_pktinfo(m, &m->address[1]);
    }
    message_free(m);
}

/* "Indicates that hop (TTL) information should be returned in the WSARecvMsg function." */
static void test_ttl(int family)
{
    struct message *m = message_new(family);
    DWORD hops = 77;

    enable(m->b, m->level, RECVTTL, 1);
    message_pass(m);
    check_int(m, TTL_TYPE(m), got >= 32);
    ok_success(setsockopt(m->a, m->level, m->family == AF_INET ? IP_TTL : IPV6_UNICAST_HOPS,
                          (char *)&hops, sizeof(hops)));
    message_pass(m);
    check_int(m, TTL_TYPE(m), got == 77);
    message_free(m);
}

/* "The returned message type will be IP_TOS. All DSCP and ECN bits of the TOS field will be
 * returned." */
static void test_tos(int family)
{
    struct message *m = message_new(family);

    enable(m->b, m->level, RECVTOS, 1);
    message_pass(m);
    check_int(m, TOS_TYPE(m), got == 0);
    message_free(m);
}

/* "The returned message type will be IP_ECN. All 2 ECN bits of the TOS field will be returned." */
static void test_ecn(int family)
{
    struct message *m = message_new(family);

    if (!on_builtin()) {
        enable(m->b, m->level, TYPE_ECN, 1);
        message_pass(m);
        check_int(m, TYPE_ECN, got == 0);
        check_int(m, TOS_TYPE(m), got == -1);
    }
    message_free(m);
}

/* IP_RECVIF: "control data containing the interface where the packet was received";
 * IP_ORIGINAL_ARRIVAL_IF: "a ULONG that contains the IF_INDEX"; IP_RECVDSTADDR is not documented. */
static void test_interface(int family)
{
    struct message *m = message_new(family);
    int index;

    if (on_builtin()) {
        message_free(m);
        return;
    }
    enable(m->b, m->level, RECVIF, 1);
    enable(m->b, m->level, TYPE_ORIGINAL_ARRIVAL_IF, 1);
    enable(m->b, m->level, TYPE_RECVDSTADDR, 1);
    enable(m->b, m->level, IP_PKTINFO, 1);
    message_pass(m);
    index = message_int(m, RECVIF);
    ok(index > 0, "got %d\n", index);
    check_int(m, TYPE_ORIGINAL_ARRIVAL_IF, got == index);
    ok(message_find(m, m->level, TYPE_RECVDSTADDR, family == AF_INET ? 4 : 16) != NULL, "none\n");
    check_pktinfo(m, &m->address[1]);
    message_free(m);
}

/* "Control data is made up of one or more control data objects, each beginning with a WSACMSGHDR" */
static void test_several(int family)
{
    struct message *m = message_new(family);
    ULONG all = WSA_CMSG_SPACE(INFO_SIZE(m)) + 2 * WSA_CMSG_SPACE(sizeof(INT));

    enable(m->b, m->level, IP_PKTINFO, 1);
    enable(m->b, m->level, RECVTTL, 1);
    enable(m->b, m->level, RECVTOS, 1);
    message_pass(m);
    check_pktinfo(m, &m->address[1]);
    check_int(m, TTL_TYPE(m), got >= 32);
    check_int(m, TOS_TYPE(m), got == 0);
    ok(m->msg.Control.len == all, "got %lu bytes\n", m->msg.Control.len);
    message_free(m);
}

/* "If the datagram or control data is truncated ..., the function ... returns SOCKET_ERROR and ...
 * WSAEMSGSIZE.  It is up to the application to determine what was truncated by checking for
 * MSG_TRUNC and/or MSG_CTRUNC flags." */
static void test_cut(int family, ULONG room, ULONG data, DWORD error, DWORD flags)
{
    struct message *m = message_new(family);
    DWORD bytes = 77;

    winetest_push_context("%lu bytes, %lu of control", data, room);
    enable(m->b, m->level, IP_PKTINFO, 1);
    message_send(m, "hello");
    ok(net_readable(m->b, NET_PATIENCE), "nothing has arrived\n");
    m->msg.Control.len = room;
    if (!room)
        m->msg.Control.buf = NULL;
    m->buffer.len = data;
    if (error)
        ok_error(receive_message(m->b, &m->msg, &bytes, NULL, NULL), error);
    else
        ok_success(receive_message(m->b, &m->msg, &bytes, NULL, NULL));
    todo_wine_if(error) ok(bytes == (data < 5 ? data : 5), "got %lu bytes\n", bytes);
    todo_wine_if(flags & MSG_TRUNC) ok(m->msg.dwFlags == flags, "got flags %lx\n", m->msg.dwFlags);
    ok(!memcmp(m->data, "hello", data < 5 ? data : 5), "got %s\n", m->data);
    ok(m->msg.Control.len <= room, "%lu bytes of control\n", m->msg.Control.len);
    ok(((char *)m->control)[room] == (char)0xcc, "written behind its end\n");
    net_nonblocking(m->b, 1);
    ok_error(recv(m->b, m->data, sizeof(m->data), 0), WSAEWOULDBLOCK); /* it is gone */
    winetest_pop_context();
    message_free(m);
}

static void test_truncation(int family)
{
    ULONG size = family == AF_INET ? sizeof(IN_PKTINFO) : sizeof(IN6_PKTINFO);

    test_cut(family, 0, 16, WSAEMSGSIZE, MSG_CTRUNC);
    test_cut(family, 1, 16, WSAEMSGSIZE, MSG_CTRUNC);
    test_cut(family, WSA_CMSG_LEN(size) - 1, 16, WSAEMSGSIZE, MSG_CTRUNC);
    test_cut(family, WSA_CMSG_SPACE(size), 16, 0, 0);
    test_cut(family, WSA_CMSG_SPACE(size), 3, WSAEMSGSIZE, MSG_TRUNC);
    test_cut(family, 1, 3, WSAEMSGSIZE, MSG_TRUNC | MSG_CTRUNC);
}

/* Room for one of two: the other is cut off. */
static void test_second_cut(int family)
{
    struct message *m = message_new(family);
    DWORD bytes = 0;

    enable(m->b, m->level, IP_PKTINFO, 1);
    enable(m->b, m->level, RECVTTL, 1);
    message_send(m, "hello");
    ok(net_readable(m->b, NET_PATIENCE), "nothing has arrived\n");
    m->msg.Control.len = WSA_CMSG_SPACE(INFO_SIZE(m));
    ok_error(receive_message(m->b, &m->msg, &bytes, NULL, NULL), WSAEMSGSIZE);
    ok(m->msg.dwFlags == MSG_CTRUNC, "got flags %lx\n", m->msg.dwFlags);
    ok(m->msg.Control.len <= WSA_CMSG_SPACE(INFO_SIZE(m)), "%lu bytes\n", m->msg.Control.len);
    message_free(m);
}

/* Only WSARecvMsg returns control data; for the others nothing is too long. */
static void test_plain_receive(void)
{
    struct message *m = message_new(AF_INET);
    DWORD bytes = 0, flags = 0;

    enable(m->b, m->level, IP_PKTINFO, 1);
    message_send(m, "one");
    ok(recv(m->b, m->data, sizeof(m->data), 0) == 3, "error %d\n", WSAGetLastError());
    message_send(m, "two!");
    ok_success(WSARecv(m->b, &m->buffer, 1, &bytes, &flags, NULL, NULL));
    ok(bytes == 4 && !flags, "%lu bytes, flags %lx\n", bytes, flags);
    message_free(m);
}

/* "MSG_PEEK: ... The data is copied into the buffer, but is not removed from the input queue." */
static void test_peek(int family)
{
    struct message *m = message_new(family);
    DWORD bytes = 0;

    enable(m->b, m->level, IP_PKTINFO, 1);
    message_send(m, "hello");
    ok(net_readable(m->b, NET_PATIENCE), "nothing has arrived\n");
    m->msg.dwFlags = MSG_PEEK;
    ok_success(receive_message(m->b, &m->msg, &bytes, NULL, NULL));
    check_pktinfo(m, &m->address[1]);
    message_receive(m);
    check_pktinfo(m, &m->address[1]);
    message_free(m);
}

/* "from connected and unconnected sockets" */
static void test_connected(int family)
{
    struct message *m = message_new(family);

    enable(m->b, m->level, IP_PKTINFO, 1);
    ok_success(connect(m->b, (struct sockaddr *)&m->address[0], m->length));
    message_pass(m);
    check_pktinfo(m, &m->address[1]);
    message_free(m);
}

static DWORD WINAPI send_later(void *parameter)
{
    Sleep(50);
    message_send(parameter, "later");
    return 0;
}

/* "In the case of a blocking socket with no data currently having been received ..., the call will
 * block until data is received." */
static void test_blocking(int family)
{
    struct message *m = message_new(family);
    DWORD bytes = 0;
    HANDLE thread;

    enable(m->b, m->level, IP_PKTINFO, 1);
    thread = CreateThread(NULL, 0, send_later, m, 0, NULL);
    ok_success(receive_message(m->b, &m->msg, &bytes, NULL, NULL));
    ok(bytes == 5 && !memcmp(m->data, "later", 5), "got %lu bytes\n", bytes);
    check_pktinfo(m, &m->address[1]);
    net_finish(thread);
    message_free(m);
}

/* "WSAEWOULDBLOCK: ... The socket is marked as nonblocking" */
static void test_nonblocking(void)
{
    struct message *m = message_new(AF_INET);
    DWORD bytes = 0;

    enable(m->b, m->level, IP_PKTINFO, 1);
    net_nonblocking(m->b, 1);
    ok_error(receive_message(m->b, &m->msg, &bytes, NULL, NULL), WSAEWOULDBLOCK);
    ok(m->msg.Control.len == sizeof(m->control), "got %lu bytes\n", m->msg.Control.len);
    message_pass(m);
    check_pktinfo(m, &m->address[1]);
    message_free(m);
}

/* "WSARecvMsg is used to post one or more buffers into which incoming data will be placed as it
 * becomes available": the length of the control data is told with the completion. */
static void test_overlapped(int family)
{
    struct message *m = message_new(family);
    WSAOVERLAPPED ov = {.hEvent = WSACreateEvent()};
    DWORD bytes = 0, flags = 0;

    enable(m->b, m->level, IP_PKTINFO, 1);
    ok_error(receive_message(m->b, &m->msg, NULL, &ov, NULL), WSA_IO_PENDING);
    ok(m->msg.Control.len == sizeof(m->control), "got %lu bytes\n", m->msg.Control.len);
    message_send(m, "hello");
    ok(WSAWaitForMultipleEvents(1, &ov.hEvent, TRUE, NET_PATIENCE, FALSE) == WSA_WAIT_EVENT_0,
       "no completion\n");
    ok(WSAGetOverlappedResult(m->b, &ov, &bytes, FALSE, &flags), "error %d\n", WSAGetLastError());
    ok(bytes == 5 && !flags, "got %lu bytes, flags %lx\n", bytes, flags);
    ok(m->msg.Control.len == WSA_CMSG_SPACE(INFO_SIZE(m)), "got %lu bytes\n", m->msg.Control.len);
    check_pktinfo(m, &m->address[1]);
    message_free(m);
    WSACloseEvent(ov.hEvent);
}

/* The same with too little room (test_ip_pktinfo). */
static void test_overlapped_cut(void)
{
    struct message *m = message_new(AF_INET);
    WSAOVERLAPPED ov = {.hEvent = WSACreateEvent()};
    DWORD bytes = 0, flags = 0xdeadbeef;

    enable(m->b, m->level, IP_PKTINFO, 1);
    m->msg.Control.len = 1;
    ok_error(receive_message(m->b, &m->msg, NULL, &ov, NULL), WSA_IO_PENDING);
    message_send(m, "hello");
    ok(WSAWaitForMultipleEvents(1, &ov.hEvent, TRUE, NET_PATIENCE, FALSE) == WSA_WAIT_EVENT_0,
       "no completion\n");
    ok(!WSAGetOverlappedResult(m->b, &ov, &bytes, FALSE, &flags) &&
           WSAGetLastError() == WSAEMSGSIZE,
       "error %d\n", WSAGetLastError());
    ok(bytes == 5, "got %lu bytes\n", bytes);
    todo_wine ok(flags == 0xdeadbeef, "got flags %lx\n", flags);
    ok(m->msg.dwFlags == MSG_CTRUNC, "got flags %lx\n", m->msg.dwFlags);
    message_free(m);
    WSACloseEvent(ov.hEvent);
}

static DWORD routine_calls, routine_error, routine_bytes, routine_flags;

static void CALLBACK routine(DWORD error, DWORD bytes, WSAOVERLAPPED *ov, DWORD flags)
{
    (void)ov;
    routine_calls++;
    routine_error = error;
    routine_bytes = bytes;
    routine_flags = flags;
}

/* What is there already and does not fit: WSA_IO_PENDING, and the routine is told
 * (test_ip_pktinfo). */
static void test_routine(ULONG room, DWORD error, DWORD flags)
{
    struct message *m = message_new(AF_INET);
    WSAOVERLAPPED ov = {0};
    int result;

    routine_calls = 0;
    enable(m->b, m->level, IP_PKTINFO, 1);
    message_send(m, "hello");
    ok(net_readable(m->b, NET_PATIENCE), "nothing has arrived\n");
    m->msg.Control.len = room;
    result = receive_message(m->b, &m->msg, NULL, &ov, routine) ? WSAGetLastError() : 0;
    todo_wine_if(error) ok(result == (error ? WSA_IO_PENDING : 0), "got %d\n", result);
    ok(SleepEx(NET_PATIENCE, TRUE) == WAIT_IO_COMPLETION, "no routine ran\n");
    ok(routine_calls == 1 && routine_error == error && routine_bytes == 5 && !routine_flags,
       "%lu calls, error %lu, %lu bytes, flags %lx\n", routine_calls, routine_error, routine_bytes,
       routine_flags);
    ok(m->msg.dwFlags == flags, "got flags %lx\n", m->msg.dwFlags);
    message_free(m);
}

/* Several receives on a port: each gets the control data of its own datagram. */
static void test_port(void)
{
    struct message *m = message_new(AF_INET), *each[4];
    HANDLE port;
    WSAOVERLAPPED ov[ARRAYSIZE(each)] = {{0}};
    unsigned int i;

    enable(m->b, m->level, IP_PKTINFO, 1);
    enable(m->b, m->level, RECVTTL, 1);
    port = CreateIoCompletionPort((HANDLE)m->b, NULL, 1, 0);
    for (i = 0; i < ARRAYSIZE(each); i++) {
        each[i] = message_new(AF_INET);
        ok_error(receive_message(m->b, &each[i]->msg, NULL, &ov[i], NULL), WSA_IO_PENDING);
    }
    for (i = 0; i < ARRAYSIZE(each); i++) {
        DWORD hops = 50 + i, bytes = 0;
        OVERLAPPED *packet = NULL;
        ULONG_PTR key;

        ok_success(setsockopt(m->a, IPPROTO_IP, IP_TTL, (char *)&hops, sizeof(hops)));
        message_send(m, "hello");
        ok(GetQueuedCompletionStatus(port, &bytes, &key, &packet, NET_PATIENCE), "error %lu\n",
           GetLastError());
        ok(packet == (OVERLAPPED *)&ov[i] && bytes == 5, "got %p, %lu bytes\n", packet, bytes);
        check_int(each[i], IP_TTL, got == (int)hops);
        check_pktinfo(each[i], &m->address[1]);
    }
    for (i = ARRAYSIZE(each); i--;)
        message_free(each[i]);
    message_free(m);
    CloseHandle(port);
}

/* What waits in the queue keeps its own. */
static void test_queue(int family)
{
    struct message *m = message_new(family);
    DWORD hops;

    enable(m->b, m->level, RECVTTL, 1);
    for (hops = 60; hops < 70; hops++) {
        ok_success(setsockopt(m->a, m->level, m->family == AF_INET ? IP_TTL : IPV6_UNICAST_HOPS,
                              (char *)&hops, sizeof(hops)));
        message_send(m, "hello");
    }
    for (hops = 60; hops < 70; hops++) {
        message_receive(m);
        check_int(m, TTL_TYPE(m), got == (int)hops);
    }
    message_free(m);
}

/* WSAEFAULT: a control buffer that is not there. */
static void test_bad_pointer(void)
{
    struct message *m = message_new(AF_INET);
    WSAOVERLAPPED ov = {0};
    DWORD bytes = 0;

    if (!on_builtin()) {
        enable(m->b, m->level, IP_PKTINFO, 1);
        m->msg.Control.buf = (char *)16;
        ok_error(receive_message(m->b, &m->msg, NULL, &ov, NULL), WSAEFAULT);
        message_send(m, "hello");
        ok(net_readable(m->b, NET_PATIENCE), "nothing has arrived\n");
        ok_error(receive_message(m->b, &m->msg, &bytes, NULL, NULL), WSAEFAULT);
        message_receive(m); /* it is still there */
        ok(!memcmp(m->data, "hello", 5), "got %s\n", m->data);
    }
    message_free(m);
}

/* "MSG_BCAST: The datagram was received ... with a destination IP address that is a broadcast
 * address."; it needs no option. */
static void test_broadcast(void)
{
    struct message *m = message_new(AF_INET);
    struct sockaddr_in *to = (struct sockaddr_in *)&m->address[1];
    struct sockaddr_in any = {.sin_family = AF_INET};
    int length = sizeof(any);

    closesocket(m->b);
    m->b = socket(AF_INET, SOCK_DGRAM, 0);
    ok_success(bind(m->b, (struct sockaddr *)&any, sizeof(any)));
    ok_success(getsockname(m->b, (struct sockaddr *)&any, &length));
    to->sin_port = any.sin_port;
    to->sin_addr.s_addr = htonl(0x7fffffff); /* 127.255.255.255 */
    enable(m->a, SOL_SOCKET, SO_BROADCAST, 1);
    message_pass(m);
    todo_wine ok(m->msg.dwFlags == MSG_BCAST, "got flags %lx\n", m->msg.dwFlags);
    ok(!m->msg.Control.len, "%lu bytes of control\n", m->msg.Control.len);
    to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    message_pass(m);
    ok(!m->msg.dwFlags, "got flags %lx\n", m->msg.dwFlags);
    message_free(m);
}

/* "MSG_MCAST: The datagram was received with a destination IP address that is a multicast address." */
static void test_multicast(void)
{
    struct message *m = message_new(AF_INET);
    struct sockaddr_in *to = (struct sockaddr_in *)&m->address[1];
    struct sockaddr_in any = {.sin_family = AF_INET};
    struct ip_mreq join = {{{{239, 192, 10, 12}}}, {{{127, 0, 0, 1}}}};
    int length = sizeof(any);

    closesocket(m->b);
    m->b = socket(AF_INET, SOCK_DGRAM, 0);
    ok_success(bind(m->b, (struct sockaddr *)&any, sizeof(any)));
    ok_success(getsockname(m->b, (struct sockaddr *)&any, &length));
    ok_success(setsockopt(m->b, IPPROTO_IP, IP_ADD_MEMBERSHIP, (char *)&join, sizeof(join)));
    ok_success(setsockopt(m->a, IPPROTO_IP, IP_MULTICAST_IF, (char *)&join.imr_interface,
                          sizeof(join.imr_interface)));
    enable(m->b, IPPROTO_IP, IP_PKTINFO, 1);
    to->sin_port = any.sin_port;
    to->sin_addr = join.imr_multiaddr;
    message_pass(m);
    todo_wine ok(m->msg.dwFlags == MSG_MCAST, "got flags %lx\n", m->msg.dwFlags);
    check_pktinfo(m, &m->address[1]);
    message_free(m);
}

/* "For a dual-stack datagram socket, if an application requires the WSARecvMsg function to return
 * packet information ... for datagrams received over IPv4, then IP_PKTINFO socket option must be
 * set to true on the socket." */
static void test_dual_stack(void)
{
    struct message *m = message_new(AF_INET);
    struct sockaddr_in6 any = {.sin6_family = AF_INET6}, *from = (struct sockaddr_in6 *)&m->name;
    int length = sizeof(any);

    closesocket(m->b);
    m->b = socket(AF_INET6, SOCK_DGRAM, 0);
    enable(m->b, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    ok_success(bind(m->b, (struct sockaddr *)&any, sizeof(any)));
    ok_success(getsockname(m->b, (struct sockaddr *)&any, &length));
    ((struct sockaddr_in *)&m->address[1])->sin_port = any.sin6_port;
    if (!on_builtin()) {
        enable(m->b, IPPROTO_IP, IP_PKTINFO, 1);
        enable(m->b, IPPROTO_IP, RECVTTL, 1);
        enable(m->b, IPPROTO_IPV6, RECVTOS, 1);
        message_pass(m);
        check_pktinfo(m, &m->address[1]);
        check_int(m, IP_TTL, got >= 32);
        ok(m->msg.Control.len == WSA_CMSG_SPACE(sizeof(IN_PKTINFO)) + WSA_CMSG_SPACE(sizeof(INT)),
           "got %lu bytes\n", m->msg.Control.len);
        ok(from->sin6_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&from->sin6_addr), "sender\n");
    }
    message_free(m);
}

START_TEST(control_data)
{
    net_start();
    find_functions();
    for (int family = AF_INET;; family = AF_INET6) {
        RUN(test_options, family);
        RUN(test_pktinfo, family);
        RUN(test_ttl, family);
        RUN(test_tos, family);
        RUN(test_ecn, family);
        RUN(test_interface, family);
        RUN(test_several, family);
        RUN(test_truncation, family);
        RUN(test_second_cut, family);
        RUN(test_peek, family);
        RUN(test_connected, family);
        RUN(test_blocking, family);
        RUN(test_overlapped, family);
        RUN(test_queue, family);
        if (family == AF_INET6)
            break;
    }
    RUN(test_bound_to_any);
    RUN(test_plain_receive);
    RUN(test_nonblocking);
    RUN(test_overlapped_cut);
    RUN(test_routine, sizeof(((struct message *)0)->control), 0, 0);
    RUN(test_routine, 1, WSAEMSGSIZE, MSG_CTRUNC);
    RUN(test_port);
    RUN(test_bad_pointer);
    RUN(test_broadcast);
    RUN(test_multicast);
    RUN(test_dual_stack);
    WSACleanup();
}
