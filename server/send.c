/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sending: out of the submission ring into the kernel, and what the kernel does not take.
 *
 * Owns: the backlogs' filling and draining, the counter `sent`, the closing of the sending side.
 * Loop thread only, no locks.
 *
 * The submission ring always drains: one socket whose peer does not read must not hold up the
 * others.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "comp.h"
#include "error.h"
#include "flow.h"
#include "log.h"
#include "server.h"
#include "socket.h"

/* Of a session.  A DLL of ours stops long before (RS_BACKLOG_CROWDED). */
#define BACKLOG_LIMIT ((size_t)1 << 30)
#define SEND_PIECES   16

/* Tells how far the kernel has got, and the DLL if it waits for that. */
static void sent_advance(struct socket *socket, uint32_t count)
{
    struct rs_socket_shared *shared;

    if (socket->sender)
        socket = socket->sender;
    shared = &socket->session->shared[socket->index];

    if (!count)
        return;
    socket->sent += count;
    /* Publish, then look: the DLL sets want_sent and then reads `sent` again. */
    __atomic_store_n(&shared->sent, socket->sent, __ATOMIC_SEQ_CST);
    socket_tell_sent(socket);
}

void socket_tell_sent(struct socket *socket)
{
    uint32_t *want_sent = &socket->session->shared[socket->index].want_sent;

    if (!__atomic_load_n(want_sent, __ATOMIC_SEQ_CST))
        return;
    __atomic_store_n(want_sent, 0, __ATOMIC_SEQ_CST);
    comp_post(socket->session, RS_COMP_SENT, socket->index, NULL, 0);
}

/* A stream goes on asking for EPOLLOUT once it has needed it: it hears of it only after having been
 * full (sk_stream_write_space). */
static void want_out(struct socket *socket, bool wanted)
{
    int error;

    if (socket->wants_out == wanted || (socket->type == RS_STREAM && !wanted))
        return;
    socket->wants_out = wanted;
    error = socket_rewatch(socket);
    if (error)
        log_error("epoll: cannot watch a socket: %s", strerror(-error));
}

/* The connection is broken.  What has arrived before is still handed out, if there is room for it,
 * and then the error (stream.c). */
static void send_fail(struct socket *socket, int error)
{
    socket->send_failed = true;
    session_backlog(socket->session, -(int64_t)socket->backlog.bytes);
    backlog_clear(&socket->backlog);
    if (!socket->pending_error)
        socket->pending_error = stream_error_code(socket, error);
    if (socket->receive_done || socket->stalled) {
        stream_fail(socket, socket->pending_error);
        return;
    }
    socket->readable = true;
    socket_queue_work(socket);
}

/* Bytes that were taken from the program and cannot be kept: the peer must see that something is
 * missing, so the connection is reset, not ended in order. */
static void give_up(struct socket *socket, uint32_t length)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    log_rarely("session %s (%s): %zu bytes wait to be sent, no more can be kept: a connection is "
               "given up",
               socket->session->name, socket->session->program, socket->session->backlog_bytes);
    setsockopt(socket->watch.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    sent_advance(socket, length);
    send_fail(socket, ENOBUFS);
}

/* Whose bytes these are. */
static void mark_backlog(struct socket *socket)
{
    socket->backlog.view = (socket->sender ? socket->sender : socket)->view;
}

void socket_want_out(struct socket *socket)
{
    want_out(socket, true);
}

static void keep(struct socket *socket, const uint8_t *payload, uint32_t length, bool urgent)
{
    mark_backlog(socket);
    if (socket->session->backlog_bytes + length > BACKLOG_LIMIT ||
        !backlog_append(&socket->backlog, payload, length, urgent)) {
        give_up(socket, length);
        return;
    }
    session_backlog(socket->session, length);
    if (!socket->shortcut.holds)
        want_out(socket, true);
}

