/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * getsockopt and setsockopt.
 * Sources: their pages and the lists "SOL_SOCKET", "IPPROTO_TCP", "IPPROTO_IP" and "IPPROTO_IPV6
 * Socket Options" (WinSock): name, type, default, which sockets.
 */
#include "net.h"

static const struct option {
    const char *label;
    int level, name, family, type;
    DWORD initial; /* ANY: not stated */
    DWORD set, reads;
    BOOL wine_lacks;
} options[] = {
#define ANY    0xffffffff
#define TCP4   AF_INET, SOCK_STREAM
#define UDP4   AF_INET, SOCK_DGRAM
#define TCP6   AF_INET6, SOCK_STREAM
#define UDP6   AF_INET6, SOCK_DGRAM
#define SOL(o) #o, SOL_SOCKET, o
#define TCP(o) #o, IPPROTO_TCP, o
#define IP(o)  #o, IPPROTO_IP, o
#define IP6(o) #o, IPPROTO_IPV6, o
    {SOL(SO_KEEPALIVE), TCP4, 0, 1, 1, FALSE},
    {SOL(SO_KEEPALIVE), TCP6, 0, 1, 1, FALSE},
    {SOL(SO_REUSEADDR), TCP4, 0, 1, 1, FALSE},
    {SOL(SO_REUSEADDR), UDP4, 0, 1, 1, FALSE},
    {SOL(SO_OOBINLINE), TCP4, 0, 1, 1, FALSE},
    {SOL(SO_BROADCAST), UDP4, 0, 1, 1, FALSE},
    {SOL(SO_RCVBUF), TCP4, ANY, 32768, 32768, FALSE},
    {SOL(SO_SNDBUF), TCP4, ANY, 32768, 32768, FALSE},
    {SOL(SO_RCVBUF), UDP4, ANY, 65536, 65536, FALSE},
    {SOL(SO_SNDBUF), UDP6, ANY, 65536, 65536, FALSE},
    {SOL(SO_RCVTIMEO), TCP4, 0, 1234, 1234, FALSE},
    {SOL(SO_SNDTIMEO), TCP4, 0, 1234, 1234, FALSE},
    {SOL(SO_RCVTIMEO), UDP4, 0, 1234, 1234, FALSE},
    {TCP(TCP_NODELAY), TCP4, 0, 1, 1, FALSE},
    {TCP(TCP_NODELAY), TCP6, 0, 1, 1, FALSE},
#ifndef TCP_KEEPALIVE
#define TCP_KEEPALIVE 3
#endif
#ifndef TCP_KEEPCNT
#define TCP_KEEPCNT 16
#endif
#ifndef TCP_KEEPINTVL
#define TCP_KEEPINTVL 17
#endif
    {TCP(TCP_KEEPALIVE), TCP4, 7200, 300, 300, TRUE},
    {TCP(TCP_KEEPCNT), TCP4, ANY, 5, 5, TRUE},
    {TCP(TCP_KEEPINTVL), TCP4, 1, 10, 10, TRUE},
    {IP(IP_TTL), TCP4, ANY, 33, 33, FALSE},
    {IP(IP_TTL), UDP4, ANY, 33, 33, FALSE},
    {IP(IP_DONTFRAGMENT), UDP4, 0, 1, 1, FALSE},
    {IP(IP_MULTICAST_TTL), UDP4, 1, 7, 7, FALSE},
    {IP(IP_MULTICAST_LOOP), UDP4, 1, 0, 0, FALSE},
    {IP6(IPV6_V6ONLY), TCP6, 1, 0, 0, FALSE},
    {IP6(IPV6_V6ONLY), UDP6, 1, 0, 0, FALSE},
    {IP6(IPV6_UNICAST_HOPS), UDP6, ANY, 33, 33, FALSE},
    {IP6(IPV6_MULTICAST_HOPS), UDP6, 1, 7, 7, FALSE},
    {IP6(IPV6_MULTICAST_LOOP), UDP6, 1, 0, 0, FALSE},
};

/* Options of type BOOL come back as one byte from some providers of Windows, as four from others.
 */
