/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Receiving from a stream: out of the kernel straight into the completion ring, within the credit.
 *
 * Owns: what a connected stream's events mean, the order of data, end of data and error.  Urgent
 * data is urgent.c's.  Loop thread only, no locks.
 *
 * Edge-triggered, so `readable` says whether the kernel may have more: it is cleared by a read that
 * came back short, unless the peer's end of data is known to be behind it (epoll(7), question 9).
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <linux/sockios.h>

#include "comp.h"
#include "error.h"
#include "log.h"
#include "server.h"
#include "socket.h"

#define RECORDS_PER_TURN 2
#define SMALL_READ       4096u /* what is tried when the ring has no room for more */

static void stream_end(struct socket *socket)
{
    socket->readable = false;
    socket->receive_done = true;
    if (socket->pending_error)
        shortcut_end(socket);
    if (socket->disconnecting) {
        disconnect_settle(socket);
        return;
    }
    if (socket->pending_error) {
        socket_post_error(socket, socket->pending_error, 0);
        socket->state = SOCKET_FAILED;
        return;
    }
    comp_post(socket->session, RS_COMP_EOF, socket->index, NULL, 0);
}

/* Linux gives up on a peer with ETIMEDOUT, or with what an ICMP message said while it was trying
 * (tcp_write_err).  Windows knows two ends of that kind (WSARecv's table): the keep-alive's, and
 * any other.  Retransmissions and window probes go on only while something is not acknowledged, the
 * keep-alive only while nothing is (tcp_keepalive_timer). */
static uint32_t lost_peer(const struct socket *socket)
{
    int keepalive = 0, queued = 1;
    socklen_t size = sizeof(keepalive);

    if (getsockopt(socket->watch.fd, SOL_SOCKET, SO_KEEPALIVE, &keepalive, &size) || !keepalive ||
        ioctl(socket->watch.fd, SIOCOUTQ, &queued) || queued)
        return WSAETIMEDOUT;
    return WSAENETRESET;
}

uint32_t stream_error_code(const struct socket *socket, int error)
{
    switch (error) {
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case ENONET:
    case ENOPROTOOPT:
    case ECONNREFUSED:
    case EOPNOTSUPP:
    case EACCES:
        return lost_peer(socket);
    default:
        return error_from_errno(error);
    }
}

void stream_fail(struct socket *socket, uint32_t error)
{
    socket->pending_error = error;
    stream_end(socket);
}

static void stream_error(struct socket *socket, int error)
{
    if (error == EAGAIN) {
        socket->readable = false;
        if (socket->pending_error)
            stream_end(socket);
    } else if (error == EFAULT) {
        session_corrupt(socket->session, "its segment is gone");
    } else if (error != EINTR) {
        stream_fail(socket, stream_error_code(socket, error));
    }
}

void stream_check_error(struct socket *socket)
{
    int error = 0;
    socklen_t length = sizeof(error);

    if (getsockopt(socket->watch.fd, SOL_SOCKET, SO_ERROR, &error, &length) || !error)
        return;
    if (socket->receive_done)
        stream_fail(socket, stream_error_code(socket, error));
    else
        socket->pending_error = stream_error_code(socket, error);
}

/* "This flag is not permanent, it only enables a switch to or from quickack mode" (tcp(7)). */
static void ack_at_once(const struct socket *socket)
{
    int yes = 1;

    setsockopt(socket->watch.fd, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof(yes));
}

/* Reads once; false if that was all for now. */
static enum work read_once(struct socket *socket)
{
    struct rs_record header = {.type = RS_COMP_DATA, .socket = socket->index};
    uint32_t size = socket_credit(socket);
    struct rs_record *record;
    ssize_t count;

    if (!size)
        return WORK_DONE; /* RS_SUB_RESUME takes it up again */
    if (socket->urgent && !urgent_before_read(socket))
        return WORK_BLOCKED;
    if (size > RS_MAX_PAYLOAD)
        size = RS_MAX_PAYLOAD;
    if (socket->marks == URGENT_IN_LINE)
        size = 1;
    record = comp_reserve(socket->session, size);
    if (!record && size > SMALL_READ)
        record = comp_reserve(socket->session, size = SMALL_READ);
    if (!record)
        return WORK_BLOCKED;
    count = recv(socket->watch.fd, record + 1, size, 0);
    if (count <= 0) {
        int error = errno;

        urgent_tell(socket); /* there is room, and nothing comes behind the end */
        if (count) {
            stream_error(socket, error);
        } else {
            /* a reset behind the end of data, of which recv is silent */
            stream_check_error(socket);
            stream_end(socket);
        }
        return WORK_DONE;
    }
    header.length = (uint32_t)count;
    if (socket->marks) {
        header.flags = RS_DATA_MARK;
        socket->marks--;
    }
    socket->delivered += (uint32_t)count;
    socket->shortcut.kernel_in += (uint32_t)count;
    if (socket->ack_at_once)
        ack_at_once(socket);
    comp_publish(socket->session, record, &header, (uint32_t)count);
    if ((uint32_t)count < size && !socket->peer_closed && !socket->urgent && !socket->pending_error)
        socket->readable = false;
    return socket->readable ? WORK_MORE : WORK_DONE;
}

enum work stream_read(struct socket *socket)
{
    enum work work = WORK_MORE;

    if (share_pauses(socket))
        return WORK_DONE;
    if (socket->disconnecting)
        return disconnect_drain(socket);
    if (shortcut_waits(socket) && (work = shortcut_pull(socket)) != WORK_DONE)
        return work;
    for (int i = 0; i < RECORDS_PER_TURN && work == WORK_MORE; i++) {
        if (!socket->readable || socket->receive_done)
            work = WORK_DONE;
        else
            work = read_once(socket);
    }
    /* out of credit, or read on behind it */
    if ((work == WORK_DONE || !socket->urgent) && !urgent_tell(socket))
        return WORK_BLOCKED;
    return work;
}

void stream_ready(struct socket *socket, uint32_t events)
{
    if (socket->state != SOCKET_CONNECTED)
        return;
    if (events & EPOLLRDHUP)
        socket->peer_closed = true;
    if ((events & EPOLLPRI) && !socket->receive_done)
        urgent_announced(socket);
    if ((events & EPOLLERR) && (socket->receive_done || socket->stalled))
        stream_check_error(socket);
    if (socket->state == SOCKET_CONNECTED && (events & EPOLLOUT) &&
        !backlog_empty(&socket->backlog))
        socket_flush(socket);
    if (!socket->receive_done &&
        (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLERR | EPOLLHUP))) {
        socket->readable = true;
        socket_queue_work(socket);
    }
}
