/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Listening: accepting connections ahead of the program.
 *
 * Owns: a listener's children, that is connections that the DLL has not taken into a handle yet.
 * Loop thread only, no locks.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "comp.h"
#include "error.h"
#include "log.h"
#include "server.h"
#include "socket.h"

#define ACCEPTS_PER_TURN 16
#define ACCEPT_RETRY     (CLOCK_PER_SECOND / 10) /* out of descriptors */
#define QUEUE_MOST       4096                    /* net.core.somaxconn's default */

static void listener_retry(struct timer *timer)
{
    struct socket *socket = container_of(timer, struct socket, timer);

    socket->readable = true;
    socket_queue_work(socket);
}

static int begin(struct socket *socket)
{
    if (listen(socket->watch.fd, socket->listen_backlog))
        return -errno;
    bind_first_listens(socket);
    return 0;
}

/* A listener that was shut down refuses, and what its queue holds is reset (Linux'
 * inet_csk_listen_stop); it can listen again.  A port that the kernel has chosen is given back. */
static void refuse(struct socket *socket)
{
    shutdown(socket->watch.fd, SHUT_RD);
    bind_again(socket);
}

int listener_start(struct socket *socket, uint32_t backlog)
{
    uint32_t limit = backlog < RS_ACCEPT_WINDOW ? backlog : RS_ACCEPT_WINDOW;
    bool again = socket->state == SOCKET_LISTENING;
    union address local;
    socklen_t size = sizeof(local);
    int error;

    socket->listen_backlog = backlog > INT32_MAX ? INT32_MAX : (int)backlog;
    if (!(again && socket->accept_paused) && (error = begin(socket)))
        return error;
    socket->child_limit = limit ? limit : 1;
    if (again)
        return 0;
    socket->state = SOCKET_LISTENING;
    names_lock();
    if (!getsockname(socket->watch.fd, &local.any, &size))
        socket->bound_to = local;
    socket->callers.listener = socket->session->windows_pid;
    list_append(&socket->session->server->listeners, &socket->listening);
    names_unlock();
    if (socket->accept_paused)
        refuse(socket);
    socket->readable = true;
    return socket_watch(socket);
}

void listener_expect(struct server *server, const union address *peer)
{
    uint16_t port = address_port(peer);

    for (struct link *link = server->listeners.next; link != &server->listeners;
         link = link->next) {
        struct socket *socket = container_of(link, struct socket, listening);

        if (address_port(&socket->bound_to) != port || timer_armed(&socket->timer))
            continue;
        socket->readable = true;
        socket_queue_work(socket);
    }
}

/* What the program has set on the listener and the server keeps for itself. */
static void inherit(struct socket *child, const struct socket *listener)
{
    child->oob_inline = listener->oob_inline;
    child->dont_fragment = listener->dont_fragment;
    child->reuse = listener->reuse;
    child->exclusive = listener->exclusive;
    child->receive_buffer = listener->receive_buffer;
    child->send_buffer = listener->send_buffer;
}

static void child_local(struct socket *child, const struct socket *listener, struct rs_addr *wire)
{
    if (address_is_any(&listener->bound_to))
        address_of_socket(child->watch.fd, wire);
    else
        address_to_wire(&listener->bound_to, wire);
}

/* A connection that nobody has yet: there was no room for it, or the listener pauses. */
struct held {
    struct link link; /* listener.held */
    int fd;
    union address peer;
};

/* The next one, the caller's now; NULL with errno. */
static struct held *take_held(struct socket *listener)
{
    struct held *held;

    if (list_empty(&listener->held)) {
        errno = EAGAIN;
        return NULL;
    }
    held = container_of(listener->held.next, struct held, link);
    list_remove(&held->link);
    return held;
}

/* Likewise, from the kernel: it keeps what there is no memory for. */
static struct held *take_new(struct socket *listener)
{
    struct held *held = calloc(1, sizeof(*held));
    socklen_t size = sizeof(held->peer);
    int error;