static DWORD get_value(SOCKET s, const struct option *o)
{
    DWORD value = 0xdead;
    int size = sizeof(value);

    if (getsockopt(s, o->level, o->name, (char *)&value, &size))
        return 0xbad00000 + WSAGetLastError();
    if (size != 1 && size != sizeof(value))
        return 0xbadbad00 + size;
    return size == 1 ? value & 0xff : value;
}

static void test_values(void)
{
    unsigned i;

    for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        const struct option *o = &options[i];
        SOCKET s = socket(o->family, o->type, 0);
        DWORD value, wanted = o->set;

        winetest_push_context("%s family %d type %d", o->label, o->family, o->type);
        todo_wine_if(o->wine_lacks)
        {
            value = get_value(s, o);
            if (o->initial != ANY)
                ok(value == o->initial, "got initial %lx\n", value);
            ok_success(setsockopt(s, o->level, o->name, (char *)&wanted, sizeof(wanted)));
            value = get_value(s, o);
            ok(value == o->reads, "got %lx\n", value);
        }
        closesocket(s);
        winetest_pop_context();
    }
}

/* Read-only answers: SO_TYPE, SO_ACCEPTCONN, SO_ERROR, SO_PROTOCOL_INFO, SO_CONNECT_TIME,
 * SO_MAX_MSG_SIZE ("has no meaning for stream oriented sockets"), SO_BSP_STATE */
static void test_read_only(void)
{
    struct sockaddr_storage address;
    DWORD value = 77;
    int size = sizeof(value), length;
    SOCKET l = net_bound(AF_INET, SOCK_STREAM, &address, &length), s, b;

    ok_success(getsockopt(l, SOL_SOCKET, SO_ACCEPTCONN, (char *)&value, &size));
    ok(value == 0, "got %lu\n", value);
    ok_success(listen(l, 5));
    size = sizeof(value);
    ok_success(getsockopt(l, SOL_SOCKET, SO_ACCEPTCONN, (char *)&value, &size));
    ok(value == 1, "got %lu\n", value);
    size = sizeof(value);
    ok_success(getsockopt(l, SOL_SOCKET, SO_TYPE, (char *)&value, &size));
    ok(value == SOCK_STREAM, "got %lu\n", value);
    size = sizeof(value);
    ok_success(getsockopt(l, SOL_SOCKET, SO_ERROR, (char *)&value, &size));
    ok(value == 0, "got %lu\n", value);

    s = socket(AF_INET, SOCK_STREAM, 0);
    size = sizeof(value);
    ok_success(getsockopt(s, SOL_SOCKET, SO_CONNECT_TIME, (char *)&value, &size));
    ok(value == 0xffffffff, "got %lu\n", value);
    ok_success(connect(s, (struct sockaddr *)&address, length));
    size = sizeof(value);
    ok_success(getsockopt(s, SOL_SOCKET, SO_CONNECT_TIME, (char *)&value, &size));
    ok(value < 60, "got %lu\n", value);
    b = accept(l, NULL, NULL);
    closesocket(s);
    closesocket(b);
    closesocket(l);
}

/* SO_PROTOCOL_INFO: what WSASocket used; XP1_ flags of a stream and of a datagram service */
static void test_protocol_info(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0), u = socket(AF_INET6, SOCK_DGRAM, 0);
    WSAPROTOCOL_INFOW info;
    int size = sizeof(info);

    memset(&info, 0, sizeof(info));
    ok_success(getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &size));
    ok(size == sizeof(info), "got size %d\n", size);
    ok(info.iAddressFamily == AF_INET && info.iSocketType == SOCK_STREAM &&
           info.iProtocol == IPPROTO_TCP,
       "got %d %d %d\n", info.iAddressFamily, info.iSocketType, info.iProtocol);
    ok(info.dwServiceFlags1 & XP1_GUARANTEED_DELIVERY &&
           info.dwServiceFlags1 & XP1_GUARANTEED_ORDER && info.dwServiceFlags1 & XP1_GRACEFUL_CLOSE,
       "got flags %lx\n", info.dwServiceFlags1);
    ok(!(info.dwServiceFlags1 & (XP1_MESSAGE_ORIENTED | XP1_CONNECTIONLESS)), "got flags %lx\n",
       info.dwServiceFlags1);
    size = sizeof(info);
    ok_success(getsockopt(u, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &size));
    ok(info.iAddressFamily == AF_INET6 && info.iSocketType == SOCK_DGRAM &&
           info.iProtocol == IPPROTO_UDP,
       "got %d %d %d\n", info.iAddressFamily, info.iSocketType, info.iProtocol);
    ok(info.dwServiceFlags1 & XP1_MESSAGE_ORIENTED && info.dwServiceFlags1 & XP1_CONNECTIONLESS,
       "got flags %lx\n", info.dwServiceFlags1);
    closesocket(s);
    closesocket(u);
}

