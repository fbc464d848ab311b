/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Receiving datagrams into the completion ring, within the credit.
 *
 * Owns: what a datagram socket's events mean.  Loop thread only, no locks.
 *
 * The credit may be overdrawn by one datagram, whose size nobody knows before it is read.
 *
 * Windows reports what ICMP says of an earlier datagram to whoever sent it, connected or not
 * (Microsoft's page on SIO_UDP_CONNRESET), and once for each message (JDK-4431020).  Linux does so
 * for an unconnected socket only with IP_RECVERR (ip(7)), and then keeps each message in a queue of
 * its own, from which it has to be taken.
 */
#include <errno.h>
#include <string.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>
#include <linux/errqueue.h>

#include "comp.h"
#include "error.h"
#include "flow.h"
#include "server.h"
#include "socket.h"

#define DATAGRAMS_PER_TURN 16
#define LARGEST_DATAGRAM   65536u
_Static_assert(LARGEST_DATAGRAM <= RS_MAX_PAYLOAD, "one record takes any datagram");

void datagram_prepare(int fd, bool v6)
{
    int on = 1, fragment = IP_PMTUDISC_DONT;

    /* Windows lets routers fragment unless IP_DONTFRAGMENT is set; Linux would rather lose the
     * first datagram that is too large for a path. */
    setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &fragment, sizeof(fragment));
    setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)); /* IPv6: of mapped addresses */
    if (v6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
}

/* What an ICMP message about an earlier datagram is to who receives on Windows; 0: nothing.
 * WSARecv's page has port unreachable (WSAECONNRESET) and time to live expired (WSAENETRESET);
 * msquic, a Windows program of Microsoft's, takes the unreachable networks, hosts and protocols
 * from its receives too (datapath_winuser.c, IsUnreachableErrorCode), the last as Winsock
 * translates their status (Wine's test_WSAGetOverlappedResult, run on Windows). */
static uint32_t error_of_icmp(const struct sock_extended_err *icmp)
{
    bool v6 = icmp->ee_origin == SO_EE_ORIGIN_ICMP6;

    if (icmp->ee_type == (v6 ? ICMP6_TIME_EXCEEDED : ICMP_TIME_EXCEEDED))
        return icmp->ee_code == (v6 ? ICMP6_TIME_EXCEED_TRANSIT : ICMP_EXC_TTL) ? WSAENETRESET : 0;
    if (icmp->ee_type != (v6 ? ICMP6_DST_UNREACH : ICMP_DEST_UNREACH))
        return 0;
    switch (icmp->ee_errno) {
    case ECONNREFUSED:
        return WSAECONNRESET;
    case ENETUNREACH:
    case ENOPROTOOPT:
        return WSAENETUNREACH;
    case EHOSTUNREACH:
    case EACCES: /* IPv6: a router's rules */
        return WSAEHOSTUNREACH;
    }
    return 0;
}

/* IP_RECVERR of Windows.  A program that takes nothing loses them, as Linux' own queue would. */
static void tell_of_icmp(struct socket *socket, const struct sock_extended_err *icmp,
                         const struct msghdr *from, uint32_t length)
{
    struct rs_record header = {.type = RS_COMP_ICMP, .socket = socket->index, .length = length};
    struct rs_icmp_message message = {
        .protocol = icmp->ee_origin == SO_EE_ORIGIN_ICMP6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
        .mtu = icmp->ee_errno == EMSGSIZE ? icmp->ee_info : 0,
        .type = icmp->ee_type,
        .code = icmp->ee_code};
    struct rs_record *record = comp_reserve(socket->session, (uint32_t)sizeof(message) + length);

    if (!record)
        return;
    address_to_wire(from->msg_name, &message.destination);
    memcpy(record + 1, &message, sizeof(message));
    memcpy((uint8_t *)(record + 1) + sizeof(message), from->msg_iov->iov_base, length);
    comp_publish(socket->session, record, &header, (uint32_t)sizeof(message) + length);
}

static void take_icmp(struct socket *socket, const struct sock_extended_err *icmp,
                      const struct msghdr *from, uint32_t length)
{
    uint32_t error;

    if (icmp->ee_origin != SO_EE_ORIGIN_ICMP && icmp->ee_origin != SO_EE_ORIGIN_ICMP6)
        return;
    if (socket->icmp_told)
        tell_of_icmp(socket, icmp, from, length);
    error = error_of_icmp(icmp);
    if (error)
        socket_post_error(socket, error, 0);
    else if (icmp->ee_errno == EMSGSIZE) /* the next sender of as much learns of it */
        socket_tell_sender(socket, WSAEMSGSIZE);
}

static void take_message(struct socket *socket, struct msghdr *message, uint32_t length)
{
    struct sock_extended_err extended;

    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        bool v4 = part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR;
        bool v6 = part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR;

        if ((!v4 && !v6) || part->cmsg_len < CMSG_LEN(sizeof(extended)))
            continue;
        memcpy(&extended, CMSG_DATA(part), sizeof(extended));
        take_icmp(socket, &extended, message, length);
    }
}

