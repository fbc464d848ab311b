/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RS_OPT_PRIORITY: how much a socket's traffic matters beside others'.
 *
 * Owns: socket.congestion.  Loop thread only, no locks.
 *
 * "TCP uses a modified version of the LEDBAT algorithm ... getting out of the way when
 * normal-priority traffic is present" ("Winsock IOCTLs", SIO_SET_PRIORITY_HINT).  Linux has no
 * LEDBAT.  Its TCP-LP (the module tcp_lp) has the same aim and means, a delay that grows; without
 * CAP_NET_ADMIN one gets it only if net.ipv4.tcp_allowed_congestion_control names it.  What the
 * host queues goes by SO_PRIORITY in any case: its default queue (tc-pfifo_fast(8)) sends both
 * lower ones after all others.
 */
#include <errno.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <linux/pkt_sched.h>

#include "error.h"
#include "log.h"
#include "socket.h"

static const char giving_way[] = "lp";

static void use_algorithm(int fd, const char *name)
{
    if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)))
        log_info("no congestion control '%s': %s", name, strerror(errno));
}

static void give_way(struct socket *socket, bool on)
{
    socklen_t size = sizeof(socket->congestion) - 1;

    if (on == (socket->congestion[0] != 0))
        return;
    if (!on) {
        use_algorithm(socket->watch.fd, socket->congestion);
        memset(socket->congestion, 0, sizeof(socket->congestion));
    } else if (!getsockopt(socket->watch.fd, IPPROTO_TCP, TCP_CONGESTION, socket->congestion,
                           &size)) {
        use_algorithm(socket->watch.fd, giving_way);
    }
}

uint32_t priority_set(struct socket *socket, uint32_t number)
{
    static const int kernel[] = {[RS_PRIORITY_NORMAL] = TC_PRIO_BESTEFFORT,
                                 [RS_PRIORITY_LOW] = TC_PRIO_BULK,
                                 [RS_PRIORITY_VERY_LOW] = TC_PRIO_FILLER};

    if (number >= sizeof(kernel) / sizeof(*kernel))
        return WSAEINVAL;
    if (setsockopt(socket->watch.fd, SOL_SOCKET, SO_PRIORITY, &kernel[number],
                   sizeof(kernel[number])))
        return error_from_errno(errno);
    if (socket->type == RS_STREAM && socket->family != RS_AF_UNIX)
        give_way(socket, number == RS_PRIORITY_VERY_LOW);
    return 0;
}

void priority_copy(const struct socket *socket, int fd)
{
    int value;
    socklen_t size = sizeof(value);

    if (!getsockopt(socket->watch.fd, SOL_SOCKET, SO_PRIORITY, &value, &size))
        setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &value, size);
    if (socket->congestion[0])
        use_algorithm(fd, giving_way);
}