/* Errors: WSAENOPROTOOPT "The option is unknown or unsupported"; WSAEFAULT "optval or optlen ... is
 * not a valid part of the user address space, or the optlen parameter is too small"; WSAENOTSOCK */
static void test_errors(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0), u;
    DWORD value = 1;
    int size = sizeof(value);

    ok_error(getsockopt(s, SOL_SOCKET, 0x7777, (char *)&value, &size), WSAENOPROTOOPT);
    ok_error(setsockopt(s, SOL_SOCKET, 0x7777, (char *)&value, size), WSAENOPROTOOPT);
    ok_error(setsockopt(s, IPPROTO_TCP, 0x7777, (char *)&value, size), WSAENOPROTOOPT);
    ok_error(getsockopt(s, SOL_SOCKET, SO_KEEPALIVE, NULL, &size), WSAEFAULT);
    ok_error(getsockopt(s, SOL_SOCKET, SO_RCVBUF, (char *)&value, NULL), WSAEFAULT);
    size = 1;
    ok_error(getsockopt(s, SOL_SOCKET, SO_RCVBUF, (char *)&value, &size), WSAEFAULT);
    ok_error(setsockopt(s, SOL_SOCKET, SO_RCVBUF, (char *)&value, 1), WSAEFAULT);
    ok_error(setsockopt(s, SOL_SOCKET, SO_RCVBUF, NULL, 4), WSAEFAULT);
    size = 3;
    ok_error(getsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&value, &size), WSAEFAULT);
    /* SO_TYPE can only be read; the providers of TCP and UDP refuse it with errors of their own
     * (Wine's test_WSASocket, run on Windows) */
    ok_error(setsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&value, sizeof(value)), WSAENOPROTOOPT);
    u = socket(AF_INET, SOCK_DGRAM, 0);
    todo_wine ok_error(setsockopt(u, SOL_SOCKET, SO_TYPE, (char *)&value, sizeof(value)),
                       WSAEINVAL);
    closesocket(u);
    closesocket(s);
    size = sizeof(value);
    ok_error(getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&value, &size), WSAENOTSOCK);
    ok_error(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, size), WSAENOTSOCK);
}

/* SO_RCVTIMEO: "The timeout, in milliseconds, for blocking receive calls ... fails with
 * WSAETIMEDOUT"; SO_SNDTIMEO likewise. */
static void test_timeouts(void)
{
    static char block[65536];
    DWORD milliseconds = 200, start, took;
    int got, i;
    SOCKET a, b;
    char byte;

    net_pair(&a, &b);
    ok_success(setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, (char *)&milliseconds, sizeof(milliseconds)));
    start = GetTickCount();
    ok_error(recv(b, &byte, 1, 0), WSAETIMEDOUT);
    took = GetTickCount() - start;
    /* Windows adds up to half a second */
    ok(took >= 180 && took < 3000, "took %lu ms\n", took);
    closesocket(a);
    closesocket(b);

    net_pair(&a, &b);
    ok_success(setsockopt(a, SOL_SOCKET, SO_SNDTIMEO, (char *)&milliseconds, sizeof(milliseconds)));
    start = GetTickCount();
    for (i = 0, got = 1; i < 4000 && got > 0; i++)
        got = send(a, block, sizeof(block), 0);
    ok(got == SOCKET_ERROR && WSAGetLastError() == WSAETIMEDOUT, "got %d, error %d\n", got,
       WSAGetLastError());
    took = GetTickCount() - start;
    ok(took >= 180 && took < 20000, "took %lu ms\n", took);
    closesocket(a);
    closesocket(b);
}