/* One that cannot be kept is lost, as any datagram may be. */
static void keep_datagram(struct socket *socket, const union address *to, socklen_t to_size,
                          const struct rs_control *control, const uint8_t *payload, uint32_t length)
{
    mark_backlog(socket);
    if (socket->session->backlog_bytes + RS_DATAGRAM_COST(length) > BACKLOG_LIMIT ||
        !backlog_append_datagram(&socket->backlog, to_size ? to : NULL, to_size, control, payload,
                                 length)) {
        log_rarely("session %s (%s): %zu bytes wait to be sent, no more can be kept: a datagram is "
                   "dropped",
                   socket->session->name, socket->session->program, socket->session->backlog_bytes);
        sent_advance(socket, RS_DATAGRAM_COST(length));
        return;
    }
    session_backlog(socket->session, RS_DATAGRAM_COST(length));
    want_out(socket, true);
}

static ssize_t send_bytes(struct socket *socket, const uint8_t *bytes, uint32_t length, int flags)
{
    ssize_t count;

    do {
        count = send(socket->watch.fd, bytes, length, MSG_NOSIGNAL | flags);
    } while (count < 0 && errno == EINTR);
    return count;
}

/* The urgent byte goes by itself: of more bytes the kernel might take a part, whose last byte would
 * be the urgent one. */
static ssize_t send_stream(struct socket *socket, const uint8_t *bytes, uint32_t length,
                           bool urgent)
{
    uint32_t plain = urgent && length ? length - 1 : length;
    ssize_t count = plain ? send_bytes(socket, bytes, plain, plain < length ? MSG_MORE : 0) : 0;

    if (plain == length || count < 0 || (uint32_t)count < plain)
        return count;
    if (send_bytes(socket, bytes + plain, 1, MSG_OOB) != 1)
        return plain && errno == EAGAIN ? count : -1;
    urgent_sent(socket);
    return length;
}

/* As much as the kernel takes at once; -1: there is no sending any more. */
static ssize_t send_to_kernel(struct socket *socket, const uint8_t *payload, uint32_t length,
                              bool urgent)
{
    ssize_t count = send_stream(socket, payload, length, urgent);

    if (count < 0 && errno == EFAULT) {
        session_corrupt(socket->session, "its segment is gone");
        return -1;
    }
    if (count < 0 && errno != EAGAIN) {
        send_fail(socket, errno);
        return -1;
    }
    if (count < 0)
        return 0;
    socket->shortcut.kernel_out += (uint32_t)count;
    /* Behind the peer's end of data over the loopback: the reset that these bytes provoke if nobody
     * is there any more has come, and is told before they count as sent. */
    if (socket->receive_done && (uint32_t)count == length)
        stream_check_error(socket);
    return count;
}

static void send_to_stream(struct socket *socket, const uint8_t *payload, uint32_t length,
                           bool urgent)
{
    ssize_t count = 0;

    if (socket->state != SOCKET_CONNECTED || socket->send_failed || socket->send_shut) {
        sent_advance(socket, length); /* nobody waits for what will not go anywhere */
        return;
    }
    if (urgent)
        shortcut_leave(socket);
    if (backlog_empty(&socket->backlog)) {
        if (shortcut_is_open(socket))
            count = shortcut_send(socket, payload, length);
        else if ((count = send_to_kernel(socket, payload, length, urgent)) < 0)
            return;
        sent_advance(socket, (uint32_t)count);
    }
    if ((uint32_t)count < length)
        keep(socket, payload + count, length - (uint32_t)count, urgent);
}

void socket_send(struct socket *socket, const uint8_t *payload, uint32_t length, bool urgent)
{
    uint32_t error;

    if (socket->type == RS_STREAM)
        send_to_stream(socket, payload, length, urgent);
    else if ((error = socket_send_to(socket, NULL, NULL, payload, length)))
        socket_not_sent(socket, error, length);
}