    if (!held)
        return NULL;
    held->fd = accept4(listener->watch.fd, &held->peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (held->fd >= 0)
        return held;
    error = errno;
    free(held);
    errno = error;
    return NULL;
}

static struct held *next_connection(struct socket *listener)
{
    return list_empty(&listener->held) && !listener->accept_paused ? take_new(listener)
                                                                   : take_held(listener);
}

/* 0, or -errno of what prevents further accepting: then the connection is kept for later. */
static int adopt(struct socket *listener, struct held *held)
{
    struct session *session = listener->session;
    struct rs_accepted body = {0};
    struct socket *child;
    int error;

    child = socket_create(session, listener->family, RS_STREAM, held->fd, &error);
    if (!child && error == -EMFILE && session->server->spare_fd >= 0) {
        close(session->server->spare_fd);
        session->server->spare_fd = -1;
        child = socket_create(session, listener->family, RS_STREAM, held->fd, &error);
    }
    if (!child) {
        list_insert_after(&listener->held, &held->link);
        return error;
    }
    child->state = SOCKET_CONNECTED;
    child->peer = held->peer;
    free(held);
    if (listener->family == RS_AF_UNIX)
        unix_peer_accepted(child, listener);
    inherit(child, listener);
    child->held_back = listener->share != NULL;
    child->listener = listener;
    list_append(&listener->children, &child->sibling);
    listener->child_count++;
    body.socket = child->index;
    body.anchor = anchor_number(child);
    child_local(child, listener, &body.local);
    address_to_wire(&child->peer, &body.peer);
    shortcut_match(child, &body.local);
    comp_post(session, RS_COMP_ACCEPTED, listener->index, &body, sizeof(body));
    /* Watched only now, so that its data follows. */
    error = socket_watch(child);
    if (error)
        stream_fail(child, WSAENOBUFS);
    return 0;
}

static void accept_later(struct socket *socket, int error)
{
    struct loop *loop = &socket->session->server->loop;

    socket_limit_met(socket->session, error);
    socket->readable = false;
    if (socket->anchor_gone)
        return;
    socket->timer.fire = listener_retry;
    timer_arm(&loop->timers, &socket->timer, loop->now + ACCEPT_RETRY);
}

enum work listener_accept(struct socket *socket)
{
    if (share_pauses(socket))
        return WORK_DONE;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct held *held;
        int error;

        /* of a shared one no more than will be taken, so that others get theirs */
        if (!socket->readable || socket->child_count >= (socket->share ? 1 : socket->child_limit))
            return WORK_DONE;
        if (!socket_has_index(socket->session) || !server_has_spare(socket->session->server)) {
            accept_later(socket, EMFILE);
            return WORK_DONE;
        }
        held = next_connection(socket);
        if (held) {
            error = -adopt(socket, held);
            if (!error && share_turn_over(socket))
                return WORK_DONE;
            if (!error)
                continue;
            accept_later(socket, error);
            return WORK_DONE;
        }
        switch (errno) {
        case EAGAIN:
            socket->readable = false;
            return WORK_DONE;
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case ENOBUFS:
            accept_later(socket, errno);
            return WORK_DONE;
        default: /* errors of a connection that has gone already (accept(2)) */
            break;
        }
    }
    return WORK_MORE;
}

/* Connections from before it pauses: they are the program's. */
static void accept_rest(struct socket *socket)
{
    for (int left = QUEUE_MOST; left; left--) {
        struct held *held = take_new(socket);

        if (!held)
            return;
        list_append(&socket->held, &held->link);
    }
}

uint32_t listener_pause(struct socket *socket, bool pause)
{
    int error;

    if (socket->type != RS_STREAM || socket->family == RS_AF_UNIX)
        return WSAENOPROTOOPT;
    if (socket->state == SOCKET_LISTENING && pause && !socket->accept_paused) {
        accept_rest(socket);
        refuse(socket);
        socket->readable = true;
        socket_queue_work(socket);
    } else if (socket->state == SOCKET_LISTENING && !pause && socket->accept_paused) {
        if ((error = begin(socket)))
            return error_from_errno(-error);
        socket->readable = true;
        socket_queue_work(socket);
    }
    socket->accept_paused = pause;
    return 0;
}

void listener_release(struct socket *child)
{
    struct socket *listener = child->listener;

    if (!listener)
        return;
    child->listener = NULL;
    list_remove(&child->sibling);
    listener->child_count--;
    if (child->held_back) {
        child->held_back = false;
        if (child->readable)
            socket_queue_work(child);
    }
    if (listener->state == SOCKET_LISTENING && listener->readable)
        socket_queue_work(listener);
}

/* Connections that the program never saw end with their listener. */
void listener_stop(struct socket *socket)
{
    struct held *held;

    names_lock();
    list_remove(&socket->listening);
    names_unlock();
    socket->readable = false;
    while ((held = take_held(socket))) {
        close(held->fd);
        free(held);
    }
    while (!list_empty(&socket->children))
        socket_finish(container_of(socket->children.next, struct socket, sibling), true);
}