/* SO_REUSEADDR and SO_EXCLUSIVEADDRUSE: "allows ... a port that is in use"; without, WSAEADDRINUSE
 */
static void test_in_use(void)
{
    struct sockaddr_storage address;
    int length, on = 1;
    SOCKET a = net_bound(AF_INET, SOCK_STREAM, &address, &length), b;

    b = socket(AF_INET, SOCK_STREAM, 0);
    ok_error(bind(b, (struct sockaddr *)&address, length), WSAEADDRINUSE);
    closesocket(a);
    ok_success(setsockopt(b, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (char *)&on, sizeof(on)));
    on = 0;
    length = sizeof(on);
    ok_success(getsockopt(b, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (char *)&on, &length));
    ok(on == 1, "got %d\n", on);
    ok_success(bind(b, (struct sockaddr *)&address, sizeof(struct sockaddr_in)));
    closesocket(b);

    /* datagram sockets of the same port with SO_REUSEADDR */
    a = socket(AF_INET, SOCK_DGRAM, 0);
    b = socket(AF_INET, SOCK_DGRAM, 0);
    on = 1;
    ok_success(setsockopt(a, SOL_SOCKET, SO_REUSEADDR, (char *)&on, sizeof(on)));
    ok_success(setsockopt(b, SOL_SOCKET, SO_REUSEADDR, (char *)&on, sizeof(on)));
    length = net_loopback(AF_INET, &address);
    ok_success(bind(a, (struct sockaddr *)&address, length));
    ok_success(getsockname(a, (struct sockaddr *)&address, &length));
    ok_success(bind(b, (struct sockaddr *)&address, length));
    closesocket(a);
    closesocket(b);
}

/* IPV6_V6ONLY zero: "can be used to send and receive packets to and from an IPv6 address or an IPv4
 * address" (dual stack) */
static void test_dual_stack(void)
{
    SOCKET l = socket(AF_INET6, SOCK_STREAM, 0), a, b;
    struct sockaddr_in to = {AF_INET, 0, {{{127, 0, 0, 1}}}, {0}};
    struct sockaddr_in6 any = {0}, peer;
    int length = sizeof(any), off = 0;

    any.sin6_family = AF_INET6;
    ok_success(setsockopt(l, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&off, sizeof(off)));
    ok_success(bind(l, (struct sockaddr *)&any, sizeof(any)));
    ok_success(listen(l, 5));
    ok_success(getsockname(l, (struct sockaddr *)&any, &length));
    to.sin_port = any.sin6_port;
    a = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(connect(a, (struct sockaddr *)&to, sizeof(to)));
    length = sizeof(peer);
    b = accept(l, (struct sockaddr *)&peer, &length);
    ok(b != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    ok(peer.sin6_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr),
       "no mapped address\n");
    closesocket(a);
    closesocket(b);
    closesocket(l);
}

static DWORD WINAPI open_type_thread(void *value)
{
    int size = sizeof(int);

    return getsockopt(INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, value, &size);
}

/* SO_OPENTYPE is the thread's that sets it; another begins with 0 (Wine's sock tests look in each
 * of their server's threads, run on Windows). */
static void test_open_type(void)
{
    int value = SO_SYNCHRONOUS_NONALERT, other = 0xdead, size = sizeof(value);
    HANDLE thread;

    ok_success(setsockopt(INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, (char *)&value, size));
    thread = CreateThread(NULL, 0, open_type_thread, &other, 0, NULL);
    ok(!WaitForSingleObject(thread, NET_PATIENCE), "still running\n");
    CloseHandle(thread);
    todo_wine_if(other) ok(!other, "another thread has %d\n", other);
    value = 0;
    ok_success(getsockopt(INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, (char *)&value, &size));
    ok(value == SO_SYNCHRONOUS_NONALERT, "got %d\n", value);
    value = 0;
    ok_success(setsockopt(INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, (char *)&value, size));
}

START_TEST(sockopt)
{
    net_start();
    RUN(test_values);
    RUN(test_read_only);
    RUN(test_protocol_info);
    RUN(test_errors);
    RUN(test_timeouts);
    RUN(test_in_use);
    RUN(test_dual_stack);
    RUN(test_open_type);
    WSACleanup();
}