/* Errors that an earlier datagram may have left behind (ICMP). */
static bool may_be_earlier(int error)
{
    return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH ||
           error == EPROTO || error == ENOPROTOOPT || error == EHOSTDOWN;
}

static ssize_t send_datagram(struct socket *socket, const union address *to, socklen_t to_size,
                             const struct rs_control *control, const uint8_t *payload,
                             uint32_t length)
{
    ssize_t count;
    int tries = 0;

    if (socket->ping)
        ping_sends(socket, payload, length);
    /* An error of an earlier datagram is reported by the next call, which then sent nothing. It is
     * in the error queue too, from which the receiving side takes it (datagram.c): try again. */
    while ((count = control && control->present
                        ? control_send(socket, to, to_size, control, payload, length)
                        : sendto(socket->watch.fd, payload, length, MSG_NOSIGNAL,
                                 to_size ? &to->any : NULL, to_size)) < 0) {
        if (errno != EINTR && !may_be_earlier(errno))
            break;
        if (++tries == 4)
            break;
    }
    /* The interface's queue was full and has dropped it, which Linux tells only those who want to
     * know of ICMP messages (IP_RECVERR; send(2): "Normally, this does not occur in Linux"), and
     * Windows nobody. */
    return count < 0 && errno == ENOBUFS ? (ssize_t)length : count;
}

void socket_tell_sender(struct socket *socket, uint32_t error)
{
    if (socket->send_error_told)
        return;
    socket->send_error_told = true;
    socket_post_error(socket, error, RS_ERROR_SEND);
}

uint32_t socket_send_to(struct socket *socket, const struct rs_addr *wire,
                        const struct rs_control *control, const uint8_t *payload, uint32_t length)
{
    union address to;
    socklen_t to_size = wire ? address_to_host(wire, &to) : 0;
    const union address *target = wire ? &to : &socket->peer;
    uint32_t error;
    bool connected;

    if (wire && (!to_size || wire->family == RS_AF_UNSPEC))
        return WSAEAFNOSUPPORT;
    if (wire)
        scope_of_peer(&to, &socket->bound_to);
    if (control && (error = control_check(control, &to)))
        return error;
    if (control && control->present & RS_CONTROL_SEGMENT)
        socket->flows_barred = true;
    if (backlog_empty(&socket->backlog)) {
        if (!control && flow_send(socket, target, payload, length)) {
            sent_advance(socket, RS_DATAGRAM_COST(length));
            return 0;
        }
        error = 0;
        /* the way that was found when it was connected, also to a broadcast address */
        connected = wire && socket->state == SOCKET_CONNECTED && address_equal(&to, &socket->peer);
        /* Windows sends to port 0 as well, where nobody is; Linux refuses, but has bound the socket
         */
        if (send_datagram(socket, &to, connected ? 0 : to_size, control, payload, length) < 0 &&
            !(errno == EINVAL && wire && !wire->port))
            error = error_from_errno(errno);
        /* Sending has given it a port, so from now on something can arrive. */
        if (!socket->watch.watching && socket_watch(socket))
            return WSAENOBUFS;
        if (error == WSAEFAULT)
            session_corrupt(socket->session, "its segment is gone");
        if (!error) {
            flow_asked_kernel(socket, target);
            sent_advance(socket, RS_DATAGRAM_COST(length));
        }
        if (error != WSAEWOULDBLOCK)
            return error;
    }
    keep_datagram(socket, &to, to_size, control, payload, length);
    return 0;
}

void socket_not_sent(struct socket *socket, uint32_t error, uint32_t length)
{
    sent_advance(socket, RS_DATAGRAM_COST(length));
    socket_tell_sender(socket, error);
}

