/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The few socket calls that the benchmark programs share, spelled for Winsock and for POSIX. Every
 * failure ends the program with the call's name and the error. Loopback only; takes no locks.
 */
#ifndef BENCH_NET_H
#define BENCH_NET_H

#include "bench.h"

#ifdef _WIN32
typedef SOCKET net_socket;
typedef WSAPOLLFD net_pollfd;
#define NET_NONE        INVALID_SOCKET
#define NET_WOULD_BLOCK WSAEWOULDBLOCK
#else
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
typedef int net_socket;
typedef struct pollfd net_pollfd;
#define NET_NONE        (-1)
#define NET_WOULD_BLOCK EAGAIN
#endif

static inline int net_error(void)
{
#ifdef _WIN32
    return WSAGetLastError();
#else
    return errno;
#endif
}

__attribute__((noreturn)) static inline void net_die(const char *call)
{
    bench_die("%s failed, error %d", call, net_error());
}

static inline void net_start(void)
{
#ifdef _WIN32
    WSADATA data;
    int error = WSAStartup(MAKEWORD(2, 2), &data);

    if (error)
        bench_die("WSAStartup failed, error %d", error);
#else
    struct rlimit limit;

    if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
#endif
}

static inline void net_close(net_socket s)
{
#ifdef _WIN32
    if (closesocket(s))
        net_die("closesocket");
#else
    if (close(s))
        net_die("close");
#endif
}

static inline struct sockaddr_in net_loopback(uint16_t port)
{
    struct sockaddr_in addr;

    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    addr.sin_port = port;
    return addr;
}

static inline net_socket net_open(int type)
{
    net_socket s = socket(AF_INET, type, 0);

    if (s == NET_NONE)
        net_die("socket");
    return s;
}

static inline struct sockaddr_in net_bind(net_socket s, uint32_t host)
{
    struct sockaddr_in addr = net_loopback(0);
    socklen_t len = sizeof(addr);

    addr.sin_addr.s_addr = htonl(host);
    if (bind(s, (struct sockaddr *)&addr, sizeof(addr)))
        net_die("bind");
    if (getsockname(s, (struct sockaddr *)&addr, &len))
        net_die("getsockname");
    return addr;
}

static inline net_socket net_listen(struct sockaddr_in *addr)
{
    net_socket s = net_open(SOCK_STREAM);

    *addr = net_bind(s, INADDR_LOOPBACK);
    if (listen(s, 128))
        net_die("listen");
    return s;
}

static inline void net_nonblocking(net_socket s)
{
#ifdef _WIN32
    u_long on = 1;

    if (ioctlsocket(s, (long)FIONBIO, &on))
        net_die("ioctlsocket(FIONBIO)");
#else
    int on = 1;

    if (ioctl(s, FIONBIO, &on))
        net_die("ioctl(FIONBIO)");
#endif
}

static inline int net_poll(net_pollfd *polls, unsigned count, int timeout_ms)
{
#ifdef _WIN32
    return WSAPoll(polls, count, timeout_ms);
#else
    return poll(polls, count, timeout_ms);
#endif
}

static inline unsigned net_arrived(net_socket s)
{
#ifdef _WIN32
    u_long count;

    if (ioctlsocket(s, (long)FIONREAD, &count))
        net_die("ioctlsocket(FIONREAD)");
#else
    int count;

    if (ioctl(s, FIONREAD, &count))
        net_die("ioctl(FIONREAD)");
#endif
    return (unsigned)count;
}

static inline void net_nodelay(net_socket s)
{
    int on = 1;

    if (setsockopt(s, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof(on)))
        net_die("setsockopt(TCP_NODELAY)");
}

/* A connected pair without Nagle's delay: `far` called connect, `near` came out of accept. */
static inline void net_pair(net_socket listener, const struct sockaddr_in *addr,
                            net_socket *far_end, net_socket *near_end)
{
    *far_end = net_open(SOCK_STREAM);
    if (connect(*far_end, (const struct sockaddr *)addr, sizeof(*addr)))
        net_die("connect");
    *near_end = accept(listener, NULL, NULL);
    if (*near_end == NET_NONE)
        net_die("accept");
    net_nodelay(*far_end);
    net_nodelay(*near_end);
}

static inline void net_one_pair(net_socket *far_end, net_socket *near_end)
{
    struct sockaddr_in addr;
    net_socket listener = net_listen(&addr);

    net_pair(listener, &addr, far_end, near_end);
    net_close(listener);
}

static inline void net_send_all(net_socket s, const char *data, size_t len)
{
    while (len) {
        int sent = (int)send(s, data, len > 1u << 20 ? 1 << 20 : (int)len, 0);

        if (sent <= 0)
            net_die("send");
        data += sent;
        len -= (size_t)sent;
    }
}

/* False at a clean end of the stream before the first byte. */
static inline bool net_recv_all(net_socket s, char *data, size_t len)
{
    for (size_t got = 0; got < len;) {
        int n = (int)recv(s, data + got, (int)(len - got), 0);

        if (n < 0)
            net_die("recv");
        if (!n && !got)
            return false;
        if (!n)
            bench_die("the stream ended after %zu of %zu bytes", got, len);
        got += (size_t)n;
    }
    return true;
}

static inline void net_finish_sending(net_socket s)
{
    if (shutdown(s, 1))
        net_die("shutdown");
}

#endif