static void take_errors(struct socket *socket)
{
    socket->icmp_waits = false;
    for (;;) {
        _Alignas(struct cmsghdr) char control[512];
        uint8_t quoted[RS_ICMP_QUOTED_MAX];
        union address destination = {0};
        struct iovec piece = {quoted, sizeof(quoted)};
        struct msghdr message = {.msg_name = &destination,
                                 .msg_namelen = sizeof(destination),
                                 .msg_iov = &piece,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof(control)};
        ssize_t count = recvmsg(socket->watch.fd, &message, MSG_ERRQUEUE);

        if (count < 0)
            return;
        take_message(socket, &message, (uint32_t)count);
    }
}

static enum work datagram_error(struct socket *socket, int error)
{
    switch (error) {
    case EAGAIN:
        socket->readable = false;
        socket->drained_at = socket->session->server->loop.now;
        return WORK_DONE;
    case EINTR:
        return WORK_MORE;
    case EFAULT:
        session_corrupt(socket->session, "its segment is gone");
        return WORK_DONE;
    default: /* announces what is in the error queue; being told clears it */
        socket->icmp_waits = true;
        return WORK_MORE;
    }
}

/* Where a record of this socket has its payload: behind the address, and what else is asked for. */
static uint32_t fixed_size(const struct socket *socket)
{
    return (uint32_t)(sizeof(struct rs_addr) + (socket->control ? sizeof(struct rs_control) : 0));
}

static ssize_t receive(struct socket *socket, uint8_t *body, uint32_t fixed)
{
    struct rs_control control;
    union address source;
    socklen_t source_size = sizeof(source);
    ssize_t count;

    if (socket->capture.fd >= 0)
        count = capture_receive(socket, body + fixed, LARGEST_DATAGRAM, &source, &control);
    else if (socket->ping)
        count =
            ping_receive(socket, body + fixed, LARGEST_DATAGRAM, &source, &source_size, &control);
    else if (socket->control)
        count = control_receive(socket, body + fixed, LARGEST_DATAGRAM, &source, &source_size,
                                &control);
    else
        count = recvfrom(socket->watch.fd, body + fixed, LARGEST_DATAGRAM, 0, &source.any,
                         &source_size);
    if (count < 0)
        return count;
    flow_arrived(socket, &source);
    address_to_wire(&source, (struct rs_addr *)body);
    if (socket->control)
        memcpy(body + sizeof(struct rs_addr), &control, sizeof(control));
    return count;
}

static enum work read_once(struct socket *socket)
{
    struct rs_record header = {.type = RS_COMP_DATAGRAM, .socket = socket->index};
    uint32_t fixed = fixed_size(socket);
    struct rs_record *record;
    ssize_t count;

    if (!socket_credit(socket))
        return WORK_DONE;
    record = comp_reserve(socket->session, fixed + LARGEST_DATAGRAM);
    if (!record)
        return WORK_BLOCKED;
    count = receive(socket, (uint8_t *)(record + 1), fixed);
    if (count < 0)
        return datagram_error(socket, errno);
    header.flags = socket->control ? RS_DATAGRAM_CONTROL : 0;
    header.length = (uint32_t)count;
    socket->delivered += RS_DATAGRAM_COST((uint32_t)count);
    comp_publish(socket->session, record, &header, fixed + (uint32_t)count);
    return WORK_MORE;
}

/* The kernel has two queues and does not tell which came first.  Errors are put behind what could
 * be read with them: who asks for an answer wants the answer that did come. */
enum work datagram_read(struct socket *socket)
{
    enum work work = WORK_MORE;

    if (share_pauses(socket))
        return WORK_DONE;
    for (int i = 0; i < DATAGRAMS_PER_TURN && work == WORK_MORE; i++) {
        if (!socket->readable || socket->receive_done)
            work = WORK_DONE;
        else
            work = read_once(socket);
    }
    if (socket->icmp_waits && work != WORK_BLOCKED)
        take_errors(socket);
    return work;
}

void datagram_ready(struct socket *socket, uint32_t events)
{
    if ((events & EPOLLOUT) && !backlog_empty(&socket->backlog))
        socket_flush(socket);
    if (events & EPOLLERR)
        socket->icmp_waits = true;
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
        socket->readable = true;
        socket_queue_work(socket);
    }
}

/* Over Windows' loopback it has arrived when the sender is told that it went, so that a nonblocking
 * receive finds it (Wine's test_connect_udp, run on Windows). */
void datagram_arrive(struct server *server, const struct rs_addr *to)
{
    union address address;

    address_to_host(to, &address);
    if (!address_is_loopback(&address))
        return;
    for (struct link *link = server->bound.next; link != &server->bound; link = link->next) {
        struct socket *socket = container_of(link, struct socket, bound_link);

        if (socket->type == RS_DGRAM && socket->watch.watching &&
            (address_equal(&socket->bound_to, &address) ||
             (address_is_any(&socket->bound_to) &&
              address_port(&socket->bound_to) == address_port(&address)))) {
            socket->readable = true;
            if (datagram_read(socket) != WORK_DONE)
                socket_queue_work(socket);
        }
    }
}