/* As many chunks as one call takes, up to an urgent byte. */
static ssize_t flush_stream(struct socket *socket)
{
    struct iovec pieces[SEND_PIECES];
    struct msghdr message = {.msg_iov = pieces};
    const struct chunk *chunk = socket->backlog.first;
    ssize_t count;
    bool urgent = false;

    if (chunk->urgent && chunk->length - chunk->offset == 1) {
        if ((count = send_bytes(socket, chunk->bytes + chunk->offset, 1, MSG_OOB)) == 1)
            urgent_sent(socket);
        return count;
    }
    for (; chunk && !urgent && message.msg_iovlen < SEND_PIECES; chunk = chunk->next) {
        size_t length = chunk->length - chunk->offset;

        urgent = chunk->urgent;
        pieces[message.msg_iovlen].iov_base = (void *)(chunk->bytes + chunk->offset);
        pieces[message.msg_iovlen++].iov_len = urgent ? length - 1 : length;
    }
    return sendmsg(socket->watch.fd, &message, MSG_NOSIGNAL | (urgent ? MSG_MORE : 0));
}

/* Counts for who had sent it, if that session still has the socket. */
static void sent_of_view(struct socket *socket, uint32_t number, uint32_t count)
{
    struct socket *view = number == socket->view ? socket : share_view(socket, number);

    if (view)
        sent_advance(view, count);
}

static void advance_from_backlog(struct socket *socket, uint32_t count)
{
    while (count && socket->backlog.first) {
        const struct chunk *chunk = socket->backlog.first;
        uint32_t left = chunk->length - chunk->offset, view = chunk->view;
        uint32_t part = left < count ? left : count;

        backlog_take(&socket->backlog, part);
        sent_of_view(socket, view, part);
        count -= part;
    }
}

void socket_sent_from_backlog(struct socket *socket, uint32_t count)
{
    session_backlog(socket->session, -(int64_t)count);
    advance_from_backlog(socket, count);
}

static bool flush_datagram(struct socket *socket)
{
    struct chunk *chunk = socket->backlog.first;
    uint32_t length = chunk->length, view = chunk->view;

    if (send_datagram(socket, &chunk->address, chunk->address_size, &chunk->control, chunk->bytes,
                      length) < 0) {
        if (errno == EAGAIN)
            return false;
        socket_tell_sender(socket, error_from_errno(errno));
    } else {
        flow_asked_kernel(socket, chunk->address_size ? &chunk->address : &socket->peer);
    }
    session_backlog(socket->session, -(int64_t)RS_DATAGRAM_COST(length));
    backlog_drop_first(&socket->backlog);
    sent_of_view(socket, view, RS_DATAGRAM_COST(length));
    return true;
}

void socket_flush(struct socket *socket)
{
    if (socket->shortcut.holds)
        return;
    while (!backlog_empty(&socket->backlog)) {
        ssize_t count;

        if (socket->type != RS_STREAM) {
            if (!flush_datagram(socket))
                return;
            continue;
        }
        count = flush_stream(socket);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return;
        if (count < 0) {
            send_fail(socket, errno);
            return;
        }
        socket->shortcut.kernel_out += (uint32_t)count;
        socket_sent_from_backlog(socket, (uint32_t)count);
    }
    want_out(socket, false);
    if (socket->send_shut)
        shutdown(socket->watch.fd, SHUT_WR);
    disconnect_settle(socket);
}

uint32_t socket_shutdown(struct socket *socket, uint32_t how)
{
    if (how > RS_SHUT_BOTH)
        return WSAEINVAL;
    if (socket->state != SOCKET_CONNECTED)
        return socket->state == SOCKET_FAILED ? 0 : WSAENOTCONN;
    if (how != RS_SHUT_RECV && !socket->send_shut) {
        shortcut_flush(socket);
        socket->send_shut = true;
        if (socket->type == RS_STREAM && backlog_empty(&socket->backlog) &&
            shutdown(socket->watch.fd, SHUT_WR))
            return error_from_errno(errno);
    }
    if (how != RS_SHUT_SEND) {
        shortcut_end(socket);
        socket->receive_done = true;
        socket->readable = false;
    }
    return 0;
}
