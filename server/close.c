/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of a socket: when its last handle is gone, and how its connection ends.
 *
 * Owns: the states CLOSING and CLOSED, session.hung, the calls that wait for a close.  Loop thread
 * only, no locks.
 *
 * A connection ends as Linux ends it: reset if the program wanted that or left data unread (here:
 * also data that was only read ahead), otherwise orderly after everything that was queued.
 */
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>

#include "clock.h"
#include "comp.h"
#include "error.h"
#include "log.h"
#include "server.h"
#include "socket.h"

#define CLOSE_GRACE    (10 * (uint64_t)RS_CLOCK_PER_MS) /* for RS_SUB_CLOSE to follow its hang-up */
#define CLOSE_STUCK    (120 * CLOCK_PER_SECOND)         /* without progress */
#define CLOSE_POLL_MIN (1 * (uint64_t)RS_CLOCK_PER_MS)
#define CLOSE_POLL_MAX (20 * (uint64_t)RS_CLOCK_PER_MS)

static void arm(struct socket *socket, uint64_t delay, void (*fire)(struct timer *timer))
{
    struct loop *loop = &socket->session->server->loop;

    socket->timer.fire = fire;
    timer_arm(&loop->timers, &socket->timer, loop->now + delay);
}

static bool everything_acknowledged(struct socket *socket)
{
    int queued = 0;

    return ioctl(socket->watch.fd, SIOCOUTQ, &queued) || !queued;
}

static bool connection_is_gone(struct socket *socket)
{
    struct pollfd poll_fd = {.fd = socket->watch.fd};

    return poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLERR);
}

static void close_reply(struct socket *socket, uint32_t error)
{
    if (socket->close_waits)
        comp_reply(socket->session, &socket->close_call, error);
    socket->close_waits = false;
}

/* Somebody waits for the acknowledgement, of which the kernel tells nobody: so ask again. */
static void linger_poll(struct timer *timer)
{
    struct socket *socket = container_of(timer, struct socket, timer);
    uint64_t now = socket->session->server->loop.now;
    uint64_t delay = (now - socket->close_begin) / 4;

    if (connection_is_gone(socket)) {
        close_reply(socket, 0);
        socket_finish(socket, false);
    } else if (backlog_empty(&socket->backlog) && everything_acknowledged(socket)) {
        close_reply(socket, 0);
        socket_finish(socket, false);
    } else if (now >= socket->close_deadline) {
        close_reply(socket, WSAEWOULDBLOCK);
        socket_finish(socket, true);
    } else {
        delay = delay < CLOSE_POLL_MIN ? CLOSE_POLL_MIN : delay;
        delay = delay > CLOSE_POLL_MAX ? CLOSE_POLL_MAX : delay;
        if (now + delay > socket->close_deadline)
            delay = socket->close_deadline - now;
        arm(socket, delay, linger_poll);
    }
}

static void close_stuck(struct timer *timer)
{
    struct socket *socket = container_of(timer, struct socket, timer);

    if (socket->sent == socket->close_sent) {
        socket_finish(socket, true);
        return;
    }
    socket->close_sent = socket->sent;
    arm(socket, CLOSE_STUCK, close_stuck);
}

void socket_closing_progress(struct socket *socket)
{
    socket_flush(socket);
    if (socket->state != SOCKET_CLOSING)
        return;
    if (socket->send_failed) {
        close_reply(socket, 0);
        socket_finish(socket, false);
    } else if (socket->close_waits) {
        linger_poll(&socket->timer);
    } else if (backlog_empty(&socket->backlog)) {
        socket_finish(socket, false);
    }
}

static void close_gracefully(struct socket *socket)
{
    bool waits = socket->close_waits;

    if (backlog_empty(&socket->backlog) && !waits) {
        socket_finish(socket, false);
        return;
    }
    socket->state = SOCKET_CLOSING;
    socket->receive_done = true;
    list_remove(&socket->work);
    socket->close_begin = socket->session->server->loop.now;
    socket->close_sent = socket->sent;
    if (!waits) {
        arm(socket, CLOSE_STUCK, close_stuck);
        return;
    }
    if (!socket->send_shut) {
        socket->send_shut = true;
        if (backlog_empty(&socket->backlog))
            shutdown(socket->watch.fd, SHUT_WR);
    }
    linger_poll(&socket->timer);
}

void socket_close(struct socket *socket, uint16_t flags)
{
    bool reset = (flags & RS_CLOSE_ABORT) != 0;

    if (socket->state == SOCKET_CLOSED || socket->state == SOCKET_CLOSING)
        return;
    timer_disarm(&socket->timer);
    shortcut_end(socket);
    if (socket->type == RS_STREAM && socket->state != SOCKET_CONNECTED) {
        socket_finish(socket, reset);
        return;
    }
    if (socket->type == RS_STREAM && (reset || socket_outstanding(socket))) {
        close_reply(socket, 0);
        socket_finish(socket, true);
        return;
    }
    close_gracefully(socket);
}

static void grace_over(struct timer *timer)
{
    struct socket *socket = container_of(timer, struct socket, timer);

    socket_close(socket, socket->close_flags);
}

void socket_close_hung(struct session *session)
{
    while (!list_empty(&session->hung)) {
        struct socket *socket = container_of(session->hung.next, struct socket, hung);

        list_remove(&socket->hung);
        /* The DLL closes the handle before it says so: wait for what it says. */
        if (socket->close_seen || session->state == SESSION_DEAD)
            socket_close(socket, socket->close_flags);
        else
            arm(socket, CLOSE_GRACE, grace_over);
    }
}

void socket_close_request(struct socket *socket, uint16_t flags, const struct rs_call *call)
{
    struct session *session = socket->session;

    if (socket->state == SOCKET_CLOSED) { /* the hang-up was faster */
        if (call)
            comp_reply(session, call, 0);
        return;
    }
    if (socket->state == SOCKET_CLOSING) {
        if (call)
            comp_reply(session, call, 0);
        if (flags & RS_CLOSE_ABORT)
            socket_finish(socket, true);
        return;
    }
    if (flags & RS_CLOSE_SOON) {
        socket->close_flags = flags & RS_CLOSE_ABORT;
        return;
    }
    socket->close_seen = true;
    socket->close_flags = flags;
    socket->anchor_kept = (flags & RS_CLOSE_KEPT) && !socket->share;
    if (socket->state == SOCKET_AWAY || !anchor_is_gone(socket)) {
        if (call)
            comp_reply(session, call, 0);
        share_closed(socket); /* another process holds it: the connection goes on */
        return;
    }
    if (call && !socket->close_waits) {
        socket->close_waits = true;
        socket->close_call = *call;
        socket->close_deadline = session->server->loop.now + (uint64_t)call->arg0 * RS_CLOCK_PER_MS;
    }
    socket_close(socket, flags);
}
