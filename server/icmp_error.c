/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ICMP errors that end connecting: RS_OPT_FAIL_ON_ICMP.
 *
 * Owns: socket.icmp_error.  Loop thread only, no locks.
 *
 * Linux keeps the message itself only with IP_RECVERR (ip(7)), by which it also ends connections
 * that are there already; so that is on only while the socket connects.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/errqueue.h>

#include "address.h"
#include "socket.h"

static void keep_messages(const struct socket *socket, int on)
{
    setsockopt(socket->watch.fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
    if (socket->family == RS_AF_INET6)
        setsockopt(socket->watch.fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
}

void icmp_error_begin(struct socket *socket)
{
    memset(&socket->icmp_error, 0, sizeof(socket->icmp_error));
    if (socket->fail_on_icmp)
        keep_messages(socket, 1);
}

void icmp_error_end(struct socket *socket)
{
    if (socket->fail_on_icmp)
        keep_messages(socket, 0); /* and forgets those that nobody took */
}

static bool take_message(struct socket *socket, const struct cmsghdr *part)
{
    struct {
        struct sock_extended_err error;
        union address source; /* SO_EE_OFFENDER */
    } message = {0};
    size_t size = part->cmsg_len - CMSG_LEN(0);

    if (!(part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) &&
        !(part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR))
        return false;
    memcpy(&message, CMSG_DATA(part), size < sizeof(message) ? size : sizeof(message));
    if (message.error.ee_origin == SO_EE_ORIGIN_ICMP)
        socket->icmp_error.protocol = IPPROTO_ICMP;
    else if (message.error.ee_origin == SO_EE_ORIGIN_ICMP6)
        socket->icmp_error.protocol = IPPROTO_ICMPV6;
    else
        return false;
    socket->icmp_error.type = message.error.ee_type;
    socket->icmp_error.code = message.error.ee_code;
    message.source.v4.sin_port = 0; /* sockaddr_in6 has it there too */
    address_to_wire(&message.source, &socket->icmp_error.source);
    return true;
}

bool icmp_error_take(struct socket *socket)
{
    _Alignas(struct cmsghdr) char control[512];
    struct msghdr message = {.msg_control = control, .msg_controllen = sizeof(control)};
    bool taken = false;

    if (!socket->fail_on_icmp || recvmsg(socket->watch.fd, &message, MSG_ERRQUEUE) < 0)
        return false;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part))
        taken = take_message(socket, part) || taken;
    return taken;
}
