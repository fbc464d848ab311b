/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Raw sockets: making one that does what Windows' do.
 *
 * Owns nothing.  Loop thread only, no locks.  Everything else about them is a datagram socket's
 * (datagram.c, send.c): one that gets IPv4's header in front of what it receives on both systems,
 * and IPv6's on neither.
 *
 * Windows' page "TCP/IP Raw Sockets": "Only members of the Administrators group can create sockets
 * of type SOCK_RAW"; here it is CAP_NET_RAW that decides, and EPERM becomes WSAEACCES.  Without it
 * there may be a lesser one for ICMP (ping.c).
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/icmp.h>

#include "socket.h"

/* Windows answers a request itself and shows a raw socket the reply alone, also where both are sent
 * by this host (Wine's test_icmp, run on Windows). */
static void filter_requests(int fd)
{
    struct icmp_filter filter = {.data = 1u << ICMP_ECHO};

    setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter));
}

int raw_open(int family, int protocol)
{
    /* Protocol 0 is every protocol's socket on Windows and no protocol's on Linux: it can send. */
    int fd =
        socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol ? protocol : IPPROTO_RAW);
    int off = 0;

    if (fd < 0 && errno == EPERM && ping_can_do(family, protocol))
        return ping_open(family);
    if (fd < 0)
        return fd;
    /* Linux' IPPROTO_RAW begins with the option set, Windows' does not. */
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &off, sizeof(off));
    else
        setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &off, sizeof(off));
    if (family == AF_INET && protocol == IPPROTO_ICMP)
        filter_requests(fd);
    return fd;
}
