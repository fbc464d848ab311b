/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Receiving datagrams into the completion ring, within the credit.
 *
 * Owns: what a datagram socket's events mean.  Loop thread only, no locks.
 *
 * The credit may be overdrawn by one datagram, whose size nobody knows before it is read.
 *
 * Windows reports a port that is unreachable to whoever sent there, connected or not (Microsoft's
 * page on SIO_UDP_CONNRESET).  Linux does so for an unconnected socket only with IP_RECVERR
 * (ip(7)), and then keeps each message in a queue of its own, from which it has to be taken.
 */
#include <errno.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <linux/errqueue.h>

#include "comp.h"
#include "error.h"
#include "server.h"
#include "socket.h"

#define DATAGRAMS_PER_TURN 16
#define LARGEST_DATAGRAM   65536u
_Static_assert(LARGEST_DATAGRAM <= RS_MAX_PAYLOAD, "one record takes any datagram");

/* What one message of the error queue says, as an error number; 0: nothing of interest. */
static int error_of(struct msghdr *message)
{
    struct sock_extended_err extended;

    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        bool v4 = part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR;
        bool v6 = part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR;

        if ((!v4 && !v6) || part->cmsg_len < CMSG_LEN(sizeof(extended)))
            continue;
        memcpy(&extended, CMSG_DATA(part), sizeof(extended));
        if (extended.ee_origin == SO_EE_ORIGIN_ICMP || extended.ee_origin == SO_EE_ORIGIN_ICMP6)
            return (int)extended.ee_errno;
    }
    return 0;
}

/* Other ICMP messages Windows keeps to itself. */
static void take_errors(struct socket *socket)
{
    for (;;) {
        _Alignas(struct cmsghdr) char control[512];
        struct msghdr message = {.msg_control = control, .msg_controllen = sizeof(control)};

        if (recvmsg(socket->watch.fd, &message, MSG_ERRQUEUE) < 0)
            return;
        if (error_of(&message) == ECONNREFUSED)
            socket_post_error(socket, WSAECONNRESET);
    }
}

static enum work datagram_error(struct socket *socket, int error)
{
    switch (error) {
    case EAGAIN:
        socket->readable = false;
        return WORK_DONE;
    case EINTR:
        return WORK_MORE;
    case EFAULT:
        session_corrupt(socket->session, "its segment is gone");
        return WORK_DONE;
    default: /* announces what is in the error queue; being told clears it */
        take_errors(socket);
        return WORK_MORE;
    }
}

static enum work read_once(struct socket *socket)
{
    struct rs_record header = {.type = RS_COMP_DATAGRAM, .socket = socket->index};
    union address source;
    socklen_t source_size = sizeof(source);
    struct rs_record *record;
    struct rs_addr *wire;
    ssize_t count;

    if (!socket_credit(socket))
        return WORK_DONE;
    record = comp_reserve(socket->session, sizeof(*wire) + LARGEST_DATAGRAM);
    if (!record)
        return WORK_BLOCKED;
    wire = (struct rs_addr *)(record + 1);
    count = recvfrom(socket->watch.fd, wire + 1, LARGEST_DATAGRAM, 0, &source.any, &source_size);
    if (count < 0)
        return datagram_error(socket, errno);
    address_to_wire(&source, wire);
    header.length = (uint32_t)count;
    socket->delivered += RS_DATAGRAM_COST((uint32_t)count);
    comp_publish(socket->session, record, &header, (uint32_t)(sizeof(*wire) + (size_t)count));
    return WORK_MORE;
}

enum work datagram_read(struct socket *socket)
{
    enum work work = WORK_MORE;

    for (int i = 0; i < DATAGRAMS_PER_TURN && work == WORK_MORE; i++) {
        if (!socket->readable || socket->receive_done)
            return WORK_DONE;
        work = read_once(socket);
    }
    return work;
}

void datagram_ready(struct socket *socket, uint32_t events)
{
    if ((events & EPOLLOUT) && !backlog_empty(&socket->backlog))
        socket_flush(socket);
    if (events & EPOLLERR)
        take_errors(socket);
    if (!socket->receive_done && (events & (EPOLLIN | EPOLLERR | EPOLLHUP))) {
        socket->readable = true;
        socket_queue_work(socket);
    }
}
