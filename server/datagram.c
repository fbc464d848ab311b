/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Receiving datagrams into the completion ring, within the credit.
 *
 * Owns: what a datagram socket's events mean.  Loop thread only, no locks.
 *
 * The credit may be overdrawn by one datagram, whose size nobody knows before it is read.
 */
#include <errno.h>
#include <sys/socket.h>

#include "comp.h"
#include "error.h"
#include "server.h"
#include "socket.h"

#define DATAGRAMS_PER_TURN 16
#define LARGEST_DATAGRAM   65536u
_Static_assert(LARGEST_DATAGRAM <= RS_MAX_PAYLOAD, "one record takes any datagram");

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
    case ECONNREFUSED: /* an ICMP message about something sent: Windows says "reset" */
        socket_post_error(socket, WSAECONNRESET);
        return WORK_MORE;
    default: /* other ICMP messages; reading one has cleared it */
        socket_post_error(socket, error_from_errno(error));
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
    socket->delivered += (uint32_t)count;
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
    if (!socket->receive_done && (events & (EPOLLIN | EPOLLERR | EPOLLHUP))) {
        socket->readable = true;
        socket_queue_work(socket);
    }
}
